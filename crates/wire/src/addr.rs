//! Ethernet addresses. IP addresses are `core::net`'s.

use core::fmt;

/// An Ethernet (EUI-48) address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// `ff:ff:ff:ff:ff:ff`, everybody on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// `00:00:00:00:00:00`, nobody.
    pub const ZERO: Self = Self([0; 6]);

    /// The address whose 48 bits are the low bits of `value`.
    #[must_use]
    pub const fn from_u64(value: u64) -> Self {
        let b = value.to_be_bytes();
        Self([b[2], b[3], b[4], b[5], b[6], b[7]])
    }

    /// The 48 bits as a number.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        let b = self.0;
        u64::from_be_bytes([0, 0, b[0], b[1], b[2], b[3], b[4], b[5]])
    }

    /// The group bit: multicast or broadcast.
    #[must_use]
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Reads six pairs of hexadecimal digits divided by `:` or `-`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let divider = if text.contains('-') { '-' } else { ':' };
        let mut parts = text.split(divider);
        let mut bytes = [0; 6];
        for byte in &mut bytes {
            let part = parts.next()?;
            let all_hex = part.bytes().all(|b| b.is_ascii_hexdigit());
            if part.is_empty() || part.len() > 2 || !all_hex {
                return None;
            }
            *byte = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(bytes))
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_printed_address_parses_back() {
        let mac = MacAddr([2, 0, 0xab, 0, 9, 0xff]);
        assert_eq!(mac.to_string(), "02:00:ab:00:09:ff");
        assert_eq!(MacAddr::parse("02:00:ab:00:09:ff"), Some(mac));
        assert_eq!(MacAddr::parse("2-0-AB-0-9-FF"), Some(mac));
        assert_eq!(MacAddr::from_u64(mac.to_u64()), mac);
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for text in ["", "1:2:3:4:5", "1:2:3:4:5:6:7", "1:2:3:4:5:+6", "1:2:3:4:5:666", "1:2:3-4:5:6", "g:2:3:4:5:6"] {
            assert_eq!(MacAddr::parse(text), None, "{text}");
        }
    }
}
