//! Fuzz targets, each a function of bytes that panics at what must not be.
//!
//! A target is defined once and run in two ways: for moments and always alike by `cargo test` ([`short::run`]), and for as
//! long as one likes with inputs that are found by what they reach, by `cargo dev fuzz`.
#![forbid(unsafe_code)]

pub mod peer;
mod script;
pub mod short;
mod target;
mod yard;

/// What is fuzzed.
#[derive(Debug)]
pub struct Target {
    /// Its name on the command line, and that of its folder of inputs.
    pub name: &'static str,
    /// What it runs, and what must hold.
    pub about: &'static str,
    /// Bytes of the longest input that makes sense.
    pub longest: usize,
    /// Made-up inputs of a short run.
    pub short: u32,
    /// Runs one input.
    pub run: fn(&[u8]),
}

/// All of them, by name.
pub const TARGETS: &[Target] = &[
    target::contract::TARGET,
    target::control::TARGET,
    target::control_worker::TARGET,
    target::elf::TARGET,
    target::filter::TARGET,
    target::handles::TARGET,
    target::header::TARGET,
    target::heap::TARGET,
    target::lane::TARGET,
    target::readings::TARGET,
    target::replies::TARGET,
    target::requests::TARGET,
    target::stacks::TARGET,
    target::trace::TARGET,
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
