//! `-o NAME=FILE`: results into files, each written as a whole or not at all; a device or a pipe is written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use hotcell::dynamic::{Outcome, Value};
use hotcell_model::interface::{Function, ResultRole};
use tempfile::{Builder, NamedTempFile};

use crate::args::Named;
use crate::fail::Failure;

/// Files that are ready to be written.
#[derive(Debug)]
pub(super) struct Outputs(Vec<Output>);

#[derive(Debug)]
struct Output {
    name: String,
    path: PathBuf,
    file: Target,
}

#[derive(Debug)]
enum Target {
    /// Renamed to the file when all is written.
    Whole { beside: NamedTempFile, place: PathBuf },
    /// What is no regular file must stay what it is.
    Stream(File),
}

impl Target {
    fn open(path: &Path) -> io::Result<Target> {
        let stream = |create| OpenOptions::new().write(true).create(create).open(path).map(Target::Stream);
        // A link stays a link: what it points to is written.
        let (place, permissions) = match fs::metadata(path) {
            Ok(there) if there.is_file() => (path.canonicalize()?, Some(there.permissions())),
            Ok(_) => return stream(false),
            Err(_) if path.is_symlink() => return stream(true),
            Err(_) => (path.to_owned(), None),
        };
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = Builder::new();
        // As any new file: the umask takes away what it takes away.
        builder.permissions(PermissionsExt::from_mode(0o666));
        let beside = builder.tempfile_in(folder.unwrap_or(Path::new(".")));
        // Without the name of the temporary file, which says nothing to the user.
        let beside = beside.map_err(|error| {
            let text = error.to_string();
            io::Error::new(error.kind(), text.split(" at path ").next().unwrap_or_default())
        })?;
        if let Some(permissions) = permissions {
            beside.as_file().set_permissions(permissions)?;
        }
        Ok(Target::Whole { beside, place })
    }

    fn write(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Target::Stream(mut file) => file.write_all(bytes),
            Target::Whole { mut beside, place } => {
                beside.write_all(bytes)?;
                beside.persist(place).map(drop).map_err(|error| error.error)
            }
        }
    }
}

/// Opens a temporary file beside each wanted one.
pub(super) fn prepare(function: &Function, wanted: &[Named]) -> Result<Outputs, Failure> {
    let mut names: Vec<&str> =
        function.params.iter().filter(|p| p.role.value.is_result()).map(|p| p.name.as_str()).collect();
    if matches!(
        function.result.value,
        ResultRole::Value | ResultRole::Text { .. } | ResultRole::Buffer { .. }
    ) {
        names.push("return");
    }
    let mut outputs = Vec::new();
    for Named { name, value } in wanted {
        if !names.contains(&name.as_str()) {
            let known = if names.is_empty() { "it has none".into() } else { names.join(", ") };
            let message = format!("`{}` has no result `{name}`: {known}", function.name);
            return Err(Failure::Usage(message));
        }
        let path = PathBuf::from(value);
        let file =
            Target::open(&path).map_err(|error| Failure::Usage(format!("cannot write {value}: {error}")))?;
        outputs.push(Output { name: name.clone(), path, file });
    }
    Ok(Outputs(outputs))
}

impl Outputs {
    /// Writes the results; returns which went where.
    pub(super) fn write(self, outcome: &Outcome) -> Result<Vec<(String, PathBuf)>, Failure> {
        let mut written = Vec::new();
        for Output { name, path, file } in self.0 {
            let value = match name.as_str() {
                "return" => outcome.returned.as_ref(),
                name => outcome.outs.iter().find(|(out, _)| out == name).map(|(_, value)| value),
            };
            let bytes = match value {
                Some(Value::Bytes(bytes)) => bytes.clone(),
                Some(Value::Text(text)) => text.clone().into_bytes(),
                Some(Value::Null) | None => return Err(Failure::Usage(format!("`{name}` is null"))),
                // Numbers as JSON has them: all of them, unlike what is shown on a terminal.
                Some(value) => format!("{}\n", super::results::json_of(value)).into_bytes(),
            };
            file.write(&bytes)
                .map_err(|error| Failure::Usage(format!("cannot write {}: {error}", path.display())))?;
            written.push((name, path));
        }
        Ok(written)
    }
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
}
