//! Words that stand for hosts: addresses, with or without a port, and names.

use alloc::string::String;
use core::net::{IpAddr, Ipv6Addr};

use crate::packet::Host;
use crate::{generator, value};

/// The longest host name, RFC 1035 §2.3.4.
const NAME_MAX: usize = 253;
/// The longest label of a host name, RFC 1035 §2.3.4.
const LABEL_MAX: usize = 63;

/// Reads `ADDR`, `ADDR:PORT`, `[ADDR]`, `[ADDR]:PORT`: the address, and the port's text.
pub(super) fn address(word: &str) -> Option<(IpAddr, Option<&str>)> {
    if let Some(inside) = word.strip_prefix('[') {
        let (address, behind) = inside.split_once(']')?;
        let address = address.parse::<Ipv6Addr>().ok()?;
        return match behind.strip_prefix(':') {
            Some(port) => Some((address.into(), Some(port))),
            None => behind.is_empty().then_some((address.into(), None)),
        };
    }
    if let Some(address) = value::ipv4(word) {
        return Some((address.into(), None));
    }
    if let Some((address, port)) = word.split_once(':')
        && let Some(address) = value::ipv4(address)
    {
        return Some((address.into(), Some(port)));
    }
    word.parse::<Ipv6Addr>().ok().map(|address| (address.into(), None))
}

/// The address that a text begins with: itself, or the first of those that it stands for.
pub(super) fn any_address(text: &str) -> Option<IpAddr> {
    match address(text) {
        Some((address, port)) => port.is_none().then_some(address),
        None if text == "rand" => None,
        None => generator::addresses(text, false)?.ok().filter(|it| it.port.is_none()).map(|it| it.first),
    }
}

/// Whether a text can be a host name: labels of letters, digits, `-` and `_`, the last one beginning with a letter.
pub(super) fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_MAX
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    let last = text.rsplit('.').next().unwrap_or("");
    text.len() <= NAME_MAX && text.split('.').all(label) && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Whether a text looks as if an IPv4 address were meant: digits and dots, or four parts of which most are numbers.
pub(super) fn is_like_ipv4(text: &str) -> bool {
    let text = text.split_once(':').map_or(text, |(host, _)| host);
    let numeric = text.split('.').filter(|part| part.starts_with(|c: char| c.is_ascii_digit())).count();
    text.contains('.') && (text.bytes().all(|b| b.is_ascii_digit() || b == b'.') || numeric >= 3)
}

/// An IPv4 address as it was probably meant: leading zeros taken away, a comma for a dot, a range as nmap writes it.
pub(super) fn mended_ipv4(text: &str) -> Option<String> {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let behind = || port.map_or_else(String::new, |port| [":", port].concat());
    if let Some(range) = generator::address_field(false).and_then(|field| generator::from_dashes(field, host)) {
        return Some(range + &behind());
    }
    let host = host.replace(',', ".");
    let parts = host.split('.').map(|part| {
        let bare = part.trim_start_matches('0');
        if bare.is_empty() && !part.is_empty() { "0" } else { bare }
    });
    let mended = parts.collect::<alloc::vec::Vec<_>>().join(".");
    value::ipv4(&mended)?;
    Some(mended + &behind())
}

/// An IPv6 address that ends like a port, taken apart: `2001:db8::2:80` is an address, and `2001:db8::2 :80` was meant.
pub(super) fn glued_port(word: &str) -> Option<(String, String)> {
    word.parse::<Ipv6Addr>().ok()?;
    let (address, port) = word.rsplit_once(':')?;
    let decimal = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    (decimal && address.parse::<Ipv6Addr>().is_ok()).then(|| (address.into(), [":", port].concat()))
}

/// The host that a text stands for where an address is wanted; `None` when it is neither address nor name.
pub(crate) fn host(text: &str) -> Option<Host> {
    if let Some((address, None)) = address(text) {
        return Some(Host::Address(address));
    }
    is_name(text).then(|| Host::Name(text.into()))
}
