//! Which types are handles, as the headers show it.

use std::collections::BTreeSet;

use hotcell_model::api::Api;

/// A type that is passed back to the library and never looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferredHandle {
    /// A tag or typedef, as a contract would name it.
    pub name: String,
    /// The pointer's C type: `sqlite3 *`, `gzFile`.
    pub c_type: String,
    /// The function that releases an object somebody owns, where there is evidence for one.
    pub release: Option<String>,
    /// The rule that says so.
    pub rule: &'static str,
}

/// The handle types of the headers. `exports` are the functions of the library, when its file was read.
pub fn types(_api: &Api, _exports: Option<&BTreeSet<String>>) -> Vec<InferredHandle> {
    Vec::new()
}
