//! `write_xor_execute`: memory that can be written is never executed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Value};
use hotcell::{ErrorKind, Level, Options, Profile, Require, Sandbox, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound;
use hotcell_e2e::cli::Folder;

const HEADER: &str = "int make_code(int how, const char *path);\nint in_constructor(void);\nint shared(void);\nint pick(int number);\n";

/// Executes what returns 42, made in some way: 42, or the number of an error below 0.
const CODE: &str = r#"
#define _GNU_SOURCE
#include "code.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
#elif defined(__aarch64__)
static const unsigned char code[] = {0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
#endif

static int run(void *page)
{
    if (page == MAP_FAILED) {
        return -errno;
    }
    __builtin___clear_cache((char *)page, (char *)page + sizeof code);
    return ((int (*)(void))(uintptr_t)page)();
}

static void *map(int protection, int flags, int fd)
{
    return mmap(NULL, 4096, protection, flags, fd, 0);
}

static int of_file(int fd)
{
    if (fd < 0 || ftruncate(fd, 4096) != 0 || pwrite(fd, code, sizeof code, 0) != sizeof code) {
        return -errno;
    }
    return run(map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd));
}

/* Memory that is executed under one name and written under another. */
static int of_two_names(void)
{
    void *first = map(PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1);
    if (first == MAP_FAILED) {
        return -errno;
    }
    void *second = mremap(first, 0, 4096, MREMAP_MAYMOVE);
    if (second == MAP_FAILED || mprotect(second, 4096, PROT_READ | PROT_WRITE) != 0) {
        return -errno;
    }
    memcpy(second, code, sizeof code);
    return run(first);
}

int make_code(int how, const char *path)
{
    if (how == 6) {
        return of_two_names();
    }
    void *page = how == 0 ? map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1)
                          : map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (page == MAP_FAILED) {
        return -errno;
    }
    memcpy(page, code, sizeof code);
    switch (how) {
    case 0:
        return run(page);
    case 1:
        return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ? run(page) : -errno;
    case 2:
        return pkey_mprotect(page, 4096, PROT_READ | PROT_EXEC, -1) == 0 ? run(page) : -errno;
    case 3:
        return of_file((int)syscall(SYS_memfd_create, "code", 0));
    case 4:
        return of_file(open(path, O_RDWR | O_CREAT, 0600));
    default:
        return personality(READ_IMPLIES_EXEC) < 0 ? -errno : run(mremap(page, 4096, 8192, MREMAP_MAYMOVE));
    }
}

static int constructed, segments;
__attribute__((constructor)) static void construct(void)
{
    /* What the worker shares with its host, and is no library. */
    for (int fd = 0; fd < 1024; fd++) {
        struct stat about;
        if (fstat(fd, &about) != 0 || about.st_size < 4096) {
            continue;
        }
        for (int flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++) {
            const char *page = map(PROT_READ | PROT_EXEC, flags, fd);
            segments += page != MAP_FAILED && memcmp(page, "\177ELF", 4) != 0;
        }
    }
    for (int how = 0; how < 7; how++) {
        constructed += how != 4 && how != 5 && make_code(how, "") == 42;
    }
}

int shared(void) { return segments; }

int in_constructor(void) { return constructed; }

/* Chosen by the loader, when the library is relocated. */
static int one(int number) { return number + 1; }
static int (*choose(void))(int) { return one; }
int pick(int number) __attribute__((ifunc("choose")));
"#;

const CONTRACT: &str = "hotcell = 1\nlibrary = \"code\"\nheaders = [\"code.h\"]\nlink = [\"code\"]\n\
                        [function.make_code]\nparams.path = { string = \"utf-8\" }\n";

fn bind(sandbox: &str) -> (Folder, Bound) {
    bound::bind("code", HEADER, CODE, &CONTRACT.replace("[function", &format!("{sandbox}[function")))
}

