//! What a path does to frames.

use core::time::Duration;

use wirewright_units::Rate;

/// How often something happens.
///
/// **Units**: parts in a million, 0 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Chance(u32);

impl Chance {
    /// Never.
    pub const NEVER: Self = Self(0);
    /// Each time.
    pub const ALWAYS: Self = Self(1_000_000);

    /// A chance in parts per million, taken as [`Chance::ALWAYS`] when it is larger.
    #[must_use]
    pub const fn clamped_per_million(parts: u32) -> Self {
        Self(if parts > 1_000_000 { 1_000_000 } else { parts })
    }

    /// A chance in whole percent, taken as [`Chance::ALWAYS`] above 100.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        Self::clamped_per_million(percent.saturating_mul(10_000))
    }

    /// The chance in parts per million.
    #[must_use]
    pub const fn per_million(self) -> u32 {
        self.0
    }
}

/// Loss that comes in runs: a wire with a good and a bad state (Gilbert's model).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// The chance, with each frame, that a good wire turns bad.
    pub begins: Chance,
    /// The chance, with each frame, that a bad wire turns good.
    pub ends: Chance,
    /// The loss while the wire is bad.
    pub loss: Chance,
}

/// What a [`Path`](crate::Path) does to frames. Write `Faults { loss: Chance::percent(1), ..Faults::NONE }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The time that every frame is under way.
    pub delay: Duration,
    /// Up to this much is added to the delay. It does not change the order: a frame waits for the one before it.
    pub jitter: Duration,
    /// Frames that vanish.
    pub loss: Chance,
    /// Frames that vanish in runs, beside `loss`.
    pub burst: Option<Burst>,
    /// Frames that are held back, so that later ones overtake them.
    pub reorder: Chance,
    /// Up to how long a frame is held back.
    pub reorder_by: Duration,
    /// Frames that arrive twice.
    pub duplicate: Chance,
    /// Frames in which one bit is turned over.
    pub corrupt: Chance,
    /// How fast bits go onto the wire; `None` takes no time at all.
    pub rate: Option<Rate>,
    /// How many frames may wait for the wire; more are dropped. Counts only where there is a `rate`.
    pub queue_frames_max: usize,
}

impl Faults {
    /// A perfect wire without delay.
    pub const NONE: Self = Self {
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        loss: Chance::NEVER,
        burst: None,
        reorder: Chance::NEVER,
        reorder_by: Duration::from_millis(10),
        duplicate: Chance::NEVER,
        corrupt: Chance::NEVER,
        rate: None,
        queue_frames_max: 1000,
    };

    /// A wire that carries nothing.
    pub const CUT: Self = Self { loss: Chance::ALWAYS, ..Self::NONE };
}

impl Default for Faults {
    fn default() -> Self {
        Self::NONE
    }
}
