//! Whether a process that was sent SIGABRT has had its turn on a CPU since. One that waits for a turn ends no sooner by SIGKILL, which needs
//! the same turn: so that is not sent meanwhile, and what the handler of the first would tell is not lost. A process that runs on other threads meanwhile
//! does not wait: all of them together have as long as one that takes the signal at once.

use std::fs;
use std::time::{Duration, Instant};

use hotcell_sandbox::cpu_time;
use rustix::process::Signal;

use crate::aborted::ABORT_GRACE;
use crate::hearing;
use crate::usage;

/// How long a process may wait for its turn, at most. Who waits for its end waits that long for a killed one, too.
pub(crate) const LONGEST: Duration = Duration::from_secs(1);

/// How often it is looked whether it still waits.
pub(crate) const LOOK: Duration = Duration::from_millis(5);

/// The time on a CPU in which a thread has come to the handler, and has left it. One that has had more goes on with something else.
const HANDLED: Duration = Duration::from_millis(5);

/// When a process was sent SIGABRT, how long it was to have for it, and the thread that the kernel gives it to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aborted {
    pub(crate) at: Instant,
    pub(crate) grace: Duration,
    pub(crate) thread: Option<Turn>,
}

/// A thread of a process, and the time that each had had on CPUs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    process: u32,
    thread: u32,
    ran: Duration,
    all_ran: Duration,
}

impl Turn {
    /// Of the thread of a process that takes a signal as that is sent: the first that does not have it blocked, which the kernel looks at first. `None` where no
    /// thread does, and where the kernel does not tell.
    pub(crate) fn of(process: u32, signal: Signal, send: impl FnOnce()) -> Option<Turn> {
        // Before it is sent: whoever handles it has it blocked meanwhile.
        let thread = hearing::who_hears(process, signal);
        send();
        // Behind that: who is on a CPU takes it at once, and who is not has had this much.
        Turn::now(process, thread?)
    }

    fn now(process: u32, thread: u32) -> Option<Turn> {
        Some(Turn { process, thread, ran: ran(process, thread)?, all_ran: cpu_time(process)? })
    }

    /// Whether the thread could run and was not let, but for the time that the handler takes, and no other of its process has run instead of it. One that sleeps, is
    /// stopped or has ended does not wait.
    pub(crate) fn is_waited_for(&self) -> bool {
        let Turn { process, thread, .. } = *self;
        let is_runnable = || {
            let stat = fs::read(format!("/proc/{process}/task/{thread}/stat")).ok()?;
            usage::of_stat(&String::from_utf8_lossy(&stat)).map(|(_, state)| state == 'R')
        };
        let has_waited = |now: Turn| {
            now.ran.saturating_sub(self.ran) < HANDLED
                && now.all_ran.saturating_sub(self.all_ran) < ABORT_GRACE
        };
        is_runnable() == Some(true) && Turn::now(process, thread).is_some_and(has_waited)
    }
}

/// The time that a thread has had on CPUs.
fn ran(process: u32, thread: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/task/{thread}/schedstat")).ok()?;
    of_schedstat(&text)
}

/// The same, of a text: nanoseconds on CPUs, nanoseconds in line for one, and how many turns there were.
fn of_schedstat(text: &str) -> Option<Duration> {
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use rustix::process::{Pid, kill_process, setpriority_process};
    use rustix::thread::{CpuSet, gettid, sched_getcpu, sched_setaffinity};

    use super::*;

    /// A watchdog, not an expectation.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A program that ends with the test.
    struct Program(Child);

    impl Program {
        fn start(script: &str) -> Program {
            Program(Command::new("sh").args(["-c", script]).stdin(Stdio::null()).spawn().unwrap())
        }

        fn loops() -> Program {
            Program::start("while :; do :; done")
        }

        fn pid(&self) -> Pid {
            Pid::from_child(&self.0)
        }

        fn turn(&self) -> Turn {
            Turn::of(self.0.id(), Signal::ABORT, || {}).expect("it hears, and the kernel tells")
        }
    }

    impl Drop for Program {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn until(what: &str, is_so: impl Fn() -> bool) {
        let patience = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < patience, "{what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn who_could_run_and_was_not_let_is_waited_for() {
        let (looping, over) = (Program::loops(), AtomicBool::new(false));
        let mut cpu = CpuSet::new();
        cpu.set(sched_getcpu());
        thread::scope(|scope| {
            let _over = Over(&over);
            scope.spawn(|| loops_on(&cpu, &over));
            sched_setaffinity(Some(looping.pid()), &cpu).unwrap();
            setpriority_process(Some(looping.pid()), 19).unwrap();
            // Most of the time it is behind: it had a moment now and then.
            until("it is never behind", || {
                let turn = looping.turn();
                thread::sleep(4 * HANDLED);
                turn.is_waited_for()
            });
        });
    }

    /// Ends those that loop, whatever comes of the test.
    struct Over<'a>(&'a AtomicBool);

    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Loops until that is so, on one CPU.
    fn loops_on(cpu: &CpuSet, over: &AtomicBool) {
        sched_setaffinity(None, cpu).unwrap();
        while !over.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn who_is_behind_others_of_its_own_process_is_not() {
        let (over, (tell, told)) = (AtomicBool::new(false), mpsc::channel());
        let mut cpu = CpuSet::new();
        cpu.set(sched_getcpu());
        thread::scope(|scope| {
            let _over = Over(&over);
            scope.spawn(|| {
                tell.send(gettid().as_raw_nonzero().get().cast_unsigned()).unwrap();
                setpriority_process(None, 19).unwrap();
                loops_on(&cpu, &over);
            });
            scope.spawn(|| loops_on(&cpu, &over));
            let (process, behind) = (std::process::id(), told.recv().unwrap());
            until("it is never behind", || {
                let turn = Turn::now(process, behind).unwrap();
                thread::sleep(8 * HANDLED);
                let others_ran = cpu_time(process).unwrap() - turn.all_ran >= ABORT_GRACE;
                let is_waited_for = turn.is_waited_for();
                let was_behind = ran(process, behind).unwrap() - turn.ran < HANDLED;
                assert!(!others_ran || !is_waited_for);
                others_ran && was_behind
            });
        });
    }

    #[test]
    fn who_runs_sleeps_or_stands_still_is_not() {
        let (looping, asleep) = (Program::loops(), Program::start("exec sleep 60"));
        let state = |program: &Program, letter: char| {
            let stat = fs::read_to_string(format!("/proc/{}/stat", program.0.id())).unwrap();
            usage::of_stat(&stat).is_some_and(|(_, state)| state == letter)
        };
        let turn = looping.turn();
        until("it has run", || !turn.is_waited_for());
        assert!(ran(looping.0.id(), looping.0.id()).unwrap() - turn.ran >= HANDLED && state(&looping, 'R'));
        until("it sleeps", || state(&asleep, 'S') && !asleep.turn().is_waited_for());
        kill_process(looping.pid(), Signal::STOP).unwrap();
        until("it stands still", || state(&looping, 'T'));
        assert!(!looping.turn().is_waited_for());
        assert!(Turn::of(0, Signal::ABORT, || {}).is_none());
    }

    #[test]
    fn what_a_thread_has_had_is_read() {
        assert_eq!(of_schedstat("1500000 20 3\n"), Some(Duration::from_micros(1500)));
        assert_eq!([of_schedstat(""), of_schedstat("x 1 2")], [None; 2]);
    }
}
