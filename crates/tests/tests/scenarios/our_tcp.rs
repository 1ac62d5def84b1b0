//! Our own TCP beside the client's kernel, against other people's: `ww get`, our streams and our listeners.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wirewright_lab::{Family, Host};
use wirewright_net::{StreamError, TcpListener, TcpStream};
use wirewright_tests::{Folder, Ground, Limit, Outcome, Scenario, World, ensure, wait_for, ww};

use crate::link::tools::{CLIENT, Fallible, SERVER, socket_address};

/// Long enough for a busy machine; nothing waits so long unless it fails.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// Fresh processes, one after the other.
const PROCESSES: usize = 50;
/// Bodies: within one window, and many.
const SIZES: [usize; 2] = [64 * 1024, 10_000_000];
/// The port of a server that a scenario starts.
const PORT: u16 = 8080;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("our_tcp::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    vec![
        lab("a_page_comes_byte_for_byte", pages).tools(&["python3"]),
        lab("the_ladder_of_a_page_is_drawn_as_it_comes", ladder),
        lab("fresh_processes_one_after_the_other_all_get_it", processes),
        lab("what_is_wrong_with_a_server_is_told", wrong_servers).tools(&["python3"]),
        lab("our_listener_serves_curl_and_urllib", listener).tools(&["curl", "python3"]),
        lab("a_half_closed_stream_goes_on_the_other_way", half_close).tools(&["python3"]),
        lab("a_refused_connection_says_so", refused),
        lab("an_interrupted_get_resets_its_peer", interrupted).tools(&["python3", "kill"]),
    ]
}

/// Runs `act` and holds the client's kernel to have reset nothing meanwhile.
pub(crate) fn without_resets(world: &World, act: impl FnOnce() -> Outcome) -> Outcome {
    let before = world.lab().counters(Host::Client)?;
    act()?;
    let resets = world.lab().counters(Host::Client)?.since(&before).value("TcpOutRsts");
    ensure!(resets == 0, "the client's kernel sent {resets} resets");
    Ok(())
}

/// Bytes in which no two pieces are alike.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // The low byte.
        state as u8
    };
    (0..len).map(next).collect()
}

