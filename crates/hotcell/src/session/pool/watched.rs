//! A pool as others look at it.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::{Inner, Library};
use crate::error::Result;
use crate::session::reload::Switched;
use crate::session::watched::PoolWatched;
use crate::session::{Context, Reload};
use crate::watch::Watch;

impl<L: Library> PoolWatched for Inner<L> {
    fn library(&self) -> &'static str {
        L::package().library
    }

    fn watch(&self) -> Watch {
        Watch::of(self.options.options.watch)
    }

    fn to_json(&self) -> Value {
        json!({
            "library": self.library(),
            "max": self.members.count(),
            "pinned": self.pinned.lock().len(),
            "waiting": self.standing.load(Ordering::Relaxed),
            "leases": self.leases.load(Ordering::Relaxed),
            "refused": self.refused.load(Ordering::Relaxed),
            "sessions": self.numbers(),
        })
    }

    fn numbers(&self) -> Vec<u64> {
        if self.fork.forked() {
            return Vec::new();
        }
        self.sessions().iter().map(|(_, session)| session.id()).collect()
    }

    fn load_anew(&self, reload: &Reload) -> Result<Vec<Switched>> {
        self.switch(reload, Context::of_package(L::package()))
    }
}
