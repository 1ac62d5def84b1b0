//! RFC 9293 §3.2, RFC 7323, RFC 2018, RFC 2385, RFC 5482, RFC 7413, RFC 8684: the options of the TCP header, read one by one and written into a fixed buffer.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::mptcp::*;
use crate::{Layer, LimitedBy, ParseError, SeqNum, WindowScale};

/// The most bytes of options that a TCP header has room for: 15 words less the 5 of the fixed header.
pub const OPTIONS_MAX: usize = 40;

mod kind {
    pub(super) const EOL: u8 = 0;
    pub(super) const NOP: u8 = 1;
    pub(super) const MSS: u8 = 2;
    pub(super) const WINDOW_SCALE: u8 = 3;
    pub(super) const SACK_PERMITTED: u8 = 4;
    pub(super) const SACK: u8 = 5;
    pub(super) const TIMESTAMPS: u8 = 8;
}

tlv! {
    /// The options of the TCP header.
    OPTIONS "TCP options" WholeBytes align 4 max 40 "RFC 9293 §3.2" "tcp";
    0 "eol" "End of option list" Single "tcp.options.eol" "RFC 9293 §3.2" also ["end", "eool"] {}
    1 "nop" "No operation" Single "tcp.options.nop" "RFC 9293 §3.2" also ["noop", "pad"] {}
    2 "mss" "Maximum segment size" Value(2) "tcp.options.mss" "RFC 9293 §3.7.1" also ["maxseg", "tcp_mss", "max_seg", "mss_val"] {
        mss: u16 = 16 bits "mss" .default(1460).shark("tcp.options.mss_val");
    }
    3 "wscale" "Window scale" Value(1) "tcp.options.wscale" "RFC 7323 §2.2" also ["ws", "wsf", "wsopt", "window_scale", "winscale", "wsc", "scale"] {
        shift: u8 = 8 bits "shift" .default(7).shark("tcp.options.wscale.shift");
    }
    4 "sack" "SACK permitted" Value(0) "tcp.options.sack_perm" "RFC 2018 §2" also ["sackok", "sack_ok", "sackperm", "sack_perm", "sackpermitted", "sack_permitted"] {}
    5 "sack" "SACK" Repeats(8) "tcp.options.sack" "RFC 2018 §3" also ["sackblocks", "sack_blocks", "sacks"] {
        left: SeqNum = 32 bits "left" .shark("tcp.options.sack_le").also(&["le", "start"]);
        right: SeqNum = 32 bits "right" .shark("tcp.options.sack_re").also(&["re", "end"]);
    }
    8 "ts" "Timestamps" Value(8) "tcp.options.timestamp" "RFC 7323 §3.2" also ["timestamp", "timestamps", "tsopt", "tstamp", "tcp_timestamp", "time_stamp"] {
        value: u32 = 32 bits "val" .shark("tcp.options.timestamp.tsval").also(&["tsval", "value"]);
        echo: u32 = 32 bits "ecr" .shark("tcp.options.timestamp.tsecr").also(&["tsecr", "echo", "reply"]);
    }
    19 "md5" "MD5 signature" Value(16) "tcp.options.md5" "RFC 2385 §3.0" also ["md5sig", "md5_sig", "tcpmd5", "tcp_md5", "signature"] {
        digest: u128 = 128 bits "digest" .shark("tcp.options.md5.digest").also(&["signature", "hash"]);
    }
    28 "uto" "User timeout" Value(2) "tcp.options.user_to" "RFC 5482 §3.3" also ["user_timeout", "usertimeout", "user_to"] {
        minutes: bool = 1 bits "minutes" .shark("tcp.options.user_to_granularity").also(&["granularity", "g"]);
        timeout: u16 = 15 bits "timeout" .default(300).shark("tcp.options.user_to_val").also(&["user_timeout"]);
    }
    30 "mpcapable" "MP_CAPABLE" Parts "tcp.options.mptcp.subtype" "RFC 8684 §3.1" also ["mp_capable", "mpc", "mptcp_capable"] when MP_CAPABLE parts MP_CAPABLE_PARTS {
        subtype: u8 = 4 bits "sub" .reserved().shark("tcp.options.mptcp.subtype");
        version: u8 = 4 bits "ver" .default(1).shark("tcp.options.mptcp.version");
        flags: u8 = 8 bits "flags" .default(1).flags(CAPABLE_FLAGS).shark("tcp.options.mptcp.flags");
    }
    30 "mpjoin" "MP_JOIN of a SYN" Value(10) "tcp.options.mptcp.subtype" "RFC 8684 §3.2" also ["mp_join", "mptcp_join"] when MP_JOIN {
        subtype: u8 = 4 bits "sub" .default(1).reserved().shark("tcp.options.mptcp.subtype");
        reserved: u8 = 3 bits "res" .reserved();
        backup: bool = 1 bits "backup" .shark("tcp.options.mptcp.backup.flag").also(&["b"]);
        address_id: u8 = 8 bits "id" .shark("tcp.options.mptcp.addrid");
        token: u32 = 32 bits "token" .hex().shark("tcp.options.mptcp.recvtok");
        nonce: u32 = 32 bits "nonce" .hex().shark("tcp.options.mptcp.sendrand");
    }
    30 "mpjoinsa" "MP_JOIN of a SYN-ACK" Value(14) "tcp.options.mptcp.subtype" "RFC 8684 §3.2" also ["mp_join_synack"] when MP_JOIN {
        subtype: u8 = 4 bits "sub" .default(1).reserved().shark("tcp.options.mptcp.subtype");
        reserved: u8 = 3 bits "res" .reserved();
        backup: bool = 1 bits "backup" .shark("tcp.options.mptcp.backup.flag").also(&["b"]);
        address_id: u8 = 8 bits "id" .shark("tcp.options.mptcp.addrid");
        truncated_hmac: u64 = 64 bits "hmac" .hex().shark("tcp.options.mptcp.sendtrunchmac");
        nonce: u32 = 32 bits "nonce" .hex().shark("tcp.options.mptcp.sendrand");
    }
    30 "mpjoinack" "MP_JOIN of an ACK" Value(22) "tcp.options.mptcp.subtype" "RFC 8684 §3.2" also ["mp_join_ack"] when MP_JOIN {
        subtype: u8 = 4 bits "sub" .default(1).reserved().shark("tcp.options.mptcp.subtype");
        reserved: u16 = 12 bits "res" .hex().reserved();
        hmac: u128 = 128 bits "hmac" .shark("tcp.options.mptcp.sendhmac");
        hmac_end: u32 = 32 bits "hmac2" .hex().shark("tcp.options.mptcp.sendhmac");
    }
    30 "dss" "Data sequence signal" Parts "tcp.options.mptcp.subtype" "RFC 8684 §3.3" also ["mptcp_dss", "data_sequence_signal"] when DSS parts DSS_PARTS {
        subtype: u8 = 4 bits "sub" .default(2).reserved().shark("tcp.options.mptcp.subtype");
        reserved: u8 = 7 bits "res" .reserved();
        flags: u8 = 5 bits "flags" .flags(DSS_FLAGS).shark("tcp.options.mptcp.flags");
    }
    30 "addaddr" "ADD_ADDR of IPv4" Parts "tcp.options.mptcp.subtype" "RFC 8684 §3.4.1" also ["add_addr", "mptcp_addaddr"] when ADD_ADDR parts ADD_ADDR_PARTS {
        subtype: u8 = 4 bits "sub" .default(3).reserved().shark("tcp.options.mptcp.subtype");
        reserved: u8 = 3 bits "res" .reserved();
        echo: bool = 1 bits "echo" .shark("tcp.options.mptcp.echo").also(&["e"]);
        address_id: u8 = 8 bits "id" .shark("tcp.options.mptcp.addrid");
        address: Ipv4Addr = 32 bits "address" .shark("tcp.options.mptcp.ipv4");
    }
    30 "addaddr6" "ADD_ADDR of IPv6" Parts "tcp.options.mptcp.subtype" "RFC 8684 §3.4.1" also ["add_addr6"] when ADD_ADDR parts ADD_ADDR6_PARTS {
        subtype: u8 = 4 bits "sub" .default(3).reserved().shark("tcp.options.mptcp.subtype");
        reserved: u8 = 3 bits "res" .reserved();
        echo: bool = 1 bits "echo" .shark("tcp.options.mptcp.echo").also(&["e"]);
        address_id: u8 = 8 bits "id" .shark("tcp.options.mptcp.addrid");
        address: Ipv6Addr = 128 bits "address" .shark("tcp.options.mptcp.ipv6");
    }
    30 "addaddrv0" "ADD_ADDR of IPv4, version 0" Parts "tcp.options.mptcp.subtype" "RFC 6824 §3.4.1" when ADD_ADDR_V0_IPV4 parts ADD_ADDR_V0_PARTS {
        subtype: u8 = 4 bits "sub" .default(3).reserved().shark("tcp.options.mptcp.subtype");
        ip_version: u8 = 4 bits "ipver" .default(4).reserved();
        address_id: u8 = 8 bits "id" .shark("tcp.options.mptcp.addrid");
        address: Ipv4Addr = 32 bits "address" .shark("tcp.options.mptcp.ipv4");
    }
    30 "addaddr6v0" "ADD_ADDR of IPv6, version 0" Parts "tcp.options.mptcp.subtype" "RFC 6824 §3.4.1" when ADD_ADDR_V0_IPV6 parts ADD_ADDR6_V0_PARTS {
        subtype: u8 = 4 bits "sub" .default(3).reserved().shark("tcp.options.mptcp.subtype");
        ip_version: u8 = 4 bits "ipver" .default(6).reserved();
        address_id: u8 = 8 bits "id" .shark("tcp.options.mptcp.addrid");
        address: Ipv6Addr = 128 bits "address" .shark("tcp.options.mptcp.ipv6");
    }
    30 "rmaddr" "REMOVE_ADDR" Variable "tcp.options.mptcp.subtype" "RFC 8684 §3.4.2" also ["remove_addr", "rm_addr", "removeaddr"] then REMOVED when REMOVE_ADDR {
        subtype: u8 = 4 bits "sub" .default(4).reserved().shark("tcp.options.mptcp.subtype");
        reserved: u8 = 4 bits "res" .reserved();
        address_id: u8 = 8 bits "id" .shark("tcp.options.mptcp.addrid");
    }
    30 "mpprio" "MP_PRIO" Parts "tcp.options.mptcp.subtype" "RFC 8684 §3.3.8" also ["mp_prio"] when MP_PRIO parts MP_PRIO_PARTS {
        subtype: u8 = 4 bits "sub" .default(5).reserved().shark("tcp.options.mptcp.subtype");
        reserved: u8 = 3 bits "res" .reserved();
        backup: bool = 1 bits "backup" .shark("tcp.options.mptcp.backup.flag").also(&["b"]);
    }
    30 "mpfail" "MP_FAIL" Value(10) "tcp.options.mptcp.subtype" "RFC 8684 §3.7" also ["mp_fail"] when MP_FAIL {
        subtype: u8 = 4 bits "sub" .default(6).reserved().shark("tcp.options.mptcp.subtype");
        reserved: u16 = 12 bits "res" .hex().reserved();
        data_sequence: u64 = 64 bits "dsn" .shark("tcp.options.mptcp.rawdataseqno");
    }
    30 "mpfastclose" "MP_FASTCLOSE" Value(10) "tcp.options.mptcp.subtype" "RFC 8684 §3.5" also ["mp_fastclose", "fastclose", "fclose"] when MP_FASTCLOSE {
        subtype: u8 = 4 bits "sub" .default(7).reserved().shark("tcp.options.mptcp.subtype");
        reserved: u16 = 12 bits "res" .hex().reserved();
        receiver_key: u64 = 64 bits "rkey" .hex().shark("tcp.options.mptcp.recvkey");
    }
    30 "mptcprst" "MP_TCPRST" Value(2) "tcp.options.mptcp.subtype" "RFC 8684 §3.6" also ["mp_tcprst", "mp_rst"] when MP_TCPRST {
        subtype: u8 = 4 bits "sub" .default(8).reserved().shark("tcp.options.mptcp.subtype");
        unassigned: u8 = 3 bits "res" .reserved();
        transient: bool = 1 bits "transient" .shark("tcp.options.mptcp.flag_T.flag").also(&["t"]);
        reason: u8 = 8 bits "reason" .names(RESET_REASONS).shark("tcp.options.mptcp.rst_reason");
    }
    34 "tfo" "Fast Open cookie" Variable "tcp.options.tfo" "RFC 7413 §4.1.1" also ["fastopen", "fast_open", "tcpfastopen", "foc", "cookie"] {}
}

