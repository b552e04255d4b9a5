//! What was seen, as the smallest profile that lets the same calls pass.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::policy::{Policy, Then};
use crate::profile::{Profile, Sandbox};
use crate::remedy::{NOTHING, rule};

use super::process::real;
use super::seen::{Refused, Seen, Unnamed};

/// All that was seen of a library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs(BTreeSet<Seen>);

/// A profile, and what is to be known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The profile.
    pub sandbox: Sandbox,
    /// Calls of its `allow` whose use no rule of paths or ports limits, with what that means.
    pub wide: Vec<(&'static str, &'static str)>,
    /// What was refused, as the profile refuses it too.
    pub refused: Vec<Refused>,
    /// What cannot be named, and is not allowed by the profile.
    pub unnamed: Vec<Unnamed>,
    /// Calls whose paths or addresses could not be read, so that nothing of them is named.
    pub hidden: Vec<&'static str>,
}

/// Calls that no rule of paths or ports limits, and what they reach.
const WIDE: [(&str, &[&str]); 3] = [
    (
        "owners, modes, attributes and times of any file of the user's",
        &[
            "chmod",
            "fchmod",
            "fchmodat",
            "fchmodat2",
            "chown",
            "fchown",
            "lchown",
            "fchownat",
            "utime",
            "utimes",
            "futimesat",
            "utimensat",
            "setxattr",
            "lsetxattr",
            "fsetxattr",
            "removexattr",
            "lremovexattr",
            "fremovexattr",
            "setxattrat",
            "removexattrat",
            "file_setattr",
        ],
    ),
    (
        "any address that is not TCP's",
        &["socket", "socketpair", "connect", "bind", "sendto", "sendmsg", "sendmmsg"],
    ),
    (
        "memory, semaphores and queues of any program of the user's",
        &[
            "shmget",
            "shmat",
            "shmctl",
            "semget",
            "semop",
            "semtimedop",
            "semctl",
            "msgget",
            "msgsnd",
            "msgrcv",
            "msgctl",
            "mq_open",
            "mq_unlink",
        ],
    ),
];

impl Needs {
    /// What a trace's file says, and the lines that say nothing: a full disk leaves half of one.
    pub fn read(text: &str) -> (Needs, Vec<String>) {
        let mut other = Vec::new();
        let seen =
            text.lines().filter_map(|line| line.parse().map_err(|()| other.push(line.to_owned())).ok());
        (Needs(seen.collect()), other)
    }

    /// Whether a worker of the library came up at all.
    pub fn any_worker(&self) -> bool {
        self.0.contains(&Seen::Worker)
    }

    /// The profile. What `base` says of refusals, and of what must be in force, is kept.
    pub fn proposal(&self, base: &Sandbox) -> Proposal {
        let write = topmost(self.paths(|seen| match seen {
            Seen::Write(path) => Some(path),
            _ => None,
        }));
        let read = topmost(self.paths(|seen| match seen {
            Seen::Read(path) => Some(path),
            _ => None,
        }));
        let load = topmost(self.paths(|seen| match seen {
            Seen::Load(path) => Some(path),
            _ => None,
        }));
        let read: Vec<_> = read.into_iter().filter(|path| !holds(&write, path)).collect();
        let load = load.into_iter().filter(|path| !holds(&write, path) && !holds(&read, path)).collect();
        let ports = |pick: fn(&Seen) -> Option<u16>| self.0.iter().filter_map(pick).collect::<Vec<u16>>();
        let mut sandbox = Sandbox {
            profile: Profile::Custom,
            read,
            write,
            connect: ports(|seen| if let Seen::Connect(port) = seen { Some(*port) } else { None }),
            bind: ports(|seen| if let Seen::Bind(port) = seen { Some(*port) } else { None }),
            allow: Vec::new(),
            load,
            refuse: base.refuse.clone(),
            write_xor_execute: base.write_xor_execute,
            require: base.require,
        };
        let asks_files =
            self.0.contains(&Seen::Temporary) || self.calls().any(|(name, _)| Policy::is_of_files(name));
        let stands_for_files = asks_files && !sandbox.has_files();
        if stands_for_files {
            sandbox.read = vec![NOTHING.into()];
        }
        let lines = self.allowed(&sandbox);
        sandbox.allow = lines.iter().map(|(_, line)| line.clone()).collect();
        sandbox.profile = plainest(&sandbox);
        if stands_for_files && sandbox.profile == Profile::Files {
            sandbox.read.clear();
        }
        sandbox.require = sandbox.within_reach();
        Proposal {
            wide: wide(lines.iter().map(|(name, _)| *name)),
            sandbox,
            refused: self
                .0
                .iter()
                .filter_map(|seen| if let Seen::Refused(it) = seen { Some(it.clone()) } else { None })
                .collect(),
            unnamed: self
                .0
                .iter()
                .filter_map(|seen| if let Seen::Unnamed(it) = seen { Some(it.clone()) } else { None })
                .collect(),
            hidden: self
                .0
                .iter()
                .filter_map(|seen| if let Seen::Hidden(name) = seen { Some(*name) } else { None })
                .collect(),
        }
    }

