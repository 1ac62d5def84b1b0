//! A host of our own at the far end of a TUN device: this machine's kernel before it, other kernels behind that one.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use wirewright_lab::{Family, Host};
use wirewright_link::Direction;
use wirewright_net::{OwnAddress, StreamError, TunConfig};
use wirewright_tests::{Ground, Need, Outcome, Scenario, World, ensure};

use crate::link::tools::{CLIENT, Fallible, SERVER, interface, run, socket_address};
use crate::our_tcp::{SOON, pattern, without_resets};
use crate::own_address::there_and_back;

/// Many windows, each way.
const BYTES: usize = 3_000_000;
/// A port on which the lab's echo service listens.
const ECHO: u16 = 7;
/// A port of ours.
const PORT: u16 = 8080;
const DEVICE: &str = "wwtest";
const MTU: usize = 1500;

/// The kernel's ends, and ours.
const NEAR_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
const FAR_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 2));
const NEAR_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 1));
const FAR_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 2));

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("own_tun::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
            .needs(Need::Tun)
    };
    vec![
        lab("this_kernel_connects_and_segments_cross_whole", near).tools(&["ip"]),
        lab("a_stream_goes_past_a_kernel_that_forwards", far).tools(&["ip"]),
        lab("the_device_goes_with_its_host_and_its_name_is_its_own", goes),
    ]
}

fn config() -> TunConfig {
    TunConfig { name: DEVICE.to_owned(), ends: vec![(NEAR_V4, FAR_V4), (NEAR_V6, FAR_V6)], ..TunConfig::default() }
}

/// The longest packets seen: from us, to us.
type Longest = Arc<[AtomicUsize; 2]>;

fn host() -> Fallible<(OwnAddress, Longest)> {
    let longest = Longest::default();
    let seen = longest.clone();
    let watch: wirewright_net::Watch = Box::new(move |_, direction, bytes| {
        seen[usize::from(direction == Direction::Incoming)].fetch_max(bytes.len(), Ordering::Relaxed);
    });
    Ok((OwnAddress::on_tun(&config(), Some(watch))?, longest))
}

fn near(world: &World) -> Outcome {
    let data = pattern(BYTES);
    without_resets(world, || {
        let (own, longest) = host()?;
        for address in [FAR_V4, FAR_V6] {
            let local = SocketAddr::new(address, PORT);
            let listener = own.listen(local)?;
            thread::scope(|scope| -> Outcome {
                let asked = scope.spawn(|| ask(local, &data));
                let (mut stream, peer) = listener.accept_timeout(SOON)?;
                ensure!([NEAR_V4, NEAR_V6].contains(&peer.ip()), "{peer} came");
                stream.set_read_timeout(Some(SOON))?;
                let mut question = Vec::new();
                stream.read_to_end(&mut question)?;
                ensure!(question == data, "to {address}: {} bytes came, or others", question.len());
                stream.write_all(&data)?;
                drop(stream);
                let answer = asked.join().map_err(|_| "the asker panicked")??;
                ensure!(answer == data, "from {address}: {} bytes came, or others", answer.len());
                Ok(())
            })?;
        }
        let [sent, heard] = [0, 1].map(|way| longest[way].load(Ordering::Relaxed));
        ensure!(sent > MTU && heard > MTU, "no super-segment crossed: {sent} and {heard} bytes at most");
        Ok(())
    })
}

/// A kernel's connection: `data` there, all that comes back.
fn ask(to: SocketAddr, data: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&to, SOON)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.write_all(data)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Makes the client's kernel a router and tells the lab's own where our end is, while `act` runs.
fn forwarding(world: &World, act: impl FnOnce() -> Outcome) -> Outcome {
    let switches = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"];
    let routes = [(FAR_V4, IpAddr::V4(CLIENT.v4)), (FAR_V6, IpAddr::V6(CLIENT.v6))];
    for switch in switches {
        std::fs::write(switch, "1")?;
    }
    for (far, via) in routes {
        run(world, Host::Router, &format!("ip route add {far} via {via}"))?;
    }
    let done = act();
    for (far, via) in routes {
        run(world, Host::Router, &format!("ip route del {far} via {via}"))?;
    }
    for switch in switches {
        std::fs::write(switch, "0")?;
    }
    done
}

fn far(world: &World) -> Outcome {
    let data = pattern(BYTES);
    let (own, _) = host()?;
    without_resets(world, || {
        forwarding(world, || {
            for family in [Family::V4, Family::V6] {
                there_and_back(&own, socket_address(SERVER, family, ECHO), &data)?;
                let local = SocketAddr::new(if family == Family::V4 { FAR_V4 } else { FAR_V6 }, PORT);
                let listener = own.listen(local)?;
                thread::scope(|scope| -> Outcome {
                    let asked = scope.spawn(|| world.lab().on(Host::Server, || ask(local, b"question")));
                    let (mut stream, _) = listener.accept_timeout(SOON)?;
                    stream.write_all(b"answer")?;
                    stream.shutdown(Shutdown::Write)?;
                    let mut question = Vec::new();
                    stream.read_to_end(&mut question)?;
                    let answer = asked.join().map_err(|_| "the asker panicked")???;
                    ensure!((&question[..], &answer[..]) == (b"question", b"answer"), "{question:?}, {answer:?}");
                    Ok(())
                })?;
            }
            Ok(())
        })
    })
}

fn goes(_: &World) -> Outcome {
    let (own, _) = host()?;
    let device = interface(DEVICE)?;
    ensure!(device.kind.as_deref() == Some("tun") && device.flags.is_up() && device.mtu == 1500, "{device:?}");
    let refused = OwnAddress::on_tun(&config(), None).err().ok_or("two devices have one name")?;
    let Some(StreamError::Os(error)) = StreamError::of(&refused) else { return Err(refused.into()) };
    ensure!(error.interface.as_deref() == Some(DEVICE), "{error}");
    drop(own);
    wirewright_tests::wait_for("the end of the device", wirewright_tests::Limit(SOON), || {
        interface(DEVICE).err().map(drop)
    })?;
    Ok(())
}
