//! RFC 2236, RFC 3376: the Internet Group Management Protocol: which groups of IPv4 the hosts of a link want to hear.
//!
//! Messages go no further than the link: an unset TTL is 1. Two things stay with who writes the packet, because no layer sets
//! what another one has: the Router Alert option that versions 2 and 3 ask for (`ip 224.0.0.22 ra=0 / igmp report3`; some hosts
//! and switches drop messages without it), and the destination: 224.0.0.1 for a general query, the group for a query about it
//! and for a report of versions 1 and 2, 224.0.0.2 for a leave, 224.0.0.22 for a report of version 3.

use crate::desc::rows_of_form;
use crate::{Auto, FieldDesc, HeaderDesc, Name, SumOver, Variant};

/// Its messages go no further than the link (RFC 2236 §2, RFC 3376 §4).
pub const HOP_LIMIT: u8 = 1;

/// In a query hosts have 10 seconds (RFC 2236 §8.3, RFC 3376 §8.3); with 0 it would be one of version 1.
const RESPONSE_DEFAULT: u128 = 100;

header! {
    "igmp" 4 bytes "Internet Group Management Protocol" "RFC 3376 §4"
        => variants(&VARIANTS) => shark("igmp") => also(&["igmpv1", "igmpv2", "igmpv3", "igmp3"]);
    /// What kind of message it is; it chooses the body.
    message_type: u8 = 8 bits "type" .default(0x11).selects_next().names(TYPES).shark("igmp.type").also(&["igmp_type", "igmptype", "kind"]);
    /// Within how many tenths of a second a report must come; from 128 on a mantissa and an exponent.
    maximum_response: u8 = 8 bits "resp" .shark("igmp.max_resp").also(&["mrtime", "mrcode", "max_resp", "code", "igmp_code"]);
    /// The checksum of the message.
    checksum: u16 = 16 bits "sum" .hex().auto(Auto::Checksum(SumOver::Message)).shark("igmp.checksum")
        .also(&["chksum", "csum", "checksum", "cksum", "check", "igmp_cksum"]);
}

/// Words for message types.
pub static TYPES: &[Name] = &[
    Name::new(0x11, "query", "membership query").also(&["membership_query", "general_query", "group_query"]),
    Name::new(0x12, "report1", "membership report, version 1").also(&["v1_report", "report_v1"]),
    Name::new(0x16, "report", "membership report, version 2").also(&[
        "report2",
        "v2_report",
        "report_v2",
        "join",
        "membership_report",
    ]),
    Name::new(0x17, "leave", "leave group").also(&["leave_group"]),
    Name::new(0x22, "report3", "membership report, version 3").also(&["v3_report", "report_v3"]),
];

/// Reports of versions 1 and 2, and the leaving of a group.
pub mod member {
    use core::net::Ipv4Addr;

    header! {
        "igmp.member" 4 bytes "Group" "RFC 2236 §2";
        /// The group that is reported or left.
        group: Ipv4Addr = 32 bits "group" .shark("igmp.maddr").also(&["gaddr", "maddr", "group_address"]);
    }
}

/// The query of version 3; those of versions 1 and 2 end behind the group.
pub mod query {
    use core::net::Ipv4Addr;

    use crate::Auto;

    tlv! {
        /// The sources that a query is about.
        SOURCES "sources" Entries align 1 max 65535 "RFC 3376 §4.1.9" "igmp";
        0 "source" "Source" Entry(4) "" "RFC 3376 §4.1.9" also ["srcaddrs", "saddr", "source_address"] {
            address: Ipv4Addr = 32 bits "address" .shark("igmp.saddr").also(&["source_address"]);
        }
    }

