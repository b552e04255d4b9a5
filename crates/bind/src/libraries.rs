//! The library files of a contract.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use hotcell::ErrorKind;
use hotcell_code::Code;
use hotcell_contract::Link;
use hotcell_header::library::{self, Library};
use hotcell_model::api::Function;

use crate::error::Error;

mod closure;
mod code;

pub use closure::NeededFile;

/// The libraries of a job.
#[derive(Debug, Clone, Default)]
pub struct Libraries {
    /// The contract's libraries, as files; the library itself first.
    pub own: Vec<PathBuf>,
    /// Their sonames.
    pub sonames: Vec<String>,
    /// Every function they export, by its name in the headers where that is another.
    pub exports: BTreeSet<String>,
    /// Every variable they export.
    pub variables: BTreeSet<String>,
    /// Those of them that a worker would find elsewhere: its C library comes first, then what lies beside, and
    /// only a symbol with a version is told from another of its name.
    pub shadowed: BTreeSet<String>,
    /// Files that they need and that lie beside them, before those that need them: a library that is loaded
    /// through a descriptor has no directory to look in.
    beside: Vec<PathBuf>,
    /// The folders of those that the contract names by a path, or that lie beside it; whether such a path is absolute.
    places: BTreeMap<PathBuf, bool>,
    /// Where libraries are searched besides.
    dirs: Vec<PathBuf>,
    /// What their machine code does.
    code: Vec<Rc<Code>>,
    /// What each of these files exports.
    beside_exports: Vec<(PathBuf, BTreeSet<String>)>,
}

/// A library file, as a package names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File<'a> {
    /// Its name.
    pub name: String,
    /// Its folder, when the contract says where that is.
    pub said: Option<&'a Path>,
    /// Its folder.
    pub place: PathBuf,
    /// Whether the shim is linked with it; others are needed by those.
    pub linked: bool,
    /// Whether the loader looks into the folder anyway.
    pub system: bool,
}

impl Libraries {
    pub(crate) fn find(names: &[String], dirs: &[PathBuf]) -> Result<Libraries, Error> {
        let mut found = Libraries { dirs: dirs.to_vec(), ..Libraries::default() };
        let base = c_library();
        for name in names {
            let path = library::find(name, dirs).map_err(Error::from_header)?;
            let path = std::path::absolute(&path).unwrap_or(path);
            let (facts, content) = library::read(&path).map_err(Error::from_header)?;
            found.code.extend(code::of(&content));
            refuse_musl(&facts)?;
            found.add_neighbours(&path, &facts)?;
            let unversioned = facts.exports.iter().filter(|name| !facts.versions.contains_key(*name));
            let others = found.beside_exports.iter().filter(|(file, _)| *file != path);
            let others: Vec<_> = others.map(|(_, exports)| exports).chain([&base]).collect();
            let elsewhere = |name: &&String| others.iter().any(|exports| exports.contains(*name));
            found.shadowed.extend(unversioned.filter(elsewhere).cloned());
            found.sonames.push(facts.soname);
            found.exports.extend(facts.exports);
            found.variables.extend(facts.data_exports);
            found.own.push(path);
        }
        Ok(found)
    }

    /// The files that a worker loads for them, they themselves first, with the identities of their builds.
    pub fn closure(&self) -> Vec<NeededFile> {
        closure::of(&self.own, &self.dirs)
    }

    /// Takes in that headers call what has another symbol: such a function is there where its symbol is.
    pub(crate) fn follow(&mut self, functions: &[Function]) {
        let (exports, shadowed) = (self.exports.clone(), self.shadowed.clone());
        for function in functions.iter().filter(|function| function.symbol() != function.name) {
            for (names, known) in [(&mut self.exports, &exports), (&mut self.shadowed, &shadowed)] {
                if known.contains(function.symbol()) {
                    names.insert(function.name.clone());
                } else {
                    names.remove(&function.name);
                }
            }
        }
    }

