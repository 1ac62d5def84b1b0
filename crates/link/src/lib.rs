//! Frames ⇄ the operating system.
//!
//! In: bytes to send; bytes, stamps and control data of the kernel's sockets; netlink answers.
//! Out: [`Received`], [`Transmit`], sockets, sent copies read back, tables of routes and neighbours, guards, the clock; [`OsError`].
//! Above: net, lab, cli. Below: wire, units, the kernel.
//! Not here: any protocol, any decision which way a packet takes, any sentence for people.
//!
//! All unsafe code of the workspace stands under [`sys`], behind one trait of calls ([`sys::Kernel`]) that a test scripts with errnos.
#![cfg(target_os = "linux")]

mod descriptors;
mod error;
mod filter;
mod frame;
pub mod guard;
mod kinds;
pub mod netlink;
mod packet_ring;
mod packet_socket;
mod raw_ip;
mod readback;
mod tap;
mod tun;
mod virtio;
mod wait;

pub mod sys;

pub use descriptors::{descriptors, raise_descriptors};
pub use error::{Call, Circumstances, NextStep, Operation, OsError};
pub use filter::{Filter, PARTS_MAX, Wanted, What};
pub use frame::{Capabilities, Checksum, Direction, HeaderOrigin, Received, StartsWith, Transmit, TransmitChecksum};
pub use guard::{Guard, GuardError, Rung};
pub use kinds::{ChecksumKnowledge, ClosingCost, Headers, KINDS, SocketKind, SocketKindDesc};
pub use packet_ring::PacketRing;
pub use packet_socket::{PacketConfig, PacketSocket, PacketStatistics, Receive};
pub use raw_ip::{RawIpv4, RawIpv6, RawReceiver, SenderConfig};
pub use readback::{SentCopy, SentId, Stamp};
pub use sys::clock;
pub use tap::Tap;
pub use tun::{Tun, TunConfig};
pub use wait::{Woken, wait};
