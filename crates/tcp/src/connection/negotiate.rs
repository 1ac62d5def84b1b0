//! What the two SYNs agree on: MSS, window scale, timestamps, SACK.

use wirewright_units::Instant;
use wirewright_wire::WindowScale;

use super::Connection;
use crate::config::SEND_MSS_MIN;
use crate::ticks::Tick;
use crate::{Config, Options};

/// The sending side of an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// SendMSS: what the peer takes, but not more than the path carries nor less than our floor.
    pub(crate) mss: u16,
    /// The peer's shift, when both sides scale.
    pub(crate) scale: Option<WindowScale>,
    pub(crate) timestamps: bool,
    pub(crate) sack: bool,
}

impl Agreed {
    /// What our offer and the peer's SYN lead to.
    pub(crate) fn new(config: &Config, options: &Options) -> Self {
        let peers_mss = options.mss.unwrap_or(config.mss_default);
        let scale = options.window_scale.filter(|_| config.window_scale);
        Self {
            mss: peers_mss.min(config.mss).max(SEND_MSS_MIN),
            // RFC 7323 §2.3: a shift above 14 is taken for 14.
            scale: scale.map(WindowScale::clamped),
            timestamps: config.timestamps && options.timestamps.is_some(),
            sack: config.sack && options.sack_permitted,
        }
    }
}

impl Connection {
    /// Takes what was agreed on, and the peer's first timestamp.
    pub(crate) fn agree(&mut self, now: Instant, agreed: Agreed, ts_recent: u32) {
        let tcb = &mut self.tcb;
        tcb.snd.mss = agreed.mss;
        tcb.scales = agreed.scale.is_some();
        if let Some(scale) = agreed.scale {
            tcb.snd.scale = scale;
            tcb.rcv.scale = WindowScale::clamped(self.config.receive_scale());
        }
        tcb.timestamps = agreed.timestamps;
        tcb.sack = agreed.sack;
        tcb.rcv.ts_recent = ts_recent;
        tcb.rcv.ts_recent_at = Tick::at(now);
    }
}
