//! A serving thread sleeps near its caller, bound to his CPU, and no library ever finds itself confined.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;
use std::time::Duration;

use hotcell::dynamic::{self, Value};
use hotcell::{Options, Profile, Sandbox, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

const HEADER: &str = "\
int spread_kernel(void);
int spread_affinity(void);
int spread_thread_affinity(void);
int spread_online(void);
int spread_nprocs(void);
int spread_told(int how);
int spread_thread(void);
int spread_standard_thread(void);
int spread_child(void);
int spread_spawned(int by_path);
int spread_system(void);
int spread_piped(void);
int spread_work(int milliseconds);
";

const CODE: &str = r#"
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include "spread.h"

/* What the kernel says, past everybody. */
int spread_kernel(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    return syscall(SYS_sched_getaffinity, 0, sizeof set, &set) < 0 ? -1 : CPU_COUNT(&set);
}

int spread_affinity(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) < 0 ? -1 : CPU_COUNT(&set);
}

int spread_thread_affinity(void)
{
    cpu_set_t set;
    return pthread_getaffinity_np(pthread_self(), sizeof set, &set) != 0 ? -1 : CPU_COUNT(&set);
}

int spread_online(void)
{
    sysconf(_SC_NPROCESSORS_ONLN);
    return spread_kernel();
}

int spread_nprocs(void)
{
    get_nprocs();
    return spread_kernel();
}

/* What the C library says, in two ways. */
int spread_told(int how)
{
    return how == 0 ? (int)sysconf(_SC_NPROCESSORS_ONLN) : get_nprocs();
}

static void *count(void *result)
{
    *(int *)result = spread_kernel();
    return NULL;
}

int spread_thread(void)
{
    pthread_t thread;
    int result = -2;
    if (pthread_create(&thread, NULL, count, &result) != 0) {
        return -1;
    }
    pthread_join(thread, NULL);
    return result;
}

static int standard_count(void *result)
{
    *(int *)result = spread_kernel();
    return 0;
}

int spread_standard_thread(void)
{
    thrd_t thread;
    int result = -2;
    if (thrd_create(&thread, standard_count, &result) != thrd_success) {
        return -1;
    }
    thrd_join(thread, NULL);
    return result;
}

int spread_child(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        _exit(spread_kernel());
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

/* A program counts where it may run, and says so by how it ends. */
#define COUNTS "exit $(nproc)"

static int ended(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int spread_spawned(int by_path)
{
    char *arguments[] = {"sh", "-c", COUNTS, NULL};
    pid_t child;
    int status;
    int wrong = by_path ? posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ)
                        : posix_spawnp(&child, "sh", NULL, NULL, arguments, environ);
    return wrong != 0 || waitpid(child, &status, 0) != child ? -1 : ended(status);
}

int spread_system(void)
{
    return ended(system(COUNTS));
}

int spread_piped(void)
{
    FILE *child = popen(COUNTS, "r");
    return child == NULL ? -1 : ended(pclose(child));
}

int spread_work(int milliseconds)
{
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000 < milliseconds);
    return spread_kernel();
}
"#;

const CONTRACT: &str = "hotcell = 1\nlibrary = \"spread\"\nheaders = [\"spread.h\"]\nlink = [\"spread\"]\nsandbox = { profile = \"basic\" }\n";

fn call(session: &Session, bound: &Bound, name: &str, arguments: &[Value]) -> i128 {
    let function = bound.interface.function(name).unwrap();
    let outcome = dynamic::call(session, &bound.interface, function, arguments).unwrap();
    match outcome.returned {
        Some(Value::Int(number)) => number,
        other => panic!("{name}: {other:?}"),
    }
}

/// Calls that come seldom, until the thread that serves is bound while it executes one; false where there is one CPU.
fn near(session: &Session, bound: &Bound) -> bool {
    let all = sched_getaffinity(None).unwrap();
    if all.count() < 2 {
        return false;
    }
    // The caller stays where it is: the library's thread comes to it.
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    sched_setaffinity(None, &here).unwrap();
    for _ in 0..2_000 {
        thread::sleep(Duration::from_millis(2));
        if call(session, bound, "spread_kernel", &[]) == 1 {
            return true;
        }
    }
    panic!("the thread that serves is never bound near its caller");
}

#[test]
fn no_library_finds_itself_confined_to_its_callers_cpu() {
    let (_folder, bound) = bind("spread", HEADER, CODE, CONTRACT);
    // A worker of its own that may run anywhere this process may.
    let asks = [
        "spread_affinity",
        "spread_thread_affinity",
        "spread_online",
        "spread_nprocs",
        "spread_thread",
        "spread_standard_thread",
        "spread_child",
        "spread_system",
        "spread_piped",
    ];
    thread::spawn(move || {
        let all = sched_getaffinity(None).unwrap();
        let session = bound.open(Options::default()).unwrap();
        let home = i128::from(all.count());
        assert_eq!(call(&session, &bound, "spread_kernel", &[]), home);
        let asks = asks.map(|ask| (ask, vec![]));
        let spawned = [0, 1].map(|by_path| ("spread_spawned", vec![Value::Int(by_path)]));
        for (ask, arguments) in asks.into_iter().chain(spawned) {
            if !near(&session, &bound) {
                return;
            }
            assert_eq!(call(&session, &bound, ask, &arguments), home, "{ask}");
            sched_setaffinity(None, &all).unwrap();
        }
        // A call that takes long is the last to be executed there. On a machine that has much to do others take long, too, and it is
        // taken back before it is asked.
        let leaves = || {
            assert!(near(&session, &bound));
            call(&session, &bound, "spread_work", &[Value::Int(5)]);
            thread::sleep(Duration::from_millis(2));
            call(&session, &bound, "spread_kernel", &[]) == home
        };
        assert!((0..200).any(|_| leaves()));
    })
    .join()
    .unwrap();
}

/// The file by which the C library counts them is denied under `compute`. It has counted before, and the library hears no refusal that it did not ask for.
#[test]
fn a_library_counts_cpus_as_its_caller_does_and_nothing_is_refused() {
    let (_folder, bound) = bind("spread", HEADER, CODE, CONTRACT);
    let mut online = None;
    // In the first the C library reads its file whenever it is asked.
    for profile in [Profile::Basic, Profile::Compute, Profile::Files] {
        let sandbox = Some(Sandbox::of(profile));
        let session = bound.open(Options { sandbox, ..Options::default() }).unwrap();
        let told = [0, 1].map(|how| call(&session, &bound, "spread_told", &[Value::Int(how)]));
        let online = *online.get_or_insert(told[0]);
        assert_eq!((told, session.refused()), ([online; 2], None), "{profile:?}");
        assert!(online >= call(&session, &bound, "spread_kernel", &[]), "more than this process may run on");
    }
}
