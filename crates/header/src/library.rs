//! Shared libraries: which file a name means, and what the file exports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::elf;
use crate::error::{Error, ErrorKind};
use crate::linker_script;
use crate::suggest;
use crate::toolchain::compiler_answer;

/// A shared library's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// The file.
    pub path: PathBuf,
    /// The name that programs ask the loader for; the file's name when it has none.
    pub soname: String,
    /// Hexadecimal digits of the build's identity.
    pub build_id: Option<String>,
    /// Libraries it needs, by their sonames.
    pub needed: Vec<String>,
    /// The oldest version of the GNU C library that has every symbol it needs, such as `2.34`; absent when it needs none.
    pub glibc: Option<String>,
    /// Machine it is for, such as `x86_64`.
    pub machine: String,
    /// Functions that a program can be linked with, and symbols without a type.
    pub exports: BTreeSet<String>,
    /// Variables, thread-local ones included.
    pub data_exports: BTreeSet<String>,
    /// Versions of versioned symbols, as in `ZLIB_1.2.12`.
    pub versions: BTreeMap<String, String>,
}

/// Reads what a library exports.
pub fn inspect(path: &Path) -> Result<Library, Error> {
    Ok(read(path)?.0)
}

/// The same, with the file's content.
pub fn read(path: &Path) -> Result<(Library, Vec<u8>), Error> {
    let data = std::fs::read(path).map_err(|error| {
        Error::new(ErrorKind::LibraryUnreadable, format!("cannot read {}: {error}", path.display()))
    })?;
    Ok((elf::inspect(path, &data)?, data))
}

/// Finds the library that a name means.
///
/// A name with a `/` is a path; `libz.so` or `libz.so.1` is a file name; `z` means `libz.so`, or else the
/// highest `libz.so.N`. The search goes through `dirs`, the compiler's directories, the system's and the
/// loader's cache. Where the file is a linker script, the first shared library it names is meant.
pub fn find(name: &str, dirs: &[PathBuf]) -> Result<PathBuf, Error> {
    if name.contains('/') {
        let path = Path::new(name);
        if !path.is_file() {
            let what = if path.exists() { "is not a file" } else { "does not exist" };
            return Err(Error::new(ErrorKind::LibraryNotFound, format!("library {name} {what}")));
        }
        return linker_script::resolve(path, &Search::new(dirs).dirs);
    }
    let search = Search::new(dirs);
    match search.find(name, dirs.len()) {
        Some(path) => linker_script::resolve(&path, &search.dirs),
        None => Err(search.not_found(name)),
    }
}

/// Whether a name is a file name such as `libz.so.1`, not one as for `-l`.
fn is_file_name(name: &str) -> bool {
    name.ends_with(".so") || name.contains(".so.")
}

/// Where libraries are searched.
struct Search {
    dirs: Vec<PathBuf>,
    /// File names and paths in the loader's cache.
    cache: Vec<(String, PathBuf)>,
}

impl Search {
    fn new(own: &[PathBuf]) -> Self {
        let mut dirs = Vec::new();
        for dir in own.iter().cloned().chain(compiler_dirs()).chain(standard_dirs()) {
            // Many of the compiler's are the same by another name.
            let dir = if own.contains(&dir) { dir } else { std::fs::canonicalize(&dir).unwrap_or(dir) };
            if dir.is_dir() && !dirs.contains(&dir) {
                dirs.push(dir);
            }
        }
        Search { dirs, cache: loader_cache() }
    }

    /// Finds a name; the first `own` directories may also have a library by its version alone.
    fn find(&self, name: &str, own: usize) -> Option<PathBuf> {
        let file = if is_file_name(name) { name.to_owned() } else { format!("lib{name}.so") };
        for (index, dir) in self.dirs.iter().enumerate() {
            let path = dir.join(&file);
            if path.is_file() {
                return Some(path);
            }
            if index < own && !is_file_name(name) {
                let found = names_in(dir).into_iter().map(|file| (file.clone(), dir.join(file)));
                if let Some(path) = highest(&file, found) {
                    return Some(path);
                }
            }
        }
        let cached = self.cache.iter().find(|(name, _)| *name == file).map(|(_, path)| path.clone());
        let versioned = || highest(&file, self.cache.iter().cloned());
        cached.or_else(|| if is_file_name(name) { None } else { versioned() })
    }

