//! Taking addresses on a link: nobody has them, and from then on we hear what is for them.

use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;
use std::sync::Arc;

use wirewright_hand::{MacAddr, ether_types, protocols};
use wirewright_link::netlink::{Interface, Netlink};
use wirewright_link::sys::Kernel;
use wirewright_link::{self as link, Filter, PacketConfig, PacketSocket, Receive, Wanted, What};
use wirewright_stack::neighbors::{Event, Resolution};
use wirewright_stack::{Neighbors, Own};

use crate::tcp_error::StreamError;

/// How long the link is listened to before an address is taken. RFC 5227 §1.1 and RFC 4862 §5.4 wait for seconds, for hosts
/// that stay; a machine on the same link answers in well under a millisecond.
const PROBE_WAIT: Duration = Duration::from_millis(250);

/// What is heard at an address, beside the questions of neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hears {
    /// What a stack takes, many segments at once.
    Segments,
    /// Every packet, each as it came.
    Packets,
}

/// The interface, and its Ethernet address.
pub(super) fn ethernet(kernel: &Arc<dyn Kernel>, name: &str) -> Result<(Interface, MacAddr), StreamError> {
    let interfaces = Netlink::open(kernel.clone())?.interfaces()?;
    let found = interfaces.into_iter().find(|interface| interface.name == name);
    let interface = found.ok_or_else(|| StreamError::NoInterface { name: name.to_owned() })?;
    let mac = ethernet_address(&interface)?;
    Ok((interface, mac))
}

/// The Ethernet address of an interface.
pub(super) fn ethernet_address(interface: &Interface) -> Result<MacAddr, StreamError> {
    let mac = interface.mac.filter(|mac| *mac != MacAddr::ZERO);
    mac.ok_or_else(|| StreamError::NotEthernet { name: interface.name.clone() })
}

/// Asks the link whether the addresses are free, and hears what is for them from then on.
///
/// # Errors
/// No `CAP_NET_RAW`; somebody on the link, or this machine's kernel, has one of them.
pub(super) fn claim(
    kernel: &Arc<dyn Kernel>,
    interface: &Interface,
    mac: MacAddr,
    addresses: &[IpAddr],
    hears: Hears,
) -> Result<PacketSocket, StreamError> {
    let mut socket = open_socket(kernel, interface, addresses, hears)?;
    probe(&**kernel, &mut socket, mac, addresses)?;
    Ok(socket)
}

/// A packet socket for what is sent to these addresses, and for what finds neighbours.
fn open_socket(
    kernel: &Arc<dyn Kernel>,
    interface: &Interface,
    addresses: &[IpAddr],
    hears: Hears,
) -> Result<PacketSocket, StreamError> {
    if let Some(kernels) = interface.addresses.iter().map(|own| own.address).find(|own| addresses.contains(own)) {
        return Err(StreamError::AddressTaken { address: kernels, by: None });
    }
    let mut wanted = vec![
        Wanted::anywhere(What::EtherType(ether_types::ARP)),
        // Solicitations go to a group.
        Wanted::anywhere(What::Protocol(protocols::ICMPV6)),
    ];
    for &address in addresses {
        let icmp = if address.is_ipv4() { protocols::ICMPV4 } else { protocols::ICMPV6 };
        let what: &[What] = match hears {
            Hears::Segments => &[protocols::TCP, protocols::UDP, icmp].map(What::Protocol),
            Hears::Packets => &[What::Ip],
        };
        wanted.extend(what.iter().map(|&what| Wanted { destination: Some(address), ..Wanted::anywhere(what) }));
    }
    let config = PacketConfig {
        receive: Receive::Incoming,
        filter: Filter::any_of(&wanted),
        all_multicast: true,
        segmentation: hears == Hears::Segments,
        ..PacketConfig::default()
    };
    Ok(PacketSocket::open(kernel.clone(), interface, &config)?)
}

/// Asks the link who has these addresses: ARP probes (RFC 5227 §1.1), solicitations from nobody (RFC 4862 §5.4).
fn probe(
    kernel: &dyn Kernel,
    socket: &mut PacketSocket,
    mac: MacAddr,
    addresses: &[IpAddr],
) -> Result<(), StreamError> {
    let nobody = Own { mac, ipv4: None, ipv6: Some(Ipv6Addr::UNSPECIFIED) };
    let mut neighbors = Neighbors::new(nobody);
    let begun = kernel.now();
    for &address in addresses {
        if neighbors.resolve(begun, address) != Resolution::Asking {
            return Err(StreamError::Misuse(wirewright_stack::Misuse::NoPeer));
        }
    }
    while let Some(frame) = neighbors.poll_transmit(begun) {
        socket.send(&link::Transmit::packet(&frame))?;
    }
    while let Some(received) = socket.recv(begun + PROBE_WAIT)? {
        neighbors.handle_frame(received.at, received.bytes);
        if let Some(Event::Resolved { address, mac }) = neighbors.poll_event() {
            return Err(StreamError::AddressTaken { address, by: Some(mac) });
        }
    }
    Ok(())
}
