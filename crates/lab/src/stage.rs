//! Where a row happens: its sessions of the library, in this program or in another, and the files that it needs.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::serve::options;
use hotcell::{Options, rt};
use hotcell_faulty::{LIBRARY, OTHER_LAYOUT, carried};
use serde_json::Value as Json;

use crate::failure::Failure;
use crate::row::{Ran, Stop};
use crate::session::{Session, Timed};
use crate::state::ProgramState;
use crate::value::{Callback, Outcome, Value};
use crate::via::There;
use crate::via::driver;

/// For calls that end by themselves. Long: it is no measure of anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// The part of a locale that says how numbers are written, as the C library has it in files: its mark, six values, where each
/// lies, and the values: the decimal point, what separates thousands (nothing) and how many make a group, both again as
/// wide characters, and the encoding.
const COMMA: [u8; 50] = *b"\x14\x11\x03\x20\x06\0\0\0\
    \x20\0\0\0\x22\0\0\0\x23\0\0\0\x24\0\0\0\x28\0\0\0\x2c\0\0\0\
    ,\0\0\0,\0\0\0\0\0\0\0UTF-8\0";

/// What stays for all rows: the library, as a file in memory.
#[derive(Debug)]
pub(crate) struct Library {
    file: OwnedFd,
}

/// Who makes the calls of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// This program. These words make it play a host, once more: see [`crate::host`].
    Here(&'a [&'a str]),
    /// A program in another language.
    There(&'a There),
}

/// The stage of one row.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    library: &'a Library,
    caller: Caller<'a>,
    session: Option<Session>,
    folder: Option<tempfile::TempDir>,
    /// Libraries that were changed.
    files: Vec<OwnedFd>,
    /// How long the last call took.
    took: Option<Duration>,
}

impl Library {
    pub(crate) fn new() -> rustix::io::Result<Library> {
        Ok(Library { file: hotcell_shm::sealed_copy(LIBRARY)? })
    }

    /// For this process, and others while it lives.
    pub(crate) fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd()).into()
    }

    /// Options of a session that loads it.
    pub(crate) fn options(&self) -> Options {
        Options {
            libraries: vec![self.path()],
            deadline: PATIENCE,
            start_deadline: PATIENCE,
            ..Options::default()
        }
    }
}

/// What of these options is not the default, as `hotcell serve` takes them.
pub(crate) fn said(options: &Options) -> Json {
    let (mut said, otherwise) = (options::write(options), options::write(&Options::default()));
    if let Some(members) = said.as_object_mut() {
        members.retain(|name, value| otherwise.get(name) != Some(value));
    }
    said
}

