//! Two hosts over simulated paths, and single hosts that are given packets.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::vec;

use wirewright_sim::{Chance, Faults, Path};
use wirewright_tcp::{self as tcp, Config, State};
use wirewright_units::Instant;
use wirewright_wire::{MacAddr, checksum};

use super::*;

const START: Instant = Instant::from_millis(1000);

/// Two hosts, the paths between them, and a clock.
struct World {
    now: Instant,
    hosts: [Host; 2],
    paths: [Path; 2],
    /// What the receiver is told of checksums.
    checksum: Checksum,
}

fn config(side: u8, v6: bool, link: Link) -> HostConfig {
    let address: IpAddr = match v6 {
        false => [192, 0, 2, side].into(),
        true => [0x2001, 0xdb8, 0, 0, 0, 0, 0, side.into()].into(),
    };
    HostConfig {
        addresses: vec![Prefix::new(address, if v6 { 64 } else { 24 })],
        routes: vec![],
        link,
        mtu: 1500,
        offload: Offload::default(),
        ownership: Ownership::Own,
        tcp_v4: Arc::new(Config::IPV4),
        tcp_v6: Arc::new(Config::IPV6),
        secret: Secret([side; 32]),
    }
}

fn at(side: u8, v6: bool, port: u16) -> SocketAddr {
    (config(side, v6, Link::Ip).addresses[0].address, port).into()
}

fn mac(side: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, side])
}

impl World {
    fn new(v6: bool, ethernet: bool, faults: Faults, seed: u64) -> Self {
        let link = |side| if ethernet { Link::Ethernet { mac: mac(side) } } else { Link::Ip };
        Self {
            now: START,
            hosts: [1, 2].map(|side| Host::new(&config(side, v6, link(side)))),
            paths: [Path::new(faults, seed), Path::new(faults, seed + 1)],
            checksum: Checksum::ToCheck,
        }
    }

    fn transmit(&mut self) {
        for (host, path) in self.hosts.iter_mut().zip(&mut self.paths) {
            let now = self.now;
            while host.poll_transmit(now, &mut |packet| {
                let mut bytes = Vec::new();
                packet.append_to(&mut bytes);
                path.push(now, bytes);
            }) {}
            host.check_invariants();
        }
    }

