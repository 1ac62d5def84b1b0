//! Where the lines come from: a terminal with an editor, or a pipe or file.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios};

use super::editor::{Edited, Editor};

/// The most bytes of one line of a pipe: a payload of the largest size as hexadecimal digits, and room for the rest.
const LINE_BYTES_MAX: usize = 2 * craft::MAX_PAYLOAD_BYTES + (1 << 16);

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line.
    Line(String),
    /// The end of the input.
    End,
    /// ctrl-C as a key.
    Interrupt,
}

/// The lines of standard input.
pub(super) struct Lines {
    ready: VecDeque<Typed>,
    ended: bool,
    kind: Kind,
}

enum Kind {
    Pipe { part: Vec<u8> },
    Terminal { editor: Editor, before: Termios, shown: bool },
}

impl Lines {
    /// Standard input as it is. A terminal is read key by key until this value goes.
    pub(super) fn open() -> Self {
        let pipe = Kind::Pipe { part: Vec::new() };
        let kind = if io::stdin().is_terminal() { key_by_key().unwrap_or(pipe) } else { pipe };
        Self { ready: VecDeque::new(), ended: false, kind }
    }

    /// A person types.
    pub(super) const fn is_terminal(&self) -> bool {
        matches!(self.kind, Kind::Terminal { .. })
    }

    /// Nothing more is to be waited for.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// ctrl-C was hit, and waits behind lines typed ahead or not.
    pub(super) fn is_interrupted(&self) -> bool {
        self.ready.contains(&Typed::Interrupt)
    }

    /// What was typed and not taken yet.
    pub(super) fn take(&mut self) -> Option<Typed> {
        self.ready.pop_front()
    }

    /// Reads what is there; it blocks where nothing is.
    pub(super) fn read(&mut self) {
        let mut bytes = [0; 4096];
        let read = rustix::io::read(io::stdin(), &mut bytes);
        if matches!(read, Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN)) {
            return;
        }
        // A terminal that was closed gives an error: an end like any other.
        let bytes = &bytes[..read.unwrap_or(0)];
        self.ended |= bytes.is_empty();
        match &mut self.kind {
            Kind::Pipe { part } => {
                part.extend_from_slice(bytes);
                while let Some(end) = part.iter().position(|&byte| byte == b'\n') {
                    let line: Vec<u8> = part.drain(..=end).collect();
                    self.ready.push_back(Typed::Line(text(&line)));
                }
                if !part.is_empty() && (self.ended || part.len() > LINE_BYTES_MAX) {
                    self.ready.push_back(Typed::Line(text(&std::mem::take(part))));
                }
            }
            Kind::Terminal { editor, .. } => {
                self.ready.extend(editor.feed(bytes).into_iter().map(|edited| match edited {
                    Edited::Line(line) => Typed::Line(line),
                    Edited::Interrupt => Typed::Interrupt,
                    Edited::End => Typed::End,
                }));
            }
        }
        if self.ended {
            self.ready.push_back(Typed::End);
        }
    }

    /// Takes the prompt off the screen, so that something can be printed.
    pub(super) fn hide(&mut self) {
        if let Kind::Terminal { shown, .. } = &mut self.kind
            && std::mem::take(shown)
        {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }

    /// Leaves the line on the screen and goes below it.
    pub(super) fn leave(&mut self, prompt: &str, line: &str) {
        if self.is_terminal() {
            self.hide();
            let _ = writeln!(io::stderr().lock(), "{prompt}{}", render::escape(line));
        }
    }

    /// Draws prompt and line anew.
    pub(super) fn show(&mut self, prompt: &str, width: usize) {
        if let Kind::Terminal { editor, shown, .. } = &mut self.kind {
            let (line, column) = editor.shown(prompt, width);
            *shown = true;
            let _ = write!(io::stderr().lock(), "\r\x1b[K{line}\r\x1b[{column}C");
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.hide();
        if let Kind::Terminal { before, .. } = &self.kind {
            let _ = rustix::termios::tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Each key at once, none of them echoed or made a signal; what is written keeps its line ends.
fn key_by_key() -> Option<Kind> {
    let before = rustix::termios::tcgetattr(io::stdin()).ok()?;
    let mut keys = before.clone();
    keys.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
    rustix::termios::tcsetattr(io::stdin(), OptionalActions::Now, &keys).ok()?;
    Some(Kind::Terminal { editor: Editor::default(), before, shown: false })
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned()
}
