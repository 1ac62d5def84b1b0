//! RFC 9293 §3.10.1 to §3.10.6: what the user asks for.

use alloc::sync::Arc;
use core::fmt;

use wirewright_units::{ByteCount, Instant};

use crate::connection::State;
use crate::position::Pos;
use crate::timers::Timer;
use crate::{Connection, Ended, Keepalive};

/// The user asked for something that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// It was closed before: "connection closing".
    ConnectionClosing,
    /// "Connection does not exist".
    ConnectionNotOpen,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The caller's fault.
    Misuse(Misuse),
    /// The connection ended, for this reason.
    Ended(Ended),
}

impl CallError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Misuse(Misuse::ConnectionClosing) => "connection-closing",
            Self::Misuse(Misuse::ConnectionNotOpen) => "connection-not-open",
            Self::Ended(Ended::Finished) => "finished",
            Self::Ended(Ended::ResetByPeer) => "reset-by-peer",
            Self::Ended(Ended::Refused) => "refused",
            Self::Ended(Ended::TimedOut) => "unanswered",
            Self::Ended(Ended::AbortedByUser) => "aborted",
            Self::Ended(Ended::Unreachable) => "unreachable",
            Self::Ended(Ended::DataLost) => "data-lost",
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Misuse(Misuse::ConnectionClosing) => "the connection is closing",
            Self::Misuse(Misuse::ConnectionNotOpen) => "the connection is not open",
            Self::Ended(Ended::Finished) => "the connection has ended",
            Self::Ended(Ended::ResetByPeer) => "the peer has reset the connection",
            Self::Ended(Ended::Refused) => "the peer has refused the connection",
            Self::Ended(Ended::TimedOut) => "the peer does not answer",
            Self::Ended(Ended::AbortedByUser) => "the connection was aborted",
            Self::Ended(Ended::Unreachable) => "the peer cannot be reached",
            Self::Ended(Ended::DataLost) => "the connection was reset because nobody read its data",
        })
    }
}

impl core::error::Error for CallError {}

impl Connection {
    /// SEND (RFC 9293 §3.10.2): takes as much as there is room for, and says how much; 0 means: wait for
    /// [`Event::Writable`](crate::Event::Writable). Before the connection is open, data is queued.
    ///
    /// # Errors
    /// After [`close`](Self::close), or when the connection is over.
    pub fn write(&mut self, now: Instant, bytes: &[u8]) -> Result<usize, CallError> {
        self.tcb.timers.advance(now);
        self.may_write()?;
        Ok(self.tcb.snd.buffer.write(bytes))
    }

    /// SEND with the URGENT flag: as [`write`](Self::write), and the urgent pointer shows behind the last byte taken.
    /// (New programs should not use it: RFC 9293 SHLD-13.)
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_urgent(&mut self, now: Instant, bytes: &[u8]) -> Result<usize, CallError> {
        let taken = self.write(now, bytes)?;
        if taken > 0 {
            self.tcb.snd.up = self.tcb.snd.buffer.end();
        }
        Ok(taken)
    }

    /// RECEIVE (RFC 9293 §3.10.3): fills `buf` as far as data in order is there. `None`: nothing yet, wait for
    /// [`Event::Readable`](crate::Event::Readable); `Some(0)`: the peer has closed and everything was read (or `buf` is empty).
    ///
    /// # Errors
    /// When the connection ended otherwise than by the peer's FIN.
    pub fn read(&mut self, now: Instant, buf: &mut [u8]) -> Result<Option<usize>, CallError> {
        let [first, second] = match self.peek()? {
            Some(slices) => slices,
            None => return Ok(if buf.is_empty() { Some(0) } else { None }),
        };
        let from_first = first.len().min(buf.len());
        buf[..from_first].copy_from_slice(&first[..from_first]);
        let from_second = second.len().min(buf.len() - from_first);
        buf[from_first..from_first + from_second].copy_from_slice(&second[..from_second]);
        let count = from_first + from_second;
        self.consume(now, count);
        Ok(Some(count))
    }

