//! `ww send` and `ww ask`: packets onto the wire, shown as they left; answers shown when they come.

use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};
use std::net::IpAddr;

use craft::{First, Host, Packet};
use hand::probes::{AnswerKind, ProbeId};
use hand::{Could, Expect};
use net::hand::{
    Counters, Event, Fate, Guarding, HeardAnswer, NoGuard, Options as SessionOptions, Role, Sent, Session,
};
use render::{Catalogue, Ink};
use serde_json::json;

use super::many::{self, Many};
use super::replay;
use crate::command::Options;
use crate::context;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::names;
use crate::output::Output;
use crate::packets::{Asked, Packets};
use crate::place::Place;
use crate::record::Recording;
use crate::said;
use crate::speech::{say, words};

/// The most probes whose bytes are kept: as many as a session matches.
const FLYING_MAX: usize = 4096;

/// Columns of the word in front of a line of results.
const WORD_COLUMNS: usize = 8;

/// How a session of `net` is to send and wait.
///
/// # Errors
/// `--to` that is neither an address nor a name.
pub(crate) fn session_options(options: &Options, place: &Place<'_>) -> Result<SessionOptions, Failure> {
    let mut session = SessionOptions {
        to: options.to.as_deref().map(host),
        interface: options.iface.clone(),
        families: names::families(options),
        names: place.names(options),
        limit: options.frag,
        leave: options.leave,
        wish: options.guard_wish(),
        seed: options.seed.map(|seed| context::entropy(Some(seed))),
        ..SessionOptions::default()
    };
    if let Some(wait) = options.wait {
        session.wait = wait;
    }
    Ok(session)
}

fn host(text: &str) -> Host {
    text.parse::<IpAddr>().map_or_else(|_| Host::Name(text.to_owned()), Host::Address)
}

/// `ww send`.
pub(crate) fn send(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let mut packets = match Packets::or_capture("send", options, place)? {
        Asked::Capture(opened) => return replay::send(opened, options, out, place),
        Asked::Packets(packets) => packets,
    };
    resolve_many(&mut packets, "send", options, place)?;
    let many = Many::of(&packets, options, place)?;
    let mut talk = Talk::begin("send", options, out, place)?;
    if let Some(mut many) = many {
        talk.many = true;
        let send = if many.is_counted() { many::send_counted } else { many::send };
        let exit = send(&mut talk, &mut many)?;
        return talk.why().map(|()| exit);
    }
    let packet = packets.packet(0, context::entropy(options.seed))?;
    let sent = talk.session.send_each(&packet).map_err(|error| talk.explain(&error))?;
    for sent in &sent {
        talk.sent(sent)?;
    }
    talk.why()?;
    let have_left = sent.iter().all(|sent| matches!(&sent.fate, Fate::Left(left) if !left.lost_in_queue));
    Ok(if have_left { Exit::Answered } else { Exit::CouldNotSend })
}

/// `ww ask`.
pub(crate) fn ask(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let expect = options.expect.as_deref().map(expectation).transpose()?;
    let mut packets = Packets::read("ask", options, place)?;
    resolve_many(&mut packets, "ask", options, place)?;
    let many = Many::of(&packets, options, place)?;
    let mut talk = Talk::begin("ask", options, out, place)?;
    if let Some(mut many) = many {
        talk.many = true;
        let exit = many::ask(&mut talk, &mut many, expect.as_ref())?;
        return talk.why().map(|()| exit);
    }
    let packet = packets.packet(0, context::entropy(options.seed))?;
    let answers = talk.ask(&packet)?;
    talk.why()?;
    Ok(match expect {
        None if answers.is_empty() => Exit::NoAnswer,
        None => Exit::Answered,
        Some(expect) if answers.is_empty() => {
            if expect.is_met(None) {
                Exit::Answered
            } else {
                Exit::NoAnswer
            }
        }
        Some(expect) if answers.iter().any(|kind| expect.is_met(Some(kind))) => Exit::Answered,
        Some(_) => Exit::Unexpected,
    })
}

/// The names of many packets are looked up once.
fn resolve_many(packets: &mut Packets, verb: &str, options: &Options, place: &Place<'_>) -> Result<(), Failure> {
    if packets.is_plain() && options.count.is_none() {
        return Ok(());
    }
    packets.resolve(verb, options, place)
}

pub(super) fn expectation(text: &str) -> Result<Expect, Failure> {
    Expect::parse(text).map_err(|error| {
        let values: [(&str, &dyn std::fmt::Display); 2] = [("text", &text), ("number", &(error.word + 1))];
        Failure::usage("expect", say("error.expect", &values)).row("here may stand", may_stand(error.could))
    })
}

