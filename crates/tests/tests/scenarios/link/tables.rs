//! The kernel's tables, compared with the map of the lab.

use core::net::IpAddr;

use wirewright_lab::{Family, Host, PORTS};
use wirewright_link::netlink::{Netlink, OperState, Refusal, RouteAnswer, RouteKind, RouteQuery, create::Creator};
use wirewright_link::sys::system;
use wirewright_tests::{Outcome, World, ensure, fail};
use wirewright_wire::MacAddr;

use super::tools::{CLIENT, ROUTER, RawIp, SERVER, bytes};

pub(super) fn the_lab_is_seen_as_it_was_made(world: &World) -> Outcome {
    for port in &PORTS {
        let interfaces = world.lab().on(port.host, || Netlink::open(system())?.interfaces())??;
        let Some(found) = interfaces.iter().find(|i| i.name == port.interface) else { fail!("{port}: missing") };
        ensure!((found.index, found.mac, found.mtu) == (port.index, Some(MacAddr(port.mac)), 1500), "{found:?}");
        ensure!(found.kind.as_deref() == Some("veth") && found.hardware == 1, "{found:?}");
        ensure!(found.flags.is_up() && found.oper_state == OperState::Up, "{found:?}");
        for (family, prefix_len) in [(Family::V4, 24), (Family::V6, 64)] {
            let address = found.addresses.iter().find(|a| a.address == port.address(family));
            ensure!(address.is_some_and(|a| a.prefix_len == prefix_len && !a.is_tentative), "{found:?}");
        }
    }
    Ok(())
}

pub(super) fn routes_say_gateway_source_and_refusal(world: &World) -> Outcome {
    let mut netlink = Netlink::open(system())?;
    for family in [Family::V4, Family::V6] {
        let RouteAnswer::Via(route) = netlink.route_to(&RouteQuery::to(SERVER.address(family)))? else {
            fail!("{family:?}: refused")
        };
        let got = (route.kind, route.interface, route.gateway, route.source);
        let gateway = Some(ROUTER.address(family));
        let want = (RouteKind::Unicast, CLIENT.index, gateway, Some(CLIENT.address(family)));
        ensure!(got == want, "{family:?}: {route:?}");
        let RouteAnswer::Via(near) = netlink.route_to(&RouteQuery::to(ROUTER.address(family)))? else {
            fail!("{family:?}: refused")
        };
        ensure!(near.gateway.is_none(), "{family:?}: {near:?}");
        RawIp::open(family)?.send(&bytes(udp(family))?, SERVER.address(family))?;
        let neighbor = netlink.neighbor(CLIENT.index, ROUTER.address(family))?;
        ensure!(neighbor.is_some_and(|n| n.mac == Some(MacAddr(ROUTER.mac)) && n.state.is_valid()), "{neighbor:?}");
    }
    refusals(&mut netlink)?;
    // The router knows its two networks only.
    let nowhere = RouteQuery::to(IpAddr::from([203, 0, 113, 250]));
    let answer = world.lab().on(Host::Router, || Netlink::open(system())?.route_to(&nowhere))??;
    ensure!(answer == RouteAnswer::Refused(Refusal::NoRoute), "{answer:?}");
    Ok(())
}

const fn udp(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip 192.0.2.2 / udp :9",
        Family::V6 => "ip6 2001:db8::2 / udp :9",
    }
}

fn refusals(netlink: &mut Netlink) -> Outcome {
    let mut creator = Creator::open()?;
    for (number, refusal) in (1u8..).zip([Refusal::Blackhole, Refusal::Unreachable, Refusal::Prohibit]) {
        let addresses: [IpAddr; 2] =
            [IpAddr::from([203, 0, 113, 100 + number]), format!("2001:db8:fffe::{number}").parse()?];
        for address in addresses {
            let prefix_len = if address.is_ipv4() { 32 } else { 128 };
            creator.refuse_route(address, prefix_len, refusal)?;
            let answer = netlink.route_to(&RouteQuery::to(address))?;
            ensure!(answer == RouteAnswer::Refused(refusal), "{address} {refusal:?}: {answer:?}");
        }
    }
    Ok(())
}
