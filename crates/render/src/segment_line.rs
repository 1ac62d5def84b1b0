//! One TCP segment in one line of a ladder: direction, time since the last, flags, relative numbers, length, window, options.

use std::time::Duration;

use wirewright_inspect::wire::SeqNum;
use wirewright_inspect::wire::tcp::{self, Flags, TcpOption};

use crate::answer::duration;
use crate::style::{Ink, Style};

/// A segment as a ladder shows it.
#[derive(Clone, Copy, Debug)]
pub struct SegmentLine<'a> {
    /// From the left to the right: it left us, or the side that began.
    pub out: bool,
    /// Since the segment before it; `None` for the first.
    pub since: Option<Duration>,
    /// Its control bits.
    pub flags: Flags,
    /// Its sequence number, relative to its sender's initial one.
    pub seq: i64,
    /// Its acknowledgment, relative; `None` without ACK.
    pub ack: Option<i64>,
    /// Bytes of data.
    pub data: usize,
    /// Its window in bytes, scaled.
    pub window: u32,
    /// The option area.
    pub options: &'a [u8],
    /// From which number SACK blocks count: the initial one of the other side.
    pub sack_start: SeqNum,
    /// How the flags are painted.
    pub ink: Ink,
}

/// The line. Options that have no room in it stand below it, under the flags.
#[must_use]
pub fn segment_line(it: &SegmentLine<'_>, style: &Style) -> String {
    let arrow = match (style.unicode, it.out) {
        (true, true) => "→",
        (true, false) => "←",
        (false, true) => "out",
        (false, false) => "in ",
    };
    let since = it.since.map_or_else(String::new, duration);
    let numbers = match it.ack {
        Some(ack) => format!("{}:{ack}", it.seq),
        None => it.seq.to_string(),
    };
    let data = if it.data == 0 { String::new() } else { format!("{} B", it.data) };
    let flags = style.paint(it.ink, &format!("{:<4}", it.flags.to_string()));
    let window = if it.flags.rst() { String::new() } else { format!("win {}", it.window) };
    let head = format!("{arrow} {since:>8}  ");
    let body = format!(" {numbers:<12} {data:>8}  {window:<10}");
    let used = head.chars().count() + 4 + body.chars().count();
    let options = options(it.options, it.sack_start);
    let margin = match () {
        () if options.is_empty() => String::new(),
        () if used + 1 + options.chars().count() <= style.width => " ".to_owned(),
        () => format!("\n{:1$}", "", head.chars().count()),
    };
    let line = if margin.starts_with('\n') { body.trim_end() } else { &body };
    format!("{head}{flags}{line}{margin}{}", style.paint(Ink::Dim, &options)).trim_end().to_owned()
}

/// The options in the words of the packet language, without the padding between them.
fn options(area: &[u8], sack_start: SeqNum) -> String {
    let mut words = Vec::new();
    for option in tcp::options(area) {
        let Ok(option) = option else {
            words.push("(cut)".to_owned());
            break;
        };
        match option {
            TcpOption::EndOfList | TcpOption::NoOperation => {}
            TcpOption::MaximumSegmentSize(mss) => words.push(format!("mss={mss}")),
            TcpOption::WindowScale(shift) => words.push(format!("wscale={shift}")),
            TcpOption::SackPermitted => words.push("sack".to_owned()),
            TcpOption::Sack(blocks) => {
                let relative = |edge: SeqNum| edge.offset_from(sack_start).to_string();
                let edges: Vec<_> =
                    blocks.iter().flat_map(|block| [relative(block.left), relative(block.right)]).collect();
                words.push(format!("sack={}", edges.join(":")));
            }
            TcpOption::Timestamps(stamps) => words.push(format!("ts={}:{}", stamps.value, stamps.echo)),
            TcpOption::Unknown { kind, value } => {
                let key = tcp::OPTIONS
                    .of(kind.into(), value)
                    .map_or_else(|| format!("opt={kind}"), |option| option.key.to_owned());
                words.push(format!("{key}({} B)", value.len()));
            }
            _ => {}
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_all_and_stays_within_eighty_columns() {
        let options = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
        let syn = SegmentLine {
            out: true,
            since: None,
            flags: Flags::SYN,
            seq: 0,
            ack: None,
            data: 0,
            window: 64_240,
            options: &options,
            sack_start: SeqNum::new(0),
            ink: Ink::Good,
        };
        let unicode = Style { unicode: true, ..Style::PLAIN };
        let drawn = segment_line(&syn, &unicode);
        assert_eq!(drawn, "→           S    0                      win 64240  mss=1460 sack ts=1:0 wscale=7");
        let narrow = segment_line(&syn, &Style { width: 60, ..unicode });
        assert_eq!(
            narrow,
            "→           S    0                      win 64240\n            mss=1460 sack ts=1:0 wscale=7"
        );
        let ack = SegmentLine {
            out: false,
            since: Some(Duration::from_micros(312)),
            flags: Flags::ACK,
            ack: Some(19),
            options: &[1, 1, 5, 10, 0, 0, 0, 30, 0, 0, 0, 40],
            sack_start: SeqNum::new(10),
            seq: 1,
            ..syn
        };
        let drawn = segment_line(&ack, &Style::PLAIN);
        assert_eq!(drawn, "in    312 us  A    1:19                   win 64240  sack=20:30");
    }
}
