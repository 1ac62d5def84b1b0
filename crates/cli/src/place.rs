//! Where a verb runs: on this machine, or in the lab.

use std::net::IpAddr;

use lab::Lab;
use net::{Hosts, Names};

use crate::command::Options;

/// Where a verb runs.
pub(crate) enum Place<'a> {
    /// On this machine, with its resolver and its routes.
    Machine,
    /// In the lab, whose names are its own and which nothing leaves.
    Lab(&'a Lab),
}

impl Place<'_> {
    /// Who knows names here.
    pub(crate) fn names(&self, options: &Options) -> Box<dyn Names> {
        match self {
            Self::Machine if options.numeric => Box::new(Nobody),
            Self::Machine => Box::new(net::System),
            // Behind the lab's own names stands nobody: a question to a resolver could leave the machine.
            Self::Lab(lab) => Box::new(Hosts::before(entries(lab), Nobody)),
        }
    }

    /// A command of others, as it is typed to run where the verb ran.
    pub(crate) fn beside(&self, command: &str) -> String {
        match self {
            Self::Machine => command.to_owned(),
            Self::Lab(_) => format!("ww lab -- {command}"),
        }
    }

    /// What stands before the verb in a command that is to be typed again.
    pub(crate) const fn prefix(&self) -> &'static str {
        match self {
            Self::Machine => "ww",
            Self::Lab(_) => "ww lab",
        }
    }
}

/// The lab's names, an entry an address.
pub(crate) fn entries(lab: &Lab) -> Vec<(String, IpAddr)> {
    let mut entries = Vec::new();
    for host in lab.hosts() {
        entries.push((host.name.to_owned(), IpAddr::V4(host.v4)));
        entries.extend(host.v6.map(|v6| (host.name.to_owned(), IpAddr::V6(v6))));
    }
    entries
}

/// Knows no name: nothing is asked, nothing leaves.
pub(crate) struct Nobody;

impl Names for Nobody {
    fn addresses(&self, _name: &str) -> Result<Vec<IpAddr>, String> {
        Ok(Vec::new())
    }
}
