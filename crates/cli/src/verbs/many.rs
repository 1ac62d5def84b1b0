//! Many packets by one call of `ww send` or `ww ask`: paced, several in flight together, counted, ended by ctrl-C.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use craft::Packet;
use hand::probes::{AnswerKind, Order, ProbeId};
use hand::{Expect, Need, Pace};
use net::hand::{Batch, Batches, Counters, Event, Fate, HeardAnswer, Role, Sent};
use serde_json::json;
use units::Instant;

use super::send::Talk;
use crate::command::Options;
use crate::context;
use crate::failure::{Exit, Failure};
use crate::packets::Packets;
use crate::place::Place;
use crate::progress::Progress;
use crate::said;
use crate::speech::say;

/// More packets than this, or more in a second, are sent only when somebody says so.
pub(super) const UNASKED_MAX: u64 = 1000;

/// The pace unless told otherwise: as many a second as need no question.
pub(super) const EVERY: Duration = Duration::from_millis(1);

/// Above so many a second packets are sent in batches, and counted instead of read back (law 2): a copy each costs more than
/// the sending, and nobody reads a thousand lines a second.
pub(super) const READ_BACK_RATE_MAX: u64 = 1000;

/// Packets made and handed over before looking at the clock, at ctrl-C and at the progress again.
const TURN_MAX: u64 = 256;

/// The most probes that await an answer together: each may hold a socket that guards its port, of which a session keeps half as
/// many as there may be descriptors, and two for each in flight.
const IN_FLIGHT_MAX: usize = 2048;

/// Descriptors for each probe in flight.
const DESCRIPTORS_EACH: u64 = 4;

/// How many probes may await an answer together here. Raises this process's own limit of descriptors as far as it may.
pub(super) fn in_flight_max() -> usize {
    let may = link::raise_descriptors(IN_FLIGHT_MAX as u64 * DESCRIPTORS_EACH);
    usize::try_from(may / DESCRIPTORS_EACH).unwrap_or(usize::MAX).clamp(1, IN_FLIGHT_MAX)
}

/// The packets of one call.
pub(super) struct Many {
    packets: Packets,
    entropy: [u8; 32],
    total: u64,
    speed: Speed,
}

/// How fast.
#[derive(Clone, Copy)]
enum Speed {
    Every(Duration),
    PerSecond(u64),
}

impl Speed {
    fn pace(self, now: Instant) -> Pace {
        match self {
            Self::Every(interval) => Pace::every(now, interval),
            Self::PerSecond(packets) => Pace::per_second(now, packets),
        }
    }

    fn interval(self) -> Duration {
        match self {
            Self::Every(interval) => interval,
            Self::PerSecond(packets) => Duration::from_nanos(1_000_000_000 / packets.max(1)),
        }
    }
}

impl Many {
    /// The packets that words and options ask for; `None`: it is one.
    ///
    /// # Errors
    /// They are many, and nobody says that they shall be sent.
    pub(super) fn of(packets: &Packets, options: &Options, place: &Place<'_>) -> Result<Option<Self>, Failure> {
        let total = options.count.or(packets.count());
        let every = Speed::Every(options.every.unwrap_or(EVERY));
        let speed = options.rate.map_or(every, Speed::PerSecond);
        let every = speed.interval();
        // Each fragment is a packet to those who carry it.
        let pieces = options.frag.and_then(|largest| pieces_of(packets, largest)).unwrap_or(1);
        let leaving = total.map(|total| total.saturating_mul(pieces));
        check(leaving, every, options, place)?;
        if total == Some(1) && options.count.is_none() {
            return Ok(None);
        }
        let entropy = context::entropy(options.seed);
        Ok(Some(Self { packets: packets.clone(), entropy, total: total.unwrap_or(u64::MAX), speed }))
    }

    /// They leave faster than each can be read back.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self.speed, Speed::PerSecond(packets) if packets > READ_BACK_RATE_MAX)
    }

    /// Makes these packets, one out of the other, and hands them over.
    fn hand_over(
        &mut self,
        talk: &mut Talk<'_>,
        batches: &mut Batches,
        numbers: Range<u64>,
        packet: &mut Packet,
    ) -> Result<(), Failure> {
        for index in numbers {
            self.packets.refill(index, self.entropy, packet)?;
            batches.push(&mut talk.session, index, packet).map_err(|error| talk.explain(&error))?;
        }
        batches.flush().map_err(|error| talk.explain(&error))
    }

    fn known_total(&self) -> Option<u64> {
        (self.total != u64::MAX).then_some(self.total)
    }

    fn packet(&mut self, index: u64) -> Result<Packet, Failure> {
        self.packets.packet(index, self.entropy)
    }
}

