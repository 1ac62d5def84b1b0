//! A wire inside this process, between two engines: what one sends the other receives, without any operating system.

use core::net::IpAddr;
use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, PoisonError};

use wirewright_link::OsError;
use wirewright_stack::{Received, Transmit};

use crate::driver::{Receiver, Take, Transmitter, Waker};

/// So many frames wait between two hosts in one process; what comes beyond is lost, as on any wire.
const MEMORY_FRAMES_MAX: usize = 1024;

/// One end of a wire inside this process.
pub(crate) struct MemoryEnd {
    queue: Arc<Mutex<VecDeque<Vec<u8>>>>,
    other: Option<Waker>,
    /// The other side was not woken since.
    has_sent: bool,
}

/// A wire inside this process: sender and receiver of one side each, to whose engines the wakers belong.
pub(crate) fn memory(wakers: [&Waker; 2]) -> [(MemoryEnd, MemoryEnd); 2] {
    let [to_first, to_second] = [(); 2].map(|()| Arc::new(Mutex::new(VecDeque::new())));
    let sender = |queue: &Arc<_>, waker: &Waker| MemoryEnd {
        queue: Arc::clone(queue),
        other: Some(waker.clone()),
        has_sent: false,
    };
    let receiver = |queue: &Arc<_>| MemoryEnd { queue: Arc::clone(queue), other: None, has_sent: false };
    [(sender(&to_second, wakers[1]), receiver(&to_first)), (sender(&to_first, wakers[0]), receiver(&to_second))]
}

impl Transmitter for MemoryEnd {
    fn send(&mut self, packet: &Transmit<'_>) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() < MEMORY_FRAMES_MAX {
            let mut bytes = Vec::with_capacity(packet.len());
            packet.append_to(&mut bytes);
            queue.push_back(bytes);
        }
        self.has_sent = true;
    }

    fn flush(&mut self, _: &mut dyn FnMut(OsError, IpAddr)) {
        if let Some(waker) = self.other.as_ref().filter(|_| core::mem::take(&mut self.has_sent)) {
            waker.wake();
        }
    }
}

impl Receiver for MemoryEnd {
    fn receive(&mut self, take: Take<'_>) -> Result<usize, OsError> {
        let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(bytes) = &next {
            take(None, &Received::new(bytes));
        }
        Ok(usize::from(next.is_some()))
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
}
