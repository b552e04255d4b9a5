//! The machine: what it is called, its CPUs, and which thread runs on which.

use std::fs;
use std::process;

use rustix::io::{Errno, Result};
use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};
use serde_json::{Value, json};

/// The CPUs that figures run on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpus {
    /// Of the caller.
    pub(crate) near: usize,
    /// Of who answers: another core, if there is one; `None` when this process may use one CPU only.
    pub(crate) far: Option<usize>,
}

impl Cpus {
    /// Of those that this process may use.
    pub(crate) fn of_this_process() -> Result<Cpus> {
        let set = sched_getaffinity(None)?;
        let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect();
        let near = allowed.first().copied().unwrap_or(0);
        let siblings = siblings(near);
        let others = || allowed.iter().copied().filter(|cpu| *cpu != near);
        // Two hardware threads of one core share its cache: a line between them does not travel.
        let far = others().find(|cpu| !siblings.contains(cpu)).or_else(|| others().next());
        Ok(Cpus { near, far })
    }

    /// What a report says of the machine.
    pub(crate) fn machine(&self) -> Value {
        let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let flags = about.lines().find(|line| line.starts_with("flags"));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
        json!({
            "cpu": model.map(|it| it.1),
            "cpus": std::thread::available_parallelism().map_or(1, usize::from),
            "caller_on": self.near,
            "peer_on": self.far,
            "one_core": self.far.is_some_and(|far| siblings(self.near).contains(&far)),
            "virtual": flags.is_some_and(|it| it.split(' ').any(|flag| flag == "hypervisor")),
            "architecture": std::env::consts::ARCH,
            "kernel": kernel.as_deref().map(str::trim),
            "hotcell": env!("CARGO_PKG_VERSION"),
        })
    }
}

/// CPUs of the core that this one belongs to, as `0,4` or `0-1`; empty when that is not known.
fn siblings(cpu: usize) -> Vec<usize> {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    fs::read_to_string(path).map_or(Vec::new(), |list| numbers(list.trim()))
}

fn numbers(list: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

/// One CPU alone.
fn only(cpu: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(cpu);
    set
}

/// Threads that may run on some CPUs only, until this is dropped: then they may run where they could before.
pub(crate) struct Pinned(Vec<(Option<Pid>, CpuSet)>);

impl Pinned {
    /// This thread.
    pub(crate) fn thread(cpu: usize) -> Result<Pinned> {
        Pinned::each(vec![None], cpu)
    }

    /// A thread of another process of ours.
    pub(crate) fn other(thread: u32, cpu: usize) -> Result<Pinned> {
        let thread = i32::try_from(thread).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
        Pinned::each(vec![Some(thread)], cpu)
    }

    /// This thread, and so what it starts, anywhere but there.
    pub(crate) fn thread_off(cpu: usize) -> Result<Pinned> {
        let before = sched_getaffinity(None)?;
        let mut others = before;
        others.unset(cpu);
        sched_setaffinity(None, &others)?;
        Ok(Pinned(vec![(None, before)]))
    }

    /// All threads of this process, and so what they start.
    pub(crate) fn process(cpu: usize) -> Result<Pinned> {
        Pinned::each(threads(process::id()).map(Some).collect(), cpu)
    }

    fn each(threads: Vec<Option<Pid>>, cpu: usize) -> Result<Pinned> {
        let mut pinned = Pinned(Vec::new());
        for thread in threads {
            let before = sched_getaffinity(thread)?;
            sched_setaffinity(thread, &only(cpu))?;
            pinned.0.push((thread, before));
        }
        Ok(pinned)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        for (thread, before) in &self.0 {
            // It may have ended meanwhile.
            let _ = sched_setaffinity(*thread, before);
        }
    }
}

/// This thread, for the rest of its life.
pub(crate) fn pin(cpu: usize) -> Result<()> {
    sched_setaffinity(None, &only(cpu))
}

/// All threads of another process of ours.
pub(crate) fn pin_process(pid: u32, cpu: usize) -> Result<()> {
    threads(pid).try_for_each(|thread| sched_setaffinity(Some(thread), &only(cpu)))
}

fn threads(pid: u32) -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus() {
        let check = |list, expect: &[usize]| assert_eq!(numbers(list), expect, "{list:?}");
        check("0", &[0]);
        check("0,4", &[0, 4]);
        check("2-4,8", &[2, 3, 4, 8]);
        check("", &[]);
    }

    #[test]
    fn a_pinned_thread_is_free_again() {
        let before = sched_getaffinity(None).unwrap();
        let cpus = Cpus::of_this_process().unwrap();
        let pinned = Pinned::thread(cpus.near).unwrap();
        assert!(sched_getaffinity(None).unwrap() == only(cpus.near));
        drop(pinned);
        assert!(sched_getaffinity(None).unwrap() == before);
    }
}
