//! The profile `files`: the named paths and no others, whatever they are called.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use hotcell::dynamic::Value;
use hotcell::{Profile, Sandbox};
use hotcell_e2e::cli::Folder;
use hotcell_e2e::wall::{Attacker, Attacks, Outcome, as_every_user};

fn text(path: &Path) -> Value {
    Value::Text(path.display().to_string())
}

fn open(attacker: &Attacker<'_>, path: &Path, writing: bool) -> Outcome {
    Outcome::of(attacker.int("attack_open", &[text(path), Value::Int(writing.into())]))
}

#[test]
fn named_paths_are_open_and_others_are_not() {
    as_every_user("files::named_paths_are_open_and_others_are_not", || {
        let (attacks, folder) = (Attacks::new(), Folder::new());
        let at = |name: &str| folder.path().join(name);
        for directory in ["readable", "writable", "other"] {
            fs::create_dir(at(directory)).unwrap();
            fs::write(at(directory).join("file"), "text").unwrap();
        }
        fs::write(at("single"), "text").unwrap();
        fs::write(at("beside"), "text").unwrap();
        symlink(at("other"), at("writable").join("way-out")).unwrap();
        let sandbox = Sandbox {
            read: vec![at("readable"), at("single")],
            write: vec![at("writable")],
            ..Sandbox::of(Profile::Files)
        };
        let attacker = attacks.open(sandbox, &[]).unwrap();
        let denied = Outcome::Errno(libc::EACCES);
        for (path, reading, writing) in [
            ("readable/file", true, false),
            ("readable/new", false, false),
            ("single", true, false),
            ("writable/file", true, true),
            ("writable/new", true, true),
            ("writable/way-out/file", false, false),
            ("writable/../other/file", false, false),
            ("readable/../beside", false, false),
            ("beside", false, false),
            ("other/file", false, false),
        ] {
            for (allowed, for_writing) in [(writing, true), (reading, false)] {
                let outcome = open(&attacker, &at(path), for_writing);
                match (allowed, path) {
                    (true, _) => assert_eq!(outcome, Outcome::Succeeded, "{path}"),
                    (false, "readable/new") if !for_writing => {
                        assert_eq!(outcome, Outcome::Errno(libc::ENOENT))
                    }
                    (false, _) => assert_eq!(outcome, denied, "{path}"),
                }
            }
        }
        let system: Vec<PathBuf> =
            ["/etc/passwd", "/proc/self/environ", "/usr/lib/os-release"].map(PathBuf::from).into();
        for path in system {
            assert_eq!(open(&attacker, &path, false), denied, "{}", path.display());
        }
        let two =
            |name: &str, from: &Path, to: &Path| Outcome::of(attacker.int(name, &[text(from), text(to)]));
        assert_eq!(two("attack_rename", &at("writable/new"), &at("writable/newer")), Outcome::Succeeded);
        let out = two("attack_rename", &at("writable/newer"), &at("other/newer"));
        assert!(matches!(out, Outcome::Errno(libc::EACCES | libc::EXDEV)), "{out:?}");
        assert_eq!(two("attack_symlink", Path::new("/etc/passwd"), &at("writable/link")), denied);
        let one = |name: &str, path: &Path| Outcome::of(attacker.int(name, &[text(path)]));
        assert_eq!(one("attack_unlink", &at("writable/newer")), Outcome::Succeeded);
        assert_eq!(one("attack_unlink", &at("readable/file")), denied);
        assert_eq!(one("attack_chmod", &at("other/file")), Outcome::Errno(libc::EPERM));
        assert_eq!(one("attack_truncate", &at("other/file")), Outcome::Errno(libc::EPERM));
        for flags in [libc::O_RDONLY, libc::O_ACCMODE].map(|mode| mode | libc::O_TRUNC) {
            let args = [text(&at("readable/file")), Value::Int(flags.into())];
            assert_eq!(Outcome::of(attacker.int("attack_open_with", &args)), denied, "{flags:#o}");
        }
        assert_eq!(fs::read(at("readable/file")).unwrap(), b"text");
        assert_eq!(fs::read(at("other/file")).unwrap(), b"text");
        for name in ["proc_mem", "proc_environ", "proc_fd", "root_listing", "shm_name", "tmp_name"] {
            assert_eq!(attacker.attack(name), denied, "{name}");
        }
        assert_eq!(attacker.attack("socket_inet").denied(), Some("socket"));
        assert_eq!(attacker.attack("execve").denied(), Some("execve"));
    });
}

/// All but the root directory itself and `/proc` can be named: there lies what is the host's.
#[test]
fn the_host_cannot_be_named() {
    let attacks = Attacks::new();
    let own = format!("/proc/{}/environ", std::process::id());
    for path in ["/", "/proc", &own, "/usr/../proc", "/proc/self/root", "/proc/self/task/1/root"] {
        let sandbox = Sandbox { read: vec![path.into()], ..Sandbox::of(Profile::Files) };
        let error = attacks.open(sandbox, &[]).map(drop).unwrap_err();
        assert_eq!(error.kind(), hotcell::ErrorKind::InvalidArgument, "{path}");
        assert!(error.message().contains("what /proc tells of the host"), "{error}");
    }
    // Of itself it may know: that is the worker's.
    let sandbox = Sandbox { read: vec!["/proc/self".into(), "/etc".into()], ..Sandbox::of(Profile::Files) };
    let attacker = attacks.open(sandbox, &[]).unwrap();
    assert_eq!(open(&attacker, Path::new("/proc/self/maps"), false), Outcome::Succeeded);
    assert_eq!(attacker.attack("passwd"), Outcome::Succeeded);
    for name in ["proc_mem", "proc_environ", "proc_maps", "proc_fd", "proc_root"] {
        assert_eq!(attacker.attack(name), Outcome::Errno(libc::EACCES), "{name}");
    }
}