/// How many fragments a packet of the template makes.
fn pieces_of(packets: &Packets, largest: usize) -> Option<u64> {
    let pieces = packets.longest().filter_map(|packet| craft::fragments_of(&packet, largest));
    pieces.max().and_then(|pieces| u64::try_from(pieces).ok())
}

/// Law 8: whether so many, one every so often, may leave without somebody's word.
///
/// # Errors
/// They are many, and nobody says that they shall be sent.
pub(super) fn check(total: Option<u64>, every: Duration, options: &Options, place: &Place<'_>) -> Result<(), Failure> {
    let much = total.is_none_or(|total| total > UNASKED_MAX) || every < EVERY;
    if much && !options.yes && matches!(place, Place::Machine) { confirm(total, every) } else { Ok(()) }
}

/// Asks whether so many are to be sent; where nobody can answer, they are not.
fn confirm(total: Option<u64>, every: Duration) -> Result<(), Failure> {
    let count = total.map_or_else(|| "2^64".to_owned(), |total| total.to_string());
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("count", &count), ("every", &render::duration(every)), ("max", &UNASKED_MAX)];
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        let mut stderr = io::stderr().lock();
        let asked = write!(stderr, "{} ", say("many.ask", &values[..2])).and_then(|()| stderr.flush());
        let mut answer = String::new();
        if asked.and_then(|()| io::stdin().lock().read_line(&mut answer)).is_ok()
            && matches!(answer.trim(), "y" | "Y" | "yes")
        {
            return Ok(());
        }
    }
    Err(Failure::usage("many-packets", say("error.many-packets", &values)).row("or", say("hint.yes", &[])))
}

/// What was sent and what came of it.
#[derive(Default)]
pub(super) struct Tally {
    sent: u64,
    pub(super) lost: u64,
    /// Frames of the packets that were cut.
    fragments: u64,
    /// Of the packet being told.
    part_lost: bool,
    /// Packets a second, from the first to the last.
    pub(super) rate: u64,
    answered: u64,
    silent: u64,
    unmet: u64,
    late: u64,
    repeated: u64,
    kinds: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn sent(&mut self, sent: &Sent) {
        if sent.role != Role::Probe {
            return;
        }
        let has_left = matches!(&sent.fate, Fate::Left(left) if !left.lost_in_queue);
        if sent.part.is_none_or(|part| part.number == 1) {
            self.part_lost = false;
        }
        self.part_lost |= !has_left;
        self.fragments += u64::from(sent.part.is_some());
        // A packet is whole with its last fragment, and lost with any of them.
        if sent.part.is_none_or(|part| part.number == part.of) {
            *(if self.part_lost { &mut self.lost } else { &mut self.sent }) += 1;
        }
    }

    fn answered(&mut self, answer: &HeardAnswer) {
        match answer.answer.order {
            Order::First => {
                self.answered += 1;
                *self.kinds.entry(answer.answer.kind.word()).or_default() += 1;
            }
            Order::Late => self.late += 1,
            _ => self.repeated += 1,
        }
    }

