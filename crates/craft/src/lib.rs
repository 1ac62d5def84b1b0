//! Packets as people write them: the packet language, layers whose fields are automatic, exact or wrong on purpose, and bytes.
//!
//! In: words of the packet language, Rust values, bytes; for what no packet can know, a [`Context`].
//! Out: [`Packet`]s, their bytes with the span of each field ([`Built`]), their one printed form, the chain of layers in bytes.
//! Above: hand, inspect, net, lab, cli. Below: wire.
//! Not here: resolving names, reading files, choosing a way onto the wire, sentences in other languages than the errors' own.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod api;
mod applications;
mod build;
mod dns;
mod ends;
mod family;
mod fields;
mod file;
mod first;
mod forms;
mod fragment;
mod generator;
mod language;
mod layers;
mod numbers;
mod options;
mod packet;
pub mod pasted;
mod print;
mod problem;
mod read;
mod records;
mod rewrite;
mod template;
mod text;
mod value;
mod walk;

pub use api::{
    Arp, Dns, Eth, Icmp, Icmp6, IntoHost, IntoMac, Ip, Ip6, Qinq, Tcp, Udp, Vlan, arp, dns, eth, icmp, icmp6, ip, ip6,
    plus, qinq, tcp, udp, vlan,
};
pub use build::{BuildError, Built, Context, Note, Origin, Span, What};
pub use dns::{
    DnsValue, class_word, entry_text, entry_values, is_dns, listed_names, record_forms, type_word, whole_name,
};
pub use ends::{Ends, ends};
pub use fields::{FieldPlace, FieldRow, fields, layer_tables};
pub use file::{FILE_LINES_MAX, FileError, LANGUAGE_VERSION, PacketFile};
pub use first::First;
pub use fragment::{FragmentError, fragment, fragments_of};
pub use generator::LIST_MAX;
pub use language::{
    Code, Completion, Completions, LanguageError, MAX_LINE_BYTES, MAX_WORDS, Problem, complete, packets_words, parse,
    parse_fields, parse_template, parse_words, template_words,
};
pub use options::{OptionAt, OptionItem, Options};
pub use packet::{Family, Host, Layer, Packet, Part, Payload, Place, Setting, Wrong};
pub use rewrite::{Only, Rewrite, RewriteError};
pub use template::{Packets, Template, ZipError};
pub use walk::{Chain, Complaint, Cut, LayerAt, walk};

/// The most layers that a packet has or a walk finds. Real stacks of tunnels stay below 10; 24 leaves room for tests of them
/// and keeps a layout on the stack.
pub const MAX_LAYERS: usize = 24;

/// The most bytes of a payload or a trailer: sixteen times the largest IP packet, so that what is too large for one can still
/// be made and shown.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;
