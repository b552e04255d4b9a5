//! Who may not keep two CPUs busy does not poll: under a quota of a control group, whether the caller is bound to a CPU or not.
//! The only test of its program: it moves the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use hotcell::Options;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use zlib_hotcell::Zlib;

const CALLS: u64 = 200;

/// How often that is looked at.
const TIMES: usize = 20;

/// A control group with less time than one CPU has, and this process in it.
struct Quota {
    outside: PathBuf,
    group: PathBuf,
}

impl Quota {
    /// `None` where this machine does not let this user make one.
    fn new() -> Option<Quota> {
        let name = format!("hotcell-quota-{}", std::process::id());
        let first = Path::new("/sys/fs/cgroup/cpu");
        let second = Path::new("/sys/fs/cgroup");
        let of = |outside: &Path, files: &[(&str, &str)]| {
            let quota = Quota { outside: outside.to_owned(), group: outside.join(&name) };
            std::fs::create_dir(&quota.group).ok()?;
            let set = |(file, text): &(&str, &str)| std::fs::write(quota.group.join(file), text).is_ok();
            (files.iter().all(set) && quota.enter(&quota.group)).then_some(quota)
        };
        of(first, &[("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "150000")])
            .or_else(|| of(second, &[("cpu.max", "150000 100000")]))
    }

    fn enter(&self, group: &Path) -> bool {
        std::fs::write(group.join("cgroup.procs"), std::process::id().to_string()).is_ok()
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        self.enter(&self.outside);
        let _ = std::fs::remove_dir(&self.group);
    }
}

/// How often the worker is woken by calls back to back, of a session that is opened now.
fn woken() -> u64 {
    let zlib = Zlib::open_with(Options { callers: 1, ..Options::default() }).unwrap();
    let calls = || (0..CALLS).for_each(|_| assert_eq!(zlib.compress_bound(9).unwrap(), 22));
    calls();
    let before = zlib.session().stats().woken;
    calls();
    zlib.session().stats().woken - before
}

/// The same by a thread that is bound to one CPU, when it opens the session.
fn woken_by_a_bound_thread() -> u64 {
    let all = sched_getaffinity(None).unwrap();
    let mut one = CpuSet::new();
    one.set((0..CpuSet::MAX_CPU).find(|&cpu| all.is_set(cpu)).unwrap());
    sched_setaffinity(None, &one).unwrap();
    let woken = woken();
    sched_setaffinity(None, &all).unwrap();
    woken
}

#[test]
fn nobody_polls_under_a_quota() {
    let Some(quota) = Quota::new() else {
        return println!("skipped: no control group with a quota can be made here");
    };
    // A caller that finds its reply before it sleeps may call again before the worker sleeps: so do many where others take the CPUs.
    for often in [woken, woken_by_a_bound_thread] {
        let mut counted: Vec<_> = (0..TIMES).map(|_| often()).collect();
        counted.sort_unstable();
        assert!(counted[TIMES / 2] > CALLS / 2, "{counted:?} of {CALLS}");
    }
    drop(quota);
    if std::thread::available_parallelism().unwrap().get() > 1 {
        let fewest = (0..TIMES).map(|_| woken()).min().unwrap();
        assert!(fewest < CALLS / 2, "with two CPUs the worker polls, and was woken {fewest} times");
    }
}
