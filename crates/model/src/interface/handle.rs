//! Objects of a library that callers hold by a handle.

use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;
use crate::interface::Restore;

/// An object type of the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The pointer's C type: `sqlite3 *`, `gzFile`.
    pub c_type: String,
    /// The comment before the type.
    pub doc: Option<String>,
    /// The function that releases an object somebody owns. It takes the handle, consumed, and no other argument.
    pub release: Option<String>,
    /// The handle type whose object must outlive it.
    pub parent: Option<String>,
    /// The macro or function that gives, of an object, the `jmp_buf` to which errors jump.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jumps: Option<String>,
    /// How one is made anew when its worker has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<Restore>,
    /// Whether only the thread that made it may use it.
    pub thread_affine: bool,
    /// Why it is believed to be one.
    pub evidence: Evidence,
}

impl Handle {
    /// One of which no more is known than its type.
    #[must_use]
    pub fn new(c_type: String, doc: Option<String>, evidence: Evidence) -> Handle {
        Handle {
            c_type,
            doc,
            release: None,
            parent: None,
            jumps: None,
            restore: None,
            thread_affine: false,
            evidence,
        }
    }
}
