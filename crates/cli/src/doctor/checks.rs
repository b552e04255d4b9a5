//! One check for each thing of the machine.

use std::env::consts;
use std::io;
use std::process::{Command, Stdio};

use hotcell::{Level, LoadedFile, Profile, Sandbox};
use hotcell_protocol::wire::{VERSION_MAJOR, VERSION_MINOR};
use hotcell_sandbox::Machine;
use hotcell_supervisor::find_worker;

use crate::doctor::{Check, State};

pub(super) fn all() -> Vec<Check> {
    let machine = Machine::probe();
    let compiler = Compiler::find();
    vec![
        system(&machine, compiler.as_ref().ok().and_then(|compiler| compiler.target.as_deref())),
        c_compiler(&compiler),
        libclang(),
        worker(),
        needed(
            "sealed memory",
            &machine.sealed_memory,
            "files of memory whose size and writers are fixed",
            "5.1",
        ),
        needed("process descriptors", &machine.process_descriptors, "ends of workers are noticed", "5.3"),
        needed("close_range", &machine.close_range, "workers inherit no descriptor", "5.9"),
        seccomp(&machine),
        landlock(&machine),
        own_namespaces(&machine),
        control_groups(&machine),
        watching(),
        cpus(&machine),
    ]
}

/// The operating system. `target` is what the C compiler makes programs for.
fn system(machine: &Machine, target: Option<&str>) -> Check {
    let glibc = machine.glibc.as_deref().unwrap_or("of an unknown version");
    let found = format!("Linux {} on {}, glibc {glibc}", machine.kernel, consts::ARCH);
    let elsewhere =
        "use Linux on x86-64 or aarch64 with glibc, such as Debian or Fedora, or a container image of one";
    match target {
        Some(target) if target.contains("musl") => Check::lacks(
            "system",
            State::Failed,
            format!(
                "{found}; but programs here are made for musl ({target}): libraries would need a second C library"
            ),
            elsewhere,
        ),
        Some(target) if !target.contains("linux") => Check::lacks(
            "system",
            State::Failed,
            format!("{found}; but programs here are for {target}"),
            elsewhere,
        ),
        _ => Check::good("system", found),
    }
}

/// The compiler of the shims.
struct Compiler {
    command: String,
    version: String,
    /// Its target, such as `x86_64-linux-gnu`.
    target: Option<String>,
}

impl Compiler {
    fn find() -> Result<Compiler, String> {
        let chosen = std::env::var("CC").unwrap_or_default();
        let command = if chosen.trim().is_empty() { "cc".to_owned() } else { chosen };
        let version = answer(&command, "--version")?;
        let version = version.lines().next().unwrap_or_default().trim().to_owned();
        let target = answer(&command, "-dumpmachine").ok().map(|target| target.trim().to_owned());
        Ok(Compiler { command, version, target })
    }
}

fn c_compiler(compiler: &Result<Compiler, String>) -> Check {
    match compiler {
        Ok(Compiler { command, version, .. }) => {
            Check::good("C compiler", format!("{version} (`{command}`)"))
        }
        Err(why) => Check::lacks(
            "C compiler",
            State::Failed,
            why,
            "Debian and Ubuntu: apt install gcc libc6-dev\nFedora: dnf install gcc\nor name yours in $CC",
        ),
    }
}

fn libclang() -> Check {
    match hotcell_header::Reader::new().parser() {
        Ok(parser) => {
            let place = |path: Option<std::path::PathBuf>| {
                path.map_or("an unknown place".into(), |path| path.display().to_string())
            };
            let (library, headers) = (place(parser.library), place(parser.builtin_headers));
            Check::good("libclang", format!("{}, {library}, own headers in {headers}", parser.version))
        }
        Err(error) => Check::lacks("libclang", State::Failed, error.message, error.help.unwrap_or_default()),
    }
}

fn worker() -> Check {
    let own = concat!("hotcell-worker ", env!("CARGO_PKG_VERSION"));
    let own = format!("{own} (protocol {VERSION_MAJOR}.{VERSION_MINOR})");
    let install = "install the one of this version: cargo install --path crates/worker";
    let path = match find_worker() {
        Ok(path) => path,
        Err(why) => return Check::lacks("worker", State::Failed, why, install),
    };
    let path = path.display().to_string();
    match answer_of(Command::new(&path).arg("--version"), &path) {
        Ok(version) if version.trim() == own => Check::good("worker", format!("{own}, {path}")),
        Ok(version) => {
            let version = version.lines().next().unwrap_or_default().trim();
            let found = format!("{path} is `{version}`, and this program needs `{own}`");
            Check::lacks("worker", State::Failed, found, install)
        }
        Err(why) => Check::lacks("worker", State::Failed, why, install),
    }
}

/// Whether processes can be looked at here.
fn watching() -> Check {
    match hotcell::watch::attempt() {
        Ok(()) => Check::good("watching", "`hotcell ps` sees processes of this user that let others look"),
        Err(why) => Check::lacks(
            "watching",
            State::Limited,
            format!("nobody can look at a process like this one: {why}"),
            "`session.stats()` has the same within the program",
        ),
    }
}

