//! The table of profiles in THREAT-MODEL.md, cell by cell, from inside of a worker.

use std::net::TcpListener;

use hotcell::dynamic::Value;
use hotcell::{ErrorKind, Profile, Sandbox};
use hotcell_e2e::cli::Folder;
use hotcell_e2e::wall::{Attacker, Attacks, Outcome, as_every_user};

const PAGE: &str = include_str!("../../../../THREAT-MODEL.md");

/// What is tried for a row: by name, and what of it harms nobody where nothing stops it.
struct Row {
    name: &'static str,
    tried: &'static [&'static str],
    harmless: &'static [&'static str],
}

const fn row(name: &'static str, tried: &'static [&'static str], harmless: &'static [&'static str]) -> Row {
    Row { name, tried, harmless }
}

/// The names that are no attacks of the library, but stand for a file or a port that is named, or not.
const NAMED_FILE: &str = "named file";
const NAMED_PORT: &str = "named port";
const OTHER_PORT: &str = "other port";

const ROWS: [Row; 14] = [
    row(
        "memory, control flow and descriptors of other processes",
        &[
            "ptrace_seize",
            "process_vm_readv",
            "process_vm_writev",
            "pidfd_open",
            "pidfd_getfd",
            "move_pages",
            "kcmp",
        ],
        &["pidfd_open"],
    ),
    row(
        "`/proc` of the host: memory, environment, descriptors, root",
        &["proc_mem", "proc_environ", "proc_maps", "proc_fd", "proc_root"],
        &["proc_environ"],
    ),
    row(
        "signals to others",
        &["kill_parent", "kill_all", "kill_group", "tgkill_parent", "sigqueue_parent", "setown", "setsig"],
        &["kill_all"],
    ),
    row(
        "limits and places of others, cores, what is done on SIGSYS",
        &[
            "prlimit_parent",
            "prlimit_ask",
            "affinity_parent",
            "priority_parent",
            "core_zero",
            "sigsys_action",
        ],
        &["prlimit_ask"],
    ),
    row("processes and programs", &["libc_fork", "clone", "execve", "execveat"], &["libc_fork"]),
    row("a file that is named", &[NAMED_FILE], &[NAMED_FILE]),
    row("files that are not", &["passwd", "root_listing", "shm_name"], &["passwd"]),
    row("names, sizes and times of any file", &["statx"], &["statx"]),
    row("TCP to a named port", &[NAMED_PORT], &[NAMED_PORT]),
    row("TCP to other ports", &[OTHER_PORT], &[OTHER_PORT]),
    row("UDP, Unix and other sockets", &["socket_unix", "socket_inet6", "socket_netlink"], &["socket_unix"]),
    row(
        "io_uring and counters",
        &["io_uring_setup", "io_uring_enter", "perf_event_open"],
        &["io_uring_enter"],
    ),
    row(
        "programs in the kernel, keys, mounts, namespaces, modules",
        &["bpf", "userfaultfd", "keyctl", "add_key", "mount", "unshare", "setns", "modules", "chroot"],
        &["setns"],
    ),
    row("calls of 32-bit programs and of x32", &["int80", "x32"], &[]),
];

/// What there is to be named.
struct Scene {
    folder: Folder,
    ports: [TcpListener; 2],
}

impl Scene {
    fn path(&self) -> String {
        self.folder.path().canonicalize().unwrap().join("named").to_str().unwrap().to_owned()
    }

    fn port(&self, at: usize) -> u16 {
        self.ports[at].local_addr().unwrap().port()
    }

    fn sandbox(&self, profile: Profile) -> Sandbox {
        match profile {
            Profile::Files => Sandbox { read: vec![self.path().into()], ..Sandbox::of(profile) },
            Profile::Network => Sandbox { connect: vec![self.port(0)], ..Sandbox::of(profile) },
            profile => Sandbox::of(profile),
        }
    }

    fn tried(&self, attacker: &Attacker<'_>, name: &str) -> Outcome {
        let connect = |port: u16| Outcome::of(attacker.int("attack_connect", &[Value::Int(port.into())]));
        match name {
            NAMED_FILE => {
                let args = [Value::Text(self.path()), Value::Int(0)];
                Outcome::of(attacker.int("attack_open", &args))
            }
            NAMED_PORT => connect(self.port(0)),
            OTHER_PORT => connect(self.port(1)),
            name => attacker.attack(name),
        }
    }
}

/// Whether an outcome is what a cell says.
fn holds(cell: &str, outcome: &Outcome) -> bool {
    match cell {
        "yes" => *outcome == Outcome::Succeeded,
        "denied" => {
            // Where the kernel has no such programs it ends who calls as one.
            matches!(outcome, Outcome::Denied(_) | Outcome::Fault(ErrorKind::Crashed))
        }
        "refused" => matches!(outcome, Outcome::Errno(_)),
        // No wall: whatever the kernel lets the user do.
        "what the user may" => matches!(outcome, Outcome::Succeeded | Outcome::Errno(_)),
        other => panic!("the table has the word {other:?}"),
    }
}

/// The rows of the table: name, and a cell for each profile.
fn table() -> Vec<(&'static str, Vec<&'static str>)> {
    let section = PAGE.split_once("## What a profile lets through").unwrap().1;
    let lines = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        (cells.next().unwrap(), cells.collect())
    })
    .collect()
}

#[test]
fn the_table_of_profiles_is_what_was_tried() {
    as_every_user("table::the_table_of_profiles_is_what_was_tried", || {
        let listener = || TcpListener::bind("127.0.0.1:0").unwrap();
        let scene = Scene { folder: Folder::new(), ports: [listener(), listener()] };
        scene.folder.write("named", "text");
        let (attacks, table) = (Attacks::new(), table());
        let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ROWS.each_ref().map(|row| row.name));
        let profiles = [Profile::Basic, Profile::Compute, Profile::Files, Profile::Network];
        for (column, profile) in profiles.into_iter().enumerate() {
            let attacker = attacks.open(scene.sandbox(profile), &[]).unwrap();
            for (row, (name, cells)) in ROWS.iter().zip(&table) {
                assert_eq!(cells.len(), profiles.len(), "{name}");
                for tried in if profile == Profile::Basic { row.harmless } else { row.tried } {
                    let outcome = scene.tried(&attacker, tried);
                    let cell = cells[column];
                    assert!(holds(cell, &outcome), "{name}, {profile:?}: {cell}, and {tried}: {outcome:?}");
                }
            }
        }
    });
}
