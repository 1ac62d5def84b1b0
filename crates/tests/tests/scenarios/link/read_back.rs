//! The sent line is the wire: what is read back equals what the router sees.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wirewright_lab::{Family, Host};
use wirewright_link::netlink::Netlink;
use wirewright_link::sys::system;
use wirewright_link::{
    Filter, PacketConfig, PacketSocket, RawIpv4, Receive, SenderConfig, StartsWith, Tap, Transmit, Wanted, What,
};
use wirewright_tests::{Outcome, World, ensure, fail};

use super::tools::{CLIENT, Fallible, ROUTER, RawIp, SERVER, after, bytes, field, interface, run, seen, soon, tap};

fn only_udp() -> PacketConfig {
    let what = What::Udp { source_port: Some(40_001), destination_port: None };
    PacketConfig {
        receive: Receive::Incoming,
        filter: Filter::any_of(&[Wanted::anywhere(what)]),
        ..PacketConfig::default()
    }
}

fn ethernet(destination: [u8; 6], source: [u8; 6], ether_type: u16, packet: &[u8]) -> Vec<u8> {
    [&destination[..], &source, &ether_type.to_be_bytes(), packet].concat()
}

pub(super) fn raw_ipv4_shows_what_the_kernel_filled(world: &World) -> Outcome {
    let mut tap = tap(world, ROUTER, &only_udp())?;
    let set = bytes("ip 192.0.2.2 id=0 df=0 len=9999 sum=0xdead src=0.0.0.0 / udp :9 sport=40001 data=hello")?;
    let mut sender = RawIp::open(Family::V4)?;
    let id = sender.send(&set, SERVER.v4.into())?;
    let copy = sender.copy(id)?;
    let wire = seen(&mut tap, |frame| Some(frame.bytes.to_vec()))?;
    ensure!(copy.bytes == wire, "read back {:02x?}\nthe router saw {wire:02x?}", copy.bytes);
    ensure!(wire[..14] == ethernet(ROUTER.mac, CLIENT.mac, 0x0800, &[]), "MACs {:02x?}", &wire[..14]);
    ensure!(copy.starts_with == StartsWith::Ethernet && copy.link_header_len == 14, "{copy:?}");
    ensure!(copy.interface == Some(CLIENT.index), "interface {:?}", copy.interface);
    let packet = copy.packet();
    ensure!(field(packet, "ip", "id").is_some_and(|id| id != 0), "id stayed 0: {packet:02x?}");
    ensure!(field(packet, "ip", "len") == Some(packet.len() as u128), "length {:?}", field(packet, "ip", "len"));
    ensure!(field(packet, "ip", "src") == Some(u128::from(CLIENT.v4.to_bits())), "source not filled");
    let mut sum = wirewright_wire::checksum::Sum::new();
    sum = sum.add(&packet[..20]);
    ensure!(sum.finish() == 0, "the header's checksum was not repaired");
    ensure!(packet[20..] == set[20..], "what follows the IP header changed");
    ensure!(!copy.is_lost() && copy.scheduled.is_some(), "stamps {copy:?}");
    Ok(())
}

pub(super) fn raw_ipv6_leaves_as_given(world: &World) -> Outcome {
    let mut tap = tap(world, ROUTER, &only_udp())?;
    let set = bytes("ip6 2001:db8::2 len=77 hlim=9 / udp :9 sport=40001 sum=0x1234 data=hello")?;
    let mut sender = RawIp::open(Family::V6)?;
    let id = sender.send(&set, SERVER.v6.into())?;
    let copy = sender.copy(id)?;
    let wire = seen(&mut tap, |frame| Some(frame.bytes.to_vec()))?;
    ensure!(copy.bytes == wire, "read back {:02x?}\nthe router saw {wire:02x?}", copy.bytes);
    ensure!(wire == ethernet(ROUTER.mac, CLIENT.mac, 0x86dd, &set), "changed: {wire:02x?}");
    Ok(())
}

pub(super) fn loopback_has_an_empty_link_header(_: &World) -> Outcome {
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let words = ["ip 127.0.0.1 src=127.0.0.1 / udp :9", "ip6 ::1 src=::1 / udp :9"];
    for ((to, words), family) in loopback.into_iter().zip(words).zip([Family::V4, Family::V6]) {
        let mut sender = RawIp::open(family)?;
        let set = bytes(words)?;
        let id = sender.send(&set, to)?;
        let copy = sender.copy(id)?;
        ensure!(copy.link_header_len == 14, "{to}: link header of {}", copy.link_header_len);
        ensure!(copy.bytes[..12] == [0; 12], "{to}: {:02x?}", &copy.bytes[..14]);
        ensure!(copy.packet().len() == set.len() && copy.interface == Some(1), "{to}: {copy:?}");
    }
    Ok(())
}

pub(super) fn a_frame_leaves_as_given(world: &World) -> Outcome {
    let mut tap = tap(world, ROUTER, &only_udp())?;
    let packet = bytes("ip 192.0.2.2 id=0 sum=0xdead / udp :9 sport=40001")?;
    let frame = ethernet(ROUTER.mac, [2, 0, 0, 0, 0, 77], 0x0800, &packet);
    let config = PacketConfig { read_back: true, ..PacketConfig::default() };
    let mut socket = PacketSocket::open(system(), &interface(CLIENT.interface)?, &config)?;
    let id = socket.send(&Transmit::packet(&frame))?;
    let Some(copy) = socket.read_back(id, soon())? else { fail!("nothing was read back") };
    let wire = seen(&mut tap, |frame| Some(frame.bytes.to_vec()))?;
    ensure!(copy.bytes == frame && wire == frame, "read back {:02x?}\nthe router saw {wire:02x?}", copy.bytes);
    ensure!(copy.starts_with == StartsWith::Ethernet && copy.link_header_len == 0, "{copy:?}");
    Ok(())
}

