//! What went wrong with a page: what the peer did, in which state, what the RFC says, what to try.

use std::io;
use std::net::{IpAddr, SocketAddr};

use net::StreamError;
use render::{Catalogue, Lang};
use tcp::Status;

use super::Get;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::http::HttpError;

impl Get<'_> {
    /// The stream failed; `status` is what was known of it.
    pub(super) fn failed(
        &self,
        error: &io::Error,
        peer: SocketAddr,
        while_doing: &str,
        status: Option<&Status>,
    ) -> Failure {
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
            Some(reason @ (StreamError::TimedOut { .. } | StreamError::Ended(tcp::Ended::TimedOut))) => {
                self.silent(reason, peer, status, state)
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

    /// The time is over. That nothing came, and that nothing of use came, are told apart.
    fn silent(&self, reason: &StreamError, peer: SocketAddr, status: Option<&Status>, state: String) -> Failure {
        let wait = render::duration(self.wait);
        let is_closed = status.is_some_and(|status| status.snd_wnd.get() == 0);
        let (headline, row) = match reason {
            StreamError::TimedOut { last: Some(discard) } => {
                let words = Catalogue::get(Lang::En);
                let sentence = words.sentence(&format!("untaken.{}", discard.code()));
                let sentence = sentence.map_or_else(|| format!("what is dropped as {}", discard.code()), str::to_owned);
                (format!("{peer} sent nothing that TCP may take for {wait}"), Some(("it sent", sentence)))
            }
            _ if is_closed => {
                let sentence = "a window of 0 bytes: nothing more may be sent (RFC 9293 §3.8.6.1)".to_owned();
                (format!("{peer} keeps its window closed: nothing moved for {wait}"), Some(("it offers", sentence)))
            }
            _ => (format!("{peer} is silent: nothing came for {wait}"), None),
        };
        let failure = Failure::new(Exit::NoAnswer, reason.code(), headline).row("when", state);
        let failure = match row {
            Some((label, text)) => failure.row(label, text),
            None => failure,
        };
        let again = format!("{} ask tcp {} S --why", self.place.prefix(), word_of(peer.ip(), peer.port()));
        failure.row("try", again).row("or", "more time: --wait 60s")
    }

    /// The answer failed.
    pub(super) fn http_failed(&self, error: HttpError, peer: SocketAddr, status: Option<&Status>) -> Failure {
        let new = |code, text: String| Failure::new(Exit::Unexpected, code, text);
        match error {
            HttpError::Stream(error, 0) => self.failed(&error, peer, "waiting for the answer", status),
            HttpError::Stream(error, got) => {
                self.failed(&error, peer, &format!("reading the body, after {got} bytes of it"), status)
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

/// An address and port as the packet language has them.
fn word_of(host: IpAddr, port: u16) -> String {
    if host.is_ipv4() { format!("{host}:{port}") } else { format!("{host} :{port}") }
}
