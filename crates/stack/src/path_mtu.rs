//! RFC 1191 and RFC 8201: the largest packet that a path carries, as routers have said.

use core::net::IpAddr;
use core::time::Duration;

use hashbrown::HashMap;
use wirewright_units::Instant;

use crate::demux::Keyed;

/// What was learnt is forgotten after so long, and larger packets are tried again (RFC 8201 §5.3: not less than 5 minutes,
/// 10 recommended).
pub const PATH_MTU_AGE_MAX: Duration = Duration::from_secs(600);
/// So many paths are remembered; a new one takes the place of the oldest. Only what our own packets caused is learnt.
pub const PATHS_MAX: usize = 1024;
/// IPv4: no report makes packets smaller than this; what a path takes less of leaves without DF. The floor of Linux: a
/// forged report cannot cut a stream to crumbs.
pub const PATH_MTU_MIN_V4: u16 = 552;
/// IPv6: every path carries this (RFC 8200 §5); reports of less are not believed (RFC 8201 §4).
pub const PATH_MTU_MIN_V6: u16 = 1280;

/// RFC 1191 §7.1: sizes of common links, for routers that do not say which one is next.
const PLATEAUS: &[u16] = &[32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 508, 296, 68];

/// What is known of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) mtu: u16,
    /// The path takes less than our floor: packets go without DF.
    pub(crate) may_fragment: bool,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    path: Path,
    until: Instant,
}

/// The paths of a host.
#[derive(Debug)]
pub(crate) struct PathMtus {
    link: u16,
    known: HashMap<IpAddr, Known, Keyed>,
}

impl PathMtus {
    pub(crate) fn new(link: u16, hasher: Keyed) -> Self {
        Self { link, known: HashMap::with_hasher(hasher) }
    }

    /// The path to `destination`.
    pub(crate) fn of(&mut self, now: Instant, destination: IpAddr) -> Path {
        let link = Path { mtu: self.link, may_fragment: false };
        if self.known.is_empty() {
            return link;
        }
        match self.known.get(&destination) {
            Some(known) if known.until > now => known.path,
            Some(_) => {
                self.known.remove(&destination);
                link
            }
            None => link,
        }
    }

    /// A router says that a packet of `length` bytes to `destination` needs at most `reported`; 0: it does not say.
    /// Returns the path when it became smaller.
    pub(crate) fn report(&mut self, now: Instant, destination: IpAddr, reported: u32, length: u16) -> Option<Path> {
        let before = self.of(now, destination);
        let said = match u16::try_from(reported).unwrap_or(u16::MAX) {
            0 => PLATEAUS.iter().copied().find(|&plateau| plateau < length)?,
            said => said,
        };
        let path = match destination {
            IpAddr::V4(_) => Path { mtu: said.max(PATH_MTU_MIN_V4), may_fragment: said < PATH_MTU_MIN_V4 },
            IpAddr::V6(_) if said < PATH_MTU_MIN_V6 => return None,
            IpAddr::V6(_) => Path { mtu: said, may_fragment: false },
        };
        if path.mtu >= before.mtu && path.may_fragment == before.may_fragment {
            return None;
        }
        if self.known.len() >= PATHS_MAX && !self.known.contains_key(&destination) {
            let oldest = self.known.iter().map(|(&address, known)| (known.until, address)).min();
            oldest.and_then(|(_, address)| self.known.remove(&address));
        }
        self.known.insert(destination, Known { path, until: now + PATH_MTU_AGE_MAX });
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 2));
    const V6: IpAddr = IpAddr::V6(core::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2));
    const NOW: Instant = Instant::from_millis(1);

    fn mtus() -> PathMtus {
        PathMtus::new(1500, Keyed::new([1; 16]))
    }

    #[test]
    fn a_report_makes_a_path_smaller_for_a_while() {
        let mut mtus = mtus();
        assert_eq!(mtus.report(NOW, V4, 1400, 1500), Some(Path { mtu: 1400, may_fragment: false }));
        assert_eq!((mtus.of(NOW, V4).mtu, mtus.of(NOW, V6).mtu), (1400, 1500));
        // Never larger by a report.
        assert_eq!(mtus.report(NOW, V4, 1450, 1500), None);
        assert_eq!(mtus.of(NOW + PATH_MTU_AGE_MAX, V4).mtu, 1500);
    }

    #[test]
    fn floors_hold_against_forged_reports() {
        let mut mtus = mtus();
        assert_eq!(mtus.report(NOW, V4, 68, 1500), Some(Path { mtu: PATH_MTU_MIN_V4, may_fragment: true }));
        assert_eq!(mtus.report(NOW, V6, 1279, 1500), None);
        assert_eq!(mtus.of(NOW, V6).mtu, 1500);
    }

    #[test]
    fn an_old_router_that_names_no_size_gets_the_next_plateau() {
        assert_eq!(mtus().report(NOW, V4, 0, 1500).map(|path| path.mtu), Some(1492));
        assert_eq!(mtus().report(NOW, V4, 0, 60), None);
    }

    #[test]
    fn so_many_paths_and_no_more() {
        let mut mtus = mtus();
        for i in 0..PATHS_MAX as u32 + 10 {
            let to = IpAddr::V4((0xc000_0200 + i).into());
            assert!(mtus.report(NOW + Duration::from_millis(i.into()), to, 1400, 1500).is_some());
        }
        assert_eq!(mtus.known.len(), PATHS_MAX);
        assert_eq!(mtus.of(NOW, IpAddr::V4(0xc000_0200.into())).mtu, 1500);
    }
}
