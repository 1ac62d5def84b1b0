//! `ww trace`: the way to a host, hop by hop, and what happens to a packet on it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use craft::{First, Packet, Setting};
use hand::probes::{Order, ProbeId};
use hand::trace::{Asking, Heard, Other, Told, Trace, Wishes};
use net::hand::{Fate, HeardAnswer, Sent};
use render::Ink;
use serde_json::json;

use super::probes::{Probes, ttl_key};
use super::{Course, destination, echo_layer, live, packets, paths, run, ttl_of};
use crate::command::Options;
use crate::context;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::Place;
use crate::speech::{say, words};
use crate::verbs::many;
use crate::verbs::send::Talk;

/// As traceroute has them since 1988.
const HOPS: u8 = 30;
pub(super) const EACH: u8 = 3;
/// Further flows to each hop, in search of a split: six miss one of two ways in 3 of 100 traces, three in 25.
const SCOUTS: u8 = 3;
/// Probes on the way together.
pub(super) const IN_FLIGHT: usize = 16;

/// What a trace is of.
pub(super) struct Job {
    pub(super) probes: Probes,
    pub(super) target: IpAddr,
    pub(super) hops: u8,
    pub(super) protocol: &'static str,
}

pub(crate) fn trace(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let others = [("classic", options.classic), ("live", options.live), ("count", options.count.is_some())];
    let conflict = others.into_iter().find(|(_, is_set)| *is_set && options.paths);
    if let Some((id, _)) = conflict {
        let text = say("error.option-conflict.paths", &[("option", &format!("--{id}"))]);
        return Err(Failure::usage("option-conflict", text).row("see", "ww help trace"));
    }
    let mut packets = packets("trace", options, place, |words| {
        let echo = echo_layer(&words[0], options, place).to_owned();
        [vec![echo], words].concat()
    })?;
    if packets.count() != Some(1) {
        return Err(Failure::usage("one-packet", say("error.trace-many", &[])).row("see", "ww help trace"));
    }
    let entropy = context::entropy(options.seed);
    let first = packets.packet(0, entropy)?;
    let (target, protocol) = aim(&first)?;
    let probes = Probes::new(packets, entropy, &first, options.classic);
    let job = Job { probes, target, hops: options.hops.unwrap_or(HOPS), protocol };
    match () {
        () if options.paths => paths::paths(job, options, out, place),
        () if options.live || options.count.is_some() => live::live(job, options, out, place),
        () => once(job, options, out, place),
    }
}

impl Job {
    /// The first line.
    pub(super) fn title(&self, key: &str, out: &Output) -> Result<(), Failure> {
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("target", &self.target), ("protocol", &self.protocol), ("hops", &self.hops)];
        if out.json { Ok(()) } else { out.result(&say(key, &values)) }
    }
}

/// Each hop once.
fn once(job: Job, options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let each = options.probes.unwrap_or(EACH);
    let every = options.every.unwrap_or(many::EVERY);
    many::check(Some(u64::from(each) * u64::from(job.hops)), every, options, place)?;
    let mut talk = Talk::begin("trace", options, out, place)?;
    job.title("trace.title", out)?;
    let Job { probes, target, hops, .. } = job;
    // Who says how many probes a hop is to have gets so many.
    let scouts = if options.probes.is_none() && probes.may_differ() { SCOUTS } else { 0 };
    let wishes = Wishes { each, hops, in_flight: IN_FLIGHT, one_a_flow: probes.one_a_flow(), scouts };
    let mut tracing = Tracing {
        probes,
        target,
        asking: Asking { ttl: 0, flow: 0 },
        trace: Trace::new(wishes),
        left: BTreeMap::new(),
        told: 0,
        ended_by: None,
    };
    let interrupted = run(&mut talk, &mut tracing, every)?;
    let reached = tracing.trace.is_reached();
    if out.json {
        out.json_line(&json!({"v": 1, "event": "summary", "target": target.to_string(), "reached": reached,
            "hops": tracing.told}))?;
    } else if !interrupted && !reached {
        let said = match tracing.ended_by {
            Some(router) => say("trace.ended", &[("target", &target), ("router", &router)]),
            None => say("trace.not-reached", &[("target", &target)]),
        };
        out.result(&said)?;
    }
    talk.why()?;
    Ok(exit(interrupted, reached))
}

pub(super) fn exit(interrupted: bool, reached: bool) -> Exit {
    match reached {
        _ if interrupted => Exit::Interrupted,
        true => Exit::Answered,
        false => Exit::NoAnswer,
    }
}

