//! Attacks of the threat model that have no other place: each is made, harms nobody, and the next call is right.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clock;
mod costs;
mod disk;
mod late_writes;
mod leftovers;
mod library_files;
mod memory;
mod messages;
mod numbers;
mod rows;
