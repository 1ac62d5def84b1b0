//! `ww get`: a page by HTTP over our own TCP, beside this machine's kernel.
//!
//! In: a URL, and how long nothing may come.
//! Out: the page in a file, on a pipe or a terminal; or what went wrong, in which state, and what to try.
//! Above: the list of verbs. Below: net (the stream), `http` (the answer).
//! Not here: TCP.

mod failed;
mod ladder;
mod sink;

use std::fmt::Display;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use link::Rung;
use link::sys::process::EndSignals;
use net::{Breaker, TcpStream};

use crate::command::Options;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::http::{Answer, Head, HttpError};
use crate::in_process;
use crate::names;
use crate::output::Output;
use crate::place::Place;
use crate::speech::say;
use sink::{Kept, Sink};

/// How long silence is borne, unless `--wait` says otherwise.
const WAIT: Duration = Duration::from_secs(10);

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
        return Err(
            Failure::usage("url-missing", say("error.url-missing", &[])).row("try", "ww lab get http://server/")
        );
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
        in_process::without_guard(self.place, self.options)?;
        let attempt = Attempt { verb: "get", options: self.options, place: self.place };
        let names = self.place.names(self.options);
        let address = net::resolve_name(&self.url.host, names.as_ref(), names::families(self.options))
            .map_err(|error| explain::net(&error, &attempt))?;
        if let Place::Lab(lab) = self.place
            && !lab.carries(address)
            && !(in_process::is_place(self.place) && in_process::is_host(address))
        {
            return Err(Failure::usage("lab-elsewhere", say("error.lab-elsewhere", &[("address", &address)]))
                .row("try", "ww lab get http://server/"));
        }
        let peer = SocketAddr::new(address, self.url.port);
        let breaker = Breaker::new();
        let kept = Kept::default();
        end_on_signal(breaker.clone(), kept.clone());
        let done = self
            .connect(peer, &breaker)
            .map_err(|error| self.failed(&error, peer, &say("get.while.connecting", &[]), None))
            .and_then(|(stream, rung)| {
                if let Some(rung) = rung {
                    self.tell_guard(&stream, peer, rung);
                }
                self.fetch(&stream, peer, &kept)
            });
        while breaker.is_broken() {
            // The connection ended by the signal, whose own thread says so and ends the process.
            std::thread::park();
        }
        done
    }

    /// Connects; with the rung that stands, unless no kernel is there to be kept quiet.
    fn connect(&self, peer: SocketAddr, breaker: &Breaker) -> io::Result<(TcpStream, Option<Rung>)> {
        let watch = self.out.verbose.then(|| ladder::watch(self.out.style));
        if !in_process::is_place(self.place) {
            let wish = self.options.guard_wish();
            let (stream, rung) = TcpStream::connect_guarded(peer, self.wait, watch, breaker, &wish)?;
            return Ok((stream, Some(rung)));
        }
        self.out.tell(&say("talk.in-process", &[]));
        Ok((in_process::connect(peer, self.wait, watch, breaker)?, None))
    }

    /// Between which ends, and how the kernel is kept quiet: with `-v`, and where it was asked for.
    fn tell_guard(&self, stream: &TcpStream, peer: SocketAddr, rung: Rung) {
        if let Ok(local) = stream.local_addr()
            && (self.out.verbose || self.options.rung.is_some())
        {
            let arrow = self.out.style.arrow();
            let values: [(&str, &dyn Display); 4] =
                [("local", &local), ("arrow", &arrow), ("remote", &peer), ("guard", &rung.code())];
            self.out.tell(&say("talk.between", &values));
        }
        if !rung.covers_every_peer() {
            self.out.tell(&say("guard.min-ttl", &[]));
        }
    }

    /// The request and its answer.
    fn fetch(&self, stream: &TcpStream, peer: SocketAddr, kept: &Kept) -> Result<Exit, Failure> {
        // The clock runs from one byte to the next: a large page may take its time.
        let set = stream.set_read_timeout(Some(self.wait)).and_then(|()| stream.set_write_timeout(Some(self.wait)));
        set.map_err(|error| self.failed(&error, peer, &say("get.while.connecting", &[]), None))?;
        let mut writer = stream;
        let sent = writer.write_all(self.request().as_bytes());
        sent.map_err(|error| self.given_up(HttpError::Stream(error, 0), stream, peer))?;
        let mut answer = Answer::new(stream);
        let head = answer.head().map_err(|error| self.given_up(error, stream, peer))?;
        let sink = Sink::open(self.out, self.options.output.as_deref(), &head, kept);
        let mut sink = sink.inspect_err(|_| stream.abort())?;
        let body = answer.body(head.framing, &mut |piece| sink.take(piece));
        let done = sink.finish();
        let len = body.map_err(|error| kept.told(self.given_up(error, stream, peer)))?;
        done.map_err(|error| self.given_up(HttpError::Store(error), stream, peer))?;
        self.told(&head, len)
    }

    /// Nothing more of it is wanted. A peer that has not closed is reset, so that it holds nothing.
    fn given_up(&self, error: HttpError, stream: &TcpStream, peer: SocketAddr) -> Failure {
        let status = stream.status();
        if !error.peer_has_closed() {
            stream.abort();
        }
        self.http_failed(error, peer, status.as_ref())
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

    /// The status decides: what was asked for came, or something else did.
    fn told(&self, head: &Head, len: u64) -> Result<Exit, Failure> {
        if let Some(path) = &self.options.output {
            self.out.tell(&say("remark.bytes-in", &[("bytes", &len), ("path", &path.to_string_lossy())]));
        }
        if (200..300).contains(&head.status) {
            return Ok(Exit::Answered);
        }
        let said = say("error.http-status", &[("status", &head.status), ("reason", &head.reason)]);
        let failure = Failure::new(Exit::Unexpected, "http-status", said.trim_end());
        Err(match &head.location {
            Some(location) => failure.row("it names", render::escape(location)),
            None => failure,
        })
    }
}

