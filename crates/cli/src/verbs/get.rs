//! `ww get`: a page by HTTP over our own TCP, beside this machine's kernel.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use craft::First;
use link::clock;
use link::sys::process::EndSignals;
use net::{StreamError, TcpStream, Watch};
use units::Instant;

use crate::command::Options;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::http::{Answer, Framing, Head, HttpError};
use crate::names;
use crate::output::Output;
use crate::place::Place;

/// How long silence is borne, unless `--wait` says otherwise.
const WAIT: Duration = Duration::from_secs(10);
/// How often progress is drawn.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Url {
    host: String,
    port: u16,
    path: String,
}

/// `ww get`.
pub(crate) fn run(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let words = options.text_words()?;
    let [word] = words.as_slice() else {
        return Err(Failure::usage("url-missing", "`ww get` takes one URL").row("try", "ww lab get http://server/"));
    };
    let url = parse(word, place)?;
    let get = Get { url, wait: options.wait.unwrap_or(WAIT), options, out, place };
    get.run()
}

/// One page on its way.
struct Get<'a> {
    url: Url,
    wait: Duration,
    options: &'a Options,
    out: &'a Output,
    place: &'a Place<'a>,
}

impl Get<'_> {
    fn run(&self) -> Result<Exit, Failure> {
        let attempt = Attempt { verb: "get", options: self.options, place: self.place };
        let names = self.place.names(self.options);
        let address = net::resolve_name(&self.url.host, names.as_ref(), names::families(self.options))
            .map_err(|error| explain::net(&error, &attempt))?;
        if let Place::Lab(lab) = self.place
            && !lab.carries(address)
        {
            return Err(Failure::usage("lab-elsewhere", format!("{address} is not in the lab"))
                .row("try", "ww lab get http://server/"));
        }
        let peer = SocketAddr::new(address, self.url.port);
        let running = end_on_signal();
        let stream = TcpStream::connect_watched(peer, self.wait, self.watch())
            .map_err(|error| self.failed(&error, peer, "connecting"))?;
        *running.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream.clone());
        let done = self.fetch(&stream, peer);
        *running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        done
    }

    /// The request and its answer.
    fn fetch(&self, stream: &TcpStream, peer: SocketAddr) -> Result<Exit, Failure> {
        // The clock runs from one byte to the next: a large page may take its time.
        let set = stream.set_read_timeout(Some(self.wait)).and_then(|()| stream.set_write_timeout(Some(self.wait)));
        set.map_err(|error| self.failed(&error, peer, "connecting"))?;
        let mut writer = stream;
        let sent = writer.write_all(self.request().as_bytes());
        sent.map_err(|error| self.failed(&error, peer, "sending the request"))?;
        let mut answer = Answer::new(stream);
        let head = answer.head().map_err(|error| self.http_failed(error, peer))?;
        let mut sink = Sink::open(self, &head)?;
        let body = answer.body(head.framing, &mut |piece| sink.take(piece));
        let done = sink.finish();
        let len = body.map_err(|error| self.http_failed(error, peer))?;
        done.map_err(|error| self.http_failed(HttpError::Store(error), peer))?;
        self.told(&head, len)
    }

    /// RFC 9112 §3, §9.6.
    fn request(&self) -> String {
        let Url { host, port, path } = &self.url;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let port = if *port == 80 { String::new() } else { format!(":{port}") };
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}{port}\r\nUser-Agent: wirewright/{}\r\nAccept: */*\r\n\
             Connection: close\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        )
    }

    /// With `-v`, each segment as a line.
    fn watch(&self) -> Option<Watch> {
        if !self.out.verbose {
            return None;
        }
        let style = self.out.style;
        let mut first: Option<Instant> = None;
        Some(Box::new(move |at, _, bytes| {
            let since = at.since(*first.get_or_insert(at));
            let line = render::line(&inspect::dissect(bytes, First::Ip), &style);
            let _ = writeln!(io::stderr().lock(), "{:>9.3} ms  {line}", since.as_secs_f64() * 1000.0);
        }))
    }

    /// The status decides: what was asked for came, or something else did.
    fn told(&self, head: &Head, len: u64) -> Result<Exit, Failure> {
        if let Some(path) = &self.options.output {
            self.out.remark(&format!("ww: {len} bytes in {}", render::escape(&path.to_string_lossy())));
        }
        if (200..300).contains(&head.status) {
            return Ok(Exit::Answered);
        }
        let reason = render::escape(&head.reason).into_owned();
        let said = format!("the server says {} {reason}", head.status);
        let failure = Failure::new(Exit::Unexpected, "http-status", said.trim_end());
        Err(match &head.location {
            Some(location) => failure.row("it names", render::escape(location)),
            None => failure,
        })
    }

    /// The stream failed.
    fn failed(&self, error: &io::Error, peer: SocketAddr, while_doing: &str) -> Failure {
        let attempt = Attempt { verb: "get", options: self.options, place: self.place };
        let state = format!("while {while_doing}");
        let new = |exit, code, text: String| Failure::new(exit, code, text).row("when", state.clone());
        match StreamError::of(error) {
            Some(StreamError::Os(os) | StreamError::Guard(link::GuardError::Port(os))) => {
                explain::net(&net::Error::Os(os.clone()), &attempt)
            }
            Some(reason @ StreamError::Ended(tcp::Ended::Refused)) => {
                new(Exit::Unexpected, reason.code(), format!("{peer} refuses: nobody listens on port {}", peer.port()))
                    .row("it sent", "RST to our SYN (RFC 9293 §3.10.7.1)")
                    .row("or", "another port: http://HOST:PORT/")
            }
            Some(reason @ StreamError::Ended(tcp::Ended::ResetByPeer)) => {
                new(Exit::Unexpected, reason.code(), format!("{peer} has reset the connection"))
                    .row("it sent", "RST, which ends a connection at once (RFC 9293 §3.10.7.4)")
            }
            Some(reason @ (StreamError::TimedOut | StreamError::Ended(tcp::Ended::TimedOut))) => {
                let text = format!("{peer} is silent: nothing came for {}", render::duration(self.wait));
                let failure = new(Exit::NoAnswer, reason.code(), text);
                let host = peer.ip();
                failure
                    .row("try", format!("{} ask tcp {} S --why", self.place.prefix(), word_of(host, peer.port())))
                    .row("or", "more time: --wait 60s")
            }
            Some(reason @ StreamError::Unreachable(trouble)) => {
                let text = format!("{peer} cannot be reached: {} says so", trouble.from);
                new(Exit::Unexpected, reason.code(), text).row("it sent", format!("ICMP {}", trouble.kind.code()))
            }
            Some(reason @ StreamError::NoRoute { .. }) => {
                Failure::new(Exit::CouldNotSend, reason.code(), format!("{reason} ({})", peer.ip()))
                    .row("look", self.place.beside(explain::routes(peer.ip())))
            }
            Some(reason) => Failure::new(Exit::CouldNotSend, reason.code(), format!("{peer}: {reason}")),
            None => Failure::new(Exit::CouldNotSend, "stream", format!("{peer}: {error}")),
        }
    }

    fn http_failed(&self, error: HttpError, peer: SocketAddr) -> Failure {
        let new = |code, text: String| Failure::new(Exit::Unexpected, code, text);
        match error {
            HttpError::Stream(error, 0) => self.failed(&error, peer, "waiting for the answer"),
            HttpError::Stream(error, got) => {
                self.failed(&error, peer, &format!("reading the body, after {got} bytes of it"))
            }
            HttpError::NotHttp(bytes) => {
                new("not-http", format!("{peer} does not answer in HTTP")).row("it sent", render::escape_bytes(&bytes))
            }
            HttpError::Nothing => new("http-nothing", format!("{peer} closed the connection without an answer")),
            HttpError::HeadCut => {
                new("http-head-cut", format!("{peer} closed the connection inside the answer's head"))
            }
            HttpError::HeadTooLong => new("http-head-long", format!("{peer} sends a head of more than 64 KiB")),
            HttpError::BadHeader(line) => new("http-header", format!("{peer} sends a header that cannot be"))
                .row("the line", render::escape(&line)),
            HttpError::BadChunk => new("http-chunk", format!("{peer} sends a chunk without a size")),
            HttpError::BodyCut { got, of } => {
                let of = of.map_or_else(|| "an unknown number".to_owned(), |of| of.to_string());
                new("body-cut", format!("{peer} closed the connection inside the body: {got} of {of} bytes came"))
            }
            HttpError::Store(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::quiet(),
            HttpError::Store(error) => {
                Failure::new(Exit::CouldNotSend, "output", format!("the body cannot be written: {error}"))
            }
        }
    }
}

/// Ctrl-C, `kill` and a terminal that closes reset the connection, so that the peer holds nothing, and end the command.
fn end_on_signal() -> Arc<Mutex<Option<TcpStream>>> {
    let running = Arc::new(Mutex::new(None::<TcpStream>));
    let of_thread = running.clone();
    // Without it a signal ends the process as usual, and the kernel resets the peer when it sends again.
    if let Ok(signals) = EndSignals::hold() {
        std::thread::spawn(move || {
            if signals.wait().is_ok() {
                if let Some(stream) = &*of_thread.lock().unwrap_or_else(PoisonError::into_inner) {
                    stream.abort();
                }
                let _ = writeln!(io::stderr().lock(), "\nww: interrupted; the connection was reset");
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
        });
    }
    running
}

/// An address and port as the packet language has them.
fn word_of(host: IpAddr, port: u16) -> String {
    if host.is_ipv4() { format!("{host}:{port}") } else { format!("{host} :{port}") }
}

/// Where the body goes.
struct Sink<'a> {
    file: Option<File>,
    out: &'a Output,
    /// Text for a terminal, whose control characters are shown and not obeyed.
    is_terminal: bool,
    progress: Option<Progress>,
}

impl<'a> Sink<'a> {
    fn open(get: &Get<'a>, head: &Head) -> Result<Self, Failure> {
        let file = get.options.output.as_deref().filter(|path| *path != "-");
        let file = file.map(|path| {
            File::create(path).map_err(|error| {
                let shown = render::escape(&path.to_string_lossy()).into_owned();
                Failure::new(Exit::CouldNotSend, "file-unwritable", format!("{shown} cannot be written: {error}"))
            })
        });
        let file = file.transpose()?;
        let is_terminal = file.is_none() && get.out.is_terminal();
        let shows = io::stderr().is_terminal() && !is_terminal && !get.out.quiet && !get.out.verbose;
        let whole = if let Framing::Length(len) = head.framing { Some(len) } else { None };
        let progress = shows.then(|| Progress { begun: clock::now(), drawn: Instant::ORIGIN, got: 0, whole });
        Ok(Self { file, out: get.out, is_terminal, progress })
    }

    fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(piece)?,
            None if self.out.quiet => {}
            None if self.is_terminal => {
                let mut out = io::stdout().lock();
                for part in String::from_utf8_lossy(piece).split_inclusive('\n') {
                    let (line, end) = part.strip_suffix('\n').map_or((part, ""), |line| (line, "\n"));
                    let line = line.strip_suffix('\r').unwrap_or(line);
                    write!(out, "{}{end}", render::escape(line))?;
                }
            }
            None => io::stdout().lock().write_all(piece)?,
        }
        if let Some(progress) = &mut self.progress {
            progress.add(piece.len());
        }
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        if let Some(progress) = self.progress {
            progress.clear();
        }
        match self.file {
            Some(mut file) => file.flush(),
            None => io::stdout().lock().flush(),
        }
    }
}

/// A line that says how far it is.
struct Progress {
    begun: Instant,
    drawn: Instant,
    got: u64,
    whole: Option<u64>,
}

impl Progress {
    fn add(&mut self, count: usize) {
        self.got += count as u64;
        let now = clock::now();
        if now.since(self.drawn) < PROGRESS_EVERY {
            return;
        }
        self.drawn = now;
        let mb = |bytes: u64| bytes as f64 / 1e6;
        let speed = mb(self.got) / now.since(self.begun).as_secs_f64().max(0.001);
        let whole = self.whole.map(|whole| format!(" of {:.1}", mb(whole))).unwrap_or_default();
        let _ = write!(io::stderr().lock(), "\r{:.1}{whole} MB, {speed:.1} MB/s   ", mb(self.got));
    }

    fn clear(&self) {
        let _ = write!(io::stderr().lock(), "\r{:60}\r", "");
    }
}

/// `http://HOST[:PORT]/PATH`, the host a name, an IPv4 address or an IPv6 address in brackets.
fn parse(word: &str, place: &Place<'_>) -> Result<Url, Failure> {
    let shown = render::escape(word);
    let bad = |why: &str| Failure::usage("url", format!("`{shown}` {why}"));
    let Some(rest) = word.strip_prefix("http://") else {
        if word.starts_with("https://") {
            return Err(bad("asks for TLS, which is not spoken here").row("or", "http://, or curl"));
        }
        let line = format!("{} get {}", place.prefix(), render::shell_word(&format!("http://{word}")));
        return Err(bad("is not a URL that begins with http://").row("did you mean", line));
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split('#').next().unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad("has characters that must be written as %XX"));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (host, port) = inner.split_once(']').ok_or_else(|| bad("lacks a ]"))?;
            (host, port.strip_prefix(':').or(if port.is_empty() { Some("80") } else { None }))
        }
        None => authority.split_once(':').map_or((authority, Some("80")), |(host, port)| (host, Some(port))),
    };
    let is_digits = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.filter(is_digits).and_then(|port| port.parse().ok()).filter(|port| *port != 0);
    let port = port.ok_or_else(|| bad("has a port that is none: 1 to 65535"))?;
    if host.is_empty() || host.contains(|c: char| c.is_control() || c.is_whitespace() || c == '@') {
        return Err(bad("names no host"));
    }
    Ok(Url { host: host.to_owned(), port, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = |word| parse(word, &Place::Machine).map(|url| (url.host, url.port, url.path));
        let is = |host: &str, port, path: &str| (host.to_owned(), port, path.to_owned());
        assert_eq!(url("http://server").unwrap(), is("server", 80, "/"));
        assert_eq!(url("http://192.0.2.2:8080/a?b=c#d").unwrap(), is("192.0.2.2", 8080, "/a?b=c"));
        assert_eq!(url("http://[2001:db8::2]:81/x").unwrap(), is("2001:db8::2", 81, "/x"));
        assert_eq!(url("http://[2001:db8::2]").unwrap(), is("2001:db8::2", 80, "/"));
        assert_eq!(url("http://h?q").unwrap(), is("h", 80, "/?q"));
        for wrong in [
            "server/x",
            "https://h/",
            "http://",
            "http://h:0/",
            "http://h:x/",
            "http://[::1",
            "http://h/a b",
            "http://h:+1/",
        ] {
            assert_eq!(url(wrong).unwrap_err().exit, Exit::Usage, "{wrong}");
        }
    }
}
