//! What a library may do once it serves, as its user says it.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// What a worker may do once it serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum Profile {
    /// The load phase's restrictions and no wall: for libraries that are trusted.
    Basic = 0,
    /// Memory, threads and time; no files, no network.
    #[default]
    Compute = 1,
    /// Besides, the named paths, and a temporary directory of its own.
    Files = 2,
    /// As `Compute`, and connections to or at the named TCP ports.
    Network = 3,
    /// Whatever of all that is named, and single system calls.
    Custom = 4,
}

/// What must be in force, or else loading fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Require {
    /// What this machine offers, but never less than the profile's filter of system calls.
    #[default]
    Offered,
    /// Every restriction of the profile, each tried.
    Strict,
    /// Besides, [namespaces](Sandbox::has_namespaces) of its own.
    Namespaces,
}

impl Require {
    /// Its name in contracts; none for what holds without one.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Require::Offered => None,
            Require::Strict => Some("strict"),
            Require::Namespaces => Some("namespaces"),
        }
    }

    /// What has this name.
    pub fn from_name(name: &str) -> Option<Require> {
        [Require::Strict, Require::Namespaces].into_iter().find(|require| require.name() == Some(name))
    }
}

/// A profile with what it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// The profile.
    pub profile: Profile,
    /// Files and directories that may be read (`Files`, `Custom`), also while the library loads.
    pub read: Vec<PathBuf>,
    /// Files and directories that may be read and changed (`Files`, `Custom`). A directory with all that is in it.
    pub write: Vec<PathBuf>,
    /// TCP ports that may be connected to (`Network`, `Custom`).
    pub connect: Vec<u16>,
    /// TCP ports that may be listened at (`Network`, `Custom`).
    pub bind: Vec<u16>,
    /// System calls that may be made besides (`Custom`): `CALL`, or `CALL(arg0 == 1 && arg1 & 0xf == 2)`.
    pub allow: Vec<String>,
    /// Paths whose use is refused with `EACCES` instead of ending the call; `*` at the end stands for anything.
    pub refuse: Vec<String>,
    /// Files and directories the library may read while it loads, besides the system's libraries.
    pub load: Vec<PathBuf>,
    /// Whether memory that can be written is never executed: while the library loads, code is what lies in files, and once it
    /// serves nothing becomes code any more. What asks for it is refused with `EACCES`.
    pub write_xor_execute: bool,
    /// What must be in force.
    pub require: Require,
}

impl Profile {
    /// All of them, by name.
    pub const ALL: [Profile; 5] =
        [Profile::Basic, Profile::Compute, Profile::Files, Profile::Network, Profile::Custom];

    /// Its name in contracts.
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Basic => "basic",
            Profile::Compute => "compute",
            Profile::Files => "files",
            Profile::Network => "network",
            Profile::Custom => "custom",
        }
    }

    /// The profile of this name.
    pub fn from_name(name: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// The profile of a wire number.
    pub fn from_raw(raw: u32) -> Option<Profile> {
        Profile::ALL.into_iter().find(|&profile| profile as u32 == raw)
    }
}

impl Sandbox {
    /// A profile that needs no names.
    pub fn of(profile: Profile) -> Sandbox {
        Sandbox { profile, ..Sandbox::default() }
    }

    /// Whether it may use files at all.
    pub fn has_files(&self) -> bool {
        self.profile == Profile::Files
            || (self.profile == Profile::Custom && !(self.read.is_empty() && self.write.is_empty()))
    }

    /// Whether it may use the network at all.
    pub fn has_network(&self) -> bool {
        self.profile == Profile::Network
            || (self.profile == Profile::Custom && !(self.connect.is_empty() && self.bind.is_empty()))
    }

    /// Whether workers have namespaces of their own, where those can be had: of users, and of System V's and POSIX' means between
    /// processes. Not where files can be looked at, once it serves or while it loads: in such a namespace all owners but one are
    /// nobody. Nor with single system calls, which may be for what other processes have.
    pub fn has_namespaces(&self) -> bool {
        match self.profile {
            Profile::Basic | Profile::Files => false,
            Profile::Compute | Profile::Network => self.load.is_empty(),
            Profile::Custom => !self.has_files() && self.allow.is_empty() && self.load.is_empty(),
        }
    }

    /// What can be required where namespaces cannot be had.
    pub(crate) fn within_reach(&self) -> Require {
        match self.require {
            Require::Namespaces if !self.has_namespaces() => Require::Strict,
            require => require,
        }
    }

