//! One host: a 4-tuple that is a listener's, half-open, a connection's, or waits; and the user.

use std::sync::Arc;

use wirewright_tcp::{
    Connection, Event, HalfOpen, InitialNumbers, Listener, Next, Outgoing, Ports, Segment, State, TimeWait, reset_for,
};
use wirewright_units::Instant;
use wirewright_wire::SeqLen;

use crate::app::App;
use crate::scenario::EndPlan;

/// Who has the 4-tuple.
enum Slot {
    Free,
    HalfOpen(HalfOpen),
    Connection,
    TimeWait(TimeWait),
}

pub(crate) struct End {
    plan: EndPlan,
    listener: Option<Listener>,
    slot: Slot,
    /// Kept after it has left the slot, for reading.
    pub(crate) conn: Option<Connection>,
    pub(crate) app: App,
    /// Resets for segments that belong to nothing.
    stray: Vec<Outgoing<'static>>,
    pub(crate) states: Vec<State>,
    pub(crate) saw_half_open: bool,
    /// A half-open connection was given up, to which nothing had come but SYNs: 63 s in which every acknowledgment was lost.
    pub(crate) gave_up_unheard: bool,
    was_heard: bool,
    pub(crate) saw_time_wait: bool,
    pub(crate) promoted: u32,
}

impl End {
    pub(crate) fn new(plan: EndPlan, end: usize, now: Instant, seed: u64, listens: bool) -> Self {
        let config = Arc::new(plan.config.clone());
        let ports = Ports { local: 1000 + end as u16, remote: 1001 - end as u16 };
        let numbers = InitialNumbers { iss: plan.iss, timestamp_offset: plan.timestamp_offset };
        let conn = (!listens).then(|| Connection::open(now, config.clone(), ports, numbers));
        Self {
            app: App::new(plan.clone(), end, now, seed),
            plan,
            listener: listens.then(|| Listener::new(config)),
            slot: if listens { Slot::Free } else { Slot::Connection },
            conn,
            stray: Vec::new(),
            states: Vec::new(),
            saw_half_open: false,
            gave_up_unheard: false,
            was_heard: false,
            saw_time_wait: false,
            promoted: 0,
        }
    }

    pub(crate) fn handle_segment(&mut self, now: Instant, seg: &Segment<'_>) {
        self.was_heard |= matches!(self.slot, Slot::HalfOpen(_)) && !seg.flags.syn();
        let next = match &mut self.slot {
            Slot::Free => return self.handle_stray(now, seg),
            Slot::HalfOpen(half_open) => half_open.handle_segment(now, seg).1,
            Slot::Connection => self.conn.as_mut().expect("a connection").handle_segment(now, seg).1,
            Slot::TimeWait(time_wait) => time_wait.handle_segment(now, seg).1,
        };
        let reopens = matches!(next, Next::Reopen { .. });
        self.follow(next);
        if reopens {
            self.handle_stray(now, seg);
        }
    }

    fn handle_stray(&mut self, now: Instant, seg: &Segment<'_>) {
        let Some(listener) = &mut self.listener else {
            self.stray.extend(reset_for(seg));
            return;
        };
        // RFC 6528: rising with the time, so that a second half-open has other numbers.
        let clock = SeqLen::new((now.as_micros() / 4) as u32);
        let numbers = InitialNumbers { iss: self.plan.iss + clock, timestamp_offset: self.plan.timestamp_offset };
        let (_, next) = listener.handle_segment(now, seg, numbers);
        self.stray.extend(listener.poll_transmit(now));
        self.follow(next);
    }

    fn follow(&mut self, next: Next) {
        match next {
            Next::Stay => {}
            Next::Answer(half_open) => {
                self.saw_half_open = true;
                self.was_heard = false;
                self.slot = Slot::HalfOpen(half_open);
            }
            Next::Promote(conn) => {
                self.promoted += 1;
                self.conn = Some(conn);
                self.slot = Slot::Connection;
            }
            Next::Linger(time_wait) => {
                self.saw_time_wait = true;
                self.slot = Slot::TimeWait(time_wait);
            }
            Next::Reopen { .. } | Next::Gone => self.slot = Slot::Free,
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let next = match &mut self.slot {
            Slot::Free => return,
            Slot::HalfOpen(half_open) => half_open.handle_timeout(now),
            Slot::Connection => self.conn.as_mut().expect("a connection").handle_timeout(now),
            Slot::TimeWait(time_wait) => time_wait.handle_timeout(now),
        };
        self.gave_up_unheard |= matches!((&self.slot, &next), (Slot::HalfOpen(_), Next::Gone)) && !self.was_heard;
        self.follow(next);
    }

    /// Lets the user act and takes what is to be sent.
    pub(crate) fn poll(&mut self, now: Instant, mut send: impl FnMut(&Outgoing<'_>, Option<State>)) {
        for reset in self.stray.drain(..) {
            send(&reset, None);
        }
        if let Some(conn) = &mut self.conn {
            self.app.act(now, conn);
            while let Some(event) = conn.poll_event() {
                if let Event::Ended(ended) = event {
                    assert_eq!(conn.status().ended, Some(ended));
                }
            }
            let state = conn.state();
            while let Some(out) = conn.poll_transmit(now) {
                send(&out, Some(state));
            }
            conn.check_invariants();
            if self.states.last() != Some(&state) {
                self.states.push(state);
            }
            if conn.state() == State::Closed && matches!(self.slot, Slot::Connection) {
                // A user call has ended it.
                self.slot = Slot::Free;
            }
        }
        match &mut self.slot {
            Slot::HalfOpen(half_open) => {
                while let Some(out) = half_open.poll_transmit(now) {
                    send(&out, None);
                }
                half_open.check_invariants();
            }
            Slot::TimeWait(time_wait) => {
                while let Some(out) = time_wait.poll_transmit(now) {
                    send(&out, Some(State::TimeWait));
                }
                time_wait.check_invariants();
            }
            _ => {}
        }
    }

    /// The engine's deadline.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        match &self.slot {
            Slot::Free => None,
            Slot::HalfOpen(half_open) => half_open.poll_timeout(),
            Slot::Connection => self.conn.as_ref().and_then(Connection::poll_timeout),
            Slot::TimeWait(time_wait) => time_wait.poll_timeout(),
        }
    }

    /// The user's.
    pub(crate) fn app_at(&self, now: Instant) -> Option<Instant> {
        self.conn.as_ref().and_then(|_| self.app.next_at(now)).filter(|_| !self.app.is_done())
    }

    pub(crate) const fn is_free(&self) -> bool {
        matches!(self.slot, Slot::Free)
    }

    /// A connection that both ends consider open.
    pub(crate) fn is_established(&self) -> bool {
        self.conn.as_ref().is_some_and(|conn| conn.state() == State::Established)
    }

    /// It was asked to open, or has been opened, and is done.
    pub(crate) fn is_done(&self) -> bool {
        self.is_free() && self.conn.as_ref().is_none_or(Connection::is_over)
    }
}
