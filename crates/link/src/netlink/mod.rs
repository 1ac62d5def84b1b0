//! The kernel's tables by rtnetlink (RFC 3549): interfaces, routes, neighbours. No `ip` binary is needed.
//!
//! In: questions: all interfaces, the route to an address, the neighbours of a link.
//! Out: [`Interface`], [`RouteAnswer`], [`Neighbor`]; for lab also requests that make things in a namespace of its own.
//! Above: net, lab, cli. Below: the kernel's netlink socket, through [`Kernel`].
//! Not here: any decision by these tables (hand), any change of the machine's own namespace.

mod codec;
pub mod create;
mod interfaces;
mod neighbors;
mod routes;

use core::ops::RangeInclusive;
use core::time::Duration;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

pub use codec::{Attributes, Reply, Request};
pub use interfaces::{Interface, InterfaceAddress, InterfaceFlags, OperState};
pub use neighbors::{Neighbor, NeighborState};
pub use routes::{Refusal, Route, RouteAnswer, RouteKind, RouteQuery};

use crate::error::{Operation, OsError};
use crate::sys::address::array;
use crate::sys::{Address, Errno, Family, Kernel, Kind, Poll, Queue, SocketOption};

/// The kernel puts at most 32 KiB into one answer of a dump; single answers are smaller.
const BUFFER_LEN: usize = 64 * 1024;
/// Answers come at once; the tables' lock may be held by somebody who makes many devices.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(5);
/// How often a dump is begun anew because the table changed meanwhile; after that the last one is taken.
const DUMP_TRIES_MAX: usize = 4;
/// A machine with more entries than this in a table is a router with a full table: refused, not collected.
const DUMP_BYTES_MAX: usize = 64 << 20;

#[cfg(test)]
mod tests;

const KERNEL: Address = Address::Netlink { port: 0, groups: 0 };

/// `NLMSG_ERROR` and `NLMSG_DONE` as the header holds them.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `NLM_F_DUMP_INTR`: the table changed during the dump.
const DUMP_INTERRUPTED: u16 = 0x10;

