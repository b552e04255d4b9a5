//! Another library behind the same path: what was checked is what is loaded, and what was replaced is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use hotcell::dynamic::{self, Value};
use hotcell::{Cause, Error, ErrorKind, Executed, Options, Profile, Sandbox, Session};
use hotcell_bind::{Bound, Job, Source};
use hotcell_e2e::cli::Folder;
use hotcell_e2e::process::{wait_until, workers};

const HEADER: &str = "int answer(void);\nvoid fail(void);\n";

/// Compiles a library whose answer is this number.
fn compile(folder: &Folder, file: &str, answer: &str, more: &[&str]) -> PathBuf {
    let source = format!("#include <stdlib.h>\n{answer}\nvoid fail(void) {{ abort(); }}\n");
    folder.write(&format!("{file}.c"), source);
    let mut options = vec!["-Wl,--build-id", "-Wl,-soname,libanswer.so"];
    options.extend(more);
    folder.compile_with(file, &options);
    folder.path().join(format!("lib{file}.so"))
}

fn number(answer: i32) -> String {
    format!("int answer(void) {{ return {answer}; }}")
}

fn bind(folder: &Folder, library: &Path) -> Bound {
    folder.write("answer.h", HEADER);
    let source = Source::Headers {
        headers: vec![folder.path().join("answer.h").display().to_string()],
        library: library.display().to_string(),
        any_null: false,
    };
    let job =
        Job { source, only: None, include_dirs: Vec::new(), defines: Vec::new(), library_dirs: Vec::new() };
    hotcell_bind::bind(&job).unwrap_or_else(|error| panic!("{error}"))
}

fn call(bound: &Bound, session: &Session, name: &str) -> hotcell::Result<Option<Value>> {
    let function = bound.interface.function(name).unwrap();
    dynamic::call(session, &bound.interface, function, &[]).map(|outcome| outcome.returned)
}

fn answer(bound: &Bound, session: &Session) -> hotcell::Result<i128> {
    match call(bound, session, "answer")? {
        Some(Value::Int(number)) => Ok(number),
        other => panic!("{other:?}"),
    }
}

/// Has the next call start a worker.
fn end_worker(bound: &Bound, session: &Session) {
    assert_eq!(call(bound, session, "fail").unwrap_err().kind(), ErrorKind::Crashed);
}

fn is_refused(error: &Error, file: &Path) {
    assert_eq!((error.kind(), error.executed()), (ErrorKind::LoadFailed, Executed::No), "{error}");
    assert_eq!(error.cause(), &Cause::Replaced { path: file.to_owned() }, "{error}");
    assert!(error.message().contains("is not the file that the session began with"), "{error}");
}

/// Puts a copy of one file in the place of another, at once.
fn replace(file: &Path, by: &Path) {
    let copy = file.with_extension("new");
    fs::copy(by, &copy).unwrap();
    fs::rename(copy, file).unwrap();
}

#[test]
fn a_library_that_was_replaced_is_refused_and_the_same_one_is_not() {
    let folder = Folder::new();
    let (one, two) = (compile(&folder, "one", &number(1), &[]), compile(&folder, "two", &number(2), &[]));
    let file = folder.path().join("libanswer.so");
    fs::copy(&one, &file).unwrap();
    let bound = bind(&folder, &file);
    let session = bound.open(Options::default()).unwrap();
    assert_eq!(answer(&bound, &session).unwrap(), 1);
    let loaded = session.loaded();
    assert_eq!((&loaded[0].path, loaded[0].is_own), (&file, true));
    assert!(loaded.iter().all(|it| it.sha256.is_some()), "{loaded:?}");
    assert!(loaded[1..].iter().any(|it| it.path.to_string_lossy().contains("libc.so.6")), "{loaded:?}");
    // Brought anew, byte for byte: the same.
    replace(&file, &one);
    end_worker(&bound, &session);
    assert_eq!(answer(&bound, &session).unwrap(), 1);
    for how in ["by its name", "in its place", "taken away"] {
        match how {
            "by its name" => replace(&file, &two),
            "in its place" => drop(fs::copy(&two, &file).unwrap()),
            _ => fs::remove_file(&file).unwrap(),
        }
        end_worker(&bound, &session);
        let error = answer(&bound, &session).expect_err(how);
        is_refused(&error, &file);
        let builds = error.message().contains("its build-id was ");
        assert_eq!(builds, how != "taken away", "{error}");
        // The session goes on when the file is back, and another one has the new file.
        if how == "by its name" {
            assert_eq!(answer(&bound, &bound.open(Options::default()).unwrap()).unwrap(), 2);
        }
        replace(&file, &one);
        assert_eq!(answer(&bound, &session).unwrap(), 1, "{how}");
    }
}

