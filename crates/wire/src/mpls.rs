//! RFC 3032 §2.1: an entry of an MPLS label stack. Entries follow one another; the last one says that it is.

use crate::{Auto, Name};

header! {
    "mpls" 4 bytes "MPLS label stack entry" "RFC 3032 §2.1" => shark("mpls") => also(&["label", "mpls_label", "mplscw"]);
    /// The label; 0 to 15 are reserved.
    label: u32 = 20 bits "label" .default(16).names(LABELS).shark("mpls.label").also(&["lbl", "mpls_label"]);
    /// Traffic class (RFC 5462): priority, and marks of congestion.
    traffic_class: u8 = 3 bits "tc" .shark("mpls.exp").also(&["exp", "cos", "traffic_class", "mpls_exp"]);
    /// Bottom of stack: no further entry follows.
    bottom: bool = 1 bits "s" .auto(Auto::Next).selects_next().shark("mpls.bottom").also(&["bos", "bottom", "mpls_bos"]);
    /// Time to live, in hops.
    ttl: u8 = 8 bits "ttl" .default(64).shark("mpls.ttl").also(&["time_to_live", "mpls_ttl", "hops"]);
}

/// Words for the reserved labels (IANA).
pub static LABELS: &[Name] = &[
    Name::new(0, "explicit0", "IPv4 explicit null").also(&["explicit_null"]),
    Name::new(1, "alert", "router alert").also(&["router_alert"]),
    Name::new(2, "explicit0v6", "IPv6 explicit null"),
    Name::new(3, "implicit0", "implicit null").also(&["implicit_null"]),
    Name::new(7, "eli", "entropy label indicator, RFC 6790"),
    Name::new(13, "gal", "generic associated channel, RFC 5586"),
    Name::new(14, "oam", "OAM alert, RFC 3429"),
    Name::new(15, "extension", "extension, RFC 7274"),
];
