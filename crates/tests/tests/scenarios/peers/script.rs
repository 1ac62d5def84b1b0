//! A peer on the lab's server whose every segment is written down: it does what no kernel would do.

use core::net::SocketAddr;

use wirewright_lab::{Family, Host};
use wirewright_link::{Filter, Guard, RawReceiver, Wanted, What};
use wirewright_tests::{World, fail};

use crate::link::tools::{CLIENT, Fallible, RawIp, SERVER, after, bytes, field, kernel, socket_address};

/// Where the peer's sequence numbers begin.
const ISN: u32 = 1000;

/// The peer's end.
pub(super) struct Peer {
    family: Family,
    _guard: Guard,
    sender: RawIp,
    receiver: RawReceiver,
    local: SocketAddr,
    /// The client's port, once it was heard.
    port: u16,
    /// The next byte that is expected of the client.
    next: u32,
    /// The next byte that is sent.
    own: u32,
}

/// A segment of the client, in the numbers that it carries.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) flags: u128,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) text: Vec<u8>,
}

pub(super) const SYN: u128 = 0x02;
pub(super) const RST: u128 = 0x04;
pub(super) const ACK: u128 = 0x10;

impl Peer {
    pub(super) fn open(world: &World, family: Family, port: u16) -> Fallible<Self> {
        let local = socket_address(SERVER, family, port);
        let open = || {
            let what = What::Tcp { source_port: None, destination_port: Some(port) };
            let filter = Filter::any_of(&[Wanted { source: Some(CLIENT.address(family)), destination: None, what }]);
            let receiver = match family {
                Family::V4 => RawReceiver::ipv4(kernel(), 6, &filter)?,
                Family::V6 => RawReceiver::ipv6(kernel(), 6, &filter)?,
            };
            let guard = Guard::tcp(&kernel(), local)?;
            Ok(Self {
                family,
                _guard: guard,
                sender: RawIp::open(family)?,
                receiver,
                local,
                port: 0,
                next: 0,
                own: ISN,
            })
        };
        world.lab().on(Host::Server, open)?
    }

    pub(super) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends a segment whose acknowledgment is `ack`; what is its own moves on.
    pub(super) fn send_ack(&mut self, flags: &str, ack: u32, rest: &str) -> Fallible<()> {
        let to = CLIENT.address(self.family);
        let ip = if self.family == Family::V4 { "ip" } else { "ip6" };
        let (from, sport, dport, seq) = (self.local.ip(), self.local.port(), self.port, self.own);
        let words = format!("{ip} {to} src={from} / tcp :{dport} sport={sport} {flags} seq={seq} ack={ack} {rest}");
        self.sender.send(&bytes(&words)?, to)?;
        Ok(())
    }

    /// Sends a segment that acknowledges what came.
    pub(super) fn send(&mut self, flags: &str, rest: &str) -> Fallible<()> {
        self.send_ack(flags, self.next, rest)
    }

    /// Sends a segment whose number is `off` beside the right one.
    pub(super) fn send_off(&mut self, off: u32, flags: &str, rest: &str) -> Fallible<()> {
        let own = self.own;
        self.own = own.wrapping_add(off);
        let sent = self.send(flags, rest);
        self.own = own;
        sent
    }

    /// The next segment; `None` where none comes in `millis`.
    pub(super) fn hear(&mut self, millis: u64) -> Fallible<Option<Segment>> {
        let Some(received) = self.receiver.recv(after(millis))? else { return Ok(None) };
        let number = |key| -> Fallible<u32> { Ok(u32::try_from(field(received.bytes, "tcp", key).ok_or("no TCP")?)?) };
        let ip = if received.bytes[0] >> 4 == 6 { 40 } else { usize::from(received.bytes[0] & 15) * 4 };
        let text = ip + usize::from(received.bytes[ip + 12] >> 4) * 4;
        self.port = u16::try_from(number("sport")?)?;
        Ok(Some(Segment {
            flags: u128::from(number("flags")?) & 0x3f,
            seq: number("seq")?,
            ack: number("ack")?,
            text: received.bytes[text..].to_vec(),
        }))
    }