    /// Runs until nothing happens any more, or `until`; `act` is what the users do at each step.
    fn run(&mut self, until: Instant, mut act: impl FnMut(Instant, &mut [Host; 2])) {
        loop {
            act(self.now, &mut self.hosts);
            self.transmit();
            let next =
                self.hosts.iter().filter_map(Host::poll_timeout).chain(self.paths.iter().filter_map(Path::next_at));
            let Some(next) = next.min().filter(|&at| at <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(next);
            for from in 0..2 {
                while let Some(frame) = self.paths[from].pop(self.now) {
                    let received = Received { checksum: self.checksum, ..Received::new(&frame) };
                    self.hosts[1 - from].handle_frame(self.now, &received);
                }
            }
            for host in &mut self.hosts {
                host.handle_timeout(self.now);
            }
        }
    }
}

/// Sends `len` bytes from client to server and back, closes, and says what both read.
fn echo(world: &mut World, v6: bool, len: usize) {
    let [client, server] = &mut world.hosts;
    let any = at(1, v6, 0);
    let listener = server.listen(at(2, v6, 7), Backlog::default()).unwrap();
    let stream = client.connect(world.now, any, at(2, v6, 7)).unwrap();
    let data: Vec<u8> = (0..len).map(|i| (i * 7 + i / 251) as u8).collect();
    let (mut written, mut back, mut returned) = (0, Vec::new(), Vec::new());
    let mut accepted = None;
    let (mut closed, mut ended) = (false, false);
    world.run(START + Duration::from_secs(300), |now, [client, server]| {
        let is_open = client.connection(stream).is_some_and(|conn| conn.state() != State::SynSent);
        if is_open && written < len {
            written += client.write(now, stream, &data[written..]).unwrap();
            if written == len {
                client.close(now, stream).unwrap();
            }
        }
        accepted = accepted.or_else(|| server.accept(listener));
        let mut buf = [0; 4096];
        if let Some(id) = accepted.filter(|_| !closed) {
            loop {
                // What was read and not yet sent back stays in `back`.
                let sent = server.write(now, id, &back).unwrap();
                back.drain(..sent);
                if !back.is_empty() {
                    break;
                }
                match server.read(now, id, &mut buf).unwrap() {
                    Some(0) => {
                        server.close(now, id).unwrap();
                        server.release(now, id);
                        closed = true;
                        break;
                    }
                    Some(count) => back.extend_from_slice(&buf[..count]),
                    None => break,
                }
            }
        }
        while let Some(count) = (!ended).then(|| client.read(now, stream, &mut buf).unwrap()).flatten() {
            returned.extend_from_slice(&buf[..count]);
            ended = count == 0;
        }
        if ended {
            client.release(now, stream);
        }
    });
    assert!(returned == data, "{} of {len} bytes came back, or others", returned.len());
    assert!(ended && closed);
    let now = world.now;
    for host in &mut world.hosts {
        assert_eq!((host.open_count(), host.time_wait_count()), (0, 0), "at {now:?}");
        assert_eq!(host.demux.len(), 0);
    }
}

#[test]
fn bytes_go_there_and_back_over_both_versions_and_both_links() {
    for v6 in [false, true] {
        for ethernet in [false, true] {
            echo(&mut World::new(v6, ethernet, Faults::NONE, 1), v6, 100_000);
        }
    }
}

#[test]
fn bytes_survive_loss_and_reordering() {
    for seed in 0..20 {
        let faults = Faults {
            delay: Duration::from_millis(5),
            loss: Chance::clamped_per_million(50_000),
            reorder: Chance::clamped_per_million(50_000),
            ..Faults::NONE
        };
        echo(&mut World::new(seed % 2 == 1, seed % 3 == 0, faults, seed * 2), seed % 2 == 1, 60_000);
    }
}

#[test]
fn a_hook_that_spoils_holds_drops_and_doubles_is_survived() {
    for (v6, ethernet) in [(false, false), (true, true)] {
        let mut world = World::new(v6, ethernet, Faults::NONE, 1);
        for host in &mut world.hosts {
            let mut count = 0;
            host.set_hook(move |_, segment: &mut tcp::OwnedSegment| {
                count += 1;
                match count % 17 {
                    3 => segment.checksum = Some(0xdead),
                    5 => return tcp::Fate::Drop,
                    7 => return tcp::Fate::Times(2),
                    11 => return tcp::Fate::HoldFor(Duration::from_millis(30)),
                    _ => {}
                }
                tcp::Fate::Send
            });
        }
        echo(&mut world, v6, 60_000);
        let spoiled: u64 = world.hosts.iter().map(|host| host.counters().discarded(Discard::Checksum)).sum();
        assert!(spoiled > 0, "nothing was spoiled");
    }
}

#[test]
fn what_a_hook_holds_leaves_at_its_time() {
    let held = Duration::from_millis(30);
    let [mut client, _] = pair().hosts;
    client.set_hook(move |_, _: &mut tcp::OwnedSegment| tcp::Fate::HoldFor(held));
    client.connect(START, at(1, false, 0), at(2, false, 80)).unwrap();
    assert!(sent(&mut client, START).is_empty());
    assert_eq!(client.poll_timeout(), Some(START + held));
    client.handle_timeout(START + held);
    assert_eq!(sent(&mut client, START + held).len(), 1);
}

#[test]
fn what_is_injected_goes_between_its_ends_past_the_hook() {
    let mut world = pair();
    let ends = FourTuple { local: at(1, false, 40_000), remote: at(2, false, 80) };
    let header = wirewright_wire::tcp::Header {
        source_port: 40_000,
        destination_port: 80,
        flags: tcp::Flags::SYN,
        ..wirewright_wire::tcp::Header::default()
    };
    let segment = tcp::OwnedSegment { header, options: vec![], text: vec![], checksum: None, exact: false };
    let [client, server] = &mut world.hosts;
    assert!(!client.inject(ends, segment.clone()), "no hook is set");
    client.set_hook(|_, _: &mut tcp::OwnedSegment| tcp::Fate::Drop);
    assert!(client.inject(ends, segment));
    server.listen(at(2, false, 80), Backlog::default()).unwrap();
    let packets = sent(client, START);
    assert_eq!(packets.len(), 1);
    assert_eq!(server.handle_frame(START, &Received::new(&packets[0])), Verdict::Accepted);
    assert_eq!(server.open_count(), 1);
}

/// All that a host sends now.
fn sent(host: &mut Host, now: Instant) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while host.poll_transmit(now, &mut |packet| {
        let mut bytes = Vec::new();
        packet.append_to(&mut bytes);
        all.push(bytes);
    }) {}
    all
}

