//! A typed line becomes a packet: what is not set is what is right at this moment.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_craft::{LanguageError, Layer, Packet, Payload, Setting, parse};
use wirewright_units::Instant;
use wirewright_wire::tcp::{self, Flags, Timestamps};
use wirewright_wire::{SeqLen, SeqNum, Window, WindowScale};

use super::segment::End;
use super::{Conversation, State, WINDOW, again};

/// Why a line is no segment of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypedError {
    /// The packet language does not understand it.
    Language(LanguageError),
    /// It has other layers than IP and TCP.
    NotOneSegment,
    /// It sets an address or a port, which are the conversation's.
    EndsAreKept,
    /// Nobody has sent a SYN yet: there is nobody to send to.
    NobodyYet,
}

impl Conversation {
    /// The packet that a line stands for at this moment, addresses and all.
    ///
    /// # Errors
    /// [`TypedError`].
    pub fn typed(&self, now: Instant, line: &str) -> Result<Packet, TypedError> {
        let (local, remote) = self.ends().ok_or(TypedError::NobodyYet)?;
        let again = if line.trim() == again::WORD { self.repeat() } else { None };
        let line = again.as_deref().unwrap_or(line);
        let head = head(local, remote);
        let mut packet =
            parse(&format!("{head}{}", self.with_plain_numbers(line))).map_err(|error| without(error, &head))?;
        let keys: Vec<_> = packet.layers.iter().map(Layer::key).collect();
        if !matches!(keys.as_slice(), ["ip" | "ip6", "tcp"]) {
            return Err(TypedError::NotOneSegment);
        }
        if !is_between(&packet, local, remote) {
            return Err(TypedError::EndsAreKept);
        }
        let has_data = !matches!(packet.payload, Payload::Empty);
        if let Some(layer) = packet.layer_mut("tcp") {
            self.fill(now, layer, has_data);
        }
        Ok(packet)
    }

    /// Sets what was left open, and makes relative numbers absolute.
    fn fill(&self, now: Instant, layer: &mut Layer, has_data: bool) {
        if layer.get("flags") == Some(Setting::Auto) {
            layer.set("flags", Setting::Exactly(self.right_flags(has_data).to_raw().into()));
        }
        let flags = layer.value_or_default("flags").and_then(|raw| u16::try_from(raw).ok()).unwrap_or_default();
        let flags = Flags::new(flags);
        let ack_start = self.irs.unwrap_or_default();
        let number = |set: Option<Setting>, start: SeqNum, right: SeqNum| match set {
            Some(Setting::Exactly(value)) => start + SeqLen::new(value as u32),
            _ => right,
        };
        let seq = number(layer.get("seq"), self.iss, self.right_seq(flags));
        layer.set("seq", Setting::Exactly(seq.to_raw().into()));
        let right_ack = if flags.ack() && self.irs.is_some() { self.rcv_nxt } else { SeqNum::new(0) };
        let ack = number(layer.get("ack"), ack_start, right_ack);
        layer.set("ack", Setting::Exactly(ack.to_raw().into()));
        if layer.get("win") == Some(Setting::Auto) {
            layer.set("win", Setting::Exactly(self.right_window(flags).into()));
        }
        let options = self.filled_options(now, layer.options(), flags);
        layer.set_options(options);
    }

    fn right_flags(&self, has_data: bool) -> Flags {
        match (self.us, self.irs) {
            (State::Closed | State::SynSent, None) => Flags::SYN,
            (State::Listen | State::SynSent, Some(_)) => Flags::SYN | Flags::ACK,
            _ if has_data => Flags::PSH | Flags::ACK,
            _ => Flags::ACK,
        }
    }

    fn right_seq(&self, flags: Flags) -> SeqNum {
        match self.reset_at {
            Some(at) if flags.rst() => at,
            _ if flags.syn() => self.iss,
            // A FIN that was sent is sent again where it stands.
            _ => match self.fin_sent {
                Some(fin) if flags.fin() => fin,
                _ => self.snd_nxt,
            },
        }
    }

    fn right_window(&self, flags: Flags) -> u16 {
        if flags.rst() {
            return 0;
        }
        let on = !flags.syn() && self.own_scale.is_some() && self.their_scale.is_some();
        let scale = self.own_scale.filter(|_| on).unwrap_or(WindowScale::ZERO);
        (Window::clamped(WINDOW) >> scale).to_raw()
    }

