//! Which test holds which row of `kernel-facts.md` §1, what Linux does with hand-made packets: an index that cannot go stale.

use wirewright_tests::{Ground, Outcome, Scenario, ensure};

use crate::ways::RAW_ROWS;

/// What holds a row.
enum HeldBy {
    /// These scenarios, by the end of their names.
    Tests(&'static [&'static str]),
    /// These lines of `raw_rows.py`, which the scenario [`BESIDE`] runs.
    Lines(&'static [&'static str]),
}

/// The scenario that runs `raw_rows.py`.
const BESIDE: &str = "ways::rows_that_no_way_of_ours_uses_hold_too";

use HeldBy::{Lines, Tests};

/// What a raw socket with its own header does to IPv4.
const IPV4: &[(&str, HeldBy)] = &[
    ("total length 0 or 9999: corrected", Tests(&[REWRITES, EXACTLY])),
    ("checksum, anything: corrected", Tests(&[REWRITES, EXACTLY])),
    ("id 0: random", Tests(&[REWRITES, EXACTLY])),
    ("id 0 with DF: stays 0", Tests(&[REWRITES])),
    ("id, TOS, TTL, protocol, evil bit, MF, offset, options: as given", Tests(&[REWRITES])),
    ("source 0.0.0.0: the route's", Tests(&[REWRITES, EXACTLY])),
    ("source spoofed, or 127.0.0.1: as given", Tests(&[REWRITES])),
    (
        "destination other than sendto's: as given",
        Tests(&[
            "ways::handed_to_a_host_on_the_link_it_goes_to_that_host",
            "ways::by_a_gateway_the_address_handed_over_decides",
        ]),
    ),
    ("version 0 or 6: as given", Tests(&[REWRITES])),
    ("ihl < 5, ihl*4 > bytes, < 20 bytes: EINVAL", Tests(&[REFUSALS])),
    ("longer than the MTU: EMSGSIZE", Tests(&[REFUSALS, "link::send_errors::too_large_names_the_mtu"])),
    ("the same with IP_PMTUDISC_DONT", Lines(&["longer than the MTU: EMSGSIZE, even with IP_PMTUDISC_DONT"])),
    ("IP_TTL: ignored", Lines(&["IP_TTL is ignored"])),
    ("IP_HDRINCL off on IPPROTO_RAW", Lines(&["IP_HDRINCL off on IPPROTO_RAW: a second header, protocol 255"])),
    ("SO_BINDTODEVICE lo", Lines(&["SO_BINDTODEVICE lo towards a remote address: ok, and nothing leaves"])),
    ("broadcast without SO_BROADCAST: EACCES", Lines(&["broadcast without SO_BROADCAST: EACCES"])),
    (
        "without HDRINCL: fragmented, DF, EMSGSIZE",
        Lines(&[
            "without HDRINCL small packets get DF",
            "without HDRINCL 2000 bytes are fragmented",
            "with IP_PMTUDISC_DO: EMSGSIZE",
        ]),
    ),
    ("nothing repairs what follows the IP header", Tests(&["tour::it_is_quick_and_leaves_no_trace"])),
];

/// Raw IPv6.
const IPV6: &[(&str, HeldBy)] = &[
    (
        "protocol 255: nothing is filled",
        Tests(&["ways::raw_ipv6_keeps_everything", "link::read_back::raw_ipv6_leaves_as_given"]),
    ),
    ("above the MTU: EMSGSIZE", Tests(&[REFUSALS])),
    ("a port that is not the protocol: EINVAL", Lines(&["raw IPv6, a port that is not the protocol: EINVAL"])),
    ("raw ICMPv6: the kernel computes the checksum", Lines(&["raw ICMPv6: the kernel computes the checksum"])),
    (
        "raw TCP: not computed unless IPV6_CHECKSUM",
        Lines(&["raw TCP over IPv6: the checksum goes out as given", "unless IPV6_CHECKSUM is set"]),
    ),
];

