//! Which blocks of a library's memory are guarded.

use serde::{Deserialize, Serialize};

/// The contract's key `guard`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuardWord {
    /// None.
    #[default]
    None,
    /// One in many.
    Sampled,
    /// As many as there is room for.
    All,
}

impl GuardWord {
    /// Whether the contract may as well have said nothing.
    pub fn is_default(&self) -> bool {
        *self == GuardWord::default()
    }
}
