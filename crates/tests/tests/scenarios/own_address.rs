//! A host of our own on the client's link, with addresses that no kernel has: both roles, both IP versions.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::thread;

use wirewright_lab::{Family, Host};
use wirewright_net::{OwnAddress, OwnConfig, Prefix, Route, StreamError};
use wirewright_tests::{Ground, Need, Outcome, Program, Scenario, World, ensure, ww, ww_lab};
use wirewright_wire::MacAddr;

use crate::link::tools::{CLIENT, ROUTER, SERVER, socket_address};
use crate::our_tcp::{SOON, pattern, without_resets};

/// Many windows, each way.
const BYTES: usize = 3_000_000;
/// A port on which the lab's echo service listens.
const ECHO: u16 = 7;
/// A port of ours.
const PORT: u16 = 8080;

/// Nobody in the lab has these.
const OWN_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 77));
const OWN_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x77));

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("own_address::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    let plain = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("own_address::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        lab("a_stream_goes_to_a_kernel_and_back", client),
        lab("kernels_connect_to_it", server),
        lab("an_address_that_somebody_has_is_not_taken", taken),
        plain("whatever_is_asked_from_it_is_answered_there", asks),
        plain("pings_traces_and_ports_are_probed_from_it", probes),
        lab("packets_come_from_each_address_of_the_kernel", kernels),
    ]
}

/// Where the lab's client is, at addresses of our own.
fn config() -> OwnConfig {
    let gateways = [IpAddr::V4(ROUTER.v4), IpAddr::V6(ROUTER.v6)];
    OwnConfig {
        interface: CLIENT.interface.to_owned(),
        addresses: vec![Prefix::new(OWN_V4, 24), Prefix::new(OWN_V6, 64)],
        routes: gateways.map(|router| Route { to: Prefix::default_of(router), gateway: Some(router) }).to_vec(),
    }
}

/// Sends all of `data` to an echo service and compares what comes back meanwhile.
pub(crate) fn there_and_back(own: &OwnAddress, echo: SocketAddr, data: &[u8]) -> Outcome {
    let mut stream = own.connect(echo, SOON)?;
    stream.set_read_timeout(Some(SOON))?;
    let mut back = Vec::new();
    thread::scope(|scope| -> Outcome {
        let mut up = stream.clone();
        let sent = scope.spawn(move || up.write_all(data).and_then(|()| up.shutdown(Shutdown::Write)));
        let read = stream.read_to_end(&mut back);
        sent.join().map_err(|_| "the writer panicked")??;
        read?;
        Ok(())
    })?;
    ensure!(back == data, "{echo}: {} bytes came back, or others", back.len());
    Ok(())
}

fn client(world: &World) -> Outcome {
    let data = pattern(BYTES);
    without_resets(world, || {
        let own = OwnAddress::open(&config())?;
        for family in [Family::V4, Family::V6] {
            there_and_back(&own, socket_address(SERVER, family, ECHO), &data)?;
        }
        Ok(())
    })
}

