//! The direct side: a C program of the plan, compiled against the real header, run in processes of its own.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hotcell_bind::Checked;

use crate::folders::Folders;
use crate::plan::Plan;
use crate::seen::{self, Outcome};

mod expression;
mod literal;
mod program;
mod step;
mod symbols;
mod types;

/// How the kernel ends what reaches beyond its process: SIGSYS.
pub(crate) const BEYOND: Outcome = Outcome::Signal(31);

/// The compiled program.
#[derive(Debug)]
pub(crate) struct Direct {
    folder: PathBuf,
    /// Where it works.
    directory: PathBuf,
    /// Whether functions are kept from reaching beyond their process.
    guarded: bool,
    /// How long a call may take.
    patience: Duration,
}

impl Direct {
    /// Writes and compiles the program into a folder.
    pub(crate) fn compile(
        checked: &Checked,
        plan: &Plan,
        folders: &Folders,
        guarded: bool,
        patience: Duration,
    ) -> Result<Direct, String> {
        let folder = folders.program.path();
        let failed = |error: io::Error| format!("cannot write the program of direct calls: {error}");
        let text = program::text(&checked.interface, plan, folder).map_err(failed)?;
        fs::write(folder.join("direct.c"), text).map_err(failed)?;
        let cc = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let mut command = Command::new(&cc);
        // No builtins: a call must reach the library.
        command.args(["-std=gnu17", "-O0", "-w", "-fno-builtin", "-o"]).arg(folder.join("direct"));
        for dir in &checked.include_dirs {
            command.arg("-I").arg(dir);
        }
        command.arg(folder.join("direct.c"));
        for library in &checked.libraries.own {
            command.arg(library);
            if let Some(dir) = library.parent() {
                command.arg(format!("-Wl,-rpath,{}", dir.display()));
            }
        }
        let output =
            command.output().map_err(|error| format!("the C compiler `{cc}` did not start: {error}"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<&str> = text.lines().take(20).collect();
            return Err(format!("the program of direct calls does not compile:\n{}", lines.join("\n")));
        }
        let directory = folders.scratch.path().to_owned();
        Ok(Direct { folder: folder.to_owned(), directory, guarded, patience })
    }

    /// What comes of each step of each case of a group; the cases behind one that hung, or that reached beyond
    /// its process, are left out.
    pub(crate) fn run(&self, plan: &Plan, group: usize) -> Result<Vec<Vec<Outcome>>, String> {
        let cases = &plan.groups[group].cases;
        let mut outcomes: Vec<Vec<Outcome>> = Vec::new();
        while outcomes.len() < cases.len() {
            let first = outcomes.len();
            let (lines, end) = self.run_from(group, first)?;
            let mut lines = lines.into_iter();
            for case in &cases[first..] {
                let mut seen: Vec<Outcome> = lines.by_ref().take(case.steps.len()).collect();
                if seen.len() < case.steps.len() && !seen.last().is_some_and(Outcome::ends_process) {
                    seen.push(end.clone());
                }
                let last = seen.last().cloned();
                outcomes.push(seen);
                match last {
                    Some(Outcome::Hung | BEYOND) => return Ok(outcomes),
                    Some(outcome) if outcome.ends_process() => break,
                    _ => {}
                }
            }
        }
        Ok(outcomes)
    }

    /// Runs the program once: what its steps wrote, and how it ended.
    fn run_from(&self, group: usize, first: usize) -> Result<(Vec<Outcome>, Outcome), String> {
        let report = self.folder.join("report");
        fs::write(&report, "").map_err(|error| format!("cannot write the report: {error}"))?;
        let mut command = Command::new(self.folder.join("direct"));
        command.arg(group.to_string()).arg(first.to_string()).arg(&report);
        command.arg(u8::from(self.guarded).to_string()).arg(&self.directory);
        // As in a worker.
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child =
            command.spawn().map_err(|error| format!("the program of direct calls did not start: {error}"))?;
        let end = self.wait(&mut child, &report);
        let text = fs::read_to_string(&report).map_err(|error| format!("cannot read the report: {error}"))?;
        Ok((text.lines().map_while(seen::read).collect(), end?))
    }

    /// Waits as long as steps go on ending.
    fn wait(&self, child: &mut Child, report: &Path) -> Result<Outcome, String> {
        let written = || fs::metadata(report).map_or(0, |it| it.len());
        let (mut length, mut since) = (0, Instant::now());
        loop {
            let ended = child.try_wait().map_err(|error| format!("cannot wait for direct calls: {error}"))?;
            if let Some(status) = ended {
                return Ok(match status.signal() {
                    Some(signal) => Outcome::Signal(signal),
                    None => Outcome::Exited(status.code().unwrap_or_default()),
                });
            }
            let now = written();
            if now != length {
                (length, since) = (now, Instant::now());
            }
            if since.elapsed() > self.patience {
                let killed = child.kill().and_then(|()| child.wait());
                killed.map_err(|error| format!("cannot end direct calls: {error}"))?;
                return Ok(Outcome::Hung);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
