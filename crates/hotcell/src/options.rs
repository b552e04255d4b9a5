//! How a session runs its library.

use std::path::PathBuf;
use std::time::Duration;

use hotcell_protocol::wire::{self, Guard};
use hotcell_sandbox::{Limits, Sandbox};

use crate::quarantine::Quarantine;
use crate::recycle::Recycle;
use crate::restart::Restart;
use crate::retries::Retries;
use crate::rt::Restores;
use crate::state::StatePart;
use crate::watch::Watch;

/// Options of a [`crate::Session`]; the defaults suit most libraries.
///
/// ```
/// let options = hotcell::Options { deadline: std::time::Duration::from_secs(2), ..Default::default() };
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    /// Deadline of a call, unless the function's contract or [`crate::Session::within`] says otherwise.
    /// 30 s.
    pub deadline: Duration,
    /// How long a call may go on when the library was told to stop it, where its contract says how: at its deadline, or when it
    /// was given up. Then its worker is ended. 25 ms.
    pub cancel_grace: Duration,
    /// How long the library may take to load, constructors and init calls included. 10 s.
    pub start_deadline: Duration,
    /// The worker program. `None` looks for it: `HOTCELL_WORKER`, beside this program, on the `PATH`.
    pub worker: Option<PathBuf>,
    /// The library files to load, in order. Empty: a package looks in `$HOTCELL_<LIBRARY>_LIB` and where they were when it
    /// was built; the loader finds the others by name.
    pub libraries: Vec<PathBuf>,
    /// Variables the library finds in its environment. Nothing else is inherited.
    pub environment: Vec<(String, String)>,
    /// The directory the library works in, an absolute path: names that do not begin at `/` begin there. What may be read and
    /// written the sandbox says. `/`, so that no file system is kept busy.
    pub directory: PathBuf,
    /// What the library may do. `None`: what its contract says, and where that says nothing, [`crate::Profile::Compute`].
    pub sandbox: Option<Sandbox>,
    /// Which blocks of the library's memory are guarded, so that using what is behind, before or no longer there is found.
    /// `None`: what its contract says, and where that says nothing, [`Guard::None`].
    pub guard: Option<Guard>,
    /// Parts of its process's state that the library may leave changed between calls; all others are put back. `None`: what its
    /// contract says, and where that says nothing, none.
    pub leaves: Option<Vec<StatePart>>,
    /// Resource limits of the worker.
    pub limits: Limits,
    /// Control groups that workers join before they load anything, by the paths of their directories; absolute. Of the second
    /// version one, of the first one for each hierarchy, 16 at most. What is limited there is the administrator's to say; a worker that
    /// cannot join does not start.
    pub control_groups: Vec<PathBuf>,
    /// Most bytes the data of one call may have. 1 GiB.
    pub max_input: u64,
    /// Most bytes the results of one call may have. 1 GiB.
    pub max_output: u64,
    /// Most objects of the library's that a worker may have at a time, those included that belong to others; one more is
    /// `LimitExceeded`. At most a million (2²⁰), which is the default.
    pub max_objects: u32,
    /// Most callbacks of one call; a library that calls back more often is ended. 10 million.
    pub max_callbacks: u64,
    /// Most callbacks a second from threads that the library makes; what comes faster waits. 100 000.
    pub max_callback_rate: u64,
    /// How both sides wait for each other.
    pub waiting: Waiting,
    /// Calls at a time, where the contract says that several threads may be inside the library (`threads = "reentrant"` or
    /// `"per-handle"`); each has a thread of the worker, once it was needed. 0: as many as there are CPUs for this process. At most 63.
    pub callers: u32,
    /// Workers that are kept ready to take over when the one that serves ends. 0: then the call behind a fault waits until
    /// a worker has come up. Each has loaded the library, takes memory as an idle worker does, and no CPU.
    pub spares: u32,
    /// When a worker is replaced though it has not failed. `None`: as the contract says, and where that says nothing, the
    /// [defaults](Recycle::default).
    pub recycle: Option<Recycle>,
    /// When a library that ends its workers again and again is given no other one for a while.
    pub restart: Restart,
    /// When a call is made again. `None`: as often as the contract says, and where that says nothing, the
    /// [defaults](Retries::default).
    pub retries: Option<Retries>,
    /// Which objects are made anew when their worker has ended. `None`: those of which the contract says how.
    pub restores: Option<Restores>,
    /// Inputs that end workers. Clones of options have the same list, and so have the sessions of a pool.
    pub quarantine: Quarantine,
    /// What other processes of the same user may see and do of this session: `hotcell ps`, `hotcell stats` and `hotcell reload`. `None`:
    /// what `HOTCELL_WATCH` says in the environment, `look` or `reload`, and without it nothing.
    pub watch: Option<Watch>,
}

