//! `--why`: counters of this host around an attempt.

use std::collections::BTreeMap;
use std::fs;

/// Counters of the network namespace that this thread stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<String, u64>);

/// A counter that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its name: `Tcp.InCsumErrors`, `eth0.tx_drop`.
    pub name: String,
    /// By how much.
    pub by: u64,
}

/// The files with pairs of lines, names and values: RFC 1213's counters, and Linux's own.
const PAIRED: [&str; 2] = ["/proc/thread-self/net/snmp", "/proc/thread-self/net/netstat"];
/// IPv6's, one counter a line.
const SINGLE: &str = "/proc/thread-self/net/snmp6";
/// The interfaces', a line each.
const INTERFACES: &str = "/proc/thread-self/net/dev";
/// The columns of [`INTERFACES`].
const COLUMNS: [&str; 16] = [
    "rx_bytes",
    "rx_packets",
    "rx_errs",
    "rx_drop",
    "rx_fifo",
    "rx_frame",
    "rx_compressed",
    "rx_multicast",
    "tx_bytes",
    "tx_packets",
    "tx_errs",
    "tx_drop",
    "tx_fifo",
    "tx_colls",
    "tx_carrier",
    "tx_compressed",
];

impl Counters {
    /// The counters now. What cannot be read is left out.
    #[must_use]
    pub fn read() -> Self {
        let mut counters = Self::default();
        for path in PAIRED {
            counters.add_paired(&fs::read_to_string(path).unwrap_or_default());
        }
        for line in fs::read_to_string(SINGLE).unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            if let (Some(name), Some(value)) = (words.next(), words.next()) {
                counters.add(name.to_owned(), value);
            }
        }
        for line in fs::read_to_string(INTERFACES).unwrap_or_default().lines() {
            let Some((interface, values)) = line.split_once(':') else { continue };
            for (column, value) in COLUMNS.iter().zip(values.split_whitespace()) {
                counters.add(format!("{}.{column}", interface.trim()), value);
            }
        }
        counters
    }

    /// What moved since `earlier`, in the order of names.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Vec<Moved> {
        let moved = self.0.iter().filter_map(|(name, &now)| {
            let by = now.saturating_sub(earlier.value(name));
            (by > 0).then(|| Moved { name: name.clone(), by })
        });
        moved.collect()
    }

    /// The value of a counter; 0 when there is none of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    fn add_paired(&mut self, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.chunks(2) {
            let [names, values] = pair else { continue };
            let mut names = names.split_whitespace();
            let group = names.next().unwrap_or_default();
            for (name, value) in names.zip(values.split_whitespace().skip(1)) {
                self.add(format!("{}.{name}", group.trim_end_matches(':')), value);
            }
        }
    }

    fn add(&mut self, name: String, value: &str) {
        // Some are gauges and may be negative; they count nothing.
        if let Ok(value) = value.parse() {
            self.0.insert(name, value);
        }
    }
}

impl Moved {
    /// The counter tells of a loss or an error, not of traffic.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        const SIGNS: [&str; 12] = [
            "drop", "Drop", "Err", "err", "Discard", "NoRoute", "NoPort", "Fail", "fifo", "carrier", "Filter",
            "Unknown",
        ];
        SIGNS.iter().any(|sign| self.name.contains(sign))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_lines_are_read_by_name() {
        let mut counters = Counters::default();
        counters.add_paired("Tcp: InSegs InCsumErrors MaxConn\nTcp: 12 3 -1\nUdp: NoPorts\nUdp: 4\n");
        assert_eq!((counters.value("Tcp.InSegs"), counters.value("Tcp.InCsumErrors")), (12, 3));
        assert_eq!((counters.value("Udp.NoPorts"), counters.value("Tcp.MaxConn")), (4, 0));
        let moved = counters.since(&Counters::default());
        assert_eq!(moved.iter().filter(|m| m.is_loss()).count(), 2);
    }

    #[test]
    fn this_machine_has_counters() {
        let counters = Counters::read();
        assert!(counters.0.keys().any(|name| name.starts_with("Ip.")));
        assert!(counters.0.keys().any(|name| name.starts_with("lo.")));
    }
}
