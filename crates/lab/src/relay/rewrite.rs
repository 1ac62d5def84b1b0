//! The rules of `--rewrite` at work between two hosts, as boxes there do it.
//!
//! Rules are for packets on their way to the server. Addresses come back as a NAT brings them: with `src=` what comes for the
//! new source goes to the one that was replaced last, with `dst=` what comes from the new destination comes from the old one.
//! What a rule does to a packet is `craft`'s.

use std::net::IpAddr;

use wirewright_craft::{Context, First, Layer, Packet, Rewrite, Setting};

/// The way of a frame through the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Towards {
    Server,
    Client,
}

/// The rules at work: with the addresses that they replaced.
#[derive(Debug, Default)]
pub(crate) struct Rewriter {
    rules: Vec<Rule>,
    made: Vec<u8>,
}

#[derive(Debug)]
struct Rule {
    rewrite: Rewrite,
    /// New source and destination, and the ones that were replaced last.
    source: Replaced,
    destination: Replaced,
}

#[derive(Clone, Copy, Debug, Default)]
struct Replaced {
    new: Option<IpAddr>,
    old: Option<IpAddr>,
}

impl Rewriter {
    pub(crate) fn new(rewrites: &[Rewrite]) -> Self {
        let replaced = |rewrite: &Rewrite, key| Replaced { new: rewrite.address(key), old: None };
        let rules = rewrites.iter().map(|rewrite| Rule {
            source: replaced(rewrite, "src"),
            destination: replaced(rewrite, "dst"),
            rewrite: rewrite.clone(),
        });
        Self { rules: rules.collect(), made: Vec::new() }
    }

    /// Rewrites a frame; whether a byte of it is another one now.
    pub(crate) fn rewrite(&mut self, frame: &mut Vec<u8>, towards: Towards) -> bool {
        if self.rules.is_empty() || is_of_neighbours(frame) {
            return false;
        }
        let mut packet = Packet::from_bytes(frame, First::Ethernet);
        let mut applied = false;
        let rules = self.rules.iter_mut();
        match towards {
            Towards::Server => rules.for_each(|rule| applied |= rule.go(&mut packet)),
            Towards::Client => rules.rev().for_each(|rule| applied |= rule.come_back(&mut packet)),
        }
        if !applied || packet.build_into(&mut self.made, &Context::default()).is_err() || self.made == *frame {
            return false;
        }
        core::mem::swap(frame, &mut self.made);
        true
    }
}

impl Rule {
    /// Towards the server.
    fn go(&mut self, packet: &mut Packet) -> bool {
        let before = |key| network(packet).and_then(|layer| layer.get(key)?.address(layer.key()));
        let (source, destination) = (before("src"), before("dst"));
        if !self.rewrite.apply(packet) {
            return false;
        }
        self.source.old = source;
        self.destination.old = destination;
        true
    }

    /// Towards the client: addresses that stand for others.
    fn come_back(&self, packet: &mut Packet) -> bool {
        let mut changed = false;
        for (key, Replaced { new, old }) in [("dst", self.source), ("src", self.destination)] {
            let Some((new, old)) = new.zip(old) else { continue };
            let Some(layer) = packet.layers.iter_mut().find(|layer| matches!(layer.key(), "ip" | "ip6")) else {
                continue;
            };
            if layer.get(key) == Some(setting(new)) && new.is_ipv4() == (layer.key() == "ip") {
                changed |= layer.set(key, setting(old));
            }
        }
        changed
    }
}

fn setting(address: IpAddr) -> Setting {
    Setting::Exactly(match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    })
}

/// The outermost IP layer.
fn network(packet: &Packet) -> Option<&Layer> {
    packet.layers.iter().find(|layer| matches!(layer.key(), "ip" | "ip6"))
}

