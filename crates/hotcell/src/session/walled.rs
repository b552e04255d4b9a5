//! What a session's sandbox needs before its first worker: the wall's plan, and a directory for temporary files.

use std::fs::DirBuilder;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotcell_protocol::ErrorKind;
use hotcell_sandbox::trace::Trace;
use hotcell_sandbox::{Plan, Profile, Sandbox, remove_tree, wrong_path};
use hotcell_shm::sealed_copy;
use hotcell_supervisor::{Keeper, passes};

/// The sandbox of a session, ready for its workers.
pub(super) struct Walled {
    /// What a worker is told.
    pub(super) profile: Profile,
    /// What is to be in force.
    pub(super) sandbox: Sandbox,
    /// The plan, for every worker.
    pub(super) wall: Option<Arc<OwnedFd>>,
    /// What notes what the library does, where the environment wants that.
    pub(super) trace: Option<Arc<Trace>>,
    pub(super) directory: Option<PrivateDirectory>,
}

/// A directory that nobody else's user may enter, gone with the session, or with the process: whatever its library has put there.
#[derive(Debug)]
pub(super) struct PrivateDirectory {
    path: PathBuf,
    /// Removes it where nobody drops this. Ended behind the removal.
    _keeper: Keeper,
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Why there is no sandbox.
pub(super) struct Wrong {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
    /// Whether it may not be so in a moment: the machine had no process, memory or descriptor.
    pub(super) passes: bool,
}

impl Walled {
    /// Makes ready what a sandbox needs. A profile with files has a directory of its own, which `TMPDIR` names.
    pub(super) fn new(
        library: &str,
        program: &Path,
        mut sandbox: Sandbox,
        environment: &mut Vec<(String, String)>,
    ) -> Result<Walled, Wrong> {
        let wrong = |message| Wrong { kind: ErrorKind::InvalidArgument, message, passes: false };
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
        if let Some(file) = Trace::wanted(library) {
            return Walled::traced(&file, program, &sandbox, environment);
        }
        let profile = sandbox.profile;
        if profile == Profile::Basic {
            return Ok(Walled { profile, sandbox, wall: None, trace: None, directory: None });
        }
        let directory = match sandbox.has_files() {
            true => Some(PrivateDirectory::make(program, environment)?),
            false => None,
        };
        sandbox.write.extend(directory.iter().map(|directory| directory.path.clone()));
        let plan = Plan::new(&sandbox, environment).map_err(|error| wrong(error.to_string()))?;
        Ok(Walled { profile, sandbox, wall: Some(sealed(&plan)?), trace: None, directory })
    }

    /// What is needed where the environment wants to know what the library does. Of its profile nothing is in force then but
    /// what holds in every one; the level says so.
    fn traced(
        file: &Path,
        program: &Path,
        sandbox: &Sandbox,
        environment: &mut Vec<(String, String)>,
    ) -> Result<Walled, Wrong> {
        let directory = PrivateDirectory::make(program, environment)?;
        let trace = Trace::new(file, sandbox, environment, directory.path())
            .map_err(|error| failed(&format!("trace into {}", file.display()), error))?;
        Ok(Walled {
            profile: Profile::Custom,
            sandbox: Sandbox::of(Profile::Basic),
            wall: Some(sealed(&Plan::of_trace())?),
            trace: Some(Arc::new(trace)),
            directory: Some(directory),
        })
    }
}

impl PrivateDirectory {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, where no worker is left that could use it.
    pub(super) fn remove(&self) {
        // Nobody is there who could be told.
        let _ = remove_tree(&self.path);
    }

    /// Makes one, and names it. It has a keeper before it is there, so that it is kept from its first moment.
    fn make(program: &Path, environment: &mut Vec<(String, String)>) -> Result<PrivateDirectory, Wrong> {
        let place = std::path::absolute(std::env::temp_dir());
        let place = place.map_err(|error| failed("find the directory for temporary files", error))?;
        let mut no_keeper = false;
        let make = |path: &Path| {
            let mut keeper = Keeper::start(program, path).inspect_err(|error| no_keeper = passes(error))?;
            DirBuilder::new().mode(0o700).create(path)?;
            keeper.made(path);
            Ok(keeper)
        };
        // Under a name that is somebody's already it is tried with another one.
        let made = tempfile::Builder::new().prefix("hotcell-").make_in(place, make);
        let wrong = |error| {
            let wrong = failed("make a directory for temporary files", error);
            // The error comes wrapped, without its number.
            Wrong { passes: wrong.passes || no_keeper, ..wrong }
        };
        let (keeper, path) = made.map_err(wrong)?.into_parts();
        // It is removed by what is used to what libraries do.
        let path =
            path.keep().map_err(|error| failed("keep a directory for temporary files", error.error))?;
        if environment.iter().all(|(name, _)| name != "TMPDIR") {
            environment.push(("TMPDIR".into(), path.display().to_string()));
        }
        Ok(PrivateDirectory { path, _keeper: keeper })
    }
}

/// What is wrong with the names of control groups, whatever there is at these paths.
pub(super) fn wrong_groups(groups: &[PathBuf]) -> Option<String> {
    /// Version 1 has some dozen hierarchies.
    const MOST: usize = 16;
    if groups.len() > MOST {
        return Some(format!("{} control groups are more than {MOST}", groups.len()));
    }
    for (number, group) in groups.iter().enumerate() {
        if group.as_os_str().is_empty() {
            return Some("a control group has an empty path".into());
        }
        if !group.is_absolute() {
            return Some(format!("the control group `{}` is no absolute path", group.display()));
        }
        if groups[..number].contains(group) {
            return Some(format!("the control group `{}` is named twice", group.display()));
        }
    }
    None
}

/// A plan as workers read it.
fn sealed(plan: &Plan) -> Result<Arc<OwnedFd>, Wrong> {
    let sealed = sealed_copy(&plan.encode());
    sealed.map(Arc::new).map_err(|errno| failed("make the sandbox's plan", errno.into()))
}

fn failed(what: &str, error: std::io::Error) -> Wrong {
    Wrong { kind: ErrorKind::LoadFailed, message: format!("{what}: {error}"), passes: passes(&error) }
}
