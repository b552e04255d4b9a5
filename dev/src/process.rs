//! Runs other programs as steps: a line that says what runs, how long it took, its output when it fails.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The cargo that runs this program, in the repository's root.
pub(crate) fn cargo<A: AsRef<OsStr>>(root: &Path, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root);
    command
}

/// Does one step between a line that announces it and one that tells its time.
pub(crate) fn step(title: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("== {title}");
    let start = Instant::now();
    work().with_context(|| format!("{title} failed"))?;
    println!("   {title}: {}", elapsed(start.elapsed()));
    Ok(())
}

/// Runs a program whose output is shown as it comes.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    // What was printed before must stand before what the program prints.
    std::io::stdout().flush().context("writing to standard output")?;
    let status = command.status().with_context(|| format!("starting {}", spelling(command)))?;
    if !status.success() {
        bail!("{}: {status}", spelling(command));
    }
    Ok(())
}

/// Runs a program, shows its standard output as it comes, and gives each line of it to `see` too.
pub(crate) fn watch(command: &mut Command, mut see: impl FnMut(&str)) -> Result<()> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("starting {}", spelling(command)))?;
    let stdout = child.stdout.take().expect("stdout was asked to be a pipe");
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.context("reading a program's output")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        see(&line);
    }
    let status = child.wait().with_context(|| format!("waiting for {}", spelling(command)))?;
    if !status.success() {
        bail!("{}: {status}", spelling(command));
    }
    Ok(())
}

/// Runs a program and returns its standard output; all it printed is in the error when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {}", spelling(command)))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{}: {}\n{stdout}{stderr}", spelling(command), output.status);
    }
    Ok(stdout.into_owned())
}

/// Whether a program is there and ends well; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

/// A length of time as a person says it.
pub(crate) fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

fn spelling(command: &Command) -> String {
    // Cargo runs under its full path, which says nothing to the reader.
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failing_program_is_told_with_its_output() {
        let error = output(&mut shell("echo out; echo err >&2; exit 3")).unwrap_err().to_string();
        for part in ["sh -c", "exit status: 3", "out\n", "err\n"] {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
        assert_eq!(output(&mut shell("echo fine")).unwrap(), "fine\n");
    }

    #[test]
    fn a_watched_program_gives_its_lines_and_its_failure() {
        let mut lines = Vec::new();
        assert!(watch(&mut shell("echo one; echo two; exit 1"), |line| lines.push(line.to_owned())).is_err());
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn a_missing_program_does_not_succeed() {
        assert!(!succeeds(&mut Command::new("there-is-no-such-program")));
        assert!(!succeeds(&mut shell("exit 1")));
        assert!(succeeds(&mut shell("exit 0")));
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(elapsed(Duration::from_millis(440)), "0.4 s");
        assert_eq!(elapsed(Duration::from_secs(75)), "1 min 15 s");
    }

    #[test]
    fn a_failing_step_is_named() {
        let error = step("painting", || bail!("no paint")).unwrap_err();
        assert_eq!(format!("{error:#}"), "painting failed: no paint");
    }
}