fn server(world: &World) -> Outcome {
    let data = pattern(BYTES);
    let own = OwnAddress::open(&config())?;
    // The server asks across a router, the router on the link itself.
    for asker in [Host::Server, Host::Router] {
        for address in [OWN_V4, OWN_V6] {
            let local = SocketAddr::new(address, PORT);
            let listener = own.listen(local)?;
            thread::scope(|scope| -> Outcome {
                let asked = scope.spawn(|| world.lab().on(asker, || ask(local, &data)));
                let (mut stream, _) = listener.accept_timeout(SOON)?;
                stream.set_read_timeout(Some(SOON))?;
                let mut question = Vec::new();
                stream.read_to_end(&mut question)?;
                ensure!(question == data, "{asker:?} to {address}: {} bytes came, or others", question.len());
                stream.write_all(&data)?;
                drop(stream);
                let answer = asked.join().map_err(|_| "the asker panicked")???;
                ensure!(answer == data, "{asker:?} from {address}: {} bytes came, or others", answer.len());
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// A kernel's connection: `data` there, all that comes back.
fn ask(to: SocketAddr, data: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = std::net::TcpStream::connect_timeout(&to, SOON)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.write_all(data)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn taken(_: &World) -> Outcome {
    let refused = |config: &OwnConfig| match OwnAddress::open(config) {
        Ok(_) => "taken".to_owned(),
        Err(error) => StreamError::of(&error).map_or_else(|| error.to_string(), |why| format!("{}: {why}", why.code())),
    };
    for address in [IpAddr::V4(ROUTER.v4), IpAddr::V6(ROUTER.v6)] {
        let told = refused(&OwnConfig { addresses: vec![Prefix::new(address, 24)], ..config() });
        ensure!(told == format!("address-taken: {address} is taken: {} answers for it", MacAddr(ROUTER.mac)), "{told}");
        let own = if address.is_ipv4() { IpAddr::V4(CLIENT.v4) } else { IpAddr::V6(CLIENT.v6) };
        let told = refused(&OwnConfig { addresses: vec![Prefix::new(own, 24)], ..config() });
        ensure!(told == format!("address-taken: {own} is taken: this machine's kernel has it"), "{told}");
    }
    for (interface, told) in
        [("nope", "no-interface: there is no interface nope"), ("lo", "not-ethernet: lo has no Ethernet address")]
    {
        let found = refused(&OwnConfig { interface: interface.to_owned(), ..config() });
        ensure!(found == told, "{found}");
    }
    Ok(())
}

/// Each kind of packet, with the answer's name and who gives it; the last but one for a neighbour's Ethernet address.
const ASKED: &[(&str, &str)] = &[
    ("tcp server:80 S", "syn-ack"),
    ("tcp server:81 S", "rst"),
    ("udp server:7 data=x", "udp-reply"),
    ("udp server:9999 data=x", "icmp-error"),
    ("icmp server", "echo-reply"),
    ("icmp server zero=4000 --frag 1500", "echo-reply"),
    ("icmp router", "echo-reply"),
    ("icmp server ttl=1", "icmp-error"),
    ("ip server / ip server / icmp echo", "icmp-error"),
    ("arp router", "arp-reply"),
    ("-6 tcp server:80 S", "syn-ack"),
    ("-6 udp server:9999 data=x", "icmp-error"),
    ("icmp6 server", "echo-reply"),
    ("icmp6 server zero=4000 --frag 1500", "echo-reply"),
    ("ip6 router / icmp6", "echo-reply"),
];

/// The source that the first packet says it has: `src=` behind the IP layer's word, `spa=` of ARP.
fn source_of(packet: &str) -> Option<IpAddr> {
    let network = packet.split(" / ").find(|layer| ["ip ", "ip6 ", "arp "].iter().any(|key| layer.starts_with(key)))?;
    network.split(' ').find_map(|word| word.strip_prefix("src=").or(word.strip_prefix("spa="))?.parse().ok())
}

fn asks() -> Outcome {
    for (words, kind) in ASKED {
        let named = if words.contains("6 ") { OWN_V6 } else { OWN_V4 };
        for option in ["--guard own-address".to_owned(), format!("--source {named}")] {
            let output = ww_lab(&format!("ask {words} {option} --json")).run()?.success()?;
            let objects = output.objects()?;
            let sent = objects.iter().find(|it| it["event"] == "sent").ok_or("nothing was sent")?;
            let source = sent["packet"].as_str().and_then(source_of).ok_or_else(|| format!("no source: {sent}"))?;
            let kernels = if named.is_ipv4() { IpAddr::V4(CLIENT.v4) } else { IpAddr::V6(CLIENT.v6) };
            ensure!(source != kernels && (!option.contains("--source") || source == named), "{words}: {source}");
            let kinds: Vec<_> = objects.iter().filter(|it| it["event"] == "answer").map(|it| &it["answer"]).collect();
            ensure!(kinds == [kind], "{words} {option}: {kinds:?}");
        }
    }
    // What a packet names itself is taken, whatever else is named; and several at a time, each once.
    let output =
        ww_lab("ask ip server src=198.51.100.78 / udp :7 data=x --source 198.51.100.77 --json").run()?.success()?;
    ensure!(output.text().contains("\"answer\":\"udp-reply\""), "{output}");
    let words = "ask ip server src=198.51.100.70..198.51.100.73 / udp :9999 data=x --guard own-address --json";
    let output = ww_lab(words).run()?.success()?;
    let objects = output.objects()?;
    let answers = objects.iter().filter(|it| it["answer"] == "icmp-error").count();
    ensure!(answers == 4, "{output}");
    Ok(())
}

fn probes() -> Outcome {
    for source in [OWN_V4, OWN_V6] {
        let output = ww_lab(&format!("ping -c 3 --every 10ms --source {source} server")).run()?.success()?;
        ensure!(output.text().contains("3 packets transmitted, 3 received, 0% packet loss"), "{output}");
        let output = ww_lab(&format!("--routers 3 trace --source {source} server")).run()?.success()?;
        ensure!(output.text().lines().count() == 5 && !output.text().contains('*'), "{output}");
        let output = ww_lab(&format!("probe --source {source} server 6..9")).run()?.success()?;
        ensure!(output.text().contains("4 ports: 2 open, 2 closed"), "{output}");
        let output = ww_lab(&format!("get --source {source} http://server/hello")).run()?.success()?;
        ensure!(output.text().contains("Hello."), "{output}");
    }
    Ok(())
}

/// A second address of the client's kernel: it is the source, and nothing of our own is taken.
fn kernels(world: &World) -> Outcome {
    for (source, second, version) in [(OWN_V4, format!("{OWN_V4}/24"), "-4"), (OWN_V6, format!("{OWN_V6}/64"), "-6")] {
        let source = source.to_string();
        let address = |act: &str| {
            let nodad = if version == "-6" && act == "add" { &["nodad"][..] } else { &[] };
            Program::new("ip").args(["address", act, &second, "dev", CLIENT.interface]).args(nodad).run()?.success()
        };
        address("add")?;
        let asked = without_resets(world, || {
            let run = |words: &[&str]| ww().args(words).args([version, "--source", &source]).run()?.success();
            let server = if version == "-4" { "192.0.2.2" } else { "2001:db8::2" };
            let output = run(&["ask", "--json", "tcp", server, ":80", "S"])?;
            let packet = output.objects()?[0]["packet"].as_str().and_then(source_of);
            ensure!(packet.is_some_and(|it| it.to_string() == source), "{output}");
            ensure!(output.text().contains("syn-ack"), "{output}");
            run(&["ping", "-c", "2", "--every", "10ms", server])?;
            let url =
                if version == "-4" { format!("http://{server}/hello") } else { format!("http://[{server}]/hello") };
            let page = run(&["get", "-v", &url])?;
            ensure!(page.text().contains("Hello.") && page.stderr.contains(&source), "{page}");
            Ok(())
        });
        address("del")?;
        asked?;
    }
    Ok(())
}
