//! What a library asks or does that must not find its thread bound near its caller ([`hotcell_shm::Roost`]): the thread is
//! freed first. The program exports these names in place of the C library's (`symbols.rs`), as it does `malloc`.
//!
//! What goes past them, by a system call of its own, sees one CPU at most for as long as a call takes that follows a short
//! one; a thread or a process made by `clone` itself keeps it, and so does one made by `vfork`, which nobody can stand before: its child returns
//! into whoever called it.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::sync::atomic::{AtomicI32, Ordering};

use hotcell_shm::rise;

use crate::behind::Behind;

static PTHREAD_CREATE: Behind = Behind::of(c"pthread_create");
static THRD_CREATE: Behind = Behind::of(c"thrd_create");
static SCHED_GETAFFINITY: Behind = Behind::of(c"sched_getaffinity");
static PTHREAD_GETAFFINITY: Behind = Behind::of(c"pthread_getaffinity_np");
static SYSCONF: Behind = Behind::of(c"sysconf");
static GET_NPROCS: Behind = Behind::of(c"get_nprocs");
static POSIX_SPAWN: Behind = Behind::of(c"posix_spawn");
static POSIX_SPAWNP: Behind = Behind::of(c"posix_spawnp");
static SYSTEM: Behind = Behind::of(c"system");
static POPEN: Behind = Behind::of(c"popen");

/// All of them.
static ALL: [&Behind; 10] = [
    &PTHREAD_CREATE,
    &THRD_CREATE,
    &SCHED_GETAFFINITY,
    &PTHREAD_GETAFFINITY,
    &SYSCONF,
    &GET_NPROCS,
    &POSIX_SPAWN,
    &POSIX_SPAWNP,
    &SYSTEM,
    &POPEN,
];

/// CPUs that are online, as the C library counted them before a sandbox stood that keeps their file from it; 0 where it counts for itself.
static ONLINE: AtomicI32 = AtomicI32::new(0);

/// Heaps that the C library makes for each CPU, before threads share them.
const HEAPS: c_int = 8;

/// Variables by which a session says how many heaps there may be, and the second one's word for it.
const OWN_HEAPS: [&str; 2] = ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"];
const TUNABLE: &str = "glibc.malloc.arena_max";

/// Has the C library count CPUs while it may: it reads a file for that, by itself too, as soon as a thread needs a ninth heap. What is denied later
/// would be told as what the library was refused, which has asked for nothing.
pub(crate) fn count(walled: bool) {
    let online = get_nprocs().max(1);
    let says = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().contains(TUNABLE));
    let [whole, tunables] = OWN_HEAPS.map(says);
    if whole.is_none() && tunables != Some(true) {
        // SAFETY: has no conditions. As many as it would come to itself; without memory for the change it is not made.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, online.saturating_mul(HEAPS)) };
    }
    if walled {
        ONLINE.store(online, Ordering::Relaxed);
    }
}

/// Looks all of them up, where looking up is safe, and frees the thread that forks.
pub(crate) fn prepare() {
    extern "C" fn before_a_fork() {
        rise();
    }
    for behind in ALL {
        behind.look();
    }
    // SAFETY: the function lives as long as the program. Without memory for it a fork keeps what its maker had.
    let _ = unsafe { libc::pthread_atfork(Some(before_a_fork), None, None) };
}

type Start = extern "C" fn(*mut c_void) -> *mut c_void;

/// As the C library's.
///
/// # Safety
///
/// As for the C library's.
pub unsafe fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    type Create =
        unsafe extern "C" fn(*mut libc::pthread_t, *const libc::pthread_attr_t, Start, *mut c_void) -> c_int;
    rise();
    // SAFETY: the C library's function has this type; the rest is the caller's promise.
    unsafe {
        let create: Create = std::mem::transmute(PTHREAD_CREATE.find());
        create(thread, attributes, start, argument)
    }
}

type ThrdStart = extern "C" fn(*mut c_void) -> c_int;

/// As the C library's.
///
/// # Safety
///
/// As for the C library's.
pub unsafe fn thrd_create(thread: *mut libc::pthread_t, start: ThrdStart, argument: *mut c_void) -> c_int {
    type Create = unsafe extern "C" fn(*mut libc::pthread_t, ThrdStart, *mut c_void) -> c_int;
    rise();
    // SAFETY: the C library's function has this type, `thrd_t` being its `pthread_t`; the rest is the caller's promise.
    unsafe {
        let create: Create = std::mem::transmute(THRD_CREATE.find());
        create(thread, start, argument)
    }
}

