//! The user of one end: writes what the other expects, reads, closes.

use wirewright_sim::Dice;
use wirewright_tcp::{CallError, Connection, Ended, State};
use wirewright_units::Instant;

use crate::scenario::{EndPlan, Leaving};

/// The byte at this offset of the stream that this end writes.
pub(crate) fn stream_byte(end: usize, offset: u64) -> u8 {
    let mixed = offset.wrapping_add(end as u64 * 7919).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as u8
}

pub(crate) struct App {
    plan: EndPlan,
    end: usize,
    dice: Dice,
    pub(crate) written: u64,
    pub(crate) read: u64,
    /// The peer's end of stream was read.
    pub(crate) saw_end: bool,
    /// The connection ended otherwise than by FINs.
    pub(crate) failed: Option<Ended>,
    has_closed: bool,
    has_released: bool,
    has_stalled: bool,
    write_at: Instant,
    read_at: Instant,
    close_at: Option<Instant>,
    leave_at: Option<Instant>,
    scratch: Vec<u8>,
}

impl App {
    pub(crate) fn new(plan: EndPlan, end: usize, now: Instant, seed: u64) -> Self {
        let leave_at = match plan.leaving {
            Leaving::Abort(after) | Leaving::WalkAway(after) => Some(now + after),
            _ => None,
        };
        Self {
            plan,
            end,
            dice: Dice::new(seed),
            written: 0,
            read: 0,
            saw_end: false,
            failed: None,
            has_closed: false,
            has_released: false,
            has_stalled: false,
            write_at: now,
            read_at: now,
            close_at: None,
            leave_at,
            scratch: Vec::new(),
        }
    }

    /// When it wants to be called though nothing arrives.
    pub(crate) fn next_at(&self, now: Instant) -> Option<Instant> {
        let waits = [Some(self.write_at), Some(self.read_at), self.close_at, self.leave_at];
        waits.into_iter().flatten().filter(|&at| at > now).min()
    }

    /// Does what is due.
    pub(crate) fn act(&mut self, now: Instant, conn: &mut Connection) {
        if self.has_released {
            return;
        }
        if self.leave_at.is_some_and(|at| at <= now) {
            self.leave_at = None;
            self.has_released = true;
            match self.plan.leaving {
                Leaving::Abort(_) => conn.abort(now),
                _ => conn.release(now),
            }
            return;
        }
        while self.write_at <= now && self.write(now, conn) {}
        while self.read_at <= now && self.read(now, conn) {}
        self.close(now, conn);
        if self.has_closed && self.saw_end {
            self.has_released = true;
            conn.release(now);
        }
    }

    /// Nothing is left for it to do.
    pub(crate) fn is_done(&self) -> bool {
        self.has_released || self.failed.is_some()
    }

    /// Whether it got on.
    fn write(&mut self, now: Instant, conn: &mut Connection) -> bool {
        if self.has_closed || self.written == self.plan.bytes || self.failed.is_some() {
            return false;
        }
        let before = self.written;
        let len = self.dice.within(1, self.plan.write_max).min(self.plan.bytes - self.written);
        self.scratch.clear();
        self.scratch.extend((self.written..self.written + len).map(|at| stream_byte(self.end, at)));
        match conn.write(now, &self.scratch) {
            Ok(taken) => self.written += taken as u64,
            Err(CallError::Ended(ended)) => self.failed = Some(ended),
            Err(error) => panic!("end {}: write: {error}", self.end),
        }
        self.write_at = now + self.dice.up_to(self.plan.write_gap);
        self.written > before
    }

    /// Whether it got on.
    fn read(&mut self, now: Instant, conn: &mut Connection) -> bool {
        if self.saw_end || self.failed.is_some() {
            return false;
        }
        if !self.has_stalled && self.read > 0 && !self.plan.stall.is_zero() {
            self.has_stalled = true;
            self.read_at = now + self.plan.stall;
            return false;
        }
        let len = self.dice.within(1, self.plan.read_max) as usize;
        self.scratch.resize(len, 0);
        match conn.read(now, &mut self.scratch) {
            Ok(None) => return false,
            Ok(Some(0)) => self.saw_end = true,
            Ok(Some(count)) => self.check(count),
            Err(CallError::Ended(ended)) => self.failed = Some(ended),
            Err(error) => panic!("end {}: read: {error}", self.end),
        }
        self.read_at = now + self.dice.up_to(self.plan.read_gap);
        true
    }

    fn check(&mut self, count: usize) {
        for (at, &byte) in (self.read..).zip(&self.scratch[..count]) {
            assert_eq!(byte, stream_byte(1 - self.end, at), "end {} read a wrong byte at {at}", self.end);
        }
        self.read += count as u64;
    }

    fn close(&mut self, now: Instant, conn: &mut Connection) {
        if self.has_closed || self.written < self.plan.bytes || self.failed.is_some() {
            return;
        }
        if conn.state() == State::SynSent || (self.plan.leaving == Leaving::AfterPeer && !self.saw_end) {
            return;
        }
        let at = *self.close_at.get_or_insert(now + self.plan.close_after);
        if at <= now {
            self.has_closed = true;
            self.close_at = None;
            match conn.close(now) {
                Ok(()) => {}
                Err(CallError::Ended(ended)) => self.failed = Some(ended),
                Err(error) => panic!("end {}: close: {error}", self.end),
            }
        }
    }
}
