//! RFC 9293 §3.4–§3.10: a TCP conversation that a person types segment by segment.
//!
//! In: lines of the packet language without addresses, packets that left and that came, `now`.
//! Out: packets in which all that was not set is right at that moment; for each segment a [`Step`]: what was done, the
//! states of both sides, the mistake that it gives away, what the RFC expects now.
//! Above: net, `ww hand`. Below: craft, wire.
//! Not here: sockets, the clock, retransmission (the person is the TCP), sentences for people.
//!
//! Numbers typed and printed are relative to the initial sequence numbers: `ack=1` acknowledges the SYN. `seq=+1` is the
//! right number plus one, `seq=abs:0xdeadbeef` the number itself.

mod again;
mod choices;
mod due;
mod fault;
mod heard;
mod mistake;
mod segment;
mod state;
#[cfg(test)]
mod tests;
mod typed;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use wirewright_units::Instant;
use wirewright_wire::{SeqLen, SeqNum, Window, WindowScale};

pub use choices::Choice;
pub use due::Due;
pub use fault::Fault;
pub use heard::What;
pub use mistake::Mistake;
pub use segment::{End, Segment};
pub use typed::TypedError;
pub use wirewright_wire::tcp::State;

/// The window that is offered unless one is set: what Linux offers first on Ethernet.
const WINDOW: u32 = 64_240;
/// The most stretches remembered that came ahead of what is missing before them; a peer sends what is forgotten again.
const AHEAD_MAX: usize = 32;

/// Who begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// We send the first SYN.
    Client,
    /// We wait for it.
    Server,
}

/// A conversation by hand.
#[derive(Clone, Debug)]
pub struct Conversation {
    role: Role,
    local: Option<End>,
    remote: Option<End>,
    us: State,
    them: State,
    iss: SeqNum,
    irs: Option<SeqNum>,
    snd_una: SeqNum,
    snd_nxt: SeqNum,
    /// Behind the highest number ever sent, holes included.
    snd_max: SeqNum,
    /// Behind the highest number that ever left, in what is wrong too: an acknowledgment may reach that far.
    snd_far: SeqNum,
    /// What was sent and is not acknowledged.
    unacked: again::Unacked,
    /// The furthest right edge of the window that the peer has offered.
    snd_edge: SeqNum,
    snd_wnd: Window,
    rcv_nxt: SeqNum,
    /// What our acknowledgments have said.
    rcv_acked: SeqNum,
    /// The window that we offered last, 0 once it was closed.
    rcv_wnd: Window,
    ahead: Vec<(SeqNum, SeqNum)>,
    fin_sent: Option<SeqNum>,
    /// A FIN that came ahead of data.
    fin_ahead: Option<SeqNum>,
    /// Something came that has to be acknowledged again.
    ack_is_due: bool,
    /// Something came that does not count, and is answered by an ACK that says where the connection stands.
    challenge_is_due: bool,
    /// The number that a reset of what came last must have.
    reset_at: Option<SeqNum>,
    own_scale: Option<WindowScale>,
    their_scale: Option<WindowScale>,
    own_stamps: bool,
    their_stamps: bool,
    ts_recent: u32,
    begun: Option<Instant>,
    last_at: Option<Instant>,
    suspicion: Option<Mistake>,
    /// The last segment sent wants an answer, and none came yet: since when.
    asked: Option<Instant>,
    has_heard: bool,
    was_reset: bool,
    /// The states that the last step told.
    told: (State, State),
}

/// One segment that left or came, and what it means.
#[derive(Clone, Debug)]
pub struct Step {
    /// It left; else it came.
    pub out: bool,
    /// Since the segment before it; `None` for the first.
    pub since: Option<Duration>,
    /// The segment.
    pub segment: Segment,
    /// Its sequence number relative to its sender's initial one.
    pub seq: i64,
    /// Its acknowledgment, relative; `None` without ACK.
    pub ack: Option<i64>,
    /// Its window in bytes, scaled.
    pub window: Window,
    /// What was done by it.
    pub what: What,
    /// The mistake that an answer gives away.
    pub mistake: Option<Mistake>,
    /// What the peer did otherwise than expected.
    pub fault: Option<Fault>,
    /// Our state now.
    pub us: State,
    /// The peer's state now, as far as can be known.
    pub them: State,
    /// One of the states is another than before.
    pub moved: bool,
    /// What is to be done now.
    pub due: Due,
}

