//! HTTP/1.1 answers (RFC 9112) as far as `ww get` needs them: the head, and a body by length, by chunks or to the end.

use std::io::{self, Read};

/// The longest head; curl's limit is 300 kB, servers' mostly 8 to 64.
const HEAD_LEN_MAX: usize = 64 * 1024;
/// The longest line before a chunk, its extensions included.
const CHUNK_LINE_MAX: usize = 4 * 1024;
/// What is read at a time.
const PIECE: usize = 64 * 1024;

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status code.
    pub status: u16,
    /// The words behind it.
    pub reason: String,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// How the body ends.
    pub framing: Framing,
}

/// How a body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With an empty chunk.
    Chunked,
    /// With the connection.
    ToTheEnd,
}

/// Why an answer could not be read.
#[derive(Debug)]
pub(crate) enum HttpError {
    /// It does not begin as HTTP does; its first bytes.
    NotHttp(Vec<u8>),
    /// The connection was closed before there was anything.
    Nothing,
    /// The connection was closed inside the head.
    HeadCut,
    /// The head is longer than we read.
    HeadTooLong,
    /// A header says what cannot be: its line.
    BadHeader(String),
    /// The body is shorter than the head said: bytes there, and bytes said where that is known.
    BodyCut {
        /// What came.
        got: u64,
        /// What was said.
        of: Option<u64>,
    },
    /// The size of a chunk is no number.
    BadChunk,
    /// The stream failed, after so many bytes of the body.
    Stream(io::Error, u64),
    /// The body could not be stored.
    Store(io::Error),
}

impl HttpError {
    /// The peer has closed its direction: it waits for nothing more than our own end.
    pub(crate) const fn peer_has_closed(&self) -> bool {
        matches!(self, Self::Nothing | Self::HeadCut | Self::BodyCut { .. })
    }
}

/// An answer that is being read.
pub(crate) struct Answer<R> {
    stream: R,
    /// Read and not used yet, from `at` on.
    buffer: Vec<u8>,
    at: usize,
}

impl<R: Read> Answer<R> {
    /// An answer from this stream.
    pub(crate) const fn new(stream: R) -> Self {
        Self { stream, buffer: Vec::new(), at: 0 }
    }

    /// Reads the head; interim answers (1xx) are passed over (RFC 9110 §15.2).
    ///
    /// # Errors
    /// See [`HttpError`].
    pub(crate) fn head(&mut self) -> Result<Head, HttpError> {
        loop {
            let bytes = self.head_bytes()?;
            let head = parse_head(&bytes)?;
            if !(100..200).contains(&head.status) {
                return Ok(head);
            }
        }
    }

    /// Reads the body and gives it piece by piece to `take`; returns its length.
    ///
    /// # Errors
    /// See [`HttpError`]; what `take` says is [`HttpError::Store`].
    pub(crate) fn body(
        &mut self,
        framing: Framing,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<u64, HttpError> {
        match framing {
            Framing::Length(len) => {
                let got = self.pass(len, 0, take)?;
                if got < len { Err(HttpError::BodyCut { got, of: Some(len) }) } else { Ok(got) }
            }
            Framing::ToTheEnd => self.pass(u64::MAX, 0, take),
            Framing::Chunked => self.chunks(take),
        }
    }

    /// RFC 9112 §7.1.
    fn chunks(&mut self, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> Result<u64, HttpError> {
        let mut got = 0;
        loop {
            let line = self.line(got)?;
            let size = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
            let size = str::from_utf8(size).ok().filter(|size| size.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let size = size.and_then(|size| u64::from_str_radix(size, 16).ok()).ok_or(HttpError::BadChunk)?;
            if size == 0 {
                // The trailer: lines up to an empty one.
                while !self.line(got)?.is_empty() {}
                return Ok(got);
            }
            let passed = self.pass(size, got, take)?;
            got += passed;
            if passed < size {
                return Err(HttpError::BodyCut { got, of: None });
            }
            if !self.line(got)?.is_empty() {
                return Err(HttpError::BadChunk);
            }
        }
    }

    /// A line inside a chunked body, without its end.
    fn line(&mut self, got: u64) -> Result<Vec<u8>, HttpError> {
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]).to_vec();
                self.at += end + 1;
                return Ok(line);
            }
            if rest.len() > CHUNK_LINE_MAX {
                return Err(HttpError::BadChunk);
            }
            if !self.fill(got)? {
                return Err(HttpError::BodyCut { got, of: None });
            }
        }
    }

    /// Passes up to `len` bytes on; fewer at the end of the stream.
    fn pass(&mut self, len: u64, before: u64, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> Result<u64, HttpError> {
        let mut got = 0;
        while got < len {
            if self.at == self.buffer.len() && !self.fill(before + got)? {
                break;
            }
            let rest = &self.buffer[self.at..];
            let count = usize::try_from(len - got).unwrap_or(usize::MAX).min(rest.len());
            take(&rest[..count]).map_err(HttpError::Store)?;
            self.at += count;
            got += count as u64;
        }
        Ok(got)
    }

    fn head_bytes(&mut self) -> Result<Vec<u8>, HttpError> {
        loop {
            let rest = &self.buffer[self.at..];
            if !could_be_http(rest) {
                return Err(HttpError::NotHttp(rest[..rest.len().min(64)].to_vec()));
            }
            if let Some(end) = head_end(rest) {
                let head = rest[..end].to_vec();
                self.at += end;
                return Ok(head);
            }
            if rest.len() > HEAD_LEN_MAX {
                return Err(HttpError::HeadTooLong);
            }
            let is_first = rest.is_empty();
            if !self.fill(0)? {
                return Err(if is_first { HttpError::Nothing } else { HttpError::HeadCut });
            }
        }
    }

    /// Reads more; `false` at the end of the stream.
    fn fill(&mut self, got: u64) -> Result<bool, HttpError> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let old = self.buffer.len();
        self.buffer.resize(old + PIECE, 0);
        loop {
            match self.stream.read(&mut self.buffer[old..]) {
                Ok(count) => {
                    self.buffer.truncate(old + count);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.truncate(old);
                    return Err(HttpError::Stream(error, got));
                }
            }
        }
    }
}

