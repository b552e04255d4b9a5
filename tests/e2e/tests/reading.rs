//! Headers that end or stall a parser, and processes that read them and are killed, or lie: each is an error of that reading.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hotcell_bind::{Job, Reader, Source};
use hotcell_e2e::cli::{Folder, program};
use hotcell_e2e::process::{alive, wait_until};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

const CONTRACT: &str = "\
hotcell = 1
library = \"moon\"
headers = [\"moon.h\"]
link = [\"moon\"]
";

/// A folder with a library of one function, and a contract for it with these lines.
fn moon(header: &str, lines: &str) -> Folder {
    let folder = Folder::new();
    folder.library("moon", "int moon_add(int a, int b);\n", "int moon_add(int a, int b) { return a + b; }\n");
    folder.write("moon.h", format!("{header}\nint moon_add(int a, int b);\n"));
    folder.write("bind.toml", format!("{CONTRACT}{lines}"));
    folder
}

/// One of which the header includes a file that has no end.
fn endless() -> Folder {
    let folder = moon("#include \"pipe.h\"", "");
    let made = Command::new("mkfifo").arg(folder.path().join("pipe.h")).status().unwrap();
    assert!(made.success());
    folder
}

/// One of which the header has an expression that takes all of the parser's stack, a gibibyte.
fn deep() -> Folder {
    moon(&format!("enum {{ NUMBER = {} 1 }};", "- ".repeat(2_000_000)), "")
}

/// Held by tests that take a gibibyte.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static MEMORY: Mutex<()> = Mutex::new(());
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_long_expression_is_read() {
    let folder = moon(&format!("enum {{ SUM = 1{} }};", "+1".repeat(100_000)), "");
    folder.hotcell(["call", "bind.toml", "moon_add", "2", "3"]).succeeds().prints("return  5");
}

#[test]
fn an_expression_that_takes_all_of_the_stack_is_an_error() {
    let _memory = one_at_a_time();
    let folder = deep();
    let error = folder.hotcell(["check", "bind.toml"]).error(117, "LoadFailed");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("the compiler's parser crashed (SIG"), "{message}");
    assert!(message.contains("needs more than 1 GiB of stack"), "{message}");
    assert!(message.contains("/moon.h`"), "{message}");
}

#[test]
fn pointers_to_pointers_without_end_are_read_as_far_as_they_matter() {
    let folder = moon(&format!("int moon_far(int {}p);", "*".repeat(20_000)), "");
    folder.hotcell(["call", "bind.toml", "moon_add", "2", "3"]).succeeds().prints("return  5");
    folder.hotcell(["check", "bind.toml"]).succeeds().mentions("moon_far");
}

#[test]
fn a_prelude_that_includes_all_of_memory_is_an_error() {
    let folder = moon("", "prelude = '#include \"/dev/zero\"'\n");
    let check = || folder.hotcell(["check", "bind.toml"]).env("HOTCELL_READER_MIB", "300");
    let error = check().error(105, "LimitExceeded");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("/moon.h` and its prelude needs more than 300 MiB of memory"), "{message}");
    check().fails(105).says("HOTCELL_READER_MIB=N gives it N MiB");
}

#[test]
fn a_header_that_takes_too_long_is_an_error() {
    let folder = endless();
    let check = || folder.hotcell(["check", "bind.toml"]).env("HOTCELL_READER_SECONDS", "1");
    check().fails(105).says("/moon.h` took more than 1 s, and was ended").says("HOTCELL_READER_SECONDS=N");
    let check = folder.hotcell(["check", "bind.toml"]).env("HOTCELL_READER_SECONDS", "soon");
    check.fails(113).says("HOTCELL_READER_SECONDS is `soon`, and has to be a whole number above 0");
}

/// A `hotcell check` that has come to a file without an end, which is held open.
struct Stuck {
    check: Child,
    reader: u32,
    _pipe: File,
}

