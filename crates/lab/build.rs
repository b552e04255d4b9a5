//! Lists the files of the runtime in Go, which programs of the lab in that language are made with.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// From this folder.
const RUNTIME: &str = "../../clients/go";

/// Modules of their own, and what only tests need.
const OTHERS: [&str; 3] = ["conformance", "e2e", "tools"];

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(RUNTIME);
    let mut files = Vec::new();
    list(&folder, &mut files);
    files.sort();
    let entry = |path: &PathBuf| {
        let name = path.strip_prefix(&folder).expect("it lies in there");
        format!("    ({:?}, include_str!({:?})),\n", name.display().to_string(), path.display().to_string())
    };
    let list: String = files.iter().map(entry).collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("runtime.rs"), format!("&[\n{list}]\n")).expect("OUT_DIR can be written");
    println!("cargo::rerun-if-changed={RUNTIME}");
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !OTHERS.contains(&name.as_str()) {
            list(&path, files);
        } else if ["go", "s", "mod", "sum"].contains(&ending.as_str()) && !name.ends_with("_test.go") {
            files.push(path);
        }
    }
}
