//! What tests of forks need of this crate, and nobody else: to hold what a process has once.

pub use hotcell_supervisor::seam::{holding_the_monitor, holding_what_was_read};

use crate::session::rounds;

/// Does this while no other thread gets at the rounds, as while their thread is started.
pub fn holding_the_rounds<T>(run: impl FnOnce() -> T) -> T {
    rounds::held(run)
}
