//! What is to be noticed of a segment: facts about its numbers, seen beside those before it.

use alloc::vec::Vec;
use core::time::Duration;

use super::coverage::Fit;
use super::side::Side;
use super::{Segment, State};

/// Something to be noticed of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mark {
    /// What it carries was sent before: seen, or lost before it could be seen (it comes late, or after duplicate
    /// acknowledgments).
    Retransmitted,
    /// It fills a hole so soon after the segments behind it that they have overtaken it.
    OutOfOrder,
    /// It leaves a hole: what stands before it was not seen.
    Gap,
    /// RFC 5681 §2: an acknowledgment that says the same again while data is outstanding.
    DuplicateAck,
    /// Nothing new but the window.
    WindowUpdate,
    /// A window of 0: the other end may send nothing.
    ZeroWindow,
    /// One byte into a window of 0 (RFC 9293 §3.8.6.1).
    ZeroWindowProbe,
    /// The byte before the next one, or nothing there: it only asks for an answer (RFC 9293 §3.8.4).
    KeepAlive,
    /// It acknowledges what was not seen.
    AcksUnseen,
    /// Its checksum is wrong: the receiver drops it, so it moves nothing.
    WrongChecksum,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Self; 10] = [
        Self::Retransmitted,
        Self::OutOfOrder,
        Self::Gap,
        Self::DuplicateAck,
        Self::WindowUpdate,
        Self::ZeroWindow,
        Self::ZeroWindowProbe,
        Self::KeepAlive,
        Self::AcksUnseen,
        Self::WrongChecksum,
    ];

    /// Its stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Retransmitted => "retransmitted",
            Self::OutOfOrder => "out-of-order",
            Self::Gap => "gap",
            Self::DuplicateAck => "duplicate-ack",
            Self::WindowUpdate => "window-update",
            Self::ZeroWindow => "zero-window",
            Self::ZeroWindowProbe => "zero-window-probe",
            Self::KeepAlive => "keep-alive",
            Self::AcksUnseen => "acks-unseen",
            Self::WrongChecksum => "wrong-checksum",
        }
    }
}

/// How late a segment may fill a hole and count as overtaken, where no round trip is known: more than queues of one path
/// differ by, less than any sender takes to notice a loss.
const OVERTAKEN_WITHIN: Duration = Duration::from_millis(3);

/// RFC 5681 §3.2: so many duplicate acknowledgments tell of a loss. The capture may have missed one.
const DUPLICATES_OF_A_LOSS: u32 = 2;

/// The marks of a segment that its end is about to have sent.
pub(super) fn judge(it: &Segment, sender: &mut Side, receiver: &Side, round_trip: Option<Duration>) -> Vec<Mark> {
    let mut marks = Vec::new();
    marks.extend(numbers(it, sender, receiver, round_trip));
    marks.extend(acknowledgment(it, sender, receiver));
    let control = it.flags.syn() || it.flags.fin() || it.flags.rst();
    if it.window_field.to_raw() == 0 && !control {
        marks.push(Mark::ZeroWindow);
    }
    if it.flags.ack() && !it.flags.rst() && receiver.acks_unseen(it.ack) {
        marks.push(Mark::AcksUnseen);
    }
    marks
}

fn numbers(it: &Segment, sender: &Side, receiver: &Side, round_trip: Option<Duration>) -> Option<Mark> {
    if it.flags.rst() {
        return None;
    }
    let control = it.flags.syn() || it.flags.fin();
    let ahead = sender.ahead(it)?;
    if it.len <= 1 && !control && ahead == -1 && sender.state != State::SynSent && sender.state != State::SynReceived {
        return Some(Mark::KeepAlive);
    }
    let shut = receiver.last.is_some_and(|(_, window)| window.to_raw() == 0);
    if it.len == 1 && !control && ahead == 0 && shut {
        return Some(Mark::ZeroWindowProbe);
    }
    if it.seq_len() == 0 {
        return (ahead > 0).then_some(Mark::Gap);
    }
    match sender.fit(it) {
        Fit::Next => None,
        Fit::Again | Fit::PartlyAgain => Some(Mark::Retransmitted),
        Fit::Beyond => Some(Mark::Gap),
        Fit::Fills => {
            let late = it.at.since(sender.highest_at) > round_trip.unwrap_or(OVERTAKEN_WITHIN);
            let asked =
                receiver.duplicates >= DUPLICATES_OF_A_LOSS && receiver.last.is_some_and(|(ack, _)| ack == it.seq);
            Some(if late || asked { Mark::Retransmitted } else { Mark::OutOfOrder })
        }
    }
}

/// What an empty segment says that was said before.
fn acknowledgment(it: &Segment, sender: &mut Side, receiver: &Side) -> Option<Mark> {
    let plain = it.flags.ack() && !it.flags.syn() && !it.flags.fin() && !it.flags.rst() && it.len == 0;
    let same = sender.last.is_some_and(|(ack, _)| ack == it.ack);
    if !same {
        sender.duplicates = 0;
    }
    if !plain || !same || sender.ahead(it) != Some(0) || it.window_field.to_raw() == 0 {
        return None;
    }
    let window = sender.last.map(|(_, window)| window);
    if window != Some(it.window_field) {
        return Some(Mark::WindowUpdate);
    }
    receiver.has_outstanding().then(|| {
        sender.duplicates += 1;
        Mark::DuplicateAck
    })
}