fn pair() -> World {
    World::new(false, false, Faults::NONE, 1)
}

#[test]
fn a_partial_checksum_is_believed_only_where_it_may_stand() {
    let mut world = pair();
    let [client, server] = &mut world.hosts;
    server.listen(at(2, false, 80), Backlog::default()).unwrap();
    client.connect(START, at(1, false, 0), at(2, false, 80)).unwrap();
    let mut syn = sent(client, START).remove(0);
    let len = (syn.len() - 20) as u32;
    let pseudo = checksum::pseudo_v4([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), 6, len);
    syn[36..38].copy_from_slice(&pseudo.folded().to_be_bytes());
    let wrong = server.handle_frame(START, &Received::new(&syn));
    assert_eq!(wrong, Verdict::Discarded(Discard::Checksum));
    let maybe = Received { checksum: Checksum::MaybePartial, ..Received::new(&syn) };
    assert_eq!(server.handle_frame(START, &maybe), Verdict::Accepted);
    assert_eq!((server.counters().sums_partial, server.counters().sums_right), (1, 0));
    // Neither the one nor the other.
    syn[36] ^= 1;
    let neither = Received { checksum: Checksum::MaybePartial, ..Received::new(&syn) };
    assert_eq!(server.handle_frame(START, &neither), Verdict::Discarded(Discard::Checksum));
}

#[test]
fn a_flood_of_syns_costs_no_more_than_the_backlog() {
    let mut server = Host::new(&config(2, false, Link::Ip));
    let backlog = Backlog { accept_max: 4, half_open_max: 16 };
    let listener = server.listen(at(2, false, 80), backlog).unwrap();
    for peer in 0..200u8 {
        let mut flooder = config(1, false, Link::Ip);
        flooder.addresses = vec![Prefix::new([192, 0, 2, 3 + peer].into(), 24)];
        let mut flooder = Host::new(&flooder);
        flooder.connect(START, ([192, 0, 2, 3 + peer], 0).into(), at(2, false, 80)).unwrap();
        for syn in sent(&mut flooder, START) {
            assert_eq!(server.handle_frame(START, &Received::new(&syn)), Verdict::Accepted);
        }
        assert!(!sent(&mut server, START).is_empty());
        server.check_invariants();
    }
    assert_eq!((server.open_count(), server.counters().half_open_forgotten), (16, 184));
    // They are given up at last, and nothing of them is left.
    let mut now = START;
    while let Some(at) = server.poll_timeout() {
        now = now.max(at);
        server.handle_timeout(now);
        sent(&mut server, now);
    }
    assert!(now < START + Duration::from_secs(130));
    assert_eq!((server.open_count(), server.accept(listener)), (0, None));
}

