//! One bulk stream to and from a kernel over the lab's veth pairs, by our TCP and by this machine's, in turns.
//!
//! Both ends are threads of this process, each in its network, so its CPU time is that of both ends, and of what the wires
//! between them do in their contexts.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};

use wirewright_lab::{Lab, Options};
use wirewright_link::clock;

use crate::Times;
use crate::peer::{Peers, drain, pour, use_cubic};

/// What one run moves.
const BYTES: u64 = 100_000_000;

pub(crate) fn run(runs: usize) -> Result<(), String> {
    let lab = Lab::enter(Options::default().networks_only()).map_err(|error| error.to_string())?;
    let peers = Peers::start(&lab, BYTES)?;
    let mut ours = [Times::new("to: ours"), Times::new("from: ours")];
    let mut theirs = [Times::new("to: kernel"), Times::new("from: kernel")];
    for _ in 0..runs {
        for (times, to) in ours.iter_mut().zip([true, false]) {
            measure(times, &peers, to, open_ours)?;
        }
        for (times, to) in theirs.iter_mut().zip([true, false]) {
            measure(times, &peers, to, open_theirs)?;
        }
    }
    for (ours, theirs) in ours.iter_mut().zip(&mut theirs) {
        ours.print();
        theirs.print();
        let ratio = ours.median().as_secs_f64() / theirs.median().as_secs_f64();
        println!("    time over the kernel's {ratio:.2}");
    }
    Ok(())
}

/// What both kinds of streams can do.
trait Stream: Read + Write {
    /// Sends the FIN.
    fn end(&self) -> std::io::Result<()>;
}

impl Stream for std::net::TcpStream {
    fn end(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Stream for wirewright_net::TcpStream {
    fn end(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

fn open_ours(to: SocketAddr) -> Result<wirewright_net::TcpStream, String> {
    wirewright_net::TcpStream::connect(to).map_err(|error| error.to_string())
}

fn open_theirs(to: SocketAddr) -> Result<std::net::TcpStream, String> {
    let stream = std::net::TcpStream::connect(to).map_err(|error| error.to_string())?;
    use_cubic(&stream)?;
    Ok(stream)
}

/// From the first byte until the peer has said that all has come, or until all has come from it.
fn measure<S: Stream>(
    times: &mut Times,
    peers: &Peers,
    to_peer: bool,
    open: impl Fn(SocketAddr) -> Result<S, String>,
) -> Result<(), String> {
    let mut stream = open(if to_peer { peers.sink } else { peers.source })?;
    let (begin, cpu) = (clock::now(), clock::cpu());
    let done = if to_peer { send(&mut stream) } else { fetch(&mut stream) };
    let (took, spent) = (clock::now().since(begin), clock::cpu() - cpu);
    let moved = done.map_err(|error| format!("{}: {error}", times.name))?;
    if moved != BYTES {
        return Err(format!("{}: {moved} bytes of {BYTES}", times.name));
    }
    times.add(took, BYTES, spent);
    Ok(())
}

fn send(stream: &mut impl Stream) -> std::io::Result<u64> {
    pour(stream, BYTES)?;
    stream.end()?;
    let mut count = [0; 8];
    stream.read_exact(&mut count)?;
    Ok(u64::from_be_bytes(count))
}

fn fetch(stream: &mut impl Stream) -> std::io::Result<u64> {
    stream.write_all(&BYTES.to_be_bytes())?;
    let moved = drain(stream)?;
    stream.end()?;
    Ok(moved)
}
