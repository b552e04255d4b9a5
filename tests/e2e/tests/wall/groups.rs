//! Control groups that workers join: what is limited there holds for them, and no worker starts outside of them.

use std::fs;
use std::path::{Path, PathBuf};

use hotcell::dynamic::Value;
use hotcell::{ErrorKind, Options, Profile, Sandbox};
use hotcell_e2e::process::wait_until;
use hotcell_e2e::wall::{Attacker, Attacks, as_every_user};

/// A control group that this process may make and fill, removed when it is dropped.
struct Group(PathBuf);

impl Group {
    /// One of a hierarchy with this controller, or of version 2 without one. None where this user may make none.
    fn new(controller: &str) -> Option<Group> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let mounts = mounts.lines().filter_map(|line| match *line.split(' ').collect::<Vec<_>>() {
            [_, place, kind, options, ..] => Some((Path::new(place), kind, options)),
            _ => None,
        });
        let of_hierarchy = |(place, kind, options): (&Path, &str, &str)| {
            let has_controller = options.split(',').any(|option| option == controller);
            let is_it =
                if controller.is_empty() { kind == "cgroup2" } else { kind == "cgroup" && has_controller };
            is_it.then(|| place.join(format!("hotcell-{}", std::process::id())))
        };
        let path = mounts.filter_map(of_hierarchy).next()?;
        match fs::create_dir(&path) {
            Ok(()) => Some(Group(path)),
            Err(error) => {
                eprintln!("{}: {error}: that group is not tried", path.display());
                None
            }
        }
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    fn members(&self) -> Vec<u32> {
        let members = fs::read_to_string(self.0.join("cgroup.procs")).unwrap();
        members.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        wait_until("the group is empty", || fs::remove_dir(&self.0).is_ok());
    }
}

fn open<'a>(attacks: &'a Attacks, groups: &[&Path], profile: Profile) -> hotcell::Result<Attacker<'a>> {
    let control_groups = groups.iter().map(|&path| path.to_owned()).collect();
    attacks.open_with(Options { sandbox: Some(Sandbox::of(profile)), control_groups, ..Options::default() })
}

#[test]
fn workers_are_in_the_groups_that_are_named() {
    as_every_user("groups::workers_are_in_the_groups_that_are_named", || {
        let attacks = Attacks::new();
        let groups: Vec<Group> = ["", "pids", "cpu"].into_iter().filter_map(Group::new).collect();
        let paths: Vec<&Path> = groups.iter().map(|group| group.0.as_path()).collect();
        for profile in [Profile::Compute, Profile::Files, Profile::Basic] {
            let attacker = open(&attacks, &paths, profile).unwrap();
            for _ in 0..2 {
                attacker.serves();
                let worker = attacker.session.worker_pid().unwrap();
                for group in &groups {
                    assert_eq!(group.members(), [worker], "{}, {profile:?}", group.0.display());
                }
                // The next one, too.
                let _ = attacker.int("attack_raise_sigsys", &[]);
                wait_until("it has ended", || !Path::new(&format!("/proc/{worker}")).exists());
            }
        }
    });
}

#[test]
fn what_is_limited_in_a_group_is_limited_for_the_worker() {
    let attacks = Attacks::new();
    let Some(group) = Group::new("pids") else { return };
    let attacker = open(&attacks, &[&group.0], Profile::Compute).unwrap();
    let in_thread = || attacker.int("attack_in_new_thread", &[Value::Text("passwd".into())]);
    assert_eq!(in_thread().map_err(|error| error.kind()), Err(ErrorKind::SandboxDenied), "there is a thread");
    attacker.serves();
    group.write("pids.max", "2");
    assert_eq!(in_thread().unwrap(), -1, "its own two, and no third");
    attacker.serves();
}

#[test]
fn a_group_that_cannot_be_joined_is_told() {
    as_every_user("groups::a_group_that_cannot_be_joined_is_told", || {
        let attacks = Attacks::new();
        let message = |path: &Path| {
            let error = open(&attacks, &[path], Profile::Compute).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
            error.message().to_owned()
        };
        for (path, expect) in [
            (
                "/sys/fs/cgroup/hotcell-none",
                "put workers into the control group /sys/fs/cgroup/hotcell-none: No such file",
            ),
            ("/etc", "put workers into the control group /etc: it is a directory of another file system"),
            ("cgroup", "put workers into the control group cgroup: the path is not absolute"),
        ] {
            let message = message(Path::new(path));
            assert!(message.contains(expect), "{message}");
        }
        // The machine's own, which an ordinary user may not fill.
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let mut of_groups = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let of_groups = of_groups.find(|words| words[2].starts_with("cgroup"));
        if let Some(words) = of_groups.filter(|_| !rustix::process::getuid().is_root()) {
            let message = message(Path::new(words[1]));
            assert!(message.ends_with("Permission denied (os error 13)"), "{message}");
        }
    });
}
