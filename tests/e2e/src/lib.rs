//! The tests are in `tests/`; here is what several of them use.
#![forbid(unsafe_code)]

pub mod basin;
pub mod bound;
pub mod brittle;
pub mod clan;
pub mod cli;
pub mod crew;
pub mod edition;
pub mod go;
pub mod halt;
pub mod left;
pub mod objects;
pub mod packages;
pub mod process;
pub mod pulse;
pub mod scribbler;
pub mod served;
pub mod tasks;
pub mod ticker;
pub mod vault;
pub mod wall;