/// A child on a host of the lab, ended with the scenario.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A Python program on the server, which has said that it listens.
pub(crate) fn python(world: &World, program: &str) -> Fallible<Running> {
    let mut command = Command::new("python3");
    command.args(["-u", "-c", program]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = Running(world.lab().spawn(Host::Server, command)?);
    let mut ready = [0];
    child.0.stdout.as_mut().ok_or("no output")?.read_exact(&mut ready)?;
    Ok(child)
}

pub(crate) fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

fn pages(world: &World) -> Outcome {
    let folder = Folder::new()?;
    for size in SIZES {
        folder.write(&size.to_string(), pattern(size))?;
    }
    let program = format!(
        "import http.server, socket, os\nos.chdir('{}')\n\
         class S(http.server.ThreadingHTTPServer):\n address_family=socket.AF_INET6\n\
         class H(http.server.SimpleHTTPRequestHandler):\n def log_message(self, *a): pass\n\
         s=S(('::',{PORT}),H)\nprint('r')\ns.serve_forever()",
        folder.path().display()
    );
    let _server = python(world, &program)?;
    without_resets(world, || {
        for family in [Family::V4, Family::V6] {
            for size in SIZES {
                let into = folder.file("body");
                let from = url(socket_address(SERVER, family, PORT), &format!("/{size}"));
                ww().args(["get", "-o"]).arg(&into).arg(&from).run()?.success()?;
                let body = std::fs::read(&into)?;
                ensure!(body == pattern(size), "{from}: {} bytes, or others than {size}", body.len());
            }
        }
        Ok(())
    })
}

/// Numbers from the initial ones, both ends' states, 80 columns.
fn ladder(_: &World) -> Outcome {
    for family in [Family::V4, Family::V6] {
        let from = url(socket_address(SERVER, family, 80), "/bytes/5000");
        let output = ww().args(["get", "-v", "--ascii", "--color", "never", &from]).run()?.success()?;
        let told = output.stderr;
        let rungs: Vec<&str> = told.lines().skip(2).collect();
        ensure!(told.lines().all(|line| line.len() <= 80), "wider than 80 columns\n{told}");
        ensure!(rungs.first().is_some_and(|rung| rung.contains("out S   0 win ")), "{told}");
        ensure!(rungs.iter().any(|rung| rung.contains("in  SA  0:1 win ")), "{told}");
        ensure!(rungs.iter().any(|rung| rung.contains("FIN-WAIT-1")), "{told}");
        ensure!(rungs.last().is_some_and(|rung| rung.contains("CLOSED") && rung.contains("TIME-WAIT")), "{told}");
    }
    Ok(())
}

fn processes(world: &World) -> Outcome {
    without_resets(world, || {
        for number in 0..PROCESSES {
            let family = if number % 2 == 0 { Family::V4 } else { Family::V6 };
            let path = format!("/echo/{number}");
            let from = url(socket_address(SERVER, family, 80), &path);
            let page = ww().args(["get", &from]).run()?.success()?.text();
            ensure!(page.ends_with(&format!(" for {path}\n")), "process {number}: {page}");
        }
        Ok(())
    })
}

/// Servers that each do one thing wrong, and the code and first words that tell of it.
fn wrong_servers(world: &World) -> Outcome {
    let program = "import socket, struct, threading\n\
        def reset(c):\n c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii',1,0))\n\
        acts={8081: lambda c: c.sendall(b'SSH-2.0-x\\r\\n'), 8082: lambda c: None,\n\
        8083: lambda c: c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nabc'), 8084: reset}\n\
        def run(s,act):\n while True:\n  c,_=s.accept()\n  c.recv(4096)\n  act(c)\n  c.close()\n\
        ss=[(socket.create_server(('',p)),a) for p,a in acts.items()]\n\
        for s,a in ss: threading.Thread(target=run,args=(s,a)).start()\n\
        print('r')";
    let _server = python(world, program)?;
    let cases = [
        (8081, "does not answer in HTTP"),
        (8082, "without an answer"),
        (8083, "3 of 100 bytes came"),
        (8084, "has reset"),
    ];
    for (port, words) in cases {
        let from = url(socket_address(SERVER, Family::V4, port), "/");
        let told = ww().args(["get", &from]).run()?.expect_code(5)?;
        ensure!(told.stderr.contains(words), "{told}");
    }
    Ok(())
}

/// Serves each connection once: reads to the empty line, answers, closes.
fn serve(stream: TcpStream, body: &[u8]) -> Fallible<()> {
    stream.set_read_timeout(Some(SOON))?;
    let mut head = Vec::new();
    let mut buf = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = (&stream).read(&mut buf)?;
        ensure!(count > 0, "the request ended early");
        head.extend_from_slice(&buf[..count]);
    }
    write!(&stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    (&stream).write_all(body)?;
    stream.shutdown(Shutdown::Write)?;
    // The peer's FIN.
    while (&stream).read(&mut buf)? > 0 {}
    Ok(())
}

fn listener(world: &World) -> Outcome {
    let body = pattern(300_000);
    without_resets(world, || {
        for family in [Family::V4, Family::V6] {
            let listener = TcpListener::bind(socket_address(CLIENT, family, 0))?;
            let from = url(listener.local_addr()?, "/");
            let mut curl = Command::new("curl");
            curl.args(["-sS", "--globoff", &from]);
            let mut urllib = Command::new("python3");
            let program = "import sys,urllib.request as u; sys.stdout.buffer.write(u.urlopen(sys.argv[1]).read())";
            urllib.args(["-c", program, &from]);
            for mut command in [curl, urllib] {
                command.stdout(Stdio::piped());
                let mut client = Running(world.lab().spawn(Host::Server, command)?);
                let mut output = client.0.stdout.take().ok_or("no output")?;
                let reader = std::thread::spawn(move || {
                    let mut all = Vec::new();
                    output.read_to_end(&mut all).map(|_| all)
                });
                let (stream, peer) = listener.accept_timeout(SOON)?;
                ensure!(peer.ip() == socket_address(SERVER, family, 0).ip(), "{peer}");
                serve(stream, &body)?;
                let got = reader.join().map_err(|_| "the reader panicked")??;
                ensure!(got == body, "{family:?}: {} bytes came, or others", got.len());
            }
        }
        Ok(())
    })
}

fn half_close(world: &World) -> Outcome {
    // Reads to the end, and only then sends all of it back; and the other way round.
    let program = format!(
        "import socket\ns=socket.create_server(('::',{PORT}),family=socket.AF_INET6,dualstack_ipv6=True)\nprint('r')\n\
         while True:\n c,_=s.accept()\n d=b''\n while True:\n  p=c.recv(65536)\n  if not p: break\n  d+=p\n c.sendall(d)\n c.close()"
    );
    let _server = python(world, &program)?;
    let data = pattern(500_000);
    without_resets(world, || {
        for family in [Family::V4, Family::V6] {
            let mut stream = TcpStream::connect_timeout(&socket_address(SERVER, family, PORT), SOON)?;
            stream.set_read_timeout(Some(SOON))?;
            stream.write_all(&data)?;
            stream.shutdown(Shutdown::Write)?;
            let mut back = Vec::new();
            stream.read_to_end(&mut back)?;
            ensure!(back == data, "{family:?}: {} bytes came back, or others", back.len());
        }
        for family in [Family::V4, Family::V6] {
            let listener = TcpListener::bind(socket_address(CLIENT, family, 0))?;
            let program = format!(
                "import socket\nc=socket.create_connection(('{}',{}))\nc.sendall(b'q'*100000)\n\
                 c.shutdown(socket.SHUT_WR)\nd=b''\n\
                 while True:\n p=c.recv(65536)\n if not p: break\n d+=p\nassert len(d)==500000, len(d)",
                listener.local_addr()?.ip(),
                listener.local_addr()?.port()
            );
            let mut command = Command::new("python3");
            command.args(["-c", &program]);
            let mut client = Running(world.lab().spawn(Host::Server, command)?);
            let (mut stream, _) = listener.accept_timeout(SOON)?;
            stream.set_read_timeout(Some(SOON))?;
            let mut question = Vec::new();
            stream.read_to_end(&mut question)?;
            ensure!(question == vec![b'q'; 100_000], "{family:?}: {} bytes asked", question.len());
            stream.write_all(&data)?;
            drop(stream);
            let ended = wait_for("the client's end", Limit(SOON), || client.0.try_wait().ok().flatten())?;
            ensure!(ended.success(), "{family:?}: {ended}");
        }
        Ok(())
    })
}

fn refused(world: &World) -> Outcome {
    let closed = world.lab().hosts().into_iter().find(|host| host.name == "closed").ok_or("no closed host")?;
    for address in [Some(IpAddr::V4(closed.v4)), closed.v6.map(IpAddr::V6)].into_iter().flatten() {
        let error = TcpStream::connect_timeout(&SocketAddr::new(address, 80), SOON).expect_err("nobody listens");
        ensure!(error.kind() == std::io::ErrorKind::ConnectionRefused, "{error:?}");
        ensure!(StreamError::of(&error).is_some_and(|reason| reason.code() == "refused"), "{error:?}");
    }
    Ok(())
}

fn interrupted(world: &World) -> Outcome {
    // Says when the request has come, and how the connection ended.
    let program = format!(
        "import socket\ns=socket.create_server(('',{PORT}))\nprint('r',end='')\nc,_=s.accept()\nc.recv(4096)\n\
         c.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\nand then nothing')\nprint('q',end='')\n\
         try:\n c.recv(1)\n print('f',end='')\nexcept ConnectionResetError:\n print('x',end='')"
    );
    let mut server = python(world, &program)?;
    let from = url(socket_address(SERVER, Family::V4, PORT), "/");
    let mut client = Running(ww().args(["get", &from]).start()?);
    let mut said = [0];
    let mut output = server.0.stdout.take().ok_or("no output")?;
    output.read_exact(&mut said)?;
    ensure!(said == *b"q", "the server says {said:?}");
    let number = client.0.id().to_string();
    ensure!(Command::new("kill").args(["-INT", &number]).status()?.success(), "kill");
    output.read_exact(&mut said)?;
    ensure!(said == *b"x", "the server says {said:?}: not reset");
    let ended = wait_for("the command's end", Limit(SOON), || client.0.try_wait().ok().flatten())?;
    ensure!(ended.code() == Some(130), "{ended}");
    Ok(())
}
