//! Pasting: one packet, as other people's tools write it, gives the same bytes whatever it came in.

use std::path::Path;

use wirewright_tests::{Folder, Ground, Outcome, Program, Scenario, ensure, ww};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("pasted::every_format_gives_the_same_bytes", Ground::Plain, |_| every_format())
            .tools(&["xxd", "hexdump", "od", "tcpdump", "tshark", "python3"]),
    ]
}

/// The packet, with text, zeros and bytes that are no text.
const PACKET: [&str; 9] = [
    "ip",
    "192.0.2.2",
    "src=192.0.2.1",
    "id=4711",
    "/",
    "udp",
    ":53",
    "sport=4000",
    "data=hello\\0\\xff world, 'quoted' and \\x5c",
];

/// How a tool or a person writes the file `packet` (its bytes) or the capture `packet.pcapng`.
const FORMATS: &[(&str, &str)] = &[
    ("hex digits", "xxd -p packet | tr -d '\\n'"),
    ("hex digits on lines", "xxd -p -c 16 packet"),
    ("hex digits with spaces", "od -An -tx1 packet"),
    ("hex digits with colons", "xxd -p packet | tr -d '\\n' | sed 's/../&:/g; s/:$//'"),
    ("xxd", "xxd packet"),
    ("xxd, byte by byte", "xxd -g 1 packet"),
    ("hexdump -C", "hexdump -C packet"),
    ("hexdump", "hexdump packet"),
    ("od -t x1", "od -t x1 packet"),
    ("od -A x -t x1z", "od -A x -t x1z packet"),
    ("tcpdump -x", "tcpdump -n -t -x -r packet.pcap"),
    ("tcpdump -X", "tcpdump -n -t -X -r packet.pcap"),
    ("tcpdump -xx", "tcpdump -n -t -xx -r packet.pcap"),
    ("tcpdump -XX", "tcpdump -n -t -XX -r packet.pcap"),
    ("tshark -x", "tshark -n -x -r packet.pcapng"),
    ("Python bytes", "python3 -c 'print(open(\"packet\", \"rb\").read())'"),
    ("C array", "xxd -i packet"),
    ("Rust array", "python3 -c 'print([\"0x%02x\" % b for b in open(\"packet\", \"rb\").read()])' | tr -d \"'\""),
    ("list of numbers", "python3 -c 'print(list(open(\"packet\", \"rb\").read()))'"),
    ("escaped string", "xxd -p packet | tr -d '\\n' | sed 's/../\\\\x&/g; s/^/\"/; s/$/\"/'"),
    ("pcapng", "cat packet.pcapng"),
    ("pcap", "cat packet.pcap"),
    ("pcapng, gz", "gzip -c packet.pcapng"),
    ("our own words", "cat packet.ww"),
    ("our own hex", "cat packet.hex"),
];

fn every_format() -> Outcome {
    let folder = Folder::new()?;
    let hex = build(&folder, "hex")?;
    let digits = String::from_utf8(hex.clone())?.trim().to_owned();
    folder.write("packet.hex", hex)?;
    folder.write("packet", bytes_of(&digits)?)?;
    folder.write("packet.ww", build(&folder, "ww")?)?;
    folder.write("packet.pcapng", build(&folder, "pcap")?)?;
    shell(folder.path(), "tcpdump -r packet.pcapng -w packet.pcap")?;
    let mut broken = String::new();
    for (name, command) in FORMATS {
        let pasted = shell(folder.path(), command)?;
        let read = ww().args(["show", "--as", "hex", "-"]).input(pasted.clone()).run()?;
        if read.code != 0 || read.text().trim() != digits {
            broken.push_str(&format!("{name}:\n{}\n{read}\n", String::from_utf8_lossy(&pasted)));
        }
    }
    println!("{} formats", FORMATS.len());
    ensure!(broken.is_empty(), "{digits} was not read from\n{broken}");
    Ok(())
}

fn build(folder: &Folder, form: &str) -> Result<Vec<u8>, String> {
    Ok(ww().args(["build", "--as", form]).args(PACKET).folder(folder.path()).run()?.success()?.stdout)
}

fn shell(folder: &Path, command: &str) -> Result<Vec<u8>, String> {
    Ok(Program::new("sh").args(["-c", command]).folder(folder).run()?.success()?.stdout)
}

fn bytes_of(digits: &str) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let pairs = digits.as_bytes().chunks(2).map(std::str::from_utf8).collect::<Result<Vec<_>, _>>()?;
    Ok(pairs.into_iter().map(|pair| u8::from_str_radix(pair, 16)).collect::<Result<_, _>>()?)
}