    /// The line at the end.
    pub(super) fn print(&self, talk: &Talk<'_>, asks: bool, took: Duration) -> Result<(), Failure> {
        if talk.out.json {
            let mut json = json!({"v": 1, "event": "summary", "sent": self.sent, "lost": self.lost,
                "seconds": took.as_secs_f64(), "rate": self.rate});
            if self.fragments > 0 {
                json["fragments"] = self.fragments.into();
            }
            if asks {
                json["answered"] = self.answered.into();
                json["silent"] = self.silent.into();
                json["late"] = self.late.into();
                json["repeated"] = self.repeated.into();
                json["answers"] = json!(self.kinds);
            }
            return talk.out.json_line(&json);
        }
        let time = render::duration(took);
        let kinds: Vec<String> = self.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let kinds = kinds.join(", ");
        let part = |key: &str, name: &str, value: &dyn std::fmt::Display| say(key, &[(name, value)]);
        let mut parts = vec![part("many.sent", "sent", &self.sent)];
        if self.fragments > 0 {
            parts.push(part("many.fragments", "fragments", &self.fragments));
        }
        parts.extend((self.lost > 0).then(|| part("many.lost", "lost", &self.lost)));
        if asks && self.answered > 0 {
            parts.push(say("many.answered", &[("answered", &self.answered), ("kinds", &kinds)]));
        } else if asks {
            parts.push(say("many.answered-none", &[]));
        }
        let rest = [
            ("many.silent", "silent", self.silent),
            ("many.late", "late", self.late),
            ("many.repeated", "repeated", self.repeated),
        ];
        parts.extend(rest.iter().filter(|(.., count)| *count > 0).map(|(key, name, count)| part(key, name, count)));
        parts.push(part("many.took", "time", &time));
        parts.extend((self.rate > 0).then(|| part("many.rate", "rate", &self.rate)));
        talk.out.result(&parts.join(", "))
    }
}

/// Whether ctrl-C was pressed, from now on.
pub(super) fn interruptions() -> Result<Arc<AtomicBool>, Failure> {
    let pressed = Arc::new(AtomicBool::new(false));
    register(&pressed)?;
    Ok(pressed)
}

/// The same where a pipe is read to which nobody may be writing: pressed again, it ends the process at once.
pub(super) fn interruptions_of_a_reader() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::SIGINT;
    let pressed = Arc::new(AtomicBool::new(false));
    // Before the other: the press that sets the flag finds it not set.
    signal_hook::flag::register_conditional_shutdown(SIGINT, Exit::Interrupted.code().into(), pressed.clone())
        .map_err(|error| Failure::new(Exit::CouldNotSend, "signal", said::os(&error)))?;
    register(&pressed)?;
    Ok(pressed)
}

fn register(pressed: &Arc<AtomicBool>) -> Result<(), Failure> {
    signal_hook::flag::register(signal_hook::consts::SIGINT, pressed.clone())
        .map(drop)
        .map_err(|error| Failure::new(Exit::CouldNotSend, "signal", said::os(&error)))
}

/// `ww send` of many packets.
pub(super) fn send(talk: &mut Talk<'_>, many: &mut Many) -> Result<Exit, Failure> {
    let pressed = interruptions()?;
    let mut tally = Tally::default();
    let begun = talk.session.now();
    let mut pace = many.speed.pace(begun);
    let mut progress = Progress::begin(begun, many.known_total(), talk.out, false);
    let mut failed = None;
    for index in 0..many.total {
        sleep_until(talk, pace.next(), &pressed)?;
        if pressed.load(Ordering::Relaxed) {
            break;
        }
        let now = talk.session.now();
        // Looked at for what it forgets: time that was lost.
        let _due = pace.due(now);
        pace.on_sent(now, 1);
        progress.show(now, index, tally.lost);
        match talk.session.send_each(&many.packet(index)?) {
            Ok(sent) => {
                for sent in &sent {
                    tally.sent(sent);
                    talk.sent(sent)?;
                }
            }
            Err(error) => {
                failed = Some(talk.explain(&error));
                break;
            }
        }
    }
    progress.clear();
    tally.rate = pace.reached();
    tally.print(talk, false, talk.session.now().since(begun))?;
    match failed {
        Some(failed) => Err(failed),
        None if pressed.load(Ordering::Relaxed) => Ok(Exit::Interrupted),
        None if tally.lost > 0 => Ok(Exit::CouldNotSend),
        None => Ok(Exit::Answered),
    }
}

