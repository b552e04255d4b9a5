//! Compiled shims that are kept for the next time, in a folder of this user's that nobody else can write.
//!
//! What is read is code. So the folder and the file are looked at where they are open, not by their names, and a file says what is in
//! it: one that was cut off, or is of something else, is none.

use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

/// Bytes of the checksum that a file begins with.
const CHECKSUM: usize = 32;

/// A shim that was kept under this name, or `None`.
#[pyfunction]
pub(crate) fn kept(py: Python<'_>, place: PathBuf) -> Option<Bound<'_, PyBytes>> {
    py.detach(|| read(&place)).map(|shim| PyBytes::new(py, &shim))
}

/// Keeps a shim, if the folder is fit for it. Without it the next one is slower.
#[pyfunction]
pub(crate) fn keep(py: Python<'_>, place: PathBuf, shim: Vec<u8>) -> bool {
    py.detach(|| write(&place, &shim).is_ok())
}

/// A shim that was kept.
pub(crate) fn read(place: &Path) -> Option<Vec<u8>> {
    let folder = folder(place.parent().filter(|it| it.is_absolute())?).ok()?;
    let name = place.file_name()?;
    let mut file = open(&inside(&folder).join(name), OFlags::NONBLOCK).ok()?;
    let found = file.metadata().ok()?;
    if !found.is_file() || !is_own(&found) {
        return None;
    }
    let mut all = Vec::new();
    file.read_to_end(&mut all).ok()?;
    let (checksum, shim) = all.split_at_checked(CHECKSUM)?;
    (Sha256::digest(shim).as_slice() == checksum).then(|| shim.to_vec())
}

/// Keeps a shim: whoever reads it meanwhile sees all of it, or none.
pub(crate) fn write(place: &Path, shim: &[u8]) -> io::Result<()> {
    let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // One that is relative would be another wherever the program is started.
    if !place.is_absolute() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    let folder = folder(parent)?;
    let random = RandomState::new().build_hasher().finish();
    let part = inside(&folder).join(format!("{random:016x}.part"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    let written = file.write_all(&Sha256::digest(shim)).and_then(|()| file.write_all(shim));
    let written = written.and_then(|()| std::fs::rename(&part, inside(&folder).join(name)));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// The folder, open, if it is this user's own.
fn folder(path: &Path) -> io::Result<File> {
    let folder = open(path, OFlags::DIRECTORY)?;
    match is_own(&folder.metadata()?) {
        true => Ok(folder),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// A path into a folder that is open, wherever it is by now.
fn inside(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()))
}

fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::NOFOLLOW;
    OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)
}

/// Whether something is this user's, and nobody else's to write.
fn is_own(found: &std::fs::Metadata) -> bool {
    found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0
}
