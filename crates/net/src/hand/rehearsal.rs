//! A conversation by hand without any network: the peer is our own TCP, in this process. No kernel takes part.

use core::net::{IpAddr, SocketAddr};
use std::collections::VecDeque;
use std::sync::Arc;

use wirewright_craft::{Context, Packet};
use wirewright_hand::conversation::{Conversation, Segment, Step, TypedError};
use wirewright_link::sys::Kernel;
use wirewright_link::{Direction, Operation, OsError};
use wirewright_stack::{ConnectionId, Received};
use wirewright_units::{Instant, UnixTime};

use super::own_host::OwnHost;
use crate::error::{Error, Misuse};

/// The first of the dynamic ports (RFC 6335 §6), from which ours is drawn: those with both high bits set.
const DYNAMIC_PORTS: u16 = 0xc000;

/// What the peer answers to all that it has read; `None` while it waits for more. Then it closes.
pub type Answer = Box<dyn FnMut(&[u8], SocketAddr) -> Option<Vec<u8>>>;

/// A conversation by hand with our own TCP.
pub struct Rehearsal {
    kernel: Arc<dyn Kernel>,
    context: Context,
    conversation: Conversation,
    peer: Peer,
    /// From the peer, not told yet.
    arrived: VecDeque<Vec<u8>>,
    carried: Vec<Carried>,
}

/// A packet that went from one side to the other, from its IP header on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Seen from our side.
    pub direction: Direction,
    /// When, by the clock on the wall.
    pub wall: UnixTime,
    /// The packet.
    pub bytes: Vec<u8>,
}

/// A host that serves one connection after the other by one answer each.
struct Peer {
    own: OwnHost,
    answer: Answer,
    open: Option<(ConnectionId, SocketAddr)>,
    asked: Vec<u8>,
    left: Option<VecDeque<u8>>,
}

impl Rehearsal {
    /// A conversation that we begin from `local`, with a peer that listens where the SYN `opening` goes. Nothing is said yet.
    ///
    /// # Errors
    /// The opening cannot be built, or is no segment to a port; the kernel gives no random bytes.
    pub fn client(kernel: Arc<dyn Kernel>, opening: &Packet, local: IpAddr, answer: Answer) -> Result<Self, Error> {
        let mut context = Context::default();
        let mut port = [0; 2];
        for bytes in [&mut context.entropy[..], &mut port] {
            let random = kernel.random(bytes);
            random.map_err(|errno| OsError::new(Operation::AskTables, "getrandom", errno))?;
        }
        match local {
            IpAddr::V4(v4) => context.source_v4 = Some(v4),
            IpAddr::V6(v6) => context.source_v6 = Some(v6),
        }
        context.source_port = Some(DYNAMIC_PORTS | u16::from_ne_bytes(port));
        let built = opening.build(&context)?;
        let segment = Segment::read(&built.bytes).ok_or(Error::Misuse(Misuse::NoSegment))?;
        let own = OwnHost::new(kernel.clone(), segment.destination.into())?;
        let peer = Peer { own, answer, open: None, asked: Vec::new(), left: None };
        let conversation = Conversation::client(segment.source, segment.destination, segment.seq);
        Ok(Self { kernel, context, conversation, peer, arrived: VecDeque::new(), carried: Vec::new() })
    }

    /// What is known of the conversation.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The moment, by the clock that steps are stamped with.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.kernel.now()
    }

    /// The packet that a line stands for now.
    ///
    /// # Errors
    /// [`TypedError`].
    pub fn typed(&self, line: &str) -> Result<Packet, TypedError> {
        self.conversation.typed(self.kernel.now(), line)
    }

    /// Gives a segment to the peer; `None`: it is no segment of this conversation.
    ///
    /// # Errors
    /// It cannot be built, or the kernel gives no random bytes.
    pub fn say(&mut self, packet: &Packet) -> Result<Option<Step>, Error> {
        let random = self.kernel.random(&mut self.context.entropy);
        random.map_err(|errno| OsError::new(Operation::AskTables, "getrandom", errno))?;
        let built = packet.build(&self.context)?;
        let now = self.kernel.now();
        let step = self.conversation.handle_sent(now, &built.bytes);
        self.carry(Direction::Outgoing, &built.bytes);
        self.peer.own.host.handle_frame(now, &Received::new(&built.bytes));
        self.turn(now);
        Ok(step)
    }

    /// Waits until `deadline` for a segment of the peer; `None`: none came.
    pub fn wait(&mut self, deadline: Instant) -> Option<Step> {
        loop {
            let now = self.kernel.now();
            self.peer.own.host.handle_timeout(now);
            self.turn(now);
            while let Some(bytes) = self.arrived.pop_front() {
                if let Some(step) = self.conversation.handle_received(now, &bytes) {
                    return Some(step);
                }
            }
            if now >= deadline {
                return None;
            }
            let next = self.peer.own.host.poll_timeout().map_or(deadline, |timeout| timeout.min(deadline));
            // A failed wait ends in another turn.
            let _ = self.kernel.poll(&mut [], Some(next.since(now)));
        }
    }

    /// What went over since this was asked last, in its order.
    pub fn carried(&mut self) -> Vec<Carried> {
        core::mem::take(&mut self.carried)
    }

    // From here on: the steps.

    /// The peer's application and its TCP do what is to be done.
    fn turn(&mut self, now: Instant) {
        self.peer.serve(now);
        let sent = self.peer.own.sent(now);
        for bytes in sent {
            self.carry(Direction::Incoming, &bytes);
            self.arrived.push_back(bytes);
        }
    }

    fn carry(&mut self, direction: Direction, bytes: &[u8]) {
        self.carried.push(Carried { direction, wall: self.kernel.wall(), bytes: bytes.to_vec() });
    }
}

