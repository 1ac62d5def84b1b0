//! What arrives: only what is wanted, with its stamps, and with what is known of its checksum.

use std::io::Write;
use std::net::TcpStream;
use std::os::fd::AsFd;

use wirewright_lab::{Family, Host};
use wirewright_link::sys::Poll;
use wirewright_link::{
    Checksum, Direction, Filter, HeaderOrigin, PacketConfig, RawReceiver, Receive, StartsWith, Wanted, What, Woken,
    wait,
};
use wirewright_tests::{Outcome, World, ensure, fail};

use super::tools::{CLIENT, RawIp, SERVER, after, bytes, field, kernel, seen, socket_address, soon, tap};

fn echo(family: Family, id: u16) -> String {
    match family {
        Family::V4 => format!("icmp 192.0.2.2 id={id} data=wirewright"),
        Family::V6 => format!("icmp6 2001:db8::2 id={id} data=wirewright"),
    }
}

fn replies(family: Family, id: u16) -> Result<RawReceiver, wirewright_link::OsError> {
    let what = What::EchoReply { id };
    let wanted = Wanted { source: Some(SERVER.address(family)), ..Wanted::anywhere(what) };
    let filter = Filter::any_of(&[wanted, Wanted::anywhere(What::IcmpErrors)]);
    match family {
        Family::V4 => RawReceiver::ipv4(kernel(), 1, &filter),
        Family::V6 => RawReceiver::ipv6(kernel(), 58, &filter),
    }
}

pub(super) fn strangers_do_not_pass_the_filter(_: &World) -> Outcome {
    for family in [Family::V4, Family::V6] {
        let mut receiver = replies(family, 7)?;
        let mut sender = RawIp::open(family)?;
        for id in 1000..1200 {
            sender.send(&bytes(&echo(family, id))?, SERVER.address(family))?;
        }
        sender.send(&bytes(&echo(family, 7))?, SERVER.address(family))?;
        let Some(received) = receiver.recv(soon())? else { fail!("{family:?}: no reply") };
        let layer = if family == Family::V4 { "icmp" } else { "icmp6" };
        ensure!(field(received.bytes, layer, "id") == Some(7), "{family:?}: {:02x?}", received.bytes);
        ensure!(received.bytes.ends_with(b"wirewright"), "{family:?}: {:02x?}", received.bytes);
        ensure!(received.checksum == Checksum::MaybePartial, "{family:?}: {:?}", received.checksum);
        ensure!(received.interface == Some(CLIENT.index), "{family:?}: interface {:?}", received.interface);
        ensure!(receiver.recv(after(30))?.is_none(), "{family:?}: a stranger came");
        ensure!(receiver.lost() == 0, "{family:?}: {} lost", receiver.lost());
    }
    Ok(())
}

pub(super) fn a_filter_that_widens_loses_nothing(_: &World) -> Outcome {
    for family in [Family::V4, Family::V6] {
        let mut receiver = replies(family, 7)?;
        let mut sender = RawIp::open(family)?;
        let mut ask = |id| -> Outcome {
            sender.send(&bytes(&echo(family, id))?, SERVER.address(family))?;
            Ok(())
        };
        ask(7)?;
        let came = wait(&*kernel(), &mut [Poll::reading(receiver.as_fd())], soon());
        ensure!(came.is_ok_and(|woken| woken == Woken::Ready), "{family:?}: no reply");
        // The reply lies there unread.
        let echoes = [7, 8].map(|id| Wanted::anywhere(What::EchoReply { id }));
        for (id, filter) in [(8, Filter::any_of(&echoes)), (9, Filter::all())] {
            receiver.refilter(&filter)?;
            ask(id)?;
        }
        let layer = if family == Family::V4 { "icmp" } else { "icmp6" };
        for id in [7, 8, 9] {
            let Some(received) = receiver.recv(soon())? else { fail!("{family:?}: no reply {id}") };
            ensure!(field(received.bytes, layer, "id") == Some(id), "{family:?}: {:02x?}", received.bytes);
        }
        ensure!(receiver.recv(after(30))?.is_none(), "{family:?}: one came twice");
    }
    Ok(())
}

