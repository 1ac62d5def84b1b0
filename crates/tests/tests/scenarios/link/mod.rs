//! The link against real kernels: what leaves is read back, what arrives is told, the guard keeps the kernel quiet.
//!
//! In: the lab.
//! Out: scenarios on its ground.
//! Above: `main.rs`. Below: link, craft, lab.
//! Not here: what a plan predicts (hand), the command.

pub(crate) mod guard;
mod read_back;
mod receive;
mod ring;
mod rungs;
mod send_errors;
mod tables;
pub(crate) mod tools;

use wirewright_tests::{Ground, Need, Outcome, Scenario, World};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("link::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    vec![
        lab("read_back::raw_ipv4_shows_what_the_kernel_filled", read_back::raw_ipv4_shows_what_the_kernel_filled),
        lab("read_back::raw_ipv6_leaves_as_given", read_back::raw_ipv6_leaves_as_given),
        lab("read_back::loopback_has_an_empty_link_header", read_back::loopback_has_an_empty_link_header),
        lab("read_back::a_frame_leaves_as_given", read_back::a_frame_leaves_as_given),
        lab("read_back::a_silent_neighbour_gives_no_copy", read_back::a_silent_neighbour_gives_no_copy),
        lab("read_back::many_packets_keep_their_numbers", read_back::many_packets_keep_their_numbers),
        lab("read_back::a_queue_that_is_taken_away_loses_packets", read_back::a_queue_that_is_taken_away_loses_packets)
            .needs(Need::Tool("tc")),
        lab(
            "read_back::a_tap_tells_what_a_silent_driver_does_not",
            read_back::a_tap_tells_what_a_silent_driver_does_not,
        )
        .needs(Need::Tool("tc")),
        lab("send_errors::routes_that_refuse_say_so", send_errors::routes_that_refuse_say_so),
        lab("send_errors::too_large_names_the_mtu", send_errors::too_large_names_the_mtu),
        lab("send_errors::a_full_queue_is_reported", send_errors::a_full_queue_is_reported).needs(Need::Tool("tc")),
        lab("send_errors::a_firewall_is_told_and_numbers_go_on", send_errors::a_firewall_is_told_and_numbers_go_on)
            .needs(Need::Tool("nft")),
        lab("receive::strangers_do_not_pass_the_filter", receive::strangers_do_not_pass_the_filter),
        lab("receive::a_filter_that_widens_loses_nothing", receive::a_filter_that_widens_loses_nothing),
        lab("receive::a_rebuilt_ipv6_header_is_the_one_that_came", receive::a_rebuilt_ipv6_header_is_the_one_that_came),
        lab("receive::each_frame_says_what_is_known_of_its_sum", receive::each_frame_says_what_is_known_of_its_sum),
        lab("receive::answers_come_after_what_was_sent", receive::answers_come_after_what_was_sent),
        lab(
            "ring::a_burst_is_kept_in_order_and_a_flood_is_counted",
            ring::a_burst_is_kept_in_order_and_a_flood_is_counted,
        ),
        lab("ring::a_tag_comes_back", ring::a_tag_comes_back),
        lab("tables::the_lab_is_seen_as_it_was_made", tables::the_lab_is_seen_as_it_was_made),
        lab("tables::routes_say_gateway_source_and_refusal", tables::routes_say_gateway_source_and_refusal),
        lab("guard::without_it_the_kernel_resets", guard::without_it_the_kernel_resets),
        lab("guard::a_hand_made_client_lives", guard::a_hand_made_client_lives),
        lab("guard::a_hand_made_server_lives", guard::a_hand_made_server_lives),
        lab("guard::udp_answers_are_not_unreachable", guard::udp_answers_are_not_unreachable),
        lab("guard::opening_one_is_quick", guard::opening_one_is_quick),
        lab("rungs::each_keeps_both_roles_alive", rungs::each_keeps_both_roles_alive),
        lab("rungs::only_the_least_ttl_lets_a_neighbour_through", rungs::only_the_least_ttl_lets_a_neighbour_through),
        lab("rungs::each_holds_its_port_and_leaves_nothing", rungs::each_holds_its_port_and_leaves_nothing)
            .needs(Need::Tool("nft")),
    ]
}