/// Ctrl-C, `kill` and a terminal that closes reset the connection at whatever moment, so that the peer holds nothing, and end
/// the command.
fn end_on_signal(breaker: Breaker, kept: Kept) {
    // Without it a signal ends the process as usual, and the kernel resets the peer when it sends again.
    if let Ok(signals) = EndSignals::hold() {
        std::thread::spawn(move || {
            if signals.wait().is_ok() {
                breaker.abort();
                let said = match kept.path() {
                    Some(path) => say("remark.get-interrupted.kept", &[("path", &path)]),
                    None => say("remark.get-interrupted", &[]),
                };
                let _ = writeln!(io::stderr().lock(), "\nww: {said}");
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
        });
    }
}

/// `http://HOST[:PORT]/PATH`, the host a name, an IPv4 address or an IPv6 address in brackets.
fn parse(word: &str, place: &Place<'_>) -> Result<Url, Failure> {
    let bad = |key: &str| Failure::usage("url", say(key, &[("url", &word)]));
    let Some(rest) = word.strip_prefix("http://") else {
        if word.starts_with("https://") {
            return Err(bad("error.url.tls").row("or", say("hint.no-tls", &[])));
        }
        let line = format!("{} get {}", place.prefix(), render::shell_word(&format!("http://{word}")));
        return Err(bad("error.url.no-http").row("did you mean", line));
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split('#').next().unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad("error.url.characters"));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (host, port) = inner.split_once(']').ok_or_else(|| bad("error.url.brackets"))?;
            (host, port.strip_prefix(':').or(if port.is_empty() { Some("80") } else { None }))
        }
        None => authority.split_once(':').map_or((authority, Some("80")), |(host, port)| (host, Some(port))),
    };
    let is_digits = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.filter(is_digits).and_then(|port| port.parse().ok()).filter(|port| *port != 0);
    let port = port.ok_or_else(|| bad("error.url.port"))?;
    if host.is_empty() || host.contains(|c: char| c.is_control() || c.is_whitespace() || c == '@') {
        return Err(bad("error.url.host"));
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
