//! What is printed of a conversation: ladder lines and sentences, or JSON; and what a line that is no segment is told.

use std::fmt::Display;

use craft::{Built, First, Packet};
use hand::conversation::{Step, TypedError};
use link::Rung;
use net::hand::{Fate, Given, Guarding, HeardAnswer, Listened, NoGuard, Spoken};
use render::Ink;
use serde_json::json;

use super::talk::Talk;
use crate::failure::Failure;
use crate::partner::{Partner, Said};
use crate::said;
use crate::speech::{say, words};

impl Talk<'_> {
    /// Says between which ends, and how the port is held.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        let (rung, own) = match self.partner.guard() {
            Some(&Guarding::Held { rung, local }) => (Some(rung), Some(local).filter(|_| rung == Rung::OwnAddress)),
            _ => (None, None),
        };
        let guard = rung.map_or("none", Rung::code);
        if let Some(Guarding::Without(NoGuard::Failed(error))) = self.partner.guard() {
            self.out.tell(&say("talk.no-guard", &[("error", &said::guard(error))]));
        }
        let ends = self.partner.ends().map(|(local, remote)| (local.to_string(), remote.to_string()));
        let is_own = self.partner.guard().is_none();
        if is_own {
            self.out.tell(&say("talk.in-process", &[]));
        }
        if let Some(peer) = &self.options.peer {
            self.out.tell(&say("talk.erring", &[("peer", peer)]));
        }
        if self.out.json {
            let (local, remote) = ends.unzip();
            let listen = own.filter(|_| self.options.listen.is_some()).map(|own| own.to_string());
            let listen = listen.or_else(|| self.options.listen.clone());
            return self.out.json_line(
                &json!({"v": 1, "event": "begin", "local": local, "remote": remote, "listen": listen, "guard": guard,
                    "in_process": is_own, "peer": self.options.peer}),
            );
        }
        let guard_word = if guard == "none" { say("name.none", &[]) } else { guard.to_owned() };
        match (ends, &self.options.listen) {
            (Some((local, remote)), _) => {
                let arrow = self.out.style.arrow();
                let values: [(&str, &dyn Display); 4] =
                    [("local", &local), ("arrow", &arrow), ("remote", &remote), ("guard", &guard_word)];
                self.out.tell(&say("talk.between", &values));
            }
            (None, listen) => {
                let listen = match own {
                    Some(own) => own.to_string(),
                    None => listen.clone().unwrap_or_default(),
                };
                self.out.tell(&say("talk.listening", &[("local", &listen), ("guard", &guard_word)]));
            }
        }
        if rung.is_some_and(|rung| !rung.covers_every_peer()) {
            self.out.tell(&say("guard.min-ttl", &[]));
        }
        if self.lines.is_terminal() {
            self.out.tell(&say("talk.help", &[]));
        }
        Ok(())
    }

    pub(super) fn tell_said(&mut self, said: &Said) -> Result<(), Failure> {
        match said {
            Said::Wire(spoken) => self.tell_sent(spoken),
            Said::Own(given) => self.tell_given(given),
        }
    }

    /// A segment that crossed no wire.
    fn tell_given(&mut self, given: &Given) -> Result<(), Failure> {
        self.record_carried()?;
        self.tell_notes(&given.built);
        let packet = Packet::from_bytes(&given.built.bytes, given.built.first);
        given.step.as_ref().map_or(Ok(()), |step| self.tell_step(step, &packet))
    }

    fn record_carried(&mut self) -> Result<(), Failure> {
        let carried = self.partner.carried();
        match &mut self.recording {
            Some(recording) => carried.iter().try_for_each(|packet| recording.add_carried(packet, &[])),
            None => Ok(()),
        }
    }

    fn tell_notes(&mut self, built: &Built) {
        for note in &built.notes {
            self.lines.hide();
            self.out.tell(&said::note(note));
        }
    }

    fn tell_sent(&mut self, spoken: &Spoken) -> Result<(), Failure> {
        let sent = &spoken.sent;
        self.interface.clone_from(&sent.plan.interface.name);
        if let Some(recording) = &mut self.recording {
            recording.add_sent(sent)?;
        }
        self.tell_notes(&sent.built);
        let packet = match &sent.fate {
            Fate::Left(left) => left.packet(&sent.built),
            _ => Packet::from_bytes(&sent.built.bytes, sent.built.first),
        };
        match &spoken.step {
            Some(step) => self.tell_step(step, &packet)?,
            None => self.tell_not_sent(spoken, &packet)?,
        }
        if matches!(sent.fate, Fate::Unread) {
            self.lines.hide();
            self.out.tell(&say("ask.unread", &[]));
        }
        if let (Fate::Left(left), false) = (&sent.fate, self.out.json) {
            let changed = render::changes(&sent.built, &left.changes, &self.out.style);
            if !changed.is_empty() {
                self.result(&format!("    {}", self.out.style.paint(Ink::Note, &changed)))?;
            }
        }
        Ok(())
    }

    fn tell_not_sent(&mut self, spoken: &Spoken, packet: &Packet) -> Result<(), Failure> {
        self.not_sent = true;
        let hop = match &spoken.sent.fate {
            Fate::Held(held) => held.next_hop,
            _ => None,
        };
        if self.out.json {
            let hop = hop.map(|hop| hop.to_string());
            return self.out.json_line(&json!({"v": 1, "event": "held", "packet": packet.to_string(), "held": hop}));
        }
        let words = words();
        let said = match hop {
            Some(hop) => words.say("talk.held", &[("hop", &hop)]),
            None => words.say("talk.lost", &[]),
        };
        self.result(&format!("{}  {packet}\n    {said}", self.out.style.paint(Ink::Bad, &say("word.held", &[]))))
    }

    pub(super) fn tell_heard(&mut self, heard: &Listened) -> Result<(), Failure> {
        if matches!(self.partner, Partner::Own(_)) {
            self.record_carried()?;
        } else if let Some(recording) = &mut self.recording {
            recording.add_heard(&self.interface, (First::Ip, &heard.bytes), heard.wall, heard.rebuilt)?;
        }
        self.answer = self.conversation().reset_for(&heard.step);
        if !self.conversation().awaits_answer() {
            self.silence_at = None;
        }
        self.tell_step(&heard.step, &Packet::from_bytes(&heard.bytes, First::Ip))?;
        self.tell_data(&heard.step)
    }

    fn tell_step(&mut self, step: &Step, packet: &Packet) -> Result<(), Failure> {
        self.has_mistake |= step.mistake.is_some() || step.fault.is_some_and(|fault| !fault.is_allowed());
        if self.out.json {
            let mut json = render::step_json(step);
            json["packet"] = packet.to_string().into();
            return self.out.json_line(&json);
        }
        let sack_start = self.conversation().sack_start(step.out);
        let text = render::step(step, sack_start, &self.out.style, words());
        let verbose = if self.out.verbose { format!("\n    {packet}") } else { String::new() };
        self.result(&format!("{text}{verbose}"))
    }

    /// The beginning of what came, as text.
    fn tell_data(&mut self, step: &Step) -> Result<(), Failure> {
        if self.out.json || step.segment.data.is_empty() || step.what.is_dropped() {
            return Ok(());
        }
        let room = self.out.style.width.saturating_sub(8);
        let shown = render::escape_bytes(&step.segment.data[..step.segment.data.len().min(room)]);
        let cut: String = shown.chars().take(room).collect();
        let more = if cut.len() < shown.len() || step.segment.data.len() > room { " ..." } else { "" };
        self.result(&format!("    {}", self.out.style.paint(Ink::Dim, &format!("{cut}{more}"))))
    }

    pub(super) fn tell_error(&mut self, heard: &HeardAnswer) -> Result<(), Failure> {
        if let Some(recording) = &mut self.recording {
            recording.add_heard(&self.interface, (heard.first, &heard.bytes), heard.wall, heard.rebuilt)?;
        }
        if self.out.json {
            let mut json = render::answer_json(&heard.answer);
            json["event"] = "error".into();
            return self.out.json_line(&json);
        }
        let words = words();
        let line = render::answer(&heard.answer, &self.out.style, words);
        self.result(&format!("{line}\n    {}", render::answer_meaning(&heard.answer.kind, words)))
    }

    pub(super) fn tell_silence(&mut self) -> Result<(), Failure> {
        self.silence_at = None;
        let Some(silence) = self.partner.silence() else { return Ok(()) };
        self.has_mistake |= silence.mistake.is_some() || silence.fault.is_some();
        if self.out.json {
            return self.out.json_line(&render::silence_json(&silence));
        }
        let text = render::silence(&silence, &self.out.style, words());
        self.result(&text)
    }

    pub(super) fn tell_choices(&mut self) -> Result<(), Failure> {
        let (due, choices) = (self.conversation().due(), self.conversation().choices());
        if self.out.json {
            let choices: Vec<_> = choices
                .iter()
                .map(|choice| {
                    json!({"line": choice.line, "word": choice.word, "section": choice.section,
                        "mistake": choice.mistake.map(|mistake| mistake.code())})
                })
                .collect();
            return self.out.json_line(&json!({"v": 1, "event": "choices", "due": due.word(), "choices": choices}));
        }
        let text = render::choices(&choices, due, &self.out.style, words());
        self.result(&text)
    }
}

/// A line that is no segment.
pub(super) fn typed(error: &TypedError) -> Failure {
    match error {
        TypedError::Language(error) => said::language(error, str::to_owned, "ww help hand"),
        TypedError::NobodyYet => Failure::usage("nobody-yet", say("error.nobody-yet", &[])),
        TypedError::EndsAreKept => {
            Failure::usage("ends-are-kept", say("error.ends-are-kept", &[])).row("or", "S, A, PA data='hello', FA, R")
        }
        _ => Failure::usage("not-one-segment", say("error.not-one-segment", &[]))
            .row("or", "S, A, PA data='hello', FA, R"),
    }
}
