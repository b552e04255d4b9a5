//! A library that attacks its host (`lab/faulty/attacks.c`), behind a session, and what came of each attack.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

use hotcell::dynamic::{self, Value};
use hotcell::{Cause, Denied, Error, ErrorKind, Options, Sandbox, Session};
use hotcell_bind::Bound;

use crate::bound;
use crate::cli::{Folder, program};

/// The compiled library.
#[derive(Debug)]
pub struct Attacks {
    bound: Bound,
    folder: Folder,
}

/// The library behind a session.
#[derive(Debug)]
pub struct Attacker<'a> {
    attacks: &'a Attacks,
    /// The session.
    pub session: Session,
}

/// What came of an attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Succeeded,
    /// The library was told this error.
    Errno(i32),
    /// It ended the call.
    Denied(Denied),
    /// Another fault did.
    Fault(ErrorKind),
}

impl Attacks {
    /// Compiles and binds it.
    ///
    /// # Panics
    ///
    /// Where it cannot be bound.
    pub fn new() -> Attacks {
        let (header, code) =
            (include_str!("../../../lab/faulty/attacks.h"), include_str!("../../../lab/faulty/attacks.c"));
        let (folder, bound) = bound::bind("attacks", header, code, include_str!("wall/bind.toml"));
        Attacks { bound, folder }
    }

    /// Opens a session that loads its file so many times.
    ///
    /// # Errors
    ///
    /// Faults of the start.
    pub fn open_several(&self, times: usize, options: Options) -> hotcell::Result<Session> {
        let library = self.folder.path().join("libattacks.so");
        let options = Options { libraries: vec![library; times], ..options };
        Session::open_by(self.bound.package, self.bound.rules, options)
    }

    /// Opens a session with this sandbox and these variables.
    ///
    /// # Errors
    ///
    /// Faults of the start.
    pub fn open(&self, sandbox: Sandbox, environment: &[(&str, &str)]) -> hotcell::Result<Attacker<'_>> {
        let environment = environment.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        self.open_with(Options { sandbox: Some(sandbox), environment, ..Options::default() })
    }

    /// Opens a session with these options.
    ///
    /// # Errors
    ///
    /// Faults of the start.
    pub fn open_with(&self, options: Options) -> hotcell::Result<Attacker<'_>> {
        Ok(Attacker { attacks: self, session: self.bound.open(options)? })
    }

    /// Loads the library with an attack in its constructor: what came of it.
    pub fn in_constructor(&self, sandbox: Sandbox, name: &str) -> Outcome {
        match self.open(sandbox, &[("ATTACK", name)]) {
            Ok(attacker) => Outcome::of(attacker.int("attack_in_constructor", &[])),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
                Outcome::of_error(&error)
            }
        }
    }
}

impl Default for Attacks {
    fn default() -> Attacks {
        Attacks::new()
    }
}

impl Attacker<'_> {
    /// Calls a function.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn call(&self, name: &str, args: &[Value]) -> hotcell::Result<Option<Value>> {
        let interface = &self.attacks.bound.interface;
        let function = interface.function(name).unwrap_or_else(|| panic!("there is no {name}"));
        dynamic::call(&self.session, interface, function, args).map(|outcome| outcome.returned)
    }

    /// Calls a function that returns an integer.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn int(&self, name: &str, args: &[Value]) -> hotcell::Result<i32> {
        match self.call(name, args)? {
            Some(Value::Int(number)) => Ok(number as i32),
            other => panic!("{name} returned {other:?}"),
        }
    }

    /// What a function with this path comes to.
    pub fn with_text(&self, name: &str, text: &str) -> Outcome {
        Outcome::of(self.int(name, &[Value::Text(text.into())]))
    }

    /// Tries an attack, then whether the next call is right.
    pub fn attack(&self, name: &str) -> Outcome {
        let outcome = self.with_text("attack_now", name);
        self.serves();
        outcome
    }

    /// Checks that calls work.
    ///
    /// # Panics
    ///
    /// When they do not.
    pub fn serves(&self) {
        assert_eq!(self.int("attack_add", &[Value::Int(2), Value::Int(3)]).ok(), Some(5));
    }

    /// The names of all attacks.
    pub fn names(&self) -> Vec<String> {
        let count = self.int("attack_count", &[]).expect("it counts");
        let name = |number| match self.call("attack_name", &[Value::Int(number)]) {
            Ok(Some(Value::Text(name))) => name,
            other => panic!("{other:?}"),
        };
        (0..i128::from(count)).map(name).collect()
    }
}

impl Outcome {
    /// Of what a function returned: 0, or an error's number.
    pub fn of(returned: hotcell::Result<i32>) -> Outcome {
        match returned {
            Ok(0) => Outcome::Succeeded,
            Ok(errno) => {
                assert!(errno > 0, "there is no such attack, or it was not tried: {errno}");
                Outcome::Errno(errno)
            }
            Err(error) => Outcome::of_error(&error),
        }
    }

    fn of_error(error: &Error) -> Outcome {
        match error.cause() {
            Cause::Denied(denied) => Outcome::Denied(denied.clone()),
            _ => Outcome::Fault(error.kind()),
        }
    }

    /// The name of the system call that ended the call.
    pub fn denied(&self) -> Option<&str> {
        match self {
            Outcome::Denied(denied) => Some(denied.syscall.unwrap_or("")),
            _ => None,
        }
    }
}

/// The variable that tells a test that it runs as another user.
const USER: &str = "HOTCELL_WALL_USER";

/// The variable that tells a test that it runs where system calls fail.
pub const CONTAINER: &str = "HOTCELL_WALL_CONTAINER";

/// Runs a test as this user, and where that is the administrator once more as an ordinary one: by a link to this program, in
/// a folder which that user can reach.
///
/// # Panics
///
/// When it fails.
pub fn as_every_user(test: &str, body: impl FnOnce()) {
    as_every_user_with(&[], test, body);
}

/// The same, with more programs under test beside the worker.
///
/// # Panics
///
/// When it fails.
pub fn as_every_user_with(programs: &[&str], test: &str, body: impl FnOnce()) {
    /// Of "nobody".
    const NOBODY: u32 = 65534;
    body();
    let again = env::var_os(USER).is_some() || env::var_os(CONTAINER).is_some();
    if again || !rustix::process::getuid().is_root() {
        return;
    }
    let folder = Folder::new();
    let bring = |from: &std::path::Path, name: &str| {
        let to = folder.path().join(name);
        // Linked where that is possible: it is some 100 MB.
        if fs::hard_link(from, &to).is_err() {
            fs::copy(from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        }
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755)).expect("it is ours");
        to
    };
    let own = env::current_exe().expect("this program has a path");
    let (own, worker) = (bring(&own, "test"), bring(&program("hotcell-worker"), "hotcell-worker"));
    // The one that reads headers, too.
    let more: BTreeSet<&str> = programs.iter().copied().chain(["hotcell"]).collect();
    more.iter().for_each(|name| _ = bring(&program(name), name));
    chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("the administrator may");
    let mut command = Command::new(own);
    command.args(["--exact", test]).env(USER, "nobody").env("HOTCELL_WORKER", worker);
    command.env("TMPDIR", folder.path()).env("HOME", folder.path());
    command.current_dir("/").uid(NOBODY).gid(NOBODY);
    let output = command.output().expect("the program starts");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "as nobody: {said}");
}
