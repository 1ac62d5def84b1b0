//! The chain of layers: which header stands where in bytes, where each ends, and what is wrong with its lengths.

use alloc::vec::Vec;
use core::ops::Range;

use wirewright_wire::dns::{Entries, tcp as dns_over_tcp};
use wirewright_wire::{HeaderDesc, LimitedBy, Variant, dhcp, dhcp6, next, vxlan};

use crate::dns;
use crate::first::First;
use crate::options;
use crate::{MAX_LAYERS, layers};

/// One layer found in bytes. All positions count from the start of the bytes walked.
#[derive(Clone, Debug)]
pub struct LayerAt {
    /// Its table.
    pub desc: &'static HeaderDesc,
    /// Its first byte.
    pub start: usize,
    /// Length of its header with body and options, as far as the bytes go. At least `desc.len`.
    pub header_len: usize,
    /// The body behind the fixed header (ICMP), chosen by the type.
    pub variant: Option<&'static Variant>,
    /// Where the options stand; empty where there are none.
    pub options: Range<usize>,
    /// The byte behind the layer, by its own length where it has a believable one, else that of the layer below.
    pub end: usize,
    /// The layer is quoted in an ICMP error, or stands in a packet that is: it may be cut short.
    pub quoted: bool,
    /// What is wrong with its lengths.
    pub complaint: Option<Complaint>,
}

impl LayerAt {
    /// Where the body behind the fixed header stands; empty where there is none.
    #[must_use]
    pub fn body(&self) -> Range<usize> {
        let start = self.start + self.desc.len;
        start..start + self.variant.map_or(0, |variant| variant.body.len)
    }

    /// Where what it carries stands.
    #[must_use]
    pub fn payload(&self) -> Range<usize> {
        let start = self.start + self.header_len;
        start..self.end.max(start)
    }

    /// The value of a field, from header or body; `bytes` are the bytes walked.
    #[must_use]
    pub fn value(&self, bytes: &[u8], key: &str) -> Option<u128> {
        if let Some(field) = self.desc.field(key) {
            return field.read(bytes.get(self.start..)?);
        }
        let body = bytes.get(self.body())?;
        self.variant?.body.field(key)?.read(body)
    }
}

/// What is wrong with a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The stable code.
    pub code: &'static str,
    /// The offending byte, from the start of the bytes walked.
    pub offset: usize,
    /// How many bytes were needed, or the least value allowed.
    pub need: usize,
    /// How many there are, or the value found.
    pub have: usize,
    /// What set the limit.
    pub limited_by: LimitedBy,
}

/// A header that was announced and is not wholly there.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// The table of the header that should stand here.
    pub desc: &'static HeaderDesc,
    /// Where it begins.
    pub start: usize,
    /// It is quoted in an ICMP error, where being cut is normal.
    pub quoted: bool,
    /// What is missing.
    pub complaint: Complaint,
}

/// The chain of layers in some bytes.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// The layers, outermost first. Each begins where the header below it ends.
    pub layers: Vec<LayerAt>,
    /// The header that should have followed and does not fit.
    pub cut: Option<Cut>,
    /// What the innermost layer carries, up to the trailer: surplus that the innermost layer's own length leaves out
    /// is included.
    pub payload: Range<usize>,
    /// Bytes behind the outermost network layer (Ethernet padding).
    pub trailer: Range<usize>,
    /// More layers than [`MAX_LAYERS`] were announced; the rest is payload.
    pub too_deep: bool,
}

impl Chain {
    /// The innermost layer of this key.
    #[must_use]
    pub fn layer(&self, key: &str) -> Option<&LayerAt> {
        self.layers.iter().rev().find(|layer| layer.desc.key == key)
    }
}

impl core::ops::Deref for Chain {
    type Target = [LayerAt];
    fn deref(&self) -> &[LayerAt] {
        &self.layers
    }
}

/// Finds the layers in bytes that begin with `first`. Never fails: what cannot be a header is payload.
///
/// Work and memory are bounded by [`MAX_LAYERS`], whatever the bytes say.
#[must_use]
pub fn walk(bytes: &[u8], first: First) -> Chain {
    let mut chain = Chain { payload: 0..bytes.len(), trailer: bytes.len()..bytes.len(), ..Chain::default() };
    let mut next = first.desc(bytes);
    let mut at = Cursor { start: 0, limit: bytes.len(), quoted: false };
    while let Some(desc) = next {
        if chain.layers.len() == MAX_LAYERS {
            chain.too_deep = true;
            break;
        }
        match read_layer(bytes, desc, at) {
            Err(complaint) => {
                chain.cut = Some(Cut { desc, start: at.start, quoted: at.quoted, complaint });
                break;
            }
            Ok(layer) => {
                next = following(bytes, &layer);
                at = at.behind(&layer);
                chain.layers.push(layer);
            }
        }
    }
    chain.payload.start = at.start;
    let network = chain.layers.iter().find(|layer| !layers::is_link(layer.desc));
    if let Some(network) = network {
        // What a transport's own length leaves out belongs to the payload; what the network's leaves out does not.
        let own = matches!(network.desc.key, "ip" | "ip6" | "arp");
        let end = if own { network.end } else { bytes.len() };
        chain.payload.end = end.max(at.start);
        chain.trailer.start = chain.payload.end;
    }
    chain
}

