//! Waiting for a condition, with a limit and a name.

use std::{fmt, thread, time::Duration};

/// The pause between two looks at a condition: short beside any human wait, long beside a look at `/proc`.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a scenario waits before it says what did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub Duration);

impl Limit {
    /// `seconds` seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// How many pauses fit into the limit. Counting them needs no clock; a loaded machine waits longer, never shorter.
    fn pauses(self) -> u128 {
        (self.0.as_nanos() / PAUSE.as_nanos()).max(1)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f32())
    }
}

/// Looks until `look` yields something.
///
/// # Errors
/// When the limit has passed: the text names `what` was waited for.
pub fn wait_for<T>(what: &str, limit: Limit, mut look: impl FnMut() -> Option<T>) -> Result<T, String> {
    for _ in 0..limit.pauses() {
        if let Some(found) = look() {
            return Ok(found);
        }
        thread::sleep(PAUSE);
    }
    look().ok_or_else(|| format!("{what} did not happen within {limit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_comes_true_is_returned() {
        let mut looks = 0;
        let found = wait_for("three looks", Limit::seconds(5), || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(found, Ok(3));
    }

    #[test]
    fn a_condition_that_stays_false_is_named() {
        let found = wait_for::<()>("rain", Limit(Duration::from_millis(10)), || None);
        assert_eq!(found, Err("rain did not happen within 0.01 s".to_owned()));
    }
}
