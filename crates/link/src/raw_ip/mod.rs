//! Raw IP sockets: whole packets out, whole packets in.
//!
//! In: IP packets with their header and an address to hand them to; what arrives for one protocol.
//! Out: [`RawIpv4`], [`RawIpv6`] (they only send, and read back what left), [`RawReceiver`].
//! Above: net. Below: `sys`, the kernel's `AF_INET` and `AF_INET6` sockets.
//! Not here: what the kernel changes in a header (hand knows that beforehand, the read-back afterwards).

mod receiver;
mod sender;

#[cfg(test)]
mod tests;

pub use receiver::RawReceiver;
pub(crate) use receiver::ecn;
pub use sender::{RawIpv4, RawIpv6, SenderConfig};
