//! The second law: print → any of the shells → parse gives the same bytes. A shell that this machine lacks is skipped, and said so.

use std::io::Write;
use std::process::{Command, Stdio};

use wirewright_craft::{Context, First, Packet, parse_words};

/// Each shell with what switches its strangest reading on.
const SHELLS: &[(&str, &[&str], &str)] = &[
    ("bash", &["--norc"], "shopt -s extglob nullglob"),
    ("zsh", &["-f"], ""),
    ("zsh", &["-f"], "setopt extendedglob nomatch magicequalsubst kshglob"),
    ("fish", &["--no-config"], ""),
    ("dash", &[], ""),
];

/// How many packets go through each shell.
const PACKETS: usize = 400;

/// Bytes that look like packets and are not quite: a small generator with a fixed seed.
fn packets() -> Vec<Vec<u8>> {
    let mut state: u64 = 0x1234_5678_9abc_def1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..PACKETS)
        .map(|_| {
            let mut bytes: Vec<u8> = (0..20 + random() % 80).map(|_| random() as u8).collect();
            bytes[0] = if random() % 3 == 0 { 0x60 } else { 0x45 + (random() % 2) as u8 };
            bytes[9] = [1, 6, 17, 58][(random() % 4) as usize];
            bytes[6] = [0, 6, 17, 58, 0x40][(random() % 5) as usize];
            // Half of them carry text with every sign that a shell knows.
            if random() % 2 == 0 {
                bytes.extend(
                    b"a'b\"c\\d$e`f!g*h?i[j]k{l,m}n~o#p&q|r;s(t)u<v>w^x=y%z @\r\n\t\0\x7f\xc3\xa9 $(id) \\n \\\\",
                );
            }
            bytes
        })
        .collect()
}

fn words_through(shell: &str, arguments: &[&str], prologue: &str, lines: &[String]) -> Option<Vec<Vec<String>>> {
    let mut script = format!("{prologue}\n");
    for line in lines {
        script += &format!("printf '%s\\n' {line} --end--\n");
    }
    let child = Command::new(shell).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            println!("skipped: {shell}: {error}");
            return None;
        }
    };
    let mut input = child.stdin.take().expect("piped");
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = child.wait_with_output().expect("the shell ends");
    writer.join().expect("written").expect("read to its end");
    let text = String::from_utf8(output.stdout).expect("words are ASCII");
    let mut packets = vec![Vec::new()];
    for word in text.lines() {
        if word == "--end--" {
            packets.push(Vec::new());
        } else if let Some(words) = packets.last_mut() {
            words.push(word.to_string());
        }
    }
    packets.pop();
    Some(packets)
}

#[test]
fn printed_packets_survive_every_shell() {
    let all = packets();
    let lines: Vec<String> = all.iter().map(|bytes| Packet::from_bytes(bytes, First::Ip).to_string()).collect();
    for (shell, arguments, prologue) in SHELLS {
        let Some(words) = words_through(shell, arguments, prologue, &lines) else { continue };
        assert_eq!(words.len(), lines.len(), "{shell} {prologue}");
        for ((bytes, line), words) in all.iter().zip(&lines).zip(&words) {
            let packet = parse_words(words).unwrap_or_else(|error| panic!("{shell}: {line}\n{error}"));
            let built = packet.build(&Context::default()).expect("builds");
            assert_eq!(&built.bytes, bytes, "{shell} {prologue}: {line}");
        }
    }
}