fn sandbox(profile: Profile) -> Sandbox {
    Sandbox { write_xor_execute: true, ..Sandbox::of(profile) }
}

fn call(bound: &Bound, session: &Session, name: &str, args: &[Value]) -> i128 {
    let function = bound.interface.function(name).unwrap();
    match dynamic::call(session, &bound.interface, function, args).map(|outcome| outcome.returned) {
        Ok(Some(Value::Int(number))) => number,
        other => panic!("{name}: {other:?}"),
    }
}

/// What comes of each way.
fn make(bound: &Bound, session: &Session, how: i128, path: &str) -> i128 {
    call(bound, session, "make_code", &[Value::Int(how), Value::Text(path.into())])
}

const DENIED: i128 = -(libc::EACCES as i128);

#[test]
fn nothing_that_was_written_is_executed() {
    let (_folder, bound) = bind("");
    let open = |sandbox| bound.open(Options { sandbox: Some(sandbox), ..Options::default() }).unwrap();
    let session = open(Sandbox { require: Require::Strict, ..sandbox(Profile::Compute) });
    assert!(session.level().contains(Level::NO_NEW_CODE), "{:?}", session.level().names());
    assert_eq!(call(&bound, &session, "in_constructor", &[]), 0, "nor while it loads");
    assert_eq!(call(&bound, &session, "shared", &[]), 0, "nor what the host writes");
    assert_eq!(call(&bound, &session, "pick", &[Value::Int(6)]), 7, "what a loader chooses is executed");
    for how in [0, 1, 2, 6] {
        assert_eq!(make(&bound, &session, how, ""), DENIED, "way {how}");
    }
    assert!(session.refused().is_some(), "it is counted");

    // Without the line all of that is done.
    let session = open(Sandbox::of(Profile::Compute));
    assert!(!session.level().contains(Level::NO_NEW_CODE), "{:?}", session.level().names());
    assert_eq!(call(&bound, &session, "in_constructor", &[]), 5);
    assert_eq!(call(&bound, &session, "shared", &[]), 0);
    for how in [0, 1, 2, 6] {
        assert_eq!(make(&bound, &session, how, ""), 42, "way {how}");
    }
}

/// What a profile names besides: files that are written and then mapped, in memory too.
#[test]
fn nor_is_what_was_written_into_files() {
    let (_folder, bound) = bind("");
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("code");
    let path = file.display().to_string();
    for (write_xor_execute, expect) in [(true, DENIED), (false, 42)] {
        let sandbox = Sandbox {
            write: vec![place.path().to_owned()],
            allow: vec!["memfd_create".into()],
            write_xor_execute,
            ..Sandbox::of(Profile::Custom)
        };
        let session = bound.open(Options { sandbox: Some(sandbox), ..Options::default() }).unwrap();
        for how in [3, 4] {
            assert_eq!(make(&bound, &session, how, &path), expect, "way {how}");
        }
    }
}

#[test]
fn what_makes_memory_executable_otherwise_cannot_be_allowed() {
    let (_folder, bound) = bind("");
    for call in ["personality", "shmat(arg2 == 0)"] {
        let sandbox = Sandbox { allow: vec![call.into()], ..sandbox(Profile::Custom) };
        let error =
            bound.open(Options { sandbox: Some(sandbox), ..Options::default() }).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(
            error.message().contains("can make memory executable, which `write_xor_execute` denies"),
            "{error}"
        );
    }
    let error = bound.open(Options { sandbox: Some(sandbox(Profile::Basic)), ..Options::default() });
    let error = error.map(drop).unwrap_err();
    assert!(error.message().contains("the profile `basic` has no `write_xor_execute`"), "{error}");
}

#[test]
fn a_contract_says_so() {
    let (_folder, bound) = bind("sandbox = { profile = \"compute\", write_xor_execute = true }\n");
    let session = bound.open(Options::default()).unwrap();
    assert_eq!(make(&bound, &session, 0, ""), DENIED);
}

