//! `ww send` of a capture: each frame as it was, when it was, or refused before anything leaves.

use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::Write as _;
use wirewright_capture::{Direction, Interface, LinkType, Reader, Record, Writer};
use wirewright_craft::{Context, parse};
use wirewright_lab::Host;
use wirewright_tests::{
    Folder, Ground, Need, Outcome, Output, Program, Scenario, Step, Terminal, Tshark, World, binary, ensure, ww,
};
use wirewright_units::UnixTime;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The lab's client, and the router's end of its wire.
const CLIENT: &str = "198.51.100.2";
const CLIENT_V6: &str = "2001:db8:1::2";
const LINK: &str = "eth 02:00:c6:33:64:01 src=02:00:c6:33:64:02";

pub(crate) fn scenarios() -> Vec<Scenario> {
    let plain = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("replay::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("replay::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    vec![
        plain("a_conversation_leaves_again_byte_for_byte", again),
        plain("frames_leave_when_they_were_seen", timed),
        plain("each_kind_of_capture_is_read_out_of_a_file_and_a_pipe", kinds),
        plain("rewritten_fields_have_right_checksums", rewritten).tools(&["tshark"]),
        plain("what_cannot_leave_as_it_is_is_refused_before_anything_leaves", refused),
        plain("a_damaged_capture_is_refused_and_its_whole_frames_leave_when_asked", damaged),
        plain("where_no_route_leads_the_corrected_line_sends", no_route).tools(&["ip"]),
        plain("a_file_is_what_its_beginning_says", by_content),
        plain("a_plan_says_when_and_how_each_frame_leaves", planned),
        plain("ctrl_c_ends_a_capture_with_its_statistics", interrupted).tools(&["python3"]),
        lab("more_than_1000_frames_are_not_sent_unasked", thousand),
        lab("a_large_capture_takes_no_more_memory_than_a_small_one", memory).tools(&["python3"]),
    ]
}

/// The bytes of a packet in words.
fn bytes(words: &str) -> Fallible<Vec<u8>> {
    Ok(parse(words)?.build(&Context::default())?.bytes)
}

/// A frame of the client, from its link header on.
fn frame(words: &str) -> Fallible<Vec<u8>> {
    bytes(&format!("{LINK} / {words}"))
}

/// A datagram to the server's discard port that carries a number.
fn numbered(number: usize) -> Fallible<Vec<u8>> {
    frame(&format!("ip 192.0.2.2 src={CLIENT} id={number} / udp :9 sport=40000 data=frame-{number}"))
}

/// A second of 2023, and so many nanoseconds more.
fn at(nanos: u64) -> UnixTime {
    UnixTime::from_nanos(1_700_000_000_000_000_000 + nanos)
}

/// A pcapng of frames with their times.
fn capture(frames: &[(u64, Vec<u8>)]) -> Fallible<Vec<u8>> {
    let mut writer = Writer::pcapng(Vec::new(), "scenarios")?;
    let view = writer.add_interface(&Interface::new("client eth0", LinkType::ETHERNET))?;
    for (nanos, bytes) in frames {
        writer.write(&Record::new(view, at(*nanos), bytes))?;
    }
    Ok(writer.into_inner()?)
}

/// A classic capture of one packet, as other programs write it.
fn classic(link_type: u16, micros: bool, packet: &[u8], original: usize) -> Vec<u8> {
    let magic: u32 = if micros { 0xa1b2_c3d4 } else { 0xa1b2_3c4d };
    let head = [magic, 0x0004_0002, 0, 0, 65535, u32::from(link_type)];
    let record = [1_700_000_000, 0, packet.len() as u32, original as u32];
    let words = head.iter().chain(&record).flat_map(|word| word.to_le_bytes());
    words.chain(packet.iter().copied()).collect()
}

/// The frames of a recording of the lab that a host saw one way.
fn seen(path: &Path, host: &str, way: Direction) -> Fallible<Vec<(UnixTime, Vec<u8>)>> {
    let mut reader = Reader::new(std::fs::File::open(path)?)?;
    let mut frames = Vec::new();
    while let Some(frame) = reader.next() {
        let frame = frame?;
        if reader.interfaces()[frame.interface].name.starts_with(host) && frame.direction == Some(way) {
            frames.push((frame.wall, frame.bytes));
        }
    }
    Ok(frames)
}

/// What came to the router from the client.
fn arrived(path: &Path) -> Fallible<Vec<(UnixTime, Vec<u8>)>> {
    let from_client = frame("raw hex=00")?[6..12].to_vec();
    let frames = seen(path, "router", Direction::In)?;
    Ok(frames.into_iter().filter(|(_, bytes)| bytes.get(6..12) == Some(&from_client[..])).collect())
}

/// `ww send` in a lab that is recorded.
fn sent(folder: &Folder, words: &[&str]) -> Result<Output, String> {
    ww().args(["lab", "-q", "-w", "again.pcapng", "send", "--json"]).args(words).folder(folder.path()).run()
}

fn objects(output: &Output) -> Fallible<Vec<Value>> {
    output.text().lines().map(|line| serde_json::from_str(line).map_err(Into::into)).collect()
}

fn last(output: &Output) -> Fallible<Value> {
    Ok(objects(output)?.pop().ok_or("nothing was printed")?)
}

fn only_bytes(frames: Vec<(UnixTime, Vec<u8>)>) -> Vec<Vec<u8>> {
    frames.into_iter().map(|(_, bytes)| bytes).collect()
}

fn again() -> Outcome {
    for (family, source) in [("-4", CLIENT), ("-6", CLIENT_V6)] {
        let folder = Folder::new()?;
        let get = ["lab", "-w", "talk.pcapng", "get", family, "http://server/bytes/9000"];
        ww().args(get).folder(folder.path()).run()?.success()?;
        let said: Vec<_> = only_bytes(seen(&folder.file("talk.pcapng"), "client", Direction::Out)?);
        let tcp = if family == "-4" { (23, 6) } else { (20, 6) };
        let said: Vec<_> = said.into_iter().filter(|bytes| bytes.get(tcp.0) == Some(&tcp.1)).collect();
        let only = format!("tcp src={source}");
        let output = sent(&folder, &["--seen-by", "client", "--only", &only, "talk.pcapng"])?.success()?;
        // Our kernel, whose address it is, says nothing of its own beside them.
        let mut came = only_bytes(arrived(&folder.file("again.pcapng"))?);
        came.retain(|bytes| bytes.get(tcp.0) == Some(&tcp.1));
        ensure!(said.len() >= 5 && came == said, "{} frames were recorded, {} came again", said.len(), came.len());
        let replay = last(&output)?;
        ensure!(replay["frames"] == said.len() && replay["left_out"] == 0 && replay["rewritten"] == 0, "{replay}");
        // The sent line is the wire.
        let hex: Vec<_> = objects(&output)?.iter().filter_map(|it| it["hex"].as_str().map(str::to_owned)).collect();
        let digits = |bytes: &Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        ensure!(hex == said.iter().map(digits).collect::<Vec<_>>(), "the sent lines are other frames\n{output}");
    }
    Ok(())
}

fn timed() -> Outcome {
    let folder = Folder::new()?;
    let times = [0, 30_000_000, 30_000_700, 29_000_000, 120_000_000];
    let frames: Vec<_> = times.iter().enumerate().map(|(n, at)| Ok((*at, numbered(n)?))).collect::<Fallible<_>>()?;
    folder.write("timed.pcapng", capture(&frames)?)?;
    for (options, expected) in [
        (&[][..], [0.0, 0.030, 0.030_000_7, 0.030_000_7, 0.120]),
        (&["--speed", "0.5"], [0.0, 0.060, 0.060_001_4, 0.060_001_4, 0.240]),
        (&["--speed", "4"], [0.0, 0.0075, 0.0075, 0.0075, 0.030]),
        (&["--gap-max", "10ms"], [0.0, 0.010, 0.010_000_7, 0.010_000_7, 0.020_000_7]),
        (&["--every", "20ms"], [0.0, 0.020, 0.040, 0.060, 0.080]),
        (&["--rate", "50"], [0.0, 0.020, 0.040, 0.060, 0.080]),
    ] {
        let output = sent(&folder, &[options, &["timed.pcapng"]].concat())?.success()?;
        let came = arrived(&folder.file("again.pcapng"))?;
        let order: Vec<_> = frames.iter().map(|(_, bytes)| bytes).collect();
        ensure!(came.iter().map(|(_, bytes)| bytes).eq(order), "{options:?}: another order, or not all");
        let after: Vec<_> = came.iter().map(|(wall, _)| wall.since(came[0].0).as_secs_f64()).collect();
        let late = &last(&output)?["late"]["most"];
        let slack = late.as_f64().ok_or("no lateness")? + 0.002;
        for (after, expected) in after.iter().zip(expected) {
            ensure!((after - expected).abs() < slack, "{options:?}: {after} instead of {expected}, late {late}");
        }
        ensure!(slack < 0.5, "{options:?}: late by {late}");
    }
    // What is shortened or out of order is said.
    let said =
        ww().args(["lab", "send", "--gap-max", "10ms", "timed.pcapng"]).folder(folder.path()).run()?.success()?;
    ensure!(said.stderr.contains("2 gaps are shortened to 10.0 ms"), "{said}");
    ensure!(said.stderr.contains("1 frames have a time before"), "{said}");
    let hour = [(0, numbered(0)?), (3_600_000_000_000, numbered(1)?)];
    folder.write("hour.pcapng", capture(&hour)?)?;
    let plan = ww().args(["lab", "plan", "--json", "hour.pcapng"]).folder(folder.path()).run()?.success()?;
    ensure!(last(&plan)?["after"] == 60.0, "{plan}");
    Ok(())
}

fn kinds() -> Outcome {
    let folder = Folder::new()?;
    let words = format!("ip 192.0.2.2 src={CLIENT} id=7 / udp :9 sport=40000 data=x");
    let packet = bytes(&words)?;
    let with = |head: &[u8]| [head, &packet].concat();
    let cooked = [0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0];
    let cooked2 = [8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    for (name, link_type, bytes) in [
        ("ethernet", 1, frame(&words)?),
        ("raw", 101, packet.clone()),
        ("raw by another number", 12, packet.clone()),
        ("ipv4", 228, packet.clone()),
        ("loopback", 0, with(&[2, 0, 0, 0])),
        ("cooked", 113, with(&cooked)),
        ("cooked 2", 276, with(&cooked2)),
    ] {
        for micros in [true, false] {
            let file = classic(link_type, micros, &bytes, bytes.len());
            let mut packer = GzEncoder::new(Vec::new(), Compression::default());
            packer.write_all(&file)?;
            folder.write("one.pcap", &file)?;
            folder.write("one.pcap.gz", packer.finish()?)?;
            for words in [&["one.pcap"][..], &["one.pcap.gz"], &["-"]] {
                let program = ww().args(["lab", "-q", "-w", "again.pcapng", "send"]).args(words).input(file.clone());
                program.folder(folder.path()).run()?.success()?;
                let came = only_bytes(arrived(&folder.file("again.pcapng"))?);
                ensure!(came == [frame(&words_of(&packet))?], "{name} {words:?}: {} frames came", came.len());
            }
        }
    }
    let words = format!("ip6 2001:db8::2 src={CLIENT_V6} flow=5 / udp :9 sport=40000 data=x");
    let packet = bytes(&words)?;
    folder.write("six.pcap", classic(229, true, &packet, packet.len()))?;
    sent(&folder, &["six.pcap"])?.success()?;
    ensure!(only_bytes(arrived(&folder.file("again.pcapng"))?) == [frame(&words)?], "IPv6 did not come");
    // Without its link header, and without what pads it, a frame of another network finds its way.
    let far = [bytes(&format!("eth 02:00:00:00:00:77 / vlan vid=5 / {words}"))?, vec![0; 3]].concat();
    folder.write("far.pcap", classic(1, true, &far, far.len()))?;
    sent(&folder, &["--relink", "far.pcap"])?.success()?;
    ensure!(only_bytes(arrived(&folder.file("again.pcapng"))?) == [frame(&words)?], "not by its route");
    Ok(())
}

/// A packet as the language says it.
fn words_of(packet: &[u8]) -> String {
    wirewright_craft::Packet::from_bytes(packet, wirewright_craft::First::Ip).to_string()
}

fn rewritten() -> Outcome {
    let folder = Folder::new()?;
    let tcp = "tcp :80 sport=40000 seq=1 S mss=1460 sack";
    let frames = [
        frame(&format!("ip 192.0.2.77 src={CLIENT} id=1 / {tcp}"))?,
        frame(&format!("ip 192.0.2.77 src={CLIENT} id=2 / udp :53 sport=40000 data=abc"))?,
        frame(&format!("ip 192.0.2.77 src={CLIENT} id=3 / icmp id=1 seq=1 data=abc"))?,
        frame(&format!("ip6 2001:db8::77 src={CLIENT_V6} flow=1 / {tcp}"))?,
        frame(&format!("ip6 2001:db8::77 src={CLIENT_V6} flow=1 / icmp6 id=1 seq=1 data=abc"))?,
    ];
    let frames: Vec<_> = frames.into_iter().map(|bytes| (0, bytes)).collect();
    folder.write("talk.pcapng", capture(&frames)?)?;
    let rules = ["dst=192.0.2.2", "dst=2001:db8::2", "ttl=33", "tcp :7 mss=1380", "udp :9"];
    let rules: Vec<_> = rules.iter().flat_map(|rule| ["--rewrite", rule]).collect();
    let output = sent(&folder, &[&rules[..], &["talk.pcapng"]].concat())?.success()?;
    ensure!(last(&output)?["rewritten"] == 5, "{output}");
    let fields = [
        "ip.dst",
        "ipv6.dst",
        "ip.ttl",
        "ipv6.hlim",
        "tcp.dstport",
        "tcp.options.mss_val",
        "udp.dstport",
        "ip.checksum.status",
        "tcp.checksum.status",
        "udp.checksum.status",
        "icmp.checksum.status",
        "icmpv6.checksum.status",
    ];
    let only = format!("frame.interface_name == \"client eth0\" && (ip.src == {CLIENT} || ipv6.src == {CLIENT_V6})");
    let rows = Tshark::read(&folder.file("again.pcapng")).only(&only).fields(&fields)?;
    let expected = [
        ["192.0.2.2", "", "33", "", "7", "1380", "", "1", "1", "", "", ""],
        ["192.0.2.2", "", "33", "", "", "", "9", "1", "", "1", "", ""],
        ["192.0.2.2", "", "33", "", "", "", "", "1", "", "", "1", ""],
        ["", "2001:db8::2", "", "33", "7", "1380", "", "", "1", "", "", ""],
        ["", "2001:db8::2", "", "33", "", "", "", "", "", "", "", "1"],
    ];
    ensure!(rows == expected, "{rows:#?}");

    // A wrong checksum keeps its value, until it is told to be right.
    let wrong = frame(&format!("ip 192.0.2.2 src={CLIENT} id=1 / tcp :80 sport=40000 seq=1 S sum=0xdead"))?;
    folder.write("wrong.pcapng", capture(&[(0, wrong.clone())])?)?;
    sent(&folder, &["wrong.pcapng"])?.success()?;
    ensure!(only_bytes(arrived(&folder.file("again.pcapng"))?)[0] == wrong, "not as it was");
    for (rules, sum) in [(&["--rewrite", "ttl=9"][..], "0xdead"), (&["--rewrite", "tcp sum=+0"], "right")] {
        sent(&folder, &[rules, &["wrong.pcapng"]].concat())?.success()?;
        let only = "frame.interface_name == \"client eth0\" && tcp.dstport == 80";
        let rows =
            Tshark::read(&folder.file("again.pcapng")).only(only).fields(&["tcp.checksum", "tcp.checksum.status"])?;
        ensure!(rows.len() == 1 && (rows[0][0] == "0xdead") == (sum == "0xdead"), "{sum}: {rows:?}");
        ensure!((rows[0][1] == "1") == (sum == "right"), "{sum}: {rows:?}");
    }
    // Frames that are not meant stay where they are, and a rule that is for nothing is told.
    let output = sent(&folder, &["--only", "udp", "talk.pcapng"]).and_then(Output::success)?;
    ensure!(last(&output)?["frames"] == 1, "{output}");
    let output = ww().args(["lab", "send", "--frames", "2..3", "--rewrite", "tcp win=1", "talk.pcapng"]);
    let output = output.folder(folder.path()).run()?.success()?;
    ensure!(output.stderr.contains("--rewrite 'tcp win=1' is for none of these frames"), "{output}");
    Ok(())
}

fn refused() -> Outcome {
    let folder = Folder::new()?;
    let good = numbered(1)?;
    let big = frame(&format!("ip 192.0.2.2 src={CLIENT} id=3 / udp :9 sport=40000 zero=1473"))?;
    let mut several = Writer::pcapng(Vec::new(), "scenarios")?;
    let ethernet = several.add_interface(&Interface::new("a", LinkType::ETHERNET))?;
    let wireless = several.add_interface(&Interface::new("b", LinkType(105)))?;
    let cooked = several.add_interface(&Interface::new("c", LinkType::LINUX_SLL))?;
    several.write(&Record::new(ethernet, at(0), &good))?;
    several.write(&Record { original_len: 1514, ..Record::new(ethernet, at(1), &good) })?;
    several.write(&Record { original_len: 1514, ..Record::new(ethernet, at(1), &good) })?;
    several.write(&Record::new(wireless, at(2), &good))?;
    several.write(&Record::new(cooked, at(3), &[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 6, 0, 1]))?;
    several.write(&Record::new(ethernet, at(4), &big))?;
    several.write(&Record::new(ethernet, at(5), &good[..13]))?;
    several.write(&Record::new(ethernet, at(6), &good))?;
    let several = several.into_inner()?;
    folder.write("several.pcapng", &several)?;
    for source in ["several.pcapng", "-"] {
        let program = ww().args(["lab", "-q", "-w", "again.pcapng", "send", source]).input(several.clone());
        let output = program.folder(folder.path()).run()?.expect_code(4)?;
        for said in [
            "6 of 8 frames cannot leave as they are",
            "frame 2 was cut when it was captured: ",
            "(and 1 more like it)",
            "frame 4 has link type 105",
            "frame 5 has no Ethernet header to leave with",
            "frame 6: 1501 bytes",
            "frame 7: ",
            "--skip leaves them out",
        ] {
            ensure!(output.stderr.contains(said), "{source}: {said}\n{output}");
        }
        ensure!(arrived(&folder.file("again.pcapng"))?.is_empty(), "{source}: something left");
    }
    let output = sent(&folder, &["--skip", "several.pcapng"])?.success()?;
    ensure!(last(&output)?["frames"] == 2 && last(&output)?["left_out"] == 6, "{output}");
    ensure!(only_bytes(arrived(&folder.file("again.pcapng"))?) == [good.clone(), good.clone()], "others left");
    Ok(())
}

fn damaged() -> Outcome {
    let folder = Folder::new()?;
    let good = numbered(1)?;
    let whole = capture(&[(0, good.clone()), (1, good)])?;
    for (name, bytes, code) in [
        ("ends inside the second frame", &whole[..whole.len() - 9], 2),
        ("ends behind its header", &whole[..108], 2),
        ("is gz and nothing else", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0][..], 2),
        ("is four bytes long", &[0x0a, 0x0d, 0x0d, 0x0a][..], 2),
        (
            "claims a huge record",
            &[&classic(1, true, &[], 0)[..24], &[0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 127, 1, 0, 0, 0]].concat(),
            2,
        ),
        ("has no frame", &classic(1, true, &[], 0)[..24], 2),
    ] {
        folder.write("bad.pcap", bytes)?;
        let output = sent(&folder, &["bad.pcap"])?.expect_code(code)?;
        ensure!(!output.stderr.is_empty() && !output.stderr.contains("panicked"), "{name}: {output}");
        ensure!(arrived(&folder.file("again.pcapng"))?.is_empty(), "{name}: something left");
    }
    // What was whole leaves when that is asked.
    folder.write("bad.pcap", &whole[..whole.len() - 9])?;
    let output = sent(&folder, &["--skip", "bad.pcap"])?.success()?;
    ensure!(last(&output)?["frames"] == 1 && last(&output)?["left_out"] == 1, "{output}");
    Ok(())
}

/// Where no route leads, the corrected line is one that sends.
fn no_route() -> Outcome {
    let folder = Folder::new()?;
    let far = bytes("eth 02:00:c6:33:64:01 / ip 10.1.2.3 src=10.9.9.9 id=1 / udp :9 sport=4 data=x")?;
    folder.write("far.pcapng", capture(&[(0, far.clone())])?)?;
    let script = "ip route del default; ww send far.pcapng";
    let path = std::env::join_paths(
        binary().parent().map(Path::to_path_buf).into_iter().chain(std::env::split_paths(&std::env::var("PATH")?)),
    )?;
    let path = path.to_string_lossy().into_owned();
    let run =
        |script: &str| ww().args(["lab", "--", "sh", "-c", script]).env("PATH", &path).folder(folder.path()).run();
    let output = run(script)?.expect_code(4)?;
    ensure!(output.stderr.contains("try       ww send far.pcapng -i eth0"), "{output}");
    run("ip route del default; ww send far.pcapng -i eth0")?.success()?;
    Ok(())
}

fn by_content() -> Outcome {
    let folder = Folder::new()?;
    folder.write("words.pcap", "ww 1\nudp server:9 data=x\n")?;
    folder.write("capture.ww", capture(&[(0, numbered(1)?)])?)?;
    folder.write("neither", "nothing that anybody sends\n")?;
    for name in ["words.pcap", "capture.ww"] {
        let output = ww().args(["lab", "send", "--json", name]).folder(folder.path()).run()?.success()?;
        ensure!(output.text().contains("192.0.2.2"), "{name}: {output}");
    }
    let output = ww().args(["lab", "send", "neither"]).folder(folder.path()).run()?.expect_code(2)?;
    ensure!(output.stderr.lines().count() <= 3, "{output}");
    // Each is told which options are for what.
    for (words, said) in [
        (&["--speed", "2", "words.pcap"][..], "--speed is for the frames of a capture"),
        (&["--rewrite", "ttl=9", "udp", "server:9"], "--rewrite is for the frames of a capture"),
        (&["--frag", "600", "capture.ww"], "--frag makes packets"),
        (&["--speed", "2", "--rate", "5", "capture.ww"], "each is a pace"),
        (&["--only", "tcp sum=bad", "capture.ww"], "--only compares with a value"),
        (&["--seen-by", "nobody", "capture.ww"], "interfaces: client eth0"),
    ] {
        let output = ww().args(["lab", "send"]).args(words).folder(folder.path()).run()?.expect_code(2)?;
        ensure!(output.stderr.contains(said), "{said}: {output}");
    }
    Ok(())
}

fn planned() -> Outcome {
    let folder = Folder::new()?;
    let wrong = bytes(&format!("ip 192.0.2.2 src={CLIENT} id=0 sum=0xdead / udp :9 sport=40000"))?;
    let right = bytes(&format!("ip 192.0.2.2 src={CLIENT} id=5 / udp :9 sport=40000"))?;
    let mut writer = Writer::pcapng(Vec::new(), "scenarios")?;
    let view = writer.add_interface(&Interface::new("", LinkType::RAW))?;
    for (nanos, bytes) in [(0, &right), (500_000_000, &wrong)] {
        writer.write(&Record::new(view, at(nanos), bytes))?;
    }
    folder.write("two.pcapng", writer.into_inner()?)?;
    for verb in [&["plan"][..], &["send", "--dry-run"]] {
        let output =
            ww().arg("lab").args(verb).args(["--json", "two.pcapng"]).folder(folder.path()).run()?.success()?;
        let plans = objects(&output)?;
        let told: Vec<_> =
            plans.iter().map(|it| (it["frame"].as_u64(), it["after"].as_f64(), it["way"].as_str())).collect();
        // What a raw socket would repair leaves by Ethernet.
        let expected = [(Some(1), Some(0.0), Some("raw-ipv4")), (Some(2), Some(0.5), Some("ethernet"))];
        ensure!(told == expected, "{output}");
    }
    Ok(())
}

fn interrupted() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.write("slow.pcapng", capture(&[(0, numbered(0)?), (50_000_000_000, numbered(1)?)])?)?;
    let (program, path) = (binary().display().to_string(), path.display().to_string());
    let steps = [Step::See("sent".into()), Step::Type("\u{3}".into())];
    let output = Terminal::default().run(&[program.as_str(), "lab", "send", &path], &steps)?;
    ensure!(output.code == 130 && output.text().contains("1 sent, in "), "{output}");
    Ok(())
}

