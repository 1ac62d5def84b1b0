//! What is known of the frames before the first one leaves: how many, how long, and which of them cannot.

use std::collections::{BTreeMap, VecDeque};

use hand::{Refused, Schedule, Speed, reassembly};
use inspect::sum::Verdict;
use net::Error;
use units::Instant;

use super::frames::{Frames, Leaving, Next, Trouble};
use super::timing::{Timing, timing};
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::said;
use crate::speech::{say, words};
use crate::verbs::send::Talk;

/// What is known of the frames.
#[derive(Default)]
pub(super) struct Survey {
    /// How many can leave.
    pub frames: u64,
    /// All were seen.
    pub is_whole: bool,
    /// Those that cannot.
    pub troubles: Troubles,
    /// How many a second they are on the mean, as they are to leave.
    pub rate: u64,
    shortened: u64,
    backward: u64,
    begun: u64,
    torn: u64,
    views: BTreeMap<usize, String>,
}

impl Survey {
    /// Reads the frames, plans each, and keeps them where `keep` says so; ends behind frame number `max` of those that can leave.
    ///
    /// # Errors
    /// What keeps all of them from leaving: no permission to read the kernel's tables, a name in `--to` that nobody knows.
    pub(super) fn read(
        frames: &mut Frames<'_>,
        talk: &mut Talk<'_>,
        max: u64,
        mut keep: Option<&mut VecDeque<Leaving>>,
    ) -> Result<Self, Failure> {
        let mut survey = Self::default();
        let mut schedule = match timing(talk.options, Instant::ORIGIN) {
            Timing::Captured(schedule) => schedule,
            _ => Schedule::begin(Instant::ORIGIN, Speed::ONE, crate::replay::GAP_MAX),
        };
        while survey.frames < max {
            match frames.next() {
                Next::End => {
                    survey.is_whole = true;
                    break;
                }
                Next::Trouble(number, trouble) => survey.troubles.add(number, &trouble),
                Next::Frame(leaving) => match talk.session.plan_frame(&leaving.bytes, leaving.first) {
                    Ok(_) => {
                        survey.add(&leaving, frames);
                        schedule.due(leaving.wall);
                        if let Some(kept) = &mut keep {
                            kept.push_back(leaving);
                        }
                    }
                    Err(Error::Refused(refused)) => {
                        schedule.due(leaving.wall);
                        survey.troubles.refused(leaving.number, leaving.first, refused);
                    }
                    Err(error) => return Err(talk.explain(&error)),
                },
            }
        }
        survey.is_whole |= survey.frames < max;
        (survey.shortened, survey.backward) = (schedule.shortened(), schedule.backward());
        let nanos = schedule.span().as_nanos();
        let rate = u128::from(survey.frames.saturating_sub(1)) * 1_000_000_000 / nanos.max(1);
        survey.rate = u64::try_from(rate).unwrap_or(u64::MAX);
        Ok(survey)
    }

    fn add(&mut self, leaving: &Leaving, frames: &Frames<'_>) {
        self.frames += 1;
        let dissection = inspect::dissect(&leaving.bytes, leaving.first);
        self.begun += u64::from(dissection.checksums.iter().any(|sum| sum.verdict == Verdict::Partial));
        self.torn += u64::from(leaving.rewritten && reassembly::is_fragment(&leaving.bytes, leaving.first));
        self.views.entry(leaving.view).or_insert_with(|| frames.view(leaving.view).to_owned());
    }

    /// Says what a person should know before the frames leave.
    pub(super) fn tell(&self, frames: &Frames<'_>, talk: &Talk<'_>) {
        let tell = |key: &str, values: &[(&str, &dyn std::fmt::Display)]| talk.out.tell(&say(key, values));
        if self.views.len() > 1 {
            let names: Vec<_> =
                self.views.values().filter(|name| !name.is_empty()).map(|name| render::escape(name)).collect();
            tell("replay.views", &[("count", &self.views.len()), ("names", &names.join(", "))]);
        }
        let timed = matches!(timing(talk.options, Instant::ORIGIN), Timing::Captured(_));
        if timed && self.shortened > 0 {
            let max = render::duration(talk.options.replay.gap_max.unwrap_or(crate::replay::GAP_MAX));
            tell("replay.shortened", &[("count", &self.shortened), ("max", &max)]);
        }
        if timed && self.backward > 0 {
            tell("replay.backward", &[("count", &self.backward)]);
        }
        if self.begun > 0 {
            tell("replay.begun", &[("count", &self.begun)]);
        }
        if self.torn > 0 {
            tell("replay.torn", &[("count", &self.torn)]);
        }
        for (rule, _) in talk.options.rewrites.iter().zip(&frames.hits).filter(|(_, hits)| **hits == 0 && self.is_whole)
        {
            tell("replay.no-hit", &[("rule", &render::shell_word(rule.words()))]);
        }
    }
}

