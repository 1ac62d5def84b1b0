//! The conversation with a host of our own in this process, where nothing can be sent, or nothing is to be.

use std::net::{IpAddr, SocketAddr};

use craft::Packet;
use lab::ServiceKind;
use net::hand::{Erring, Own, Rehearsal};

use super::End;
use crate::command::Options;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::partner::Partner;
use crate::place::Place;
use crate::speech::say;
use crate::{context, in_process, names};

/// The practice network's server, whether there is such a network or not.
pub(super) fn server(options: &Options) -> Result<End, Failure> {
    let server = in_process::address("server", options.ipv6);
    let line = format!("tcp {} :{} S", server.ok_or_else(nobody)?, ServiceKind::Http.port());
    craft::parse(&line).map(|opening| End::Remote(Box::new(opening))).map_err(|_| nobody())
}

/// The conversation, nothing said yet.
pub(super) fn open(options: &Options, place: &Place<'_>, to: End, erring: Option<Erring>) -> Result<Partner, Failure> {
    let rehearsal = match to {
        End::Local(address, port) => listen(options, address, port, erring),
        End::Remote(mut opening) => {
            names::resolve(&mut opening, "hand", options, place)?;
            call(options, &opening, erring)
        }
    };
    match rehearsal {
        Some(Ok(it)) => Ok(Partner::Own(Box::new(it))),
        Some(Err(error)) => Err(explain::net(&error, &Attempt { verb: "hand", options, place })),
        None => Err(nobody()),
    }
}

/// The practice network has nobody of the IP version.
fn nobody() -> Failure {
    Failure::new(Exit::NotPermitted, "no-network", say("error.no-network.hand", &[])).row("see", "ww lab --verbose")
}

/// We begin.
fn call(options: &Options, opening: &Packet, erring: Option<Erring>) -> Option<Result<Rehearsal, net::Error>> {
    let to = destination(opening)?;
    let local = in_process::address("client", to.is_ipv6())?;
    let own = Own { erring, ..in_process::host_at(to)? };
    Some(Rehearsal::client(link::sys::system(), seed(options), opening, local, own))
}

/// The other side begins, as soon as we listen.
fn listen(
    options: &Options,
    address: Option<IpAddr>,
    port: u16,
    erring: Option<Erring>,
) -> Option<Result<Rehearsal, net::Error>> {
    let v6 = address.map_or(options.ipv6, |address| address.is_ipv6());
    let own = Own { erring, ..in_process::asking(v6)? };
    let local = address.filter(|address| !address.is_unspecified());
    let local = local.or_else(|| in_process::address("client", v6))?;
    Some(Rehearsal::server(link::sys::system(), seed(options), SocketAddr::new(local, port), own))
}

fn seed(options: &Options) -> Option<[u8; 32]> {
    options.seed.map(|seed| context::entropy(Some(seed)))
}

/// Where a packet goes, once its names are resolved.
fn destination(packet: &Packet) -> Option<IpAddr> {
    let value = |layer: &str| packet.layer(layer).and_then(|layer| layer.value_or_default("dst"));
    match (value("ip"), value("ip6")) {
        (Some(bits), _) => Some(IpAddr::V4(u32::try_from(bits).ok()?.into())),
        (None, bits) => Some(IpAddr::V6(bits?.into())),
    }
}
