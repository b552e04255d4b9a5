//! A host that gives up its rights behind its start closes its sessions all the same, and leaves nothing of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use hotcell_e2e::process::wait_until;

#[test]
fn a_host_that_has_given_up_its_rights_closes_sessions() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell-rights"));
    let mut host = command.env("TMPDIR", folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut ended = None;
    wait_until("closing does not come to an end", || {
        ended = host.try_wait().unwrap();
        ended.is_some()
    });
    let mut said = String::new();
    host.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((ended.unwrap().code(), said.as_str()), (Some(0), "closed\n"));
    wait_until("the directory stays", || fs::read_dir(folder.path()).unwrap().count() == 0);
}
