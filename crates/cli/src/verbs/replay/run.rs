//! Frames on their way: each when it is due, told when it left, or counted.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hand::Lateness;
use hand::probes::ProbeId;
use net::hand::{Event, Fate};
use serde_json::json;
use units::Instant;

use super::Coming;
use super::frames::{Leaving, Next};
use super::survey::{Survey, Troubles};
use super::timing::{Timing, timing};
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use crate::speech::say;
use crate::verbs::many::{self, Counted, READ_BACK_RATE_MAX, Tally, UNASKED_MAX};
use crate::verbs::send::Talk;

/// So long before a frame is due the clock is watched instead of slept: who only sleeps is 80 us late on a loaded machine. Who
/// watches for 120 us never sleeps at 10,000 frames a second, and is then held up by the scheduler instead.
const WATCHED: Duration = Duration::from_micros(60);
/// What the kernel may add to a sleep, in nanoseconds; it has 50,000 unless told otherwise.
const SLACK: u64 = 1;
/// Frames handed over as fast as it goes before the clock, ctrl-C and the progress are looked at again.
const TURN_MAX: u64 = 256;

/// Frames on their way.
pub(super) struct Run<'t, 'a, 'o> {
    talk: &'t mut Talk<'a>,
    coming: Coming<'o>,
    timing: Timing,
    /// Above so many a second they are counted, not read back.
    counted: Option<(net::hand::Frames, Option<Counted>)>,
    total: Option<u64>,
    name: String,
    begun: Instant,
    handed: u64,
    rewritten: u64,
    tally: Tally,
    lateness: Lateness,
    /// When each frame whose copy is awaited was due.
    due: BTreeMap<ProbeId, Instant>,
    /// Known before, and told with `--skip`; or met on the way.
    left_out: Troubles,
    pressed: Arc<AtomicBool>,
    progress: Progress,
}

impl<'t, 'a, 'o> Run<'t, 'a, 'o> {
    pub(super) fn begin(
        talk: &'t mut Talk<'a>,
        mut coming: Coming<'o>,
        survey: Survey,
        total: Option<u64>,
        name: String,
    ) -> Result<Self, Failure> {
        let begun = talk.session.now();
        let timing = timing(talk.options, begun);
        let is_fast = match &timing {
            // A recording is asked for: it is read back, however fast it was.
            Timing::Captured(_) => {
                survey.frames > UNASKED_MAX && survey.rate > READ_BACK_RATE_MAX && talk.options.write.is_none()
            }
            Timing::Paced(_) => talk.options.rate.is_some_and(|rate| rate > READ_BACK_RATE_MAX),
            Timing::AtOnce => true,
        };
        if is_fast {
            many::nothing_to_record(talk)?;
        }
        // What cannot be had makes sleeps longer, which is told at the end.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(SLACK));
        let progress = Progress::begin(begun, total, talk.out, is_fast);
        let left_out = std::mem::take(&mut coming.left_out);
        Ok(Self {
            counted: is_fast.then(|| (talk.session.frames(), None)),
            talk,
            coming,
            timing,
            total,
            name,
            begun,
            handed: 0,
            rewritten: 0,
            tally: Tally::default(),
            lateness: Lateness::default(),
            due: BTreeMap::new(),
            left_out,
            pressed: many::interruptions_of_a_reader()?,
            progress,
        })
    }

    fn is_pressed(&self) -> bool {
        self.pressed.load(Ordering::Relaxed)
    }

    /// Sends frame after frame.
    pub(super) fn go(&mut self) -> Result<(), Failure> {
        let total = self.total;
        let is_full = |handed| total.is_some_and(|total| handed >= total);
        while !self.is_pressed() {
            if self.talk.options.count.is_some() && is_full(self.handed) {
                break;
            }
            let leaving = match self.coming.next() {
                Next::End => break,
                // More than there was when it was counted.
                Next::Frame(_) if is_full(self.handed) => break,
                Next::Frame(leaving) => leaving,
                Next::Trouble(number, trouble) => {
                    self.left_out.add(number, &trouble);
                    self.refuse_new()?;
                    continue;
                }
            };
            self.one(&leaving)?;
        }
        if self.counted.is_some() { self.flush() } else { self.await_copies() }
    }

