//! Looks for a libclang that the header parser can load, and for the headers that belong to it.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::machine::Machine;

/// The versions whose answers the header parser knows.
const VERSIONS: RangeInclusive<u32> = 14..=21;

const FOLDERS: &[&str] =
    &["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];

/// The newest usable libclang, or why there is none.
pub(crate) fn find(machine: &Machine) -> Result<String, String> {
    let mut libraries: Vec<(Option<u32>, PathBuf)> =
        candidates(machine).into_iter().map(|file| (version(&file), file)).collect();
    // By version alone: of equals the first stays first, and with it the user's own choice.
    libraries.sort_by_key(|it| std::cmp::Reverse(it.0));
    let mut reasons = Vec::new();
    for (version, file) in libraries {
        let file = file.display();
        match version {
            None => reasons.push(format!("{file} does not tell its version")),
            Some(version) if !VERSIONS.contains(&version) => {
                reasons.push(format!("{file} is version {version}"));
            }
            Some(version) if !has_headers(machine, version) => {
                reasons.push(format!("{file} lacks clang {version}'s own stddef.h"));
            }
            Some(version) => return Ok(format!("version {version}, {file}")),
        }
    }
    reasons.dedup();
    Err(if reasons.is_empty() { "no libclang.so found".to_owned() } else { reasons.join("; ") })
}

/// Every file that is a libclang by its name.
fn candidates(machine: &Machine) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if let Some(path) = &machine.libclang_path {
        files.push(machine.at(path));
        files.extend(machine.entries(path));
    }
    for folder in machine.entries("/usr/lib") {
        if file_name(&folder).starts_with("llvm-") {
            files.extend(machine.entries(folder.join("lib")));
        }
    }
    files.extend(FOLDERS.iter().flat_map(|folder| machine.entries(folder)));
    files.retain(|it| it.is_file() && is_libclang(file_name(it)));
    files
}

/// `libclang.so`, `libclang.so.19.1`, `libclang-19.so.1`; not `libclang-cpp.so.19`, which is the C++ library.
fn is_libclang(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("libclang") else {
        return false;
    };
    let rest = match rest.strip_prefix('-') {
        Some(numbered) => numbered.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'),
        None => rest,
    };
    // A number may have taken the dot before `so` with it.
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    rest == "so" || rest.starts_with("so.")
}

/// The major version, which the file's own name, the name behind its links, or an `llvm-19` on its
/// way tells.
fn version(file: &Path) -> Option<u32> {
    let target = fs::canonicalize(file).ok()?;
    let folders = || target.iter().filter_map(|it| it.to_str()?.strip_prefix("llvm-"));
    let of_folder = || folders().find_map(|it| it.parse().ok());
    version_in_name(file_name(file)).or_else(|| version_in_name(file_name(&target))).or_else(of_folder)
}

fn version_in_name(name: &str) -> Option<u32> {
    // `libclang-19.so.1`: the number in front counts, the one behind is that of the interface.
    let number = match name.strip_prefix("libclang-") {
        Some(rest) => rest,
        None => name.strip_prefix("libclang.so.")?,
    };
    let number = number.split('.').next()?.parse().ok()?;
    // `libclang.so.1` and `libclang.so.13` are names of interfaces that lasted over many versions.
    (name.starts_with("libclang-") || number > 13).then_some(number)
}