/// What could stand in an expectation, in the language that is spoken.
fn may_stand(could: Could) -> String {
    say(&format!("hint.expect.{}", could.code()), &[])
}

/// One command's conversation with a session: everything that happens is printed and recorded.
pub(super) struct Talk<'a> {
    verb: &'static str,
    pub(super) options: &'a Options,
    pub(super) out: &'a Output,
    pub(super) place: &'a Place<'a>,
    pub(super) session: Session,
    recording: Option<Recording>,
    before: Option<Counters>,
    interface: String,
    /// The person's packet as it left, for saying what is wrong with it when nobody answers.
    left: Vec<(Vec<u8>, First)>,
    /// Probes as they left, for what their quotes show.
    flying: BTreeMap<ProbeId, (Vec<u8>, First)>,
    /// It is one of many: what is said of each is short, and nothing of it is kept.
    pub(super) many: bool,
    /// Notes of a plan are told once, however many packets they are about: the kinds that were.
    told: Option<Vec<Discriminant<hand::Note>>>,
}

impl<'a> Talk<'a> {
    pub(super) fn begin(
        verb: &'static str,
        options: &'a Options,
        out: &'a Output,
        place: &'a Place<'a>,
    ) -> Result<Self, Failure> {
        let recording = options.write.as_deref().map(Recording::begin).transpose()?;
        let before = options.why.then(Counters::read);
        let session = Session::open(session_options(options, place)?);
        let (interface, left, flying) = (String::new(), Vec::new(), BTreeMap::new());
        let (many, told) = (false, None);
        Ok(Self { verb, options, out, place, session, recording, before, interface, left, flying, many, told })
    }

    /// From now on each kind of note is told once.
    pub(super) fn notes_once(&mut self) {
        self.told = Some(Vec::new());
    }

    pub(super) fn explain(&self, error: &net::Error) -> Failure {
        explain::net(error, &Attempt { verb: self.verb, options: self.options, place: self.place })
    }

    /// Sends one packet and tells all that happens until nothing is awaited; what the person's own probe was answered.
    fn ask(&mut self, packet: &Packet) -> Result<Vec<AnswerKind>, Failure> {
        self.session.start(packet).map_err(|error| self.explain(&error))?;
        let mut answers = Vec::new();
        while let Some(event) = self.session.next_event().map_err(|error| self.explain(&error))? {
            match event {
                Event::Sent(sent) => self.sent(&sent)?,
                Event::Answer(answer) => {
                    answers.push(answer.answer.kind);
                    self.answered(&answer)?;
                }
                Event::TimedOut { .. } => self.silence()?,
                Event::Interrupted => {
                    return Err(Failure::new(Exit::Interrupted, "interrupted", say("error.interrupted", &[])));
                }
                _ => {}
            }
        }
        Ok(answers)
    }

    /// A packet left: the line is the wire, and what somebody else changed is marked.
    pub(super) fn sent(&mut self, sent: &Sent) -> Result<(), Failure> {
        self.record_sent(sent)?;
        // A fragment alone shows nothing that is wrong with the whole.
        if let (Role::Probe, None, Fate::Left(left), false) = (sent.role, sent.part, &sent.fate, self.many) {
            self.left.push((left.packet_bytes().to_vec(), sent.built.first));
        }
        if let (Role::Probe, None, Fate::Left(left)) = (sent.role, sent.part, &sent.fate) {
            if self.flying.len() == FLYING_MAX {
                self.flying.pop_first();
            }
            self.flying.insert(sent.id, (left.packet_bytes().to_vec(), sent.built.first));
        }
        if self.out.json {
            return self.out.json_line(&sent_json(sent));
        }
        self.sent_text(sent)?;
        if let Some(told) = &mut self.told {
            for kind in sent.plan.notes.iter().map(discriminant) {
                if !told.contains(&kind) {
                    told.push(kind);
                }
            }
        }
        Ok(())
    }

    /// Adds what left to the recording, if there is one.
    pub(super) fn record_sent(&mut self, sent: &Sent) -> Result<(), Failure> {
        self.interface.clone_from(&sent.plan.interface.name);
        self.recording.as_mut().map_or(Ok(()), |recording| recording.add_sent(sent))
    }

