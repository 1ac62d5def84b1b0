//! One conversation: lines sent, what the peer says told, and an end that leaves nothing behind.

use std::borrow::Cow;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use craft::Payload;
use hand::Instant;
use hand::conversation::{Conversation, Due, Role, State};
use net::hand::Happened;

use super::lines::{Lines, Typed};
use super::tell;
use crate::amounts;
use crate::command::Options;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::input;
use crate::output::Output;
use crate::partner::Partner;
use crate::place::Place;
use crate::record::Recording;
use crate::speech::say;

/// How long an answer is awaited before silence is told: longer than the first repetition of a SYN-ACK (1 s).
const ANSWER_WAIT: Duration = Duration::from_millis(1_500);
/// How long more is awaited after the last thing that came: a server makes its answer, a delayed ACK takes 40 ms.
const SETTLE: Duration = Duration::from_millis(150);
/// How long TIME-WAIT is kept by the side that closed first: one RTO, at least this.
const LINGER: Duration = Duration::from_millis(200);
/// How long the peer's last word is waited for, unless `--wait` says otherwise.
const WAIT: Duration = Duration::from_secs(10);
/// The most segments that `auto` sends without being told a number.
const AUTO_MAX: u32 = 10_000;

/// A conversation and whoever holds it.
pub(super) struct Talk<'a> {
    pub(super) options: &'a Options,
    pub(super) out: &'a Output,
    pub(super) place: &'a Place<'a>,
    pub(super) partner: Partner,
    pub(super) recording: Option<Recording>,
    pub(super) lines: Lines,
    pub(super) signals: UnixStream,
    pub(super) interface: String,
    pub(super) wait: Duration,
    /// When silence is told.
    pub(super) silence_at: Option<Instant>,
    pub(super) interrupted: bool,
    pub(super) has_said: bool,
    pub(super) has_mistake: bool,
    pub(super) not_sent: bool,
    /// The reset that the last segment of the peer asks for, once we have reset it.
    pub(super) answer: Option<String>,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woke {
    /// The peer said something, and it was told.
    Told,
    /// Something was typed.
    Typed,
    /// A signal, or ctrl-C as a key.
    Interrupted,
    /// The moment came.
    TimedOut,
}

/// Whether the conversation goes on after a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    GoOn,
    Leave,
}

impl<'a> Talk<'a> {
    pub(super) fn new(
        options: &'a Options,
        out: &'a Output,
        place: &'a Place<'a>,
        partner: Partner,
        recording: Option<Recording>,
    ) -> Result<Self, Failure> {
        let signals = signals()
            .map_err(|error| Failure::new(Exit::CouldNotSend, "signals", say("error.signals", &[("said", &error)])))?;
        Ok(Self {
            options,
            out,
            place,
            partner,
            recording,
            lines: Lines::open(),
            signals,
            interface: String::new(),
            wait: options.wait.unwrap_or(WAIT),
            silence_at: None,
            interrupted: false,
            has_said: false,
            has_mistake: false,
            not_sent: false,
            answer: None,
        })
    }

    /// Holds the conversation to its end, and says how it went.
    pub(super) fn hold(mut self) -> Result<Exit, Failure> {
        let held = self.begin().and_then(|()| self.turns());
        // Whatever happened, the peer is not left with half a connection.
        let left = self.leave();
        held?;
        left?;
        Ok(self.exit())
    }

    fn exit(&self) -> Exit {
        let conversation = self.conversation();
        match () {
            () if self.interrupted => Exit::Interrupted,
            () if self.not_sent => Exit::CouldNotSend,
            () if !conversation.has_heard() && (self.has_said || conversation.role() == Role::Server) => Exit::NoAnswer,
            () if conversation.was_reset() || self.has_mistake => Exit::Unexpected,
            () => Exit::Answered,
        }
    }

    pub(super) fn conversation(&self) -> &Conversation {
        self.partner.conversation()
    }

    /// A line at a time, the peer in between.
    fn turns(&mut self) -> Result<(), Failure> {
        loop {
            if self.lines.is_terminal() && self.conversation().is_over() {
                return Ok(());
            }
            let typed = match self.lines.take() {
                Some(typed) => typed,
                None => {
                    self.show();
                    let until = self.silence_at.unwrap_or(Instant::NEVER);
                    match self.pump(until, true)? {
                        Woke::TimedOut => self.tell_silence()?,
                        Woke::Interrupted => return Ok(()),
                        Woke::Told | Woke::Typed => {}
                    }
                    continue;
                }
            };
            match typed {
                Typed::Line(line) => {
                    self.lines.leave(&self.prompt(), &line);
                    if self.take_line(line.trim())? == Then::Leave {
                        return Ok(());
                    }
                }
                Typed::End => return Ok(()),
                Typed::Interrupt => {
                    self.interrupted = true;
                    return Ok(());
                }
            }
        }
    }

