//! Programs that `ww build --as` writes: they compile or start as they are, and put the same frame on the wire.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

use wirewright_craft::{Built, Context, Packet, Setting, parse};
use wirewright_hand::Outgoing;
use wirewright_lab::{Host, Lab, Shape};
use wirewright_sim::Dice;
use wirewright_tests::{Folder, Ground, Outcome, Program, Scenario, World, binary, ensure, ww};

use crate::every_field::context;
use crate::random_packet::random_built;
use crate::ways::{client_port, hears, tap};

/// How many packets each language sends; the issue's own number.
const PACKETS: usize = 60;
const SEED: u64 = 50;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let languages: [(&str, Compile, &'static [&'static str]); 3] =
        [("rust", rust, &["rustc", "dash"]), ("python", python, &["python3", "dash"]), ("c", c, &["gcc", "dash"])];
    let mut scenarios: Vec<Scenario> = languages
        .into_iter()
        .map(|(language, compile, tools)| {
            let name = format!("programs::sixty_{language}_programs_send_the_packets_they_were_written_for");
            Scenario::new(&name, Ground::Lab, move |world: &World| same_frames(world.lab(), language, compile))
                .tools(tools)
        })
        .collect();
    scenarios.push(Scenario::new("programs::what_no_program_sends_is_refused", Ground::Plain, |_| refused()));
    scenarios
}

/// Makes a source file into a command line; nothing that the compiler says is let pass.
type Compile = fn(&Path) -> Result<Vec<PathBuf>, String>;

fn rust(source: &Path) -> Result<Vec<PathBuf>, String> {
    let out = source.with_extension("");
    let flags = ["-D", "warnings", "-C", "opt-level=0", "-C", "debuginfo=0", "-o"];
    Program::new("rustc").args(flags).arg(&out).arg(source).run()?.success()?;
    Ok(vec![out])
}

fn c(source: &Path) -> Result<Vec<PathBuf>, String> {
    let out = source.with_extension("");
    Program::new("gcc").args(["-Wall", "-Wextra", "-Werror", "-o"]).arg(&out).arg(source).run()?.success()?;
    Ok(vec![out])
}

fn python(source: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(vec!["python3".into(), source.into()])
}

/// A packet with its program.
struct Written {
    line: String,
    built: Built,
    /// What stands before the bytes on the wire, where the kernel writes the link header.
    link: Vec<u8>,
    text: String,
}

fn written(dice: &mut Dice, language: &str) -> Result<Written, String> {
    let (mut packet, mut built) = random_built(dice);
    // Half of those that begin with IP are such that a raw socket leaves them alone, or few would go that way.
    if let Some(ip) = packet.layers.first_mut().filter(|ip| ip.key() == "ip" && dice.below(2) == 0) {
        for key in ["len", "sum", "id", "src", "ihl"] {
            ip.set(key, Setting::Auto);
        }
        built =
            packet.build(&Context { entropy: [7; 32], ..context() }).map_err(|error| format!("{packet}: {error}"))?;
    }
    let line = Packet::from_bytes(&built.bytes, built.first).to_string();
    let packet = parse(&line).map_err(|error| format!("{line}: {error}"))?;
    let built = packet.build(&Context::default()).map_err(|error| format!("{line}: {error}"))?;
    let outgoing = Outgoing::new(&packet, &built);
    let link = match outgoing.ip().filter(|_| !outgoing.begins_with_ethernet()) {
        Some(ip) => [&router().mac[..], &client_port().mac, &ip.ether_type().to_be_bytes()].concat(),
        None => Vec::new(),
    };
    // What is printed goes through any shell.
    let command = format!("\"$0\" build --as {language} {line}");
    let output = Program::new("dash").args(["-c", &command]).arg(binary()).run()?.success()?;
    Ok(Written { line, link, text: output.text(), built })
}

fn router() -> &'static wirewright_lab::Port {
    Shape::ONE.ports_of(Host::Router).next().expect("the router has a port")
}