/// Where the next header begins, and what the layers below leave it.
#[derive(Clone, Copy)]
struct Cursor {
    start: usize,
    limit: usize,
    quoted: bool,
}

impl Cursor {
    fn behind(self, layer: &LayerAt) -> Self {
        Self {
            start: layer.start + layer.header_len,
            limit: layer.end.max(layer.start + layer.header_len),
            quoted: self.quoted || layer.variant.is_some_and(|variant| variant.quotes),
        }
    }

    fn room(self) -> usize {
        self.limit.saturating_sub(self.start)
    }
}

fn read_layer(bytes: &[u8], desc: &'static HeaderDesc, at: Cursor) -> Result<LayerAt, Complaint> {
    let Cursor { start, limit, quoted } = at;
    let limited_by = if limit == bytes.len() { LimitedBy::Bytes } else { LimitedBy::LowerLength };
    let cut = |need| Complaint { code: "header-cut", offset: start, need, have: at.room(), limited_by };
    if at.room() < desc.len {
        return Err(cut(desc.len));
    }
    let header = &bytes[start..limit];
    let variant = desc.variant_of(header);
    let fixed = desc.len + variant.map_or(0, |variant| variant.body.len);
    if at.room() < fixed {
        return Err(cut(fixed));
    }
    let mut layer = LayerAt {
        desc,
        start,
        header_len: fixed,
        variant,
        options: start + fixed..start + fixed,
        end: limit,
        quoted,
        complaint: None,
    };
    match variant.and_then(|variant| variant.body.options) {
        Some(table) => {
            // Neighbour discovery: the options fill what is left of the message.
            layer.header_len = at.room() - at.room() % table.align.max(1);
            layer.options.end = (start + layer.header_len).max(layer.options.start);
            layer.header_len = layer.options.end - start;
        }
        None if dns::is_dns(desc) => {
            layer.header_len = dns::read_len(header);
            layer.options.end = start + layer.header_len;
        }
        None => match desc.options.filter(|table| table.closing().is_some()) {
            Some(table) => {
                layer.header_len = fixed + options::list_len(table, &header[fixed..]);
                layer.options.end = start + layer.header_len;
            }
            None => judge_header_len(&mut layer, header, limited_by),
        },
    }
    judge_end(&mut layer, header, limited_by);
    Ok(layer)
}

/// Takes the length that the header states for itself, if it is one.
fn judge_header_len(layer: &mut LayerAt, header: &[u8], limited_by: LimitedBy) {
    let Some(stated) = layer.desc.stated_len(header) else { return };
    let field = layer.desc.fields.iter().find(|field| {
        use wirewright_wire::{Auto, LengthOf};
        matches!(field.auto, Auto::Length(LengthOf::HeaderWords | LengthOf::Extension))
    });
    let Some(field) = field else { return };
    let offset = layer.start + field.first_byte();
    if stated < layer.desc.len {
        layer.complaint = Some(Complaint {
            code: "header-length-short",
            offset,
            need: layer.desc.len,
            have: stated,
            limited_by: LimitedBy::Rule,
        });
    } else if stated > header.len() && layer.quoted {
        // RFC 792, RFC 4443 §2.4 (c): a quote is cut to what fits, in the middle of options too.
        layer.header_len = header.len();
        layer.options.end = layer.start + header.len();
    } else if stated > header.len() {
        layer.complaint =
            Some(Complaint { code: "header-length-long", offset, need: stated, have: header.len(), limited_by });
    } else {
        layer.header_len = stated;
        layer.options.end = layer.start + stated;
    }
}

