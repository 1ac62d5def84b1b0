//! `ww hand`: a TCP conversation typed segment by segment.
//!
//! In: lines from a terminal, a pipe or a file; segments of the peer.
//! Out: a ladder line and a sentence for each segment, an exit code; the peer holding nothing.
//! Above: `verbs`. Below: `net::hand` (a dialogue on a wire, a rehearsal in this process), render.
//! Not here: what a segment means (hand), how it is drawn (render).

mod editor;
mod lines;
mod own;
mod talk;
mod tell;

use std::net::IpAddr;

use craft::Packet;
use net::hand::{Dialogue, Erring};

use crate::command::{Options, bad_value};
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::in_process;
use crate::output::Output;
use crate::partner::Partner;
use crate::place::Place;
use crate::record::Recording;
use crate::said;
use crate::speech::say;
use crate::suggest;

use talk::Talk;

pub(crate) fn run(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let opened = open(options, place)?;
    let recording = options.write.as_deref().map(Recording::begin).transpose()?;
    Talk::new(options, out, place, opened, recording)?.hold()
}

/// The conversation, nothing sent yet.
fn open(options: &Options, place: &Place<'_>) -> Result<Partner, Failure> {
    let erring = options.peer.as_deref().map(erring).transpose()?;
    let conflict = |said| Failure::usage("option-conflict", said).row("or", say("hint.one-of-them", &[]));
    let to = match &options.listen {
        Some(_) if !options.words.is_empty() => return Err(conflict(say("error.option-conflict.listen", &[]))),
        Some(local) => {
            let (address, port) = local_end(local)?;
            End::Local(address, port)
        }
        None if erring.is_some() && !options.words.is_empty() => {
            return Err(conflict(say("error.option-conflict.peer", &[])));
        }
        None if erring.is_some() => own::server(options)?,
        None => End::Remote(Box::new(opening(options, place)?)),
    };
    in_process::without_guard(place, options)?;
    if erring.is_some() && (options.rung.is_some() || options.source.is_some()) {
        return Err(conflict(say("error.option-conflict.peer-guard", &[])));
    }
    if erring.is_some() || in_process::is_place(place) {
        return own::open(options, place, to, erring);
    }
    let session = super::send::session_options(options, place)?;
    let dialogue = match to {
        End::Local(address, port) => Dialogue::server(session, address, port),
        End::Remote(opening) => Dialogue::client(session, &opening),
    };
    let attempt = Attempt { verb: "hand", options, place };
    dialogue.map(|it| Partner::Wire(Box::new(it))).map_err(|error| explain::net(&error, &attempt))
}

/// What `--peer` says.
fn erring(word: &str) -> Result<Erring, Failure> {
    Erring::of_word(word).ok_or_else(|| match suggest::nearest(word, Erring::ALL.iter().map(|erring| erring.word())) {
        Some(near) => {
            Failure::usage("option-value", say("error.option-value", &[("option", &"peer"), ("value", &word)]))
                .row("did you mean", explain::again_with(word, near))
        }
        None => bad_value("peer", word, &say("hint.peers", &[])),
    })
}

/// The end that the command line names.
enum End {
    /// Ours, where somebody's SYN is awaited: an address or any, and a port.
    Local(Option<IpAddr>, u16),
    /// The other, as the SYN that would go there.
    Remote(Box<Packet>),
}

/// A SYN to the destination of the command line, from which everything else is taken.
fn opening(options: &Options, place: &Place<'_>) -> Result<Packet, Failure> {
    let words = options.text_words()?;
    let prefix = place.prefix();
    let usage = |said: String| Failure::usage("host-port", said).row("try", format!("{prefix} hand 192.0.2.2:80"));
    if words.is_empty() {
        return Err(usage(say("error.host-port.missing", &[])).row("or", "--listen :PORT"));
    }
    let line: Vec<String> = [&["tcp".to_owned()], &words[..], &["S".to_owned()]].concat();
    let shown = words.join(" ");
    let packet = craft::parse_words(&line).map_err(|error| {
        let problem = said::problem(&error.problem);
        usage(say("error.host-port.because", &[("words", &shown), ("problem", &problem)]))
    })?;
    let keys: Vec<_> = packet.layers.iter().map(craft::Layer::key).collect();
    if !matches!(keys.as_slice(), ["ip" | "ip6", "tcp"]) {
        return Err(usage(say("error.host-port", &[("words", &shown)])));
    }
    Ok(packet)
}

/// `:PORT`, `ADDR:PORT`, `[V6]:PORT`.
fn local_end(text: &str) -> Result<(Option<IpAddr>, u16), Failure> {
    let read = || {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|&port| port != 0)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = if host.is_empty() { None } else { Some(host.parse::<IpAddr>().ok()?) };
        Some((address, port))
    };
    read().ok_or_else(|| bad_value("listen", text, &say("hint.listen", &[])))
}
