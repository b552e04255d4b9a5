//! The files that a worker loads for a library: the library's, and whatever those need.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hotcell_header::library::{self, Library};

/// A file that a worker loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededFile {
    /// The name that it is asked for by.
    pub soname: String,
    /// Where it was found; none where it was not.
    pub path: Option<PathBuf>,
    /// Hexadecimal digits of its build's identity, where it has one.
    pub build_id: Option<String>,
}

/// The libraries themselves, then what they need, each once. A worker's loader may find another of the same name: what it has
/// loaded, a session tells.
pub(super) fn of(own: &[PathBuf], dirs: &[PathBuf]) -> Vec<NeededFile> {
    let mut found = Vec::new();
    let mut waiting: Vec<(String, Option<PathBuf>)> = Vec::new();
    let mut seen = BTreeSet::new();
    for path in own {
        let Ok(facts) = library::inspect(path) else { continue };
        seen.insert(facts.soname.clone());
        waiting.extend(needs(path, &facts, dirs));
        found.push(NeededFile { soname: facts.soname, path: Some(path.clone()), build_id: facts.build_id });
    }
    while !waiting.is_empty() {
        for (soname, path) in std::mem::take(&mut waiting) {
            if !seen.insert(soname.clone()) {
                continue;
            }
            let facts = path.as_deref().and_then(|path| library::inspect(path).ok());
            if let (Some(path), Some(facts)) = (&path, &facts) {
                waiting.extend(needs(path, facts, dirs));
            }
            found.push(NeededFile { soname, path, build_id: facts.and_then(|facts| facts.build_id) });
        }
    }
    found
}

/// What a file needs, and where it lies: beside it, or where libraries are searched.
fn needs(path: &Path, facts: &Library, dirs: &[PathBuf]) -> Vec<(String, Option<PathBuf>)> {
    let find = |soname: &String| {
        let beside = path.parent().map(|folder| folder.join(soname)).filter(|path| path.is_file());
        let path = beside.or_else(|| library::find(soname, dirs).ok());
        (soname.clone(), path)
    };
    facts.needed.iter().map(find).collect()
}
