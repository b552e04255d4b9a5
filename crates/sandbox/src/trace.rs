//! What a library really needs: noted while a program runs its calls, to be written as a profile.
//!
//! A worker that is traced has what is denied in every profile denied, as ever. About everything else that `compute` does not
//! allow its kernel asks the host (`docs/adr/0047-a-trace-asks-the-host.md`), which notes it and lets it go on. There are no
//! rules of paths meanwhile: which those are to be is what is looked for.

use std::collections::BTreeSet;
use std::env;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::policy::Syscall;
use crate::profile::Sandbox;
use crate::sys::notify::{self, Answer, Asked};
use crate::sys::signals::with_signals_blocked;
use crate::tables::HARMLESS;
use crate::view::{self, Sight};

mod judge;
mod needs;
mod process;
mod seen;

pub use needs::{Needs, Proposal};
pub use seen::{Refused, Seen, Unnamed};

/// The variable that names the file in which a session notes what its library does.
pub const FILE: &str = "HOTCELL_TRACE";

/// The variable that names the library, as its contract does: the sessions of others are as ever.
pub const LIBRARY: &str = "HOTCELL_TRACE_LIBRARY";

/// Notes what the workers of a session do.
#[derive(Debug)]
pub struct Trace {
    file: File,
    /// What can be read while a library loads.
    view: Vec<Sight>,
    /// Paths whose use is refused.
    refused: Vec<String>,
    /// The session's own directory for temporary files, which needs no name: as `TMPDIR` names it, and where that is.
    temporary: [PathBuf; 2],
}

impl Trace {
    /// Where this program's environment wants the sessions of a library noted.
    pub fn wanted(library: &str) -> Option<PathBuf> {
        let file = env::var_os(FILE).filter(|file| !file.is_empty())?;
        (env::var_os(LIBRARY)? == library).then(|| file.into())
    }

    /// Notes into this file, for the workers of a session with this sandbox and environment, and with this directory for
    /// temporary files: with the profile a session has another, but it has one.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written to.
    pub fn new(
        file: &Path,
        sandbox: &Sandbox,
        environment: &[(String, String)],
        temporary: &Path,
    ) -> io::Result<Trace> {
        let file = File::options().create(true).append(true).open(file)?;
        let named = Sandbox { read: Vec::new(), write: Vec::new(), load: Vec::new(), ..sandbox.clone() };
        Ok(Trace {
            file,
            view: view::of_load(&named, environment),
            refused: HARMLESS.iter().map(|&path| path.to_owned()).chain(sandbox.refuse.clone()).collect(),
            temporary: [temporary.to_owned(), process::real(temporary)],
        })
    }

    /// Begins to note what a worker does that is about to be started: what is to be its standard input.
    ///
    /// # Errors
    ///
    /// Where there is no socket or no thread for that.
    pub fn attend(&self) -> io::Result<OwnedFd> {
        let (ours, theirs) = notify::pair()?;
        let mut notes = Notes { file: self.file.try_clone()?, noted: BTreeSet::new() };
        let mut judge = judge::Judge::new(self.view.clone(), self.refused.clone(), self.temporary.clone());
        let thread = std::thread::Builder::new().name("hotcell-trace".into());
        // Signals of the application are for its own threads.
        with_signals_blocked(|| thread.spawn(move || attend(&ours, &mut judge, &mut notes)))?;
        Ok(theirs)
    }
}

/// What is written, each line once.
struct Notes {
    file: File,
    noted: BTreeSet<Seen>,
}

/// How many lines a worker's trace has at most: beyond that a library makes them up, and they would fill the program's memory.
const MOST: usize = 1 << 16;

impl Notes {
    fn note(&mut self, seen: Seen) -> io::Result<()> {
        if self.noted.contains(&seen) {
            return Ok(());
        }
        if self.noted.len() == MOST {
            return Err(io::Error::other("a library that needs that much needs no profile"));
        }
        // One write, so that what several workers note does not mingle.
        self.file.write_all(format!("{seen}\n").as_bytes())?;
        self.noted.insert(seen);
        Ok(())
    }
}

/// Hears and answers until the worker has ended. Without an answer a worker would wait for ever: where that cannot be given, or what is
/// seen cannot be noted, the listener is closed, and its calls fail. So a trace has everything that went well.
fn attend(socket: &OwnedFd, judge: &mut judge::Judge, notes: &mut Notes) {
    let Ok(Some(listener)) = notify::Listener::receive(socket) else { return };
    if notes.note(Seen::Worker).is_err() {
        return;
    }
    while let Ok(Some(asked)) = listener.hear() {
        let judge::Judgement { answer, seen } = judged(&asked, judge);
        if listener.waits(&asked) && seen.into_iter().try_for_each(|it| notes.note(it)).is_err() {
            return;
        }
        if listener.answer(&asked, answer).is_err() {
            return;
        }
    }
}

/// What is noted of a call that this process could make, whose library has been loaded.
pub(crate) fn noted(syscall: &'static Syscall, arguments: [u64; 6]) -> Vec<Seen> {
    static JUDGE: OnceLock<judge::Judge> = OnceLock::new();
    let judge = JUDGE.get_or_init(|| {
        let temporary = ["/own-temporary".into(), "/own-temporary".into()];
        let judge = judge::Judge::new(Vec::new(), Vec::new(), temporary);
        judge::Judge { serves: true, ..judge }
    });
    judge.of(&judge::Call { syscall, arguments }, &process::Process(std::process::id())).seen
}

fn judged(asked: &Asked, judge: &mut judge::Judge) -> judge::Judgement {
    let nothing = |answer| judge::Judgement { answer, seen: Vec::new() };
    let Some(syscall) = u32::try_from(asked.number).ok().and_then(Syscall::of_number) else {
        return nothing(Answer::Fail(libc::ENOSYS));
    };
    if syscall.name == "seccomp" && asked.arguments[0] == notify::SERVES {
        judge.serves = true;
        return nothing(Answer::Done);
    }
    judge.of(&judge::Call { syscall, arguments: asked.arguments }, &process::Process(asked.thread))
}
