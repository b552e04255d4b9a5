//! From the shim's source to `shim.so`, with the user's own compiler.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::shim::ShimSource;

/// Lines of a compiler's text that an error repeats.
const MOST_LINES: usize = 30;

/// No builtins: a call must reach the library, not the compiler's idea of `isdigit` or `abs`.
const FLAGS: [&str; 7] =
    ["-std=gnu17", "-O2", "-fno-builtin", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra"];

/// How a shim is compiled.
#[derive(Debug, Clone, Default)]
pub struct CompileOptions {
    /// The compiler, with options if need be; else `$CC`, else `cc`.
    pub cc: Option<String>,
    /// Where the library's headers lie, searched in order before the system's.
    pub include_dirs: Vec<PathBuf>,
    /// The libraries to link, as files: the library itself first. A shim needs them by their sonames.
    pub libraries: Vec<PathBuf>,
    /// The shared object to write.
    pub out: PathBuf,
    /// Where the source is written and compiled; created when missing.
    pub work_dir: PathBuf,
}

/// Compiles and links a shim. `options.out` is replaced as a whole or left as it was.
///
/// # Errors
///
/// [`Error::NoCompiler`], [`Error::Compile`] with the compiler's text, or [`Error::Io`].
pub fn compile(source: &ShimSource, options: &CompileOptions) -> Result<(), Error> {
    write(source, options)?;
    let name = options.out.file_name().unwrap_or("shim.so".as_ref());
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    // Beside its place, so that the rename stays within one file system.
    let temporary = options.out.with_file_name(temporary);
    let done = run(source, options, &temporary)
        .and_then(|()| fs::rename(&temporary, &options.out).map_err(Error::io("write", &options.out)));
    if done.is_err() {
        let _ = fs::remove_file(&temporary); // may not exist
    }
    done
}

/// All that a shim is compiled of, as bytes that differ when a compilation could: the compiler's words of itself, and the source behind the
/// preprocessor, with every header that is included now and every macro. Nothing is compiled.
///
/// # Errors
///
/// As of [`compile`].
pub fn inputs(source: &ShimSource, options: &CompileOptions) -> Result<Vec<u8>, Error> {
    write(source, options)?;
    let compiler = Compiler::of(options);
    let mut all = compiler.text.clone().into_bytes();
    // A package of the same version may be another build: of Debian's, this tells.
    all.extend(compiler.output(compiler.command().arg("--version"), source)?);
    let mut command = compiler.command();
    command.args(FLAGS).args(["-E", "-dD", "-P"]);
    include(&mut command, options);
    all.extend(compiler.output(command.arg(options.work_dir.join("shim.c")), source)?);
    Ok(all)
}

fn write(source: &ShimSource, options: &CompileOptions) -> Result<(), Error> {
    fs::create_dir_all(&options.work_dir).map_err(Error::io("create", &options.work_dir))?;
    for (name, text) in &source.files {
        let path = options.work_dir.join(name);
        fs::write(&path, text).map_err(Error::io("write", path))?;
    }
    Ok(())
}

fn run(source: &ShimSource, options: &CompileOptions, out: &Path) -> Result<(), Error> {
    let compiler = Compiler::of(options);
    let mut command = compiler.command();
    command.args(FLAGS).arg("-shared");
    include(&mut command, options);
    command.arg("-o").arg(out).arg(options.work_dir.join("shim.c"));
    // Everything is resolved when the shim is loaded, and the library is loaded even if only macros are used.
    command.args(["-Wl,-z,defs", "-Wl,-z,now", "-Wl,-z,relro", "-Wl,--no-as-needed"]);
    command.args(&options.libraries);
    compiler.output(&mut command, source).map(drop)
}

fn include(command: &mut Command, options: &CompileOptions) {
    command.arg("-I").arg(&options.work_dir);
    for dir in &options.include_dirs {
        command.arg("-I").arg(dir);
    }
}

/// The user's compiler.
struct Compiler {
    /// With its options.
    text: String,
}

impl Compiler {
    fn of(options: &CompileOptions) -> Compiler {
        let chosen = options.cc.clone().or_else(|| std::env::var("CC").ok());
        let text = chosen.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "cc".into());
        Compiler { text }
    }

    fn command(&self) -> Command {
        let mut words = self.text.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or("cc"));
        command.args(words).env("LC_ALL", "C");
        command
    }

    /// What it prints, where it ends well.
    fn output(&self, command: &mut Command, source: &ShimSource) -> Result<Vec<u8>, Error> {
        let output =
            command.output().map_err(|source| Error::NoCompiler { command: self.text.clone(), source })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let text = String::from_utf8_lossy(&output.stderr);
        Err(Error::Compile {
            command: self.text.clone(),
            function: culprit(source.c(), &text),
            text: if text.trim().is_empty() { output.status.to_string() } else { shortened(&text) },
        })
    }
}

/// The function in whose part of the shim the first error lies.
fn culprit(shim: &str, text: &str) -> Option<String> {
    let linker = text.split("in function `hotcell_call_").nth(1).and_then(|rest| rest.split('\'').next());
    if let Some(name) = linker {
        return Some(name.to_owned());
    }
    let error = text.lines().find(|line| line.contains("shim.c:") && line.contains("error:"))?;
    let number = error.split("shim.c:").nth(1)?.split(':').next()?.parse().ok()?;
    let before: Vec<&str> = shim.lines().take(number).collect();
    let part = before.iter().rev().find_map(|line| line.strip_prefix("/* Function "))?;
    Some(part.split(", ").nth(1)?.split(':').next()?.to_owned())
}

fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let mut kept = lines[..lines.len().min(MOST_LINES)].join("\n");
    if lines.len() > MOST_LINES {
        kept.push_str(&format!("\n… {} more lines", lines.len() - MOST_LINES));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIM: &str = "/* Shim */\n\n/* Function 0, first: int first(void) */\nx\n/* Function 1, second: int second(void) */\ny\n";

    #[test]
    fn an_error_is_put_down_to_its_function() {
        let check = |text, expect: Option<&str>| assert_eq!(culprit(SHIM, text).as_deref(), expect);
        check("dir/shim.c:4:1: error: unknown type name 'x'", Some("first"));
        check("dir/shim.c:6:1: error: unknown type name 'y'", Some("second"));
        check("dir/shim.c:1:1: error: stray", None);
        check("shim.c:4:1: warning: w\nshim.c:6:1: error: e", Some("second"));
        check("ld: a.o: in function `hotcell_call_second':\nshim.c:(.text+0x1): undefined", Some("second"));
        check("cc: fatal error: no input files", None);
    }

    #[test]
    fn long_texts_are_shortened() {
        let text = "line\n".repeat(40);
        let short = shortened(&text);
        assert_eq!(short.lines().count(), MOST_LINES + 1);
        assert!(short.ends_with("… 10 more lines"));
    }
}
