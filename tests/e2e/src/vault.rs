//! A library whose objects are made anew in the next worker (`vault/vault.c`), behind a session, called by name.

use std::panic::Location;
use std::path::PathBuf;
use std::sync::OnceLock;

use hotcell::dynamic::{self, Value};
use hotcell::rt::{Handle, Package};
use hotcell::{Library, Options, Result, Session};
use hotcell_bind::Bound;

use crate::bound::bind;
use crate::cli::Folder;

const HEADER: &str = include_str!("vault/vault.h");
const CODE: &str = include_str!("vault/vault.c");
const CONTRACT: &str = include_str!("vault/bind.toml");

/// The library behind a session.
#[derive(Debug, Clone)]
pub struct Vaults {
    /// The session.
    pub session: Session,
    bound: &'static Bound,
}

/// The library, and where it lies. It stays until the tests of this program have ended.
fn serialized() -> &'static (Folder, Bound) {
    static BOUND: OnceLock<(Folder, Bound)> = OnceLock::new();
    BOUND.get_or_init(|| bind("vault", HEADER, CODE, CONTRACT))
}

fn reentrant() -> &'static (Folder, Bound) {
    static BOUND: OnceLock<(Folder, Bound)> = OnceLock::new();
    let contract = || CONTRACT.replace("[handle]", "threads = \"reentrant\"\n\n[handle]");
    BOUND.get_or_init(|| bind("vault", HEADER, CODE, &contract()))
}

/// Compiles the edition of the library that does not open some vaults any more.
///
/// # Panics
///
/// Where it cannot be compiled.
pub fn worse() -> (Folder, PathBuf) {
    let folder = Folder::new();
    folder.write("vault.h", HEADER);
    folder.write("vault.c", CODE);
    folder.compile_with("vault", &["-O2", "-DWORSE=1", "-Wl,-soname,libvault.so"]);
    let file = folder.path().join("libvault.so");
    (folder, file)
}

impl Vaults {
    /// Opens a session in which calls are made one at a time.
    ///
    /// # Panics
    ///
    /// Where no worker can be started.
    #[must_use]
    pub fn open(options: Options) -> Vaults {
        Vaults::of(&serialized().1, options)
    }

    /// The same, in which several calls are made at a time.
    ///
    /// # Panics
    ///
    /// As there.
    #[must_use]
    pub fn open_reentrant(options: Options) -> Vaults {
        Vaults::of(&reentrant().1, options)
    }

    fn of(bound: &'static Bound, options: Options) -> Vaults {
        let session = bound.open(options).unwrap_or_else(|error| panic!("{error}"));
        Vaults { session, bound }
    }

    /// The same library, through another value of its session.
    #[must_use]
    pub fn through(&self, session: Session) -> Vaults {
        Vaults { session, bound: self.bound }
    }

    /// Calls a function; what it returns.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn call(&self, name: &str, args: &[Value]) -> Result<Value> {
        let called = dynamic::call(&self.session, &self.bound.interface, self.function(name), args)?;
        Ok(called.returned.unwrap_or(Value::Null))
    }

    /// As [`Vaults::call`], awaited.
    ///
    /// # Errors
    ///
    /// Faults.
    pub async fn call_awaited(&self, name: &str, args: &[Value]) -> Result<Value> {
        let (interface, function) = (&self.bound.interface, self.function(name));
        let called =
            dynamic::call_awaited(&self.session, interface, function, args, Location::caller()).await?;
        Ok(called.returned.unwrap_or(Value::Null))
    }

    /// As [`Vaults::call`], with a function of the application.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn call_with(&self, name: &str, args: &[Value], run: &mut dynamic::Callback<'_>) -> Result<Value> {
        let made = dynamic::call_with(&self.session, &self.bound.interface, self.function(name), args, run)?;
        Ok(made.returned.unwrap_or(Value::Null))
    }

    /// Calls a function that makes an object.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn make(&self, name: &str, args: &[Value]) -> Result<Handle> {
        match self.call(name, args)? {
            Value::Handle(made) => Ok(made),
            other => panic!("`{name}` made {other:?}"),
        }
    }

    /// A vault.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn vault(&self, name: &str, size: i128) -> Result<Handle> {
        self.make("vault_open", &[text(name), Value::Int(size)])
    }

    /// Calls a function with an object and numbers, which returns a number or nothing.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn of_object(&self, name: &str, object: &Handle, args: &[i128]) -> Result<i128> {
        let numbers = args.iter().copied().map(Value::Int);
        let args: Vec<Value> = std::iter::once(object.clone().into()).chain(numbers).collect();
        self.call(name, &args).map(number)
    }

    /// Calls a function without objects.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn int(&self, name: &str, args: &[i128]) -> Result<i128> {
        self.call(name, &args.iter().copied().map(Value::Int).collect::<Vec<_>>()).map(number)
    }

    /// Sets a word of a vault.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn set_word(&self, vault: &Handle, number: i128, word: &str) -> Result<Value> {
        self.call("vault_word", &[vault.clone().into(), Value::Int(number), text(word)])
    }

    /// A text of an object.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn text(&self, name: &str, object: &Handle, args: &[i128]) -> Result<String> {
        let numbers = args.iter().copied().map(Value::Int);
        let args: Vec<Value> = std::iter::once(object.clone().into()).chain(numbers).collect();
        match self.call(name, &args)? {
            Value::Text(text) => Ok(text),
            other => panic!("`{name}` returned {other:?}"),
        }
    }

    /// Ends the worker.
    ///
    /// # Panics
    ///
    /// Where that is not what comes of it.
    #[track_caller]
    pub fn break_worker(&self) {
        let error = self.int("vaults_break", &[]).expect_err("it breaks");
        assert_eq!(error.kind(), hotcell::ErrorKind::Crashed, "{error:#}");
    }

    /// Begins a batch.
    #[must_use]
    pub fn batch(&self) -> dynamic::Batch {
        dynamic::Batch::new(&self.session, &std::sync::Arc::new(self.bound.interface.clone()))
    }

    /// The number of a function.
    #[must_use]
    pub fn index(&self, name: &str) -> u16 {
        self.function(name).0
    }

    /// The number of the type of a vault.
    #[must_use]
    pub fn kind(&self) -> u16 {
        self.bound.interface.handle_number("vault").unwrap_or_default()
    }

    fn function(&self, name: &str) -> (u16, &hotcell_model::interface::Function) {
        self.bound.interface.function(name).unwrap_or_else(|| panic!("there is no bound `{name}`"))
    }
}

/// For pools.
impl Library for Vaults {
    fn package() -> &'static Package {
        serialized().1.package
    }

    fn open_with(options: Options) -> Result<Vaults> {
        let bound = &serialized().1;
        Ok(Vaults { session: bound.open(options)?, bound })
    }

    fn session(&self) -> &Session {
        &self.session
    }
}

/// A text as a value.
#[must_use]
pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn number(value: Value) -> i128 {
    match value {
        Value::Int(number) => number,
        Value::Null => 0,
        other => panic!("a number, not {other:?}"),
    }
}
