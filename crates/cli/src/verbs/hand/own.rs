//! The conversation with a host of our own in this process, where nothing can be sent, or nothing is to be.

use std::net::{IpAddr, SocketAddr};

use craft::Packet;
use net::hand::{Own, Rehearsal};

use super::End;
use crate::command::Options;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::partner::Partner;
use crate::place::Place;
use crate::speech::say;
use crate::{context, in_process, names};

/// The conversation, nothing said yet.
pub(super) fn open(options: &Options, place: &Place<'_>, to: End) -> Result<Partner, Failure> {
    let rehearsal = match to {
        End::Local(address, port) => listen(options, address, port),
        End::Remote(mut opening) => {
            names::resolve(&mut opening, "hand", options, place)?;
            call(options, &opening)
        }
    };
    match rehearsal {
        Some(Ok(it)) => Ok(Partner::Own(Box::new(it))),
        Some(Err(error)) => Err(explain::net(&error, &Attempt { verb: "hand", options, place })),
        None => Err(Failure::new(Exit::NotPermitted, "no-network", say("error.no-network.hand", &[]))
            .row("see", "ww lab --verbose")),
    }
}

/// We begin. `None`: the practice network has nobody of this IP version.
fn call(options: &Options, opening: &Packet) -> Option<Result<Rehearsal, net::Error>> {
    let to = destination(opening)?;
    let local = in_process::address("client", to.is_ipv6())?;
    Some(Rehearsal::client(link::sys::system(), seed(options), opening, local, in_process::host_at(to)?))
}

/// The other side begins, as soon as we listen.
fn listen(options: &Options, address: Option<IpAddr>, port: u16) -> Option<Result<Rehearsal, net::Error>> {
    let v6 = address.map_or(options.ipv6, |address| address.is_ipv6());
    let own: Own = in_process::asking(v6)?;
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
