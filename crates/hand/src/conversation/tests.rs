//! Two conversations hold each other, and each mistake is met by what a right peer does.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_craft::Context;
use wirewright_units::Instant;
use wirewright_wire::SeqNum;

use super::*;

const STARTS: [u32; 3] = [0, 1 << 31, u32::MAX];

fn ends(v6: bool) -> (End, End) {
    let address = |text: &str| -> IpAddr { text.parse().unwrap() };
    match v6 {
        false => ((address("192.0.2.1"), 50_000), (address("192.0.2.2"), 80)),
        true => ((address("2001:db8::1"), 50_000), (address("2001:db8::2"), 80)),
    }
}

/// Two that talk, and what both saw.
struct Duet {
    client: Conversation,
    server: Conversation,
    now: u64,
}

impl Duet {
    fn new(v6: bool, start: u32) -> Self {
        let (local, remote) = ends(v6);
        let client = Conversation::client(local, remote, SeqNum::new(start));
        Self { client, server: Conversation::server(SeqNum::new(start.wrapping_sub(7))), now: 0 }
    }

    /// The two after SYN, SYN-ACK and ACK.
    fn connected(v6: bool, start: u32, syn: &str, syn_ack: &str) -> Self {
        let mut duet = Self::new(v6, start);
        duet.client(syn);
        duet.server(syn_ack);
        duet.client("A");
        assert_eq!((duet.client.us(), duet.server.us()), (State::Established, State::Established));
        duet
    }

    fn client(&mut self, line: &str) -> (Step, Option<Step>) {
        self.now += 1_000_000;
        pass(Instant::from_nanos(self.now), line, &mut self.client, &mut self.server, true)
    }

    fn server(&mut self, line: &str) -> (Step, Option<Step>) {
        self.now += 1_000_000;
        pass(Instant::from_nanos(self.now), line, &mut self.server, &mut self.client, true)
    }

    /// The server's segment is lost.
    fn server_in_vain(&mut self, line: &str) {
        self.now += 1_000_000;
        pass(Instant::from_nanos(self.now), line, &mut self.server, &mut self.client, false);
    }
}

fn bytes(now: Instant, line: &str, from: &Conversation) -> Vec<u8> {
    let packet = from.typed(now, line).unwrap_or_else(|error| panic!("{line}: {error:?}"));
    packet.build(&Context::default()).unwrap().bytes
}

fn pass(
    now: Instant,
    line: &str,
    from: &mut Conversation,
    to: &mut Conversation,
    arrives: bool,
) -> (Step, Option<Step>) {
    let bytes = bytes(now, line, from);
    let sent = from.handle_sent(now, &bytes).expect("a segment of its own");
    from.check_invariants();
    let heard = arrives.then(|| to.handle_received(now, &bytes)).flatten();
    to.check_invariants();
    (sent, heard)
}

fn everywhere(test: impl Fn(bool, u32)) {
    for v6 in [false, true] {
        for start in STARTS {
            test(v6, start);
        }
    }
}

#[test]
fn the_right_segments_lead_both_sides_to_the_end() {
    everywhere(|v6, start| {
        let mut duet = Duet::new(v6, start);
        for _ in 0..20 {
            if let Some(line) = duet.client.next_towards_end() {
                duet.client(line);
            }
            if let Some(line) = duet.server.next_right() {
                duet.server(line);
            }
        }
        assert!(duet.client.is_over() && duet.server.is_over(), "{:?} {:?}", duet.client.us(), duet.server.us());
        assert_eq!((duet.client.us(), duet.server.us()), (State::TimeWait, State::Closed));
        assert!(!duet.client.leaves_something() && !duet.server.leaves_something());
    });
}

