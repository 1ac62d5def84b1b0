//! RFC 1035 §3.1, §4.1.4: names: labels, and pointers to where a name goes on.

/// The most bytes of a label, RFC 1035 §2.3.4.
pub const LABEL_MAX: usize = 63;
/// The most bytes of a name with its lengths, RFC 1035 §2.3.4.
pub const NAME_MAX: usize = 255;
/// The farthest byte that a pointer reaches: 14 bits.
pub const POINTER_MAX: usize = 0x3fff;
/// The most pointers that a name is followed through: no label is shorter than two bytes, so more add nothing.
const POINTERS_MAX: usize = NAME_MAX / 2;

/// The byte behind the name at `at`, as it stands there: behind its root or its first pointer. `None` when it is cut off,
/// longer than [`NAME_MAX`], or has a label of a kind that RFC 1035 does not know.
#[must_use]
pub fn name_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut next = at;
    loop {
        match usize::from(*bytes.get(next)?) {
            0 => return (next + 1 - at <= NAME_MAX).then_some(next + 1),
            len @ 1..=LABEL_MAX if next + 1 + len - at <= NAME_MAX => next += 1 + len,
            0xc0.. => {
                bytes.get(next + 1)?;
                return Some(next + 2);
            }
            _ => return None,
        }
    }
}

/// Why a name has no whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameFault {
    /// It is cut off, or has a label of an unknown kind.
    Cut,
    /// A pointer leads to where the name stands or behind it: forward, or round.
    Pointer,
    /// It is longer than [`NAME_MAX`].
    TooLong,
}

/// The labels of the name at a byte of a message, pointers followed: each or one fault, and then nothing. Pointers must lead
/// backward, so that none goes round; work is bounded by [`NAME_MAX`].
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    message: &'a [u8],
    at: usize,
    /// Where the part being read began: pointers lead before it.
    start: usize,
    len: usize,
    pointers: usize,
    ended: bool,
}

impl<'a> Labels<'a> {
    /// The labels of the name at `at`; `message` begins with the header.
    #[must_use]
    pub const fn new(message: &'a [u8], at: usize) -> Self {
        Self { message, at, start: at, len: 1, pointers: 0, ended: false }
    }

    fn step(&mut self) -> Option<Result<&'a [u8], NameFault>> {
        loop {
            let Some(&first) = self.message.get(self.at) else { return Some(Err(NameFault::Cut)) };
            let len = usize::from(first);
            match len {
                0 => return None,
                1..=LABEL_MAX => {
                    self.len += 1 + len;
                    let Some(label) = self.message.get(self.at + 1..self.at + 1 + len) else {
                        return Some(Err(NameFault::Cut));
                    };
                    if self.len > NAME_MAX {
                        return Some(Err(NameFault::TooLong));
                    }
                    self.at += 1 + len;
                    return Some(Ok(label));
                }
                0xc0.. => {
                    let Some(&second) = self.message.get(self.at + 1) else { return Some(Err(NameFault::Cut)) };
                    let target = (len & 0x3f) << 8 | usize::from(second);
                    self.pointers += 1;
                    if target >= self.start || self.pointers > POINTERS_MAX {
                        return Some(Err(NameFault::Pointer));
                    }
                    self.start = target;
                    self.at = target;
                }
                _ => return Some(Err(NameFault::Cut)),
            }
        }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = Result<&'a [u8], NameFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let label = self.step();
        self.ended = !matches!(label, Some(Ok(_)));
        label
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn whole(message: &[u8], at: usize) -> Result<Vec<&[u8]>, NameFault> {
        Labels::new(message, at).collect()
    }

    #[test]
    fn a_pointer_is_followed_backward_and_nowhere_else() {
        let message = b"\x03www\x07example\x00\x04mail\xc0\x04\xc0\x14\xc0\x00";
        assert_eq!(whole(message, 0).unwrap(), [&b"www"[..], b"example"]);
        assert_eq!(whole(message, 13).unwrap(), [&b"mail"[..], b"example"]);
        assert_eq!(
            (name_end(message, 0), name_end(message, 13), name_end(message, 20)),
            (Some(13), Some(20), Some(22))
        );
        assert_eq!(whole(message, 20), Err(NameFault::Pointer), "to itself");
        assert_eq!(whole(b"\xc0\x02\x01a\x00", 0), Err(NameFault::Pointer), "forward");
        assert_eq!(whole(b"\x01a\xc0\x00", 2), Err(NameFault::Pointer), "round");
    }

    #[test]
    fn what_is_too_long_or_cut_is_no_name() {
        let mut long = Vec::new();
        for _ in 0..4 {
            long.push(63);
            long.extend([b'a'; 63]);
        }
        long.push(0);
        assert_eq!((name_end(&long, 0), name_end(&long[64..], 0)), (None, Some(193)));
        assert_eq!(whole(&long, 0), Err(NameFault::TooLong));
        assert_eq!((name_end(b"\x40", 0), name_end(b"\x02a", 0), name_end(b"\xc0", 0)), (None, None, None));
        assert_eq!(whole(b"\x02a", 0), Err(NameFault::Cut));
    }
}
