//! Recording the lab: every host's view, merged by time, as the wires carried it.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::{Arc, Mutex, PoisonError},
};

use wirewright_capture::{Direction as Way, Interface, LinkType, Record, Writer};
use wirewright_lab::{Lab, RecordError, Recorded, Shape};
use wirewright_link::Direction;
use wirewright_tests::{Folder, Ground, Need, Outcome, Scenario, Tshark, World, ensure, ww};

use crate::lab_child::{Copied, Task, page};

/// The longest Ethernet frame of a network whose packets are at most 1500 bytes.
const FRAME_LEN_MAX: usize = 1514;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn(&Lab) -> Outcome| {
        Scenario::new(&format!("lab_records::{name}"), Ground::Lab, move |world: &World| run(world.lab()))
    };
    vec![
        scenario("a_packet_is_seen_as_it_left_and_as_it_arrived", way_of_a_packet),
        Scenario::new("lab_records::a_new_lab_is_quiet", Ground::Plain, |_| quiet()).needs(Need::Namespaces),
        scenario("tshark_finds_every_checksum_right", all_right).tools(&["tshark"]),
        scenario("no_frame_is_longer_than_a_wire_carries", frames_are_cut),
        Scenario::new("lab_records::with_offload_frames_are_longer_than_a_wire_carries", Ground::Plain, |_| {
            offloaded()
        })
        .needs(Need::Namespaces)
        .tools(&["tshark", "python3"]),
        scenario("a_sink_that_fails_is_told", sink_fails),
    ]
}

/// Records what `act` causes.
pub(crate) fn recorded(
    lab: &Lab,
    act: impl FnOnce() -> Outcome,
) -> Result<Vec<Recorded>, Box<dyn std::error::Error + Send + Sync>> {
    let frames = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&frames);
    let recorder = lab.record(move |frame: Recorded| {
        sink.lock().unwrap_or_else(PoisonError::into_inner).push(frame);
        Ok(())
    })?;
    act()?;
    let summary = recorder.finish()?;
    let frames = std::mem::take(&mut *frames.lock().unwrap_or_else(PoisonError::into_inner));
    ensure!(summary.frames == frames.len() as u64, "{summary:?}, but {} frames", frames.len());
    ensure!(frames.is_sorted_by_key(|frame| frame.at), "the frames are not in order of time");
    Ok(frames)
}

/// One datagram with a mark in it: where it was seen, and its TTL.
fn way_of_a_packet(lab: &Lab) -> Outcome {
    for (server, ttl_at, ttl) in [("192.0.2.2:9", 14 + 8, 64_u8), ("[2001:db8::2]:9", 14 + 7, 64)] {
        let mark = format!("the mark of {server}");
        let server: SocketAddr = server.parse()?;
        let frames = recorded(lab, || {
            let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            UdpSocket::bind(any)?.send_to(mark.as_bytes(), server)?;
            Ok(())
        })?;
        let marked: Vec<_> = frames.iter().filter(|frame| frame.bytes.ends_with(mark.as_bytes())).collect();
        let seen: Vec<_> = marked
            .iter()
            .map(|frame| (frame.port.to_string(), frame.direction, frame.bytes.get(ttl_at).copied()))
            .collect();
        let expected = [
            ("client eth0", Direction::Outgoing, ttl),
            ("router eth0", Direction::Incoming, ttl),
            ("router eth1", Direction::Outgoing, ttl - 1),
            ("server eth0", Direction::Incoming, ttl - 1),
        ]
        .map(|(port, direction, ttl)| (port.to_owned(), direction, Some(ttl)));
        ensure!(seen == expected, "{seen:?}");
        ensure!(marked[0].bytes == marked[1].bytes && marked[2].bytes == marked[3].bytes, "a wire changed a frame");
    }
    Ok(())
}

/// A process that enters and records at once sees what it sends and the answers, not what its kernels say by themselves.
fn quiet() -> Outcome {
    let output = Copied::new()?.program(Task::Record).run()?.success()?;
    let text = output.text();
    let (own, others): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with("own "));
    ensure!(own.len() == 4 && others.is_empty(), "{output}");
    Ok(())
}

