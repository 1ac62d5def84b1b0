//! Packets cut into fragments, by `--frag` and by hand, as a real kernel takes them; answers put together from theirs.

use wirewright_lab::Host;
use wirewright_tests::{Folder, Ground, Outcome, Scenario, World, ensure, ww};

/// The lab's server in both versions: the layer of an echo, its address, and the names of the kernel's counters.
const SERVERS: [Server; 2] = [
    Server { echo: "icmp", address: "192.0.2.2", source: "src=198.51.100.2", ip: "Ip", replies: "IcmpOutEchoReps" },
    Server {
        echo: "icmp6",
        address: "2001:db8::2",
        source: "src=2001:db8:1::2",
        ip: "Ip6",
        replies: "Icmp6OutEchoReplies",
    },
];

struct Server {
    echo: &'static str,
    address: &'static str,
    /// This host, as the packets name it.
    source: &'static str,
    ip: &'static str,
    replies: &'static str,
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("fragments::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    vec![
        lab("what_frag_cuts_a_kernel_puts_together", cut),
        lab("an_answer_in_fragments_is_one_answer_and_recorded_as_it_came", answers),
        lab("by_hand_in_any_order_they_are_answered_and_overlapping_they_are_not", by_hand),
        lab("many_packets_are_cut_each_and_counted_once", many),
    ]
}

fn cut(world: &World) -> Outcome {
    for server in &SERVERS {
        let headers = if server.ip == "Ip" { 20 } else { 48 };
        for limit in [headers + 8, headers + 15, 100, 576, 1000] {
            let before = world.lab().counters(Host::Server)?;
            let limit_text = limit.to_string();
            let words = [server.echo, server.address, "rand=992", "--frag", &limit_text];
            let output = ww().args(["ask", "--json"]).args(words).run()?.success()?;
            let sent: Vec<_> = output.objects()?.into_iter().filter(|it| it["event"] == "sent").collect();
            let fragments = 1000_usize.div_ceil((limit - headers) / 8 * 8);
            ensure!(sent.len() == fragments, "{limit}: {} of {fragments} fragments\n{output}", sent.len());
            for (number, it) in sent.iter().enumerate() {
                ensure!(it["fragment"] == number + 1 && it["fragments"] == fragments, "{it}");
                let bytes = it["hex"].as_str().map_or(0, |hex| hex.len() / 2 - 14);
                ensure!(bytes <= limit, "{limit}: a fragment of {bytes} bytes: {it}");
            }
            let moved = world.lab().counters(Host::Server)?.since(&before);
            let (came, whole) = (format!("{}ReasmReqds", server.ip), format!("{}ReasmOKs", server.ip));
            let found = (moved.value(&came), moved.value(&whole), moved.value(server.replies));
            ensure!(found == (fragments as i64, 1, 1), "{limit}: {found:?}: {moved}");
        }
    }
    Ok(())
}

fn answers(_: &World) -> Outcome {
    let folder = Folder::new()?;
    for server in &SERVERS {
        let path = folder.file(server.echo).display().to_string();
        let words = [server.echo, server.address, "zero=4000", "--frag", "1400", "-w", &path];
        let output = ww().args(["ask", "--json"]).args(words).run()?.success()?;
        let objects = output.objects()?;
        let answers: Vec<_> = objects.iter().filter(|it| it["event"] == "answer").collect();
        let [answer] = answers[..] else { return Err(format!("{} answers\n{output}", answers.len()).into()) };
        ensure!(answer["answer"] == "echo-reply" && answer["data"] == 4000 && answer["fragments"] == 3, "{answer}");
        ensure!(answer["packet"].as_str().is_some_and(|it| it.contains("zero=4000")), "{answer}");
        let text = ww().args(["ask"]).args(&words[..5]).run()?.success()?;
        ensure!(text.text().contains(" in 3 fragments\n"), "{text}");
        // Three there and three back, none of them whole.
        let shown = ww().args(["show", "--as", "ww", &path]).run()?.success()?;
        let text = shown.text();
        let lines: Vec<_> = text.lines().filter(|line| line.contains(" mf") || line.contains(" off=")).collect();
        let back = lines.iter().filter(|line| line.contains(&format!("src={}", server.address))).count();
        ensure!(lines.len() == 6 && back == 3, "{} fragments, {back} of them back\n{shown}", lines.len());
    }
    Ok(())
}

