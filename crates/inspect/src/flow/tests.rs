//! Conversations written as lines: `> SYN seq=…`, both IP versions, at 0, at 2^31 and where numbers wrap.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use wirewright_craft::{Context, parse};

use super::*;

/// The initial numbers: the left end's, and the right one's.
const ISNS: [(u32, u32); 4] = [(0, 0), (1 << 31, (1 << 31) - 3), (u32::MAX, u32::MAX - 2), (7, 4_000_000_000)];

/// A conversation of two ends; numbers in it are relative.
struct Talk {
    flows: Flows,
    isns: (u32, u32),
    v6: bool,
    now: UnixTime,
    number: u64,
}

impl Talk {
    fn new(isns: (u32, u32), v6: bool) -> Self {
        Self { flows: Flows::new(), isns, v6, now: UnixTime::from_parts(1_000, 0), number: 0 }
    }

    /// In every setting: both versions, all initial numbers.
    fn everywhere(act: impl Fn(&mut Self)) {
        for isns in ISNS {
            for v6 in [false, true] {
                act(&mut Self::new(isns, v6));
            }
        }
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
    }

    /// `> S 0`, `< SA 0 1`, `> PA 1 1 100 win=5 …`: way, flags, seq, ack where there is one, bytes of data, the rest of the
    /// language.
    fn say(&mut self, line: &str) -> &Segment {
        let mut words = line.split(' ');
        let right = words.next() == Some(">");
        let flags = words.next().unwrap();
        let mut numbers = Vec::new();
        let mut rest = String::new();
        for word in words {
            match word.parse::<i64>() {
                Ok(number) => numbers.push(number),
                Err(_) => rest += &format!(" {word}"),
            }
        }
        let (own, other) = if right { self.isns } else { (self.isns.1, self.isns.0) };
        let raw = |isn: u32, number: i64| isn.wrapping_add(number as u32);
        let seq = raw(own, numbers[0]);
        let mut numbers = numbers[1..].iter();
        let ack = if flags.contains('A') { raw(other, *numbers.next().unwrap()) } else { 0 };
        let len = numbers.next().copied().unwrap_or(0);
        let (from, to) = if right { (1, 2) } else { (2, 1) };
        let (sport, dport) = if right { (40_000, 80) } else { (80, 40_000) };
        let net = if self.v6 { ("ip6", "2001:db8::") } else { ("ip", "192.0.2.") };
        let ip = format!("{} {}{to} src={}{from}", net.0, net.1, net.1);
        let words = format!("{ip} / tcp :{dport} sport={sport} {flags} seq={seq} ack={ack}{rest} zero={len}");
        self.frame(&words)
    }

    fn frame(&mut self, words: &str) -> &Segment {
        let built = parse(words).unwrap().build(&Context::default()).unwrap();
        self.number += 1;
        self.now = self.now + Duration::from_micros(10);
        let frame = SeenFrame { number: self.number, view: 0, at: self.now, bytes: &built.bytes, first: First::Ip };
        assert!(self.flows.add(&frame), "{words}");
        self.flows.flows().iter().flat_map(|flow| &flow.segments).max_by_key(|segment| segment.number).unwrap()
    }

    fn handshake(&mut self) {
        self.say("> S 0 mss=1460 wscale=7");
        self.say("< SA 0 1 wscale=2");
        self.say("> A 1 1");
    }
}

use State as S;

#[test]
fn a_conversation_passes_through_the_states_of_the_rfcs_figures() {
    Talk::everywhere(|talk| {
        for (line, left, right) in [
            ("> S 0", S::SynSent, S::SynReceived),
            ("< SA 0 1", S::Established, S::SynReceived),
            ("> A 1 1", S::Established, S::Established),
            ("> PA 1 1 18", S::Established, S::Established),
            ("< A 1 19", S::Established, S::Established),
            ("< PA 1 19 185", S::Established, S::Established),
            ("> A 19 186", S::Established, S::Established),
            ("> FA 19 186", S::FinWait1, S::CloseWait),
            ("< A 186 20", S::FinWait2, S::CloseWait),
            ("< FA 186 20", S::TimeWait, S::LastAck),
            ("> A 20 187", S::TimeWait, S::Closed),
        ] {
            let segment = talk.say(line);
            assert_eq!(segment.states, [left, right], "{line}");
            assert_eq!(segment.marks, [], "{line}");
        }
        let [flow] = talk.flows.flows() else { panic!("one conversation") };
        assert_eq!((flow.left.port(), flow.right.port(), flow.begins()), (40_000, 80, [true, true]));
        let numbers: Vec<_> = flow.segments.iter().map(|s| (s.relative_seq, s.relative_ack, s.len)).collect();
        assert_eq!(numbers[0], (0, None, 0));
        assert_eq!(numbers[5], (1, Some(19), 185));
        assert_eq!(numbers[10], (20, Some(187), 0));
    });
}

