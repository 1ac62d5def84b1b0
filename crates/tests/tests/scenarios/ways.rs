//! What each way onto the wire does to each field: every row of `hand::ways` against the running kernel.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wirewright_craft::{Built, Context, Packet, Payload};
use wirewright_hand::Way;
use wirewright_hand::ways::Errno;
use wirewright_lab::{Host, Lab, Port, Shape};
use wirewright_link::netlink::Netlink;
use wirewright_link::{Filter, PacketConfig, PacketSocket, RawIpv4, RawIpv6, Receive, SenderConfig, Transmit, sys};
use wirewright_net::hand::{Fate, Left, Options, Sent, Session};
use wirewright_tests::{Ground, Outcome, Program, Scenario, World, binary, ensure, fail};

use crate::answers::{options, packet};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn(&Lab) -> Outcome| {
        Scenario::new(&format!("ways::{name}"), Ground::Lab, move |world: &World| run(world.lab()))
    };
    vec![
        scenario("raw_ipv4_keeps_and_rewrites_as_the_table_says", raw_ipv4),
        scenario("raw_ipv6_keeps_everything", raw_ipv6),
        scenario("what_is_set_leaves_exactly_so_by_some_way", exactly),
        scenario("refusals_have_the_errno_of_the_table", errnos),
        scenario("handed_to_a_host_on_the_link_it_goes_to_that_host", on_the_link),
        scenario("by_a_gateway_the_address_handed_over_decides", by_gateway),
        scenario("a_packet_socket_on_loopback_reaches_nobody", loopback),
        scenario("an_unknown_next_hop_is_asked_for_by_our_own_questions", own_questions),
        scenario("rows_that_no_way_of_ours_uses_hold_too", rows_beside_our_ways)
            .tools(&["python3", "nft", "ip", "unshare"]),
    ]
}

/// What looks at them.
pub(crate) const RAW_ROWS: &str = include_str!("raw_rows.py");

/// The lines that it prints.
const ROWS: usize = 41;

/// Rows of the kernel's table that no way of ours takes: plain raw sockets, from another language, so that what our own code
/// avoids is known to be worth avoiding.
fn rows_beside_our_ways(_lab: &Lab) -> Outcome {
    let ww = binary().display().to_string();
    let output = Program::new("python3").args(["-c", RAW_ROWS, &ww]).env("RAW_ROWS", RAW_ROWS).run()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let held = said.lines().filter(|line| line.starts_with("holds")).count();
    ensure!(output.code == 0 && held == ROWS, "{said}{}", output.stderr);
    Ok(())
}

/// The client's end of the wire to the router.
pub(crate) fn client_port() -> &'static Port {
    Shape::ONE.ports_of(Host::Client).next().expect("the client has a port")
}

/// A socket on the router that hears all that comes from the client.
pub(crate) fn tap(lab: &Lab) -> Result<PacketSocket, Box<dyn std::error::Error + Send + Sync>> {
    let socket = lab.on(Host::Router, || -> Result<PacketSocket, wirewright_link::OsError> {
        let name = Shape::ONE.ports_of(Host::Router).next().map_or("eth0", |port| port.interface);
        let interfaces = Netlink::open(sys::system())?.interfaces()?;
        let interface = interfaces.iter().find(|interface| interface.name == name).expect("the router has this port");
        let config = PacketConfig {
            receive: Receive::Incoming,
            filter: Filter::all(),
            promiscuous: true,
            all_multicast: false,
            read_back: false,
            segmentation: false,
            room: 0,
        };
        PacketSocket::open(sys::system(), interface, &config)
    })??;
    Ok(socket)
}

pub(crate) fn left(sent: &Sent) -> Result<&Left, String> {
    match &sent.fate {
        Fate::Left(left) => Ok(left),
        other => Err(format!("{other:?}: {:?}", sent.plan)),
    }
}

