//! The targets, a module each, and what several of them use.

pub(crate) mod contract;
pub(crate) mod control;
pub(crate) mod control_worker;
pub(crate) mod elf;
pub(crate) mod filter;
mod generated;
pub(crate) mod handles;
pub(crate) mod header;
pub(crate) mod heap;
pub(crate) mod lane;
pub(crate) mod memory;
pub(crate) mod packets;
pub(crate) mod readings;
pub(crate) mod replies;
pub(crate) mod requests;
pub(crate) mod stacks;
pub(crate) mod trace;
