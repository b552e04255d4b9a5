//! The library files of a contract.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hotcell_header::library::{self, Library};

use crate::error::Error;

/// The libraries of a job.
#[derive(Debug, Clone, Default)]
pub struct Libraries {
    /// The contract's libraries, as files; the library itself first.
    pub own: Vec<PathBuf>,
    /// Their sonames.
    pub sonames: Vec<String>,
    /// Every function they export.
    pub exports: BTreeSet<String>,
    /// Files that they need and that lie beside them, before those that need them: a library that is loaded
    /// through a descriptor has no directory to look in.
    beside: Vec<PathBuf>,
}

impl Libraries {
    pub(crate) fn find(names: &[String], dirs: &[PathBuf]) -> Result<Libraries, Error> {
        let mut found = Libraries::default();
        for name in names {
            let path = library::find(name, dirs).map_err(Error::from_header)?;
            let path = std::path::absolute(&path).unwrap_or(path);
            let facts = library::inspect(&path).map_err(Error::from_header)?;
            found.add_neighbours(&path, &facts)?;
            found.sonames.push(facts.soname);
            found.exports.extend(facts.exports);
            found.own.push(path);
        }
        Ok(found)
    }

    /// What the worker loads, in order.
    pub(crate) fn load_order(&self) -> Vec<PathBuf> {
        let mut order = self.beside.clone();
        order.extend(self.own.iter().filter(|path| !self.beside.contains(path)).cloned());
        order
    }

    fn add_neighbours(&mut self, path: &Path, facts: &Library) -> Result<(), Error> {
        let Some(folder) = path.parent() else { return Ok(()) };
        for needed in &facts.needed {
            let neighbour = folder.join(needed);
            if is_system(folder) || !neighbour.is_file() || self.beside.contains(&neighbour) {
                continue;
            }
            let facts = library::inspect(&neighbour).map_err(Error::from_header)?;
            // Marked before its own needs are looked at, so that a cycle ends.
            let at = self.beside.len();
            self.beside.push(neighbour.clone());
            self.add_neighbours(&neighbour, &facts)?;
            self.beside[at..].rotate_left(1);
        }
        Ok(())
    }
}

/// Whether the loader looks into this folder anyway.
fn is_system(folder: &Path) -> bool {
    const ROOTS: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    ROOTS.iter().any(|root| {
        let root = Path::new(root);
        // The folder itself or one for an architecture, such as x86_64-linux-gnu; not a private one below.
        let multiarch = folder.parent() == Some(root)
            && folder.file_name().is_some_and(|name| name.to_string_lossy().contains("-linux-"));
        folder == root || multiarch
    })
}
