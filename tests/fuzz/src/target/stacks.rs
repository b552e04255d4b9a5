//! Stacks of workers: whatever a worker has in its memory, its tables and its stack are walked to an end.

use std::fs::File;
use std::io::Write as _;

use hotcell_supervisor::seam;
use rustix::fs::{MemfdFlags, memfd_create};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "stacks",
    about: "any memory as that of a worker: stack pointer and place of a thread, then a module with its tables, which lies twice there, and which is the stack besides",
    longest: 32 * 1024,
    short: 2_000,
    run,
};

fn run(input: &[u8]) {
    let Some((head, memory)) = input.split_at_checked(16) else { return };
    let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap_or_default());
    let mut file =
        File::from(memfd_create("fuzzed", MemfdFlags::CLOEXEC).expect("there is memory for a file"));
    file.write_all(memory).expect("there is memory for a file");
    let end = memory.len().next_multiple_of(4096).max(4096);
    let maps = format!(
        "0-{end:x} r-xp 00000000 00:01 7 /module\n{end:x}-{:x} r-xp 00001000 00:01 7 /module\n",
        end * 2
    );
    let frames = seam::walk(file, &maps, number(0), number(8));
    assert!((1..=64).contains(&frames), "{frames} frames");
}