/// Sends by one way, rewriting allowed, and gives the keys of the fields that changed, the foretold being checked.
fn changed(lab: &Lab, words: &str, way: Way) -> Result<Vec<&'static str>, Box<dyn std::error::Error + Send + Sync>> {
    let options = Options { way: Some(way), allow_rewrites: true, ..options(lab) };
    let sent = Session::open(options).send(&packet(words)?)?;
    let left = left(&sent)?;
    if left.changes.length.is_some() {
        return Err(format!("{words}: {:?}", left.changes).into());
    }
    let mut keys = Vec::new();
    for change in &left.changes.parts {
        let field = sent.built.spans[change.span].field().ok_or("something else than a field changed")?;
        let values = change.values.ok_or("no values")?;
        let touch = sent.plan.touches.iter().find(|touch| core::ptr::eq(touch.field, field));
        let touch = touch.ok_or_else(|| format!("{words}: {} was not foretold", field.key))?;
        if touch.built != values.built || touch.wire.is_some_and(|wire| wire != values.wire) {
            return Err(format!("{words}: foretold {touch:?}, came {values:?}").into());
        }
        keys.push(field.key);
    }
    for touch in &sent.plan.touches {
        if !keys.contains(&touch.field.key) {
            return Err(format!("{words}: {touch:?} did not happen").into());
        }
    }
    Ok(keys)
}

fn raw_ipv4(lab: &Lab) -> Outcome {
    let rows: &[(&str, &[&str])] = &[
        ("len=0", &["len"]),
        ("len=9999", &["len"]),
        ("sum=0xdead", &["sum"]),
        ("sum=swap", &["sum"]),
        ("sum=0xdead len=1", &["len", "sum"]),
        ("id=0 df=0", &["id", "sum"]),
        ("id=0 df", &[]),
        ("id=54321 df=0", &[]),
        ("tos=1", &[]),
        ("tos=255", &[]),
        ("ttl=0", &[]),
        ("ttl=255", &[]),
        ("proto=253", &[]),
        ("proto=0", &[]),
        ("evil", &[]),
        ("mf", &[]),
        ("off=100", &[]),
        ("off=0x1fff mf df evil", &[]),
        ("ver=0", &[]),
        ("ver=6", &[]),
        ("ver=15", &[]),
        ("ra=0", &[]),
        // The kernel sums the 24 bytes that the header claims, which is what the receiver sums; it was left unset.
        ("ihl=6", &["sum"]),
        ("src=203.0.113.9", &[]),
        ("src=127.0.0.1", &[]),
        ("src=255.255.255.255", &[]),
        ("src=0.0.0.0", &["src", "sum"]),
    ];
    for (fields, expected) in rows {
        let words = format!("ip server {fields} hex=0123456789abcdef");
        let mut keys = changed(lab, &words, Way::RawIpv4)?;
        let mut expected = expected.to_vec();
        // A checksum over a rewritten field follows it, in the order of the header.
        keys.sort_unstable();
        expected.sort_unstable();
        if fields.starts_with("len") {
            expected = vec!["len", "sum"];
        }
        ensure!(keys == expected, "{words}: changed {keys:?}, not {expected:?}");
    }
    Ok(())
}

fn raw_ipv6(lab: &Lab) -> Outcome {
    for fields in [
        "src=::",
        "len=0",
        "len=65535",
        "ver=4",
        "ver=0",
        "tc=255",
        "flow=0",
        "flow=0xfffff",
        "nh=255",
        "hlim=0",
        "src=2001:db8:9::1",
    ] {
        let words = format!("ip6 server {fields} hex=0123456789abcdef");
        let keys = changed(lab, &words, Way::RawIpv6)?;
        ensure!(keys.is_empty(), "{words}: changed {keys:?}");
    }
    Ok(())
}

