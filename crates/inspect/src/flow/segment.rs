//! One segment: what its header says, and what is known of it besides.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use wirewright_units::UnixTime;
use wirewright_wire::tcp::{Flags, OPTIONS, SackBlock, TcpOption, Timestamps, options};
use wirewright_wire::{SeqNum, WindowField};

use super::side::Side;
use super::{Mark, SeenFrame, State};
use crate::dissect::{Dissection, Layer, dissect};

/// Which way a segment went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the left end to the right one.
    Right,
    /// From the right end to the left one.
    Left,
}

/// A segment of a conversation.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The number of its frame.
    pub number: u64,
    /// When it was seen.
    pub at: UnixTime,
    /// Which way it went.
    pub way: Way,
    /// Its control bits.
    pub flags: Flags,
    /// Its sequence number as it stands there.
    pub seq: SeqNum,
    /// Its acknowledgment number as it stands there; it counts with ACK only.
    pub ack: SeqNum,
    /// Its sequence number, counted from the sender's initial one.
    pub relative_seq: u32,
    /// Its acknowledgment, counted from the other end's initial number; `None` without ACK.
    pub relative_ack: Option<u32>,
    /// How many bytes of data it carries (also where the capture cut them).
    pub len: u32,
    /// The window field.
    pub window_field: WindowField,
    /// The window in bytes, where its scale is known: in a SYN, or when both SYNs were seen.
    pub window: Option<u32>,
    /// Its options.
    pub options: Options,
    /// What is to be noticed.
    pub marks: Vec<Mark>,
    /// The states of the left and of the right end once it has arrived.
    pub states: [State; 2],
}

/// The options of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// The shift of the window scale as it stands there.
    pub window_scale: Option<u8>,
    /// SACK permitted.
    pub sack_permitted: bool,
    /// The timestamps.
    pub timestamps: Option<Timestamps>,
    /// SACK blocks, relative to the other end's initial number: first byte, and the byte behind the last.
    pub sack: Vec<(u32, u32)>,
    /// All others, in order: their kinds, and what they are where the table knows.
    pub others: Vec<(u8, Option<&'static str>)>,
    /// The option area is malformed.
    pub malformed: bool,
    raw_sack: Vec<SackBlock>,
}

impl Segment {
    /// How much it moves the sequence number on: its data, SYN and FIN.
    #[must_use]
    pub fn seq_len(&self) -> u32 {
        self.len + u32::from(self.flags.syn()) + u32::from(self.flags.fin())
    }

    /// It has this mark.
    #[must_use]
    pub fn is(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }

    /// Fills in what counts from the initial numbers.
    pub(super) fn relative(&mut self, sender: &Side, receiver: &Side) {
        let from = |base: Option<SeqNum>, number: SeqNum| base.map_or(0, |base| number.since(base).get());
        self.relative_seq = from(sender.base, self.seq);
        self.relative_ack = self.flags.ack().then(|| from(receiver.base, self.ack));
        let block = |block: &SackBlock| (from(receiver.base, block.left), from(receiver.base, block.right));
        self.options.sack = self.options.raw_sack.iter().map(block).collect();
    }
}

/// The segment in a frame, and who sent it to whom; `None` where there is none.
pub(super) fn read(frame: &SeenFrame<'_>) -> Option<(Segment, (SocketAddr, SocketAddr))> {
    let dissection = dissect(frame.bytes, frame.first);
    let at = dissection.layers.iter().position(|layer| layer.desc.key == "tcp" && !layer.quoted)?;
    let layer = &dissection.layers[at];
    let ip = dissection.layers[..at].iter().rfind(|layer| matches!(layer.desc.key, "ip" | "ip6"))?;
    let parsed = wirewright_wire::tcp::parse(frame.bytes.get(layer.header.clone())?).ok()?;
    let header = parsed.header;
    let ends = (
        SocketAddr::new(address(ip, "src")?, header.source_port()),
        SocketAddr::new(address(ip, "dst")?, header.destination_port()),
    );
    let wrong_sum = dissection.checksums.iter().any(|sum| sum.layer.key == "tcp" && sum.verdict.is_wrong());
    let segment = Segment {
        number: frame.number,
        at: frame.at,
        way: Way::Right,
        flags: header.flags(),
        seq: header.sequence(),
        ack: header.acknowledgment(),
        relative_seq: 0,
        relative_ack: None,
        len: data_len(&dissection, ip, layer),
        window_field: header.window(),
        window: None,
        options: read_options(parsed.options),
        marks: if wrong_sum { alloc::vec![Mark::WrongChecksum] } else { Vec::new() },
        states: [State::Closed; 2],
    };
    Some((segment, ends))
}

fn address(ip: &Layer, key: &str) -> Option<IpAddr> {
    let value = ip.value(key)?;
    Some(match ip.desc.key {
        "ip" => IpAddr::V4(u32::try_from(value).ok()?.into()),
        _ => IpAddr::V6(value.into()),
    })
}

/// More than any frame holds, and so little that SYN and FIN can be counted on top.
const LEN_MAX: u32 = u32::MAX >> 1;

/// How many bytes of data a segment has: by the IP header, because a capture may have cut it; by the bytes, where a large
/// segment's IP header says 0.
fn data_len(dissection: &Dissection<'_>, ip: &Layer, tcp: &Layer) -> u32 {
    let stated = ip.value("len").and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
    let before = if ip.desc.key == "ip" { 0 } else { ip.desc.len };
    let end = if stated == 0 { dissection.payload.end } else { ip.header.start + before + stated };
    u32::try_from(end.saturating_sub(tcp.header.end)).unwrap_or(LEN_MAX)
}

fn read_options(bytes: &[u8]) -> Options {
    let mut all = Options::default();
    for option in options(bytes) {
        match option {
            Ok(TcpOption::MaximumSegmentSize(mss)) => all.mss = Some(mss),
            Ok(TcpOption::WindowScale(shift)) => all.window_scale = Some(shift),
            Ok(TcpOption::SackPermitted) => all.sack_permitted = true,
            Ok(TcpOption::Timestamps(stamps)) => all.timestamps = Some(stamps),
            Ok(TcpOption::Sack(blocks)) => all.raw_sack.extend(blocks.iter()),
            Ok(TcpOption::Unknown { kind, value }) => {
                all.others.push((kind, OPTIONS.of(kind.into(), value).map(|option| option.key)));
            }
            Ok(_) => {}
            Err(_) => all.malformed = true,
        }
    }
    all
}
