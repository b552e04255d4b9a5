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
    /// Whether it was stopped while the library was loading, which has rules of its own.
    pub loading: bool,
}

/// What lets a system call pass that was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// This sandbox: all that the one said that stopped it, and a little more.
    With(Sandbox),
    /// This one, where its lists of these names have something besides that is not known: paths or ports.
    Naming(Sandbox, Vec<&'static str>),
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
        let Stopped { syscall, arguments, path, port, loading } = *stopped;
        let name = syscall.name;
        // Some calls that take a path take none where they work on a descriptor.
        let no_path = syscall.path.is_none_or(|at| arguments[usize::from(at)] == 0 && path.is_none());
        let passes = |policy: &Policy| policy.then(syscall.name, &arguments, NOBODY) == Then::Allow;
        if !passes(&Policy::always()) {
            return Some(Remedy::Never);
        }
        let is_of_files = Policy::is_of_files(name) && !sandbox.has_files();
        let remedy = || match is_of_files {
            true => with_files(sandbox, &used(name, &arguments, path)?),
            false => of_network(name, &arguments, sandbox, port),
        };
        let helps = |remedy: &Remedy| {
            let sandbox = match remedy {
                Remedy::With(sandbox) => sandbox.clone(),
                Remedy::Naming(sandbox, open) => filled(sandbox.clone(), open),
                Remedy::Never => return false,
            };
            let in_force = if loading { Policy::load(&sandbox) } else { Policy::serve(&sandbox) };
            in_force.is_ok_and(|policy| passes(&policy))
        };
        // A line of its own does not do where the kernel judges paths besides.
        let allowed = || {
            let line =
                (!Policy::is_judged_by_path(name)).then(|| match syscall.path.filter(|_| no_path) {
                    Some(at) => without_path(name, &arguments, at),
                    None => rule(name, &arguments),
                })?;
            Some(with_call(sandbox, line))
        };
        // Of what works on a descriptor no path is known, and none may be missing.
        if is_of_files && no_path {
            return allowed().filter(helps).or_else(remedy).filter(helps);
        }
        remedy().filter(helps).or_else(allowed).filter(helps)
    }

    /// What there is to say behind it, in the words of every language.
    pub fn note(&self, stopped: &Stopped<'_>) -> Option<&'static str> {
        let Remedy::With(sandbox) = self else { return None };
        let name = stopped.syscall.name;
        match Policy::is_of_files(name).then(|| used(name, &stopped.arguments, stopped.path))?? {
            Used::Read(path) if sandbox.read.contains(&path) => Some(MISSING),
            Used::Within(path, note) if sandbox.write.contains(&path) => Some(note),
            _ => None,
        }
    }
}

/// Of what is read, for a path that is not there cannot be named to be read.
const MISSING: &str = ", or `refuse` with this path where it is missing";

const ITS_DIRECTORY: &str = ": its directory, with all below it";

const A_DIRECTORY: &str = ": a directory, with all below it";

