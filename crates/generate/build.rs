//! Lists the files of the runtime for Go (clients/go), which packages carry: the library carries them for that.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The runtime, from this crate.
const RUNTIME: &str = "../../clients/go";

/// Its folders with code of applications; the others have tests and tools.
const FOLDERS: [&str; 3] = [".", "rt", "internal"];

/// What it is licensed under, from this crate.
const LICENCES: [&str; 2] = ["../../LICENSE-APACHE", "../../LICENSE-MIT"];

fn main() -> io::Result<()> {
    let own = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let root = own.join(RUNTIME);
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root, Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut list: Vec<(String, PathBuf)> =
        files.into_iter().map(|file| (file.display().to_string(), root.join(&file))).collect();
    list.extend(LICENCES.iter().map(|file| (file.trim_start_matches("../").to_owned(), own.join(file))));
    let entries = list.iter().map(|(name, path)| format!("    ({name:?}, include_str!({path:?})),\n"));
    fs::write(out.join("go_runtime.rs"), format!("&[\n{}]\n", entries.collect::<String>()))
}

/// The files of a folder that are built, and of those in it but for the runtime's own.
fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let here = root.join(folder);
    // A file that comes or goes changes the folder; what is included is looked at by the compiler.
    println!("cargo::rerun-if-changed={}", here.display());
    for entry in fs::read_dir(&here)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = folder.strip_prefix(".").unwrap_or(folder).join(&name);
        if entry.file_type()?.is_dir() {
            if folder != Path::new(".") {
                collect(root, &path, files)?;
            }
        } else if is_built(&name) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_built(name: &str) -> bool {
    let is_code = [".go", ".s", ".mod"].iter().any(|end| name.ends_with(end));
    is_code && !name.ends_with("_test.go")
}
