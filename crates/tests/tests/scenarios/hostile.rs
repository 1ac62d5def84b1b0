//! Bytes and words from anywhere: nothing panics, and nothing but printable characters reaches a terminal.

use wirewright_craft::{First, Packet, complete, parse_words};
use wirewright_inspect::{diagnose, dissect};
use wirewright_render::{Catalogue, Detail, Lang, Style, draw_frame, hex, line, sum, tree};
use wirewright_sim::Dice;
use wirewright_tests::{Ground, Outcome, Scenario, ensure};
use wirewright_wire::LAYERS;

use crate::{every_field::context, random_packet::random_bytes};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let parts = (0..PARTS).flat_map(|part| {
        let frames = move |_: &_| frames(part);
        let lines = move |_: &_| lines(part);
        [
            Scenario::new(&format!("hostile::frames_are_shown_in_printable_characters_{part}"), Ground::Plain, frames),
            Scenario::new(
                &format!("hostile::lines_are_read_or_refused_in_printable_characters_{part}"),
                Ground::Plain,
                lines,
            ),
        ]
    });
    parts.collect()
}

/// Parts run beside one another; each has seeds of its own.
const PARTS: u64 = 4;
const ALL: u64 = 200_000 / PARTS;

/// All of them in CI and where `THOROUGH` is set, a tenth for somebody who waits.
fn rounds() -> u64 {
    let is_set = |name| std::env::var_os(name).is_some();
    if is_set("CI") || is_set("THOROUGH") { ALL } else { ALL / 10 }
}

fn frames(part: u64) -> Outcome {
    let rounds = rounds();
    let style = Style { unicode: true, ..Style::PLAIN };
    for number in 0..rounds {
        let seed = part * ALL + number;
        let mut dice = Dice::new(seed);
        let (bytes, first) = hostile_bytes(&mut dice);
        let dissection = dissect(&bytes, first);
        let words = Catalogue::get(Lang::ALL[usize::from(number % 8 > 3)]);
        let shown = match number % 4 {
            0 => tree(&dissection, &style, words),
            1 => hex(&dissection, &style),
            2 => draw_frame(&dissection, &style, words),
            _ => sum(&dissection, Detail::Steps, &style, words),
        };
        check_printable(&line(&dissection, &style), seed)?;
        check_printable(&shown, seed)?;
        let _ = diagnose(&dissection);
        let printed = Packet::from_bytes(&bytes, first).to_string();
        check_printable(&printed, seed)?;
    }
    println!("{rounds} frames");
    Ok(())
}

/// Random bytes, or a packet with broken ones, said to begin with anything.
fn hostile_bytes(dice: &mut Dice) -> (Vec<u8>, First) {
    let (mut bytes, mut first) = random_bytes(dice);
    if dice.below(4) == 0 {
        bytes = vec![0; usize::try_from(dice.below(200)).expect("small")];
        dice.fill(&mut bytes);
    }
    if dice.below(8) == 0 {
        let layer = LAYERS[usize::try_from(dice.below(LAYERS.len() as u64)).expect("an index")];
        first = First::of(layer);
    }
    (bytes, first)
}

fn lines(part: u64) -> Outcome {
    let (rounds, mut accepted) = (rounds(), 0);
    for number in 0..rounds {
        let seed = part * ALL + number;
        let mut dice = Dice::new(seed);
        let words = hostile_words(&mut dice);
        if number % 16 == 0 {
            check_completion(&words, seed)?;
        }
        match parse_words(&words) {
            Ok(packet) => {
                accepted += 1;
                check_printable(&packet.to_string(), seed)?;
                let built = packet.build(&context());
                built.err().map_or(Ok(()), |error| check_printable(&error.to_string(), seed))?;
            }
            Err(error) => {
                check_printable(&error.to_string(), seed)?;
                if let Some(correction) = &error.correction {
                    check_printable(correction, seed)?;
                }
            }
        }
    }
    println!("{rounds} lines, {accepted} accepted");
    ensure!(
        accepted > rounds / 100 && accepted < rounds,
        "{accepted} of {rounds} were accepted: the lines test nothing"
    );
    Ok(())
}

