//! Where a package's libraries are: what the environment says, what was when it was built, what the system has.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hotcell_protocol::ErrorKind;

use super::{Package, ThreadRules};
use crate::error::{Error, Result};
use crate::options::Options;
use crate::session::{Cancel, Session};

/// The libraries of a package.
#[derive(Debug)]
pub struct Libraries {
    /// The variable with directories to search, separated as in `$PATH`.
    pub variable: &'static str,
    /// The files, in the order in which they are loaded.
    pub files: &'static [LibraryFile],
}

/// A library file.
#[derive(Debug)]
pub struct LibraryFile {
    /// Its name.
    pub name: &'static str,
    /// Where it was when the package was built; absent where the system had it.
    pub built: Option<&'static str>,
}

/// Opens a session of a package. Unless the options name libraries, they are looked for in the directories of its
/// variable, then where they were when the package was built; the loader finds the others.
///
/// # Errors
///
/// Those of [`Session::open`].
pub fn open(package: &'static Package, libraries: &'static Libraries, options: Options) -> Result<Session> {
    open_by(package, None, libraries, options)
}

/// As [`open`], of a package whose contract has rules for threads.
///
/// # Errors
///
/// Those of [`Session::open`].
pub fn open_by(
    package: &'static Package,
    rules: Option<&'static ThreadRules>,
    libraries: &'static Libraries,
    options: Options,
) -> Result<Session> {
    libraries.found(options, |options| Session::open_by(package, rules, options))
}

/// As [`open_by`], unless `cancel` gives it up: [`Session::open_cancelled_by`].
///
/// # Errors
///
/// Those of that.
pub fn open_cancelled_by(
    package: &'static Package,
    rules: Option<&'static ThreadRules>,
    libraries: &'static Libraries,
    options: Options,
    cancel: &Cancel,
) -> Result<Session> {
    libraries.found(options, |options| Session::open_cancelled_by(package, rules, options, cancel))
}

/// The directories of a variable. One that is empty or relative would be another wherever the program is started.
fn absolute(list: &OsString) -> impl Iterator<Item = PathBuf> {
    env::split_paths(list).filter(|directory| directory.is_absolute())
}

impl Libraries {
    /// Opens a session with the files that are found, unless the options name others.
    fn found(&self, options: Options, open: impl FnOnce(Options) -> Result<Session>) -> Result<Session> {
        if !options.libraries.is_empty() {
            return open(options);
        }
        let directories = env::var_os(self.variable);
        let directories: Vec<PathBuf> = directories.iter().flat_map(absolute).collect();
        let found = self.find(&directories);
        open(Options { libraries: found, ..options }).map_err(|error| self.advise(error, &directories))
    }

    fn find(&self, directories: &[PathBuf]) -> Vec<PathBuf> {
        self.files.iter().filter_map(|file| file.find(directories)).collect()
    }

    /// Says of a library that was not found where it was looked for.
    fn advise(&self, error: Error, directories: &[PathBuf]) -> Error {
        let missing = error.kind() == ErrorKind::LoadFailed && error.message().contains("No such file");
        let lost = self.files.iter().filter(|file| file.find(directories).is_none());
        let lost = lost.filter(|file| error.message().contains(file.name)).map(|file| match file.built {
            Some(built) => format!("; {built}, which the package was built with, is not there any more"),
            None => format!("; the system has no {}", file.name),
        });
        match lost.take(1).collect::<String>() {
            text if missing && !text.is_empty() => error.with_more(&format!(
                "{text}: name its directory in ${}, or the file in the options' `libraries`",
                self.variable
            )),
            _ => error,
        }
    }
}

impl LibraryFile {
    fn find(&self, directories: &[PathBuf]) -> Option<PathBuf> {
        let named = directories.iter().map(|directory| directory.join(self.name));
        named.chain(self.built.map(PathBuf::from)).find(|path| Path::is_file(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_element_of_the_variable_means_the_current_directory() {
        let found: Vec<_> = absolute(&":/opt/moon::lib:.:/opt/sun:".into()).collect();
        assert_eq!(found, [Path::new("/opt/moon"), Path::new("/opt/sun")]);
    }

    #[test]
    fn directories_come_before_what_was_and_what_is_nowhere_is_left_to_the_loader() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let (own, built) = (file("own/libmoon.so"), file("built/libmoon.so"));
        let built: &'static str = built.to_str().unwrap().to_owned().leak();
        let deep = LibraryFile { name: "libdeep.so", built: None };
        let gone = LibraryFile { name: "libsun.so", built: Some("/nowhere/libsun.so") };
        let moon = LibraryFile { name: "libmoon.so", built: Some(built) };
        let libraries = Libraries { variable: "HOTCELL_MOON_LIB", files: vec![deep, gone, moon].leak() };
        assert_eq!(libraries.find(&[]), [PathBuf::from(built)]);
        assert_eq!(libraries.find(&["/nowhere".into(), folder.path().join("own")]), [own]);
    }
}
