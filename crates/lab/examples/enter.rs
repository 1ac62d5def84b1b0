//! Enters the lab, says what it stands on and what is in it, and runs a command on one of its hosts:
//! `cargo run -p wirewright-lab --example enter -- server ip addr`.

use std::process::{Command, ExitCode};

use wirewright_lab::{Lab, Options};

fn main() -> ExitCode {
    // First: while there is one thread.
    let lab = match Lab::enter(Options::default()) {
        Ok(lab) => lab,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("stands on {}", lab.rung());
    for refusal in lab.refusals() {
        println!("refused   {refusal}");
    }
    for note in lab.notes() {
        println!("without   {note}");
    }
    for host in lab.hosts() {
        println!("host      {:<8} {:<14} {}", host.name, host.v4, host.v6.map_or(String::new(), |v6| v6.to_string()));
    }
    for service in lab.services() {
        println!("service   {:<8} {}", service.kind.name(), service.port);
    }
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let [host, program, arguments @ ..] = &words[..] else { return ExitCode::SUCCESS };
    let Some(host) = lab.shape().hosts().into_iter().find(|known| known.name() == host) else {
        eprintln!("client, router or server?");
        return ExitCode::FAILURE;
    };
    let mut command = Command::new(program);
    command.args(arguments);
    match lab.run(host, command) {
        Ok(status) => ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
