//! RFC 1035 §4.2.2: over TCP each message has its length before it.

use crate::{Auto, LengthOf};

header! {
    "dnslen" 2 bytes "Length of a DNS message over TCP" "RFC 1035 §4.2.2" => shark("dns") => also(&["dnstcp", "dns_tcp", "dns_length"]);
    /// How many bytes of the stream the message takes, these two not counted.
    length: u16 = 16 bits "len" .auto(Auto::Length(LengthOf::Behind)).shark("dns.length").also(&["length", "prefix"]);
}

/// The message that a segment begins with, where all its bytes are there.
#[must_use]
pub fn message(segment: &[u8]) -> Option<&[u8]> {
    let (header, behind) = View::split(segment)?;
    behind.get(..usize::from(header.length()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_there_or_not() {
        assert_eq!(message(&[0, 2, 7, 8, 9]), Some(&[7, 8][..]));
        assert_eq!((message(&[0, 3, 7, 8]), message(&[0]), message(&[0, 0])), (None, None, Some(&[][..])));
    }
}
