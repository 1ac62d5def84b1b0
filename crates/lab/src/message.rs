//! What caller, builder, keeper and relay tell each other: one datagram a message over a socket pair that dies with its ends.

use core::time::Duration;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use crate::map::Host;
use crate::refusal::{Failed, Note, Step};
use crate::relay::RelayReport;
use crate::services::{Service, ServiceKind};

/// The longest message: a report with a note for each setting is some 400 bytes.
const LEN_MAX: usize = 1024;

/// How many descriptors a message carries at most: one network a host, and the line to the relay.
const FDS_MAX: usize = Host::ALL.len() + 1;

/// One message.
#[derive(Debug)]
pub(crate) enum Message {
    /// Builder to caller: the user namespace is there, write its maps.
    Unshared,
    /// Caller to builder: the maps are written.
    Mapped,
    /// The step that failed; the sender ends now.
    Failed(Failed),
    /// All is ready. From the builder it carries the networks, and the line to the relay where there is one.
    Ready(Report),
    /// Builder to relay: the lab is ready, the faults begin. Answered with [`Message::Counted`].
    Begin,
    /// Caller to relay: what has happened so far?
    Count,
    /// What has happened since [`Message::Begin`].
    Counted(RelayReport),
}

/// What came of the building.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The keeper's process number, seen from the caller; 0 in the keeper's own report.
    pub(crate) keeper: u32,
    pub(crate) notes: Vec<Note>,
    pub(crate) services: Vec<Service>,
}

/// One end of the conversation.
#[derive(Debug)]
pub(crate) struct Line(OwnedFd);

impl From<OwnedFd> for Line {
    fn from(end: OwnedFd) -> Self {
        Self(end)
    }
}

impl Line {
    /// A new line and its two ends.
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let (a, b) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(a), Self(b)))
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Sends a message, with descriptors beside it.
    pub(crate) fn send(&self, message: &Message, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let bytes = message.to_bytes();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits for a message; `None` when the limit has passed, the other end is gone, or it is no message of ours.
    pub(crate) fn receive(&self, limit: Duration) -> Option<(Message, Vec<OwnedFd>)> {
        if !readable(self.as_fd(), limit) {
            return None;
        }
        let mut bytes = [0; LEN_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let slice = &mut [IoSliceMut::new(&mut bytes)];
        let received = recvmsg(&self.0, slice, &mut control, RecvFlags::CMSG_CLOEXEC).ok()?;
        let mut fds = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                fds.extend(rights);
            }
        }
        let message = Message::from_bytes(bytes.get(..received.bytes)?)?;
        Some((message, fds))
    }

    /// Whether the other end is gone.
    pub(crate) fn is_cut(&self) -> bool {
        let mut fds = [PollFd::new(&self.0, PollFlags::empty())];
        let _ = poll(&mut fds, Some(&Timespec::default()));
        fds[0].revents().contains(PollFlags::HUP)
    }
}

