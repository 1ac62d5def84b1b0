//! RFC 9293 §3.8.1: what was sent and not acknowledged is kept, and sent again.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use wirewright_wire::{SeqLen, SeqNum};

use super::segment::Segment;
use super::{Conversation, Due};

/// The word that stands for what is to be sent again.
pub(super) const WORD: &str = "again";

/// So much is kept; what is beyond is the person's to type again.
const UNACKED_BYTES_MAX: usize = 64 << 10;

/// So much is sent again at once: what every path of IPv6 carries in one segment.
const AGAIN_BYTES_MAX: usize = 1220;

/// One byte that the peer has already: it changes nothing and is acknowledged, with the window as it is now.
pub(super) const PROBE: &str = "A seq=-1 data=x";

/// Data that is not acknowledged, without holes.
#[derive(Clone, Debug, Default)]
pub(super) struct Unacked {
    /// The number of its first byte.
    at: SeqNum,
    bytes: Vec<u8>,
}

impl Unacked {
    /// Keeps the data of a segment that follows what is kept; `una` is the first number that is not acknowledged.
    pub(super) fn keep(&mut self, una: SeqNum, segment: &Segment) {
        if self.bytes.is_empty() && segment.seq.at_or_after(una) {
            self.at = segment.seq;
        }
        // What is kept is within the limit.
        let follows = segment.seq == self.at + SeqLen::new(self.bytes.len() as u32);
        if follows && self.bytes.len() + segment.data.len() <= UNACKED_BYTES_MAX {
            self.bytes.extend_from_slice(&segment.data);
        }
    }

    /// Forgets what lies before `una`.
    pub(super) fn forget(&mut self, una: SeqNum) {
        if una.after(self.at) {
            let count = (una.since(self.at).get() as usize).min(self.bytes.len());
            self.bytes.drain(..count);
            self.at = una;
        }
    }
}

impl Conversation {
    /// What was sent, has no answer and is to be sent again after a while (RFC 6298), as it is typed, and the probe of a closed
    /// window; `None` where nothing is, or where only the person knows it (data behind a hole).
    #[must_use]
    pub fn repeat(&self) -> Option<Cow<'static, str>> {
        match self.due() {
            Due::AwaitSynAck => Some("S".into()),
            Due::AwaitAckOfSyn => Some("SA".into()),
            Due::AwaitAck => self.data_again().map(Cow::Owned),
            Due::AwaitAckOfFin => Some(self.data_again().map_or("FA".into(), Cow::Owned)),
            Due::ProbeWindow => Some(PROBE.into()),
            _ => None,
        }
    }

    fn data_again(&self) -> Option<String> {
        let bytes = &self.unacked.bytes[..self.unacked.bytes.len().min(AGAIN_BYTES_MAX)];
        if bytes.is_empty() || self.unacked.at != self.snd_una {
            return None;
        }
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(format!("PA seq={} hex={digits}", self.snd_una.since(self.iss).get()))
    }
}
