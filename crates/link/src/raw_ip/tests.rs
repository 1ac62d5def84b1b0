//! Raw sockets of a scripted kernel.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use std::sync::Arc;

use wirewright_units::{Instant, UnixTime};

use super::*;
use crate::error::NextStep;
use crate::filter::{Filter, Wanted, What};
use crate::frame::{Checksum, HeaderOrigin, StartsWith};
use crate::readback::SentId;
use crate::sys::scripted::{Call, Fails, Scripted};
use crate::sys::{Address, Control, Errno, ExtendedError, Kernel, Origin, Queue, SocketOption, Stamps};

const TO: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const EPOCH: UnixTime = UnixTime::from_parts(1_700_000_000, 0);

fn kernel() -> Arc<Scripted> {
    let kernel = Arc::new(Scripted::new());
    kernel.set_clocks(Instant::from_millis(1000), EPOCH);
    kernel
}

fn sender(kernel: &Arc<Scripted>) -> RawIpv4 {
    RawIpv4::open(kernel.clone(), &SenderConfig::default()).unwrap()
}

fn packet() -> [u8; 20] {
    let mut packet = [0; 20];
    packet[0] = 0x45;
    packet
}

/// An entry of the error queue: the frame as it left, at a point of its way, numbered, after some microseconds.
fn looped(kernel: &Scripted, frame: &[u8], info: u32, number: u32, micros: u32) {
    let error = ExtendedError {
        errno: libc::ENOMSG,
        origin: Origin::Stamp,
        kind: 0,
        code: 0,
        info,
        data: number,
        offender: None,
    };
    let software = Some(UnixTime::from_parts(1_700_000_000, micros * 1000));
    let stamps = Stamps { software, hardware: None };
    let control = Control { stamps, error: Some(error), interface: Some(3), ..Control::default() };
    kernel.arrive(0, Queue::Errors, frame, Address::Unspecified, control);
}

fn options(kernel: &Scripted) -> Vec<SocketOption> {
    let option = |call: Call| if let Call::SetOption { option, .. } = call { Some(option) } else { None };
    kernel.calls().into_iter().filter_map(option).collect()
}

#[test]
fn the_sender_asks_for_its_own_header_and_for_reports_of_a_full_queue() {
    let kernel = kernel();
    sender(&kernel);
    let options = options(&kernel);
    for option in [SocketOption::IP_HDRINCL, SocketOption::IP_RECVERR, SocketOption::IP_NODEFRAG] {
        assert!(options.contains(&option), "{option:?}");
    }
    assert!(!options.contains(&SocketOption::SO_BROADCAST));
}

#[test]
fn a_sent_packet_comes_back_as_it_left_with_both_stamps() {
    let kernel = kernel();
    let mut sender = sender(&kernel);
    let id = sender.send(&packet(), TO).unwrap();
    let mut frame = vec![7; 14];
    frame.extend(packet());
    frame[18] = 0xab;
    looped(&kernel, &frame, ExtendedError::SCHEDULED, 0, 5);
    looped(&kernel, &frame, ExtendedError::AT_DRIVER, 0, 9);
    let copy = sender.read_back(id, Instant::from_millis(1100)).unwrap().unwrap();
    assert_eq!((copy.starts_with, copy.link_header_len, copy.interface), (StartsWith::Ethernet, 14, Some(3)));
    assert_eq!(copy.packet()[4], 0xab, "the identification that the kernel filled");
    assert_eq!(copy.scheduled.unwrap().at, Instant::from_micros(1_000_005));
    assert_eq!(copy.at_driver.unwrap().wall, UnixTime::from_parts(1_700_000_000, 9000));
    assert!(!copy.is_lost());
    assert_eq!(kernel.now(), Instant::from_millis(1000), "no wait");
}

#[test]
fn a_packet_that_never_comes_to_the_driver_is_lost_at_the_limit() {
    let kernel = kernel();
    let mut sender = sender(&kernel);
    let id = sender.send(&packet(), TO).unwrap();
    looped(&kernel, &packet(), ExtendedError::SCHEDULED, 0, 5);
    let copy = sender.read_back(id, kernel.now() + Duration::from_millis(100)).unwrap().unwrap();
    assert!(copy.is_lost());
    assert_eq!(copy.starts_with, StartsWith::Ip);
    assert_eq!(kernel.now(), Instant::from_millis(1100));
}

#[test]
fn a_packet_that_waits_for_its_neighbour_can_be_asked_for_again() {
    let kernel = kernel();
    let mut sender = sender(&kernel);
    let id = sender.send(&packet(), TO).unwrap();
    assert_eq!(sender.read_back(id, Instant::from_millis(1050)).unwrap(), None);
    looped(&kernel, &packet(), ExtendedError::SCHEDULED, 0, 5);
    looped(&kernel, &packet(), ExtendedError::AT_DRIVER, 0, 6);
    assert!(sender.read_back(id, Instant::from_millis(1060)).unwrap().is_some());
    assert_eq!(sender.read_back(id, Instant::from_millis(1070)).unwrap(), None, "a copy is given once");
}

