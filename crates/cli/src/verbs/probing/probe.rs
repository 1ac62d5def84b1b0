//! `ww probe`: which ports are open, and why it is thought so.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use std::net::IpAddr;

use craft::{Packet, Setting};
use hand::probes::{AnswerKind, Order, ProbeId};
use hand::{Expect, PortState, port_state};
use net::hand::{Fate, HeardAnswer, Sent};
use serde_json::json;

use super::{Course, destination, packets, run, ttl_of};
use crate::command::Options;
use crate::context;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::packets::Packets;
use crate::place::Place;
use crate::speech::{say, words};
use crate::verbs::many;
use crate::verbs::send::{Talk, expectation};

/// Times that a silent port is asked, unless told otherwise.
const TRIES: u8 = 2;

pub(crate) fn probe(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let packets = packets("probe", options, place, |words| {
        let mut words = words.into_iter();
        let (host, ports) = (words.next().unwrap_or_default(), words.next());
        // An IPv6 address and its port are two words; a name and its port are one.
        let aim = match ports {
            Some(ports) if host.parse::<std::net::Ipv6Addr>().is_ok() => vec![host, format!(":{ports}")],
            Some(ports) => vec![format!("{host}:{ports}")],
            None => vec![host],
        };
        [vec!["tcp".to_owned()], aim, vec!["S".to_owned()], words.collect()].concat()
    })?;
    let every = options.every.unwrap_or(many::EVERY);
    let tries = options.probes.unwrap_or(TRIES);
    let total = options.count.or(packets.count());
    many::check(total, every, options, place)?;
    let expect = options.expect.as_deref().map(expectation).transpose()?;
    let mut talk = Talk::begin("probe", options, out, place)?;
    let mut probing = Probing {
        packets,
        entropy: context::entropy(options.seed),
        total: total.unwrap_or(u64::MAX),
        tries,
        index: 0,
        again: VecDeque::new(),
        made: None,
        in_flight: many::in_flight_max(),
        open: BTreeMap::new(),
        over: BTreeMap::new(),
        found: BTreeMap::new(),
    };
    let begun = talk.session.now();
    let interrupted = run(&mut talk, &mut probing, every)?;
    let took = talk.session.now().since(begun);
    probing.tell(out)?;
    probing.summary(out, took)?;
    talk.why()?;
    Ok(if interrupted { Exit::Interrupted } else { probing.exit(expect.as_ref()) })
}

/// The most probes whose late answers count: as many as a session matches.
const OVER_MAX: usize = 4096;

/// A port that is asked.
#[derive(Clone)]
struct Asked {
    packet: Packet,
    /// Times it was asked.
    tries: u8,
}

impl Asked {
    fn is_udp(&self) -> bool {
        self.packet.layers.iter().any(|layer| layer.key() == "udp")
    }
}

/// A port of a host, by the protocol.
type Port = (IpAddr, &'static str, u16);

/// What was found of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    state: PortState,
    answer: Option<AnswerKind>,
    from: Option<IpAddr>,
    ttl: Option<u8>,
    tries: u8,
}

impl Found {
    /// The reason, as people read it: the same for ports that have the same.
    fn reason(&self, host: IpAddr) -> String {
        let Some(kind) = &self.answer else { return say("probe.silence", &[("tries", &self.tries)]) };
        let what = match kind {
            AnswerKind::SynAck { .. } => "SA".to_owned(),
            AnswerKind::UdpReply { .. } => say("probe.udp-reply", &[]),
            AnswerKind::ChallengeAck { .. } => "A".to_owned(),
            AnswerKind::Segment { flags, .. } => flags.to_string(),
            kind => render::answer_kind(kind, words()),
        };
        let from = self.from.filter(|from| *from != host);
        let by = from.map_or_else(String::new, |from| format!(" {}", say("answer.from", &[("address", &from)])));
        let ttl = self.ttl.map_or_else(String::new, |ttl| format!(", ttl {ttl}"));
        format!("{what}{by}{ttl}")
    }
}

struct Probing {
    packets: Packets,
    entropy: [u8; 32],
    total: u64,
    tries: u8,
    index: u64,
    again: VecDeque<Asked>,
    made: Option<Asked>,
    /// The most that await an answer together.
    in_flight: usize,
    open: BTreeMap<ProbeId, Asked>,
    /// Probes whose time was over: an answer that comes all the same is one.
    over: BTreeMap<ProbeId, Asked>,
    found: BTreeMap<Port, Found>,
}

impl Probing {
    fn find(&mut self, asked: &Asked, found: Found) {
        let Some(port) = port_of(&asked.packet) else { return };
        self.again.retain(|asked| port_of(&asked.packet) != Some(port));
        self.found.insert(port, found);
    }

    /// Whether another probe of the port was answered.
    fn is_answered(&self, asked: &Asked) -> bool {
        let found = port_of(&asked.packet).and_then(|port| self.found.get(&port));
        found.is_some_and(|found| found.answer.is_some())
    }

    /// Ports that stand beside one another and have the same reason are one line.
    fn tell(&self, out: &Output) -> Result<(), Failure> {
        if out.json {
            return self.found.iter().try_for_each(|(port, found)| out.json_line(&port_json(port, found)));
        }
        let several = self.found.keys().any(|port| port.0 != self.found.keys().next().map_or(port.0, |first| first.0));
        let mut rows = self.found.iter().map(|(port, found)| (port, found, found.reason(port.0))).peekable();
        while let Some((&(host, layer, first), found, reason)) = rows.next() {
            let mut last = first;
            while let Some((&(_, _, port), ..)) = rows.next_if(|(next, other, why)| {
                (next.0, next.1) == (host, layer) && other.state == found.state && *why == reason && next.2 == last + 1
            }) {
                last = port;
            }
            let ports = if first == last { first.to_string() } else { format!("{first}..{last}") };
            let host = if several { format!("{host} ") } else { String::new() };
            let name = if first == last { port_name(first) } else { "" };
            let state = say(&format!("probe.{}", found.state.word()), &[]);
            let pad = 9_usize.saturating_sub(render::columns(&state));
            out.result(format!("{host}{layer} {ports:<12} {state}{:pad$}  {reason}  {name}", "").trim_end())?;
        }
        Ok(())
    }