fn exactly(lab: &Lab) -> Outcome {
    let mut tap = tap(lab)?;
    for (words, way) in [
        ("tcp server:80 S", Way::RawIpv4),
        ("tcp server:80 S ip.sum=0xdead", Way::Ethernet),
        ("udp server:7 ip.len=9999 data=x", Way::Ethernet),
        ("ip server id=0 df=0", Way::Ethernet),
        ("ip server src=0.0.0.0", Way::Ethernet),
        ("ip server ihl=4", Way::Ethernet),
        ("ip server ihl=15", Way::Ethernet),
        ("ip6 server src=:: len=0", Way::RawIpv6),
        ("ip6 ff05::1234 nh=253", Way::RawIpv6),
        ("ip6 ff01::1234 nh=253", Way::Ethernet),
    ] {
        let to_group = words.contains("ff0").then(|| client_port().interface.to_owned());
        let sent = Session::open(Options { interface: to_group, ..options(lab) }).send(&packet(words)?)?;
        ensure!(sent.plan.way == way, "{words} went by {}", sent.plan.way);
        let left = left(&sent)?;
        ensure!(left.changes.is_empty(), "{words}: {:?}", left.changes);
        ensure!(left.packet_bytes() == sent.built.bytes, "{words} is not what was built");
        hears(&mut tap, &left.frame)?;
    }
    Ok(())
}

/// Waits until the tap has heard this frame.
pub(crate) fn hears(tap: &mut PacketSocket, frame: &[u8]) -> Outcome {
    let deadline = sys::clock::now() + std::time::Duration::from_secs(2);
    let mut others = 0;
    while let Some(received) = tap.recv(deadline)? {
        let tagged = received.vlan.map(|(control, kind)| [kind.to_be_bytes(), control.to_be_bytes()].concat());
        let bytes = match tagged {
            Some(tag) => [&received.bytes[..12], &tag, &received.bytes[12..]].concat(),
            None => received.bytes.to_vec(),
        };
        if bytes == frame {
            return Ok(());
        }
        others += 1;
    }
    fail!("the tap heard {others} frames and not {frame:02x?}")
}

fn build(words: &str) -> Result<Built, String> {
    let context =
        Context { source_v4: Some(client_port().v4), source_v6: Some(client_port().v6), ..Context::default() };
    let packet: Packet = packet(words)?;
    packet.build(&context).map_err(|error| format!("{words}: {error}"))
}

fn errnos(lab: &Lab) -> Outcome {
    let config = SenderConfig::default();
    let server: Ipv4Addr = lab.hosts().iter().find(|host| host.name == "server").ok_or("no server")?.v4;
    let server6: Ipv6Addr =
        lab.hosts().iter().find(|host| host.name == "server").and_then(|h| h.v6).ok_or("no server")?;
    let mut raw4 = RawIpv4::open(sys::system(), &config)?;
    let mut raw6 = RawIpv6::open(sys::system(), &config)?;
    let interfaces = Netlink::open(sys::system())?.interfaces()?;
    let wire = interfaces.iter().find(|i| i.name == client_port().interface).ok_or("no port")?;
    let mut frames = PacketSocket::open(sys::system(), wire, &PacketConfig::default())?;
    let expect = |what: &str, errno: Errno, result: Result<_, wirewright_link::OsError>| -> Outcome {
        match result {
            Err(error) if error.errno.raw() == errno.linux_number() => Ok(()),
            other => fail!("{what}: {other:?}, not {}", errno.name()),
        }
    };
    for words in ["ip 192.0.2.2 ihl=4", "ip 192.0.2.2 ihl=0", "ip 192.0.2.2 ihl=15 hex=00"] {
        expect(words, Errno::Einval, raw4.send(&build(words)?.bytes, server).map(|_| ()))?;
    }
    expect("19 bytes", Errno::Einval, raw4.send(&build("ip 192.0.2.2")?.bytes[..19], server).map(|_| ()))?;
    expect("39 bytes", Errno::Einval, raw6.send(&build("ip6 2001:db8::2")?.bytes[..39], server6, 0).map(|_| ()))?;
    expect("13 bytes", Errno::Einval, frames.send(&Transmit::packet(&[0; 13])).map(|_| ()))?;
    let sized = |words: &str, payload: usize| -> Result<Vec<u8>, String> {
        let mut packet = packet(words)?;
        packet.payload = Payload::Zero(payload);
        packet.build(&Context::default()).map(|built| built.bytes).map_err(|error| error.to_string())
    };
    let (v4, v6) = (sized("ip 192.0.2.2", 1481)?, sized("ip6 2001:db8::2", 1461)?);
    expect("1,501 bytes", Errno::Emsgsize, raw4.send(&v4, server).map(|_| ()))?;
    expect("1,501 bytes", Errno::Emsgsize, raw6.send(&v6, server6, 0).map(|_| ()))?;
    let frame = [&[0; 12][..], &[8, 0], &v4].concat();
    expect("a frame of 1,501 bytes", Errno::Emsgsize, frames.send(&Transmit::packet(&frame)).map(|_| ()))?;
    // The largest go.
    raw4.send(&v4[..1500], server)?;
    raw6.send(&v6[..1500], server6, 0)?;
    frames.send(&Transmit::packet(&frame[..1514]))?;
    // And the plan says so beforehand.
    for (words, payload) in [("ip server", 1481), ("ip6 server", 1461)] {
        let mut packet = packet(words)?;
        packet.payload = Payload::Zero(payload);
        let refused = Session::open(options(lab)).plan(&packet).err().ok_or("it was planned")?;
        ensure!(refused.code() == "too-large", "{refused}");
    }
    Ok(())
}

