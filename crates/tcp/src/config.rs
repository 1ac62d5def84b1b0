//! What may be set about a connection before or while it lives.

use core::time::Duration;

/// The settings of a connection, shared by all that were opened with them until one changes its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The largest segment text we take, without options: the interface's MTU less the fixed headers (RFC 9293
    /// §3.7.1). It also bounds what we send until the path says otherwise.
    pub mss: u16,
    /// What the peer takes when it sends no MSS option: 536 for IPv4, 1220 for IPv6 (RFC 9293 MUST-15).
    pub mss_default: u16,
    /// The room for received data that was not read yet.
    ///
    /// **Units**: bytes, at most 2³⁰ − 2¹⁴.
    pub receive_bytes_max: u32,
    /// The room for data that was written and not acknowledged yet.
    ///
    /// **Units**: bytes.
    pub send_bytes_max: u32,
    /// Offer the window scale option (RFC 7323 §2).
    pub window_scale: bool,
    /// Offer the timestamps option (RFC 7323 §3).
    pub timestamps: bool,
    /// Offer selective acknowledgments (RFC 2018).
    pub sack: bool,
    /// Gather small writes while data is in flight (Nagle, RFC 9293 §3.7.4).
    pub nagle: bool,
    /// How long an acknowledgment may wait; below 500 ms (RFC 9293 MUST-40).
    pub ack_delay_max: Duration,
    /// The first retransmission time-out (RFC 6298 §2.1).
    pub rto_initial: Duration,
    /// The least one. RFC 6298 §2.4 says 1 s; Linux, FreeBSD and Windows wait 200 to 300 ms, and so do we.
    pub rto_min: Duration,
    /// The largest one; at least 60 s (RFC 6298 §2.5).
    pub rto_max: Duration,
    /// After how long without progress an open connection is given up: R2 of RFC 9293 §3.8.3, at least 100 s, or the
    /// user time-out.
    pub give_up_after: Duration,
    /// After how long a SYN without answer is given up; at least 3 minutes by RFC 9293 MUST-23.
    pub syn_give_up_after: Duration,
    /// Probe an idle peer; off unless set (RFC 9293 MUST-25).
    pub keepalive: Option<Keepalive>,
    /// The maximum segment lifetime; TIME-WAIT lasts twice as long. RFC 9293 says 2 minutes; Linux's TIME-WAIT is 60 s,
    /// so is ours.
    pub msl: Duration,
    /// How long FIN-WAIT-2 is kept for a user who has gone.
    pub fin_wait_2_max: Duration,
}

/// When and how often an idle peer is probed (RFC 9293 §3.8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// The silence before the first probe; not less than two hours by default (MUST-28).
    pub idle: Duration,
    /// The time between probes.
    pub interval: Duration,
    /// How many probes go unanswered before the connection is given up.
    pub probes_max: u8,
}

impl Keepalive {
    /// Two hours, then nine probes 75 s apart.
    pub const DEFAULT: Self =
        Self { idle: Duration::from_secs(7200), interval: Duration::from_secs(75), probes_max: 9 };
}

/// The smallest segment text that is ever sent, however small the peer's MSS: a peer cannot make us cut a stream into
/// millions of segments (CVE-2019-11479). Linux has the same floor.
pub const SEND_MSS_MIN: u16 = 48;

impl Config {
    /// The settings for IPv4 over an MTU of 1500.
    pub const IPV4: Self = Self {
        mss: 1460,
        mss_default: 536,
        receive_bytes_max: 1 << 20,
        send_bytes_max: 1 << 20,
        window_scale: true,
        timestamps: true,
        sack: true,
        nagle: true,
        ack_delay_max: Duration::from_millis(40),
        rto_initial: Duration::from_secs(1),
        rto_min: Duration::from_millis(200),
        rto_max: Duration::from_secs(60),
        give_up_after: Duration::from_secs(300),
        syn_give_up_after: Duration::from_secs(180),
        keepalive: None,
        msl: Duration::from_secs(30),
        fin_wait_2_max: Duration::from_secs(60),
    };

    /// The settings for IPv6 over an MTU of 1500.
    pub const IPV6: Self = Self { mss: 1440, mss_default: 1220, ..Self::IPV4 };

    /// The scale we offer: the least with which the header can say the whole receive buffer.
    pub(crate) fn receive_scale(&self) -> u8 {
        if !self.window_scale {
            return 0;
        }
        (0..14).find(|&shift| self.receive_bytes_max >> shift <= u32::from(u16::MAX)).unwrap_or(14)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::IPV4
    }
}
