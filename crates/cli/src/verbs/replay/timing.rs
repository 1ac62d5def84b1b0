//! When the frames of a capture leave: at its own times, at a pace, or at once.

use hand::{Pace, Schedule, Speed};
use units::Instant;

use super::frames::Leaving;
use crate::command::Options;
use crate::replay::{Faster, GAP_MAX};

/// When frames leave.
pub(super) enum Timing {
    Captured(Schedule),
    Paced(Pace),
    AtOnce,
}

/// As the options say.
pub(super) fn timing(options: &Options, now: Instant) -> Timing {
    let gap_max = options.replay.gap_max.unwrap_or(GAP_MAX);
    match (options.rate, options.every, options.replay.speed) {
        (Some(rate), ..) => Timing::Paced(Pace::per_second(now, rate)),
        (_, Some(every), _) => Timing::Paced(Pace::every(now, every)),
        (.., Some(Faster::AtOnce)) => Timing::AtOnce,
        (.., Some(Faster::Times(speed))) => Timing::Captured(Schedule::begin(now, speed, gap_max)),
        _ => Timing::Captured(Schedule::begin(now, Speed::ONE, gap_max)),
    }
}

impl Timing {
    /// When a frame leaves.
    pub(super) fn due(&mut self, now: Instant, leaving: &Leaving) -> Instant {
        match self {
            Self::Captured(schedule) => schedule.due(leaving.wall),
            Self::Paced(pace) => {
                // Looked at for what it forgets: time that was lost.
                let _due = pace.due(now);
                pace.next()
            }
            Self::AtOnce => now,
        }
    }

    pub(super) fn on_sent(&mut self, now: Instant) {
        match self {
            Self::Captured(schedule) => schedule.on_sent(now),
            Self::Paced(pace) => pace.on_sent(now, 1),
            Self::AtOnce => {}
        }
    }
}
