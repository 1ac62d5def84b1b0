//! The program in Rust: one file for plain `rustc`, with its standard library and three functions of the C library.

use std::net::IpAddr;

use super::parts::Part;
use super::{Carrier, Program};
use crate::catalogue::Catalogue;
use crate::text::push;

pub(super) fn write(program: &Program, words: &Catalogue) -> String {
    let mut out = String::new();
    for line in &program.head {
        push(&mut out, format_args!("//! {line}\n"));
    }
    functions(program, words, &mut out);
    out.push_str("\nfn packet() -> Vec<u8> {\n    let mut packet = Packet { bytes: Vec::new(), bits: 0 };\n");
    for part in &program.parts {
        match part {
            Part::Title(title) => push(&mut out, format_args!("\n    // {title}\n")),
            Part::Bits { bits, number, comment } => {
                push(&mut out, format_args!("    packet.put({bits}, {number}); // {comment}\n"));
            }
            Part::Hex { digits, comment } => {
                push(&mut out, format_args!("    packet.put_hex(\"{digits}\"); // {comment}\n"));
            }
        }
    }
    if !program.sums.is_empty() {
        push(&mut out, format_args!("\n    // {}\n", words.say("program.last", &[])));
    }
    for sum in &program.sums {
        let (first, behind) = (sum.covers.start, sum.covers.end);
        let call = format!("packet.fill({}, {first}, {behind}, \"{}\", 0x{:04x});", sum.at, sum.pseudo, sum.zero);
        push(&mut out, format_args!("    {call} // {}\n", sum.comment));
    }
    out.push_str("    packet.bytes\n}\n");
    send(program, words, &mut out);
    out
}

fn functions(program: &Program, words: &Catalogue, out: &mut String) {
    out.push_str("\nuse std::env;\nuse std::io::Error;\nuse std::process::exit;\n");
    out.push_str("\nstruct Packet {\n    bytes: Vec<u8>,\n    bits: usize,\n}\n\nimpl Packet {\n");
    push(out, format_args!("    // {}\n", words.say("program.put", &[])));
    out.push_str(
        "    fn put(&mut self, bits: u32, value: u64) {
        for bit in (0..bits).rev() {
            if self.bits % 8 == 0 {
                self.bytes.push(0);
            }
            self.bytes[self.bits / 8] |= ((value >> bit & 1) as u8) << (7 - self.bits % 8);
            self.bits += 1;
        }
    }
",
    );
    if program.has_hex() {
        push(out, format_args!("\n    // {}\n", words.say("program.put-hex", &[])));
        out.push_str(
            "    fn put_hex(&mut self, digits: &str) {
        for byte in bytes_of(digits) {
            self.put(8, u64::from(byte));
        }
    }
",
        );
    }
    if !program.sums.is_empty() {
        out.push('\n');
        for key in ["program.fill", "program.fill.rule", "program.fill.zero"] {
            push(out, format_args!("    // {}\n", words.say(key, &[])));
        }
        out.push_str(
            "    fn fill(&mut self, at: usize, first: usize, behind: usize, pseudo: &str, zero: u16) {
        let mut covered = bytes_of(pseudo);
        covered.extend(&self.bytes[first..behind]);
        if covered.len() % 2 == 1 {
            covered.push(0);
        }
        let mut sum: u64 = covered.chunks(2).map(|word| u64::from(word[0]) << 8 | u64::from(word[1])).sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        let sum = match !(sum as u16) {
            0 => zero,
            sum => sum,
        };
        self.bytes[at] = (sum >> 8) as u8;
        self.bytes[at + 1] = sum as u8;
    }
",
        );
    }
    out.push_str("}\n");
    if program.has_hex() || !program.sums.is_empty() {
        out.push_str(
            "
fn bytes_of(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect(\"digits\")).collect()
}
",
        );
    }
}

fn send(program: &Program, words: &Catalogue, out: &mut String) {
    declarations(program.carrier, words, out);
    out.push_str(
        "\nfn main() {\n    let packet = packet();\n    let arguments: Vec<String> = env::args().collect();\n",
    );
    for line in &program.why {
        push(out, format_args!("    // {line}\n"));
    }
    match program.carrier {
        Carrier::Frame => out.push_str(FRAME),
        Carrier::Raw(to) => raw(to, words, out),
        Carrier::Packet { ether_type } => out.push_str(&PACKET.replace("ETHER_TYPE", &format!("0x{ether_type:04x}"))),
    }
    out.push_str(END);
}

