//! What the fuzz targets need of this crate: what a host knows of a worker by what it hears, without one. And what tests of forks
//! need: to hold what a process has once.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use hotcell_elf::{Facts, Place};
use hotcell_shm::control::Received;

use crate::end::Report;
use crate::libraries::{self, content};
use crate::monitor::Monitor;
use crate::stacks;
use crate::worker::State;

/// Looks at a library before a worker loads it, as a start does: no more of the file is read than is needed.
pub fn check_library(path: &Path, file: &File) -> io::Result<Facts> {
    libraries::check(path, file)
}

/// The same of bytes that are all there.
pub fn check_bytes(path: &Path, bytes: &[u8]) -> Result<Facts, String> {
    hotcell_elf::check(path, bytes).map_err(|wrong| wrong.to_string())
}

/// What a worker has said.
#[derive(Debug)]
pub struct Hearing(State);

impl Hearing {
    /// Of a worker that was offered so many segments, asked for these lanes, and probed once.
    pub fn new(offered: u16, lanes: impl IntoIterator<Item = u32>) -> Hearing {
        let lanes = lanes.into_iter().map(|lane| (lane, None)).collect();
        Hearing(State { offered, lanes, owes: Some(Instant::now()), probed: true, ..State::default() })
    }

    /// Takes in one packet. `Err` is the rule that it breaks: nothing more is heard then.
    pub fn hear(&mut self, packet: &Received) -> Result<(), &'static str> {
        self.0.hear(packet)
    }

    /// Whether the worker is up.
    pub fn is_welcome(&self) -> bool {
        self.0.welcome.is_some()
    }

    /// The segments it has mapped.
    pub fn mapped(&self) -> impl Iterator<Item = u16> {
        self.0.mapped.iter().copied()
    }

    /// The lanes it has answered for.
    pub fn answered(&self) -> impl Iterator<Item = u32> {
        self.0.lanes.iter().filter(|(_, said)| said.is_some()).map(|(lane, _)| *lane)
    }

    /// Whether it owes the answer to the probe.
    pub fn owes_an_answer(&self) -> bool {
        self.0.owes.is_some()
    }

    /// What it reported last.
    pub fn report(&self) -> Option<&Report> {
        self.0.report.as_ref()
    }
}

/// What the file of a module says of a place in it.
pub fn place(bytes: &[u8], offset: u64) -> Option<Place> {
    /// Longer than any input is read.
    const LONG: Duration = Duration::from_secs(60);
    hotcell_elf::place(bytes, offset, Instant::now() + LONG)
}

/// Walks a stack of a process whose memory is a file, from its first byte on, and whose maps are this text. How many frames there are.
pub fn walk(memory: File, maps: &str, sp: u64, pc: u64) -> usize {
    stacks::walk(memory, maps, sp, pc).len()
}

/// Does this while no other thread gets the monitor, as while that is started.
pub fn holding_the_monitor<T>(run: impl FnOnce() -> T) -> T {
    Monitor::held(run)
}

/// The same of what was read of libraries, as while one is looked up.
pub fn holding_what_was_read<T>(run: impl FnOnce() -> T) -> T {
    content::held(run)
}