/// How a program wants to be called, by its own words.
fn arguments(written: &Written) -> (&'static str, Vec<String>) {
    let mac = router().mac.map(|byte| format!("{byte:02x}")).join(":");
    let interface = client_port().interface.to_owned();
    if written.text.contains("NEXT-HOP-MAC") {
        return ("packet", vec![interface, mac]);
    }
    if written.text.contains("INTERFACE") {
        return ("frame", vec![interface]);
    }
    let v6 = written.text.contains("AF_INET6");
    ("raw", vec![if v6 { router().v6.to_string() } else { router().v4.to_string() }])
}

fn same_frames(lab: &Lab, language: &str, compile: Compile) -> Outcome {
    let folder = Folder::new()?;
    let mut dice = Dice::new(SEED);
    let all = of_each_way(&mut dice, language)?;
    let sources: Vec<PathBuf> = (all.iter().enumerate())
        .map(|(n, it)| folder.write(&format!("packet{n}.{language}"), &it.text))
        .collect::<Result<_, _>>()?;
    let commands = compiled(&sources, compile)?;
    let mut tap = tap(lab)?;
    for (n, (it, command)) in all.iter().zip(&commands).enumerate() {
        let (way, arguments) = arguments(it);
        let ran = Program::new(&command[0]).args(&command[1..]).args(&arguments).run()?;
        let heard = ran.success().map_err(Into::into).and_then(|output| {
            ensure!(output.stdout.is_empty() && output.stderr.is_empty(), "{output}");
            hears(&mut tap, &[&it.link[..], &it.built.bytes].concat())
        });
        heard.map_err(|error| format!("seed {SEED}, packet {n}, {way}: {error}\n{}\n{}", it.line, it.text))?;
    }
    println!("{PACKETS} {language} programs, {} of each of the ways {WAYS:?}", PACKETS / WAYS.len());
    Ok(())
}

/// The ways that a program takes.
const WAYS: [&str; 3] = ["frame", "packet", "raw"];

/// Random packets, the same number for each way.
fn of_each_way(dice: &mut Dice, language: &str) -> Result<Vec<Written>, String> {
    let mut drawn: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = Vec::new();
    while all.len() < PACKETS {
        let it = written(dice, language)?;
        let count = drawn.entry(arguments(&it).0).or_default();
        if *count < PACKETS / WAYS.len() {
            *count += 1;
            all.push(it);
        }
    }
    Ok(all)
}

/// Compiles on two threads: the compilers are what takes long.
fn compiled(sources: &[PathBuf], compile: Compile) -> Result<Vec<Vec<PathBuf>>, String> {
    let half = sources.len().div_ceil(2);
    let run = move |some: &[PathBuf]| some.iter().map(|source| compile(source)).collect::<Result<Vec<_>, _>>();
    thread::scope(|scope| {
        let halves: Vec<_> = sources.chunks(half).map(|some| scope.spawn(move || run(some))).collect();
        let joined = halves.into_iter().map(|half| half.join().expect("a compiler's thread does not panic"));
        Ok(joined.collect::<Result<Vec<_>, _>>()?.concat())
    })
}

fn refused() -> Outcome {
    let many = ww().args(["build", "--as", "python", "tcp", "192.0.2.2:1..4", "S"]).run()?.expect_code(2)?;
    ensure!(many.stdout.is_empty(), "{many}");
    ensure!(many.stderr == MANY, "{many}");
    let bare = ww().args(["show", "--layer", "udp", "--as", "c", "0035003500080000"]).run()?.expect_code(2)?;
    ensure!(bare.stdout.is_empty() && bare.stderr == BARE, "{bare}");
    Ok(())
}

const MANY: &str = "\
ww: a program sends one packet; these words stand for 4
    see   ww help language
";

const BARE: &str = "\
ww: udp is not the beginning of what a socket sends: eth, ip or ip6 are
    see   ww help language
";
