//! What a sandbox would have to say so that a system call passes which it has stopped.

use std::path::{Component, Path, PathBuf};

use crate::policy::{Policy, Syscall, Then};
use crate::profile::{Profile, Sandbox};

/// A system call that was stopped, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Stopped<'a> {
    /// The call.
    pub syscall: &'static Syscall,
    /// What it was given.
    pub arguments: [u64; 6],
    /// All of the path that it named.
    pub path: Option<&'a str>,
    /// The port that it named.
    pub port: Option<u16>,
}

/// What lets a system call pass that was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// This sandbox: all that the one said that stopped it, and a little more.
    With(Sandbox),
    /// This one, where its list of this name has something besides that is not known: paths or ports.
    Naming(Sandbox, &'static str),
    /// No sandbox does.
    Never,
}

/// Named where a profile needs rules of paths and nothing is to be open by them.
pub(crate) const NOTHING: &str = "/dev/null";

/// The process id of nobody: a worker's own number is in no argument of what was stopped.
const NOBODY: u32 = u32::MAX;

impl Remedy {
    /// Of a call that this sandbox has stopped; nothing where none is known. What a library passed is all that is looked at: it is a
    /// worker's word, and may lead anywhere.
    pub fn of(stopped: &Stopped<'_>, sandbox: &Sandbox) -> Option<Remedy> {
        let Stopped { syscall, arguments, path, port } = *stopped;
        let passes = |policy: &Policy| policy.then(syscall.name, &arguments, NOBODY) == Then::Allow;
        if !passes(&Policy::always()) {
            return Some(Remedy::Never);
        }
        let remedy = if Policy::is_of_files(syscall.name) && !sandbox.has_files() {
            with_files(sandbox, &used(syscall.name, &arguments, path)?)
        } else {
            of_network(syscall.name, sandbox, port)
        };
        let helps = |remedy: &Remedy| {
            let sandbox = match remedy {
                Remedy::With(sandbox) => sandbox.clone(),
                Remedy::Naming(sandbox, key) => named(sandbox.clone(), key),
                Remedy::Never => return false,
            };
            Policy::serve(&sandbox).is_ok_and(|policy| passes(&policy))
        };
        // A line of its own does not do where the kernel judges paths besides.
        let allowed = || {
            let line = (!Policy::is_judged_by_path(syscall.name)).then(|| rule(syscall.name, &arguments))?;
            Some(Remedy::With(with_call(sandbox, line)))
        };
        remedy.filter(helps).or_else(allowed).filter(helps)
    }
}

/// With something in this list.
fn named(mut sandbox: Sandbox, key: &str) -> Sandbox {
    match key {
        "read" => sandbox.read.push(NOTHING.into()),
        "write" => sandbox.write.push(NOTHING.into()),
        "connect" => sandbox.connect.push(1),
        _ => sandbox.bind.push(1),
    }
    sandbox
}

/// What a call does with a path.
enum Used {
    Read(PathBuf),
    Write(PathBuf),
    /// It reads, or asks for names alone.
    Somewhere,
    /// It changes something.
    SomewhereElse,
}

/// What a call of files uses; nothing where no profile can name it.
fn used(name: &str, arguments: &[u64; 6], path: Option<&str>) -> Option<Used> {
    const WRITES: u64 = (libc::O_WRONLY | libc::O_RDWR | libc::O_TRUNC) as u64;
    const MAKES: u64 = (libc::O_CREAT | (libc::O_TMPFILE & !libc::O_DIRECTORY)) as u64;
    let path = path.filter(|path| path.starts_with('/')).map(Path::new);
    if path.is_some_and(|path| !can_be_named(path)) {
        return None;
    }
    let flags = match name {
        "open" => arguments[1],
        "openat" => arguments[2],
        "creat" => MAKES | WRITES,
        _ => 0,
    };
    let written = |path: Option<&Path>| path.map_or(Used::SomewhereElse, |path| Used::Write(path.to_owned()));
    // Where something is made, or goes, its directory is changed.
    let directory = path.and_then(Path::parent);
    let in_directory = || directory.is_none_or(can_be_named).then(|| written(directory));
    Some(match name {
        "open" | "openat" | "creat" if flags & MAKES != 0 => in_directory()?,
        "open" | "openat" if flags & WRITES != 0 => written(path),
        "mkdir" | "mkdirat" | "rmdir" | "unlink" | "unlinkat" => in_directory()?,
        // They name two.
        "rename" | "renameat" | "renameat2" | "link" | "linkat" | "symlink" | "symlinkat" => {
            Used::SomewhereElse
        }
        _ => path.map_or(Used::Somewhere, |path| Used::Read(path.to_owned())),
    })
}

