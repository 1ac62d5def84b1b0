//! The counters of a kernel's network namespace: `/proc/net/snmp`, `snmp6` and `netstat`.

use std::{collections::BTreeMap, fmt, fs, io, path::Path};

/// Counters by name, as `nstat` writes them: `TcpInCsumErrors`, `IpExtInCsumErrors`, `Icmp6InMsgs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<String, i64>);

impl Counters {
    /// The counters of the namespace in which this thread is.
    ///
    /// # Errors
    /// Where `/proc` cannot be read.
    pub fn here() -> io::Result<Self> {
        Self::below(Path::new("/proc/thread-self/net"))
    }

    /// The counters of the namespace in which process `pid` is.
    ///
    /// # Errors
    /// Where the process is gone or not ours to look at.
    pub fn of_process(pid: u32) -> io::Result<Self> {
        Self::below(Path::new(&format!("/proc/{pid}/net")))
    }

    fn below(folder: &Path) -> io::Result<Self> {
        let mut counters = BTreeMap::new();
        for file in ["snmp", "netstat"] {
            read_pairs_of_lines(&fs::read_to_string(folder.join(file))?, &mut counters);
        }
        if let Ok(text) = fs::read_to_string(folder.join("snmp6")) {
            read_names_and_values(&text, &mut counters);
        }
        Ok(Self(counters))
    }

    /// The value of one counter, 0 where the kernel does not have it.
    #[must_use]
    pub fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// What moved since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let moved = self.0.iter().map(|(name, value)| (name.clone(), value - before.get(name)));
        Self(moved.filter(|(_, difference)| *difference != 0).collect())
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no counter moved");
        }
        self.0.iter().try_for_each(|(name, value)| writeln!(f, "  {name:<32} {value:+}"))
    }
}

/// `Tcp: A B` and below it `Tcp: 1 2`.
fn read_pairs_of_lines(text: &str, counters: &mut BTreeMap<String, i64>) {
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let Some((group, names)) = names.split_once(':') else { continue };
        let Some((_, values)) = values.split_once(':') else { continue };
        for (name, value) in names.split_whitespace().zip(values.split_whitespace()) {
            counters.insert(format!("{group}{name}"), value.parse().unwrap_or(0));
        }
    }
}

/// `Ip6InReceives 12`.
fn read_names_and_values(text: &str, counters: &mut BTreeMap<String, i64>) {
    for line in text.lines() {
        if let Some((name, value)) = line.split_once(char::is_whitespace) {
            counters.insert(name.to_owned(), value.trim().parse().unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_two_line_format_is_read() {
        let mut counters = BTreeMap::new();
        read_pairs_of_lines("Tcp: InSegs InCsumErrors\nTcp: 7 1\nUdp: NoPorts\nUdp: 3\n", &mut counters);
        let counters = Counters(counters);
        assert_eq!((counters.get("TcpInSegs"), counters.get("TcpInCsumErrors"), counters.get("UdpNoPorts")), (7, 1, 3));
    }

    #[test]
    fn only_what_moved_is_shown() {
        let before = Counters(BTreeMap::from([("A".to_owned(), 1), ("B".to_owned(), 5)]));
        let after = Counters(BTreeMap::from([("A".to_owned(), 1), ("B".to_owned(), 8)]));
        assert_eq!(after.since(&before), Counters(BTreeMap::from([("B".to_owned(), 3)])));
    }
}
