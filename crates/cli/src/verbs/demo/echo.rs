//! The second chapter: an ICMP echo by hand, and each byte of request and reply accounted for.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use craft::First;
use inspect::dissect::Layer;
use inspect::{Dissection, dissect};
use net::hand::Fate;

use super::story::{Story, broken};
use crate::failure::Failure;

/// What the echo carries.
const LINE: &str = "icmp server data='made by hand'";

/// What stands at it in the capture.
const COMMENT: &str = "demo.comment.echo";

pub(super) fn tell(story: &mut Story<'_>) -> Result<(), Failure> {
    story.title("demo.echo.title")?;
    story.say("demo.echo.intro", &[])?;
    story.command(&format!("ww lab ask {LINE}"))?;
    let packet = story.packet(LINE)?;
    let server = story.address_of("server").unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    if !story.lab.carries(server) {
        let (built, taken) = story.give(&packet, SocketAddr::new(server, story.http_port()), COMMENT)?;
        let answer = taken.answers.first().ok_or_else(|| broken(&story.words("demo.broken.echo-unanswered", &[])))?;
        let (request, reply) = (dissect(&built.bytes, built.first), dissect(answer, First::Ip));
        story.say("demo.echo.request-built", &[("bytes", &request.bytes.len())])?;
        story.show(&render::hex(&request, &story.out.style))?;
        story.say("demo.echo.in-process", &[("bytes", &reply.bytes.len())])?;
        story.show(&render::hex(&reply, &story.out.style))?;
        return account(story, &request, &reply);
    }
    let exchange = story.ask(&packet, COMMENT)?;
    let (Some(sent), Some(heard)) = (&exchange.sent, &exchange.answer) else {
        return Err(broken(&story.words("demo.broken.echo-unanswered", &[])));
    };
    let Fate::Left(left) = &sent.fate else { return Err(broken(&story.words("demo.broken.not-left", &[]))) };
    let request = dissect(left.packet_bytes(), First::Ip);
    let reply = dissect(&heard.bytes, First::Ip);
    story.say("demo.echo.request", &[("bytes", &request.bytes.len())])?;
    story.show(&render::hex(&request, &story.out.style))?;
    story.say("demo.echo.reply", &[("bytes", &reply.bytes.len()), ("time", &render::duration(heard.answer.rtt))])?;
    story.show(&render::hex(&reply, &story.out.style))?;
    account(story, &request, &reply)
}

/// Every field of the reply beside the request's: what stayed, what changed, and why.
fn account(story: &Story<'_>, request: &Dissection<'_>, reply: &Dissection<'_>) -> Result<(), Failure> {
    story.say("demo.echo.account", &[])?;
    let arrow = if story.out.style.unicode { "→" } else { "to" };
    let mut same = 0;
    for (asked, answered) in request.layers.iter().zip(&reply.layers) {
        for (before, after) in asked.fields.iter().zip(&answered.fields) {
            if before.value == after.value {
                same += 1;
                continue;
            }
            let values = format!("{} {arrow} {}", render::field_value(before), render::field_value(after));
            let why = story.words(&format!("demo.echo.why.{}", reason(asked, before.desc.key)), &[]);
            let name = format!("{}.{}", asked.desc.key, before.desc.key);
            let pad = VALUES.saturating_sub(render::columns(&values));
            story.show(&format!("{name:<10}{values}{:pad$} {why}", ""))?;
        }
    }
    let data = request.bytes[request.payload.clone()].len();
    let echoed = request.bytes[request.payload.clone()] == reply.bytes[reply.payload.clone()];
    let key = if echoed { "demo.echo.data-same" } else { "demo.echo.data-differs" };
    story.say(key, &[("same", &same), ("data", &data)])
}

/// Columns of the two values.
const VALUES: usize = 30;

/// Why a field of the reply is another: a key of the catalogue.
fn reason(layer: &Layer, key: &str) -> &'static str {
    match (layer.desc.key, key) {
        ("ip", "src" | "dst") => "exchanged",
        ("ip", "ttl") => "ttl",
        ("ip", "id") => "id",
        ("ip", "df") => "df",
        (_, "sum") => "sum",
        ("icmp", "type") => "type",
        _ => "other",
    }
}
