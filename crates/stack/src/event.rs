//! What a host tells its user.

use wirewright_tcp as tcp;

use crate::{ConnectionId, ListenerId, UdpId};

/// Something the user of a host may want to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Of a connection.
    Tcp(ConnectionId, tcp::Event),
    /// A listener has a connection to be [accepted](crate::Host::accept). Told again only after none was left.
    Incoming(ListenerId),
    /// A UDP socket has a datagram. Told again only after none was left.
    Datagram(UdpId),
}
