//! Between whom a segment goes: the addresses of its pseudo-header, which are not always those of the IP header.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wirewright_wire::HeaderDesc;

use crate::layers;
use crate::options::{OptionItem, Options};

/// The addresses of a pseudo-header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The source: the home address, where a packet brings one (RFC 6275 §11.3.1).
    pub source: IpAddr,
    /// The destination: the last stop of a source route with stops left (RFC 791 §3.1, RFC 8200 §8.1).
    pub destination: IpAddr,
    /// There is a source route whose last stop cannot be told; `destination` is the next stop.
    pub destination_doubtful: bool,
}

/// The ends of what stands behind these headers: an IP header with its options, and the extension headers behind it.
/// `None` where the first is no IP header, or cut.
pub fn ends<'a>(mut headers: impl Iterator<Item = (&'static HeaderDesc, &'a [u8])>) -> Option<Ends> {
    let (desc, header) = headers.next()?;
    let is_ipv4 = core::ptr::eq(desc, layers::ip());
    let mut ends = if is_ipv4 {
        Ends {
            source: Ipv4Addr::from_bits(u32::from_be_bytes(at(header, 12)?)).into(),
            destination: Ipv4Addr::from_bits(u32::from_be_bytes(at(header, 16)?)).into(),
            destination_doubtful: false,
        }
    } else if core::ptr::eq(desc, layers::ip6()) {
        Ends { source: v6(header, 8)?, destination: v6(header, 24)?, destination_doubtful: false }
    } else {
        return None;
    };
    if is_ipv4 {
        if header.len() <= desc.len {
            return Some(ends);
        }
        let table = desc.options?;
        if let Some(value) = value_of(table, header.get(desc.len..)?, &["lsrr", "ssrr"]) {
            ends.follow(ipv4_route(value));
        }
        return Some(ends);
    }
    for (desc, header) in headers {
        match desc.key {
            "route" => ends.follow(ipv6_route(header)),
            "dstopt" => {
                let home = desc.options.and_then(|table| value_of(table, header.get(desc.len..)?, &["hao"]));
                ends.source = home.and_then(|value| v6(value, 0)).unwrap_or(ends.source);
            }
            _ => {}
        }
    }
    Some(ends)
}

/// What a source route says about the last stop.
enum Route {
    /// No stop is left: the destination is the last one.
    Done,
    /// The last stop.
    To(IpAddr),
    /// There are stops, and the last one cannot be told.
    Somewhere,
}

impl Ends {
    fn follow(&mut self, route: Route) {
        match route {
            Route::Done => {}
            Route::To(last) => self.destination = last,
            Route::Somewhere => self.destination_doubtful = true,
        }
    }
}

/// RFC 791 §3.1: pointer, counted from the option's first byte, and addresses.
fn ipv4_route(value: &[u8]) -> Route {
    let Some((&pointer, stops)) = value.split_first() else { return Route::Somewhere };
    if usize::from(pointer) > value.len() + 2 {
        return Route::Done;
    }
    // Addresses begin at 4, 8, 12…, and a whole one must stand where it points.
    let points_at_a_stop = pointer >= 4 && pointer.is_multiple_of(4) && usize::from(pointer) + 3 <= value.len() + 2;
    match stops.rchunks_exact(4).next().and_then(|last| at(last, 0)) {
        Some(last) if points_at_a_stop => Route::To(Ipv4Addr::from_bits(u32::from_be_bytes(last)).into()),
        _ => Route::Somewhere,
    }
}

/// RFC 8200 §4.4: what is left of it; the lists of types 0 and 2 end with the last stop, that of type 4 begins with it
/// (RFC 8754 §2).
fn ipv6_route(header: &[u8]) -> Route {
    let stops = header.get(8..).unwrap_or_default();
    let last = match (header.get(2), header.get(3)) {
        (_, None | Some(0)) => return Route::Done,
        (Some(0 | 2), _) => stops.rchunks_exact(16).next(),
        (Some(4), _) => stops.chunks_exact(16).next(),
        _ => None,
    };
    last.and_then(|last| v6(last, 0)).map_or(Route::Somewhere, Route::To)
}

/// The value of the first option of one of these keys.
fn value_of<'a>(table: &'static wirewright_wire::TlvDesc, area: &'a [u8], keys: &[&str]) -> Option<&'a [u8]> {
    let of = |item: &OptionItem| matches!(item, OptionItem::Known { desc } if keys.contains(&desc.key));
    let found = Options::new(table, area).find(|option| of(&option.item))?;
    area.get(found.value())
}

fn at<const N: usize>(bytes: &[u8], start: usize) -> Option<[u8; N]> {
    bytes.get(start..start + N)?.try_into().ok()
}

fn v6(bytes: &[u8], start: usize) -> Option<IpAddr> {
    Some(Ipv6Addr::from_bits(u128::from_be_bytes(at(bytes, start)?)).into())
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::{String, ToString};

    use crate::{First, parse, walk};

    /// The ends of the innermost layer, as text.
    fn of(line: &str) -> (String, String, bool) {
        let bytes = parse(line).unwrap().build(&crate::Context::default()).unwrap().bytes;
        let chain = walk(&bytes, First::Ip);
        let headers = chain.layers.iter().map(|it| (it.desc, &bytes[it.start..it.start + it.header_len]));
        let ends = super::ends(headers).unwrap();
        (ends.source.to_string(), ends.destination.to_string(), ends.destination_doubtful)
    }

    fn is(source: &str, destination: &str, doubtful: bool) -> (String, String, bool) {
        (source.into(), destination.into(), doubtful)
    }

    #[test]
    fn a_source_route_ends_at_its_last_stop() {
        let v4 = "ip 192.0.2.2 src=192.0.2.1";
        assert_eq!(of(&format!("{v4} lsrr=4:cb007101cb007109 / udp :9")), is("192.0.2.1", "203.0.113.9", false));
        assert_eq!(of(&format!("{v4} ssrr=12:cb007101cb007109 / udp :9")), is("192.0.2.1", "192.0.2.2", false));
        assert_eq!(of(&format!("{v4} lsrr=3:cb007101 / udp :9")), is("192.0.2.1", "192.0.2.2", true));
        assert_eq!(of(&format!("{v4} rr=4:cb007101cb007109 / udp :9")), is("192.0.2.1", "192.0.2.2", false));
    }

    #[test]
    fn a_routing_header_and_a_home_address_change_the_ends() {
        let route = |words: &str| of(&format!("ip6 2001:db8::2 src=2001:db8::1 / {words} / udp :9"));
        let stops = "20010db800000000000000000000000a20010db800000000000000000000000b";
        let near = "2001:db8::1";
        assert_eq!(route(&format!("route type=0 left=2 opts={stops}")), is(near, "2001:db8::b", false));
        assert_eq!(route(&format!("route type=4 left=1 opts={stops}")), is(near, "2001:db8::a", false));
        assert_eq!(route(&format!("route type=0 left=0 opts={stops}")), is(near, "2001:db8::2", false));
        assert_eq!(route(&format!("route type=3 left=1 opts={stops}")), is(near, "2001:db8::2", true));
        assert_eq!(route("dstopt hao=2001:db8::77"), is("2001:db8::77", "2001:db8::2", false));
    }
}