#[test]
fn numbers_are_relative_and_data_is_counted() {
    everywhere(|v6, start| {
        let mut duet = Duet::connected(v6, start, "S", "SA");
        let (sent, heard) = duet.client(r"PA data='GET / HTTP/1.0\r\n\r\n'");
        assert_eq!((sent.seq, sent.ack, sent.segment.data.len()), (1, Some(1), 18));
        assert_eq!(heard.unwrap().what, What::Data);
        let (sent, heard) = duet.server("A");
        assert_eq!((sent.seq, sent.ack), (1, Some(19)));
        assert_eq!(heard.unwrap().what, What::Ack);
        let (sent, heard) = duet.server("FA data=hi");
        assert_eq!((sent.seq, heard.unwrap().what), (1, What::Fin));
        assert_eq!((duet.client.us(), duet.client.due()), (State::CloseWait, Due::AckFin));
        assert_eq!(duet.client("A").0.ack, Some(4));
        assert_eq!((duet.client.due(), duet.client.them()), (Due::EndToo, State::FinWait2));
        duet.client("FA");
        assert_eq!((duet.client.us(), duet.server.us()), (State::LastAck, State::TimeWait));
        duet.server("A");
        assert!(duet.client.is_over() && duet.server.is_over());
    });
}

#[test]
fn numbers_may_be_moved_or_absolute() {
    let duet = Duet::connected(false, 1000, "S", "SA");
    let now = Instant::from_nanos(9);
    let numbers = |line: &str| {
        let segment = Segment::read(&bytes(now, line, &duet.client)).unwrap();
        (segment.seq.to_raw(), segment.ack.to_raw())
    };
    let right = (1001, 994);
    assert_eq!(numbers("A"), right);
    assert_eq!(numbers("A seq=1 ack=1"), right);
    assert_eq!(numbers("A seq=+1 ack=-1"), (1002, 993));
    assert_eq!(numbers("A seq=abs:0xdeadbeef ack=abs:7"), (0xdead_beef, 7));
    assert_eq!(numbers("PA data='seq=+5 ack=abs:1' seq=3"), (1003, 994));
    assert_eq!(numbers("A seq=0xffff_ffff ack=0"), (999, 993));
}

#[test]
fn what_is_set_goes_out_exactly_so() {
    let duet = Duet::connected(true, 5, "S", "SA");
    let now = Instant::from_nanos(9);
    let segment = |line: &str| Segment::read(&bytes(now, line, &duet.client)).unwrap();
    assert_eq!(segment("A win=7").window.to_raw(), 7);
    assert!(!segment("A sum=bad").sum_is_right && segment("A").sum_is_right);
    assert_eq!(segment("A nop nop").options, [1, 1, 0, 0]);
    assert_eq!(segment("none").flags.to_raw(), 0);
    assert_eq!(segment("R").window.to_raw(), 0);
    // The peer's numbers begin at 5 - 7: relative 10 is 8.
    assert_eq!(segment("A sack=10:20").options[2..10], [0, 0, 0, 8, 0, 0, 0, 18]);
}

#[test]
fn options_of_both_syns_count_from_then_on() {
    everywhere(|v6, start| {
        let mut duet = Duet::connected(v6, start, "S mss=1460 sack ts nop wscale=7", "SA ts wscale=2");
        let (sent, _) = duet.client("PA data=x");
        assert_eq!(sent.segment.window.to_raw(), 501);
        assert_eq!(sent.window.get(), 501 << 7);
        let stamps = sent.segment.timestamps().expect("both had timestamps");
        assert_eq!(stamps.echo, 2, "the server's clock of milliseconds at its SYN-ACK");
        // Whoever sets options sets all of them.
        assert!(duet.client("A nop").0.segment.timestamps().is_none());
        let mut plain = Duet::connected(v6, start, "S ts wscale=7", "SA");
        assert!(plain.client("A").0.segment.options.is_empty());
        assert_eq!(plain.client("A").0.segment.window.to_raw(), 64_240);
    });
}

#[test]
fn a_wrong_acknowledgment_of_the_syn_is_named_at_the_reset() {
    everywhere(|v6, start| {
        let mut duet = Duet::new(v6, start);
        duet.client("S");
        duet.server("SA");
        assert_eq!(duet.client("A ack=0").0.what, What::Odd);
        // RFC 9293 §3.10.7.4: the reset's number is the acknowledgment that cannot be placed.
        let (_, heard) = duet.server("R seq=0");
        let heard = heard.unwrap();
        assert_eq!((heard.what, heard.mistake), (What::ResetToAck, Some(Mistake::AckNotPlusOne)));
        assert_eq!(duet.client.due(), Due::AckSynAck);
    });
}

