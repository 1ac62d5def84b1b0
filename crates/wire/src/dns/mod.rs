//! RFC 1035: the Domain Name System: the header of a message, and the questions and records behind it.
//!
//! In: a UDP payload.
//! Out: the header's fields, the entries of each section with their bytes, names with their pointers followed.
//! Above: craft, inspect. Below: the tables' macros.
//! Not here: text forms (craft), resolving, caching.

mod entry;
mod name;
mod rdata;
pub mod tcp;

pub use entry::{ENTRIES_MAX, Entries, Entry};
pub use name::{LABEL_MAX, Labels, NAME_MAX, NameFault, POINTER_MAX, name_end};
pub use rdata::{Part, PartAt, Parts, format_of};

use crate::{Auto, Name};

header! {
    "dns" 12 bytes "Domain Name System" "RFC 1035 §4.1.1"
        => shark("dns") => port(53) => also(&["dnsqr", "dnsrr", "dig", "nslookup", "mdns", "domain", "resolve", "rfc1035"]);
    /// Identification: the answer carries the same.
    identification: u16 = 16 bits "id" .auto(Auto::Random).shark("dns.id").also(&["ident", "identification", "qid", "txid", "transaction_id"]);
    /// A response; else a query.
    response: bool = 1 bits "qr" .bare().shark("dns.flags.response").also(&["response", "answer", "reply"]);
    /// What kind of query it is.
    opcode: u8 = 4 bits "opcode" .names(OPCODES).shark("dns.flags.opcode").also(&["op"]);
    /// The answerer is an authority for the name.
    authoritative: bool = 1 bits "aa" .bare().shark("dns.flags.authoritative").also(&["authoritative", "auth"]);
    /// The answer was cut to what fits: ask again over TCP.
    truncated: bool = 1 bits "tc" .bare().shark("dns.flags.truncated").also(&["truncated", "trunc"]);
    /// The asker wants the server to ask others.
    recursion_desired: bool = 1 bits "rd" .bare().default(1).shark("dns.flags.recdesired").also(&["recurse", "recursion", "recdesired", "norecurse"]);
    /// The server can ask others.
    recursion_available: bool = 1 bits "ra" .bare().shark("dns.flags.recavail").also(&["recavail"]);
    /// Reserved.
    reserved: bool = 1 bits "z" .bare().reserved().shark("dns.flags.z").also(&["reserved"]);
    /// The server vouches for the data.
    authentic: bool = 1 bits "ad" .bare().shark("dns.flags.authenticated").also(&["authenticated", "adflag"]).rfc("RFC 4035 §3.2.3");
    /// The asker takes data that nobody has checked.
    checking_disabled: bool = 1 bits "cd" .bare().shark("dns.flags.checkdisable").also(&["checkdisable", "cdflag"]).rfc("RFC 4035 §3.2.2");
    /// How it went.
    rcode: u8 = 4 bits "rcode" .names(RCODES).shark("dns.flags.rcode").also(&["status", "response_code", "code"]);
    /// How many questions follow.
    questions: u16 = 16 bits "qdcount" .auto(Auto::Count(Section::Question)).shark("dns.count.queries").also(&["questions", "queries"]);
    /// How many answers follow.
    answers: u16 = 16 bits "ancount" .auto(Auto::Count(Section::Answer)).shark("dns.count.answers").also(&["answers"]);
    /// How many records of the authority section follow.
    authorities: u16 = 16 bits "nscount" .auto(Auto::Count(Section::Authority)).shark("dns.count.auth_rr").also(&["authorities", "auth_rr"]);
    /// How many further records follow.
    additional: u16 = 16 bits "arcount" .auto(Auto::Count(Section::Additional)).shark("dns.count.add_rr").also(&["additionals", "add_rr"]);
}

/// The sections of a message, in their order (RFC 1035 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// What is asked.
    Question,
    /// What answers it.
    Answer,
    /// Who is an authority for it.
    Authority,
    /// What may be of use besides.
    Additional,
}

