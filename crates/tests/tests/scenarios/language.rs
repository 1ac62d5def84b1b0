//! The packet language: what is printed is read back to the same bytes, straight and through every shell.

use std::fmt::Write as _;

use wirewright_craft::{First, Packet, parse, parse_words};
use wirewright_sim::Dice;
use wirewright_tests::{Folder, Ground, Outcome, Program, Scenario, ensure};

use crate::{
    every_field::context,
    random_packet::{random_built, random_bytes},
};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let shells: [(&'static str, &'static [&'static str]); 5] = [
        ("bash", &["bash", "--norc"]),
        ("zsh", &["zsh", "-f"]),
        ("zsh_extendedglob", &["zsh", "-f", "-o", "extendedglob"]),
        ("fish", &["fish", "--no-config"]),
        ("dash", &["dash"]),
    ];
    let mut scenarios = vec![
        Scenario::new("language::print_and_parse_give_the_same_bytes", Ground::Plain, |_| straight()),
        Scenario::new("language::wishes_survive_printing", Ground::Plain, |_| wishes()),
    ];
    scenarios.extend(shells.map(|(name, shell)| {
        let name = format!("language::print_{name}_and_parse_give_the_same_bytes");
        Scenario::new(&name, Ground::Plain, move |_| through(shell)).tools(&shell[..1])
    }));
    scenarios
}

const SEED: u64 = 400;
const STRAIGHT_PACKETS: usize = 10_000;
const WISHES: usize = 10_000;
const SHELL_PACKETS: usize = 400;

/// Bytes, and how they are printed.
struct Printed {
    bytes: Vec<u8>,
    first: First,
    line: String,
}

fn printed(dice: &mut Dice) -> Printed {
    let (bytes, first) = random_bytes(dice);
    let line = Packet::from_bytes(&bytes, first).to_string();
    Printed { bytes, first, line }
}

fn straight() -> Outcome {
    let mut dice = Dice::new(SEED);
    for number in 0..STRAIGHT_PACKETS {
        let printed = printed(&mut dice);
        let packet = parse(&printed.line).map_err(|error| format!("packet {number}: {}\n{error}", printed.line))?;
        check(number, &printed, &packet)?;
        ensure!(printed.line.is_ascii(), "packet {number} is not printed in ASCII: {}", printed.line);
    }
    println!("{STRAIGHT_PACKETS} packets");
    Ok(())
}

/// A packet with unset, relative and wrong fields means the same after it was printed and read.
fn wishes() -> Outcome {
    let mut dice = Dice::new(SEED);
    for number in 0..WISHES {
        let (packet, built) = random_built(&mut dice);
        let printed = Printed { bytes: built.bytes, first: built.first, line: packet.to_string() };
        let read = parse(&printed.line).map_err(|error| format!("packet {number}: {}\n{error}", printed.line))?;
        check(number, &printed, &read)?;
    }
    println!("{WISHES} packets");
    Ok(())
}

fn check(number: usize, printed: &Printed, packet: &Packet) -> Result<(), String> {
    let built = packet.build(&context()).map_err(|error| format!("packet {number}: {}\n{error}", printed.line))?;
    if built.bytes == printed.bytes {
        return Ok(());
    }
    Err(format!(
        "packet {number} (seed {SEED}): other bytes\n{}\nwas {} {}\nis  {}",
        printed.line,
        printed.first.key(),
        hex(&printed.bytes),
        hex(&built.bytes)
    ))
}

/// Stands behind the words of each packet; no word of the language looks like it.
const END: &str = "\u{1}end\u{1}";

/// One shell reads all packets, each as the words of a command, and hands each word on as it understood it.
fn through(shell: &[&str]) -> Outcome {
    let mut dice = Dice::new(SEED);
    let printed: Vec<Printed> = (0..SHELL_PACKETS).map(|_| printed(&mut dice)).collect();
    let folder = Folder::new()?;
    let mut script = match shell[0] {
        "fish" => format!("function p; printf '%s\\0' $argv '{END}'; end\n"),
        _ => format!("p() {{ printf '%s\\0' \"$@\" '{END}'; }}\n"),
    };
    printed.iter().try_for_each(|packet| writeln!(script, "p {}", packet.line))?;
    let script = folder.write("packets", script)?;
    // In an empty folder: no name in it helps a pattern that escaped the quotes.
    let output = Program::new(shell[0]).args(&shell[1..]).arg(script).folder(folder.path()).run()?.success()?;
    ensure!(output.stderr.is_empty(), "{output}");
    let text = String::from_utf8(output.stdout)?;
    let packets: Vec<&str> = text.split_terminator(&format!("{END}\0")).collect();
    ensure!(packets.len() == SHELL_PACKETS, "{} of {SHELL_PACKETS} packets came through", packets.len());
    for (number, (words, printed)) in packets.iter().zip(&printed).enumerate() {
        let words: Vec<&str> = words.split_terminator('\0').collect();
        let packet = parse_words(&words).map_err(|error| format!("packet {number}: {}\n{error}", printed.line))?;
        check(number, printed, &packet)?;
    }
    println!("{SHELL_PACKETS} packets");
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