#[test]
fn duplicate_and_challenge_acks_name_what_they_answer() {
    let lines = [
        ("A seq=0", What::DuplicateAck, Mistake::SeqNotAdvanced),
        ("PA seq=+1 data=x", What::DuplicateAck, Mistake::SeqTooHigh),
        ("S", What::ChallengeAck, Mistake::SameFourTuple),
        ("R seq=+1", What::ChallengeAck, Mistake::RstNotExact),
        ("A ack=+5", What::ChallengeAck, Mistake::AckTooHigh),
    ];
    everywhere(|v6, start| {
        for (line, what, mistake) in lines {
            let mut duet = Duet::connected(v6, start, "S", "SA");
            let (sent, _) = duet.client(line);
            assert_eq!(sent.what, What::Odd, "{line}");
            let heard = duet.server("A seq=1 ack=1").1.unwrap();
            assert_eq!((heard.what, heard.mistake), (what, Some(mistake)), "{line}");
            assert_eq!(duet.client.us(), State::Established);
            // A right segment is right again.
            assert_eq!(duet.client("PA data=y").0.what, What::Data);
            assert_eq!(duet.server("A ack=2").1.unwrap().mistake, None, "{line}");
        }
    });
}

#[test]
fn silence_names_what_is_dropped_without_a_word() {
    for (line, mistake) in [
        ("P data=x", Some(Mistake::NoAckFlag)),
        ("F", Some(Mistake::NoAckFlag)),
        ("PA sum=bad data=x", Some(Mistake::BadChecksum)),
        ("PA data=x", None),
    ] {
        let mut duet = Duet::connected(false, 9, "S", "SA");
        duet.client(line);
        assert!(duet.client.awaits_answer());
        let now = Instant::from_nanos(duet.now + 1_500_000_000);
        let silence = duet.client.handle_silence(now).unwrap();
        assert_eq!((silence.mistake, silence.after.as_millis()), (mistake, 1_500), "{line}");
        assert_eq!(duet.client.handle_silence(now), None, "it is told once");
    }
    let mut right = Duet::connected(false, 9, "S", "SA");
    assert_eq!(right.client.handle_silence(Instant::from_nanos(9)), None, "a bare ACK wants no answer");
}

#[test]
fn a_syn_ack_that_comes_again_was_not_acknowledged() {
    let mut duet = Duet::new(false, 3);
    duet.client("S");
    duet.server("SA");
    let again = duet.server("SA").1.unwrap();
    assert_eq!((again.what, again.mistake), (What::SynAckAgain, Some(Mistake::SynAckNotAcknowledged)));
    // One whose acknowledgment was lost is not our mistake.
    let mut lost = Duet::connected(false, 3, "S", "SA");
    assert_eq!(lost.server("SA").1.unwrap().mistake, None);
}

#[test]
fn a_closed_window_is_named_and_opened_again() {
    let mut duet = Duet::connected(true, u32::MAX, "S", "SA");
    duet.client("PA win=0 data=x");
    assert_eq!(duet.client.due(), Due::OpenWindow);
    let heard = duet.server("A").1.unwrap();
    assert_eq!((heard.what, heard.mistake), (What::Ack, Some(Mistake::WindowZero)));
    // A probe with an old number, as Linux sends it, and one with a byte, as the RFC tells it.
    assert_eq!(duet.server("A seq=0").1.unwrap().what, What::ZeroWindowProbe);
    assert_eq!(duet.server("A data=x").1.unwrap().what, What::ZeroWindowProbe);
    assert_eq!(duet.client.next_right(), Some("A"));
    duet.client("A");
    assert_eq!(duet.client.due(), Due::Talk);
}

