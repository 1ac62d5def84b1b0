//! The other side of a conversation without a network: a host of our own with an application on it.

use core::net::SocketAddr;
use std::sync::Arc;

use wirewright_hand::conversation::State;
use wirewright_link::sys::Kernel;
use wirewright_stack::{ConnectionId, FourTuple, Received};
use wirewright_units::Instant;

use super::application::{Application, Does, Then, Turn};
use super::erring::{Ears, Erring, Spoiler};
use super::own_host::OwnHost;
use super::rehearsal::Own;
use crate::error::{Error, Misuse};

/// So much that its application does not use is read; the rest closes the window.
const HEARD_BYTES_MAX: usize = 64 << 10;

/// A host that holds one connection after the other.
pub(super) struct Peer {
    host: OwnHost,
    application: Application,
    open: Option<Open>,
    erring: Option<Erring>,
    ears: Ears,
}

/// A connection and its application.
struct Open {
    id: ConnectionId,
    ends: FourTuple,
    /// What came and was not used.
    heard: Vec<u8>,
    has_begun: bool,
    has_ended: bool,
    /// What is said and was not written.
    left: Vec<u8>,
    then: Then,
}

impl Peer {
    /// It waits on these ports.
    pub(super) fn listening(kernel: Arc<dyn Kernel>, own: Own) -> Result<Self, Error> {
        Self::new(kernel, own, false)
    }

    /// It connects to `remote`.
    pub(super) fn connecting(kernel: Arc<dyn Kernel>, remote: SocketAddr, own: Own) -> Result<Self, Error> {
        let (now, local) = (kernel.now(), SocketAddr::new(own.address, 0));
        let mut peer = Self::new(kernel, own, true)?;
        let host = &mut peer.host.host;
        let id = host.connect(now, local, remote).map_err(|_| Error::Misuse(Misuse::NoSegment))?;
        peer.open = host.four_tuple(id).map(|ends| Open::new(id, ends));
        Ok(peer)
    }

    fn new(kernel: Arc<dyn Kernel>, own: Own, begins: bool) -> Result<Self, Error> {
        let Own { address, ports, application, erring } = own;
        let (mut host, ears) = (OwnHost::new(kernel, address, &ports)?, Ears::default());
        if let Some(erring) = erring {
            host.host.set_hook(Spoiler::new(erring, begins, ears.clone()));
        }
        Ok(Self { host, application, open: None, erring, ears })
    }

    /// A packet came to it.
    pub(super) fn hear(&mut self, now: Instant, packet: &[u8]) {
        self.ears.heard();
        self.host.host.handle_frame(now, &Received::new(packet));
    }

    /// When it has something to do by itself.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.host.host.poll_timeout()
    }

    /// Its application and its TCP do what is to be done; what it sends.
    pub(super) fn turn(&mut self, now: Instant) -> Vec<Vec<u8>> {
        self.host.host.handle_timeout(now);
        self.serve(now);
        self.host.sent(now)
    }

    fn serve(&mut self, now: Instant) {
        let host = &mut self.host.host;
        if self.open.is_none() {
            let accepted = self.host.listeners.iter().find_map(|&listener| host.accept(listener));
            self.open = accepted.and_then(|id| Some(Open::new(id, host.four_tuple(id)?)));
        }
        let Some(open) = &mut self.open else { return };
        let state = host.connection(open.id).map(|connection| connection.state());
        if matches!(state, Some(State::SynSent | State::SynReceived)) {
            return;
        }
        if open.then == Then::GoesOn && (open.read(now, &mut self.host) | !open.has_begun) {
            open.has_begun = true;
            let does = (self.application)(&open.turn());
            open.act(if self.erring == Some(Erring::Reset) { given_up(&open.turn(), does) } else { does });
        }
        if open.go_on(now, &mut self.host) {
            self.open = None;
        }
    }
}

/// Whatever an application does: its peer gives up as soon as it has heard anything.
fn given_up(turn: &Turn<'_>, does: Does) -> Does {
    if turn.heard.is_empty() && !turn.has_ended { does } else { Does { then: Then::Aborts, ..Does::default() } }
}

impl Open {
    const fn new(id: ConnectionId, ends: FourTuple) -> Self {
        let (has_begun, has_ended, then) = (false, false, Then::GoesOn);
        Self { id, ends, heard: Vec::new(), has_begun, has_ended, left: Vec::new(), then }
    }

    fn turn(&self) -> Turn<'_> {
        let FourTuple { local, remote } = self.ends;
        Turn { local, remote, heard: &self.heard, has_ended: self.has_ended }
    }

    fn act(&mut self, does: Does) {
        self.heard.drain(..does.used.min(self.heard.len()));
        self.left.extend(does.says);
        self.then = does.then;
        // Nothing more comes, so that nothing more could be said.
        if self.has_ended && self.then == Then::GoesOn {
            self.then = Then::Closes;
        }
    }

    /// Reads what is there; whether there is something new to be told.
    fn read(&mut self, now: Instant, own: &mut OwnHost) -> bool {
        let mut buffer = [0; 4096];
        let mut any = false;
        while !self.has_ended && self.heard.len() < HEARD_BYTES_MAX {
            match own.host.read(now, self.id, &mut buffer) {
                Ok(Some(count @ 1..)) => self.heard.extend_from_slice(&buffer[..count]),
                Ok(None) => break,
                Ok(Some(_)) | Err(_) => self.has_ended = true,
            }
            any = true;
        }
        any
    }

    /// Writes what there is room for, and ends when all is said; whether it is over.
    fn go_on(&mut self, now: Instant, own: &mut OwnHost) -> bool {
        if !self.left.is_empty() {
            // A connection that is over takes nothing.
            let written = own.host.write(now, self.id, &self.left);
            self.left.drain(..written.unwrap_or(self.left.len()));
        }
        match self.then {
            Then::Aborts => own.host.abort(now, self.id),
            // It is over already, or ends with this.
            Then::Closes if self.left.is_empty() => drop(own.host.close(now, self.id)),
            _ => return false,
        }
        own.host.release(now, self.id);
        true
    }
}