/// An option of a TCP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TcpOption<'a> {
    /// End of option list; nothing behind it is read.
    EndOfList,
    /// No operation.
    NoOperation,
    /// Maximum segment size in bytes.
    MaximumSegmentSize(u16),
    /// The shift as it stands there; RFC 7323 takes more than 14 for 14 ([`WindowScale::clamped`]).
    WindowScale(u8),
    /// SACK permitted.
    SackPermitted,
    /// SACK blocks.
    Sack(SackBlocks<'a>),
    /// Timestamps.
    Timestamps(Timestamps),
    /// A kind that no engine acts on, or a known one whose length is not its own; [`OPTIONS`] has the fields of more.
    Unknown {
        /// The kind.
        kind: u8,
        /// All behind kind and length.
        value: &'a [u8],
    },
}

/// The timestamps option's values (RFC 7323 §3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timestamps {
    /// TSval: the sender's timestamp.
    pub value: u32,
    /// TSecr: the timestamp that it echoes; it counts with ACK only.
    pub echo: u32,
}

/// One SACK block: received bytes from `left` to before `right`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SackBlock {
    /// The first byte received.
    pub left: SeqNum,
    /// The byte behind the last.
    pub right: SeqNum,
}

/// The blocks of a SACK option, in the order in which they stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SackBlocks<'a>(&'a [[u8; 8]]);

