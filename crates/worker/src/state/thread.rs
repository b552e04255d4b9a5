//! What a serving thread has of its own: which signals it blocks, and its locale.

use std::ffi::c_void;
use std::mem::zeroed;
use std::ptr::{null, null_mut};

use hotcell_protocol::wire::state_parts as parts;

use crate::state::Found;

unsafe extern "C" {
    fn uselocale(locale: *mut c_void) -> *mut c_void;
}

/// That of the calling thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thread {
    blocked: u64,
    /// An address, or what stands for the locale of the process.
    locale: usize,
}

impl Thread {
    pub(super) fn now() -> Thread {
        Thread { blocked: blocked(&mask()), locale: locale() }
    }

    pub(super) fn put_back(&self, part: u32) -> Found {
        match part {
            parts::MASK => self.put_back_mask(),
            parts::LOCALE => self.put_back_locale(),
            _ => Found::Same,
        }
    }

    fn put_back_mask(&self) -> Found {
        if blocked(&mask()) == self.blocked {
            return Found::Same;
        }
        // What waits and would end the process stays blocked.
        let fatal = pending() & !self.blocked & !IGNORED;
        let fatal = (1..=64).filter(|number| fatal >> (number - 1) & 1 == 1 && ends(*number));
        let kept = fatal.fold(0, |all, number| all | 1 << (number - 1));
        let to_be = set(self.blocked | kept);
        // SAFETY: the set is initialised.
        let failed = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const to_be, null_mut()) };
        Found::changed(failed == 0 && kept == 0)
    }

    fn put_back_locale(&self) -> Found {
        if locale() == self.locale {
            return Found::Same;
        }
        // SAFETY: it was this thread's before its first call. Should the library have freed it, the process is the library's
        // to spoil.
        let before = unsafe { uselocale(std::ptr::with_exposed_provenance_mut(self.locale)) };
        Found::changed(!before.is_null())
    }
}

/// Signals of which nothing comes where nobody handles them, bit n for signal n + 1.
const IGNORED: u64 =
    1 << (libc::SIGCHLD - 1) | 1 << (libc::SIGCONT - 1) | 1 << (libc::SIGURG - 1) | 1 << (libc::SIGWINCH - 1);

/// Signals that wait until they are not blocked any more.
fn pending() -> u64 {
    // SAFETY: a set of any bits is valid, and is there to be written to.
    unsafe {
        let mut now: libc::sigset_t = zeroed();
        if libc::sigpending(&raw mut now) == 0 { blocked(&now) } else { 0 }
    }
}

/// Whether nobody handles a signal.
fn ends(number: i32) -> bool {
    // SAFETY: zeros are a valid action, and without a new one it only asks.
    unsafe {
        let mut now: libc::sigaction = zeroed();
        libc::sigaction(number, null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_DFL
    }
}

fn locale() -> usize {
    // SAFETY: with NULL it only asks.
    unsafe { uselocale(null_mut()) }.expose_provenance()
}

fn mask() -> libc::sigset_t {
    // SAFETY: a set of any bits is valid, and without a new one it only asks.
    unsafe {
        let mut now: libc::sigset_t = zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, null(), &raw mut now);
        now
    }
}

/// The signals of a set, bit n for signal n + 1.
pub(super) fn blocked(set: &libc::sigset_t) -> u64 {
    // SAFETY: the set is initialised.
    let is_in = |number: i32| unsafe { libc::sigismember(set, number) == 1 };
    (1..=64).filter(|&number| is_in(number)).fold(0, |all, number| all | 1 << (number - 1))
}

fn set(blocked: u64) -> libc::sigset_t {
    // SAFETY: the set is initialised first; a number that no signal has is refused.
    unsafe {
        let mut set: libc::sigset_t = zeroed();
        libc::sigemptyset(&raw mut set);
        for number in (1..=64).filter(|number| blocked >> (number - 1) & 1 == 1) {
            libc::sigaddset(&raw mut set, number);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_blocks_is_put_back() {
        let before = Thread::now();
        assert_eq!(
            (before.put_back(parts::MASK), before.put_back(parts::LOCALE)),
            (Found::Same, Found::Same)
        );
        let more = set(before.blocked | 1 << (libc::SIGUSR2 - 1));
        // SAFETY: the set is initialised.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const more, null_mut()) };
        assert_ne!(Thread::now().blocked, before.blocked);
        assert_eq!(before.put_back(parts::MASK), Found::PutBack);
        assert_eq!(Thread::now().blocked, before.blocked);
    }

    #[test]
    fn what_waits_and_would_end_the_process_stays_blocked() {
        let before = Thread::now();
        let waits = 1 << (libc::SIGUSR1 - 1);
        let more = set(before.blocked | waits | 1 << (libc::SIGUSR2 - 1));
        // SAFETY: the set is initialised; the signal is this thread's, and blocked.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const more, null_mut());
            libc::pthread_kill(libc::pthread_self(), libc::SIGUSR1);
        }
        assert_eq!(before.put_back(parts::MASK), Found::Lost);
        assert_eq!(Thread::now().blocked, before.blocked | waits);
        let only = set(waits);
        let mut taken = 0;
        // SAFETY: the set is initialised, and the place valid for writes.
        unsafe { libc::sigwait(&raw const only, &raw mut taken) };
        assert_eq!((taken, before.put_back(parts::MASK)), (libc::SIGUSR1, Found::PutBack));
    }
}
