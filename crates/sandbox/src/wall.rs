//! Putting up the wall in a worker: first before the library loads, then before it serves.

use std::io;
use std::os::fd::OwnedFd;

use crate::filter::{Instruction, Program};
use crate::level::Level;
use crate::plan::Plan;
use crate::sys::attempts::Ending;
use crate::sys::{attempts, capabilities, landlock, notify, process, seccomp};

/// The half of the wall that stands while the library loads. The rest comes with [`Wall::serve`].
#[derive(Debug)]
pub struct Wall {
    serve: Vec<Instruction>,
    /// The rules of paths and ports that hold once it serves. None where the kernel has no such rules.
    domain: Option<OwnedFd>,
    /// What was tried with success before the filter stood.
    level: Level,
    /// What ends who tries it, by a filter around the host.
    ending: Ending,
    /// Whether the host is asked instead.
    is_traced: bool,
}

impl Wall {
    /// Restricts this process, before the library's first instruction. `libraries` can be read besides. What is
    /// ending is not tried.
    ///
    /// Call it while there is one thread: rules of paths are a thread's own and its children's.
    ///
    /// # Errors
    ///
    /// Which part cannot be had. What was put up until then stays.
    pub fn load(plan: &Plan, libraries: &[OwnedFd], ending: Ending) -> io::Result<Wall> {
        let step = |what: &'static str| {
            move |error: io::Error| io::Error::new(error.kind(), format!("{what}: {error}"))
        };
        capabilities::drop_all().map_err(step("give up capabilities"))?;
        let pid = process::id();
        let version = if ending.has_landlock() { 0 } else { landlock::version() };
        if plan.is_traced {
            landlock::enter_of_trace(version).map_err(step("keep away from other programs"))?;
            seccomp::install(&with_pid(&plan.load, pid))
                .map_err(step("install the filter of system calls"))?;
            notify::hand_over(&with_pid(&plan.serve, pid))
                .map_err(step("have the host asked about system calls"))?;
            let (serve, level) = (Vec::new(), Level::default());
            return Ok(Wall { serve, domain: None, level, ending, is_traced: true });
        }
        let missing = match version {
            0 if plan.needs_paths => {
                Some("paths need Landlock (Linux 5.13), which this kernel or container does not offer")
            }
            ..3 if plan.needs_lengths => Some(
                "calls that shorten files need version 3 of Landlock (Linux 6.2), which this kernel or container does not offer",
            ),
            ..4 if plan.needs_ports => Some(
                "ports need version 4 of Landlock (Linux 6.7), which this kernel or container does not offer",
            ),
            _ => None,
        };
        if let Some(missing) = missing {
            return Err(io::Error::new(io::ErrorKind::Unsupported, missing));
        }
        let mut level = Level::default();
        let domain = if version == 0 {
            None
        } else {
            // Both before the filter, which denies making rules: the library cannot add to those of the second.
            let serve = landlock::domain(version, &plan.serve_view, &plan.connect, &plan.bind, &[]);
            let serve = serve.map_err(step("make rules of paths and ports"))?;
            let load = landlock::domain(version, &plan.load_view, &plan.connect, &plan.bind, libraries);
            landlock::enter(&load.map_err(step("make rules of paths and ports"))?)
                .map_err(step("enter rules of paths and ports"))?;
            if attempts::root_is_closed() {
                level = Level::PATH_RULES;
            }
            Some(serve)
        };
        seccomp::install(&with_pid(&plan.load, pid)).map_err(step("install the filter of system calls"))?;
        Ok(Wall { serve: with_pid(&plan.serve, pid), domain, level, ending, is_traced: false })
    }

    /// Restricts all threads of this process to the profile, and tries what is left.
    ///
    /// # Errors
    ///
    /// Which part cannot be had.
    pub fn serve(self) -> io::Result<Level> {
        let step = |what: &'static str| {
            move |error: io::Error| io::Error::new(error.kind(), format!("{what}: {error}"))
        };
        if self.is_traced {
            notify::say_that_it_serves();
            // Nothing is tried: the host would be asked, and would let it go on.
            return Level::measure();
        }
        if let Some(domain) = &self.domain {
            landlock::enter(domain).map_err(step("enter rules of paths and ports"))?;
        }
        drop(self.domain);
        seccomp::install(&self.serve).map_err(step("install the filter of system calls"))?;
        let found = Level::measure()?.and(attempts::all(self.ending));
        Ok(found.and(self.level))
    }
}

/// The filter for this process.
fn with_pid(program: &Program, pid: u32) -> Vec<Instruction> {
    let mut instructions = program.instructions.clone();
    for &place in &program.pids {
        if let Some(instruction) = instructions.get_mut(place as usize) {
            instruction.value = pid;
        }
    }
    instructions
}
