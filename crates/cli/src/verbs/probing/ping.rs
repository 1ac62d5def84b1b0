//! `ww ping`: is it there, and how long does it take.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::time::Duration;

use craft::{Packet, Setting};
use hand::Expect;
use hand::probes::{AnswerKind, Order, ProbeId};
use net::hand::{Fate, HeardAnswer, Sent};
use render::Times;
use serde_json::json;

use super::{Course, destination, echo_layer, packets, run, ttl_of};
use crate::command::Options;
use crate::context;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::packets::Packets;
use crate::place::Place;
use crate::speech::{say, words};
use crate::verbs::many;
use crate::verbs::send::{Talk, expectation};

/// Echoes unless told otherwise: the lab's and anybody's host is asked no more than that without a word.
const COUNT: u64 = 4;
/// From one to the next unless told otherwise.
const EVERY: Duration = Duration::from_secs(1);
/// The most probes of which late and repeated answers are told: as many as a session matches.
const KEPT_MAX: usize = 4096;

/// The bytes of an echo's data, as ping has had them since 1983.
const DATA: &str = "zero=56";

pub(crate) fn ping(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let packets = packets("ping", options, place, |words| {
        let echo = echo_layer(&words[0], options, place).to_owned();
        let data = words.iter().all(|word| !word.contains('=')).then(|| DATA.to_owned());
        [vec![echo], words, data.into_iter().collect()].concat()
    })?;
    let every = options.every.unwrap_or(EVERY);
    let total = options.count.unwrap_or_else(|| packets.count().unwrap_or(u64::MAX).max(COUNT));
    many::check(Some(total), every, options, place)?;
    let expect = options.expect.as_deref().map(expectation).transpose()?;
    let mut talk = Talk::begin("ping", options, out, place)?;
    let entropy = context::entropy(options.seed);
    let mut ping = Ping {
        packets,
        entropy,
        id: u16::from_le_bytes([entropy[0], entropy[1]]),
        total,
        index: 0,
        in_flight: many::in_flight_max(),
        open: BTreeMap::new(),
        target: None,
        expect,
        tally: Tally::default(),
    };
    let begun = talk.session.now();
    let interrupted = run(&mut talk, &mut ping, every)?;
    let took = talk.session.now().since(begun);
    ping.statistics(&talk, took)?;
    talk.why()?;
    let tally = &ping.tally;
    Ok(match ping.expect {
        _ if interrupted => Exit::Interrupted,
        None if tally.received > 0 => Exit::Answered,
        None => Exit::NoAnswer,
        Some(_) if tally.unmet == 0 => Exit::Answered,
        Some(_) if tally.received == 0 => Exit::NoAnswer,
        Some(_) => Exit::Unexpected,
    })
}

struct Ping {
    packets: Packets,
    entropy: [u8; 32],
    /// The id of all echoes.
    id: u16,
    total: u64,
    /// Packets made.
    index: u64,
    /// The most that await an answer together.
    in_flight: usize,
    /// The sequence number of each probe that was started.
    open: BTreeMap<ProbeId, u64>,
    target: Option<IpAddr>,
    expect: Option<Expect>,
    tally: Tally,
}

#[derive(Default)]
struct Tally {
    received: u64,
    duplicates: u64,
    errors: u64,
    late: u64,
    lost_here: u64,
    unmet: u64,
    ended: u64,
    times: Times,
}

impl Ping {
    /// The echo's number, where the person left it open.
    fn number(&self, packet: &mut Packet) {
        for layer in packet.layers.iter_mut().filter(|layer| matches!(layer.key(), "icmp" | "icmp6")) {
            for (key, value) in [("id", u128::from(self.id)), ("seq", u128::from(self.index as u16))] {
                if layer.get(key) == Some(Setting::Auto) {
                    layer.set(key, Setting::Exactly(value));
                }
            }
        }
    }

    /// One answer, as ping prints it.
    fn line(&self, talk: &Talk<'_>, heard: &HeardAnswer, seq: u64) -> Result<(), Failure> {
        let answer = &heard.answer;
        if talk.out.json {
            let mut json = render::answer_json(answer);
            json["event"] = "answer".into();
            json["number"] = seq.into();
            json["ttl"] = json!(ttl_of(heard));
            return talk.out.json_line(&json);
        }
        let what = match answer.kind {
            AnswerKind::EchoReply { data, .. } => say("ping.echo", &[("bytes", &(data + 8))]),
            kind => render::answer_kind(&kind, words()),
        };
        let from = answer.from.map_or_else(String::new, |from| from.to_string());
        let ttl = ttl_of(heard).map_or_else(|| "?".to_owned(), |ttl| ttl.to_string());
        let time = render::milliseconds(answer.rtt);
        let values: [(&str, &dyn Display); 5] =
            [("what", &what), ("from", &from), ("seq", &seq), ("ttl", &ttl), ("time", &time)];
        let mark = match answer.order {
            Order::Duplicate => " (DUP!)".to_owned(),
            Order::Late => format!(" {}", say("answer.order.late", &[])),
            _ => String::new(),
        };
        talk.out.result(&(say("ping.line", &values) + &mark))
    }

