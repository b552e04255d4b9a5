//! The sessions and pools of this process that others may look at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use serde_json::Value;

use super::{Reload, Reloaded, Session, Shared};
use crate::error::Result;
use crate::watch::{self, Watch};

/// A pool, whatever library it is of.
pub(crate) trait PoolWatched: Send + Sync {
    /// The library.
    fn library(&self) -> &'static str;

    /// What may be done with it.
    fn watch(&self) -> Watch;

    /// What is known of it, with the numbers of its sessions.
    fn to_json(&self) -> Value;

    /// The numbers of its sessions.
    fn numbers(&self) -> Vec<u64>;

    /// Loads its library anew.
    fn load_anew(self: Arc<Self>, reload: &Reload) -> Result<Vec<Reloaded>>;
}

/// All that there are.
#[derive(Default)]
struct List {
    sessions: Vec<Weak<Shared>>,
    pools: Vec<Weak<dyn PoolWatched>>,
}

static LIST: Mutex<List> = Mutex::new(List { sessions: Vec::new(), pools: Vec::new() });

/// The number of another session.
pub(super) fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The sessions that may be looked at, oldest first. In a child of the process that opened them they are none of its.
pub(crate) fn sessions() -> Vec<Session> {
    let shared: Vec<Arc<Shared>> = LIST.lock().sessions.iter().filter_map(Weak::upgrade).collect();
    shared.into_iter().map(Session::of).filter(|session| !session.is_forked()).collect()
}

/// The pools that may be looked at.
pub(crate) fn pools() -> Vec<Arc<dyn PoolWatched>> {
    LIST.lock().pools.iter().filter_map(Weak::upgrade).collect()
}

/// Has this pool looked at from now on.
pub(super) fn be_watched(pool: Weak<dyn PoolWatched>) {
    let mut list = LIST.lock();
    list.pools.retain(|pool| pool.strong_count() > 0);
    list.pools.push(pool);
}

impl Session {
    /// Has it looked at from now on, where its options let others.
    pub(super) fn be_watched(&self) {
        if self.watch() == Watch::Off {
            return;
        }
        let mut list = LIST.lock();
        list.sessions.retain(|session| session.strong_count() > 0);
        list.sessions.push(Arc::downgrade(&self.shared));
        drop(list);
        // Who cannot be seen works all the same; the next session tries again.
        let _ = watch::open();
    }

    /// What others may do with it.
    pub(crate) fn watch(&self) -> Watch {
        Watch::of(self.shared.options.watch)
    }

    /// Which session of this process it is.
    pub(crate) fn id(&self) -> u64 {
        self.shared.number
    }

    /// The library.
    pub(crate) fn library(&self) -> &'static str {
        self.shared.package.library
    }
}
