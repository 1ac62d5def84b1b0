//! Many packets by one call: all of them on the wire, each answer matched, the statistics true, and none sent unasked.

use serde_json::Value;
use wirewright_lab::Host;
use wirewright_tests::{Ground, Need, Outcome, Scenario, Step, Terminal, World, binary, ensure, ww};

/// The lab's server.
const SERVER: &str = "192.0.2.2";

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("many::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    let plain = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("many::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        lab("a_sweep_of_100_ports_finds_the_3_open_ones", sweep),
        lab("1000_packets_are_1000_answers_and_more_are_not_sent_unasked", thousand),
        plain("a_seed_repeats_a_run_and_another_does_not", seeds),
        plain("an_expectation_is_of_every_packet", expectations),
        plain("a_plan_is_of_every_packet_up_to_a_thousand", planned),
        plain("packets_between_plus_signs_are_asked_in_one_call", plus),
        plain("ctrl_c_prints_the_statistics", interrupted).tools(&["python3"]),
    ]
}

fn sweep(world: &World) -> Outcome {
    let (client, server) = (world.lab().counters(Host::Client)?, world.lab().counters(Host::Server)?);
    let output = ww().args(["ask", "--json", "tcp", &format!("{SERVER}:1..100"), "S"]).run()?.success()?;
    let objects = output.objects()?;
    let summary = objects.last().ok_or("no summary")?;
    ensure!(summary["sent"] == 100 && summary["answered"] == 100 && summary["silent"] == 0, "{summary}");
    ensure!(summary["answers"]["rst"] == 97 && summary["answers"]["syn-ack"] == 3, "{summary}");
    let open = |object: &&Value| object["answer"] == "syn-ack";
    let ports: Vec<String> = objects.iter().filter(open).map(|object| object["packet"].to_string()).collect();
    for port in [7, 9, 80] {
        ensure!(ports.iter().any(|packet| packet.contains(&format!("sport={port} "))), "{port}: {ports:?}");
    }
    let resets = world.lab().counters(Host::Server)?.since(&server).value("TcpOutRsts");
    ensure!(resets == 97, "the server sent {resets} resets");
    let ours = world.lab().counters(Host::Client)?.since(&client).value("TcpOutRsts");
    ensure!(ours == 0, "the client's kernel sent {ours} resets");
    Ok(())
}

fn thousand(world: &World) -> Outcome {
    let server = world.lab().counters(Host::Server)?;
    let many = ["tcp", &format!("{SERVER}:1001..1200"), "S", "ttl=60..64"];
    let output = ww().args(["ask", "--json"]).args(many).run()?.success()?;
    let objects = output.objects()?;
    let summary = objects.last().ok_or("no summary")?;
    ensure!(summary["sent"] == 1000 && summary["answered"] == 1000 && summary["repeated"] == 0, "{summary}");
    let resets = world.lab().counters(Host::Server)?.since(&server).value("TcpOutRsts");
    ensure!(resets == 1000, "the server sent {resets} resets");

    let client = world.lab().counters(Host::Client)?;
    for words in [
        vec!["udp", "192.0.2.2:1..1001"],
        vec!["udp", "192.0.2.2:1..1024", "src=198.51.100.0/24", "ip.id=0..65535"],
        vec!["--every", "10us", "-c", "2", "udp", "192.0.2.2:9"],
        vec!["--rate", "1001", "-c", "2", "udp", "192.0.2.2:9"],
        vec!["--rate", "10", "-c", "1001", "udp", "192.0.2.2:9"],
        vec!["--every", "1s", "-c", "1099511627776", "udp", "192.0.2.2:9"],
    ] {
        for verb in ["send", "ask"] {
            let refused = ww().arg(verb).args(&words).run()?.expect_code(2)?;
            ensure!(refused.stdout.is_empty() && refused.stderr.contains("--yes"), "{refused}");
        }
    }
    let moved = world.lab().counters(Host::Client)?.since(&client);
    ensure!(moved.value("IpOutRequests") == 0, "something left: {moved}");
    let server = world.lab().counters(Host::Server)?;
    let output = ww().args(["send", "--yes", "--json", "udp", "192.0.2.2:2000..3100"]).run()?.success()?;
    ensure!(output.text().lines().last().is_some_and(|line| line.contains("\"sent\":1101")), "{output}");
    let heard = world.lab().counters(Host::Server)?.since(&server).value("UdpNoPorts");
    ensure!(heard == 1101, "the server saw {heard} datagrams of 1101");
    Ok(())
}

