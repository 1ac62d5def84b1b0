//! What went wrong with a page: what the peer did, in which state, what the RFC says, what to try.

use std::io;
use std::net::{IpAddr, SocketAddr};

use net::StreamError;
use tcp::Status;

use super::Get;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::http::HttpError;
use crate::said;
use crate::speech::{say, words};

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
        let state = while_doing.to_owned();
        let new = |exit, code, text: String| Failure::new(exit, code, text).row("when", state.clone());
        match StreamError::of(error) {
            Some(StreamError::Os(os) | StreamError::Guard(link::GuardError::Port(os))) => {
                explain::net(&net::Error::Os(os.clone()), &attempt)
            }
            Some(StreamError::Guard(error)) => explain::guard_wished(error, &attempt),
            Some(
                reason @ (StreamError::NotEthernet { .. }
                | StreamError::NoFreeAddress { .. }
                | StreamError::AddressElsewhere { .. }
                | StreamError::AddressOfAll { .. }
                | StreamError::Misuse(_)
                | StreamError::AddressTaken { .. }),
            ) => explain::own_address(reason, &attempt),
            Some(reason @ StreamError::Ended(tcp::Ended::Refused)) => {
                new(Exit::Unexpected, reason.code(), say("error.refused", &[("peer", &peer), ("port", &peer.port())]))
                    .row("it sent", say("hint.sent-rst-to-syn", &[]))
                    .row("or", say("hint.another-port", &[]))
            }
            Some(reason @ StreamError::Ended(tcp::Ended::ResetByPeer)) => {
                new(Exit::Unexpected, reason.code(), say("error.reset-by-peer", &[("peer", &peer)]))
                    .row("it sent", say("hint.sent-rst", &[]))
            }
            Some(reason @ (StreamError::TimedOut { .. } | StreamError::Ended(tcp::Ended::TimedOut))) => {
                self.silent(reason, peer, status, state)
            }
            Some(reason @ StreamError::Unreachable(trouble)) => {
                let text = say("error.unreachable", &[("peer", &peer), ("from", &trouble.from)]);
                new(Exit::Unexpected, reason.code(), text).row("it sent", format!("ICMP {}", trouble.kind.code()))
            }
            Some(reason @ StreamError::NoRoute { .. }) => {
                Failure::new(Exit::CouldNotSend, reason.code(), format!("{} ({})", said::stream(reason), peer.ip()))
                    .row("look", self.place.beside(explain::routes(peer.ip())))
            }
            Some(reason) => {
                Failure::new(Exit::CouldNotSend, reason.code(), format!("{peer}: {}", said::stream(reason)))
            }
            None => Failure::new(Exit::CouldNotSend, "stream", format!("{peer}: {}", said::os(error))),
        }
    }

    /// The time is over. That nothing came, and that nothing of use came, are told apart.
    fn silent(&self, reason: &StreamError, peer: SocketAddr, status: Option<&Status>, state: String) -> Failure {
        let wait = render::duration(self.wait);
        let is_closed = status.is_some_and(|status| status.snd_wnd.get() == 0);
        let (headline, row) = match reason {
            StreamError::TimedOut { last: Some(discard) } => {
                let sentence = words().sentence(&format!("untaken.{}", discard.code()));
                let other = || say("get.untaken", &[("code", &discard.code())]);
                let headline = say("error.timed-out.untaken", &[("peer", &peer), ("time", &wait)]);
                (headline, Some(("it sent", sentence.map_or_else(other, str::to_owned))))
            }
            _ if is_closed => {
                let headline = say("error.timed-out.window", &[("peer", &peer), ("time", &wait)]);
                (headline, Some(("it offers", say("hint.window-zero", &[]))))
            }
            _ => (say("error.timed-out", &[("peer", &peer), ("time", &wait)]), None),
        };
        let failure = Failure::new(Exit::NoAnswer, reason.code(), headline).row("when", state);
        let failure = match row {
            Some((label, text)) => failure.row(label, text),
            None => failure,
        };
        let again = format!("{} ask tcp {} S --why", self.place.prefix(), word_of(peer.ip(), peer.port()));
        failure.row("try", again).row("or", say("hint.more-time", &[]))
    }

    /// The answer failed.
    pub(super) fn http_failed(&self, error: HttpError, peer: SocketAddr, status: Option<&Status>) -> Failure {
        let new = |code, text: String| Failure::new(Exit::Unexpected, code, text);
        match error {
            HttpError::Stream(error, 0) => self.failed(&error, peer, &say("get.while.waiting", &[]), status),
            HttpError::Stream(error, got) => {
                self.failed(&error, peer, &say("get.while.reading", &[("bytes", &got)]), status)
            }
            HttpError::NotHttp(bytes) => {
                new("not-http", say("error.not-http", &[("peer", &peer)])).row("it sent", render::escape_bytes(&bytes))
            }
            HttpError::Nothing => new("http-nothing", say("error.http-nothing", &[("peer", &peer)])),
            HttpError::HeadCut => new("http-head-cut", say("error.http-head-cut", &[("peer", &peer)])),
            HttpError::HeadTooLong => new("http-head-long", say("error.http-head-long", &[("peer", &peer)])),
            HttpError::BadHeader(line) => {
                new("http-header", say("error.http-header", &[("peer", &peer)])).row("the line", render::escape(&line))
            }
            HttpError::BadChunk => new("http-chunk", say("error.http-chunk", &[("peer", &peer)])),
            HttpError::BodyCut { got, of } => {
                let text = match of {
                    Some(of) => say("error.body-cut", &[("peer", &peer), ("got", &got), ("whole", &of)]),
                    None => say("error.body-cut.unknown", &[("peer", &peer), ("got", &got)]),
                };
                new("body-cut", text)
            }
            HttpError::Store(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::quiet(),
            HttpError::Store(error) => {
                Failure::new(Exit::CouldNotSend, "output", say("error.output.body", &[("said", &error)]))
            }
        }
    }
}

/// An address and port as the packet language has them.
fn word_of(host: IpAddr, port: u16) -> String {
    if host.is_ipv4() { format!("{host}:{port}") } else { format!("{host} :{port}") }
}
