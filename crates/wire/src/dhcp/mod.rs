//! RFC 2131, RFC 2132: the Dynamic Host Configuration Protocol for IPv4: the message of BOOTP, and its options.
//!
//! In: a UDP payload.
//! Out: the header's fields, the table of its options.
//! Above: craft, inspect. Below: the tables' macros.
//! Not here: leases, what a client or a server does when.

mod options;

use core::net::Ipv4Addr;

pub use options::{ARCHITECTURES, MESSAGE_TYPE, MESSAGE_TYPES, OPTIONS, OVERLOADS, is_answer};

use crate::{Auto, MacAddr, Name};

header! {
    "dhcp" 240 bytes "Dynamic Host Configuration Protocol" "RFC 2131 §2"
        => options(&OPTIONS) => port(SERVER_PORT) => shark("dhcp") => also(&["bootp", "dhcpv4", "dhcp4", "dhclient", "dhcpcd", "udhcpc"]);
    /// Whether a client asks or it is answered.
    operation: u8 = 8 bits "op" .auto(Auto::Direction).names(OPERATIONS).shark("dhcp.type").also(&["opcode", "operation"]);
    /// The kind of hardware address: 1 is Ethernet.
    hardware_type: u8 = 8 bits "htype" .default(1).shark("dhcp.hw.type").also(&["hwtype", "hw_type"]);
    /// Length of the hardware address in bytes.
    hardware_length: u8 = 8 bits "hlen" .default(6).shark("dhcp.hw.len").also(&["hwlen", "hw_len"]);
    /// How many relays it passed.
    hops: u8 = 8 bits "hops" .shark("dhcp.hops").also(&["hop_count"]);
    /// Transaction: the answer carries the same.
    transaction: u32 = 32 bits "xid" .hex().auto(Auto::Random).shark("dhcp.id").also(&["id", "transaction_id", "txid"]);
    /// Seconds since the client began.
    seconds: u16 = 16 bits "secs" .shark("dhcp.secs").also(&["seconds", "elapsed"]);
    /// The client hears only broadcasts until it has an address.
    broadcast: bool = 1 bits "bcast" .bare().shark("dhcp.flags.bc").also(&["flags", "broadcast_flag", "bc"]);
    /// Must be zero.
    reserved: u16 = 15 bits "mbz" .reserved().shark("dhcp.flags.reserved");
    /// The address that the client has already and uses.
    client_address: Ipv4Addr = 32 bits "ciaddr" .shark("dhcp.ip.client").also(&["client_address", "client_ip"]);
    /// The address that the client gets.
    your_address: Ipv4Addr = 32 bits "yiaddr" .shark("dhcp.ip.your").also(&["your_address", "your_ip"]);
    /// The server that the client is to load from next.
    next_server: Ipv4Addr = 32 bits "siaddr" .shark("dhcp.ip.server").also(&["next_server", "server_ip"]);
    /// The relay that the message came through.
    relay_address: Ipv4Addr = 32 bits "giaddr" .shark("dhcp.ip.relay").also(&["relay_ip", "gateway_ip", "relay_address"]);
    /// The client's hardware address.
    client_hardware: MacAddr = 48 bits "chaddr" .auto(Auto::Source).shark("dhcp.hw.mac_addr").also(&["mac", "client_mac", "hwaddr", "client_hardware"]);
    /// The rest of the room for hardware addresses.
    padding: u128 = 80 bits "chpad" .reserved().shark("dhcp.hw.addr_padding");
    /// The name of the server.
    server_name: [u8; 64] = 512 bits "sname" .shark("dhcp.server").also(&["server_name", "server_hostname"]);
    /// The file to start from.
    boot_file: [u8; 128] = 1024 bits "bootfile" .shark("dhcp.file").also(&["boot_file", "boot_filename"]);
    /// Says that options follow, RFC 1497.
    cookie: u32 = 32 bits "cookie" .hex().default(COOKIE as u128).shark("dhcp.cookie").also(&["magic", "magic_cookie"]).rfc("RFC 2132 §2");
}

/// The cookie of RFC 1497: 99.130.83.99.
pub const COOKIE: u32 = 0x6382_5363;

/// The port of servers and relays.
pub const SERVER_PORT: u16 = 67;
/// The port of clients.
pub const CLIENT_PORT: u16 = 68;

/// Words for the operation.
pub static OPERATIONS: &[Name] = &[
    Name::new(1, "bootrequest", "boot request").also(&["boot_request"]),
    Name::new(2, "bootreply", "boot reply").also(&["boot_reply", "reply"]),
];

/// Whether bytes are a whole header with the cookie: what a payload of UDP must be to be read as a message.
#[must_use]
pub fn is_message(bytes: &[u8]) -> bool {
    View::split(bytes).is_some_and(|(header, _)| header.cookie() == COOKIE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_without_the_cookie_is_no_message() {
        let mut bytes = Header::default().to_bytes();
        assert!(is_message(&bytes) && !is_message(&bytes[..LEN - 1]));
        assert_eq!(bytes[..4], [0, 1, 6, 0]);
        bytes[LEN - 1] ^= 1;
        assert!(!is_message(&bytes));
    }

    #[test]
    fn texts_fill_their_room_exactly() {
        let mut header = [0; LEN];
        let mut name = [0; 64];
        name[..4].copy_from_slice(b"boot");
        ViewMut::new(&mut header).server_name(name).boot_file([b'x'; 128]);
        assert_eq!((header[43], header[44], header[48], header[107], header[108]), (0, b'b', 0, 0, b'x'));
        assert_eq!((header[235], header[236]), (b'x', 0));
        assert_eq!(View::new(&header).server_name(), name);
        let field = DESC.field("sname").unwrap();
        assert_eq!((field.text(&header), field.read(&header)), (Some(&b"boot"[..]), Some(4)));
    }
}
