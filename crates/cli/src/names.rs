//! Names in packets, filled in before anything is built.

use std::net::IpAddr;

use craft::{Packet, Template};

use crate::command::Options;
use crate::explain::{self, Attempt};
use crate::failure::Failure;
use crate::place::Place;

/// Which IP versions the options allow: those of `-4`, `-6`, or of `--source`.
pub(crate) const fn families(options: &Options) -> net::Families {
    match (options.ipv4, options.ipv6, options.source) {
        (true, ..) | (_, false, Some(IpAddr::V4(_))) => net::Families::V4,
        (_, true, _) | (.., Some(IpAddr::V6(_))) => net::Families::V6,
        _ => net::Families::Both,
    }
}

/// Fills in addresses for names.
///
/// # Errors
/// A name that nobody knows, or that has no address of the version wanted.
pub(crate) fn resolve(packet: &mut Packet, verb: &str, options: &Options, place: &Place<'_>) -> Result<(), Failure> {
    net::resolve(packet, place.names(options).as_ref(), families(options))
        .map_err(|error| explain::net(&error, &Attempt { verb, options, place }))
}

/// Fills in addresses for names in packets that are written as one.
///
/// # Errors
/// As [`resolve`].
pub(crate) fn resolve_all(
    template: &mut Template,
    verb: &str,
    options: &Options,
    place: &Place<'_>,
) -> Result<(), Failure> {
    net::resolve_template(template, place.names(options).as_ref(), families(options))
        .map_err(|error| explain::net(&error, &Attempt { verb, options, place }))
}
