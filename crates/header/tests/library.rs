//! Finding and reading shared libraries. zlib's development package has to be installed.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

use hotcell_header::library::{self, Library};
use hotcell_header::{Error, ErrorKind};
use tempfile::TempDir;

fn find(name: &str) -> PathBuf {
    library::find(name, &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn inspect(path: &Path) -> Library {
    library::inspect(path).unwrap_or_else(|error| panic!("{error}"))
}

fn fails(path: &Path, kind: ErrorKind, part: &str) -> Error {
    let error = library::inspect(path).unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(part), "{error}");
    assert!(error.message.contains(path.to_str().unwrap()), "{error}");
    error
}

/// A file in a fresh directory with zlib's bytes, changed.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> (TempDir, PathBuf) {
    let mut bytes = std::fs::read(find("z")).unwrap();
    change(&mut bytes);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("libchanged.so");
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

/// Runs `cc` in a fresh directory on a source file `lib.c`; the path of `lib.out`.
fn compile(source: &str, arguments: &[&str]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("lib.c"), source).unwrap();
    let status = Command::new("cc")
        .args(["lib.c", "-o", "lib.out"])
        .args(arguments)
        .current_dir(dir.path())
        .status()
        .expect("cc can be started");
    assert!(status.success());
    let path = dir.path().join("lib.out");
    (dir, path)
}

