//! What comes beside a message: stamps, interface, hop limit, checksum state, and the errors of the error queue.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wirewright_units::UnixTime;

use super::address::{Address, array};
use super::clock::nanos;

/// Control data of one message: what the kernel gave, `None` for what it did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// When it arrived or left.
    pub stamps: Stamps,
    /// The interface it came in by.
    pub interface: Option<u32>,
    /// The destination in its IP header.
    pub destination: Option<IpAddr>,
    /// TTL or hop limit.
    pub hop_limit: Option<u8>,
    /// TOS or traffic class.
    pub traffic_class: Option<u8>,
    /// IPv6 traffic class and flow label: the low 28 bits of the header's first word.
    pub flow_info: Option<u32>,
    /// What a packet socket knows.
    pub aux: Option<AuxData>,
    /// An entry of the error queue.
    pub error: Option<ExtendedError>,
    /// How many messages this socket lost before this one, as a running total.
    pub lost: Option<u32>,
    /// The control data did not fit.
    pub truncated: bool,
}

/// Stamps of the kernel, by its wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// Taken by the kernel.
    pub software: Option<UnixTime>,
    /// Taken by the card.
    pub hardware: Option<UnixTime>,
}

/// `struct tpacket_auxdata`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuxData {
    /// `TP_STATUS_*`.
    pub status: u32,
    /// Length on the wire.
    pub len: u32,
    /// Where the network header begins.
    pub network: u16,
    /// The VLAN tag that the kernel took out of the frame: control information and EtherType.
    pub vlan: Option<(u16, u16)>,
}

impl AuxData {
    const CHECKSUM_NOT_READY: u32 = libc::TP_STATUS_CSUMNOTREADY;
    const CHECKSUM_VALID: u32 = 1 << 7;
    /// A VLAN tag was taken out of the frame.
    pub(crate) const VLAN_VALID: u32 = libc::TP_STATUS_VLAN_VALID;
    const VLAN_TPID_VALID: u32 = libc::TP_STATUS_VLAN_TPID_VALID;

    /// The checksum field holds the folded pseudo-header only.
    #[must_use]
    pub const fn is_checksum_partial(&self) -> bool {
        self.status & Self::CHECKSUM_NOT_READY != 0
    }

    /// The kernel or the card found the checksum right.
    #[must_use]
    pub const fn is_checksum_verified(&self) -> bool {
        self.status & Self::CHECKSUM_VALID != 0
    }
}

/// `struct sock_extended_err`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedError {
    /// The error number; `ENOMSG` for a stamp.
    pub errno: i32,
    /// Who reports it.
    pub origin: Origin,
    /// ICMP type, where ICMP reports it.
    pub kind: u8,
    /// ICMP code, where ICMP reports it.
    pub code: u8,
    /// For a stamp its point ([`ExtendedError::SCHEDULED`], [`ExtendedError::AT_DRIVER`]); for ICMP the MTU or pointer.
    pub info: u32,
    /// For a stamp the number of the packet among those sent by its socket.
    pub data: u32,
    /// The host that reported it.
    pub offender: Option<IpAddr>,
}

impl ExtendedError {
    /// `SCM_TSTAMP_SND`: the driver was given the frame.
    pub const AT_DRIVER: u32 = 0;
    /// `SCM_TSTAMP_SCHED`: the frame came to the queue of the interface.
    pub const SCHEDULED: u32 = 1;
}

/// `SO_EE_ORIGIN_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The sending kernel itself.
    Local,
    /// An ICMP message.
    Icmp,
    /// An ICMPv6 message.
    Icmpv6,
    /// The stamp of a packet that was sent.
    Stamp,
    /// Another one, by its number.
    Other(u8),
}

/// Length and alignment of `struct cmsghdr`.
const HEADER_LEN: usize = size_of::<libc::cmsghdr>();
const ALIGN: usize = align_of::<usize>();
/// Where its fields stand: a `size_t` and two `int`s (glibc's `struct cmsghdr`).
const LEVEL_AT: usize = size_of::<usize>();
const KIND_AT: usize = LEVEL_AT + 4;

/// The "new" forms of the stamps (64-bit seconds on every machine).
const SO_TIMESTAMPNS_NEW: i32 = 64;
const SO_TIMESTAMPING_NEW: i32 = 65;

impl Control {
    /// Reads the control data of one message. What is unknown or cut off is left out.
    pub(crate) fn parse(mut bytes: &[u8]) -> Self {
        let mut control = Self::default();
        while let Some((level, kind, data, rest)) = next_message(bytes) {
            control.take(level, kind, data);
            bytes = rest;
        }
        control
    }

    fn take(&mut self, level: i32, kind: i32, data: &[u8]) {
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS | SO_TIMESTAMPNS_NEW) => self.stamps.software = stamp(data, 0),
            (libc::SOL_SOCKET, libc::SO_TIMESTAMPING | SO_TIMESTAMPING_NEW) => {
                self.stamps = Stamps { software: stamp(data, 0), hardware: stamp(data, 2) };
            }
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => self.lost = word(data, 0),
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                self.interface = word(data, 0);
                self.destination = array::<4>(data, 8).map(|b| Ipv4Addr::from(b).into());
            }
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                self.hop_limit = word(data, 0).and_then(|w| u8::try_from(w).ok());
            }
            (libc::IPPROTO_IP, libc::IP_TOS) => self.traffic_class = data.first().copied(),
            (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                self.traffic_class = word(data, 0).and_then(|w| u8::try_from(w).ok());
            }
            (libc::IPPROTO_IPV6, libc::IPV6_FLOWINFO) => self.flow_info = array(data, 0).map(u32::from_be_bytes),
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                self.destination = array::<16>(data, 0).map(|b| Ipv6Addr::from(b).into());
                self.interface = word(data, 16);
            }
            (libc::SOL_PACKET, libc::PACKET_AUXDATA) => self.aux = aux_data(data),
            (libc::IPPROTO_IP, libc::IP_RECVERR)
            | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
            | (libc::SOL_PACKET, libc::PACKET_TX_TIMESTAMP) => self.error = extended_error(data),
            _ => {}
        }
    }
}

