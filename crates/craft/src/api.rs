//! Packets in Rust: `ip("192.0.2.2").ttl(33) / tcp(80).syn().mss(1460) / b"hello"`.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::Div;

use wirewright_wire::dns::{Entries, Section};
use wirewright_wire::{Kind, MacAddr};

use crate::build::{BuildError, Built, Context};
use crate::language;
use crate::options;
use crate::packet::{Host, Layer, NameAt, Packet, Part, Payload, Place, Setting, Wrong};
use crate::{layers, value};

macro_rules! setting_from {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Setting {
            fn from(value: $ty) -> Self {
                Self::Exactly(value.into())
            }
        }
    )*};
}
setting_from!(u8, u16, u32, u64, u128, bool);

impl From<i32> for Setting {
    /// As in the packet language: a negative number counts from the right value, `len(-4)` is `len=-4`.
    fn from(value: i32) -> Self {
        u128::try_from(value).map_or(Self::Relative(value.into()), Self::Exactly)
    }
}

impl From<Wrong> for Setting {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

/// The right value plus `n`, for a field that fills itself: `len(plus(4))` is `len=+4`.
#[must_use]
pub fn plus(n: u32) -> Setting {
    Setting::Relative(n.into())
}

/// What may stand for a host: an address, or a text that is an address or a name.
pub trait IntoHost {
    /// The host, or the text that is none.
    ///
    /// # Errors
    /// [`BuildError::AddressUnreadable`] when a text is neither an address nor a name.
    fn into_host(self) -> Result<Host, BuildError>;
}

impl IntoHost for &str {
    fn into_host(self) -> Result<Host, BuildError> {
        language::host(self).ok_or_else(|| BuildError::AddressUnreadable { text: self.into() })
    }
}

impl IntoHost for Host {
    fn into_host(self) -> Result<Host, BuildError> {
        Ok(self)
    }
}

macro_rules! host_from {
    ($($ty:ty),*) => {$(
        impl IntoHost for $ty {
            fn into_host(self) -> Result<Host, BuildError> {
                Ok(Host::Address(self.into()))
            }
        }
    )*};
}
host_from!(IpAddr, Ipv4Addr, Ipv6Addr);

/// What may stand for an Ethernet address.
pub trait IntoMac {
    /// The address.
    ///
    /// # Errors
    /// [`BuildError::AddressUnreadable`] when a text is none.
    fn into_mac(self) -> Result<MacAddr, BuildError>;
}

impl IntoMac for MacAddr {
    fn into_mac(self) -> Result<MacAddr, BuildError> {
        Ok(self)
    }
}

impl IntoMac for &str {
    fn into_mac(self) -> Result<MacAddr, BuildError> {
        MacAddr::parse(self).ok_or_else(|| BuildError::AddressUnreadable { text: self.into() })
    }
}

/// One layer being written, with the first mistake made in writing it.
#[derive(Clone, Debug)]
struct Written {
    layer: Layer,
    names: Vec<(Place, String)>,
    fault: Option<BuildError>,
}

impl Written {
    fn new(desc: &'static wirewright_wire::HeaderDesc) -> Self {
        Self { layer: Layer::new(desc), names: Vec::new(), fault: None }
    }

    fn set(&mut self, key: &'static str, setting: Setting) {
        // A field of a body that the type now set does not have: what is built says so.
        if !self.layer.set(key, setting) {
            self.fail(BuildError::FieldMissing { layer: self.layer.key(), key });
        }
    }

    fn fail(&mut self, fault: BuildError) {
        self.fault.get_or_insert(fault);
    }

    fn host(&mut self, key: &'static str, host: Result<Host, BuildError>) {
        let Some(place) = self.layer.place(key) else { return };
        let kind = self.layer.field(place).map(|field| field.kind);
        match (host, kind) {
            (Ok(Host::Address(IpAddr::V4(a))), Some(Kind::Ipv4)) => self.set(key, Setting::from(a.to_bits())),
            (Ok(Host::Address(IpAddr::V6(a))), Some(Kind::Ipv6)) => self.set(key, Setting::from(a.to_bits())),
            (Ok(Host::Address(address)), _) => {
                self.fail(BuildError::WrongFamily { name: alloc::format!("{address}"), address });
            }
            (Ok(Host::Name(name)), _) => self.names.push((place, name)),
            (Err(fault), _) => self.fail(fault),
        }
    }