/// Nothing came where something had to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// For how long.
    pub after: Duration,
    /// The mistake that explains it.
    pub mistake: Option<Mistake>,
    /// What the peer fails to do.
    pub fault: Option<Fault>,
    /// What is to be done now.
    pub due: Due,
}

impl Conversation {
    /// A conversation that we begin, between these ends, with this initial sequence number.
    #[must_use]
    pub fn client(local: End, remote: End, iss: SeqNum) -> Self {
        Self { local: Some(local), remote: Some(remote), ..Self::new(Role::Client, State::Closed, iss) }
    }

    /// A conversation that somebody else begins: the first SYN that comes decides between which ends.
    #[must_use]
    pub fn server(iss: SeqNum) -> Self {
        Self::new(Role::Server, State::Listen, iss)
    }

    fn new(role: Role, us: State, iss: SeqNum) -> Self {
        Self {
            role,
            local: None,
            remote: None,
            us,
            them: if role == Role::Client { State::Listen } else { State::Closed },
            iss,
            irs: None,
            snd_una: iss,
            snd_nxt: iss,
            snd_max: iss,
            snd_far: iss,
            snd_edge: iss,
            unacked: again::Unacked::default(),
            snd_wnd: Window::ZERO,
            rcv_nxt: SeqNum::new(0),
            rcv_acked: SeqNum::new(0),
            rcv_wnd: Window::clamped(WINDOW),
            ahead: Vec::new(),
            fin_sent: None,
            fin_ahead: None,
            ack_is_due: false,
            challenge_is_due: false,
            reset_at: None,
            own_scale: None,
            their_scale: None,
            own_stamps: false,
            their_stamps: false,
            ts_recent: 0,
            begun: None,
            last_at: None,
            suspicion: None,
            asked: None,
            has_heard: false,
            was_reset: false,
            told: (us, State::Closed),
        }
    }

    /// A packet left at `now`, as it was read back. `None`: it is no segment of this conversation.
    pub fn handle_sent(&mut self, now: Instant, packet: &[u8]) -> Option<Step> {
        let mut segment = Segment::read(packet)?;
        segment.sum_is_right &= segment::ip_sum_is_right(packet);
        if Some(segment.source) != self.local || Some(segment.destination) != self.remote {
            return None;
        }
        let mistake = self.mistake_in(&segment);
        let what = self.what_of_sent(&segment, mistake);
        self.suspicion = mistake;
        if segment.sum_is_right && self.is_in_reach(&segment) && segment.end().after(self.snd_far) {
            self.snd_far = segment.end();
        }
        // The peer drops what is wrong: it moves nothing here either.
        if matches!(mistake, None | Some(Mistake::WindowZero)) {
            self.apply_sent(&segment);
        }
        let wants_answer = !segment.is_empty() || mistake.is_some() || self.irs.is_none();
        let is_final = segment.flags.rst() && mistake.is_none();
        self.asked = (wants_answer && !is_final).then_some(now);
        Some(self.step(now, true, segment, what, (None, None)))
    }

    /// A packet came at `now`. `None`: it is no segment of this conversation.
    pub fn handle_received(&mut self, now: Instant, packet: &[u8]) -> Option<Step> {
        let segment = Segment::read(packet)?;
        if !self.is_ours(&segment) {
            return None;
        }
        let what = self.classify(&segment);
        let mut mistake = self.suspicion.filter(|mistake| mistake.is_shown_by(what));
        if mistake.is_none() && what == What::SynAckAgain && self.irs == Some(self.rcv_acked) {
            mistake = Some(Mistake::SynAckNotAcknowledged);
        }
        let fault = if mistake.is_none() { self.fault_in(&segment, what) } else { None };
        self.apply_heard(&segment, what);
        if what != What::BadSum {
            self.has_heard = true;
            self.asked = self.asked.filter(|_| self.still_asks(what));
        }
        Some(self.step(now, false, segment, what, (mistake, fault)))
    }

    /// Nothing came for as long as somebody waited: once for each segment that wanted an answer.
    pub fn handle_silence(&mut self, now: Instant) -> Option<Silence> {
        let asked = self.asked.take()?;
        let mistake = self.suspicion.filter(|mistake| mistake.is_met_by_silence());
        let fault = if mistake.is_none() { self.fault_of_silence() } else { None };
        Some(Silence { after: now.since(asked), mistake, fault, due: self.due() })
    }

