//! RFC 8684, RFC 6824: what tells apart the forms of TCP option 30, Multipath TCP, and which fields each has.
//!
//! The option's first four bits are its subtype; the length and the bits behind say which form of it stands there.

use crate::{FieldDesc, Kind, Name, Part, When};

/// The subtype, whatever follows.
const fn subtype(number: u16) -> When {
    When::new(0xf000, number << 12)
}

pub(super) const MP_CAPABLE: When = subtype(0);
pub(super) const MP_JOIN: When = subtype(1);
pub(super) const DSS: When = subtype(2);
/// RFC 8684: three reserved bits, then E.
pub(super) const ADD_ADDR: When = When::new(0xfe00, 0x3000);
/// RFC 6824 §3.4.1: the version of IP stands where RFC 8684 has E.
pub(super) const ADD_ADDR_V0_IPV4: When = When::new(0xff00, 0x3400);
pub(super) const ADD_ADDR_V0_IPV6: When = When::new(0xff00, 0x3600);
pub(super) const REMOVE_ADDR: When = subtype(4);
pub(super) const MP_PRIO: When = subtype(5);
pub(super) const MP_FAIL: When = subtype(6);
pub(super) const MP_FASTCLOSE: When = subtype(7);
pub(super) const MP_TCPRST: When = subtype(8);

/// RFC 8684 §3.1: `A` asks for checksums, `B` is for extensions, `C` refuses subflows to this address, `H` is HMAC-SHA256.
pub(super) static CAPABLE_FLAGS: &[Name] = &[
    Name::new(0x01, "H", "HMAC-SHA256 (in version 0 HMAC-SHA1)"),
    Name::new(0x02, "G", "unassigned"),
    Name::new(0x04, "F", "unassigned"),
    Name::new(0x08, "E", "unassigned"),
    Name::new(0x10, "D", "unassigned"),
    Name::new(0x20, "C", "no subflows to this address"),
    Name::new(0x40, "B", "extensibility"),
    Name::new(0x80, "A", "checksum required"),
];

/// RFC 8684 §3.3.
pub(super) static DSS_FLAGS: &[Name] = &[
    Name::new(0x01, "A", "data ACK present"),
    Name::new(0x02, "a", "data ACK of 8 bytes"),
    Name::new(0x04, "M", "mapping present"),
    Name::new(0x08, "m", "data sequence number of 8 bytes"),
    Name::new(0x10, "F", "DATA_FIN"),
];

/// RFC 8684 §3.6.
pub(super) static RESET_REASONS: &[Name] = &[
    Name::new(0, "unspecified", "unspecified error"),
    Name::new(1, "mptcp", "MPTCP-specific error"),
    Name::new(2, "resources", "lack of resources"),
    Name::new(3, "prohibited", "administratively prohibited"),
    Name::new(4, "outstanding", "too much outstanding data"),
    Name::new(5, "performance", "unacceptable performance"),
    Name::new(6, "middlebox", "middlebox interference"),
];

/// A field that may be absent.
const fn part(
    name: &'static str,
    key: &'static str,
    meaning: &'static str,
    bits: usize,
    kind: Kind,
    shark: &'static str,
) -> Part {
    Part::new(FieldDesc::new(name, key, meaning, 0, bits, kind).shark(shark))
}

/// RFC 8684 §3.1: nothing in a SYN, a key in SYN-ACK, both in ACK, then what the first data need; RFC 6824 has a key in the SYN.
pub(super) const MP_CAPABLE_PARTS: &[Part] = &[
    part("sender_key", "skey", "tcp.mpcapable.skey", 64, Kind::Hex, "tcp.options.mptcp.sendkey")
        .lens(&[10, 18, 20, 22]),
    part("receiver_key", "rkey", "tcp.mpcapable.rkey", 64, Kind::Hex, "tcp.options.mptcp.recvkey").lens(&[18, 20, 22]),
    part("data_length", "len", "tcp.mpcapable.len", 16, Kind::Number, "tcp.options.mptcp.datalvllen").lens(&[20, 22]),
    part("checksum", "sum", "tcp.mpcapable.sum", 16, Kind::Hex, "tcp.options.mptcp.checksum").lens(&[22]),
];

/// RFC 8684 §3.3: by the flags, but for the checksum, which the length alone shows.
pub(super) const DSS_PARTS: &[Part] = &[
    part("data_ack", "ack", "tcp.dss.ack", 32, Kind::Number, "tcp.options.mptcp.rawdataack").when(When::new(0x3, 0x1)),
    part("data_ack_8", "ack8", "tcp.dss.ack8", 64, Kind::Number, "tcp.options.mptcp.rawdataack")
        .when(When::new(0x3, 0x3)),
    part("data_sequence", "dsn", "tcp.dss.dsn", 32, Kind::Number, "tcp.options.mptcp.rawdataseqno")
        .when(When::new(0xc, 0x4)),
    part("data_sequence_8", "dsn8", "tcp.dss.dsn8", 64, Kind::Number, "tcp.options.mptcp.rawdataseqno")
        .when(When::new(0xc, 0xc)),
    part("subflow_sequence", "ssn", "tcp.dss.ssn", 32, Kind::Number, "tcp.options.mptcp.subflowseqno")
        .when(When::new(0x4, 0x4)),
    part("data_length", "len", "tcp.dss.len", 16, Kind::Number, "tcp.options.mptcp.datalvllen")
        .when(When::new(0x4, 0x4)),
    // Wireshark 4.0 asks for two bytes more than the checksum has, and never shows it.
    part("checksum", "sum", "tcp.dss.sum", 16, Kind::Hex, "").when(When::new(0x4, 0x4)).lens(&[14, 18, 22, 26]),
];

/// RFC 8684 §3.4.1: an echo has no HMAC.
const ADVERTISED: When = When::new(0x0100, 0);
pub(super) const ADD_ADDR_PARTS: &[Part] = &[
    part("port", "port", "tcp.addaddr.port", 16, Kind::Number, "tcp.options.mptcp.port").lens(&[8, 16]),
    part("truncated_hmac", "hmac", "tcp.addaddr.hmac", 64, Kind::Hex, "tcp.options.mptcp.addaddrtrunchmac")
        .when(ADVERTISED),
];
pub(super) const ADD_ADDR6_PARTS: &[Part] = &[
    part("port", "port", "tcp.addaddr6.port", 16, Kind::Number, "tcp.options.mptcp.port").lens(&[20, 28]),
    part("truncated_hmac", "hmac", "tcp.addaddr6.hmac", 64, Kind::Hex, "tcp.options.mptcp.addaddrtrunchmac")
        .when(ADVERTISED),
];
pub(super) const ADD_ADDR_V0_PARTS: &[Part] =
    &[part("port", "port", "tcp.addaddrv0.port", 16, Kind::Number, "tcp.options.mptcp.port").lens(&[8])];
pub(super) const ADD_ADDR6_V0_PARTS: &[Part] =
    &[part("port", "port", "tcp.addaddr6v0.port", 16, Kind::Number, "tcp.options.mptcp.port").lens(&[20])];

/// RFC 8684 §3.4.2: all behind the first.
pub(super) const REMOVED: &[FieldDesc] = &[FieldDesc::new("further_id", "next", "tcp.rmaddr.next", 0, 8, Kind::Number)];

/// RFC 6824 §3.3.8: version 0 may name an address.
pub(super) const MP_PRIO_PARTS: &[Part] =
    &[part("address_id", "id", "tcp.mpprio.id", 8, Kind::Number, "tcp.options.mptcp.addrid").lens(&[2])];