    /// The first segment that is as it is wanted; others are passed over.
    pub(super) fn wait(&mut self, what: &str, wanted: impl Fn(&Segment) -> bool) -> Fallible<Segment> {
        let mut others = Vec::new();
        while let Some(segment) = self.hear(5000)? {
            if wanted(&segment) {
                return Ok(segment);
            }
            others.push(segment);
        }
        fail!("no {what} came, but {others:?}")
    }

    /// Waits for a SYN, whose number counts from now on.
    pub(super) fn wait_for_syn(&mut self) -> Fallible<()> {
        let syn = self.wait("SYN", |segment| segment.flags == SYN)?;
        self.next = syn.seq.wrapping_add(1);
        Ok(())
    }

    /// Takes the connection, offering a window.
    pub(super) fn accept(&mut self, window: u16) -> Fallible<()> {
        self.wait_for_syn()?;
        self.take(window)
    }

    /// Answers the SYN, and waits until that is acknowledged.
    pub(super) fn take(&mut self, window: u16) -> Fallible<()> {
        self.send("SA", &format!("win={window} mss=1400"))?;
        self.own = self.own.wrapping_add(1);
        let own = self.own;
        self.wait("ACK of the SYN-ACK", |segment| segment.flags & (SYN | RST) == 0 && segment.ack == own)?;
        Ok(())
    }

    /// Takes text until the request is whole, acknowledging it with a window.
    pub(super) fn request(&mut self, window: u16) -> Fallible<()> {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let next = self.next;
            let segment = self.wait("request", |segment| segment.seq == next && !segment.text.is_empty())?;
            request.extend_from_slice(&segment.text);
            self.next = next.wrapping_add(u32::try_from(segment.text.len())?);
            self.send("A", &format!("win={window}"))?;
        }
        Ok(())
    }

    /// Takes so many bytes of text, whatever segments they come in, without acknowledging them.
    pub(super) fn take_text(&mut self, count: u32) -> Fallible<()> {
        let end = self.next.wrapping_add(count);
        self.wait("text", |segment| {
            !segment.text.is_empty() && segment.seq.wrapping_add(u32::try_from(segment.text.len()).unwrap_or(0)) == end
        })?;
        Ok(())
    }

    /// Moves what is acknowledged.
    pub(super) fn acknowledge(&mut self, count: u32) {
        self.next = self.next.wrapping_add(count);
    }

    /// What is acknowledged, and `ahead` bytes that were never sent.
    pub(super) const fn ahead(&self, ahead: u32) -> u32 {
        self.next.wrapping_add(ahead)
    }

    /// Sends text in words of the packet language.
    pub(super) fn say(&mut self, text: &str, len: u32) -> Fallible<()> {
        self.send("PA", &format!("data='{text}'"))?;
        self.own = self.own.wrapping_add(len);
        Ok(())
    }

    /// The page `hello`, and both ends' FINs.
    pub(super) fn answer(&mut self) -> Fallible<()> {
        const HEAD: &str = r"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        // Each escape is two characters for one byte.
        let len = u32::try_from(HEAD.len() - HEAD.matches('\\').count() + 5)?;
        self.send("FPA", &format!("data='{HEAD}hello'"))?;
        self.own = self.own.wrapping_add(len + 1);
        let own = self.own;
        let fin = self.wait("FIN", |segment| segment.flags & 1 != 0 && segment.ack == own)?;
        let len = u32::try_from(fin.text.len())?;
        self.next = fin.seq.wrapping_add(len + 1);
        self.send("A", "")
    }

    /// The client has reset it, at the number that this end expects.
    pub(super) fn was_reset(&mut self) -> Fallible<()> {
        let next = self.next;
        self.wait("RST", |segment| segment.flags & RST != 0 && segment.seq == next)?;
        Ok(())
    }
}
