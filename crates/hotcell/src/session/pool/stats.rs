//! What can be asked of a pool at any time.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::{Library, Pool};
use crate::session::Stats;

/// What is known of a pool now. Each number is taken by itself, while members come and go.
#[derive(Debug, Clone)]
pub struct PoolStats {
    /// Sessions that there may be.
    pub max: usize,
    /// Sessions that nobody leases, and whose objects somebody holds.
    pub pinned: usize,
    /// Callers that stand in line.
    pub waiting: u32,
    /// Leases that were given out.
    pub leases: u64,
    /// Leases that were refused, at once or when the time was over.
    pub refused: u64,
    /// The sessions that there are.
    pub sessions: Vec<Stats>,
}

impl PoolStats {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "max": self.max,
            "pinned": self.pinned,
            "waiting": self.waiting,
            "leases": self.leases,
            "refused": self.refused,
            "sessions": self.sessions.iter().map(Stats::to_json).collect::<Vec<_>>(),
        })
    }
}

impl<L: Library> Pool<L> {
    /// What is known of the pool now. Nobody waits for that. In a child of the process that opened it nothing is known.
    pub fn stats(&self) -> PoolStats {
        let pool = &*self.0;
        let forked = pool.fork.forked();
        let sessions = if forked { Vec::new() } else { pool.sessions() };
        PoolStats {
            max: pool.members.count(),
            pinned: if forked { 0 } else { pool.pinned.lock().len() },
            waiting: pool.standing.load(Ordering::Relaxed),
            leases: pool.leases.load(Ordering::Relaxed),
            refused: pool.refused.load(Ordering::Relaxed),
            sessions: sessions.iter().map(|(_, session)| session.stats()).collect(),
        }
    }
}