impl Stuck {
    fn begin(folder: &Folder) -> Stuck {
        // Who starts tests in the background of a shell has them ignore SIGINT.
        let mut command = Command::new("env");
        command.arg("--default-signal=INT").arg(program("hotcell")).args(["check", "bind.toml"]);
        let check =
            command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut pipe, place) = (None, folder.path().join("pipe.h"));
        wait_until("the header is read", || {
            // Only when somebody reads it.
            let flags = OFlags::NONBLOCK.bits().cast_signed();
            pipe = File::options().write(true).custom_flags(flags).open(&place).ok();
            pipe.is_some()
        });
        let readers = readers_of(check.id());
        assert_eq!(readers.len(), 1, "{readers:?}");
        Stuck { check, reader: readers[0], _pipe: pipe.unwrap() }
    }

    fn end(self) -> Output {
        self.check.wait_with_output().unwrap()
    }
}

/// The processes that this one has, by their names: also those that have ended and nobody has waited for.
fn children_of(caller: u32) -> Vec<(u32, String)> {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let child = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let parent: u32 = rest.split(' ').nth(2)?.parse().ok()?;
        (parent == caller).then(|| (pid, name.to_owned()))
    };
    pids.filter_map(child).collect()
}

/// The processes that read headers for this one: `hotcell`, under whatever name it runs itself.
fn readers_of(caller: u32) -> Vec<u32> {
    let named = children_of(caller).into_iter().filter(|(_, name)| name == "hotcell" || name == "exe");
    named.map(|(pid, _)| pid).collect()
}

fn descriptors_of(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

#[test]
fn a_reader_that_is_killed_is_an_error_with_the_signal() {
    let folder = endless();
    for (signal, says) in [
        (Signal::ILL, "the compiler's parser crashed (SIGILL) while it read `"),
        (Signal::ABORT, "the compiler's parser crashed (SIGABRT) while it read `"),
        (Signal::KILL, "was killed (SIGKILL)"),
        (Signal::TERM, "was ended (SIGTERM)"),
        (Signal::INT, "was ended (SIGINT)"),
    ] {
        let stuck = Stuck::begin(&folder);
        kill(stuck.reader, signal);
        let Output { status, stderr, .. } = stuck.end();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(117), "{stderr}");
        assert!(stderr.contains(says) && stderr.contains("/moon.h`"), "{stderr}");
    }
}

#[test]
fn a_reader_ends_with_who_asked_it() {
    let folder = endless();
    let mut stuck = Stuck::begin(&folder);
    let reader = stuck.reader;
    assert!(alive(reader));
    stuck.check.kill().unwrap();
    wait_until("the reader has gone", || !alive(reader));
    stuck.end();
}

/// Set for a process that runs one test: in this one other tests have children, too.
const ALONE: &str = "HOTCELL_TEST_ALONE";

/// Whether this process runs one test only. Else this test passes in one that does.
fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut own = Command::new(std::env::current_exe().unwrap());
    own.args(["--exact", test, "--nocapture"]).env(ALONE, "1");
    let Output { status, stdout, stderr } = own.output().unwrap();
    let said = [stdout, stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
    assert!(status.success() && said.contains("1 passed"), "{said}");
    false
}

fn job(folder: &Folder) -> Job {
    Job {
        source: Source::Contract(folder.path().join("bind.toml")),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: Vec::new(),
    }
}

#[test]
fn nothing_is_left_of_reading() {
    let _memory = std::env::var_os(ALONE).is_none().then(one_at_a_time);
    if !is_alone("nothing_is_left_of_reading") {
        return;
    }
    let folder = moon("", "");
    let own = std::process::id();
    let checked = hotcell_bind::check(&job(&folder)).unwrap();
    assert_eq!(checked.interface.functions.len(), 1);
    let before = descriptors_of(own);
    hotcell_bind::check(&job(&folder)).unwrap();
    folder.write("moon.h", "int moon_add(");
    hotcell_bind::check(&job(&folder)).unwrap_err();
    folder.write("moon.h", format!("enum {{ NUMBER = {} 1 }};", "- ".repeat(2_000_000)));
    hotcell_bind::check(&job(&folder)).unwrap_err();
    assert_eq!(children_of(own), []);
    assert_eq!(descriptors_of(own), before);
}