fn maps(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default()
}

/// Whether a thread of this process reads what spares have loaded.
fn is_being_read() -> bool {
    let is_it = |name: std::io::Result<String>| name.is_ok_and(|name| name.trim() == "hotcell-spares");
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks.flatten().any(|task| is_it(fs::read_to_string(task.path().join("comm"))))
}

/// What a spare has loaded is read when it has come up, what lies there when it is needed.
#[test]
fn a_spare_does_not_take_over_when_its_library_was_replaced_since() {
    let folder = Folder::new();
    let (one, two) = (compile(&folder, "one", &number(1), &[]), compile(&folder, "two", &number(2), &[]));
    let file = folder.path().join("libanswer.so");
    fs::copy(&one, &file).unwrap();
    let bound = bind(&folder, &file);
    let session = bound.open(Options { spares: 1, ..Options::default() }).unwrap();
    for by in [&one, &two] {
        assert_eq!(answer(&bound, &session).unwrap(), 1);
        let serving = session.worker_pid().unwrap();
        let has_loaded = |pid: &u32| maps(*pid).contains(file.to_str().unwrap());
        let is_up = || workers().iter().any(|pid| *pid != serving && has_loaded(pid));
        // The thread is there before the worker is.
        wait_until("what a spare has loaded is not read", || is_up() && !is_being_read());
        replace(&file, by);
        end_worker(&bound, &session);
    }
    is_refused(&answer(&bound, &session).unwrap_err(), &file);
    replace(&file, &one);
    assert_eq!(answer(&bound, &session).unwrap(), 1);
}

/// What a library needs is found by the loader.
#[test]
fn what_the_library_needs_is_compared_too() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("needed")).unwrap();
    let inner = folder.path().join("needed/libinner.so");
    let compile_inner = |name: &str, value: i32| {
        folder.write(&format!("{name}.c"), format!("int inner(void) {{ return {value}; }}\n"));
        folder.compile_with(name, &["-Wl,-soname,libinner.so"]);
        folder.path().join(format!("lib{name}.so"))
    };
    let (one, two) = (compile_inner("inner1", 1), compile_inner("inner2", 2));
    fs::copy(&one, &inner).unwrap();
    let outer = "int inner(void);\nint answer(void) { return inner(); }";
    let outer = compile(&folder, "answer", outer, &[&inner.display().to_string()]);
    let bound = bind(&folder, &outer);
    let environment =
        vec![("LD_LIBRARY_PATH".to_owned(), folder.path().join("needed").display().to_string())];
    let session = bound.open(Options { environment, ..Options::default() }).unwrap();
    assert_eq!(answer(&bound, &session).unwrap(), 1);
    let loaded = session.loaded();
    let needed = loaded.iter().find(|it| it.path == inner).unwrap_or_else(|| panic!("{loaded:?}"));
    assert!(!needed.is_own);
    replace(&inner, &two);
    end_worker(&bound, &session);
    is_refused(&answer(&bound, &session).unwrap_err(), &inner);
    replace(&inner, &one);
    assert_eq!(answer(&bound, &session).unwrap(), 1);
}

