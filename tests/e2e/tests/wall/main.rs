//! The wall around a worker, attacked from inside: from calls, from constructors and from threads, by the administrator's
//! workers and by those of an ordinary user.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod containers;
mod denials;
mod files;
mod groups;
mod levels;
mod libraries;
mod namespaces;
mod network;
mod profiles;
mod table;
