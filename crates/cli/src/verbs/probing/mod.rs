//! `ww ping`, `ww trace`, `ww probe`: many probes with one aim, told by what they find.
//!
//! In: the words of the command line, a session, ctrl-C.
//! Out: a line a finding, a summary, an exit code.
//! Above: `verbs`. Below: net's sessions, `hand::trace`, `hand::port_state`, render.
//! Not here: matching of answers, what a hop tells, what a port is: `hand`.

mod live;
mod paths;
mod ping;
mod probe;
mod probes;
mod trace;

use std::net::Ipv6Addr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use craft::{Code, First, Packet};
use hand::Pace;
use hand::probes::ProbeId;
use net::Families;
use net::hand::{Event, HeardAnswer, Role, Sent};
use units::Instant;

pub(super) use ping::ping;
pub(super) use probe::probe;
pub(super) use trace::trace;

use super::many;
use super::send::Talk;
use crate::command::Options;
use crate::failure::Failure;
use crate::names;
use crate::packets::{Packets, source_of};
use crate::place::Place;

/// Probes with one aim.
trait Course {
    /// A turn begins at `now`: before anything is asked, and after whatever happened.
    fn turn(&mut self, _talk: &Talk<'_>, _now: Instant) -> Result<(), Failure> {
        Ok(())
    }
    /// When there is something to do without anything happening; `None`: never.
    fn wake(&self) -> Option<Instant> {
        None
    }
    /// Whether there is a packet to send now.
    fn wants(&self) -> bool;
    /// Makes that packet.
    fn packet(&mut self) -> Result<Packet, Failure>;
    /// It was started under this number.
    fn started(&mut self, talk: &Talk<'_>, probe: ProbeId);
    /// A probe left, or did not.
    fn sent(&mut self, talk: &mut Talk<'_>, sent: &Sent) -> Result<(), Failure>;
    /// An answer came.
    fn answered(&mut self, talk: &mut Talk<'_>, heard: &HeardAnswer) -> Result<(), Failure>;
    /// Nobody answered a probe in time.
    fn silent(&mut self, talk: &mut Talk<'_>, probe: ProbeId) -> Result<(), Failure>;
    /// Nothing is to be sent or awaited any more.
    fn is_over(&self) -> bool;
}

/// Runs a course, one packet each `every`; whether ctrl-C ended it.
fn run(talk: &mut Talk<'_>, course: &mut dyn Course, every: Duration) -> Result<bool, Failure> {
    let pressed = many::interruptions()?;
    let mut pace = Pace::every(talk.session.now(), every);
    while !course.is_over() {
        if pressed.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let now = talk.session.now();
        course.turn(talk, now)?;
        let (wants, wake) = (course.wants(), course.wake());
        if wants && pace.due(now) > 0 {
            pace.on_sent(now, 1);
            let packet = course.packet()?;
            let probe = talk.session.start(&packet).map_err(|error| talk.explain(&error))?;
            course.started(talk, probe);
            continue;
        }
        let until = wants.then(|| pace.next()).into_iter().chain(wake).min();
        let event = match until {
            Some(until) => talk.session.listen_until(until),
            None => talk.session.next_event(),
        };
        match event.map_err(|error| talk.explain(&error))? {
            Some(Event::Sent(sent)) => {
                talk.record_sent(&sent)?;
                if sent.role == Role::Probe {
                    course.sent(talk, &sent)?;
                }
            }
            Some(Event::Answer(heard)) => {
                talk.record_heard(&heard)?;
                course.answered(talk, &heard)?;
            }
            Some(Event::TimedOut { probe }) => course.silent(talk, probe)?,
            None if until.is_none() => return Ok(false),
            _ => {}
        }
    }
    Ok(false)
}

/// The packets of a verb that takes a host alone too: `HOST …` becomes `LAYER HOST …`, and TCP and UDP get a port.
fn packets(
    verb: &str,
    options: &Options,
    place: &Place<'_>,
    worded: impl FnOnce(Vec<String>) -> Vec<String>,
) -> Result<Packets, Failure> {
    let mut words = options.text_words()?;
    let is_host = |first: &String| First::from_word(first).is_none() && first != "raw";
    if source_of(&words).is_none() && words.first().is_some_and(is_host) {
        words = worded(words);
    }
    let without_port = craft::template_words(&words).err().filter(|error| error.code == Code::PortMissing);
    if without_port.is_some() {
        // What traceroute has asked since 1988, and what most hosts answer.
        let port = if words.iter().any(|word| word == "udp") { ":33434" } else { ":80" };
        words.push(port.to_owned());
    }
    let options = Options { words: words.into_iter().map(Into::into).collect(), ..options.clone() };
    let mut packets = Packets::read(verb, &options, place)?;
    packets.resolve(verb, &options, place)?;
    Ok(packets)
}

/// The layer of an echo to a host: by its address, the options, or the addresses that its name has.
fn echo_layer(host: &str, options: &Options, place: &Place<'_>) -> &'static str {
    let only_v6 = || {
        let found = place.names(options).addresses(host).unwrap_or_default();
        !found.is_empty() && found.iter().all(std::net::IpAddr::is_ipv6)
    };
    let v6 = match names::families(options) {
        Families::V4 => host.parse::<Ipv6Addr>().is_ok(),
        Families::V6 => true,
        Families::Both => host.parse::<Ipv6Addr>().is_ok() || only_v6(),
    };
    if v6 { "icmp6" } else { "icmp" }
}

/// The TTL or hop limit of what was heard.
fn ttl_of(heard: &HeardAnswer) -> Option<u8> {
    let chain = craft::walk(&heard.bytes, heard.first);
    let ip = chain.iter().find(|layer| matches!(layer.desc.key, "ip" | "ip6"))?;
    let key = if ip.desc.key == "ip" { "ttl" } else { "hlim" };
    ip.value(&heard.bytes, key).and_then(|ttl| u8::try_from(ttl).ok())
}

/// The number of a network layer's key in a packet.
fn destination(packet: &Packet) -> Option<std::net::IpAddr> {
    use craft::Setting;
    use std::net::{IpAddr, Ipv4Addr};
    let ip = packet.layers.iter().find(|layer| matches!(layer.key(), "ip" | "ip6"))?;
    match (ip.key(), ip.get("dst")?) {
        ("ip", Setting::Exactly(value)) => Some(IpAddr::V4(Ipv4Addr::from_bits(value as u32))),
        (_, Setting::Exactly(value)) => Some(IpAddr::V6(Ipv6Addr::from_bits(value))),
        _ => None,
    }
}
