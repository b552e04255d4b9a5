//! The sessions and pools of this process that others may look at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use hotcell_shm::OfProcess;
use hotcell_shm::lock::Mutex;
use serde_json::Value;

use super::reload::Switched;
use super::{Context, Reload, Session, Shared};
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

    /// Has workers serve that have loaded its library anew.
    fn load_anew(&self, reload: &Reload) -> Result<Vec<Switched>>;
}

/// All that there are.
#[derive(Default)]
struct List {
    sessions: Vec<Weak<Shared>>,
    pools: Vec<Weak<dyn PoolWatched>>,
}

static LIST: OfProcess<Mutex<List>> = OfProcess::new();

/// The number of another session.
pub(super) fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The sessions of this process that may be looked at, oldest first: those of the one that it was forked from are none of its. Who goes over them holds
/// one at a time, so that those can be closed, and are not held for others.
pub(crate) fn sessions() -> impl Iterator<Item = Session> {
    let shared = LIST.get().map(|list| list.lock().sessions.clone()).unwrap_or_default();
    shared.into_iter().filter_map(|shared| shared.upgrade()).map(Session::of)
}

/// The pools that may be looked at, in the same way.
pub(crate) fn pools() -> impl Iterator<Item = Arc<dyn PoolWatched>> {
    let pools = LIST.get().map(|list| list.lock().pools.clone()).unwrap_or_default();
    pools.into_iter().filter_map(|pool| pool.upgrade())
}

/// Has this pool looked at from now on.
pub(super) fn be_watched(pool: Weak<dyn PoolWatched>) {
    let Ok(list) = LIST.get() else { return };
    let mut list = list.lock();
    list.pools.retain(|pool| pool.strong_count() > 0);
    list.pools.push(pool);
}

impl Session {
    /// Has it looked at from now on, where its options let others.
    pub(super) fn be_watched(&self) {
        if self.watch() == Watch::Off {
            return;
        }
        // Who cannot be seen works all the same, and `watch::failure` says why; the next session tries again.
        if let Ok(list) = LIST.get() {
            let mut list = list.lock();
            list.sessions.retain(|session| session.strong_count() > 0);
            list.sessions.push(Arc::downgrade(&self.shared));
            drop(list);
            let _ = watch::open();
        }
    }

    /// What others may do with it.
    pub(crate) fn watch(&self) -> Watch {
        Watch::of(self.shared.options.watch)
    }

    /// Has a worker serve that has loaded its library anew.
    pub(crate) fn load_for_others(&self, reload: &Reload) -> Result<Switched> {
        self.switch(reload, Context::of_package(self.shared.package))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Numbered(&'static str);

    impl PoolWatched for Numbered {
        fn library(&self) -> &'static str {
            self.0
        }

        fn watch(&self) -> Watch {
            Watch::Look
        }

        fn to_json(&self) -> Value {
            Value::Null
        }

        fn numbers(&self) -> Vec<u64> {
            Vec::new()
        }

        fn load_anew(&self, _: &Reload) -> Result<Vec<Switched>> {
            Ok(Vec::new())
        }
    }

    /// Loading anew takes minutes: what the application drops meanwhile is dropped.
    #[test]
    fn who_goes_over_pools_holds_one_at_a_time() {
        let [first, second, third] = ["first of test", "second of test", "third of test"].map(|name| {
            let pool = Arc::new(Numbered(name));
            be_watched(Arc::downgrade(&pool) as Weak<dyn PoolWatched>);
            pool
        });
        let mut others = pools().filter(|pool| pool.library().ends_with("of test"));
        let held = others.next().unwrap();
        assert_eq!((held.library(), Arc::strong_count(&first)), (first.0, 2));
        assert_eq!((Arc::strong_count(&second), Arc::strong_count(&third)), (1, 1));
        drop(second);
        assert_eq!(others.map(|pool| pool.library()).collect::<Vec<_>>(), [third.0]);
    }
}
