//! HTTP/1.1 (RFC 9112), as much as a page needs: one request a connection, GET and HEAD, the path in the answer.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::streams::{IDLE_MAX, read};

/// The longest request head, as other servers have it (RFC 9112 §3 recommends at least 8000 bytes for its first line).
const HEAD_LEN_MAX: usize = 8 * 1024;

/// The longest answer of `/bytes/N`: a second of a fast link.
const BYTES_MAX: u64 = 1 << 30;

/// What a large answer is written in.
const CHUNK_LEN: usize = 64 * 1024;

/// How much of what is still coming is read before the connection is closed: closing with unread bytes would send a reset,
/// and the peer might lose the answer (RFC 9112 §9.6).
const DRAIN_LEN_MAX: usize = 1 << 20;

pub(super) fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE_MAX))?;
    stream.set_write_timeout(Some(IDLE_MAX))?;
    let mut head = Vec::new();
    let mut buffer = vec![0; HEAD_LEN_MAX];
    while !is_complete(&head) && head.len() < HEAD_LEN_MAX {
        let len = read(&mut stream, &mut buffer)?;
        if len == 0 {
            break;
        }
        head.extend_from_slice(buffer.get(..len).unwrap_or_default());
    }
    if head.is_empty() {
        return Ok(());
    }
    let page =
        if is_complete(&head) { Page::of(&head, stream.peer_addr()?) } else { Page::bad("the request has no end") };
    page.write(&mut stream)?;
    stream.shutdown(Shutdown::Write)?;
    let mut drained = 0;
    while drained < DRAIN_LEN_MAX {
        match read(&mut stream, &mut buffer)? {
            0 => break,
            len => drained += len,
        }
    }
    Ok(())
}

/// The longest answer of `/bytes/N` where nothing but memory carries it.
const BYTES_HELD_MAX: u64 = 64 * 1024;

/// The page that the server of the lab gives for a request's head, as bytes, for a lab without a server: in process. `None`
/// while the head has no end yet.
#[must_use]
pub fn page(head: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
    if !is_complete(head) && head.len() < HEAD_LEN_MAX {
        return None;
    }
    let mut page = Page::of(head, peer);
    if page.bytes > BYTES_HELD_MAX {
        page = Page::bad("in process /bytes/N takes a number up to 65536");
    }
    let mut bytes = Vec::new();
    // Memory takes everything.
    page.write(&mut bytes).ok()?;
    Some(bytes)
}

/// A head ends with an empty line; a line may end with a bare LF (RFC 9112 §2.2).
fn is_complete(head: &[u8]) -> bool {
    let ends = |end: &[u8]| head.windows(end.len()).any(|window| window == end);
    ends(b"\r\n\r\n") || ends(b"\n\n")
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    status: &'static str,
    body: String,
    /// Zeros behind the body.
    bytes: u64,
    with_body: bool,
}

impl Page {
    fn of(head: &[u8], peer: SocketAddr) -> Self {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let words: Vec<_> = line.split(|byte| *byte == b' ').collect();
        let [method, target, version] = words[..] else {
            return Self::bad("the request line is not METHOD PATH VERSION");
        };
        if !version.starts_with(b"HTTP/1.") {
            return Self::bad("the version is not HTTP/1.0 or HTTP/1.1");
        }
        let Ok(target) = str::from_utf8(target) else { return Self::bad("the path is not text") };
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Self::bad("the path has characters that must be written as %XX");
        }
        match method {
            b"GET" => Self::for_path(target, peer),
            b"HEAD" => Self { with_body: false, ..Self::for_path(target, peer) },
            _ => Self::text("405 Method Not Allowed", "only GET and HEAD are served here\n".to_owned()),
        }
    }

    fn for_path(target: &str, peer: SocketAddr) -> Self {
        let path = target.split('?').next().unwrap_or_default();
        let mut body = String::new();
        let _ = writeln!(body, "{} asked the server of the lab for {target}", peer.ip());
        if let Some(count) = path.strip_prefix("/bytes/") {
            return match count.parse() {
                Ok(bytes) if bytes <= BYTES_MAX => {
                    Self { status: "200 OK", body: String::new(), bytes, with_body: true }
                }
                _ => Self::bad("/bytes/N takes a number up to 1073741824"),
            };
        }
        match path {
            "/" => {
                body += "\nHere are\n  /hello      a greeting\n  /echo/...   the path again\n  /bytes/N    N bytes, each line its own place\n";
                Self::text("200 OK", body)
            }
            "/hello" => Self::text("200 OK", body + "\nHello.\n"),
            _ if path == "/echo" || path.starts_with("/echo/") => Self::text("200 OK", body),
            _ => Self::text("404 Not Found", body + "\nThere is nothing of that name.\n"),
        }
    }

    fn text(status: &'static str, body: String) -> Self {
        Self { status, body, bytes: 0, with_body: true }
    }

    fn bad(reason: &str) -> Self {
        Self::text("400 Bad Request", format!("{reason}\n"))
    }

    /// No `Date`: the lab has no clock of its own (RFC 9110 §6.6.1).
    fn head(&self) -> String {
        let len = self.bytes.saturating_add(self.body.len() as u64);
        let kind = if self.bytes > 0 { "application/octet-stream" } else { "text/plain; charset=utf-8" };
        let allow = if self.status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
        format!(
            "HTTP/1.1 {}\r\nServer: wirewright-lab\r\n{allow}Content-Type: {kind}\r\nContent-Length: {len}\r\n\
             Connection: close\r\n\r\n",
            self.status
        )
    }

    fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        let mut text = self.head();
        if !self.with_body {
            return stream.write_all(text.as_bytes());
        }
        text += &self.body;
        stream.write_all(text.as_bytes())?;
        let mut chunk = [0; CHUNK_LEN];
        let mut at = 0;
        while at < self.bytes {
            number(&mut chunk, at);
            let len = usize::try_from(self.bytes - at).unwrap_or(CHUNK_LEN).min(CHUNK_LEN);
            stream.write_all(chunk.get(..len).unwrap_or_default())?;
            at += len as u64;
        }
        Ok(())
    }
}