/// Another library of that name, compiled with these words: what becomes of it where code may be written, and where not.
fn loads(code: &str, words: &[&str]) -> [Result<i128, String>; 2] {
    let (folder, bound) = bind("");
    folder.write("other.c", code);
    folder.compile_with("other", &[&["-Wl,-soname,libcode.so", "-w"], words].concat());
    [Sandbox::of(Profile::Compute), sandbox(Profile::Compute)].map(|sandbox| {
        let libraries = vec![folder.path().join("libother.so")];
        let options = Options { libraries, sandbox: Some(sandbox), ..Options::default() };
        let opened = Session::open(bound.package, options);
        opened.map(|session| call(&bound, &session, "pick", &[Value::Int(6)])).map_err(|error| {
            assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
            error.message().to_owned()
        })
    })
}

#[test]
fn a_library_that_cannot_do_without_is_refused_with_the_reason() {
    let plain = CODE.replace("__attribute__((constructor))", "__attribute__((unused))");
    let needs = |code: &str, words: &[&str], reason: &str| {
        let [open, refused] = loads(code, words);
        assert_eq!(open, Ok(7), "{words:?}");
        let refused = refused.unwrap_err();
        assert!(refused.contains("libother.so: ") && refused.contains(reason), "{words:?}: {refused}");
        assert!(refused.contains("`write_xor_execute`"), "{refused}");
    };
    needs(&plain, &["-Wl,-z,execstack"], "it wants an executable stack (PT_GNU_STACK)");
    // An address in the code, which is not known before it is loaded.
    let relocated = format!("{plain}\n__asm__(\".pushsection .text\\n.quad memcpy\\n.popsection\");\n");
    needs(&relocated, &["-Wl,-z,notext"], "its loader writes addresses into its code (DT_TEXTREL)");
    let [open, walled] = loads(&plain, &["-Wl,-z,noexecstack"]);
    assert_eq!((open, walled), (Ok(7), Ok(7)));
}

/// What the library needs is the loader's to tell.
#[test]
fn so_is_one_that_needs_such_a_library() {
    let (folder, bound) = bind("");
    folder.write("below.c", "int below(int number) { return number; }\n");
    folder.compile_with("below", &["-Wl,-soname,libbelow.so", "-Wl,-z,execstack"]);
    let code = CODE.replace("return number + 1;", "extern int below(int); return below(number) + 1;");
    folder.write("other.c", code);
    let path = folder.path().display().to_string();
    let (place, found) = (format!("-L{path}"), format!("-Wl,-rpath,{path}"));
    folder.compile_with("other", &["-Wl,-soname,libcode.so", "-w", &place, &found, "-lbelow"]);
    let options = Options {
        libraries: vec![folder.path().join("libother.so")],
        sandbox: Some(Sandbox { load: vec![folder.path().to_owned()], ..sandbox(Profile::Compute) }),
        ..Options::default()
    };
    let error = Session::open(bound.package, options).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
    assert!(
        error.message().contains("libbelow.so") && error.message().contains("executable stack"),
        "{error}"
    );
}

/// The loader has room for few variables of threads that are found without a call.
#[test]
fn a_library_with_too_many_variables_of_threads_is_refused_with_the_reason() {
    let code = CODE
        .replace(
            "static int constructed,",
            "static __thread volatile char all[1 << 20]; static int constructed,",
        )
        .replace("return number + 1;", "all[number] = 1; return number + 1;");
    let code = code.replace("__attribute__((constructor))", "__attribute__((unused))");
    for refused in loads(&code, &["-ftls-model=initial-exec"]) {
        let refused = refused.unwrap_err();
        assert!(refused.contains("static TLS"), "{refused}");
    }
    let as_it_should = loads(&code, &["-ftls-model=global-dynamic"]);
    assert_eq!(as_it_should, [Ok(7), Ok(7)]);
}