/// Whom the probes are for, and by which protocol.
fn aim(packet: &Packet) -> Result<(IpAddr, &'static str), Failure> {
    let ip = packet.layers.iter().find(|layer| matches!(layer.key(), "ip" | "ip6"));
    let Some((ip, target)) = ip.zip(destination(packet)) else {
        return Err(Failure::usage("trace-no-ip", say("error.trace-no-ip", &[])).row("see", "ww help trace"));
    };
    if ip.get(ttl_key(ip.key())) != Some(Setting::Auto) {
        return Err(Failure::usage("trace-ttl", say("error.trace-ttl", &[])).row("or", "--hops N"));
    }
    let protocol =
        packet.layers.iter().map(|layer| layer.key()).find(|key| matches!(*key, "tcp" | "udp" | "icmp" | "icmp6"));
    Ok((target, protocol.unwrap_or(ip.key())))
}

struct Tracing {
    probes: Probes,
    target: IpAddr,
    /// The packet made last.
    asking: Asking,
    trace: Trace,
    /// Each probe as it left.
    left: BTreeMap<ProbeId, (Vec<u8>, First)>,
    told: u8,
    /// Who says that no probe goes on from there, and is not the target.
    ended_by: Option<IpAddr>,
}

impl Tracing {
    fn tell(&mut self, talk: &Talk<'_>) -> Result<(), Failure> {
        while let Some(told) = self.trace.poll_hop() {
            self.told = told.hop.ttl;
            self.ended_by = told.hop.ended_by();
            self.hop(talk, &told)?;
        }
        let Some(Other { ttl, flow, from }) = self.trace.poll_other() else { return Ok(()) };
        if talk.out.json {
            let other = json!({"v": 1, "event": "split", "ttl": ttl, "flow": flow + 1, "from": from.to_string()});
            return talk.out.json_line(&other);
        }
        let values: [(&str, &dyn std::fmt::Display); 3] = [("ttl", &ttl), ("flow", &(flow + 1)), ("router", &from)];
        let wrapped = render::wrap(&say("trace.other", &values), talk.out.style.width.saturating_sub(4));
        let painted = wrapped.iter().map(|line| format!("    {}", talk.out.style.paint(Ink::Note, line)));
        talk.out.result(&painted.collect::<Vec<_>>().join("\n"))
    }

    fn hop(&self, talk: &Talk<'_>, told: &Told) -> Result<(), Failure> {
        if talk.out.json {
            return talk.out.json_line(&render::hop_json(told));
        }
        talk.out.result(&render::hop(told, &talk.out.style, words()))
    }
}

impl Course for Tracing {
    fn wants(&self) -> bool {
        self.trace.next_probe().is_some()
    }

    fn packet(&mut self) -> Result<Packet, Failure> {
        self.asking = self.trace.next_probe().unwrap_or(self.asking);
        self.probes.packet(self.asking)
    }

    fn started(&mut self, talk: &Talk<'_>, probe: ProbeId) {
        self.probes.started(talk, probe, self.asking.flow);
        self.trace.started(probe, self.asking);
    }

    fn sent(&mut self, talk: &mut Talk<'_>, sent: &Sent) -> Result<(), Failure> {
        if let Fate::Left(left) = &sent.fate
            && !left.lost_in_queue
        {
            self.left.insert(sent.id, (left.packet_bytes().to_vec(), sent.built.first));
            return Ok(());
        }
        talk.sent(sent)
    }

    fn answered(&mut self, talk: &mut Talk<'_>, heard: &HeardAnswer) -> Result<(), Failure> {
        let answer = &heard.answer;
        let Some(from) = answer.from.filter(|_| answer.order == Order::First && answer.kind.is_final()) else {
            return Ok(());
        };
        let left = self.left.get(&answer.probe);
        let quoted = left.and_then(|(sent, first)| hand::quoted((&heard.bytes, heard.first), (sent, *first)));
        let Some(flow) = self.trace.flow_of(answer.probe) else { return Ok(()) };
        let (at, rtt, kind, ttl) = (answer.at, answer.rtt, answer.kind, ttl_of(heard));
        let is_target = from == self.target;
        self.trace.answered(answer.probe, Heard { flow, from, at, rtt, kind, ttl, quoted, is_target });
        self.tell(talk)
    }

    fn silent(&mut self, talk: &mut Talk<'_>, probe: ProbeId) -> Result<(), Failure> {
        self.trace.silent(probe);
        self.tell(talk)
    }

    fn is_over(&self) -> bool {
        self.trace.is_over()
    }
}
