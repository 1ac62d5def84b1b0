//! A table that is kept up to date in place on a terminal: lines, drawn anew over themselves.
//!
//! No state of the terminal is changed (no raw mode, no other screen, the cursor stays visible), so none has to be restored:
//! whatever ends the program, a signal, a panic, `kill -9`, leaves a terminal as it was, with the table in what scrolls by. All
//! that is written are line ends and three controls: up by so many lines, clear to the end of the line, clear to the end.

use std::io;
use std::time::Duration;

use units::Instant;

use crate::failure::Failure;
use crate::output::Output;

/// It is drawn anew so often at most: as often as an eye follows.
pub(crate) const REDRAW: Duration = Duration::from_millis(150);

/// A table on standard output.
pub(crate) struct Table {
    drawn: Option<Instant>,
    /// Lines on the screen, above the cursor.
    lines: usize,
    /// The size of the terminal when it was drawn.
    size: (usize, usize),
}

impl Table {
    /// Nothing drawn yet.
    pub(crate) fn new() -> Self {
        Self { drawn: None, lines: 0, size: (0, 0) }
    }

    /// When it may be drawn again.
    pub(crate) fn due(&self) -> Instant {
        self.drawn.map_or(Instant::ORIGIN, |drawn| drawn + REDRAW)
    }

    /// Draws these lines, made for a width of so many columns; no more of them than the terminal is high.
    ///
    /// # Errors
    /// When standard output cannot take them.
    pub(crate) fn draw(
        &mut self,
        now: Instant,
        out: &Output,
        lines: impl FnOnce(usize) -> Vec<String>,
    ) -> Result<(), Failure> {
        self.drawn = Some(now);
        self.put(out, lines, false)
    }

    /// Draws them a last time, all of them; the cursor stands below.
    ///
    /// # Errors
    /// When standard output cannot take them.
    pub(crate) fn finish(&mut self, out: &Output, lines: impl FnOnce(usize) -> Vec<String>) -> Result<(), Failure> {
        self.put(out, lines, true)
    }

    fn put(&mut self, out: &Output, lines: impl FnOnce(usize) -> Vec<String>, all: bool) -> Result<(), Failure> {
        let (columns, rows) = size(out);
        // A line that fills the last column would leave the cursor where some terminals wrap and others do not.
        let mut lines = lines(columns.saturating_sub(1));
        if !all {
            // The cursor needs a line of its own: what has left the screen cannot be drawn over.
            lines.truncate(rows.saturating_sub(1).max(1));
        }
        let text = frame(&lines, self.lines, self.lines > 0 && self.size != (columns, rows));
        (self.lines, self.size) = (lines.len(), (columns, rows));
        out.bytes(text.as_bytes())
    }
}

/// The bytes that draw lines over so many older ones.
fn frame(lines: &[String], above: usize, resized: bool) -> String {
    let mut text = String::new();
    if resized {
        // Terminals differ in what becomes of lines when their size changes; where those above are now nobody can know.
        text.push_str("\x1b[H\x1b[J");
    } else if above > 0 {
        text.push_str(&format!("\r\x1b[{above}A"));
    }
    for line in lines {
        // Nothing in it is another's, and still no control gets through.
        text.push_str(&render::escape(line));
        text.push_str("\x1b[K\n");
    }
    text.push_str("\x1b[J");
    text
}

/// Columns and rows of the terminal as it is now.
fn size(out: &Output) -> (usize, usize) {
    /// What a terminal that does not know its size has.
    const ROWS: usize = 24;
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let columns = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    let rows = size.map(|size| usize::from(size.ws_row)).filter(|rows| *rows > 0);
    (columns.unwrap_or(out.style.width), rows.unwrap_or(ROWS))
}

/// Whether a table can be drawn in place on standard output.
pub(crate) fn is_possible(out: &Output) -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    out.is_terminal() && !out.json && !out.quiet && !dumb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_drawn_over_the_older_ones() {
        let lines = ["one".to_owned(), "two".to_owned()];
        assert_eq!(frame(&lines, 0, false), "one\x1b[K\ntwo\x1b[K\n\x1b[J");
        assert_eq!(frame(&lines[..1], 2, false), "\r\x1b[2Aone\x1b[K\n\x1b[J");
        assert_eq!(frame(&lines[..1], 2, true), "\x1b[H\x1b[Jone\x1b[K\n\x1b[J");
        let hostile = frame(&["\x1b]0;x\x07".to_owned()], 0, false);
        assert_eq!(hostile.matches('\x1b').count(), 2, "{hostile:?}");
    }
}
