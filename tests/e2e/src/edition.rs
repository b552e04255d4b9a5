//! A library of which there are several editions (`edition/edition.c`), compiled by tests, behind a session, called by name.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hotcell::dynamic::{self, Value};
use hotcell::rt::{Handle, Package};
use hotcell::{Cancel, Library, Options, Profile, Result, Sandbox, Session};
use hotcell_bind::Bound;

use crate::bound::bind;
use crate::cli::Folder;

const HEADER: &str = include_str!("edition/edition.h");
const CODE: &str = include_str!("edition/edition.c");
const CONTRACT: &str = include_str!("edition/bind.toml");

/// Files with editions of the library. They are gone with this.
#[derive(Debug)]
pub struct Editions(Folder);

/// An edition behind a session.
#[derive(Debug, Clone)]
pub struct Edition {
    /// The session.
    pub session: Session,
    bound: &'static Bound,
}

/// The library as it is bound, whichever edition is loaded. Calls are made one at a time.
fn serialized() -> &'static Bound {
    static BOUND: OnceLock<Bound> = OnceLock::new();
    BOUND.get_or_init(|| bind("edition", HEADER, CODE, CONTRACT).1)
}

/// The same, where several calls are made at a time.
fn reentrant() -> &'static Bound {
    static BOUND: OnceLock<Bound> = OnceLock::new();
    let contract = || CONTRACT.replace("exclude =", "threads = \"reentrant\"\nexclude =");
    BOUND.get_or_init(|| bind("edition", HEADER, CODE, &contract()).1)
}

impl Editions {
    /// None yet.
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Editions {
        let folder = Folder::new();
        folder.write("edition.h", HEADER);
        folder.write("edition.c", CODE);
        Editions(folder)
    }

    /// Options with which the library may write into the file that this variable names, and that file.
    pub fn writing(&self, variable: &str) -> (Options, PathBuf) {
        self.0.write("log/told", "");
        let log = self.0.path().join("log/told");
        let options = Options {
            environment: vec![(variable.into(), log.display().to_string())],
            sandbox: Some(Sandbox { write: vec![self.0.path().join("log")], ..Sandbox::of(Profile::Files) }),
            ..Options::default()
        };
        (options, log)
    }

    /// Compiles an edition: `-DEDITION=2` is the second. The file has this name.
    ///
    /// # Panics
    ///
    /// Where it cannot be compiled.
    pub fn compile(&self, name: &str, words: &[&str]) -> PathBuf {
        let words: Vec<&str> = words.iter().copied().chain(["-O2", "-Wl,-soname,libedition.so"]).collect();
        self.0.compile_with("edition", &words);
        let (compiled, file) = (self.0.path().join("libedition.so"), self.0.path().join(name));
        // As packages are installed: another file takes the name over.
        fs::rename(compiled, &file).unwrap_or_else(|error| panic!("{name}: {error}"));
        file
    }

    /// Where files of a test may be.
    pub fn folder(&self) -> &Folder {
        &self.0
    }
}

impl Edition {
    /// Opens a session with this file, in which calls are made one at a time.
    ///
    /// # Errors
    ///
    /// Where no worker can be started.
    pub fn open(file: &Path, options: Options) -> Result<Edition> {
        Edition::of(serialized(), Options { libraries: vec![file.to_owned()], ..options })
    }

    /// As [`Edition::open`], unless that is given up.
    ///
    /// # Errors
    ///
    /// Where no worker can be started, or none is wanted any more.
    pub fn open_cancelled_by(file: &Path, options: Options, cancel: &Cancel) -> Result<Edition> {
        let (bound, options) = (serialized(), Options { libraries: vec![file.to_owned()], ..options });
        let session = Session::open_cancelled_by(bound.package, bound.rules, options, cancel)?;
        Ok(Edition { session, bound })
    }

    /// Opens a session with this file, in which several calls are made at a time.
    ///
    /// # Errors
    ///
    /// Where no worker can be started.
    pub fn open_reentrant(file: &Path, options: Options) -> Result<Edition> {
        Edition::of(reentrant(), Options { libraries: vec![file.to_owned()], ..options })
    }

    fn of(bound: &'static Bound, options: Options) -> Result<Edition> {
        Ok(Edition { session: Session::open_by(bound.package, bound.rules, options)?, bound })
    }

    /// Calls `edition_<name>` with numbers; what it returns.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn int(&self, name: &str, args: &[i128]) -> Result<i128> {
        self.call(name, &args.iter().copied().map(Value::Int).collect::<Vec<_>>()).map(number)
    }

    /// `edition_mark`, awaited.
    ///
    /// # Errors
    ///
    /// Faults.
    pub async fn mark_awaited(&self, x: i128) -> Result<i128> {
        let (interface, function, args) = (&self.bound.interface, self.function("mark"), [Value::Int(x)]);
        let here = std::panic::Location::caller();
        let marked = dynamic::call_awaited(&self.session, interface, function, &args, here).await?;
        Ok(number(marked.returned.unwrap_or(Value::Null)))
    }

    /// A book.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn book(&self, pages: i128) -> Result<Handle> {
        match self.call("open", &[Value::Int(pages)])? {
            Value::Handle(book) => Ok(book),
            other => panic!("a book, not {other:?}"),
        }
    }

    /// The pages of a book.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn pages(&self, book: &Handle) -> Result<i128> {
        self.call("pages", &[book.clone().into()]).map(number)
    }

    /// Has the library ask: what is asked gets its number.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn ask(&self, mut asked: impl FnMut(i128) -> i128) -> Result<i128> {
        let mut back = |_: &str, args: &[(String, Value)]| match args {
            [(_, Value::Int(number))] => Ok(Value::Int(asked(*number))),
            other => Err(format!("{other:?}")),
        };
        let (interface, function) = (&self.bound.interface, self.function("ask"));
        let asked = dynamic::call_with(&self.session, interface, function, &[Value::Callback], &mut back)?;
        Ok(number(asked.returned.unwrap_or(Value::Null)))
    }

    #[track_caller]
    fn call(&self, name: &str, args: &[Value]) -> Result<Value> {
        let called = dynamic::call(&self.session, &self.bound.interface, self.function(name), args)?;
        Ok(called.returned.unwrap_or(Value::Null))
    }

    fn function(&self, name: &str) -> (u16, &hotcell_model::interface::Function) {
        let function = self.bound.interface.function(&format!("edition_{name}"));
        function.unwrap_or_else(|| panic!("there is no bound `{name}`"))
    }
}

/// For pools: the options name the file.
impl Library for Edition {
    fn package() -> &'static Package {
        serialized().package
    }

    fn open_with(options: Options) -> Result<Edition> {
        Edition::of(serialized(), options)
    }

    fn session(&self) -> &Session {
        &self.session
    }
}

fn number(value: Value) -> i128 {
    match value {
        Value::Int(number) => number,
        Value::Null => 0,
        other => panic!("a number, not {other:?}"),
    }
}
