//! Each errno of a real kernel is told with its next step.

use core::net::{IpAddr, Ipv4Addr};

use wirewright_lab::{Family, Host};
use wirewright_link::netlink::{Refusal, create::Creator};
use wirewright_link::sys::{Errno, system};
use wirewright_link::{
    NextStep, OsError, PacketConfig, PacketSocket, RawIpv4, RawIpv6, SenderConfig, SentId, Transmit,
};
use wirewright_tests::{Outcome, World, ensure, fail};

use super::tools::{CLIENT, ROUTER, RawIp, SERVER, bytes, field, interface, run};

fn sender() -> Result<RawIpv4, OsError> {
    RawIpv4::open(system(), &SenderConfig::default())
}

fn refused(result: Result<SentId, OsError>) -> Result<OsError, String> {
    result.err().ok_or_else(|| "it was sent".to_owned())
}

pub(super) fn routes_that_refuse_say_so(world: &World) -> Outcome {
    let mut creator = Creator::open()?;
    let rows = [
        (Refusal::Blackhole, Errno::EINVAL, NextStep::MendBlackholeRoute),
        (Refusal::Unreachable, Errno::EHOSTUNREACH, NextStep::MendUnreachableRoute),
        (Refusal::Prohibit, Errno::EACCES, NextStep::MendProhibitRoute),
    ];
    let config = SenderConfig { broadcast: true, ..SenderConfig::default() };
    let mut v4 = RawIpv4::open(system(), &config)?;
    let mut v6 = RawIpv6::open(system(), &config)?;
    for (number, (refusal, errno, next)) in (1u8..).zip(rows) {
        let to = Ipv4Addr::new(203, 0, 113, number);
        creator.refuse_route(to.into(), 32, refusal)?;
        let error = refused(v4.send(&bytes(&format!("ip {to} / udp :9"))?, to))?;
        ensure!((error.errno, error.next) == (errno, next), "{refusal:?}: {error}");
        ensure!(error.address.map(|a| a.ip()) == Some(IpAddr::V4(to)), "{error}");
        let to = format!("2001:db8:ffff::{number}").parse()?;
        creator.refuse_route(IpAddr::V6(to), 128, refusal)?;
        let error = refused(v6.send(&bytes(&format!("ip6 {to} / udp :9"))?, to, 0))?;
        ensure!(error.errno == errno, "{refusal:?} of IPv6: {error}");
    }
    // The router knows its two networks only.
    let nowhere = Ipv4Addr::new(203, 0, 113, 200);
    let packet = bytes("ip 203.0.113.200 / udp :9")?;
    let error = refused(world.lab().on(Host::Router, || sender()?.send(&packet, nowhere))?)?;
    ensure!(error.next == NextStep::AddRoute, "no route: {error}");
    let short = &bytes("ip 192.0.2.2 / udp :9")?[..19];
    let error = refused(v4.send(short, SERVER.v4))?;
    ensure!(error.next == NextStep::SendAsFrame, "19 bytes: {error}");
    let error = refused(sender()?.send(&bytes("ip 198.51.100.255 / udp :9")?, Ipv4Addr::new(198, 51, 100, 255)))?;
    ensure!(error.next == NextStep::AskForBroadcast, "broadcast: {error}");
    Ok(())
}

pub(super) fn too_large_names_the_mtu(_: &World) -> Outcome {
    let words = "/ udp :9 zero=1500";
    let error = refused(sender()?.send(&bytes(&format!("ip 192.0.2.2 {words}"))?, SERVER.v4))?;
    ensure!((error.next, error.mtu) == (NextStep::MakeSmaller, Some(1500)), "{error} {:?}", error.mtu);
    let mut v6 = RawIpv6::open(system(), &SenderConfig::default())?;
    let error = refused(v6.send(&bytes(&format!("ip6 2001:db8::2 {words}"))?, SERVER.v6, 0))?;
    ensure!((error.next, error.mtu) == (NextStep::MakeSmaller, Some(1500)), "{error} {:?}", error.mtu);
    let mut socket = PacketSocket::open(system(), &interface("eth0")?, &PacketConfig::default())?;
    let Err(error) = socket.send(&Transmit::packet(&[0; 14 + 1501])) else { fail!("a frame of 1,515 bytes was sent") };
    ensure!((error.next, error.mtu) == (NextStep::MakeSmaller, Some(1500)), "{error} {:?}", error.mtu);
    let Err(error) = socket.send(&Transmit::packet(&[0; 13])) else { fail!("a frame of 13 bytes was sent") };
    ensure!(error.next == NextStep::GiveWholeFrame, "{error}");
    Ok(())
}

pub(super) fn a_full_queue_is_reported(world: &World) -> Outcome {
    run(world, Host::Client, "tc qdisc add dev eth0 root tbf rate 100bit burst 600 limit 600")?;
    let outcome = fill_the_queue();
    run(world, Host::Client, "tc qdisc del dev eth0 root")?;
    outcome
}

fn fill_the_queue() -> Outcome {
    let packet = bytes("ip 192.0.2.2 / udp :9 zero=500")?;
    let mut raw = sender()?;
    let raw_errors: Vec<_> = (0..20).filter_map(|_| raw.send(&packet, SERVER.v4).err()).collect();
    ensure!(raw_errors.len() >= 18, "the raw socket reported {} of 20", raw_errors.len());
    ensure!(raw_errors.iter().all(|e| e.next == NextStep::SendSlower), "{:?}", raw_errors[0]);
    let frame = [&ROUTER.mac[..], &CLIENT.mac, &[8, 0], &packet].concat();
    let mut socket = PacketSocket::open(system(), &interface("eth0")?, &PacketConfig::default())?;
    let errors: Vec<_> = (0..20).filter_map(|_| socket.send(&Transmit::packet(&frame)).err()).collect();
    ensure!(errors.len() == 20 && errors.iter().all(|e| e.next == NextStep::SendSlower), "{} of 20", errors.len());
    Ok(())
}

pub(super) fn a_firewall_is_told_and_numbers_go_on(world: &World) -> Outcome {
    let mut sender = RawIp::open(Family::V4)?;
    let packet = |id| bytes(&format!("ip 192.0.2.2 id={id} / udp :9"));
    sender.send(&packet(1)?, SERVER.v4.into())?;
    run(world, Host::Client, "nft add table ip guard_test")?;
    run(world, Host::Client, "nft add chain ip guard_test out { type filter hook output priority 0 ; }")?;
    run(world, Host::Client, "nft add rule ip guard_test out udp dport 9 drop")?;
    let refused = sender.send(&packet(2)?, SERVER.v4.into());
    run(world, Host::Client, "nft delete table ip guard_test")?;
    let Err(error) = refused else { fail!("the firewall let it through") };
    let next = error.downcast_ref::<OsError>().map(|error| error.next);
    ensure!(next == Some(NextStep::AllowInFirewall), "{error}");
    let id = sender.send(&packet(3)?, SERVER.v4.into())?;
    let copy = sender.copy(id)?;
    ensure!(field(copy.packet(), "ip", "id") == Some(3), "read back another packet: {copy:?}");
    Ok(())
}
