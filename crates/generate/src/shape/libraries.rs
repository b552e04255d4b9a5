//! The library files of a package, and where it looks for them.

use hotcell_model::Interface;

use crate::shape::naming::words;

/// A library file that a package's shim is linked with, or that such a one needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryFile {
    /// Its name, without a folder.
    pub name: String,
    /// The folder, as it is written into the package: absolute, or from the package's own. Absent for what the loader
    /// finds by itself.
    pub folder: Option<String>,
    /// Whether the shim is linked with it.
    pub linked: bool,
}

impl LibraryFile {
    /// One that the loader finds.
    fn of_soname(soname: &str) -> LibraryFile {
        // Some are paths.
        let name = soname.rsplit('/').next().unwrap_or(soname).to_owned();
        LibraryFile { name, folder: None, linked: true }
    }
}

/// Those that are given, or those of the interface, by their sonames.
pub(crate) fn of(interface: &Interface, given: &[LibraryFile]) -> Vec<LibraryFile> {
    match given.is_empty() {
        true => interface.link.iter().map(|soname| LibraryFile::of_soname(soname)).collect(),
        false => given.to_vec(),
    }
}

/// What stands between `HOTCELL_` and `_LIB` in the variable of a library.
pub(crate) fn environment(library: &str) -> String {
    let name = words(library).join("_").to_uppercase() + if library.ends_with('_') { "_" } else { "" };
    match name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty() {
        true => format!("_{name}"),
        false => name,
    }
}

/// The variable with the directories of a library's files, for building a package and for running it.
pub fn library_variable(library: &str) -> String {
    format!("HOTCELL_{}_LIB", environment(library))
}