/// With something in each of these lists.
fn filled(sandbox: Sandbox, open: &[&str]) -> Sandbox {
    open.iter().fold(sandbox, |sandbox, key| named(sandbox, key))
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
    /// It changes what is in a directory, of which this is said.
    Within(PathBuf, &'static str),
    /// It reads, or asks for names alone.
    Somewhere,
    /// It changes something.
    SomewhereElse,
}

/// What a call of files uses; nothing where no profile can name it.
fn used(name: &str, arguments: &[u64; 6], path: Option<&str>) -> Option<Used> {
    const WRITES: u64 = (libc::O_WRONLY | libc::O_RDWR | libc::O_TRUNC) as u64;
    const MAKES: u64 = libc::O_CREAT as u64;
    const NAMELESS: u64 = (libc::O_TMPFILE & !libc::O_DIRECTORY) as u64;
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
    let written = || path.map_or(Used::SomewhereElse, |path| Used::Write(path.to_owned()));
    let within = |path: &Path, note| Used::Within(path.to_owned(), note);
    // Where something is made, or goes, its directory is changed.
    let in_directory = || match path.and_then(Path::parent) {
        Some(directory) if !can_be_named(directory) => None,
        Some(directory) if !holds_others(directory) => Some(within(directory, ITS_DIRECTORY)),
        _ => Some(Used::SomewhereElse),
    };
    Some(match name {
        // The path is the directory.
        "open" | "openat" if flags & NAMELESS != 0 => {
            path.map_or(Used::SomewhereElse, |path| within(path, A_DIRECTORY))
        }
        "open" | "openat" | "creat" if flags & MAKES != 0 => in_directory()?,
        "open" | "openat" if flags & WRITES != 0 => written(),
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
    // What is shown otherwise than it is written is another path to whoever copies it.
    let is_shown = |letter: char| matches!(letter, '"' | '\'' | '\\') || letter.escape_debug().eq([letter]);
    let text = path.to_str().filter(|text| text.chars().all(is_shown));
    path.parent().is_some() && !path.starts_with("/proc") && text.is_some() && path.components().all(is_plain)
}

/// Whether much besides is to be expected below a directory: one near the root, as `/etc` and the home of a user, or one for everybody's temporary
/// files. Which part of it is meant nobody can tell.
fn holds_others(directory: &Path) -> bool {
    const TEMPORARY: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];
    let names = directory.components().count() - 1;
    names <= 2 || TEMPORARY.iter().any(|temporary| directory.starts_with(temporary))
}

fn with_files(sandbox: &Sandbox, used: &Used) -> Option<Remedy> {
    let profile = match sandbox.profile {
        Profile::Compute => Profile::Files,
        Profile::Network | Profile::Custom => Profile::Custom,
        Profile::Files | Profile::Basic => return None,
    };
    let mut with = Sandbox { profile, ..sandbox.clone() };
    let mut open = None;
    match used {
        Used::Read(path) => with.read.push(path.clone()),
        Used::Write(path) | Used::Within(path, _) => with.write.push(path.clone()),
        Used::Somewhere => open = Some("read"),
        Used::SomewhereElse => open = Some("write"),
    }
    Some(keeping(with, open, sandbox))
}

/// With ports, where they are what is missing.
fn of_network(call: &str, arguments: &[u64; 6], sandbox: &Sandbox, port: Option<u16>) -> Option<Remedy> {
    let is_of_ports = match call {
        "socket" => matches!(arguments[0] as libc::c_int, libc::AF_INET | libc::AF_INET6),
        "connect" | "bind" => port.is_some(),
        "listen" | "accept" | "accept4" => sandbox.has_network(),
        _ => false,
    };
    let profile = match sandbox.profile {
        _ if !is_of_ports => return None,
        Profile::Compute | Profile::Network => Profile::Network,
        Profile::Files | Profile::Custom => Profile::Custom,
        Profile::Basic => return None,
    };
    let listens = matches!(call, "bind" | "listen" | "accept" | "accept4");
    let mut with = Sandbox { profile, ..sandbox.clone() };
    let ports = if listens { &mut with.bind } else { &mut with.connect };
    // A port that is there already is not what is missing.
    let port = port.filter(|port| matches!(call, "bind" | "connect") && !ports.contains(port));
    ports.extend(port);
    let open = port.is_none().then_some(if listens { "bind" } else { "connect" });
    Some(keeping(with, open, sandbox))
}

/// With this call besides.
fn with_call(sandbox: &Sandbox, rule: String) -> Remedy {
    let mut with = Sandbox { profile: Profile::Custom, ..sandbox.clone() };
    with.allow.push(rule);
    keeping(with, None, sandbox)
}

/// A profile that was one with files or with the network by its name stays that where it is another now: by something that is named.
fn keeping(mut with: Sandbox, open: Option<&'static str>, before: &Sandbox) -> Remedy {
    let mut open: Vec<&str> = open.into_iter().collect();
    let filled_in = filled(with.clone(), &open);
    if before.has_files() && !filled_in.has_files() {
        with = named(with, "read");
    }
    if before.has_network() && !filled_in.has_network() {
        open.push("connect");
    }
    with.require = filled(with.clone(), &open).within_reach();
    if open.is_empty() { Remedy::With(with) } else { Remedy::Naming(with, open) }
}

/// A line that allows a call with what it was given, as far as that says what it does: numbers of descriptors, lengths and what
/// lies in memory differ from call to call.
pub(crate) fn rule(name: &str, arguments: &[u64; 6]) -> String {
    compared(name, choices(name, arguments))
}

/// The same of a call that was given no path where this argument is one: with one it is another matter.
fn without_path(name: &str, arguments: &[u64; 6], at: u8) -> String {
    let mut lines = choices(name, arguments);
    lines.push(format!("arg{at}:64 == 0"));
    compared(name, lines)
}

fn compared(name: &str, compared: Vec<String>) -> String {
    if compared.is_empty() { name.to_owned() } else { format!("{name}({})", compared.join(" && ")) }
}

fn choices(name: &str, arguments: &[u64; 6]) -> Vec<String> {
    let choices = Syscall::named(name).map_or(&[][..], |syscall| syscall.choices);
    choices
        .iter()
        .map(|&at| match arguments[usize::from(at)] as u32 {
            small @ ..10 => format!("arg{at} == {small}"),
            number => format!("arg{at} == {number:#x}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(call: &str, arguments: [u64; 6], path: Option<&str>, sandbox: &Sandbox) -> Option<Remedy> {
        let syscall = Syscall::named(call).unwrap();
        Remedy::of(&Stopped { syscall, arguments, path, port: None, loading: false }, sandbox)
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
        let writes = Some(Remedy::With(files(&[], &["/srv/a/log/a"])));
        assert_eq!(opened(libc::O_RDWR, "/srv/a/log/a", &compute), writes);
        // What is made is made in its directory.
        let makes = Some(Remedy::With(files(&[], &["/srv/a/log"])));
        assert_eq!(opened(libc::O_WRONLY | libc::O_CREAT, "/srv/a/log/a", &compute), makes);
        assert_eq!(of("unlink", [0; 6], Some("/srv/a/log/a"), &compute), makes);
        // Two paths, of which one is known; a name that begins where the library is; none at all.
        let some = |key| Some(Remedy::Naming(files(&[], &[]), vec![key]));
        assert_eq!(of("rename", [0; 6], Some("/var/log/a"), &compute), some("write"));
        // Where much else may be in the directory it is not for a line to open all of it.
        for path in ["/etc", "/srv/u", "/tmp", "/tmp x y z", "/var/tmp x y", "/dev/shm x y"] {
            let path = format!("{path} a").replace(' ', "/");
            assert_eq!(opened(libc::O_WRONLY | libc::O_CREAT, &path, &compute), some("write"), "{path}");
        }
        // Of a file that has no name the path is the directory.
        for path in ["/tmp", "/var/tmp", "/srv/a/log"] {
            let makes = Some(Remedy::With(files(&[], &[path])));
            assert_eq!(opened(libc::O_RDWR | libc::O_TMPFILE, path, &compute), makes, "{path}");
        }
        assert_eq!(opened(libc::O_RDONLY, "a/b", &compute), some("read"));
        assert_eq!(of("openat", [0; 6], None, &compute), some("read"));
        let quoted = Some(Remedy::With(files(&["/a/\"b\" 'c' \\ ä 字"], &[])));
        assert_eq!(opened(libc::O_RDONLY, "/a/\"b\" 'c' \\ ä 字", &compute), quoted);
        let unseen = ["/a\u{202e}b", "/a\u{200b}b", "/a\u{2028}b", "/a\u{feff}b", "/a\u{a0}b"];
        for path in ["/", "/proc/1/mem", "/etc/../proc/1/mem", "/a\nb"].into_iter().chain(unseen) {
            assert_eq!(opened(libc::O_RDONLY, path, &compute), None, "{path}");
        }
        assert_eq!(opened(libc::O_RDWR | libc::O_CREAT, "/a", &compute), None);
        // No profile lets it be, only single calls, whose paths the kernel judges all the same.
        assert_eq!(of("truncate", [0; 6], Some("/var/log/a"), &files(&[], &[])), None);
    }

    #[test]
    fn what_works_on_a_descriptor_is_allowed_by_its_name() {
        let by_line = |line: &str, before: Sandbox| {
            Some(Remedy::With(Sandbox { profile: Profile::Custom, allow: vec![line.into()], ..before }))
        };
        for (name, line) in [
            ("ftruncate", "ftruncate"),
            ("sendfile", "sendfile"),
            ("getdents64", "getdents64"),
            ("flock", "flock(arg1 == 2)"),
            ("fallocate", "fallocate(arg1 == 2)"),
        ] {
            let expect = by_line(line, Sandbox::default());
            assert_eq!(of(name, [3, 2, 0, 0, 0, 0], None, &Sandbox::default()), expect);
        }
    }

    #[test]
    fn what_has_no_path_asks_for_none() {
        let line = |line: &str| {
            Some(Remedy::With(Sandbox { allow: vec![line.into()], ..Sandbox::of(Profile::Custom) }))
        };
        // `futimens`; with a path, that is what is missing.
        let compute = Sandbox::default();
        assert_eq!(of("utimensat", [3, 0, 0, 0, 0, 0], None, &compute), line("utimensat(arg1:64 == 0)"));
        let some = Some(Remedy::Naming(Sandbox::of(Profile::Files), vec!["read"]));
        assert_eq!(of("newfstatat", [3, 0x1000, 0x2000, 0, 0, 0], None, &compute), some);
    }

    #[test]
    fn a_line_for_what_is_stopped_while_loading_takes_nothing_from_loading() {
        let while_loading = |name: &str, arguments| {
            let syscall = Syscall::named(name).unwrap();
            let stopped = Stopped { syscall, arguments, path: None, port: None, loading: true };
            let Some(Remedy::With(with)) = Remedy::of(&stopped, &Sandbox::default()) else {
                panic!("{name}");
            };
            Policy::load(&with).unwrap()
        };
        let (datagrams, streams) = ([1, 2, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]);
        let policy = while_loading("socketpair", datagrams);
        for pair in [datagrams, streams] {
            assert_eq!(policy.then("socketpair", &pair, NOBODY), Then::Allow);
        }
        assert_eq!(policy.then("socketpair", &[2, 1, 0, 0, 0, 0], NOBODY), Then::Deny);
    }

    #[test]
    fn what_a_line_opens_is_said_behind_it() {
        let note = |call: &str, flags: libc::c_int, path: &str| {
            let arguments = [0xffff_ff9c, 0, flags as u64, 0, 0, 0];
            let syscall = Syscall::named(call).unwrap();
            let stopped = Stopped { syscall, arguments, path: Some(path), port: None, loading: false };
            Remedy::of(&stopped, &Sandbox::default()).unwrap().note(&stopped)
        };
        assert_eq!(note("openat", libc::O_RDONLY, "/etc/hosts"), Some(MISSING));
        assert_eq!(note("newfstatat", 0, "/etc/hosts"), Some(MISSING));
        assert_eq!(note("openat", libc::O_RDONLY, "hosts"), None);
        assert_eq!(note("openat", libc::O_RDWR, "/srv/a/log/a"), None);
        assert_eq!(note("openat", libc::O_RDWR | libc::O_CREAT, "/srv/a/log/a"), Some(ITS_DIRECTORY));
        assert_eq!(note("openat", libc::O_RDWR | libc::O_CREAT, "/etc/a"), None);
        assert_eq!(note("openat", libc::O_RDWR | libc::O_TMPFILE, "/tmp"), Some(A_DIRECTORY));
        assert_eq!(note("ptrace", 0, "/etc/hosts"), None);
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
        // The network without a port has no name in another profile: it is left open.
        let network = Sandbox::of(Profile::Network);
        let open = |sandbox: Sandbox, open: &[&'static str]| {
            Some(Remedy::Naming(Sandbox { profile: Profile::Custom, ..sandbox }, open.to_vec()))
        };
        let read = Sandbox { read: vec!["/etc/hosts".into()], ..network.clone() };
        assert_eq!(opened(libc::O_RDONLY, "/etc/hosts", &network), open(read, &["connect"]));
        assert_eq!(opened(libc::O_RDONLY, "hosts", &network), open(network.clone(), &["read", "connect"]));
        let line = Sandbox { allow: vec!["ftruncate".into()], ..network.clone() };
        assert_eq!(of("ftruncate", [3, 0, 0, 0, 0, 0], None, &network), open(line, &["connect"]));
    }

    #[test]
    fn a_port_is_named_where_it_is_known() {
        let compute = Sandbox::default();
        let network = Sandbox::of(Profile::Network);
        let tcp = [2, 1, 6, 0, 0, 0];
        assert_eq!(of("socket", tcp, None, &compute), Some(Remedy::Naming(network.clone(), vec!["connect"])));
        assert_eq!(of("listen", [0; 6], None, &network), Some(Remedy::Naming(network.clone(), vec!["bind"])));
        // What is no matter of ports has a line of its own.
        let by_line = |line: &str| {
            let allow = vec![line.to_owned()];
            Some(Remedy::With(Sandbox { allow, ..Sandbox::of(Profile::Custom) }))
        };
        for name in ["sendmsg", "connect", "bind", "listen", "accept", "getsockname"] {
            assert_eq!(of(name, [3, 0, 0, 0, 0, 0], None, &compute), by_line(name), "{name}");
        }
        let unix = [1, 1, 0, 0, 0, 0];
        assert_eq!(
            of("socket", unix, None, &compute),
            by_line("socket(arg0 == 1 && arg1 == 1 && arg2 == 0)")
        );
        let at = |call: &str, sandbox: &Sandbox| {
            let syscall = Syscall::named(call).unwrap();
            let (arguments, path, port, loading) = ([0; 6], None, Some(80), false);
            Remedy::of(&Stopped { syscall, arguments, path, port, loading }, sandbox)
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
                for (sandbox, loading) in sandboxes.iter().flat_map(|it| [(it, false), (it, true)]) {
                    let (path, port) = (Some("/etc/hosts"), Some(7));
                    let stopped = Stopped { syscall, arguments, path, port, loading };
                    let always = Policy::always().then(syscall.name, &arguments, NOBODY);
                    let with = match Remedy::of(&stopped, sandbox) {
                        Some(Remedy::With(with)) => with,
                        Some(Remedy::Naming(with, open)) => filled(with, &open),
                        Some(Remedy::Never) => {
                            assert_ne!(always, Then::Allow, "{}", syscall.name);
                            continue;
                        }
                        None => continue,
                    };
                    assert_eq!(always, Then::Allow, "{}", syscall.name);
                    assert_eq!(with.misplaced(), None, "{}", syscall.name);
                    assert!(with.has_files() || !sandbox.has_files(), "{}", syscall.name);
                    assert!(with.has_network() || !sandbox.has_network(), "{}", syscall.name);
                    // What would let it pass while the library loads is for then.
                    let in_force = if loading { Policy::load(&with) } else { Policy::serve(&with) };
                    let then = in_force.unwrap().then(syscall.name, &arguments, NOBODY);
                    assert_eq!(then, Then::Allow, "{}", syscall.name);
                }
            }
        }
    }
}