impl<'a> SackBlocks<'a> {
    /// How many blocks there are, 1 to 4.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// There is no block; no option that was read says so.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The blocks.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = SackBlock> + use<'a> {
        self.0.iter().map(|&[a, b, c, d, e, f, g, h]| SackBlock {
            left: SeqNum::new(u32::from_be_bytes([a, b, c, d])),
            right: SeqNum::new(u32::from_be_bytes([e, f, g, h])),
        })
    }
}

/// Iterates over the options of a TCP header: all bytes between the fixed header and the data.
///
/// Yields each option up to and with the end of the list, or one error and then nothing. It never yields more items than
/// there are bytes.
#[inline]
#[must_use]
pub const fn options(bytes: &[u8]) -> TcpOptions<'_> {
    TcpOptions { bytes, offset: 0 }
}

/// Iterator over TCP options; made by [`options`].
#[derive(Clone, Debug)]
pub struct TcpOptions<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl TcpOptions<'_> {
    /// Where the next option begins, from the first byte of the options.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    #[cold]
    fn fail(&mut self, at: usize, need: usize, have: usize, limited_by: LimitedBy) -> ParseError {
        self.offset = self.bytes.len();
        ParseError { layer: Layer::TcpOption, offset: at, need, have, limited_by }
    }
}

