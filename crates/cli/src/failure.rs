//! A failure as a person reads it: one headline, then labelled rows that say what to do; and its exit code.

use std::fmt;

use crate::speech::label;

/// The exit codes of `ww`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: answered, or the expectation was met.
    Answered,
    /// 1: no answer.
    NoAnswer,
    /// 2: the command line, a packet or a file could not be understood.
    Usage,
    /// 3: the operating system does not permit it.
    NotPermitted,
    /// 4: it could not be sent.
    CouldNotSend,
    /// 5: answered, but not as expected; or findings.
    Unexpected,
    /// 130: ended by ctrl-C.
    Interrupted,
    /// The code of a command that was run.
    Theirs(u8),
}

impl Exit {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Answered => 0,
            Self::NoAnswer => 1,
            Self::Usage => 2,
            Self::NotPermitted => 3,
            Self::CouldNotSend => 4,
            Self::Unexpected => 5,
            Self::Interrupted => 130,
            Self::Theirs(code) => code,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The code of an end that is none of our making.
const BROKEN_PIPE: &str = "broken-pipe";

/// What went wrong, in a form that prints.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// A stable code for scripts, `area-what`.
    pub code: &'static str,
    /// What happened, in one line.
    pub headline: String,
    /// Labelled lines below it: where, and what to do.
    pub rows: Vec<Row>,
}

/// A labelled line below a headline. The label is its English word, which JSON keeps; people read the catalogue's.
#[derive(Debug)]
pub(crate) struct Row {
    label: String,
    text: String,
    note: String,
}

impl Failure {
    /// A failure with nothing but its headline.
    pub(crate) fn new(exit: Exit, code: &'static str, headline: impl Into<String>) -> Self {
        Self { exit, code, headline: headline.into(), rows: Vec::new() }
    }

    /// The reader of standard output went away: an end, not an error.
    pub(crate) fn quiet() -> Self {
        Self::new(Exit::Answered, BROKEN_PIPE, "")
    }

    /// Nothing is to be said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.code == BROKEN_PIPE
    }

    /// A mistake in what was typed.
    pub(crate) fn usage(code: &'static str, headline: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, headline)
    }

    /// With one more row.
    #[must_use]
    pub(crate) fn row(self, label: impl Into<String>, text: impl Into<String>) -> Self {
        self.noted(label, text, "")
    }

    /// With one more row, and a remark in brackets behind it.
    #[must_use]
    pub(crate) fn noted(mut self, label: impl Into<String>, text: impl Into<String>, note: impl Into<String>) -> Self {
        self.rows.push(Row { label: label.into(), text: text.into(), note: note.into() });
        self
    }

    /// The failure as JSON, for `--json`.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let rows: Vec<_> = self.rows.iter().map(|r| serde_json::json!({"label": r.label, "text": r.text})).collect();
        serde_json::json!({"v": 1, "error": {"code": self.code, "exit": self.exit.code(), "text": self.headline, "rows": rows}})
    }
}

/// Words as lines that fit behind a label.
pub(crate) fn lines_of(words: impl Iterator<Item = &'static str>) -> String {
    const WIDTH: usize = 60;
    let mut text = String::new();
    let mut column = 0;
    for word in words {
        let sign = if column == 0 {
            ""
        } else if column + 1 + word.len() > WIDTH {
            "\n"
        } else {
            " "
        };
        column = if sign == " " { column + 1 } else { 0 } + word.len();
        text.push_str(sign);
        text.push_str(word);
    }
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ww: {}", self.headline)?;
        let width = render::columns;
        let labels: Vec<String> = self.rows.iter().map(|row| label(&row.label)).collect();
        let widest = labels.iter().map(|label| width(label)).max().unwrap_or(0);
        let text = self.rows.iter().filter(|r| !r.note.is_empty()).map(|r| width(&r.text)).max().unwrap_or(0);
        for (row, label) in self.rows.iter().zip(&labels) {
            let pad = widest.saturating_sub(width(label)) + 3;
            let below = format!("\n    {:1$}", "", widest + 3);
            write!(f, "\n    {label}{:pad$}{}", "", row.text.replace('\n', &below))?;
            if !row.note.is_empty() {
                let pad = text.saturating_sub(width(&row.text)) + 6;
                write!(f, "{:pad$}({})", "", row.note)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_aligned_and_notes_stand_in_one_column() {
        let failure =
            Failure::new(Exit::NotPermitted, "no-cap-net-raw", "not permitted: a raw socket needs CAP_NET_RAW")
                .row("once", "sudo ww ask tcp 192.0.2.2:80 S")
                .noted("for good", "sudo setcap cap_net_raw+ep ww", "again after each build")
                .noted("without", "ww lab ask tcp server:80 S", "the practice network");
        let expected = "\
ww: not permitted: a raw socket needs CAP_NET_RAW
    once       sudo ww ask tcp 192.0.2.2:80 S
    for good   sudo setcap cap_net_raw+ep ww      (again after each build)
    without    ww lab ask tcp server:80 S         (the practice network)";
        assert_eq!(failure.to_string(), expected);
    }
}
