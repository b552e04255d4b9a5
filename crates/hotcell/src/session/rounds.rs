//! The one thread of a process that looks at workers now and then, so that no call has to, and at pools.
//!
//! What is looked at says when to look again. It is taken out of the list for that: nobody waits for a look, and one that
//! takes long keeps only other looks waiting.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hotcell_sandbox::with_signals_blocked;
use hotcell_shm::OfProcess;
use hotcell_shm::lock::{Condvar, Mutex};

/// What is looked at.
pub(super) trait Looked: Send {
    /// Looks. Comes with when to look again; `None` when it has gone.
    fn look(&mut self) -> Option<Duration>;
}

struct Rounds {
    list: Mutex<Vec<(Instant, Box<dyn Looked>)>>,
    more: Condvar,
}

/// Those of a parent are left as they are: what they look at, and the locks of that, are not to be touched.
static ROUNDS: OfProcess<Mutex<Option<Arc<Rounds>>>> = OfProcess::new();

/// Has this looked at from now on, first after that time.
pub(super) fn look_at(looked: Box<dyn Looked>, first: Duration) -> io::Result<()> {
    let rounds = Rounds::of_this_process()?;
    rounds.list.lock().push((Instant::now() + first, looked));
    rounds.more.notify_one();
    Ok(())
}

/// Does this while no other thread gets at them, as while they are begun.
pub(crate) fn held<T>(run: impl FnOnce() -> T) -> T {
    let _held = ROUNDS.get().map(Mutex::lock);
    run()
}

impl Rounds {
    /// Those of this process; begun when they are first needed, and again in a forked child, to which threads are not handed
    /// down.
    fn of_this_process() -> io::Result<Arc<Rounds>> {
        let mut rounds = ROUNDS.get()?.lock();
        if let Some(rounds) = &*rounds {
            return Ok(Arc::clone(rounds));
        }
        let begun = Arc::new(Rounds { list: Mutex::default(), more: Condvar::new() });
        let own = Arc::clone(&begun);
        // Signals of the application are for its own threads.
        let thread = thread::Builder::new().name("hotcell-rounds".into());
        with_signals_blocked(|| thread.spawn(move || own.run()))?;
        *rounds = Some(Arc::clone(&begun));
        Ok(begun)
    }

    fn run(&self) {
        loop {
            let mut due = self.due();
            // What is the application's may go with a worker, and panic. There is nobody to hear it, and others wait.
            let next = catch_unwind(AssertUnwindSafe(|| due.look())).unwrap_or_else(|panic| {
                std::mem::forget(panic);
                Some(Duration::from_secs(1))
            });
            match next {
                Some(after) => self.list.lock().push((Instant::now() + after, due)),
                None => drop(due),
            }
        }
    }

    /// Waits for the next that is to be looked at, and takes it out.
    fn due(&self) -> Box<dyn Looked> {
        let mut list = self.list.lock();
        loop {
            let first =
                list.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(index, (at, _))| (index, *at));
            match first {
                Some((index, at)) if at <= Instant::now() => return list.swap_remove(index).1,
                Some((_, at)) => _ = self.more.wait_until(&mut list, at),
                None => self.more.wait(&mut list),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct Counts(u32, mpsc::Sender<u32>);

    impl Looked for Counts {
        fn look(&mut self) -> Option<Duration> {
            self.0 += 1;
            self.1.send(self.0).unwrap();
            match self.0 {
                1 => panic!("nobody hears it"),
                4 => None,
                _ => Some(Duration::ZERO),
            }
        }
    }

    #[test]
    fn each_is_looked_at_until_it_has_gone_whatever_becomes_of_a_look() {
        let seen = [Duration::ZERO, Duration::from_millis(3)].map(|first| {
            let (told, seen) = mpsc::channel();
            look_at(Box::new(Counts(0, told)), first).unwrap();
            seen
        });
        // They end when what tells has gone.
        assert_eq!(seen.map(|seen| seen.iter().collect::<Vec<_>>()), [[1, 2, 3, 4], [1, 2, 3, 4]]);
    }
}
