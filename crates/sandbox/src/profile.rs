//! What a library may do once it serves, as its user says it.

use std::path::PathBuf;

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
            ("require", self.require == Require::Offered || walled),
        ];
        let (key, _) = keys.into_iter().find(|(_, fits)| !fits)?;
        Some(format!("the profile `{}` has no `{key}`", self.profile.name()))
    }
}