    /// What a check of a contract asks about them.
    pub(crate) fn link(&self) -> Link<'_> {
        Link {
            sonames: &self.sonames,
            exports: Some(&self.exports),
            shadowed: Some(&self.shadowed),
            code: &self.code,
        }
    }

    /// Notes where the contract itself says that they are.
    pub(crate) fn set_places(&mut self, names: &[String], folder: &Path) {
        let folder = std::path::absolute(folder).ok();
        let said = names.iter().zip(&self.own).filter_map(|(name, path)| {
            let place = path.parent()?;
            let said = name.contains('/') || Some(place) == folder.as_deref();
            said.then(|| (place.to_owned(), Path::new(name).is_absolute()))
        });
        self.places = said.filter(|(place, _)| !is_system(place)).collect();
    }

    /// Whether the contract names this folder by an absolute path.
    pub fn is_absolute(&self, folder: &Path) -> bool {
        self.places.get(folder).copied().unwrap_or(false)
    }

    /// What a package loads, in order.
    pub fn files(&self) -> Vec<File<'_>> {
        let order = self.load_order().into_iter();
        order.filter_map(|path| self.file(&path)).collect()
    }

    fn file(&self, path: &Path) -> Option<File<'_>> {
        let place = path.parent()?;
        let at = self.own.iter().position(|own| own == path);
        // Its soname, by which programs find it, where a file has that name: in a folder of its own it may have none.
        let soname = at.map(|at| self.sonames[at].as_str()).filter(|soname| !soname.contains('/'));
        let soname = soname.filter(|soname| is_system(place) || place.join(soname).is_file());
        let name = match soname {
            Some(soname) => soname.to_owned(),
            None => path.file_name()?.to_string_lossy().into_owned(),
        };
        let said = self.places.get_key_value(place).map(|(place, _)| place.as_path());
        Some(File { name, said, place: place.to_owned(), linked: at.is_some(), system: is_system(place) })
    }

    /// What the worker loads, in order.
    pub fn load_order(&self) -> Vec<PathBuf> {
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
            self.beside_exports.push((neighbour.clone(), facts.exports.clone()));
            self.add_neighbours(&neighbour, &facts)?;
            self.beside[at..].rotate_left(1);
        }
        Ok(())
    }
}

/// A library for musl would get a second C library into the worker, which is glibc's.
fn refuse_musl(facts: &Library) -> Result<(), Error> {
    let is_musl = |needed: &&String| needed.starts_with("libc.musl-") || needed.starts_with("ld-musl-");
    let Some(musl) = facts.needed.iter().find(is_musl) else { return Ok(()) };
    let message =
        format!("{} is built for musl (it needs {musl}), and workers run on glibc", facts.path.display());
    let mut error = Error::new(ErrorKind::LoadFailed, message);
    error.help = Some("use the library's build for a system with glibc, such as Debian or Fedora".into());
    Err(error)
}

/// What the C library exports that workers are linked with; nothing where it cannot be read.
fn c_library() -> BTreeSet<String> {
    let found = library::find("libc.so.6", &[]).and_then(|path| library::inspect(&path));
    found.map(|facts| facts.exports).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn compile(folder: &Path, name: &str, source: &str, more: &[&str]) -> String {
        let (file, out) = (folder.join("source.c"), folder.join(name));
        std::fs::write(&file, source).unwrap();
        let mut command = Command::new("cc");
        command.args(["-w", "-fno-builtin", "-shared", "-fPIC", "-o"]).arg(&out).arg(&file).args(more);
        assert!(command.status().unwrap().success());
        out.display().to_string()
    }

    #[test]
    fn names_of_the_c_library_are_told_from_the_librarys_own() {
        let folder = tempfile::tempdir().unwrap();
        let source = "int rand(void) { return 4; } int mine(void) { return 5; }";
        let plain = compile(folder.path(), "libplain.so", source, &[]);
        let script = folder.path().join("versions");
        std::fs::write(&script, "OWN_1 { global: *; };").unwrap();
        let script = format!("-Wl,--version-script={}", script.display());
        let versioned = compile(folder.path(), "libversioned.so", source, &[&script]);
        let shadowed = |name: &str| Libraries::find(&[name.to_owned()], &[]).unwrap().shadowed;
        assert_eq!(shadowed(&plain), BTreeSet::from(["rand".to_owned()]));
        assert_eq!(shadowed(&versioned), BTreeSet::new());
        // Parts of the C library have its versions.
        assert_eq!(shadowed("libm.so.6"), BTreeSet::new());
        assert_eq!(shadowed("libc.so.6"), BTreeSet::new());
        // What a library needs is loaded before it.
        let deep = "int one(void) { return 1; } int deep(void) { return 2; }";
        let soname = ["-Wl,-soname,libdeep.so"];
        let deep = compile(folder.path(), "libdeep.so", deep, &soname);
        let source = "int deep(void); int one(void) { return deep(); } int two(void) { return 2; }";
        let top = compile(folder.path(), "libtop.so", source, &[&deep]);
        assert_eq!(shadowed(&top), BTreeSet::from(["one".to_owned()]));
        let both = Libraries::find(&[top, deep], &[]).unwrap();
        assert_eq!(both.shadowed, BTreeSet::from(["one".to_owned()]));
    }
}
