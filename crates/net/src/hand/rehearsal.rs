//! A conversation by hand without any network: the peer is our own TCP, in this process. No kernel takes part.

use core::net::{IpAddr, SocketAddr};
use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use wirewright_craft::{Built, Context, Packet};
use wirewright_hand::SeqNum;
use wirewright_hand::conversation::{Conversation, Segment, Silence, Step, TypedError};
use wirewright_link::sys::{Kernel, Poll};
use wirewright_link::{Direction, Operation, OsError, Woken, wait};
use wirewright_units::{Instant, UnixTime};

use super::application::Application;
use super::dialogue::{Happened, Listened};
use super::erring::Erring;
use super::peer::Peer;
use crate::error::{Error, Misuse};

/// The first of the dynamic ports (RFC 6335 §6), from which ours is drawn: those with both high bits set.
const DYNAMIC_PORTS: u16 = 0xc000;

/// A conversation by hand with our own TCP.
pub struct Rehearsal {
    kernel: Arc<dyn Kernel>,
    /// The same seed gives the same bytes; without one they are fresh for each packet.
    is_seeded: bool,
    context: Context,
    conversation: Conversation,
    peer: Peer,
    /// From the peer, not told yet.
    arrived: VecDeque<Carried>,
    carried: Vec<Carried>,
}

/// A segment that was given to the peer.
#[derive(Clone, Debug)]
pub struct Given {
    /// The packet as built.
    pub built: Built,
    /// What it means; `None`: it is no segment of this conversation.
    pub step: Option<Step>,
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

/// The peer of a rehearsal: a host of our own.
pub struct Own {
    /// Its address.
    pub address: IpAddr,
    /// Where it listens, when it does not begin.
    pub ports: Vec<u16>,
    /// What runs on it.
    pub application: Application,
    /// What it does wrong; `None`: nothing.
    pub erring: Option<Erring>,
}

impl Rehearsal {
    /// A conversation that we begin from `local` by the SYN `opening`, whose names are resolved. What does not go to the
    /// address of `own` has no answer, and what goes to a port where it does not listen is refused. Nothing is said yet.
    ///
    /// # Errors
    /// The opening cannot be built, or is no segment to a port; the kernel gives no random bytes.
    pub fn client(
        kernel: Arc<dyn Kernel>,
        seed: Option<[u8; 32]>,
        opening: &Packet,
        local: IpAddr,
        own: Own,
    ) -> Result<Self, Error> {
        let mut context = Context::default();
        let mut port = [0; 2];
        for bytes in [&mut context.entropy[..], &mut port] {
            fill(&kernel, bytes)?;
        }
        if let Some(seed) = seed {
            context.entropy = seed;
            port.copy_from_slice(&seed[..2]);
        }
        match local {
            IpAddr::V4(v4) => context.source_v4 = Some(v4),
            IpAddr::V6(v6) => context.source_v6 = Some(v6),
        }
        context.source_port = Some(DYNAMIC_PORTS | u16::from_ne_bytes(port));
        let built = opening.build(&context)?;
        let segment = Segment::read(&built.bytes).ok_or(Error::Misuse(Misuse::NoSegment))?;
        let peer = Peer::listening(kernel.clone(), own)?;
        let conversation = Conversation::client(segment.source, segment.destination, segment.seq);
        Ok(Self::new(kernel, seed, context, conversation, peer))
    }

    /// A conversation that `own` begins with `local`.
    ///
    /// # Errors
    /// The kernel gives no random bytes; the addresses are of two versions, or the port is 0.
    pub fn server(kernel: Arc<dyn Kernel>, seed: Option<[u8; 32]>, local: SocketAddr, own: Own) -> Result<Self, Error> {
        let mut context = Context::default();
        fill(&kernel, &mut context.entropy)?;
        context.entropy = seed.unwrap_or(context.entropy);
        let [a, b, c, d, ..] = context.entropy;
        let conversation = Conversation::server(SeqNum::new(u32::from_ne_bytes([a, b, c, d])));
        let peer = Peer::connecting(kernel.clone(), local, own)?;
        Ok(Self::new(kernel, seed, context, conversation, peer))
    }