    header! {
        "igmp.query" 8 bytes "Membership query" "RFC 3376 §4.1" => options(&SOURCES);
        /// The group asked about; 0.0.0.0 in a general query.
        group: Ipv4Addr = 32 bits "group" .shark("igmp.maddr").also(&["gaddr", "maddr", "group_address"]);
        /// Reserved.
        reserved: u8 = 4 bits "res" .reserved().also(&["resv", "reserved"]);
        /// Routers that hear it shall not start their timers.
        suppress: bool = 1 bits "s" .bare().shark("igmp.s").also(&["suppress", "sflag"]);
        /// The querier's robustness variable: how many lost packets its timers allow for.
        robustness: u8 = 3 bits "qrv" .default(2).shark("igmp.qrv").also(&["robustness", "robustness_variable"]);
        /// The querier's query interval in seconds; from 128 on a mantissa and an exponent.
        interval: u8 = 8 bits "qqic" .default(125).shark("igmp.qqic").also(&["query_interval", "qqi"]);
        /// How many sources follow.
        sources: u16 = 16 bits "nsrc" .auto(Auto::Entries(4)).shark("igmp.num_src").also(&["numsrc", "num_src", "number_of_sources"]);
    }
}

/// The report of version 3.
pub mod report {
    use core::net::Ipv4Addr;

    use crate::{Auto, FieldDesc, Kind, LengthOf};

    /// The sources of a record.
    const SOURCES: &[FieldDesc] =
        &[FieldDesc::new("address", "source", "igmp.record.source", 0, 32, Kind::Ipv4).shark("igmp.saddr")];

    tlv! {
        /// What a host wants to hear of each group.
        RECORDS "group records" Entries align 1 max 65535 "RFC 3376 §4.2" "igmp";
        0 "record" "Group record" Counted "" "RFC 3376 §4.2.4" also ["records", "igmpv3gr", "grec"] then SOURCES {
            record_type: u8 = 8 bits "type" .names(super::RECORD_TYPES).shark("igmp.record_type").also(&["rtype"]);
            auxiliary: u8 = 8 bits "auxlen" .auto(Auto::Length(LengthOf::Words)).shark("igmp.aux_data_len").also(&["auxdlen"]);
            sources: u16 = 16 bits "nsrc" .auto(Auto::Entries(4)).shark("igmp.num_src").also(&["numsrc"]);
            group: Ipv4Addr = 32 bits "group" .shark("igmp.maddr").also(&["maddr"]);
        }
    }

    header! {
        "igmp.report3" 4 bytes "Membership report, version 3" "RFC 3376 §4.2" => options(&RECORDS);
        /// Reserved.
        reserved: u16 = 16 bits "res" .reserved().also(&["res2", "reserved"]);
        /// How many records follow.
        records: u16 = 16 bits "nrec" .auto(Auto::Records).shark("igmp.num_grp_recs").also(&["numgrp", "records_count"]);
    }
}

/// Words for the types of records (RFC 3376 §4.2.12, RFC 3810 §5.2.12).
pub static RECORD_TYPES: &[Name] = &[
    Name::new(1, "include", "hears only these sources").also(&["mode_is_include", "is_in"]),
    Name::new(2, "exclude", "hears all but these sources").also(&["mode_is_exclude", "is_ex"]),
    Name::new(3, "toinclude", "hears only these sources from now on").also(&["change_to_include_mode", "to_in"]),
    Name::new(4, "toexclude", "hears all but these sources from now on").also(&["change_to_exclude_mode", "to_ex"]),
    Name::new(5, "allow", "hears these sources too").also(&["allow_new_sources"]),
    Name::new(6, "block", "hears these sources no more").also(&["block_old_sources"]),
];

static SHORT_ROWS: [FieldDesc; 6] = rows_of_form(query::FIELDS, [true, false, false, false, false, false]);
static SHORT: HeaderDesc = query::DESC.form(&SHORT_ROWS, 4).without_options();

/// The bodies by message type. A query of 12 bytes and more is one of version 3 (RFC 3376 §7.1).
pub static VARIANTS: [Variant; 4] = [
    Variant::new(&[0x11], &query::DESC).hop_limit(HOP_LIMIT).preset("resp", RESPONSE_DEFAULT).whole().least(query::LEN),
    Variant::new(&[0x11], &SHORT).hop_limit(HOP_LIMIT).preset("resp", RESPONSE_DEFAULT).short(),
    Variant::new(&[0x12, 0x16, 0x17], &member::DESC).hop_limit(HOP_LIMIT),
    Variant::new(&[0x22], &report::DESC).hop_limit(HOP_LIMIT),
];