/// Whether it is a plain path: neither everything, nor what is told of the host, nor a way around. What links lead to, the session says when
/// it is opened with it.
fn can_be_named(path: &Path) -> bool {
    let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    let text = path.to_str().filter(|text| !text.contains(char::is_control));
    path.parent().is_some() && !path.starts_with("/proc") && text.is_some() && path.components().all(is_plain)
}

fn with_files(sandbox: &Sandbox, used: &Used) -> Option<Remedy> {
    let profile = match sandbox.profile {
        Profile::Compute => Profile::Files,
        Profile::Network | Profile::Custom => Profile::Custom,
        Profile::Files | Profile::Basic => return None,
    };
    let mut with = Sandbox { profile, ..sandbox.clone() };
    Some(match used {
        Used::Read(path) => {
            with.read.push(path.clone());
            Remedy::With(with)
        }
        Used::Write(path) => {
            with.write.push(path.clone());
            Remedy::With(with)
        }
        Used::Somewhere => Remedy::Naming(with, "read"),
        Used::SomewhereElse => Remedy::Naming(with, "write"),
    })
}

fn of_network(call: &str, sandbox: &Sandbox, port: Option<u16>) -> Option<Remedy> {
    let profile = match sandbox.profile {
        Profile::Compute | Profile::Network => Profile::Network,
        Profile::Files | Profile::Custom => Profile::Custom,
        Profile::Basic => return None,
    };
    let listens = matches!(call, "bind" | "listen" | "accept" | "accept4");
    let mut with = keeping_files(Sandbox { profile, ..sandbox.clone() }, sandbox);
    let ports = if listens { &mut with.bind } else { &mut with.connect };
    // A port that is there already is not what is missing.
    let port = port.filter(|port| matches!(call, "bind" | "connect") && !ports.contains(port));
    match port {
        Some(port) => {
            ports.push(port);
            Some(Remedy::With(with))
        }
        None => Some(Remedy::Naming(with, if listens { "bind" } else { "connect" })),
    }
}

/// With this call besides.
fn with_call(sandbox: &Sandbox, rule: String) -> Sandbox {
    let mut with = keeping_files(Sandbox { profile: Profile::Custom, ..sandbox.clone() }, sandbox);
    with.allow.push(rule);
    with
}

/// A profile that was one with files stays that where it is another now.
fn keeping_files(with: Sandbox, before: &Sandbox) -> Sandbox {
    match before.has_files() && !with.has_files() {
        true => named(with, "read"),
        false => with,
    }
}

