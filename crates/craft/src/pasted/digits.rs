//! Hexadecimal digits, with whatever people put between them.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{PasteCode, PasteError, Problem};

/// Reads digits; spaces, line ends, `:`, `-`, `,`, `_` and `0x` may divide bytes.
pub(super) fn read(text: &str) -> Result<Vec<u8>, PasteError> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut half: Option<(u8, usize)> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let prefix = c == '0' && half.is_none() && chars.peek().is_some_and(|&(_, c)| c == 'x' || c == 'X');
        if prefix {
            chars.next();
            continue;
        }
        if c.is_whitespace() || ":-,_;".contains(c) {
            if let Some((_, at)) = half {
                return Err(half_byte(text, at));
            }
            continue;
        }
        let Some(digit) = c.to_digit(16) else {
            let problem = Problem::NoHexDigit { char: c.escape_debug().to_string() };
            return Err(PasteError::at(PasteCode::BadCharacter, text, at, problem));
        };
        // A digit of base 16 fits into four bits.
        let digit = digit as u8;
        match half.take() {
            None => half = Some((digit, at)),
            Some((high, _)) => bytes.push(high << 4 | digit),
        }
    }
    match half {
        Some((_, at)) => Err(half_byte(text, at)),
        None => Ok(bytes),
    }
}

fn half_byte(text: &str, at: usize) -> PasteError {
    PasteError::at(PasteCode::HalfByte, text, at, Problem::DigitAlone {})
}