fn on_the_link(lab: &Lab) -> Outcome {
    let router = Shape::ONE.ports_of(Host::Router).next().ok_or("no router")?;
    for (words, to) in
        [("ip 192.0.2.2 proto=253", IpAddr::from(router.v4)), ("ip6 2001:db8::2 nh=253", router.v6.into())]
    {
        let mut tap = tap(lab)?;
        let to = Some(wirewright_craft::Host::Address(to));
        let sent = Session::open(Options { to, ..options(lab) }).send(&packet(words)?)?;
        let left = left(&sent)?;
        ensure!(left.frame[..6] == router.mac, "{words}: {:02x?}, by {}", &left.frame[..6], sent.plan.way);
        ensure!(left.changes.is_empty(), "{:?}", left.changes);
        hears(&mut tap, &left.frame)?;
    }
    Ok(())
}

fn by_gateway(lab: &Lab) -> Outcome {
    let router = Shape::ONE.ports_of(Host::Router).next().ok_or("no router")?;
    let mut tap = tap(lab)?;
    let to = Some(wirewright_craft::Host::Name("server".to_owned()));
    let words = "ip 192.168.1.1 src=192.168.1.103 tos=1 id=54321 ttl=255 proto=tcp";
    let sent = Session::open(Options { to, ..options(lab) }).send(&packet(words)?)?;
    let left = left(&sent)?;
    ensure!(sent.plan.way == Way::RawIpv4 && left.frame[..6] == router.mac, "{:?}", sent.plan);
    ensure!(left.changes.is_empty() && left.packet_bytes()[16..20] == [192, 168, 1, 1], "{left:?}");
    hears(&mut tap, &left.frame)
}

fn loopback(lab: &Lab) -> Outcome {
    let refused = Session::open(options(lab)).plan(&packet("udp 127.0.0.1:9 ip.sum=0xdead")?);
    let refused = refused.err().ok_or("a wish that no way can carry was planned")?;
    ensure!(refused.code() == "no-way", "{refused}");
    let sent = Session::open(options(lab)).send(&packet("udp 127.0.0.1:9")?)?;
    ensure!(left(&sent)?.changes.is_empty(), "{:?}", sent.fate);
    Ok(())
}

fn own_questions(lab: &Lab) -> Outcome {
    let port = client_port();
    let router = Shape::ONE.ports_of(Host::Router).next().ok_or("no router")?;
    for (words, next_hop) in [
        (format!("ip {} sum=0xdead", router.v4), IpAddr::from(router.v4)),
        (format!("ip6 {} / udp :9 / ", router.v6), router.v6.into()),
    ] {
        let words = words.trim_end_matches(" / ").to_owned();
        std::process::Command::new("ip")
            .args(["neigh", "del", &next_hop.to_string(), "dev", port.interface])
            .status()?;
        let known = Netlink::open(sys::system())?.neighbor(port.index, next_hop)?;
        ensure!(known.is_none_or(|n| !n.state.is_valid()), "the kernel knows it: {known:?}");
        let sent = Session::open(Options { way: Some(Way::Ethernet), ..options(lab) }).send(&packet(&words)?)?;
        ensure!(left(&sent)?.frame[..6] == router.mac, "{words}: {:?}", sent.fate);
    }
    Ok(())
}
