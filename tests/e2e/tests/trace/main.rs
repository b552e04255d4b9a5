//! `hotcell trace`: a program runs its calls, and under the profile that is written the same calls pass, and others do not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;

use hotcell_e2e::cli::{Folder, program};
use hotcell_e2e::wall::as_every_user_with;

mod paths;

const CONTRACT: &str = "\
hotcell = 1
library = \"needy\"
headers = [\"needy.h\"]
link = [\"needy\"]

[function.\"needy_*\"]
params.path = { string = \"utf-8\" }
";

/// Exit statuses of errors.
const DENIED: i32 = 106;
const WRONG: i32 = 113;

/// A folder with the library, and one beside with files.
struct Scene {
    own: Folder,
    data: Folder,
}

impl Scene {
    fn new() -> Scene {
        let (own, data) = (Folder::new(), Folder::new());
        own.write("needy.h", include_str!("needy.h"));
        own.write("needy.c", include_str!("needy.c"));
        own.write("bind.toml", CONTRACT);
        own.compile_with("needy", &["-O2", "-Wextra", "-Werror", "-pthread", "-Wl,-soname,libneedy.so"]);
        data.write("three", [1, 1, 1]);
        data.write("other", [9]);
        fs::create_dir(data.path().join("space")).unwrap();
        Scene { own, data }
    }

    fn path(&self, name: &str) -> String {
        self.data.path().join(name).to_str().unwrap().to_owned()
    }

    /// Traces a shell that runs these calls one after the other, each a line of words.
    fn trace(&self, calls: &[String]) -> String {
        let lines: Vec<String> = calls.iter().map(|call| self.line(call)).collect();
        let words = ["trace", "bind.toml", "-L", ".", "-o", "sandbox.toml", "--", "sh", "-e", "-c"];
        self.own.hotcell(words).and([lines.join("\n")]).succeeds();
        String::from_utf8(self.own.read("sandbox.toml")).unwrap()
    }

    fn line(&self, call: &str) -> String {
        format!("'{}' call bind.toml -L . {call}", program("hotcell").display())
    }

    /// The contract with a profile, from now on.
    fn have(&self, profile: &str) {
        self.own.write("bind.toml", format!("{CONTRACT}\n{profile}"));
    }

    /// What a call returns.
    fn returns(&self, call: &str, expect: i64) {
        let words = ["call", "bind.toml", "-L", "."].into_iter().chain(call.split(' '));
        let ended = self.own.hotcell(words).succeeds();
        assert_eq!(ended.stdout().split_whitespace().nth(1), Some(&*expect.to_string()), "{call}: {ended}");
    }

    /// A call that is denied, for this system call.
    fn is_denied(&self, call: &str, syscall: &str) {
        let words = ["call", "bind.toml", "-L", "."].into_iter().chain(call.split(' '));
        self.own.hotcell(words).fails(DENIED).says(syscall);
    }
}

/// Somebody who says a byte to whoever connects.
fn speaker(byte: u8) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.and_then(|mut stream| stream.write_all(&[byte]));
        }
    });
    port
}

#[test]
fn the_written_profile_lets_the_same_calls_pass_and_no_others() {
    const TEST: &str = "the_written_profile_lets_the_same_calls_pass_and_no_others";
    as_every_user_with(&["hotcell"], TEST, || {
        let (scene, port, other) = (Scene::new(), speaker(42), speaker(43));
        let [three, others, made] = ["three", "other", "space/made"].map(|name| scene.path(name));
        // Under `compute` none of it passes: what is read when it is loaded does, for the profile is not in force yet.
        scene.is_denied(&format!("needy_sum {three}"), "openat");
        let calls = [
            (format!("needy_sum {three}"), 3),
            (format!("needy_append {made}"), 1),
            (format!("needy_replace {made}"), 0),
            ("needy_temporary 1234".to_owned(), 1234),
            ("needy_memory 1 4096".to_owned(), 4096),
            (format!("needy_ask {port}"), 42),
            ("needy_curious".to_owned(), 7),
            ("needy_loaded".to_owned(), i64::from(fs::read("/etc/passwd").unwrap()[0])),
        ];
        let profile = scene.trace(&calls.each_ref().map(|(call, _)| call.clone()));
        let space = scene.path("space");
        for line in [
            "profile = \"custom\"".to_owned(),
            format!("read = [\"{three}\"]"),
            format!("write = [\"{space}\"]"),
            format!("connect = [{port}]"),
            "allow = [\"memfd_create(arg1 == 1)\"]".to_owned(),
            "load = [\"/etc/passwd\"]".to_owned(),
            "#   openat(\"/proc/stat\"): Permission denied (os error 13)".to_owned(),
        ] {
            assert!(profile.lines().any(|it| it == line), "{line} is not in {profile}");
        }
        assert!(profile.lines().filter(|line| !line.starts_with('#')).count() == 7, "{profile}");
        scene.have(&profile);
        for (call, expect) in &calls {
            scene.returns(call, *expect);
        }
        let refused = -i64::from(libc::EACCES);
        scene.returns(&format!("needy_sum {others}"), refused);
        scene.returns(&format!("needy_append {three}"), refused);
        scene.returns(&format!("needy_append {}", scene.path("beside")), refused);
        scene.returns(&format!("needy_ask {other}"), refused);
        scene.is_denied("needy_memory 3 4096", "memfd_create");
    });
}

