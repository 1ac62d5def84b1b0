//! A host of our own on the client's link, with addresses that no kernel has: both roles, both IP versions.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::thread;

use wirewright_lab::{Family, Host};
use wirewright_net::{OwnAddress, OwnConfig, Prefix, Route, StreamError};
use wirewright_tests::{Ground, Outcome, Scenario, World, ensure};
use wirewright_wire::MacAddr;

use crate::link::tools::{CLIENT, ROUTER, SERVER, socket_address};
use crate::our_tcp::{SOON, pattern, without_resets};

/// Many windows, each way.
const BYTES: usize = 3_000_000;
/// A port on which the lab's echo service listens.
const ECHO: u16 = 7;
/// A port of ours.
const PORT: u16 = 8080;

/// Nobody in the lab has these.
const OWN_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 77));
const OWN_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x77));

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("own_address::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    vec![
        lab("a_stream_goes_to_a_kernel_and_back", client),
        lab("kernels_connect_to_it", server),
        lab("an_address_that_somebody_has_is_not_taken", taken),
    ]
}

/// Where the lab's client is, at addresses of our own.
fn config() -> OwnConfig {
    let gateways = [IpAddr::V4(ROUTER.v4), IpAddr::V6(ROUTER.v6)];
    OwnConfig {
        interface: CLIENT.interface.to_owned(),
        addresses: vec![Prefix::new(OWN_V4, 24), Prefix::new(OWN_V6, 64)],
        routes: gateways.map(|router| Route { to: Prefix::default_of(router), gateway: Some(router) }).to_vec(),
    }
}

/// Sends all of `data` to an echo service and compares what comes back meanwhile.
pub(crate) fn there_and_back(own: &OwnAddress, echo: SocketAddr, data: &[u8]) -> Outcome {
    let mut stream = own.connect(echo, SOON)?;
    stream.set_read_timeout(Some(SOON))?;
    let mut back = Vec::new();
    thread::scope(|scope| -> Outcome {
        let mut up = stream.clone();
        let sent = scope.spawn(move || up.write_all(data).and_then(|()| up.shutdown(Shutdown::Write)));
        let read = stream.read_to_end(&mut back);
        sent.join().map_err(|_| "the writer panicked")??;
        read?;
        Ok(())
    })?;
    ensure!(back == data, "{echo}: {} bytes came back, or others", back.len());
    Ok(())
}

fn client(world: &World) -> Outcome {
    let data = pattern(BYTES);
    without_resets(world, || {
        let own = OwnAddress::open(&config())?;
        for family in [Family::V4, Family::V6] {
            there_and_back(&own, socket_address(SERVER, family, ECHO), &data)?;
        }
        Ok(())
    })
}

fn server(world: &World) -> Outcome {
    let data = pattern(BYTES);
    let own = OwnAddress::open(&config())?;
    // The server asks across a router, the router on the link itself.
    for asker in [Host::Server, Host::Router] {
        for address in [OWN_V4, OWN_V6] {
            let local = SocketAddr::new(address, PORT);
            let listener = own.listen(local)?;
            thread::scope(|scope| -> Outcome {
                let asked = scope.spawn(|| world.lab().on(asker, || ask(local, &data)));
                let (mut stream, _) = listener.accept_timeout(SOON)?;
                stream.set_read_timeout(Some(SOON))?;
                let mut question = Vec::new();
                stream.read_to_end(&mut question)?;
                ensure!(question == data, "{asker:?} to {address}: {} bytes came, or others", question.len());
                stream.write_all(&data)?;
                drop(stream);
                let answer = asked.join().map_err(|_| "the asker panicked")???;
                ensure!(answer == data, "{asker:?} from {address}: {} bytes came, or others", answer.len());
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// A kernel's connection: `data` there, all that comes back.
fn ask(to: SocketAddr, data: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = std::net::TcpStream::connect_timeout(&to, SOON)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.write_all(data)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn taken(_: &World) -> Outcome {
    let refused = |config: &OwnConfig| match OwnAddress::open(config) {
        Ok(_) => "taken".to_owned(),
        Err(error) => StreamError::of(&error).map_or_else(|| error.to_string(), |why| format!("{}: {why}", why.code())),
    };
    for address in [IpAddr::V4(ROUTER.v4), IpAddr::V6(ROUTER.v6)] {
        let told = refused(&OwnConfig { addresses: vec![Prefix::new(address, 24)], ..config() });
        ensure!(told == format!("address-taken: {address} is taken: {} answers for it", MacAddr(ROUTER.mac)), "{told}");
        let own = if address.is_ipv4() { IpAddr::V4(CLIENT.v4) } else { IpAddr::V6(CLIENT.v6) };
        let told = refused(&OwnConfig { addresses: vec![Prefix::new(own, 24)], ..config() });
        ensure!(told == format!("address-taken: {own} is taken: this machine's kernel has it"), "{told}");
    }
    for (interface, told) in
        [("nope", "no-interface: there is no interface nope"), ("lo", "not-ethernet: lo has no Ethernet address")]
    {
        let found = refused(&OwnConfig { interface: interface.to_owned(), ..config() });
        ensure!(found == told, "{found}");
    }
    Ok(())
}