impl Section {
    /// All, in their order.
    pub const ALL: [Self; 4] = [Self::Question, Self::Answer, Self::Authority, Self::Additional];

    /// The key of its entries in the packet language.
    #[must_use]
    pub const fn key(self) -> &'static str {
        ["qd", "an", "ns", "ar"][self as usize]
    }

    /// The section with this key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.key() == key)
    }
}

/// Words for opcodes (IANA).
pub static OPCODES: &[Name] = &[
    Name::new(0, "query", "query"),
    Name::new(1, "iquery", "inverse query, obsolete"),
    Name::new(2, "status", "server status"),
    Name::new(4, "notify", "zone changed, RFC 1996"),
    Name::new(5, "update", "dynamic update, RFC 2136"),
    Name::new(6, "dso", "stateful operations, RFC 8490"),
];

/// Words for response codes (IANA).
pub static RCODES: &[Name] = &[
    Name::new(0, "noerror", "no error"),
    Name::new(1, "formerr", "format error"),
    Name::new(2, "servfail", "server failure"),
    Name::new(3, "nxdomain", "no such name").also(&["name_error", "nx"]),
    Name::new(4, "notimp", "not implemented"),
    Name::new(5, "refused", "refused"),
    Name::new(6, "yxdomain", "name exists"),
    Name::new(7, "yxrrset", "records exist"),
    Name::new(8, "nxrrset", "records do not exist"),
    Name::new(9, "notauth", "not authoritative or not authorized"),
    Name::new(10, "notzone", "name outside the zone"),
];

/// The record type of EDNS (RFC 6891), whose class and TTL are no such things.
pub const OPT: u16 = 41;
/// The class of the Internet.
pub const IN: u16 = 1;

/// Words for record types (IANA), in capitals as zone files have them.
pub static TYPES: &[Name] = &[
    Name::new(1, "A", "IPv4 address"),
    Name::new(2, "NS", "name server"),
    Name::new(5, "CNAME", "the name's true name"),
    Name::new(6, "SOA", "start of authority"),
    Name::new(12, "PTR", "pointer"),
    Name::new(13, "HINFO", "host information"),
    Name::new(15, "MX", "mail exchange"),
    Name::new(16, "TXT", "texts"),
    Name::new(28, "AAAA", "IPv6 address"),
    Name::new(29, "LOC", "location"),
    Name::new(33, "SRV", "service"),
    Name::new(35, "NAPTR", "rule for rewriting"),
    Name::new(39, "DNAME", "the subtree's true name"),
    Name::new(41, "OPT", "EDNS"),
    Name::new(43, "DS", "delegation signer"),
    Name::new(44, "SSHFP", "SSH fingerprint"),
    Name::new(46, "RRSIG", "signature"),
    Name::new(47, "NSEC", "next name"),
    Name::new(48, "DNSKEY", "key"),
    Name::new(50, "NSEC3", "next hashed name"),
    Name::new(52, "TLSA", "certificate"),
    Name::new(64, "SVCB", "service binding"),
    Name::new(65, "HTTPS", "service binding of HTTP"),
    Name::new(99, "SPF", "mail senders, obsolete"),
    Name::new(251, "IXFR", "transfer of changes"),
    Name::new(252, "AXFR", "transfer of the zone"),
    Name::new(255, "ANY", "any type"),
    Name::new(257, "CAA", "certificate authorities"),
];

/// Words for classes (IANA); `FLUSH` is IN with the high bit that multicast DNS sets.
pub static CLASSES: &[Name] = &[
    Name::new(1, "IN", "the Internet"),
    Name::new(3, "CH", "Chaos"),
    Name::new(4, "HS", "Hesiod"),
    Name::new(254, "NONE", "none, RFC 2136"),
    Name::new(255, "ANY", "any class"),
    Name::new(0x8001, "FLUSH", "IN, answer by unicast or flush the cache, RFC 6762"),
];
