//! From a header or a contract to a session, at run time: parse, check, generate, compile, load.
//!
//! What `hotcell gen` writes into a package, this keeps in memory. The command line, the lab and the tests
//! are built on it.
#![forbid(unsafe_code)]

mod draft;
mod error;
mod files;
mod libraries;
mod prelude;
mod read;

use std::fs;
use std::path::PathBuf;

use hotcell::{ErrorKind, Options, Session, dynamic, rt};
use hotcell_generate::shim::{self, CompileOptions, ShimSource};
use hotcell_model::Interface;
use tempfile::TempDir;

pub use draft::{Draft, DraftJob, draft};
pub use error::{Error, shown};
pub use hotcell_contract::OpenType;
pub use hotcell_header::Reader;
pub use hotcell_header::apart::{COMMAND as READ, prefer as prefer_reader};
pub use libraries::{File, Libraries, NeededFile};
pub use read::{Checked, check, check_by};

/// What to bind.
#[derive(Debug, Clone)]
pub struct Job {
    /// Where the library's API is described.
    pub source: Source,
    /// The one function wanted; `None` for all that the contract selects.
    pub only: Option<String>,
    /// Directories to search for headers, as with `-I`.
    pub include_dirs: Vec<PathBuf>,
    /// Macros to define, as with `-D`: `NAME` or `NAME=VALUE`.
    pub defines: Vec<String>,
    /// Directories to search for libraries, as with `-L`.
    pub library_dirs: Vec<PathBuf>,
}

/// Where a library's API is described.
#[derive(Debug, Clone)]
pub enum Source {
    /// A contract file, with its headers.
    Contract(PathBuf),
    /// A contract that is no file, or not yet.
    Text {
        /// What it says.
        text: String,
        /// Where it would be: messages name it, and its relative paths start there.
        path: PathBuf,
    },
    /// Headers alone; what they do not say stays undecided.
    Headers {
        /// Paths, or names as in `#include <name>`.
        headers: Vec<String>,
        /// The library's name: `z`, `libz.so.1`, or a path.
        library: String,
        /// Whether callers that pass NULL mean it: whatever the headers do not forbid may be NULL then.
        any_null: bool,
    },
}

/// A library that is ready to be opened.
#[derive(Debug)]
pub struct Bound {
    /// What can be called, and what cannot and why.
    pub interface: Interface,
    /// The interface as a package.
    pub package: &'static rt::Package,
    /// What it says of threads.
    pub rules: Option<&'static rt::ThreadRules>,
    /// What it says of objects that are made anew.
    pub restores: &'static [rt::Restore],
    /// The files to load, in order: what the library needs and the loader would not find, then the library.
    pub libraries: Vec<PathBuf>,
    /// Remarks on the contract, rendered.
    pub warnings: Vec<String>,
}

/// Binds a library: its shim is compiled and ready to be loaded. The package lives until the process ends.
pub fn bind(job: &Job) -> Result<Bound, Error> {
    let checked = check(job)?;
    let Compiled { shim, .. } = compile(&checked)?;
    let Checked { interface, libraries, warnings, .. } = checked;
    let (package, rules) = (dynamic::package(&interface, shim), dynamic::thread_rules(&interface));
    let restores = dynamic::restores(&interface);
    Ok(Bound { interface, package, rules, restores, libraries: libraries.load_order(), warnings })
}

/// A compiled shim.
#[derive(Debug)]
pub struct Compiled {
    /// What was compiled.
    pub source: ShimSource,
    /// The shared object.
    pub shim: Vec<u8>,
    /// The oldest version of the GNU C library that has all the shim needs, such as `2.34`.
    pub glibc: Option<String>,
    /// Libraries that the shim needs by their path, since they have no soname.
    pub paths: Vec<String>,
}

/// Compiles the shim of a checked interface against the library's own headers.
pub fn compile(checked: &Checked) -> Result<Compiled, Error> {
    let (source, work) = source(checked)?;
    let out = work.path().join("shim.so");
    shim::compile(&source, &options(checked, &work)).map_err(Error::from_generate)?;
    let shim = fs::read(&out)
        .map_err(|error| Error::new(ErrorKind::LoadFailed, format!("cannot read the shim: {error}")))?;
    let facts = hotcell_header::library::inspect(&out).map_err(Error::from_header)?;
    // A soname may be a path, too: the loader knows the library by it, wherever it was opened.
    let by_path = |name: &String| name.contains('/') && !checked.libraries.sonames.contains(name);
    let paths = facts.needed.into_iter().filter(by_path).collect();
    Ok(Compiled { source, shim, glibc: facts.glibc, paths })
}

/// All that [`compile`] makes a shim of, as bytes: one that was made of the same is the same. What headers say now is in them, and which
/// compiler it is, and what the linker sees of the libraries.
pub fn inputs(checked: &Checked) -> Result<Vec<u8>, Error> {
    let (source, work) = source(checked)?;
    let mut all = shim::inputs(&source, &options(checked, &work)).map_err(Error::from_generate)?;
    for path in &checked.libraries.own {
        let facts = hotcell_header::library::inspect(path).map_err(Error::from_header)?;
        let seen = (&facts.path, &facts.soname, &facts.exports, &facts.data_exports, &facts.versions);
        all.extend(format!("{seen:?}").into_bytes());
    }
    Ok(all)
}

/// The source of a shim, and a folder to compile it in.
fn source(checked: &Checked) -> Result<(ShimSource, TempDir), Error> {
    if checked.interface.functions.is_empty() {
        return Err(Error::nothing_bound(&checked.interface));
    }
    let source = shim::render(&checked.interface).map_err(Error::from_generate)?;
    let work = tempfile::Builder::new().prefix("hotcell-").tempdir().map_err(|error| {
        Error::new(ErrorKind::LoadFailed, format!("cannot make a directory for the shim: {error}"))
    })?;
    Ok((source, work))
}

fn options(checked: &Checked, work: &TempDir) -> CompileOptions {
    CompileOptions {
        cc: None,
        include_dirs: checked.include_dirs.clone(),
        libraries: checked.libraries.own.clone(),
        out: work.path().join("shim.so"),
        work_dir: work.path().to_owned(),
    }
}

impl Bound {
    /// Opens a session. `options.libraries` is replaced by [`Bound::libraries`].
    pub fn open(&self, options: Options) -> hotcell::Result<Session> {
        let options = Options { libraries: self.libraries.clone(), ..options };
        let options = dynamic::recycle(&self.interface).with(options);
        let options = dynamic::leaving(&self.interface, options);
        let options = dynamic::trying(&self.interface, options);
        let options = rt::restoring(options, self.restores);
        Session::open_by(self.package, self.rules, options)
    }
}