    /// RFC 7323 §3.2: once both SYNs had timestamps, every segment has them but a reset; they are added where no option is
    /// set. SACK blocks are relative as all numbers, and a bare `ts` is filled.
    fn filled_options(&self, now: Instant, set: &[u8], flags: Flags) -> Vec<u8> {
        let mut options = set.to_vec();
        let both = self.own_stamps && self.their_stamps;
        if options.is_empty() && both && !flags.rst() && !flags.syn() {
            options = [1, 1, 8, 10].to_vec();
            options.resize(12, 0);
        }
        let stamps = self.right_stamps(now);
        let mut at = 0;
        while let Some(&kind) = options.get(at) {
            let len = if kind < 2 { 1 } else { usize::from(options.get(at + 1).copied().unwrap_or(0)).max(1) };
            let Some(value) = options.get_mut(at + 2..at + len) else {
                at += len;
                continue;
            };
            match (kind, value.len()) {
                (5, _) => value.as_chunks_mut::<4>().0.iter_mut().for_each(|edge| {
                    let start = self.irs.unwrap_or_default();
                    let number = start + SeqLen::new(u32::from_be_bytes(*edge));
                    *edge = number.to_raw().to_be_bytes();
                }),
                (8, 8) if value.iter().all(|&byte| byte == 0) => {
                    value[..4].copy_from_slice(&stamps.value.to_be_bytes());
                    value[4..].copy_from_slice(&stamps.echo.to_be_bytes());
                }
                _ => {}
            }
            at += len;
        }
        options.truncate(tcp::OPTIONS_MAX.max(set.len()));
        options
    }

    /// RFC 7323 §5.4: a clock of milliseconds, and the peer's last value as echo.
    fn right_stamps(&self, now: Instant) -> Timestamps {
        let millis = now.as_nanos() / 1_000_000;
        Timestamps { value: (millis as u32).max(1), echo: self.ts_recent }
    }

    /// `seq=+1`, `ack=-1` and `seq=abs:N` as relative numbers, `ts` as timestamps to be filled.
    fn with_plain_numbers(&self, line: &str) -> String {
        let mut said = String::with_capacity(line.len());
        for part in words_and_gaps(line) {
            let plain = [("seq=", self.iss, self.snd_nxt), ("ack=", self.irs.unwrap_or_default(), self.rcv_nxt)]
                .into_iter()
                .find_map(|(key, start, right)| Some((key, plain(part.strip_prefix(key)?, start, right)?)));
            match plain {
                Some((key, number)) => said.push_str(&format!("{key}{number}")),
                // Filled when the packet is.
                None if part == "ts" => said.push_str("ts=0:0"),
                None => said.push_str(part),
            }
        }
        said
    }
}

/// A number with a sign or a prefix, relative to `start`.
fn plain(text: &str, start: SeqNum, right: SeqNum) -> Option<u32> {
    if let Some(absolute) = text.strip_prefix("abs:") {
        return Some(SeqNum::new(number(absolute)?).since(start).get());
    }
    let moved = match text.as_bytes().first()? {
        b'+' => right + SeqLen::new(number(&text[1..])?),
        b'-' => right - SeqLen::new(number(&text[1..])?),
        _ => return None,
    };
    Some(moved.since(start).get())
}

fn number(text: &str) -> Option<u32> {
    let digits: String = text.chars().filter(|&c| c != '_').collect();
    match digits.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None if digits.starts_with('+') => None,
        None => digits.parse().ok(),
    }
}

/// The line in pieces: words, quotes and all, and what is between them.
fn words_and_gaps(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut in_word) = (0, false, false);
    for (at, c) in line.char_indices() {
        let is_gap = c.is_whitespace() && !quoted;
        if at > start && is_gap == in_word {
            parts.push(&line[start..at]);
            start = at;
        }
        in_word = !is_gap;
        quoted ^= c == '\'';
    }
    parts.extend(line.get(start..).filter(|rest| !rest.is_empty()));
    parts
}

/// What stands before every line.
fn head(local: End, remote: End) -> String {
    let to = match remote.0 {
        IpAddr::V4(address) => format!("{address}:{}", remote.1),
        IpAddr::V6(address) => format!("{address} :{}", remote.1),
    };
    format!("tcp {to} src={} sport={} ", local.0, local.1)
}

/// The packet goes between these ends; a line cannot reach them but by a layer of its own.
fn is_between(packet: &Packet, local: End, remote: End) -> bool {
    let value = |layer: &str, key: &str| packet.layer(layer).and_then(|layer| layer.value_or_default(key));
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    let ip = if local.0.is_ipv4() { "ip" } else { "ip6" };
    value(ip, "src") == Some(bits(local.0))
        && value(ip, "dst") == Some(bits(remote.0))
        && value("tcp", "sport") == Some(local.1.into())
        && value("tcp", "dport") == Some(remote.1.into())
}

/// What stands before every line and cannot stand in it again.
const OF_THE_ENDS: &[&str] = &["ADDR:PORT", ":PORT", "sport=", "src=", "dst="];

/// The mistake, told of the line as it was typed.
fn without(mut error: LanguageError, head: &str) -> TypedError {
    let shift = head.len();
    if error.line.len() >= shift && error.column >= shift {
        error.line = error.line[shift..].to_string().into();
        error.column -= shift;
        error.expected.retain(|word| !OF_THE_ENDS.contains(&word.as_str()));
        error.display_column = error.display_column.saturating_sub(shift);
        error.correction =
            error.correction.and_then(|line| line.strip_prefix(head).map(|rest| rest.to_string().into()));
        return TypedError::Language(error);
    }
    // Nothing but an address or a port of the line can be at odds with what stands before it.
    TypedError::EndsAreKept
}
