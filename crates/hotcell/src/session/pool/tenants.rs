//! A pool for each tenant, so that none can use up what others need.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

use hotcell_protocol::{ErrorKind, UnavailableReason};
use hotcell_shm::lock::Mutex;

use super::{Lease, Library, Pool, PoolOptions, context_of};
use crate::error::{Cause, Result};

/// Pools of one library, one for each tenant: whatever names those. Each is made when its tenant first leases, and has
/// bounds of its own.
///
/// ```no_run
/// # fn main() -> hotcell::Result<()> {
/// let each = hotcell::PoolOptions { min: 0, max: 2, queue: 20, ..Default::default() };
/// let pools = hotcell::Pools::<String, zlib_hotcell::Zlib>::new(each, 100);
/// let zlib = pools.get(&"a tenant".to_owned())?;
/// # Ok(())
/// # }
/// ```
pub struct Pools<K, L: Library> {
    each: PoolOptions,
    most: usize,
    /// With when each was asked for last.
    pools: Mutex<HashMap<K, (Pool<L>, Instant)>>,
}

impl<K: Eq + Hash + Clone, L: Library> Pools<K, L> {
    /// Pools with these bounds for each tenant, and for so many tenants at a time. For a further one the pool goes that was asked
    /// for the longest ago of those that nobody uses.
    pub fn new(each: PoolOptions, most: usize) -> Pools<K, L> {
        Pools { each, most, pools: Mutex::default() }
    }

    /// Leases a session of a tenant's pool.
    ///
    /// # Errors
    ///
    /// Those of [`Pool::get`]; `Unavailable` with [`PoolExhausted`](UnavailableReason::PoolExhausted) where there are too many tenants.
    #[track_caller]
    pub fn get(&self, tenant: &K) -> Result<Lease<L>> {
        self.of(tenant)?.get()
    }

    /// A tenant's pool.
    ///
    /// # Errors
    ///
    /// `Unavailable`, where there are too many tenants.
    #[track_caller]
    pub fn of(&self, tenant: &K) -> Result<Pool<L>> {
        let context = context_of::<L>(Location::caller());
        let mut pools = self.pools.lock();
        if let Some((pool, asked)) = pools.get_mut(tenant) {
            *asked = Instant::now();
            return Ok(pool.clone());
        }
        let mut gone = None;
        if pools.len() >= self.most {
            // Who has a lease, or waits for one, has the pool. Nobody can come to have it while the list is locked.
            let unused = pools
                .iter()
                .filter(|(_, (pool, _))| Arc::strong_count(&pool.0) == 1 && pool.0.pinned.lock().is_empty());
            let oldest = unused.min_by_key(|(_, (_, asked))| *asked).map(|(tenant, _)| tenant.clone());
            gone = oldest.and_then(|oldest| pools.remove(&oldest));
            if gone.is_none() {
                let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
                let message = format!("{} tenants have a pool already", self.most);
                return Err(context.not_executed(ErrorKind::Unavailable, cause, message));
            }
        }
        let pool = Pool::new(self.each.clone())?;
        pools.insert(tenant.clone(), (pool.clone(), Instant::now()));
        drop(pools);
        // Its workers are stopped without the lock.
        drop(gone);
        Ok(pool)
    }

    /// The tenants that have a pool, with it.
    pub fn list(&self) -> Vec<(K, Pool<L>)> {
        self.pools.lock().iter().map(|(tenant, (pool, _))| (tenant.clone(), pool.clone())).collect()
    }
}

impl<K, L: Library> fmt::Debug for Pools<K, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools").field("tenants", &self.pools.lock().len()).field("most", &self.most).finish()
    }
}
