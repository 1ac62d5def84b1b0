//! `ww demo`: the guided tour of packets made by hand, run live in the practice network.
//!
//! In: a lab on whatever rung this machine allows.
//! Out: the story on standard output, `demo.pcapng` beside it.
//! Above: the verbs. Below: net sessions, inspect, render's drawings and sentences.
//! Not here: any knowledge of packets; what is told was built, sent and read back here and now.

mod capture;
mod echo;
mod handshake;
mod packet;
mod story;

use std::ffi::OsStr;
use std::path::Path;

use lab::Lab;

use super::lab as labs;
use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::said;
use story::Story;

/// Where the tour leaves what it sent and saw, unless `-w` says otherwise.
const CAPTURE: &str = "demo.pcapng";

/// Enters the lab and tells the tour.
pub(crate) fn run(options: &Options) -> Result<Exit, Failure> {
    tour(&labs::enter(lab::Options::default())?, options)
}

/// Tells the tour in a lab.
pub(crate) fn tour(lab: &Lab, options: &Options) -> Result<Exit, Failure> {
    let path = options.write.as_deref().unwrap_or(OsStr::new(CAPTURE));
    let mut story = Story::begin(lab, options, path)?;
    opening(&mut story)?;
    packet::tell(&mut story)?;
    echo::tell(&mut story)?;
    handshake::tell(&mut story, options.path.as_deref().unwrap_or("/"))?;
    closing(&mut story, path)?;
    Ok(Exit::Answered)
}

/// Where the tour runs, and what is left out there.
fn opening(story: &mut Story<'_>) -> Result<(), Failure> {
    story.say("demo.opening", &[])?;
    let rung = story.lab.rung();
    let key = match rung {
        lab::Rung::UserNamespace => "demo.rung.user-namespace",
        lab::Rung::NetworkNamespace => "demo.rung.network-namespace",
        lab::Rung::Loopback => "demo.rung.loopback",
        lab::Rung::InProcess => "demo.rung.in-process",
    };
    story.say(key, &[])?;
    for refusal in story.lab.refusals() {
        story.say("demo.refused", &[("refusal", &said::refusal(refusal))])?;
        if let Some(remedy) = refusal.hint.and_then(lab::Hint::remedy) {
            story.command(remedy)?;
        }
    }
    if rung.has_networks() {
        let map = labs::map(story.lab, &story.out);
        story.show(map.lines().next().unwrap_or_default())?;
        let addresses = story.ends();
        story.show(&addresses)?;
    }
    Ok(())
}

/// The file, and three commands to try next.
fn closing(story: &mut Story<'_>, path: &OsStr) -> Result<(), Failure> {
    story.title("demo.next.title")?;
    let shown = render::shell_word(&path.to_string_lossy());
    if story.records() {
        story.say("demo.next.capture", &[("path", &shown)])?;
    }
    let ww = program();
    if story.records() {
        story.command(&format!("{ww} show {shown}"))?;
    }
    for example in NEXT {
        story.command(&format!("{ww} {example}"))?;
    }
    story.say("demo.next.more", &[])?;
    for example in MORE {
        story.command(&format!("{ww} {example}"))?;
    }
    story.command(&format!("{ww} help"))
}

/// What to try next: the same in the lab with options, and the checksum of the first chapter word by word.
const NEXT: &[&str] =
    &["lab ask tcp server:80 S mss=1460 sack wscale=7", "sum -v 45010000d4310000ff060c64c0a80167c0a80101"];

/// What else there is.
const MORE: &[&str] =
    &["build --as draw udp 192.0.2.2:53 data=hi", "lab plan tcp server:80 S ip.sum=0xdead", "fields tcp"];

/// How this program can be called again: by its name where the shell finds it, else by its path.
fn program() -> String {
    let exe = std::env::current_exe().unwrap_or_default();
    let on_path = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| exe.parent() == Some(dir.as_path())));
    if on_path { "ww".to_owned() } else { render::shell_word(&relative(&exe).to_string_lossy()) }
}

/// The path from here, where it is shorter.
fn relative(exe: &Path) -> std::path::PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    exe.strip_prefix(&here).map_or_else(|_| exe.to_owned(), Path::to_owned)
}
