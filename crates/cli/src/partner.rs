//! Who the conversation is held with: somebody on a wire, or a host of our own in this process.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;

use craft::Packet;
use hand::Instant;
use hand::conversation::{Conversation, Silence, Step, TypedError};
use net::hand::{Carried, Dialogue, Given, Guarding, Happened, Rehearsal, Spoken};

/// Whoever it is.
pub(crate) enum Partner {
    /// On a wire, with the kernel kept quiet.
    Wire(Box<Dialogue>),
    /// In this process.
    Own(Box<Rehearsal>),
}

/// A segment that was said.
pub(crate) enum Said {
    /// It was handed to the kernel.
    Wire(Box<Spoken>),
    /// It was given to the host.
    Own(Box<Given>),
}

impl Said {
    /// What it means; `None`: it did not leave, or is no segment of the conversation.
    pub(crate) const fn step(&self) -> Option<&Step> {
        match self {
            Self::Wire(spoken) => spoken.step.as_ref(),
            Self::Own(given) => given.step.as_ref(),
        }
    }
}

impl Partner {
    pub(crate) fn conversation(&self) -> &Conversation {
        match self {
            Self::Wire(dialogue) => dialogue.conversation(),
            Self::Own(rehearsal) => rehearsal.conversation(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::Wire(dialogue) => dialogue.now(),
            Self::Own(rehearsal) => rehearsal.now(),
        }
    }

    pub(crate) fn typed(&self, line: &str) -> Result<Packet, TypedError> {
        match self {
            Self::Wire(dialogue) => dialogue.typed(line),
            Self::Own(rehearsal) => rehearsal.typed(line),
        }
    }

    pub(crate) fn say(&mut self, packet: Packet) -> Result<Said, net::Error> {
        Ok(match self {
            Self::Wire(dialogue) => Said::Wire(Box::new(dialogue.say(packet)?)),
            Self::Own(rehearsal) => Said::Own(Box::new(rehearsal.say(&packet)?)),
        })
    }

    pub(crate) fn wait(&mut self, until: Instant, also: &[BorrowedFd<'_>]) -> Result<Happened, net::Error> {
        match self {
            Self::Wire(dialogue) => dialogue.wait(until, also),
            Self::Own(rehearsal) => rehearsal.wait(until, also),
        }
    }

    pub(crate) fn silence(&mut self) -> Option<Silence> {
        match self {
            Self::Wire(dialogue) => dialogue.silence(),
            Self::Own(rehearsal) => rehearsal.silence(),
        }
    }

    /// How the port is held; `None` where no kernel has it.
    pub(crate) fn guard(&self) -> Option<&Guarding> {
        match self {
            Self::Wire(dialogue) => Some(dialogue.guard()),
            Self::Own(_) => None,
        }
    }

    /// What went over inside this process.
    pub(crate) fn carried(&mut self) -> Vec<Carried> {
        match self {
            Self::Wire(_) => Vec::new(),
            Self::Own(rehearsal) => rehearsal.carried(),
        }
    }

    /// Both ends, once they are known.
    pub(crate) fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        let end = |(address, port): (IpAddr, u16)| SocketAddr::new(address, port);
        self.conversation().ends().map(|(local, remote)| (end(local), end(remote)))
    }
}
