//! The guard against real kernels, in both roles and both families, with the reset that comes without it.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::net::{TcpStream, UdpSocket};
use std::thread;

use wirewright_lab::{Family, Host};
use wirewright_link::{Filter, Guard, RawReceiver, Rung, Wanted, What, clock};
use wirewright_tests::{Limit, Outcome, World, ensure, wait_for};

use super::tools::{CLIENT, Fallible, RawIp, SERVER, bytes, field, kernel, socket_address, soon};

/// Conversations a family and a role.
const CONVERSATIONS: u16 = 20;

/// A hand-made end of a conversation: it sends segments in words and receives those of its peer.
pub(crate) struct End {
    family: Family,
    sender: RawIp,
    receiver: RawReceiver,
    local_port: u16,
    peer: SocketAddr,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    flags: u128,
    pub(crate) seq: u32,
    ack: u32,
    source_port: u16,
}

const SYN: u128 = 0x02;
const RST: u128 = 0x04;
const PSH: u128 = 0x08;
const ACK: u128 = 0x10;

impl End {
    pub(crate) fn new(family: Family, local_port: u16, peer: SocketAddr) -> Fallible<Self> {
        let what = What::Tcp { source_port: None, destination_port: Some(local_port) };
        let filter = Filter::any_of(&[Wanted { source: Some(peer.ip()), destination: None, what }]);
        let receiver = match family {
            Family::V4 => RawReceiver::ipv4(kernel(), 6, &filter)?,
            Family::V6 => RawReceiver::ipv6(kernel(), 6, &filter)?,
        };
        Ok(Self { family, sender: RawIp::open(family)?, receiver, local_port, peer })
    }

    pub(crate) fn send(&mut self, flags: &str, seq: u32, ack: u32, rest: &str) -> Fallible<()> {
        let ip = if self.family == Family::V4 { "ip" } else { "ip6" };
        let (to, port, sport) = (self.peer.ip(), self.peer.port(), self.local_port);
        let words = format!("{ip} {to} / tcp :{port} sport={sport} {flags} seq={seq} ack={ack} {rest}");
        self.sender.send(&bytes(&words)?, to)?;
        Ok(())
    }

    pub(crate) fn receive(&mut self) -> Fallible<Segment> {
        let Some(received) = self.receiver.recv(soon())? else { return Err("no segment came".into()) };
        let part = |key| field(received.bytes, "tcp", key).ok_or("no TCP");
        let number = |key| Ok::<_, Box<dyn std::error::Error + Send + Sync>>(u32::try_from(part(key)?)?);
        Ok(Segment {
            flags: part("flags")? & 0x3f,
            seq: number("seq")?,
            ack: number("ack")?,
            source_port: u16::try_from(part("sport")?)?,
        })
    }

    /// The client's handshake with the server's echo, a byte there and back, and a reset at the end.
    pub(crate) fn talk(&mut self, isn: u32) -> Fallible<()> {
        self.send("S", isn, 0, "")?;
        let answer = self.receive()?;
        ensure!(answer.flags == SYN | ACK && answer.ack == isn.wrapping_add(1), "{answer:?}");
        let seq = isn.wrapping_add(1);
        self.send("PA", seq, answer.seq.wrapping_add(1), "data=x")?;
        // A bare acknowledgement and then the echo, or both in one. The echo is waited for: what comes after the guard is
        // gone, the kernel resets.
        loop {
            let answer = self.receive()?;
            ensure!(answer.flags & (RST | ACK) == ACK && answer.ack == seq.wrapping_add(1), "{answer:?}");
            if answer.flags & PSH != 0 {
                break;
            }
        }
        self.send("R", seq.wrapping_add(1), 0, "")
    }
}

pub(super) fn without_it_the_kernel_resets(world: &World) -> Outcome {
    for family in [Family::V4, Family::V6] {
        let before = world.lab().counters(Host::Client)?;
        let mut end = End::new(family, 40_010, socket_address(SERVER, family, 7))?;
        end.send("S", 7, 0, "")?;
        end.receive()?;
        let resets = || {
            let counters = world.lab().counters(Host::Client).ok()?;
            (counters.since(&before).value("TcpOutRsts") > 0).then_some(())
        };
        wait_for("a reset by the client's kernel", Limit::seconds(2), resets)?;
    }
    Ok(())
}

