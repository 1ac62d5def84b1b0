//! A look at every outgoing segment of a host: the engine's hook, for all its connections.

use alloc::boxed::Box;
use core::fmt;

use wirewright_tcp::{Fate, Hook, Hooked, OwnedSegment};
use wirewright_units::Instant;

use crate::Host;
use crate::demux::FourTuple;

/// The hook of a host.
pub(crate) struct HostHook(Box<dyn Hook + Send>);

impl Hook for HostHook {
    fn on_segment(&mut self, now: Instant, segment: &mut OwnedSegment) -> Fate {
        self.0.on_segment(now, segment)
    }
}

impl fmt::Debug for HostHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostHook")
    }
}

impl Host {
    /// Shows every outgoing segment to `hook`, which may edit, hold, drop or duplicate it. A super-segment is cut first, and
    /// what the hook holds waits for its time: [`poll_timeout`](Self::poll_timeout) tells it.
    pub fn set_hook(&mut self, hook: impl Hook + Send + 'static) {
        self.egress.hooked = Some(Hooked::new(HostHook(Box::new(hook))));
    }

    /// Sends a segment that no connection made, between these ends. The hook does not see it. False: no hook is set.
    pub fn inject(&mut self, ends: FourTuple, segment: OwnedSegment) -> bool {
        self.egress.hooked.as_mut().map(|hooked| hooked.inject(ends, segment)).is_some()
    }
}