    fn paths(&self, pick: impl Fn(&Seen) -> Option<&PathBuf>) -> Vec<PathBuf> {
        self.0.iter().filter_map(pick).cloned().collect()
    }

    fn calls(&self) -> impl Iterator<Item = (&'static str, &[u64; 6])> {
        self.0.iter().filter_map(|seen| match seen {
            Seen::Call { name, arguments } => Some((*name, arguments)),
            _ => None,
        })
    }

    /// The lines of `allow` for what the profile does not allow by what it names, with the call of each.
    fn allowed(&self, sandbox: &Sandbox) -> BTreeSet<(&'static str, String)> {
        let policy = Policy::serve(sandbox).expect("nothing of it is a user's rule");
        // Nobody is asked about what is denied in every profile: who says so has not seen it.
        let calls = self.calls().filter(|(name, _)| !Policy::is_never_allowed(name));
        let stopped = calls.filter(|(name, arguments)| policy.then(name, arguments, 0) != Then::Allow);
        stopped.map(|(name, arguments)| (name, rule(name, arguments))).collect()
    }
}

/// The name of the plainest profile that has all that is named.
fn plainest(sandbox: &Sandbox) -> Profile {
    match (sandbox.allow.is_empty(), sandbox.has_files(), sandbox.has_network()) {
        (true, false, false) => Profile::Compute,
        (true, true, false) => Profile::Files,
        (true, false, true) => Profile::Network,
        _ => Profile::Custom,
    }
}

/// Those that really lie below no other, whatever links lead there: a rule of the kernel's holds for what is below a directory,
/// and for nothing to which a link there leads.
fn topmost(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut places: Vec<(PathBuf, PathBuf)> = paths.into_iter().map(|path| (real(&path), path)).collect();
    // A directory comes before what is in it.
    places.sort();
    let mut top: Vec<(PathBuf, PathBuf)> = Vec::new();
    for (place, path) in places {
        if top.last().is_none_or(|(last, _)| !place.starts_with(last)) {
            top.push((place, path));
        }
    }
    let mut named: Vec<PathBuf> = top.into_iter().map(|(_, path)| path).collect();
    named.sort();
    named
}

/// Whether a path really lies below one of these.
fn holds(places: &[PathBuf], path: &Path) -> bool {
    let path = real(path);
    places.iter().any(|place| path.starts_with(place) || path.starts_with(real(place)))
}