    fn one(&mut self, leaving: &Leaving) -> Result<(), Failure> {
        self.progress.show(self.talk.session.now(), self.handed, self.tally.lost);
        let has_left = match self.counted {
            Some(_) => self.count(leaving)?,
            None => self.read_back(leaving)?,
        };
        if has_left {
            self.handed += 1;
            self.rewritten += u64::from(leaving.rewritten);
        }
        Ok(())
    }

    /// When a frame that is ready leaves. What was done before the first one was, reading a slow pipe and opening sockets, is
    /// none of their time.
    fn due(&mut self, leaving: &Leaving) -> Instant {
        let now = self.talk.session.now();
        if self.handed == 0 {
            self.begun = now;
            self.timing = timing(self.talk.options, now);
        }
        self.timing.due(now, leaving)
    }

    /// Sends a frame when it is due; its copy is told when it comes.
    fn read_back(&mut self, leaving: &Leaving) -> Result<bool, Failure> {
        let ready = match self.talk.session.ready(&leaving.bytes, leaving.first) {
            Ok(ready) => ready,
            Err(error) => return self.refused(leaving, error),
        };
        let due = self.due(leaving);
        if !self.wait(due)? {
            return Ok(false);
        }
        let now = self.talk.session.now();
        match self.talk.session.leave(&ready).map_err(|error| self.talk.explain(&error))? {
            Some(id) => {
                self.due.insert(id, due);
            }
            None => self.tally.lost += 1,
        }
        self.timing.on_sent(now);
        Ok(true)
    }

    /// Hands a frame over when it is due, together with others that are.
    fn count(&mut self, leaving: &Leaving) -> Result<bool, Failure> {
        let Some((frames, counted)) = &mut self.counted else { return Ok(false) };
        if self.handed == 0 {
            let opened = frames.open(&mut self.talk.session, &leaving.bytes, leaving.first);
            match opened {
                Ok(plan) => *counted = Some(Counted::begin(&plan.interface.name)),
                Err(error) => return self.refused(leaving, error),
            }
        }
        let at_once = matches!(self.timing, Timing::AtOnce);
        let due = self.due(leaving);
        if due > self.talk.session.now() || (at_once && self.handed.is_multiple_of(TURN_MAX)) {
            self.flush()?;
            if !self.wait(due)? {
                return Ok(false);
            }
        }
        let now = self.talk.session.now();
        let Some((frames, _)) = &mut self.counted else { return Ok(false) };
        if let Err(error) = frames.push(&mut self.talk.session, &leaving.bytes, leaving.first) {
            return self.refused(leaving, error);
        }
        if !at_once {
            self.lateness.add(now.since(due));
        }
        self.timing.on_sent(now);
        Ok(true)
    }

    /// Hands over what is gathered.
    fn flush(&mut self) -> Result<(), Failure> {
        let Some((frames, counted)) = &mut self.counted else { return Ok(()) };
        let flushed = frames.flush();
        if let Some(counted) = counted {
            counted.add(frames.take_done());
            self.tally.lost = counted.batch.lost;
        }
        flushed.map_err(|error| self.talk.explain(&error))
    }

    /// Waits until a frame is due; what comes meanwhile is told. `false`: ctrl-C came.
    fn wait(&mut self, due: Instant) -> Result<bool, Failure> {
        loop {
            let now = self.talk.session.now();
            if self.is_pressed() {
                return Ok(false);
            }
            if due.since(now) <= WATCHED {
                break;
            }
            let event = self.talk.session.listen_until(due - WATCHED);
            if let Some(event) = event.map_err(|error| self.talk.explain(&error))? {
                self.happened(event)?;
            }
        }
        while self.talk.session.now() < due {
            std::hint::spin_loop();
        }
        Ok(true)
    }

