//! What does not belong together, or does not come up, is known when the session is opened.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hotcell::{Cause, Error, ErrorKind, Executed, Options, Session, dynamic, rt};
use hotcell_bind::{Bound, Job, Source};

/// The faulty library's package with one thing changed.
fn open_changed(change: impl FnOnce(&mut rt::Package)) -> Error {
    let bound = hotcell_faulty::bound().unwrap();
    let rt::Package { runtime, library, fingerprint, functions, handles, sandbox, shim, reentrant, guard } =
        *bound.package;
    let mut package =
        rt::Package { runtime, library, fingerprint, functions, handles, sandbox, shim, reentrant, guard };
    change(&mut package);
    let options = Options { libraries: bound.libraries.clone(), ..Options::default() };
    let error = Session::open(Box::leak(Box::new(package)), options).map(drop).expect_err("changed");
    assert_eq!(error.executed(), Executed::No);
    error
}

#[test]
fn what_does_not_belong_together_does_not_start() {
    assert_eq!(open_changed(|package| package.runtime = 2).kind(), ErrorKind::AbiMismatch);
    assert_eq!(open_changed(|package| package.fingerprint[0] ^= 1).kind(), ErrorKind::AbiMismatch);
    let fewer = |package: &mut rt::Package| package.functions = &package.functions[1..];
    assert_eq!(open_changed(fewer).kind(), ErrorKind::AbiMismatch);
    let truncated = |package: &mut rt::Package| package.shim = &package.shim[..package.shim.len() / 2];
    assert_eq!(open_changed(truncated).kind(), ErrorKind::LoadFailed);
}

/// A library of one function and this constructor.
fn library(folder: &Path, constructor: &str) -> Bound {
    let code = format!(
        "#include <stdlib.h>\n#include <unistd.h>\nint answer(void) {{ return 42; }}\n\
         __attribute__((constructor)) static void construct(void) {{ {constructor} }}\n"
    );
    std::fs::write(folder.join("answer.c"), code).unwrap();
    std::fs::write(folder.join("answer.h"), "int answer(void);\n").unwrap();
    let (source, out) = (folder.join("answer.c"), folder.join("libanswer.so"));
    let cc = Command::new("cc").args(["-shared", "-fPIC", "-w", "-o"]).arg(out).arg(source).status();
    assert!(cc.unwrap().success());
    let source = Source::Headers {
        headers: vec![folder.join("answer.h").display().to_string()],
        library: folder.join("libanswer.so").display().to_string(),
        any_null: false,
    };
    let job =
        Job { source, only: None, include_dirs: Vec::new(), defines: Vec::new(), library_dirs: Vec::new() };
    hotcell_bind::bind(&job).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn constructors_are_contained() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { start_deadline: Duration::from_secs(1), ..Options::default() };
    let open = |constructor| library(folder.path(), constructor).open(options.clone());
    open("").unwrap();
    let failed = |constructor| {
        let error = open(constructor).map(drop).expect_err(constructor);
        assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
        assert_eq!(error.executed(), Executed::No);
        error
    };
    assert!(matches!(failed("abort();").cause(), Cause::Signal { name: "SIGABRT", .. }));
    assert!(matches!(failed("*(volatile int *)0 = 1;").cause(), Cause::Signal { name: "SIGSEGV", .. }));
    assert_eq!(failed("exit(0);").cause(), &Cause::Exit { status: 0 });
    assert!(failed("for (;;) sleep(1);").message().contains("in time"));
    assert!(failed("write(2, \"last words\\n\", 11); abort();").output().contains("last words"));
}

#[test]
fn a_library_that_is_gone_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let bound = library(folder.path(), "");
    std::fs::remove_file(folder.path().join("libanswer.so")).unwrap();
    let error = bound.open(Options::default()).map(drop).expect_err("no library");
    assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
    assert!(error.message().contains("libanswer.so"), "{error}");
}

/// A library that must be started, with this contract's init call.
fn started(folder: &Path, init: &str) -> hotcell::Result<Session> {
    let code = "static int state;\nint start(int how) { state = how; return how > 9; }\nint state_of(void) { return state; }\n";
    std::fs::write(folder.join("life.c"), code).unwrap();
    std::fs::write(folder.join("life.h"), "int start(int how);\nint state_of(void);\n").unwrap();
    let library = folder.join("liblife.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(folder.join("life.c"));
    assert!(cc.status().unwrap().success());
    let contract = format!(
        "hotcell = 1\nlibrary = \"life\"\nheaders = [\"life.h\"]\nlink = [{library:?}]\ninit = [{init:?}]\n"
    );
    std::fs::write(folder.join("bind.toml"), contract).unwrap();
    let source = Source::Contract(folder.join("bind.toml"));
    let job =
        Job { source, only: None, include_dirs: Vec::new(), defines: Vec::new(), library_dirs: Vec::new() };
    let bound = hotcell_bind::bind(&job).unwrap_or_else(|error| panic!("{error}"));
    bound.open(Options::default()).inspect(|session| {
        let function = bound.interface.function("state_of").unwrap();
        let outcome = dynamic::call(session, &bound.interface, function, &[]).unwrap();
        assert_eq!(outcome.returned, Some(dynamic::Value::Int(7)));
    })
}

#[test]
fn a_worker_whose_init_call_fails_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    drop(started(folder.path(), "start(7) == 0").unwrap());
    let error = started(folder.path(), "start(10) == 0").map(drop).expect_err("it fails");
    assert_eq!((error.kind(), error.executed()), (ErrorKind::LoadFailed, Executed::No), "{error}");
    assert!(error.message().contains("start(10) == 0"), "{error}");
}
