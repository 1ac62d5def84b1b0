//! The progress of long work: one line on a terminal, rewritten in place; nothing anywhere else.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use units::Instant;

use crate::output::Output;
use crate::speech::say;

/// The line is drawn anew so often at most: as often as an eye follows.
const REDRAW: Duration = Duration::from_millis(250);

/// A line of progress on standard error.
pub(crate) struct Progress {
    is_on: bool,
    begun: Instant,
    drawn: Option<Instant>,
    total: Option<u64>,
}

impl Progress {
    /// Progress from `now` on towards `total`. It is shown where standard error is a terminal, and results go elsewhere or
    /// do not come one a packet.
    pub(crate) fn begin(now: Instant, total: Option<u64>, out: &Output, is_silent: bool) -> Self {
        let results_elsewhere = is_silent || !out.is_terminal();
        let is_on = io::stderr().is_terminal() && !out.quiet && results_elsewhere;
        Self { is_on, begun: now, drawn: None, total }
    }

    /// So many are done and `lost` are lost at `now`.
    pub(crate) fn show(&mut self, now: Instant, done: u64, lost: u64) {
        let is_due = self.drawn.is_none_or(|drawn| now.since(drawn) >= REDRAW);
        // Nothing is drawn for work that is over at once.
        if !self.is_on || !is_due || now.since(self.begun) < REDRAW {
            return;
        }
        self.drawn = Some(now);
        let line = line(now.since(self.begun), done, lost, self.total);
        let mut stderr = io::stderr().lock();
        // A terminal that takes nothing more is nobody's loss.
        let _ = write!(stderr, "\r\x1b[K{line}").and_then(|()| stderr.flush());
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K").and_then(|()| stderr.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// `1200 of 5000 sent, 400/s, 9.5 s to go`.
fn line(took: Duration, done: u64, lost: u64, total: Option<u64>) -> String {
    let rate = u128::from(done) * 1_000_000_000 / took.as_nanos().max(1);
    let mut parts = match total {
        Some(total) => vec![say("progress.of", &[("done", &done), ("total", &total)])],
        None => vec![say("many.sent", &[("sent", &done)])],
    };
    if lost > 0 {
        parts.push(say("many.lost", &[("lost", &lost)]));
    }
    parts.push(say("many.rate", &[("rate", &rate)]));
    if let Some(left) = total.and_then(|total| total.checked_sub(done))
        && done > 0
    {
        let nanos = took.as_nanos() * u128::from(left) / u128::from(done);
        let left = Duration::from_secs(u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX));
        parts.push(say("progress.left", &[("time", &render::duration(left))]));
    }
    parts.join(", ")
}
