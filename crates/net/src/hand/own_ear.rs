//! An address of our own, for as long as a conversation by hand lasts: who asks for it is answered, what comes is heard.

use core::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use wirewright_craft::First;
use wirewright_hand::MacAddr;
use wirewright_link::sys::Kernel;
use wirewright_link::{PacketSocket, Transmit};
use wirewright_stack::answer_for;

use super::Options;
use super::listen::Heard;
use crate::error::Error;
use crate::own_address::{Claimed, Wanted, claim_towards};

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// Hears for an address of our own.
pub(super) struct OwnEar {
    socket: PacketSocket,
    mac: MacAddr,
    address: IpAddr,
}

impl OwnEar {
    /// Takes an address towards `peer`, or for whoever comes.
    ///
    /// # Errors
    /// No interface with Ethernet, no free address, no `CAP_NET_RAW`.
    pub(super) fn open(
        kernel: &Arc<dyn Kernel>,
        options: &Options,
        (peer, source): (Option<IpAddr>, Option<IpAddr>),
        is_ipv4: bool,
    ) -> Result<Self, Error> {
        let wanted = Wanted { peer, is_ipv4, interface: options.interface.as_deref(), source };
        let claimed = claim_towards(kernel, &wanted).map_err(|error| Error::OwnAddress(Box::new(error)))?;
        let Claimed { socket, mac, address, .. } = claimed;
        Ok(Self { socket, mac, address: address.address })
    }

    /// The address.
    pub(super) const fn address(&self) -> IpAddr {
        self.address
    }

    /// The next IP packet that came to it. Questions who has the address are answered on the way.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn hear(&mut self) -> Result<Option<Heard>, Error> {
        let (mac, address) = (self.mac, self.address);
        loop {
            let Some(received) = self.socket.try_recv()? else { return Ok(None) };
            let Some(answer) = answer_for(received.bytes, mac, |asked| asked == address) else {
                let heard = Heard::new(&received).filter(|heard| heard.bytes.len() > ETHERNET);
                match heard.filter(|heard| heard.first == First::Ethernet) {
                    Some(heard) => return Ok(Some(behind_the_link(heard))),
                    None => continue,
                }
            };
            self.socket.send(&Transmit::packet(&answer))?;
        }
    }
}

/// The IP packet of a frame.
fn behind_the_link(mut heard: Heard) -> Heard {
    heard.bytes.drain(..ETHERNET);
    heard.first = First::Ip;
    heard
}

impl AsFd for OwnEar {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