impl<'a> Stage<'a> {
    pub(crate) fn new(library: &'a Library, caller: Caller<'a>) -> Stage<'a> {
        Stage { library, caller, session: None, folder: None, files: Vec::new(), took: None }
    }

    /// Who makes the calls.
    pub(crate) fn caller(&self) -> Caller<'a> {
        self.caller
    }

    /// Options of a session that loads the library.
    pub(crate) fn options(&self) -> Options {
        self.library.options()
    }

    /// Opens the row's session with other options than the usual ones.
    pub(crate) fn open(&mut self, change: impl FnOnce(&mut Options)) -> Result<Session, Stop> {
        let mut options = self.options();
        change(&mut options);
        let session = open(self.caller, options)?;
        Ok(self.session.insert(session).clone())
    }

    /// Opens the row's session of another package, in this program.
    pub(crate) fn open_package(
        &mut self,
        package: &'static rt::Package,
        options: Options,
    ) -> Result<Session, Stop> {
        let session = Session::Here(hotcell::Session::open(package, options)?);
        Ok(self.session.insert(session).clone())
    }

    /// Another session beside the row's own.
    pub(crate) fn another(&self) -> Result<Session, Stop> {
        Ok(open(self.caller, self.options())?)
    }

    /// The row's session.
    pub(crate) fn session(&mut self) -> Result<Session, Stop> {
        match &self.session {
            Some(session) => Ok(session.clone()),
            None => self.open(|_| ()),
        }
    }

    /// What is once in the program that calls, and no library may change; that has this mask from now on, if one is given.
    pub(crate) fn state(&self, mask: Option<u32>) -> Result<ProgramState, Stop> {
        match self.caller {
            Caller::Here(_) => ProgramState::here(mask),
            Caller::There(there) => Ok(ProgramState::there(there.driver(), mask)?),
        }
    }

    /// Calls `faulty_<name>`, or a function with that name.
    pub(crate) fn call(&mut self, name: &str, args: &[Value]) -> Result<Outcome, Stop> {
        let session = self.session()?;
        self.timed(session.timed(name, args, None))
    }

    /// As [`Stage::call`], with a callback.
    pub(crate) fn call_with(
        &mut self,
        name: &str,
        args: &[Value],
        callback: &mut Callback<'_>,
    ) -> Result<Outcome, Stop> {
        let session = self.session()?;
        self.timed(session.timed(name, args, Some(callback)))
    }

    /// What came of a call of the row, and how long it took.
    pub(crate) fn timed(&mut self, (ran, took): Timed) -> Result<Outcome, Stop> {
        self.took = Some(took);
        Ok(ran?)
    }

    /// How long the row's last call took, if it was one of these.
    pub(crate) fn took(&self) -> Option<Duration> {
        self.took
    }

    /// Calls a function that takes integers; what it returned, as text.
    pub(crate) fn int(&mut self, name: &str, args: &[i128]) -> Ran {
        let args: Vec<Value> = args.iter().copied().map(Value::Int).collect();
        Ok(told(&self.call(name, &args)?))
    }

    /// The same with this deadline.
    pub(crate) fn int_within(&mut self, milliseconds: u64, name: &str, args: &[i128]) -> Ran {
        let session = self.session()?.within(Duration::from_millis(milliseconds));
        let args: Vec<Value> = args.iter().copied().map(Value::Int).collect();
        Ok(told(&self.timed(session.timed(name, &args, None))?))
    }

    /// Calls a function that takes a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> Ran {
        Ok(told(&self.call(name, &[Value::Text(text.to_owned())])?))
    }

    /// A call that has nothing to do with what went wrong: whether it is right.
    pub(crate) fn next_is_right(&mut self) -> bool {
        let sum = self.call("add", &[Value::Int(2), Value::Int(3)]);
        sum.is_ok_and(|sum| number(&sum) == Some(5))
    }

    /// Waits until the worker of the row's session has ended by itself.
    pub(crate) fn worker_ends(&mut self) -> Result<(), Stop> {
        let session = self.session()?;
        let worker = session.worker_pid();
        wait_for_end(worker)?;
        // A call that meets the end is an error: behind one that the session has heard of it is none.
        wait_while(
            || worker.is_some() && session.worker_pid() == worker,
            "the session has not heard of an end",
        )
    }

    /// Lets the row's session go.
    pub(crate) fn close(&mut self) {
        self.session = None;
    }

    /// A folder of the row's own.
    pub(crate) fn folder(&mut self) -> Result<&Path, Stop> {
        if self.folder.is_none() {
            let made = tempfile::Builder::new().prefix("hotcell-lab-").tempdir();
            self.folder = Some(made.map_err(Stop::lacks("a folder for temporary files"))?);
        }
        Ok(self.folder.as_ref().expect("it was just made").path())
    }

    /// A file there with these contents.
    pub(crate) fn file(&mut self, name: &str, contents: &[u8]) -> Result<PathBuf, Stop> {
        let path = self.folder()?.join(name);
        let write = || File::create(&path)?.write_all(contents);
        write().map_err(Stop::lacks("a temporary file"))?;
        Ok(path)
    }

    /// A folder with the locale `comma`, which writes 1.5 as 1,5 and is like C otherwise.
    pub(crate) fn locales(&mut self) -> Result<PathBuf, Stop> {
        let folder = self.folder()?.join("comma");
        if !folder.exists() {
            fs::create_dir(&folder).map_err(Stop::lacks("a temporary folder"))?;
            self.file("comma/LC_NUMERIC", &COMMA)?;
        }
        Ok(self.folder()?.to_owned())
    }

    /// A copy of the library as a file in memory that nobody has but the row.
    pub(crate) fn changed_library(&mut self, change: impl FnOnce(&mut Vec<u8>)) -> Result<PathBuf, Stop> {
        let mut bytes = LIBRARY.to_vec();
        change(&mut bytes);
        let file = hotcell_shm::sealed_copy(&bytes).map_err(Stop::lacks("a file in memory"))?;
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into();
        self.files.push(file);
        Ok(path)
    }

    /// The words of a direct run, with the files that they name in braces.
    pub(crate) fn words(&mut self, words: &[&str]) -> Result<Vec<String>, Stop> {
        let one = |stage: &mut Self, word: &str| -> Result<String, Stop> {
            let path = match word {
                "{library}" => stage.changed_library(|_| ())?,
                "{another-layout}" => stage.changed_library(|bytes| *bytes = OTHER_LAYOUT.to_vec())?,
                "{copy}" => stage.file("libfaulty.so", LIBRARY)?,
                "{secret}" => stage.file("secret", b"secret")?,
                "{locales}" => stage.locales()?,
                "{outside}" => stage.folder()?.join("outside"),
                word => match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
                    Some(change) => stage.changed_library(|bytes| crate::change::by_name(change, bytes))?,
                    None => return Ok(word.to_owned()),
                },
            };
            Ok(path.display().to_string())
        };
        words.iter().map(|word| one(self, word)).collect()
    }
}

