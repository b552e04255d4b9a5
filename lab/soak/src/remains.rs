//! What is left when all sessions have gone: processes, descriptors, segments, threads, and files.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use hotcell_lab::{Counts, corpses};
use serde_json::{Value, json};

/// How long directories of sessions are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Default, Clone)]
pub(crate) struct Remains {
    pub(crate) counts: Counts,
    /// Processes that have ended, and that nobody has reaped.
    corpses: usize,
    /// Directories of sessions among the temporary files of this process.
    pub(crate) directories: BTreeSet<OsString>,
    /// Names of threads.
    threads: Vec<String>,
}

impl Remains {
    /// What there is, and stays the same for a while.
    pub(crate) fn settled() -> Remains {
        Remains {
            counts: Counts::settled(),
            corpses: corpses(),
            directories: directories(),
            threads: threads(),
        }
    }

    /// What there is more of than before, once what ends has ended.
    pub(crate) fn more_than(before: &Remains) -> Remains {
        let counts = Counts::more_than(before.counts);
        let patience = Instant::now() + PATIENCE;
        loop {
            let more: BTreeSet<_> = directories().difference(&before.directories).cloned().collect();
            let corpses = corpses().saturating_sub(before.corpses);
            if more.is_empty() && corpses == 0 || Instant::now() > patience {
                let mut threads = threads();
                for name in &before.threads {
                    if let Some(at) = threads.iter().position(|it| it == name) {
                        threads.swap_remove(at);
                    }
                }
                return Remains { counts, corpses, directories: more, threads };
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.counts.is_nothing() && self.corpses == 0 && self.directories.is_empty()
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut json = self.counts.to_json();
        json["corpses"] = json!(self.corpses);
        json["directories"] = json!(self.directories.len());
        json["names"] = json!(self.threads);
        json
    }
}

fn directories() -> BTreeSet<OsString> {
    let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name());
    names.filter(|name| name.to_string_lossy().starts_with("hotcell-")).collect()
}

fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).collect()
}

/// Bytes of this process that are in memory.
pub(crate) fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()).and_then(|number| number.parse().ok());
    kib.unwrap_or(0u64) * 1024
}
