//! `ww trace --live` and `-c`: the way round after round, on a terminal a table that is kept up to date.

use std::fmt::Display;
use std::time::Duration;

use craft::Packet;
use hand::probes::{Order, ProbeId};
use hand::trace::{Asking, Heard, RoundWishes, Rounds};
use net::hand::{Fate, HeardAnswer, Sent};
use serde_json::json;
use units::Instant;

use super::trace::{EACH, Job, exit};
use super::{Course, run, ttl_of};
use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::Place;
use crate::speech::{say, words};
use crate::table::{self, Table};
use crate::verbs::many::{self, UNASKED_MAX};
use crate::verbs::send::Talk;

/// From the begin of a round to that of the next unless told otherwise.
const EVERY: Duration = Duration::from_secs(1);

pub(super) fn live(job: Job, options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let every = options.every.unwrap_or(EVERY);
    many::check(Some(1), every, options, place)?;
    let mut talk = Talk::begin("trace", options, out, place)?;
    let now = talk.session.now();
    let wishes = RoundWishes {
        hops: job.hops,
        flows: options.probes.unwrap_or(EACH).into(),
        rounds: options.count.unwrap_or(u64::MAX),
        every,
        one_a_flow: job.probes.one_a_flow(),
    };
    let is_asked = matches!(place, Place::Machine) && !options.yes;
    let may_send = if is_asked { UNASKED_MAX } else { u64::MAX };
    let table = table::is_possible(out).then(Table::new);
    let rounds = Rounds::new(now, wishes);
    let mut live = Live { job, rounds, asking: Asking { ttl: 0, flow: 0 }, now, may_send, table, changed: true };
    let ran = run(&mut talk, &mut live, many::EVERY);
    live.finish(out)?;
    let interrupted = ran?;
    talk.why()?;
    Ok(exit(interrupted, live.rounds.is_reached()))
}

struct Live {
    job: Job,
    rounds: Rounds,
    /// The packet made last.
    asking: Asking,
    /// The moment of this turn.
    now: Instant,
    /// Packets that may leave without anybody's word (law 8).
    may_send: u64,
    /// `None`: standard output is no terminal.
    table: Option<Table>,
    /// Since the table was drawn.
    changed: bool,
}

impl Live {
    fn is_at_limit(&self) -> bool {
        self.job.probes.made() >= self.may_send
    }

    /// The title and the table.
    fn lines(&self, width: usize, is_going: bool) -> Vec<String> {
        let values: [(&str, &dyn Display); 3] =
            [("target", &self.job.target), ("protocol", &self.job.protocol), ("round", &self.rounds.round())];
        let key = if is_going { "trace.live-title" } else { "trace.rounds-title" };
        let mut lines = render::wrap(&say(key, &values), width);
        lines.extend(render::hop_table(self.rounds.hops(), width, words()));
        lines
    }

    /// The table as it is at the end, and what else is to be said.
    fn finish(&mut self, out: &Output) -> Result<(), Failure> {
        let (target, reached, sent) = (self.job.target, self.rounds.is_reached(), self.job.probes.made());
        if out.json {
            self.rounds.hops().iter().try_for_each(|hop| out.json_line(&render::hop_times_json(hop)))?;
            let is_cut_short = self.is_at_limit() && !self.rounds.is_over();
            return out.json_line(
                &json!({"v": 1, "event": "summary", "target": target.to_string(), "reached": reached,
                "hops": self.rounds.hops().len(), "rounds": self.rounds.round(), "probes": sent,
                "limit": is_cut_short}),
            );
        }
        let mut end = Vec::new();
        if self.is_at_limit() && !self.rounds.is_over() {
            end.push(say("trace.limit", &[("count", &sent)]));
        }
        if !reached {
            end.push(say("trace.not-reached", &[("target", &target)]));
        }
        match self.table.take() {
            Some(mut table) => table.finish(out, |width| {
                let end = end.iter().flat_map(|sentence| render::wrap(sentence, width));
                self.lines(width, false).into_iter().chain(end).collect()
            }),
            None => out.result(&[self.lines(usize::MAX, false), end].concat().join("\n")),
        }
    }

    /// One probe's end as JSON.
    fn told(&mut self, out: &Output, asking: Asking, heard: Option<&Heard>) -> Result<(), Failure> {
        self.changed = true;
        if !out.json {
            return Ok(());
        }
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        out.json_line(&json!({"v": 1, "event": "probe", "round": self.rounds.round(), "ttl": asking.ttl,
            "flow": asking.flow + 1, "from": heard.map(|it| it.from.to_string()),
            "rtt_ns": heard.map(|it| nanos(it.rtt)), "answer": heard.map(|it| it.kind.word())}))
    }
}

impl Course for Live {
    fn turn(&mut self, talk: &Talk<'_>, now: Instant) -> Result<(), Failure> {
        self.now = now;
        let Some(mut table) = self.table.take_if(|table| self.changed && table.due() <= now) else { return Ok(()) };
        self.changed = false;
        table.draw(now, talk.out, |width| self.lines(width, true))?;
        self.table = Some(table);
        Ok(())
    }

    fn wake(&self) -> Option<Instant> {
        let round = self.rounds.poll_timeout().filter(|_| !self.is_at_limit());
        let draw = self.table.as_ref().filter(|_| self.changed).map(Table::due);
        round.into_iter().chain(draw).min()
    }

    fn wants(&self) -> bool {
        !self.is_at_limit() && self.rounds.next_probe(self.now).is_some()
    }

    fn packet(&mut self) -> Result<Packet, Failure> {
        self.asking = self.rounds.next_probe(self.now).unwrap_or(self.asking);
        self.job.probes.packet(self.asking)
    }

    fn started(&mut self, talk: &Talk<'_>, probe: ProbeId) {
        self.job.probes.started(talk, probe, self.asking.flow);
        self.rounds.started(self.now, probe, self.asking);
        self.changed = true;
    }

    fn sent(&mut self, talk: &mut Talk<'_>, sent: &Sent) -> Result<(), Failure> {
        match &sent.fate {
            Fate::Left(left) if !left.lost_in_queue => Ok(()),
            // A line amid the table would tear it; what did not leave is counted as lost.
            _ if self.table.is_some() => Ok(()),
            _ => talk.sent(sent),
        }
    }

    fn answered(&mut self, talk: &mut Talk<'_>, heard: &HeardAnswer) -> Result<(), Failure> {
        let answer = &heard.answer;
        let is_first = answer.order == Order::First && answer.kind.is_final();
        let Some((from, asking)) = answer.from.filter(|_| is_first).zip(self.rounds.asking_of(answer.probe)) else {
            return Ok(());
        };
        let (flow, at, rtt, kind, ttl) = (asking.flow, answer.at, answer.rtt, answer.kind, ttl_of(heard));
        let is_target = from == self.job.target;
        let heard = Heard { flow, from, at, rtt, kind, ttl, quoted: None, is_target };
        self.rounds.answered(answer.probe, &heard);
        self.told(talk.out, asking, Some(&heard))
    }

    fn silent(&mut self, talk: &mut Talk<'_>, probe: ProbeId) -> Result<(), Failure> {
        let Some(asking) = self.rounds.asking_of(probe) else { return Ok(()) };
        self.rounds.silent(probe);
        self.told(talk.out, asking, None)
    }

    fn is_over(&self) -> bool {
        self.rounds.is_over()
    }
}