    fn entry(&mut self, section: Section, text: &str) {
        match crate::dns::entry(section, text) {
            Ok(bytes) => crate::dns::insert(&mut self.layer, section, &bytes),
            Err(_) => self.fail(BuildError::EntryUnreadable { text: text.into() }),
        }
    }

    fn mac(&mut self, key: &'static str, mac: Result<MacAddr, BuildError>) {
        match mac {
            Ok(mac) => self.set(key, Setting::from(mac.to_u64())),
            Err(fault) => self.fail(fault),
        }
    }

    /// Adds flags to those set so far.
    fn add_flags(&mut self, letters: &str) {
        let Some(row) = self.layer.desc.fields.iter().position(|field| field.kind == Kind::Flags) else { return };
        let place = Place { part: Part::Header, row };
        let before = match self.layer.setting(place) {
            Setting::Exactly(bits) => bits,
            _ => 0,
        };
        match value::flags(&self.layer.desc.fields[row], letters) {
            Some(bits) => self.layer.set_at(place, Setting::Exactly(before | bits)),
            None => self.fail(BuildError::AddressUnreadable { text: letters.into() }),
        }
    }

    fn option(&mut self, key: &'static str, text: Option<&str>) {
        let Some(table) = self.layer.option_table() else { return };
        let Some(desc) = options::for_word(table, key, text.is_some()) else { return };
        // The values are numbers of the option's own widths.
        let _made = options::encode(table, desc, text, &mut self.layer.options);
    }