    /// What is named that the profile has no use for; nothing if all is well.
    pub fn misplaced(&self) -> Option<String> {
        let custom = self.profile == Profile::Custom;
        let files = self.profile == Profile::Files || custom;
        let network = self.profile == Profile::Network || custom;
        let walled = self.profile != Profile::Basic;
        let keys = [
            ("read", self.read.is_empty() || files),
            ("write", self.write.is_empty() || files),
            ("connect", self.connect.is_empty() || network),
            ("bind", self.bind.is_empty() || network),
            ("allow", self.allow.is_empty() || custom),
            ("refuse", self.refuse.is_empty() || walled),
            ("load", self.load.is_empty() || walled),
            ("write_xor_execute", !self.write_xor_execute || walled),
            ("require", self.require == Require::Offered || walled),
        ];
        match keys.into_iter().find(|(_, fits)| !fits) {
            Some((key, _)) => Some(format!("the profile `{}` has no `{key}`", self.profile.name())),
            None if self.require == Require::Namespaces && !self.has_namespaces() => {
                Some("a sandbox with files, while it loads too, or with calls in `allow` has no namespaces of its own: `require = \"strict\"` is the most".into())
            }
            None => self.named().find_map(wrong_path),
        }
    }

    /// All paths that it names.
    fn named(&self) -> impl Iterator<Item = &Path> {
        self.read.iter().chain(&self.write).chain(&self.load).map(PathBuf::as_path)
    }
}

/// Why a path cannot be named: it is not absolute, or what is told of the host is below it.
pub fn wrong_path(path: &Path) -> Option<String> {
    if !path.is_absolute() {
        return Some(format!("the sandbox's path {} is not absolute", path.display()));
    }
    if is_of_worker(path) {
        return None;
    }
    // Through links, as the kernel will see it. One that is not there is told when the worker looks for it.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let of_process = || {
        let process = real.components().nth(2);
        process.is_some_and(|it| is_number(it.as_os_str()) || it.as_os_str() == "self")
    };
    let holds_hosts =
        real == Path::new("/") || (real.starts_with("/proc") && (real == Path::new("/proc") || of_process()));
    holds_hosts.then(|| {
        let why = "what /proc tells of the host is below it. Name the directories that are needed";
        format!("the sandbox cannot open {}: {why}", path.display())
    })
}

/// Whether it is what `/proc` tells of the worker itself, and no way out of there.
pub(crate) fn is_of_worker(path: &Path) -> bool {
    /// What leads elsewhere: links that only the kernel follows, and threads, which have them too.
    const WAYS_OUT: [&str; 6] = ["root", "cwd", "exe", "ns", "map_files", "task"];
    let Ok(below) = path.strip_prefix("/proc/self") else { return false };
    let leaves = |part: Component<'_>| {
        part == Component::ParentDir || WAYS_OUT.iter().any(|way| part.as_os_str() == *way)
    };
    let is_descriptor = below.starts_with("fd") && below.components().count() > 1;
    !is_descriptor && !below.components().any(leaves)
}

fn is_number(name: &OsStr) -> bool {
    name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_hold_the_hosts_are_refused() {
        for path in [
            "/",
            "//",
            "/..",
            "/proc",
            "/proc/",
            "/usr/../proc",
            "/proc/1",
            "/proc/self/../1",
            "/proc/self/root",
            "/proc/self/root/proc",
            "/proc/self/cwd/../../../../../../../..",
            "/proc/self/task/1/root",
            "/proc/thread-self/root",
            "/proc/self/fd/1000",
            "/proc/self/map_files/x",
            "/proc/1/environ",
            "etc",
            "",
        ] {
            assert!(wrong_path(Path::new(path)).is_some(), "{path}");
        }
        for path in
            ["/etc", "/proc/self", "/proc/self/maps", "/proc/cpuinfo", "/proc/sys/vm", "/no/such/path"]
        {
            assert_eq!(wrong_path(Path::new(path)), None, "{path}");
        }
        let own = std::env::temp_dir().join(format!("hotcell-link-{}", std::process::id()));
        std::os::unix::fs::symlink("/", &own).unwrap();
        let refused = wrong_path(&own);
        std::fs::remove_file(&own).unwrap();
        assert!(refused.is_some());
    }

    #[test]
    fn profiles_have_names() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
            assert_eq!(Profile::from_raw(profile as u32), Some(profile));
        }
        assert_eq!((Profile::from_name("none"), Profile::from_raw(5)), (None, None));
    }
}