    fn sent_text(&self, sent: &Sent) -> Result<(), Failure> {
        let style = &self.out.style;
        let words = words();
        for note in &sent.built.notes {
            self.remark(&said::note(note));
        }
        match &sent.fate {
            Fate::Left(left) => {
                let (ink, key) = if left.lost_in_queue { (Ink::Bad, "word.lost") } else { (Ink::Title, "word.sent") };
                self.line(ink, key, &left.packet(&sent.built).to_string())?;
                let changed = render::changes(&sent.built, &left.changes, style);
                if !changed.is_empty() {
                    self.out.result(&format!("        {}", style.paint(Ink::Note, &changed)))?;
                }
                if left.lost_in_queue {
                    self.remark(&words.say("ask.lost", &[]));
                }
            }
            Fate::Held(held) => {
                self.line(Ink::Bad, "word.held", &wished(sent))?;
                let hop = held.next_hop.map_or_else(|| say("name.next-hop", &[]), |hop| hop.to_string());
                let values: [(&str, &dyn std::fmt::Display); 2] =
                    [("hop", &hop), ("protocol", &protocol(held.next_hop))];
                self.remark(&words.say("ask.held", &values));
            }
            Fate::Unread => {
                self.line(Ink::Bad, "word.unread", &wished(sent))?;
                self.remark(&words.say("ask.unread", &[]));
            }
        }
        if let Role::Close { .. } = sent.role {
            return self.out.result(&format!("        {}", style.paint(Ink::Dim, &words.say("ask.close", &[]))));
        }
        if self.out.verbose {
            self.out.result(&render::plan(&sent.plan, style, words))?;
        }
        let is_new = |note: &&hand::Note| self.told.as_ref().is_none_or(|told| !told.contains(&discriminant(*note)));
        for note in sent.plan.notes.iter().filter(is_new) {
            self.note(&render::plan_note(note, words));
        }
        if let Guarding::Without(NoGuard::Failed(error)) = &sent.guard {
            self.remark(&words.say("ask.no-guard", &[("error", &said::guard(error))]));
        }
        if let Guarding::Held { rung, .. } = &sent.guard
            && !rung.covers_every_peer()
        {
            self.remark(&words.say("guard.min-ttl", &[]));
        }
        Ok(())
    }

    /// A line of results: a word about it, and what it is about from a fixed column on.
    fn line(&self, ink: Ink, key: &str, text: &str) -> Result<(), Failure> {
        let word = say(key, &[]);
        let pad = WORD_COLUMNS.saturating_sub(render::columns(&word)).max(1);
        self.out.result(&format!("{}{:pad$}{text}", self.out.style.paint(ink, &word), ""))
    }

    fn remark(&self, sentence: &str) {
        self.out.tell(sentence);
    }

    pub(super) fn note(&self, sentence: &str) {
        self.remark(&say("ask.note", &[("note", &sentence)]));
    }

    /// Adds what came to the recording, if there is one.
    pub(super) fn record_heard(&mut self, heard: &HeardAnswer) -> Result<(), Failure> {
        if let Some(recording) = &mut self.recording {
            for it in &heard.fragments {
                recording.add_heard(&self.interface, (it.first, &it.bytes), it.wall, false)?;
            }
            if heard.fragments.is_empty() {
                recording.add_heard(&self.interface, (heard.first, &heard.bytes), heard.wall, heard.rebuilt)?;
            }
        }
        Ok(())
    }

    pub(super) fn answered(&mut self, heard: &HeardAnswer) -> Result<(), Failure> {
        self.record_heard(heard)?;
        let left = self.flying.get(&heard.answer.probe);
        let quoted = left.and_then(|(sent, first)| hand::quoted((&heard.bytes, heard.first), (sent, *first)));
        if self.out.json {
            let mut json = render::answer_json(&heard.answer);
            json["event"] = "answer".into();
            json["quoted"] = quoted.as_ref().map_or(serde_json::Value::Null, render::rewritten_json);
            json["probe"] = heard.answer.probe.into();
            json["packet"] = Packet::from_bytes(&heard.bytes, heard.first).to_string().into();
            if !heard.fragments.is_empty() {
                json["fragments"] = heard.fragments.len().into();
            }
            return self.out.json_line(&json);
        }
        let style = &self.out.style;
        let words = words();
        let frame = inspect::dissect(&heard.bytes, heard.first);
        let rewritten = quoted.map_or_else(String::new, |quoted| render::rewritten(&quoted, style));
        // With both values of each field their names alone say nothing more.
        let short = hand::probes::Answer { rewritten: Vec::new(), ..heard.answer.clone() };
        let mut line = render::answer(if rewritten.is_empty() { &heard.answer } else { &short }, style, words);
        if let Some(answered) = render::dns_answer(&frame) {
            line = format!("{answered}, {line}");
        }
        if !heard.fragments.is_empty() {
            line.push(' ');
            line.push_str(&words.say("answer.in-fragments", &[("count", &heard.fragments.len())]));
        }
        self.line(Ink::Title, "word.answer", &line)?;
        if !rewritten.is_empty() {
            let said = words.say("ask.rewritten", &[("fields", &rewritten)]);
            self.out.result(&format!("        {}", style.paint(Ink::Note, &said)))?;
        }
        if self.out.verbose {
            self.out.result(&render::tree(&frame, style, words))?;
        } else {
            self.out.result(&format!("        {}", Packet::from_bytes(&heard.bytes, heard.first)))?;
        }
        if self.many {
            return Ok(());
        }
        self.out.result(&format!("        {}", render::answer_meaning(&heard.answer.kind, words)))
    }