/// What is offered behind a line continues it, and is printable.
fn check_completion(words: &[String], seed: u64) -> Result<(), String> {
    let Some((unfinished, before)) = words.split_last() else { return Ok(()) };
    for offer in complete(before, unfinished).words {
        check_printable(&offer.text, seed)?;
        if !offer.text.starts_with(unfinished.as_str()) {
            return Err(format!("seed {seed}: {:?} does not continue {unfinished:?}", offer.text));
        }
    }
    Ok(())
}

/// Words that mean something, characters that mean something elsewhere, and characters that mean nothing.
const SEEDS: &[&str] = &[
    "tcp",
    "udp",
    "ip",
    "ip6",
    "icmp",
    "icmp6",
    "eth",
    "arp",
    "vlan",
    "qinq",
    "raw",
    "dns",
    "dhcp",
    "dhcp6",
    "solicit",
    "discover",
    "dnslen",
    "/",
    "+",
    "#",
    "",
    "=",
    ":",
    ":80",
    ":0",
    ":65536",
    "192.0.2.2",
    "192.0.2.2:80",
    "2001:db8::2",
    "[2001:db8::2]:80",
    "192.0.2.0/24",
    "1.2.3",
    "server",
    "server:http",
    "S",
    "SA",
    "none",
    "SYN,ACK",
    "ttl=33",
    "ttl=256",
    "ttl=-1",
    "ttl=0x21",
    "ttl=1_0",
    "sum=bad",
    "sum=swap+odd",
    "sum=",
    "len=+4",
    "len=-9999999999999999999",
    "data='a b'",
    "data=\\x41",
    "data=\\xZZ",
    "data=\\",
    "hex=4500",
    "hex=450",
    "zero=1M",
    "zero=1Ti",
    "rand=16",
    "file=~/x",
    "stdin",
    "mss=1460",
    "sack",
    "nop",
    "eol",
    "ts=1:0",
    "wscale=7",
    "ip.ttl=1",
    "ip.ip.ttl=1",
    "eth.src=02:00:00:00:00:01",
    "opts=0204",
    "\u{202e}",
    "\u{1b}[2J",
    "\u{0}",
    "\u{7f}",
    "한국어",
    "ttl=\u{1b}]0;x\u{7}",
    "--",
    "-",
    "=ls",
    "~",
    "*",
    "$HOME",
    "`id`",
    "'",
    "\"",
    "\\",
    "1..1024",
    "rand:1..9",
];

fn hostile_words(dice: &mut Dice) -> Vec<String> {
    let mut words: Vec<String> = if dice.below(2) == 0 {
        let (bytes, first) = random_bytes(dice);
        let line = Packet::from_bytes(&bytes, first).to_string();
        line.split(' ').map(str::to_owned).collect()
    } else {
        (0..dice.below(12)).map(|_| seed_word(dice)).collect()
    };
    for _ in 0..dice.below(4) {
        mutate(&mut words, dice);
    }
    words
}

fn seed_word(dice: &mut Dice) -> String {
    SEEDS[usize::try_from(dice.below(SEEDS.len() as u64)).expect("an index")].to_owned()
}

fn mutate(words: &mut Vec<String>, dice: &mut Dice) {
    let at = usize::try_from(dice.below(words.len() as u64 + 1)).expect("an index");
    if at == words.len() {
        words.push(seed_word(dice));
        return;
    }
    match dice.below(5) {
        0 => {
            words.remove(at);
        }
        1 => words.insert(at, words[at].clone()),
        2 => words[at] = seed_word(dice),
        3 => words[at].push_str(&seed_word(dice)),
        _ => {
            let mut characters: Vec<char> = words[at].chars().collect();
            let place = usize::try_from(dice.below(characters.len() as u64 + 1)).expect("an index");
            let new = char::from_u32(u32::try_from(dice.below(0x3000)).expect("small")).unwrap_or('\u{fffd}');
            characters.insert(place, new);
            words[at] = characters.into_iter().collect();
        }
    }
}

fn check_printable(text: &str, seed: u64) -> Result<(), String> {
    let is_direction =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match text.chars().find(|c| (c.is_control() && *c != '\n') || is_direction(*c)) {
        Some(c) => Err(format!("seed {seed}: {c:?} reaches the terminal in\n{text:?}")),
        None => Ok(()),
    }
}
