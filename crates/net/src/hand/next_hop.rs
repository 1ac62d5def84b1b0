//! The next hop asked for by our own ARP or neighbour discovery, where the kernel's table lacks it.

use core::net::{IpAddr, Ipv6Addr};

use wirewright_hand::{Interface, MacAddr};
use wirewright_link::sys::Kernel;
use wirewright_link::{PacketSocket, Transmit};
use wirewright_stack::neighbors::{Event, Resolution};
use wirewright_stack::{Neighbors, Own};

use crate::error::Error;

/// Asks for `address` on the link of `socket`, at most three times, a second apart.
///
/// # Errors
/// When it does not answer or cannot be asked; when the link fails.
pub(super) fn ask(
    kernel: &dyn Kernel,
    socket: &mut PacketSocket,
    interface: &Interface,
    address: IpAddr,
) -> Result<MacAddr, Error> {
    let mut neighbors = Neighbors::new(own(interface, address));
    let cannot = || Error::NextHopCannotBeAsked { address, interface: interface.name.clone() };
    if neighbors.resolve(kernel.now(), address) == Resolution::CannotAsk {
        return Err(cannot());
    }
    loop {
        let now = kernel.now();
        neighbors.handle_timeout(now);
        while let Some(frame) = neighbors.poll_transmit(now) {
            socket.send(&Transmit::packet(&frame))?;
        }
        match neighbors.poll_event() {
            Some(Event::Resolved { mac, .. }) => return Ok(mac),
            Some(Event::Failed { .. }) => {
                return Err(Error::NextHopSilent { address, interface: interface.name.clone() });
            }
            None => {}
        }
        let deadline = neighbors.poll_timeout().unwrap_or(now);
        if let Some(received) = socket.recv(deadline)? {
            let at = received.at;
            neighbors.handle_frame(at, received.bytes);
        }
    }
}

/// Our addresses on the link, those of the target's scope before others.
fn own(interface: &Interface, target: IpAddr) -> Own {
    let link_local = |address: &Ipv6Addr| address.segments()[0] & 0xffc0 == 0xfe80;
    let v6 = || {
        interface.addresses.iter().filter_map(|address| match address {
            IpAddr::V6(v6) => Some(*v6),
            IpAddr::V4(_) => None,
        })
    };
    let wants_link_local = matches!(target, IpAddr::V6(target) if link_local(&target));
    let ipv4 = interface.addresses.iter().find_map(|address| match address {
        IpAddr::V4(v4) => Some(*v4),
        IpAddr::V6(_) => None,
    });
    Own {
        mac: interface.mac.unwrap_or(MacAddr::ZERO),
        ipv4,
        ipv6: v6().find(|address| link_local(address) == wants_link_local).or_else(|| v6().next()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_has_the_targets_scope() {
        let interface = Interface {
            index: 2,
            name: "eth0".to_owned(),
            mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
            mtu: 1500,
            up: true,
            loopback: false,
            takes_ipv4_frames: false,
            addresses: ["192.0.2.1", "2001:db8::1", "fe80::1"].iter().map(|a| a.parse().unwrap()).collect(),
        };
        let v6 = |target: &str| own(&interface, target.parse().unwrap()).ipv6.unwrap().to_string();
        assert_eq!((v6("fe80::9"), v6("2001:db8::9")), ("fe80::1".to_owned(), "2001:db8::1".to_owned()));
        assert_eq!(own(&interface, "192.0.2.9".parse().unwrap()).ipv4.unwrap().to_string(), "192.0.2.1");
    }
}
