//! Names in packets that are only built.

use craft::Packet;

use crate::command::Options;
use crate::explain::{self, Attempt};
use crate::failure::Failure;
use crate::place::Place;

/// Which IP versions the options allow.
pub(crate) const fn families(options: &Options) -> net::Families {
    match (options.ipv4, options.ipv6) {
        (true, _) => net::Families::V4,
        (_, true) => net::Families::V6,
        _ => net::Families::Both,
    }
}

/// Fills in addresses for names.
///
/// # Errors
/// A name that nobody knows, or that has no address of the version wanted.
pub(crate) fn resolve(packet: &mut Packet, verb: &str, options: &Options, place: &Place<'_>) -> Result<(), Failure> {
    let names = place.names(options);
    net::resolve(packet, names.as_ref(), families(options))
        .map_err(|error| explain::net(&error, &Attempt { verb, options, place }))
}
