//! A host that gives up its rights behind the start of a session, and closes that then.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use hotcell::{Options, Profile, Sandbox};
use hotcell_faulty::Faulty;

/// Nobody's number.
const NOBODY: libc::uid_t = 65534;

fn main() {
    let sandbox = Some(Sandbox::of(Profile::Files));
    let faulty = Faulty::open(Options { sandbox, ..Options::default() }).unwrap();
    faulty.session().loaded();
    let directories: Vec<_> = fs::read_dir(std::env::temp_dir()).unwrap().flatten().collect();
    assert_eq!(directories.len(), 1, "the session's directory");
    // SAFETY: no memory is involved.
    assert_eq!(unsafe { libc::setresuid(NOBODY, NOBODY, NOBODY) }, 0);
    assert!(fs::remove_dir_all(directories[0].path()).is_err(), "it has no right to it any more");
    drop(faulty);
    println!("closed");
}
