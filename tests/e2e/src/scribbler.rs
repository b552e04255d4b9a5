//! A library that writes into all memory which its worker shares with the host (`scribbler/scribbler.c`), loaded beside
//! another one.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use hotcell::{Options, Profile, Sandbox};
use hotcell_protocol::wire;
use tempfile::TempDir;

/// The scribbler, compiled once for the process.
#[derive(Debug)]
pub struct Scribbler {
    folder: TempDir,
    orders: File,
}

/// How it scribbles, as the C code numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Random words anywhere.
    Random = 0,
    /// Values that look right, where something is looked for.
    Aimed = 1,
    /// Whole replies, ahead of the worker's.
    Forging = 2,
    /// All of it in turn.
    All = 3,
}

/// What it is to do.
#[derive(Debug, Clone, Copy)]
pub struct Orders {
    /// Of its random numbers.
    pub seed: u64,
    /// How.
    pub mode: Mode,
    /// Words at a time.
    pub burst: u64,
    /// How long it rests after each time, in turns of an empty loop.
    pub pause: u64,
}

/// Words of the file that the library maps, in the order of the C code.
const RUN: u64 = 0;
const WRITTEN: u64 = 5;
const FORGED: u64 = 6;
const WORDS: usize = 7;

impl Scribbler {
    /// A scribbler that rests. It has its own orders.
    ///
    /// # Panics
    ///
    /// Where it cannot be compiled.
    pub fn new() -> Scribbler {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = orders(folder.path());
        fs::write(&path, [0; WORDS * 8]).expect("the folder is ours");
        let orders = File::options().read(true).write(true).open(&path).expect("it was just written");
        Scribbler { folder, orders }
    }

    /// Options of a session whose workers have it.
    pub fn options(&self, options: Options) -> Options {
        let mut options = options;
        options.libraries.insert(0, library().to_owned());
        let path = orders(self.folder.path()).display().to_string();
        // It reads its orders, and where its memory lies.
        options.sandbox = Some(Sandbox {
            write: vec![self.folder.path().to_owned()],
            read: vec!["/proc/self".into()],
            ..Sandbox::of(Profile::Files)
        });
        options.environment.push(("HOTCELL_SCRIBBLER".into(), path));
        options
    }

    /// Has it scribble, in every worker that has it, from the first call on.
    pub fn run(&self, orders: &Orders) {
        let Orders { seed, mode, burst, pause } = *orders;
        let words = [1, seed, mode as u64, burst, pause];
        self.write(1, words[1..].iter());
        self.write(RUN, words[..1].iter());
    }

    /// Has it rest.
    pub fn rest(&self) {
        self.write(RUN, [0].iter());
    }

    /// Words it has written so far.
    pub fn written(&self) -> u64 {
        self.read(WRITTEN)
    }

    /// Replies it has forged so far.
    pub fn forged(&self) -> u64 {
        self.read(FORGED)
    }

    fn write<'a>(&self, word: u64, values: impl Iterator<Item = &'a u64>) {
        let bytes: Vec<u8> = values.flat_map(|value| value.to_ne_bytes()).collect();
        let written: io::Result<()> = self.orders.write_all_at(&bytes, word * 8);
        written.expect("the file is there for as long as this");
    }

    fn read(&self, word: u64) -> u64 {
        let mut bytes = [0; 8];
        self.orders.read_exact_at(&mut bytes, word * 8).expect("the file has all words");
        u64::from_ne_bytes(bytes)
    }
}

impl Default for Scribbler {
    fn default() -> Self {
        Scribbler::new()
    }
}

fn orders(folder: &Path) -> PathBuf {
    folder.join("orders")
}

/// The compiled library.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    &LIBRARY.get_or_init(compile).1
}

fn compile() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let (here, out) = (Path::new(env!("CARGO_MANIFEST_DIR")), folder.path().join("libscribbler.so"));
    let control = |field: usize| wire::LINE + field;
    let lane = |field: usize| wire::LANES_OFFSET + field;
    let offsets = [
        ("BELL", lane(wire::lane_worker::BELL)),
        ("ENTRY", lane(wire::PROGRESS_OFFSET + wire::lane_progress::ENTRY)),
        ("EXECUTING", lane(wire::PROGRESS_OFFSET + wire::lane_progress::EXECUTING)),
        ("PARK", control(wire::channel_worker::PARK)),
        ("CPU", control(wire::channel_worker::CPU)),
        ("CRASH", 2 * wire::LINE),
    ];
    let status = Command::new("cc")
        .args(["-std=gnu17", "-O2", "-shared", "-fPIC", "-pthread", "-Wall", "-Wextra", "-Werror"])
        .args(offsets.map(|(name, offset)| format!("-D{name}_OFFSET={offset}u")))
        .arg("-I")
        .arg(here.join("../../crates/generate/templates/shim"))
        .arg("-o")
        .arg(&out)
        .arg(here.join("src/scribbler/scribbler.c"))
        .status();
    assert!(status.expect("the C compiler starts").success(), "the scribbler compiles");
    (folder, out)
}