/// Another file comes into the place of one that is needed, when that is loaded and before anybody has looked at it.
#[test]
fn what_is_replaced_while_it_is_loaded_is_refused() {
    let folder = Folder::new();
    folder.write("inner.c", "int inner(void) { return 1; }\n");
    folder.compile_with("inner", &["-Wl,-soname,libinner.so"]);
    let inner = folder.path().join("libinner.so");
    folder.write("newer.so", "another");
    let newer = folder.path().join("newer.so");
    let outer = format!(
        "#include <stdio.h>\nint inner(void);\nint answer(void) {{ return inner(); }}\n\
         __attribute__((constructor)) static void update(void) {{ rename({:?}, {:?}); }}",
        newer.display().to_string(),
        inner.display().to_string()
    );
    let outer = compile(&folder, "answer", &outer, &[&inner.display().to_string()]);
    let bound = bind(&folder, &outer);
    let environment = vec![("LD_LIBRARY_PATH".to_owned(), folder.path().display().to_string())];
    let sandbox = Some(Sandbox::of(Profile::Basic));
    let opened = bound.open(Options { environment, sandbox, ..Options::default() });
    is_refused(&opened.and_then(|session| answer(&bound, &session)).unwrap_err(), &inner);
}

/// A library maps files that have no end, or nearly none, and waits for nobody.
#[test]
fn endless_files_hold_up_no_start() {
    let folder = Folder::new();
    let sparse = folder.path().join("sparse");
    fs::File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
    let hostile = format!(
        "#include <fcntl.h>\n#include <sys/mman.h>\nint answer(void) {{ return 3; }}\n\
         __attribute__((constructor)) static void map(void) {{\n\
         \tmmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open(\"/dev/zero\", O_RDONLY), 0);\n\
         \tmmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open({:?}, O_RDONLY), 0);\n}}",
        sparse.display().to_string()
    );
    let library = compile(&folder, "answer", &hostile, &[]);
    let bound = bind(&folder, &library);
    let sandbox = Some(Sandbox::of(Profile::Basic));
    let session = bound.open(Options { sandbox, ..Options::default() }).unwrap();
    for _ in 0..2 {
        assert_eq!(answer(&bound, &session).unwrap(), 3);
        end_worker(&bound, &session);
    }
    let loaded = session.loaded();
    let found = loaded.iter().find(|it| it.path == sparse).unwrap_or_else(|| panic!("{loaded:?}"));
    assert_eq!(found.sha256, None);
    assert!(loaded.iter().all(|it| it.path != Path::new("/dev/zero")), "{loaded:?}");
}

/// A file that is swapped all the time: the one whose content is told is the one that answers.
#[test]
fn what_was_checked_is_what_is_loaded() {
    let folder = Folder::new();
    let (one, two) = (compile(&folder, "one", &number(1), &[]), compile(&folder, "two", &number(2), &[]));
    let file = folder.path().join("libanswer.so");
    fs::copy(&one, &file).unwrap();
    let bound = bind(&folder, &file);
    let mut digests = Vec::new();
    for (from, expect) in [(&one, 1), (&two, 2)] {
        replace(&file, from);
        let session = bound.open(Options::default()).unwrap();
        assert_eq!(answer(&bound, &session).unwrap(), expect);
        digests.push(session.loaded()[0].sha256.clone().unwrap());
    }
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                replace(&file, &one);
                replace(&file, &two);
            }
        });
        let mut answered = 0;
        for _ in 0..60 {
            match bound.open(Options::default()) {
                Ok(session) => {
                    let digest = session.loaded()[0].sha256.clone().unwrap();
                    let told = digests.iter().position(|it| *it == digest).unwrap() as i128 + 1;
                    assert_eq!(answer(&bound, &session).unwrap(), told);
                    answered += 1;
                }
                Err(error) => is_refused(&error, &file),
            }
        }
        ended.store(true, Ordering::Relaxed);
        println!("{answered} of 60 answered");
    });
    replace(&file, &one);
    assert_eq!(answer(&bound, &bound.open(Options::default()).unwrap()).unwrap(), 1);
}
