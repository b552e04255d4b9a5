//! What tests look at of processes: this one's descriptors and segments, and whether others are alive.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Waits for something that has to come. The patience is a watchdog, not an expectation.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(120);
    while !done() {
        assert!(Instant::now() < patience, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether there is such a process, and it is more than a corpse.
pub fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

/// The process of this number.
///
/// # Panics
///
/// Where no process can have it.
pub fn process(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed()).expect("a process has a number of its own")
}

/// Stops a process, until it is continued or killed. Its threads go on until one of them has heard the signal: that is waited for.
///
/// # Panics
///
/// Where there is no such process, or it neither stops nor ends.
pub fn stop(pid: u32) {
    kill_process(process(pid), Signal::STOP).expect("it is there, and a process of this user");
    let tasks = format!("/proc/{pid}/task");
    let goes_on = |task: &Path| {
        let stat = fs::read_to_string(task.join("stat")).unwrap_or_default();
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| !rest.trim_start().starts_with(['T', 'Z', 'X']) && !rest.is_empty())
    };
    // It may have been ended for that meanwhile.
    wait_until("it does not stop", || {
        let mut tasks = fs::read_dir(&tasks).into_iter().flatten().flatten();
        !tasks.any(|task| goes_on(&task.path()))
    });
}

/// Lets a process go on that was stopped.
///
/// # Panics
///
/// Where there is no such process.
pub fn go_on(pid: u32) {
    kill_process(process(pid), Signal::CONT).expect("it is there, and a process of this user");
}

/// Descriptors of this process.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("procfs is mounted").count()
}

/// Maps of segments in this process.
pub fn segments() -> usize {
    fs::read_to_string("/proc/self/maps").expect("procfs is mounted").matches("hotcell-segment").count()
}

/// Threads of this process.
pub fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("procfs is mounted").count()
}

/// KiB of a process that are in memory; 0 when it is gone.
pub fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Workers of this process that are more than corpses.
pub fn workers() -> Vec<u32> {
    workers_of(std::process::id())
}

/// The same, of another process.
pub fn workers_of(host: u32) -> Vec<u32> {
    let own = format!(" {host} ");
    let entries = fs::read_dir("/proc").expect("procfs is mounted").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_worker = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Number, (name), state, parent.
        let keeps =
            fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|it| it.starts_with(b"hotcell-keeper\0"));
        stat.contains("(hotcell-worker) ")
            && !keeps
            && stat.rsplit(')').next().is_some_and(|rest| rest[2..].starts_with(&own))
    };
    pids.filter(|pid| is_worker(pid) && alive(*pid)).collect()
}

/// How often each thread of a process has gone to sleep: all of them, or those of this name, of which the kernel keeps 15
/// bytes.
pub fn sleeps(pid: &str, name: Option<&str>) -> Vec<(String, u64)> {
    let mut sleeps = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let field = |of: &str| status.lines().find_map(|line| line.strip_prefix(of)).map(str::trim);
        if let (Some(of), Some(times)) = (field("Name:"), field("voluntary_ctxt_switches:"))
            && name.is_none_or(|name| of == name)
        {
            sleeps.push((of.to_owned(), times.parse().unwrap_or(0)));
        }
    }
    sleeps.sort();
    sleeps
}

/// Whether there are threads of this name, and all of them sleep and do not wake for a while.
pub fn stays_asleep(pid: &str, name: &str) -> bool {
    let before = sleeps(pid, Some(name));
    std::thread::sleep(Duration::from_millis(100));
    !before.is_empty() && before == sleeps(pid, Some(name))
}