/// `ww send` of many packets at a rate at which none of them is read back.
pub(super) fn send_counted(talk: &mut Talk<'_>, many: &mut Many) -> Result<Exit, Failure> {
    nothing_to_record(talk)?;
    let pressed = interruptions()?;
    let mut packet = many.packet(0)?;
    let batches = talk.session.batches(&packet, many.packets.differ_from_layer(), many.entropy);
    let mut batches = batches.map_err(|error| talk.explain(&error))?;
    if batches.plan().needs.iter().any(|need| matches!(need, Need::Guard { .. })) {
        talk.note(&say("many.no-guard", &[]));
    }
    let mut counted = Counted::begin(&batches.plan().interface.name);
    let begun = talk.session.now();
    let mut pace = many.speed.pace(begun);
    let mut progress = Progress::begin(begun, many.known_total(), talk.out, true);
    let mut failed = None;
    while counted.batch.packets < many.total && !pressed.load(Ordering::Relaxed) {
        let now = talk.session.now();
        progress.show(now, counted.batch.packets, counted.batch.lost);
        let due = pace.due(now).min(many.total - counted.batch.packets).min(TURN_MAX);
        if due == 0 {
            sleep_until(talk, pace.poll_timeout(), &pressed)?;
            continue;
        }
        let turn = counted.batch.packets..counted.batch.packets + due;
        let sent = many.hand_over(talk, &mut batches, turn, &mut packet);
        counted.add(batches.take_done());
        if let Err(error) = sent {
            failed = Some(error);
            break;
        }
        pace.on_sent(now, due);
    }
    progress.clear();
    let took = talk.session.now().since(begun);
    counted.print(talk, pace.reached(), took)?;
    match failed {
        Some(failed) => Err(failed),
        None if pressed.load(Ordering::Relaxed) => Ok(Exit::Interrupted),
        None if counted.batch.lost > 0 => Ok(Exit::CouldNotSend),
        None => Ok(Exit::Answered),
    }
}

/// What is counted instead of read back cannot be recorded.
///
/// # Errors
/// `-w` is given.
pub(super) fn nothing_to_record(talk: &Talk<'_>) -> Result<(), Failure> {
    if talk.options.write.is_none() {
        return Ok(());
    }
    let values: [(&str, &dyn std::fmt::Display); 1] = [("max", &READ_BACK_RATE_MAX)];
    Err(Failure::usage("option-conflict", say("error.option-conflict.counted", &values))
        .row("or", format!("--rate {READ_BACK_RATE_MAX}")))
}

/// What was handed over, and what the interface says of it.
pub(super) struct Counted {
    pub(super) batch: Batch,
    interface: String,
    before: Counters,
}

impl Counted {
    pub(super) fn begin(interface: &str) -> Self {
        Self { batch: Batch::default(), interface: interface.to_owned(), before: Counters::read() }
    }

    pub(super) fn add(&mut self, batch: Batch) {
        self.batch.packets += batch.packets;
        self.batch.frames += batch.frames;
        self.batch.lost += batch.lost;
    }

    /// The lines at the end: what we know, and what the interface counted, everybody's packets together.
    pub(super) fn print(&self, talk: &Talk<'_>, rate: u64, took: Duration) -> Result<(), Failure> {
        let after = Counters::read();
        let moved = |counter: &str| {
            let name = format!("{}.{counter}", self.interface);
            after.value(&name).saturating_sub(self.before.value(&name))
        };
        let (left, dropped) = (moved("tx_packets"), moved("tx_drop"));
        let Batch { packets, frames, lost, .. } = self.batch;
        if talk.out.json {
            return talk.out.json_line(
                &json!({"v": 1, "event": "summary", "sent": packets, "frames": frames, "lost": lost,
                "seconds": took.as_secs_f64(), "rate": rate, "read_back": false,
                "interface": render::escape(&self.interface), "interface_sent": left, "interface_dropped": dropped}),
            );
        }
        let mut parts = vec![say("many.sent", &[("sent", &packets)])];
        if frames > packets {
            parts.push(say("many.fragments", &[("fragments", &frames)]));
        }
        if lost > 0 {
            parts.push(say("many.lost", &[("lost", &lost)]));
        }
        parts.push(say("many.took", &[("time", &render::duration(took))]));
        parts.push(say("many.rate", &[("rate", &rate)]));
        talk.out.result(&parts.join(", "))?;
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("interface", &render::escape(&self.interface)), ("sent", &left), ("dropped", &dropped)];
        talk.out.result(&say("many.counted", &values))
    }
}

fn sleep_until(talk: &mut Talk<'_>, moment: Instant, pressed: &AtomicBool) -> Result<(), Failure> {
    while talk.session.now() < moment && !pressed.load(Ordering::Relaxed) {
        let _nothing_is_awaited = talk.session.listen_until(moment).map_err(|error| talk.explain(&error))?;
    }
    Ok(())
}

