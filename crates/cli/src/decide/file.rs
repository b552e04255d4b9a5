//! Writes a contract over the one that was read, and over nothing else.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use crate::fail::Failure;
use crate::target::{self, Target};

/// Writes the file, unless it is not what is known of it: somebody may have it open beside this.
pub(super) fn replace(place: &Path, known: &[u8], new: &[u8]) -> Result<(), Failure> {
    let there = fs::read(place).map_err(|error| {
        Failure::Usage(format!("cannot read {} again: {error}; nothing is written", place.display()))
    })?;
    if there != known {
        let text = format!("{} has changed meanwhile; nothing is written over it", place.display());
        return Err(Failure::Usage(format!("{text}\nhelp: begin again: what was decided so far is in it")));
    }
    let written = writable(place).and_then(|()| Target::open(place)).and_then(|target| target.write(new));
    written.map_err(|error| Failure::Usage(target::unwritable(place, &error)))
}

/// Whether the file itself may be written to: one that takes its place asks only the folder.
fn writable(place: &Path) -> io::Result<()> {
    if fs::metadata(place)?.permissions().readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    OpenOptions::new().write(true).open(place).map(drop)
}
