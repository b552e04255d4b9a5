//! What the kernel says of processes, in /proc.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::io::Errno;

/// Processor time and sleeps of all threads of a process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Activity {
    /// Nanoseconds that they ran.
    pub(crate) ran: u64,
    /// How often they went to sleep.
    pub(crate) waits: u64,
}

/// Of the threads that a process has now: one that ends meanwhile is left out.
pub(crate) fn activity(pid: u32) -> io::Result<Activity> {
    let mut sum = Activity::default();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        match of_task(&task?.path().display().to_string()) {
            Ok(one) => {
                sum.ran += one.ran;
                sum.waits += one.waits;
            }
            Err(error) if has_ended(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sum)
}

/// Whether that is what reading of a thread says when there is none any more.
fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// Of the calling thread alone.
pub(crate) fn own_activity() -> io::Result<Activity> {
    of_task("/proc/thread-self")
}

fn of_task(folder: &str) -> io::Result<Activity> {
    let ran = fs::read_to_string(format!("{folder}/schedstat"))?;
    let status = fs::read_to_string(format!("{folder}/status"))?;
    let ran = number(ran.split_whitespace().next())?;
    Ok(Activity { ran, waits: number(field(&status, "voluntary_ctxt_switches:"))? })
}

/// Clock ticks that the threads of a process have had, in parts of one too: whole ones, as the kernel tells them of a process, are one more by
/// a microsecond now and then.
pub(crate) fn ticks(pid: u32) -> io::Result<f64> {
    let seconds = Duration::from_nanos(activity(pid)?.ran).as_secs_f64();
    Ok(seconds * rustix::param::clock_ticks_per_second() as f64)
}

/// Bytes of a process's memory, shared ones in part, without what it maps of this file.
pub(crate) fn pss_without(pid: u32, file: impl AsFd) -> io::Result<u64> {
    let inode = rustix::fs::fstat(file)?.st_ino;
    Ok(sum_without(&fs::read_to_string(format!("/proc/{pid}/smaps"))?, inode))
}

fn sum_without(smaps: &str, inode: u64) -> u64 {
    let inode = inode.to_string();
    let (mut sum, mut counted) = (0, true);
    for line in smaps.lines() {
        match line.split_once(' ') {
            Some(("Pss:", rest)) if counted => {
                sum += rest.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024;
            }
            // `start-end rights offset device inode path` begins a mapping.
            Some((range, rest)) if range.contains('-') && !range.ends_with(':') => {
                counted = rest.split_whitespace().nth(3) != Some(&inode);
            }
            _ => {}
        }
    }
    sum
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn number(text: Option<&str>) -> io::Result<u64> {
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or_else(|| io::Error::other("the kernel writes another text than is known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_a_file_is_not_counted() {
        let smaps = "\
00400000-00401000 r-xp 00000000 fe:00 17                         /bin/a-program
Rss:                  12 kB
Pss:                  10 kB
Pss_Dirty:             4 kB
7f0000000000-7f0000001000 r--p 00000000 00:01 99                 /memfd:it (deleted)
Pss:                 400 kB
VmFlags: rd mr mw me
7f0000002000-7f0000003000 rw-p 00000000 00:00 0
Pss:                   3 kB
";
        assert_eq!(sum_without(smaps, 99), 13 * 1024);
        assert_eq!(sum_without(smaps, 17), 403 * 1024);
        assert_eq!(sum_without(smaps, 1), 413 * 1024);
    }

    #[test]
    fn what_this_process_does_is_seen() {
        let own = std::process::id();
        let before = own_activity().unwrap();
        let started = ticks(own).unwrap();
        while ticks(own).unwrap() < started + 1.0 {
            std::hint::spin_loop();
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
        let (after, all) = (own_activity().unwrap(), activity(own).unwrap());
        assert!(after.ran > before.ran && after.waits > before.waits, "{before:?} {after:?}");
        // Other threads come and go; this one is among them.
        assert!(all.ran >= after.ran && all.waits >= after.waits, "{after:?} {all:?}");
    }
}
