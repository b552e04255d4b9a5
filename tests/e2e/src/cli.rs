//! The `hotcell` command under test: run it in a folder of its own, and say what it must do.
//!
//! ```no_run
//! use hotcell_e2e::cli::Folder;
//!
//! let folder = Folder::new();
//! folder.hotcell(["call", "zlib.h", "--lib", "z", "zError", "-3"]).succeeds().prints("return  \"data error\"");
//! ```

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::TempDir;

/// After this long a command hangs: it is killed, and its test fails.
const PATIENCE: Duration = Duration::from_secs(300);

const MOON_HEADER: &str = "\
#include <stddef.h>
/* Adds two numbers. */
int moon_add(int a, int b);
/** The whole part, and the rest. */
double moon_split(double x, int *whole);
int moon_print(const char *format, ...);
int moon_gone(void);
unsigned moon_sum(const unsigned char *data, size_t data_len);
int moon_lock(unsigned *where);
";

const MOON_CODE: &str = "\
int moon_add(int a, int b) { return a + b; }
/* A call by a pointer shows nothing of what is passed. */
static void write_to(int *to, int number) { *to = number; }
static void (*volatile put)(int *, int) = write_to;
double moon_split(double x, int *whole) { put(whole, (int)x); return x - *whole; }
int moon_print(const char *format, ...) { return format != NULL; }
unsigned moon_sum(const unsigned char *data, size_t data_len)
{
    unsigned sum = 0;
    for (size_t i = 0; i < data_len; i++) {
        sum += data[i];
    }
    return sum;
}
int moon_lock(unsigned *where) { put((int *)where, (int)*where + 1); return 0; }
";

const MOON_CONTRACT: &str = "\
hotcell = 1
library = \"moon\"
headers = [\"moon.h\"]
link = [
    \"moon\",
]

# The state is read and changed.
[function.moon_lock]
params.where = { inout = \"value\" }
error = { fails = \"nonzero\" }
";

/// A folder of this test only; commands run in it.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "every test makes its own on purpose")]
    pub fn new() -> Folder {
        let folder = tempfile::Builder::new().prefix("hotcell-e2e-").tempdir();
        Folder(folder.unwrap_or_else(|error| panic!("no folder for a test: {error}")))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the folders on its way.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        let folder = path.parent().unwrap_or(self.path());
        let done = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
        done.unwrap_or_else(|error| panic!("{name} is not written: {error}"));
    }

    /// The bytes of a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).unwrap_or_else(|error| panic!("{name} is not read: {error}"))
    }

    /// Every file below, by its path in the folder, with its bytes.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(self.path())
    }

    /// Lets a file be run.
    pub fn make_executable(&self, name: &str) {
        let done = fs::set_permissions(self.path().join(name), Permissions::from_mode(0o755));
        done.unwrap_or_else(|error| panic!("{name} cannot be made executable: {error}"));
    }

    /// Gives a file another name, and makes the folders on its way.
    pub fn move_file(&self, from: &str, to: &str) {
        self.write(to, self.read(from));
        let gone = fs::remove_file(self.path().join(from));
        gone.unwrap_or_else(|error| panic!("{from} is not removed: {error}"));
    }

    /// Compiles a C file of this folder to the shared library `lib<name>.so` beside it.
    pub fn compile(&self, name: &str) {
        self.compile_with(name, &[]);
    }

    /// The same, with more words for the compiler.
    pub fn compile_with(&self, name: &str, words: &[&str]) {
        let cc = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let (source, library) = (format!("{name}.c"), format!("lib{name}.so"));
        let mut command = Command::new(cc);
        command.args(["-std=gnu17", "-fPIC", "-shared", "-Wall", "-o", &library, &source]).args(words);
        let output = finish(command.current_dir(self.path()), &[]);
        assert!(output.status.success(), "{source}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A library with this header and this code: `<name>.h`, `<name>.c` and `lib<name>.so`.
    pub fn library(&self, name: &str, header: &str, code: &str) {
        self.write(&format!("{name}.h"), header);
        self.write(&format!("{name}.c"), format!("#include \"{name}.h\"\n{code}"));
        self.compile(name);
    }

    /// A library with a function of every status, and a contract that decides one of them.
    pub fn with_moon() -> Folder {
        let folder = Folder::new();
        folder.library("moon", MOON_HEADER, MOON_CODE);
        folder.write("bind.toml", MOON_CONTRACT);
        folder
    }

    /// The command with these words.
    pub fn hotcell<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Hotcell {
        let mut command = Command::new(program("hotcell"));
        // The machine's own settings are no part of a test.
        command
            .args(words)
            .current_dir(self.path())
            .env_remove("HOTCELL_WORKER")
            .env_remove("HOTCELL_READER")
            .env_remove("HOTCELL_READER_SECONDS")
            .env_remove("HOTCELL_READER_MIB");
        Hotcell { command, input: Vec::new() }
    }

    /// A call of the faulty library of the lab: `faulty_<name>`.
    pub fn faulty(&self, name: &str, args: &[&str]) -> Hotcell {
        let contract = hotcell_faulty::folder().join("bind.toml");
        let library = hotcell_faulty::library();
        let folder = library.parent().expect("a file is in a folder");
        let mut call = self.hotcell([OsStr::new("call"), contract.as_os_str()]);
        call.command.arg("-L").arg(folder).arg(format!("faulty_{name}")).args(args);
        call
    }
}

/// A command that is ready to run.
#[derive(Debug)]
pub struct Hotcell {
    command: Command,
    input: Vec<u8>,
}

impl Hotcell {
    /// More words.
    pub fn and<W: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = W>) -> Hotcell {
        self.command.args(words);
        self
    }

    /// What it reads from standard input.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Hotcell {
        self.input = bytes.into();
        self
    }

    /// A variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Hotcell {
        self.command.env(name, value);
        self
    }

    /// Runs it, whatever comes of it.
    pub fn output(mut self) -> Output {
        finish(&mut self.command, &self.input)
    }

    /// Runs it: it must end with status 0.
    #[track_caller]
    pub fn succeeds(self) -> Ended {
        self.fails(0)
    }

    /// Runs it: it must end with this status.
    #[track_caller]
    pub fn fails(mut self, status: i32) -> Ended {
        let output = finish(&mut self.command, &self.input);
        let text = |bytes| String::from_utf8(bytes).unwrap_or_else(|error| panic!("not UTF-8: {error}"));
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let ended = Ended { command: format!("{:?}", self.command), stdout, stderr };
        assert_eq!(output.status.code(), Some(status), "the exit status ({}) of {ended}", output.status);
        ended
    }

    /// Runs it for a program: status 0, and a JSON object on standard output.
    #[track_caller]
    pub fn json(self) -> Value {
        self.and(["--format", "json"]).fails(0).json()
    }

    /// Runs it for a program: the status of this kind of error, and the error as a JSON object.
    #[track_caller]
    pub fn error(self, status: i32, kind: &str) -> Value {
        let ended = self.and(["--format", "json"]).fails(status);
        let error = ended.json()["error"].take();
        assert_eq!(error["kind"], kind, "{ended}");
        assert_eq!(error["code"], status - 100, "{ended}");
        error
    }
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    command: String,
    stdout: String,
    stderr: String,
}

