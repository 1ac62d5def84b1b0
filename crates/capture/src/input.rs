//! The bytes of a capture: unpacked if they are gz, buffered as far as one record needs, and counted.

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use crate::{CaptureError, RECORD_BYTES_MAX};

/// The first two bytes of gz, RFC 1952 §2.3.1.
const GZ_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// How many bytes are asked for at once, and the step by which the buffer grows. Growing only as bytes arrive, a file
/// that claims 16 MiB and holds 20 bytes costs one step.
const STEP: usize = 64 << 10;

type Prefixed<R> = Chain<Cursor<Vec<u8>>, R>;

/// Plain or packed.
enum Source<R> {
    Plain(Prefixed<R>),
    Gz(Box<MultiGzDecoder<BufReader<Prefixed<R>>>>),
}

/// A buffer over the unpacked bytes. `filled` is what was read and not yet consumed.
pub(crate) struct Input<R> {
    source: Source<R>,
    data: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    ended: bool,
    fault: Option<io::Error>,
}

impl<R: Read> Input<R> {
    /// Looks at the first two bytes and no further, so that a live pipe is not waited for.
    pub(crate) fn new(mut reader: R) -> Result<Self, CaptureError> {
        let mut magic = [0; GZ_MAGIC.len()];
        let mut have = 0;
        while have < magic.len() {
            match reader.read(&mut magic[have..]) {
                Ok(0) => break,
                Ok(count) => have += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(CaptureError::Io { error, offset: have as u64 }),
            }
        }
        let prefixed = Cursor::new(magic[..have].to_vec()).chain(reader);
        let source = if magic == GZ_MAGIC {
            Source::Gz(Box::new(MultiGzDecoder::new(BufReader::with_capacity(STEP, prefixed))))
        } else {
            Source::Plain(prefixed)
        };
        Ok(Self { source, data: Vec::new(), start: 0, end: 0, offset: 0, ended: false, fault: None })
    }

    /// Whether the bytes were gz.
    pub(crate) const fn is_packed(&self) -> bool {
        matches!(self.source, Source::Gz(_))
    }

    /// What was read and not yet consumed.
    pub(crate) fn filled(&self) -> &[u8] {
        &self.data[self.start..self.end]
    }

    /// How many bytes were consumed.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Consumes bytes that are filled.
    pub(crate) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Reads until `need` bytes are filled; `false` when the capture ends before. A fault of the source counts as an
    /// end: [`take_fault`](Self::take_fault) tells it, so that what came before is still used.
    ///
    /// `need` must not be above [`RECORD_BYTES_MAX`].
    pub(crate) fn want(&mut self, need: usize) -> bool {
        assert!(need <= RECORD_BYTES_MAX, "records are limited before they are asked for");
        while self.end - self.start < need && !self.ended {
            self.make_room();
            let room = &mut self.data[self.end..];
            let read = match &mut self.source {
                Source::Plain(reader) => reader.read(room),
                Source::Gz(reader) => reader.read(room),
            };
            match read {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.fault = Some(error);
                }
            }
        }
        self.end - self.start >= need
    }

    /// What the source said when it failed, if it did.
    pub(crate) fn take_fault(&mut self) -> Option<CaptureError> {
        let offset = self.offset + (self.end - self.start) as u64;
        let error = self.fault.take()?;
        let from_gz = matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
        match error.kind() {
            // A gz file that ends too early, inside a record: the record is told to be truncated.
            io::ErrorKind::UnexpectedEof if self.start < self.end => None,
            io::ErrorKind::UnexpectedEof => Some(CaptureError::DamagedGz { offset }),
            _ if from_gz && self.is_packed() => Some(CaptureError::DamagedGz { offset }),
            _ => Some(CaptureError::Io { error, offset }),
        }
    }

    /// At least one free byte at the end: moves what is filled to the front, and grows by a step when that is not enough.
    fn make_room(&mut self) {
        if self.start > 0 && (self.start == self.end || self.end == self.data.len()) {
            self.data.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.data.len() {
            let grown = self.data.len() + self.data.len().max(STEP);
            self.data.resize(grown, 0);
        }
    }
}
