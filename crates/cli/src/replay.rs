//! What is asked of the frames of a capture that are sent: how fast, which, and what is done to them.

use std::time::Duration;

use craft::Only;
use hand::Speed;

use crate::amounts::{duration, speed};
use crate::command::bad_value;
use crate::failure::Failure;
use crate::speech::say;

/// The word of `--speed` for as fast as it goes.
pub(crate) const AT_ONCE: &str = "max";

/// How long a gap is kept unless told otherwise: nobody sits before a terminal for the hour in which nothing happened.
pub(crate) const GAP_MAX: Duration = Duration::from_secs(60);

/// How fast, compared with the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Faster {
    /// So many times.
    Times(Speed),
    /// As fast as it goes.
    AtOnce,
}

/// The options of a capture.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replay {
    /// `--speed`.
    pub speed: Option<Faster>,
    /// `--gap-max`.
    pub gap_max: Option<Duration>,
    /// `--frames`, first and last number.
    pub frames: Option<(u64, u64)>,
    /// `--only`, each time: frames that all of them mean.
    pub only: Vec<Only>,
    /// `--seen-by`: the interface of the capture.
    pub seen_by: Option<String>,
    /// `--relink`.
    pub relink: bool,
    /// `--skip`.
    pub skip: bool,
}

impl Replay {
    /// Reads the values.
    ///
    /// # Errors
    /// A value that an option cannot take.
    pub(crate) fn read(
        flag: impl Fn(&'static str) -> bool,
        only: Vec<Only>,
        value: impl Fn(&'static str) -> Result<Option<String>, Failure>,
    ) -> Result<Self, Failure> {
        let mut replay = Self { only, relink: flag("relink"), skip: flag("skip"), ..Self::default() };
        if let Some(text) = value("speed")? {
            let faster = if text == AT_ONCE { Some(Faster::AtOnce) } else { speed(&text).map(Faster::Times) };
            replay.speed = Some(faster.ok_or_else(|| bad_value("speed", &text, &say("hint.speed", &[])))?);
        }
        if let Some(text) = value("gap-max")? {
            replay.gap_max = Some(duration(&text).ok_or_else(|| bad_value("gap-max", &text, "1s, 250ms, 2m"))?);
        }
        if let Some(text) = value("frames")? {
            replay.frames = Some(range(&text).ok_or_else(|| bad_value("frames", &text, "7, 3..7, 3.."))?);
        }
        replay.seen_by = value("seen-by")?;
        Ok(replay)
    }

    /// The long name of an option that is given, if one is.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let given = [
            ("speed", self.speed.is_some()),
            ("gap-max", self.gap_max.is_some()),
            ("frames", self.frames.is_some()),
            ("only", !self.only.is_empty()),
            ("seen-by", self.seen_by.is_some()),
            ("relink", self.relink),
            ("skip", self.skip),
        ];
        given.iter().find(|(_, is_given)| *is_given).map(|(name, _)| *name)
    }
}

/// Numbers of frames, from 1: `7`, `3..7`, `3..`.
fn range(text: &str) -> Option<(u64, u64)> {
    let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
    let (first, last) = match text.split_once("..") {
        None => (number(text)?, number(text)?),
        Some((first, "")) => (number(first)?, u64::MAX),
        Some((first, last)) => (number(first)?, number(last)?),
    };
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_numbers_from_one() {
        assert_eq!(range("7"), Some((7, 7)));
        assert_eq!(range("3..7"), Some((3, 7)));
        assert_eq!(range("3.."), Some((3, u64::MAX)));
        for wrong in ["", "0", "0..3", "7..3", "..3", "3-7", "1..2..3", "x"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }
}
