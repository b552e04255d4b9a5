//! Control groups that workers join: what is limited there holds for them, and no worker starts outside of them.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::{Breaker, Error, ErrorKind, Options, Profile, Restart, Sandbox};
use hotcell_e2e::process::wait_until;
use hotcell_e2e::wall::{Attacker, Attacks, as_every_user};

/// Where the hierarchy of version 1 with this controller is mounted, or that of version 2 for none.
fn hierarchy(controller: &str) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    mounts.lines().find_map(|line| {
        let [_, place, kind, options, ..] = *line.split(' ').collect::<Vec<_>>() else { return None };
        let has_controller = options.split(',').any(|option| option == controller);
        let is_it =
            if controller.is_empty() { kind == "cgroup2" } else { kind == "cgroup" && has_controller };
        is_it.then(|| PathBuf::from(place))
    })
}

/// A control group that this process may make and fill, removed when it is dropped.
struct Group(PathBuf);

impl Group {
    /// One of a hierarchy with this controller, or of version 2 without one. None where this user may make none.
    fn new(controller: &str) -> Option<Group> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let own = format!("hotcell-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = hierarchy(controller)?.join(own);
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
    let attacks = Attacks::new();
    let mut groups: Vec<Group> = ["", "pids", "cpu"].into_iter().filter_map(Group::new).collect();
    // Controllers may share a hierarchy, in which a process is in one group.
    groups.dedup_by(|one, other| one.0.parent() == other.0.parent());
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
            let _ = attacker.call("attack_raise_sigsys", &[]);
            wait_until("it has ended", || !Path::new(&format!("/proc/{worker}")).exists());
        }
    }
}

/// A group of an ordinary user's, made by the administrator before he is one: of version 1, where that is all it takes.
#[test]
fn an_ordinary_user_puts_workers_into_a_group_that_is_his() {
    /// Of "nobody".
    const NOBODY: u32 = 65534;
    let name = |root: u32| format!("hotcell-given-{root}");
    let place = || hierarchy("pids");
    let made = rustix::process::getuid().is_root().then(place).flatten().and_then(|place| {
        let path = place.join(name(std::process::id()));
        let made = fs::create_dir(&path).is_ok().then(|| Group(path));
        if let Some(group) = &made {
            for file in ["", "cgroup.procs", "tasks"] {
                if chown(group.0.join(file), Some(NOBODY), Some(NOBODY)).is_err() {
                    return None;
                }
            }
        }
        made
    });
    as_every_user("groups::an_ordinary_user_puts_workers_into_a_group_that_is_his", || {
        let root = if made.is_some() { std::process::id() } else { std::os::unix::process::parent_id() };
        let path = place().map(|place| place.join(name(root))).filter(|path| path.exists());
        let Some(path) = path else {
            eprintln!("no group was made: none is tried");
            return;
        };
        let attacks = Attacks::new();
        let attacker = open(&attacks, &[&path], Profile::Compute).unwrap();
        attacker.serves();
        let members = fs::read_to_string(path.join("cgroup.procs")).unwrap();
        assert_eq!(members.trim(), attacker.session.worker_pid().unwrap().to_string());
    });
}

/// Who joins a group that is frozen holds nobody up but itself; its start has a bound, and the library no part in it.
#[test]
fn a_frozen_group_keeps_no_other_worker_from_starting() {
    let attacks = Attacks::new();
    let Some(group) = Group::new("") else { return };
    group.write("cgroup.freeze", "1");
    let frozen = Options {
        sandbox: Some(Sandbox::of(Profile::Compute)),
        control_groups: vec![group.0.clone()],
        start_deadline: Duration::from_secs(2),
        ..Options::default()
    };
    std::thread::scope(|scope| {
        let frozen = scope.spawn(|| attacks.open_with(frozen).map(drop).unwrap_err());
        wait_until("it has joined, or not come up in time", || {
            !group.members().is_empty() || frozen.is_finished()
        });
        open(&attacks, &[], Profile::Compute).unwrap().serves();
        let error = frozen.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
        let expect = format!("the control group {} is frozen", group.0.display());
        assert!(error.message().contains(&expect), "{error}");
    });
    group.write("cgroup.freeze", "0");
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
            (error.kind(), error.message().to_owned())
        };
        for (path, kind, expect) in [
            (
                "/sys/fs/cgroup/hotcell-none",
                ErrorKind::LoadFailed,
                "put workers into a control group: /sys/fs/cgroup/hotcell-none: No such file",
            ),
            (
                "/etc",
                ErrorKind::LoadFailed,
                "put workers into a control group: /etc: it is a directory of another file system",
            ),
            ("cgroup", ErrorKind::InvalidArgument, "the control group `cgroup` is no absolute path"),
        ] {
            let message = message(Path::new(path));
            assert!(message.0 == kind && message.1.contains(expect), "{message:?}");
        }
        // The machine's own, which an ordinary user may not fill.
        let own = hierarchy("").or_else(|| hierarchy("pids"));
        let is_shut = |own: &PathBuf| fs::File::options().write(true).open(own.join("cgroup.procs")).is_err();
        if let Some(own) = own.filter(is_shut) {
            let (kind, text) = message(&own);
            let expect = format!("put workers into a control group: {}: ", own.display());
            assert!(kind == ErrorKind::LoadFailed && text.contains(&expect), "{text}");
        }
    });
}

