//! What runs on a host of our own in this process: bytes in, bytes out, without a socket.

use core::net::SocketAddr;

/// What an application sees at its turn: when its connection opens, when bytes came, when no more will.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Its own end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// What came and was not used yet.
    pub heard: &'a [u8],
    /// The other end says no more.
    pub has_ended: bool,
}

/// What it does then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Does {
    /// So many bytes of [`Turn::heard`] are not needed again.
    pub used: usize,
    /// What it says.
    pub says: Vec<u8>,
    /// And after that.
    pub then: Then,
}

/// How it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// It waits for more.
    #[default]
    GoesOn,
    /// It says no more: a FIN follows.
    Closes,
    /// It gives the connection up: a reset follows.
    Aborts,
}

/// An application.
pub type Application = Box<dyn FnMut(&Turn<'_>) -> Does>;
