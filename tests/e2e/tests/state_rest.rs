//! What calls leave changed where several are executed at a time: what a thread has of its own is put back for the next call on
//! each of them, and what the process has once is left alone. And what cannot be put back: that is seen soon.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use hotcell::dynamic::{self, Value};
use hotcell::{Options, Recycle, Session, StatePart, Wear};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::process::wait_until;

const HEADER: &str = "
/* Waits until so many calls are inside, and changes what this thread has: 0. */
int lanes_change(int together);
/* The same, and says what is another than it was: 1 how numbers are rounded, 2 which signals are blocked, 4 the locale. */
int lanes_changed(int together);
/* Sets the mask of new files: the one before. */
int lanes_mask(int mask);
/* Leaves a signal waiting, blocked, that would end the process: 0. */
int lanes_leave_signal(void);
";

const CODE: &str = r#"
#define _GNU_SOURCE
#include "lanes.h"
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static int inside, turn;

/* Each call of a turn is on a thread of its own: none leaves before all are there. */
static void meet(int together)
{
    pthread_mutex_lock(&lock);
    int own = turn;
    if (++inside == together) {
        inside = 0;
        turn++;
        pthread_cond_broadcast(&more);
    }
    while (own == turn) {
        pthread_cond_wait(&more, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static sigset_t one(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    return set;
}

static int found(void)
{
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    return (fegetround() != FE_TONEAREST) | sigismember(&blocked, SIGUSR1) << 1 |
           (uselocale((locale_t)0) != LC_GLOBAL_LOCALE) << 2;
}

int lanes_change(int together)
{
    sigset_t set = one();
    meet(together);
    fesetround(FE_UPWARD);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
    return found() == 7 ? 0 : -1;
}

int lanes_changed(int together)
{
    meet(together);
    return found();
}

int lanes_leave_signal(void)
{
    sigset_t set = one();
    return pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 || raise(SIGUSR1) != 0;
}

int lanes_mask(int mask) { return (int)umask((mode_t)mask); }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "lanes"
headers = ["lanes.h"]
link = ["lanes"]
threads = "reentrant"
"#;

const LANES: usize = 3;

fn call(bound: &Bound, session: &Session, name: &str, arg: i128) -> i128 {
    let function = bound.interface.function(name).unwrap();
    match dynamic::call(session, &bound.interface, function, &[Value::Int(arg)]).unwrap().returned {
        Some(Value::Int(number)) => number,
        other => panic!("{other:?}"),
    }
}

/// What as many calls return as there are lanes, all inside at a time.
fn together(bound: &Bound, session: &Session, name: &str) -> Vec<i128> {
    std::thread::scope(|scope| {
        let calls = || call(bound, session, name, LANES as i128);
        let threads: Vec<_> = (0..LANES).map(|_| scope.spawn(calls)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn what_a_thread_has_is_as_before_on_each_of_them() {
    let (_folder, bound) = bind("lanes", HEADER, CODE, CONTRACT);
    let session = bound.open(Options { callers: LANES as u32, ..Options::default() }).unwrap();
    for times in 1..=3 {
        assert_eq!(together(&bound, &session, "lanes_change"), [0; LANES], "it is seen to happen");
        assert_eq!(together(&bound, &session, "lanes_changed"), [0; LANES]);
        // They are counted behind the replies.
        let count = |part| session.stats().state_changes.unwrap_or_default().count(part);
        for part in [StatePart::Arithmetic, StatePart::Mask, StatePart::Locale] {
            wait_until("it is never counted", || count(part) >= times * LANES as u64);
            assert_eq!(count(part), times * LANES as u64, "{part:?}");
        }
    }
    assert_eq!(session.generation(), 1);
}

#[test]
fn what_the_process_has_once_is_left_alone_where_several_calls_use_it() {
    let (_folder, bound) = bind("lanes", HEADER, CODE, CONTRACT);
    let several = bound.open(Options { callers: 2, ..Options::default() }).unwrap();
    let masks = |session: &Session| [0o022, 0o027, 0].map(|mask| call(&bound, session, "lanes_mask", mask));
    assert_eq!(masks(&several), [0o077, 0o022, 0o027]);
    assert_eq!(several.stats().state_changes.unwrap_or_default().count(StatePart::Umask), 0);
    // With one call at a time it is put back.
    let one = bound.open(Options { callers: 1, ..Options::default() }).unwrap();
    assert_eq!(masks(&one), [0o077; 3]);
}

/// However seldom a worker is looked at: it is replaced, and the next call does not wait for that.
#[test]
fn what_cannot_be_put_back_is_seen_soon_and_its_worker_replaced() {
    let (_folder, bound) = bind("lanes", HEADER, CODE, CONTRACT);
    let recycle = Some(Recycle { every: Duration::from_secs(24 * 3600), ..Recycle::default() });
    let session = bound.open(Options { callers: 1, recycle, ..Options::default() }).unwrap();
    let function = bound.interface.function("lanes_leave_signal").unwrap();
    let left = dynamic::call(&session, &bound.interface, function, &[]).unwrap();
    assert_eq!(left.returned, Some(Value::Int(0)));
    wait_until("its worker is never replaced", || session.stats().recycled == 1);
    let worn = session.worn().unwrap();
    assert_eq!(worn.worn.by, Wear::State);
    assert!(worn.stacks.iter().any(|stack| !stack.frames.is_empty()), "{:?}", worn.stacks);
    assert_eq!(call(&bound, &session, "lanes_changed", 1), 0, "another worker has all as it was");
    assert_eq!(session.generation(), 2);
}
