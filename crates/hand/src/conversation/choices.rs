//! What could be typed now: the right segments, and others that a peer answers in a way worth seeing.

use alloc::vec::Vec;

use super::{Conversation, Due, Mistake, State};

/// A segment that could be typed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The line.
    pub line: &'static str,
    /// What it is for: a stable word.
    pub word: &'static str,
    /// Where it is described.
    pub section: &'static str,
    /// The mistake that it makes; `None`: it is right.
    pub mistake: Option<Mistake>,
}

impl Choice {
    const fn right(line: &'static str, word: &'static str, section: &'static str) -> Self {
        Self { line, word, section, mistake: None }
    }

    const fn wrong(line: &'static str, mistake: Mistake) -> Self {
        Self { line, word: mistake.code(), section: mistake.section(), mistake: Some(mistake) }
    }
}

/// The words of the right choices.
pub(crate) const WORDS: &[&str] =
    &["open", "open-options", "answer-syn", "ack", "again", "request", "end", "reset", "reset-other", "probe"];

const OPEN: Choice = Choice::right("S", "open", "RFC 9293 §3.5");
const OPEN_OPTIONS: Choice = Choice::right("S mss=1460 sack ts nop wscale=7", "open-options", "RFC 7323 §2.2");
const ANSWER: Choice = Choice::right("SA", "answer-syn", "RFC 9293 §3.10.7.2");
const ACK: Choice = Choice::right("A", "ack", "RFC 9293 §3.10.7.4");
const AGAIN: Choice = Choice::right(super::again::WORD, "again", "RFC 9293 §3.8.1");
const REQUEST: Choice = Choice::right(r"PA data='GET / HTTP/1.0\r\n\r\n'", "request", "RFC 9293 §3.10.2");
const END: Choice = Choice::right("FA", "end", "RFC 9293 §3.6");
const RESET: Choice = Choice::right("R", "reset", "RFC 9293 §3.10.5");
const RESET_OTHER: Choice = Choice::right("R", "reset-other", "RFC 9293 §3.10.7.3");
const PROBE: Choice = Choice::right(super::again::PROBE, "probe", "RFC 9293 §3.8.6.1");

impl Conversation {
    /// What could be typed now, the right segments first; nothing when the conversation is over.
    #[must_use]
    pub fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        let due = self.due();
        match due {
            Due::Open => choices.extend([OPEN, OPEN_OPTIONS, Choice::wrong("S sum=bad", Mistake::BadChecksum)]),
            Due::AwaitSynAck => choices.push(OPEN),
            Due::AwaitSyn | Due::Over => {}
            Due::AnswerSyn => {
                choices.extend([ANSWER, RESET, Choice::wrong("SA ack=0", Mistake::AckNotPlusOne)]);
            }
            Due::ResetOther => choices.push(RESET_OTHER),
            Due::AckSynAck => {
                choices.extend([ACK, REQUEST, RESET]);
                choices.push(Choice::wrong("A ack=0", Mistake::AckNotPlusOne));
                choices.push(Choice::wrong("A seq=0", Mistake::SeqNotAdvanced));
                choices.push(Choice::wrong("A sum=bad", Mistake::BadChecksum));
                choices.push(Choice::wrong("none", Mistake::NoAckFlag));
            }
            _ => self.choices_of_a_connection(due, &mut choices),
        }
        choices
    }

    fn choices_of_a_connection(&self, due: Due, choices: &mut Vec<Choice>) {
        if due.line() == Some("A") {
            choices.push(ACK);
        }
        if due == Due::ProbeWindow {
            choices.push(PROBE);
        }
        if due == Due::AwaitAck && self.repeat().is_some() {
            choices.push(AGAIN);
        }
        if self.us.may_send() {
            choices.extend([REQUEST, END]);
        } else if matches!(due, Due::AwaitAckOfFin) {
            choices.push(END);
        }
        choices.push(RESET);
        if self.us.may_send() {
            choices.push(Choice::wrong("PA seq=+1 data=x", Mistake::SeqTooHigh));
            choices.push(Choice::wrong("P data=x", Mistake::NoAckFlag));
            choices.push(Choice::wrong("PA sum=bad data=x", Mistake::BadChecksum));
        }
        if self.us == State::Established {
            choices.push(Choice::wrong("A win=0", Mistake::WindowZero));
            choices.push(Choice::wrong("S", Mistake::SameFourTuple));
            choices.push(Choice::wrong("R seq=+1", Mistake::RstNotExact));
        }
    }

    /// The words of all right choices.
    #[must_use]
    pub const fn choice_words() -> &'static [&'static str] {
        WORDS
    }
}
