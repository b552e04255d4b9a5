//! What a call that was asked about means, and what becomes of it: the same as in a worker that is not traced, but that what
//! would end that one goes on.

use std::path::{Path, PathBuf};

use crate::policy::{Compared, Policy, Syscall, Then, WrongRule};
use crate::profile::{Profile, Sandbox, is_of_worker, wrong_path};
use crate::sys::notify::Answer;
use crate::tables::DEVICES;
use crate::view::{Access, Sight};

use super::process::{Process, real};
use super::seen::{Refused, Seen, Unnamed, plain};

/// A call that waits.
pub(super) struct Call {
    pub(super) syscall: &'static Syscall,
    pub(super) arguments: [u64; 6],
}

/// What becomes of a call, and what was seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) answer: Answer,
    pub(super) seen: Vec<Seen>,
}

pub(super) struct Judge {
    pub(super) compute: Policy,
    pub(super) load: Policy,
    pub(super) files: Policy,
    /// What can be read while the library loads.
    pub(super) view: Vec<Sight>,
    /// Paths whose use is refused.
    pub(super) refused: Vec<String>,
    /// The session's own directory for temporary files, by its names.
    pub(super) temporary: [PathBuf; 2],
    /// Whether the library has been loaded.
    pub(super) serves: bool,
}

/// Of a call about the descriptor itself where the path is empty.
const EMPTY_PATH: u64 = 0x1000;

/// Flags of `open`.
const WRITES: u64 = (libc::O_WRONLY | libc::O_RDWR | libc::O_TRUNC) as u64;
const CREATES: u64 = libc::O_CREAT as u64;
const NAMELESS: u64 = (libc::O_TMPFILE & !libc::O_DIRECTORY) as u64;
const ONLY_NAMES: u64 = libc::O_PATH as u64;

impl Judge {
    /// Of a worker that loads its library.
    pub(super) fn new(view: Vec<Sight>, refused: Vec<String>, temporary: [PathBuf; 2]) -> Judge {
        let of = |policy: fn(&Sandbox) -> Result<Policy, WrongRule>, profile| {
            policy(&Sandbox::of(profile)).expect("nothing of it is a user's")
        };
        Judge {
            compute: of(Policy::serve, Profile::Compute),
            load: of(Policy::load, Profile::Compute),
            files: of(Policy::serve, Profile::Files),
            view,
            refused,
            temporary,
            serves: false,
        }
    }

    pub(super) fn of(&self, call: &Call, process: &Process) -> Judgement {
        let name = call.syscall.name;
        let policy = if self.serves { &self.compute } else { &self.load };
        match policy.then(name, &call.arguments, process.0) {
            Then::Refuse(errno) => call.refused(errno, None),
            // A path may be one that the loader does not see.
            Then::Allow => self.used(call, process, Vec::new()),
            Then::Answer(errno) => Judgement { answer: Answer::Fail(errno), seen: Vec::new() },
            Then::Deny | Then::Ask => {
                // What no line changes: `O_TRUNC` without a right to write, and calls that older kernels lack.
                match self.files.then(name, &call.arguments, process.0) {
                    Then::Refuse(errno) if Policy::is_guarded(name) => {
                        return call.refused(errno, call.named(process));
                    }
                    Then::Answer(errno @ libc::ENOSYS) => {
                        return Judgement { answer: Answer::Fail(errno), seen: Vec::new() };
                    }
                    _ => {}
                }
                if let Some(told) = self.told_otherwise(call, process) {
                    return told;
                }
                let seen = Seen::Call { name, arguments: call.telling() };
                self.used(call, process, vec![seen])
            }
        }
    }

