//! A kernel on the other side: in the lab's server network, on its own TCP with CUBIC, takes what comes or sends what is
//! asked for.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::thread;

use rustix::net::sockopt::set_tcp_congestion;
use wirewright_lab::{Host, Lab};

/// Where the lab's server is.
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// What is read and written at once.
pub(crate) const CHUNK: usize = 64 << 10;

/// The longest request head that is read.
const HEAD_LEN_MAX: usize = 8 << 10;

/// Where the peers of a run listen.
pub(crate) struct Peers {
    /// Reads to the end, and says then how many bytes came: a `u64`, big endian.
    pub(crate) sink: SocketAddr,
    /// Reads a `u64`, big endian, and sends so many bytes.
    pub(crate) source: SocketAddr,
    /// HTTP/1.1: every path is a page of so many bytes.
    pub(crate) page: SocketAddr,
}

impl Peers {
    /// Starts all three. They end with this process.
    pub(crate) fn start(lab: &Lab, page_len: u64) -> Result<Self, String> {
        Ok(Self {
            sink: listen(lab, sink)?,
            source: listen(lab, source)?,
            page: listen(lab, move |stream| page(stream, page_len))?,
        })
    }
}

/// The congestion control of every kernel in a run: the usual one, whatever this machine's default is.
pub(crate) fn use_cubic(socket: impl AsFd) -> Result<(), String> {
    set_tcp_congestion(socket, "cubic").map_err(|error| format!("TCP_CONGESTION cubic: {error}"))
}

fn listen(lab: &Lab, serve: impl Fn(TcpStream) -> io::Result<()> + Send + 'static) -> Result<SocketAddr, String> {
    let opened = lab.on(Host::Server, || TcpListener::bind((SERVER, 0))).map_err(|error| error.to_string())?;
    let listener = opened.map_err(|error| error.to_string())?;
    // What is accepted inherits it.
    use_cubic(&listener)?;
    let at = listener.local_addr().map_err(|error| error.to_string())?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Err(error) = serve(stream) {
                eprintln!("bench: the peer: {error}");
            }
        }
    });
    Ok(at)
}

fn sink(mut stream: TcpStream) -> io::Result<()> {
    let count = drain(&mut stream)?;
    stream.write_all(&count.to_be_bytes())
}

fn source(mut stream: TcpStream) -> io::Result<()> {
    let mut count = [0; 8];
    stream.read_exact(&mut count)?;
    pour(&mut stream, u64::from_be_bytes(count))?;
    stream.shutdown(Shutdown::Write)?;
    drain(&mut stream).map(drop)
}

fn page(mut stream: TcpStream, len: u64) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0; 512];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < HEAD_LEN_MAX {
        match stream.read(&mut byte)? {
            0 => return Ok(()),
            count => head.extend_from_slice(byte.get(..count).unwrap_or_default()),
        }
    }
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n")?;
    pour(&mut stream, len)?;
    stream.shutdown(Shutdown::Write)?;
    drain(&mut stream).map(drop)
}

/// Reads to the end; how many bytes there were.
pub(crate) fn drain(stream: &mut impl Read) -> io::Result<u64> {
    let mut buffer = vec![0; CHUNK];
    let mut count = 0;
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(count),
            len => count += len as u64,
        }
    }
}

/// Writes so many bytes.
pub(crate) fn pour(stream: &mut impl Write, mut left: u64) -> io::Result<()> {
    let chunk = vec![b'w'; CHUNK];
    while left > 0 {
        let len = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        stream.write_all(chunk.get(..len).unwrap_or_default())?;
        left -= len as u64;
    }
    Ok(())
}
