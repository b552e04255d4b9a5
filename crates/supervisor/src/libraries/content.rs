//! What is in a library's file: its digest.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use hotcell_shm::OfProcess;
use hotcell_shm::lock::{Mutex, MutexGuard};
use sha2::{Digest, Sha256};

use super::{Identity, open};

/// What is in a file.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) sha256: [u8; 32],
}

/// What was read in this process: most sessions need the same C library.
static READ: OfProcess<Mutex<BTreeMap<Identity, Content>>> = OfProcess::new();

/// That, for this thread alone. None where there is no memory for it: what is read is not kept then.
fn read() -> Option<MutexGuard<'static, BTreeMap<Identity, Content>>> {
    Some(READ.get().ok()?.lock())
}

/// Does this while nobody else of this process gets at what was read.
pub(crate) fn held<T>(run: impl FnOnce() -> T) -> T {
    let _held = read();
    run()
}

/// Larger files are not read: a hostile library can name a sparse one of any size.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// More files than any host has libraries.
const MOST: usize = 4096;

impl Content {
    /// Of this file, or else of the one at this path, as long as it is the same from beginning to end, and read until then.
    pub(super) fn of(
        path: &Path,
        file: Option<&File>,
        identity: Identity,
        until: Option<Instant>,
    ) -> Option<Content> {
        if let Some(content) = read().and_then(|read| read.get(&identity).cloned()) {
            return Some(content);
        }
        if identity.size > MOST_BYTES {
            return None;
        }
        let is_open = file.is_some();
        let opened;
        let file = match file {
            Some(file) => file,
            None => {
                opened = open(path).ok()?;
                &opened
            }
        };
        // The name of an open file may be another's by now, or it has none: that changes it, and not what is in it.
        let is_same = || {
            let now = file.metadata().ok().filter(|it| it.is_file()).map(|it| Identity::of(&it));
            let now =
                now.map(|now| if is_open { Identity { changed: identity.changed, ..now } } else { now });
            now == Some(identity)
        };
        if !is_same() {
            return None;
        }
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        let mut at = 0;
        // One that grows meanwhile is not the same.
        while at <= identity.size {
            if until.is_some_and(|until| Instant::now() > until) {
                return None;
            }
            match file.read_at(&mut buffer, at).ok()? {
                0 => break,
                length => {
                    digest.update(&buffer[..length]);
                    at += length as u64;
                }
            }
        }
        if !is_same() {
            return None;
        }
        let content = Content { sha256: digest.finalize().into() };
        if let Some(mut read) = read() {
            if read.len() >= MOST {
                read.clear();
            }
            read.insert(identity, content.clone());
        }
        Some(content)
    }

    pub(super) fn hexadecimal(&self) -> String {
        self.sha256.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
