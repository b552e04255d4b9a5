//! What a session's sandbox needs before its first worker: the wall's plan, and a directory for temporary files.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotcell_protocol::ErrorKind;
use hotcell_sandbox::{Plan, Profile, Sandbox, remove_tree, wrong_path};
use hotcell_shm::sealed_copy;

/// The sandbox of a session, ready for its workers.
pub(super) struct Walled {
    pub(super) sandbox: Sandbox,
    /// The plan, for every worker.
    pub(super) wall: Option<Arc<OwnedFd>>,
    pub(super) directory: Option<PrivateDirectory>,
}

/// A directory that nobody else's user may enter, gone with the session: whatever its library has put there.
#[derive(Debug)]
pub(super) struct PrivateDirectory(PathBuf);

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        // Nobody is there who could be told.
        let _ = remove_tree(&self.0);
    }
}

/// Why there is no sandbox.
pub(super) struct Wrong {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
}

impl Walled {
    /// Makes ready what a sandbox needs. A profile with files has a directory of its own, which `TMPDIR` names.
    pub(super) fn new(
        mut sandbox: Sandbox,
        environment: &mut Vec<(String, String)>,
    ) -> Result<Walled, Wrong> {
        let wrong = |message| Wrong { kind: ErrorKind::InvalidArgument, message };
        if let Some(misplaced) = sandbox.misplaced() {
            return Err(wrong(misplaced));
        }
        let searched = environment.iter().filter(|(name, _)| name == "LD_LIBRARY_PATH");
        let mut searched = searched.flat_map(|(_, value)| value.split([':', ';']));
        let walled = sandbox.profile != Profile::Basic;
        let searched =
            searched.find_map(|place| wrong_path(Path::new(place)).filter(|_| place.starts_with('/')));
        if let Some(wrong_place) = searched.filter(|_| walled) {
            return Err(wrong(format!("LD_LIBRARY_PATH: {wrong_place}")));
        }
        if sandbox.profile == Profile::Basic {
            return Ok(Walled { sandbox, wall: None, directory: None });
        }
        let failed = |what: &str, error: std::io::Error| Wrong {
            kind: ErrorKind::LoadFailed,
            message: format!("{what}: {error}"),
        };
        let directory = if sandbox.profile == Profile::Files {
            let own = std::fs::Permissions::from_mode(0o700);
            let made = tempfile::Builder::new().prefix("hotcell-").permissions(own).tempdir();
            let made = made.map_err(|error| failed("make a directory for temporary files", error))?;
            let path = std::path::absolute(made.path());
            let path = path.map_err(|error| failed("find the directory for temporary files", error))?;
            if environment.iter().all(|(name, _)| name != "TMPDIR") {
                environment.push(("TMPDIR".into(), path.display().to_string()));
            }
            sandbox.write.push(path.clone());
            // From here on it is removed by what is used to what libraries do.
            let _ = made.keep();
            Some(PrivateDirectory(path))
        } else {
            None
        };
        let plan = Plan::new(&sandbox, environment).map_err(|error| wrong(error.to_string()))?;
        let wall =
            sealed_copy(&plan.encode()).map_err(|errno| failed("make the sandbox's plan", errno.into()))?;
        Ok(Walled { sandbox, wall: Some(Arc::new(wall)), directory })
    }
}
