//! What a host's kernel knows: its counters (`/proc/net/snmp`, `/proc/net/netstat` and `/proc/net/snmp6`) and its neighbours.

use core::fmt;
use std::collections::BTreeMap;
use std::fs;
use std::io;

use wirewright_link::netlink::{Neighbor, Netlink};
use wirewright_link::sys::system;

use crate::enter::Lab;
use crate::map::Host;
use crate::place::PlaceError;

/// Counters by name, as `nstat` writes them: `TcpInCsumErrors`, `IpExtInCsumErrors`, `Ip6InReceives`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<String, i64>);

impl Counters {
    /// Those of the network in which the calling thread stands.
    ///
    /// **Errors**: `/proc` cannot be read.
    pub fn here() -> io::Result<Self> {
        let mut counters = Self::default();
        for file in ["snmp", "netstat"] {
            counters.read_tables(&fs::read_to_string(format!("/proc/thread-self/net/{file}"))?);
        }
        if let Ok(text) = fs::read_to_string("/proc/thread-self/net/snmp6") {
            counters.read_list(&text);
        }
        Ok(counters)
    }

    /// The value of one, 0 where the kernel does not have it.
    #[must_use]
    pub fn value(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// What moved since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let moved = self.0.iter().map(|(name, value)| (name.clone(), value.wrapping_sub(earlier.value(name))));
        Self(moved.filter(|(_, difference)| *difference != 0).collect())
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// `Tcp: RtoAlgorithm RtoMin …` and below it `Tcp: 1 200 …`.
    fn read_tables(&mut self, text: &str) {
        let mut lines = text.lines();
        while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
            let (Some((group, names)), Some((_, values))) = (names.split_once(':'), values.split_once(':')) else {
                continue;
            };
            for (name, value) in names.split_whitespace().zip(values.split_whitespace()) {
                if let Ok(value) = value.parse() {
                    self.0.insert(format!("{group}{name}"), value);
                }
            }
        }
    }

    /// `Ip6InReceives 12`.
    fn read_list(&mut self, text: &str) {
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if let (Some(name), Some(Ok(value))) = (words.next(), words.next().map(str::parse)) {
                self.0.insert(name.to_owned(), value);
            }
        }
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|(name, value)| writeln!(f, "{name:<32} {value}"))
    }
}

impl Lab {
    /// The counters of a host's kernel.
    ///
    /// **Errors**: as [`Lab::on`], or `/proc` cannot be read.
    pub fn counters(&self, host: Host) -> Result<Counters, PlaceError> {
        self.on(host, Counters::here)?.map_err(|error| PlaceError::Os { host, error })
    }

    /// The neighbours in a host's table.
    ///
    /// **Errors**: as [`Lab::on`], or netlink is refused.
    pub fn neighbors(&self, host: Host) -> Result<Vec<Neighbor>, PlaceError> {
        let ask = || Netlink::open(system())?.neighbors();
        self.on(host, ask)?.map_err(|error| PlaceError::Os { host, error: error.errno.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_by_name_and_only_what_moved() {
        let mut before = Counters::default();
        before.read_tables("Tcp: InSegs InErrs\nTcp: 10 0\nUdp: InDatagrams\nUdp: 7\n");
        before.read_list("Ip6InReceives                   \t5\n");
        let mut after = before.clone();
        after.read_tables("Tcp: InSegs InErrs\nTcp: 12 1\n");
        let moved = after.since(&before);
        assert_eq!(moved.iter().collect::<Vec<_>>(), [("TcpInErrs", 1), ("TcpInSegs", 2)]);
        assert_eq!((after.value("Ip6InReceives"), after.value("Nothing")), (5, 0));
    }

    #[test]
    fn text_that_is_no_table_is_passed_over() {
        let mut counters = Counters::default();
        counters.read_tables("Tcp InSegs\n\nTcp: a\nTcp: b\n");
        counters.read_list("\nIp6InReceives\nIp6In x\n");
        assert_eq!(counters, Counters::default());
    }
}