    /// The last segment sent wants an answer that has not come.
    #[must_use]
    pub const fn awaits_answer(&self) -> bool {
        self.asked.is_some()
    }

    /// Our state.
    #[must_use]
    pub const fn us(&self) -> State {
        self.us
    }

    /// The peer's state, as far as can be known.
    #[must_use]
    pub const fn them(&self) -> State {
        self.them
    }

    /// Who begins.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Our end and the peer's, once both are known.
    #[must_use]
    pub fn ends(&self) -> Option<(End, End)> {
        Some((self.local?, self.remote?))
    }

    /// The reset that the peer takes, as it is typed. What it has not acknowledged may not have come to it: then the number
    /// is the one that it named last.
    #[must_use]
    pub fn closing_reset(&self) -> String {
        if self.us == State::Listen {
            return String::from("RA");
        }
        if self.snd_una == self.snd_nxt { String::from("R") } else { self.reset_at_acked(self.snd_una) }
    }

    /// The reset that answers an acknowledgment of the peer: RFC 5961 §3.2, what a challenge asks for.
    #[must_use]
    pub fn reset_for(&self, challenge: &Step) -> Option<String> {
        let counts = !challenge.out && challenge.segment.flags.ack() && !challenge.segment.flags.rst();
        (counts && self.them == State::Closed).then(|| self.reset_at_acked(challenge.segment.ack))
    }

    fn reset_at_acked(&self, number: SeqNum) -> String {
        format!("R seq={}", number.since(self.iss).get())
    }

    /// From which number SACK blocks of our segments count, or of the peer's.
    #[must_use]
    pub fn sack_start(&self, out: bool) -> SeqNum {
        if out { self.irs.unwrap_or_default() } else { self.iss }
    }

    /// Something came from the peer.
    #[must_use]
    pub const fn has_heard(&self) -> bool {
        self.has_heard
    }

    /// The peer reset or refused the connection.
    #[must_use]
    pub const fn was_reset(&self) -> bool {
        self.was_reset
    }

