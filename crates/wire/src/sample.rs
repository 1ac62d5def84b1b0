//! Values to try in a field of some width.

/// A simple generator (Steele, Lea, Flood: SplitMix64), the same in each run.
fn mix(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A header full of bits.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut seed = N as u64;
    core::array::from_fn(|_| mix(&mut seed) as u8)
}

/// Zero, one, the maximum, each single bit and eight numbers between.
pub(crate) fn values(bits: usize) -> impl Iterator<Item = u128> {
    let max = u128::MAX >> (128 - bits);
    let mut seed = bits as u64;
    let random = core::iter::repeat_with(move || (u128::from(mix(&mut seed)) << 64 | u128::from(mix(&mut seed))) & max);
    [0, max].into_iter().chain((0..bits).map(|bit| 1 << bit)).chain(random.take(8))
}
