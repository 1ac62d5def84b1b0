//! RFC 2784, RFC 2890: Generic Routing Encapsulation: any packet carried in IP, announced by its EtherType.
//!
//! Checksum, key and sequence number are each there when their bit is set: [`VARIANTS`] are the eight forms of what stands
//! behind the first four bytes. The source routes of RFC 1701 and the other header of PPTP (version 1, RFC 2637) are not read.

use crate::desc::rows_of_form;
use crate::ethernet::ETHER_TYPES;
use crate::{Auto, FieldDesc, HeaderDesc, Kind, Variant};

header! {
    "gre" 4 bytes "Generic Routing Encapsulation" "RFC 2784 §2.1"
        => variants(&VARIANTS) => chooser(&CHOOSER) => shark("gre") => also(&["gretap", "ip_gre", "nvgre", "gre_pptp"]);
    /// The checksum is there.
    checksum_present: bool = 1 bits "c" .bare().auto(Auto::Present).shark("gre.flags.checksum").also(&["chksum_present", "csum"]);
    /// Reserved; a source route followed in RFC 1701.
    routing_present: bool = 1 bits "r" .bare().reserved().shark("gre.flags.routing").also(&["routing_present", "routing"]);
    /// The key is there.
    key_present: bool = 1 bits "k" .bare().auto(Auto::Present).shark("gre.flags.key").also(&["key_present"]).rfc("RFC 2890 §2");
    /// The sequence number is there.
    sequence_present: bool = 1 bits "s" .bare().auto(Auto::Present).shark("gre.flags.sequence_number")
        .also(&["seqnum_present", "sequence_present"]).rfc("RFC 2890 §2");
    /// Reserved.
    reserved: u16 = 9 bits "res0" .hex().reserved().also(&["reserved0", "flags", "recursion_control"]);
    /// The version: 0.
    version: u8 = 3 bits "ver" .shark("gre.flags.version").also(&["version"]);
    /// The EtherType of what it carries.
    protocol_type: u16 = 16 bits "type" .hex().auto(Auto::Next).selects_next().names(ETHER_TYPES).shark("gre.proto")
        .also(&["proto", "protocol", "protocol_type", "ethertype", "etype"]);
}

/// What may stand behind the first four bytes.
pub mod optional {
    use crate::{Auto, SumOver};

    header! {
        "gre.optional" 12 bytes "Optional fields" "RFC 2784 §2.1";
        /// Checksum of this header and all that it carries.
        checksum: u16 = 16 bits "sum" .hex().auto(Auto::Checksum(SumOver::Message)).flag("c").shark("gre.checksum")
            .also(&["chksum", "checksum", "cksum", "check"]);
        /// Reserved.
        reserved: u16 = 16 bits "res1" .reserved().flag("c").shark("gre.offset").also(&["offset", "reserved1"]);
        /// Tells apart the flows in one tunnel.
        key: u32 = 32 bits "key" .flag("k").shark("gre.key").also(&["gre_key", "okey", "ikey", "tunnel_key"]).rfc("RFC 2890 §2.1");
        /// Numbers the packets of the tunnel, from 0.
        sequence: u32 = 32 bits "seq" .flag("s").shark("gre.sequence_number")
            .also(&["seqnum", "seqence_number", "sequence_number", "sequence", "oseq"]).rfc("RFC 2890 §2.2");
    }
}

/// The first four bits: checksum, routing, key, sequence number.
static CHOOSER: FieldDesc = FieldDesc::new("present", "present", "gre.present", 0, 4, Kind::Number);

/// Which fields there are in a form, by three bits: checksum, key, sequence number.
const fn there(form: usize) -> [bool; 4] {
    let (sum, key, seq) = (form & 4 != 0, form & 2 != 0, form & 1 != 0);
    [sum, sum, key, seq]
}

static ROWS: [[FieldDesc; 4]; 8] = {
    let mut rows = [rows_of_form(optional::FIELDS, there(0)); 8];
    let mut form = 1;
    while form < 8 {
        rows[form] = rows_of_form(optional::FIELDS, there(form));
        form += 1;
    }
    rows
};

static BODIES: [HeaderDesc; 8] = {
    let mut bodies = [optional::DESC.form(&ROWS[0], 0); 8];
    let mut form = 1;
    while form < 8 {
        bodies[form] = optional::DESC.form(&ROWS[form], 4 * form.count_ones() as usize);
        form += 1;
    }
    bodies
};

/// The forms, the whole one first; the second bit of their values is the reserved one.
pub static VARIANTS: [Variant; 8] = [
    Variant::new(&[0b1011, 0b1111], &BODIES[7]).whole(),
    Variant::new(&[0b1010, 0b1110], &BODIES[6]).short(),
    Variant::new(&[0b1001, 0b1101], &BODIES[5]).short(),
    Variant::new(&[0b0011, 0b0111], &BODIES[3]).short(),
    Variant::new(&[0b1000, 0b1100], &BODIES[4]).short(),
    Variant::new(&[0b0010, 0b0110], &BODIES[2]).short(),
    Variant::new(&[0b0001, 0b0101], &BODIES[1]).short(),
    Variant::new(&[0b0000, 0b0100], &BODIES[0]).short(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_the_fields_of_its_bits_one_behind_the_other() {
        for bits in 0..16u8 {
            let mut message = [0; 16];
            message[0] = bits << 4;
            let form = DESC.variant_of(&message).expect("every combination of bits has its form");
            assert!(form.is_for(bits.into()));
            let mut end = 0;
            for field in form.body.fields {
                let flag = DESC.field(field.flag).expect("each field has its bit");
                assert_eq!(flag.read(&message) == Some(1), field.is_there(), "{bits:04b} {}", field.key);
                assert_eq!(field.offset, end, "{bits:04b} {}", field.key);
                end += field.bits;
            }
            assert_eq!(form.body.len * 8, end, "{bits:04b}");
        }
    }
}
