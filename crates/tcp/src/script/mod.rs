//! Scripts: one engine, and a peer who sends exactly what a test says, in places counted from the initial numbers.
//!
//! In: segments as [`FromPeer`], places relative to the two SYNs.
//! Out: what the engine sent, as [`Sent`], in the same places.
//! Above: the tests below, a topic a file. Below: the whole crate.
//! Not here: two engines (tests/simulation).

extern crate std;

mod ack;
mod closed_and_listen;
mod half_open;
mod icmp;
mod options;
mod reset_and_syn;
mod sequence;
mod syn_sent;
mod text_and_fin;
mod time_wait;
mod timeouts;
mod transmit;
mod user_calls;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use wirewright_units::Instant;
use wirewright_wire::{SeqLen, SeqNum, WindowField};

use crate::{
    Config, Connection, Event, Flags, InitialNumbers, IpMeta, Next, Options, Outgoing, Ports, Segment, State, Verdict,
};

/// Where sequence numbers may begin; every sequence test runs at all of them.
pub(crate) const STARTS: [u32; 4] = [0, 1 << 31, u32::MAX, u32::MAX - 1500];

pub(crate) const A: Flags = Flags::ACK;
pub(crate) const S: Flags = Flags::SYN;
pub(crate) const F: Flags = Flags::FIN;
pub(crate) const R: Flags = Flags::RST;
pub(crate) const SA: Flags = Flags::SYN.union(Flags::ACK);
pub(crate) const FA: Flags = Flags::FIN.union(Flags::ACK);
pub(crate) const RA: Flags = Flags::RST.union(Flags::ACK);
pub(crate) const PA: Flags = Flags::PSH.union(Flags::ACK);

/// Settings in which nothing but the plain protocol happens: no options, no Nagle, segments of 1000 bytes.
pub(crate) fn plain() -> Config {
    Config {
        mss: 1000,
        window_scale: false,
        timestamps: false,
        sack: false,
        nagle: false,
        receive_bytes_max: 10_000,
        ..Config::IPV4
    }
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A segment of the peer. `seq` counts from the peer's SYN, `ack` from ours: the first byte is at 1.
#[derive(Clone, Debug)]
pub(crate) struct FromPeer<'a> {
    pub(crate) seq: i64,
    pub(crate) ack: i64,
    pub(crate) flags: Flags,
    pub(crate) wnd: u16,
    pub(crate) text: &'a [u8],
    pub(crate) options: Options,
    pub(crate) up: u16,
}

pub(crate) fn from(seq: i64, ack: i64, flags: Flags) -> FromPeer<'static> {
    FromPeer { seq, ack, flags, wnd: 20_000, text: b"", options: Options::default(), up: 0 }
}

impl<'a> FromPeer<'a> {
    pub(crate) fn text(self, text: &'a [u8]) -> Self {
        Self { text, ..self }
    }

    pub(crate) fn wnd(self, wnd: u16) -> Self {
        Self { wnd, ..self }
    }

    pub(crate) fn options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    pub(crate) fn stamps(self, value: u32, echo: u32) -> Self {
        let timestamps = Some(crate::Timestamps { value, echo });
        let options = Options { timestamps, ..self.options };
        Self { options, ..self }
    }
}

/// A segment of ours, in the peer's view of places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) seq: i64,
    /// `None` without ACK.
    pub(crate) ack: Option<i64>,
    pub(crate) flags: Flags,
    pub(crate) len: usize,
}

pub(crate) fn sent(seq: i64, ack: i64, flags: Flags, len: usize) -> Sent {
    Sent { seq, ack: flags.ack().then_some(ack), flags, len }
}

/// An engine, and the numbers that places are counted from.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) conn: Connection,
    pub(crate) now: Instant,
    pub(crate) iss: SeqNum,
    pub(crate) irs: SeqNum,
    pub(crate) next: Next,
}

pub(crate) const PORTS: Ports = Ports { local: 40_000, remote: 80 };

impl Script {
    /// SYN-SENT, the SYN sent.
    pub(crate) fn syn_sent(start: u32, config: Config) -> Self {
        let mut script = Self::unsent(start, config);
        assert_eq!(script.sent(), [sent(0, 0, S, 0)]);
        script
    }

    /// SYN-SENT, nothing sent yet.
    pub(crate) fn unsent(start: u32, config: Config) -> Self {
        let now = Instant::from_millis(1000);
        let (iss, irs) = (SeqNum::new(start), SeqNum::new(start.wrapping_add(77)));
        let numbers = InitialNumbers { iss, timestamp_offset: 0 };
        let conn = Connection::open(now, Arc::new(config), PORTS, numbers);
        Self { conn, now, iss, irs, next: Next::Stay }
    }