/// What is wrong with the list of groups, whatever they are, is told before anything starts.
#[test]
fn groups_that_cannot_be_meant_are_told() {
    let attacks = Attacks::new();
    let refused = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        error.message().to_owned()
    };
    let named = |groups: &[&str]| {
        let control_groups = groups.iter().map(PathBuf::from).collect();
        let options = Options { control_groups, ..Options::default() };
        refused(attacks.open_with(options).map(drop).unwrap_err())
    };
    assert_eq!(named(&[""]), "a control group has an empty path");
    assert_eq!(named(&["/a", "b"]), "the control group `b` is no absolute path");
    assert_eq!(named(&["/a", "/b", "/a/"]), "the control group `/a/` is named twice");
    let seventeen: Vec<String> = (0..17).map(|number| format!("/{number}")).collect();
    let seventeen: Vec<&str> = seventeen.iter().map(String::as_str).collect();
    assert_eq!(named(&seventeen), "17 control groups are more than 16");
    // With that many libraries there is no room for any group.
    let options = Options { control_groups: vec!["/a".into()], ..Options::default() };
    let text = refused(attacks.open_several(122, options).map(drop).unwrap_err());
    assert!(
        text.starts_with("a worker can be given 128 descriptors at its start, and this one would need "),
        "{text}"
    );
    assert!(text.contains("122 for libraries") && text.ends_with(", 1 for control groups"), "{text}");
}

#[test]
fn two_groups_of_one_hierarchy_are_told() {
    let attacks = Attacks::new();
    let groups: Vec<Group> = ["", "pids"].into_iter().filter_map(Group::new).collect();
    for group in &groups {
        let below = group.0.join("below");
        fs::create_dir(&below).unwrap();
        let below = Group(below);
        let error = open(&attacks, &[&group.0, &below.0], Profile::Compute).map(drop).unwrap_err();
        let expect = format!(
            "put workers into a control group: {} and {} are of one hierarchy",
            group.0.display(),
            below.0.display()
        );
        assert!(error.kind() == ErrorKind::LoadFailed && error.message().contains(&expect), "{error}");
    }
}

/// One that can be opened, and whose rule is against it.
#[test]
fn a_group_that_takes_nobody_is_named() {
    let attacks = Attacks::new();
    // Without CPUs, as it is made where the groups above do not say otherwise.
    let Some(group) = Group::new("cpuset") else { return };
    if fs::read_to_string(group.0.join("cpuset.cpus")).is_ok_and(|cpus| !cpus.trim().is_empty()) {
        return;
    }
    let error = open(&attacks, &[&group.0], Profile::Compute).map(drop).unwrap_err();
    let expect = format!("join the control group {}: ", group.0.display());
    assert!(error.kind() == ErrorKind::LoadFailed && error.message().contains(&expect), "{error}");
}

/// It is the machine's doing, as files that are not there: no breaker opens, and the next call has a worker when the group takes one again.
#[test]
fn a_group_that_takes_nobody_any_more_is_not_the_librarys_fault() {
    const FAULTS: u32 = 2;
    let attacks = Attacks::new();
    let Some(above) = Group::new("") else { return };
    let (own, threads) = (above.0.join("workers"), above.0.join("threads"));
    fs::create_dir(&own).unwrap();
    let group = Group(own);
    let options = Options {
        sandbox: Some(Sandbox::of(Profile::Compute)),
        control_groups: vec![group.0.clone()],
        restart: Restart { faults: FAULTS, ..Restart::default() },
        ..Options::default()
    };
    let attacker = attacks.open_with(options).unwrap();
    attacker.serves();
    let worker = attacker.session.worker_pid().unwrap();
    let worker = rustix::process::Pid::from_raw(worker.cast_signed()).unwrap();
    rustix::process::kill_process(worker, rustix::process::Signal::KILL).unwrap();
    wait_until("nobody is in the group", || group.members().is_empty());
    // A call that meets its end would be one that crashed.
    wait_until("its end is heard of", || attacker.session.stats().pid.is_none());
    // Beside a group of threads there is none of processes.
    fs::create_dir(&threads).unwrap();
    let threads = Group(threads);
    wait_until("it is one of threads", || fs::write(threads.0.join("cgroup.type"), "threaded").is_ok());
    let expect = format!("join the control group {}: ", group.0.display());
    for _ in 0..2 * FAULTS {
        let error = attacker.int("attack_add", &[Value::Int(2), Value::Int(3)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
        assert!(error.message().contains(&expect), "{error}");
        assert_eq!(attacker.session.breaker(), Breaker::Closed);
    }
    drop(threads);
    attacker.serves();
}
