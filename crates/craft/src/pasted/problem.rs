//! What can be wrong with what was pasted, a row each.

use alloc::string::String;

use crate::problem::problems;

problems! {
    /// What is wrong with what was pasted, as a sentence with its values.
    Problem:
    /// A capture.
    IsCapture { kind: &'static str } "is-capture" "this is a capture file ({kind}), not a single packet"
    /// More than is read.
    TooLong {} "too-long" "more than 8 MiB of text: no packet is that large"
    /// Bytes that are no text.
    NeitherTextNorCapture {} "neither-text-nor-capture" "this is neither text nor a capture file"
    /// Nothing at all.
    Nothing {} "nothing" "there is nothing to read"
    /// Text without bytes in it.
    NoBytes {} "no-bytes" "there are no bytes in it"
    /// A character that is no digit.
    NoHexDigit { char: String } "no-hex-digit" "`{char}` is no hexadecimal digit, and no other format fits"
    /// Half a byte.
    DigitAlone {} "digit-alone" "this digit stands alone: a byte has two"
    /// A line of a dump in a wrong place.
    OffsetBehind { offset: String, bytes: usize } "offset-behind" "the offset {offset} stands behind {bytes} bytes"
    /// A group of a dump that is no bytes.
    NoGroup { group: String } "no-group" "`{group}` is no group of bytes"
    /// An array without its end.
    ArrayOpen {} "array-open" "this array is not closed"
    /// A number beyond a byte.
    MoreThanAByte { number: String } "more-than-a-byte" "`{number}` is more than a byte holds"
    /// No number.
    NoNumber { text: String } "no-number" "`{text}` is no number of an array"
    /// Something between two strings.
    BetweenStrings { char: String } "between-strings" "`{char}` stands between strings"
    /// A string without its end.
    StringOpen {} "string-open" "this string is not closed"
    /// An escape without its digits.
    EscapeHex {} "escape-hex" "behind \\x stand two hexadecimal digits"
    /// A backslash at the end.
    BackslashAlone {} "backslash-alone" "a backslash stands alone"
    /// An octal escape beyond a byte.
    OctalTooLarge {} "octal-too-large" "an octal escape above \\377 is more than a byte holds"
}