/// How a caller and its worker wait for each other: by polling, which is fast and takes a CPU each, or asleep.
///
/// Nobody polls where there is one CPU only, or a quota of less than two, nor while the other side is on the same CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Waiting {
    /// Polls for 10 ms. Calls that come every few milliseconds find the worker awake, which then takes a CPU all the time.
    Latency,
    /// Polls for three times as long as waking a thread on another CPU takes here, which is measured once: 90 to 150 µs.
    /// When calls grow rarer than that the worker sleeps on its caller's CPU, where waking it is cheap; when they
    /// grow dense again it moves away and polls.
    #[default]
    Balanced,
    /// Never polls: for many workers that are called now and then. A call costs two switches of threads.
    Economy,
}

impl Waiting {
    /// How long a side polls before it sleeps.
    pub(crate) fn spin(self) -> Duration {
        /// Shorter would not outlast an answer, longer would burn more than it saves. A CPU that was busy when waking it was
        /// measured runs a thread within 5 µs, and when it is idle later it takes 30 and more: then polling for three times 5
        /// would let both sides sleep in every call, and go on so.
        const BOUNDS: (u64, u64) = (90_000, 150_000);
        let alone = hotcell_shm::usable_cpus().is_some_and(|cpus| cpus < 2);
        match (self, alone) {
            (Waiting::Economy, _) | (_, true) => Duration::ZERO,
            (Waiting::Latency, false) => Duration::from_millis(10),
            (Waiting::Balanced, false) => hotcell_shm::wake_latency().map_or(Duration::ZERO, |latency| {
                Duration::from_nanos(latency.saturating_mul(3).clamp(BOUNDS.0, BOUNDS.1))
            }),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            deadline: Duration::from_secs(30),
            cancel_grace: Duration::from_millis(25),
            start_deadline: Duration::from_secs(10),
            worker: None,
            libraries: Vec::new(),
            environment: Vec::new(),
            directory: PathBuf::from("/"),
            sandbox: None,
            guard: None,
            leaves: None,
            limits: Limits::default(),
            control_groups: Vec::new(),
            max_input: 1 << 30,
            max_output: 1 << 30,
            max_objects: wire::MAX_HANDLES,
            max_callbacks: 10_000_000,
            max_callback_rate: 100_000,
            waiting: Waiting::default(),
            callers: 0,
            spares: 0,
            recycle: None,
            restart: Restart::default(),
            retries: None,
            restores: None,
            quarantine: Quarantine::default(),
            watch: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A CPU that is busy runs a thread that is woken much sooner than one that sleeps.
    #[test]
    fn a_process_that_began_on_a_busy_machine_polls_for_long_enough_later() {
        let over = AtomicBool::new(false);
        let spin = std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            }
            let spin = Waiting::Balanced.spin();
            over.store(true, Ordering::Relaxed);
            spin
        });
        match hotcell_shm::usable_cpus() {
            Some(..2) => assert_eq!(spin, Duration::ZERO),
            _ => assert!((90..=150).contains(&spin.as_micros()), "{spin:?}"),
        }
    }
}
