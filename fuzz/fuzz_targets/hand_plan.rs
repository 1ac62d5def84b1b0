//! Any bytes as a packet to be sent: a plan never lets the kernel change what was set.
#![no_main]

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use wirewright_craft::{Context, Packet};
use wirewright_hand::{
    Facts, First, Interface, MacAddr, Outgoing, Route, RouteAnswer, RouteKind, Way, Wishes, plan,
};

fuzz_target!(|input: (u8, &[u8])| {
    let (shape, bytes) = input;
    let first = if shape & 1 == 0 { First::Ip } else { First::Ethernet };
    let packet = Packet::from_bytes(bytes, first);
    let Ok(built) = packet.build(&Context::default()) else { return };
    let v4: IpAddr = Ipv4Addr::new(192, 0, 2, 1).into();
    let v6: IpAddr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into();
    let own = if shape & 2 == 0 { v4 } else { v6 };
    let interface = Interface {
        index: 2,
        name: "eth0".to_owned(),
        mac: (shape & 4 == 0).then_some(MacAddr([2, 0, 0, 0, 0, 1])),
        mtu: 1500,
        up: true,
        loopback: shape & 8 != 0,
        takes_ipv4_frames: shape & 32 != 0,
        addresses: vec![v4, v6],
    };
    let route = Route {
        destination: own,
        kind: if shape & 8 == 0 { RouteKind::Unicast } else { RouteKind::Local },
        interface: 2,
        source: Some(own),
        gateway: None,
        mtu: (shape & 16 != 0).then_some(600),
    };
    let facts = Facts { route: Some(RouteAnswer::Route(route)), interfaces: vec![interface], neighbors: vec![], own: None };
    let outgoing = Outgoing::new(&packet, &built);
    if let Ok(plan) = plan(&outgoing, &Wishes::default(), &facts) {
        assert!(plan.touches.iter().all(|touch| !touch.was_set), "{:?}", plan.touches);
        assert!(plan.size <= plan.mtu + 4, "an 802.1Q tag is all that may exceed the MTU");
        assert!(plan.way != Way::Ethernet || plan.interface.mac.is_some());
    }
});
