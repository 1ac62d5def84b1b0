//! RFC 9293 §3.2, RFC 7323, RFC 2018: the options that the engine understands, read from a segment.

use arrayvec::ArrayVec;
use wirewright_wire::tcp::{SackBlock, TcpOption, Timestamps, options};

/// RFC 2018 §3: so many blocks fit when nothing else does.
pub const SACK_BLOCKS_MAX: usize = 4;

/// The options of one segment.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// Maximum segment size (kind 2).
    pub mss: Option<u16>,
    /// Window scale (kind 3), as it stands there: it may be above 14.
    pub window_scale: Option<u8>,
    /// SACK permitted (kind 4).
    pub sack_permitted: bool,
    /// Timestamps (kind 8).
    pub timestamps: Option<Timestamps>,
    /// SACK blocks (kind 5), in order.
    pub sack: ArrayVec<SackBlock, SACK_BLOCKS_MAX>,
}

impl Options {
    /// Reads the option bytes of a header. It never fails: what is unknown is skipped (RFC 9293 MUST-6), of two alike
    /// the first counts, an option of a length that it cannot have is skipped, and behind a length that leads nowhere
    /// the rest is left unread (MUST-7).
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut read = Self::default();
        // RFC 9293 MUST-7: the iterator ends at an illegal length.
        for option in options(bytes).map_while(Result::ok) {
            match option {
                TcpOption::MaximumSegmentSize(mss) => read.mss = read.mss.or(Some(mss)),
                TcpOption::WindowScale(shift) => read.window_scale = read.window_scale.or(Some(shift)),
                TcpOption::SackPermitted => read.sack_permitted = true,
                TcpOption::Timestamps(stamps) => read.timestamps = read.timestamps.or(Some(stamps)),
                TcpOption::Sack(blocks) if read.sack.is_empty() => {
                    read.sack.extend(blocks.iter().take(SACK_BLOCKS_MAX));
                }
                _ => {}
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use wirewright_wire::SeqNum;

    use super::*;

    #[test]
    fn a_syn_of_linux_is_read() {
        let bytes = [2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7];
        let read = Options::parse(&bytes);
        let timestamps = Some(Timestamps { value: 0x0102_0304, echo: 0 });
        let expected =
            Options { mss: Some(1460), window_scale: Some(7), sack_permitted: true, timestamps, sack: ArrayVec::new() };
        assert_eq!(read, expected);
    }

    #[test]
    fn illegal_lengths_end_the_reading_and_harm_nothing() {
        let mss = [2, 4, 5, 0xb4];
        for bad in [&[3u8, 0][..], &[3, 1], &[3, 200, 1], &[3], &[5, 9, 1, 2, 3]] {
            let bytes: Vec<u8> = mss.iter().chain(bad).copied().collect();
            let options = Options::parse(&bytes);
            assert_eq!((options.mss, options.window_scale), (Some(1460), None), "{bad:?}");
        }
    }

    #[test]
    fn unknown_options_are_skipped_and_the_first_of_two_counts() {
        let options = Options::parse(&[1, 254, 4, 9, 9, 2, 4, 1, 0, 2, 4, 2, 0, 3, 3, 20, 0, 8, 10]);
        assert_eq!((options.mss, options.window_scale, options.timestamps), (Some(256), Some(20), None));
    }

    #[test]
    fn an_option_with_the_wrong_length_for_its_kind_is_skipped() {
        let options = Options::parse(&[2, 3, 7, 4, 3, 0, 3, 4, 1, 1, 8, 4, 1, 1, 2, 4, 5, 0xb4]);
        assert_eq!(options, Options { mss: Some(1460), ..Options::default() });
    }

    #[test]
    fn sack_blocks_are_read_in_order() {
        let options = Options::parse(&[1, 1, 5, 18, 0, 0, 0, 5, 0, 0, 0, 9, 255, 255, 255, 255, 0, 0, 0, 2]);
        let block = |left, right| SackBlock { left: SeqNum::new(left), right: SeqNum::new(right) };
        assert_eq!(options.sack[..], [block(5, 9), block(u32::MAX, 2)]);
    }
}