    /// What the worker itself answers where it serves, by the path.
    fn told_otherwise(&self, call: &Call, process: &Process) -> Option<Judgement> {
        let argument = call.syscall.path?;
        let path = process.text(call.arguments[usize::from(argument)])?;
        let go_on = Judgement { answer: Answer::GoOn, seen: Vec::new() };
        let path = match (call.syscall.name, String::from_utf8(path).ok()?) {
            ("newfstatat", path) if path.is_empty() && call.arguments[3] & EMPTY_PATH != 0 => {
                return Some(go_on);
            }
            ("statx", path) if path.is_empty() && call.arguments[2] & EMPTY_PATH != 0 => {
                return Some(Judgement { answer: Answer::Fail(libc::ENOSYS), seen: Vec::new() });
            }
            ("open" | "openat", path) if DEVICES.contains(&&*path) => return Some(go_on),
            (_, path) => path,
        };
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == *pattern,
        };
        self.refused.iter().any(fits).then(|| call.refused(libc::EACCES, Some(path.clone().into())))
    }

    /// A call that goes on, and what it uses.
    fn used(&self, call: &Call, process: &Process, mut seen: Vec<Seen>) -> Judgement {
        if call.points(call.syscall.path) || call.points(call.syscall.address) {
            seen.extend(process.is_hidden().then_some(Seen::Hidden(call.syscall.name)));
        }
        for use_ in call.uses(process) {
            seen.extend(self.seen_of(call, use_, process));
        }
        Judgement { answer: Answer::GoOn, seen }
    }

    fn seen_of(&self, call: &Call, use_: Use, process: &Process) -> Option<Seen> {
        let (mut path, access) = match use_ {
            Use::Read(path) => (path, Access::Read),
            Use::Write(path) => (path, Access::Write),
            Use::Connect(port) => return Some(Seen::Connect(port)),
            Use::Bind(port) => return Some(Seen::Bind(port)),
        };
        if let Ok(number) = path.strip_prefix("/proc/self/fd") {
            // The loader's way to the files of the session, for which the profile has rules of their own. Otherwise the kernel
            // asks where it leads.
            path = if self.serves { process.target(number)? } else { return None };
        }
        if self.is_temporary(&path) {
            return Some(Seen::Temporary);
        }
        if DEVICES.iter().any(|device| path == Path::new(device)) {
            return None;
        }
        if !self.serves && self.is_loaders(&path, access) {
            return None;
        }
        let text = path.to_str().filter(|text| !text.contains(char::is_control));
        if text.is_none() || wrong_path(&path).is_some() {
            let path = plain(&path.to_string_lossy());
            return Some(Seen::Unnamed(Unnamed { name: call.syscall.name, path }));
        }
        Some(match access {
            Access::Write => Seen::Write(path),
            Access::Read if self.serves => Seen::Read(path),
            Access::Read => Seen::Load(path),
        })
    }

    /// Whether it is in the session's own directory for temporary files, by whatever name.
    fn is_temporary(&self, path: &Path) -> bool {
        let is_below = |path: &Path| self.temporary.iter().any(|own| path.starts_with(own));
        is_below(path) || is_below(&real(path))
    }

    /// Whether a loader sees this path, or it is of the worker's own: the kernel asks where links lead.
    fn is_loaders(&self, path: &Path, access: Access) -> bool {
        if is_of_worker(path) {
            return access == Access::Read;
        }
        let place = real(path);
        let covers = |sight: &Sight| {
            place.starts_with(real(&sight.path)) && (sight.access == access || access == Access::Read)
        };
        self.view.iter().any(covers)
    }
}

/// What a call uses, by the kernel's rules of paths and ports.
enum Use {
    Read(PathBuf),
    Write(PathBuf),
    Connect(u16),
    Bind(u16),
}

impl Call {
    /// Whether an argument that may point somewhere does.
    fn points(&self, argument: Option<u8>) -> bool {
        argument.is_some_and(|argument| self.arguments[usize::from(argument)] != 0)
    }

    fn refused(&self, errno: i32, path: Option<PathBuf>) -> Judgement {
        let (name, arguments) = (self.syscall.name, self.telling());
        // An empty one names nothing.
        let path = path.filter(|path| !path.as_os_str().is_empty());
        let seen = vec![Seen::Refused(Refused { name, arguments, path, errno })];
        Judgement { answer: Answer::Fail(errno), seen }
    }

