//! A thousand probes in flight together: each gets its own answer through a wire that doubles and reorders, and none gets what
//! was forged or meant for others.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use wirewright_lab::Host;
use wirewright_tests::{Ground, Limit, Need, Outcome, Scenario, World, binary, ensure, wait_for, ww};

/// Probes, and forged answers beside them.
const PROBES: i64 = 1000;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let forged = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("many_in_flight::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    vec![
        Scenario::new("many_in_flight::doubled_and_reordered_answers_are_matched", Ground::Plain, |_| {
            through_the_relay()
        })
        .needs(Need::Namespaces),
        forged("answers_that_are_forged_or_for_others_match_nothing", among_others),
        forged("true_answers_are_matched_among_forged_ones", beside_others),
    ]
}

fn through_the_relay() -> Outcome {
    // Longer than the second that sending takes: all are in flight together.
    let wire = "--dup 20% --reorder 20% --reorder-by 50ms --delay 1s --seed 7";
    for line in ["icmp server -c 1000", "udp server:10000..10999", "tcp server:1..1000 S", "-6 udp server:10000..10999"]
    {
        let ask = ww().arg("lab").args(wire.split(' ')).args(["ask", "--json", "--wait", "15s"]);
        let output = ask.args(line.split(' ')).run()?.success()?;
        let objects = output.objects()?;
        let probes = |event: &str, order: Option<&str>| {
            let of = objects.iter().filter(|it| it["event"] == event && order.is_none_or(|order| it["order"] == order));
            of.filter(|it| it["role"] != "close").filter_map(|it| it["probe"].as_i64()).collect::<Vec<_>>()
        };
        let (sent, first) = (probes("sent", None), probes("answer", Some("first")));
        let each: BTreeSet<_> = first.iter().copied().collect();
        ensure!(
            sent.len() == 1000 && first.len() == 1000 && each.len() == 1000,
            "{line}: {} {} {}",
            sent.len(),
            first.len(),
            each.len()
        );
        let before = objects.iter().take_while(|it| it["event"] != "answer").count();
        ensure!(before == 1000, "{line}: only {before} were in flight together");
        // Each answer is of the packet that it names: the port that answered is the port that was asked.
        for answer in objects.iter().filter(|it| it["event"] == "answer" && line.starts_with("tcp")) {
            let port = answer["packet"]
                .as_str()
                .and_then(|packet| packet.split("sport=").nth(1)?.split(' ').next()?.parse().ok());
            ensure!(
                port == answer["probe"].as_i64().map(|probe| probe + 1) || answer["probe"].as_i64() > Some(PROBES),
                "{answer}"
            );
        }
        let summary = objects.last().ok_or("no summary")?;
        let told = output.stderr.lines().find(|line| line.contains("to the client")).unwrap_or_default();
        let number = |word: &str| {
            let before = told.split(word).next().unwrap_or_default().trim_end();
            before.rsplit(' ').next().and_then(|number| number.parse::<i64>().ok()).unwrap_or(-1)
        };
        let came = number("frames") + number("duplicated");
        let repeated = summary["repeated"].as_i64().unwrap_or(-1);
        // What comes behind the last awaited answer is not waited for; neighbours are asked for too.
        ensure!(
            (came - PROBES - 100..=came - PROBES).contains(&repeated),
            "{line}: {repeated} repeated of {came}\n{}",
            output.stderr
        );
        ensure!(summary["answered"] == PROBES && summary["silent"] == 0 && summary["late"] == 0, "{line}: {summary}");
    }
    Ok(())
}

/// Sends 250 packets from a host, at the pace that needs no question.
fn forge(world: &World, host: Host, words: &str) -> Outcome {
    let mut command = Command::new(binary());
    command.args(["send", "-q"]).args(words.split(' ')).stdout(Stdio::null());
    let status = world.lab().spawn(host, command)?.wait()?;
    ensure!(status.success(), "{host}: {words}: {status}");
    Ok(())
}

/// Asks, and lets `forgers` send as soon as the first `seen` packets are on their way; what the client's kernel received.
fn asked_among(
    world: &World,
    words: &str,
    seen: i64,
    forgers: &[(Host, &str)],
) -> Result<(Value, i64), Box<dyn std::error::Error + Send + Sync>> {
    let router = world.lab().counters(Host::Router)?;
    let before = world.lab().counters(Host::Client)?;
    let output = thread::scope(|scope| {
        let asking = scope.spawn(|| ww().args(["ask", "--json"]).args(words.split(' ')).run());
        let under_way = || {
            let moved = world.lab().counters(Host::Router).ok()?.since(&router).value("IpForwDatagrams");
            (moved >= seen).then_some(())
        };
        let begun = wait_for("probes on their way", Limit::seconds(20), under_way);
        let sending: Vec<_> = forgers
            .iter()
            .map(|(host, words)| scope.spawn(|| forge(world, *host, words).map_err(|error| error.to_string())))
            .collect();
        let sent: Result<Vec<()>, String> =
            sending.into_iter().map(|it| it.join().unwrap_or(Err("panic".to_owned()))).collect();
        let output = asking.join().unwrap_or(Err("panic".to_owned()));
        begun?;
        sent?;
        output
    })?;
    let heard = world.lab().counters(Host::Client)?.since(&before).value("IpInReceives");
    Ok((output.objects()?.pop().ok_or("no summary")?, heard))
}

/// From the address that was asked, with a port that was not; for the port of the run before; errors that quote another flow; and
/// somebody else's traceroute.
const OTHERS: [(Host, &str); 4] = [
    (Host::Server, "udp 198.51.100.2:50000 src=192.0.2.4 sport=30000..30249"),
    (Host::Server, "udp 198.51.100.2:50001 src=192.0.2.4 sport=20000..20249"),
    (
        Host::Router,
        "icmp 198.51.100.2 type=unreach code=port / ip 192.0.2.4 src=198.51.100.2 id=9 / udp :30000..30249 sport=50000 data=other",
    ),
    (
        Host::Router,
        "icmp 198.51.100.2 type=exceeded / ip 192.0.2.2 src=198.51.100.2 ttl=1 / udp :33434..33683 sport=44444",
    ),
];

fn among_others(world: &World) -> Outcome {
    let words = "--wait 5s udp 192.0.2.4:20000..20999 sport=50000";
    let (summary, heard) = asked_among(world, words, PROBES, &OTHERS)?;
    ensure!(heard >= PROBES, "the client heard {heard} packets");
    ensure!(summary["sent"] == PROBES && summary["silent"] == PROBES, "{summary}");
    ensure!(summary["answered"] == 0 && summary["late"] == 0 && summary["repeated"] == 0, "{summary}");
    Ok(())
}

/// Replies and errors with another identifier, and the others.
fn beside_others(world: &World) -> Outcome {
    let forgers = [
        (Host::Server, "icmp 198.51.100.2 type=reply src=192.0.2.2 id=8 seq=0..249"),
        (
            Host::Router,
            "icmp 198.51.100.2 type=exceeded / ip 192.0.2.2 src=198.51.100.2 id=9 ttl=1 / icmp id=8 seq=0..249",
        ),
        OTHERS[0],
        OTHERS[3],
    ];
    let (summary, heard) = asked_among(world, "icmp 192.0.2.2 id=7 seq=0..999", 100, &forgers)?;
    ensure!(heard >= 2 * PROBES, "the client heard {heard} packets");
    ensure!(summary["answered"] == PROBES && summary["answers"]["echo-reply"] == PROBES, "{summary}");
    ensure!(summary["silent"] == 0 && summary["late"] == 0 && summary["repeated"] == 0, "{summary}");
    Ok(())
}
