//! The results that test runners print.

use std::{fmt, ops::AddAssign};

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: usize,
    pub(super) failed: usize,
}

impl Count {
    /// `test result: ok. 7 passed; 0 failed; …`.
    pub(super) fn in_libtest_line(line: &str) -> Option<Self> {
        let rest = line.trim_start().strip_prefix("test result:")?;
        Some(Self { passed: number_before(rest, " passed")?, failed: number_before(rest, " failed")? })
    }

    /// `Summary [ 0.6s] 12 tests run: 11 passed (1 slow), 1 timed out, 0 skipped`: what did not pass failed.
    pub(super) fn in_nextest_line(line: &str) -> Option<Self> {
        let rest = line.trim_start().strip_prefix("Summary [")?;
        // `8/12 tests run` where the run was broken off.
        let run = number_before(rest, " tests run:").or_else(|| number_before(rest, " test run:"))?;
        let passed = number_before(rest, " passed").unwrap_or(0);
        Some(Self { passed, failed: run.saturating_sub(passed) })
    }
}

fn number_before(text: &str, word: &str) -> Option<usize> {
    let before = &text[..text.find(word)?];
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_libtest_is_read() {
        let line = "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.86s";
        assert_eq!(Count::in_libtest_line(line), Some(Count { passed: 3, failed: 1 }));
        assert_eq!(Count::in_libtest_line("test a ... ok"), None);
    }

    #[test]
    fn the_line_of_nextest_is_read() {
        let read = |line| Count::in_nextest_line(line).map(|count| (count.passed, count.failed));
        assert_eq!(read("     Summary [   0.598s] 12 tests run: 12 passed, 0 skipped"), Some((12, 0)));
        assert_eq!(
            read("     Summary [   1.0s] 12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 3 skipped"),
            Some((9, 3))
        );
        assert_eq!(read("     Summary [   1.0s] 1 test run: 0 passed, 1 failed, 0 skipped"), Some((0, 1)));
        assert_eq!(read("        PASS [   0.005s] ( 1/12) a b"), None);
    }
}
