//! One host, sans-IO: for now its neighbours.
//!
//! In: frames from the link, addresses to be found, `now`.
//! Out: frames for the link, what was found.
//! Above: net. Below: wire, units.
//! Not here: sockets, the clock, the kernel's own neighbour table.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod neighbors;

pub use neighbors::{Neighbors, Own};