#[test]
fn connections_beyond_the_accept_queue_wait_half_open() {
    let mut world = pair();
    let listener = world.hosts[1].listen(at(2, false, 80), Backlog { accept_max: 2, half_open_max: 16 }).unwrap();
    for _ in 0..5 {
        world.hosts[0].connect(START, at(1, false, 0), at(2, false, 80)).unwrap();
    }
    world.run(START + Duration::from_millis(500), |_, _| {});
    assert!(world.hosts[1].counters().discarded(Discard::AcceptQueueFull) >= 3);
    let mut accepted = 0;
    // Their peers' next segments, or our repeated SYN,ACKs, complete them.
    world.run(START + Duration::from_secs(60), |_, [_, server]| {
        while server.accept(listener).is_some() {
            accepted += 1;
        }
    });
    assert_eq!(accepted, 5);
}

#[test]
fn what_belongs_to_nothing_is_reset_and_a_reset_is_not() {
    let mut world = pair();
    let [client, server] = &mut world.hosts;
    let id = client.connect(START, at(1, false, 0), at(2, false, 81)).unwrap();
    let syn = sent(client, START).remove(0);
    assert_eq!(server.handle_frame(START, &Received::new(&syn)), Verdict::Discarded(Discard::NoSuchConnection));
    let reset = sent(server, START).remove(0);
    client.handle_frame(START, &Received::new(&reset));
    assert_eq!(client.poll_event(), Some(Event::Tcp(id, tcp::Event::Ended(tcp::Ended::Refused))));
    assert_eq!(client.connection(id).map(tcp::Connection::state), Some(State::Closed));
    server.handle_frame(START, &Received::new(&reset));
    assert!(sent(server, START).is_empty());
}