pub(super) fn a_hand_made_client_lives(world: &World) -> Outcome {
    for family in [Family::V4, Family::V6] {
        let before = world.lab().counters(Host::Client)?;
        for number in 0..CONVERSATIONS {
            let guard = Guard::tcp(&kernel(), socket_address(CLIENT, family, 0))?;
            ensure!(guard.rung() == Rung::Md5Listener, "{guard:?}");
            let mut end = End::new(family, guard.port(), socket_address(SERVER, family, 7))?;
            // Also where the sequence numbers wrap.
            let isn = [0, 1 << 31, u32::MAX - 1][usize::from(number % 3)];
            end.talk(isn).map_err(|error| format!("{family:?}, conversation {number}: {error}"))?;
        }
        let moved = world.lab().counters(Host::Client)?.since(&before);
        ensure!(moved.value("TcpOutRsts") == 0, "{family:?}: the kernel reset {}", moved.value("TcpOutRsts"));
        let dropped = moved.value("TcpExtTCPMD5NotFound");
        ensure!(dropped >= i64::from(CONVERSATIONS), "{family:?}: the guard dropped {dropped}");
    }
    Ok(())
}

pub(super) fn a_hand_made_server_lives(world: &World) -> Outcome {
    for family in [Family::V4, Family::V6] {
        let before = world.lab().counters(Host::Client)?;
        for number in 0..CONVERSATIONS {
            let guard = Guard::tcp(&kernel(), socket_address(CLIENT, family, 0))?;
            let mut end = End::new(family, guard.port(), SocketAddr::new(SERVER.address(family), 0))?;
            let result = thread::scope(|scope| {
                let client = scope.spawn(|| connect(world, guard.local()));
                let served = serve(&mut end);
                let connected = client.join().map_err(|_| "the client panicked")?;
                served.and(connected)
            });
            end.send("R", 1001, 0, "")?;
            result.map_err(|error| format!("{family:?}, conversation {number}: {error}"))?;
        }
        let moved = world.lab().counters(Host::Client)?.since(&before);
        ensure!(moved.value("TcpOutRsts") == 0, "{family:?}: the kernel reset {}", moved.value("TcpOutRsts"));
    }
    Ok(())
}

pub(crate) fn connect(world: &World, to: SocketAddr) -> Fallible<()> {
    world.lab().on(Host::Server, || TcpStream::connect_timeout(&to, Duration::from_secs(2)).map(drop))??;
    Ok(())
}

pub(crate) fn serve(end: &mut End) -> Fallible<()> {
    let syn = end.receive()?;
    ensure!(syn.flags & SYN != 0, "{syn:?}");
    end.peer.set_port(syn.source_port);
    end.send("SA", 1000, syn.seq.wrapping_add(1), "")?;
    let ack = end.receive()?;
    ensure!(ack.flags & ACK != 0 && ack.ack == 1001, "{ack:?}");
    Ok(())
}

pub(super) fn udp_answers_are_not_unreachable(world: &World) -> Outcome {
    let unreachable =
        |host| world.lab().counters(host).map(|c| c.value("IcmpOutDestUnreachs") + c.value("Icmp6OutDestUnreachs"));
    for family in [Family::V4, Family::V6] {
        let guard = Guard::udp(&kernel(), socket_address(CLIENT, family, 0))?;
        let guarded = guard.local();
        let before = unreachable(Host::Client)?;
        let mut receiver = udp_receiver(family, SERVER.address(family), guarded.port())?;
        answer(world, family, guarded)?;
        ensure!(receiver.recv(soon())?.is_some(), "{family:?}: the raw socket saw no datagram");
        ensure!(unreachable(Host::Client)? == before, "{family:?}: the kernel said port unreachable");
        drop(guard);
        answer(world, family, guarded)?;
        let told = || (unreachable(Host::Client).ok()? > before).then_some(());
        wait_for("port unreachable without the guard", Limit::seconds(2), told)?;
    }
    Ok(())
}

pub(crate) fn udp_receiver(family: Family, source: IpAddr, port: u16) -> Fallible<RawReceiver> {
    let what = What::Udp { source_port: None, destination_port: Some(port) };
    let filter = Filter::any_of(&[Wanted { source: Some(source), destination: None, what }]);
    Ok(match family {
        Family::V4 => RawReceiver::ipv4(kernel(), 17, &filter)?,
        Family::V6 => RawReceiver::ipv6(kernel(), 17, &filter)?,
    })
}

pub(crate) fn answer(world: &World, family: Family, to: SocketAddr) -> Fallible<()> {
    let from = socket_address(SERVER, family, 0);
    world.lab().on(Host::Server, || UdpSocket::bind(from).and_then(|socket| socket.send_to(b"answer", to)))??;
    Ok(())
}

/// Measured at about 9 µs; the limit only tells microseconds from milliseconds on a loaded machine.
pub(super) fn opening_one_is_quick(_: &World) -> Outcome {
    let local = socket_address(CLIENT, Family::V4, 0);
    let mut times = Vec::new();
    for _ in 0..51 {
        let start = clock::now();
        drop(Guard::tcp(&kernel(), local)?);
        times.push(clock::now().since(start));
    }
    times.sort();
    ensure!(times[25] < Duration::from_millis(1), "median {:?}", times[25]);
    Ok(())
}
