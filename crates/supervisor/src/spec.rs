//! What a worker is started with.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hotcell_protocol::wire::Guard;
use hotcell_sandbox::trace::Trace;
use hotcell_sandbox::{Level, Limits, Profile, Sandbox};
use hotcell_shm::control::MAX_DESCRIPTORS;

use crate::client::Client;
use crate::end::Hears;
use crate::libraries::Libraries;
use crate::worker::Worker;

/// Everything a worker needs; the same for every generation until the library is loaded anew.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The worker program; absolute.
    pub program: PathBuf,
    /// The shim's bytes.
    pub shim: &'static [u8],
    /// Library files to load before the shim; none when the loader finds them by soname.
    pub libraries: Arc<Libraries>,
    /// Fingerprint of the interface.
    pub fingerprint: [u8; 32],
    /// Functions of the interface.
    pub functions: u32,
    /// Calls at a time that the library may be given, each on a thread of its own; at least 1.
    pub callers: u32,
    /// Variables of the worker's environment beyond the fixed ones.
    pub environment: Vec<(String, String)>,
    /// The directory that the library works in; absolute.
    pub directory: PathBuf,
    /// Resource limits.
    pub limits: Limits,
    /// The directory of the session's own for temporary files, whose quota is one of the limits.
    pub temporary: Option<PathBuf>,
    /// Which blocks of the library's memory are guarded.
    pub guard: Guard,
    /// `StateParts` that the library may leave changed between calls.
    pub leaves: u32,
    /// Objects that the library may hand out at a time.
    pub objects: u32,
    /// Sandbox profile.
    pub profile: Profile,
    /// What it may do, as its user says it.
    pub sandbox: Arc<Sandbox>,
    /// The plan of its wall, in a sealed memory file; none for the profile that has no wall.
    pub wall: Option<Arc<OwnedFd>>,
    /// What notes what the library does, where it is traced.
    pub trace: Option<Arc<Trace>>,
    /// What must be in force.
    pub required: Level,
    /// Whether it makes the contract's health checks before it serves.
    pub health: bool,
    /// Whether what can be seen of it from outside is compared.
    pub strict: bool,
    /// Whether workers are started in namespaces of their own, where those can be had.
    pub own_namespaces: bool,
    /// Control groups that workers join before they load anything.
    pub groups: Vec<PathBuf>,
    /// How long the worker polls for a call before it sleeps.
    pub spin: Duration,
    /// Whether callers may wait in an event loop: then each of their lanes has an eventfd.
    pub eventfds: bool,
    /// The process that has the callers, where that is another.
    pub client: Option<Arc<dyn Client>>,
    /// How long start-up may take, the library's constructors and init calls included.
    pub start_deadline: Duration,
    /// Who hears how workers end.
    pub hears: Option<Arc<dyn Hears>>,
}

impl Spec {
    /// What is wrong where its workers would be given more descriptors than one packet has room for: how many, and what for.
    pub fn too_many_descriptors(&self) -> Option<String> {
        /// Request, reply, shim, and the segment that counts memory.
        const ALWAYS: usize = 4;
        let always = ALWAYS + usize::from(self.wall.is_some());
        let lists = [
            (self.libraries.files().count(), "for libraries"),
            (eventfds(self) as usize, "for callers"),
            (self.groups.len(), "for control groups"),
        ];
        too_many(always, &lists)
    }

    /// Whether it makes health checks: where it is to, and the shim has some.
    pub(crate) fn checks_health(&self) -> bool {
        self.health && has_health(self.shim)
    }
}

/// Lanes of a channel: one for each call at a time, and the dispatcher's.
pub(crate) fn lanes(spec: &Spec) -> u32 {
    spec.callers.clamp(1, Worker::MOST_CALLERS) + 1
}

/// Eventfds of its lanes, where callers may wait in an event loop.
pub(crate) fn eventfds(spec: &Spec) -> u32 {
    match (spec.eventfds, &spec.client) {
        (false, _) => 0,
        // Nobody here waits in an event loop for threads of the library; clients in another process do.
        (true, None) => lanes(spec) - 1,
        (true, Some(_)) => lanes(spec),
    }
}

fn too_many(always: usize, lists: &[(usize, &str)]) -> Option<String> {
    let all = always + lists.iter().map(|(count, _)| count).sum::<usize>();
    if all <= MAX_DESCRIPTORS {
        return None;
    }
    let lists = lists.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    let lists: String = lists.collect();
    Some(format!(
        "a worker can be given {MAX_DESCRIPTORS} descriptors at its start, and this one would need {all}: {always} of its own{lists}"
    ))
}

/// Whether a shim exports health checks: then its table of names has theirs.
fn has_health(shim: &[u8]) -> bool {
    let name: &[u8] = b"\0hotcell_health_1\0";
    shim.windows(name.len()).any(|window| window == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_into_a_packet_is_told() {
        let of = |libraries, callers, groups| {
            let lists =
                [(libraries, "for libraries"), (callers, "for callers"), (groups, "for control groups")];
            too_many(5, &lists)
        };
        assert_eq!((of(1, 2, 0), of(58, 64, 1), of(123, 0, 0)), (None, None, None));
        let expect = "a worker can be given 128 descriptors at its start, and this one would need 129: 5 of its own, 58 for \
                      libraries, 64 for callers, 2 for control groups";
        assert_eq!(of(58, 64, 2).as_deref(), Some(expect));
        assert!(of(124, 0, 0).is_some_and(|text| text.ends_with("129: 5 of its own, 124 for libraries")));
    }

    #[test]
    fn a_shim_has_health_checks_where_its_names_have_theirs() {
        assert!(has_health(b"\x7fELF\0hotcell_shim_1\0hotcell_health_1\0"));
        for without in [&b"\0hotcell_shim_1\0"[..], b"\0hotcell_health_12\0", b"\0my_hotcell_health_1\0", b""]
        {
            assert!(!has_health(without));
        }
    }
}
