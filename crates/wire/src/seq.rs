//! RFC 9293 §3.4: sequence numbers on a circle, and RFC 7323 §2: windows and their scale.

use core::fmt;
use core::ops::{Add, AddAssign, Shl, Shr, Sub};

/// A TCP sequence number. It has no order, because the numbers run in a circle: ask [`before`](Self::before),
/// [`after`](Self::after) or [`in_window`](Self::in_window).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SeqNum(u32);

impl SeqNum {
    /// The sequence number with these 32 bits.
    #[must_use]
    pub const fn new(raw: u32) -> Self {
        Self(raw)
    }

    /// The 32 bits.
    #[must_use]
    pub const fn to_raw(self) -> u32 {
        self.0
    }

    /// `self` lies less than 2³¹ before `other`.
    #[must_use]
    pub const fn before(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0) as i32 > i32::MIN && (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// `self` lies less than 2³¹ behind `other`.
    #[must_use]
    pub const fn after(self, other: Self) -> bool {
        other.before(self)
    }

    /// `self` is `other` or lies before it.
    #[must_use]
    pub const fn at_or_before(self, other: Self) -> bool {
        self.0 == other.0 || self.before(other)
    }

    /// `self` is `other` or lies behind it.
    #[must_use]
    pub const fn at_or_after(self, other: Self) -> bool {
        self.0 == other.0 || self.after(other)
    }

    /// `start` ≤ `self` < `start + len` on the circle.
    #[must_use]
    pub const fn in_window(self, start: Self, len: SeqLen) -> bool {
        self.0.wrapping_sub(start.0) < len.0
    }

    /// The steps forward from `earlier` to `self`, modulo 2³².
    #[must_use]
    pub const fn since(self, earlier: Self) -> SeqLen {
        SeqLen(self.0.wrapping_sub(earlier.0))
    }

    /// The signed distance from `other` to `self`: negative when `self` lies before it.
    #[must_use]
    pub const fn offset_from(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0) as i32
    }
}

impl Add<SeqLen> for SeqNum {
    type Output = Self;
    fn add(self, rhs: SeqLen) -> Self {
        Self(self.0.wrapping_add(rhs.0))
    }
}

impl AddAssign<SeqLen> for SeqNum {
    fn add_assign(&mut self, rhs: SeqLen) {
        *self = *self + rhs;
    }
}

impl Sub<SeqLen> for SeqNum {
    type Output = Self;
    fn sub(self, rhs: SeqLen) -> Self {
        Self(self.0.wrapping_sub(rhs.0))
    }
}

impl fmt::Debug for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A stretch of sequence space: data bytes, and one each for SYN and FIN.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct SeqLen(u32);

impl SeqLen {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One step: a SYN or a FIN.
    pub const ONE: Self = Self(1);

    /// A stretch of `len` steps.
    #[must_use]
    pub const fn new(len: u32) -> Self {
        Self(len)
    }

    /// The number of steps.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Add for SeqLen {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

/// The 16 bits of a header's window field. Only [`WindowField`] `<<` [`WindowScale`] makes a [`Window`] of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct WindowField(u16);

impl WindowField {
    /// The field with these 16 bits.
    #[must_use]
    pub const fn new(raw: u16) -> Self {
        Self(raw)
    }

    /// The 16 bits.
    #[must_use]
    pub const fn to_raw(self) -> u16 {
        self.0
    }
}

/// The shift of the window scale option, 0 to 14 (RFC 7323 §2.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct WindowScale(u8);

impl WindowScale {
    /// The largest shift.
    pub const MAX: Self = Self(14);
    /// No scaling.
    pub const ZERO: Self = Self(0);

    /// The shift, or `None` above 14.
    #[must_use]
    pub const fn new(shift: u8) -> Option<Self> {
        if shift <= 14 { Some(Self(shift)) } else { None }
    }

    /// The shift, taken as 14 when it is larger (RFC 7323 §2.3 asks for exactly that).
    #[must_use]
    pub const fn clamped(shift: u8) -> Self {
        Self(if shift > 14 { 14 } else { shift })
    }

    /// The shift.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// A window in bytes, at most 2³⁰ − 2¹⁴.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Window(u32);

impl Window {
    /// A closed window.
    pub const ZERO: Self = Self(0);
    /// The largest window that header and scale can say: 65,535 << 14.
    pub const MAX: Self = Self((u16::MAX as u32) << 14);

    /// A window of `bytes`, clamped to [`Window::MAX`].
    #[must_use]
    pub const fn clamped(bytes: u32) -> Self {
        Self(if bytes > Self::MAX.0 { Self::MAX.0 } else { bytes })
    }

    /// The window in bytes.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} B", self.0)
    }
}

impl Shl<WindowScale> for WindowField {
    type Output = Window;
    fn shl(self, scale: WindowScale) -> Window {
        Window(u32::from(self.0) << scale.0)
    }
}

impl Shr<WindowScale> for Window {
    type Output = WindowField;
    /// The field that says this window at this scale, rounded down, at most 65,535.
    fn shr(self, scale: WindowScale) -> WindowField {
        WindowField(u16::try_from(self.0 >> scale.0).unwrap_or(u16::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTS: [u32; 3] = [0, 1 << 31, u32::MAX];

    #[test]
    fn before_and_after_hold_across_the_wrap() {
        for start in STARTS {
            let a = SeqNum::new(start);
            let b = a + SeqLen::new(5);
            assert!(a.before(b) && b.after(a) && !b.before(a) && !a.after(b));
            assert!(!a.before(a) && a.at_or_before(a) && a.at_or_after(a));
            assert_eq!(b.since(a), SeqLen::new(5));
            assert_eq!((b.offset_from(a), a.offset_from(b)), (5, -5));
        }
    }

    #[test]
    fn opposite_points_are_neither_before_nor_after() {
        for start in STARTS {
            let a = SeqNum::new(start);
            let b = a + SeqLen::new(1 << 31);
            assert!(!a.before(b) && !b.before(a) && !a.after(b) && !b.after(a));
        }
    }

    #[test]
    fn in_window_takes_the_first_and_not_the_last() {
        for start in STARTS {
            let a = SeqNum::new(start);
            let len = SeqLen::new(10);
            assert!(a.in_window(a, len) && (a + SeqLen::new(9)).in_window(a, len));
            assert!(!(a + len).in_window(a, len) && !(a - SeqLen::ONE).in_window(a, len));
            assert!(!a.in_window(a, SeqLen::ZERO));
        }
    }

    #[test]
    fn the_shift_is_the_only_bridge_between_field_and_window() {
        let scale = WindowScale::new(7).unwrap();
        assert_eq!((WindowField::new(501) << scale).get(), 64_128);
        assert_eq!(Window::clamped(64_200) >> scale, WindowField::new(501));
        assert_eq!(Window::MAX >> WindowScale::ZERO, WindowField::new(u16::MAX));
        assert_eq!(Window::clamped(u32::MAX), Window::MAX);
        assert_eq!((WindowScale::new(15), WindowScale::clamped(200)), (None, WindowScale::MAX));
    }
}
