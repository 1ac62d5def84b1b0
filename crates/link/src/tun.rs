//! A TUN device: IP packets to and from the kernel, as if over a wire whose far end is this process.
//!
//! The device, its addresses and the routes over it go with the process. With `IFF_VNET_HDR` packets cross whole, up to
//! 64 KiB a call, with partial checksums, both ways. A queue that nobody reads loses in silence: the kernel tells its senders
//! that all is well.

use core::net::IpAddr;
use core::time::Duration;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use wirewright_units::ByteCount;

use crate::error::{Call, Circumstances, Operation, OsError};
use crate::frame::{Capabilities, Direction, HeaderOrigin, Received, StartsWith, Transmit, TransmitChecksum};
use crate::netlink::{Netlink, RouteAnswer, RouteQuery, create};
use crate::raw_ip::ecn;
use crate::sys::{Errno, Kernel};
use crate::virtio::VirtioHeader;

/// How a TUN device is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunConfig {
    /// Its name; `%d` in it becomes a number that is free.
    pub name: String,
    /// The largest IP packet.
    pub mtu: u32,
    /// For each IP version at most one pair: the kernel's address at the near end, and the one at the far end, which is ours.
    pub ends: Vec<(IpAddr, IpAddr)>,
}

impl Default for TunConfig {
    fn default() -> Self {
        Self { name: "ww%d".to_owned(), mtu: 1500, ends: Vec::new() }
    }
}

/// A TUN device of ours, which stands until it is dropped.
#[derive(Debug)]
pub struct Tun {
    kernel: Arc<dyn Kernel>,
    fd: OwnedFd,
    name: Box<str>,
    index: u32,
    mtu: u32,
    /// A virtio-net header stands before each packet.
    segmentation: bool,
    buffer: Vec<u8>,
}

/// A super-segment of 64 KiB.
const PACKET_LEN_MAX: usize = 65_535;
/// `TUN_READQ_SIZE` of the kernel: packets that wait to be read.
const QUEUE_LEN: u64 = 500;
/// `TUN_F_*` of linux/if_tun.h: sums, and segments of both IP versions, may be left to the reader.
const OFFLOADS: u32 = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6;

/// How long the kernel may take for the routes, and how often it is asked.
const ROUTE_WAIT_MAX: Duration = Duration::from_secs(2);
const ROUTE_LOOK: Duration = Duration::from_millis(1);

impl Tun {
    /// Makes a device, gives it its addresses, and switches it on.
    ///
    /// **Errors**: no `/dev/net/tun`, no right to open it, no `CAP_NET_ADMIN`; the name is another device's (`EBUSY`); an
    /// address that the kernel has already.
    pub fn open(kernel: Arc<dyn Kernel>, config: &TunConfig) -> Result<Self, OsError> {
        let failed = |call| move |errno| OsError::new(Operation::OpenTun, call, errno);
        let fd = kernel.open_tun().map_err(failed("open"))?;
        let plain = libc::IFF_TUN | libc::IFF_NO_PI;
        let made = kernel.make_tun(fd.as_fd(), &config.name, plain | libc::IFF_VNET_HDR);
        let (name, has_header) = match made {
            Ok(name) => (name, true),
            // Kernels without the header, and gVisor.
            Err(Errno::EINVAL) => {
                (kernel.make_tun(fd.as_fd(), &config.name, plain).map_err(failed("TUNSETIFF"))?, false)
            }
            Err(errno) => return Err(failed("TUNSETIFF")(errno).on_interface(&config.name)),
        };
        if has_header {
            // Where it is refused each packet comes alone and complete.
            let _ = kernel.offload_tun(fd.as_fd(), OFFLOADS);
        }
        let index = set_up(&kernel, &name, config).map_err(|error| error.on_interface(&name))?;
        let buffer = vec![0; PACKET_LEN_MAX];
        Ok(Self { kernel, fd, name: name.into(), index, mtu: config.mtu, segmentation: has_header, buffer })
    }

