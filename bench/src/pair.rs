//! One bulk stream between two engines in one process, beside smoltcp: no kernel, no wire, every byte in real packets.
//!
//! Both sides get an MTU of 1500, buffers of 1 MiB, window scale and no timestamps, compute and verify TCP checksums, and
//! reuse their packet buffers. "cut" sends every segment as a packet, as smoltcp does; "whole" hands super-segments over, as
//! over a link that cuts them.

use std::collections::VecDeque;
use std::sync::Arc;

use smoltcp::iface::{Config as IfaceConfig, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer};
use smoltcp::time::Instant as SmolInstant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};
use wirewright_link::clock;
use wirewright_tcp::{Config, Connection, InitialNumbers, IpMeta, Listener, Next, Outgoing, Ports, Segment};
use wirewright_units::Instant;
use wirewright_wire::checksum::{Sum, pseudo_v4};

use crate::Times;

/// What one run moves.
const BYTES: usize = 64 << 20;

const BUFFER: usize = 1 << 20;

/// So many packet buffers stay with the reader, for its acknowledgments.
const SPARE_MAX: usize = 64;

/// What the writer writes and the reader reads at once.
const CHUNK: usize = 64 << 10;

pub(crate) fn run(runs: usize) -> Result<(), String> {
    let mut whole = Times::new("ours, whole");
    let mut cut = Times::new("ours, cut");
    let mut rival = Times::new("smoltcp");
    for _ in 0..runs {
        for (times, is_whole) in [(&mut whole, true), (&mut cut, false)] {
            let begin = clock::now();
            ours(is_whole)?;
            times.all.push(clock::now().since(begin));
        }
        let begin = clock::now();
        smoltcp_pair()?;
        rival.all.push(clock::now().since(begin));
    }
    let theirs = rival.median().as_secs_f64();
    for times in [&mut whole, &mut cut, &mut rival] {
        times.print();
        let median = times.median().as_secs_f64();
        println!("    {:.2} GB/s, time over smoltcp's {:.3}", BYTES as f64 / median / 1e9, median / theirs);
    }
    Ok(())
}

/// Packets from one end, in buffers that are used again.
#[derive(Default)]
struct Queue {
    flying: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
}

impl Queue {
    fn push(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) {
        let mut packet = self.spare.pop().unwrap_or_default();
        packet.resize(len, 0);
        fill(&mut packet);
        self.flying.push_back(packet);
    }
}

fn pseudo(len: usize) -> Sum {
    pseudo_v4([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), 6, u32::try_from(len).unwrap_or(u32::MAX))
}

fn send(queue: &mut Queue, out: &Outgoing<'_>, is_whole: bool) {
    let mut push = |segment: &Outgoing<'_>| {
        let len = segment.total_len();
        queue.push(len, |packet| {
            segment.emit_summed(pseudo(len), packet);
        });
    };
    if is_whole {
        push(out);
    } else {
        out.segments().for_each(|segment| push(&segment));
    }
}

fn connected(now: Instant) -> Result<[Connection; 2], String> {
    let config = Arc::new(Config {
        timestamps: false,
        receive_bytes_max: BUFFER as u32,
        send_bytes_max: BUFFER as u32,
        ..Config::IPV4
    });
    let ports = Ports { local: 40_000, remote: 80 };
    let mut client = Connection::open(now, config.clone(), ports, InitialNumbers::default());
    let mut listener = Listener::new(config);
    let mut queue = Queue::default();
    send(&mut queue, &client.poll_transmit(now).ok_or("no SYN")?, true);
    let syn = queue.flying.pop_front().ok_or("no SYN")?;
    let syn = Segment::parse(&syn, IpMeta::default()).map_err(|error| error.to_string())?;
    let (_, Next::Answer(mut half_open)) = listener.handle_segment(now, &syn, InitialNumbers::default()) else {
        return Err("the SYN was not answered".to_owned());
    };
    send(&mut queue, &half_open.poll_transmit(now).ok_or("no SYN,ACK")?, true);
    let syn_ack = queue.flying.pop_front().ok_or("no SYN,ACK")?;
    let _ =
        client.handle_segment(now, &Segment::parse(&syn_ack, IpMeta::default()).map_err(|error| error.to_string())?);
    send(&mut queue, &client.poll_transmit(now).ok_or("no ACK")?, true);
    let ack = queue.flying.pop_front().ok_or("no ACK")?;
    let ack = Segment::parse(&ack, IpMeta::default()).map_err(|error| error.to_string())?;
    match half_open.handle_segment(now, &ack) {
        (_, Next::Promote(server)) => Ok([client, server]),
        _ => Err("the handshake was not completed".to_owned()),
    }
}

