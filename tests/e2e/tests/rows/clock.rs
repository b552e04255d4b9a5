//! A clock that is moved: no deadline hangs on it.

use std::collections::BTreeMap;
use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use hotcell::{ErrorKind, Options};
use hotcell_e2e::cli::Folder;
use hotcell_faulty::Faulty;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

/// Moves the clock of the day by a day, back and forth, each time somebody looks.
const MOVED: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_int looks;

static time_t moved(time_t now)
{
    int look = atomic_fetch_add(&looks, 1);
    return now + (look % 2 == 0 ? 86400 : -86400) * (1 + look % 7);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec = moved(now->tv_sec);
    }
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict unused)
{
    struct timespec exact;
    (void)unused;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to != NULL) {
        *to = now.tv_sec;
    }
    return now.tv_sec;
}
"#;

#[test]
fn deadlines_hold_while_the_clock_is_moved() {
    let folder = Folder::new();
    folder.write("moved.c", MOVED);
    folder.compile_with("moved", &[]);
    let mut host = Command::new(env!("CARGO_BIN_EXE_hotcell-odd-host"));
    host.arg("moved-clock").env("LD_PRELOAD", folder.path().join("libmoved.so"));
    let output = host.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said, "the clock moves\nlong: 100 calls\nloop: Hung\nsleep: Hung\nnext: 3\n");
}

/// Set in the process of a test in which no wait by the clock of the day is survived.
const FILTERED: &str = "HOTCELL_E2E_CLOCK";

/// Waits by the clock of the day, before the program begins.
const WAITS: &str = r#"
#include <semaphore.h>
#include <time.h>

__attribute__((constructor)) static void wait_a_moment(void)
{
    sem_t never;
    struct timespec until;
    sem_init(&never, 0, 0);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    sem_timedwait(&never, &until);
}
"#;

/// From here on this process, and all that it starts, is ended where it waits until a time of the clock of the day.
fn end_who_waits_by_the_day() {
    let is = |argument, operator, value| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value).unwrap()
    };
    let day = u64::try_from(libc::CLOCK_REALTIME).unwrap();
    let bit = |flag: i32| {
        let flag = u64::try_from(flag).unwrap();
        (SeccompCmpOp::MaskedEq(flag), flag)
    };
    // The C library says that clock of waits without an end as well.
    let timed = SeccompCondition::new(3, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0).unwrap();
    let rule = |conditions| SeccompRule::new(conditions).unwrap();
    let (of_day, by_day) = bit(libc::FUTEX_CLOCK_REALTIME);
    let (absolute, until) = bit(libc::TIMER_ABSTIME);
    let rules = BTreeMap::from([
        (libc::SYS_futex, vec![rule(vec![is(1, of_day, by_day), timed])]),
        (libc::SYS_clock_nanosleep, vec![rule(vec![is(0, SeccompCmpOp::Eq, day), is(1, absolute, until)])]),
        (libc::SYS_timerfd_create, vec![rule(vec![is(0, SeccompCmpOp::Eq, day)])]),
        (libc::SYS_timer_create, vec![rule(vec![is(0, SeccompCmpOp::Eq, day)])]),
    ]);
    let architecture = env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::KillProcess, architecture);
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    apply_filter(&program).unwrap();
}

#[test]
fn no_wait_is_by_the_clock_of_the_day() {
    if env::var_os(FILTERED).is_none() {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "clock::no_wait_is_by_the_clock_of_the_day"]).env(FILTERED, "1");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{:?} {said}", output.status);
        return;
    }
    let folder = Folder::new();
    folder.write("waits.c", WAITS);
    folder.compile_with("waits", &["-pthread"]);
    end_who_waits_by_the_day();
    let ended =
        Command::new("/bin/true").env("LD_PRELOAD", folder.path().join("libwaits.so")).status().unwrap();
    assert_eq!(ended.signal(), Some(libc::SIGSYS), "a wait by the clock of the day is survived: {ended}");

    let faulty = Faulty::open(Options { spares: 1, ..Options::default() }).unwrap();
    let hasty = faulty.within(Duration::from_millis(300));
    assert_eq!(faulty.int("sleep", &[100]).unwrap(), 100);
    for name in ["loop", "deadlock"] {
        assert_eq!(hasty.int(name, &[]).unwrap_err().kind(), ErrorKind::Hung, "{name}");
        assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    }
    assert_eq!(faulty.int("abort", &[]).unwrap_err().kind(), ErrorKind::Crashed);
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
}
