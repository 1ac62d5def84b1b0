//! Packet sockets of a scripted kernel.

use core::num::NonZeroU16;

use super::*;
use crate::error::NextStep;
use crate::netlink::{InterfaceFlags, OperState};
use crate::sys::scripted::{Call as Made, Fails, Scripted};
use crate::sys::{AuxData, Control};

fn interface(hardware: u16) -> Interface {
    Interface {
        index: 3,
        name: "eth0".into(),
        mac: None,
        mtu: 1500,
        flags: InterfaceFlags::default(),
        oper_state: OperState::Up,
        hardware,
        kind: None,
        master: None,
        addresses: Vec::new(),
    }
}

fn from(kind: u8) -> Address {
    Address::Link(LinkAddress { interface: 3, kind, ..LinkAddress::default() })
}

fn open(kernel: &Arc<Scripted>, config: &PacketConfig) -> PacketSocket {
    PacketSocket::open(kernel.clone(), &interface(ARPHRD_ETHER), config).unwrap()
}

#[test]
fn it_is_opened_for_nothing_and_bound_last() {
    let kernel = Arc::new(Scripted::new());
    open(&kernel, &PacketConfig { receive: Receive::Incoming, ..PacketConfig::default() });
    let calls = kernel.calls();
    assert_eq!(calls[0], Made::Socket { family: Family::Packet, kind: Kind::Raw, protocol: 0 });
    let Some(Made::Bind { address: Address::Link(address), .. }) = calls.last() else { panic!("{calls:?}") };
    assert_eq!((address.interface, address.protocol), (3, ETH_P_ALL));
    let kernel = Arc::new(Scripted::new());
    open(&kernel, &PacketConfig::default());
    let Some(Made::Bind { address: Address::Link(address), .. }) = kernel.calls().last().cloned() else { panic!() };
    assert_eq!(address.protocol, 0, "a socket that only sends is bound to nothing that arrives");
}

#[test]
fn what_the_kernel_knows_of_checksums_comes_with_each_frame() {
    let kernel = Arc::new(Scripted::new());
    let mut frame = [0; 60];
    frame[12] = 8;
    frame[14] = 0x45;
    frame[15] = 0b10;
    for status in [1 | libc::TP_STATUS_CSUMNOTREADY, 1 | 1 << 7, 1] {
        let control = Control { aux: Some(AuxData { status, ..AuxData::default() }), ..Control::default() };
        kernel.arrive(0, Queue::Data, &frame, from(0), control);
    }
    let mut socket = open(&kernel, &PacketConfig { receive: Receive::Both, ..PacketConfig::default() });
    let mut seen = Vec::new();
    while let Some(received) = socket.try_recv().unwrap() {
        assert_eq!((received.ecn, received.starts_with, received.bytes.len()), (Some(2), StartsWith::Ethernet, 60));
        seen.push(received.checksum);
    }
    assert_eq!(seen, [Checksum::Partial, Checksum::Verified, Checksum::ToCheck]);
}

#[test]
fn frames_that_leave_are_told_from_those_that_come() {
    let kernel = Arc::new(Scripted::new());
    for kind in [PACKET_OUTGOING, 0] {
        kernel.arrive(0, Queue::Data, &[0; 60], from(kind), Control::default());
        kernel.arrive(1, Queue::Data, &[0; 60], from(kind), Control::default());
    }
    let mut both = open(&kernel, &PacketConfig { receive: Receive::Both, ..PacketConfig::default() });
    assert_eq!(both.try_recv().unwrap().unwrap().direction, Direction::Outgoing);
    assert_eq!(both.try_recv().unwrap().unwrap().direction, Direction::Incoming);
    let mut incoming = open(&kernel, &PacketConfig { receive: Receive::Incoming, ..PacketConfig::default() });
    assert_eq!(incoming.try_recv().unwrap().unwrap().direction, Direction::Incoming);
    assert!(incoming.try_recv().unwrap().is_none());
}