    fn new(
        kernel: Arc<dyn Kernel>,
        seed: Option<[u8; 32]>,
        context: Context,
        conversation: Conversation,
        peer: Peer,
    ) -> Self {
        let is_seeded = seed.is_some();
        Self { kernel, is_seeded, context, conversation, peer, arrived: VecDeque::new(), carried: Vec::new() }
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

    /// Gives a segment to the peer.
    ///
    /// # Errors
    /// It cannot be built, or the kernel gives no random bytes.
    pub fn say(&mut self, packet: &Packet) -> Result<Given, Error> {
        if !self.is_seeded {
            fill(&self.kernel, &mut self.context.entropy)?;
        }
        let built = packet.build(&self.context)?;
        let now = self.kernel.now();
        let step = self.conversation.handle_sent(now, &built.bytes);
        self.carried.push(self.carry(Direction::Outgoing, built.bytes.clone()));
        self.peer.hear(now, &built.bytes);
        self.turn(now);
        Ok(Given { built, step })
    }

    /// Waits until `deadline` for the peer, and for the caller's own descriptors.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait(&mut self, deadline: Instant, also: &[BorrowedFd<'_>]) -> Result<Happened, Error> {
        loop {
            let now = self.kernel.now();
            self.turn(now);
            while let Some(Carried { wall, bytes, .. }) = self.arrived.pop_front() {
                if let Some(step) = self.conversation.handle_received(now, &bytes) {
                    return Ok(Happened::Segment(Box::new(Listened { step, bytes, wall, rebuilt: false })));
                }
            }
            let next = self.peer.poll_timeout().map_or(deadline, |timeout| timeout.min(deadline));
            let mut polls: Vec<Poll<'_>> = also.iter().map(|&fd| Poll::reading(fd)).collect();
            let failed = |errno| OsError::new(Operation::Receive, "poll", errno);
            match wait(self.kernel.as_ref(), &mut polls, next).map_err(failed)? {
                Woken::TimedOut if self.kernel.now() >= deadline => return Ok(Happened::TimedOut),
                Woken::TimedOut => {}
                Woken::Interrupted => return Ok(Happened::Interrupted),
                Woken::Ready => return Ok(Happened::Other),
            }
        }
    }

    /// Nothing came for as long as the caller waited.
    pub fn silence(&mut self) -> Option<Silence> {
        self.conversation.handle_silence(self.kernel.now())
    }

    /// What went over since this was asked last, in its order.
    pub fn carried(&mut self) -> Vec<Carried> {
        core::mem::take(&mut self.carried)
    }

    // From here on: the steps.

    /// The peer's application and its TCP do what is to be done.
    fn turn(&mut self, now: Instant) {
        for bytes in self.peer.turn(now) {
            let carried = self.carry(Direction::Incoming, bytes);
            self.carried.push(carried.clone());
            self.arrived.push_back(carried);
        }
    }

    fn carry(&self, direction: Direction, bytes: Vec<u8>) -> Carried {
        Carried { direction, wall: self.kernel.wall(), bytes }
    }
}

fn fill(kernel: &Arc<dyn Kernel>, bytes: &mut [u8]) -> Result<(), OsError> {
    kernel.random(bytes).map_err(|errno| OsError::new(Operation::AskTables, "getrandom", errno))
}

#[cfg(test)]
mod tests {
    use super::super::application::{Does, Then, Turn};
    use super::*;
    use core::time::Duration;
    use wirewright_craft::parse;
    use wirewright_hand::conversation::{Fault, State};
    use wirewright_link::sys;

    fn addresses(v6: bool) -> (IpAddr, IpAddr) {
        let (server, client) = if v6 { ("2001:db8::2", "2001:db8:1::2") } else { ("192.0.2.2", "198.51.100.2") };
        (server.parse().unwrap(), client.parse().unwrap())
    }

    /// Says that it heard when what it hears ends with an exclamation mark.
    fn listener(turn: &Turn<'_>) -> Does {
        if !turn.heard.ends_with(b"!") {
            return Does::default();
        }
        Does { used: turn.heard.len(), says: b"heard".to_vec(), then: Then::Closes }
    }

    fn rehearsal(v6: bool) -> Rehearsal {
        erring(v6, None)
    }

    fn erring(v6: bool, erring: Option<Erring>) -> Rehearsal {
        let (address, local) = addresses(v6);
        let own = Own { address, ports: vec![80], application: Box::new(listener), erring };
        let opening = parse(&format!("tcp {address} :80 S")).unwrap();
        Rehearsal::client(sys::system(), None, &opening, local, own).unwrap()
    }

    fn heard(it: &mut Rehearsal, time: Duration) -> Vec<Step> {
        let until = it.now() + time;
        core::iter::from_fn(|| match it.wait(until, &[]).unwrap() {
            Happened::Segment(listened) => Some(listened.step),
            _ => None,
        })
        .collect()
    }