    /// Its arguments, as far as they say what it does: descriptors, lengths and addresses differ from call to call.
    fn telling(&self) -> [u64; 6] {
        let mut telling = [0; 6];
        for (place, argument) in self.arguments.into_iter().enumerate() {
            telling[place] = match Policy::compares(self.syscall, place) {
                Compared::Whole => u64::from(argument != 0),
                Compared::Half => argument & u64::from(u32::MAX),
                Compared::No => 0,
            };
        }
        telling
    }

    /// What it names, as it does.
    fn named(&self, process: &Process) -> Option<PathBuf> {
        let path = process.text(self.arguments[usize::from(self.syscall.path?)])?;
        Some(plain(&String::from_utf8_lossy(&path)).into())
    }

    fn uses(&self, process: &Process) -> Vec<Use> {
        let [first, second, third, ..] = self.arguments;
        let port = |address| process.port(address).filter(|_| process.is_tcp(first));
        match self.syscall.name {
            "open" => self.opened(process, 0, second),
            "openat" => self.opened(process, 1, third),
            "creat" => self.opened(process, 0, CREATES | WRITES),
            "truncate" => self.path(process, 0).map(Use::Write).into_iter().collect(),
            "mkdir" => self.changed(process, None, Some(0)),
            "mkdirat" => self.changed(process, None, Some(1)),
            "rmdir" | "unlink" => self.changed(process, Some(0), None),
            "unlinkat" => self.changed(process, Some(1), None),
            "rename" => self.moved(process, 0, 1),
            "renameat" | "renameat2" => self.moved(process, 1, 3),
            "link" => self.changed(process, Some(0), Some(1)),
            "linkat" => self.changed(process, Some(1), Some(3)),
            "symlink" => self.changed(process, None, Some(1)),
            "symlinkat" => self.changed(process, None, Some(2)),
            "connect" => port(second).map(Use::Connect).into_iter().collect(),
            "bind" => port(second).map(Use::Bind).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The path in an argument. Behind `…at` its directory stands before it.
    fn path(&self, process: &Process, argument: usize) -> Option<PathBuf> {
        let has_directory =
            self.syscall.name.contains("at") && !matches!(self.syscall.name, "creat" | "truncate");
        let directory = (has_directory && argument > 0).then(|| self.arguments[argument - 1]);
        process.absolute(directory, process.text(self.arguments[argument])?)
    }

    fn opened(&self, process: &Process, argument: usize, flags: u64) -> Vec<Use> {
        let Some(path) = self.path(process, argument) else { return Vec::new() };
        let there = process.has(&path);
        let used = if flags & ONLY_NAMES != 0 || (!there && flags & CREATES == 0) {
            None
        } else if !there {
            process.made(&path).map(Use::Write)
        } else if flags & (WRITES | NAMELESS) != 0 {
            Some(Use::Write(path))
        } else {
            Some(Use::Read(path))
        };
        used.into_iter().collect()
    }

    /// The directories of what is there and goes or gets another name, and of what is not there yet and is made. Otherwise the call
    /// fails, whatever is allowed.
    fn changed(&self, process: &Process, old: Option<usize>, new: Option<usize>) -> Vec<Use> {
        let path = |argument: Option<usize>| argument.map(|argument| self.path(process, argument));
        let (old, new) = (path(old), path(new));
        let is = |path: &Option<Option<PathBuf>>, there: bool| match path {
            Some(Some(path)) => process.has_name(path) == there,
            _ => true,
        };
        if !is(&old, true) || !is(&new, false) {
            return Vec::new();
        }
        [old, new].into_iter().flatten().flatten().filter_map(of_parent).collect()
    }

    /// The same of a name that may take the place of another.
    fn moved(&self, process: &Process, from: usize, to: usize) -> Vec<Use> {
        let Some(from) = self.path(process, from).filter(|path| process.has_name(path)) else {
            return Vec::new();
        };
        [Some(from), self.path(process, to)].into_iter().flatten().filter_map(of_parent).collect()
    }
}

fn of_parent(path: PathBuf) -> Option<Use> {
    path.parent().map(|parent| Use::Write(parent.to_owned()))
}

#[cfg(test)]
mod tests;