/// A line that allows a call with what it was given, as far as that says what it does: numbers of descriptors, lengths and what
/// lies in memory differ from call to call.
pub(crate) fn rule(name: &str, arguments: &[u64; 6]) -> String {
    let choices = Syscall::named(name).map_or(&[][..], |syscall| syscall.choices);
    let compared: Vec<String> = choices
        .iter()
        .map(|&at| match arguments[usize::from(at)] as u32 {
            small @ ..10 => format!("arg{at} == {small}"),
            number => format!("arg{at} == {number:#x}"),
        })
        .collect();
    if compared.is_empty() { name.to_owned() } else { format!("{name}({})", compared.join(" && ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(call: &str, arguments: [u64; 6], path: Option<&str>, sandbox: &Sandbox) -> Option<Remedy> {
        let syscall = Syscall::named(call).unwrap();
        Remedy::of(&Stopped { syscall, arguments, path, port: None }, sandbox)
    }

    fn opened(flags: libc::c_int, path: &str, sandbox: &Sandbox) -> Option<Remedy> {
        of("openat", [0xffff_ff9c, 0, flags as u64, 0, 0, 0], Some(path), sandbox)
    }

    #[test]
    fn a_file_is_named_by_what_is_done_with_it() {
        let compute = Sandbox::default();
        let files = |read: &[&str], write: &[&str]| {
            let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect();
            Sandbox { read: paths(read), write: paths(write), ..Sandbox::of(Profile::Files) }
        };
        let reads = Some(Remedy::With(files(&["/etc/hosts"], &[])));
        assert_eq!(opened(libc::O_RDONLY | libc::O_CLOEXEC, "/etc/hosts", &compute), reads);
        assert_eq!(of("newfstatat", [0; 6], Some("/etc/hosts"), &compute), reads);
        let writes = Some(Remedy::With(files(&[], &["/var/log/a"])));
        assert_eq!(opened(libc::O_RDWR, "/var/log/a", &compute), writes);
        // What is made is made in its directory.
        let makes = Some(Remedy::With(files(&[], &["/var/log"])));
        assert_eq!(opened(libc::O_WRONLY | libc::O_CREAT, "/var/log/a", &compute), makes);
        assert_eq!(of("unlink", [0; 6], Some("/var/log/a"), &compute), makes);
        // Two paths, of which one is known; a name that begins where the library is; none at all.
        let some = |key| Some(Remedy::Naming(files(&[], &[]), key));
        assert_eq!(of("rename", [0; 6], Some("/var/log/a"), &compute), some("write"));
        assert_eq!(opened(libc::O_RDONLY, "a/b", &compute), some("read"));
        assert_eq!(of("openat", [0; 6], None, &compute), some("read"));
        for path in ["/", "/proc/1/mem", "/etc/../proc/1/mem", "/a\nb"] {
            assert_eq!(opened(libc::O_RDONLY, path, &compute), None, "{path}");
        }
        assert_eq!(opened(libc::O_RDWR | libc::O_CREAT, "/a", &compute), None);
        // No profile lets it be, only single calls, whose paths the kernel judges all the same.
        assert_eq!(of("truncate", [0; 6], Some("/var/log/a"), &files(&[], &[])), None);
    }

    #[test]
    fn what_was_said_is_said_again() {
        let network = Sandbox {
            connect: vec![443],
            refuse: vec!["/etc/xml/*".into()],
            write_xor_execute: true,
            ..Sandbox::of(Profile::Network)
        };
        let both = Sandbox { profile: Profile::Custom, read: vec!["/etc/hosts".into()], ..network.clone() };
        assert_eq!(opened(libc::O_RDONLY, "/etc/hosts", &network), Some(Remedy::With(both.clone())));
        // By a call of its own, where neither paths nor ports let it pass; what the profile had by its name it has by something named.
        let unix = [1, 0x80801, 0, 0, 0, 0];
        let line = "socket(arg0 == 1 && arg1 == 0x80801 && arg2 == 0)".to_owned();
        let expect = Sandbox { allow: vec![line.clone()], ..both.clone() };
        assert_eq!(of("socket", unix, None, &both), Some(Remedy::With(expect)));
        let expect =
            Sandbox { read: vec![NOTHING.into()], allow: vec![line], ..Sandbox::of(Profile::Custom) };
        assert_eq!(of("socket", unix, None, &Sandbox::of(Profile::Files)), Some(Remedy::With(expect)));
    }

    #[test]
    fn a_port_is_named_where_it_is_known() {
        let compute = Sandbox::default();
        let network = Sandbox::of(Profile::Network);
        let tcp = [2, 1, 6, 0, 0, 0];
        assert_eq!(of("socket", tcp, None, &compute), Some(Remedy::Naming(network.clone(), "connect")));
        assert_eq!(of("listen", [0; 6], None, &network), Some(Remedy::Naming(network.clone(), "bind")));
        let at = |call: &str, sandbox: &Sandbox| {
            let syscall = Syscall::named(call).unwrap();
            Remedy::of(&Stopped { syscall, arguments: [0; 6], path: None, port: Some(80) }, sandbox)
        };
        let connect = Sandbox { connect: vec![80], ..network.clone() };
        assert_eq!(at("connect", &compute), Some(Remedy::With(connect)));
        assert_eq!(at("bind", &compute), Some(Remedy::With(Sandbox { bind: vec![80], ..network })));
        let files = Sandbox { read: vec!["/data".into()], ..Sandbox::of(Profile::Files) };
        let custom = Sandbox { profile: Profile::Custom, connect: vec![80], ..files.clone() };
        assert_eq!(at("connect", &files), Some(Remedy::With(custom)));
    }

    /// Whatever is said of any call: the sandbox lets it pass, and none can say it of what is never allowed.
    #[test]
    fn what_is_said_to_help_helps() {
        let sandboxes = Profile::ALL.map(Sandbox::of);
        for syscall in crate::tables::SYSCALLS {
            for arguments in [[0; 6], [2, 1, 0, 0, 0, 0], [u64::MAX; 6]] {
                for sandbox in &sandboxes {
                    let stopped = Stopped { syscall, arguments, path: Some("/etc/hosts"), port: Some(7) };
                    let always = Policy::always().then(syscall.name, &arguments, NOBODY);
                    let with = match Remedy::of(&stopped, sandbox) {
                        Some(Remedy::With(with)) => with,
                        Some(Remedy::Naming(with, key)) => named(with, key),
                        Some(Remedy::Never) => {
                            assert_ne!(always, Then::Allow, "{}", syscall.name);
                            continue;
                        }
                        None => continue,
                    };
                    assert_eq!(always, Then::Allow, "{}", syscall.name);
                    assert_eq!(with.misplaced(), None, "{}", syscall.name);
                    let then = Policy::serve(&with).unwrap().then(syscall.name, &arguments, NOBODY);
                    assert_eq!(then, Then::Allow, "{}", syscall.name);
                }
            }
        }
    }
}
