//! Whole programs that put a packet on the wire: one file that is read from top to bottom, in Python, C or Rust.
//!
//! In: a built packet and the way that its bytes can take (hand's table).
//! Out: the text of a program; one description of it ([`Program`]), written by three thin languages.
//! Above: `ww build --as python`. Below: hand's spans and ways, inspect's checksums, the catalogue.
//! Not here: running it; more than one packet.

mod c;
mod parts;
mod python;
mod rust;

use std::net::IpAddr;

use wirewright_hand::{Built, Ip, Objection, Outgoing, Way, raw_way};

use crate::catalogue::Catalogue;
use crate::plan::objection;

use parts::{Part, SumPart};

/// A language that programs are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python 3 with its standard library.
    Python,
    /// C with the libc of Linux.
    C,
    /// Rust, one file for plain `rustc`, without crates.
    Rust,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::C];

    /// Its word for `--as`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::C => "c",
            Self::Rust => "rust",
        }
    }
}

/// How a program hands the packet to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    /// A frame, link header included, to an interface.
    Frame,
    /// A raw socket of the address's family, to that address unless the caller says otherwise.
    Raw(IpAddr),
    /// A packet to an interface and a MAC address; the kernel writes the link header.
    Packet {
        /// What the link header says that follows.
        ether_type: u16,
    },
}

/// A program, in no language.
struct Program {
    /// What stands above it, a line each.
    head: Vec<String>,
    /// How many bytes the packet has.
    len: usize,
    parts: Vec<Part>,
    sums: Vec<SumPart>,
    carrier: Carrier,
    /// Why it is carried so, a line each.
    why: Vec<String>,
}

impl Program {
    fn has_hex(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Hex { .. }))
    }
}

/// Writes the program that sends `built`; `line` is the packet in words, for its first comment. `None` for bytes that begin
/// with neither an Ethernet nor an IP header: nothing carries them as they are.
#[must_use]
pub fn program(
    language: Language,
    packet: &Outgoing<'_>,
    built: &Built,
    line: &str,
    words: &Catalogue,
) -> Option<String> {
    let (carrier, why) = carrier(packet, words)?;
    let (parts, sums) = parts::of(packet, built, words);
    let head = head(language, line, words);
    let program = Program { head, len: built.bytes.len(), parts, sums, carrier, why };
    Some(match language {
        Language::Python => python::write(&program, words),
        Language::C => c::write(&program, words),
        Language::Rust => rust::write(&program, words),
    })
}

/// As much of a packet's words as the first comment repeats.
const LINE_SHOWN: usize = 300;

fn head(language: Language, line: &str, words: &Catalogue) -> Vec<String> {
    let cut = line.char_indices().nth(LINE_SHOWN).map_or(line.len(), |(at, _)| at);
    let dots = if cut < line.len() { " .." } else { "" };
    vec![
        words.say("program.made", &[("form", &language.word())]),
        format!("    {}{dots}", &line[..cut]),
        words.say("program.needs", &[]),
    ]
}

fn carrier(packet: &Outgoing<'_>, words: &Catalogue) -> Option<(Carrier, Vec<String>)> {
    if packet.begins_with_ethernet() {
        return Some((Carrier::Frame, vec![words.say("program.frame", &[])]));
    }
    let ip = packet.ip().filter(|ip| ip.at == 0)?;
    let framed = Carrier::Packet { ether_type: ip.ether_type() };
    let reasons = match raw_way(packet) {
        Ok(_) if !is_one_host(&ip) => vec![words.say("program.group", &[])],
        Ok(Way::RawIpv4 | Way::RawIpv6) => {
            return Some((Carrier::Raw(ip.destination), vec![words.say("program.raw", &[])]));
        }
        Ok(Way::Ethernet) => Vec::new(),
        Err(objections) => objections.iter().map(|it| raw_would(it, words)).collect(),
    };
    Some((framed, reasons.into_iter().chain([words.say("program.packet", &[])]).collect()))
}

fn raw_would(it: &Objection, words: &Catalogue) -> String {
    words.say("program.raw-would", &[("reason", &objection(it, words))])
}

/// The kernel sends it to one host by its routes: no group, no broadcast, no address that means something on one link only.
fn is_one_host(ip: &Ip) -> bool {
    match ip.destination {
        IpAddr::V4(to) => !to.is_multicast() && !to.is_broadcast() && !to.is_unspecified(),
        IpAddr::V6(to) => !to.is_multicast() && !to.is_unicast_link_local() && !to.is_unspecified(),
    }
}