    fn summary(&self, out: &Output, took: std::time::Duration) -> Result<(), Failure> {
        let count = |state| self.found.values().filter(|found| found.state == state).count();
        let states =
            [PortState::Open, PortState::Closed, PortState::Filtered, PortState::OpenOrFiltered, PortState::Unfiltered];
        if out.json {
            let counts: serde_json::Map<_, _> =
                states.iter().map(|state| (state.word().to_owned(), count(*state).into())).collect();
            return out.json_line(&json!({"v": 1, "event": "summary", "ports": self.found.len(), "states": counts,
                "seconds": took.as_secs_f64()}));
        }
        let parts = states.iter().filter(|state| count(**state) > 0);
        let parts: Vec<String> =
            parts.map(|state| format!("{} {}", count(*state), say(&format!("probe.{}", state.word()), &[]))).collect();
        let values: [(&str, &dyn Display); 3] =
            [("ports", &self.found.len()), ("states", &parts.join(", ")), ("time", &render::duration(took))];
        out.result(&say("probe.summary", &values))
    }

    fn exit(&self, expect: Option<&Expect>) -> Exit {
        let answered = self.found.values().any(|found| found.answer.is_some());
        match expect {
            None if answered => Exit::Answered,
            None => Exit::NoAnswer,
            Some(expect) if self.found.values().all(|found| expect.is_met(found.answer.as_ref())) => Exit::Answered,
            Some(_) if answered => Exit::Unexpected,
            Some(_) => Exit::NoAnswer,
        }
    }
}

impl Course for Probing {
    fn wants(&self) -> bool {
        (self.index < self.total || !self.again.is_empty()) && self.open.len() < self.in_flight
    }

    fn packet(&mut self) -> Result<Packet, Failure> {
        // What was silent once is asked again before others are asked for the first time.
        let asked = match self.again.pop_front() {
            Some(asked) => asked,
            None => {
                let packet = self.packets.packet(self.index, self.entropy)?;
                self.index += 1;
                Asked { packet, tries: 0 }
            }
        };
        let packet = asked.packet.clone();
        self.made = Some(asked);
        Ok(packet)
    }

    fn started(&mut self, _talk: &Talk<'_>, probe: ProbeId) {
        if let Some(mut asked) = self.made.take() {
            asked.tries += 1;
            self.open.insert(probe, asked);
        }
    }

    fn sent(&mut self, talk: &mut Talk<'_>, sent: &Sent) -> Result<(), Failure> {
        match &sent.fate {
            Fate::Left(left) if !left.lost_in_queue => Ok(()),
            _ => talk.sent(sent),
        }
    }

    fn answered(&mut self, _talk: &mut Talk<'_>, heard: &HeardAnswer) -> Result<(), Failure> {
        let answer = &heard.answer;
        if !answer.kind.is_final() {
            return Ok(());
        }
        let asked = match answer.order {
            Order::First => self.open.remove(&answer.probe),
            // It has been asked again, or will be: neither is needed any more.
            Order::Late => self.over.remove(&answer.probe).filter(|asked| !self.is_answered(asked)),
            _ => None,
        };
        let Some(asked) = asked else { return Ok(()) };
        let by_host = answer.from.is_some() && answer.from == destination(&asked.packet);
        let state = port_state(asked.is_udp(), Some(&answer.kind), by_host);
        let found =
            Found { state, answer: Some(answer.kind), from: answer.from, ttl: ttl_of(heard), tries: asked.tries };
        self.find(&asked, found);
        Ok(())
    }

    fn silent(&mut self, _talk: &mut Talk<'_>, probe: ProbeId) -> Result<(), Failure> {
        let Some(asked) = self.open.remove(&probe) else { return Ok(()) };
        if self.is_answered(&asked) {
            return Ok(());
        }
        if self.over.len() == OVER_MAX {
            self.over.pop_first();
        }
        self.over.insert(probe, asked.clone());
        if asked.tries < self.tries {
            self.again.push_back(asked);
            return Ok(());
        }
        let state = port_state(asked.is_udp(), None, false);
        self.find(&asked, Found { state, answer: None, from: None, ttl: None, tries: asked.tries });
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.index >= self.total && self.again.is_empty() && self.open.is_empty()
    }
}

fn port_of(packet: &Packet) -> Option<Port> {
    let transport = packet.layers.iter().find(|layer| matches!(layer.key(), "tcp" | "udp"))?;
    let Some(Setting::Exactly(port)) = transport.get("dport") else { return None };
    Some((destination(packet)?, transport.key(), u16::try_from(port).ok()?))
}

fn port_name(port: u16) -> &'static str {
    let field = wire::tcp::DESC.field("dport");
    field.and_then(|field| field.word_for(port.into())).map_or("", |name| name.word)
}

fn port_json((host, layer, port): &Port, found: &Found) -> serde_json::Value {
    json!({"v": 1, "event": "port", "host": host.to_string(), "layer": layer, "port": port, "state": found.state.word(),
        "answer": found.answer.as_ref().map(AnswerKind::word), "from": found.from.map(|from| from.to_string()),
        "ttl": found.ttl, "tries": found.tries, "reason": found.reason(*host)})
}
