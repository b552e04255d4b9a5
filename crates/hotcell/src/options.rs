//! How a session runs its library.

use std::path::PathBuf;
use std::time::Duration;

use hotcell_sandbox::Limits;

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
    /// How long the library may take to load, constructors and init calls included. 10 s.
    pub start_deadline: Duration,
    /// The worker program. `None` looks for it: `HOTCELL_WORKER`, beside this program, on the `PATH`.
    pub worker: Option<PathBuf>,
    /// The library files to load, when the loader would not find them (or would find others) by name.
    pub libraries: Vec<PathBuf>,
    /// Variables the library finds in its environment. Nothing else is inherited.
    pub environment: Vec<(String, String)>,
    /// Resource limits of the worker.
    pub limits: Limits,
    /// Most bytes the data of one call may have. 1 GiB.
    pub max_input: u64,
    /// Most bytes the results of one call may have. 1 GiB.
    pub max_output: u64,
    /// Most callbacks of one call; a library that calls back more often is ended. 10 million.
    pub max_callbacks: u64,
    /// How long a waiting side polls before it sleeps: longer makes rare calls faster and burns more CPU.
    /// 50 µs; zero when there is only one CPU, where polling would keep the other side from running.
    pub spin: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let alone = std::thread::available_parallelism().is_ok_and(|cpus| cpus.get() == 1);
        Options {
            deadline: Duration::from_secs(30),
            start_deadline: Duration::from_secs(10),
            worker: None,
            libraries: Vec::new(),
            environment: Vec::new(),
            limits: Limits::default(),
            max_input: 1 << 30,
            max_output: 1 << 30,
            max_callbacks: 10_000_000,
            spin: if alone { Duration::ZERO } else { Duration::from_micros(50) },
        }
    }
}
