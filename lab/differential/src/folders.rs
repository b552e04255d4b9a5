//! Where a run keeps its files, and where the library works.

use std::path::PathBuf;
use std::{fs, io};

use tempfile::TempDir;

/// Where a run keeps its files.
#[derive(Debug)]
pub(crate) struct Folders {
    pub(crate) program: TempDir,
    /// What the library works in, on both sides, and may write to: when a group begins, there are the files of `given` and no others.
    pub(crate) scratch: TempDir,
    /// Files that lie beside the recipes.
    given: Option<PathBuf>,
}

impl Folders {
    pub(crate) fn new(given: Option<PathBuf>) -> io::Result<Folders> {
        let folder = |name: &str| tempfile::Builder::new().prefix(name).tempdir();
        Ok(Folders { program: folder("hotcell-direct-")?, scratch: folder("hotcell-scratch-")?, given })
    }

    pub(crate) fn clear(&self) -> Result<(), String> {
        let clear = || {
            for entry in fs::read_dir(self.scratch.path())? {
                let path = entry?.path();
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }?;
            }
            if let Some(given) = &self.given {
                for entry in fs::read_dir(given)? {
                    let entry = entry?;
                    fs::copy(entry.path(), self.scratch.path().join(entry.file_name()))?;
                }
            }
            Ok(())
        };
        clear().map_err(|error: io::Error| format!("cannot prepare the folder for files: {error}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_group_begins_with_the_files_beside_the_recipes_and_no_others() {
        let given = tempfile::tempdir().unwrap();
        fs::write(given.path().join("words"), "as given").unwrap();
        let folders = Folders::new(Some(given.path().to_owned())).unwrap();
        let scratch = folders.scratch.path();
        fs::write(scratch.join("words"), "changed").unwrap();
        fs::create_dir(scratch.join("left")).unwrap();
        folders.clear().unwrap();
        assert_eq!(fs::read_to_string(scratch.join("words")).unwrap(), "as given");
        assert_eq!(fs::read_dir(scratch).unwrap().count(), 1);
        let none = Folders::new(None).unwrap();
        fs::write(none.scratch.path().join("left"), "").unwrap();
        none.clear().unwrap();
        assert_eq!(fs::read_dir(none.scratch.path()).unwrap().count(), 0);
    }
}
