//! LISTEN: RFC 9293 §3.10.7.2.

use alloc::sync::Arc;

use wirewright_units::Instant;

use crate::segment_arrives::listen::{OnListen, on_listen};
use crate::{Config, HalfOpen, InitialNumbers, Next, Outgoing, Segment, Verdict, reset_for};

/// A port that takes connections. It remembers no peer: each SYN becomes a [`HalfOpen`], which its owner keeps, and may
/// refuse to keep when there are too many.
#[derive(Debug)]
pub struct Listener {
    config: Arc<Config>,
    reset: Option<Outgoing<'static>>,
}

impl Listener {
    /// A listener whose connections get these settings.
    #[must_use]
    pub const fn new(config: Arc<Config>) -> Self {
        Self { config, reset: None }
    }

    /// SEGMENT ARRIVES for this port, from a peer who has no connection here. `numbers` are those that a new
    /// connection would get.
    ///
    /// Returns [`Next::Answer`] for a SYN, else [`Next::Stay`].
    pub fn handle_segment(&mut self, now: Instant, seg: &Segment<'_>, numbers: InitialNumbers) -> (Verdict, Next) {
        match on_listen(seg) {
            OnListen::Ignore(reason) => (Verdict::Discarded(reason), Next::Stay),
            OnListen::Reset(reason) => {
                self.reset = reset_for(seg);
                (Verdict::Discarded(reason), Next::Stay)
            }
            OnListen::Open => {
                let half_open = HalfOpen::new(now, self.config.clone(), seg, numbers);
                (Verdict::Accepted, Next::Answer(half_open))
            }
        }
    }

    /// The reset that the last segment called for.
    pub fn poll_transmit(&mut self, _now: Instant) -> Option<Outgoing<'static>> {
        self.reset.take()
    }

    /// A listener waits for nothing.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// The settings of its connections.
    #[must_use]
    pub const fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// A listener has nothing that could go wrong between two of its calls.
    pub const fn check_invariants(&self) {}
}