/// Before it was asked anything, and behind an answer.
#[test]
fn a_reader_that_ends_while_nobody_asks_it_is_replaced() {
    if !is_alone("a_reader_that_ends_while_nobody_asks_it_is_replaced") {
        return;
    }
    let own = std::process::id();
    let reader = Reader::new();
    reader.start();
    let mut last = None;
    for _ in 0..3 {
        let readers = readers_of(own);
        assert!(readers.len() == 1 && last != Some(readers[0]), "{readers:?} behind {last:?}");
        last = Some(readers[0]);
        kill(readers[0], Signal::KILL);
        // All of its threads, and not the first only.
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_raw(readers[0].cast_signed()).unwrap()), ended).unwrap();
        reader.parser().unwrap();
    }
    drop(reader);
    assert_eq!(children_of(own), []);
}

#[test]
fn threads_read_at_the_same_time() {
    let folder = moon("", "");
    std::thread::scope(|scope| {
        let check = || hotcell_bind::check(&job(&folder)).unwrap().interface.functions.len();
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(check)).collect();
        threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), 1));
    });
}

#[test]
fn a_header_may_be_the_standard_input() {
    let folder = moon("", "");
    for path in ["/dev/stdin", "/proc/self/fd/0"] {
        let mut check = Command::new(program("hotcell"));
        check.args(["check", path, "--lib"]).arg(folder.path().join("libmoon.so"));
        let header = File::open(folder.path().join("moon.h")).unwrap();
        let Output { status, stdout, stderr } = check.stdin(header).output().unwrap();
        let said = [stdout, stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
        assert!(status.success() && said.contains("moon_add"), "{path}: {said}");
    }
}

#[test]
fn limits_of_the_caller_leave_less_stack_and_not_none() {
    let folder = moon("", "");
    let deep = deep();
    let limited = |folder: &Folder, limit: &str| {
        let mut shell = Command::new("sh");
        let script = format!("ulimit {limit} && exec \"$0\" check bind.toml");
        shell.args(["-c", &script]).arg(program("hotcell")).current_dir(folder.path());
        shell.output().unwrap()
    };
    for limit in ["-v 800000", "-v 1100000", "-d 900000"] {
        let Output { status, stderr, .. } = limited(&folder, limit);
        assert!(status.success(), "{limit}: {}", String::from_utf8_lossy(&stderr));
    }
    let Output { status, stderr, .. } = limited(&deep, "-d 900000");
    let stderr = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(117), "{stderr}");
    assert!(stderr.contains("needs more than 128 MiB of stack"), "{stderr}");
    assert!(stderr.contains("raise the limit (`ulimit -v`"), "{stderr}");
}

/// Somebody else has the connection, too: a child of the reader, or of the caller.
#[test]
fn a_crash_is_one_though_somebody_holds_the_connection() {
    let script = format!("sleep 60 & {} kill -SEGV $$", hello());
    check_reader(&script, 117, "LoadFailed", "crashed (SIGSEGV)");
}

#[test]
fn what_nobody_asked_for_is_no_answer() {
    let script = format!("{} printf '{{}}\\n{{}}\\n'; exec sleep 60", hello());
    check_reader(&script, 117, "LoadFailed", "said more than it was asked for");
}

#[test]
fn an_answer_that_would_take_far_more_memory_is_refused() {
    let many = |text: &str| format!("head -c 12000000 /dev/zero | sed 's/\\x00/,{text}/g'");
    let api = r#"{"number":1,"reply":{"api":{"function_macros":{"a":["""#;
    let script = format!("{} printf '{api}'; {}; echo ']}}}}}}'; exec sleep 60", hello(), many("\"a\""));
    check_reader(&script, 105, "LimitExceeded", "moon.h` declares takes more than 384 MiB");
    // What no field of an answer is takes nothing.
    let script =
        format!("{} printf '{{\"number\":1,\"other\":[0'; {}; echo ']}}'; exec sleep 60", hello(), many("0"));
    check_reader(&script, 117, "LoadFailed", "answered what no header says: missing field `reply`");
}