fn wide(calls: impl Iterator<Item = &'static str>) -> Vec<(&'static str, &'static str)> {
    let mut found: Vec<(&'static str, &'static str)> = Vec::new();
    for call in calls {
        let reach = WIDE.iter().find(|(_, calls)| calls.contains(&call)).map(|(reach, _)| (call, *reach));
        found.extend(reach.filter(|it| !found.contains(it)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposal(lines: &[&str]) -> Proposal {
        Needs::read(&lines.join("\n")).0.proposal(&Sandbox::default())
    }

    #[test]
    fn the_plainest_profile_is_chosen() {
        let no_arguments = "0 0 0 0 0 0";
        let call = |name: &str| format!("call\t{name}\t{no_arguments}");
        let of = |lines: &[&str]| proposal(lines).sandbox;
        assert_eq!(of(&["worker"]), Sandbox::default());
        let (opened, read) = (call("openat"), "read\t/etc/hosts");
        let files = Sandbox { read: vec!["/etc/hosts".into()], ..Sandbox::of(Profile::Files) };
        assert_eq!(of(&["worker", &opened, read]), files);
        // Only names were asked for, or the directory for temporary files was used: rules of paths, and nothing open.
        assert_eq!(of(&[&call("newfstatat")]), Sandbox::of(Profile::Files));
        assert_eq!(of(&["temporary", &opened]), Sandbox::of(Profile::Files));
        // What was read is named, whatever it is.
        let nothing = Sandbox { read: vec!["/dev/null".into()], ..Sandbox::of(Profile::Files) };
        assert_eq!(of(&[&opened, "read\t/dev/null", "load\t/dev/null"]), nothing);
        let with = |name: &str| of(&["temporary", &opened, &call(name)]);
        let custom = Sandbox {
            read: vec!["/dev/null".into()],
            allow: vec!["inotify_add_watch".into()],
            ..Sandbox::of(Profile::Custom)
        };
        assert_eq!(with("inotify_add_watch"), custom);
        // Who says that it was asked about what no profile allows has not seen it.
        assert_eq!(of(&[&call("memfd_secret")]), Sandbox::default());
        let tcp = "call\tsocket\t2 1 0 0 0 0";
        let network = Sandbox { connect: vec![443], ..Sandbox::of(Profile::Network) };
        assert_eq!(of(&[tcp, &call("connect"), "connect\t443"]), network);
    }

    #[test]
    fn what_says_what_a_call_does_is_compared_and_nothing_else() {
        let proposal = proposal(&[
            "call\tmemfd_create\t7f0000001000 1 0 0 0 0",
            "call\tmemfd_create\t7f0000002000 3 0 0 0 0",
            "call\tsocket\t1 80802 0 0 0 0",
            "call\tinotify_add_watch\t3 7f0000001000 2 0 0 0",
        ]);
        let expect = [
            "inotify_add_watch",
            "memfd_create(arg1 == 1)",
            "memfd_create(arg1 == 3)",
            "socket(arg0 == 1 && arg1 == 0x80802 && arg2 == 0)",
        ];
        assert_eq!(proposal.sandbox.allow, expect);
        assert_eq!(proposal.wide, [("socket", "any address that is not TCP's")]);
        // It says what it lets pass: exactly that.
        let policy = Policy::serve(&proposal.sandbox).unwrap();
        let then = |name: &str, arguments: [u64; 6]| policy.then(name, &arguments, 0);
        assert_eq!(then("memfd_create", [9, 3, 0, 0, 0, 0]), Then::Allow);
        assert_eq!(then("memfd_create", [9, 2, 0, 0, 0, 0]), Then::Deny);
        assert_eq!(then("socket", [1, 0x80802, 0, 0, 0, 0]), Then::Allow);
        assert_eq!(then("socket", [1, 0x80801, 0, 0, 0, 0]), Then::Deny);
    }

    #[test]
    fn what_lies_below_something_named_is_not_named_again() {
        let lines = [
            "read\t/data",
            "read\t/data/a",
            "read\t/database",
            "write\t/var/lib",
            "write\t/var/lib/x",
            "read\t/var/lib/y",
            "load\t/data/b",
            "load\t/opt/x",
        ];
        let Sandbox { read, write, load, .. } = proposal(&lines).sandbox;
        assert_eq!(read, [PathBuf::from("/data"), "/database".into()]);
        assert_eq!(write, [PathBuf::from("/var/lib")]);
        assert_eq!(load, [PathBuf::from("/opt/x")]);
    }

    /// A link in a directory that is named leads out of it, or into it.
    #[test]
    fn what_a_link_leads_to_is_named_by_that_link_where_nothing_else_holds_it() {
        use std::os::unix::fs::symlink;
        let folder = std::env::temp_dir().canonicalize().unwrap();
        let folder = folder.join(format!("hotcell-needs-{}", std::process::id()));
        for directory in ["data", "other"] {
            std::fs::create_dir_all(folder.join(directory)).unwrap();
        }
        std::fs::write(folder.join("other/x"), "").unwrap();
        symlink(folder.join("other"), folder.join("data/out")).unwrap();
        symlink(folder.join("data"), folder.join("in")).unwrap();
        let path = |name: &str| folder.join(name);
        let line = |name: &str| format!("read\t{}", path(name).display());
        let named = |names: &[&str]| {
            let lines: Vec<_> = names.iter().map(|name| line(name)).collect();
            proposal(&lines.iter().map(String::as_str).collect::<Vec<_>>()).sandbox.read
        };
        assert_eq!(named(&["data", "data/out/x"]), [path("data"), path("data/out/x")]);
        assert_eq!(named(&["data/out", "data/out/x", "other/y"]), [path("data/out")]);
        assert_eq!(named(&["in", "data/a", "in/b"]), [path("in")]);
        let write = format!("write\t{}", path("other").display());
        let both = proposal(&[&line("data/out/x"), &line("data/a"), &write]).sandbox;
        assert_eq!((both.read, both.write), (vec![path("data/a")], vec![path("other")]));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_cannot_be_had_is_told() {
        let lines = [
            "hidden\topenat",
            "unnamed\topenat\t/",
            "refused\tioctl\t3 5302 0 0 0 0\t25\t",
            "refused\topenat\t0 0 0 0 0 0\t13\t/proc/stat",
        ];
        let proposal = proposal(&lines);
        assert_eq!(proposal.unnamed, [Unnamed { name: "openat", path: "/".into() }]);
        assert_eq!((proposal.refused.len(), proposal.hidden), (2, vec!["openat"]));
        assert!(!Needs::read("").0.any_worker());
        // Half of a line is told, and spoils no other.
        let (needs, other) = Needs::read("worker\nread");
        assert!(needs.any_worker());
        assert_eq!(other, ["read"]);
    }
}
