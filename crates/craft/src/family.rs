//! An IP layer whose version is open becomes IPv6.

use wirewright_wire::HeaderDesc;

use crate::layers;
use crate::packet::Layer;

/// Keys of `ip` and what `ip6` calls them.
const SAME: &[(&str, &str)] =
    &[("tos", "tc"), ("ttl", "hlim"), ("proto", "nh"), ("src", "src"), ("dst", "dst"), ("ver", "ver")];

/// The key of `desc` for a key that reaches the IP layer below, whichever version it is.
pub(crate) fn key_in(desc: &'static HeaderDesc, key: &'static str) -> &'static str {
    if desc.key != "ip6" {
        return key;
    }
    SAME.iter().find(|(v4, _)| *v4 == key).map_or(key, |(_, v6)| v6)
}

/// The IPv6 layer with the same settings. Only keys that both have are carried over: no other can be set while the version
/// is open.
pub(crate) fn to_ip6(layer: &Layer) -> Layer {
    let mut made = Layer::new(layers::ip6());
    for (place, field, setting) in layer.rows() {
        let _ = place;
        if let Some((_, key)) = SAME.iter().find(|(v4, _)| *v4 == field.key) {
            let _known = made.set(key, setting);
        }
    }
    made
}