/// So far nothing contradicts that it is HTTP/1.
fn could_be_http(bytes: &[u8]) -> bool {
    let begin = b"HTTP/1.";
    let len = bytes.len().min(begin.len());
    bytes[..len].eq_ignore_ascii_case(&begin[..len])
}

/// Where the head ends: behind an empty line, whose ends may be bare LFs (RFC 9112 §2.2).
fn head_end(bytes: &[u8]) -> Option<usize> {
    let crlf = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
    let lf = bytes.windows(2).position(|window| window == b"\n\n").map(|at| at + 2);
    crlf.into_iter().chain(lf).min()
}

fn parse_head(bytes: &[u8]) -> Result<Head, HttpError> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let not_http = || HttpError::NotHttp(first.bytes().take(64).collect());
    let (_, rest) = first.split_once(' ').ok_or_else(not_http)?;
    let (code, reason) = rest.trim_start().split_once(' ').unwrap_or((rest.trim(), ""));
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    let status: u16 = code.parse().ok().filter(|_| is_code).ok_or_else(not_http)?;
    let (mut length, mut chunked, mut location) = (None, false, None);
    for line in lines.take_while(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        let bad = || HttpError::BadHeader(line.to_owned());
        match name.as_str() {
            "content-length" => {
                // RFC 9112 §6.3: several alike are one, different ones are an error.
                for one in value.split(',').map(str::trim) {
                    let digits = !one.is_empty() && one.bytes().all(|byte| byte.is_ascii_digit());
                    let one: u64 = one.parse().ok().filter(|_| digits).ok_or_else(bad)?;
                    if length.is_some_and(|length| length != one) {
                        return Err(bad());
                    }
                    length = Some(one);
                }
            }
            "transfer-encoding" => {
                if !value.eq_ignore_ascii_case("chunked") {
                    return Err(bad());
                }
                chunked = true;
            }
            "location" => location = Some(value.to_owned()),
            _ => {}
        }
    }
    let framing = match (status, chunked, length) {
        // RFC 9112 §6.3: these have no body.
        (204 | 304, ..) => Framing::Length(0),
        (_, true, _) => Framing::Chunked,
        (_, false, Some(length)) => Framing::Length(length),
        (_, false, None) => Framing::ToTheEnd,
    };
    Ok(Head { status, reason: reason.trim().to_owned(), location, framing })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes one by one: no reader may count on more.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buf[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn read(bytes: &[u8]) -> Result<(Head, Vec<u8>), HttpError> {
        let mut answer = Answer::new(Slow(bytes));
        let head = answer.head()?;
        let mut body = Vec::new();
        answer.body(head.framing, &mut |piece| {
            body.extend_from_slice(piece);
            Ok(())
        })?;
        Ok((head, body))
    }

    #[test]
    fn the_three_kinds_of_body_are_read() {
        let (head, body) = read(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef").unwrap();
        assert_eq!((head.status, head.reason.as_str(), body.as_slice()), (200, "OK", &b"abc"[..]));
        let (_, body) = read(b"HTTP/1.0 200 OK\n\nto the end").unwrap();
        assert_eq!(body, b"to the end");
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\nA: b\r\n\r\n";
        assert_eq!(read(chunked).unwrap().1, b"Wikipedia");
        let (head, body) = read(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nx").unwrap();
        assert_eq!((head.status, body.len()), (204, 0));
    }

    #[test]
    fn what_is_cut_says_how_much_came() {
        let cut = read(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").unwrap_err();
        assert!(matches!(cut, HttpError::BodyCut { got: 3, of: Some(10) }), "{cut:?}");
        let cut = read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWi").unwrap_err();
        assert!(matches!(cut, HttpError::BodyCut { got: 2, of: None }), "{cut:?}");
        assert!(matches!(read(b"HTTP/1.1 200 OK\r\nContent").unwrap_err(), HttpError::HeadCut));
        assert!(matches!(read(b"").unwrap_err(), HttpError::Nothing));
    }

    #[test]
    fn garbage_is_told_at_its_first_bytes() {
        for garbage in [&b"SSH-2.0-OpenSSH"[..], b"\x00\x01\x02", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n"] {
            assert!(matches!(read(garbage).unwrap_err(), HttpError::NotHttp(_)), "{garbage:?}");
        }
        for bad in ["Content-Length: -1", "Content-Length: 1, 2", "Content-Length: ", "Transfer-Encoding: gzip"] {
            let answer = format!("HTTP/1.1 200 OK\r\n{bad}\r\n\r\n");
            assert!(matches!(read(answer.as_bytes()).unwrap_err(), HttpError::BadHeader(_)), "{bad}");
        }
        let bad = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
        assert!(matches!(read(bad).unwrap_err(), HttpError::BadChunk));
        let long = [b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &[b'a'; HEAD_LEN_MAX]].concat();
        let mut answer = Answer::new(long.as_slice());
        assert!(matches!(answer.head().unwrap_err(), HttpError::HeadTooLong));
    }
}
