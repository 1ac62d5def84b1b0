//! Packets at a rate: the pace is kept, what is not read back is counted truly, and a terminal sees how far it is.

use serde_json::Value;
use wirewright_lab::Host;
use wirewright_tests::{Ground, Need, Outcome, Scenario, Step, Terminal, World, binary, ensure, ww};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("rates::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    let plain = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("rates::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        lab("a_rate_is_kept_and_every_packet_arrives", kept),
        lab("packets_that_go_different_ways_are_counted_too", ways),
        plain("a_terminal_sees_progress_and_ctrl_c_the_statistics", progress).tools(&["python3"]),
    ]
}

/// The summary of a run of `ww send`, and how many datagrams came to the server's discard service.
fn send(world: &World, words: &[&str]) -> Result<(Value, i64), String> {
    let counters = || world.lab().counters(Host::Server).map_err(|error| error.to_string());
    let before = counters()?;
    let output = ww().args(["send", "--yes", "--json"]).args(words).run()?.success()?;
    let came = counters()?.since(&before).value("UdpInDatagrams");
    let text = output.text();
    let last = text.lines().last().ok_or("no summary")?;
    let summary = serde_json::from_str(last).map_err(|error| format!("{error}: {last}"))?;
    // In a pipe there is no progress, whatever there is to say.
    let stray = output.stderr.contains('\r') || output.stderr.contains("to go");
    if stray { Err(format!("progress in a pipe: {output}")) } else { Ok((summary, came)) }
}

fn kept(world: &World) -> Outcome {
    for (rate, count, counted) in [("400", 200, false), ("1k", 500, false), ("4k", 4_000, true), ("20k", 10_000, true)]
    {
        let count_text = count.to_string();
        let words = ["--rate", rate, "-c", &count_text, "udp", "192.0.2.2:9", "sport=rand:1024..60000", "data=x"];
        let (summary, came) = send(world, &words)?;
        let asked = rate.strip_suffix('k').map_or(rate.parse::<f64>(), |k| k.parse::<f64>().map(|k| k * 1000.0));
        let asked = asked.map_err(|error| error.to_string())?;
        let reached = summary["rate"].as_f64().ok_or("no rate")?;
        // Never faster, but for what a late turn makes good at the end; slower where the machine is busy with others.
        ensure!((0.8..1.03).contains(&(reached / asked)), "{rate}: {summary}");
        ensure!(summary["sent"] == count && summary["lost"] == 0 && came == i64::from(count), "{came}: {summary}");
        ensure!(summary.get("read_back").is_some() == counted, "{summary}");
        if counted {
            let left = summary["interface_sent"].as_i64().ok_or("nothing counted")?;
            // Others may send too: the neighbours' questions.
            ensure!((i64::from(count)..i64::from(count) + 20).contains(&left), "{summary}");
        }
    }
    Ok(())
}

fn ways(world: &World) -> Outcome {
    // Other sources, a header checksum that only the Ethernet way keeps, fragments, IPv6.
    for (words, frames) in [
        (vec!["udp", "192.0.2.2:9", "src=rand:198.51.100.16/28", "data=x"], 2_000),
        (vec!["udp", "192.0.2.2:9", "ip.len=29", "sport=rand:1024..60000", "data=x"], 2_000),
        (vec!["udp", "192.0.2.2:9", "ip.id=0,7", "ip.df=0", "data=x"], 2_000),
        (vec!["--frag", "60", "udp", "192.0.2.2:9", "zero=92"], 6_000),
        (vec!["--frag", "100", "udp", "2001:db8::2", ":9", "sport=rand:1024..60000", "zero=92"], 6_000),
    ] {
        let before = world.lab().counters(Host::Server)?;
        let (summary, came) = send(world, &[&["--rate", "10k", "-c", "2000"][..], &words].concat())?;
        let moved = world.lab().counters(Host::Server)?.since(&before);
        let came = came + moved.value("Udp6InDatagrams");
        ensure!(summary["sent"] == 2_000 && summary["frames"] == frames, "{words:?}: {summary}");
        ensure!(came == 2_000, "{words:?}: {came} came: {moved}");
    }
    Ok(())
}

fn progress() -> Outcome {
    let program = binary().display().to_string();
    let words = [program.as_str(), "lab", "send", "--rate", "2k", "-c", "100000000", "udp", "server:9", "sport=rand"];
    let steps = [Step::See(" of 100000000 sent, ".into()), Step::Type("\u{3}".into())];
    let output = Terminal::default().run(&words, &steps)?;
    let text = output.text();
    ensure!(output.code == 130 && text.contains(" to go"), "{output}");
    let last = text.rsplit('\r').find(|line| line.contains(" sent, in ")).ok_or_else(|| format!("{output}"))?;
    ensure!(last.contains("/s"), "{output}");
    ensure!(text.contains("counted, not read back: eth0 says that "), "{output}");
    Ok(())
}
