//! The clock, the wires and the two ends.

use std::collections::BTreeSet;
use std::time::Duration;

use wirewright_sim::{Dice, Faults, Path};
use wirewright_tcp::{Flags, IpMeta, Outgoing, Segment, State};
use wirewright_units::Instant;
use wirewright_wire::checksum::{Sum, pseudo_v4};
use wirewright_wire::tcp;
use wirewright_wire::{SeqLen, SeqNum, WindowField};

use crate::end::End;
use crate::referee::Referee;
use crate::scenario::{Opening, Scenario};

/// How long after the wires have healed everything must be over: backed-off timers (60 s each), TIME-WAIT (60 s), half-open
/// connections (63 s), give-up times (300 s), and slow transfers through small windows.
const GRACE: Duration = Duration::from_secs(4000);

/// More events mean that two ends answer each other for ever.
const STEPS_MAX: u64 = 3_000_000;

/// What a run has shown.
pub(crate) struct Outcome {
    pub(crate) states: BTreeSet<State>,
    pub(crate) frames: u64,
    pub(crate) saw_half_open: bool,
    pub(crate) saw_time_wait: bool,
    pub(crate) saw_reset: bool,
    /// The listener never heard that its SYN,ACK had come, and gave up: no bytes are promised then.
    pub(crate) gave_up_unheard: bool,
    pub(crate) trace_hash: u64,
}

pub(crate) struct World {
    scenario: Scenario,
    now: Instant,
    start: Instant,
    /// From end 0 to end 1, and back.
    paths: [Path; 2],
    ends: [End; 2],
    referee: Referee,
    dice: Dice,
    forge_at: Instant,
    has_healed: bool,
    is_out: bool,
    frames: u64,
    trace_hash: u64,
    traces: bool,
}