#[test]
fn what_needs_nothing_gets_nothing() {
    let scene = Scene::new();
    let profile = scene.trace(&["needy_curious".to_owned()]);
    assert!(profile.ends_with("[sandbox]\nprofile = \"compute\"\nload = [\"/etc/passwd\"]\n"), "{profile}");
    // Names alone, and temporary files: rules of paths, and nothing is open by them.
    let three = scene.path("three");
    let profile = scene.trace(&[format!("needy_size {three}"), "needy_temporary 5".to_owned()]);
    assert!(profile.ends_with("[sandbox]\nprofile = \"files\"\nload = [\"/etc/passwd\"]\n"), "{profile}");
    scene.have(&profile);
    scene.returns(&format!("needy_size {three}"), 3);
    scene.returns("needy_temporary 5", 5);
    scene.returns(&format!("needy_sum {three}"), -i64::from(libc::EACCES));
}

/// Calls of several threads at once are all answered, and noted once.
#[test]
fn threads_are_traced_too() {
    let scene = Scene::new();
    let three = scene.path("three");
    let profile = scene.trace(&[format!("needy_threads {three} 32")]);
    assert!(profile.contains(&format!("read = [\"{three}\"]\n")), "{profile}");
    scene.have(&profile);
    scene.returns(&format!("needy_threads {three} 32"), 96);
}

#[test]
fn what_is_wrong_is_told() {
    let scene = Scene::new();
    let trace = |words: &[&str]| scene.own.hotcell(["trace", "bind.toml", "-L", "."]).and(words);
    trace(&["--", "true"]).fails(WRONG).says("the program opened no session of `needy`");
    trace(&["--", "./no-such-program"]).fails(WRONG).says("`./no-such-program` cannot be started");
    trace(&["-o", "no/folder", "--", "true"]).fails(WRONG).says("there is no folder no");
    trace(&[]).fails(2).says("<PROGRAM>");
    // The program's own end is told, and what was seen until then.
    let calls = format!("{}; exit 3", scene.line("needy_temporary 5"));
    trace(&["--", "sh", "-c", &calls]).fails(3).mentions("profile = \"files\"").says("exit status: 3");
    // What is denied in every profile is denied, and what no profile can name is told.
    let root = format!("{} || true", scene.line("needy_replace /hotcell-nowhere"));
    let told = trace(&["--", "sh", "-c", &root]).succeeds();
    if rustix::process::getuid().is_root() {
        told.mentions("used /, which no profile can name");
        assert!(!Path::new("/hotcell-nowhere").exists());
    }
    // Sessions of other libraries are as ever.
    let other = Folder::with_moon();
    let (hotcell, place) = (program("hotcell"), other.path().display());
    let call = format!("'{}' call '{place}/bind.toml' -L '{place}' moon_add 2 3", hotcell.display());
    trace(&["--", "sh", "-e", "-c", &call]).fails(WRONG).mentions("5").says("opened no session of `needy`");
    let json = trace(&["--format", "json", "--", "sh", "-c", &scene.line("needy_curious >/dev/null")])
        .succeeds()
        .json();
    assert_eq!(json["sandbox"]["profile"], "compute");
    assert_eq!(json["refused"][0]["call"], "ioctl");
}