/// A router's message about a packet: unreachable with this code, and the MTU of the next link.
fn unreachable(code: u8, mtu: u16, quoted: &[u8]) -> Vec<u8> {
    let mut message = vec![3, code, 0, 0, 0, 0, (mtu >> 8) as u8, mtu as u8];
    message.extend_from_slice(&quoted[..28]);
    let sum = checksum::of(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = vec![0x45, 0, 0, 20 + message.len() as u8, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 254, 192, 0, 2, 1];
    let sum = checksum::of(&packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend_from_slice(&message);
    packet
}

#[test]
fn a_smaller_path_makes_smaller_segments_when_the_quote_is_ours() {
    let mut world = pair();
    let listener = world.hosts[1].listen(at(2, false, 80), Backlog::default()).unwrap();
    let id = world.hosts[0].connect(START, at(1, false, 0), at(2, false, 80)).unwrap();
    world.run(START + Duration::from_millis(10), |_, _| {});
    let now = world.now;
    let client = &mut world.hosts[0];
    client.write(now, id, &[7; 3000]).unwrap();
    let large = sent(client, now).remove(0);
    assert_eq!(large.len(), 1500);
    // A sequence number that was never sent, then one in flight.
    let mut forged = large.clone();
    forged[24] ^= 0x40;
    let verdict = client.handle_frame(now, &Received::new(&unreachable(4, 1000, &forged)));
    assert_eq!(verdict, Verdict::Discarded(Discard::QuoteOfNothing));
    assert!(sent(client, now).is_empty());
    assert_eq!(client.handle_frame(now, &Received::new(&unreachable(4, 1000, &large))), Verdict::Accepted);
    let again = sent(client, now);
    assert!(!again.is_empty() && again.iter().all(|packet| packet.len() <= 1000), "{}", again.len());
    assert!(world.hosts[1].accept(listener).is_some());
    // The next connection there knows it.
    let client = &mut world.hosts[0];
    client.connect(now, at(1, false, 0), at(2, false, 80)).unwrap();
    let syn = sent(client, now).into_iter().find(|packet| packet[33] == 0x02).unwrap();
    assert_eq!(syn[40..44], [2, 4, 960u16.to_be_bytes()[0], 960u16.to_be_bytes()[1]]);
}

#[test]
fn an_unreachable_peer_is_told_and_a_hard_error_ends_the_attempt() {
    let mut client = Host::new(&config(1, false, Link::Ip));
    let id = client.connect(START, at(1, false, 0), at(2, false, 80)).unwrap();
    let syn = sent(&mut client, START).remove(0);
    client.handle_frame(START, &Received::new(&unreachable(1, 0, &syn)));
    assert_eq!(client.trouble(id).map(|trouble| trouble.kind), Some(TroubleKind::HostUnreachable));
    assert_eq!(client.poll_event(), Some(Event::Tcp(id, tcp::Event::SoftError)));
    client.handle_frame(START, &Received::new(&unreachable(3, 0, &syn)));
    assert_eq!(client.poll_event(), Some(Event::Tcp(id, tcp::Event::Ended(tcp::Ended::Unreachable))));
    client.release(START, id);
    assert_eq!(client.demux.len(), 0);
}

#[test]
fn echo_is_answered_on_an_address_of_our_own_only() {
    let request = {
        let mut message = vec![8, 0, 0, 0, 1, 2, 3, 4, b'h', b'i'];
        let sum = checksum::of(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        let mut packet = vec![0x45, 0, 0, 30, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        let sum = checksum::of(&packet);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend_from_slice(&message);
        packet
    };
    let mut own = Host::new(&config(2, false, Link::Ip));
    assert_eq!(own.handle_frame(START, &Received::new(&request)), Verdict::Accepted);
    let reply = sent(&mut own, START).remove(0);
    assert_eq!((reply[20], &reply[24..]), (0, &request[24..]));
    assert!(checksum::verify(&reply[20..]) && checksum::verify(&reply[..20]));
    let shared = HostConfig { ownership: Ownership::SharedWithKernel, ..config(2, false, Link::Ip) };
    let mut shared = Host::new(&shared);
    assert_eq!(shared.handle_frame(START, &Received::new(&request)), Verdict::Discarded(Discard::IgnoredIcmp));
    assert!(sent(&mut shared, START).is_empty());
}

#[test]
fn datagrams_arrive_and_a_closed_port_says_so() {
    for v6 in [false, true] {
        let mut world = World::new(v6, true, Faults::NONE, 3);
        let [client, server] = &mut world.hosts;
        let (from, to) = (client.udp_bind(at(1, v6, 5000)).unwrap(), server.udp_bind(at(2, v6, 53)).unwrap());
        client.udp_send(from, at(2, v6, 53), b"question").unwrap();
        client.udp_send(from, at(2, v6, 54), b"nobody").unwrap();
        world.run(START + Duration::from_secs(1), |_, _| {});
        let server = &mut world.hosts[1];
        assert_eq!(server.poll_event(), Some(Event::Datagram(to)));
        assert_eq!(server.udp_receive(to), Some((at(1, v6, 5000), b"question".to_vec())));
        assert_eq!(server.counters().discarded(Discard::NoSuchPort), 1);
        // The port unreachable came: it quotes a datagram, and no connection of ours.
        assert_eq!(world.hosts[0].counters().discarded(Discard::QuoteOfNothing), 1);
    }
}

#[test]
fn no_bytes_make_a_host_panic() {
    let mut host = Host::new(&config(2, false, Link::Ip));
    host.listen(at(2, false, 80), Backlog::default()).unwrap();
    let mut client = Host::new(&config(1, false, Link::Ip));
    client.connect(START, at(1, false, 0), at(2, false, 80)).unwrap();
    let syn = sent(&mut client, START).remove(0);
    let icmp = unreachable(4, 1000, &syn);
    for packet in [syn, icmp] {
        for end in 0..packet.len() {
            host.handle_frame(START, &Received::new(&packet[..end]));
        }
        for place in 0..packet.len() {
            for bit in 0..8 {
                let mut bent = packet.clone();
                bent[place] ^= 1 << bit;
                for checksum in [Checksum::ToCheck, Checksum::Verified, Checksum::Partial, Checksum::MaybePartial] {
                    host.handle_frame(START, &Received { checksum, ..Received::new(&bent) });
                }
                sent(&mut host, START);
            }
        }
    }
    host.check_invariants();
}
