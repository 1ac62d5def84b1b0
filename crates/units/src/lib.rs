//! Numbers with a dimension. A closed list: [`Instant`], [`UnixTime`], [`ByteCount`], [`Rate`].
//!
//! In: plain integers and [`core::time::Duration`].
//! Out: types that cannot be mistaken for one another.
//! Above: everything. Below: nothing.
//! Not here: any clock; whoever has the time passes it in.
#![no_std]
#![forbid(unsafe_code)]

mod amount;
mod time;

pub use amount::{ByteCount, Rate};
pub use time::{Instant, UnixTime};