    fn take_line(&mut self, line: &str) -> Result<Then, Failure> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let done =
            match words.as_slice() {
                [] | ["ww", "1"] => Ok(Then::GoOn),
                [first, ..] if first.starts_with('#') => Ok(Then::GoOn),
                ["quit" | "exit" | "q"] => return Ok(Then::Leave),
                ["?" | "help"] => self.tell_choices().map(|()| Then::GoOn),
                ["next"] => self.auto(1),
                ["auto"] => self.auto(AUTO_MAX),
                ["auto", count] => match count.parse::<u32>() {
                    Ok(count) => self.auto(count.min(AUTO_MAX)),
                    Err(_) => Err(Failure::usage("auto-count", say("error.auto-count", &[]))
                        .row("or", say("hint.auto-alone", &[]))),
                },
                ["wait", time] => match amounts::duration(time) {
                    Some(time) => self.listen_for(time),
                    None => Err(Failure::usage("wait-time", say("error.wait-time", &[])).row("or", "wait 500ms")),
                },
                _ => self.say(line).and_then(|()| self.settle()),
            };
        match done {
            // A person types it again; a file is not understood.
            Err(failure) if self.lines.is_terminal() && !failure.is_quiet() => {
                self.lines.hide();
                Output::complain(&failure, self.out.json);
                Ok(Then::GoOn)
            }
            other => other,
        }
    }

    /// Sends a line.
    fn say(&mut self, line: &str) -> Result<(), Failure> {
        if self.conversation().ends().is_none() && !self.lines.is_terminal() {
            self.await_syn()?;
        }
        let mut packet = self.partner.typed(line).map_err(|error| tell::typed(&error))?;
        if packet.payload == Payload::Stdin {
            return Err(Failure::usage("stdin-payload", say("error.stdin-payload", &[]))
                .row("or", say("hint.other-payload", &[])));
        }
        input::fill_payload(&mut packet)?;
        self.has_said = true;
        let spoken = self.partner.say(packet);
        let spoken = spoken.map_err(|error| explain::net(&error, &self.attempt()))?;
        let now = self.partner.now();
        self.silence_at = self.conversation().awaits_answer().then(|| now + ANSWER_WAIT);
        self.tell_said(&spoken)
    }

    /// In a pipe nobody sees that the SYN is still to come: the first line waits for it.
    fn await_syn(&mut self) -> Result<(), Failure> {
        let until = self.partner.now() + self.wait;
        while self.conversation().ends().is_none() {
            match self.pump(until, false)? {
                Woke::TimedOut | Woke::Interrupted => {
                    let said = say("error.no-syn", &[("time", &render::duration(self.wait))]);
                    return Err(Failure::new(Exit::NoAnswer, "no-syn", said).row("or", say("hint.longer", &[])));
                }
                Woke::Told | Woke::Typed => {}
            }
        }
        Ok(())
    }

    /// In a pipe, waits for what the line provokes: the answer, and what follows it closely.
    fn settle(&mut self) -> Result<Then, Failure> {
        if self.lines.is_terminal() {
            return Ok(Then::GoOn);
        }
        let end = self.partner.now() + ANSWER_WAIT;
        let mut until = self.partner.now() + SETTLE;
        loop {
            let wait = if self.conversation().awaits_answer() { end } else { until.min(end) };
            match self.pump(wait, false)? {
                Woke::Told => until = self.partner.now() + SETTLE,
                Woke::Typed => {}
                Woke::Interrupted => return Ok(Then::Leave),
                Woke::TimedOut => {
                    self.tell_silence()?;
                    return Ok(Then::GoOn);
                }
            }
        }
    }

    fn listen_for(&mut self, time: Duration) -> Result<Then, Failure> {
        let until = self.partner.now() + time;
        loop {
            match self.pump(until, false)? {
                Woke::TimedOut => return Ok(Then::GoOn),
                Woke::Interrupted => return Ok(Then::Leave),
                Woke::Told | Woke::Typed => {}
            }
        }
    }

    /// Plays right segments: this many, or to the end. What has no answer is sent again after a second, then two.
    fn auto(&mut self, count: u32) -> Result<Then, Failure> {
        let mut end = self.partner.now() + self.wait;
        let mut patience = Duration::from_secs(1);
        let mut played = 0;
        while played < count && !self.conversation().is_over() {
            let now = self.partner.now();
            if let Some(line) = self.conversation().next_right() {
                self.say(line)?;
                played += 1;
                continue;
            }
            let idle = self.conversation().due() == Due::Talk;
            let until = if idle { now + SETTLE * 2 } else { now + patience };
            match self.pump(until.min(end), false)? {
                Woke::Told => {
                    patience = Duration::from_secs(1);
                    end = self.partner.now() + self.wait;
                }
                Woke::Typed => {}
                Woke::Interrupted => return Ok(Then::Leave),
                Woke::TimedOut => {
                    let line = if idle {
                        self.conversation().next_towards_end().map(Cow::Borrowed)
                    } else {
                        self.conversation().repeat()
                    };
                    if self.partner.now() >= end {
                        self.tell_silence()?;
                        return Ok(Then::GoOn);
                    }
                    if let Some(line) = line {
                        self.say(&line)?;
                        played += 1;
                    }
                    patience = if idle { patience } else { patience * 2 };
                }
            }
        }
        if count < AUTO_MAX { self.settle() } else { Ok(Then::GoOn) }
    }

    /// Ends so that the peer holds nothing: its last word is awaited where it is due, else it is reset.
    fn leave(&mut self) -> Result<(), Failure> {
        self.silence_at = None;
        let end = self.partner.now() + self.wait;
        while !self.interrupted && matches!(self.conversation().us(), State::LastAck | State::Closing) {
            if !matches!(self.pump(end, false)?, Woke::Told | Woke::Typed) {
                break;
            }
        }
        if self.conversation().leaves_something() {
            return self.reset();
        }
        // RFC 9293 §3.10.7.4: in TIME-WAIT a FIN that comes again is acknowledged again, and the time starts anew.
        let mut until = self.partner.now() + LINGER;
        while !self.interrupted && self.conversation().us() == State::TimeWait {
            match self.pump(until.min(end), false)? {
                Woke::Told if self.conversation().next_right().is_some() => {
                    self.say("A")?;
                    until = self.partner.now() + LINGER;
                }
                Woke::Told | Woke::Typed => {}
                Woke::TimedOut | Woke::Interrupted => break,
            }
        }
        Ok(())
    }

    /// Resets the peer. Where it has not acknowledged all that was sent, its challenge says which number it takes.
    fn reset(&mut self) -> Result<(), Failure> {
        let all_is_acked = self.conversation().closing_reset() == "R";
        let line = self.conversation().closing_reset();
        self.say(&line)?;
        if all_is_acked {
            return Ok(());
        }
        let until = self.partner.now() + SETTLE;
        loop {
            self.answer = None;
            match self.pump(until, false)? {
                Woke::Told => match self.answer.take() {
                    Some(line) => return self.say(&line),
                    None => continue,
                },
                Woke::Typed => {}
                Woke::TimedOut | Woke::Interrupted => return Ok(()),
            }
        }
    }

    /// Waits for the peer, for signals, and for what is typed; in a pipe only where it is `wanted`.
    fn pump(&mut self, until: Instant, wanted: bool) -> Result<Woke, Failure> {
        let stdin = io::stdin();
        let mut also = vec![self.signals.as_fd()];
        let hears_keys = (wanted || self.lines.is_terminal()) && !self.lines.has_ended();
        if hears_keys {
            also.push(stdin.as_fd());
        }
        let happened = self.partner.wait(until, &also);
        match happened.map_err(|error| explain::net(&error, &self.attempt()))? {
            Happened::Segment(listened) => {
                self.tell_heard(&listened)?;
                Ok(Woke::Told)
            }
            Happened::Error(error) => {
                self.tell_error(&error)?;
                Ok(Woke::Told)
            }
            Happened::TimedOut => Ok(Woke::TimedOut),
            _ => {
                if matches!(self.signals.read(&mut [0; 16]), Ok(count) if count > 0) {
                    self.interrupted = true;
                    return Ok(Woke::Interrupted);
                }
                if hears_keys {
                    self.lines.read();
                    if self.lines.is_interrupted() {
                        self.interrupted = true;
                        return Ok(Woke::Interrupted);
                    }
                }
                Ok(Woke::Typed)
            }
        }
    }

    // From here on: the screen.

    fn attempt(&self) -> Attempt<'_> {
        Attempt { verb: "hand", options: self.options, place: self.place }
    }

    fn prompt(&self) -> String {
        format!("[{}] ", self.conversation().us())
    }

    fn show(&mut self) {
        let prompt = self.prompt();
        self.lines.show(&prompt, self.out.style.width);
    }

    pub(super) fn result(&mut self, text: &str) -> Result<(), Failure> {
        self.lines.hide();
        self.out.result(text)
    }
}

/// The signals that end a conversation, as bytes of a stream. A terminal's own keys are no signals while lines are typed.
fn signals() -> io::Result<UnixStream> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
    }
    Ok(reader)
}