/// As the C library's.
///
/// # Safety
///
/// As for the C library's.
pub unsafe fn sched_getaffinity(pid: libc::pid_t, size: usize, set: *mut c_void) -> c_int {
    type Ask = unsafe extern "C" fn(libc::pid_t, usize, *mut c_void) -> c_int;
    rise();
    // SAFETY: the C library's function has this type; the rest is the caller's promise.
    unsafe {
        let ask: Ask = std::mem::transmute(SCHED_GETAFFINITY.find());
        ask(pid, size, set)
    }
}

/// As the C library's.
///
/// # Safety
///
/// As for the C library's.
pub unsafe fn pthread_getaffinity_np(thread: libc::pthread_t, size: usize, set: *mut c_void) -> c_int {
    type Ask = unsafe extern "C" fn(libc::pthread_t, usize, *mut c_void) -> c_int;
    rise();
    // SAFETY: the C library's function has this type; the rest is the caller's promise.
    unsafe {
        let ask: Ask = std::mem::transmute(PTHREAD_GETAFFINITY.find());
        ask(thread, size, set)
    }
}

/// As the C library's.
pub fn sysconf(name: c_int) -> c_long {
    type Ask = extern "C" fn(c_int) -> c_long;
    if name == libc::_SC_NPROCESSORS_ONLN {
        rise();
        if let online @ 1.. = ONLINE.load(Ordering::Relaxed) {
            return online.into();
        }
    }
    // SAFETY: the C library's function has this type.
    let ask: Ask = unsafe { std::mem::transmute(SYSCONF.find()) };
    ask(name)
}

/// As the C library's.
pub fn get_nprocs() -> c_int {
    type Ask = extern "C" fn() -> c_int;
    rise();
    if let online @ 1.. = ONLINE.load(Ordering::Relaxed) {
        return online;
    }
    // SAFETY: the C library's function has this type.
    let ask: Ask = unsafe { std::mem::transmute(GET_NPROCS.find()) };
    ask()
}

/// `posix_spawn` and `posix_spawnp`: the number of the child, what is started, what is done with files and what the child is like, arguments and
/// environment.
type Spawn = unsafe extern "C" fn(
    *mut libc::pid_t,
    *const c_char,
    *const libc::posix_spawn_file_actions_t,
    *const libc::posix_spawnattr_t,
    *const *mut c_char,
    *const *mut c_char,
) -> c_int;

/// As the C library's, which asks no handler of forks.
///
/// # Safety
///
/// As for the C library's.
pub unsafe fn posix_spawn(
    pid: *mut libc::pid_t,
    path: *const c_char,
    actions: *const libc::posix_spawn_file_actions_t,
    attributes: *const libc::posix_spawnattr_t,
    arguments: *const *mut c_char,
    environment: *const *mut c_char,
) -> c_int {
    rise();
    // SAFETY: the C library's function has this type; the rest is the caller's promise.
    unsafe {
        let spawn: Spawn = std::mem::transmute(POSIX_SPAWN.find());
        spawn(pid, path, actions, attributes, arguments, environment)
    }
}

/// As the C library's, which asks no handler of forks.
///
/// # Safety
///
/// As for the C library's.
pub unsafe fn posix_spawnp(
    pid: *mut libc::pid_t,
    file: *const c_char,
    actions: *const libc::posix_spawn_file_actions_t,
    attributes: *const libc::posix_spawnattr_t,
    arguments: *const *mut c_char,
    environment: *const *mut c_char,
) -> c_int {
    rise();
    // SAFETY: the C library's function has this type; the rest is the caller's promise.
    unsafe {
        let spawn: Spawn = std::mem::transmute(POSIX_SPAWNP.find());
        spawn(pid, file, actions, attributes, arguments, environment)
    }
}

/// As the C library's, which asks no handler of forks.
///
/// # Safety
///
/// As for the C library's.
pub unsafe fn system(command: *const c_char) -> c_int {
    type Run = unsafe extern "C" fn(*const c_char) -> c_int;
    rise();
    // SAFETY: the C library's function has this type; the rest is the caller's promise.
    unsafe {
        let run: Run = std::mem::transmute(SYSTEM.find());
        run(command)
    }
}

/// As the C library's, which asks no handler of forks.
///
/// # Safety
///
/// As for the C library's.
pub unsafe fn popen(command: *const c_char, mode: *const c_char) -> *mut libc::FILE {
    type Open = unsafe extern "C" fn(*const c_char, *const c_char) -> *mut libc::FILE;
    rise();
    // SAFETY: the C library's function has this type; the rest is the caller's promise.
    unsafe {
        let open: Open = std::mem::transmute(POPEN.find());
        open(command, mode)
    }
}
