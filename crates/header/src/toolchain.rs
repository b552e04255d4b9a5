//! What libclang needs from the machine: its own headers, the C library's, and which directories are roots.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clang::diagnostic::Severity;
use clang::{EntityKind, Index, TypeKind, Unsaved};

use crate::error::{Error, ErrorKind};
use crate::parser::major;

/// What was found out once for all jobs.
#[derive(Debug)]
pub(crate) struct Toolchain {
    /// Arguments for every parse.
    pub(crate) arguments: Vec<String>,
    /// Directories the compiler searches by itself.
    pub(crate) roots: Vec<PathBuf>,
    /// Whether plain `char` is signed.
    pub(crate) char_signed: bool,
}

/// Headers the compiler brings, not the C library.
const BUILTIN: &str = "#include <stddef.h>\n#include <stdarg.h>\nchar hotcell_char;\n";
/// Headers of the C library; `stdlib.h` reaches into the multiarch directory.
const LIBRARY: &str = "#include <stdlib.h>\n";

impl Toolchain {
    /// Finds what libclang does not find by itself. `extra` goes before every argument.
    pub(crate) fn discover(index: &Index<'_>, extra: &[&str]) -> Result<Self, Error> {
        let comments = ["-fparse-all-comments", "-fretain-comments-from-system-headers"];
        let base: Vec<String> = ["-x", "c", "-std=gnu17", "-w", "-ferror-limit=0", "-fno-builtin"]
            .iter()
            .chain(&comments)
            .chain(extra)
            .map(ToString::to_string)
            .collect();
        let own = compiler_include_dirs();
        let (mut arguments, char_signed) = builtin_candidates()
            .into_iter()
            .find_map(|candidate| {
                let arguments = [base.clone(), candidate].concat();
                probe(index, &arguments, BUILTIN).map(|char_signed| (arguments, char_signed))
            })
            .ok_or_else(builtin_missing)?;
        if probe(index, &arguments, LIBRARY).is_none() {
            let dirs = own.iter().filter(|dir| !dir.join("stddef.h").exists());
            let more = dirs.filter_map(|dir| dir.to_str()).flat_map(|dir| ["-isystem", dir]);
            arguments.extend(more.map(str::to_owned));
        }
        let roots = own.into_iter().chain(["/usr/include".into(), "/usr/local/include".into()]);
        let roots = roots.flat_map(|root| [std::fs::canonicalize(&root).ok(), Some(root)]).flatten();
        Ok(Toolchain { arguments, roots: roots.collect(), char_signed })
    }
}

impl Toolchain {
    /// The directory of the compiler's own headers.
    pub(crate) fn builtin_headers(&self, index: &Index<'_>) -> Option<PathBuf> {
        let name = "hotcell-probe.c";
        let mut parser = index.parser(name);
        let unsaved = [Unsaved::new(name, BUILTIN)];
        let parser = parser.arguments(&self.arguments).detailed_preprocessing_record(true).unsaved(&unsaved);
        let unit = parser.parse().ok()?;
        let included = |entity: &clang::Entity<'_>| {
            let asked = entity.get_kind() == EntityKind::InclusionDirective;
            asked.then(|| entity.get_file()).flatten().map(|file| file.get_path())
        };
        let header = unit.get_entity().get_children().iter().find_map(included)?;
        header.parent().map(Path::to_owned)
    }
}

pub(crate) fn builtin_missing() -> Error {
    Error::new(
        ErrorKind::BuiltinHeadersMissing,
        "libclang has no headers of its own: `stddef.h` was not found, and layouts would be wrong",
    )
    .help(
        "install them (Debian and Ubuntu: `apt install libclang-common-19-dev`, with the number of your\n\
         libclang; Fedora: `dnf install clang-resource-filesystem`), or a C compiler that has its own",
    )
}

/// Parses a text; whether `char` is signed, or nothing on an error.
fn probe(index: &Index<'_>, arguments: &[String], text: &str) -> Option<bool> {
    let name = "hotcell-probe.c";
    let unit = index.parser(name).arguments(arguments).unsaved(&[Unsaved::new(name, text)]).parse().ok()?;
    if unit.get_diagnostics().iter().any(|d| d.get_severity() >= Severity::Error) {
        return None;
    }
    let char_kind =
        unit.get_entity().get_children().into_iter().find_map(|entity| {
            (entity.get_kind() == EntityKind::VarDecl).then(|| entity.get_type()).flatten()
        });
    Some(char_kind.is_none_or(|ty| ty.get_kind() == TypeKind::CharS))
}