/// Frames that cannot leave as they are, by the reason.
#[derive(Clone, Default)]
pub(super) struct Troubles {
    kinds: Vec<Kind>,
    /// How many frames there are.
    pub count: u64,
    refused: Option<(craft::First, Refused)>,
}

#[derive(Clone)]
struct Kind {
    code: &'static str,
    count: u64,
    /// Of the first.
    sentence: String,
}

impl Troubles {
    pub(super) fn add(&mut self, number: u64, trouble: &Trouble) {
        self.note(trouble.code(), || trouble.sentence(number));
    }

    pub(super) fn refused(&mut self, number: u64, first: craft::First, refused: Refused) {
        self.note(refused.code(), || {
            let (said, reasons) = render::refused(&refused, words());
            let mut said = explain::headline(said);
            for reason in reasons {
                said = format!("{said}; {}", reason.trim_end_matches('.'));
            }
            say("replay.trouble.refused", &[("number", &number), ("said", &said)])
        });
        self.refused.get_or_insert((first, refused));
    }

    fn note(&mut self, code: &'static str, sentence: impl FnOnce() -> String) {
        self.count += 1;
        match self.kinds.iter_mut().find(|kind| kind.code == code) {
            Some(kind) => kind.count += 1,
            None => self.kinds.push(Kind { code, count: 1, sentence: sentence() }),
        }
    }

    /// A line for each reason: the first frame, and how many more.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.kinds.iter().map(|kind| match kind.count {
            1 => kind.sentence.clone(),
            more => say("replay.trouble.more", &[("first", &kind.sentence), ("count", &(more - 1))]),
        })
    }

    /// As the reason why nothing leaves, of so many frames in all.
    pub(super) fn failure(&self, name: &str, all: u64, talk: &Talk<'_>) -> Failure {
        let exit = if self.refused.is_some() { Exit::CouldNotSend } else { Exit::Usage };
        let values: [(&str, &dyn std::fmt::Display); 3] = [("name", &name), ("count", &self.count), ("all", &all)];
        let mut failure = Failure::new(exit, "frames", say("error.frames", &values));
        for line in self.lines() {
            failure = failure.row("because", line);
        }
        if let Some((first, refused)) = &self.refused {
            failure = self.remedies(failure, *first, refused, talk);
        }
        if all > self.count { failure.row("or", say("hint.skip", &[])) } else { failure }
    }

    /// What helps against a refusal.
    fn remedies(&self, failure: Failure, first: craft::First, refused: &Refused, talk: &Talk<'_>) -> Failure {
        let by_link =
            talk.session.an_ethernet().filter(|_| first == craft::First::Ethernet && talk.options.iface.is_none());
        match (refused, by_link) {
            (Refused::NoRoute { .. } | Refused::RouteRefuses { .. } | Refused::InterfaceNeeded, Some(name)) => failure
                .row("try", explain::again_and(&format!("-i {}", render::shell_word(name))))
                .row("or", say("hint.rewrite-destination", &[])),
            (Refused::NoRoute { .. } | Refused::RouteRefuses { .. }, None) => {
                failure.row("or", say("hint.rewrite-destination", &[]))
            }
            (Refused::WayWould { .. }, _) if first == craft::First::Ethernet && !talk.options.replay.relink => {
                failure.row("try", explain::again_and("--relink"))
            }
            (Refused::InterfaceDown { .. } | Refused::NoInterface { .. } | Refused::InterfaceNeeded, _) => {
                let attempt = Attempt { verb: "send", options: talk.options, place: talk.place };
                failure.row("look", attempt.place.beside("ip -brief link"))
            }
            _ => failure,
        }
    }
}

impl Trouble {
    fn code(&self) -> &'static str {
        match self {
            Self::Cut { .. } => "cut",
            Self::LinkType(_) => "link-type",
            Self::NoIp => "no-ip",
            Self::Damaged(error) => error.code(),
        }
    }

    pub(super) fn sentence(&self, number: u64) -> String {
        match self {
            Self::Cut { have, had } => say("replay.trouble.cut", &[("number", &number), ("have", have), ("had", had)]),
            Self::LinkType(kind) => say("replay.trouble.link-type", &[("number", &number), ("type", kind)]),
            Self::NoIp => say("replay.trouble.no-ip", &[("number", &number)]),
            Self::Damaged(error) => said::capture(error),
        }
    }
}
