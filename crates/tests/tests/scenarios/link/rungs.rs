//! Each rung of the guard, forced: both roles, both families, and no reset on the wire but the one made by hand.

use core::net::SocketAddr;
use std::thread;

use wirewright_lab::{Family, Host};
use wirewright_link::{Direction, Filter, Guard, GuardError, PacketConfig, PacketSocket, Receive, Rung, Wanted, What};
use wirewright_tests::{Limit, Outcome, Program, World, ensure, wait_for};

use super::guard::{End, connect, serve};
use super::tools::{CLIENT, Fallible, ROUTER, RawIp, SERVER, bytes, field, kernel, seen, socket_address, tap};

/// Those that guard a port.
const OF_A_PORT: [Rung; 4] = [Rung::Md5Listener, Rung::MinTtl, Rung::DropFilter, Rung::NftOwner];

/// Where the IP header begins in a frame.
const ETHERNET: usize = 14;
/// RST among the flags.
const RST: u128 = 4;

/// Acts, and holds the first reset that left from `port` to be the one that was made by hand, with this number.
fn only_our_reset(tap: &mut PacketSocket, port: u16, seq: u32) -> Outcome {
    let found = seen(tap, |frame| {
        let part = |key| field(frame.bytes.get(ETHERNET..)?, "tcp", key);
        let is_reset =
            frame.direction == Direction::Outgoing && part("sport")? == u128::from(port) && part("flags")? & RST != 0;
        if is_reset { part("seq") } else { None }
    })?;
    ensure!(found == u128::from(seq), "the kernel's reset left: seq {found}, ours is {seq}");
    Ok(())
}

fn resets_seen(world: &World) -> Fallible<PacketSocket> {
    let config = PacketConfig {
        receive: Receive::Both,
        filter: Filter::any_of(&[Wanted::anywhere(What::Protocol(6))]),
        ..PacketConfig::default()
    };
    tap(world, CLIENT, &config)
}

pub(super) fn each_keeps_both_roles_alive(world: &World) -> Outcome {
    for rung in OF_A_PORT {
        for family in [Family::V4, Family::V6] {
            let told = |error| format!("{}, {family:?}: {error}", rung.code());
            client(world, rung, family).map_err(told)?;
            server(world, rung, family).map_err(told)?;
        }
    }
    Ok(())
}

fn client(world: &World, rung: Rung, family: Family) -> Outcome {
    let before = world.lab().counters(Host::Client)?;
    let mut tap = resets_seen(world)?;
    let guard = Guard::tcp_by(&kernel(), socket_address(CLIENT, family, 0), rung)?;
    ensure!(guard.rung() == rung && guard.port() != 0, "{guard:?}");
    let isn = u32::MAX - 1;
    End::new(family, guard.port(), socket_address(SERVER, family, 7))?.talk(isn)?;
    only_our_reset(&mut tap, guard.port(), isn.wrapping_add(2))?;
    let resets = world.lab().counters(Host::Client)?.since(&before).value("TcpOutRsts");
    // The kernel counts those of the last rung before they are dropped.
    ensure!((resets == 0) == (rung != Rung::NftOwner), "TcpOutRsts moved by {resets}");
    Ok(())
}

fn server(world: &World, rung: Rung, family: Family) -> Outcome {
    let mut tap = resets_seen(world)?;
    let guard = Guard::tcp_by(&kernel(), socket_address(CLIENT, family, 0), rung)?;
    let mut end = End::new(family, guard.port(), SocketAddr::new(SERVER.address(family), 0))?;
    let result = thread::scope(|scope| {
        let client = scope.spawn(|| connect(world, guard.local()));
        let served = serve(&mut end);
        served.and(client.join().map_err(|_| "the client panicked")?)
    });
    end.send("R", 1001, 0, "")?;
    result?;
    only_our_reset(&mut tap, guard.port(), 1001)
}

/// The router on the client's link answers a SYN that nobody sent: with a TTL of 255 it has passed nobody, and only the rungs
/// that cover every peer are silent. From 254 down all are.
pub(super) fn only_the_least_ttl_lets_a_neighbour_through(world: &World) -> Outcome {
    for rung in [Rung::MinTtl, Rung::Md5Listener, Rung::DropFilter] {
        for family in [Family::V4, Family::V6] {
            let guard = Guard::tcp_by(&kernel(), socket_address(CLIENT, family, 0), rung)?;
            for ttl in [254, 255] {
                let before = world.lab().counters(Host::Client)?;
                syn_ack_from_the_router(world, guard.local(), ttl)?;
                let arrived = || {
                    let moved = world.lab().counters(Host::Client).ok()?.since(&before);
                    let dropped = moved.value("TcpExtTCPMinTTLDrop") + moved.value("TcpExtTCPMD5NotFound");
                    let resets = moved.value("TcpOutRsts");
                    let filtered = i64::from(rung == Rung::DropFilter && guard.dropped() > Some(0));
                    (dropped + resets + filtered > 0).then_some(resets)
                };
                let resets = wait_for("the segment arrives", Limit::seconds(2), arrived)?;
                let expected = i64::from(ttl == 255 && !rung.covers_every_peer());
                ensure!(resets == expected, "{}, {family:?}, TTL {ttl}: {resets} resets", rung.code());
            }
        }
    }
    Ok(())
}

fn syn_ack_from_the_router(world: &World, to: SocketAddr, ttl: u8) -> Outcome {
    let (ip, source) = match to {
        SocketAddr::V4(_) => ("ip", format!("{} ttl", ROUTER.v4)),
        SocketAddr::V6(_) => ("ip6", format!("{} hlim", ROUTER.v6)),
    };
    let words = format!("{ip} {} src={source}={ttl} / tcp :{} SA sport=80 seq=1 ack=1", to.ip(), to.port());
    let packet = bytes(&words)?;
    let family = if to.is_ipv4() { Family::V4 } else { Family::V6 };
    world.lab().on(Host::Router, || -> Outcome {
        RawIp::open(family)?.send(&packet, to.ip())?;
        Ok(())
    })?
}

pub(super) fn each_holds_its_port_and_leaves_nothing(_: &World) -> Outcome {
    for rung in OF_A_PORT {
        for family in [Family::V4, Family::V6] {
            let guard = Guard::tcp_by(&kernel(), socket_address(CLIENT, family, 41_000), rung)?;
            for other in OF_A_PORT {
                let second = Guard::tcp_by(&kernel(), guard.local(), other);
                ensure!(
                    matches!(second, Err(GuardError::Port(_))),
                    "{family:?}: {} beside {}: {second:?}",
                    other.code(),
                    rung.code()
                );
            }
            let tables = || -> Fallible<String> { Ok(Program::new("nft").args(["list", "tables"]).run()?.text()) };
            ensure!(tables()?.contains("wirewright-") == (rung == Rung::NftOwner), "{}", tables()?);
            drop(guard);
            ensure!(!tables()?.contains("wirewright-"), "left: {}", tables()?);
        }
    }
    Ok(())
}
