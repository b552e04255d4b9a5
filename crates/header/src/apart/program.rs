//! Finding the program that reads: `hotcell`, which is installed with everything else.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::error::{Error, ErrorKind};

const NAME: &str = "hotcell";

/// Names the program.
const VARIABLE: &str = "HOTCELL_READER";

static PREFERRED: OnceLock<PathBuf> = OnceLock::new();

/// Names the program `hotcell` that came with this one, or is this one. The first that is named holds for the process.
pub fn prefer(program: PathBuf) {
    let _ = PREFERRED.set(program);
}

/// The program: `HOTCELL_READER` if set, else the preferred one, else beside this program or one folder above it (tests and
/// examples are built into folders of their own), else on the `PATH`.
pub(super) fn find() -> Result<PathBuf, Error> {
    let folders = folders(env::current_exe().ok(), env::var_os("PATH").unwrap_or_default());
    found(env::var_os(VARIABLE), PREFERRED.get(), &folders)
}

/// Where it is looked for.
fn folders(own: Option<PathBuf>, path: OsString) -> Vec<PathBuf> {
    let beside = own.iter().flat_map(|own| own.ancestors().skip(1).take(2)).map(Path::to_owned);
    // An empty one would be the working directory, of which nobody knows whose it is.
    let on_path = env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty());
    beside.chain(on_path).collect()
}

fn found(
    named: Option<OsString>,
    preferred: Option<&PathBuf>,
    folders: &[PathBuf],
) -> Result<PathBuf, Error> {
    if let Some(named) = named.map(PathBuf::from) {
        return file(&named).ok_or_else(|| {
            let named = named.display();
            missing(format!("{VARIABLE}, the path of the program `{NAME}`, is `{named}`, which is no file"))
        });
    }
    let places = folders.iter().map(|folder| folder.join(NAME));
    let program = |path: PathBuf| if is_executable(&path) { file(&path) } else { None };
    preferred.cloned().into_iter().chain(places).find_map(program).ok_or_else(|| {
        let looked = preferred.iter().map(|path| path.display().to_string());
        let looked: Vec<_> = looked.chain(folders.iter().map(|it| it.display().to_string())).collect();
        let found = if looked.is_empty() { "anywhere".into() } else { format!("in {}", looked.join(", ")) };
        missing(format!("the program `{NAME}`, which reads headers, was not found {}", found))
    })
}

fn file(path: &Path) -> Option<PathBuf> {
    if path.is_file() { std::path::absolute(path).ok() } else { None }
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}

fn missing(what: String) -> Error {
    Error::new(ErrorKind::ReaderMissing, what)
        .help(format!("install it beside your program or on the PATH, or set {VARIABLE}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_for_in_an_order() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["named", "preferred", "bin/hotcell", "bin/deps/tests", "path/hotcell"] {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), "").unwrap();
            std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let folders = folders(Some(at("bin/deps/tests")), at("path").into());
        let find = |named: Option<&str>, preferred: Option<&str>, folders: &[PathBuf]| {
            found(named.map(|it| at(it).into()), preferred.map(at).as_ref(), folders)
        };
        assert_eq!(find(Some("named"), Some("preferred"), &folders), Ok(at("named")));
        assert_eq!(find(None, Some("preferred"), &folders), Ok(at("preferred")));
        assert_eq!(find(None, Some("gone"), &folders), Ok(at("bin/hotcell")));
        assert_eq!(find(None, None, &folders[2..]), Ok(at("path/hotcell")));
        // One that cannot be run is passed over, and so is the working directory.
        std::fs::set_permissions(at("bin/hotcell"), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(find(None, None, &folders), Ok(at("path/hotcell")));
        assert!(super::folders(None, "".into()).is_empty());
        assert_eq!(super::folders(None, ":/a::/b:".into()), [Path::new("/a"), Path::new("/b")]);
        // A name that is wrong is not passed over.
        let error = find(Some("gone"), Some("preferred"), &folders).unwrap_err();
        assert_eq!(error.kind, ErrorKind::ReaderMissing);
        assert!(error.message.starts_with("HOTCELL_READER, the path of "), "{error}");
        let error = find(None, None, &folders[..1]).unwrap_err();
        assert!(
            error.message.ends_with(&format!("was not found in {}", at("bin/deps").display())),
            "{error}"
        );
    }
}