/// The fragments of an echo request in words, without a link header.
fn fragments(server: &Server, id: &str, limit: &str) -> Result<Vec<String>, String> {
    let words = [server.echo, server.address, server.source, id, "zero=200", "--frag", limit];
    let output = ww().args(["build", "--as", "ww"]).args(words).run()?.success()?;
    Ok(output.text().lines().map(str::to_owned).collect())
}

/// Sends packets in words, one after another, and says how the server's counters moved: fragments that came, echo replies.
fn send(world: &World, server: &Server, packets: &[&str]) -> Result<(i64, i64, i64), String> {
    let counters = || world.lab().counters(Host::Server).map_err(|error| error.to_string());
    let before = counters()?;
    for packet in packets {
        let _left = ww().arg("send").args(packet.split(' ')).run()?.success()?;
    }
    let moved = counters()?.since(&before);
    let fails = moved.value(&format!("{}ReasmFails", server.ip));
    Ok((moved.value(&format!("{}ReasmReqds", server.ip)), fails, moved.value(server.replies)))
}

fn by_hand(world: &World) -> Outcome {
    for server in &SERVERS {
        // Tiny ones, of 8 bytes each but the last, backwards.
        let limit = if server.ip == "Ip" { "28" } else { "56" };
        let tiny = fragments(server, "id=21", limit)?;
        let backwards: Vec<&str> = tiny.iter().rev().map(String::as_str).collect();
        let found = send(world, server, &backwards)?;
        ensure!(found == (26, 0, 1), "{}: backwards {found:?}\n{tiny:?}", server.echo);

        let three = fragments(server, "id=22", "120")?;
        let [first, second, third, ..] = &three[..] else { return Err(format!("{three:?}").into()) };
        let all: Vec<&str> = [first, second, third].into_iter().chain(&three[3..]).map(String::as_str).collect();
        // The second begins 8 bytes too early: RFC 5722 has IPv6 drop them all, and Linux does so in IPv4 too.
        let off = second.split(' ').find_map(|word| word.strip_prefix("off=")).ok_or("no offset")?;
        let early = off.parse::<u32>().map_err(|error| error.to_string())? - 1;
        let overlapping = second.replace(&format!("off={off}"), &format!("off={early}"));
        let mut wrong = all.clone();
        wrong[1] = &overlapping;
        let found = send(world, server, &wrong)?;
        ensure!(found.2 == 0 && found.1 >= 1, "{}: overlapping {found:?}\n{wrong:?}", server.echo);

        // The same with a number of their own, and right: it is the overlap that nobody answers.
        let right = fragments(server, "id=23", "120")?;
        let mut mixed: Vec<&str> = right.iter().map(String::as_str).collect();
        mixed.rotate_left(1);
        let found = send(world, server, &mixed)?;
        ensure!(found.2 == 1 && found.1 == 0, "{}: mixed {found:?}\n{mixed:?}", server.echo);
    }
    Ok(())
}

fn many(world: &World) -> Outcome {
    let before = world.lab().counters(Host::Server)?;
    let words = ["icmp", "192.0.2.2", "seq=1..20", "zero=500", "--frag", "200"];
    let output = ww().args(["ask", "--json"]).args(words).run()?.success()?;
    let summary = output.objects()?.pop().ok_or("no summary")?;
    ensure!(summary["sent"] == 20 && summary["fragments"] == 60 && summary["answered"] == 20, "{summary}");
    let moved = world.lab().counters(Host::Server)?.since(&before);
    ensure!(moved.value("IpReasmReqds") == 60 && moved.value("IpReasmOKs") == 20, "{moved}");
    // 100 packets in 12 fragments each are more than 1,000 to those who carry them.
    let words = ["send", "icmp", "192.0.2.2", "seq=1..100", "zero=500", "--frag", "68"];
    let refused = ww().args(words).run()?.expect_code(2)?;
    ensure!(refused.stdout.is_empty() && refused.stderr.contains("1100 packets"), "{refused}");
    let planned = ww().args(["plan", "--json", "icmp", "192.0.2.2", "zero=500", "--frag", "200"]).run()?.success()?;
    let plan = planned.objects()?.pop().ok_or("no plan")?;
    ensure!(plan["fragments"] == serde_json::json!([196, 196, 176]), "{plan}");
    Ok(())
}
