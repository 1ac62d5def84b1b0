//! RFC 9293 §3.9.2.2 with RFC 5927: ICMP errors.

use super::*;
use crate::{Discard, Ended, IcmpError};

fn icmp(script: &mut Script, quoted: i64, error: IcmpError) -> Verdict {
    let quoted = script.iss + SeqLen::new(quoted as u32);
    let (verdict, next) = script.conn.handle_icmp(script.now, quoted, error);
    if !matches!(next, Next::Stay) {
        script.next = next;
    }
    verdict
}

#[test]
fn a_soft_error_is_told_and_ends_nothing() {
    for start in STARTS {
        let mut script = Script::syn_sent(start, plain());
        assert_eq!(icmp(&mut script, 0, IcmpError::Soft), Verdict::Accepted);
        assert_eq!((script.events(), script.conn.state()), (std::vec![Event::SoftError], State::SynSent));
    }
}

#[test]
fn a_hard_error_ends_an_opening_and_never_an_open_connection() {
    for start in STARTS {
        let mut script = Script::syn_sent(start, plain());
        icmp(&mut script, 0, IcmpError::Hard);
        assert_eq!(script.events(), [Event::Ended(Ended::Unreachable)]);
        assert!(matches!(script.next, Next::Gone));

        let mut script = Script::established(start, plain());
        script.write(100);
        script.sent();
        icmp(&mut script, 1, IcmpError::Hard);
        assert_eq!((script.events(), script.conn.state()), (std::vec![Event::SoftError], State::Established));
    }
}

#[test]
fn a_quote_of_nothing_in_flight_is_discarded() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.write(100);
        script.sent();
        for quoted in [0, 101, -5000, 1 << 30] {
            for error in [IcmpError::Soft, IcmpError::Hard, IcmpError::TooBig { mss: 500 }] {
                assert_eq!(icmp(&mut script, quoted, error), Verdict::Discarded(Discard::QuoteNotInFlight));
            }
        }
        assert_eq!((script.events(), script.conn.status().segment_size), (Vec::new(), 1000));
    }
}

#[test]
fn a_smaller_path_cuts_what_is_in_flight_anew() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.write(2000);
        assert_eq!(script.sent().len(), 2);
        icmp(&mut script, 1001, IcmpError::TooBig { mss: 700 });
        assert_eq!(script.sent(), [sent(1, 1, A, 700), sent(701, 1, A, 700), sent(1401, 1, PA, 600)]);
        icmp(&mut script, 1, IcmpError::TooBig { mss: 0 });
        assert_eq!(script.conn.status().segment_size, crate::SEND_MSS_MIN);
        icmp(&mut script, 1, IcmpError::TooBig { mss: 9000 });
        assert_eq!(script.conn.status().segment_size, crate::SEND_MSS_MIN, "a path never grows this way");
    }
}