/// Arguments that may bring the built-in headers, the default first.
fn builtin_candidates() -> Vec<Vec<String>> {
    let mut candidates = vec![Vec::new()];
    let mut dirs = subdirectories(Path::new("/usr/lib/clang"));
    dirs.extend(subdirectories(Path::new("/usr/lib64/clang")));
    for dir in subdirectories(Path::new("/usr/lib")) {
        if dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with("llvm-")) {
            dirs.extend(subdirectories(&dir.join("lib/clang")));
        }
    }
    dirs.retain(|dir| dir.join("include/stddef.h").exists());
    // Those of the same version, else the newest.
    let own = major(&clang::get_version());
    dirs.sort_by_cached_key(|dir| {
        let version = version_of(dir);
        (version.first().copied() != own, std::cmp::Reverse(version))
    });
    let text = dirs.iter().filter_map(|dir| dir.to_str());
    candidates.extend(text.map(|dir| vec!["-resource-dir".into(), dir.into()]));
    if let Some(dir) = compiler_answer(&["-print-file-name=include"]) {
        candidates.push(vec!["-isystem".into(), dir.trim().into()]);
    }
    candidates
}

fn version_of(dir: &Path) -> Vec<u32> {
    let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

fn subdirectories(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// The directories `cc` searches for `<header>`, from its verbose output.
fn compiler_include_dirs() -> Vec<PathBuf> {
    let output = Command::new("cc")
        .args(["-E", "-Wp,-v", "-x", "c", "/dev/null"])
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    include_dirs_in(&text)
}

fn include_dirs_in(text: &str) -> Vec<PathBuf> {
    text.lines()
        .skip_while(|line| !line.starts_with("#include <...>"))
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .map(|line| PathBuf::from(line.trim()))
        .collect()
}

/// The standard output of `cc` with these arguments, when it succeeds.
pub(crate) fn compiler_answer(arguments: &[&str]) -> Option<String> {
    let output = Command::new("cc").args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use clang::Clang;

    use super::*;

    /// One test, because only one `Clang` may exist at a time.
    #[test]
    fn what_libclang_does_not_find_is_found() {
        let clang = Clang::new().unwrap();
        let index = Index::new(&clang, false, false);

        let plain = Toolchain::discover(&index, &[]).unwrap();
        assert!(!plain.arguments.iter().any(|argument| argument == "-isystem"), "{:?}", plain.arguments);
        assert_eq!(plain.char_signed, cfg!(target_arch = "x86_64"));
        assert!(plain.roots.contains(&PathBuf::from("/usr/include")));

        // Without headers of its own the C compiler's serve.
        let bare = vec!["-nobuiltininc".to_owned()];
        assert_eq!(probe(&index, &bare, BUILTIN), None);
        let found = Toolchain::discover(&index, &["-nobuiltininc"]).unwrap();
        assert!(found.arguments.iter().any(|argument| argument == "-isystem"), "{:?}", found.arguments);
        assert!(probe(&index, &found.arguments, BUILTIN).is_some());
        let error = Toolchain::discover(&index, &["-nobuiltininc", "-std=none"]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BuiltinHeadersMissing);

        let nowhere = tempfile::tempdir().unwrap();
        let sysroot = format!("--sysroot={}", nowhere.path().display());
        assert_eq!(probe(&index, std::slice::from_ref(&sysroot), LIBRARY), None);
        let found = Toolchain::discover(&index, &[&sysroot]).unwrap();
        assert!(probe(&index, &found.arguments, LIBRARY).is_some(), "{:?}", found.arguments);

        let unsigned = Toolchain::discover(&index, &["-funsigned-char"]).unwrap();
        assert!(!unsigned.char_signed);
    }

    #[test]
    fn the_compilers_directories_are_read() {
        let text = "ignoring nonexistent directory \"/x\"\n#include \"...\" search starts here:\n\
                    #include <...> search starts here:\n /usr/lib/gcc/include\n /usr/include\n\
                    End of search list.\n # 1 \"/dev/null\"\n";
        assert_eq!(include_dirs_in(text), [Path::new("/usr/lib/gcc/include"), Path::new("/usr/include")]);
        assert!(include_dirs_in("").is_empty());
    }
}