fn ours(is_whole: bool) -> Result<(), String> {
    let mut now = Instant::from_millis(1);
    let mut ends = connected(now)?;
    let mut queues = [Queue::default(), Queue::default()];
    let (chunk, mut buf) = (vec![7; CHUNK], vec![0; CHUNK]);
    let (mut written, mut read) = (0, 0);
    while read < BYTES {
        now += core::time::Duration::from_micros(50);
        while written < BYTES {
            let most = CHUNK.min(BYTES - written);
            let taken = ends[0].write(now, &chunk[..most]).map_err(|error| error.to_string())?;
            written += taken;
            if taken == 0 {
                break;
            }
        }
        for from in 0..2 {
            if ends[from].poll_timeout().is_some_and(|at| at <= now) {
                let _ = ends[from].handle_timeout(now);
            }
            while let Some(out) = ends[from].poll_transmit(now) {
                send(&mut queues[from], &out, is_whole);
            }
            while let Some(packet) = queues[from].flying.pop_front() {
                if !pseudo(packet.len()).add(&packet).is_right() {
                    return Err("a wrong checksum".to_owned());
                }
                let seg = Segment::parse(&packet, IpMeta::default()).map_err(|error| error.to_string())?;
                let _ = ends[1 - from].handle_segment(now, &seg);
                queues[from].spare.push(packet);
            }
        }
        while let Some(count) = ends[1].read(now, &mut buf).map_err(|error| error.to_string())? {
            read += count;
        }
    }
    Ok(())
}

/// One end's side of the wire, as smoltcp wants a device.
#[derive(Default)]
struct Wire {
    arriving: VecDeque<Vec<u8>>,
    leaving: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
}

struct Arrived<'a>(Vec<u8>, &'a mut Vec<Vec<u8>>);

struct Leaving<'a>(&'a mut VecDeque<Vec<u8>>, Vec<u8>);

impl RxToken for Arrived<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let result = f(&self.0);
        self.1.push(self.0);
        result
    }
}

impl TxToken for Leaving<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, len: usize, f: F) -> R {
        self.1.resize(len, 0);
        let result = f(&mut self.1);
        self.0.push_back(self.1);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Arrived<'a>;
    type TxToken<'a> = Leaving<'a>;

    fn receive(&mut self, _: SmolInstant) -> Option<(Arrived<'_>, Leaving<'_>)> {
        let packet = self.arriving.pop_front()?;
        let answer = self.spare.pop().unwrap_or_default();
        Some((Arrived(packet, &mut self.spare), Leaving(&mut self.leaving, answer)))
    }

    fn transmit(&mut self, _: SmolInstant) -> Option<Leaving<'_>> {
        let packet = self.spare.pop().unwrap_or_default();
        Some(Leaving(&mut self.leaving, packet))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1500;
        capabilities
    }
}

struct SmolEnd {
    wire: Wire,
    iface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
}

impl SmolEnd {
    fn new(last: u8) -> Self {
        let mut wire = Wire::default();
        let mut iface = Interface::new(IfaceConfig::new(HardwareAddress::Ip), &mut wire, SmolInstant::ZERO);
        iface.update_ip_addrs(|addresses| {
            // The list holds at least one.
            let _ = addresses.push(IpCidr::new(IpAddress::v4(192, 0, 2, last), 24));
        });
        let mut sockets = SocketSet::new(Vec::new());
        let buffer = || SocketBuffer::new(vec![0; BUFFER]);
        let mut socket = Socket::new(buffer(), buffer());
        socket.set_nagle_enabled(true);
        let handle = sockets.add(socket);
        Self { wire, iface, sockets, handle }
    }

    fn socket(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    fn poll(&mut self, now: SmolInstant) {
        self.iface.poll(now, &mut self.wire, &mut self.sockets);
    }
}

fn smoltcp_pair() -> Result<(), String> {
    let [mut client, mut server] = [SmolEnd::new(1), SmolEnd::new(2)];
    server.socket().listen(80).map_err(|error| error.to_string())?;
    let handle = client.handle;
    client
        .sockets
        .get_mut::<Socket<'_>>(handle)
        .connect(client.iface.context(), (IpAddress::v4(192, 0, 2, 2), 80), 40_000)
        .map_err(|error| error.to_string())?;
    let (chunk, mut buf) = (vec![7; CHUNK], vec![0; CHUNK]);
    let (mut written, mut read, mut micros) = (0, 0, 0);
    while read < BYTES {
        micros += 50;
        let now = SmolInstant::from_micros(micros);
        while written < BYTES && client.socket().can_send() {
            let most = CHUNK.min(BYTES - written);
            written += client.socket().send_slice(&chunk[..most]).map_err(|error| error.to_string())?;
        }
        client.poll(now);
        server.wire.arriving.append(&mut client.wire.leaving);
        server.poll(now);
        client.wire.arriving.append(&mut server.wire.leaving);
        // What a side has read goes back to the other: the buffers circulate.
        while server.wire.spare.len() > SPARE_MAX {
            client.wire.spare.extend(server.wire.spare.pop());
        }
        while server.socket().can_recv() {
            read += server.socket().recv_slice(&mut buf).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
