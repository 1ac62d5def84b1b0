//! A peer that errs on purpose: our own TCP, whose hook edits what it sends. What it does has to be found by the judgement of
//! what came, as with any peer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wirewright_tcp::{Fate, Flags, Hook, OwnedSegment, SeqLen, SeqNum, WindowField};
use wirewright_units::Instant;

/// What a peer does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Erring {
    /// It offers no window from the handshake on, and opens it after some answers.
    ZeroWindow,
    /// It takes the connection, and is silent from then on.
    NoAnswer,
    /// It gives up when it hears something or the end, by a reset that misses its number.
    Reset,
    /// It acknowledges what was never sent, until it is told where the connection stands.
    BadAck,
    /// It takes back most of the window that its SYN had offered.
    ShrunkWindow,
    /// The checksum of its first data is wrong.
    BadSum,
}

impl Erring {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::ZeroWindow, Self::NoAnswer, Self::Reset, Self::BadAck, Self::ShrunkWindow, Self::BadSum];

    /// Its stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ZeroWindow => "zero-window",
            Self::NoAnswer => "no-answer",
            Self::Reset => "reset",
            Self::BadAck => "bad-ack",
            Self::ShrunkWindow => "shrunk-window",
            Self::BadSum => "bad-sum",
        }
    }

    /// The one with this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|erring| erring.word() == word)
    }
}

/// So many answers of a peer without window say that it has none.
const CLOSED_ANSWERS: u32 = 2;

/// How far a wrong number is from the right one.
const TOO_FAR: u32 = 1000;

/// The window that is left of a shrunk one, as the header has it.
const SHRUNK: u16 = 1000;

/// A checksum that is right once in 65,536 segments.
const SPOILED: u16 = 0xdead;

/// How many packets the peer has heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Ears(Arc<AtomicU32>);

impl Ears {
    pub(super) fn heard(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The hook of a peer that errs.
pub(super) struct Spoiler {
    erring: Erring,
    ears: Ears,
    /// Segments left whose acknowledgment is right: of a peer that begins, the one that ends the handshake.
    spared: u32,
    /// How many packets it had heard when it first erred.
    since: Option<u32>,
    answers: u32,
    /// The acknowledgment behind which nothing is taken while the window is closed.
    stands_at: Option<SeqNum>,
}

impl Spoiler {
    /// The hook of a peer that `begins`, or is called.
    pub(super) fn new(erring: Erring, begins: bool, ears: Ears) -> Self {
        Self { erring, ears, spared: u32::from(begins), since: None, answers: 0, stands_at: None }
    }

    /// RFC 9293 §3.8.6: nothing is taken, and each answer says so; after some it opens.
    fn close_window(&mut self, segment: &mut OwnedSegment) {
        if !segment.header.flags.ack() {
            // The SYN of a peer that begins.
            segment.header.window = WindowField::new(0);
            return;
        }
        let stands_at = *self.stands_at.get_or_insert(segment.header.acknowledgment);
        if !segment.header.flags.syn() {
            self.answers += 1;
        }
        if self.answers > CLOSED_ANSWERS {
            return;
        }
        segment.header.window = WindowField::new(0);
        if segment.header.acknowledgment.after(stands_at) {
            // What would answer it waits too, and is sent again by its engine.
            segment.header.acknowledgment = stands_at;
            segment.header.flags = Flags::ACK;
            segment.text.clear();
        }
    }
}

impl Hook for Spoiler {
    fn on_segment(&mut self, _: Instant, segment: &mut OwnedSegment) -> Fate {
        let flags = segment.header.flags;
        if self.erring == Erring::ZeroWindow {
            self.close_window(segment);
            return Fate::Send;
        }
        if flags.syn() {
            return Fate::Send;
        }
        if self.erring == Erring::NoAnswer {
            return Fate::Drop;
        }
        match self.erring {
            Erring::Reset if flags.rst() && self.since.is_none() => {
                self.since = Some(self.ears.count());
                segment.header.sequence += SeqLen::new(TOO_FAR);
            }
            Erring::BadAck if self.spared > 0 => self.spared -= 1,
            Erring::BadAck if flags.ack() && *self.since.get_or_insert(self.ears.count()) == self.ears.count() => {
                segment.header.acknowledgment += SeqLen::new(TOO_FAR);
            }
            Erring::ShrunkWindow => {
                let window = segment.header.window.to_raw().min(SHRUNK);
                segment.header.window = WindowField::new(window);
            }
            Erring::BadSum if !segment.text.is_empty() && self.since.is_none() => {
                self.since = Some(self.ears.count());
                segment.checksum = Some(SPOILED);
            }
            _ => {}
        }
        Fate::Send
    }
}