#[test]
fn what_comes_out_of_order_or_twice_is_told_and_acknowledged() {
    let mut duet = Duet::connected(false, 1 << 31, "S", "SA");
    duet.server_in_vain("PA data=abc");
    let heard = duet.server("PA data=de").1.unwrap();
    assert_eq!((heard.what, heard.due), (What::DataAhead, Due::AckData));
    assert_eq!(duet.client("A").0.ack, Some(1));
    assert_eq!(duet.server("PA seq=1 data=abc").1.unwrap().what, What::Data);
    assert_eq!(duet.client("A").0.ack, Some(6), "the hole is filled");
    assert_eq!(duet.server("PA seq=1 data=abc").1.unwrap().what, What::DataAgain);
    assert_eq!(duet.client.due(), Due::AckData);
}

#[test]
fn what_the_peer_does_wrong_is_named_and_answered() {
    let faults = [
        ("A ack=+1000", What::AckOfUnsent, Fault::AckOfUnsent, Due::Challenge),
        ("PA ack=+1000 data=x", What::AckOfUnsent, Fault::AckOfUnsent, Due::Challenge),
        ("R seq=+9", What::ResetInWindow, Fault::ResetNotExact, Due::Challenge),
        ("A win=0", What::WindowUpdate, Fault::WindowShrunk, Due::ProbeWindow),
        ("A win=100", What::WindowUpdate, Fault::WindowShrunk, Due::Talk),
        ("none data=x", What::WithoutAck, Fault::NoAckFlag, Due::Talk),
        ("none", What::WithoutAck, Fault::NoAckFlag, Due::Talk),
        ("PA data=x sum=bad", What::BadSum, Fault::BadChecksum, Due::Talk),
        ("R", What::Reset, Fault::Reset, Due::Over),
    ];
    everywhere(|v6, start| {
        for (line, what, fault, due) in faults {
            let mut duet = Duet::connected(v6, start, "S", "SA");
            let heard = duet.server(line).1.unwrap();
            assert_eq!((heard.what, heard.fault, heard.due), (what, Some(fault), due), "{line}");
            if due != Due::Challenge {
                continue;
            }
            // RFC 9293 §3.10.7.4: it is answered by an ACK, changes nothing, and is over with that.
            assert_eq!(duet.client.next_right(), Some("A"));
            let answer = duet.client("A").0;
            assert_eq!((answer.seq, answer.ack, answer.due), (1, Some(1), Due::Talk), "{line}");
        }
    });
}

#[test]
fn what_a_right_peer_does_is_no_fault() {
    let lines = ["A", "A win=65000", "PA data=x", "FA", "PA data=y seq=+3", "A seq=0", "A data=x seq=0"];
    everywhere(|v6, start| {
        for (syn, syn_ack) in [("S", "SA"), ("S wscale=7", "SA wscale=7")] {
            for line in lines {
                let mut duet = Duet::connected(v6, start, syn, syn_ack);
                let heard = duet.server(line).1.unwrap();
                assert_eq!(heard.fault, None, "{line}");
            }
        }
        // What a scaled window cannot say: 64240 is 501 times 128 and 112 bytes.
        let mut duet = Duet::connected(v6, start, "S wscale=7", "SA wscale=7");
        assert_eq!(duet.server("A win=501").1.unwrap().fault, None);
        assert_eq!(duet.server("A win=400").1.unwrap().fault, Some(Fault::WindowShrunk));
        // A hole that is filled is acknowledged with what stood behind it.
        let mut duet = Duet::connected(v6, start, "S", "SA");
        duet.client("PA seq=+1 data=yz");
        duet.client("PA data=x");
        let heard = duet.server("A ack=4").1.unwrap();
        assert_eq!(heard.fault, None, "{:?}", heard.what);
    });
}

