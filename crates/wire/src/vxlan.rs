//! RFC 7348 §5: VXLAN: a whole Ethernet frame in a UDP datagram, and the number of the network that it belongs to.

/// The port of UDP by which it is known (RFC 7348 §5). The source port is any that spreads flows.
pub const PORT: u16 = 4789;

header! {
    "vxlan" 8 bytes "Virtual eXtensible Local Area Network" "RFC 7348 §5"
        => shark("vxlan") => port(PORT) => carries(&crate::ethernet::DESC) => also(&["vtep", "vxlan_gpe", "vxlangpe"]);
    /// Reserved.
    reserved: u8 = 4 bits "res" .reserved().also(&["reserved0", "r"]);
    /// The network's number is valid: always set.
    valid: bool = 1 bits "i" .bare().default(1).shark("vxlan.flag_i").also(&["flags", "instance", "vni_valid"]);
    /// Reserved.
    reserved_flags: u8 = 3 bits "res2" .reserved().also(&["reserved1"]);
    /// Reserved.
    reserved_bits: u32 = 24 bits "res3" .hex().reserved().also(&["gpid", "gpflags"]);
    /// VXLAN network identifier: which of 16 million virtual networks the frame belongs to.
    vni: u32 = 24 bits "vni" .shark("vxlan.vni").also(&["vxlan_id", "vnid", "network", "id", "segment"]);
    /// Reserved.
    reserved_last: u8 = 8 bits "res4" .reserved().shark("vxlan.reserved8").also(&["reserved2"]);
}