pub(super) fn a_silent_neighbour_gives_no_copy(_: &World) -> Outcome {
    let nobody = Ipv4Addr::new(198, 51, 100, 99);
    let mut sender = RawIpv4::open(system(), &SenderConfig::default())?;
    let id = sender.send(&bytes("ip 198.51.100.99 / udp :9")?, nobody)?;
    ensure!(sender.read_back(id, after(50))?.is_none(), "a copy without a neighbour");
    let neighbor = Netlink::open(system())?.neighbor(CLIENT.index, nobody.into())?;
    ensure!(neighbor.is_some_and(|n| !n.state.is_valid()), "{neighbor:?}");
    Ok(())
}

/// Far more than the queues hold, read back one by one and in a burst.
pub(super) fn many_packets_keep_their_numbers(_: &World) -> Outcome {
    let mut sender = RawIp::open(Family::V4)?;
    let mut burst = Vec::new();
    for number in 0..200u32 {
        let set = bytes(&format!("ip 192.0.2.2 id={} / udp :9", number + 1))?;
        let id = sender.send(&set, SERVER.v4.into())?;
        if number < 100 {
            check_number(&mut sender, id, number)?;
        } else {
            burst.push((id, number));
        }
    }
    for (id, number) in burst {
        check_number(&mut sender, id, number)?;
    }
    Ok(())
}

fn check_number(sender: &mut RawIp, id: wirewright_link::SentId, number: u32) -> Fallible<()> {
    let copy = sender.copy(id)?;
    ensure!(field(copy.packet(), "ip", "id") == Some(u128::from(number + 1)), "packet {number} came as {copy:?}");
    ensure!(copy.at_driver.is_some(), "packet {number} has no second stamp");
    Ok(())
}

pub(super) fn a_queue_that_is_taken_away_loses_packets(world: &World) -> Outcome {
    // One packet of 542 bytes empties the bucket (or the kernel's own news did); the next one waits for most of a minute.
    run(world, Host::Client, "tc qdisc add dev eth0 root tbf rate 100bit burst 600 limit 10000")?;
    let outcome = send_two_slowly();
    run(world, Host::Client, "tc qdisc del dev eth0 root")?;
    outcome
}

fn send_two_slowly() -> Outcome {
    let mut sender = RawIpv4::open(system(), &SenderConfig::default())?;
    let packet = bytes("ip 192.0.2.2 / udp :9 zero=500")?;
    sender.send(&packet, SERVER.v4)?;
    let second = sender.send(&packet, SERVER.v4)?;
    let Some(copy) = sender.read_back(second, after(100))? else { fail!("the second was not read back") };
    ensure!(copy.is_lost(), "the second came to the driver: {copy:?}");
    Ok(())
}

pub(super) fn a_tap_tells_what_a_silent_driver_does_not(world: &World) -> Outcome {
    let interface = interface(CLIENT.interface)?;
    let what = What::Udp { source_port: Some(40_001), destination_port: None };
    let mut tap = Tap::open(system(), &interface, &Filter::any_of(&[Wanted::anywhere(what)]))?;
    let mut sender = RawIp::open(Family::V4)?;
    for other in ["id=5", "id=6"] {
        let id = sender.send(&bytes(&format!("ip 192.0.2.2 {other} / udp :9 sport=40001"))?, SERVER.v4.into())?;
        let mut copy = sender.copy(id)?;
        let by_driver = copy.at_driver.take();
        ensure!(copy.is_lost(), "without the driver's stamp: {copy:?}");
        ensure!(tap.confirm(&mut copy, soon())?, "{other}: the tap did not see it");
        let (Some(by_driver), Some(by_tap)) = (by_driver, copy.at_driver) else { fail!("{copy:?}") };
        let apart = by_driver.at.since(by_tap.at).max(by_tap.at.since(by_driver.at));
        ensure!(apart.as_millis() < 100, "{apart:?} between tap and driver");
    }
    // What stays in the queue is not confirmed.
    run(world, Host::Client, "tc qdisc add dev eth0 root tbf rate 100bit burst 600 limit 10000")?;
    let waiting = send_into_the_queue(&mut sender, &mut tap);
    run(world, Host::Client, "tc qdisc del dev eth0 root")?;
    waiting
}

fn send_into_the_queue(sender: &mut RawIp, tap: &mut Tap) -> Outcome {
    let packet = |id| bytes(&format!("ip 192.0.2.2 id={id} / udp :9 sport=40001 zero=500"));
    sender.send(&packet(7)?, SERVER.v4.into())?;
    let id = sender.send(&packet(8)?, SERVER.v4.into())?;
    let RawIp::V4(sender) = sender else { fail!("opened for IPv4") };
    let Some(mut copy) = sender.read_back(id, after(50))? else { fail!("nothing was read back") };
    ensure!(!tap.confirm(&mut copy, after(50))? && copy.is_lost(), "seen: {:?}", copy.at_driver);
    Ok(())
}