/// The function `faulty_<name>`, or of that name, with its index.
pub(crate) fn function(name: &str) -> (u16, &'static hotcell_faulty::Function) {
    find(name).unwrap_or_else(|| panic!("the faulty library has no bound `{name}`"))
}

/// The name in C of the function `faulty_<name>`, or of that name; one that is not bound is called `faulty_<name>`.
pub(crate) fn c_name(name: &str) -> String {
    find(name).map_or_else(|| format!("faulty_{name}"), |(_, function)| function.name.clone())
}

fn find(name: &str) -> Option<(u16, &'static hotcell_faulty::Function)> {
    let interface = &carried().interface;
    interface.function(&format!("faulty_{name}")).or_else(|| interface.function(name))
}

/// Waits for the end of a process: none, where it has ended already.
pub(crate) fn wait_for_end(pid: Option<u32>) -> Result<(), Stop> {
    let Some(pid) = pid else { return Ok(()) };
    wait_while(|| crate::leaks::lives(pid), &format!("process {pid} has not ended"))
}

/// Waits for as long as something goes on.
pub(crate) fn wait_while(goes_on: impl Fn() -> bool, otherwise: &str) -> Result<(), Stop> {
    let patience = Instant::now() + PATIENCE;
    while goes_on() {
        if Instant::now() > patience {
            return Err(Stop::Wrong(otherwise.to_owned()));
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// The integer that was returned.
pub(crate) fn number(outcome: &Outcome) -> Option<i128> {
    match outcome.0.first() {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

/// The object that came out.
pub(crate) fn object(outcome: &Outcome) -> Result<Value, Stop> {
    let found = outcome.0.iter().find(|value| matches!(value, Value::Object(_)));
    found.cloned().ok_or_else(|| Stop::Wrong("no object came out".into()))
}

/// What was returned, in words.
pub(crate) fn told(outcome: &Outcome) -> String {
    match outcome.0.first() {
        None => "returned".to_owned(),
        Some(Value::Null) => "NULL".to_owned(),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Float(number)) => number.to_string(),
        Some(Value::Bool(truth)) => truth.to_string(),
        Some(Value::Text(text)) => text.clone(),
        Some(other) => format!("{other:?}"),
    }
}

/// Opens a session where this caller makes its calls.
fn open(caller: Caller<'_>, options: Options) -> Result<Session, Failure> {
    match caller {
        Caller::Here(_) => Ok(Session::Here(hotcell::Session::open(carried().package, options)?)),
        Caller::There(there) => driver::There::open(there.driver(), &said(&options)).map(Session::There),
    }
}