fn seeds() -> Outcome {
    let run = |seed: &str| -> Result<String, String> {
        let words = ["tcp", "192.0.2.2:80", "S", "src=rand:198.51.100.0/24", "seq=rand"];
        Ok(ww().args(["build", "--seed", seed, "-c", "20"]).args(words).run()?.success()?.text().to_owned())
    };
    let first = run("7")?;
    ensure!(first.lines().count() == 20 && first == run("7")?, "the same seed, other packets\n{first}");
    ensure!(first != run("8")?, "another seed, the same packets");
    Ok(())
}

fn expectations() -> Outcome {
    let ask = |words: &[&str], expect: &str, code: i32| {
        ww().args(["lab", "ask", "--wait", "300ms", "--expect", expect]).args(words).run()?.expect_code(code)
    };
    let _all = ask(&["tcp", "server:7,9,80", "S"], "SA", 0)?;
    let _one_is_closed = ask(&["tcp", "server:79,80", "S"], "SA", 5)?;
    let _silence = ask(&["udp", "silent:1..5"], "none", 0)?;
    let _none_answers = ask(&["udp", "silent:1..5"], "SA", 1)?;
    Ok(())
}

fn planned() -> Outcome {
    let plan = |words: &str| ww().args(["lab", "plan", "--json"]).args(words.split(' ')).run()?.success();
    let output = plan("icmp server + udp server:7,9")?;
    let packets: Vec<String> = output.objects()?.iter().map(|it| it["packet"].to_string()).collect();
    ensure!(packets.len() == 3 && packets[0].contains("icmp") && packets[2].contains("udp :9"), "{output}");
    let output = plan("udp server:1..1500")?;
    ensure!(output.text().lines().count() == 1000, "{} plans", output.text().lines().count());
    ensure!(output.stderr == "ww: 500 more packets are not planned.\n", "{}", output.stderr);
    Ok(())
}

fn plus() -> Outcome {
    let line = "lab ask --json --wait 300ms tcp server:80 S + icmp server src=198.51.100.9 + udp server:7,9999 data=x + icmp server";
    let output = ww().args(line.split(' ')).run()?.success()?;
    let objects = output.objects()?;
    // Each packet has its own answer, in whatever order they come; the packet that was sent says which it is.
    let answer_to = |part: &str| {
        let probe = objects.iter().find(|it| it["event"] == "sent" && it["packet"].to_string().contains(part));
        let probe = probe.map(|it| &it["probe"]);
        objects.iter().find(|it| Some(&it["probe"]) == probe && it["event"] == "answer").map(|it| &it["answer"])
    };
    for (part, answer) in [(" / tcp :80 S ", "syn-ack"), (" / udp :7 ", "udp-reply"), (" / udp :9999 ", "icmp-error")] {
        ensure!(answer_to(part).is_some_and(|it| it == answer), "{part}: {output}");
    }
    ensure!(answer_to("src=198.51.100.9").is_none(), "{output}");
    ensure!(objects.iter().filter(|it| it["answer"] == "echo-reply").count() == 1, "{output}");
    // What two sockets hear is told once.
    let summary = objects.last().ok_or("no summary")?;
    ensure!(summary["sent"] == 5 && summary["answered"] == 4 && summary["repeated"] == 0, "{summary}");

    // Fragments by hand, the last one first: the kernel puts them together and answers.
    let whole = "icmp server id=5 data=abcdefghijklmnop";
    let built =
        ww().args(["build", "--as", "hex", "--seed", "1"]).args(whole.replace("server", "192.0.2.2").split(' '));
    let hex = built.run()?.success()?.text().trim().to_owned();
    let message = &hex[40..];
    let (first, last) = message.split_at(32);
    let line = format!(
        "lab ask --json --wait 300ms ip server id=77 df=0 off=2 proto=icmp hex={last} + ip server id=77 df=0 mf proto=icmp hex={first}"
    );
    let output = ww().args(line.split(' ')).run()?.success()?;
    ensure!(output.text().matches("\"answer\":\"echo-reply\"").count() == 1, "{output}");
    Ok(())
}

fn interrupted() -> Outcome {
    let program = binary().display().to_string();
    let words = [program.as_str(), "lab", "send", "-c", "1000", "--every", "1s", "udp", "server:9"];
    let steps = [Step::See("sent".into()), Step::Type("\u{3}".into())];
    let output = Terminal::default().run(&words, &steps)?;
    ensure!(output.code == 130 && output.text().contains(" sent, in "), "{output}");
    Ok(())
}
