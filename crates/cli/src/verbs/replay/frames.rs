//! The frames of a capture, one by one, as they are to leave: chosen, without their link headers where that is asked, rewritten.

use std::io::Read;

use capture::{Begins, CaptureError, Frame, Reader};
use craft::{Context, First, Packet, walk};
use units::UnixTime;

use crate::command::Options;
use crate::failure::Failure;
use crate::input;
use crate::speech::say;

/// A frame that is to leave.
pub(super) struct Leaving {
    /// Its number in the capture, from 1.
    pub number: u64,
    /// When it was seen.
    pub wall: UnixTime,
    /// What its bytes begin with.
    pub first: First,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// A rule changed it.
    pub rewritten: bool,
    /// Index of the interface that saw it.
    pub view: usize,
}

/// Why a frame cannot leave as it was.
pub(super) enum Trouble {
    /// It was cut when it was captured.
    Cut {
        /// Bytes that are there.
        have: usize,
        /// Bytes that it had.
        had: u32,
    },
    /// Its link type is not read here.
    LinkType(u16),
    /// It has no Ethernet header to leave with, and carries no IP.
    NoIp,
    /// A part of the capture that is damaged.
    Damaged(CaptureError),
}

/// What comes next.
pub(super) enum Next {
    /// A frame.
    Frame(Leaving),
    /// One that cannot leave; its number.
    Trouble(u64, Trouble),
    /// Nothing.
    End,
}

/// The chosen frames of a capture.
pub(super) struct Frames<'o> {
    reader: Reader<Box<dyn Read>>,
    options: &'o Options,
    frame: Frame,
    made: Vec<u8>,
    /// How many frames each rule was for.
    pub(super) hits: Vec<u64>,
    /// Frames that were not chosen.
    pub(super) passed_over: u64,
}

impl<'o> Frames<'o> {
    /// Begins to read.
    ///
    /// # Errors
    /// What is no capture.
    pub(super) fn open(source: Box<dyn Read>, name: &str, options: &'o Options) -> Result<Self, Failure> {
        let reader = Reader::new(source).map_err(|error| input::broken(name, &error))?;
        let hits = vec![0; options.rewrites.len()];
        Ok(Self { reader, options, frame: Frame::default(), made: Vec::new(), hits, passed_over: 0 })
    }

    /// The name of the interface with this index.
    pub(super) fn view(&self, index: usize) -> &str {
        self.reader.interfaces().get(index).map_or("", |interface| interface.name.as_str())
    }

    /// What there is, as far as it was read: frames, interfaces.
    pub(super) fn views(&self) -> String {
        let names = self.reader.interfaces().iter().map(|it| render::escape(&it.name).into_owned());
        let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
        say("replay.has", &[("count", &self.passed_over), ("names", &names.join(", "))])
    }

    /// The next chosen frame.
    pub(super) fn next(&mut self) -> Next {
        let (first, last) = self.options.replay.frames.unwrap_or((1, u64::MAX));
        loop {
            if self.frame.number >= last {
                return Next::End;
            }
            match self.reader.next_into(&mut self.frame) {
                Ok(false) => return Next::End,
                // Behind the last whole frame.
                Err(error) => return Next::Trouble(self.frame.number + 1, Trouble::Damaged(error)),
                Ok(true) => {}
            }
            let interface = &self.reader.interfaces()[self.frame.interface];
            let is_seen = self.options.replay.seen_by.as_ref().is_none_or(|name| is_called(&interface.name, name));
            if self.frame.number < first || !is_seen {
                self.passed_over += 1;
                continue;
            }
            let number = self.frame.number;
            match self.chosen() {
                None => self.passed_over += 1,
                Some(Ok(leaving)) => return Next::Frame(leaving),
                Some(Err(trouble)) => return Next::Trouble(number, trouble),
            }
        }
    }

    /// The frame that was just read; `None`: it is not meant.
    fn chosen(&mut self) -> Option<Result<Leaving, Trouble>> {
        let link_type = self.reader.interfaces()[self.frame.interface].link_type;
        let bytes = std::mem::take(&mut self.frame.bytes);
        let cut = (self.frame.original_len as usize > bytes.len())
            .then_some(Trouble::Cut { have: bytes.len(), had: self.frame.original_len });
        let Some((begins, skip)) = link_type.begins(&bytes) else {
            return Some(Err(cut.unwrap_or(Trouble::LinkType(link_type.0))));
        };
        let (first, mut bytes) = match begins {
            Begins::Ethernet => (First::Ethernet, bytes),
            _ if skip == 0 => (First::Ip, bytes),
            _ => (First::Ip, bytes.get(skip..).unwrap_or_default().to_vec()),
        };
        if !self.options.replay.only.is_empty() {
            let packet = Packet::exactly(&bytes, first);
            if !self.options.replay.only.iter().all(|only| only.is_met(&packet)) {
                return None;
            }
        }
        if let Some(cut) = cut {
            return Some(Err(cut));
        }
        if matches!(begins, Begins::EtherType(_)) {
            return Some(Err(Trouble::NoIp));
        }
        let first = if self.options.replay.relink { First::Ip } else { first };
        if begins == Begins::Ethernet && self.options.replay.relink {
            let Some(packet) = ip_of(&bytes) else { return Some(Err(Trouble::NoIp)) };
            bytes = packet;
        }
        let rewritten = self.rewrite(&mut bytes, first);
        let Frame { number, wall, interface, .. } = self.frame;
        Some(Ok(Leaving { number, wall, first, bytes, rewritten, view: interface }))
    }

    /// Applies the rules; whether a byte is another one now.
    fn rewrite(&mut self, bytes: &mut Vec<u8>, first: First) -> bool {
        if self.options.rewrites.is_empty() {
            return false;
        }
        let mut packet = Packet::from_bytes(bytes, first);
        let mut applied = false;
        for (rule, hits) in self.options.rewrites.iter().zip(&mut self.hits) {
            let is_for = rule.apply(&mut packet);
            *hits += u64::from(is_for);
            applied |= is_for;
        }
        if !applied || packet.build_into(&mut self.made, &Context::default()).is_err() || self.made == *bytes {
            return false;
        }
        std::mem::swap(bytes, &mut self.made);
        true
    }
}

/// Whether an interface has this name, or a part of it: `client` of the lab's `client eth0`.
fn is_called(interface: &str, name: &str) -> bool {
    interface == name || interface.split(' ').any(|part| part == name)
}

/// The IP packet in an Ethernet frame, without what stands before and behind it.
fn ip_of(frame: &[u8]) -> Option<Vec<u8>> {
    let chain = walk(frame, First::Ethernet);
    let ip = chain.iter().find(|layer| matches!(layer.desc.key, "ip" | "ip6"))?;
    frame.get(ip.start..ip.end).map(<[u8]>::to_vec)
}