/// Waits until something can be read (or the other end is gone).
pub(crate) fn readable(fd: BorrowedFd<'_>, limit: Duration) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    let limit = Timespec::try_from(limit).ok();
    loop {
        match poll(&mut fds, limit.as_ref()) {
            Ok(ready) => return ready > 0,
            // The limit begins anew: signals are rare here, and each has its own cause.
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

impl Message {
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Unshared => vec![b'U'],
            Self::Mapped => vec![b'M'],
            Self::Begin => vec![b'B'],
            Self::Count => vec![b'C'],
            Self::Counted(report) => {
                [b'N'].into_iter().chain(report.numbers().into_iter().flat_map(u64::to_ne_bytes)).collect()
            }
            Self::Failed(failed) => {
                let mut bytes = vec![b'F'];
                bytes.extend(failed.step.to_bytes());
                bytes.extend(failed.errno.to_ne_bytes());
                bytes
            }
            Self::Ready(report) => {
                let mut bytes = vec![b'R'];
                bytes.extend(report.keeper.to_ne_bytes());
                bytes.extend(report.notes.iter().flat_map(|note| note_to_bytes(*note)));
                bytes.extend(report.services.iter().flat_map(|service| service_to_bytes(*service)));
                bytes
            }
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        Some(match kind {
            b'U' => Self::Unshared,
            b'M' => Self::Mapped,
            b'B' => Self::Begin,
            b'C' => Self::Count,
            b'N' => Self::Counted(report(rest)?),
            b'F' => {
                let (step, errno) = rest.split_first_chunk()?;
                Self::Failed(Failed { step: Step::from_bytes(*step)?, errno: number(errno)? })
            }
            b'R' => {
                let (keeper, items) = rest.split_first_chunk()?;
                let mut report = Report { keeper: u32::from_ne_bytes(*keeper), ..Report::default() };
                for item in items.chunks(ITEM_LEN) {
                    read_item(item, &mut report)?;
                }
                Self::Ready(report)
            }
            _ => return None,
        })
    }
}

/// Notes and services are items of one length: a letter, a byte, a number.
const ITEM_LEN: usize = 6;

fn item(letter: u8, byte: u8, number: i32) -> [u8; ITEM_LEN] {
    let [a, b, c, d] = number.to_ne_bytes();
    [letter, byte, a, b, c, d]
}

fn note_to_bytes(note: Note) -> [u8; ITEM_LEN] {
    match note {
        Note::NoIpv6 => item(b'6', 0, 0),
        Note::NoPidNamespace { errno } => item(b'p', 0, errno),
        Note::NoMounts { errno } => item(b'm', 0, errno),
        Note::NoHostsFile { errno } => item(b'h', 0, errno),
        Note::NoSetting { setting, errno } => item(b's', setting, errno),
    }
}

fn service_to_bytes(service: Service) -> [u8; ITEM_LEN] {
    let kind = match service.kind {
        ServiceKind::Echo => 7,
        ServiceKind::Discard => 9,
        ServiceKind::Http => 80,
    };
    item(b'S', kind, i32::from(service.port))
}

fn read_item(item: &[u8], report: &mut Report) -> Option<()> {
    let (&[letter, byte], rest) = item.split_first_chunk()?;
    let errno = number(rest)?;
    match letter {
        b'6' => report.notes.push(Note::NoIpv6),
        b'p' => report.notes.push(Note::NoPidNamespace { errno }),
        b'm' => report.notes.push(Note::NoMounts { errno }),
        b'h' => report.notes.push(Note::NoHostsFile { errno }),
        b's' => report.notes.push(Note::NoSetting { setting: byte, errno }),
        b'S' => {
            let kind = match byte {
                7 => ServiceKind::Echo,
                9 => ServiceKind::Discard,
                _ => ServiceKind::Http,
            };
            report.services.push(Service { kind, port: u16::try_from(errno).ok()? });
        }
        _ => return None,
    }
    Some(())
}

fn report(bytes: &[u8]) -> Option<RelayReport> {
    let mut numbers = [0; RelayReport::NUMBERS];
    let (words, []) = bytes.as_chunks() else { return None };
    if words.len() != numbers.len() {
        return None;
    }
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = u64::from_ne_bytes(*word);
    }
    Some(RelayReport::of_numbers(numbers))
}

fn number(bytes: &[u8]) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_crosses_the_line_with_its_descriptors() {
        let (here, there) = Line::pair().unwrap();
        let report = Report {
            keeper: 4711,
            notes: vec![Note::NoIpv6, Note::NoSetting { setting: 3, errno: 13 }],
            services: vec![Service { kind: ServiceKind::Http, port: 80 }],
        };
        here.send(&Message::Ready(report), &[here.as_fd()]).unwrap();
        let (message, fds) = there.receive(Duration::from_secs(5)).unwrap();
        let Message::Ready(report) = message else { panic!("another message came") };
        assert_eq!((report.keeper, fds.len()), (4711, 1));
        assert_eq!(report.notes, [Note::NoIpv6, Note::NoSetting { setting: 3, errno: 13 }]);
        assert_eq!(report.services, [Service { kind: ServiceKind::Http, port: 80 }]);
    }

    #[test]
    fn a_cut_line_is_noticed() {
        let (here, there) = Line::pair().unwrap();
        assert!(!here.is_cut());
        drop(there);
        assert!(here.is_cut());
        assert!(here.receive(Duration::from_secs(5)).is_none());
    }

    #[test]
    fn what_a_relay_counted_crosses_the_line() {
        let report = RelayReport::of_numbers(core::array::from_fn(|index| u64::MAX - index as u64));
        let bytes = Message::Counted(report).to_bytes();
        let Some(Message::Counted(crossed)) = Message::from_bytes(&bytes) else { panic!("another message came") };
        assert_eq!(crossed, report);
        assert!(Message::from_bytes(&bytes[..bytes.len() - 1]).is_none());
    }

    #[test]
    fn bytes_that_are_no_message_are_refused() {
        for bytes in [&b""[..], b"?", b"F12", b"R123", b"R1234S", b"Fzzz1234"] {
            assert!(Message::from_bytes(bytes).is_none(), "{bytes:?}");
        }
    }
}