    fn await_copies(&mut self) -> Result<(), Failure> {
        while let Some(event) = self.talk.session.next_event().map_err(|error| self.talk.explain(&error))? {
            self.happened(event)?;
            if self.is_pressed() && self.due.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn happened(&mut self, event: Event) -> Result<(), Failure> {
        let Event::Sent(sent) = event else { return Ok(()) };
        self.tally.sent(&sent);
        if let (Some(due), Fate::Left(left)) = (self.due.remove(&sent.id), &sent.fate)
            && let Some(stamp) = left.at
        {
            self.lateness.add(stamp.at.since(due));
        }
        self.talk.sent(&sent)
    }

    /// A frame that no way carries any more, or that was not seen before.
    fn refused(&mut self, leaving: &Leaving, error: net::Error) -> Result<bool, Failure> {
        let net::Error::Refused(refused) = error else { return Err(self.talk.explain(&error)) };
        self.left_out.refused(leaving.number, leaving.first, refused);
        self.refuse_new()?;
        Ok(false)
    }

    /// What cannot leave ends the run, unless it may be left out.
    fn refuse_new(&self) -> Result<(), Failure> {
        if self.talk.options.replay.skip {
            return Ok(());
        }
        Err(self.left_out.failure(&self.name, self.handed + self.left_out.count, self.talk))
    }

    /// The lines at the end.
    pub(super) fn end(mut self, ended: Result<(), Failure>) -> Result<Exit, Failure> {
        self.progress.clear();
        let took = self.talk.session.now().since(self.begun);
        let rate = u128::from(self.handed.saturating_sub(1)) * 1_000_000_000 / took.as_nanos().max(1);
        let rate = u64::try_from(rate).unwrap_or(u64::MAX);
        match &self.counted {
            Some((frames, counted)) => {
                if frames.needs_guard() {
                    self.talk.note(&say("many.no-guard", &[]));
                }
                counted.as_ref().map_or(Ok(()), |counted| counted.print(self.talk, rate, took))?;
            }
            None => {
                self.tally.rate = rate;
                self.tally.print(self.talk, false, took)?;
            }
        }
        self.print()?;
        ended?;
        let lost = self.tally.lost > 0;
        Ok(match self.is_pressed() {
            true => Exit::Interrupted,
            false if lost || self.handed == 0 => Exit::CouldNotSend,
            false => Exit::Answered,
        })
    }

    /// What is said of a replay alone.
    fn print(&self) -> Result<(), Failure> {
        let out = self.talk.out;
        let [median, most_of, most] =
            [self.lateness.of_thousand(500), self.lateness.of_thousand(990), self.lateness.most()];
        if out.json {
            let reasons: Vec<_> = self.left_out.lines().collect();
            let mut json = json!({"v": 1, "event": "replay", "frames": self.handed, "rewritten": self.rewritten,
                "left_out": self.left_out.count, "reasons": reasons});
            if self.lateness.count() > 0 {
                json["late"] = json!({"median": median.as_secs_f64(), "p99": most_of.as_secs_f64(),
                    "most": most.as_secs_f64()});
            }
            return out.json_line(&json);
        }
        let mut parts = Vec::new();
        if self.rewritten > 0 {
            parts.push(say("replay.rewritten", &[("count", &self.rewritten)]));
        }
        if self.lateness.count() > 0 {
            let values = [median, most_of, most].map(render::duration);
            parts.push(say("replay.late", &[("median", &values[0]), ("most_of", &values[1]), ("most", &values[2])]));
        }
        if !parts.is_empty() {
            out.result(&parts.join(", "))?;
        }
        if self.left_out.count > 0 {
            out.tell(&say("replay.left-out", &[("count", &self.left_out.count)]));
            self.left_out.lines().for_each(|line| out.remark(&format!("    {line}")));
        }
        Ok(())
    }
}