    fn statistics(&self, talk: &Talk<'_>, took: Duration) -> Result<(), Failure> {
        let tally = &self.tally;
        let sent = self.index;
        let loss = if sent == 0 { 0.0 } else { (sent - tally.received.min(sent)) as f64 * 100.0 / sent as f64 };
        let target = self.target.map_or_else(String::new, |target| target.to_string());
        if talk.out.json {
            let nanos = |time: Option<Duration>| time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
            return talk.out.json_line(&json!({"v": 1, "event": "summary", "target": target, "sent": sent,
                "received": tally.received, "duplicates": tally.duplicates, "errors": tally.errors, "late": tally.late,
                "lost": tally.lost_here, "loss_percent": loss, "seconds": took.as_secs_f64(),
                "rtt_ns": {"min": nanos(tally.times.least()), "avg": nanos(tally.times.mean()),
                    "max": nanos(tally.times.most()), "mdev": nanos(tally.times.deviation())}}));
        }
        let mut lines = vec![String::new(), say("ping.title", &[("target", &target)])];
        let percent = if loss.fract() == 0.0 { format!("{loss:.0}") } else { format!("{loss:.4}") };
        let percent = if percent.contains('.') { percent.trim_end_matches('0').to_owned() } else { percent };
        let mut counts = say("ping.sent", &[("sent", &sent), ("received", &tally.received)]);
        for (key, count) in
            [("ping.duplicates", tally.duplicates), ("ping.errors", tally.errors), ("ping.late", tally.late)]
        {
            if count > 0 {
                counts += &say(key, &[("count", &count)]);
            }
        }
        counts += &say("ping.loss", &[("percent", &percent), ("time", &took.as_millis())]);
        lines.push(counts);
        lines.extend(tally.times.as_ping());
        talk.out.result(&lines.join("\n"))
    }
}

impl Course for Ping {
    fn wants(&self) -> bool {
        let awaited = self.index - self.tally.ended;
        self.index < self.total && awaited < self.in_flight as u64
    }

    fn packet(&mut self) -> Result<Packet, Failure> {
        let mut packet = self.packets.packet(self.index, self.entropy)?;
        self.index += 1;
        self.number(&mut packet);
        self.target = self.target.or_else(|| destination(&packet));
        Ok(packet)
    }

    fn started(&mut self, _talk: &Talk<'_>, probe: ProbeId) {
        if self.open.len() == KEPT_MAX {
            self.open.pop_first();
        }
        self.open.insert(probe, self.index);
    }

    fn sent(&mut self, talk: &mut Talk<'_>, sent: &Sent) -> Result<(), Failure> {
        let left = matches!(&sent.fate, Fate::Left(left) if !left.lost_in_queue);
        self.tally.lost_here += u64::from(!left);
        if sent.id == 0 && !talk.out.json {
            let target = self.target.map_or_else(String::new, |target| target.to_string());
            talk.out.result(&say("ping.begin", &[("target", &target), ("bytes", &sent.built.bytes.len())]))?;
        }
        if left || talk.out.json { Ok(()) } else { talk.sent(sent) }
    }

    fn answered(&mut self, talk: &mut Talk<'_>, heard: &HeardAnswer) -> Result<(), Failure> {
        let answer = &heard.answer;
        let Some(&seq) = self.open.get(&answer.probe) else { return Ok(()) };
        match (answer.order, answer.kind) {
            (Order::Late, _) => self.tally.late += 1,
            (Order::Duplicate, _) => self.tally.duplicates += 1,
            (_, AnswerKind::IcmpError(_)) => self.tally.errors += 1,
            _ => {
                self.tally.received += 1;
                self.tally.times.add(answer.rtt);
            }
        }
        if answer.order == Order::First && answer.kind.is_final() {
            self.tally.ended += 1;
            self.tally.unmet +=
                u64::from(self.expect.as_ref().is_some_and(|expect| !expect.is_met(Some(&answer.kind))));
        }
        self.line(talk, heard, seq)
    }

    fn silent(&mut self, talk: &mut Talk<'_>, probe: ProbeId) -> Result<(), Failure> {
        let Some(&seq) = self.open.get(&probe) else { return Ok(()) };
        self.tally.ended += 1;
        self.tally.unmet += u64::from(self.expect.as_ref().is_some_and(|expect| !expect.is_met(None)));
        if talk.out.json {
            return talk.out.json_line(&json!({"v": 1, "event": "silence", "number": seq}));
        }
        talk.out.result(&say("ping.silence", &[("seq", &seq)]))
    }

    fn is_over(&self) -> bool {
        self.tally.ended >= self.total
    }
}
