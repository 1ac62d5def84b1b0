//! RFC 2710, RFC 3810: multicast listener discovery, versions 1 and 2.

use core::net::Ipv6Addr;

use crate::desc::rows_of_form;
use crate::{FieldDesc, HeaderDesc};

/// Its messages go no further than the link, and routers believe only hop limit 1 (RFC 2710 §3, RFC 3810 §5).
pub const HOP_LIMIT: u8 = 1;

header! {
    "icmp6.mld" 20 bytes "Multicast listener discovery" "RFC 2710 §3";
    /// Within how many milliseconds a report must come (queries only).
    maximum_delay: u16 = 16 bits "delay" .shark("icmpv6.mld.maximum_response_delay").also(&["mrd", "max_delay"]);
    /// Reserved.
    reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.reserved").also(&["reserved"]);
    /// The multicast address; `::` in a general query.
    group: Ipv6Addr = 128 bits "group" .shark("icmpv6.mld.multicast_address").also(&["mladdr", "multicast_address"]);
}

/// The query of version 2; that of version 1 ends behind the group.
pub mod query {
    use core::net::Ipv6Addr;

    use crate::Auto;

    tlv! {
        /// The sources that a query is about.
        SOURCES "sources" Entries align 1 max 65535 "RFC 3810 §5.1.10" "icmp6";
        0 "source" "Source" Entry(16) "" "RFC 3810 §5.1.10" also ["sources", "source_address"] {
            address: Ipv6Addr = 128 bits "address" .shark("icmpv6.mld.source_address").also(&["source_address"]);
        }
    }

    header! {
        "icmp6.mldquery" 24 bytes "Multicast listener query" "RFC 3810 §5.1" => options(&SOURCES);
        /// Within how many milliseconds a report must come; in version 2 from 32768 on a mantissa and an exponent.
        maximum_response: u16 = 16 bits "delay" .default(10_000).shark("icmpv6.mld.maximum_response_code").also(&["mrd", "mrcode", "max_delay"]);
        /// Reserved.
        reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.reserved").also(&["reserved"]);
        /// The multicast address asked about; `::` in a general query.
        group: Ipv6Addr = 128 bits "group" .shark("icmpv6.mld.multicast_address").also(&["mladdr", "multicast_address"]);
        /// Reserved.
        reserved_flags: u8 = 4 bits "res2" .reserved().shark("icmpv6.mld.flag.reserved").also(&["resv"]);
        /// Routers that hear it shall not start their timers.
        suppress: bool = 1 bits "s" .bare().shark("icmpv6.mld.flag.s").also(&["suppress", "sflag"]);
        /// The querier's robustness variable: how many lost packets its timers allow for.
        robustness: u8 = 3 bits "qrv" .default(2).shark("icmpv6.mld.flag.qrv").also(&["robustness", "robustness_variable"]);
        /// The querier's query interval in seconds; from 128 on a mantissa and an exponent.
        interval: u8 = 8 bits "qqic" .default(125).shark("icmpv6.mld.qqi").also(&["query_interval", "qqi"]);
        /// How many sources follow.
        sources: u16 = 16 bits "nsrc" .auto(Auto::Entries(16)).shark("icmpv6.mld.nb_sources").also(&["sources_number", "number_of_sources"]);
    }
}

static QUERY_V1_ROWS: [FieldDesc; 8] = {
    let mut rows = rows_of_form(query::FIELDS, [true, true, true, false, false, false, false, false]);
    // In version 1 it is a plain number, and Wireshark has another name for it.
    rows[0] = rows[0].shark("icmpv6.mld.maximum_response_delay");
    rows
};
/// The query of version 1.
pub(super) static QUERY_V1: HeaderDesc = query::DESC.form(&QUERY_V1_ROWS, LEN).without_options();

/// The report of version 2.
pub mod report {
    use core::net::Ipv6Addr;

    use crate::igmp::RECORD_TYPES;
    use crate::{Auto, FieldDesc, Kind, LengthOf};

    /// The sources of a record.
    const SOURCES: &[FieldDesc] = &[FieldDesc::new("address", "source", "icmp6.record.source", 0, 128, Kind::Ipv6)
        .shark("icmpv6.mldr.mar.source_address")];

    tlv! {
        /// What a host wants to hear of each multicast address.
        RECORDS "multicast address records" Entries align 1 max 65535 "RFC 3810 §5.2" "icmp6";
        0 "record" "Multicast address record" Counted "" "RFC 3810 §5.2.4" also ["records", "icmpv6mldmultaddrrec", "mar"] then SOURCES {
            record_type: u8 = 8 bits "type" .names(RECORD_TYPES).shark("icmpv6.mldr.mar.record_type").also(&["rtype"]);
            auxiliary: u8 = 8 bits "auxlen" .auto(Auto::Length(LengthOf::Words)).shark("icmpv6.mldr.mar.aux_data_len").also(&["auxdata_len"]);
            sources: u16 = 16 bits "nsrc" .auto(Auto::Entries(16)).shark("icmpv6.mldr.mar.nb_sources").also(&["sources_number"]);
            group: Ipv6Addr = 128 bits "group" .shark("icmpv6.mldr.mar.multicast_address").also(&["dst"]);
        }
    }

    header! {
        "icmp6.mld2report" 4 bytes "Multicast listener report, version 2" "RFC 3810 §5.2" => options(&RECORDS);
        /// Reserved.
        reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.reserved").also(&["reserved"]);
        /// How many records follow.
        records: u16 = 16 bits "nrec" .auto(Auto::Records).shark("icmpv6.mldr.nb_mcast_records").also(&["records_number", "numrec"]);
    }
}
