//! A line being edited on a terminal: keys become changes, lines, ends. It knows no terminal: bytes in, text out.

use unicode_width::UnicodeWidthStr;

/// The most lines that are remembered.
const HISTORY_MAX: usize = 500;
/// The most bytes of one line: a payload of several kilobytes as text.
const LINE_BYTES_MAX: usize = 64 << 10;

/// What keys led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edited {
    /// A line was finished.
    Line(String),
    /// ctrl-C.
    Interrupt,
    /// ctrl-D on an empty line.
    End,
}

/// A line being edited, and those before it.
#[derive(Debug, Default)]
pub(super) struct Editor {
    line: Vec<char>,
    at: usize,
    history: Vec<String>,
    /// Where in the history; its length: the line being written.
    place: usize,
    kept: Vec<char>,
    /// Bytes of a key or of a character that is not whole yet.
    part: Vec<u8>,
}

impl Editor {
    /// Takes keys.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Edited> {
        let mut edited = Vec::new();
        for &byte in bytes {
            self.part.push(byte);
            if self.part[0] == 0x1b {
                self.take_escape();
            } else {
                self.take_character(&mut edited);
            }
        }
        edited
    }

    /// What stands on the screen: the visible part of prompt and line, and the column of the cursor.
    pub(super) fn shown(&self, prompt: &str, width: usize) -> (String, usize) {
        let before: String = self.line[..self.at].iter().collect();
        let room = width.saturating_sub(prompt.width() + 1).max(8);
        let mut start = 0;
        while self.line[start..self.at].iter().collect::<String>().width() > room {
            start += 1;
        }
        let mut seen = String::new();
        for &char in &self.line[start..] {
            if seen.width() + char.to_string().width() > room {
                break;
            }
            seen.push(char);
        }
        let skipped: String = self.line[..start].iter().collect();
        (format!("{prompt}{seen}"), prompt.width() + before.width() - skipped.width())
    }

    /// A character that is whole, or a control key.
    fn take_character(&mut self, edited: &mut Vec<Edited>) {
        let text = match std::str::from_utf8(&self.part) {
            Ok(text) => text.to_owned(),
            // More bytes of it are to come, or it is none.
            Err(error) => {
                if error.error_len().is_some() || self.part.len() >= 4 {
                    self.part.clear();
                }
                return;
            }
        };
        self.part.clear();
        for char in text.chars() {
            match char {
                '\r' | '\n' => edited.push(Edited::Line(self.finish())),
                '\x03' => {
                    self.clear();
                    edited.push(Edited::Interrupt);
                }
                '\x04' if self.line.is_empty() => edited.push(Edited::End),
                '\x04' => self.delete(),
                '\x7f' | '\x08' => self.backspace(),
                '\x01' => self.at = 0,
                '\x05' => self.at = self.line.len(),
                '\x02' => self.at = self.at.saturating_sub(1),
                '\x06' => self.at = (self.at + 1).min(self.line.len()),
                '\x0b' => self.line.truncate(self.at),
                '\x15' => {
                    self.line.drain(..self.at);
                    self.at = 0;
                }
                '\x17' => self.delete_word(),
                '\x10' => self.go(-1),
                '\x0e' => self.go(1),
                char if char.is_control() => {}
                char => self.insert(char),
            }
        }
    }

    /// ECMA-48 §5.4: a control sequence ends with a byte from 0x40 on.
    fn take_escape(&mut self) {
        let whole = match self.part.as_slice() {
            [_] => false,
            [_, b'[' | b'O'] => false,
            [_, b'[' | b'O', .., last] => (0x40..=0x7e).contains(last),
            _ => true,
        };
        if !whole && self.part.len() < 16 {
            return;
        }
        match &self.part[1..] {
            b"[A" | b"OA" => self.go(-1),
            b"[B" | b"OB" => self.go(1),
            b"[C" | b"OC" => self.at = (self.at + 1).min(self.line.len()),
            b"[D" | b"OD" => self.at = self.at.saturating_sub(1),
            b"[H" | b"OH" | b"[1~" => self.at = 0,
            b"[F" | b"OF" | b"[4~" => self.at = self.line.len(),
            b"[3~" => self.delete(),
            _ => {}
        }
        self.part.clear();
    }

    fn insert(&mut self, char: char) {
        if self.line.len() < LINE_BYTES_MAX {
            self.line.insert(self.at, char);
            self.at += 1;
        }
    }

    fn backspace(&mut self) {
        if self.at > 0 {
            self.at -= 1;
            self.line.remove(self.at);
        }
    }

    fn delete(&mut self) {
        if self.at < self.line.len() {
            self.line.remove(self.at);
        }
    }

    fn delete_word(&mut self) {
        let end = self.at;
        while self.at > 0 && self.line[self.at - 1] == ' ' {
            self.at -= 1;
        }
        while self.at > 0 && self.line[self.at - 1] != ' ' {
            self.at -= 1;
        }
        self.line.drain(self.at..end);
    }

    fn clear(&mut self) {
        self.line.clear();
        self.at = 0;
        self.place = self.history.len();
    }

    fn finish(&mut self) -> String {
        let line: String = self.line.iter().collect();
        if !line.trim().is_empty() && self.history.last() != Some(&line) {
            if self.history.len() == HISTORY_MAX {
                self.history.remove(0);
            }
            self.history.push(line.clone());
        }
        self.clear();
        line
    }

    /// Backward or forward in the history; the line being written waits at its end.
    fn go(&mut self, step: isize) {
        let Some(place) = self.place.checked_add_signed(step).filter(|&place| place <= self.history.len()) else {
            return;
        };
        if self.place == self.history.len() {
            self.kept = self.line.clone();
        }
        self.place = place;
        self.line = self.history.get(place).map_or_else(|| self.kept.clone(), |line| line.chars().collect());
        self.at = self.line.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(keys: &str) -> Vec<Edited> {
        Editor::default().feed(keys.as_bytes())
    }

    fn line(text: &str) -> Edited {
        Edited::Line(text.to_owned())
    }

    #[test]
    fn keys_edit_the_line() {
        assert_eq!(lines("PA\r"), [line("PA")]);
        assert_eq!(lines("A ack=8\x7f7\r"), [line("A ack=7")]);
        assert_eq!(lines("A\x1b[DF\r"), [line("FA")]);
        assert_eq!(lines("A ack\x1b[H\x1b[3~S\r"), [line("S ack")]);
        assert_eq!(lines("A one two\x17\x17b\r"), [line("A b")]);
        assert_eq!(lines("abc\x02\x0b\x01x\x05y\r"), [line("xaby")]);
        assert_eq!(lines("gone\x15A\r"), [line("A")]);
        assert_eq!(lines("data=ß한\x7f\r"), [line("data=ß")]);
    }

    #[test]
    fn the_history_goes_back_and_keeps_what_was_being_written() {
        assert_eq!(lines("S\rA\r\x1b[A\x1b[A\r"), [line("S"), line("A"), line("S")]);
        assert_eq!(lines("S\rnew\x1b[A\x1b[B!\r"), [line("S"), line("new!")]);
        assert_eq!(lines("\x1b[A\x1b[B\x1b[Bx\r"), [line("x")]);
    }

    #[test]
    fn ends_and_interrupts_are_told_apart() {
        assert_eq!(lines("\x04"), [Edited::End]);
        assert_eq!(lines("ab\x02\x04\r"), [line("a")]);
        assert_eq!(lines("ab\x03A\r"), [Edited::Interrupt, line("A")]);
    }

    #[test]
    fn no_bytes_upset_it() {
        let mut editor = Editor::default();
        for seed in 0..=u8::MAX {
            let bytes: Vec<u8> = (0..200u8).map(|n| n.wrapping_mul(seed).wrapping_add(seed ^ 0x1b)).collect();
            editor.feed(&bytes);
            let (shown, column) = editor.shown("> ", 40);
            assert!(shown.width() <= 41 && column <= 41, "{shown:?} {column}");
            assert!(!shown.chars().any(char::is_control));
        }
    }

    #[test]
    fn a_long_line_shows_the_part_around_the_cursor() {
        let mut editor = Editor::default();
        editor.feed("0123456789".repeat(10).as_bytes());
        let (shown, column) = editor.shown("S: ", 40);
        assert!(shown.ends_with("789") && column <= 40, "{shown} {column}");
    }
}
