//! All scenarios: one binary, a module per topic.

mod answers;
mod bad_input;
mod completion;
mod conversation;
mod dhcp;
mod eight_jobs;
mod erring;
mod every_field;
mod every_key;
mod flow_verb;
mod fragments;
mod guard_rungs;
mod guard_verb;
mod harness;
mod hostile;
mod in_process;
mod kernel_rows;
mod korean;
mod lab_child;
mod lab_command;
mod lab_ends;
mod lab_enters;
mod lab_inside;
mod lab_records;
mod lab_relay;
mod lab_routers;
mod language;
mod link;
mod manners;
mod manual;
mod many;
mod many_in_flight;
mod named_fields;
mod obstacles;
mod on_purpose;
mod our_tcp;
mod own_address;
mod own_tun;
mod pasted;
mod peers;
mod probing;
mod programs;
mod random_packet;
mod rates;
mod refusals;
mod remedies;
mod replay;
mod sent_line;
mod tour;
mod trace_ways;
mod tunnels;
mod ways;

use std::process::ExitCode;

use wirewright_tests::Scenario;

fn main() -> ExitCode {
    // First: a lab is entered while there is one thread.
    if let Some(code) = lab_child::main() {
        return code;
    }
    let topics = [
        answers::scenarios(),
        ways::scenarios(),
        sent_line::scenarios(),
        named_fields::scenarios(),
        obstacles::scenarios(),
        harness::scenarios(),
        bad_input::scenarios(),
        completion::scenarios(),
        refusals::scenarios(),
        remedies::scenarios(),
        replay::scenarios(),
        conversation::scenarios(),
        tour::scenarios(),
        trace_ways::scenarios(),
        tunnels::scenarios(),
        dhcp::scenarios(),
        eight_jobs::scenarios(),
        erring::scenarios(),
        every_field::scenarios(),
        every_key::scenarios(),
        flow_verb::scenarios(),
        fragments::scenarios(),
        guard_rungs::scenarios(),
        guard_verb::scenarios(),
        hostile::scenarios(),
        in_process::scenarios(),
        korean::scenarios(),
        language::scenarios(),
        manners::scenarios(),
        manual::scenarios(),
        many::scenarios(),
        many_in_flight::scenarios(),
        pasted::scenarios(),
        lab_command::scenarios(),
        lab_ends::scenarios(),
        lab_inside::scenarios(),
        lab_records::scenarios(),
        lab_relay::scenarios(),
        lab_routers::scenarios(),
        lab_enters::scenarios(),
        link::scenarios(),
        on_purpose::scenarios(),
        our_tcp::scenarios(),
        own_address::scenarios(),
        own_tun::scenarios(),
        peers::scenarios(),
        probing::scenarios(),
        programs::scenarios(),
        rates::scenarios(),
    ];
    let mut scenarios: Vec<Scenario> = topics.into_iter().flatten().collect();
    let names = scenarios.iter().map(|scenario| scenario.name().to_owned()).collect();
    scenarios.push(kernel_rows::scenario(names));
    wirewright_tests::main(scenarios)
}