#[test]
fn each_session_has_a_temporary_directory_of_its_own() {
    as_every_user("files::each_session_has_a_temporary_directory_of_its_own", || {
        let attacks = Attacks::new();
        let open_one = || attacks.open(Sandbox::of(Profile::Files), &[]).unwrap();
        let (first, second) = (open_one(), open_one());
        let directory = |attacker: &Attacker<'_>| match attacker
            .call("attack_variable", &[Value::Text("TMPDIR".into())])
            .unwrap()
        {
            Some(Value::Text(path)) => PathBuf::from(path),
            other => panic!("{other:?}"),
        };
        let (own, others) = (directory(&first), directory(&second));
        assert_ne!(own, others);
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&own).unwrap());
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(open(&first, &own.join("file"), true), Outcome::Succeeded);
        assert_eq!(open(&first, &others.join("file"), true), Outcome::Errno(libc::EACCES));
        // It outlives a worker, and goes with the session.
        assert!(matches!(first.attack("fork"), Outcome::Denied(_)));
        assert_eq!(open(&first, &own.join("file"), false), Outcome::Succeeded);
        drop(first);
        assert!(!own.exists() && others.exists());
    });
}

/// What was named when the session was opened is what later workers see: a library that moves directories about cannot put a
/// link in its place.
#[test]
fn a_link_that_is_moved_to_a_named_path_leads_nowhere() {
    as_every_user("files::a_link_that_is_moved_to_a_named_path_leads_nowhere", || {
        let (attacks, folder) = (Attacks::new(), Folder::new());
        let at = |name: &str| folder.path().join(name);
        for directory in ["other", "space/named/here", "space/trap"] {
            fs::create_dir_all(at(directory)).unwrap();
        }
        fs::write(at("other/secret"), "text").unwrap();
        symlink(at("other"), at("space/trap/here")).unwrap();
        let sandbox = Sandbox {
            read: vec![at("space/named/here")],
            write: vec![at("space")],
            ..Sandbox::of(Profile::Files)
        };
        let attacker = attacks.open(sandbox, &[]).unwrap();
        let moved = |from: &str, to: &str| {
            Outcome::of(attacker.int("attack_rename", &[text(&at(from)), text(&at(to))]))
        };
        assert_eq!(moved("space/named", "space/away"), Outcome::Succeeded);
        assert_eq!(moved("space/trap", "space/named"), Outcome::Succeeded);
        assert_eq!(open(&attacker, &at("space/named/here/secret"), false), Outcome::Errno(libc::EACCES));
        assert!(matches!(attacker.with_text("attack_now", "fork"), Outcome::Denied(_)));
        let error = attacker.int("attack_add", &[Value::Int(1), Value::Int(1)]).unwrap_err();
        assert_eq!(error.kind(), hotcell::ErrorKind::LoadFailed, "{error}");
        assert!(error.message().contains("space/named/here: Too many levels of symbolic links"), "{error}");
        // Put right, the session goes on.
        fs::remove_dir_all(at("space/named")).unwrap();
        fs::rename(at("space/away"), at("space/named")).unwrap();
        attacker.serves();
        assert_eq!(open(&attacker, &at("other/secret"), false), Outcome::Errno(libc::EACCES));
    });
}

/// It costs the host neither its stack nor its descriptors.
#[test]
fn directories_however_deep_go_with_the_session() {
    as_every_user("files::directories_however_deep_go_with_the_session", || {
        let attacks = Attacks::new();
        let attacker = attacks.open(Sandbox::of(Profile::Files), &[]).unwrap();
        let variable = attacker.call("attack_variable", &[Value::Text("TMPDIR".into())]).unwrap();
        let Some(Value::Text(directory)) = variable else { panic!("{variable:?}") };
        let nested = attacker.int("attack_nest", &[Value::Text(directory.clone()), Value::Int(2_000)]);
        assert_eq!(Outcome::of(nested), Outcome::Succeeded);
        attacker.serves();
        drop(attacker);
        assert!(!Path::new(&directory).exists());
    });
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let attacks = Attacks::new();
    for sandbox in [
        Sandbox { read: vec!["/no/such/file".into()], ..Sandbox::of(Profile::Files) },
        Sandbox { load: vec!["/no/such/file".into()], ..Sandbox::of(Profile::Compute) },
    ] {
        let error = attacks.open(sandbox, &[]).map(drop).unwrap_err();
        assert_eq!(error.kind(), hotcell::ErrorKind::LoadFailed, "{error}");
        assert!(error.message().contains("/no/such/file: No such file"), "{error}");
    }
    let relative = Sandbox { read: vec!["data".into()], ..Sandbox::of(Profile::Files) };
    let error = attacks.open(relative, &[]).map(drop).unwrap_err();
    assert_eq!(error.kind(), hotcell::ErrorKind::InvalidArgument, "{error}");
}