impl<'a> Iterator for TcpOptions<'a> {
    type Item = Result<TcpOption<'a>, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let at = self.offset;
        let bytes = self.bytes;
        let kind = *bytes.get(at)?;
        match kind {
            kind::EOL => {
                self.offset = bytes.len();
                return Some(Ok(TcpOption::EndOfList));
            }
            kind::NOP => {
                self.offset = at + 1;
                return Some(Ok(TcpOption::NoOperation));
            }
            _ => {}
        }
        let Some(&length) = bytes.get(at + 1) else {
            return Some(Err(self.fail(at, 2, 1, LimitedBy::LowerLength)));
        };
        let length = usize::from(length);
        if length < 2 {
            return Some(Err(self.fail(at + 1, 2, length, LimitedBy::OwnLength)));
        }
        let Some(value) = bytes.get(at + 2..at + length) else {
            return Some(Err(self.fail(at + 1, length, bytes.len() - at, LimitedBy::LowerLength)));
        };
        self.offset = at + length;
        Some(Ok(read(kind, value)))
    }
}

#[inline]
fn read(kind: u8, value: &[u8]) -> TcpOption<'_> {
    match (kind, value) {
        (kind::MSS, &[a, b]) => TcpOption::MaximumSegmentSize(u16::from_be_bytes([a, b])),
        (kind::WINDOW_SCALE, &[shift]) => TcpOption::WindowScale(shift),
        (kind::SACK_PERMITTED, []) => TcpOption::SackPermitted,
        (kind::SACK, v) if !v.is_empty() && v.len() % 8 == 0 => TcpOption::Sack(SackBlocks(v.as_chunks().0)),
        (kind::TIMESTAMPS, &[a, b, c, d, e, f, g, h]) => TcpOption::Timestamps(Timestamps {
            value: u32::from_be_bytes([a, b, c, d]),
            echo: u32::from_be_bytes([e, f, g, h]),
        }),
        (kind, value) => TcpOption::Unknown { kind, value },
    }
}

