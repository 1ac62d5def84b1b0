//! `--expect`: the answer that a person expects, written in few words.
//!
//! ```text
//! SA  R  A  FA          these flags of SYN, FIN and RST and no others of them; the others as written at least
//! icmp                  any ICMP error          icmp unreach          icmp unreach port      icmp 3 13
//! echo  udp  arp  ndp   that reply              any                   some answer
//! none                  no answer
//! ```

use core::fmt;

use wirewright_wire::tcp::{Flags, LETTERS};
use wirewright_wire::{Name, icmpv4, icmpv6};

use crate::probes::{AnswerKind, IcmpError};

/// An expected answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No answer.
    Nothing,
    /// Some answer.
    Anything,
    /// A TCP segment with these flags.
    Tcp(Flags),
    /// An ICMP error.
    Icmp(IcmpExpect),
    /// An echo reply.
    Echo,
    /// A datagram.
    Udp,
    /// An ARP reply.
    Arp,
    /// A neighbour advertisement.
    Ndp,
}

/// An expected ICMP error, of either IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpExpect {
    kind: Option<IcmpKind>,
    code: Option<IcmpCode>,
}

/// A kind of ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IcmpKind {
    Number(u8),
    /// The type of this word in each version that has it.
    Word {
        v4: Option<u8>,
        v6: Option<u8>,
    },
}

/// A code of an ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IcmpCode {
    Number(u8),
    Word(&'static Word),
}

/// A code's word and its numbers in both versions; a version may have none.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    word: &'static str,
    also: &'static [&'static str],
    v4: &'static [u8],
    v6: &'static [u8],
}

/// Codes of "unreachable" (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1, RFC 4443 §3.1).
static CODES: &[Word] = &[
    Word { word: "net", also: &["noroute"], v4: &[0, 6], v6: &[0] },
    Word { word: "host", also: &["addr"], v4: &[1, 7], v6: &[3] },
    Word { word: "proto", also: &["protocol"], v4: &[2], v6: &[] },
    Word { word: "port", also: &[], v4: &[3], v6: &[4] },
    Word { word: "frag", also: &["needfrag"], v4: &[4], v6: &[] },
    Word { word: "admin", also: &["prohibited"], v4: &[9, 10, 13], v6: &[1] },
];

/// What people call "time exceeded" and is no word of the field's own.
const TTL: &[&str] = &["ttl", "hlim", "time"];

/// Why an expectation could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectError {
    /// The word that is not understood, counted from 0.
    pub word: usize,
    /// What could stand there.
    pub could: Could,
}

/// What could stand at a place of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Could {
    /// What the first word may be.
    First,
    /// What the word behind `icmp` may be.
    Kind,
    /// What the word behind an ICMP kind may be.
    Code,
    /// Nothing more may follow.
    End,
}

impl Could {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Kind => "kind",
            Self::Code => "code",
            Self::End => "end",
        }
    }
}

impl fmt::Display for ExpectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let could = match self.could {
            Could::First => "TCP flags, icmp, echo, udp, arp, ndp, any or none",
            Could::Kind => "a kind of ICMP error, or a type's number",
            Could::Code => "a code of it, or its number",
            Could::End => "nothing more",
        };
        write!(f, "word {}: {could}", self.word + 1)
    }
}

impl core::error::Error for ExpectError {}

impl Expect {
    /// The words that an expectation may begin with; of TCP's flags the common ones.
    pub const WORDS: &[&str] = &["none", "any", "SA", "R", "RA", "icmp", "echo", "udp", "arp", "ndp"];

