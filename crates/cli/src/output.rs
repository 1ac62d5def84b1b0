//! Where results go: standard output for results, standard error for all else; bytes never to a terminal.

use std::io::{self, IsTerminal, Write};

use render::Style;

use crate::command::{Color, Options};
use crate::failure::{Exit, Failure};
use crate::speech::{locale_is_utf8, say};

/// The two streams of one command, and how to draw on the first.
pub(crate) struct Output {
    /// How results are drawn.
    pub style: Style,
    /// Results as JSON, a line each.
    pub json: bool,
    /// Nothing but the exit code.
    pub quiet: bool,
    /// Every field, every step.
    pub verbose: bool,
}

/// The narrowest terminal that is drawn for, and the width where there is no terminal.
const WIDTH_MIN: usize = 40;
const WIDTH_DEFAULT: usize = 80;

impl Output {
    /// What the options and the terminal allow.
    pub(crate) fn new(options: &Options) -> Self {
        let terminal = io::stdout().is_terminal();
        let color = match options.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                terminal
                    && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        let style = Style { color, unicode: !options.ascii && locale_is_utf8(), width: width(terminal) };
        Self { style, json: options.json, quiet: options.quiet, verbose: options.verbose }
    }

    /// Standard output is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Prints a result, whole lines.
    ///
    /// # Errors
    /// When standard output cannot take it (a full disk; a closed pipe ends the process quietly before).
    pub(crate) fn result(&self, text: &str) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        // One write: lines of two programs on one pipe do not tear each other.
        if text.ends_with('\n') { self.bytes(text.as_bytes()) } else { self.bytes(format!("{text}\n").as_bytes()) }
    }

    /// Prints one JSON value on a line.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub(crate) fn json_line(&self, value: &serde_json::Value) -> Result<(), Failure> {
        self.result(&value.to_string())
    }

    /// Writes bytes to standard output as they are, and flushes: a reader sees each result when it happens.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                return Failure::quiet();
            }
            Failure::new(Exit::CouldNotSend, "output", say("error.output", &[("said", &error)]))
                .row("or", say("hint.another-output", &[]))
        })
    }

    /// A remark beside the results: standard error, never with `-q`.
    pub(crate) fn remark(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// A sentence beside the results.
    pub(crate) fn tell(&self, sentence: &str) {
        self.remark(&format!("ww: {sentence}"));
    }

    /// A failure: standard error, as text or as JSON.
    pub(crate) fn complain(failure: &Failure, json: bool) {
        if failure.is_quiet() {
            return;
        }
        let mut err = io::stderr().lock();
        let _ = if json { writeln!(err, "{}", failure.to_json()) } else { writeln!(err, "{failure}") };
    }
}

fn width(terminal: bool) -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse::<usize>().ok());
    let measured = || {
        terminal
            .then(|| rustix::termios::tcgetwinsize(io::stdout()).ok())
            .flatten()
            .map(|size| usize::from(size.ws_col))
    };
    columns.or_else(measured).filter(|&width| width > 0).unwrap_or(WIDTH_DEFAULT).max(WIDTH_MIN)
}
