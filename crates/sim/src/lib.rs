//! A network under a seed: what a wire does to frames, decided by nothing but a number.
//!
//! In: frames as bytes, the time, a seed, [`Faults`].
//! Out: the same frames later, in another order, twice, damaged, or never.
//! Above: tests, lab (the router's relay). Below: units.
//! Not here: any protocol, any clock, any socket. A frame is bytes.
//!
//! A [`Path`] is one direction of one wire. A [`Network`] is nodes joined by paths, with a virtual clock.
//!
//! ```
//! use core::time::Duration;
//! use wirewright_sim::{Faults, Path};
//! use wirewright_units::Instant;
//!
//! let faults = Faults { delay: Duration::from_millis(10), ..Faults::NONE };
//! let mut path = Path::new(faults, 7);
//! path.push(Instant::ORIGIN, b"a frame".to_vec());
//! assert_eq!(path.next_at(), Some(Instant::from_millis(10)));
//! assert_eq!(path.pop(Instant::from_millis(9)), None);
//! assert_eq!(path.pop(Instant::from_millis(10)).as_deref(), Some(&b"a frame"[..]));
//! ```
#![forbid(unsafe_code)]

mod dice;
mod faults;
mod network;
mod path;

pub use dice::Dice;
pub use faults::{Burst, Chance, Faults};
pub use network::{Delivery, Network, NodeId};
pub use path::{Path, Tally};