/// Writes frames as `ww lab -w` does: one interface block a host.
pub(crate) fn write(frames: &[Recorded]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut writer = Writer::pcapng(Vec::new(), "scenarios")?;
    let mut views = Vec::new();
    for host in Shape::ONE.hosts() {
        views.push(writer.add_interface(&Interface::new(Shape::ONE.view(host), LinkType::ETHERNET))?);
    }
    for frame in frames {
        let view = Shape::ONE.hosts().iter().position(|host| *host == frame.port.host).map(|at| views[at]);
        let way = if frame.direction == Direction::Outgoing { Way::Out } else { Way::In };
        writer.write(&Record::new(view.ok_or("no such host")?, frame.wall, &frame.bytes).direction(way))?;
    }
    Ok(writer.into_inner()?)
}

fn all_right(lab: &Lab) -> Outcome {
    let frames = recorded(lab, || {
        for server in ["192.0.2.2:80", "[2001:db8::2]:80"] {
            page(server.parse()?, "/bytes/20000")?;
        }
        Ok(())
    })?;
    let folder = Folder::new()?;
    let path = folder.write("all.pcapng", write(&frames)?)?;
    let fields = ["frame.interface_name", "tcp.checksum.status", "ip.checksum.status", "_ws.malformed"];
    // Each segment is there up to four times, which is no retransmission: nothing is put together again.
    let tshark = Tshark::read(&path).preference("tcp.desegment_tcp_streams:FALSE").only("tcp.port == 80");
    let rows = tshark.fields(&fields)?;
    ensure!(rows.len() > 60, "only {} frames of TCP", rows.len());
    for host in Shape::ONE.hosts() {
        ensure!(rows.iter().any(|row| row[0] == Shape::ONE.view(host)), "{host} saw nothing");
    }
    // tshark says 1 for right; an IPv6 header has no checksum.
    let wrong = rows.iter().find(|row| row[1] != "1" || !["1", ""].contains(&row[2].as_str()) || !row[3].is_empty());
    ensure!(wrong.is_none(), "{wrong:?}");
    Ok(())
}

fn frames_are_cut(lab: &Lab) -> Outcome {
    let frames = recorded(lab, || {
        page("192.0.2.2:80".parse()?, "/bytes/300000")?;
        Ok(())
    })?;
    let longest = frames.iter().map(|frame| frame.bytes.len().max(frame.original_len)).max();
    ensure!(longest == Some(FRAME_LEN_MAX), "the longest frame has {longest:?} bytes");
    Ok(())
}

/// With the cards' help on, what is captured is what the kernel hands to a card: far more than the 1500 bytes of the MTU.
fn offloaded() -> Outcome {
    let fetch = "import urllib.request as u; u.urlopen('http://192.0.2.2/bytes/1000000').read()";
    let folder = Folder::new()?;
    for (options, expected) in [(&["--offload"][..], true), (&[], false)] {
        let lab = [&["lab", "-w", "all.pcapng"], options, &["--", "python3", "-c", fetch]].concat();
        ww().args(lab).folder(folder.path()).run()?.success()?;
        let long = format!("frame.len > {FRAME_LEN_MAX}");
        let rows = Tshark::read(&folder.file("all.pcapng")).only(&long).fields(&["frame.len"])?;
        ensure!(rows.is_empty() != expected, "{options:?}: {} frames are longer than a wire carries", rows.len());
        println!("{options:?}: {}, the longest {:?}", rows.len(), rows.iter().flatten().max_by_key(|it| it.len()));
    }
    Ok(())
}

fn sink_fails(lab: &Lab) -> Outcome {
    let recorder = lab.record(|_: Recorded| Err(io::ErrorKind::BrokenPipe.into()))?;
    page("192.0.2.2:80".parse()?, "/hello")?;
    let ended = recorder.finish();
    let told = matches!(&ended, Err(RecordError::Sink { error }) if error.kind() == io::ErrorKind::BrokenPipe);
    ensure!(told, "{ended:?}");
    Ok(())
}