#[test]
fn a_window_that_was_never_open_is_probed() {
    everywhere(|v6, start| {
        let mut duet = Duet::new(v6, start);
        duet.client("S");
        assert_eq!(duet.server("SA win=0").1.unwrap().fault, Some(Fault::WindowZero));
        duet.client("A");
        assert_eq!((duet.client.due(), duet.client.repeat().as_deref()), (Due::ProbeWindow, Some("A seq=-1 data=x")));
        let probe = duet.client("A seq=-1 data=x").0;
        assert_eq!(probe.what, What::ZeroWindowProbe);
        let heard = duet.server("A win=0").1.unwrap();
        assert_eq!((heard.fault, heard.mistake), (Some(Fault::WindowZero), None));
        let heard = duet.server("A win=9").1.unwrap();
        assert_eq!((heard.what, heard.fault, heard.due), (What::WindowUpdate, None, Due::Talk));
        assert_eq!(duet.client("A seq=-1 data=x").0.what, What::Odd, "nobody asks where the window is open");
    });
}

#[test]
fn what_is_not_acknowledged_is_sent_again_with_its_number() {
    everywhere(|v6, start| {
        let mut duet = Duet::connected(v6, start, "S", "SA");
        assert_eq!(duet.client.repeat(), None);
        let lost = |duet: &mut Duet, line: &str| {
            duet.now += 1;
            pass(Instant::from_nanos(duet.now), line, &mut duet.client, &mut duet.server, false);
        };
        lost(&mut duet, "PA data=abc");
        lost(&mut duet, "FA data=de");
        let (sent, heard) = duet.client("again");
        assert_eq!((sent.what, sent.seq, &sent.segment.data[..]), (What::DataAgain, 1, &b"abcde"[..]));
        assert_eq!(heard.unwrap().what, What::Data);
        // What is acknowledged is not sent again: the end is left.
        duet.server("A");
        assert_eq!(duet.client.repeat().as_deref(), Some("FA"));
        assert_eq!(duet.client("again").1.unwrap().what, What::Fin);
        duet.server("A");
        assert_eq!((duet.client.us(), duet.client.repeat()), (State::FinWait2, None));
    });
    // Part of it is acknowledged, and a large rest goes in pieces.
    let mut duet = Duet::connected(false, 7, "S", "SA");
    duet.client("PA zero=3000");
    duet.server("A ack=1001");
    let (sent, _) = duet.client("again");
    assert_eq!((sent.seq, sent.segment.data.len()), (1001, 1220));
    // More than is kept is the person's to type.
    let mut duet = Duet::connected(false, 7, "S", "SA");
    for _ in 0..3 {
        duet.client("PA zero=30000");
    }
    assert!(duet.client.repeat().is_some());
    duet.server("A ack=60001");
    assert_eq!(duet.client.repeat(), None);
}

#[test]
fn a_peer_that_begins_without_window_is_probed_too() {
    let mut duet = Duet::new(false, 9);
    duet.client("S win=0");
    let (_, fault) = (duet.server("SA"), duet.client("A win=0").1.unwrap().fault);
    assert_eq!((fault, duet.server.due()), (Some(Fault::WindowZero), Due::ProbeWindow));
}

#[test]
fn a_peer_that_never_acknowledges_is_named_at_the_silence() {
    everywhere(|v6, start| {
        let mut duet = Duet::new(v6, start);
        duet.client("S");
        let now = Instant::from_nanos(duet.now + 1_500_000_000);
        assert_eq!(duet.client.clone().handle_silence(now).unwrap().fault, None, "nobody is there yet");
        duet.server("SA");
        duet.client("A");
        for line in ["PA data=x", "FA"] {
            duet.client(line);
            assert_eq!(duet.client.handle_silence(now).unwrap().fault, Some(Fault::Silent), "{line}");
        }
    });
}

#[test]
fn resets_are_told_apart() {
    everywhere(|v6, start| {
        let mut duet = Duet::new(v6, start);
        duet.client("S");
        let refused = duet.server("RA seq=abs:0 ack=1").1.unwrap();
        assert_eq!((refused.what, refused.us), (What::Refused, State::Closed));
        assert!(duet.client.was_reset() && duet.client.is_over());
        let mut duet = Duet::connected(v6, start, "S", "SA");
        assert_eq!(duet.server("R seq=+9").1.unwrap().what, What::ResetInWindow);
        assert_eq!(duet.client.us(), State::Established);
        assert_eq!(duet.server("R seq=-9").1.unwrap().what, What::Stray);
        assert_eq!(duet.server("R").1.unwrap().what, What::Reset);
        assert!(duet.client.is_over() && !duet.client.leaves_something());
    });
}