/// The attacks of `lab/faulty` that no profile allows, tried while they are traced, as by a host that is asked about them.
#[test]
fn what_is_always_denied_is_denied_while_it_is_traced() {
    const TEST: &str = "what_is_always_denied_is_denied_while_it_is_traced";
    as_every_user_with(&["hotcell"], TEST, || {
        let folder = Folder::new();
        folder.write("attacks.h", include_str!("../../../../lab/faulty/attacks.h"));
        folder.write("attacks.c", include_str!("../../../../lab/faulty/attacks.c"));
        folder.write("bind.toml", include_str!("../../src/wall/bind.toml"));
        folder.compile_with("attacks", &["-O2", "-Wl,-soname,libattacks.so"]);
        let seen = folder.path().join("seen");
        let attack = |name: &str| {
            let call = folder.hotcell(["call", "bind.toml", "-L", ".", "attack_now", name]);
            call.env("HOTCELL_TRACE", &seen).env("HOTCELL_TRACE_LIBRARY", "attacks")
        };
        for (name, syscall) in [
            ("ptrace_seize", "ptrace"),
            ("process_vm_readv", "process_vm_readv"),
            ("pidfd_open", "pidfd_open"),
            ("kill_parent", "kill"),
            ("tgkill_parent", "tgkill"),
            ("setown", "fcntl"),
            ("o_async", "fcntl"),
            ("fiosetown", "ioctl"),
            ("pdeathsig", "prctl"),
            ("libc_fork", "clone"),
            ("clone_user_namespace", "clone"),
            ("execve", "execve"),
            ("unshare", "unshare"),
            ("mount", "mount"),
            ("bpf", "bpf"),
            ("landlock", "landlock_create_ruleset"),
            ("clock_settime", "clock_settime"),
        ] {
            attack(name).fails(DENIED).says(&format!("the sandbox denied {syscall}"));
        }
        for (name, errno) in [
            ("io_uring_setup", libc::ENOSYS),
            ("clone3", libc::ENOSYS),
            ("prlimit_parent", libc::EPERM),
            ("affinity_parent", libc::EPERM),
            ("core_zero", libc::EPERM),
            ("sigsys_action", libc::EPERM),
            // What /proc tells of the program itself: its memory, and all that leads to it.
            ("proc_mem", libc::EACCES),
            ("proc_environ", libc::EACCES),
            ("proc_maps", libc::EACCES),
            ("proc_root", libc::EACCES),
        ] {
            let printed = attack(name).succeeds();
            assert_eq!(
                printed.stdout().split_whitespace().nth(1),
                Some(&*errno.to_string()),
                "{name}: {printed}"
            );
        }
        // So it is the rules, and not that nothing is done.
        attack("passwd").succeeds().mentions("return  0");
        let seen = fs::read_to_string(seen).unwrap();
        assert!(seen.lines().any(|line| line == "read\t/etc/passwd"), "{seen}");
        let always = ["ptrace", "pidfd_open", "kill", "fcntl", "clone", "execve", "bpf"];
        let noted = |call: &&str| seen.contains(&format!("\t{call}\t"));
        assert_eq!(always.iter().find(|call| noted(call)), None, "nobody was asked: {seen}");
    });
}

/// The level of a session that is traced says that there is no wall.
#[test]
fn a_traced_session_says_so() {
    let folder = Folder::new();
    let file = folder.path().join("seen");
    let doctor = |library: &str| {
        let doctor = folder.hotcell(["doctor", "--format", "json"]).env("HOTCELL_TRACE", &file);
        doctor.env("HOTCELL_TRACE_LIBRARY", library).succeeds().json().to_string()
    };
    let lacks = "is in force but for system-call-filter";
    // That of the doctor's own library, which is the C library, is not asked for.
    let json = doctor("another");
    assert!(json.contains("no-unnamed-files") && !json.contains(lacks), "{json}");
    assert!(!file.exists());
    let json = doctor("c");
    assert!(json.contains(lacks), "{json}");
    assert!(fs::read_to_string(&file).unwrap().starts_with("worker\n"));
}