/// The answer to one request is the first line, and that to the next one is the same once more.
#[test]
fn an_answer_to_another_request_is_refused() {
    let folder = moon("", "");
    let answer = format!("echo '{}'", answered(1, INVALID));
    let script = format!("#!/bin/sh\n{} {answer}; read job <&1; {answer}; exec sleep 600\n", hello());
    folder.write("reader", script);
    folder.make_executable("reader");
    let check = folder.hotcell(["check", "moon.h", "--lib", "./libmoon.so"]);
    let error = check.env("HOTCELL_READER", folder.path().join("reader")).error(117, "LoadFailed");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("answered another request than that to read"), "{message}");
    check_reader(
        &format!("{} echo '{}'; exec sleep 600", hello(), answered(2, INVALID)),
        117,
        "LoadFailed",
        "answered another request",
    );
}

/// A reply that headers do not compile.
const INVALID: &str = r#"{"error":{"kind":"header-invalid","message":"no","diagnostics":[],"help":null}}"#;

/// A reply to the request of this number.
fn answered(number: u64, reply: &str) -> String {
    format!("{{\"number\":{number},\"reply\":{reply}}}")
}

/// Each of them is fast enough for itself.
#[test]
fn preludes_are_tried_in_the_time_of_one_job() {
    // A request begins with its number.
    let answer = format!("sleep 0.6; echo \"${{job%%,*}},\"'\"reply\":{INVALID}}}'");
    let folder = moon("", "");
    folder
        .write("reader", format!("#!/bin/sh\n{} {answer}; while read job <&1; do {answer}; done\n", hello()));
    folder.make_executable("reader");
    let check = folder.hotcell(["check", "moon.h", "--lib", "./libmoon.so"]);
    let check = check.env("HOTCELL_READER", folder.path().join("reader")).env("HOTCELL_READER_SECONDS", "1");
    let error = check.error(105, "LimitExceeded");
    assert!(error["message"].as_str().unwrap().contains("took more than 1 s"), "{error}");
}

#[test]
fn a_reader_that_crashes_is_not_asked_for_other_preludes() {
    let hello = hello();
    let folder = moon("", "");
    let script = format!(
        "#!/bin/sh\n{hello} echo x >> count; [ $(wc -l < count) -gt 1 ] && kill -SEGV $$; echo '{}'; read job <&1; \
         echo x >> count; kill -SEGV $$\n",
        answered(1, INVALID)
    );
    folder.write("reader", script);
    folder.make_executable("reader");
    let reader = folder.path().join("reader");
    let error = folder.hotcell(["check", "moon.h", "--lib", "./libmoon.so"]).env("HOTCELL_READER", reader);
    let error = error.error(117, "LoadFailed");
    assert!(error["message"].as_str().unwrap().contains("crashed (SIGSEGV)"), "{error}");
    let count = fs::read_to_string(folder.path().join("count")).unwrap().lines().count();
    assert!(count <= 3, "{count}");
}

/// Words of a script that say what the reader says first, and take a job.
fn hello() -> String {
    let mut command = Command::new(program("hotcell"));
    command.arg("read-for-another").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut reader = command.spawn().unwrap();
    let mut said = String::new();
    BufReader::new(reader.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    reader.kill().unwrap();
    reader.wait().unwrap();
    format!("echo '{}'; read job <&1;", said.trim_end())
}

/// What `hotcell check` makes of a reader that is this script.
#[track_caller]
fn check_reader(script: &str, status: i32, kind: &str, says: &str) {
    let folder = moon("", "");
    folder.write("reader", format!("#!/bin/sh\n{script}\n"));
    folder.make_executable("reader");
    let reader = folder.path().join("reader");
    let error = folder.hotcell(["check", "bind.toml"]).env("HOTCELL_READER", reader).error(status, kind);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(says), "{script}: {message}");
    assert!(error["help"].is_string(), "{error}");
}

/// Of which each was gone through again for each behind it.
#[test]
fn a_long_chain_of_typedefs_is_read() {
    let chain: String = (0..20_000).map(|n| format!("typedef moon_{n} moon_{};\n", n + 1)).collect();
    let folder = moon(&format!("typedef int moon_0;\n{chain}moon_20000 moon_far(moon_20000 a);"), "");
    folder.hotcell(["check", "bind.toml"]).succeeds().mentions("moon_far").mentions("moon_add");
}