    /// Reads an expectation.
    ///
    /// # Errors
    /// When a word is none that could stand there.
    pub fn parse(text: &str) -> Result<Self, ExpectError> {
        let mut words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
        let error = |word, could| Err(ExpectError { word, could });
        let Some(first) = words.next() else { return error(0, Could::First) };
        let expect = match first {
            "none" => Self::Nothing,
            "any" => Self::Anything,
            "echo" | "reply" => Self::Echo,
            "udp" => Self::Udp,
            "arp" => Self::Arp,
            "ndp" => Self::Ndp,
            "icmp" | "icmp6" => return Self::icmp(words),
            flags => match parse_flags(flags) {
                Some(flags) => Self::Tcp(flags),
                None => return error(0, Could::First),
            },
        };
        if words.next().is_some() { error(1, Could::End) } else { Ok(expect) }
    }

    fn icmp<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Self, ExpectError> {
        let error = |word, could| ExpectError { word, could };
        let Some(word) = words.next() else {
            return Ok(Self::Icmp(IcmpExpect { kind: None, code: None }));
        };
        let kind = word.parse().ok().map(IcmpKind::Number).or_else(|| find_kind(word)).ok_or(error(1, Could::Kind))?;
        let code = match words.next() {
            None => None,
            Some(word) => {
                let code = word.parse().ok().map(IcmpCode::Number).or_else(|| find_code(word));
                Some(code.ok_or(error(2, Could::Code))?)
            }
        };
        match words.next() {
            None => Ok(Self::Icmp(IcmpExpect { kind: Some(kind), code })),
            Some(_) => Err(error(3, Could::End)),
        }
    }

    /// Whether this is what came; `None` stands for no answer.
    #[must_use]
    pub fn is_met(&self, answer: Option<&AnswerKind>) -> bool {
        let Some(answer) = answer else { return *self == Self::Nothing };
        match (self, answer) {
            (Self::Nothing, _) => false,
            (Self::Anything, _)
            | (Self::Echo, AnswerKind::EchoReply { .. })
            | (Self::Udp, AnswerKind::UdpReply { .. })
            | (Self::Arp, AnswerKind::ArpReply { .. })
            | (Self::Ndp, AnswerKind::NdpAdvert { .. }) => true,
            (Self::Icmp(expect), AnswerKind::IcmpError(error)) => expect.is_met(error),
            (&Self::Tcp(flags), answer) => answer.tcp_flags().is_some_and(|theirs| flags_met(flags, theirs)),
            _ => false,
        }
    }
}

impl IcmpExpect {
    fn is_met(&self, error: &IcmpError) -> bool {
        let kind = match self.kind {
            None => true,
            Some(IcmpKind::Number(number)) => number == error.kind,
            Some(IcmpKind::Word { v6, .. }) if error.v6 => v6 == Some(error.kind),
            Some(IcmpKind::Word { v4: Some(v4), .. }) => v4 == error.kind,
            // IPv4 says "too big" by a code of "unreachable" (RFC 1191 §4).
            Some(IcmpKind::Word { v4: None, .. }) => (error.kind, error.code) == (3, 4),
        };
        let code = match self.code {
            None => true,
            Some(IcmpCode::Number(number)) => number == error.code,
            Some(IcmpCode::Word(word)) => if error.v6 { word.v6 } else { word.v4 }.contains(&error.code),
        };
        kind && code
    }
}

/// An error's type by the words of the tables of both versions; a type of IPv6 that IPv4 has not stands alone.
fn find_kind(word: &str) -> Option<IcmpKind> {
    let word = if TTL.contains(&word) { "exceeded" } else { word };
    let find = |names: &[Name]| {
        let name = names.iter().find(|name| name.word == word || name.also.contains(&word))?;
        u8::try_from(name.value).ok()
    };
    let v4 = find(icmpv4::TYPES).filter(|kind| IcmpError::V4.contains(kind));
    let v6 = find(icmpv6::TYPES).filter(|&kind| kind < icmpv6::INFORMATIONAL_MIN);
    (v4.is_some() || v6.is_some()).then_some(IcmpKind::Word { v4, v6 })
}

fn find_code(word: &str) -> Option<IcmpCode> {
    CODES.iter().find(|code| code.word == word || code.also.contains(&word)).map(IcmpCode::Word)
}

