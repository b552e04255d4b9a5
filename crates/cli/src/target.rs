//! Files the command writes: each as a whole or not at all; a device or a pipe is written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// Where something is to be written.
#[derive(Debug)]
pub(crate) enum Target {
    /// Renamed to the file when all is written.
    Whole { beside: NamedTempFile, place: PathBuf },
    /// The same, unless there is a file by then.
    New { beside: NamedTempFile, place: PathBuf },
    /// What is no regular file must stay what it is.
    Stream(File),
}

impl Target {
    /// Makes ready to write a file, in the place of one that is there.
    pub(crate) fn open(path: &Path) -> io::Result<Target> {
        let stream = |create| OpenOptions::new().write(true).create(create).open(path).map(Target::Stream);
        // A link stays a link: what it points to is written.
        let (place, permissions) = match fs::metadata(path) {
            Ok(there) if there.is_file() => (path.canonicalize()?, Some(there.permissions())),
            Ok(_) => return stream(false),
            Err(_) if path.is_symlink() => return stream(true),
            Err(_) => (path.to_owned(), None),
        };
        let beside = temporary(&place)?;
        if let Some(permissions) = permissions {
            beside.as_file().set_permissions(permissions)?;
        }
        Ok(Target::Whole { beside, place })
    }

    /// Makes ready to write a new file; what appears in its place until it is written is left alone.
    pub(crate) fn create(path: &Path) -> io::Result<Target> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(Target::New { beside: temporary(path)?, place: path.to_owned() })
    }

    /// Writes all of it.
    pub(crate) fn write(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Target::Stream(mut file) => file.write_all(bytes),
            Target::Whole { mut beside, place } => {
                beside.write_all(bytes)?;
                beside.persist(place).map(drop).map_err(|error| error.error)
            }
            Target::New { mut beside, place } => {
                beside.write_all(bytes)?;
                beside.persist_noclobber(place).map(drop).map_err(|error| error.error)
            }
        }
    }
}

/// What keeps a file from being written, on one line.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> String {
    let missing = folder(path).filter(|folder| error.kind() == io::ErrorKind::NotFound && !folder.exists());
    match missing {
        Some(folder) => format!("cannot write {}: there is no folder {}", path.display(), folder.display()),
        None if path.is_dir() => format!("cannot write {}: it is a folder", path.display()),
        None => format!("cannot write {}: {error}", path.display()),
    }
}

/// The folder that a path names, unless it is the working directory.
fn folder(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

/// A file beside the place, to be renamed to it.
fn temporary(place: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    // As any new file: the umask takes away what it takes away.
    builder.permissions(PermissionsExt::from_mode(0o666));
    // Without the name of the temporary file, which says nothing to the user.
    builder.tempfile_in(folder(place).unwrap_or(Path::new("."))).map_err(|error| {
        let text = error.to_string();
        io::Error::new(error.kind(), text.split(" at path ").next().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::os::unix::fs::symlink("file", &link).unwrap();
        for text in ["first", "second"] {
            // First through a link to nothing, then to a file.
            Target::open(&link).unwrap().write(text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            assert!(link.is_symlink());
        }
        fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        Target::open(&file).unwrap().write(b"third").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        Target::open(Path::new("/dev/null")).unwrap().write(b"gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(Target::open(dir.path()).is_err());
    }

    #[test]
    fn a_file_is_as_it_was_when_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "old").unwrap();
        drop(Target::open(&file).unwrap());
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        let first = Target::create(&file).unwrap();
        let second = Target::create(&file).unwrap();
        first.write(b"first").unwrap();
        assert_eq!(second.write(b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(Target::create(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).unwrap(), "first");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
