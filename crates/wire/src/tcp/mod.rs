//! RFC 9293 §3.1: the TCP header, its flags and its options.
//!
//! In: the payload of an IP packet.
//! Out: the header, its options one by one, the payload; and back, headers and options into fixed buffers.
//! Above: craft, tcp, stack, hand, inspect. Below: the tables' macros.
//! Not here: any rule of the conversation (tcp).

use crate::ports::PORTS;
use crate::{Auto, Layer, LengthOf, LimitedBy, ParseError, SeqNum, SumOver, WindowField};

mod flags;
mod mptcp;
mod options;
mod state;

pub use flags::{Flags, LETTERS};
pub use options::{
    OPTIONS, OPTIONS_MAX, OptionsBuf, SackBlock, SackBlocks, TcpOption, TcpOptions, Timestamps, options,
};
pub use state::State;

header! {
    "tcp" 20 bytes "Transmission Control Protocol" "RFC 9293 §3.1"
        => options(&OPTIONS) => shark("tcp") => also(&["tcp4", "tcp6", "segment"]);
    /// The sender's port.
    source_port: u16 = 16 bits "sport" .auto(Auto::SourcePort).names(PORTS).shark("tcp.srcport")
        .also(&["srcport", "source_port", "src_port", "th_sport", "baseport", "g", "source"]);
    /// The receiver's port.
    destination_port: u16 = 16 bits "dport" .auto(Auto::Required).names(PORTS).shark("tcp.dstport")
        .also(&["dstport", "dest_port", "dst_port", "destination_port", "th_dport", "destport", "port", "p"]);
    /// The sequence number of the first byte of data; of the SYN, where that is set.
    sequence: SeqNum = 32 bits "seq" .auto(Auto::Random).shark("tcp.seq_raw")
        .also(&["seqnum", "sequence", "sequence_number", "seqno", "seq_raw", "th_seq", "setseq", "isn"]);
    /// The next sequence number that the sender expects; it counts with ACK only.
    acknowledgment: SeqNum = 32 bits "ack" .shark("tcp.ack_raw")
        .also(&["acknowledgment", "acknowledgement", "ack_seq", "ackno", "ack_raw", "th_ack", "setack", "acknum", "ack_number"]);
    /// Length of the header in units of 4 bytes: 5 without options.
    data_offset: u8 = 4 bits "doff" .auto(Auto::Length(LengthOf::HeaderWords)).shark("tcp.hdr_len")
        .also(&["dataofs", "data_offset", "offset", "hdr_len", "th_off", "tcpoff", "hlen", "header_length", "dataoffset"]);
    /// Reserved.
    reserved: u8 = 3 bits "res" .reserved().shark("tcp.flags.res").also(&["reserved", "res1", "rsv", "th_x2"]);
    /// The control bits.
    flags: Flags = 9 bits "flags" .default(2).flags(LETTERS).shark("tcp.flags").also(&["flag", "th_flags", "control", "tcpflags", "tcp_flags"]);
    /// The window field: how many bytes the sender takes, before scaling.
    window: WindowField = 16 bits "win" .default(64240).shark("tcp.window_size_value")
        .also(&["window", "window_size", "wnd", "th_win", "window_size_value", "winsize"]);
    /// Checksum over pseudo-header, header and data.
    checksum: u16 = 16 bits "sum" .hex().auto(Auto::Checksum(SumOver::PseudoHeaderAndMessage)).shark("tcp.checksum")
        .also(&["bad_cksum", "chksum", "csum", "checksum", "cksum", "check", "th_sum", "badsum", "badcksum", "crc"]);
    /// Points behind the urgent data, from the sequence number; it counts with URG only.
    urgent: u16 = 16 bits "urg" .shark("tcp.urgent_pointer")
        .also(&["urgptr", "urg_ptr", "urgent", "urgent_pointer", "th_urp", "urp", "urgentpointer"]);
}

/// A TCP segment, its data offset judged.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The fixed header.
    pub header: View<'a>,
    /// The options, padding included: 0 to 40 bytes.
    pub options: &'a [u8],
    /// The data.
    pub payload: &'a [u8],
}

impl<'a> Segment<'a> {
    /// The options one by one.
    #[must_use]
    pub const fn options(&self) -> TcpOptions<'a> {
        options(self.options)
    }
}

/// Reads a TCP segment from the payload of an IP packet.
///
/// # Errors
/// When there are fewer than 20 bytes, or the data offset is below 5 or beyond the bytes. Options and checksum are not
/// judged here.
#[inline]
pub fn parse(bytes: &[u8]) -> Result<Segment<'_>, ParseError> {
    let error = |offset, need, have, limited_by| ParseError { layer: Layer::Tcp, offset, need, have, limited_by };
    let Some((header, _)) = View::split(bytes) else {
        return Err(error(0, LEN, bytes.len(), LimitedBy::LowerLength));
    };
    let header_len = usize::from(header.data_offset()) * 4;
    if header_len < LEN {
        return Err(error(12, 5, usize::from(header.data_offset()), LimitedBy::Rule));
    }
    if header_len > bytes.len() {
        return Err(error(12, header_len, bytes.len(), LimitedBy::LowerLength));
    }
    Ok(Segment { header, options: &bytes[LEN..header_len], payload: &bytes[header_len..] })
}
