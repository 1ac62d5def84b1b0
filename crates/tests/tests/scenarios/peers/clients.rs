//! Our listener before curl, nc and Python's urllib: bodies both ways, either end closing first or half-closing, several at
//! a time.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use wirewright_lab::{Family, Host};
use wirewright_link::{Direction, clock};
use wirewright_net::{TcpListener, TcpStream, Watch};
use wirewright_tests::{Folder, Limit, Outcome, World, ensure, fail, wait_for};

use super::{held, none_aborted, rounds};
use crate::link::tools::{CLIENT, Fallible, socket_address};
use crate::our_tcp::{Running, pattern, without_resets};

/// Connections where nobody says how many.
const CONNECTIONS: usize = 60;
/// So many clients at a time: they start slowly, and two cores have enough with them.
const CLIENTS: usize = 6;
/// What a client may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);
/// Bodies, in both directions; the last is rare.
const SIZES: [usize; 6] = [0, 1, 1460, 65_536, 1_000_000, 10_000_000];
/// One body of the last size in so many connections.
const LARGE_EVERY: usize = 50;

/// A program, and who of both ends says first that it has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    CurlGet,
    CurlPut,
    UrllibGet,
    UrllibPost,
    /// Sends all, half-closes, and then gets the answer.
    NcFirst,
    /// Gets all and the FIN, and then sends.
    NcLast,
}

const ALL: [Client; 6] =
    [Client::CurlGet, Client::CurlPut, Client::UrllibGet, Client::UrllibPost, Client::NcFirst, Client::NcLast];

/// One connection: how much goes up, and how much comes down.
#[derive(Clone, Copy, Debug)]
struct Case {
    client: Client,
    up: usize,
    down: usize,
    /// Our server ends first; else it waits for the client's end. Only in HTTP, where both can be.
    server_first: bool,
}

impl Case {
    fn of(number: usize) -> Self {
        let usual = SIZES.len() - 1;
        let round = number / ALL.len();
        let large = number % LARGE_EVERY == LARGE_EVERY / 2;
        let size = |shift: usize| if large { SIZES[usual] } else { SIZES[(round + shift) % usual] };
        let client = ALL[number % ALL.len()];
        let up = if matches!(client, Client::CurlGet | Client::UrllibGet) { 0 } else { size(2) };
        Self { client, up, down: size(0), server_first: round.is_multiple_of(2) }
    }
}

pub(super) fn served(world: &World) -> Outcome {
    let folder = Folder::new()?;
    prepare(&folder)?;
    let resets = Arc::new(AtomicUsize::new(0));
    let before = world.lab().counters(Host::Server)?;
    let begun = clock::now();
    let total = rounds(CONNECTIONS);
    let each = [total.div_ceil(2), total / 2];
    without_resets(world, || {
        for (family, count) in [Family::V4, Family::V6].into_iter().zip(each) {
            let listener = TcpListener::bind_watched(socket_address(CLIENT, family, 0), Some(counting(&resets)))?;
            let port = listener.local_addr()?.port();
            one_family(world, &folder, &listener, count).map_err(|error| format!("{family:?}: {error}"))?;
            // What lingers is reset now, and counted.
            drop(listener);
            let left = held(world, Host::Server, port)?;
            ensure!(left.is_empty(), "{family:?}: the clients' kernel holds {left:?}");
        }
        Ok(())
    })?;
    let resets = resets.load(Ordering::Relaxed);
    ensure!(resets == 0, "our listener sent {resets} resets");
    none_aborted(&world.lab().counters(Host::Server)?.since(&before))?;
    println!("{each:?} connections over IPv4 and IPv6, {:.1} s, no reset", clock::now().since(begun).as_secs_f64());
    Ok(())
}

/// Writes what clients send.
pub(super) fn prepare(folder: &Folder) -> Outcome {
    for size in SIZES {
        folder.write(&format!("up{size}"), pattern(size))?;
    }
    Ok(())
}

/// Counts the RSTs that we send. One may come: where a client's FIN came twice, the answer to the second finds it gone.
fn counting(resets: &Arc<AtomicUsize>) -> Watch {
    let resets = resets.clone();
    Box::new(move |_, direction, packet| {
        let header = if packet[0] >> 4 == 6 { 40 } else { usize::from(packet[0] & 15) * 4 };
        // Only TCP comes with flags; an ICMP error is none.
        let is_tcp = packet.get(if header == 40 && packet[0] >> 4 == 6 { 6 } else { 9 }) == Some(&6);
        if direction == Direction::Outgoing && is_tcp && packet.get(header + 13).is_some_and(|flags| flags & 4 != 0) {
            resets.fetch_add(1, Ordering::Relaxed);
        }
    })
}

/// Clients on the lab's server, each beside some others, and a thread of ours for each connection.
pub(super) fn one_family(world: &World, folder: &Folder, listener: &TcpListener, count: usize) -> Outcome {
    let to = listener.local_addr()?;
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return Ok(());
                        }
                        let case = Case::of(number);
                        run_client(world, folder.path(), to, number, case)
                            .map_err(|error| format!("connection {number}, {case:?}: {error}"))?;
                    }
                })
            })
            .collect();
        let mut servers = Vec::new();
        for _ in 0..count {
            let (stream, _) = listener.accept_timeout(LIMIT)?;
            servers.push(scope.spawn(move || serve(&stream).map_err(|error| error.to_string())));
        }
        let done = servers.into_iter().map(|server| server.join().unwrap_or_else(|_| Err("a server panicked".into())));
        let ended = clients.into_iter().map(|client| client.join().unwrap_or_else(|_| Err("a client panicked".into())));
        // What a client says tells more than what its server missed.
        ended.chain(done).collect::<Result<(), String>>().map_err(Into::into)
    })
}