/// A netlink socket of the routing family, in the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct Netlink {
    kernel: Arc<dyn Kernel>,
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Netlink {
    /// Opens the socket. No privilege is needed to ask.
    ///
    /// **Errors**: no netlink, no descriptors.
    pub fn open(kernel: Arc<dyn Kernel>) -> Result<Self, OsError> {
        let netlink = Self::of_protocol(kernel, libc::NETLINK_ROUTE)?;
        // With it dumps obey the filters in their header; kernels before 4.20 dump all, which is filtered here again.
        let strict = SocketOption::NETLINK_GET_STRICT_CHK;
        let _ = netlink.kernel.set_option(netlink.fd.as_fd(), strict, &1i32.to_ne_bytes());
        Ok(netlink)
    }

    /// Opens a socket of the netfilter family: what it makes with the flag `owner` lives as long as it does.
    ///
    /// **Errors**: no netlink, no netfilter in this kernel, no descriptors.
    pub(crate) fn netfilter(kernel: Arc<dyn Kernel>) -> Result<Self, OsError> {
        Self::of_protocol(kernel, libc::NETLINK_NETFILTER)
    }

    fn of_protocol(kernel: Arc<dyn Kernel>, protocol: i32) -> Result<Self, OsError> {
        let failed = |call| move |errno| OsError::new(Operation::AskTables, call, errno);
        let fd = kernel.socket(Family::Netlink, Kind::Raw, protocol).map_err(failed("socket"))?;
        kernel.bind(fd.as_fd(), &KERNEL).map_err(failed("bind"))?;
        Ok(Self { kernel, fd, sequence: 0, buffer: vec![0; BUFFER_LEN] })
    }

    /// Asks for a change and waits for the kernel's word. For namespaces of our own only.
    ///
    /// **Errors**: the kernel's errno.
    pub fn change(&mut self, mut request: Request) -> Result<(), OsError> {
        request.add_flags(libc::NLM_F_ACK);
        let name = call_name(request.kind());
        let refused = |errno| OsError::new(Operation::ChangeTables, name, errno);
        let sequence = self.send(request).map_err(refused)?;
        self.answers(sequence..=sequence, &mut |_| {}).map_err(refused)?;
        Ok(())
    }

    /// Asks for several changes of the netfilter family, all or none; the last but one, which is before the end of the
    /// batch, is acknowledged.
    ///
    /// **Errors**: the errno of the first that the kernel refuses.
    pub(crate) fn change_all(&mut self, batch: &[Request]) -> Result<(), Errno> {
        let first = self.sequence.wrapping_add(1);
        let acknowledged = batch.len().saturating_sub(2);
        let mut bytes = Vec::new();
        let mut last = first;
        for (index, request) in batch.iter().enumerate() {
            let mut request = request.clone();
            self.sequence = self.sequence.wrapping_add(1);
            if index == acknowledged {
                request.add_flags(libc::NLM_F_ACK);
                last = self.sequence;
            }
            bytes.extend(request.finish(self.sequence));
        }
        self.kernel.send(self.fd.as_fd(), &[IoSlice::new(&bytes)], Some(&KERNEL))?;
        self.answers(first..=last, &mut |_| {})?;
        Ok(())
    }

    /// Asks for one thing; `take` is given the answer.
    ///
    /// **Errors**: the kernel's errno.
    pub fn ask(&mut self, mut request: Request, take: &mut dyn FnMut(&Reply<'_>)) -> Result<(), Errno> {
        request.add_flags(libc::NLM_F_ACK);
        let sequence = self.send(request)?;
        self.answers(sequence..=sequence, take)?;
        Ok(())
    }

    /// Asks for a whole table. `start` is called before each try, because a table that changes meanwhile is read again.
    ///
    /// **Errors**: the kernel's errno.
    pub fn dump<T>(&mut self, request: &Request, take: impl Fn(&Reply<'_>, &mut Vec<T>)) -> Result<Vec<T>, OsError> {
        let failed = |errno| OsError::new(Operation::AskTables, call_name(request.kind()), errno);
        let mut rows = Vec::new();
        for _ in 0..DUMP_TRIES_MAX {
            rows.clear();
            let mut request = request.clone();
            request.add_flags(libc::NLM_F_DUMP);
            let sequence = self.send(request).map_err(failed)?;
            let interrupted = self.answers(sequence..=sequence, &mut |reply| take(reply, &mut rows));
            let interrupted = interrupted.map_err(failed)?;
            if !interrupted {
                break;
            }
        }
        Ok(rows)
    }

    fn send(&mut self, request: Request) -> Result<u32, Errno> {
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = request.finish(self.sequence);
        self.kernel.send(self.fd.as_fd(), &[IoSlice::new(&bytes)], Some(&KERNEL))?;
        Ok(self.sequence)
    }

    /// Reads until the last of the questions `sequence` is answered, or any of them refused; whether the table changed while
    /// it was read.
    fn answers(&mut self, sequence: RangeInclusive<u32>, take: &mut dyn FnMut(&Reply<'_>)) -> Result<bool, Errno> {
        let deadline = self.kernel.now() + ANSWER_WAIT_MAX;
        let mut read = 0;
        let mut interrupted = false;
        loop {
            let left = deadline.since(self.kernel.now());
            let mut polls = [Poll::reading(self.fd.as_fd())];
            match self.kernel.poll(&mut polls, Some(left)) {
                Ok(0) => return Err(Errno::ETIMEDOUT),
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno),
            }
            let mut slices = [IoSliceMut::new(&mut self.buffer)];
            let message = match self.kernel.receive(self.fd.as_fd(), Queue::Data, &mut slices) {
                Ok(message) => message,
                Err(Errno::EAGAIN) => continue,
                Err(errno) => return Err(errno),
            };
            // Any process may send to our port; only the kernel's word counts.
            if !matches!(message.from, Address::Netlink { port: 0, .. }) {
                continue;
            }
            read += message.len;
            if message.truncated || read > DUMP_BYTES_MAX {
                return Err(Errno::EOVERFLOW);
            }
            if is_finished(&self.buffer[..message.len], &sequence, &mut interrupted, take)? {
                return Ok(interrupted);
            }
        }
    }
}

/// Reads one datagram; whether the question is answered to its end. A dump is read to its end also where it was
/// interrupted: the kernel begins no other one before.
fn is_finished(
    bytes: &[u8],
    sequence: &RangeInclusive<u32>,
    interrupted: &mut bool,
    take: &mut dyn FnMut(&Reply<'_>),
) -> Result<bool, Errno> {
    for reply in codec::replies(bytes).filter(|r| sequence.contains(&r.sequence)) {
        *interrupted |= reply.flags & DUMP_INTERRUPTED != 0;
        match reply.kind {
            // A negative errno, or 0: done.
            ERROR | DONE => match array(reply.body, 0).map_or(0, i32::from_ne_bytes) {
                0 if reply.sequence == *sequence.end() => return Ok(true),
                0 => {}
                errno => return Err(Errno::from_raw(errno.checked_neg().unwrap_or(libc::EPROTO))),
            },
            _ => take(&reply),
        }
    }
    Ok(false)
}

const fn call_name(kind: u16) -> &'static str {
    match kind {
        libc::RTM_NEWLINK => "RTM_NEWLINK",
        libc::RTM_NEWADDR => "RTM_NEWADDR",
        libc::RTM_NEWROUTE => "RTM_NEWROUTE",
        libc::RTM_NEWNEIGH => "RTM_NEWNEIGH",
        libc::RTM_GETLINK => "RTM_GETLINK",
        libc::RTM_GETADDR => "RTM_GETADDR",
        libc::RTM_GETROUTE => "RTM_GETROUTE",
        libc::RTM_GETNEIGH => "RTM_GETNEIGH",
        _ => "netlink",
    }
}
