//! Finding the worker program.

use std::env;
use std::path::{Path, PathBuf};

/// Name of the worker program.
const NAME: &str = "hotcell-worker";

/// The worker program: `HOTCELL_WORKER` if set, else beside this program or one folder above it (tests and
/// examples are built into folders of their own), else on the `PATH`. `Err` lists where it was looked for.
pub fn find_worker() -> Result<PathBuf, String> {
    if let Some(path) = env::var_os("HOTCELL_WORKER") {
        let path = PathBuf::from(path);
        return match absolute(&path) {
            Some(path) => Ok(path),
            None => Err(format!("HOTCELL_WORKER names {}, which is no file", path.display())),
        };
    }
    let own = env::current_exe().ok();
    let beside = own.iter().flat_map(|own| own.ancestors().skip(1).take(2)).map(Path::to_owned);
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = beside.chain(env::split_paths(&path)).collect();
    let found = folders.iter().find_map(|folder| absolute(&folder.join(NAME)));
    found.ok_or_else(|| {
        let looked: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        format!(
            "the program `{NAME}` was not found in {}; install it beside your program or on the PATH, or set HOTCELL_WORKER",
            looked.join(", ")
        )
    })
}

fn absolute(path: &Path) -> Option<PathBuf> {
    if path.is_file() { std::path::absolute(path).ok() } else { None }
}