/// Runs one client to its end, and compares what it got.
fn run_client(world: &World, folder: &Path, to: SocketAddr, number: usize, case: Case) -> Fallible<()> {
    let Case { client, up, down, server_first } = case;
    let end = if server_first { "server" } else { "client" };
    let url = format!("http://{to}/{up}/{down}/{end}");
    let (from, into) = (folder.join(format!("up{up}")), folder.join(format!("down{number}-{}", to.is_ipv4())));
    let mut command = match client {
        Client::CurlGet => curl(&url),
        Client::CurlPut => {
            let mut curl = curl(&url);
            curl.arg("-T").arg(&from);
            curl
        }
        Client::UrllibGet => urllib(&[&url]),
        Client::UrllibPost => urllib(&[&url, &from.to_string_lossy()]),
        Client::NcFirst => nc(to, &format!("printf 'client {up} {down}\\n'; cat {}", from.display())),
        Client::NcLast => nc(
            to,
            &format!(
                "printf 'server {up} {down}\\n'; until [ $(stat -c %s {0}) = {down} ]; do sleep 0.01; done; cat {1}",
                into.display(),
                from.display()
            ),
        ),
    };
    command.stdin(Stdio::null()).stdout(File::create(&into)?);
    let mut running = Running(world.lab().spawn(Host::Server, command)?);
    let ended = wait_for("the client's end", Limit(LIMIT), || running.0.try_wait().ok().flatten())?;
    let got = fs::read(&into)?;
    ensure!(ended.success(), "{ended}, {} bytes came", got.len());
    ensure!(got == pattern(down), "{} bytes came, or others", got.len());
    fs::remove_file(&into)?;
    Ok(())
}

fn curl(url: &str) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--globoff", "--max-time", "30", url]);
    curl
}

fn urllib(words: &[&str]) -> Command {
    let program = "import sys,urllib.request as u\n\
        d=open(sys.argv[2],'rb').read() if len(sys.argv)>2 else None\n\
        sys.stdout.buffer.write(u.urlopen(u.Request(sys.argv[1],data=d),timeout=30).read())";
    let mut python = Command::new("python3");
    python.args(["-c", program]).args(words);
    python
}

/// nc, which says with a FIN that what `input` writes is over.
fn nc(to: SocketAddr, input: &str) -> Command {
    let mut sh = Command::new("sh");
    sh.arg("-c").arg(format!("{{ {input}; }} | nc -N -w 30 {} {}", to.ip(), to.port()));
    sh
}

/// What a request asks for.
struct Request {
    up: usize,
    down: usize,
    server_first: bool,
    is_http: bool,
    expects: bool,
}

/// Serves one connection to its end.
fn serve(stream: &TcpStream) -> Fallible<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let (head, mut body) = head(stream)?;
    let request = parse(&head).ok_or_else(|| format!("what is {head:?}?"))?;
    let Request { up, down, server_first, is_http, expects } = request;
    let mut writer = stream;
    if expects {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if is_http || !server_first {
        receive(stream, &mut body, up)?;
    }
    if is_http {
        let close = if server_first { "close" } else { "keep-alive" };
        write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {down}\r\nConnection: {close}\r\n\r\n")?;
    } else if !server_first {
        // All came: the FIN as well.
        at_end(stream)?;
    }
    writer.write_all(&pattern(down))?;
    if server_first {
        stream.shutdown(Shutdown::Write)?;
    }
    // Where the body came before, this adds nothing to it.
    receive(stream, &mut body, up)?;
    ensure!(body == pattern(up), "{} bytes came up, or others than {up}", body.len());
    at_end(stream)
}

/// Reads until `body` holds `len` bytes.
fn receive(mut stream: &TcpStream, body: &mut Vec<u8>, len: usize) -> Fallible<()> {
    let mut buf = vec![0; 64 * 1024];
    while body.len() < len {
        match stream.read(&mut buf)? {
            0 => fail!("the client ended after {} of {len} bytes", body.len()),
            count => body.extend_from_slice(&buf[..count]),
        }
    }
    Ok(())
}

/// The peer has no more to say.
fn at_end(mut stream: &TcpStream) -> Fallible<()> {
    let more = stream.read(&mut [0; 16])?;
    ensure!(more == 0, "{more} bytes more than were announced");
    Ok(())
}

/// The first lines, and what came behind them.
fn head(mut stream: &TcpStream) -> Fallible<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buf = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        let is_raw = text.starts_with("client ") || text.starts_with("server ");
        let mark: &[u8] = if is_raw { b"\n" } else { b"\r\n\r\n" };
        if let Some(at) = bytes.windows(mark.len()).position(|window| window == mark) {
            let rest = bytes.split_off(at + mark.len());
            return Ok((String::from_utf8(bytes)?, rest));
        }
        match stream.read(&mut buf)? {
            0 => fail!("the client ended inside its request: {text:?}"),
            count => bytes.extend_from_slice(&buf[..count]),
        }
    }
}

/// `server UP DOWN`, or `GET /UP/DOWN/server HTTP/1.1` and headers.
fn parse(head: &str) -> Option<Request> {
    let first = head.lines().next()?;
    let (is_http, words) = match first.split_once(" /") {
        Some((_, rest)) => (true, rest.split(' ').next()?.split('/').collect::<Vec<_>>()),
        None => (false, first.split(' ').cycle().skip(1).take(3).collect()),
    };
    let [up, down, end] = words[..] else { return None };
    let expects = head.to_ascii_lowercase().contains("expect: 100-continue");
    Some(Request { up: up.parse().ok()?, down: down.parse().ok()?, server_first: end == "server", is_http, expects })
}