    /// ESTABLISHED, nothing to send, after a round trip of 100 ms.
    pub(crate) fn established(start: u32, config: Config) -> Self {
        let mut script = Self::syn_sent(start, config);
        script.pass(ms(100));
        let mss = Options { mss: Some(1000), ..Options::default() };
        assert_eq!(script.receive(from(0, 1, SA).options(mss)), Verdict::Accepted);
        assert_eq!(script.sent(), [sent(1, 1, A, 0)]);
        assert_eq!(script.conn.state(), State::Established);
        assert_eq!(script.events(), [Event::Connected, Event::Writable]);
        script.leave_quick_acks();
        script
    }

    /// As [`established`](Self::established), in another synchronized state. Ours FIN is at 1, the peer's at 1.
    pub(crate) fn in_state(start: u32, state: State) -> Self {
        let mut script = Self::established(start, plain());
        let closes = !matches!(state, State::Established | State::CloseWait);
        let peer_closes_first = matches!(state, State::CloseWait | State::LastAck);
        if peer_closes_first {
            script.receive(from(1, 1, FA));
        }
        if closes {
            script.conn.close(script.now).unwrap();
        }
        script.sent();
        match state {
            State::FinWait2 => drop(script.receive(from(1, 2, A))),
            State::Closing => drop(script.receive(from(1, 1, FA))),
            _ => {}
        }
        script.sent();
        script.events();
        assert_eq!(script.conn.state(), state);
        script
    }

    /// Nothing of the start is left that would acknowledge at once.
    fn leave_quick_acks(&mut self) {
        for _ in 0..16 {
            self.conn.tcb.rcv.delayed_ack.on_text(0, 1);
        }
    }

    /// Lets time pass, without telling the engine.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Goes to the engine's deadline, and says how long that was.
    pub(crate) fn time_out(&mut self) -> Duration {
        let at = self.conn.poll_timeout().expect("a deadline");
        let passed = at.since(self.now);
        self.now = self.now.max(at);
        self.next = self.conn.handle_timeout(self.now);
        self.conn.check_invariants_after_poll();
        passed
    }

    /// The peer's segment arrives.
    pub(crate) fn receive(&mut self, from: FromPeer<'_>) -> Verdict {
        let seg = self.segment(&from);
        let (verdict, next) = self.conn.handle_segment(self.now, &seg);
        if !matches!(next, Next::Stay) {
            self.next = next;
        }
        verdict
    }

    /// The peer's segment in numbers.
    pub(crate) fn segment<'a>(&self, from: &FromPeer<'a>) -> Segment<'a> {
        Segment {
            ports: PORTS,
            seq: self.irs + SeqLen::new(from.seq as u32),
            ack: self.iss + SeqLen::new(from.ack as u32),
            flags: from.flags,
            wnd: WindowField::new(from.wnd),
            up: from.up,
            options: from.options.clone(),
            text: from.text,
            meta: IpMeta::default(),
        }
    }

    /// Everything that the engine sends now, cut to segments.
    pub(crate) fn sent(&mut self) -> Vec<Sent> {
        let mut all = Vec::new();
        let (iss, irs) = (self.iss, self.irs);
        while let Some(out) = self.conn.poll_transmit(self.now) {
            all.extend(out.segments().map(|segment| Sent::of(&segment, iss, irs)));
        }
        self.conn.check_invariants();
        all
    }

    /// The next thing that the engine sends, whole.
    pub(crate) fn one(&mut self) -> Outgoing<'_> {
        self.conn.poll_transmit(self.now).expect("something to send")
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        core::iter::from_fn(|| self.conn.poll_event()).collect()
    }

    pub(crate) fn write(&mut self, len: usize) {
        let text: Vec<u8> = (0..len).map(|i| i as u8).collect();
        assert_eq!(self.conn.write(self.now, &text), Ok(len));
    }

    pub(crate) fn read_all(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut buf = [0; 1000];
        while let Ok(Some(count)) = self.conn.read(self.now, &mut buf) {
            if count == 0 {
                break;
            }
            all.extend_from_slice(&buf[..count]);
        }
        all
    }
}

impl Sent {
    pub(crate) fn of(out: &Outgoing<'_>, iss: SeqNum, irs: SeqNum) -> Self {
        let header = out.header();
        Self {
            seq: header.sequence.offset_from(iss).into(),
            ack: header.flags.ack().then(|| header.acknowledgment.offset_from(irs).into()),
            flags: header.flags,
            len: out.text_len(),
        }
    }
}

impl Connection {
    /// What a test may ask before it has polled.
    fn check_invariants_after_poll(&self) {
        self.tcb.snd.buffer.check_invariants();
    }
}
