//! Looks for programs and files, below the root of this machine or, in tests, of a made-up one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

pub(crate) struct Machine {
    root: PathBuf,
    /// Folders of `PATH`.
    path: Vec<PathBuf>,
    /// Folders the C compiler is told to search besides its own.
    include: Vec<PathBuf>,
    /// A libclang, or the folder it lies in, that the user points to.
    pub(crate) libclang_path: Option<PathBuf>,
}

impl Machine {
    /// The machine this program runs on.
    pub(crate) fn this() -> Self {
        let folders = |name| {
            std::env::var_os(name).map(|it| std::env::split_paths(&it).collect()).unwrap_or_else(Vec::new)
        };
        Self {
            root: PathBuf::from("/"),
            path: folders("PATH"),
            include: [folders("CPATH"), folders("C_INCLUDE_PATH")].concat(),
            libclang_path: std::env::var_os("LIBCLANG_PATH").map(PathBuf::from),
        }
    }

    /// A machine whose files lie below `root`.
    #[cfg(test)]
    pub(crate) fn made_up(root: &Path) -> Self {
        let path = vec![PathBuf::from("/usr/bin")];
        Self { root: root.to_owned(), path, include: Vec::new(), libclang_path: None }
    }

    /// Where a path of the machine lies in truth; a path that is below the root already stays as it is.
    pub(crate) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        if path.starts_with(&self.root) {
            return path.to_owned();
        }
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// A folder's entries in the order of their names; none where there is no such folder.
    pub(crate) fn entries(&self, folder: impl AsRef<Path>) -> Vec<PathBuf> {
        let mut entries: Vec<PathBuf> = fs::read_dir(self.at(folder))
            .map(|folder| folder.filter_map(|it| it.ok().map(|it| it.path())).collect())
            .unwrap_or_default();
        entries.sort();
        entries
    }

    /// Where `PATH` has a program.
    pub(crate) fn program(&self, name: &str) -> Result<String, String> {
        let mut places = self.path.iter().map(|folder| self.at(folder).join(name));
        let executable = |file: &PathBuf| {
            fs::metadata(file).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
        };
        places
            .find(executable)
            .map(|it| it.display().to_string())
            .ok_or_else(|| format!("no program `{name}` in PATH"))
    }

    /// A file that has one place.
    pub(crate) fn file(&self, path: &str) -> Result<String, String> {
        let file = self.at(Path::new(path));
        match file.is_file() {
            true => Ok(file.display().to_string()),
            false => Err(format!("no file `{path}`")),
        }
    }

    /// Where the C compiler finds a header.
    pub(crate) fn header(&self, name: &str) -> Result<String, String> {
        let own = ["/usr/local/include", "/usr/include"].map(PathBuf::from);
        // Debian keeps what differs between architectures in /usr/include/<triple>.
        let triples = self.entries("/usr/include");
        let mut places = self
            .include
            .iter()
            .chain(&own)
            .map(|folder| self.at(folder))
            .chain(triples)
            .map(|it| it.join(name));
        places
            .find(|it| it.is_file())
            .map(|it| it.display().to_string())
            .ok_or_else(|| format!("no `{name}` where the C compiler looks"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_program_must_be_executable() {
        let scratch = Scratch::new();
        let machine = Machine::made_up(scratch.path());
        assert_eq!(machine.program("cc"), Err("no program `cc` in PATH".to_owned()));
        scratch.write("usr/bin/cc", "");
        assert!(machine.program("cc").is_err());
        let cc = scratch.path().join("usr/bin/cc");
        fs::set_permissions(&cc, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(machine.program("cc"), Ok(cc.display().to_string()));
    }

    #[test]
    fn a_header_is_found_in_any_folder_the_compiler_searches() {
        for folder in ["usr/include", "usr/local/include", "usr/include/x86_64-linux-gnu", "opt/zlib"] {
            let scratch = Scratch::new();
            let mut machine = Machine::made_up(scratch.path());
            machine.include.push(PathBuf::from("/opt/zlib"));
            assert!(machine.header("zlib.h").is_err());
            scratch.write(&format!("{folder}/zlib.h"), "");
            assert!(machine.header("zlib.h").is_ok(), "{folder}");
        }
    }
}
