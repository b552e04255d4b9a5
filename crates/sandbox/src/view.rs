//! Which paths a worker sees: what the loader needs at first, and what its profile names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::profile::{Sandbox, is_of_worker};
use crate::tables::DEVICES;

/// A path and what may be done with it and all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) path: PathBuf,
    pub(crate) access: Access,
    /// Whether it is no error that it is not there.
    pub(crate) optional: bool,
    /// Whether no link may be on its way: it was followed when the plan was made, and a library that can rename could put
    /// another one there before the next worker opens it.
    pub(crate) is_resolved: bool,
}

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Access {
    /// Reading files and listing directories.
    Read = 0,
    /// Besides, writing, making and removing files and directories: no links, sockets or devices.
    Write = 1,
}

impl Sight {
    /// Of a path that somebody names. One that is not there is told by the worker.
    fn named(path: &Path, access: Access) -> Sight {
        // That of another process here: it has no links but the kernel's.
        let real = if is_of_worker(path) { None } else { path.canonicalize().ok() };
        let is_resolved = real.is_some();
        Sight { path: real.unwrap_or_else(|| path.to_owned()), access, optional: false, is_resolved }
    }
}

/// Where libraries and what they read while they load are, on the systems that are known.
const SYSTEM: [&str; 19] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/share",
    "/nix/store",
    "/gnu/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm",
    "/sys/devices/system",
    "/sys/kernel/mm/transparent_hugepage",
];

/// While the library loads.
pub(crate) fn of_load(sandbox: &Sandbox, environment: &[(String, String)]) -> Vec<Sight> {
    let mut places: BTreeSet<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    places.extend(configured(Path::new("/etc")));
    let searched = environment.iter().filter(|(name, _)| name == "LD_LIBRARY_PATH");
    places.extend(searched.flat_map(|(_, value)| value.split([':', ';'])).map(PathBuf::from));
    places.retain(|place| place.is_absolute());
    let read = |path| Sight { path, access: Access::Read, optional: true, is_resolved: false };
    let named = sandbox.load.iter().map(|path| Sight::named(path, Access::Read));
    places.into_iter().map(read).chain(named).chain(devices()).chain(of_profile(sandbox)).collect()
}

/// While it serves.
pub(crate) fn of_serve(sandbox: &Sandbox) -> Vec<Sight> {
    let devices = if sandbox.has_files() { devices() } else { Vec::new() };
    devices.into_iter().chain(of_profile(sandbox)).collect()
}

fn of_profile(sandbox: &Sandbox) -> impl Iterator<Item = Sight> + '_ {
    let sight = |access| move |path: &PathBuf| Sight::named(path, access);
    sandbox.read.iter().map(sight(Access::Read)).chain(sandbox.write.iter().map(sight(Access::Write)))
}

fn devices() -> Vec<Sight> {
    let sight = |path: &&str| Sight {
        path: PathBuf::from(path),
        access: Access::Write,
        optional: true,
        is_resolved: false,
    };
    DEVICES.iter().map(sight).collect()
}

/// Directories that the machine's administrator added for the loader.
fn configured(etc: &Path) -> Vec<PathBuf> {
    let more =
        fs::read_dir(etc.join("ld.so.conf.d")).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = std::iter::once(etc.join("ld.so.conf")).chain(more);
    let texts = files.filter_map(|file| fs::read_to_string(file).ok());
    let lines = texts.flat_map(|text| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>());
    lines.filter(|line| line.starts_with('/')).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn the_loader_sees_libraries_and_what_is_named() {
        let sandbox = Sandbox {
            read: vec!["/data".into()],
            load: vec!["/opt/x".into()],
            ..Sandbox::of(Profile::Files)
        };
        let environment = [("LD_LIBRARY_PATH".to_owned(), "/opt/a:relative:/opt/b".to_owned())];
        let sights = of_load(&sandbox, &environment);
        let has = |path: &str, optional| {
            let sight = Sight { path: path.into(), access: Access::Read, optional, is_resolved: false };
            sights.contains(&sight)
        };
        assert!(has("/usr/lib", true) && has("/opt/a", true) && has("/opt/b", true));
        assert!(has("/data", false) && has("/opt/x", false));
        assert!(sights.iter().all(|sight| sight.path.is_absolute()));
        for hidden in ["/", "/etc", "/home", "/root", "/tmp", "/proc", "/usr", "/var"] {
            assert!(sights.iter().all(|sight| sight.path != Path::new(hidden)), "{hidden}");
        }
        assert!(of_serve(&sandbox).iter().all(|sight| sight.path != Path::new("/usr/lib")));
        assert_eq!(of_serve(&Sandbox::of(Profile::Compute)), []);
    }

    #[test]
    fn links_on_the_way_to_what_is_named_are_followed_once() {
        let own =
            std::env::temp_dir().canonicalize().unwrap().join(format!("hotcell-view-{}", std::process::id()));
        std::os::unix::fs::symlink("/etc", &own).unwrap();
        let sandbox =
            Sandbox { read: vec![own.clone(), "/proc/self/maps".into()], ..Sandbox::of(Profile::Files) };
        let sights: Vec<_> = of_profile(&sandbox).map(|sight| (sight.path, sight.is_resolved)).collect();
        std::fs::remove_file(&own).unwrap();
        assert_eq!(sights, [("/etc".into(), true), ("/proc/self/maps".into(), false)]);
    }

    #[test]
    fn the_loaders_own_directories_are_found() {
        let directories = configured(Path::new("/etc"));
        assert!(directories.iter().all(|directory| directory.is_absolute()));
    }
}