/// The first message of `bytes`, and what follows it.
fn next_message(bytes: &[u8]) -> Option<(i32, i32, &[u8], &[u8])> {
    let len = usize::from_ne_bytes(array(bytes, 0)?);
    let level = i32::from_ne_bytes(array(bytes, LEVEL_AT)?);
    let kind = i32::from_ne_bytes(array(bytes, KIND_AT)?);
    let data = bytes.get(HEADER_LEN..len)?;
    let next = len.checked_next_multiple_of(ALIGN)?;
    Some((level, kind, data, bytes.get(next..).unwrap_or_default()))
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    array(data, at).map(u32::from_ne_bytes)
}

/// The `index`th `struct timespec`; one that is all zero was not taken.
fn stamp(data: &[u8], index: usize) -> Option<UnixTime> {
    let at = index * 16;
    let secs = i64::from_ne_bytes(array(data, at)?);
    let subsec = i64::from_ne_bytes(array(data, at + 8)?);
    (secs != 0 || subsec != 0).then(|| UnixTime::from_nanos(nanos(secs, subsec)))
}

fn aux_data(data: &[u8]) -> Option<AuxData> {
    let status = word(data, 0)?;
    let half = |at| array(data, at).map(u16::from_ne_bytes);
    let tag = half(16)?;
    let ether_type = if status & AuxData::VLAN_TPID_VALID != 0 { half(18)? } else { 0x8100 };
    Some(AuxData {
        status,
        len: word(data, 4)?,
        network: half(14)?,
        vlan: (status & AuxData::VLAN_VALID != 0).then_some((tag, ether_type)),
    })
}

fn extended_error(data: &[u8]) -> Option<ExtendedError> {
    let offender = data.get(16..).map(Address::decode).and_then(|a| a.ip()).map(|a| a.ip());
    Some(ExtendedError {
        errno: i32::from_ne_bytes(array(data, 0)?),
        origin: match *data.get(4)? {
            1 => Origin::Local,
            2 => Origin::Icmp,
            3 => Origin::Icmpv6,
            4 => Origin::Stamp,
            other => Origin::Other(other),
        },
        kind: *data.get(5)?,
        code: *data.get(6)?,
        info: word(data, 8)?,
        data: word(data, 12)?,
        offender,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut out = (HEADER_LEN + data.len()).to_ne_bytes().to_vec();
        out.extend(level.to_ne_bytes());
        out.extend(kind.to_ne_bytes());
        out.extend(data);
        out.resize(out.len().next_multiple_of(ALIGN), 0);
        out
    }

    #[test]
    fn stamps_interface_and_hop_limit_are_read_in_any_order() {
        let mut bytes = message(libc::IPPROTO_IP, libc::IP_TTL, &63i32.to_ne_bytes());
        let mut stamp = 1_700_000_000i64.to_ne_bytes().to_vec();
        stamp.extend(5i64.to_ne_bytes());
        bytes.extend(message(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &stamp));
        let mut info = 7i32.to_ne_bytes().to_vec();
        info.extend([192, 0, 2, 1, 192, 0, 2, 9]);
        bytes.extend(message(libc::IPPROTO_IP, libc::IP_PKTINFO, &info));
        let control = Control::parse(&bytes);
        assert_eq!(control.hop_limit, Some(63));
        assert_eq!(control.interface, Some(7));
        assert_eq!(control.destination, Some(IpAddr::from([192, 0, 2, 9])));
        assert_eq!(control.stamps.software, Some(UnixTime::from_parts(1_700_000_000, 5)));
    }

    #[test]
    fn an_icmp_error_names_its_offender() {
        let mut data = libc::EHOSTUNREACH.to_ne_bytes().to_vec();
        data.extend([2, 3, 1, 0]);
        data.extend([0; 8]);
        data.extend(&Address::host(IpAddr::from([192, 0, 2, 254])).encode().0[..16]);
        let error = Control::parse(&message(libc::IPPROTO_IP, libc::IP_RECVERR, &data)).error.unwrap();
        assert_eq!((error.origin, error.kind, error.code), (Origin::Icmp, 3, 1));
        assert_eq!(error.offender, Some(IpAddr::from([192, 0, 2, 254])));
    }

    #[test]
    fn cut_and_lying_lengths_end_the_reading() {
        let whole = message(libc::IPPROTO_IP, libc::IP_TTL, &63i32.to_ne_bytes());
        for cut in 0..HEADER_LEN + 4 {
            assert_eq!(Control::parse(&whole[..cut]), Control::default(), "{cut}");
        }
        for len in [0, 1, HEADER_LEN - 1, 4096, usize::MAX] {
            let mut lying = whole.clone();
            lying[..size_of::<usize>()].copy_from_slice(&len.to_ne_bytes());
            assert_eq!(Control::parse(&lying), Control::default(), "{len}");
        }
    }
}
