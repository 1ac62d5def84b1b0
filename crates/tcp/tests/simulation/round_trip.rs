//! RFC 6298 §3 (Karn): which round trips may be measured. A segment that was sent twice tells none, for nobody knows which of
//! the two was acknowledged; an echoed timestamp (RFC 7323 §4) always does.

use std::time::Duration;

use wirewright_units::Instant;

/// The average counts eighths of microseconds away.
const ROUNDING: Duration = Duration::from_micros(16);

/// Timestamps count milliseconds.
const STAMP_ROUNDING: Duration = Duration::from_millis(2);

/// What an end has sent, and nobody has acknowledged yet.
#[derive(Default)]
pub(crate) struct RoundTrips {
    flying: Vec<Flying>,
    /// Everything in front of this place was sent before.
    sent_end: u64,
    /// The newest timestamp that this end has sent, and when.
    stamp: Option<(u32, Instant)>,
}

struct Flying {
    start: u64,
    end: u64,
    at: Instant,
    was_repeated: bool,
}

impl RoundTrips {
    /// A segment with these places was sent.
    pub(crate) fn on_sent(&mut self, now: Instant, start: u64, end: u64, stamp: Option<u32>) {
        self.stamp = stamp.map(|value| (value, now)).or(self.stamp);
        // An acknowledgment may stand in the midst of what flies, and repeats nothing of it.
        for flying in self.flying.iter_mut().filter(|_| start < end) {
            flying.was_repeated |= start < flying.end && flying.start < end;
        }
        if end > self.sent_end {
            let start = start.max(self.sent_end);
            self.flying.push(Flying { start, end, at: now, was_repeated: false });
            self.sent_end = end;
        }
    }

    /// An acknowledgment of everything in front of `una`, with this echo, has changed the average of the round trips. One that
    /// left it as it was has measured nothing, or what does no harm.
    pub(crate) fn on_average(
        &mut self,
        now: Instant,
        [before, after]: [Option<Duration>; 2],
        una: u64,
        echo: Option<u32>,
    ) -> Result<(), String> {
        let measured = after.filter(|_| after != before).map(|after| sample(before, after));
        let explains = |flying: &Flying| !flying.was_repeated && flying.end <= una;
        let explained = measured.is_none_or(|measured| {
            self.flying.iter().any(|sent| explains(sent) && measured.abs_diff(now.since(sent.at)) <= ROUNDING)
                || self.echoed(now, echo).is_some_and(|echoed| measured.abs_diff(echoed) <= STAMP_ROUNDING + ROUNDING)
        });
        if !explained {
            let sent = self.flying.iter().filter(|sent| sent.end <= una);
            let sent: Vec<_> = sent.map(|sent| (sent.end, now.since(sent.at), sent.was_repeated)).collect();
            return Err(format!(
                "measured {measured:?}, echoed {:?}, (end, age, sent again) {sent:?}",
                self.echoed(now, echo)
            ));
        }
        self.flying.retain(|sent| sent.end > una);
        Ok(())
    }

    /// How long ago the echoed timestamp was sent.
    fn echoed(&self, now: Instant, echo: Option<u32>) -> Option<Duration> {
        let (newest, at) = self.stamp?;
        Some(now.since(at) + Duration::from_millis(newest.wrapping_sub(echo?).into()))
    }
}

/// The sample that turned one average into the other: SRTT ← 7/8 SRTT + 1/8 R' (RFC 6298 §2.3), the first as it was (§2.2).
fn sample(before: Option<Duration>, after: Duration) -> Duration {
    let Some(before) = before else { return after };
    (after.saturating_sub(before - before / 8)) * 8
}
