//! RFC 9293 §3.3.2: the states of both ends, as an onlooker follows them and the ladders of §3.5 and §3.6 write them: a
//! segment that was seen has been sent, and has arrived.

use super::Segment;
use super::side::Side;
use wirewright_wire::tcp::State;

/// Moves both ends by a segment that `sender` has just been noted to have sent and `receiver` not yet to have heard.
pub(super) fn step(it: &Segment, seen_before: bool, sender: &mut Side, receiver: &mut Side) {
    if it.flags.rst() {
        reset(it, sender, receiver);
        return;
    }
    if it.flags.syn() {
        synchronize(it, seen_before, sender, receiver);
    } else if it.flags.ack() && !sender.syn_seen && sender.state == State::Closed && receiver.state == State::Closed {
        // The capture began in the middle: who acknowledges is synchronized.
        sender.state = State::Established;
        receiver.state = State::Established;
    }
    acknowledge(it, receiver);
    if it.flags.fin() || sender.has_closed() {
        finish(sender, receiver);
    }
}

/// RFC 9293 §3.10.7: a reset ends it where its number is the next one (RFC 5961 §3.2), or where it answers a SYN.
fn reset(it: &Segment, sender: &mut Side, receiver: &mut Side) {
    let answers_syn = receiver.state == State::SynSent && it.flags.ack();
    let next = sender.ahead(it).is_none_or(|ahead| ahead == 0);
    if answers_syn || next || !receiver.state.is_synchronized() {
        sender.state = State::Closed;
        receiver.state = State::Closed;
    }
}

/// RFC 9293 §3.5, figures 6 and 7.
fn synchronize(it: &Segment, seen_before: bool, sender: &mut Side, receiver: &mut Side) {
    if seen_before && sender.state != State::Closed {
        return;
    }
    if it.flags.ack() {
        if !sender.state.is_synchronized() {
            sender.state = State::SynReceived;
        }
        // A SYN that was not seen was sent all the same.
        if receiver.state == State::Closed {
            receiver.state = State::SynSent;
        }
        if receiver.state == State::SynSent {
            receiver.state = State::Established;
        }
    } else if !sender.state.is_synchronized() {
        let crossed = sender.state == State::SynReceived && !seen_before;
        sender.state = if crossed { State::SynReceived } else { State::SynSent };
        match receiver.state {
            State::Closed | State::SynSent => receiver.state = State::SynReceived,
            _ => {}
        }
        if crossed {
            receiver.state = State::SynReceived;
        }
    }
}

/// What the receiver's own SYN and FIN come to when they are acknowledged.
fn acknowledge(it: &Segment, receiver: &mut Side) {
    if !it.flags.ack() {
        return;
    }
    receiver.heard(it);
    if receiver.state == State::SynReceived && receiver.syn_is_acked() {
        receiver.state = State::Established;
    }
    if receiver.fin_is_acked() {
        receiver.state = match receiver.state {
            State::FinWait1 => State::FinWait2,
            State::Closing => State::TimeWait,
            State::LastAck => State::Closed,
            other => other,
        };
    }
}

/// RFC 9293 §3.6, figures 12 and 13: the sender closes; the receiver notices once nothing is missing before the FIN.
fn finish(sender: &mut Side, receiver: &mut Side) {
    sender.state = match sender.state {
        State::Established | State::SynReceived => State::FinWait1,
        State::CloseWait if receiver.fin_is_acked() => State::LastAck,
        // It had not got the other end's FIN when it sent its own.
        State::CloseWait => State::Closing,
        other => other,
    };
    if !sender.has_closed() {
        return;
    }
    receiver.state = match receiver.state {
        State::Established | State::SynReceived => State::CloseWait,
        State::FinWait1 => State::Closing,
        State::FinWait2 => State::TimeWait,
        other => other,
    };
}