#[test]
fn a_conversation_that_goes_on_is_followed_in_little_room() {
    let mut followed = Flows::new();
    for number in 0..500_u32 {
        let words = format!(
            "ip 192.0.2.1 src=192.0.2.2 / tcp :40000 sport=80 A seq={} ack=8 zero=1000",
            u32::MAX.wrapping_add(1 + number * 1000)
        );
        let bytes = parse(&words).unwrap().build(&Context::default()).unwrap().bytes;
        let at = UnixTime::EPOCH + Duration::from_micros(number.into());
        let frame = SeenFrame { number: number.into(), view: 0, at, bytes: &bytes, first: First::Ip };
        let flow = followed.follow(&frame).unwrap();
        assert!(flow.segments.len() <= HANDSHAKE_SEGMENTS + 1);
        let last = flow.segments.last().unwrap();
        assert_eq!((last.number, last.marks.as_slice()), (number.into(), &[][..]));
    }
    assert_eq!(followed.segments, HANDSHAKE_SEGMENTS + 1);
}

#[test]
fn both_may_open_and_close_at_once() {
    Talk::everywhere(|talk| {
        for (line, left, right) in [
            ("> S 0", S::SynSent, S::SynReceived),
            ("< S 0", S::SynReceived, S::SynReceived),
            ("> SA 0 1", S::SynReceived, S::Established),
            ("< SA 0 1", S::Established, S::Established),
            ("> FA 1 1", S::FinWait1, S::CloseWait),
            ("< FA 1 1", S::Closing, S::Closing),
            ("> A 2 2", S::Closing, S::TimeWait),
            ("< A 2 2", S::TimeWait, S::TimeWait),
        ] {
            assert_eq!(talk.say(line).states, [left, right], "{line}");
        }
    });
}

#[test]
fn resets_end_it_where_the_rfc_lets_them() {
    Talk::everywhere(|talk| {
        talk.say("> S 0");
        let refused = talk.say("< RA 0 1");
        assert_eq!((refused.states, &refused.marks[..]), ([S::Closed, S::Closed], &[][..]));
    });
    Talk::everywhere(|talk| {
        talk.handshake();
        talk.say("> PA 1 1 100");
        // RFC 5961 §3.2: in the window, but not the next number.
        assert_eq!(talk.say("> R 50").states, [S::Established, S::Established]);
        assert_eq!(talk.say("> R 101").states, [S::Closed, S::Closed]);
    });
}

#[test]
fn what_comes_again_is_told_from_what_was_overtaken() {
    Talk::everywhere(|talk| {
        talk.say("> S 0");
        assert_eq!(talk.say("> S 0").marks, [Mark::Retransmitted]);
        talk.say("< SA 0 1");
        talk.wait(20);
        talk.say("> A 1 1");
        talk.say("> A 1 1 100");
        assert_eq!(talk.say("> A 201 1 100").marks, [Mark::Gap]);
        talk.wait(1);
        assert_eq!(talk.say("> A 101 1 100").marks, [Mark::OutOfOrder]);
        assert_eq!(talk.say("> A 1 1 100").marks, [Mark::Retransmitted]);
        assert_eq!(talk.say("> A 250 1 100").marks, [Mark::Retransmitted], "half of it");
        assert_eq!(talk.say("> A 350 1 1").marks, []);
        talk.say("> A 451 1 100");
        talk.wait(300);
        assert_eq!(talk.say("> A 351 1 100").marks, [Mark::Retransmitted], "lost before it could be seen");
        assert_eq!(talk.say("> FA 551 1").marks, []);
        assert_eq!(talk.say("> FA 551 1").marks, [Mark::Retransmitted]);
    });
}

#[test]
fn duplicate_acknowledgments_ask_for_a_lost_segment() {
    Talk::everywhere(|talk| {
        talk.handshake();
        talk.say("> A 1 1 100");
        talk.say("< A 1 101");
        assert_eq!(talk.say("< A 1 101").marks, [], "nothing is outstanding");
        talk.say("> A 201 1 100");
        assert_eq!(talk.say("< A 1 101 sack=1:2").marks, [Mark::DuplicateAck]);
        talk.say("> A 301 1 100");
        assert_eq!(talk.say("< A 1 101").marks, [Mark::DuplicateAck]);
        assert_eq!(talk.say("> A 101 1 100").marks, [Mark::Retransmitted], "asked for");
        assert_eq!(talk.say("< A 1 401").marks, []);
        assert_eq!(talk.say("< A 1 401 win=9").marks, [Mark::WindowUpdate]);
        assert_eq!(talk.say("< A 1 501").marks, [Mark::AcksUnseen]);
    });
}