impl World {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let seed = scenario.seed;
        let start = Instant::ORIGIN + scenario.origin;
        let listens = [false, scenario.opening == Opening::Client];
        let end = |i: usize| End::new(scenario.ends[i].clone(), i, start, seed ^ (i as u64 + 1), listens[i]);
        // Repetition would be a mistake where nothing is lost and no timer can be too short.
        let acks_soon = scenario.ends.iter().all(|end| end.config.ack_delay_max <= Duration::from_millis(40));
        let is_strict = scenario.is_perfect() && scenario.is_orderly() && acks_soon;
        Self {
            now: start,
            start,
            paths: [0, 1].map(|i| Path::new(scenario.faults[i], seed.wrapping_add(1 << (40 + i)))),
            ends: [end(0), end(1)],
            referee: Referee::new(is_strict),
            dice: Dice::new(seed ^ 0xf0f0),
            forge_at: start + Duration::from_millis(300),
            has_healed: false,
            is_out: false,
            frames: 0,
            trace_hash: 0xcbf2_9ce4_8422_2325,
            traces: std::env::var_os("WW_TRACE").is_some(),
            scenario,
        }
    }

    pub(crate) fn run(mut self) -> Outcome {
        let limit = self.start + self.scenario.heals_at + GRACE;
        let mut steps = 0u64;
        self.poll_ends();
        while let Some(at) = self.next_at() {
            assert!(at <= limit, "not over {:?} after the wires have healed: {}", GRACE, self.picture());
            steps += 1;
            assert!(steps < STEPS_MAX, "no end of it: {}", self.picture());
            self.now = self.now.max(at);
            self.change_wires();
            self.deliver();
            for end in &mut self.ends {
                if end.next_at().is_some_and(|at| at <= self.now) {
                    end.handle_timeout(self.now);
                }
            }
            self.forge();
            self.poll_ends();
            self.referee.check_time(self.now);
        }
        self.check_end();
        Outcome {
            states: self.ends.iter().flat_map(|end| end.states.iter().copied()).collect(),
            frames: self.frames,
            saw_half_open: self.ends.iter().any(|end| end.saw_half_open),
            saw_time_wait: self.ends.iter().any(|end| end.saw_time_wait),
            saw_reset: self.referee.saw_reset,
            gave_up_unheard: self.gave_up_unheard(),
            trace_hash: self.trace_hash,
        }
    }

    fn next_at(&self) -> Option<Instant> {
        let paths = self.paths.iter().filter_map(Path::next_at);
        let ends = self.ends.iter().filter_map(End::next_at);
        let apps = self.ends.iter().filter_map(|end| end.app_at(self.now));
        let wires = self.wire_changes().into_iter().filter(|&at| at > self.now && !self.is_over());
        paths.chain(ends).chain(apps).chain(wires).min()
    }

    fn is_over(&self) -> bool {
        self.ends.iter().all(End::is_done)
    }

    fn wire_changes(&self) -> Vec<Instant> {
        let heals = self.start + self.scenario.heals_at;
        let outage = self.scenario.outage.map(|(from, to)| [self.start + from, self.start + to]);
        outage.into_iter().flatten().chain([heals]).collect()
    }

    fn change_wires(&mut self) {
        let since = self.now.since(self.start);
        let heals = since >= self.scenario.heals_at;
        let is_out = !heals && self.scenario.outage.is_some_and(|(from, to)| from <= since && since < to);
        if (heals, is_out) == (self.has_healed, self.is_out) {
            return;
        }
        (self.has_healed, self.is_out) = (heals, is_out);
        for (path, faults) in self.paths.iter_mut().zip(self.scenario.faults) {
            path.set_faults(if heals {
                Faults { delay: faults.delay, rate: faults.rate, ..Faults::NONE }
            } else if is_out {
                Faults::CUT
            } else {
                faults
            });
        }
    }

    fn deliver(&mut self) {
        for from in 0..2 {
            while let Some(frame) = self.paths[from].pop(self.now) {
                let to = 1 - from;
                if !pseudo(from, frame.len()).add(&frame).is_right() {
                    continue;
                }
                let seg = Segment::parse(&frame, IpMeta::default()).expect("our own frame");
                self.show("  ", from, &seg);
                // What comes for a connection that is over concerns nobody.
                self.referee.on_delivered(self.now, to, &seg);
                self.hand_over(to, &seg);
                // RFC 9293 MUST-59: what has arrived together is processed before anything is sent; sometimes.
                if self.scenario.seed.is_multiple_of(2) {
                    self.poll_ends();
                }
            }
        }
    }

    fn hand_over(&mut self, to: usize, seg: &Segment<'_>) {
        let status = |end: &End| end.conn.as_ref().map(|conn| conn.status());
        let before = status(&self.ends[to]).and_then(|status| status.srtt);
        self.ends[to].handle_segment(self.now, seg);
        if let Some(after) = status(&self.ends[to]) {
            self.referee.on_taken(self.now, to, seg, after.snd_una, [before, after.srtt]);
        }
    }

    fn poll_ends(&mut self) {
        for i in 0..2 {
            let mut sent: Vec<Vec<u8>> = Vec::new();
            let whole = self.scenario.carries_super_segments;
            self.ends[i].poll(self.now, |out, _| {
                if whole {
                    sent.push(bytes(i, out));
                } else {
                    sent.extend(out.segments().map(|segment| bytes(i, &segment)));
                }
            });
            for frame in sent {
                let seg = Segment::parse(&frame, IpMeta::default()).expect("our own frame");
                self.show("", i, &seg);
                self.referee.on_sent(self.now, i, &seg);
                self.note(i, &frame);
                self.paths[i].push(self.now, frame);
            }
            self.check_round_trip(i);
            let is_gone = self.ends[i].conn.as_ref().is_some_and(|conn| conn.state() == State::Closed);
            if is_gone {
                self.referee.on_over(i);
            }
        }
    }

    /// No estimate can be shorter than the wires are long, whatever was sent twice (Karn). The echoed timestamps count
    /// milliseconds, and the average rounds down.
    fn check_round_trip(&self, end: usize) {
        let wires = self.scenario.faults[0].delay + self.scenario.faults[1].delay;
        let srtt = self.ends[end].conn.as_ref().and_then(|conn| conn.status().srtt);
        if let Some(srtt) = srtt {
            let slack = Duration::from_millis(2) + wires / 50;
            assert!(srtt + slack >= wires, "end {end} measured {srtt:?} over wires of {wires:?}");
        }
    }

    /// Somebody off the path sends what RFC 5961 protects against: resets, SYNs and acknowledgments whose numbers are
    /// near, but not exact. Nothing may come of it.
    fn forge(&mut self) {
        if !self.scenario.has_forger || self.now < self.forge_at || !self.ends.iter().all(End::is_established) {
            return;
        }
        self.forge_at = self.now + self.dice.up_to(Duration::from_secs(2));
        let to = self.dice.below(2) as usize;
        let status = self.ends[to].conn.as_ref().expect("established").status();
        let wnd = u64::from(status.rcv_wnd.get());
        let ahead = SeqLen::new(self.dice.within(1, wnd.max(2)) as u32);
        let (seq, ack, flags) = match self.dice.below(4) {
            0 => (status.rcv_nxt + ahead, status.snd_una, Flags::RST),
            1 => (status.rcv_nxt + ahead, status.snd_una, Flags::SYN),
            2 => (status.rcv_nxt - ahead, status.snd_una, Flags::RST | Flags::ACK),
            // Data with an acknowledgment far from anything sent (RFC 5961 §5).
            _ => (status.rcv_nxt, status.snd_nxt + SeqLen::new(1 + (self.dice.bits() as u32 >> 2)), Flags::ACK),
        };
        let text: &[u8] = if flags == Flags::ACK { b"forged" } else { b"" };
        let frame = forged(1 - to, seq, ack, flags, text, status.timestamps);
        let seg = Segment::parse(&frame, IpMeta::default()).expect("well formed");
        self.show("forged ", 1 - to, &seg);
        self.hand_over(to, &seg);
    }

    fn gave_up_unheard(&self) -> bool {
        self.ends.iter().any(|end| end.gave_up_unheard)
    }

    fn check_end(&self) {
        for (i, end) in self.ends.iter().enumerate() {
            assert!(end.is_done(), "end {i} still holds something: {}", self.picture());
            assert!(end.promoted <= 1, "end {i} was opened {} times", end.promoted);
            let written = self.ends[1 - i].app.written;
            assert!(end.app.read <= written, "end {i} read more than was written");
            if !self.scenario.is_orderly() || self.gave_up_unheard() {
                continue;
            }
            assert_eq!(end.app.failed, None, "end {i} failed: {}", self.picture());
            let planned = self.scenario.ends[1 - i].bytes;
            assert_eq!((end.app.read, written), (planned, planned), "end {i} did not get all: {}", self.picture());
            assert!(end.app.saw_end, "end {i} never saw the end: {}", self.picture());
        }
        assert_eq!(self.paths.iter().map(Path::frames_under_way).sum::<usize>(), 0);
    }

    fn note(&mut self, from: usize, frame: &[u8]) {
        self.frames += 1;
        let time = self.now.as_nanos().to_be_bytes();
        for &byte in time.iter().chain(&[from as u8]).chain(frame) {
            self.trace_hash = (self.trace_hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn show(&self, mark: &str, from: usize, seg: &Segment<'_>) {
        if self.traces {
            let states = self.ends.each_ref().map(|end| end.conn.as_ref().map_or("-", |conn| conn.state().name()));
            let arrow = if from == 0 { "→" } else { "←" };
            println!(
                "{:?} {mark}{arrow} {:?} seq {} ack {} win {} len {} {:?} {:?} {states:?}",
                self.now.since(self.start),
                seg.flags,
                seg.seq,
                seg.ack,
                seg.wnd.to_raw(),
                seg.text.len(),
                seg.options.timestamps.map(|t| (t.value, t.echo)),
                seg.options.sack,
            );
        }
    }

    fn picture(&self) -> String {
        let end = |i: usize| {
            let end = &self.ends[i];
            let status = end.conn.as_ref().map(|conn| conn.status());
            format!(
                "end {i}: wrote {} of {}, read {}, saw end {}, failed {:?}, {status:?}",
                end.app.written, self.scenario.ends[i].bytes, end.app.read, end.app.saw_end, end.app.failed
            )
        };
        format!("after {:?}\n{}\n{}", self.now.since(self.start), end(0), end(1))
    }
}

fn pseudo(from: usize, len: usize) -> Sum {
    let addresses = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
    pseudo_v4(addresses[from], addresses[1 - from], 6, len as u32)
}

fn bytes(from: usize, out: &Outgoing<'_>) -> Vec<u8> {
    let mut bytes = vec![0; out.total_len()];
    out.emit_summed(pseudo(from, out.total_len()), &mut bytes);
    bytes
}

fn forged(from: usize, seq: SeqNum, ack: SeqNum, flags: Flags, text: &[u8], stamped: bool) -> Vec<u8> {
    let header = tcp::Header {
        source_port: 1000 + from as u16,
        destination_port: 1001 - from as u16,
        sequence: seq,
        acknowledgment: ack,
        data_offset: if stamped { 8 } else { 5 },
        flags,
        window: WindowField::new(1000),
        ..tcp::Header::default()
    };
    let mut bytes = vec![0; 20];
    header.emit(bytes[..].first_chunk_mut().expect("20 bytes"));
    if stamped {
        bytes.extend([1, 1, 8, 10, 0x7f, 0, 0, 0, 0, 0, 0, 0]);
    }
    bytes.extend(text);
    bytes
}