#[test]
fn zlib_by_its_names() {
    for name in ["z", "libz.so", "libz.so.1"] {
        let library = inspect(&find(name));
        assert_eq!(library.soname, "libz.so.1", "{name}");
        assert_eq!(library.machine, std::env::consts::ARCH);
        assert!(library.exports.contains("crc32") && library.exports.contains("deflateInit_"));
        assert!(!library.exports.contains("malloc"), "imported, not exported");
        assert_eq!(library.versions["crc32_combine_gen"], "ZLIB_1.2.12");
        assert_eq!(library.needed, ["libc.so.6"]);
        assert!(
            library
                .build_id
                .as_ref()
                .is_some_and(|id| id.len() == 40 && id.bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }
}

#[test]
fn the_c_library_that_is_needed() {
    let shared = ["-shared", "-fPIC", "-nostartfiles", "-fno-builtin"];
    let glibc = |source: &str| inspect(&compile(source, &shared).1).glibc;
    assert_eq!(glibc("int one(void) { return 1; }"), None);
    // Its oldest version is that of the machine's first.
    let oldest = if cfg!(target_arch = "x86_64") { "2.2.5" } else { "2.17" };
    let source = "int puts(const char *); int one(void) { return puts(\"1\"); }";
    assert_eq!(glibc(source).as_deref(), Some(oldest));
    let source = "int puts(const char *); int memfd_create(const char *, unsigned);\n\
                  int one(void) { return puts(\"1\") + memfd_create(\"1\", 0); }";
    assert_eq!(glibc(source).as_deref(), Some("2.27"));
}

#[test]
fn linker_scripts_are_followed() {
    let (m, c) = (inspect(&find("m")), inspect(&find("c")));
    assert_eq!((m.soname.as_str(), c.soname.as_str()), ("libm.so.6", "libc.so.6"));
    assert!(m.exports.contains("sqrt"));
    // An IFUNC, a function, and a variable.
    assert!(c.exports.contains("strlen") && c.exports.contains("exit"));
    assert!(c.data_exports.contains("stdout") && !c.exports.contains("stdout"));
}

#[test]
fn a_linker_script_of_ones_own() {
    let (dir, real) = compile("int f(void) { return 1; }", &["-shared", "-fPIC"]);
    std::fs::rename(real, dir.path().join("libreal.so.7")).unwrap();
    let script = dir.path().join("libscripted.so");
    std::fs::write(&script, "/* GNU ld script */ INPUT ( libmissing.so libreal.so.7 )").unwrap();
    let dirs = [dir.path().to_owned()];
    assert_eq!(library::find("scripted", &dirs).unwrap(), dir.path().join("libreal.so.7"));
    assert_eq!(library::find(script.to_str().unwrap(), &[]).unwrap(), dir.path().join("libreal.so.7"));
    std::fs::write(&script, "GROUP ( libmissing.so )").unwrap();
    let error = library::find("scripted", &dirs).unwrap_err();
    assert!(error.message.contains("is a linker script"), "{error}");
}

#[test]
fn own_directories_come_first_and_need_no_link_without_version() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["libz.so.9", "libz.so.10"] {
        std::fs::copy(find("z"), dir.path().join(name)).unwrap();
    }
    assert_eq!(library::find("z", &[dir.path().to_owned()]).unwrap(), dir.path().join("libz.so.10"));
    std::fs::copy(find("z"), dir.path().join("libz.so")).unwrap();
    assert_eq!(library::find("z", &[dir.path().to_owned()]).unwrap(), dir.path().join("libz.so"));
}

#[test]
fn what_is_not_found_has_suggestions() {
    let error = library::find("zlib", &["somewhere".into()]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LibraryNotFound);
    assert_eq!(error.message, "library `zlib` was not found");
    let help = error.help.unwrap();
    assert!(help.starts_with("did you mean `z`?\nsearched /"), "{help}");
    let error = library::find("no_library_is_called_so", &[]).unwrap_err();
    assert!(error.help.unwrap().starts_with("searched "));
    let error = library::find("./no/such/libz.so", &[]).unwrap_err();
    assert_eq!(error.message, "library ./no/such/libz.so does not exist");
}

#[test]
fn kinds_of_exports_are_told_apart() {
    let source = "int function(void) { return 1; } int variable = 1; __thread int local_to_thread;\n\
                  __attribute__((weak)) int weak(void) { return 1; } static int own(void) { return 1; }\n\
                  __attribute__((visibility(\"hidden\"))) int hidden(void) { return own(); }\n\
                  extern int imported(void); int calls(void) { return imported() + hidden(); }";
    let (_dir, path) =
        compile(source, &["-shared", "-fPIC", "-Wl,-soname,libfoo.so.3", "-Wl,--build-id=0xabcd"]);
    let library = inspect(&path);
    assert_eq!(library.soname, "libfoo.so.3");
    assert_eq!(library.build_id.as_deref(), Some("abcd"));
    let exports: Vec<_> = library.exports.iter().filter(|name| !name.starts_with('_')).collect();
    assert_eq!(exports, ["calls", "function", "weak"]);
    let data: Vec<_> = library.data_exports.iter().collect();
    assert_eq!(data, ["local_to_thread", "variable"]);
    assert!(library.versions.is_empty());
}

#[test]
fn a_library_without_a_name_or_identity() {
    let (_dir, path) = compile("int f(void) { return 1; }", &["-shared", "-fPIC", "-Wl,--build-id=none"]);
    let library = inspect(&path);
    assert_eq!((library.soname.as_str(), library.build_id), ("lib.out", None));
}

#[test]
fn hidden_versions_cannot_be_linked() {
    let source = "__asm__(\".symver old, f@V1\"); __asm__(\".symver new, f@@V2\"); __asm__(\".symver gone, g@V1\");\n\
                  int old(void) { return 1; } int new(void) { return 2; } int gone(void) { return 3; }";
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("versions");
    std::fs::write(&script, "V1 { global: f; g; local: *; }; V2 { } V1;").unwrap();
    let script = format!("-Wl,--version-script={}", script.display());
    let (_dir, path) = compile(source, &["-shared", "-fPIC", &script]);
    let library = inspect(&path);
    assert_eq!(library.versions.get("f").map(String::as_str), Some("V2"));
    assert!(library.exports.contains("f") && !library.exports.contains("g"), "{library:?}");
}

#[test]
fn truncated_files() {
    let (_dir, path) = changed(|bytes| bytes.truncate(bytes.len() / 2));
    let error = fails(&path, ErrorKind::Damaged, "is damaged: it has ");
    assert!(error.help.unwrap().contains("in part"));
    for length in [10, 40, 64, 100, 1000] {
        let (_dir, path) = changed(|bytes| bytes.truncate(length));
        fails(&path, ErrorKind::Damaged, "is damaged");
    }
}

#[test]
fn files_with_broken_tables_do_not_panic() {
    let length = std::fs::read(find("z")).unwrap().len();
    for at in (0x28..0x40).chain((0x40..length).step_by(997)) {
        let (_dir, path) = changed(|bytes| bytes[at] = !bytes[at]);
        // Whatever it says: many bytes do not matter to what is read.
        let _ = library::inspect(&path);
    }
}

#[test]
fn other_files() {
    let (_dir, path) = changed(|bytes| *bytes = b"GROUP, but not a script\n".to_vec());
    fails(&path, ErrorKind::NotElf, "is not an ELF file: it is text");
    let (_dir, path) = changed(Vec::clear);
    fails(&path, ErrorKind::NotElf, "it is empty");
    let (_dir, path) = changed(|bytes| *bytes = vec![0xff; 100]);
    fails(&path, ErrorKind::NotElf, "does not begin like one");
    let (_dir, path) = changed(|bytes| *bytes = b"!<arch>\nfoo.o/".to_vec());
    fails(&path, ErrorKind::StaticLibrary, "is a static library (.a)");
    fails(Path::new("/no/such/file.so"), ErrorKind::LibraryUnreadable, "cannot read");
    fails(Path::new("/"), ErrorKind::LibraryUnreadable, "cannot read");
}

#[test]
fn other_machines() {
    // e_machine: AArch64 on x86-64, and the other way round.
    let other = if cfg!(target_arch = "x86_64") { (183, "aarch64") } else { (62, "x86_64") };
    let (_dir, path) = changed(|bytes| bytes[18] = other.0);
    let error =
        fails(&path, ErrorKind::WrongArchitecture, &format!("is for {}, and this machine is", other.1));
    assert!(error.help.unwrap().contains(std::env::consts::ARCH));
    let (_dir, path) = changed(|bytes| bytes[4] = 1);
    fails(&path, ErrorKind::Not64Bit, "is a 32-bit library");
    let (_dir, path) = changed(|bytes| bytes[5] = 2);
    fails(&path, ErrorKind::WrongArchitecture, "is for another machine");
}

#[test]
fn programs_and_object_files() {
    for pie in ["-pie", "-no-pie"] {
        let (_dir, path) = compile("int main(void) { return 0; }", &["-fPIE", pie]);
        fails(&path, ErrorKind::Executable, "is a program");
    }
    let (_dir, path) = compile("int f(void) { return 0; }", &["-c"]);
    fails(&path, ErrorKind::NotShared, "is an object file");
}

#[test]
fn a_library_that_can_be_run_is_a_library() {
    // The C library has an interpreter, as programs have.
    assert_eq!(inspect(&find("c")).soname, "libc.so.6");
}
