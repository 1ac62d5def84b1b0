//! The program in Python 3, with its standard library alone.

use std::net::IpAddr;

use super::parts::Part;
use super::{Carrier, Program};
use crate::catalogue::Catalogue;
use crate::text::push;

pub(super) fn write(program: &Program, words: &Catalogue) -> String {
    let mut out = String::from("#!/usr/bin/env python3\n");
    for line in &program.head {
        push(&mut out, format_args!("# {line}\n"));
    }
    out.push_str("\nimport socket\nimport sys\n\npacket = bytearray()\nbits_there = 0\n");
    functions(program, words, &mut out);
    for part in &program.parts {
        match part {
            Part::Title(title) => push(&mut out, format_args!("\n# {title}\n")),
            Part::Bits { bits, number, comment } => {
                push(&mut out, format_args!("put({bits}, {number})  # {comment}\n"));
            }
            Part::Hex { digits, comment } => push(&mut out, format_args!("put_hex(\"{digits}\")  # {comment}\n")),
        }
    }
    if !program.sums.is_empty() {
        push(&mut out, format_args!("\n# {}\n", words.say("program.last", &[])));
    }
    for sum in &program.sums {
        let (first, behind) = (sum.covers.start, sum.covers.end);
        let call = format!("fill({}, {first}, {behind}, \"{}\", 0x{:04x})", sum.at, sum.pseudo, sum.zero);
        push(&mut out, format_args!("{call}  # {}\n", sum.comment));
    }
    out.push('\n');
    for line in &program.why {
        push(&mut out, format_args!("# {line}\n"));
    }
    send(program.carrier, words, &mut out);
    out
}

fn functions(program: &Program, words: &Catalogue, out: &mut String) {
    let put = words.say("program.put", &[]);
    push(out, format_args!("\n\ndef put(bits, value):\n    # {put}\n"));
    out.push_str(
        "    global bits_there
    for bit in reversed(range(bits)):
        if bits_there % 8 == 0:
            packet.append(0)
        packet[-1] |= (value >> bit & 1) << (7 - bits_there % 8)
        bits_there += 1
",
    );
    if program.has_hex() {
        let hex = words.say("program.put-hex", &[]);
        push(out, format_args!("\n\ndef put_hex(digits):\n    # {hex}\n"));
        out.push_str("    for byte in bytes.fromhex(digits):\n        put(8, byte)\n");
    }
    if !program.sums.is_empty() {
        out.push_str("\n\ndef fill(at, first, behind, pseudo, zero):\n");
        for key in ["program.fill", "program.fill.rule", "program.fill.zero"] {
            push(out, format_args!("    # {}\n", words.say(key, &[])));
        }
        out.push_str(
            "    covered = bytes.fromhex(pseudo) + packet[first:behind]
    if len(covered) % 2 == 1:
        covered += b\"\\0\"
    total = sum(int.from_bytes(covered[i:i + 2], \"big\") for i in range(0, len(covered), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    result = ~total & 0xFFFF
    packet[at:at + 2] = (result or zero).to_bytes(2, \"big\")
",
        );
    }
    out.push('\n');
}

fn send(carrier: Carrier, words: &Catalogue, out: &mut String) {
    match carrier {
        Carrier::Frame => out.push_str(
            "if len(sys.argv) != 2:
    sys.exit(f\"usage: {sys.argv[0]} INTERFACE\")
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
    sender.bind((sys.argv[1], 0))
    sender.send(packet)
",
        ),
        Carrier::Raw(to) => {
            let family = if matches!(to, IpAddr::V4(_)) { "AF_INET" } else { "AF_INET6" };
            push(out, format_args!("# {}\n", words.say("program.to", &[])));
            push(out, format_args!("to = sys.argv[1] if len(sys.argv) > 1 else \"{to}\"\n"));
            push(
                out,
                format_args!("with socket.socket(socket.{family}, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:\n"),
            );
            out.push_str("    sender.sendto(packet, (to, 0))\n");
        }
        Carrier::Packet { ether_type } => {
            out.push_str(
                "if len(sys.argv) != 3:
    sys.exit(f\"usage: {sys.argv[0]} INTERFACE NEXT-HOP-MAC\")
mac = bytes.fromhex(sys.argv[2].replace(\":\", \"\"))
with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as sender:
",
            );
            push(out, format_args!("    sender.sendto(packet, (sys.argv[1], 0x{ether_type:04x}, 0, 0, mac))\n"));
        }
    }
}