    /// Nobody answered this one of many.
    pub(super) fn silent(&self, words: &str) -> Result<(), Failure> {
        if self.out.json {
            return self.out.json_line(&json!({"v": 1, "event": "silence", "packet": words}));
        }
        self.line(Ink::Bad, "word.silence", words)
    }

    fn silence(&self) -> Result<(), Failure> {
        if self.out.json {
            return self.out.json_line(&json!({"v": 1, "event": "silence"}));
        }
        let words = words();
        let style = &self.out.style;
        let wait = self.options.wait.unwrap_or(net::hand::WAIT);
        self.line(Ink::Bad, "word.silence", &render::duration(wait))?;
        let reasons = self.own_fault(words);
        let text = if reasons.is_empty() { words.say("answer.none", &[]) } else { reasons.join(" ") };
        for line in render::wrap(&text, style.width.saturating_sub(8)) {
            self.out.result(&format!("        {line}"))?;
        }
        Ok(())
    }

    /// What is wrong with the packet itself, which is reason enough for silence.
    fn own_fault(&self, words: &Catalogue) -> Vec<String> {
        let mut reasons = Vec::new();
        for (bytes, first) in &self.left {
            let frame = inspect::dissect(bytes, *first);
            for sum in frame.checksums.iter().filter(|sum| sum.verdict.is_wrong()) {
                let (stored, right) =
                    (format!("{:#06x}", sum.stored), format!("{:#06x}", sum.right.unwrap_or_default()));
                let values: [(&str, &dyn std::fmt::Display); 3] =
                    [("layer", &sum.layer.title), ("stored", &stored), ("right", &right)];
                reasons.push(words.say("ask.wrong-sum", &values));
            }
            reasons.extend(frame.complaints.iter().map(|complaint| render::complaint(complaint, words)));
        }
        reasons
    }

    /// `--why`: what the counters of this host say of the attempt.
    pub(super) fn why(&self) -> Result<(), Failure> {
        let Some(before) = &self.before else { return Ok(()) };
        let moved = Counters::read().since(before);
        let lost = self.session.lost();
        if self.out.json {
            let all: serde_json::Map<_, _> = moved.iter().map(|m| (m.name.clone(), m.by.into())).collect();
            return self.out.json_line(&json!({"v": 1, "event": "why", "moved": all, "lost_unread": lost}));
        }
        let words = words();
        self.out.result(&words.say("why.title", &[]))?;
        for it in moved.iter().filter(|it| it.is_loss() || self.out.verbose) {
            let mark = if it.is_loss() { self.out.style.paint(Ink::Bad, " !") } else { String::new() };
            self.out.result(&format!("    {:<32} +{}{mark}", it.name, it.by))?;
        }
        if !moved.iter().any(net::hand::Moved::is_loss) {
            self.out.result(&format!("    {}", words.say("why.no-loss", &[])))?;
        }
        if lost > 0 {
            self.out.result(&format!("    {}", words.say("why.unread", &[("lost", &lost)])))?;
        }
        Ok(())
    }
}

/// The packet as it was built, for what never left.
fn wished(sent: &Sent) -> String {
    Packet::from_bytes(&sent.built.bytes, sent.built.first).to_string()
}

fn protocol(hop: Option<IpAddr>) -> String {
    match hop {
        Some(IpAddr::V6(_)) => say("name.ndp", &[]),
        _ => "ARP".to_owned(),
    }
}

fn sent_json(sent: &Sent) -> serde_json::Value {
    let role = if matches!(sent.role, Role::Close { .. }) { "close" } else { "probe" };
    let mut json = json!({"v": 1, "event": "sent", "role": role, "probe": sent.id, "way": sent.plan.way.word(),
        "interface": render::escape(&sent.plan.interface.name)});
    if let Some(part) = sent.part {
        json["fragment"] = part.number.into();
        json["fragments"] = part.of.into();
    }
    match &sent.fate {
        Fate::Left(left) => {
            json["packet"] = left.packet(&sent.built).to_string().into();
            json["hex"] = render::digits(&left.frame).into();
            json["lost"] = left.lost_in_queue.into();
            json["changes"] = render::changes_json(&sent.built, &left.changes);
        }
        Fate::Held(held) => {
            json["packet"] = wished(sent).into();
            json["held"] = held.next_hop.map(|hop| hop.to_string()).into();
        }
        Fate::Unread => {
            json["packet"] = wished(sent).into();
            json["unread"] = true.into();
        }
    }
    json
}
