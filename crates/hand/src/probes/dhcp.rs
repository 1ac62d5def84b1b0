//! RFC 2131 §4.1: which answer of DHCP is whose. Addresses do not tell: who asks may have none yet, and is answered at the one
//! that is offered, or with all others.

use wirewright_wire::{MacAddr, dhcp, next, udp};

use super::flow::Datagram;

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    transaction: u32,
    client: MacAddr,
}

/// `op` of a message from a server.
const ANSWER: u8 = 2;

impl Question {
    /// The question in a whole datagram to a server.
    pub(super) fn of(datagram: &Datagram<'_>) -> Option<Self> {
        let message = message(datagram, dhcp::SERVER_PORT)?;
        let (transaction, client) = (message.transaction(), message.client_hardware());
        (message.operation() != ANSWER).then_some(Self { transaction, client })
    }

    /// The length of the message that answers it; `None`: it answers another, or none.
    pub(super) fn answer(&self, heard: &Datagram<'_>) -> Option<usize> {
        let message = message(heard, dhcp::CLIENT_PORT)?;
        let is_for_it = (message.transaction(), message.client_hardware()) == (self.transaction, self.client);
        (is_for_it && message.operation() == ANSWER).then(|| heard.upper.len() - udp::LEN)
    }
}

/// The message in a datagram to this port.
fn message<'a>(datagram: &Datagram<'a>, port: u16) -> Option<dhcp::View<'a>> {
    if datagram.ends.protocol != next::protocol::UDP {
        return None;
    }
    let (udp, payload) = udp::View::split(datagram.upper)?;
    let (message, _) = dhcp::View::split(payload).filter(|_| udp.destination_port() == port)?;
    (message.cookie() == dhcp::COOKIE).then_some(message)
}