/// Options being written: at most 40 bytes, without allocation.
///
/// Each method appends one option and says whether it fit; what does not fit is left out whole.
#[derive(Clone, Copy, Debug)]
pub struct OptionsBuf {
    bytes: [u8; OPTIONS_MAX],
    len: u8,
}

impl Default for OptionsBuf {
    fn default() -> Self {
        Self::new()
    }
}

impl OptionsBuf {
    /// No options.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; OPTIONS_MAX], len: 0 }
    }

    /// A maximum segment size: 4 bytes.
    pub fn mss(&mut self, mss: u16) -> bool {
        let [a, b] = mss.to_be_bytes();
        self.push(&[kind::MSS, 4, a, b])
    }

    /// A window scale, 3 bytes, behind a NOP that aligns it.
    pub fn window_scale(&mut self, scale: WindowScale) -> bool {
        self.push(&[kind::NOP, kind::WINDOW_SCALE, 3, scale.get()])
    }

    /// SACK permitted, 2 bytes, behind two NOPs.
    pub fn sack_permitted(&mut self) -> bool {
        self.push(&[kind::NOP, kind::NOP, kind::SACK_PERMITTED, 2])
    }

    /// SACK permitted and timestamps in 12 bytes, as SYNs carry them.
    pub fn sack_permitted_and_timestamps(&mut self, stamps: Timestamps) -> bool {
        self.push(&stamped([kind::SACK_PERMITTED, 2], stamps))
    }

    /// Timestamps, 10 bytes, behind two NOPs (RFC 7323 Appendix A).
    pub fn timestamps(&mut self, stamps: Timestamps) -> bool {
        self.push(&stamped([kind::NOP, kind::NOP], stamps))
    }

    /// SACK blocks behind two NOPs: as many of the first as there is room for. Says how many were written.
    pub fn sack(&mut self, blocks: &[SackBlock]) -> usize {
        let room = self.room().saturating_sub(4) / 8;
        let count = blocks.len().min(room);
        if count == 0 {
            return 0;
        }
        // At most four blocks fit, so the length is at most 34.
        let mut written = self.push(&[kind::NOP, kind::NOP, kind::SACK, (2 + 8 * count) as u8]);
        for block in &blocks[..count] {
            written &= self.push(&block.left.to_raw().to_be_bytes());
            written &= self.push(&block.right.to_raw().to_be_bytes());
        }
        debug_assert!(written, "the room was measured");
        count
    }

    /// Any option: kind, length, value.
    pub fn raw(&mut self, kind: u8, value: &[u8]) -> bool {
        let len = 2 + value.len();
        if len > self.room() {
            return false;
        }
        self.push(&[kind, len as u8]) && self.push(value)
    }

    /// Bytes left.
    #[must_use]
    pub const fn room(&self) -> usize {
        OPTIONS_MAX - self.len as usize
    }

    /// The options so far, padded with zeros to a multiple of 4.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len).next_multiple_of(4)]
    }

    /// Length of [`as_bytes`](Self::as_bytes).
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.len).next_multiple_of(4)
    }

    /// No option was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn push(&mut self, option: &[u8]) -> bool {
        let start = usize::from(self.len);
        let fits = option.len() <= self.room();
        if fits {
            self.bytes[start..start + option.len()].copy_from_slice(option);
            self.len += option.len() as u8;
        }
        fits
    }
}

/// Timestamps behind two bytes that align them.
fn stamped(lead: [u8; 2], stamps: Timestamps) -> [u8; 12] {
    let [a, b, c, d] = stamps.value.to_be_bytes();
    let [e, f, g, h] = stamps.echo.to_be_bytes();
    [lead[0], lead[1], kind::TIMESTAMPS, 10, a, b, c, d, e, f, g, h]
}