    /// What [`read`](Self::read) would copy, in place: two slices, the second behind the first. `None`: nothing yet; two
    /// empty slices: the end.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn peek(&self) -> Result<Option<[&[u8]; 2]>, CallError> {
        let tcb = &self.tcb;
        let slices = tcb.rcv.buffer.slices(self.data_end());
        if !slices[0].is_empty() {
            return Ok(Some(slices));
        }
        match tcb.state {
            State::CloseWait | State::Closing | State::LastAck | State::TimeWait => Ok(Some(slices)),
            State::Closed => match tcb.ended {
                Some(Ended::Finished) => Ok(Some(slices)),
                Some(ended) => Err(CallError::Ended(ended)),
                None => Err(CallError::Misuse(Misuse::ConnectionNotOpen)),
            },
            _ => Ok(None),
        }
    }

    /// Takes `count` bytes that were [`peek`](Self::peek)ed out of the buffer; fewer when there are fewer.
    pub fn consume(&mut self, now: Instant, count: usize) {
        self.tcb.timers.advance(now);
        let data_end = self.data_end();
        self.tcb.rcv.buffer.consume(u32::try_from(count).unwrap_or(u32::MAX), data_end);
    }

    /// CLOSE (RFC 9293 §3.10.4): nothing more will be written; the FIN follows what was. Reading goes on.
    ///
    /// # Errors
    /// When it was closed before, or is over.
    pub fn close(&mut self, now: Instant) -> Result<(), CallError> {
        self.tcb.timers.advance(now);
        self.may_write()?;
        match self.tcb.state {
            // "Delete the TCB."
            State::SynSent => self.end(Ended::AbortedByUser),
            State::SynReceived => self.tcb.close_requested = true,
            State::Established => {
                self.tcb.snd.fin = true;
                self.tcb.state = State::FinWait1;
            }
            State::CloseWait => {
                self.tcb.snd.fin = true;
                self.tcb.state = State::LastAck;
            }
            _ => {}
        }
        Ok(())
    }

    /// The user has gone: closes for writing if that was not done, and nobody will read any more. Data that was not read,
    /// or still comes, makes it a reset (RFC 9293 SHLD-3), so that the peer learns of the loss.
    pub fn release(&mut self, now: Instant) {
        self.tcb.timers.advance(now);
        self.tcb.is_released = true;
        let has_unread = self.tcb.rcv.buffer.readable(self.data_end()) > 0;
        match self.tcb.state {
            State::Closed | State::TimeWait => {}
            State::SynSent | State::SynReceived => self.abort(now),
            _ if has_unread => self.end_with_reset(Ended::DataLost),
            State::FinWait2 => self.tcb.timers.set_if_idle(Timer::FinWait2, self.config.fin_wait_2_max),
            // An error says that it was closed before.
            _ => drop(self.close(now)),
        }
    }

    /// ABORT (RFC 9293 §3.10.5): at once, with a reset where the peer knows of the connection.
    pub fn abort(&mut self, now: Instant) {
        self.tcb.timers.advance(now);
        match self.tcb.state {
            State::Closed | State::TimeWait => {}
            State::SynSent | State::Closing | State::LastAck => self.end(Ended::AbortedByUser),
            _ => self.end_with_reset(Ended::AbortedByUser),
        }
    }

    /// How many bytes can be read now.
    #[must_use]
    pub fn readable(&self) -> ByteCount {
        ByteCount::new(self.tcb.rcv.buffer.readable(self.data_end()).into())
    }

    /// How many bytes [`write`](Self::write) would take now.
    #[must_use]
    pub fn writable(&self) -> ByteCount {
        let room = if self.may_write().is_ok() { self.tcb.snd.buffer.room() } else { 0 };
        ByteCount::new(room.into())
    }

    /// How many bytes, from the next one to read on, are urgent (RFC 9293 MUST-33). They need not have come yet.
    #[must_use]
    pub fn urgent_ahead(&self) -> ByteCount {
        ByteCount::new(self.tcb.rcv.up.since(self.tcb.rcv.buffer.read_at()))
    }

    /// Whether everything written has been acknowledged, the FIN too.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        !self.tcb.state.holds() || !self.tcb.snd.has_unfinished()
    }

    /// Sends small writes at once (`true`), or gathers them while data is in flight (Nagle; RFC 9293 MUST-17).
    pub fn set_nodelay(&mut self, nodelay: bool) {
        if self.config.nagle == nodelay {
            Arc::make_mut(&mut self.config).nagle = !nodelay;
        }
    }

    /// The user time-out (RFC 9293 §3.8.3): how long without progress before the connection is given up.
    pub fn set_user_timeout(&mut self, after: core::time::Duration) {
        if self.config.give_up_after != after {
            Arc::make_mut(&mut self.config).give_up_after = after;
        }
    }

    /// Probes an idle peer from now on, or no longer (RFC 9293 MUST-24).
    pub fn set_keepalive(&mut self, now: Instant, keepalive: Option<Keepalive>) {
        self.tcb.timers.advance(now);
        if self.config.keepalive != keepalive {
            Arc::make_mut(&mut self.config).keepalive = keepalive;
        }
        match keepalive {
            None => self.tcb.timers.stop(Timer::Keepalive),
            Some(keepalive) if self.tcb.is_open() => self.tcb.timers.set(Timer::Keepalive, keepalive.idle),
            Some(_) => {}
        }
    }

    /// Gives the memory of empty buffers back. For connections that are idle for long.
    pub fn trim(&mut self) {
        let data_end = self.data_end();
        self.tcb.snd.buffer.trim();
        self.tcb.rcv.buffer.trim(data_end);
    }

    fn may_write(&self) -> Result<(), CallError> {
        match self.tcb.state {
            State::SynSent | State::SynReceived | State::Established | State::CloseWait
                if !self.tcb.close_requested =>
            {
                Ok(())
            }
            State::Closed => Err(match self.tcb.ended {
                Some(ended) => CallError::Ended(ended),
                None => CallError::Misuse(Misuse::ConnectionNotOpen),
            }),
            _ => Err(CallError::Misuse(Misuse::ConnectionClosing)),
        }
    }

    /// Behind the last byte of data in order: RCV.NXT, less one for a FIN that was taken.
    pub(crate) fn data_end(&self) -> Pos {
        let rcv = &self.tcb.rcv;
        if !rcv.fin.is_none() && rcv.fin < rcv.nxt { rcv.fin } else { rcv.nxt }
    }
}