pub(super) fn a_rebuilt_ipv6_header_is_the_one_that_came(world: &World) -> Outcome {
    let what = What::EchoReply { id: 9 };
    let config = PacketConfig {
        receive: Receive::Incoming,
        filter: Filter::any_of(&[Wanted::anywhere(what)]),
        ..PacketConfig::default()
    };
    let mut tap = tap(world, CLIENT, &config)?;
    let mut receiver = replies(Family::V6, 9)?;
    let mut sender = RawIp::open(Family::V6)?;
    // The kernel answers with the traffic class and (since 5.x by a sysctl) the flow label of its own.
    sender.send(&bytes("ip6 2001:db8::2 tc=0x2e / icmp6 id=9 data=xyz")?, SERVER.v6.into())?;
    let arrived = seen(&mut tap, |frame| Some(frame.bytes[14..].to_vec()))?;
    let Some(received) = receiver.recv(soon())? else { fail!("no reply") };
    ensure!(received.header == HeaderOrigin::Rebuilt, "{:?}", received.header);
    ensure!(received.bytes == arrived, "rebuilt {:02x?}\narrived {arrived:02x?}", received.bytes);
    ensure!(received.ecn == Some(arrived[1] >> 4 & 3), "ECN {:?}", received.ecn);
    Ok(())
}

/// The lab's wires fill in checksums before they send, loopback does not.
pub(super) fn each_frame_says_what_is_known_of_its_sum(world: &World) -> Outcome {
    let what = What::Tcp { source_port: None, destination_port: Some(7) };
    let config = PacketConfig {
        receive: Receive::Both,
        filter: Filter::any_of(&[Wanted::anywhere(what)]),
        ..PacketConfig::default()
    };
    let mut wire = tap(world, CLIENT, &config)?;
    let mut stream = TcpStream::connect(socket_address(SERVER, Family::V4, 7))?;
    stream.write_all(b"x")?;
    let seen_on_wire = seen(&mut wire, |frame| Some((frame.direction, frame.starts_with)))?;
    ensure!(seen_on_wire == (Direction::Outgoing, StartsWith::Ethernet), "{seen_on_wire:?}");
    let loopback = wirewright_lab::Port { interface: "lo", ..*SERVER };
    let mut lo = tap(world, &loopback, &config)?;
    let connected = world.lab().on(Host::Server, || TcpStream::connect(socket_address(SERVER, Family::V4, 7)))?;
    connected?;
    let checksum = seen(&mut lo, |frame| (frame.direction == Direction::Incoming).then_some(frame.checksum))?;
    ensure!(checksum == Checksum::Partial, "a kernel's own segment on loopback: {checksum:?}");
    Ok(())
}

pub(super) fn answers_come_after_what_was_sent(_: &World) -> Outcome {
    for family in [Family::V4, Family::V6] {
        let mut receiver = replies(family, 21)?;
        let mut sender = RawIp::open(family)?;
        // The first stamp of a machine may be late: the kernel switches its stamping on in the background.
        for turn in 0..3 {
            let id = sender.send(&bytes(&echo(family, 21))?, SERVER.address(family))?;
            let copy = sender.copy(id)?;
            let Some(received) = receiver.recv(soon())? else { fail!("{family:?}: no reply") };
            let (Some(scheduled), Some(at_driver)) = (copy.scheduled, copy.at_driver) else { fail!("{copy:?}") };
            ensure!(scheduled.at <= at_driver.at, "{family:?}: {copy:?}");
            let rtt = received.at.since(at_driver.at);
            ensure!(received.at > at_driver.at && rtt.as_secs() < 1, "{family:?}, turn {turn}: {rtt:?}");
            let by_wall = received.wall.since(at_driver.wall);
            ensure!(
                rtt.abs_diff(by_wall).as_micros() < 100,
                "{family:?}: {rtt:?} by one clock, {by_wall:?} by the other"
            );
        }
    }
    Ok(())
}
