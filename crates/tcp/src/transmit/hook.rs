//! A look at every outgoing segment before it leaves: inspect, edit, hold, drop, duplicate, inject.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use wirewright_units::Instant;
use wirewright_wire::checksum::Sum;
use wirewright_wire::tcp;

use super::Outgoing;

/// A segment that owns its bytes: what a hook sees, and may change in every field.
///
/// The header's data offset is set from the options when the segment is written, unless [`exact`](Self::exact) is set;
/// the checksum is computed, unless it is set here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedSegment {
    /// The fixed header.
    pub header: tcp::Header,
    /// The option bytes; padded with zeros when written.
    pub options: Vec<u8>,
    /// The text.
    pub text: Vec<u8>,
    /// Write this checksum instead of the right one.
    pub checksum: Option<u16>,
    /// Leave the data offset as the header has it.
    pub exact: bool,
}

impl OwnedSegment {
    /// A copy of one segment; a super-segment is cut first ([`Outgoing::segments`]).
    #[must_use]
    pub fn of(out: &Outgoing<'_>) -> Self {
        let [first, second] = out.text();
        Self {
            header: *out.header(),
            options: out.options().to_vec(),
            text: [first, second].concat(),
            checksum: None,
            exact: false,
        }
    }

    /// The bytes as they leave; `pseudo` gives the sum of the pseudo-header over a length.
    #[must_use]
    pub fn to_bytes(&self, pseudo: impl FnOnce(u32) -> Sum) -> Vec<u8> {
        let options_len = self.options.len().next_multiple_of(4);
        let mut header = self.header;
        if !self.exact {
            header.data_offset = u8::try_from((tcp::LEN + options_len) / 4).unwrap_or(u8::MAX);
        }
        header.checksum = 0;
        let mut fixed = [0; tcp::LEN];
        header.emit(&mut fixed);
        let mut bytes = Vec::with_capacity(tcp::LEN + options_len + self.text.len());
        bytes.extend_from_slice(&fixed);
        bytes.extend_from_slice(&self.options);
        bytes.resize(tcp::LEN + options_len, 0);
        bytes.extend_from_slice(&self.text);
        let sum = self.checksum.unwrap_or_else(|| {
            let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            pseudo(len).add(&bytes).finish()
        });
        bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        bytes
    }
}

/// What a hook decides about a segment, which it may have edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It leaves.
    Send,
    /// It leaves so many times: 0 is a drop.
    Times(u8),
    /// It does not leave.
    Drop,
    /// It leaves after this time.
    HoldFor(Duration),
    /// It leaves when [`Hooked::release`] is called with its key.
    Hold,
}

/// Something that sees every outgoing segment.
pub trait Hook {
    /// Looks at a segment, changes it if it likes, and decides.
    fn on_segment(&mut self, now: Instant, segment: &mut OwnedSegment) -> Fate;
}

impl<F: FnMut(Instant, &mut OwnedSegment) -> Fate> Hook for F {
    fn on_segment(&mut self, now: Instant, segment: &mut OwnedSegment) -> Fate {
        self(now, segment)
    }
}

/// The name of a held segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentKey(u64);

/// So many segments may be held or wait: a hook that holds everything does not fill the memory; what comes beyond is
/// dropped, which TCP survives.
const WAITING_MAX: usize = 4096;

/// A hook with the segments that wait because of it. What `poll_transmit` of an engine gives goes through
/// [`take`](Self::take), and leaves by [`poll_transmit`](Self::poll_transmit). `To` says where a segment goes, for whoever has
/// more than one connection: it is handed back with it.
pub struct Hooked<H, To = ()> {
    hook: H,
    ready: VecDeque<(To, OwnedSegment)>,
    /// By time, then in the order in which they came.
    timed: BTreeMap<(Instant, SegmentKey), (To, OwnedSegment)>,
    held: BTreeMap<SegmentKey, (To, OwnedSegment)>,
    next_key: u64,
    dropped: u64,
}

impl<H, To> fmt::Debug for Hooked<H, To> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.ready.len() + self.timed.len() + self.held.len();
        f.debug_struct("Hooked").field("waiting", &waiting).field("dropped", &self.dropped).finish_non_exhaustive()
    }
}

impl<H: Hook, To: Clone> Hooked<H, To> {
    /// Nothing waits yet.
    pub const fn new(hook: H) -> Self {
        Self { hook, ready: VecDeque::new(), timed: BTreeMap::new(), held: BTreeMap::new(), next_key: 0, dropped: 0 }
    }

    /// Shows a segment of the engine to the hook; a super-segment is cut, and every segment shown by itself.
    pub fn take(&mut self, now: Instant, to: To, out: &Outgoing<'_>) {
        for segment in out.segments() {
            self.decide(now, to.clone(), OwnedSegment::of(&segment));
        }
    }

    /// Sends a segment that no engine made. The hook does not see it.
    pub fn inject(&mut self, to: To, segment: OwnedSegment) {
        self.queue(to, segment);
    }

    /// Lets a held segment go; false when there is none of this name.
    pub fn release(&mut self, key: SegmentKey) -> bool {
        match self.held.remove(&key) {
            Some((to, segment)) => {
                self.queue(to, segment);
                true
            }
            None => false,
        }
    }

    /// The segments that are held until they are released, the oldest first.
    pub fn held(&self) -> impl Iterator<Item = (SegmentKey, &OwnedSegment)> {
        self.held.iter().map(|(&key, (_, segment))| (key, segment))
    }

