//! What a process has once: its locale, what it does on signals, timers, directory, mask of new files, and environment.

use std::ffi::{CStr, CString, c_int};
use std::mem::zeroed;
use std::ptr::{null, null_mut};

use hotcell_protocol::wire::state_parts as parts;

use crate::state::Found;
use crate::state::environment::Environment;
use crate::state::thread::blocked;

/// The last signal there is.
const LAST_SIGNAL: c_int = 64;

/// Timers by which a process is sent signals.
const TIMERS: [c_int; 3] = [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF];

/// The state of the process at one moment.
pub(super) struct Process {
    locale: CString,
    /// By number, from 1; none of those that cannot be asked for.
    actions: Vec<Option<libc::sigaction>>,
    /// The timers that ran.
    ran: [bool; TIMERS.len()],
    directory: Option<CString>,
    umask: libc::mode_t,
    environment: Environment,
}

// SAFETY: what it holds are numbers, addresses of functions among them, and texts of its own.
unsafe impl Send for Process {}
// SAFETY: as for Send; nothing of it changes.
unsafe impl Sync for Process {}

impl Process {
    pub(super) fn now() -> Process {
        Process {
            locale: locale(),
            actions: (1..=LAST_SIGNAL).map(action).collect(),
            ran: TIMERS.map(runs),
            directory: directory(),
            umask: umask(),
            environment: Environment::now(),
        }
    }

    /// Puts a part back, if it is another.
    pub(super) fn put_back(&self, part: u32) -> Found {
        match part {
            parts::LOCALE => self.put_back_locale(),
            parts::HANDLERS => self.put_back_actions(),
            parts::TIMERS => self.put_back_timers(),
            parts::DIRECTORY => self.put_back_directory(),
            parts::UMASK => self.put_back_umask(),
            parts::ENVIRONMENT => self.environment.put_back(),
            _ => Found::Same,
        }
    }

    fn put_back_locale(&self) -> Found {
        if locale() == self.locale {
            return Found::Same;
        }
        // SAFETY: the name is terminated.
        Found::changed(!unsafe { libc::setlocale(libc::LC_ALL, self.locale.as_ptr()) }.is_null())
    }

    /// Signals on which something else is done than before: bit n for signal n + 1.
    pub(super) fn changed_actions(&self) -> u64 {
        let is_changed = |(number, before): (c_int, &Option<libc::sigaction>)| {
            let now = before.as_ref().and_then(|before| Some((before, action(number)?)));
            now.is_some_and(|(before, now)| !is_same(before, &now))
        };
        let changed = (1..).zip(&self.actions).filter(|&it| is_changed(it));
        changed.fold(0, |all, (number, _)| all | 1 << (number - 1))
    }

    fn put_back_actions(&self) -> Found {
        let mut found = Found::Same;
        for (number, before) in (1..).zip(&self.actions) {
            let (Some(before), Some(now)) = (before, action(number)) else { continue };
            if is_same(before, &now) {
                continue;
            }
            // SAFETY: it is what held for this signal before.
            let put_back = unsafe { libc::sigaction(number, before, null_mut()) } == 0;
            found = if found == Found::Lost { found } else { Found::changed(put_back) };
        }
        found
    }

    fn put_back_timers(&self) -> Found {
        let mut found = Found::Same;
        for (which, ran) in TIMERS.into_iter().zip(self.ran) {
            // One that ran before has gone on: its time is nobody's to say.
            if ran || !runs(which) {
                continue;
            }
            // SAFETY: zeros mean that it does not run.
            let put_back = unsafe { libc::setitimer(which as _, &zeroed(), null_mut()) } == 0;
            found = if found == Found::Lost { found } else { Found::changed(put_back) };
        }
        found
    }

    fn put_back_directory(&self) -> Found {
        let Some(before) = self.directory.as_ref().filter(|before| directory().as_ref() != Some(before))
        else {
            return Found::Same;
        };
        // SAFETY: the path is terminated.
        Found::changed(unsafe { libc::chdir(before.as_ptr()) } == 0)
    }

    fn put_back_umask(&self) -> Found {
        // SAFETY: has no conditions.
        let now = unsafe { libc::umask(self.umask) };
        if now == self.umask { Found::Same } else { Found::PutBack }
    }
}

fn locale() -> CString {
    // SAFETY: with NULL it only asks; the text is terminated, and there until the locale changes.
    unsafe {
        let name = libc::setlocale(libc::LC_ALL, null());
        if name.is_null() { c"C".to_owned() } else { CStr::from_ptr(name).to_owned() }
    }
}

fn action(number: c_int) -> Option<libc::sigaction> {
    // SAFETY: zeros are a valid action, and without a new one it only asks.
    unsafe {
        let mut now: libc::sigaction = zeroed();
        (libc::sigaction(number, null(), &raw mut now) == 0).then_some(now)
    }
}

fn is_same(one: &libc::sigaction, other: &libc::sigaction) -> bool {
    let of = |it: &libc::sigaction| (it.sa_sigaction, it.sa_flags, blocked(&it.sa_mask));
    of(one) == of(other)
}

fn runs(which: c_int) -> bool {
    // SAFETY: zeros are a valid timer, and the place is valid for writes.
    unsafe {
        let mut now: libc::itimerval = zeroed();
        libc::getitimer(which as _, &raw mut now) == 0
            && (now.it_value.tv_sec, now.it_value.tv_usec) != (0, 0)
    }
}

fn directory() -> Option<CString> {
    let mut path = vec![0u8; libc::PATH_MAX as usize];
    // SAFETY: so many bytes may be written there.
    let found = unsafe { libc::getcwd(path.as_mut_ptr().cast(), path.len()) };
    // One that cannot be reached by a path cannot be gone back to.
    let path = CStr::from_bytes_until_nul(&path).ok().filter(|_| !found.is_null())?;
    path.to_bytes().starts_with(b"/").then(|| path.to_owned())
}

fn umask() -> libc::mode_t {
    // SAFETY: has no conditions. There is no way to ask alone.
    unsafe {
        let now = libc::umask(0o077);
        libc::umask(now);
        now
    }
}