#[test]
fn after_a_failure_the_numbers_begin_anew() {
    let kernel = kernel();
    let mut sender = sender(&kernel);
    sender.send(&packet(), TO).unwrap();
    kernel.fail(Fails::Send, Errno::EPERM);
    assert_eq!(sender.send(&packet(), TO).unwrap_err().next, NextStep::AllowInFirewall);
    let id = sender.send(&packet(), TO).unwrap();
    assert_eq!(id, SentId(1));
    looped(&kernel, &packet(), ExtendedError::SCHEDULED, 0, 5);
    looped(&kernel, &packet(), ExtendedError::AT_DRIVER, 0, 6);
    assert_eq!(sender.read_back(id, Instant::from_millis(1100)).unwrap().unwrap().id, id);
}

#[test]
fn too_large_says_how_large_it_may_be() {
    let kernel = kernel();
    let mut sender = sender(&kernel);
    let error = ExtendedError {
        errno: libc::EMSGSIZE,
        origin: Origin::Local,
        kind: 0,
        code: 0,
        info: 1400,
        data: 0,
        offender: None,
    };
    let control = Control { error: Some(error), ..Control::default() };
    kernel.arrive(0, Queue::Errors, &[], Address::Unspecified, control);
    kernel.fail(Fails::Send, Errno::EMSGSIZE);
    let error = sender.send(&packet(), TO).unwrap_err();
    assert_eq!((error.next, error.mtu), (NextStep::MakeSmaller, Some(1400)));
    assert_eq!(error.address.unwrap().ip(), IpAddr::V4(TO));
}

#[test]
fn copies_that_nobody_fetches_are_given_up() {
    let kernel = kernel();
    let mut sender = sender(&kernel);
    for number in 0..1100u32 {
        sender.send(&packet(), TO).unwrap();
        looped(&kernel, &packet(), ExtendedError::AT_DRIVER, number, 5);
    }
    let now = kernel.now();
    assert_eq!(sender.read_back(SentId(0), now).unwrap(), None);
    assert!(sender.read_back(SentId(1099), now).unwrap().is_some());
}

#[test]
fn errors_tell_broadcast_from_prohibit_and_header_from_blackhole() {
    let kernel = kernel();
    let mut plain = sender(&kernel);
    kernel.fail(Fails::Send, Errno::EACCES);
    assert_eq!(plain.send(&packet(), Ipv4Addr::BROADCAST).unwrap_err().next, NextStep::AskForBroadcast);
    let config = SenderConfig { broadcast: true, ..SenderConfig::default() };
    let mut broadcasting = RawIpv4::open(kernel.clone(), &config).unwrap();
    kernel.fail(Fails::Send, Errno::EACCES);
    assert_eq!(broadcasting.send(&packet(), TO).unwrap_err().next, NextStep::MendProhibitRoute);
    kernel.fail(Fails::Send, Errno::EINVAL);
    assert_eq!(plain.send(&packet(), TO).unwrap_err().next, NextStep::MendBlackholeRoute);
    kernel.fail(Fails::Send, Errno::EINVAL);
    assert_eq!(plain.send(&packet()[..19], TO).unwrap_err().next, NextStep::SendAsFrame);
}

#[test]
fn a_full_buffer_is_waited_for_and_then_tried_again() {
    let kernel = kernel();
    let mut sender = sender(&kernel);
    kernel.fail(Fails::Send, Errno::EAGAIN);
    kernel.fail(Fails::Send, Errno::EINTR);
    assert!(sender.send(&packet(), TO).is_ok());
    assert_eq!(kernel.sent().len(), 3);
}

#[test]
fn opening_names_the_option_and_the_interface_that_failed() {
    let kernel = kernel();
    kernel.fail(Fails::Option(SocketOption::SO_BINDTODEVICE), Errno::ENODEV);
    let config = SenderConfig { interface: Some("eth7".into()), ..SenderConfig::default() };
    let error = RawIpv6::open(kernel.clone(), &config).unwrap_err();
    assert_eq!((error.next, error.interface.as_deref()), (NextStep::ChooseInterface, Some("eth7")));
    assert_eq!(error.call.to_string(), "setsockopt(SO_BINDTODEVICE)");
    kernel.fail(Fails::Socket, Errno::EPERM);
    let error = RawIpv6::open(kernel, &SenderConfig::default()).unwrap_err();
    assert_eq!(error.next, NextStep::GrantNetRaw);
}