impl Ended {
    /// Standard output, without the last newline, is this text and nothing else.
    #[track_caller]
    pub fn prints(self, text: &str) -> Ended {
        assert_eq!(self.stdout.strip_suffix('\n'), Some(text), "the output of {self}");
        self
    }

    /// Standard output is empty.
    #[track_caller]
    pub fn prints_nothing(self) -> Ended {
        assert!(self.stdout.is_empty(), "the output of {self}");
        self
    }

    /// Standard output has this text.
    #[track_caller]
    pub fn mentions(self, text: &str) -> Ended {
        assert!(self.stdout.contains(text), "{text:?} is not printed by {self}");
        self
    }

    /// Standard error has this text.
    #[track_caller]
    pub fn says(self, text: &str) -> Ended {
        assert!(self.stderr.contains(text), "{text:?} is not said by {self}");
        self
    }

    /// Standard error does not have this text.
    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Ended {
        assert!(!self.stderr.contains(text), "{text:?} is said by {self}");
        self
    }

    /// What standard error says behind this text.
    #[track_caller]
    pub fn after(&self, text: &str) -> &str {
        self.stderr.split_once(text).unwrap_or_else(|| panic!("{text:?} is not said by {self}")).1
    }

    /// Standard output.
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// Standard error.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// Standard output is a JSON object, or a list of them: this one.
    #[track_caller]
    pub fn json(&self) -> Value {
        let value: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self}"));
        assert!(value.is_object() || value.is_array(), "no object: {self}");
        value
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\nprinted: {}\nsaid: {}", self.command, self.stdout, self.stderr)
    }
}

/// The repository.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).expect("this package is two folders deep").to_owned()
}

/// The path of a file of the repository.
pub fn committed(path: &str) -> String {
    let path = root().join(path);
    path.to_str().unwrap_or_else(|| panic!("{} is not UTF-8", path.display())).to_owned()
}

/// The folder the programs under test are built into: that of the test program, or the one above it.
pub fn programs() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_else(|error| panic!("where is this program? {error}"));
    let mut folders = own.ancestors().skip(1).take(2);
    let found = folders
        .find(|folder| ["hotcell", "hotcell-worker"].iter().all(|program| folder.join(program).is_file()));
    found
        .unwrap_or_else(|| {
            panic!(
                "`hotcell` and `hotcell-worker` are not beside {}: run `cargo build --workspace --bins` first",
                own.display()
            )
        })
        .to_owned()
}

/// A program under test.
pub fn program(name: &str) -> PathBuf {
    programs().join(name)
}

/// Every file below a folder, by its path in the folder, with its bytes.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        let entries = fs::read_dir(&at).unwrap_or_else(|error| panic!("{}: {error}", at.display()));
        for entry in entries {
            let path = entry.unwrap_or_else(|error| panic!("{}: {error}", at.display())).path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.strip_prefix(folder).expect("it was found in the folder");
            found.insert(name.to_owned(), bytes);
        }
    }
    found
}

/// Runs a command to its end; one that hangs is killed, and the test fails.
pub fn finish(command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    let mut stdin = child.stdin.take().expect("it was asked to be a pipe");
    let pid = pid(&child);
    let (done, wait) = mpsc::channel::<()>();
    let (output, hung) = std::thread::scope(|scope| {
        let watchdog = scope.spawn(move || {
            let hung = wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
            if hung {
                // It is still waited for below, so the number is still its own.
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
            hung
        });
        scope.spawn(move || {
            // A command that does not want its input may end before it has read it.
            let _ = stdin.write_all(input);
        });
        let output = child.wait_with_output();
        drop(done);
        (output, watchdog.join().unwrap_or(true))
    });
    assert!(!hung, "{command:?} hung: killed after {PATIENCE:?}");
    output.unwrap_or_else(|error| panic!("{command:?} was not waited for: {error}"))
}

fn pid(child: &Child) -> Pid {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    pid.expect("the number of a process is positive")
}