/// What no worker starts without.
fn needed(name: &'static str, probed: &io::Result<()>, what: &str, since: &str) -> Check {
    match probed {
        Ok(()) => Check::good(name, what),
        Err(error) => Check::lacks(
            name,
            State::Failed,
            error.to_string(),
            format!("needs Linux {since} or later, and a container that allows it"),
        ),
    }
}

/// What restricts workers further. Calls work without it.
fn better(name: &'static str, probed: Result<String, String>, help: &str) -> Check {
    match probed {
        Ok(found) => Check::good(name, found),
        Err(why) => Check::lacks(name, State::Limited, why, help),
    }
}

fn seccomp(machine: &Machine) -> Check {
    let probed = machine.seccomp.as_ref().map(|()| "filters of system calls".to_owned());
    let help = "needs a kernel with CONFIG_SECCOMP_FILTER, and a container that allows seccomp()";
    better("seccomp", probed.map_err(io::Error::to_string), help)
}

fn landlock(machine: &Machine) -> Check {
    let probed = machine.landlock.as_ref().map(|version| format!("version {version} of its interface"));
    let help = "needs Linux 5.13 or later with `landlock` in the boot parameter lsm=, and a container that allows it";
    better("Landlock", probed.map_err(io::Error::to_string), help)
}

fn own_namespaces(machine: &Machine) -> Check {
    let probed =
        machine.own_namespaces.as_ref().map(|()| "workers without files have some of their own".to_owned());
    let help = "where the system forbids them: sysctl -w user.max_user_namespaces=15000\n\
                Debian: sysctl -w kernel.unprivileged_userns_clone=1\n\
                Ubuntu: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\n\
                in a container: allow clone() and unshare() with new namespaces";
    better("namespaces", probed.map_err(io::Error::to_string), help)
}

fn control_groups(machine: &Machine) -> Check {
    let probed = machine
        .control_group
        .as_ref()
        .map(|group| format!("groups for workers can be made in {}", group.display()));
    let help = "run in a group of your own: systemd-run --user --scope -p Delegate=yes COMMAND\n\
                or name groups that others made, and that this user may write to, in `Options::control_groups`";
    better("control groups", probed.map_err(String::clone), help)
}

/// What the worker of the self-test found when it tried what the profile `compute` must stop.
pub(super) fn sandbox(level: Level) -> Check {
    let strict = Level::strict(&Sandbox::of(Profile::Compute));
    let missing = level.missing(strict);
    let names = level.names().join(", ");
    match missing[..] {
        [] => Check::good("sandbox", format!("`compute` is in force as a whole: {names}")),
        _ => Check::lacks(
            "sandbox",
            State::Limited,
            format!("`compute` is in force but for {}: {names}", missing.join(", ")),
            "seccomp and Landlock above say what this kernel or container lacks. Whoever needs all of it asks with \
             `require = \"strict\"`",
        ),
    }
}

/// The files that the self-test's worker has loaded.
pub(super) fn loaded(files: &[LoadedFile]) -> Check {
    let line = |file: &LoadedFile| {
        let build = file.build_id.as_deref().map_or("no build-id".into(), |id| format!("build-id {id}"));
        let build = if file.is_own { format!("{build}, ") } else { String::new() };
        let digest = file.sha256.as_deref().map_or("not read".into(), |digest| format!("SHA-256 {digest}"));
        format!("{}: {build}{digest}", file.path.display())
    };
    let lines: Vec<String> = files.iter().map(line).collect();
    match files.iter().any(|file| !file.is_own) {
        true => Check::good("loaded files", lines.join("\n")),
        false => Check::lacks(
            "loaded files",
            State::Limited,
            lines.join("\n"),
            "the kernel does not list what a worker has loaded: /proc is not mounted, or hides processes. Files that a \
             library needs are not compared when another worker is started",
        ),
    }
}

fn cpus(machine: &Machine) -> Check {
    let quota = machine.cpu_quota.map_or("no quota".into(), |cpus| format!("a quota of {cpus:.1}"));
    let found = match machine.cpus {
        1 => format!("1 CPU, {quota}"),
        cpus => format!("{cpus} CPUs, {quota}"),
    };
    let scarce = machine.cpus < 2 || machine.cpu_quota.is_some_and(|cpus| cpus < 2.0);
    match scarce {
        false => Check::good("CPUs", found),
        true => Check::lacks(
            "CPUs",
            State::Limited,
            found,
            "with fewer than two, caller and worker cannot run at once: each call waits for two switches",
        ),
    }
}

/// What a command with options of its own prints.
fn answer(command: &str, option: &str) -> Result<String, String> {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or("cc");
    answer_of(Command::new(program).args(words).arg(option).env("LC_ALL", "C"), command)
}

fn answer_of(command: &mut Command, name: &str) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("`{name}` did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{name}` failed: {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