    /// Writes a packet to the kernel, which takes it as if it had arrived.
    ///
    /// **Errors**: `EIO` while the device is down; `EINVAL` for bytes that are no IP packet; `EOPNOTSUPP` for a super-segment or
    /// a partial checksum where the device has no virtio header.
    pub fn send(&mut self, transmit: &Transmit<'_>) -> Result<(), OsError> {
        let is_plain = transmit.segment_size.is_none() && transmit.checksum == TransmitChecksum::Done;
        if !self.segmentation && !is_plain {
            return Err(self.failure(Operation::WriteTun, "writev", Errno::EOPNOTSUPP));
        }
        let virtio = VirtioHeader::of(transmit, StartsWith::Ip);
        let virtio = virtio.ok_or_else(|| self.failure(Operation::WriteTun, "writev", Errno::EINVAL))?.to_bytes();
        let mut slices = Vec::with_capacity(2 + transmit.slices.len());
        if self.segmentation {
            slices.push(IoSlice::new(&virtio));
        }
        slices.push(IoSlice::new(transmit.header));
        slices.extend(transmit.slices.iter().map(|slice| IoSlice::new(slice)));
        loop {
            match self.kernel.write(self.fd.as_fd(), &slices) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.failure(Operation::WriteTun, "writev", errno)),
            }
        }
    }

    /// A packet that the kernel has sent there already; `None` where none is.
    ///
    /// **Errors**: the device is gone.
    pub fn try_recv(&mut self) -> Result<Option<Received<'_>>, OsError> {
        let mut virtio = [0; VirtioHeader::LEN];
        let head = if self.segmentation { VirtioHeader::LEN } else { 0 };
        let len = loop {
            let mut slices = [IoSliceMut::new(&mut virtio[..head]), IoSliceMut::new(&mut self.buffer)];
            match self.kernel.read(self.fd.as_fd(), &mut slices) {
                Ok(len) => break len.saturating_sub(head),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.failure(Operation::Receive, "readv", errno)),
            }
        };
        let virtio = VirtioHeader::from_bytes(&virtio);
        let bytes = &self.buffer[..len.min(self.buffer.len())];
        Ok(Some(Received {
            bytes,
            original_len: len,
            starts_with: StartsWith::Ip,
            header: HeaderOrigin::AsArrived,
            at: self.kernel.now(),
            wall: self.kernel.wall(),
            checksum: virtio.checksum(),
            segment_size: virtio.segment_size(),
            direction: Direction::Incoming,
            ecn: ecn(bytes),
            interface: Some(self.index),
            vlan: None,
        }))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            mtu: self.mtu,
            segmentation: self.segmentation,
            checksum: self.segmentation,
            batch: 1,
            receive_room: ByteCount::new(QUEUE_LEN * u64::from(self.mtu)),
        }
    }

    fn failure(&self, operation: Operation, call: &'static str, errno: Errno) -> OsError {
        let call = Call { name: call, option: None };
        OsError::about(operation, call, errno, Circumstances::default()).on_interface(&self.name)
    }
}

/// Switches the device on, gives it its addresses, and waits until the kernel sends there what is for the far ends: an IPv6
/// address is bound, and its route made, by a worker of the kernel. The number of the device.
fn set_up(kernel: &Arc<dyn Kernel>, name: &str, config: &TunConfig) -> Result<u32, OsError> {
    let mut netlink = Netlink::open(kernel.clone())?;
    let found = netlink.interfaces()?.into_iter().find(|interface| interface.name == name);
    let index = found.ok_or_else(|| OsError::new(Operation::OpenTun, "RTM_GETLINK", Errno::ENODEV))?.index;
    netlink.change(create::up_with_mtu(index, config.mtu))?;
    for &(near, far) in &config.ends {
        let given = netlink.change(create::point_to_point(index, near, far));
        given.map_err(|error| error.at_host(near))?;
    }
    let deadline = kernel.now() + ROUTE_WAIT_MAX;
    for &(_, far) in &config.ends {
        while !leads_to(&mut netlink, index, far)? {
            if kernel.now() >= deadline {
                return Err(OsError::new(Operation::OpenTun, "RTM_GETROUTE", Errno::ETIMEDOUT).at_host(far));
            }
            // An interrupted pause is a shorter one.
            let _ = kernel.poll(&mut [], Some(ROUTE_LOOK));
        }
    }
    Ok(index)
}

fn leads_to(netlink: &mut Netlink, index: u32, far: IpAddr) -> Result<bool, OsError> {
    let answer = netlink.route_to(&RouteQuery::to(far))?;
    Ok(matches!(answer, RouteAnswer::Via(route) if route.interface == index))
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::NextStep;
    use crate::sys::scripted::{Call as Made, Fails, Scripted};

    fn opened(kernel: &Arc<Scripted>) -> OsError {
        Tun::open(kernel.clone(), &TunConfig::default()).unwrap_err()
    }

    #[test]
    fn what_forbids_a_device_is_told_apart() {
        let kernel = Arc::new(Scripted::new());
        for (what, errno, next) in [
            (Fails::OpenTun, Errno::EACCES, NextStep::GrantNetAdmin),
            (Fails::OpenTun, Errno::ENOENT, NextStep::UseOtherWay),
            (Fails::MakeTun, Errno::EPERM, NextStep::GrantNetAdmin),
            (Fails::MakeTun, Errno::EBUSY, NextStep::ReadErrno),
        ] {
            kernel.fail(what, errno);
            let error = opened(&kernel);
            assert_eq!((error.operation, error.errno, error.next), (Operation::OpenTun, errno, next));
        }
    }

    #[test]
    fn a_kernel_without_the_header_is_asked_for_a_plain_device() {
        let kernel = Arc::new(Scripted::new());
        kernel.fail(Fails::MakeTun, Errno::EINVAL);
        // The scripted kernel has no interfaces to list.
        let _ = opened(&kernel);
        let flags: Vec<i32> = kernel
            .calls()
            .iter()
            .filter_map(|call| if let Made::MakeTun { flags, .. } = call { Some(*flags) } else { None })
            .collect();
        assert_eq!(flags, [libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR, libc::IFF_TUN | libc::IFF_NO_PI]);
        assert!(!kernel.calls().iter().any(|call| matches!(call, Made::OffloadTun { .. })));
    }
}
