//! How text looks: colours, characters and width, decided by whoever knows the terminal and passed in.

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colours, as SGR codes (ECMA-48 §8.3.117). Nothing else is ever sent to a terminal.
    pub color: bool,
    /// Characters beyond ASCII: arrows, box drawing.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Style {
    /// ASCII without colours, 80 columns: what goes into a pipe.
    pub const PLAIN: Self = Self { color: false, unicode: false, width: 80 };

    /// `text` in an ink, if there are colours.
    #[must_use]
    pub fn paint(&self, ink: Ink, text: &str) -> String {
        if self.color && !text.is_empty() { format!("\x1b[{}m{text}\x1b[0m", ink.sgr()) } else { text.to_owned() }
    }

    /// From this side to that: `→`, or `to` in ASCII.
    #[must_use]
    pub const fn arrow(&self) -> &'static str {
        if self.unicode { "→" } else { "to" }
    }

    /// A section of an RFC (`RFC 791 §3.1`), its sign written out in ASCII.
    #[must_use]
    pub(crate) fn section(&self, rfc: &str) -> String {
        if self.unicode { rfc.to_owned() } else { rfc.replace('§', "section ") }
    }

    /// Between two ends of a range.
    pub(crate) const fn dash(&self) -> &'static str {
        if self.unicode { "–" } else { "-" }
    }

    /// Between two statements about the same thing.
    pub(crate) const fn dot(&self) -> &'static str {
        if self.unicode { " · " } else { ", " }
    }
}

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ink {
    /// The field with this number: neighbours differ.
    Field(usize),
    /// Titles.
    Title,
    /// What matters less.
    Dim,
    /// Right, answered.
    Good,
    /// Wrong, refused.
    Bad,
    /// Worth a look: set by hand, changed on the way.
    Note,
}

impl Ink {
    /// Six colours that are told apart on light and dark grounds, also next to each other.
    const FIELDS: [&'static str; 6] = ["36", "33", "35", "32", "34", "31"];

    fn sgr(self) -> &'static str {
        match self {
            Self::Field(number) => Self::FIELDS[number % Self::FIELDS.len()],
            Self::Title => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Note => "1;33",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_sent_only_where_they_are_wanted() {
        let colored = Style { color: true, ..Style::PLAIN };
        assert_eq!(colored.paint(Ink::Bad, "x"), "\x1b[1;31mx\x1b[0m");
        assert_eq!(colored.paint(Ink::Bad, ""), "");
        assert_eq!(Style::PLAIN.paint(Ink::Bad, "x"), "x");
    }

    #[test]
    fn neighbouring_fields_differ() {
        for number in 0..20 {
            assert_ne!(Ink::Field(number).sgr(), Ink::Field(number + 1).sgr());
        }
    }
}
