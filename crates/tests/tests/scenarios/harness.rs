//! The harness itself: what the other scenarios rely on.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use wirewright_lab::Host;
use wirewright_tests::{Folder, Ground, Outcome, Scenario, Step, Terminal, Tshark, World, ensure, workspace_root, ww};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("harness::ww_is_built_and_starts", Ground::Plain, |_| ww_starts()),
        Scenario::new("harness::a_terminal_shows_and_takes_text", Ground::Plain, |_| terminal()).tools(&["python3"]),
        Scenario::new("harness::tshark_judges_checksums", Ground::Plain, |_| tshark_judges()).tools(&["tshark"]),
        Scenario::new("harness::the_lab_answers_and_counts", Ground::Lab, lab_is_alive),
        Scenario::new("harness::root_is_real", Ground::Root, |_| root_is_real()),
    ]
}

fn ww_starts() -> Outcome {
    let output = ww().arg("--version").run()?;
    ensure!(output.code == 0, "{output}");
    Ok(())
}

fn terminal() -> Outcome {
    let steps = [Step::See("name? ".into()), Step::Type("Kim\n".into()), Step::See("hello Kim".into())];
    let program = ["sh", "-c", "stty size; printf 'name? '; read name; echo hello $name; exit 7"];
    let output = Terminal { columns: 91, ..Terminal::default() }.run(&program, &steps)?;
    ensure!(output.code == 7 && output.text().starts_with("24 91"), "{output}");
    Ok(())
}

/// An IPv4 header and a SYN, written out here so that no code of ours is trusted: one right, one with a wrong sum.
fn tshark_judges() -> Outcome {
    let right = "45000028000140004006b6cbc0000201c00002020400005000000001000000005002faf0";
    let folder = Folder::new()?;
    let mut file = pcap_header();
    for checksum in [0x2c9d_u16, 0x2c9e] {
        let mut bytes = from_hex(right);
        bytes.extend(checksum.to_be_bytes());
        bytes.extend([0, 0]);
        let length = u32::try_from(bytes.len())?;
        file.extend([0; 8]);
        file.extend(length.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend(bytes);
    }
    let path = folder.write("two.pcap", file)?;
    let frames = Tshark::read(&path).frames()?;
    let judged: Vec<_> = frames.iter().map(|frame| frame.value("tcp.checksum.status")).collect();
    ensure!(judged == [Some("1".to_owned()), Some("0".to_owned())], "good, bad was expected, not {judged:?}");
    let rows = Tshark::read(&path).fields(&["ip.checksum.status", "tcp.checksum"])?;
    ensure!(rows == [["1", "0x2c9d"], ["1", "0x2c9e"]], "{rows:?}");
    Ok(())
}

/// The kernel services answer, and the counters of the right host move.
fn lab_is_alive(world: &World) -> Outcome {
    world.with_counters(|| {
        let before = world.lab().counters(Host::Server)?;
        let mut stream = TcpStream::connect("192.0.2.2:7")?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"hello")?;
        let mut heard = [0; 5];
        stream.read_exact(&mut heard)?;
        ensure!(&heard == b"hello", "the echo service says {heard:?}");
        let moved = world.lab().counters(Host::Server)?.since(&before);
        ensure!(moved.value("TcpPassiveOpens") == 1, "one connection was opened:\n{moved}");
        Ok(())
    })
}

fn root_is_real() -> Outcome {
    ensure!(workspace_root().join("Cargo.toml").is_file(), "the workspace is not where it was built");
    Ok(())
}

/// The header of a classic little-endian capture of raw IP packets.
fn pcap_header() -> Vec<u8> {
    let words: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, 101];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn from_hex(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).unwrap_or(0))
        .collect()
}
