//! Control groups into which workers are put.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, fstatfs, open, openat};

/// The file by which processes join a control group.
const MEMBERS: &str = "cgroup.procs";

/// Opens the file by which workers join the control group at this path, of either version.
///
/// # Errors
///
/// There is no control group at the path, or this process may not put others into it. The text names the path.
pub fn control_group(path: &Path) -> io::Result<OwnedFd> {
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
    openat(&directory, MEMBERS, flags, Mode::empty()).map_err(|errno| named(errno.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_control_group_is_told() {
        let folder = std::env::temp_dir();
        for (path, expect) in [
            (Path::new("sys"), "is not absolute"),
            (Path::new("/no/such/group"), "No such file"),
            (folder.as_path(), "another file system"),
            (Path::new("/proc"), "another file system"),
            (Path::new("/dev/null"), "Not a directory"),
        ] {
            let error = control_group(path).unwrap_err().to_string();
            assert!(error.contains(expect) && error.contains(path.to_str().unwrap()), "{error}");
        }
    }
}