#[test]
fn a_closing_reset_finds_the_peers_number_whatever_was_lost() {
    everywhere(|v6, start| {
        let mut duet = Duet::connected(v6, start, "S", "SA");
        assert_eq!(duet.client.closing_reset(), "R");
        // Lost data: the peer is where its last acknowledgment was.
        duet.now += 1;
        pass(Instant::from_nanos(duet.now), "PA data=x", &mut duet.client, &mut duet.server, false);
        let line = duet.client.closing_reset();
        assert_eq!(duet.client(&line).1.unwrap().what, What::Reset, "{line}");
        assert!(duet.server.is_over());
        // A lost acknowledgment: the peer is further on, and its challenge says where.
        let mut duet = Duet::connected(v6, start, "S", "SA");
        duet.client("PA data=x");
        duet.server_in_vain("A");
        let line = duet.client.closing_reset();
        assert_ne!(duet.client(&line).1.unwrap().what, What::Reset, "{line}");
        let challenge = duet.server("A").1.unwrap();
        let line = duet.client.reset_for(&challenge).unwrap();
        assert_eq!(duet.client(&line).1.unwrap().what, What::Reset, "{line}");
    });
}

#[test]
fn a_wrong_checksum_of_the_ip_header_counts_as_one() {
    let mut duet = Duet::connected(false, 0, "S", "SA");
    let mut packet = bytes(Instant::from_nanos(1), "PA data=x", &duet.client);
    packet[10] ^= 1;
    assert_eq!(duet.client.handle_sent(Instant::from_nanos(1), &packet).unwrap().what, What::Odd);
    assert_eq!(duet.client.handle_silence(Instant::from_nanos(2)).unwrap().mistake, Some(Mistake::BadChecksum));
}

#[test]
fn an_old_connection_of_the_peer_is_reset_and_ours_begins_again() {
    let mut duet = Duet::new(false, 77);
    duet.client("S");
    let heard = pass_old(&mut duet);
    assert_eq!((heard.what, heard.due), (What::ChallengeAck, Due::ResetOther));
    let reset = bytes(Instant::from_nanos(9), "R", &duet.client);
    assert_eq!(Segment::read(&reset).unwrap().seq.to_raw(), 4_242);
    duet.client("R");
    assert_eq!((duet.client.us(), duet.client.due()), (State::SynSent, Due::AwaitSynAck));
}

fn pass_old(duet: &mut Duet) -> Step {
    let line = "tcp 192.0.2.1:50000 src=192.0.2.2 sport=80 A seq=9 ack=4242";
    let packet = wirewright_craft::parse(line).unwrap().build(&Context::default()).unwrap();
    duet.client.handle_received(Instant::from_nanos(5), &packet.bytes).unwrap()
}

#[test]
fn both_may_end_at_once() {
    let mut duet = Duet::connected(false, 0, "S", "SA");
    let now = Instant::from_nanos(9_000_000);
    let (a, b) = (bytes(now, "FA", &duet.client), bytes(now, "FA", &duet.server));
    duet.client.handle_sent(now, &a);
    duet.server.handle_sent(now, &b);
    duet.client.handle_received(now, &b);
    duet.server.handle_received(now, &a);
    assert_eq!((duet.client.us(), duet.server.us()), (State::Closing, State::Closing));
    duet.client("A");
    duet.server("A");
    assert_eq!((duet.client.us(), duet.server.us()), (State::TimeWait, State::TimeWait));
    assert!(duet.client.is_over() && duet.server.is_over());
}