/// What `/bytes/N` consists of: lines of 16 bytes, each its own place in hexadecimal, so that a piece in the wrong place shows.
/// `chunk` begins at byte `at`.
fn number(chunk: &mut [u8], at: u64) {
    for (line, place) in chunk.as_chunks_mut::<16>().0.iter_mut().zip((at..).step_by(16)) {
        *line = [b'\n'; 16];
        for (digit, shift) in line.iter_mut().take(15).zip((0..15).rev()) {
            *digit = b"0123456789abcdef"[(place >> (4 * shift)) as usize & 0xf];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_bytes_says_where_it_stands() {
        let mut chunk = [0; 32];
        number(&mut chunk, 65_536);
        assert_eq!(&chunk, b"000000000010000\n000000000010010\n");
    }

    fn page(head: &str) -> Page {
        Page::of(head.as_bytes(), SocketAddr::from(([198, 51, 100, 2], 40000)))
    }

    #[test]
    fn the_path_is_in_the_answer() {
        let page = page("GET /echo/a%20b?c HTTP/1.0\r\n\r\n");
        assert_eq!(page.status, "200 OK");
        assert_eq!(page.body, "198.51.100.2 asked the server of the lab for /echo/a%20b?c\n");
    }

    #[test]
    fn what_is_not_there_and_what_is_not_http_are_told_apart() {
        assert_eq!(page("GET /nowhere HTTP/1.1\r\n\r\n").status, "404 Not Found");
        assert_eq!(page("POST / HTTP/1.1\r\n\r\n").status, "405 Method Not Allowed");
        for bad in [
            "GET /\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
            "GET /\x1b[2J HTTP/1.0\n\n",
            "\r\n\r\n",
            "GET /bytes/x HTTP/1.0\n\n",
        ] {
            assert_eq!(page(bad).status, "400 Bad Request", "{bad:?}");
        }
    }

    #[test]
    fn a_head_says_how_long_the_answer_is() {
        assert!(page("GET /bytes/1000 HTTP/1.0\r\n\r\n").head().contains("Content-Length: 1000\r\n"));
        let head = page("HEAD /hello HTTP/1.1\r\n\r\n");
        assert!(!head.with_body && head.head().contains("200 OK"));
    }

    #[test]
    fn a_page_is_held_whole_or_not_given() {
        let peer = SocketAddr::from(([198, 51, 100, 2], 40000));
        let get = |head: &str| super::page(head.as_bytes(), peer).map(|page| String::from_utf8(page).unwrap());
        assert_eq!(get("GET /hello HTTP/1.0\r\n"), None);
        assert!(get("GET /hello HTTP/1.0\r\n\r\n").unwrap().ends_with("\nHello.\n"));
        assert!(get("GET /bytes/1000000 HTTP/1.0\r\n\r\n").unwrap().starts_with("HTTP/1.1 400 "));
    }

    #[test]
    fn a_request_ends_with_an_empty_line() {
        assert!(is_complete(b"GET / HTTP/1.0\r\n\r\n"));
        assert!(is_complete(b"GET / HTTP/1.0\n\n"));
        assert!(!is_complete(b"GET / HTTP/1.0\r\n"));
    }
}
