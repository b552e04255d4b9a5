//! Where a package finds the libraries of its contract.

use std::path::{Path, PathBuf};

use hotcell_bind::Checked;
use hotcell_generate::rust::{self, LibraryFile};

use crate::print::complain;

/// The library files, with the folders that the contract says, as the package in `out` writes them.
pub(super) fn libraries(checked: &Checked, out: &Path) -> Vec<LibraryFile> {
    let written = |folder: &Path| {
        let named = checked.libraries.is_absolute(folder);
        let relative = if named { None } else { relative(out, folder) };
        relative.unwrap_or_else(|| folder.to_owned()).display().to_string()
    };
    let files = checked.libraries.files().into_iter();
    files
        .map(|file| LibraryFile { folder: file.said.map(written), name: file.name, linked: file.linked })
        .collect()
}

/// Says which of them a package does not find by itself.
pub(super) fn tell(checked: &Checked) {
    for file in checked.libraries.files() {
        if file.said.is_none() && !file.system {
            let variable = rust::library_variable(&checked.interface.library);
            complain(&format!(
                "note: {} was found in {}, which the contract does not name: where the loader does not look there, \
                 name it in ${variable} when the package is built",
                file.name,
                file.place.display()
            ));
        }
    }
}

/// The path from one folder, which need not be there yet, to another.
fn relative(from: &Path, to: &Path) -> Option<PathBuf> {
    let (from, to) = (real(from)?, to.canonicalize().ok()?);
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n(Path::new(".."), from.components().count() - shared);
    let path: PathBuf =
        up.map(Path::as_os_str).chain(to.components().skip(shared).map(|it| it.as_os_str())).collect();
    Some(if path.as_os_str().is_empty() { PathBuf::from(".") } else { path })
}

/// A path without links and `..`, as far as it is there.
fn real(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let there = path.ancestors().find(|above| above.exists())?;
    let below = path.strip_prefix(there).ok()?;
    let plain = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    plain.then(|| Some(there.canonicalize().ok()?.join(below)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_at_the_package() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("a/lib")).unwrap();
        std::os::unix::fs::symlink("a", at("link")).unwrap();
        let check = |from: &str, to: &str, expect: &str| {
            assert_eq!(relative(&at(from), &at(to)), Some(expect.into()), "{to} from {from}");
        };
        check("a/package", "a/lib", "../lib");
        check("deep/package", "a/lib", "../../a/lib");
        check("link/package", "a/lib", "../lib");
        check("a/lib", "a/lib", ".");
        check("a", "a/lib", "lib");
        assert_eq!(relative(&at("a"), &at("none")), None);
        assert_eq!(relative(&at("none/../package"), &at("a")), None);
    }
}