/// Whether a frame is between neighbours, where a rewritten field would only break the wire: no IP, or IPv6 with a multicast
/// destination, a link-local address, or a message of neighbour discovery (RFC 4861: types 133 to 137).
fn is_of_neighbours(frame: &[u8]) -> bool {
    let Some((header, packet)) = frame.split_at_checked(14) else { return true };
    match header[12..] {
        [0x86, 0xdd] => {
            let link_local = |at: usize| packet.get(at..at + 2).is_some_and(|a| a[0] == 0xfe && a[1] & 0xc0 == 0x80);
            let is_discovery =
                packet.get(6) == Some(&58) && packet.get(40).is_some_and(|kind| (133..=137).contains(kind));
            is_discovery || packet.get(24) == Some(&0xff) || link_local(8) || link_local(24)
        }
        [0x08, 0x06] => true,
        // Behind VLAN tags and the like a rule finds its layer as well.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(words: &str) -> Vec<u8> {
        wirewright_craft::parse(words).unwrap().build(&Context::default()).unwrap().bytes
    }

    fn through(rules: &[&str], words: &str, towards: Towards) -> Option<String> {
        let rules: Vec<_> = rules.iter().map(|rule| Rewrite::parse(rule).unwrap()).collect();
        let mut frame = frame(words);
        let before = frame.clone();
        let rewritten = Rewriter::new(&rules).rewrite(&mut frame, towards);
        assert_eq!(rewritten, frame != before);
        rewritten.then(|| Packet::from_bytes(&frame, First::Ethernet).to_string())
    }

    const SYN: &str = "eth 02:00:00:00:00:01 src=02:00:00:00:00:02 / ip 192.0.2.2 src=198.51.100.2 id=7 / tcp :80 sport=40000 seq=1 S";

    #[test]
    fn what_is_set_is_set_and_what_was_right_is_right_again() {
        let with = |more: &str| Packet::from_bytes(&frame(&format!("{SYN}{more}")), First::Ethernet).to_string();
        for (rule, before, after) in [
            ("tcp mss=1380", " mss=1460 sack", " mss=1380 sack"),
            ("ttl=9", "", " ip.ttl=9"),
            ("ip tos=0", " ip.tos=8", ""),
            ("tcp win=1", "", " win=1"),
            // A sum that was wrong stays what it was.
            ("tcp mss=1380", " mss=1460 sum=0xdead", " mss=1380 sum=0xdead"),
            ("tcp sum=bad", " mss=1460", " mss=1460 sum=bad"),
        ] {
            let made = through(&[rule], &format!("{SYN}{before}"), Towards::Server);
            assert_eq!(made, Some(with(after)), "{rule}");
        }
    }

    #[test]
    fn what_the_rule_is_not_for_is_left_alone() {
        for (rule, words) in [
            ("tcp mss=1380", SYN),
            ("udp :53", SYN),
            ("ip6 hlim=9", SYN),
            ("src=2001:db8:2::9", SYN),
            ("icmp seq=7", SYN),
            (
                "ttl=9",
                "eth 02:00:00:00:00:01 / ip6 2001:db8::2 src=2001:db8::1 hlim=255 / icmp6 type=135 target=2001:db8::2",
            ),
            ("ttl=9", "eth 02:00:00:00:00:01 / arp 192.0.2.2"),
        ] {
            assert_eq!(through(&[rule], words, Towards::Server), None, "{rule}: {words}");
        }
        assert_eq!(through(&["ttl=9"], SYN, Towards::Client), None);
    }

    #[test]
    fn ttl_is_the_hop_limit_of_the_other_version() {
        let words = "eth 02:00:00:00:00:01 / ip6 2001:db8::2 src=2001:db8::1 flow=1 / udp :7 sport=40000";
        let made = through(&["ttl=9"], words, Towards::Server).unwrap();
        assert!(made.contains("hlim=9"), "{made}");
    }

    #[test]
    fn a_rewritten_source_comes_back_as_it_was() {
        let rules = [Rewrite::parse("src=203.0.113.9").unwrap()];
        let mut rewriter = Rewriter::new(&rules);
        let mut there = frame(SYN);
        assert!(rewriter.rewrite(&mut there, Towards::Server));
        assert!(Packet::from_bytes(&there, First::Ethernet).to_string().contains("src=203.0.113.9"));
        let mut back =
            frame("eth 02:00:00:00:00:02 / ip 203.0.113.9 src=192.0.2.2 id=1 / tcp :40000 sport=80 seq=1 SA");
        assert!(rewriter.rewrite(&mut back, Towards::Client));
        assert_eq!(
            back,
            frame("eth 02:00:00:00:00:02 / ip 198.51.100.2 src=192.0.2.2 id=1 / tcp :40000 sport=80 seq=1 SA")
        );
    }

    #[test]
    fn the_quote_of_an_error_is_not_touched() {
        let words = "eth 02:00:00:00:00:01 / ip 192.0.2.2 src=198.51.100.2 id=1 / icmp type=11 / ip 198.51.100.2 src=192.0.2.9 id=2 ttl=1 / udp :7 sport=9";
        let made = through(&["ttl=9"], words, Towards::Server).unwrap();
        assert_eq!(made.matches("ttl=9").count(), 1, "{made}");
        assert_eq!(through(&["udp :53"], words, Towards::Server), None);
    }
}