/// Receiving on raw sockets.
const RECEIVING: &[(&str, HeldBy)] = &[
    ("IPPROTO_RAW only sends", Lines(&["IPPROTO_RAW hears nothing while another raw socket does"])),
    ("raw TCP behind the guard: every segment", Tests(&["link::guard::a_hand_made_client_lives"])),
    ("and those of other flows: filter", Tests(&["link::receive::strangers_do_not_pass_the_filter"])),
    ("IPv4 with its header", Lines(&["raw IPv4 comes with its header"])),
    ("IPv6 without", Lines(&["raw IPv6 comes without its header"])),
    ("IPv6, the header rebuilt", Tests(&["link::receive::a_rebuilt_ipv6_header_is_the_one_that_came"])),
    ("fragments already joined", Lines(&["fragments arrive already joined"])),
    ("on lo own packets are seen twice", Lines(&["on lo a packet is seen twice: leaving and arriving"])),
    (
        "ping socket: EACCES while ping_group_range is 1 0",
        Lines(&["a ping socket: EACCES while ping_group_range is 1 0"]),
    ),
];

/// Loopback, local fragments, offload.
const NEAR: &[(&str, HeldBy)] = &[
    (
        "AF_PACKET on lo reaches nobody unless route_localnet and accept_local; a raw IP socket works",
        Lines(&[
            "a packet socket on lo reaches no local socket",
            "a raw socket on lo does",
            "route_localnet %d, accept_local %d: by frame %s",
            "all settings of the loopback were tried",
        ]),
    ),
    ("IPv6 by frame reaches lo in any case", Lines(&["IPv6 by frame is heard in any case"])),
    ("and the plan knows", Tests(&["ways::a_packet_socket_on_loopback_reaches_nobody"])),
    (
        "connection tracking holds fragments; IP_NODEFRAG cures it",
        Lines(&[
            "connection tracking holds a fragment until the last has come",
            "IP_NODEFRAG lets it go at once",
            "of an IPv6 fragment ww plan notes that it may be held",
        ]),
    ),
    (
        "captured packets larger than the MTU",
        Tests(&[
            "lab_records::with_offload_frames_are_longer_than_a_wire_carries",
            "lab_records::no_frame_is_longer_than_a_wire_carries",
        ]),
    ),
    ("own checksum that looks wrong", Tests(&["link::receive::each_frame_says_what_is_known_of_its_sum"])),
];

/// What the raw way of IPv4 does to each field, sent, read back, and foretold by the plan.
const REWRITES: &str = "ways::raw_ipv4_keeps_and_rewrites_as_the_table_says";

/// What would be rewritten goes by another way, which the plan chooses.
const EXACTLY: &str = "ways::what_is_set_leaves_exactly_so_by_some_way";

/// The kernel's errno, and that the plan refuses beforehand.
const REFUSALS: &str = "ways::refusals_have_the_errno_of_the_table";

/// Made last, from the names of all others.
pub(crate) fn scenario(names: Vec<String>) -> Scenario {
    Scenario::new("kernel_rows::each_row_names_a_test_that_exists", Ground::Plain, move |_| each_is_there(&names))
}

fn each_is_there(names: &[String]) -> Outcome {
    let is_test = |wanted: &str| names.iter().any(|name| name.split_once("::").is_some_and(|(_, rest)| rest == wanted));
    ensure!(is_test(BESIDE), "{BESIDE} is gone");
    for (row, held_by) in IPV4.iter().chain(IPV6).chain(RECEIVING).chain(NEAR) {
        match held_by {
            Tests(tests) => {
                let missing: Vec<_> = tests.iter().filter(|test| !is_test(test)).collect();
                ensure!(missing.is_empty(), "{row}: there is no test {missing:?}");
            }
            Lines(lines) => {
                let is_line = |line: &str| RAW_ROWS.contains(&format!("check(\"{line}\""));
                let missing: Vec<_> = lines.iter().filter(|line| !is_line(line)).collect();
                ensure!(missing.is_empty(), "{row}: raw_rows.py checks no {missing:?}");
            }
        }
    }
    Ok(())
}
