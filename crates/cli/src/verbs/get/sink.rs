//! Where the body of a page goes, and what is kept of it when it does not come whole.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use link::clock;
use units::Instant;

use crate::failure::{Exit, Failure};
use crate::http::{Framing, Head};
use crate::output::Output;
use crate::speech::say;

/// How often progress is drawn.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// The file that holds what came, for whoever ends the command before all did.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Option<String>>>);

impl Kept {
    fn is_at(&self, path: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
    }

    /// Its path, to be shown.
    pub(super) fn path(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A failure that says what is kept.
    pub(super) fn told(&self, failure: Failure) -> Failure {
        match self.path() {
            Some(path) if !failure.is_quiet() => failure.row("kept", say("hint.holds", &[("path", &path)])),
            _ => failure,
        }
    }
}

/// Where the body goes.
pub(super) struct Sink<'a> {
    file: Option<File>,
    out: &'a Output,
    /// Text for a terminal, whose control characters are shown and not obeyed.
    is_terminal: bool,
    progress: Option<Progress>,
}

impl<'a> Sink<'a> {
    /// Opens the file at `path`, if there is one that is no `-`, and tells `kept` of it.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn open(out: &'a Output, path: Option<&OsStr>, head: &Head, kept: &Kept) -> Result<Self, Failure> {
        let file = path.filter(|path| *path != "-").map(|path| {
            let shown = render::escape(&path.to_string_lossy()).into_owned();
            let made = File::create(path).map_err(|error| {
                Failure::new(
                    Exit::CouldNotSend,
                    "file-unwritable",
                    say("error.file-unwritable", &[("path", &shown), ("said", &error)]),
                )
            });
            made.inspect(|_| kept.is_at(shown))
        });
        let file = file.transpose()?;
        let is_terminal = file.is_none() && out.is_terminal();
        let shows = io::stderr().is_terminal() && !is_terminal && !out.quiet && !out.verbose;
        let whole = if let Framing::Length(len) = head.framing { Some(len) } else { None };
        let progress = shows.then(|| Progress { begun: clock::now(), drawn: Instant::ORIGIN, got: 0, whole });
        Ok(Self { file, out, is_terminal, progress })
    }

    /// Takes a piece of the body.
    pub(super) fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(piece)?,
            None if self.out.quiet => {}
            None if self.is_terminal => {
                let mut out = io::stdout().lock();
                for part in String::from_utf8_lossy(piece).split_inclusive('\n') {
                    let (line, end) = part.strip_suffix('\n').map_or((part, ""), |line| (line, "\n"));
                    let line = line.strip_suffix('\r').unwrap_or(line);
                    write!(out, "{}{end}", render::escape(line))?;
                }
            }
            None => io::stdout().lock().write_all(piece)?,
        }
        if let Some(progress) = &mut self.progress {
            progress.add(piece.len());
        }
        Ok(())
    }

    /// All is stored, as far as the system says.
    pub(super) fn finish(self) -> io::Result<()> {
        if let Some(progress) = self.progress {
            progress.clear();
        }
        match self.file {
            Some(mut file) => file.flush(),
            None => io::stdout().lock().flush(),
        }
    }
}

/// A line that says how far it is.
struct Progress {
    begun: Instant,
    drawn: Instant,
    got: u64,
    whole: Option<u64>,
}

impl Progress {
    fn add(&mut self, count: usize) {
        self.got += count as u64;
        let now = clock::now();
        if now.since(self.drawn) < PROGRESS_EVERY {
            return;
        }
        self.drawn = now;
        let mb = |bytes: u64| bytes as f64 / 1e6;
        let speed = mb(self.got) / now.since(self.begun).as_secs_f64().max(0.001);
        let (got, speed) = (format!("{:.1}", mb(self.got)), format!("{speed:.1}"));
        let said = match self.whole.map(|whole| format!("{:.1}", mb(whole))) {
            Some(whole) => say("get.progress.of", &[("got", &got), ("whole", &whole), ("speed", &speed)]),
            None => say("get.progress", &[("got", &got), ("speed", &speed)]),
        };
        let _ = write!(io::stderr().lock(), "\r{said}   ");
    }

    fn clear(&self) {
        let _ = write!(io::stderr().lock(), "\r{:60}\r", "");
    }
}
