//! Shared libraries: whatever a file has in it, what it exports is read or it is refused.

use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::PathBuf;

use hotcell_header::library;
use hotcell_supervisor::seam;
use rustix::fs::{MemfdFlags, memfd_create};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "elf",
    about: "any file as a shared library: what it exports, needs and is called is read, or it is refused; a worker's start says the same of it, from as little of the file as it needs; places in it are told or not",
    longest: 32 * 1024,
    short: 3_000,
    run,
};

fn run(input: &[u8]) {
    let file = memfd_create("fuzzed", MemfdFlags::CLOEXEC).expect("there is memory for a file");
    let mut rest = input;
    while !rest.is_empty() {
        let written = rustix::io::write(&file, rest).expect("there is memory for a file");
        rest = &rest[written..];
    }
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd()));
    match library::inspect(&path) {
        Ok(library) => {
            assert_eq!(library.machine, std::env::consts::ARCH, "a library for another machine");
            assert!(library.build_id.is_none_or(|id| id.chars().all(|digit| digit.is_ascii_hexdigit())));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let by_start = seam::check_library(&path, &file.into()).map_err(|error| error.to_string());
    assert_eq!(by_start, seam::check_bytes(&path, input), "a file in parts says something else");
    // Where a frame is said to be in it is the word of whoever was there.
    let offset = input.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    for offset in [0, 0x10, 0x1000, offset, offset & 0xffff] {
        let _ = seam::place(input, offset);
    }
}
