//! What is called: the faulty library behind sessions, bound twice, for one call at a time and for several.

use std::fs;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{Library, Options, Result, Session, rt};
use hotcell_bind::{Bound, Job, Source};
use hotcell_model::interface::Function;
use hotcell_shm::lock::Mutex;

use crate::setting::Setting;

/// The library behind a session.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// Which session it is, of all that were opened.
    pub(crate) number: usize,
    pub(crate) session: Session,
    bound: &'static Bound,
}

/// Stands for a session that could not be opened, and has no number.
pub(crate) const NOT_OPENED: usize = usize::MAX;

static SERIALIZED: OnceLock<Bound> = OnceLock::new();
static REENTRANT: OnceLock<Bound> = OnceLock::new();

/// Those of pools, which nobody else opens.
static POOLED: Mutex<Vec<Subject>> = Mutex::new(Vec::new());

/// Why it is bound.
const BOUND: &str = "nobody opens a session before `bind`";

/// Binds the library, both ways.
pub(crate) fn bind() -> std::result::Result<(), String> {
    let path = hotcell_faulty::folder().join("bind.toml");
    let contract = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    // Releases are nothing that is to end in a hurry here, and one function may be made again.
    let contract = contract.replace("deadline = \"500ms\"\n", "");
    let contract =
        contract.replace("[function.faulty_total]\n", "[function.faulty_total]\nidempotent = true\n");
    let threads = |words: &str| format!("hotcell = 1\nthreads = \"{words}\"\n");
    for (bound, words) in [(&SERIALIZED, "serialized"), (&REENTRANT, "reentrant")] {
        let text = contract.replacen("hotcell = 1\n", &threads(words), 1);
        let job = Job { source: Source::Text { text, path: path.clone() }, ..hotcell_faulty::job() };
        let made = hotcell_bind::bind(&job).map_err(|error| error.to_string())?;
        let _ = bound.set(made);
    }
    Ok(())
}

/// The sessions that pools have opened since this was asked last.
pub(crate) fn opened_by_pools() -> Vec<Subject> {
    std::mem::take(&mut POOLED.lock())
}

impl Subject {
    pub(crate) fn open(setting: &Setting) -> Result<Subject> {
        Subject::of(if setting.lanes > 1 { &REENTRANT } else { &SERIALIZED }, setting.options())
    }

    fn of(bound: &'static OnceLock<Bound>, options: Options) -> Result<Subject> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let bound = bound.get().expect(BOUND);
        let options = Options { libraries: bound.libraries.clone(), ..options };
        let session = Session::open_by(bound.package, bound.rules, options)?;
        Ok(Subject { number: NUMBER.fetch_add(1, Ordering::Relaxed), session, bound })
    }

    /// With these options, one call at a time.
    pub(crate) fn with(options: Options) -> Result<Subject> {
        Subject::of(&SERIALIZED, options)
    }

    /// The same, through another value of its session.
    pub(crate) fn through(&self, session: Session) -> Subject {
        Subject { session, ..self.clone() }
    }

    /// Calls `faulty_<name>`.
    pub(crate) fn call(&self, name: &str, args: &[Value]) -> Result<Outcome> {
        dynamic::call(&self.session, &self.bound.interface, self.function(name), args)
    }

    /// As [`Subject::call`], awaited.
    pub(crate) async fn awaited(self, name: &'static str, args: Vec<Value>) -> Result<Outcome> {
        let here = std::panic::Location::caller();
        dynamic::call_awaited(&self.session, &self.bound.interface, self.function(name), &args, here).await
    }

    /// Begins a batch.
    pub(crate) fn batch(&self) -> dynamic::Batch {
        dynamic::Batch::new(&self.session, &std::sync::Arc::new(self.bound.interface.clone()))
    }

    /// The function `faulty_<name>`, or that of another whole name.
    pub(crate) fn function(&self, name: &str) -> (u16, &'static Function) {
        let interface = &self.bound.interface;
        let function = interface.function(&format!("faulty_{name}")).or_else(|| interface.function(name));
        function.expect("the contract binds what the soak calls")
    }
}

/// For pools.
impl Library for Subject {
    fn package() -> &'static rt::Package {
        SERIALIZED.get().expect(BOUND).package
    }

    fn open_with(options: Options) -> Result<Subject> {
        let subject = Subject::with(options)?;
        POOLED.lock().push(subject.clone());
        Ok(subject)
    }

    fn session(&self) -> &Session {
        &self.session
    }
}
