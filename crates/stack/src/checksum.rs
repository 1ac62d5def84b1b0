//! Whether a received transport checksum is believed: the sums of a kernel that has not computed them yet.

use wirewright_wire::checksum::Sum;

/// What the link knows of a frame's transport checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// Nothing: it is computed.
    ToCheck,
    /// The link found it right.
    Verified,
    /// The field holds the folded pseudo-header, uncomplemented; the frame never was on a wire where it could be damaged.
    Partial,
    /// Either it is right, or it is partial; nobody said which.
    MaybePartial,
}

/// How a checksum was found to be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Good {
    /// The sum was right, or the link said so.
    Right,
    /// It is the folded pseudo-header.
    Partial,
}

/// Judges the checksum `stored` in `transport`, whose pseudo-header sums to `pseudo`.
pub(crate) fn judge(given: Checksum, pseudo: Sum, stored: u16, transport: &[u8]) -> Option<Good> {
    match given {
        Checksum::Verified => Some(Good::Right),
        Checksum::Partial => Some(Good::Partial),
        Checksum::ToCheck => pseudo.add(transport).is_right().then_some(Good::Right),
        // Exactly two values. The cheap one first: it is that of every segment of a kernel on veth and loopback.
        Checksum::MaybePartial if stored == pseudo.folded() => Some(Good::Partial),
        Checksum::MaybePartial => pseudo.add(transport).is_right().then_some(Good::Right),
    }
}

#[cfg(test)]
mod tests {
    use wirewright_wire::checksum::pseudo_v4;

    use super::*;

    #[test]
    fn exactly_two_values_pass_where_nobody_knows() {
        let pseudo = pseudo_v4([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), 6, 20);
        let mut segment = [7; 20];
        segment[16..18].fill(0);
        let right = pseudo.add(&segment).finish();
        let mut passed = 0;
        for stored in 0..=u16::MAX {
            segment[16..18].copy_from_slice(&stored.to_be_bytes());
            let maybe = judge(Checksum::MaybePartial, pseudo, stored, &segment);
            let checked = judge(Checksum::ToCheck, pseudo, stored, &segment);
            passed += usize::from(maybe.is_some());
            assert_eq!(maybe == Some(Good::Right), stored == right, "{stored:#x}");
            assert_eq!(maybe == Some(Good::Partial), stored == pseudo.folded(), "{stored:#x}");
            assert_eq!(checked.is_some(), stored == right, "{stored:#x}");
        }
        assert_eq!(passed, 2);
    }
}
