//! What a library may do once it serves.

use serde::{Deserialize, Serialize};

/// A sandbox profile with what it names, as the contract says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SandboxLines {
    /// The profile.
    pub profile: SandboxProfile,
    /// Paths that may be read; absolute.
    pub read: Vec<String>,
    /// Paths that may be read and changed; absolute.
    pub write: Vec<String>,
    /// TCP ports that may be connected to.
    pub connect: Vec<u16>,
    /// TCP ports that may be listened at.
    pub bind: Vec<u16>,
    /// System calls that may be made besides.
    pub allow: Vec<String>,
    /// Paths whose use is refused instead of ending the call.
    pub refuse: Vec<String>,
    /// Paths that may be read while the library loads; absolute.
    pub load: Vec<String>,
    /// Whether memory that can be written is never executed.
    pub write_xor_execute: bool,
    /// What must be in force.
    pub require: SandboxRequire,
}

/// What must be in force, or else the library does not load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxRequire {
    /// What the machine offers.
    #[default]
    Offered,
    /// Every restriction of the profile.
    Strict,
    /// Besides, namespaces of its own.
    Namespaces,
}

/// A sandbox profile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxProfile {
    /// No wall.
    Basic,
    /// Memory, threads and time.
    #[default]
    Compute,
    /// Besides, the named paths.
    Files,
    /// Besides, the named ports.
    Network,
    /// Whatever is named.
    Custom,
}

impl SandboxLines {
    /// Whether the contract may as well have said nothing.
    pub fn is_default(&self) -> bool {
        *self == SandboxLines::default()
    }
}
