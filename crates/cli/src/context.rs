//! What fills a packet that is only built, not sent: random values, and nothing of this machine.

use craft::Context;

/// A context without routes. The same seed gives the same bytes; without one they are fresh.
pub(crate) fn offline(seed: Option<u64>) -> Context {
    drawing(entropy(seed))
}

/// A context without routes that draws from these bytes.
pub(crate) fn drawing(entropy: [u8; 32]) -> Context {
    Context { entropy, ..Context::default() }
}

/// The bytes that packet number `index` of a run draws from: the run's own for the first one.
pub(crate) fn of_packet(mut entropy: [u8; 32], index: u64) -> [u8; 32] {
    for (byte, count) in entropy[16..].iter_mut().zip(index.to_le_bytes()) {
        *byte ^= count;
    }
    entropy
}

/// 32 bytes, fresh or out of a seed.
pub(crate) fn entropy(seed: Option<u64>) -> [u8; 32] {
    let mut bytes = [0; 32];
    match seed {
        Some(seed) => bytes[..8].copy_from_slice(&seed.to_le_bytes()),
        // Without the system's randomness (a broken sandbox) the clock's nanoseconds still tell two runs apart.
        None => {
            if getrandom::fill(&mut bytes).is_err() {
                bytes[..8].copy_from_slice(&link::clock::wall().as_nanos().to_le_bytes());
            }
        }
    }
    bytes
}
