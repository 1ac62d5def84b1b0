//! A host of our own in this process, to which hand-made packets are given where nothing can be sent. It is no kernel.

use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use wirewright_link::sys::Kernel;
use wirewright_link::{Operation, OsError};
use wirewright_stack::{Backlog, Host, ListenerId, Received, Verdict};
use wirewright_units::Instant;

use crate::error::{Error, Misuse};
use crate::in_process::host_in_process;

/// A host that listens on TCP ports, and answers echo requests.
pub struct OwnHost {
    kernel: Arc<dyn Kernel>,
    pub(super) host: Host,
    pub(super) listeners: Vec<ListenerId>,
}

/// What became of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What the host sends back at once, from the IP header on.
    pub answers: Vec<Vec<u8>>,
    /// Why it dropped the packet, by a stable code.
    pub discarded: Option<&'static str>,
}

impl OwnHost {
    /// A host with this address, which listens on these ports.
    ///
    /// # Errors
    /// The kernel gives no random bytes; a port is 0, or there twice.
    pub fn new(kernel: Arc<dyn Kernel>, address: IpAddr, ports: &[u16]) -> Result<Self, Error> {
        let mut secret = [0; 32];
        let random = kernel.random(&mut secret);
        random.map_err(|errno| OsError::new(Operation::AskTables, "getrandom", errno))?;
        let mut host = host_in_process(address, secret);
        let listen = |&port| host.listen(SocketAddr::new(address, port), Backlog::default());
        let listeners: Result<Vec<_>, _> = ports.iter().map(listen).collect();
        let listeners = listeners.map_err(|_| Error::Misuse(Misuse::NoSegment))?;
        Ok(Self { kernel, host, listeners })
    }

    /// Gives it a packet, from the IP header on.
    pub fn take(&mut self, packet: &[u8]) -> Taken {
        let now = self.kernel.now();
        let discarded = match self.host.handle_frame(now, &Received::new(packet)) {
            Verdict::Accepted => None,
            Verdict::Discarded(reason) => Some(reason.code()),
        };
        Taken { answers: self.sent(now), discarded }
    }

    /// What it has to send at this moment.
    pub(super) fn sent(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        while self.host.poll_transmit(now, &mut |packet| {
            let mut bytes = Vec::with_capacity(packet.len());
            packet.append_to(&mut bytes);
            sent.push(bytes);
        }) {}
        // Whoever uses it looks at the host itself.
        while self.host.poll_event().is_some() {}
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wirewright_craft::{Context, parse};
    use wirewright_link::sys;

    #[test]
    fn what_is_right_is_answered_and_what_is_wrong_has_a_reason() {
        let address = "192.0.2.2".parse().unwrap();
        let mut host = OwnHost::new(sys::system(), address, &[7, 80]).unwrap();
        let context = Context { source_v4: Some([198, 51, 100, 2].into()), ..Context::default() };
        let mut take = |line: &str| host.take(&parse(line).unwrap().build(&context).unwrap().bytes);
        let answered = [take("tcp 192.0.2.2:80 S"), take("tcp 192.0.2.2:7 S"), take("icmp 192.0.2.2 data=x")];
        assert!(answered.iter().all(|it| it.answers.len() == 1 && it.discarded.is_none()), "{answered:?}");
        let wrong = take("tcp 192.0.2.2:80 S sum=bad");
        assert_eq!(wrong, Taken { answers: Vec::new(), discarded: Some("bad-checksum") });
        let refused = take("tcp 192.0.2.2:81 S");
        assert_eq!((refused.answers.len(), refused.discarded), (1, Some("no-such-connection")));
        assert_eq!(take("udp 192.0.2.9:9").discarded, Some("for-another-host"));
        assert!(OwnHost::new(sys::system(), address, &[0]).is_err());
        assert!(OwnHost::new(sys::system(), address, &[80, 80]).is_err());
    }
}
