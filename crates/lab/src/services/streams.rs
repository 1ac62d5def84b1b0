//! Echo (RFC 862) and discard (RFC 863) over TCP.

use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A connection on which nothing happens for this long is closed: time enough to type a conversation by hand.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(600);

/// What is read at once: as much as one super-segment carries.
const BUFFER_LEN: usize = 64 * 1024;

pub(super) fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = prepare(&stream)?;
    loop {
        let len = read(&mut stream, &mut buffer)?;
        if len == 0 {
            return Ok(());
        }
        stream.write_all(buffer.get(..len).unwrap_or_default())?;
    }
}

pub(super) fn discard(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = prepare(&stream)?;
    while read(&mut stream, &mut buffer)? != 0 {}
    Ok(())
}

fn prepare(stream: &TcpStream) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(IDLE_MAX))?;
    stream.set_write_timeout(Some(IDLE_MAX))?;
    stream.set_nodelay(true)?;
    Ok(vec![0; BUFFER_LEN])
}

/// Reads, also after a signal.
pub(super) fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
