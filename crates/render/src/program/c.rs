//! The program in C, with the libc of Linux alone.

use std::net::IpAddr;

use super::parts::Part;
use super::{Carrier, Program};
use crate::catalogue::Catalogue;
use crate::text::push;

pub(super) fn write(program: &Program, words: &Catalogue) -> String {
    let mut out = String::new();
    for line in &program.head {
        push(&mut out, format_args!("// {line}\n"));
    }
    out.push('\n');
    let headers = match program.carrier {
        Carrier::Raw(_) => "arpa/inet.h netinet/in.h stdio.h sys/socket.h",
        _ => "arpa/inet.h net/if.h netpacket/packet.h stdio.h sys/socket.h",
    };
    for header in headers.split(' ') {
        push(&mut out, format_args!("#include <{header}>\n"));
    }
    if !program.sums.is_empty() {
        out.push_str("#include <string.h>\n");
    }
    push(&mut out, format_args!("\nstatic unsigned char packet[{}];\nstatic size_t bits_there;\n", program.len));
    functions(program, words, &mut out);
    out.push_str("\nint main(int argc, char **argv)\n{\n");
    for part in &program.parts {
        match part {
            Part::Title(title) => push(&mut out, format_args!("    // {title}\n")),
            Part::Bits { bits, number, comment } => {
                push(&mut out, format_args!("    put({bits}, {number}); // {comment}\n"));
            }
            Part::Hex { digits, comment } => push(&mut out, format_args!("    put_hex(\"{digits}\"); // {comment}\n")),
        }
    }
    if !program.sums.is_empty() {
        push(&mut out, format_args!("\n    // {}\n", words.say("program.last", &[])));
    }
    for sum in &program.sums {
        let (first, behind) = (sum.covers.start, sum.covers.end);
        let call = format!("fill({}, {first}, {behind}, \"{}\", 0x{:04x});", sum.at, sum.pseudo, sum.zero);
        push(&mut out, format_args!("    {call} // {}\n", sum.comment));
    }
    out.push('\n');
    for line in &program.why {
        push(&mut out, format_args!("    // {line}\n"));
    }
    send(program.carrier, words, &mut out);
    out
}

fn functions(program: &Program, words: &Catalogue, out: &mut String) {
    push(out, format_args!("\n// {}\n", words.say("program.put", &[])));
    out.push_str(
        "static void put(unsigned bits, unsigned long long value)
{
    while (bits-- > 0) {
        if ((value >> bits) & 1)
            packet[bits_there / 8] |= 0x80 >> (bits_there % 8);
        bits_there++;
    }
}
",
    );
    if program.has_hex() {
        push(out, format_args!("\n// {}\n", words.say("program.put-hex", &[])));
        out.push_str(
            "static void put_hex(const char *digits)
{
    unsigned byte;
    for (; sscanf(digits, \"%2x\", &byte) == 1; digits += 2)
        put(8, byte);
}
",
        );
    }
    if program.sums.is_empty() {
        return;
    }
    out.push('\n');
    for key in ["program.fill", "program.fill.rule", "program.fill.zero"] {
        push(out, format_args!("// {}\n", words.say(key, &[])));
    }
    out.push_str(
        "static void fill(size_t at, size_t first, size_t behind, const char *pseudo, unsigned zero)
{
    static unsigned char covered[40 + sizeof packet + 1];
    size_t length = 0;
    unsigned byte;
    unsigned long sum = 0;
    for (; sscanf(pseudo, \"%2x\", &byte) == 1; pseudo += 2)
        covered[length++] = byte;
    memcpy(covered + length, packet + first, behind - first);
    length += behind - first;
    covered[length] = 0;
    for (size_t i = 0; i < length; i += 2)
        sum += (unsigned long)covered[i] << 8 | covered[i + 1];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    sum = ~sum & 0xffff;
    if (sum == 0)
        sum = zero;
    packet[at] = sum >> 8;
    packet[at + 1] = sum & 0xff;
}
",
    );
}

/// What stands around the address of the way: usage, the socket, sending.
fn send(carrier: Carrier, words: &Catalogue, out: &mut String) {
    match carrier {
        Carrier::Raw(to) => raw(to, words, out),
        Carrier::Frame => {
            out.push_str(
                "    if (argc != 2) {
        fprintf(stderr, \"usage: %s INTERFACE\\n\", argv[0]);
        return 2;
    }
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(argv[1])};
    int sender = socket(AF_PACKET, SOCK_RAW, 0);
",
            );
            end(out);
        }
        Carrier::Packet { ether_type } => {
            out.push_str(
                "    if (argc != 3) {
        fprintf(stderr, \"usage: %s INTERFACE NEXT-HOP-MAC\\n\", argv[0]);
        return 2;
    }
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(argv[1]), .sll_halen = 6};
",
            );
            push(out, format_args!("    to.sll_protocol = htons(0x{ether_type:04x});\n"));
            out.push_str(
                "    unsigned char *mac = to.sll_addr;
    if (sscanf(argv[2], \"%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx\", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6) {
        fprintf(stderr, \"no MAC address: %s\\n\", argv[2]);
        return 2;
    }
    int sender = socket(AF_PACKET, SOCK_DGRAM, 0);
",
            );
            end(out);
        }
    }
}

fn raw(to: IpAddr, words: &Catalogue, out: &mut String) {
    let (structure, family, field) = match to {
        IpAddr::V4(_) => ("sockaddr_in", "AF_INET", "sin"),
        IpAddr::V6(_) => ("sockaddr_in6", "AF_INET6", "sin6"),
    };
    push(out, format_args!("    // {}\n", words.say("program.to", &[])));
    push(out, format_args!("    const char *address = argc > 1 ? argv[1] : \"{to}\";\n"));
    push(out, format_args!("    struct {structure} to = {{.{field}_family = {family}}};\n"));
    push(out, format_args!("    if (inet_pton({family}, address, &to.{field}_addr) != 1) {{\n"));
    out.push_str("        fprintf(stderr, \"no address: %s\\n\", address);\n        return 2;\n    }\n");
    push(out, format_args!("    int sender = socket({family}, SOCK_RAW, IPPROTO_RAW);\n"));
    end(out);
}

fn end(out: &mut String) {
    out.push_str(
        "    if (sender < 0 || sendto(sender, packet, sizeof packet, 0, (struct sockaddr *)&to, sizeof to) < 0) {
        perror(\"send\");
        return 1;
    }
    return 0;
}
",
    );
}
