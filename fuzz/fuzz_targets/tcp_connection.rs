//! One TCP engine, and a peer, a user and a clock that the fuzzer drives: no panic, no invariant broken, no flood in answer.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wirewright_tcp::{
    Config, Connection, Flags, HalfOpen, IcmpError, InitialNumbers, IpMeta, Keepalive, Listener, Next, Options, Outgoing, Ports,
    Segment, TimeWait,
};
use wirewright_units::Instant;
use wirewright_wire::{SeqLen, SeqNum, WindowField};

/// A longer input only repeats itself.
const STEPS_MAX: usize = 300;

/// What one input may be answered with: a full send buffer in the smallest segments, and a little more.
const ANSWERS_MAX: usize = 1 << 12;

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// Who has the 4-tuple.
enum Slot {
    Nobody,
    HalfOpen(HalfOpen),
    Connection,
    TimeWait(TimeWait),
}

struct Host {
    now: Instant,
    listener: Listener,
    slot: Slot,
    conn: Option<Connection>,
    numbers: InitialNumbers,
    /// The last numbers that the host sent: what a peer would answer.
    seq: SeqNum,
    ack: SeqNum,
}

const PORTS: Ports = Ports { local: 7, remote: 40_000 };

fn config(bits: u16) -> Config {
    let on = |bit: u16| bits & (1 << bit) != 0;
    Config {
        mss: [1460, 536, 48, 8960][usize::from(bits & 3)],
        receive_bytes_max: [700, 5000, 65_536, 1 << 20][usize::from(bits >> 2 & 3)],
        send_bytes_max: [700, 5000, 65_536, 100_000][usize::from(bits >> 4 & 3)],
        window_scale: on(6),
        timestamps: on(7),
        sack: on(8),
        nagle: on(9),
        ack_delay_max: if on(10) { Duration::from_millis(40) } else { Duration::ZERO },
        keepalive: on(11).then_some(Keepalive::DEFAULT),
        ..Config::IPV4
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Bytes(bytes);
    let bits = input.u16();
    let config = Arc::new(config(bits));
    let numbers = InitialNumbers { iss: SeqNum::new(input.u32()), timestamp_offset: input.u32() };
    let now = Instant::from_millis(u64::from(input.u32()));
    let is_active = bits & 1 << 15 != 0;
    let mut host = Host {
        now,
        listener: Listener::new(config.clone()),
        slot: if is_active { Slot::Connection } else { Slot::Nobody },
        conn: is_active.then(|| Connection::open(now, config, PORTS, numbers)),
        numbers,
        seq: numbers.iss,
        ack: SeqNum::new(0),
    };
    host.poll();
    for _ in 0..STEPS_MAX {
        if input.0.is_empty() {
            break;
        }
        host.step(&mut input);
        host.poll();
    }
});

impl Host {
    fn step(&mut self, input: &mut Bytes<'_>) {
        match input.u8() % 13 {
            0..=6 => self.segment(input),
            7 => self.time(input),
            8 => self.icmp(input),
            call => self.call(call, input),
        }
    }

