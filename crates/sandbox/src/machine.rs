//! What this machine offers for workers and their restrictions, probed and not guessed from versions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::sys::probe;

/// The kernel, the C library and what they offer. Each probe leaves this process as it was.
#[derive(Debug)]
pub struct Machine {
    /// Release of the kernel, as `uname -r` has it.
    pub kernel: String,
    /// Version of the GNU C library in this process.
    pub glibc: Option<String>,
    /// Memory files whose writers and size can be fixed (Linux 5.1).
    pub sealed_memory: io::Result<()>,
    /// Descriptors that stand for a process (Linux 5.3).
    pub process_descriptors: io::Result<()>,
    /// Closing all descriptors from one on (Linux 5.9).
    pub close_range: io::Result<()>,
    /// Filters of system calls that end the whole process (Linux 4.14).
    pub seccomp: io::Result<()>,
    /// The version of Landlock's interface (Linux 5.13).
    pub landlock: io::Result<u32>,
    /// Namespaces for workers.
    pub own_namespaces: io::Result<()>,
    /// The control group of this process, where groups can be made below it.
    pub control_group: Result<PathBuf, String>,
    /// CPUs this process may use, its affinity and quota taken into account.
    pub cpus: usize,
    /// CPUs' worth of time that the control groups grant; `None` without a quota.
    pub cpu_quota: Option<f64>,
}

impl Machine {
    /// Asks.
    pub fn probe() -> Machine {
        let group = own_group();
        Machine {
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            glibc: probe::glibc(),
            sealed_memory: probe::sealed_memory(),
            process_descriptors: probe::process_descriptors(),
            close_range: probe::close_range(),
            seccomp: probe::seccomp(),
            landlock: probe::landlock(),
            own_namespaces: probe::own_namespaces(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            cpu_quota: group.as_ref().ok().and_then(|(root, group)| quota(root, group)),
            control_group: group.and_then(|(_, group)| writable(group)),
        }
    }
}

/// The mount of the unified hierarchy, and this process's group in it.
fn own_group() -> Result<(PathBuf, PathBuf), String> {
    let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"));
    let root = mount_point(&read("/proc/self/mountinfo")?).ok_or("no cgroup2 file system is mounted")?;
    let groups = read("/proc/self/cgroup")?;
    let group = group_of(&groups).ok_or("this process is in no group of cgroup2")?;
    let group = match group.trim_matches('/') {
        "" => root.clone(),
        below => root.join(below),
    };
    Ok((root, group))
}

fn writable(group: PathBuf) -> Result<PathBuf, String> {
    let controllers = fs::read_to_string(group.join("cgroup.controllers"))
        .map_err(|error| format!("cannot read the group {}: {error}", group.display()))?;
    for controller in ["memory", "pids"] {
        if !controllers.split_whitespace().any(|it| it == controller) {
            return Err(format!("{} has no `{controller}` controller", group.display()));
        }
    }
    access(&group, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|errno| format!("{} is not writable: {}", group.display(), io::Error::from(errno)))?;
    Ok(group)
}

/// The least that a group from this one up to the root grants.
fn quota(root: &Path, group: &Path) -> Option<f64> {
    let groups = group.ancestors().take_while(|group| group.starts_with(root));
    let granted = groups.filter_map(|group| share(&fs::read_to_string(group.join("cpu.max")).ok()?));
    granted.min_by(f64::total_cmp)
}

/// CPUs' worth of time in `cpu.max`: microseconds (or `max`) in each period of microseconds.
fn share(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace();
    let (quota, period) = (words.next()?.parse::<f64>().ok()?, words.next()?.parse::<f64>().ok()?);
    (period > 0.0).then_some(quota / period)
}

/// Where the unified hierarchy is mounted: a line is `ID PARENT DEVICE ROOT PLACE OPTIONS… - TYPE SOURCE …`.
fn mount_point(mounts: &str) -> Option<PathBuf> {
    let found = mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        kind.starts_with("cgroup2 ").then(|| place.split(' ').nth(4)).flatten()
    });
    found.map(PathBuf::from)
}

/// The group in a line `0::/path`.
fn group_of(groups: &str) -> Option<&str> {
    groups.lines().find_map(|line| line.strip_prefix("0::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probing_answers_and_changes_nothing() {
        let namespace = || fs::read_link("/proc/self/ns/user").unwrap();
        let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
        let before = (namespace(), descriptors());
        let machine = Machine::probe();
        assert_eq!((namespace(), descriptors()), before);
        assert!(machine.kernel.starts_with(|c: char| c.is_ascii_digit()), "{machine:?}");
        assert!(machine.glibc.as_ref().is_some_and(|version| version.starts_with("2.")), "{machine:?}");
        assert!(machine.cpus > 0);
        // Without these no test of a worker could pass here.
        for needed in [&machine.sealed_memory, &machine.process_descriptors, &machine.close_range] {
            assert!(needed.is_ok(), "{machine:?}");
        }
        assert!(machine.landlock.is_err() || machine.landlock.is_ok_and(|version| version > 0));
    }

    #[test]
    fn groups_are_found() {
        let mounts = "25 30 0:22 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory\n\
                      31 23 0:27 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(mount_point(mounts), Some(PathBuf::from("/sys/fs/cgroup")));
        assert_eq!(mount_point(""), None);
        assert_eq!(group_of("4:memory:/a\n0::/user.slice\n"), Some("/user.slice"));
        assert_eq!(group_of("4:memory:/a\n"), None);
    }

    #[test]
    fn quotas_are_shares_of_cpus() {
        for (text, expect) in [
            ("max 100000\n", None),
            ("150000 100000\n", Some(1.5)),
            ("5000 0", None),
            ("5000", None),
            ("", None),
        ] {
            assert_eq!(share(text), expect, "{text:?}");
        }
    }
}