    fn raw_option(&mut self, kind: u8, bytes: &[u8]) {
        let Some(table) = self.layer.option_table() else { return };
        if options::push_option(table, kind.into(), bytes, &mut self.layer.options).is_err() {
            self.fail(BuildError::ValueTooLarge {
                layer: self.layer.key(),
                key: "opt",
                value: bytes.len() as u128,
                max: table.max as u128,
            });
        }
    }
}

/// A field that fills itself takes whatever may be set; any other takes its type.
macro_rules! setter {
    ($(#[doc = $doc:literal])* $setter:ident Setting $key:literal) => {
        $(#[doc = $doc])*
        pub fn $setter(mut self, value: impl Into<Setting>) -> Self {
            self.0.set($key, value.into());
            self
        }
    };
    ($(#[doc = $doc:literal])* $setter:ident $ty:tt $key:literal) => {
        $(#[doc = $doc])*
        pub fn $setter(mut self, value: $ty) -> Self {
            self.0.set($key, value.into());
            self
        }
    };
}

macro_rules! writers {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident = $table:ident {
            $( $(#[doc = $sdoc:literal])* $setter:ident($ty:tt) $key:literal; )*
        }
    )*) => {$(
        $(#[doc = $doc])*
        ///
        /// Setters are named as the keys of the packet language; what is not set fills itself or takes its default.
        #[derive(Clone, Debug)]
        #[must_use]
        pub struct $name(Written);

        impl $name {
            $( setter! { $(#[doc = $sdoc])* $setter $ty $key } )*

            /// The packet of this layer alone.
            #[must_use]
            pub fn packet(self) -> Packet {
                self.into()
            }

            /// Makes the bytes of this layer alone.
            ///
            /// # Errors
            /// As [`Packet::build`]; a bad address given to a setter is reported here.
            pub fn build(self, context: &Context) -> Result<Built, BuildError> {
                self.packet().build(context)
            }
        }

        impl From<$name> for Packet {
            fn from(written: $name) -> Self {
                let Written { layer, names, fault } = written.0;
                let names = names.into_iter().map(|(place, name)| NameAt { layer: 0, place, name }).collect();
                Self { layers: [layer].into(), names, fault, ..Self::default() }
            }
        }

        impl<T: Into<Packet>> Div<T> for $name {
            type Output = Packet;
            fn div(self, inner: T) -> Packet {
                Packet::from(self) / inner
            }
        }
    )*};
}

writers! {
    /// An Ethernet header being written; [`eth`] begins one.
    Eth = eth {
        /// The EtherType: the next layer's, unless set.
        type_(Setting) "type";
    }
    /// A VLAN tag being written; [`vlan`] begins one.
    Vlan = vlan {
        /// Priority, 0 to 7.
        pcp(Setting) "pcp";
        /// The EtherType: the next layer's, unless set.
        type_(Setting) "type";
    }
    /// A provider's VLAN tag being written; [`qinq`] begins one.
    Qinq = qinq {
        /// Priority, 0 to 7.
        pcp(Setting) "pcp";
        /// The EtherType: the next layer's, unless set.
        type_(Setting) "type";
    }
    /// An ARP packet being written; [`arp`] begins one.
    Arp = arp {
        /// The operation: 1 asks, 2 answers.
        op(Setting) "op";
    }
    /// An IPv4 header being written; [`ip`] begins one.
    Ip = ip {
        /// Version: 4.
        ver(Setting) "ver";
        /// Header length in units of 4 bytes: the right one.
        ihl(Setting) "ihl";
        /// Type of service: DSCP and ECN.
        tos(u8) "tos";
        /// Total length in bytes: the right one.
        len(Setting) "len";
        /// Identification: random.
        id(u16) "id";
        /// Do not fragment: true.
        df(bool) "df";
        /// More fragments: false.
        mf(bool) "mf";
        /// The reserved bit.
        evil(bool) "evil";
        /// Fragment offset in units of 8 bytes.
        off(Setting) "off";
        /// Time to live: 64.
        ttl(u8) "ttl";
        /// Protocol: the next layer's.
        proto(Setting) "proto";
        /// Header checksum: the right one.
        sum(Setting) "sum";
    }
    /// An IPv6 header being written; [`ip6`] begins one.
    Ip6 = ip6 {
        /// Version: 6.
        ver(Setting) "ver";
        /// Traffic class: DSCP and ECN.
        tc(u8) "tc";
        /// Flow label: random.
        flow(Setting) "flow";
        /// Payload length in bytes: the right one.
        len(Setting) "len";
        /// Next header: the next layer's.
        nh(Setting) "nh";
        /// Hop limit: 64, or what the protocol demands.
        hlim(u8) "hlim";
    }
    /// An ICMP message being written; [`icmp`] begins one.
    Icmp = icmp {
        /// Type: 8, echo. Set it before the fields of its body.
        type_(u8) "type";
        /// Code.
        code(u8) "code";
        /// Checksum: the right one.
        sum(Setting) "sum";
        /// Identifier of an echo: random.
        id(u16) "id";
        /// Sequence number of an echo.
        seq(u16) "seq";
        /// The next hop's MTU, in "fragmentation needed".
        mtu(u16) "mtu";
    }
    /// An ICMPv6 message being written; [`icmp6`] begins one.
    Icmp6 = icmp6 {
        /// Type: 128, echo. Set it before the fields of its body.
        type_(u8) "type";
        /// Code.
        code(u8) "code";
        /// Checksum: the right one.
        sum(Setting) "sum";
        /// Identifier of an echo: random.
        id(u16) "id";
        /// Sequence number of an echo.
        seq(u16) "seq";
        /// The MTU, in "packet too big".
        mtu(u32) "mtu";
    }
    /// A UDP header being written; [`udp`] begins one.
    Udp = udp {
        /// Source port: random.
        sport(u16) "sport";
        /// Length in bytes: the right one.
        len(Setting) "len";
        /// Checksum: the right one.
        sum(Setting) "sum";
    }
    /// A TCP header being written; [`tcp`] begins one.
    Tcp = tcp {
        /// Source port: random.
        sport(u16) "sport";
        /// Sequence number: random.
        seq(u32) "seq";
        /// Acknowledgment number: 0.
        ack(u32) "ack";
        /// Data offset in units of 4 bytes: the right one.
        doff(Setting) "doff";
        /// Window: 64240.
        win(u16) "win";
        /// Checksum: the right one.
        sum(Setting) "sum";
        /// Urgent pointer: 0.
        urg(u16) "urg";
    }
    /// A DNS message being written; [`dns`] begins one.
    Dns = dns {
        /// Identification: random.
        id(u16) "id";
        /// It is a response: it is not, unless set.
        qr(bool) "qr";
        /// Opcode: 0, query.
        opcode(u8) "opcode";
        /// An authority answers: no.
        aa(bool) "aa";
        /// The response was cut: no.
        tc(bool) "tc";
        /// The server is to ask others: yes.
        rd(bool) "rd";
        /// The server asks others: no.
        ra(bool) "ra";
        /// Response code: 0, no error.
        rcode(u8) "rcode";
        /// The number of questions: the right one.
        qdcount(Setting) "qdcount";
        /// The number of answers: the right one.
        ancount(Setting) "ancount";
    }
}

/// An Ethernet header: this interface's address, the next hop's, the next layer's type.
pub fn eth() -> Eth {
    Eth(Written::new(layers::eth()))
}

/// A VLAN tag for this VLAN.
pub fn vlan(vid: u16) -> Vlan {
    let mut written = Written::new(layers::vlan());
    written.set("vid", vid.into());
    Vlan(written)
}

/// A provider's VLAN tag (802.1ad) for this VLAN; the customer's tag follows it.
pub fn qinq(vid: u16) -> Qinq {
    let mut written = Written::new(layers::qinq());
    written.set("vid", vid.into());
    Qinq(written)
}

/// An ARP request for this address.
pub fn arp(target: impl IntoHost) -> Arp {
    let mut written = Written::new(layers::arp());
    written.host("tpa", target.into_host());
    Arp(written)
}

/// An IPv4 header to this host.
///
/// ```
/// use wirewright_craft::{Context, ip, tcp};
///
/// let packet = ip("192.0.2.2").src("192.0.2.1").ttl(33) / tcp(80).syn().mss(1460);
/// assert_eq!(packet.to_string(), "ip 192.0.2.2 src=192.0.2.1 ttl=33 / tcp :80 S mss=1460");
/// let built = packet.build(&Context::default())?;
/// assert_eq!(built.bytes.len(), 44);
///
/// // A bad address is kept as the error of `build`.
/// let packet = ip("192.0.2.256") / tcp(80);
/// assert_eq!(packet.build(&Context::default()).unwrap_err().code(), "address-unreadable");
/// # Ok::<(), wirewright_craft::BuildError>(())
/// ```
pub fn ip(destination: impl IntoHost) -> Ip {
    let mut written = Written::new(layers::ip());
    written.host("dst", destination.into_host());
    Ip(written)
}

/// An IPv6 header to this host.
pub fn ip6(destination: impl IntoHost) -> Ip6 {
    let mut written = Written::new(layers::ip6());
    written.host("dst", destination.into_host());
    Ip6(written)
}

/// An ICMP echo request, until another type is set.
pub fn icmp() -> Icmp {
    Icmp(Written::new(layers::icmp()))
}

/// An ICMPv6 echo request, until another type is set.
pub fn icmp6() -> Icmp6 {
    Icmp6(Written::new(layers::icmp6()))
}

/// A UDP header to this port.
pub fn udp(port: u16) -> Udp {
    let mut written = Written::new(layers::udp());
    written.set("dport", port.into());
    Udp(written)
}

/// A TCP header to this port: a SYN, until flags are set.
pub fn tcp(port: u16) -> Tcp {
    let mut written = Written::new(layers::tcp());
    written.set("dport", port.into());
    Tcp(written)
}

/// A DNS query for the IPv4 address of this name; the empty text asks nothing.
///
/// ```
/// use wirewright_craft::{dns, ip, udp};
///
/// let query = ip("192.0.2.53") / udp(53) / dns("example.com").kind("AAAA").edns(1232);
/// assert_eq!(query.to_string(), "ip 192.0.2.53 / udp :53 / dns example.com AAAA edns=1232");
/// ```
pub fn dns(name: &str) -> Dns {
    let mut written = Written::new(layers::dns());
    if !name.is_empty() {
        written.entry(Section::Question, &[name, ":A"].concat());
    }
    Dns(written)
}

impl Dns {
    /// The type of the first question, in words as `AAAA`, `TXT/CH`, `TYPE65400`.
    pub fn kind(mut self, kind: &str) -> Self {
        let layer = &mut self.0.layer;
        let question = Entries::new(&layer.options, layer.counts).next().filter(|it| it.section == Section::Question);
        match (question, crate::dns::kind_of(kind)) {
            (Some(question), Some((kind, class))) => {
                let at = question.name.end;
                layer.options[at..at + 2].copy_from_slice(&kind.to_be_bytes());
                layer.options[at + 2..at + 4].copy_from_slice(&class.to_be_bytes());
            }
            _ => self.0.fail(BuildError::EntryUnreadable { text: kind.into() }),
        }
        self
    }

    /// One more question: `example.com:A`.
    pub fn qd(mut self, question: &str) -> Self {
        self.0.entry(Section::Question, question);
        self
    }

    /// An answer: `example.com:A:300:192.0.2.1`.
    pub fn an(mut self, record: &str) -> Self {
        self.0.entry(Section::Answer, record);
        self
    }

    /// A record of the authority section.
    pub fn ns(mut self, record: &str) -> Self {
        self.0.entry(Section::Authority, record);
        self
    }

    /// A further record.
    pub fn ar(mut self, record: &str) -> Self {
        self.0.entry(Section::Additional, record);
        self
    }

    /// EDNS, with the largest UDP payload that is taken, in bytes.
    pub fn edns(self, size: u16) -> Self {
        self.ar(&alloc::format!(".:OPT:{size}"))
    }
}

impl Eth {
    /// The destination.
    pub fn dst(mut self, mac: impl IntoMac) -> Self {
        self.0.mac("dst", mac.into_mac());
        self
    }

    /// The source.
    pub fn src(mut self, mac: impl IntoMac) -> Self {
        self.0.mac("src", mac.into_mac());
        self
    }
}

impl Arp {
    /// The sender's Ethernet address.
    pub fn sha(mut self, mac: impl IntoMac) -> Self {
        self.0.mac("sha", mac.into_mac());
        self
    }

    /// The sender's IPv4 address.
    pub fn spa(mut self, host: impl IntoHost) -> Self {
        self.0.host("spa", host.into_host());
        self
    }

    /// The target's Ethernet address.
    pub fn tha(mut self, mac: impl IntoMac) -> Self {
        self.0.mac("tha", mac.into_mac());
        self
    }
}

impl Ip {
    /// The source: the route's, unless set.
    pub fn src(mut self, host: impl IntoHost) -> Self {
        self.0.host("src", host.into_host());
        self
    }

    /// An option of any kind.
    pub fn opt(mut self, kind: u8, value: &[u8]) -> Self {
        self.0.raw_option(kind, value);
        self
    }
}

impl Ip6 {
    /// The source: the route's, unless set.
    pub fn src(mut self, host: impl IntoHost) -> Self {
        self.0.host("src", host.into_host());
        self
    }
}

macro_rules! flag_setters {
    ($($(#[doc = $doc:literal])* $name:ident $letter:literal;)*) => {
        impl Tcp {
            $(
                $(#[doc = $doc])*
                pub fn $name(mut self) -> Self {
                    self.0.add_flags($letter);
                    self
                }
            )*
        }
    };
}
flag_setters! {
    /// Adds the flag FIN.
    fin "F";
    /// Adds the flag SYN.
    syn "S";
    /// Adds the flag RST.
    rst "R";
    /// Adds the flag PSH.
    psh "P";
    /// Adds the flags SYN and ACK.
    syn_ack "SA";
    /// Adds the flag ECE.
    ece "E";
    /// Adds the flag CWR.
    cwr "W";
}

impl Tcp {
    /// Adds flags by their letters, as in the packet language: `"SA"`, `"."`, `"none"`.
    pub fn flags(mut self, letters: &str) -> Self {
        self.0.add_flags(letters);
        self
    }

    /// Appends the maximum segment size.
    pub fn mss(mut self, bytes: u16) -> Self {
        self.0.option("mss", Some(&alloc::format!("{bytes}")));
        self
    }

    /// Appends the window scale.
    pub fn wscale(mut self, shift: u8) -> Self {
        self.0.option("wscale", Some(&alloc::format!("{shift}")));
        self
    }

    /// Appends SACK permitted.
    pub fn sack(mut self) -> Self {
        self.0.option("sack", None);
        self
    }

    /// Appends SACK blocks: left and right edge of each.
    pub fn sack_blocks(mut self, blocks: &[(u32, u32)]) -> Self {
        let text: Vec<String> = blocks.iter().map(|(left, right)| alloc::format!("{left}:{right}")).collect();
        self.0.option("sack", Some(&text.join(":")));
        self
    }

    /// Appends timestamps: value and echo.
    pub fn ts(mut self, value: u32, echo: u32) -> Self {
        self.0.option("ts", Some(&alloc::format!("{value}:{echo}")));
        self
    }

    /// Appends an MD5 signature; nothing checks it against a key.
    pub fn md5(mut self, digest: [u8; 16]) -> Self {
        self.0.option("md5", Some(&alloc::format!("{:#x}", u128::from_be_bytes(digest))));
        self
    }

    /// Appends the user timeout, in minutes or else in seconds: 15 bits.
    pub fn uto(mut self, minutes: bool, timeout: u16) -> Self {
        self.0.option("uto", Some(&alloc::format!("{}:{timeout}", u8::from(minutes))));
        self
    }

    /// Appends a Fast Open cookie; an empty one asks for it.
    pub fn tfo(self, cookie: &[u8]) -> Self {
        self.opt(34, cookie)
    }

    /// Appends a NOP.
    pub fn nop(mut self) -> Self {
        self.0.option("nop", None);
        self
    }

    /// Appends an end of list.
    pub fn eol(mut self) -> Self {
        self.0.option("eol", None);
        self
    }

    /// Appends an option of any kind.
    pub fn opt(mut self, kind: u8, value: &[u8]) -> Self {
        self.0.raw_option(kind, value);
        self
    }
}

macro_rules! payload_from {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Packet {
            /// A payload without layers.
            fn from(bytes: $ty) -> Self {
                let bytes: &[u8] = bytes.as_ref();
                Self { payload: Payload::Bytes(bytes.to_vec()), ..Self::default() }
            }
        }
    )*};
}
payload_from!(&[u8], &str, Vec<u8>);

impl<const N: usize> From<&[u8; N]> for Packet {
    /// A payload without layers.
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(&bytes[..])
    }
}

impl From<Payload> for Packet {
    fn from(payload: Payload) -> Self {
        Self { payload, ..Self::default() }
    }
}

impl Packet {
    /// Puts the layers of `inner` behind these.
    fn carry(&mut self, inner: Self) {
        let ends = (self.layers.last().map(Layer::key), inner.layers.first().map(Layer::key));
        if ends == (Some("tcp"), Some("dns")) {
            // RFC 1035 §4.2.2: in a stream a message has its length before it.
            self.layers.push(Layer::new(layers::dns_length()));
        }
        let shift = self.layers.len();
        self.layers.extend(inner.layers);
        self.names.extend(inner.names.into_iter().map(|at| NameAt { layer: at.layer + shift, ..at }));
        self.fault = self.fault.take().or(inner.fault);
        match (&self.payload, inner.payload) {
            (_, payload) if payload.is_empty() => {}
            (mine, payload) if mine.is_empty() => self.payload = payload,
            _ => self.fault = self.fault.take().or(Some(BuildError::PayloadTwice)),
        }
        self.trailer.extend(inner.trailer);
    }
}

impl<T: Into<Packet>> Div<T> for Packet {
    type Output = Self;

    /// Puts the layers of `inner` behind these; the length of a DNS message goes between TCP and it. A packet has one
    /// payload: a second is the error of `build`.
    fn div(mut self, inner: T) -> Self {
        self.carry(inner.into());
        self
    }
}
