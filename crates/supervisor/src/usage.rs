//! What the kernel says that a worker uses: looked at from outside, where the worker has no say.

use std::collections::BTreeMap;
use std::fs;

use crate::output::escape;
use crate::worker::Shared;

/// What a worker uses, by the kernel's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes that are in memory (RSS), shared ones too.
    pub resident: u64,
    /// Threads.
    pub threads: u64,
    /// Of these, threads that serve further calls at a time, which were made for this host.
    pub serving: u64,
    /// Descriptors; `None` where the kernel does not tell.
    pub descriptors: Option<u64>,
}

/// Threads of a worker that look the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadSeen {
    /// Their name. The library's word, escaped.
    pub name: String,
    /// Their state, as the kernel's letter: `R` runs, `S` sleeps, `T` is stopped, `D` is stuck in the kernel.
    pub state: char,
    /// How many there are.
    pub count: u64,
}

/// Looks at the folder of a worker in `/proc`. What was seen counts only if the process has not ended since: until it is
/// reaped its number is nobody else's.
pub(crate) fn look<T>(shared: &Shared, look: impl FnOnce(&str) -> T) -> Option<T> {
    let (pid, _) = shared.process.get()?;
    let seen = look(&format!("/proc/{pid}"));
    (!shared.has_ended()).then_some(seen)
}

impl Usage {
    pub(crate) fn of(shared: &Shared) -> Option<Usage> {
        let (status, descriptors) = look(shared, |folder| {
            let descriptors = fs::read_dir(format!("{folder}/fd")).ok();
            (fs::read_to_string(format!("{folder}/status")), descriptors.map(Iterator::count))
        })?;
        let (resident, threads) = of_status(&status.ok()?)?;
        let lanes = &shared.state.lock().lanes;
        let serving = lanes.values().filter(|said| **said == Some(0)).count() as u64;
        let descriptors = descriptors.map(|count| count as u64);
        Some(Usage { resident, threads, serving, descriptors })
    }
}

/// How many threads a worker has; `None` when it has ended, or the kernel did not say this time.
pub(crate) fn thread_count(shared: &Shared) -> Option<u64> {
    let status = look(shared, |folder| fs::read_to_string(format!("{folder}/status")))?;
    // Its first thread may have ended before the others: then it has no memory of its own to tell of.
    field(&status.ok()?, "Threads:")
}

/// Bytes in memory and threads, of a text of `/proc/PID/status`.
fn of_status(status: &str) -> Option<(u64, u64)> {
    Some((field(status, "VmRSS:")?.saturating_mul(1024), field(status, "Threads:")?))
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The threads of a worker.
pub(crate) fn threads(shared: &Shared) -> Vec<ThreadSeen> {
    let seen = look(shared, |folder| {
        let tasks = fs::read_dir(format!("{folder}/task")).into_iter().flatten().flatten();
        let stats = tasks.filter_map(|task| fs::read(task.path().join("stat")).ok());
        alike(stats.filter_map(|stat| of_stat(&String::from_utf8_lossy(&stat))))
    });
    seen.unwrap_or_default()
}

/// Name and state, of a text of `/proc/PID/task/TID/stat`. The name may have anything in it, parentheses too.
pub(crate) fn of_stat(stat: &str) -> Option<(String, char)> {
    let (head, rest) = stat.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    Some((escape(name), rest.trim_start().chars().next()?))
}

fn alike(threads: impl Iterator<Item = (String, char)>) -> Vec<ThreadSeen> {
    let mut counts = BTreeMap::new();
    threads.for_each(|thread| *counts.entry(thread).or_insert(0) += 1);
    counts.into_iter().map(|((name, state), count)| ThreadSeen { name, state, count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_threads_are_read_from_a_status() {
        let status = "Name:\tVmRSS: 7 kB\nVmHWM:\t 9999 kB\nVmRSS:\t    1536 kB\nThreads:\t12\n";
        assert_eq!(of_status(status), Some((1536 * 1024, 12)));
        assert_eq!(of_status("Name:\tx\nThreads:\t1\n"), None, "a process without memory is a corpse");
        assert_eq!(
            field("Name:\tx\nThreads:\t12\n", "Threads:"),
            Some(12),
            "whose threads count all the same"
        );
        let own = of_status(&fs::read_to_string("/proc/self/status").unwrap()).unwrap();
        assert!(own.0 > 0 && own.1 > 0);
    }

    #[test]
    fn threads_are_counted_by_name_and_state_whatever_they_are_called() {
        let stats = ["7 (a) R) S 1 2", "8 (pool) S 1", "9 (pool) S 1", "10 (pool) D 1", "11 pool"];
        let seen = alike(stats.iter().filter_map(|stat| of_stat(stat)));
        let seen: Vec<_> = seen.iter().map(|it| (&*it.name, it.state, it.count)).collect();
        assert_eq!(seen, [("a) R", 'S', 1), ("pool", 'D', 1), ("pool", 'S', 2)]);
    }
}
