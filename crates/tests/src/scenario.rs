//! A scenario: a name, a ground, its needs, and what it does.

use std::{
    error::Error,
    fmt::{self, Write as _},
};

use wirewright_lab::{Host, Lab};

use crate::Need;

/// What a scenario returns: nothing, or the reason of its failure.
pub type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The machine as it is. Nothing is sent but on what the scenario's own programs make.
    Plain,
    /// Inside the practice network, entered before any thread exists.
    Lab,
    /// The machine as it is, as real root: TUN, XDP, BPF, other users.
    Root,
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Lab => "lab",
            Self::Root => "root",
        })
    }
}

/// What the runner has prepared for the scenarios of one process.
#[derive(Debug, Default)]
pub struct World {
    lab: Option<Lab>,
}

impl World {
    pub(crate) fn of(lab: Lab) -> Self {
        Self { lab: Some(lab) }
    }

    /// The practice network, in whose client this process stands.
    ///
    /// # Panics
    /// In a scenario whose ground is not [`Ground::Lab`].
    #[must_use]
    pub fn lab(&self) -> &Lab {
        self.lab.as_ref().expect("the scenario's ground is the lab")
    }

    /// Adds to a failure what the counters of each host did since `act` began.
    ///
    /// # Errors
    /// Those of `act`, with the counters.
    pub fn with_counters(&self, act: impl FnOnce() -> Outcome) -> Outcome {
        let before = Host::ALL.map(|host| (host, self.lab().counters(host)));
        let outcome = act();
        outcome.map_err(|error| {
            let mut text = error.to_string();
            for (host, before) in before {
                if let (Ok(before), Ok(after)) = (before, self.lab().counters(host)) {
                    let _ = write!(text, "\n-- {host:?}\n{}", after.since(&before));
                }
            }
            text.into()
        })
    }
}

type Run = Box<dyn FnOnce(&World) -> Outcome + Send>;

/// One test of the binary.
pub struct Scenario {
    pub(crate) name: String,
    pub(crate) ground: Ground,
    pub(crate) needs: Vec<Need>,
    pub(crate) run: Run,
}

impl Scenario {
    /// A scenario called `topic::behaviour`; the test is called `ground::topic::behaviour`.
    pub fn new(name: &str, ground: Ground, run: impl FnOnce(&World) -> Outcome + Send + 'static) -> Self {
        Self { name: format!("{ground}::{name}"), ground, needs: Vec::new(), run: Box::new(run) }
    }

    /// Its name, ground first.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds what the machine must have for this scenario to mean anything.
    #[must_use]
    pub fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    /// Adds the programs that must be installed.
    #[must_use]
    pub fn tools(mut self, names: &[&'static str]) -> Self {
        self.needs.extend(names.iter().map(|name| Need::Tool(name)));
        self
    }

    /// The first need that this machine does not meet, as a sentence.
    pub(crate) fn unmet(&self) -> Option<String> {
        let ground = (self.ground == Ground::Root).then_some(Need::RealRoot);
        ground.iter().chain(&self.needs).find_map(Need::unmet)
    }
}
