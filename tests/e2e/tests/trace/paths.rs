//! Paths as a library names them, and where they really are.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::{env, fs};

use hotcell::Options;
use hotcell::dynamic::{self, Value};
use hotcell_e2e::bound;
use hotcell_e2e::cli::Folder;
use hotcell_e2e::wall::as_every_user_with;

use crate::{CONTRACT, Scene};

const REFUSED: i64 = -(libc::EACCES as i64);

/// A directory that is named holds what is in it, and not what a link there leads to.
#[test]
fn what_links_lead_to_is_named() {
    as_every_user_with(&["hotcell"], "paths::what_links_lead_to_is_named", || {
        let (scene, elsewhere) = (Scene::new(), Folder::new());
        elsewhere.write("four", [1, 3]);
        elsewhere.write("nine", [9]);
        symlink(elsewhere.path(), scene.path("out")).unwrap();
        symlink("space/later", scene.path("dangling")).unwrap();
        let (out, dangling) = (scene.path("out/four"), scene.path("dangling"));
        // Behind the link `..` is elsewhere, and there is nothing of that name yet.
        fs::create_dir(elsewhere.path().join("inner")).unwrap();
        symlink(elsewhere.path().join("inner"), scene.path("in")).unwrap();
        let beyond = scene.path("in/../made");
        // The directory in which this is made is named as a whole.
        let beside = scene.path("made");
        let calls = [
            (format!("needy_append {beside}"), 1),
            (format!("needy_sum {out}"), 4),
            (format!("needy_append {dangling}"), 1),
        ];
        let profile = scene.trace(&calls.each_ref().map(|(call, _)| call.clone()));
        let own = scene.data.path().display().to_string();
        assert!(profile.contains(&format!("write = [\"{own}\"]\n")), "{profile}");
        assert!(profile.contains(&format!("read = [\"{out}\"]\n")), "{profile}");
        scene.have(&profile);
        fs::remove_file(scene.path("made")).unwrap();
        fs::remove_file(scene.path("space/later")).unwrap();
        for (call, expect) in &calls {
            scene.returns(call, *expect);
        }
        scene.returns(&format!("needy_sum {}", scene.path("out/nine")), REFUSED);
        scene.have("");
        let profile = scene.trace(&[format!("needy_append {beyond}")]);
        let there = elsewhere.path().canonicalize().unwrap().display().to_string();
        assert!(profile.contains(&format!("write = [\"{there}\"]\n")), "{profile}");
        scene.have(&profile);
        fs::remove_file(elsewhere.path().join("made")).unwrap();
        scene.returns(&format!("needy_append {beyond}"), 1);
    });
}

/// What is open already has the name of its file, or none.
#[test]
fn what_is_open_needs_no_name() {
    let scene = Scene::new();
    // Standard input is nothing, and standard output a pipe that is read.
    let calls = [("needy_sum /dev/stdin".to_owned(), 0), ("needy_size /dev/fd/1".to_owned(), 0)];
    let profile = scene.trace(&calls.each_ref().map(|(call, _)| call.clone()));
    assert!(!profile.contains("/dev/") && profile.contains("profile = \"files\""), "{profile}");
    scene.have(&profile);
    for (call, expect) in &calls {
        scene.returns(call, *expect);
    }
}

/// The session's own directory needs no name; one that the options have in its place does.
#[test]
fn what_is_below_a_tmpdir_of_the_options_is_named() {
    const SPACE: &str = "HOTCELL_NEEDY_SPACE";
    if let Ok(space) = env::var(SPACE) {
        return make_temporary_files(&space);
    }
    let scene = Scene::new();
    let (space, seen) = (scene.path("space"), scene.path("seen"));
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "paths::what_is_below_a_tmpdir_of_the_options_is_named"]).env(SPACE, &space);
    let output = command.env("HOTCELL_TRACE", &seen).env("HOTCELL_TRACE_LIBRARY", "needy").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let seen = fs::read_to_string(seen).unwrap();
    let has = |line: &str| seen.lines().any(|it| it == line);
    assert!(has(&format!("write\t{space}")) && !has("temporary"), "{seen}");
}

/// In a process that is traced.
fn make_temporary_files(space: &str) {
    let (header, code) = (include_str!("needy.h"), include_str!("needy.c"));
    let (_folder, bound) = bound::bind("needy", header, code, CONTRACT);
    let environment = vec![("TMPDIR".to_owned(), space.to_owned())];
    let session = bound.open(Options { environment, ..Options::default() }).unwrap();
    let function = bound.interface.function("needy_temporary").unwrap();
    let made = dynamic::call(&session, &bound.interface, function, &[Value::Int(77)]).unwrap();
    assert_eq!(made.returned, Some(Value::Int(77)));
}

/// The lines of the contract are not in force while it is traced: what they name is seen like everything else, and so are files that
/// the library reads while it loads.
#[test]
fn what_the_contract_had_in_load_hides_nothing() {
    let scene = Scene::new();
    let three = scene.path("three");
    scene.have(&format!("[sandbox]\nprofile = \"files\"\nread = [\"{three}\"]\nload = [\"/etc/passwd\"]\n"));
    let loaded = i64::from(fs::read("/etc/passwd").unwrap()[0]);
    let profile = scene.trace(&["needy_loaded".to_owned()]);
    assert!(profile.contains("load = [\"/etc/passwd\"]\n"), "{profile}");
    assert!(!profile.contains(&three), "it was not read: {profile}");
    scene.have(&profile);
    scene.returns("needy_loaded", loaded);
    // And it is the line that lets it: without one there is nothing to be read.
    scene.have("[sandbox]\nprofile = \"compute\"\n");
    scene.returns("needy_loaded", REFUSED);
}