    /// The conversation has begun and is over: both sides closed, or one reset it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let begun = self.begun.is_some() && self.us != State::Listen;
        begun && (self.us == State::Closed || (self.us == State::TimeWait && !self.them.holds()))
    }

    /// The peer holds something that would stay behind if we went away without a word.
    #[must_use]
    pub fn leaves_something(&self) -> bool {
        self.them.holds() && self.us != State::Closed && self.ends().is_some() && self.begun.is_some()
    }

    /// Panics where the numbers contradict each other; tests call it after every step.
    pub fn check_invariants(&self) {
        assert!(self.snd_una.at_or_before(self.snd_nxt), "SND.UNA is behind SND.NXT");
        assert!(self.snd_nxt.at_or_before(self.snd_max), "SND.NXT is behind what was sent");
        assert!(self.rcv_acked.at_or_before(self.rcv_nxt) || self.irs.is_none(), "more acknowledged than came");
        assert!(self.ahead.len() <= AHEAD_MAX, "more remembered than allowed");
    }

    // From here on: the steps.

    fn is_ours(&self, segment: &Segment) -> bool {
        match (self.local, self.remote) {
            (Some(local), Some(remote)) => segment.destination == local && segment.source == remote,
            _ => self.us == State::Listen,
        }
    }

    fn what_of_sent(&self, segment: &Segment, mistake: Option<Mistake>) -> What {
        let flags = segment.flags;
        let again = !segment.is_empty() && self.begun.is_some() && segment.end().at_or_before(self.snd_max);
        match () {
            () if mistake.is_some() => What::Odd,
            () if flags.rst() => What::Reset,
            () if self.asks_for_window(segment) => What::ZeroWindowProbe,
            () if again => What::DataAgain,
            () if flags.syn() && flags.ack() => What::SynAck,
            () if flags.syn() => What::Syn,
            () if flags.fin() => What::Fin,
            () if !segment.data.is_empty() => What::Data,
            () => What::Ack,
        }
    }

    /// RFC 9293 §3.8.6.1: one byte that the peer has, while its window is closed.
    fn asks_for_window(&self, segment: &Segment) -> bool {
        self.snd_wnd.get() == 0 && segment.data.len() == 1 && segment.end() == self.snd_nxt
    }

    /// What a right segment of ours changes: RFC 9293 §3.10.1, §3.10.2, §3.10.4.
    fn apply_sent(&mut self, segment: &Segment) {
        let flags = segment.flags;
        if flags.rst() {
            if self.us == State::SynSent && self.reset_at.take() == Some(segment.seq) {
                // It ends the peer's other connection; ours goes on with its SYN.
                return;
            }
            self.us = State::Closed;
            self.them = State::Closed;
            return;
        }
        if flags.syn() && matches!(self.us, State::Closed | State::Listen | State::SynSent) {
            self.apply_syn(segment);
        } else if segment.seq.at_or_before(self.snd_nxt)
            && segment.end().after(self.snd_nxt)
            && self.is_in_reach(segment)
        {
            self.snd_nxt = segment.end();
        }
        if !flags.syn() && !segment.data.is_empty() {
            self.unacked.keep(self.snd_una, segment);
        }
        if segment.end().after(self.snd_max) && self.is_in_reach(segment) {
            self.snd_max = segment.end();
        }
        if flags.fin() && self.snd_nxt == segment.end() && self.fin_sent.is_none() {
            self.fin_sent = Some(segment.data_end());
            self.us = state::after_own_fin(self.us);
        }
        if flags.ack() && self.irs.is_some() {
            self.apply_own_ack(segment);
        }
    }

    /// What lies beyond any window cannot be acknowledged: it moves nothing, wherever it was sent.
    fn is_in_reach(&self, segment: &Segment) -> bool {
        segment.end().since(self.snd_una).get() <= Window::MAX.get()
    }

    /// Our SYN, first or again.
    fn apply_syn(&mut self, segment: &Segment) {
        let first = !matches!(self.us, State::SynSent) || self.snd_una == self.iss;
        if first {
            self.iss = segment.seq;
            self.snd_una = segment.seq;
            // RFC 9293 §3.4: data behind a SYN may be left unacknowledged, and is then sent again.
            self.snd_nxt = segment.seq + SeqLen::ONE;
            self.snd_max = segment.end();
            self.snd_far = segment.end();
            self.snd_edge = self.snd_nxt + SeqLen::new(self.snd_wnd.get());
        }
        self.own_scale = segment.scale();
        self.own_stamps = segment.timestamps().is_some();
        self.us = if segment.flags.ack() { State::SynReceived } else { State::SynSent };
    }

    /// What our acknowledgment does to the peer.
    fn apply_own_ack(&mut self, segment: &Segment) {
        self.rcv_wnd = self.scaled(segment, self.own_scale);
        self.ack_is_due = false;
        self.challenge_is_due = false;
        if segment.ack.after(self.rcv_acked) {
            self.rcv_acked = segment.ack;
        }
        if self.them == State::SynReceived && !segment.flags.syn() {
            self.them = State::Established;
        }
        let acks_fin = self.us_heard_fin() && segment.ack == self.rcv_nxt;
        if acks_fin {
            self.them = state::after_ack_of_fin(self.them);
        }
    }

    const fn us_heard_fin(&self) -> bool {
        matches!(self.us, State::CloseWait | State::Closing | State::LastAck | State::TimeWait)
    }

    /// RFC 7323 §2.2: the window of a SYN is never scaled, and no window is unless both SYNs had the option.
    fn scaled(&self, segment: &Segment, scale: Option<WindowScale>) -> Window {
        let on = !segment.flags.syn() && self.own_scale.is_some() && self.their_scale.is_some();
        segment.window << scale.filter(|_| on).unwrap_or(WindowScale::ZERO)
    }

    fn step(
        &mut self,
        now: Instant,
        out: bool,
        segment: Segment,
        what: What,
        (mistake, fault): (Option<Mistake>, Option<Fault>),
    ) -> Step {
        let since = self.last_at.map(|last| now.since(last));
        self.last_at = Some(now);
        self.begun.get_or_insert(now);
        let moved = self.told != (self.us, self.them);
        self.told = (self.us, self.them);
        let irs = self.irs.unwrap_or_default();
        let (own, other) = if out { (self.iss, irs) } else { (irs, self.iss) };
        let scale = if out { self.own_scale } else { self.their_scale };
        Step {
            out,
            since,
            seq: relative(segment.seq, own),
            ack: segment.flags.ack().then(|| relative(segment.ack, other)),
            window: self.scaled(&segment, scale),
            segment,
            what,
            mistake,
            fault,
            us: self.us,
            them: self.them,
            moved,
            due: self.due(),
        }
    }
}

/// The number from an initial one on: before it, it is negative.
fn relative(number: SeqNum, start: SeqNum) -> i64 {
    i64::from(number.offset_from(start))
}