/// What the standard library does not have: the three functions, the address of this way.
fn declarations(carrier: Carrier, words: &Catalogue, out: &mut String) {
    push(out, format_args!("\n// {}\n", words.say("program.rust.libc", &[])));
    let address = match carrier {
        Carrier::Raw(IpAddr::V4(_)) => RAW_V4_ADDRESS,
        Carrier::Raw(IpAddr::V6(_)) => RAW_V6_ADDRESS,
        _ => LINK_ADDRESS,
    };
    out.push_str("extern \"C\" {\n    fn socket(domain: i32, kind: i32, protocol: i32) -> i32;\n");
    out.push_str(
        "    fn sendto(socket: i32, data: *const u8, len: usize, flags: i32, to: *const Address, to_len: u32) -> isize;\n",
    );
    if !matches!(carrier, Carrier::Raw(_)) {
        out.push_str("    fn if_nametoindex(name: *const u8) -> u32;\n");
    }
    out.push_str("}\n");
    out.push_str(address);
}

fn raw(to: IpAddr, words: &Catalogue, out: &mut String) {
    push(out, format_args!("    // {}\n", words.say("program.to", &[])));
    push(
        out,
        format_args!(
            "    let to = arguments.get(1).map_or(\"{to}\", |to| to.as_str());
    let to: std::net::Ipv{}Addr = to.parse().unwrap_or_else(|_| usage(\"[ADDRESS]\"));\n",
            if to.is_ipv4() { 4 } else { 6 }
        ),
    );
    out.push_str(if to.is_ipv4() {
        "    let to = Address { family: AF_INET, port: 0, address: to.octets(), zero: [0; 8] };
    let (domain, kind, protocol) = (AF_INET, SOCK_RAW, IPPROTO_RAW);
"
    } else {
        "    let to = Address { family: AF_INET6, port: 0, flow: 0, address: to.octets(), scope: 0 };
    let (domain, kind, protocol) = (AF_INET6, SOCK_RAW, IPPROTO_RAW);
"
    });
}

const RAW_V4_ADDRESS: &str = "
const AF_INET: u16 = 2;
const SOCK_RAW: i32 = 3;
const IPPROTO_RAW: i32 = 255;

// struct sockaddr_in
#[repr(C)]
struct Address {
    family: u16,
    port: u16,
    address: [u8; 4],
    zero: [u8; 8],
}
";

const RAW_V6_ADDRESS: &str = "
const AF_INET6: u16 = 10;
const SOCK_RAW: i32 = 3;
const IPPROTO_RAW: i32 = 255;

// struct sockaddr_in6
#[repr(C)]
struct Address {
    family: u16,
    port: u16,
    flow: u32,
    address: [u8; 16],
    scope: u32,
}
";

const LINK_ADDRESS: &str = "
const AF_PACKET: u16 = 17;

// struct sockaddr_ll
#[repr(C)]
struct Address {
    family: u16,
    protocol: u16,
    interface: i32,
    hardware: u16,
    kind: u8,
    length: u8,
    address: [u8; 8],
}

fn link(interface: &str, protocol: u16, mac: &[u8]) -> Address {
    // SAFETY: the name ends with a zero byte and outlives the call.
    let index = unsafe { if_nametoindex(format!(\"{}\\0\", interface).as_ptr()) };
    let mut address = [0; 8];
    address[..mac.len()].copy_from_slice(mac);
    Address {
        family: AF_PACKET,
        protocol: protocol.to_be(),
        interface: index as i32,
        hardware: 0,
        kind: 0,
        length: mac.len() as u8,
        address,
    }
}
";

const FRAME: &str = "    const SOCK_RAW: i32 = 3;
    if arguments.len() != 2 {
        usage(\"INTERFACE\");
    }
    let to = link(&arguments[1], 0, &[]);
    let (domain, kind, protocol) = (AF_PACKET, SOCK_RAW, 0);
";

const PACKET: &str = "    const SOCK_DGRAM: i32 = 2;
    if arguments.len() != 3 {
        usage(\"INTERFACE NEXT-HOP-MAC\");
    }
    let mac: Result<Vec<u8>, _> = arguments[2].split(':').map(|byte| u8::from_str_radix(byte, 16)).collect();
    let mac = mac.ok().filter(|mac| mac.len() == 6).unwrap_or_else(|| usage(\"INTERFACE NEXT-HOP-MAC\"));
    let to = link(&arguments[1], ETHER_TYPE, &mac);
    let (domain, kind, protocol) = (AF_PACKET, SOCK_DGRAM, 0);
";

const END: &str = "    // SAFETY: plain numbers in, a descriptor or -1 out.
    let sender = unsafe { socket(i32::from(domain), kind, protocol) };
    let size = std::mem::size_of::<Address>() as u32;
    // SAFETY: both pointers are to live values of the lengths given.
    if sender < 0 || unsafe { sendto(sender, packet.as_ptr(), packet.len(), 0, &to, size) } < 0 {
        eprintln!(\"send: {}\", Error::last_os_error());
        exit(1);
    }
}

fn usage(arguments: &str) -> ! {
    eprintln!(\"usage: {} {}\", env::args().next().unwrap_or_default(), arguments);
    exit(2)
}
";
