//! What was sent, as it left.

use core::net::IpAddr;

use wirewright_craft::{Built, First, Packet};
use wirewright_hand::probes::ProbeId;
use wirewright_hand::{Changes, NeighborState, Plan, changes};
use wirewright_link::{SentCopy, Stamp, StartsWith};

use super::ports::Guarding;

/// A packet that was handed to the kernel.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its number in the session, from 0.
    pub id: ProbeId,
    /// What it is for.
    pub role: Role,
    /// Which fragment of the packet it is; `None` where it left whole.
    pub part: Option<Part>,
    /// The packet, or fragment, as built.
    pub built: Built,
    /// The plan by which it went.
    pub plan: Plan,
    /// How its source port is held.
    pub guard: Guarding,
    /// What became of it.
    pub fate: Fate,
}

/// The place of a fragment among those of its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The person's own.
    Probe,
    /// The reset that closes what a SYN-ACK half-opened.
    Close {
        /// The probe that was answered.
        probe: ProbeId,
    },
}

/// What became of a packet behind the system call, which said that all is well.
#[derive(Clone, Debug)]
pub enum Fate {
    /// Its copy was read back.
    Left(Left),
    /// No copy came, and the kernel still asks for the next hop or gave it up: it did not leave.
    Held(Held),
    /// No copy came, and no neighbour is to blame: the link gives no copies, or the kernel dropped it behind the call.
    Unread,
}

/// A packet that left, read back from the kernel.
#[derive(Clone, Debug)]
pub struct Left {
    /// The frame.
    pub frame: Vec<u8>,
    /// What the frame begins with; `None` for a link header that is not known here.
    pub first: Option<First>,
    /// Where the built packet begins in it: behind the link header that the kernel or we put before it.
    pub packet_at: usize,
    /// Each field that is not as built.
    pub changes: Changes,
    /// When it left, by the kernel's stamp.
    pub at: Option<Stamp>,
    /// It came to the local queue and never to the driver: lost here, unless the driver gives no stamps.
    pub lost_in_queue: bool,
}

impl Left {
    pub(super) fn new(copy: SentCopy, built: &Built, plan: &Plan) -> Self {
        let framed = if plan.framing.is_some() { ETHERNET } else { 0 };
        let packet_at = copy.link_header_len + framed;
        let packet = copy.bytes.get(packet_at..).unwrap_or_default();
        let changes = changes(built, packet, plan);
        let first = match copy.starts_with {
            StartsWith::Ethernet => Some(First::Ethernet),
            StartsWith::Ip => Some(First::Ip),
            StartsWith::Other(_) => None,
        };
        let (at, lost_in_queue) = (copy.left(), copy.is_lost());
        Self { frame: copy.bytes, first, packet_at, changes, at, lost_in_queue }
    }

    /// The bytes of the packet on the wire, from where the built one begins.
    #[must_use]
    pub fn packet_bytes(&self) -> &[u8] {
        self.frame.get(self.packet_at..).unwrap_or_default()
    }

    /// The whole frame as a packet, whose printed form is the sent line.
    #[must_use]
    pub fn packet(&self, built: &Built) -> Packet {
        match self.first {
            Some(first) => Packet::from_bytes(&self.frame, first),
            None => Packet::from_bytes(self.packet_bytes(), built.first),
        }
    }
}

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// Why no copy came, as far as the kernel's tables tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The next hop that the kernel asks for.
    pub next_hop: Option<IpAddr>,
    /// What the kernel thinks of it: asking still, or failed.
    pub neighbor: Option<NeighborState>,
}