#[test]
fn the_virtio_header_travels_before_the_frame_both_ways() {
    let kernel = Arc::new(Scripted::new());
    let mut message = vec![1, TCP_V4, 54, 0, 0xa8, 5, 34, 0, 16, 0];
    message.extend([7; 60]);
    kernel.arrive(0, Queue::Data, &message, from(0), Control::default());
    let config = PacketConfig { receive: Receive::Incoming, segmentation: true, ..PacketConfig::default() };
    let mut socket = open(&kernel, &config);
    let received = socket.try_recv().unwrap().unwrap();
    assert_eq!(received.bytes, [7; 60]);
    assert_eq!((received.checksum, received.segment_size), (Checksum::Partial, NonZeroU16::new(1448)));
    socket.send(&Transmit { slices: &[&[1, 2], &[3]], ..Transmit::packet(&[9; 14]) }).unwrap();
    let sent = kernel.sent();
    assert_eq!(sent[0][..VirtioHeader::LEN], [0; VirtioHeader::LEN]);
    assert_eq!(sent[0][VirtioHeader::LEN..], [&[9; 14][..], &[1, 2, 3]].concat());
}

/// `VIRTIO_NET_HDR_GSO_TCPV4`.
const TCP_V4: u8 = 1;

#[test]
fn each_errno_of_sending_has_its_next_step() {
    let whole = [0u8; 60];
    let rows: [(Errno, &[u8], NextStep); 5] = [
        (Errno::EMSGSIZE, &whole, NextStep::MakeSmaller),
        (Errno::EINVAL, &whole[..13], NextStep::GiveWholeFrame),
        (Errno::ENOBUFS, &whole, NextStep::SendSlower),
        (Errno::ENETDOWN, &whole, NextStep::BringInterfaceUp),
        (Errno::ENXIO, &whole, NextStep::NameInterface),
    ];
    let kernel = Arc::new(Scripted::new());
    let mut socket = open(&kernel, &PacketConfig::default());
    for (errno, frame, next) in rows {
        kernel.fail(Fails::Send, errno);
        let error = socket.send(&Transmit::packet(frame)).unwrap_err();
        assert_eq!((error.errno, error.next, error.interface.as_deref()), (errno, next, Some("eth0")));
        assert_eq!(error.mtu, (errno == Errno::EMSGSIZE).then_some(1500));
    }
}

#[test]
fn a_super_segment_needs_segmentation() {
    let kernel = Arc::new(Scripted::new());
    let mut socket = open(&kernel, &PacketConfig::default());
    let transmit = Transmit { segment_size: NonZeroU16::new(100), ..Transmit::packet(&[0; 60]) };
    assert_eq!(socket.send(&transmit).unwrap_err().next, NextStep::UseOtherWay);
    assert!(kernel.sent().is_empty());
}

#[test]
fn an_interface_that_goes_down_is_told_once() {
    let kernel = Arc::new(Scripted::new());
    let mut socket = open(&kernel, &PacketConfig { receive: Receive::Incoming, ..PacketConfig::default() });
    kernel.fail(Fails::Receive(Queue::Data), Errno::ENETDOWN);
    assert_eq!(socket.try_recv().unwrap_err().next, NextStep::BringInterfaceUp);
    assert!(socket.try_recv().unwrap().is_none());
}

#[test]
fn statistics_are_read_in_the_kernels_order() {
    let kernel = Arc::new(Scripted::new());
    let value = [10u32.to_ne_bytes(), 3u32.to_ne_bytes()].concat();
    kernel.answer_option(SocketOption::PACKET_STATISTICS, &value);
    let socket = open(&kernel, &PacketConfig::default());
    assert_eq!(socket.statistics().unwrap(), PacketStatistics { arrived: 10, dropped: 3 });
}

#[test]
fn without_the_right_the_next_step_is_to_grant_it() {
    let kernel = Arc::new(Scripted::new());
    kernel.fail(Fails::Socket, Errno::EPERM);
    let error = PacketSocket::open(kernel, &interface(ARPHRD_ETHER), &PacketConfig::default()).unwrap_err();
    assert_eq!(error.next, NextStep::GrantNetRaw);
}