#[test]
fn windows_are_scaled_where_both_syns_say_so() {
    Talk::everywhere(|talk| {
        talk.handshake();
        let window = |segment: &Segment| segment.window;
        assert_eq!(window(talk.say("> A 1 1 win=100")), Some(12_800));
        assert_eq!(window(talk.say("< A 1 1 win=100")), Some(400));
        let shut = talk.say("< A 1 1 win=0");
        assert_eq!(shut.marks, [Mark::ZeroWindow]);
        assert_eq!(talk.say("> A 1 1 1").marks, [Mark::ZeroWindowProbe]);
        assert_eq!(talk.say("> A 1 1").marks, [Mark::KeepAlive]);
    });
    Talk::everywhere(|talk| {
        // Begun in the middle, and by the right end's answer.
        let first = talk.say("> PA 1001 77 10 win=100");
        assert_eq!((first.relative_seq, first.relative_ack, first.window), (1, Some(1), None));
        assert_eq!(first.states, [S::Established, S::Established]);
    });
}

#[test]
fn a_segment_with_a_wrong_checksum_moves_nothing() {
    Talk::everywhere(|talk| {
        talk.handshake();
        let broken = talk.say("> FA 1 1 10 sum=bad");
        assert_eq!((broken.states, &broken.marks[..]), ([S::Established; 2], &[Mark::WrongChecksum][..]));
        assert_eq!(talk.say("> A 1 1 10").marks, []);
    });
}

#[test]
fn the_same_ports_with_another_syn_are_another_conversation() {
    let mut talk = Talk::new((0, 0), false);
    talk.handshake();
    talk.say("> S 5000");
    talk.say("< SA 9000 5001");
    assert_eq!(talk.flows.flows().len(), 2);
    assert_eq!(talk.flows.flows()[1].segments.len(), 2);
    // Whose SYN was not seen is on the left all the same.
    let mut late = Talk::new((0, 0), true);
    late.say("< SA 0 1");
    assert_eq!(late.flows.flows()[0].left.port(), 40_000);
    assert_eq!(late.flows.flows()[0].states(), [S::Established, S::SynReceived]);
}

#[test]
fn hostile_frames_cannot_hurt() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut talk = Talk::new((0, 0), false);
    let letters = ["S", "SA", "A", "PA", "FA", "R", "RA", "F", "none", "SFRPAU"];
    let mut bytes = vec![0; 80];
    for round in 0..20_000_u64 {
        // Numbers and flags at random between two ends: any order of events; and one in four damaged anywhere.
        let flags = letters[random() as usize % letters.len()];
        let words = format!(
            "ip 192.0.2.2 src=192.0.2.1 / tcp :80 sport=9 {flags} seq={} ack={} win={} zero={}",
            random() as u32,
            random() as u32,
            random() as u16,
            random() % 40
        );
        let built = parse(&words).unwrap().build(&Context::default()).unwrap();
        bytes.clear();
        bytes.extend_from_slice(&built.bytes);
        if random() % 4 == 0 {
            let at = random() as usize % bytes.len();
            bytes[at] = random() as u8;
            let len = random() as usize % bytes.len();
            bytes.truncate(len);
        }
        let frame = SeenFrame { number: round, view: 0, at: talk.now, bytes: &bytes, first: First::Ip };
        talk.flows.add(&frame);
    }
    let kept: usize = talk.flows.flows().iter().map(|flow| flow.segments.len()).sum();
    assert!(kept > 10_000, "{kept}");
}

#[test]
fn there_is_a_limit_to_conversations() {
    let mut flows = Flows::new();
    let built = parse("ip 192.0.2.2 src=192.0.2.1 / tcp :80 sport=1 S").unwrap().build(&Context::default()).unwrap();
    for view in 0..FLOWS_MAX + 3 {
        flows.add(&SeenFrame { number: 1, view, at: UnixTime::EPOCH, bytes: &built.bytes, first: First::Ip });
    }
    assert_eq!((flows.flows().len(), flows.left_out()), (FLOWS_MAX, 3));
}

#[test]
fn codes_are_distinct() {
    for (index, mark) in Mark::ALL.iter().enumerate() {
        assert!(Mark::ALL[index + 1..].iter().all(|other| other.code() != mark.code()), "{mark:?}");
    }
}
