//! A clock that is moved: no deadline hangs on it.

use std::process::Command;

use hotcell_e2e::cli::Folder;

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
