//! A host that gives up its rights behind its start closes its sessions all the same, and leaves nothing of them.
//!
//! The only test of its program: rights are those of the whole process, and are not had back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;
use std::time::Duration;

use hotcell::{Options, Profile, Sandbox};
use hotcell_faulty::Faulty;

/// Nobody's number.
const NOBODY: libc::uid_t = 65534;

#[test]
fn a_host_that_has_given_up_its_rights_closes_sessions() {
    // SAFETY: it asks for a number.
    if unsafe { libc::geteuid() } != 0 {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // SAFETY: no other thread of this program reads the environment yet.
    unsafe { std::env::set_var("TMPDIR", folder.path()) };
    let sandbox = Some(Sandbox::of(Profile::Files));
    let faulty = Faulty::open(Options { sandbox, ..Options::default() }).unwrap();
    faulty.session().loaded();
    let entries = || fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(entries(), 1, "the session's directory");
    // SAFETY: no memory is involved.
    assert_eq!(unsafe { libc::setresuid(NOBODY, NOBODY, NOBODY) }, 0);
    let directory = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    assert!(fs::remove_dir_all(directory).is_err(), "the host has no right to it any more");
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        drop(faulty);
        tell.send(())
    });
    told.recv_timeout(Duration::from_secs(20)).expect("closing comes to an end");
    hotcell_e2e::process::wait_until("the directory stays", || entries() == 0);
    // What made it has not the right to remove it.
    let _ = folder.keep();
}