    /// A segment whose numbers lie near what the host would accept, or anywhere.
    fn segment(&mut self, input: &mut Bytes<'_>) {
        let how = input.u8();
        let near = |base: SeqNum, input: &mut Bytes<'_>, how: u8| match how & 3 {
            0 => base,
            1 => base + SeqLen::new(input.u8().into()),
            2 => base + SeqLen::new(i32::from(input.u16() as i16) as u32),
            _ => SeqNum::new(input.u32()),
        };
        let (seq, ack) = (near(self.ack, input, how), near(self.seq, input, how >> 2));
        let flags = match how >> 4 & 3 {
            0 => Flags::ACK,
            1 => Flags::SYN,
            2 => Flags::SYN | Flags::ACK,
            _ => Flags::new(input.u16()),
        };
        let wnd = WindowField::new(if how & 64 == 0 { 8192 } else { input.u16() });
        let text = vec![how; if how & 128 == 0 { 0 } else { usize::from(input.u16() % 3000) }];
        let options_len = usize::from(input.u8() % 41);
        let options = Options::parse(input.take(options_len));
        let mut meta = IpMeta::default();
        meta.segment_size = (how & 1 == 1).then_some(1000);
        let seg = Segment { ports: PORTS, seq, ack, flags, wnd, up: u16::from(how) << 4, options, text: &text, meta };
        let next = match &mut self.slot {
            Slot::Nobody => self.listener.handle_segment(self.now, &seg, self.numbers).1,
            Slot::HalfOpen(half_open) => half_open.handle_segment(self.now, &seg).1,
            Slot::Connection => self.conn.as_mut().expect("there").handle_segment(self.now, &seg).1,
            Slot::TimeWait(time_wait) => time_wait.handle_segment(self.now, &seg).1,
        };
        self.follow(next);
    }

    /// An ICMP error about something near what is in flight.
    fn icmp(&mut self, input: &mut Bytes<'_>) {
        let how = input.u8();
        let quoted = self.seq - SeqLen::new(input.u16().into());
        let error = match how % 3 {
            0 => IcmpError::Soft,
            1 => IcmpError::Hard,
            _ => IcmpError::TooBig { mss: input.u16() },
        };
        if let (Some(conn), Slot::Connection) = (&mut self.conn, &self.slot) {
            let (_, next) = conn.handle_icmp(self.now, quoted, error);
            self.follow(next);
        }
    }

    fn time(&mut self, input: &mut Bytes<'_>) {
        let how = input.u8();
        let deadline = match &self.slot {
            Slot::Nobody => None,
            Slot::HalfOpen(half_open) => half_open.poll_timeout(),
            Slot::Connection => self.conn.as_ref().and_then(Connection::poll_timeout),
            Slot::TimeWait(time_wait) => time_wait.poll_timeout(),
        };
        self.now = match deadline {
            Some(at) if how < 200 => self.now.max(at),
            _ => self.now + Duration::from_millis(1 << (how % 40)),
        };
        let next = match &mut self.slot {
            Slot::Nobody => return,
            Slot::HalfOpen(half_open) => half_open.handle_timeout(self.now),
            Slot::Connection => self.conn.as_mut().expect("there").handle_timeout(self.now),
            Slot::TimeWait(time_wait) => time_wait.handle_timeout(self.now),
        };
        self.follow(next);
    }

    fn call(&mut self, call: u8, input: &mut Bytes<'_>) {
        let Some(conn) = &mut self.conn else { return };
        let len = usize::from(input.u16());
        match call {
            9 => drop(conn.write(self.now, &vec![1; len])),
            10 => drop(conn.read(self.now, &mut vec![0; len])),
            11 if len % 8 == 0 => conn.abort(self.now),
            11 if len % 8 == 1 => conn.release(self.now),
            11 => drop(conn.close(self.now)),
            _ if len % 3 == 0 => drop(conn.write_urgent(self.now, &vec![2; len % 100])),
            _ if len % 3 == 1 => conn.set_nodelay(len % 2 == 0),
            _ => conn.trim(),
        }
    }

    fn follow(&mut self, next: Next) {
        match next {
            Next::Stay => {}
            Next::Answer(half_open) => self.slot = Slot::HalfOpen(half_open),
            Next::Promote(conn) => {
                self.conn = Some(conn);
                self.slot = Slot::Connection;
            }
            Next::Linger(time_wait) => self.slot = Slot::TimeWait(time_wait),
            Next::Reopen { .. } | Next::Gone => self.slot = Slot::Nobody,
        }
    }

    fn poll(&mut self) {
        let mut answers = 0;
        let mut numbers = (self.seq, self.ack);
        let mut take = |out: &Outgoing<'_>| {
            answers += 1;
            assert!(answers <= ANSWERS_MAX, "a flood");
            let mut bytes = vec![0; out.total_len()];
            out.emit(&mut bytes);
            let seg = Segment::parse(&bytes, IpMeta::default()).expect("what we send can be read");
            numbers.0 = seg.seq + seg.len();
            if seg.flags.ack() {
                numbers.1 = seg.ack;
            }
        };
        while let Some(out) = self.listener.poll_transmit(self.now) {
            take(&out);
        }
        if let Some(conn) = &mut self.conn {
            while conn.poll_event().is_some() {}
            while let Some(out) = conn.poll_transmit(self.now) {
                take(&out);
            }
            conn.check_invariants();
            if conn.is_over() && matches!(self.slot, Slot::Connection) {
                self.slot = Slot::Nobody;
            }
        }
        match &mut self.slot {
            Slot::HalfOpen(half_open) => {
                while let Some(out) = half_open.poll_transmit(self.now) {
                    take(&out);
                }
                half_open.check_invariants();
            }
            Slot::TimeWait(time_wait) => {
                while let Some(out) = time_wait.poll_transmit(self.now) {
                    take(&out);
                }
                time_wait.check_invariants();
            }
            _ => {}
        }
        (self.seq, self.ack) = numbers;
    }
}