    /// The next segment that leaves, and where it goes.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<(To, OwnedSegment)> {
        while let Some(entry) = self.timed.first_entry().filter(|entry| entry.key().0 <= now) {
            let segment = entry.remove();
            self.ready.push_back(segment);
        }
        self.ready.pop_front()
    }

    /// When the next segment that is held for a time leaves.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timed.keys().next().map(|&(at, _)| at)
    }

    /// Segments that the hook, or the limit of those that wait, has dropped.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The hook.
    pub const fn hook_mut(&mut self) -> &mut H {
        &mut self.hook
    }

    fn decide(&mut self, now: Instant, to: To, mut segment: OwnedSegment) {
        let fate = self.hook.on_segment(now, &mut segment);
        let key = SegmentKey(self.next_key);
        self.next_key += 1;
        match fate {
            Fate::Send => self.queue(to, segment),
            Fate::Drop | Fate::Times(0) => self.dropped += 1,
            Fate::Times(times) => (0..times).for_each(|_| self.queue(to.clone(), segment.clone())),
            Fate::HoldFor(_) | Fate::Hold if self.is_full() => self.dropped += 1,
            Fate::HoldFor(time) => {
                self.timed.insert((now + time, key), (to, segment));
            }
            Fate::Hold => {
                self.held.insert(key, (to, segment));
            }
        }
    }

    fn queue(&mut self, to: To, segment: OwnedSegment) {
        if self.is_full() {
            self.dropped += 1;
        } else {
            self.ready.push_back((to, segment));
        }
    }

    fn is_full(&self) -> bool {
        self.ready.len() + self.timed.len() + self.held.len() >= WAITING_MAX
    }
}

#[cfg(test)]
mod tests {
    use wirewright_wire::tcp::{Flags, OptionsBuf};
    use wirewright_wire::{SeqNum, WindowField};

    use super::*;
    use crate::Ports;

    const TEXT: [u8; 25] = *b"abcdefghijklmnopqrstuvwxy";

    fn super_segment() -> Outgoing<'static> {
        let ports = Ports { local: 1, remote: 2 };
        let flags = Flags::ACK | Flags::PSH | Flags::FIN;
        Outgoing::control(ports, SeqNum::new(u32::MAX), SeqNum::new(5), flags, WindowField::new(9), OptionsBuf::new())
            .with_text([&TEXT[..13], &TEXT[13..]], 10)
    }

    fn sent<H: Hook>(hooked: &mut Hooked<H>, now: Instant) -> Vec<(u32, Vec<u8>, Flags)> {
        core::iter::from_fn(|| hooked.poll_transmit(now))
            .map(|((), s)| (s.header.sequence.to_raw(), s.text, s.header.flags))
            .collect()
    }

    #[test]
    fn a_super_segment_is_cut_and_only_the_last_has_psh_and_fin() {
        let mut hooked = Hooked::new(|_, _: &mut OwnedSegment| Fate::Send);
        hooked.take(Instant::ORIGIN, (), &super_segment());
        let all = Flags::ACK | Flags::PSH | Flags::FIN;
        let expected = [
            (u32::MAX, TEXT[..10].to_vec(), Flags::ACK),
            (9, TEXT[10..20].to_vec(), Flags::ACK),
            (19, TEXT[20..].to_vec(), all),
        ];
        assert_eq!(sent(&mut hooked, Instant::ORIGIN), expected);
    }

    #[test]
    fn fates_do_what_they_say() {
        let fates = [Fate::Drop, Fate::Times(2), Fate::HoldFor(Duration::from_millis(5))];
        let mut next = fates.into_iter();
        let mut hooked = Hooked::new(move |_, _: &mut OwnedSegment| next.next().unwrap_or(Fate::Hold));
        let now = Instant::from_millis(10);
        hooked.take(now, (), &super_segment());
        hooked.take(now, (), &super_segment());
        assert_eq!(sent(&mut hooked, now).iter().map(|s| s.0).collect::<Vec<_>>(), [9, 9]);
        assert_eq!(hooked.poll_timeout(), Some(Instant::from_millis(15)));
        assert_eq!(sent(&mut hooked, Instant::from_millis(15)).len(), 1);
        let keys: Vec<SegmentKey> = hooked.held().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), 3);
        assert!(hooked.release(keys[1]) && !hooked.release(keys[1]));
        assert_eq!(sent(&mut hooked, now)[0].0, 9);
        assert_eq!(hooked.dropped(), 1);
    }

    #[test]
    fn edits_and_injections_leave_as_they_are() {
        let mut hooked = Hooked::new(|_, segment: &mut OwnedSegment| {
            segment.header.flags |= Flags::URG;
            segment.checksum = Some(0xdead);
            Fate::Send
        });
        hooked.take(Instant::ORIGIN, (), &super_segment());
        let ((), first) = hooked.poll_transmit(Instant::ORIGIN).unwrap();
        assert_eq!(&first.to_bytes(|_| Sum::new())[16..18], &[0xde, 0xad]);
        assert!(first.header.flags.contains(Flags::URG));
        let mut forged = first;
        forged.checksum = None;
        forged.options = alloc::vec![1, 1, 1];
        hooked.inject((), forged.clone());
        let bytes = forged.to_bytes(|_| Sum::new());
        assert_eq!((bytes[12] >> 4, bytes.len()), (6, 34));
        assert_eq!(Sum::new().add(&bytes).finish(), 0);
    }

    #[test]
    fn a_hook_that_holds_everything_is_bounded() {
        let mut hooked = Hooked::new(|_, _: &mut OwnedSegment| Fate::Hold);
        for _ in 0..WAITING_MAX {
            hooked.take(Instant::ORIGIN, (), &super_segment());
        }
        assert_eq!(hooked.held().count(), WAITING_MAX);
        assert_eq!(hooked.dropped(), 2 * WAITING_MAX as u64);
    }
}