fn thousand(world: &World) -> Outcome {
    let folder = Folder::new()?;
    let frames: Vec<_> = (0..1001).map(|n| Ok((n as u64 * 100_000, numbered(n)?))).collect::<Fallible<_>>()?;
    let file = capture(&frames)?;
    let path = folder.write("many.pcapng", &file)?.display().to_string();
    let before = world.lab().counters(Host::Server)?;
    for words in
        [&[path.as_str()][..], &["-"], &["--speed", "max", "-c", "2", &path], &["--rate", "2k", "-c", "2", &path]]
    {
        let refused = ww().arg("send").args(words).input(file.clone()).run()?.expect_code(2)?;
        ensure!(refused.stdout.is_empty() && refused.stderr.contains("--yes"), "{words:?}: {refused}");
    }
    let moved = world.lab().counters(Host::Server)?.since(&before);
    ensure!(moved.value("IpInReceives") == 0, "something left: {moved}");
    for (words, read_back) in [
        (&["--yes", path.as_str()][..], false),
        (&["--yes", "-"], true),
        (&["--yes", "--speed", "max", &path], false),
        (&["--yes", "--rate", "20k", "-"], false),
        (&["-c", "700", "--speed", "2", &path], true),
    ] {
        let server = world.lab().counters(Host::Server)?;
        let output = ww().args(["send", "--json"]).args(words).input(file.clone()).run()?.success()?;
        let expected: usize = if words.contains(&"700") { 700 } else { 1001 };
        ensure!(last(&output)?["frames"] == expected, "{words:?}: {}", last(&output)?);
        let told = output.text().matches("\"event\":\"sent\"").count();
        ensure!(told == if read_back { expected } else { 0 }, "{words:?}: {told} are told");
        let heard = world.lab().counters(Host::Server)?.since(&server);
        ensure!(heard.value("IpInReceives") == i64::try_from(expected)?, "{words:?}: {heard}");
    }
    Ok(())
}