#[test]
fn lines_that_are_no_segment_of_the_conversation_are_refused() {
    let duet = Duet::connected(false, 0, "S", "SA");
    let typed = |line: &str| duet.client.typed(Instant::from_nanos(1), line).unwrap_err();
    assert_eq!(typed("A / udp 192.0.2.9 :9"), TypedError::NotOneSegment);
    for line in ["A sport=9", "A :81", "A src=192.0.2.9", "192.0.2.9 A", "A dst=192.0.2.9"] {
        assert!(matches!(typed(line), TypedError::EndsAreKept | TypedError::Language(_)), "{line}");
    }
    let TypedError::Language(error) = typed("PA dat=x") else { panic!("another error") };
    assert_eq!((&*error.line, error.column), ("PA dat=x", 3));
    assert_eq!(error.correction.as_deref(), Some("PA data=x"));
    assert!(!error.to_string().contains("192.0.2"), "{error}");
    let nobody = Conversation::server(SeqNum::new(0));
    assert_eq!(nobody.typed(Instant::from_nanos(1), "SA"), Err(TypedError::NobodyYet));
}

#[test]
fn every_choice_is_a_line_and_does_what_it_says() {
    for line in ["", "S", "SA", "A"] {
        let mut duet = Duet::new(false, 0);
        match line {
            "S" => drop(duet.client("S")),
            "SA" => {
                duet.client("S");
                duet.server("SA");
            }
            "A" => duet = Duet::connected(false, 0, "S", "SA"),
            _ => {}
        }
        for choice in duet.client.choices() {
            let mut copy = duet.client.clone();
            let now = Instant::from_nanos(5);
            let packet = bytes(now, choice.line, &copy);
            let expected = copy.mistake_in(&Segment::read(&packet).unwrap());
            assert_eq!(expected, choice.mistake, "{line}: {}", choice.line);
            assert!(copy.handle_sent(now, &packet).is_some());
        }
    }
}

#[test]
fn foreign_and_broken_packets_change_nothing() {
    let mut duet = Duet::connected(false, 0, "S", "SA");
    let now = Instant::from_nanos(1);
    let packet = bytes(now, "PA data=x", &duet.server);
    for cut in 0..packet.len() {
        duet.client.handle_received(now, &packet[..cut]);
        duet.client.check_invariants();
    }
    for at in 0..packet.len() {
        for bit in 0..8 {
            let mut copy = duet.client.clone();
            let mut broken = packet.clone();
            broken[at] ^= 1 << bit;
            if let Some(step) = copy.handle_received(now, &broken) {
                assert!(step.what == What::BadSum || at < 12, "byte {at}: {:?}", step.what);
            }
            copy.check_invariants();
        }
    }
    assert_eq!(duet.client.us(), State::Established);
}

/// Any segments both ways: nothing panics, and the numbers never contradict each other.
#[test]
fn random_segments_never_contradict_the_numbers() {
    for seed in 0..3_000u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut draw = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let start = STARTS[draw(3) as usize];
        let mut duet = Duet::new(draw(2) == 1, start);
        for _ in 0..30 {
            duet.now += 1_000;
            let flags = ["S", "SA", "A", "PA", "FA", "F", "R", "RA", "none", "FSPA"][draw(10) as usize];
            let mut line = flags.to_string();
            for key in ["seq", "ack"] {
                match draw(6) {
                    0 => line += &alloc::format!(" {key}={}", draw(40)),
                    1 => line += &alloc::format!(" {key}=+{}", draw(9)),
                    2 => line += &alloc::format!(" {key}=-{}", draw(9)),
                    3 if draw(4) == 0 => line += &alloc::format!(" {key}=abs:{}", draw(1 << 32)),
                    _ => {}
                }
            }
            line += ["", " win=0", " ts", " wscale=14", " sack=1:9"][draw(5) as usize];
            line += ["", "", " data=x", " zero=9"][draw(4) as usize];
            let (from, to) = match draw(2) {
                0 => (&mut duet.client, &mut duet.server),
                _ => (&mut duet.server, &mut duet.client),
            };
            if from.ends().is_some() {
                let arrives = draw(5) > 0;
                let (sent, heard) = pass(Instant::from_nanos(duet.now), &line, from, to, arrives);
                assert!(sent.out && heard.is_none_or(|heard| !heard.out), "seed {seed}: {line}");
                let _ = (from.choices(), to.due(), to.repeat(), from.leaves_something());
            }
        }
    }
}