#[test]
fn an_ipv6_packet_gets_its_header_back() {
    let kernel = kernel();
    let control = Control {
        destination: Some("2001:db8::1".parse().unwrap()),
        interface: Some(4),
        hop_limit: Some(63),
        flow_info: Some(0x0531_2345),
        stamps: Stamps { software: Some(UnixTime::from_parts(1_700_000_000, 777)), hardware: None },
        ..Control::default()
    };
    let from = Address::host("2001:db8::2".parse().unwrap());
    kernel.arrive(0, Queue::Data, &[129, 0, 1, 2], from, control);
    let mut receiver = RawReceiver::ipv6(kernel.clone(), 58, &Filter::all()).unwrap();
    let received = receiver.try_recv().unwrap().unwrap();
    assert_eq!(received.header, HeaderOrigin::Rebuilt);
    assert_eq!(received.bytes[..8], [0x65, 0x31, 0x23, 0x45, 0, 4, 58, 63]);
    assert_eq!(received.bytes[8..24], "2001:db8::2".parse::<Ipv6Addr>().unwrap().octets());
    assert_eq!(received.bytes[24..40], "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
    assert_eq!(received.bytes[40..], [129, 0, 1, 2]);
    assert_eq!((received.ecn, received.checksum), (Some(3), Checksum::MaybePartial));
    assert_eq!(received.at, Instant::from_nanos(1_000_000_777));
    assert_eq!(received.interface, Some(4));
}

#[test]
fn what_came_before_the_filter_is_thrown_away() {
    let kernel = kernel();
    kernel.arrive(0, Queue::Data, &packet(), Address::host(TO.into()), Control::default());
    let filter = Filter::any_of(&[Wanted::anywhere(What::Protocol(6))]);
    let mut receiver = RawReceiver::ipv4(kernel.clone(), 6, &filter).unwrap();
    assert!(receiver.recv(Instant::from_millis(1200)).unwrap().is_none());
    assert_eq!(kernel.now(), Instant::from_millis(1200));
    assert!(kernel.calls().iter().any(|call| matches!(call, Call::AttachFilter { .. })));
}

#[test]
fn a_batch_leaves_in_order_and_what_is_said_against_its_first_packet_is_told() {
    let kernel = kernel();
    let config = SenderConfig { read_back: false, ..SenderConfig::default() };
    let mut sender = RawIpv4::open(kernel.clone(), &config).unwrap();
    let packets: [[u8; 20]; 3] = [1, 2, 3].map(|id| {
        let mut packet = packet();
        packet[5] = id;
        packet
    });
    let slices = packets.each_ref().map(|packet| std::io::IoSlice::new(packet));
    assert_eq!(sender.send_batch(&slices, TO).unwrap(), 3);
    assert_eq!(kernel.sent(), packets.map(|packet| packet.to_vec()));

    kernel.fail(Fails::Send, Errno::EMSGSIZE);
    let refused = sender.send_batch(&slices[1..], TO).unwrap_err();
    assert_eq!(refused.errno, Errno::EMSGSIZE);
}

#[test]
fn packets_are_taken_in_batches() {
    let kernel = kernel();
    let mut receiver = RawReceiver::bulk(kernel.clone(), false, 6, &Filter::default()).unwrap();
    for id in 0..40 {
        let mut packet = packet();
        packet[5] = id;
        kernel.arrive(0, Queue::Data, &packet, Address::Unspecified, Control::default());
    }
    let mut ids = Vec::new();
    let mut take = |received: &crate::frame::Received<'_>| {
        assert_eq!((received.wall, received.checksum), (EPOCH, Checksum::MaybePartial));
        ids.push(received.bytes[5]);
    };
    let mut counts = Vec::new();
    while let count @ 1.. = receiver.try_recv_batch(&mut take).unwrap() {
        counts.push(count);
    }
    assert_eq!(ids, (0..40).collect::<Vec<_>>());
    assert_eq!(counts, [16, 16, 8]);
}

#[test]
fn the_headers_of_a_batch_are_rebuilt_each_from_what_came_beside_it() {
    let kernel = kernel();
    let mut receiver = RawReceiver::bulk(kernel.clone(), true, 6, &Filter::default()).unwrap();
    for hops in [63, 7] {
        let control = Control { hop_limit: Some(hops), ..Control::default() };
        kernel.arrive(0, Queue::Data, &[hops; 20], Address::Unspecified, control);
    }
    let mut hops = Vec::new();
    let mut take = |received: &crate::frame::Received<'_>| {
        assert_eq!((received.bytes[0], received.bytes[6], received.bytes.len()), (0x60, 6, 60));
        hops.push((received.bytes[7], received.bytes[40]));
    };
    assert_eq!(receiver.try_recv_batch(&mut take).unwrap(), 2);
    assert_eq!(hops, [(63, 63), (7, 7)]);
}