    fn not_found(&self, name: &str) -> Error {
        let files = self.dirs.iter().flat_map(|dir| names_in(dir));
        let known: BTreeSet<String> = files
            .chain(self.cache.iter().map(|(name, _)| name.clone()))
            .filter_map(|file| Some(file.strip_prefix("lib")?.split_once(".so")?.0.to_owned()))
            .collect();
        let near = suggest::near(name, &known);
        let searched: Vec<_> = self.dirs.iter().map(|dir| dir.display().to_string()).collect();
        let searched = format!("searched {} and the loader's cache", searched.join(", "));
        let help = match near.as_slice() {
            _ if Path::new(name).is_file() => {
                format!("for the file `{name}` that is here, write `./{name}`\n{searched}")
            }
            [] => searched,
            near => {
                let near: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
                format!("did you mean {}?\n{searched}", near.join(" or "))
            }
        };
        Error::new(ErrorKind::LibraryNotFound, format!("library `{name}` was not found")).help(help)
    }
}

/// The file with the highest number behind `libx.so.`.
fn highest(file: &str, found: impl Iterator<Item = (String, PathBuf)>) -> Option<PathBuf> {
    let versioned = found.filter_map(|(name, path)| {
        let version = name.strip_prefix(file)?.strip_prefix('.')?;
        let numbers: Option<Vec<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
        Some((numbers?, path))
    });
    versioned.max().map(|(_, path)| path)
}

fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn compiler_dirs() -> Vec<PathBuf> {
    let answer = compiler_answer(&["-print-search-dirs"]).unwrap_or_default();
    let line = answer.lines().find_map(|line| line.strip_prefix("libraries: ="));
    line.unwrap_or_default().split(':').filter(|dir| !dir.is_empty()).map(PathBuf::from).collect()
}

fn standard_dirs() -> Vec<PathBuf> {
    let multiarch = format!("{}-linux-gnu", std::env::consts::ARCH);
    ["/usr/local/lib", "/lib", "/usr/lib"]
        .iter()
        .flat_map(|dir| [Path::new(dir).join(&multiarch), PathBuf::from(dir)])
        .chain(["/lib64".into(), "/usr/lib64".into()])
        .collect()
}

/// Libraries of this machine's kind in the loader's cache.
fn loader_cache() -> Vec<(String, PathBuf)> {
    // `sbin` is not on the PATH of everybody.
    let answers = ["ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"].into_iter().find_map(|program| {
        let output = Command::new(program).arg("-p").stdin(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    });
    cache_entries(&answers.unwrap_or_default(), std::env::consts::ARCH)
}

/// Entries such as `libz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1`.
fn cache_entries(text: &str, arch: &str) -> Vec<(String, PathBuf)> {
    let mark = match arch {
        "x86_64" => "x86-64",
        "aarch64" => "AArch64",
        _ => "libc6",
    };
    let entries = text.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(" (")?;
        let (kind, path) = rest.split_once(") => ")?;
        kind.contains(mark).then(|| (name.to_owned(), PathBuf::from(path)))
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_cache_is_read() {
        let text = "2 libs found in cache `/etc/ld.so.cache'\n\
                    \tlibz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1\n\
                    \tlibz.so.1 (libc6) => /lib/i386-linux-gnu/libz.so.1\n\
                    \tlibm.so.6 (libc6,x86-64, OS ABI: Linux 3.2.0) => /lib/libm.so.6\n";
        let expect = [("libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1"), ("libm.so.6", "/lib/libm.so.6")];
        let expect: Vec<_> = expect.map(|(name, path)| (name.to_owned(), PathBuf::from(path))).into();
        assert_eq!(cache_entries(text, "x86_64"), expect);
    }

    #[test]
    fn the_highest_version_wins_by_number() {
        let found = ["libx.so.9", "libx.so.10", "libx.so.9.9", "libxy.so.99", "libx.so.old", "libx.so"];
        let found = found.into_iter().map(|name| (name.to_owned(), PathBuf::from(name)));
        assert_eq!(highest("libx.so", found), Some("libx.so.10".into()));
    }
}
