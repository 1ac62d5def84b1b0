//! The builder: a child of the caller that makes the world, proves it, and then holds the keeper.
//!
//! In: which rung, and a line to the caller.
//! Out: the networks and a report, or the step that failed; the caller is not touched by either.
//! Above: `enter.rs`. Below: `link::sys::namespace`, `link::netlink::create`, `keeper.rs`.
//! Not here: the services; what the caller does with what it gets.

mod ready;
pub(crate) mod settings;
mod world;

use core::time::Duration;
use std::os::fd::AsFd;

use wirewright_link::sys::namespace::{self, Forked, Namespace};

use crate::keeper::{self, Keeper};
use crate::map::Host;
use crate::message::{Line, Message, Report};
use crate::refusal::{At, Failed, Step};
use crate::relay::Relay;
use crate::rung::Rung;
use crate::shape::Shape;
use world::World;

/// How long the keeper may take to open its services: it does nothing that waits.
const SERVICES_LIMIT: Duration = Duration::from_secs(5);

/// How long the caller may take to write the maps.
const MAPS_LIMIT: Duration = Duration::from_secs(5);

/// What the builder was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) rung: Rung,
    pub(crate) shape: Shape,
    pub(crate) offload: bool,
    pub(crate) relay: Option<Relay>,
    /// The caller.
    pub(crate) parent: u32,
}

/// The builder's whole life.
pub(crate) fn run(order: Order, line: &Line) -> ! {
    match build(order, line) {
        Ok(keeper) => {
            keeper::leave_the_terminal();
            keeper.wait();
            namespace::end_now(0)
        }
        Err(failed) => {
            // Where the caller is gone nobody needs to know.
            let _ = line.send(&Message::Failed(failed), &[]);
            namespace::end_now(1)
        }
    }
}

fn build(order: Order, line: &Line) -> Result<Keeper, Failed> {
    let _ = namespace::ignore_terminal_signals();
    if order.rung == Rung::UserNamespace {
        namespace::become_inspectable().at(Step::UserNamespace)?;
        namespace::unshare(Namespace::User).at(Step::UserNamespace)?;
        line.send(&Message::Unshared, &[]).at(Step::Builder)?;
        let Some((Message::Mapped, _)) = line.receive(MAPS_LIMIT) else { return Err(Failed::late(Step::UserMap)) };
    }
    // After the last change of credentials, which would forget it.
    namespace::die_with_parent(order.parent).at(Step::Builder)?;
    if order.rung.has_networks() { build_networks(order, line) } else { build_on_loopback(line) }
}

fn build_networks(order: Order, line: &Line) -> Result<Keeper, Failed> {
    let mut world = World::make(order.shape, order.offload, order.relay.is_some())?;
    let (pump, relay) = order.relay.map(|relay| world.open_relay(relay)).transpose()?.unzip();
    let server = world.network(Host::Server).namespace.as_fd();
    namespace::enter(server, Namespace::Network).at(Step::Services)?;
    let place = keeper::Place::Server { shape: world.shape, with_v6: world.with_v6 };
    let keeper = Keeper::start(place, pump)?;
    ready::wait_for_solicited_groups(&mut world)?;
    ready::exchange_echoes(&mut world)?;
    let mut report = keeper.report(SERVICES_LIMIT)?;
    report.notes.splice(0..0, world.notes);
    report.keeper = keeper.pid();
    if let Some(relay) = &relay {
        ready::begin_faults(relay)?;
    }
    let networks = world.networks.iter().map(|network| network.namespace.as_fd());
    let ends: Vec<_> = networks.chain(relay.as_ref().map(Line::as_fd)).collect();
    line.send(&Message::Ready(report), &ends).at(Step::Builder)?;
    Ok(keeper)
}

fn build_on_loopback(line: &Line) -> Result<Keeper, Failed> {
    let keeper = Keeper::start(keeper::Place::Loopback { with_v6: settings::has_ipv6() }, None)?;
    let report = Report { keeper: keeper.pid(), ..keeper.report(SERVICES_LIMIT)? };
    line.send(&Message::Ready(report), &[]).at(Step::Builder)?;
    Ok(keeper)
}

/// Starts the builder.
pub(crate) fn start(order: Order) -> Result<(u32, Line), Failed> {
    let (here, there) = Line::pair().at(Step::Fork)?;
    match namespace::fork().at(Step::Fork)? {
        Forked::Child => {
            drop(here);
            run(order, &there)
        }
        Forked::Parent { child } => Ok((child, here)),
    }
}