/// A probe whose answer is awaited.
struct Open {
    words: String,
    met: bool,
    answered: bool,
}

/// `ww ask` of many packets.
pub(super) fn ask(talk: &mut Talk<'_>, many: &mut Many, expect: Option<&Expect>) -> Result<Exit, Failure> {
    let pressed = interruptions()?;
    let begun = talk.session.now();
    let pace = many.speed.pace(begun);
    let mut progress = Progress::begin(begun, many.known_total(), talk.out, false);
    let mut asking = Asking {
        many,
        expect,
        open: BTreeMap::new(),
        tally: Tally::default(),
        index: 0,
        pace,
        in_flight_max: in_flight_max(),
    };
    let ended = asking.run(talk, &pressed, &mut progress);
    progress.clear();
    asking.tally.rate = asking.pace.reached();
    asking.tally.print(talk, true, talk.session.now().since(begun))?;
    ended?;
    let tally = &asking.tally;
    Ok(match expect {
        _ if pressed.load(Ordering::Relaxed) => Exit::Interrupted,
        None if tally.answered > 0 => Exit::Answered,
        None => Exit::NoAnswer,
        Some(_) if tally.unmet == 0 => Exit::Answered,
        Some(_) if tally.answered == 0 => Exit::NoAnswer,
        Some(_) => Exit::Unexpected,
    })
}

/// Packets being asked.
struct Asking<'m> {
    many: &'m mut Many,
    expect: Option<&'m Expect>,
    open: BTreeMap<ProbeId, Open>,
    tally: Tally,
    index: u64,
    pace: Pace,
    in_flight_max: usize,
}

impl Asking<'_> {
    fn run(&mut self, talk: &mut Talk<'_>, pressed: &AtomicBool, progress: &mut Progress) -> Result<(), Failure> {
        while !pressed.load(Ordering::Relaxed) {
            let starts = self.index < self.many.total && self.open.len() < self.in_flight_max;
            let now = talk.session.now();
            progress.show(now, self.index, self.tally.lost);
            if starts && self.pace.due(now) > 0 {
                self.pace.on_sent(now, 1);
                self.start(talk)?;
                continue;
            }
            let event = match starts {
                true => talk.session.listen_until(self.pace.next()),
                false => talk.session.next_event(),
            };
            match event.map_err(|error| talk.explain(&error))? {
                Some(event) => self.happened(talk, event)?,
                None if self.index == self.many.total => return Ok(()),
                None => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, talk: &mut Talk<'_>) -> Result<(), Failure> {
        let packet = self.many.packet(self.index)?;
        let id = talk.session.start(&packet).map_err(|error| talk.explain(&error))?;
        self.open.insert(id, Open { words: packet.to_string(), met: false, answered: false });
        self.index += 1;
        Ok(())
    }

    fn happened(&mut self, talk: &mut Talk<'_>, event: Event) -> Result<(), Failure> {
        match event {
            Event::Sent(sent) => {
                self.tally.sent(&sent);
                talk.sent(&sent)
            }
            Event::Answer(answer) => {
                self.answered(&answer);
                talk.answered(&answer)
            }
            Event::TimedOut { probe } => {
                let Some(open) = self.open.remove(&probe) else { return Ok(()) };
                // What was answered by something that leaves the packet on its way is not silent.
                self.tally.silent += u64::from(!open.answered);
                let met = open.met || (!open.answered && self.is_met(None));
                self.tally.unmet += u64::from(!met);
                talk.silent(&open.words)
            }
            _ => Ok(()),
        }
    }

    fn answered(&mut self, answer: &HeardAnswer) {
        self.tally.answered(answer);
        let (kind, met) = (&answer.answer.kind, self.is_met(Some(&answer.answer.kind)));
        let Some(open) = self.open.get_mut(&answer.answer.probe) else { return };
        open.answered = true;
        open.met |= met;
        if kind.is_final() {
            self.tally.unmet += u64::from(!open.met);
            self.open.remove(&answer.answer.probe);
        }
    }

    fn is_met(&self, kind: Option<&AnswerKind>) -> bool {
        self.expect.is_none_or(|expect| expect.is_met(kind))
    }
}
