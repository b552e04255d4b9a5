//! Puts generated files where they belong: all of them, or none.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// Writes the files that differ from what is there, or only compares.
///
/// Every file is first written into a temporary directory within `dir`, so that a full disk or a missing
/// permission leaves everything as it was, `dir` itself included; then each is renamed into its place. Files that
/// are as they should be are not touched.
///
/// # Errors
///
/// With `check`, [`Error::Stale`] names the files that differ; without, [`Error::Io`].
pub fn write<T: AsRef<[u8]>>(dir: &Path, files: &[(PathBuf, T)], check: bool) -> Result<(), Error> {
    let stale = stale(dir, files);
    if stale.is_empty() {
        return Ok(());
    }
    if check {
        return Err(Error::Stale { files: stale.iter().map(|(path, _)| path.clone()).collect() });
    }
    let mut made = Made::default();
    let staging = dir.join(format!(".hotcell-{}", std::process::id()));
    let done = made.folder(dir).and_then(|()| replace(dir, &staging, &stale, &mut made));
    let _ = fs::remove_dir_all(&staging); // may not have been created
    if done.is_err() {
        made.remove();
    }
    done
}

/// The files that are not what they should be.
pub(crate) fn stale<'a, T: AsRef<[u8]>>(dir: &Path, files: &'a [(PathBuf, T)]) -> Vec<&'a (PathBuf, T)> {
    let differs = |(path, content): &&(PathBuf, T)| {
        // What cannot be read is as stale as another content; writing it tells the reason.
        !fs::read(dir.join(path)).is_ok_and(|old| old == content.as_ref())
    };
    files.iter().filter(differs).collect()
}

/// The folders that were made on the way.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    /// Makes a folder, and those it lies in.
    fn folder(&mut self, folder: &Path) -> Result<(), Error> {
        let above = folder.ancestors().take_while(|it| !it.as_os_str().is_empty());
        let missing: Vec<PathBuf> = above.take_while(|it| !it.exists()).map(Path::to_owned).collect();
        for missing in missing.into_iter().rev() {
            fs::create_dir_all(&missing).map_err(Error::io("create", &missing))?;
            self.0.push(missing);
        }
        // A file, or a link to nothing, of that name.
        fs::create_dir_all(folder).map_err(Error::io("create", folder))
    }

    /// Removes them again; what somebody put into them meanwhile keeps them.
    fn remove(self) {
        self.0.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
    }
}

fn replace<T: AsRef<[u8]>>(
    dir: &Path,
    staging: &Path,
    files: &[&(PathBuf, T)],
    made: &mut Made,
) -> Result<(), Error> {
    fs::create_dir(staging).map_err(Error::io("create", staging))?;
    let staged = |position: usize| staging.join(position.to_string());
    for (position, (path, content)) in files.iter().enumerate() {
        fs::write(staged(position), content).map_err(Error::io("write", dir.join(path)))?;
    }
    // Whatever a rename needs is tried before the first one.
    for (path, _) in files {
        let target = dir.join(path);
        if target.is_dir() {
            let source = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(Error::Io { operation: "write", path: target, source });
        }
        let parent = target.parent().unwrap_or(dir);
        made.folder(parent)?;
        // By its own name, which may be too long; where there is a file of that name, by another.
        let probe = match target.symlink_metadata() {
            Ok(_) => parent.join(staging.file_name().unwrap_or_default()).with_extension("probe"),
            Err(_) => target.clone(),
        };
        fs::write(&probe, "")
            .and_then(|()| fs::remove_file(&probe))
            .map_err(Error::io("write to", parent))?;
    }
    for (position, (path, _)) in files.iter().enumerate() {
        let target = dir.join(path);
        fs::rename(staged(position), &target).map_err(Error::io("write", target))?;
    }
    Ok(())
}
