//! Control groups into which workers are put.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat, fstatfs, open, openat};

/// The file by which processes join a control group.
const MEMBERS: &str = "cgroup.procs";

/// Opens the files by which workers join the control groups at these paths, of either version.
///
/// # Errors
///
/// There is no control group at a path, this process may not put others into it, or two are of one hierarchy: a process is in one
/// group of each, so that joining the second would end what the first was named for. The text names the path.
pub fn control_groups(paths: &[PathBuf]) -> io::Result<Vec<OwnedFd>> {
    let mut hierarchies: BTreeMap<u64, &Path> = BTreeMap::new();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let (file, hierarchy) = control_group(path)?;
        if let Some(other) = hierarchies.insert(hierarchy, path) {
            let what = format!(
                "{} and {} are of one hierarchy, in which a process has one group",
                other.display(),
                path.display()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        files.push(file);
    }
    Ok(files)
}

/// The file by which workers join the control group at this path, and the number of its hierarchy.
fn control_group(path: &Path) -> io::Result<(OwnedFd, u64)> {
    /// `CGROUP_SUPER_MAGIC` and `CGROUP2_SUPER_MAGIC` of the kernel.
    const OF_GROUPS: [u64; 2] = [0x0027_e0eb, 0x6367_7270];
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let wrong = |what: &str| named(io::Error::new(io::ErrorKind::InvalidInput, what));
    if !path.is_absolute() {
        return Err(wrong("the path is not absolute"));
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = open(path, flags, Mode::empty()).map_err(|errno| named(errno.into()))?;
    // Before anything is written: the file of the name could be anybody's.
    let system = fstatfs(&directory).map_err(|errno| named(errno.into()))?;
    if !OF_GROUPS.contains(&u64::try_from(system.f_type).unwrap_or_default()) {
        return Err(wrong("it is a directory of another file system"));
    }
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = openat(&directory, MEMBERS, flags, Mode::empty()).map_err(|errno| named(errno.into()))?;
    // Each hierarchy is a file system, however often it is mounted.
    let hierarchy = fstat(&directory).map_err(|errno| named(errno.into()))?.st_dev;
    Ok((file, hierarchy))
}

/// The first of these control groups in which nothing runs, as it is frozen by itself or with one above it.
pub fn frozen_group(paths: &[PathBuf]) -> Option<&Path> {
    // Of the second version, and of the first.
    const SAYS: [(&str, &[&str]); 2] =
        [("cgroup.events", &["frozen 1"]), ("freezer.state", &["FROZEN", "FREEZING"])];
    let is_frozen = |path: &PathBuf| {
        SAYS.iter().any(|(file, words)| {
            let said = fs::read_to_string(path.join(file)).unwrap_or_default();
            said.lines().any(|line| words.contains(&line))
        })
    };
    paths.iter().find(|path| is_frozen(path)).map(PathBuf::as_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_either_version_says_that_it_is_frozen() {
        let folder = std::env::temp_dir().join(format!("hotcell-frozen-{}", std::process::id()));
        let told = |file: &str, text: &str| {
            let group = folder.join(file);
            fs::create_dir_all(&group).unwrap();
            fs::write(group.join(file), text).unwrap();
            frozen_group(&[folder.clone(), group.clone()]) == Some(group.as_path())
        };
        for (file, text, is_frozen) in [
            ("cgroup.events", "populated 1\nfrozen 1\n", true),
            ("cgroup.events", "populated 1\nfrozen 0\n", false),
            ("freezer.state", "FROZEN\n", true),
            ("freezer.state", "FREEZING\n", true),
            ("freezer.state", "THAWED\n", false),
        ] {
            assert_eq!(told(file, text), is_frozen, "{file}: {text}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_control_group_is_told() {
        let folder = std::env::temp_dir();
        for (path, expect) in [
            (Path::new(""), "is not absolute"),
            (Path::new("sys"), "is not absolute"),
            (Path::new("/no/such/group"), "No such file"),
            (folder.as_path(), "another file system"),
            (Path::new("/proc"), "another file system"),
            (Path::new("/dev/null"), "Not a directory"),
        ] {
            let error = control_groups(&[path.to_owned()]).unwrap_err().to_string();
            assert!(error.contains(expect) && error.contains(path.to_str().unwrap()), "{error}");
        }
    }
}
