//! Addresses asked of somebody else's DHCP server on the client's link: four messages over IPv4, two over IPv6.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;
use wirewright_lab::Host;
use wirewright_tests::{Folder, Ground, Outcome, Output, Scenario, World, ensure, ww};

use crate::our_tcp::Running;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("dhcp::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
            .tools(&["dnsmasq"])
    };
    vec![lab("an_address_is_had_from_a_server", have_an_address)]
}

/// dnsmasq on the router, once it says that it serves both versions.
fn server(world: &World, folder: &Folder) -> Result<Running, Box<dyn std::error::Error + Send + Sync>> {
    let mut command = Command::new("dnsmasq");
    command
        .args(["--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root", "--group=root", "--no-ping"])
        .args(["--dhcp-range=198.51.100.100,198.51.100.120,2m", "--dhcp-range=2001:db8:1::100,2001:db8:1::120,64,2m"])
        .arg(format!("--dhcp-leasefile={}", folder.file("leases").display()))
        .arg("--pid-file")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut running = Running(world.lab().spawn(Host::Router, command)?);
    let stderr = running.0.stderr.take().ok_or("no output")?;
    let mut said = String::new();
    for line in BufReader::new(stderr).lines() {
        said = format!("{said}{}\n", line?);
        if said.contains("198.51.100.100") && said.contains("2001:db8:1::100") {
            return Ok(running);
        }
    }
    Err(said.into())
}

/// What a question is answered: the packet, as words.
fn answer(words: &[&str]) -> Result<(String, Output), Box<dyn std::error::Error + Send + Sync>> {
    let output = ww().args(["ask", "--json", "-i", "eth0", "--wait", "5s"]).args(words).run()?.success()?;
    let answers: Vec<Value> = output.objects()?.into_iter().filter(|it| it["event"] == "answer").collect();
    ensure!(answers.len() == 1, "{output}");
    Ok((answers[0]["packet"].as_str().unwrap_or_default().to_owned(), output))
}

fn value<'a>(packet: &'a str, key: &str) -> Result<&'a str, String> {
    let found = packet.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    found.ok_or_else(|| format!("no {key}= in {packet}"))
}

fn have_an_address(world: &World) -> Outcome {
    let folder = Folder::new()?;
    let _server = server(world, &folder)?;
    // Without an address of its own the client is answered at the one that is offered, or with everybody.
    for (transaction, everybody) in [("0x1001", false), ("0x1002", true)] {
        let xid = format!("xid={transaction}");
        let mut words = vec!["dhcp", "discover", &xid, "params=mask:router"];
        words.extend(everybody.then_some("bcast"));
        let (offer, output) = answer(&words)?;
        ensure!(offer.contains(" offer ") && offer.contains(" mask=255.255.255.0 "), "{output}");
        ensure!(offer.contains("ip 255.255.255.255 ") == everybody, "{output}");
        ensure!(!output.stderr.contains("nobody can answer"), "{output}");
        let (address, from) = (value(&offer, "yiaddr")?, value(&offer, "serverid")?);
        let (wanted, chosen) = (format!("reqip={address}"), format!("serverid={from}"));
        let (ack, output) = answer(&["dhcp", "request", &xid, &wanted, &chosen])?;
        ensure!(ack.contains(" ack ") && value(&ack, "yiaddr")? == address, "{output}");
    }
    let client = ["clientid=00030001020000000001", "iana=1:0:0"];
    let (advertise, output) = answer(&[&["dhcp6", "solicit"], &client[..]].concat())?;
    ensure!(advertise.contains("type=advertise") && advertise.contains(",2001:db8:1::1"), "{output}");
    let chosen = format!("serverid={}", value(&advertise, "serverid")?);
    let (reply, output) = answer(&[&["dhcp6", "request", &chosen], &client[..]].concat())?;
    ensure!(reply.contains("type=reply") && value(&reply, "iana")? == value(&advertise, "iana")?, "{output}");
    Ok(())
}
