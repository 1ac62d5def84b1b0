//! `ww trace --paths`: all ways to a host, which flow takes which, where they part and meet.

use std::fmt::Display;

use craft::Packet;
use hand::probes::{Order, ProbeId};
use hand::trace::{Asking, CONFIDENCE_PERCENT, FLOWS_MAX, Heard, PathWishes, Paths, Stage};
use net::hand::{Fate, HeardAnswer, Sent};

use super::trace::{IN_FLIGHT, Job, exit};
use super::{Course, run, ttl_of};
use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::Place;
use crate::speech::{say, words};
use crate::verbs::many::{self, UNASKED_MAX};
use crate::verbs::send::Talk;

pub(super) fn paths(job: Job, options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    if !job.probes.may_differ() {
        return Err(Failure::usage("one-flow", say("error.trace-one-flow", &[]))
            .row("or", say("hint.trace-one-flow", &[]))
            .row("see", "ww help trace"));
    }
    let every = options.every.unwrap_or(many::EVERY);
    many::check(Some(1), every, options, place)?;
    let mut talk = Talk::begin("trace", options, out, place)?;
    job.title("trace.paths-title", out)?;
    let wishes = PathWishes {
        hops: job.hops,
        flows: options.probes.map_or(FLOWS_MAX, u16::from),
        in_flight: IN_FLIGHT,
        one_a_flow: job.probes.one_a_flow(),
    };
    let is_asked = matches!(place, Place::Machine) && !options.yes;
    let may_send = if is_asked { UNASKED_MAX } else { u64::MAX };
    let (paths, asking) = (Paths::new(wishes), Asking { ttl: 0, flow: 0 });
    let mut search = Search { job, paths, asking, may_send, hops: 0, widest: 0, is_open: false };
    let interrupted = run(&mut talk, &mut search, every)?;
    search.is_open |= !search.paths.is_over();
    while let Some(stage) = search.paths.poll_unsettled() {
        search.stage(&talk, &stage)?;
    }
    search.summary(&talk, interrupted)?;
    talk.why()?;
    Ok(exit(interrupted, search.paths.is_reached()))
}

struct Search {
    job: Job,
    paths: Paths,
    /// The packet made last.
    asking: Asking,
    /// Packets that may leave without anybody's word (law 8).
    may_send: u64,
    hops: u8,
    /// How many interfaces the hop told last has.
    widest: usize,
    /// A hop may have more interfaces than were found, or the search ended before it was through.
    is_open: bool,
}

impl Search {
    fn tell(&mut self, talk: &Talk<'_>) -> Result<(), Failure> {
        while let Some(stage) = self.paths.poll_stage() {
            self.stage(talk, &stage)?;
        }
        Ok(())
    }

    fn stage(&mut self, talk: &Talk<'_>, stage: &Stage) -> Result<(), Failure> {
        let had = std::mem::replace(&mut self.widest, stage.met.len());
        self.hops = stage.ttl;
        // Where packets are spread, the rule that counts flows says nothing.
        self.is_open |= stage.is_open || stage.by_packet;
        if talk.out.json {
            return talk.out.json_line(&render::stage_json(stage));
        }
        talk.out.result(&render::stage(stage, had > 1, &talk.out.style, words()))
    }

    fn is_at_limit(&self) -> bool {
        self.job.probes.made() >= self.may_send
    }

    fn summary(&self, talk: &Talk<'_>, interrupted: bool) -> Result<(), Failure> {
        let (ways, reached, sent) = (self.paths.ways(), self.paths.is_reached(), self.job.probes.made());
        let port = |flow| self.job.probes.port_of(flow);
        if talk.out.json {
            let mut json = render::ways_json(&ways, port);
            json["v"] = 1.into();
            json["event"] = "summary".into();
            json["target"] = self.job.target.to_string().into();
            json["reached"] = reached.into();
            json["hops"] = self.hops.into();
            json["probes"] = sent.into();
            json["confidence_percent"] = CONFIDENCE_PERCENT.into();
            json["complete"] = (!self.is_open).into();
            return talk.out.json_line(&json);
        }
        let mut lines = Vec::new();
        // That there is one way is said only where the search was sure of it.
        let is_told = !ways.part.is_empty() || ways.by_packet.is_some();
        if is_told || self.paths.is_over() && !self.is_open {
            lines = render::ways(&ways, port, &talk.out.style, words());
        }
        if self.is_at_limit() && !self.paths.is_over() {
            lines.push(say("trace.limit", &[("count", &sent)]));
        } else if !interrupted && !reached {
            lines.push(say("trace.not-reached", &[("target", &self.job.target)]));
        }
        let values: [(&str, &dyn Display); 2] = [("probes", &sent), ("percent", &CONFIDENCE_PERCENT)];
        lines.push(if self.is_open { say("trace.probes", &values[..1]) } else { say("trace.sure", &values) });
        talk.out.result(&lines.join("\n"))
    }
}

impl Course for Search {
    fn wants(&self) -> bool {
        !self.is_at_limit() && self.paths.next_probe().is_some()
    }

    fn packet(&mut self) -> Result<Packet, Failure> {
        self.asking = self.paths.next_probe().unwrap_or(self.asking);
        self.job.probes.packet(self.asking)
    }

    fn started(&mut self, talk: &Talk<'_>, probe: ProbeId) {
        self.job.probes.started(talk, probe, self.asking.flow);
        self.paths.started(probe, self.asking);
    }

    fn sent(&mut self, talk: &mut Talk<'_>, sent: &Sent) -> Result<(), Failure> {
        match &sent.fate {
            Fate::Left(left) if !left.lost_in_queue => Ok(()),
            _ => talk.sent(sent),
        }
    }

    fn answered(&mut self, talk: &mut Talk<'_>, heard: &HeardAnswer) -> Result<(), Failure> {
        let answer = &heard.answer;
        let is_first = answer.order == Order::First && answer.kind.is_final();
        let Some((from, flow)) = answer.from.filter(|_| is_first).zip(self.paths.flow_of(answer.probe)) else {
            return Ok(());
        };
        let (at, rtt, kind, ttl) = (answer.at, answer.rtt, answer.kind, ttl_of(heard));
        let is_target = from == self.job.target;
        self.paths.answered(answer.probe, Heard { flow, from, at, rtt, kind, ttl, quoted: None, is_target });
        self.tell(talk)
    }

    fn silent(&mut self, talk: &mut Talk<'_>, probe: ProbeId) -> Result<(), Failure> {
        self.paths.silent(probe);
        self.tell(talk)
    }

    fn is_over(&self) -> bool {
        self.paths.is_over()
    }
}