    fn say(it: &mut Rehearsal, line: &str) -> Vec<Step> {
        let packet = it.typed(line).unwrap();
        assert!(it.say(&packet).unwrap().step.is_some(), "{line}");
        heard(it, Duration::from_millis(50))
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
    fn a_peer_that_begins_says_its_words_and_hears_ours() {
        for v6 in [false, true] {
            let (address, local) = addresses(v6);
            let application = Box::new(|turn: &Turn<'_>| match turn.heard {
                [] if turn.has_ended => Does { then: Then::Closes, ..Does::default() },
                [] => Does { says: b"hello".to_vec(), ..Does::default() },
                heard => Does { used: heard.len(), says: heard.to_vec(), then: Then::GoesOn },
            });
            let own = Own { address, ports: Vec::new(), application, erring: None };
            let mut it = Rehearsal::server(sys::system(), None, (local, 8080).into(), own).unwrap();
            assert!(heard(&mut it, Duration::from_millis(5))[0].segment.flags.syn());
            let steps = say(&mut it, "SA");
            assert!(steps.iter().any(|step| step.segment.data == b"hello"), "{steps:?}");
            let steps = say(&mut it, "PA data=echo");
            assert!(steps.iter().any(|step| step.segment.data == b"echo"), "{steps:?}");
            let steps = say(&mut it, "FA");
            assert!(steps.iter().any(|step| step.segment.flags.fin()), "{steps:?}");
            say(&mut it, "A");
            assert!(it.conversation().is_over(), "{:?}", it.conversation().us());
        }
    }

    #[test]
    fn a_port_of_nobody_is_refused_and_another_address_silent() {
        let answer = |to: &str| {
            let (address, local) = addresses(false);
            let own = Own { address, ports: vec![80], application: Box::new(listener), erring: None };
            let opening = parse(&format!("tcp {to} S")).unwrap();
            let mut it = Rehearsal::client(sys::system(), None, &opening, local, own).unwrap();
            say(&mut it, "S").first().map(|step| step.what)
        };
        assert_eq!(answer("192.0.2.2:81"), Some(wirewright_hand::conversation::What::Refused));
        assert_eq!(answer("192.0.2.4:80"), None);
    }

    /// Each peer that errs is found out by what comes, and all but the silent one are led to an end of both sides.
    #[test]
    fn each_peer_that_errs_is_found_out_and_the_conversation_goes_on() {
        let expected = [
            (Erring::ZeroWindow, Fault::WindowZero),
            (Erring::NoAnswer, Fault::Silent),
            (Erring::Reset, Fault::ResetNotExact),
            (Erring::BadAck, Fault::AckOfUnsent),
            (Erring::ShrunkWindow, Fault::WindowShrunk),
            (Erring::BadSum, Fault::BadChecksum),
        ];
        assert_eq!(expected.map(|(it, _)| it), Erring::ALL);
        for (errs, fault) in expected {
            for v6 in [false, true] {
                let mut it = erring(v6, Some(errs));
                let mut steps: Vec<Step> = ["S", "A", "PA data='here!'"].iter().flat_map(|l| say(&mut it, l)).collect();
                if errs == Erring::NoAnswer {
                    assert_eq!(it.silence().and_then(|silence| silence.fault), Some(fault));
                    continue;
                }
                for _ in 0..20 {
                    if it.conversation().is_over() {
                        break;
                    }
                    match it.conversation().next_towards_end() {
                        Some(line) => steps.extend(say(&mut it, line)),
                        None => steps.extend(heard(&mut it, Duration::from_millis(300))),
                    }
                }
                assert!(steps.iter().any(|step| step.fault == Some(fault)), "{errs:?}: {steps:#?}");
                assert!(steps.iter().all(|step| step.mistake.is_none()), "{errs:?}");
                assert!(it.conversation().is_over(), "{errs:?}: {:?}", it.conversation().us());
                assert_eq!(it.conversation().was_reset(), errs == Erring::Reset);
            }
        }
    }

    #[test]
    fn what_is_wrong_gets_no_answer_and_two_have_other_numbers() {
        let mut it = rehearsal(false);
        assert!(say(&mut it, "S sum=bad").is_empty());
        let mut other = rehearsal(false);
        say(&mut other, "S");
        // Ports and sequence number.
        assert_ne!(it.carried()[0].bytes[20..28], other.carried()[0].bytes[20..28]);
    }
}