/// Runs a command, and prints how much memory it had at most, in KiB.
const PEAK: &str = "import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)";

fn memory(_: &World) -> Outcome {
    let folder = Folder::new()?;
    let words = format!("ip 192.0.2.2 src={CLIENT} id=1 / udp :9 sport=40000 zero=1400");
    let packet = frame(&words)?;
    let mut peaks = Vec::new();
    for count in [10, 40_000] {
        let mut writer = Writer::pcapng(GzEncoder::new(Vec::new(), Compression::fast()), "scenarios")?;
        let view = writer.add_interface(&Interface::new("eth0", LinkType::ETHERNET))?;
        for n in 0..count {
            writer.write(&Record::new(view, at(n), &packet))?;
        }
        let path = folder.write("large.pcapng.gz", writer.into_inner()?.finish()?)?;
        let send = ["send", "--yes", "--speed", "max"];
        let program = Program::new("python3").args(["-c", PEAK]).arg(binary()).args(send).arg(&path);
        let output = program.run()?.success()?;
        peaks.push(output.text().trim().parse::<u64>()?);
    }
    println!("{} KiB for 10 frames, {} KiB for 40,000 of 58 MB", peaks[0], peaks[1]);
    ensure!(peaks[1] < peaks[0] + 4096, "{peaks:?} KiB");
    Ok(())
}