/// Takes the end that the layer's own length sets, if it is believable.
fn judge_end(layer: &mut LayerAt, header: &[u8], limited_by: LimitedBy) {
    use wirewright_wire::{Auto, LengthOf};
    if layer.desc.key == "arp" {
        layer.end = layer.start + layer.desc.len;
        return;
    }
    let own = layer.desc.fields.iter().find_map(|field| match field.auto {
        Auto::Length(LengthOf::Whole) => Some((field, 0)),
        Auto::Length(LengthOf::Behind) => Some((field, layer.desc.len)),
        _ => None,
    });
    let Some((field, before)) = own else { return };
    let Some(value) = field.read(header) else { return };
    let stated = value as usize + before;
    let offset = layer.start + field.first_byte();
    let complaint = if stated < layer.header_len {
        Complaint {
            code: "length-short",
            offset,
            need: layer.header_len,
            have: stated,
            limited_by: LimitedBy::OwnLength,
        }
    } else if stated > header.len() {
        if layer.quoted {
            // RFC 792, RFC 4443 §2.4 (c): a quote is cut to what fits.
            return;
        }
        Complaint { code: "length-long", offset, need: stated, have: header.len(), limited_by }
    } else {
        layer.end = layer.start + stated;
        return;
    };
    layer.complaint = layer.complaint.or(Some(complaint));
}

/// The table of the header behind a layer, if it announces one that is known.
fn following(bytes: &[u8], layer: &LayerAt) -> Option<&'static HeaderDesc> {
    if layer.complaint.is_some_and(|complaint| complaint.code.starts_with("header-length")) {
        return None;
    }
    let behind = layer.start + layer.header_len;
    if let Some(next) = by_port(bytes, layer) {
        return Some(next);
    }
    if layer.desc.carries.is_some() {
        return layer.desc.carries;
    }
    if layer.desc.selects_body() {
        let variant = layer.variant?;
        let first = bytes.get(behind..layer.end)?.first()?;
        return if variant.quotes { next::ip_version(*first) } else { None };
    }
    let field = layer.desc.selector()?;
    let value = field.read(&bytes[layer.start..])?;
    // The bytes behind a later fragment's header are the middle of a datagram.
    if layer.value(bytes, "off").is_some_and(|offset| offset != 0) {
        return None;
    }
    // RFC 2784 §2.3, §2.3.1: what another version or a source route of RFC 1701 has behind is not known here.
    if layer.desc.key == "gre" && ["r", "ver"].iter().any(|key| layer.value(bytes, key) != Some(0)) {
        return None;
    }
    if layer.desc.key == "mpls" && value == 1 {
        // RFC 3032 §2.2: nothing says what a label carries; IP tells itself by its version.
        return next::ip_version(*bytes.get(behind..layer.end)?.first()?);
    }
    let next = next::after(layer.desc, value)?;
    (!layers::is_extension(next) || layer.desc.key != "ip").then_some(next)
}

/// The layer that a port of UDP or TCP announces, where the payload reads wholly as that: anybody may use any port. VXLAN by the
/// destination alone, for its source port is any (RFC 7348 §5).
fn by_port(bytes: &[u8], layer: &LayerAt) -> Option<&'static HeaderDesc> {
    let payload = bytes.get(layer.payload())?;
    if layer.desc.key == layers::dns_length().key {
        return Entries::are_whole(payload).then_some(layers::dns());
    }
    if !matches!(layer.desc.key, "udp" | "tcp") {
        return None;
    }
    let port = |key| layer.value(bytes, key);
    let is = |known: &[u128]| [port("sport"), port("dport")].into_iter().flatten().any(|port| known.contains(&port));
    if layer.desc.key == "tcp" {
        // RFC 1035 §4.2.2: a segment that begins with a whole message; what follows it is data.
        let message = dns_over_tcp::message(payload).filter(|_| is(&DNS_PORTS[..1]))?;
        return Entries::are_whole(message).then_some(layers::dns_length());
    }
    if port("dport") == Some(vxlan::PORT.into()) && !payload.is_empty() {
        return Some(layers::vxlan());
    }
    if is(&DNS_PORTS) && Entries::are_whole(payload) {
        return Some(layers::dns());
    }
    if is(&DHCP6_PORTS) && dhcp6::is_message(payload) {
        return Some(layers::dhcp6());
    }
    (is(&DHCP_PORTS) && dhcp::is_message(payload)).then_some(layers::dhcp())
}

/// DNS (RFC 1035 §4.2) and multicast DNS (RFC 6762 §3).
const DNS_PORTS: [u128; 2] = [53, 5353];
/// DHCP (RFC 2131 §4.1): servers and relays, clients.
const DHCP_PORTS: [u128; 2] = [dhcp::SERVER_PORT as u128, dhcp::CLIENT_PORT as u128];
/// DHCP for IPv6 (RFC 8415 §7.2).
const DHCP6_PORTS: [u128; 2] = [dhcp6::SERVER_PORT as u128, dhcp6::CLIENT_PORT as u128];