/// Reads letters of flags, in any order, each once.
fn parse_flags(word: &str) -> Option<Flags> {
    let mut flags = Flags::NONE;
    for letter in word.chars() {
        let name = LETTERS.iter().find(|name| name.word.chars().eq([letter]))?;
        let flag = Flags::new(u16::try_from(name.value).ok()?);
        if flags.contains(flag) {
            return None;
        }
        flags |= flag;
    }
    Some(flags)
}

/// SYN, FIN and RST must be as written; the others at least as written. A reset mostly carries an ACK: `R` means both.
fn flags_met(expected: Flags, theirs: Flags) -> bool {
    const DECISIVE: Flags = Flags::SYN.union(Flags::FIN).union(Flags::RST);
    let plain_syn = expected.syn() && !expected.ack();
    theirs & DECISIVE == expected & DECISIVE && theirs.contains(expected) && !(plain_syn && theirs.ack())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn icmp(v6: bool, kind: u8, code: u8) -> AnswerKind {
        AnswerKind::IcmpError(IcmpError { v6, kind, code, mtu: 0 })
    }

    fn met(text: &str, answer: AnswerKind) -> bool {
        Expect::parse(text).unwrap().is_met(Some(&answer))
    }

    #[test]
    fn every_word_to_begin_with_is_one() {
        for word in Expect::WORDS {
            assert!(Expect::parse(word).is_ok(), "{word}");
        }
    }

    #[test]
    fn flags_decide_by_syn_fin_and_rst() {
        let syn_ack = AnswerKind::SynAck { seq: 1, ack: 2 };
        assert!(met("SA", syn_ack) && met("AS", syn_ack) && met("any", syn_ack));
        assert!(!met("S", syn_ack) && !met("A", syn_ack) && !met("R", syn_ack) && !met("none", syn_ack));
        let rst = AnswerKind::Rst { flags: Flags::RST | Flags::ACK };
        assert!(met("R", rst) && met("RA", rst) && !met("SA", rst));
        let bare = AnswerKind::Rst { flags: Flags::RST };
        assert!(met("R", bare) && !met("RA", bare));
    }

    #[test]
    fn icmp_words_mean_both_versions() {
        assert!(
            met("icmp", icmp(false, 11, 0))
                && met("icmp ttl", icmp(false, 11, 0))
                && met("icmp exceeded", icmp(true, 3, 0))
        );
        assert!(met("icmp unreach", icmp(true, 1, 4)) && met("icmp unreach port", icmp(true, 1, 4)));
        assert!(met("icmp unreach port", icmp(false, 3, 3)) && !met("icmp unreach port", icmp(false, 3, 1)));
        assert!(!met("icmp unreach", icmp(true, 3, 0)) && !met("icmp ttl", icmp(false, 3, 0)));
        assert!(met("icmp 3 13", icmp(false, 3, 13)) && met("icmp unreach,admin", icmp(false, 3, 13)));
        assert!(met("icmp toobig", icmp(false, 3, 4)) && met("icmp toobig", icmp(true, 2, 0)));
    }

    #[test]
    fn silence_is_none_and_nothing_else() {
        assert!(Expect::parse("none").unwrap().is_met(None));
        for text in ["any", "SA", "icmp", "echo"] {
            assert!(!Expect::parse(text).unwrap().is_met(None), "{text}");
        }
    }

    #[test]
    fn what_is_no_expectation_is_refused_with_its_place() {
        for (text, word) in [
            ("", 0),
            ("SS", 0),
            ("sa", 0),
            ("icmp nonsense", 1),
            ("icmp 3 x", 2),
            ("icmp 3 1 1", 3),
            ("none 1", 1),
            ("icmp 256", 1),
        ] {
            assert_eq!(Expect::parse(text).unwrap_err().word, word, "{text}");
        }
    }
}
