//! What the answers of one hop tell beside those of the hops before it.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::Hop;
use crate::quoted::Difference;

/// A field that was rewritten on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    /// The field with both values.
    pub difference: Difference,
    /// The last hop that answered and did not see it: TTL and address; `None`: nobody answered before.
    pub behind: Option<(u8, IpAddr)>,
    /// The first that saw it.
    pub before: IpAddr,
}

/// What is odd about TTLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// The quote has another TTL than the 1 that a router sees which ends the way, or the host that the first probe reached:
    /// somebody before it changed the TTL.
    QuotedTtl {
        /// The TTL quoted.
        seen: u8,
        /// The last hop that answered before.
        behind: Option<(u8, IpAddr)>,
        /// Who quotes it.
        before: IpAddr,
    },
    /// The same router ends the way of probes with different TTLs: somebody before it sets the TTL.
    SameRouter {
        /// The router.
        router: IpAddr,
        /// The TTL of the hop before.
        ttl: u8,
    },
    /// The answer passed more routers than the probe: somebody raised the probe's TTL, or the way back is another.
    ShortWay {
        /// Routers that the answer passed, by its TTL.
        back: u8,
        /// Routers that the probe passed, by its own.
        out: u8,
    },
}

/// What the hops before have shown.
#[derive(Debug, Default)]
pub(super) struct Known {
    seen: Vec<Difference>,
    last: Option<(u8, IpAddr)>,
    /// A router that answers for hop after hop was told.
    same_told: bool,
}

impl Known {
    /// What a hop tells that those before it did not.
    pub(super) fn tells(&mut self, hop: &Hop) -> (Vec<Rewriting>, Vec<Odd>) {
        let mut rewritings = Vec::new();
        for heard in &hop.heard {
            for difference in heard.quoted.iter().flat_map(|quoted| &quoted.differences) {
                if !self.seen.contains(difference) {
                    self.seen.push(*difference);
                    rewritings.push(Rewriting { difference: *difference, behind: self.last, before: heard.from });
                }
            }
        }
        let odd = self.odd(hop);
        if let Some(heard) = hop.heard.first() {
            self.last = Some((hop.ttl, heard.from));
        }
        (rewritings, odd)
    }

    fn odd(&mut self, hop: &Hop) -> Vec<Odd> {
        let mut odd = Vec::new();
        let quoted = hop.heard.iter().find_map(|it| Some((it.from, it.quoted.as_ref()?.ttl?)));
        if let Some((before, seen)) = quoted.filter(|(_, ttl)| *ttl > 1) {
            odd.push(Odd::QuotedTtl { seen, behind: self.last, before });
        }
        let router = hop.heard.iter().find(|it| it.is_on_the_way()).map(|it| it.from);
        if let (Some(router), Some((ttl, last))) = (router, self.last)
            && router == last
            && !core::mem::replace(&mut self.same_told, true)
        {
            odd.push(Odd::SameRouter { router, ttl });
        }
        let back = hop.heard.iter().find(|it| it.is_target).and_then(|it| routers_passed(it.ttl?));
        if let Some(back) = back.filter(|back| *back > hop.ttl.saturating_sub(1)) {
            odd.push(Odd::ShortWay { back, out: hop.ttl.saturating_sub(1) });
        }
        odd
    }
}

/// How many routers took one off a TTL that began, as those of all hosts do, at 64, 128 or 255.
fn routers_passed(ttl: u8) -> Option<u8> {
    [64, 128, 255].into_iter().find_map(|begin: u8| begin.checked_sub(ttl))
}
