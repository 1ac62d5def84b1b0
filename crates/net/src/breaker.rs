//! Ending a connection from another thread, at whatever moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use wirewright_stack::ConnectionId;

use crate::driver::Shared;

/// Ends one connection from any thread, from before its first SYN until its peer counts on it no more: also while
/// [`TcpStream::connect_breakable`](crate::TcpStream::connect_breakable) waits, and while a stream that was dropped still
/// waits for its peer.
#[derive(Clone, Default)]
pub struct Breaker {
    what: Arc<Mutex<What>>,
}

#[derive(Default)]
enum What {
    /// Nothing was opened yet.
    #[default]
    Nothing,
    /// The engine, which may have ended, and its connection.
    Connection(Weak<Shared>, ConnectionId),
    /// Nothing will be opened any more.
    Broken,
}

impl Breaker {
    /// A breaker of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the connection at once, with a reset where the peer knows of it. What is opened later ends at once as well.
    pub fn abort(&self) {
        // Not under the lock: the engine's is taken before it elsewhere.
        let was = core::mem::replace(&mut *self.lock(), What::Broken);
        if let What::Connection(engine, id) = was
            && let Some(engine) = engine.upgrade()
        {
            engine.act(|state, now| state.host.abort(now, id));
        }
    }

    /// Whether it was used.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(*self.lock(), What::Broken)
    }

    /// Takes hold of a connection before anything of it was sent; `false` when it is to end at once.
    pub(crate) fn hold(&self, engine: &Arc<Shared>, id: ConnectionId) -> bool {
        let mut what = self.lock();
        if matches!(*what, What::Broken) {
            return false;
        }
        *what = What::Connection(Arc::downgrade(engine), id);
        true
    }

    fn lock(&self) -> MutexGuard<'_, What> {
        self.what.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
