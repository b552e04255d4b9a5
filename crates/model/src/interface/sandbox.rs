//! What a library may do once it serves.

use serde::{Deserialize, Deserializer, Serialize};

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
    /// What must be in force. Earlier interfaces said whether it was all that is `strict`.
    #[serde(alias = "strict", deserialize_with = "required")]
    pub require: SandboxRequire,
}

fn required<'de, D: Deserializer<'de>>(said: D) -> Result<SandboxRequire, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        Strict(bool),
        Word(SandboxRequire),
    }
    Ok(match Said::deserialize(said)? {
        Said::Strict(true) => SandboxRequire::Strict,
        Said::Strict(false) => SandboxRequire::Offered,
        Said::Word(word) => word,
    })
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

impl SandboxProfile {
    /// As contracts call it.
    pub fn word(self) -> &'static str {
        match self {
            SandboxProfile::Basic => "basic",
            SandboxProfile::Compute => "compute",
            SandboxProfile::Files => "files",
            SandboxProfile::Network => "network",
            SandboxProfile::Custom => "custom",
        }
    }
}

impl SandboxLines {
    /// Whether the contract may as well have said nothing.
    pub fn is_default(&self) -> bool {
        *self == SandboxLines::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_earlier_interfaces_required_is_required() {
        for (text, expect) in [
            (r#"{ "strict": true }"#, Some(SandboxRequire::Strict)),
            (r#"{ "strict": false }"#, Some(SandboxRequire::Offered)),
            (r#"{ "require": "namespaces" }"#, Some(SandboxRequire::Namespaces)),
            ("{}", Some(SandboxRequire::Offered)),
            (r#"{ "require": "more" }"#, None),
        ] {
            let lines = serde_json::from_str::<SandboxLines>(text).ok();
            assert_eq!(lines.map(|lines| lines.require), expect, "{text}");
        }
    }
}