impl Peer {
    fn serve(&mut self, now: Instant) {
        if self.open.is_none() {
            let accepted = self.own.host.accept(self.own.listener);
            self.open = accepted.and_then(|id| Some((id, self.own.host.four_tuple(id)?.remote)));
        }
        let Some((id, remote)) = self.open else { return };
        if self.left.is_none() && self.read(now, id) {
            self.left = (self.answer)(&self.asked, remote).map(VecDeque::from);
        }
        let Some(left) = &mut self.left else { return };
        // What there is no room for is written in another turn; a connection that is over takes nothing.
        let written = self.own.host.write(now, id, left.make_contiguous());
        left.drain(..written.as_ref().copied().unwrap_or(left.len()));
        if left.is_empty() {
            // It is over already, or ends with this.
            let _ = self.own.host.close(now, id);
            self.own.host.release(now, id);
            (self.open, self.left) = (None, None);
            self.asked.clear();
        }
    }

    /// Reads what is there; whether anything was, or the connection ended.
    fn read(&mut self, now: Instant, id: ConnectionId) -> bool {
        let mut buffer = [0; 4096];
        let mut any = false;
        loop {
            match self.own.host.read(now, id, &mut buffer) {
                Ok(Some(count @ 1..)) => self.asked.extend_from_slice(&buffer[..count]),
                Ok(None) => return any,
                Ok(Some(_)) | Err(_) => {
                    // Nothing more comes: what was not answered by now never is.
                    self.left = Some(VecDeque::new());
                    return false;
                }
            }
            any = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use wirewright_craft::parse;
    use wirewright_hand::conversation::State;
    use wirewright_link::sys;

    fn rehearsal(v6: bool) -> Rehearsal {
        let (to, local) = if v6 { ("2001:db8::2 :80", "2001:db8:1::2") } else { ("192.0.2.2:80", "198.51.100.2") };
        let opening = parse(&format!("tcp {to} S")).unwrap();
        let answer: Answer = Box::new(|asked, _| asked.ends_with(b"!").then(|| b"heard".to_vec()));
        Rehearsal::client(sys::system(), &opening, local.parse().unwrap(), answer).unwrap()
    }

    fn say(it: &mut Rehearsal, line: &str) -> Vec<Step> {
        let packet = it.typed(line).unwrap();
        assert!(it.say(&packet).unwrap().is_some(), "{line}");
        let until = it.now() + Duration::from_millis(50);
        core::iter::from_fn(|| it.wait(until)).collect()
    }

    #[test]
    fn a_conversation_goes_from_its_syn_to_both_ends() {
        for v6 in [false, true] {
            let mut it = rehearsal(v6);
            assert!(say(&mut it, "S")[0].segment.flags.syn());
            assert_eq!(say(&mut it, "A").len(), 0);
            assert!(say(&mut it, "PA data='anybody?'").iter().all(|step| step.segment.data.is_empty()));
            let heard = say(&mut it, "PA data='here!'");
            assert!(heard.iter().any(|step| step.segment.data == b"heard"), "{heard:?}");
            assert!(heard.iter().any(|step| step.segment.flags.fin()), "{heard:?}");
            say(&mut it, "FA");
            assert_eq!(it.conversation().us(), State::Closed);
            assert!(it.conversation().is_over() && !it.conversation().leaves_something());
            let carried = it.carried();
            assert_eq!(carried.iter().filter(|packet| packet.direction == Direction::Outgoing).count(), 5);
            assert!(it.carried().is_empty());
        }
    }

    #[test]
    fn what_is_wrong_gets_no_answer_and_two_have_other_numbers() {
        let mut it = rehearsal(false);
        let wrong = it.typed("S sum=bad").unwrap();
        it.say(&wrong).unwrap();
        let until = it.now() + Duration::from_millis(5);
        assert!(it.wait(until).is_none());
        let mut other = rehearsal(false);
        say(&mut other, "S");
        // Ports and sequence number.
        assert_ne!(it.carried()[0].bytes[20..28], other.carried()[0].bytes[20..28]);
    }
}
