//! The system calls of this crate, and its only unsafe code.
#![allow(unsafe_code)]

pub(crate) mod attempts;
pub(crate) mod capabilities;
pub(crate) mod landlock;
#[cfg(test)]
pub(crate) mod live;
mod namespaces;
pub(crate) mod notify;
pub(crate) mod occupied;
pub(crate) mod probe;
pub(crate) mod process;
pub(crate) mod removal;
pub(crate) mod seccomp;
pub(crate) mod service;
pub(crate) mod signals;
pub(crate) mod spawn;
pub(crate) mod unshared;
pub(crate) mod users;
