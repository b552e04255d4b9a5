//! What the program exports so that a change of its process's state is noted: see [`hotcell_worker::state`].

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use hotcell_protocol::wire::state_parts as parts;
use hotcell_worker::behind::Behind;
use hotcell_worker::state::{note, note_own};

/// Functions that do as those of the C library, and note behind that what may be another now.
macro_rules! noting {
    ($($note:ident($part:ident) $(if $changes:ident)?: $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(
            /// As the C library's.
            ///
            /// # Safety
            ///
            /// As for the C library's.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($argument: $type),*) -> $result {
                type Function = unsafe extern "C" fn($($type),*) -> $result;
                // SAFETY: the C library's function has this type; the rest is the caller's promise.
                let result = unsafe {
                    let behind: Function = std::mem::transmute(behind::$name.find());
                    behind($($argument),*)
                };
                // Where nothing is given, it was only asked.
                if true $(&& !$changes.is_null())? {
                    $note(parts::$part);
                }
                result
            }
        )*

        #[allow(non_upper_case_globals, reason = "they have the names of their functions")]
        mod behind {
            use super::{Behind, CStr};

            $(pub(super) static $name: Behind = Behind::of(
                match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => panic!("a name has no NUL in it"),
                },
            );)*
        }

        /// Looks all of them up, where looking up is safe.
        pub(crate) fn prepare() {
            $(behind::$name.look();)*
        }
    };
}

type Handler = libc::sighandler_t;
type Action = libc::sigaction;
type Set = libc::sigset_t;
type Timer = libc::itimerval;

noting! {
    note(LOCALE) if locale: setlocale(category: c_int, locale: *const c_char) -> *mut c_char;
    note_own(LOCALE) if locale: __uselocale(locale: *mut c_void) -> *mut c_void;
    note_own(LOCALE) if locale: uselocale(locale: *mut c_void) -> *mut c_void;
    note(HANDLERS) if action: sigaction(signal: c_int, action: *const Action, before: *mut Action) -> c_int;
    note(HANDLERS) if action: __sigaction(signal: c_int, action: *const Action, before: *mut Action) -> c_int;
    note(HANDLERS): bsd_signal(number: c_int, handler: Handler) -> Handler;
    note(HANDLERS): ssignal(number: c_int, handler: Handler) -> Handler;
    note(HANDLERS): signal(number: c_int, handler: Handler) -> Handler;
    note(HANDLERS): sysv_signal(number: c_int, handler: Handler) -> Handler;
    note(HANDLERS): __sysv_signal(number: c_int, handler: Handler) -> Handler;
    note(HANDLERS): sigset(number: c_int, handler: Handler) -> Handler;
    note(HANDLERS): sigignore(number: c_int) -> c_int;
    note(HANDLERS): siginterrupt(number: c_int, flag: c_int) -> c_int;
    note_own(MASK) if set: sigprocmask(how: c_int, set: *const Set, before: *mut Set) -> c_int;
    note_own(MASK) if set: pthread_sigmask(how: c_int, set: *const Set, before: *mut Set) -> c_int;
    note_own(MASK): sighold(number: c_int) -> c_int;
    note_own(MASK): sigrelse(number: c_int) -> c_int;
    note_own(MASK): sigblock(mask: c_int) -> c_int;
    note_own(MASK): sigsetmask(mask: c_int) -> c_int;
    note(TIMERS) if value: setitimer(which: c_int, value: *const Timer, before: *mut Timer) -> c_int;
    note(TIMERS): alarm(seconds: c_uint) -> c_uint;
    note(TIMERS): ualarm(first: c_uint, every: c_uint) -> c_uint;
    note(DIRECTORY): chdir(path: *const c_char) -> c_int;
    note(DIRECTORY): fchdir(descriptor: c_int) -> c_int;
    note(UMASK): umask(mask: libc::mode_t) -> libc::mode_t;
    note(ENVIRONMENT): setenv(name: *const c_char, value: *const c_char, replaces: c_int) -> c_int;
    note(ENVIRONMENT): unsetenv(name: *const c_char) -> c_int;
    note(ENVIRONMENT): putenv(variable: *mut c_char) -> c_int;
    note(ENVIRONMENT): clearenv() -> c_int;
}
