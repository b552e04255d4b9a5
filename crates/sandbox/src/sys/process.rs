//! Asking and telling the kernel about this process.

use std::io;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// exec can never again gain privileges. Cannot be undone.
pub(crate) fn set_no_new_privs() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true).map_err(Into::into)
}

pub(crate) fn no_new_privs() -> io::Result<bool> {
    rustix::thread::no_new_privs().map_err(Into::into)
}

/// Bytes; `u64::MAX` for no limit.
pub(crate) fn core_limit() -> io::Result<u64> {
    Ok(getrlimit(Resource::Core).current.unwrap_or(u64::MAX))
}

/// Descriptors; `u64::MAX` for no limit.
pub(crate) fn descriptor_limit() -> io::Result<u64> {
    Ok(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
}

pub(crate) fn leads_session() -> bool {
    rustix::process::getsid(None).is_ok_and(|session| session == rustix::process::getpid())
}

/// This process.
pub(crate) fn id() -> u32 {
    rustix::process::getpid().as_raw_nonzero().get().unsigned_abs()
}

/// The process that started this one; 0 where that is in another namespace.
pub(crate) fn parent() -> u32 {
    rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs())
}

/// The time that all threads of a process have had on CPUs, those that have ended too; `None` where there is no such process.
pub fn cpu_time(pid: u32) -> Option<Duration> {
    let pid = libc::pid_t::try_from(pid).ok().filter(|&pid| pid > 0)?;
    let mut clock: libc::clockid_t = 0;
    // SAFETY: the clock is valid for writes.
    if unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) } != 0 {
        return None;
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is valid for writes; of a clock that has gone meanwhile nothing is told.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return None;
    }
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

/// Whether a filter of system calls holds for this thread.
pub(crate) fn is_filtered() -> bool {
    /// Of `prctl`: the thread has filters.
    const FILTERS: i32 = 2;
    // SAFETY: no memory is involved.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP, 0, 0, 0, 0) == FILTERS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_have_ended_have_had_their_time() {
        const WORK: Duration = Duration::from_millis(20);
        let before = cpu_time(id()).unwrap();
        let of_thread = || {
            let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
        };
        std::thread::spawn(move || while of_thread() < WORK {}).join().unwrap();
        assert!(cpu_time(id()).unwrap() - before >= WORK);
        assert_eq!([0, u32::MAX, 1 << 22].map(cpu_time), [None; 3]);
    }
}