/// A letter that cannot be seen, which is an ordinary one in Persian.
#[test]
fn a_function_whose_name_cannot_be_seen_is_left_out_with_a_word() {
    let folder = moon("int moon_\u{200c}b(void);", "");
    let check = folder.hotcell(["check", "bind.toml"]).succeeds().mentions("moon_add");
    check.says("`moon_\\u{200c}b` is left out: no package can have the name");
}

#[test]
fn a_reader_that_lies_is_an_error() {
    let hello = hello();
    let check =
        |answer: &str, says: &str| check_reader(&format!("{hello} {answer}"), 117, "LoadFailed", says);
    check("echo nonsense", "answered what no header says: expected");
    check(&format!("echo '{}'", answered(1, "{\"api\":{}}")), "answered what no header says: missing field");
    check("printf '{\"number\":1,\"reply\":{\"api\":{\"target\":'", "ended with status 0");
    check("exit 3", "ended with status 3");
    check("kill -BUS $$", "crashed (SIGBUS)");
    check("exec 1>&-; exec sleep 600", "fell silent while it read");
    let api = |functions: &str, constants: &str| {
        let api = format!(
            "{{\"api\":{{\"target\":{{\"triple\":\"t\",\"pointer_bits\":64,\"char_signed\":true}},\"functions\":\
             [{functions}],\"records\":{{}},\"enums\":{{}},\"constants\":{{{constants}}},\"function_macros\":{{}}}}}}"
        );
        format!("echo '{}'", answered(1, &api))
    };
    let place = "\"location\":{\"file\":\"a.h\",\"line\":1,\"primary\":true}";
    let constant = format!("\"A = 1; int B\":{{\"value\":{{\"type\":\"int\",\"value\":1}},{place}}}");
    check(&api("", &constant), "answered what no header says: the name \"A = 1; int B\"");
    let result =
        "{\"written\":\"struct a\",\"canonical\":\"struct a\",\"kind\":{\"kind\":\"record\",\"name\":\"a\"}}";
    let function = format!(
        "{{\"name\":\"f\",\"params\":[],\"result\":{result},\"variadic\":false,\"prototyped\":true,\"inline\":false,\
         \"attributes\":[],\"doc\":null,{place}}}"
    );
    check(&api(&function, ""), "answered what no header says: a record \"a\"");
}

#[test]
fn an_answer_without_end_is_an_error() {
    let hello = hello();
    check_reader(&format!("{hello} exec cat /dev/zero"), 105, "LimitExceeded", "is more than 96 MiB");
}

#[test]
fn a_program_that_is_no_reader_is_told() {
    let check = |script: &str, says: &str| check_reader(script, 117, "LoadFailed", says);
    let hello = hello();
    check("echo '{\"hotcell\":\"0.0.1\"}'; read job <&1", "is `hotcell` 0.0.1, and");
    // Of this version, and of other sources.
    let (before, form) = hello.split_once("\"form\":").unwrap();
    let (form, behind) = form.split_once(',').unwrap();
    let other = form.parse::<u64>().unwrap() ^ 1;
    check(&format!("{before}\"form\":{other},{behind}"), " of another build, and ");
    check("echo hello; read job <&1", "reads no headers: it is another program than `hotcell`");
    check("echo 'unknown command' >&2; exit 2", "it said: unknown command");
    let folder = moon("", "");
    let nowhere = folder.path().join("nowhere");
    let ended = folder.hotcell(["check", "bind.toml"]).env("HOTCELL_READER", nowhere).fails(117);
    ended
        .says("HOTCELL_READER, the path of the program `hotcell`, is `")
        .says("install it beside your program");
    folder.write("text", "no program");
    let text = folder.path().join("text");
    let ended = folder.hotcell(["check", "bind.toml"]).env("HOTCELL_READER", text).fails(117);
    ended.says("cannot be started: ");
}