fn has_headers(machine: &Machine, version: u32) -> bool {
    let own = format!("/usr/lib/llvm-{version}/lib/clang");
    // Below the shared folders lie the headers of every version: only those of this one belong to it.
    let shared = ["/usr/lib/clang", "/usr/lib64/clang"].into_iter().flat_map(|it| machine.entries(it));
    let shared = shared.filter(|it| file_name(it).split('.').next() == Some(&version.to_string()));
    machine.entries(own).into_iter().chain(shared).any(|it| it.join("include/stddef.h").is_file())
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|it| it.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn find_among(files: &[&str]) -> Result<String, String> {
        let scratch = Scratch::new();
        files.iter().for_each(|it| scratch.write(it, ""));
        let root = scratch.path().display().to_string();
        let relative = |text: String| text.replace(&root, "");
        find(&Machine::made_up(scratch.path())).map(relative).map_err(relative)
    }

    #[test]
    fn names_of_the_library() {
        for name in
            ["libclang.so", "libclang.so.19.1", "libclang-19.so", "libclang-19.so.1", "libclang-14.0.6.so"]
        {
            assert!(is_libclang(name), "{name}");
        }
        for name in ["libclang-cpp.so.19", "libclang-cpp.so", "libclang.a", "libclang-19.a", "libclangAST.so"]
        {
            assert!(!is_libclang(name), "{name}");
        }
    }

    #[test]
    fn versions_in_names() {
        for (name, version) in [
            ("libclang-19.so.1", Some(19)),
            ("libclang-14.0.6.so.1", Some(14)),
            ("libclang.so.18.1", Some(18)),
            ("libclang.so.13", None),
            ("libclang.so.1", None),
            ("libclang.so", None),
        ] {
            assert_eq!(version_in_name(name), version, "{name}");
        }
    }

    #[test]
    fn each_distribution_is_understood() {
        for files in [
            // Debian
            ["usr/lib/llvm-19/lib/libclang-19.so.1", "usr/lib/llvm-19/lib/clang/19/include/stddef.h"],
            ["usr/lib/llvm-14/lib/libclang.so.1", "usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h"],
            ["usr/lib/aarch64-linux-gnu/libclang-18.so.18", "usr/lib/llvm-18/lib/clang/18/include/stddef.h"],
            // Fedora, Arch
            ["usr/lib64/libclang.so.20.1", "usr/lib/clang/20/include/stddef.h"],
            ["usr/lib/libclang.so.21.1.0", "usr/lib/clang/21.1.0/include/stddef.h"],
        ] {
            assert!(find_among(&files).is_ok(), "{files:?}: {:?}", find_among(&files));
        }
    }

    #[test]
    fn the_newest_usable_one_is_taken() {
        let found = find_among(&[
            "usr/lib/llvm-14/lib/libclang-14.so.1",
            "usr/lib/llvm-14/lib/clang/14/include/stddef.h",
            "usr/lib/llvm-18/lib/libclang-18.so.1",
            "usr/lib/llvm-18/lib/clang/18/include/stddef.h",
            "usr/lib/llvm-22/lib/libclang-22.so.1",
            "usr/lib/llvm-22/lib/clang/22/include/stddef.h",
        ]);
        assert_eq!(found.unwrap(), "version 18, /usr/lib/llvm-18/lib/libclang-18.so.1");
    }

    #[test]
    fn what_is_wrong_is_told() {
        let headers_19 = "usr/lib/clang/19/include/stddef.h";
        for (files, reason) in [
            (vec![], "no libclang.so found"),
            (vec!["usr/lib64/libclang-cpp.so.19", headers_19], "no libclang.so found"),
            (vec!["usr/lib64/libclang-19.so.1"], "lacks clang 19's own stddef.h"),
            (vec!["usr/lib64/libclang-18.so.1", headers_19], "lacks clang 18's own stddef.h"),
            (vec!["usr/lib64/libclang-22.so.1", headers_19], "is version 22"),
            (vec!["usr/lib64/libclang.so", headers_19], "does not tell its version"),
        ] {
            let error = find_among(&files).unwrap_err();
            assert!(error.contains(reason), "{files:?}: {error}");
        }
    }

    #[test]
    fn the_users_own_path_counts_as_file_and_as_folder() {
        let scratch = Scratch::new();
        scratch.write("opt/llvm/libclang-17.so", "");
        scratch.write("usr/lib/clang/17/include/stddef.h", "");
        let mut machine = Machine::made_up(scratch.path());
        for path in ["/opt/llvm", "/opt/llvm/libclang-17.so"] {
            assert!(find(&machine).is_err());
            machine.libclang_path = Some(PathBuf::from(path));
            assert!(find(&machine).is_ok(), "{path}");
            machine.libclang_path = None;
        }
    }
}
