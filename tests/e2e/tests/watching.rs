//! Looking at a process from another one: what it has is told as it is, to the same user and to root, and to nobody else.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use hotcell_e2e::cli::{Folder, Hotcell, program};
use hotcell_e2e::process::{alive, sleeps, stop, wait_until};
use serde_json::{Value, json};

/// The user "nobody", and who plays others than the host's.
const NOBODY: u32 = 65534;

/// Set for the child that plays a stranger; the name of the socket that it goes to.
const STRANGER: &str = "HOTCELL_TEST_STRANGER";

const LOOK: &[u8] = b"{\"hotcell_watch\":1,\"ask\":\"look\"}\n";

/// A process that uses the faulty library.
struct Host {
    child: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
    folder: Folder,
}

impl Host {
    fn start(watch: &str, kind: &str) -> Host {
        Host::start_with(watch, kind, |_, _| ())
    }

    fn start_with(watch: &str, kind: &str, with: impl FnOnce(&mut Command, &Folder)) -> Host {
        let folder = Folder::new();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell-watched-host"));
        command.env("HOTCELL_WORKER", program("hotcell-worker")).env_remove("HOTCELL_WATCH");
        with(&mut command, &folder);
        command.arg(folder.path().join("libfaulty.so")).args([watch, kind]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (says, hears) = (BufReader::new(child.stdout.take().unwrap()), child.stdin.take().unwrap());
        let mut host = Host { child, says, hears, folder };
        assert_eq!(host.line(), "ready");
        host
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Has it make a call: what comes of it.
    fn makes(&mut self, call: &str) -> String {
        writeln!(self.hears, "{call}").unwrap();
        self.line()
    }

    /// The command, about this process.
    fn hotcell(&self, words: &[&str]) -> Hotcell {
        let (command, more) = words.split_first().unwrap();
        self.folder.hotcell([command, &&*self.pid().to_string()]).and(more)
    }

    /// What it says of its only session, which `hotcell stats` prints.
    fn stats(&self) -> Value {
        let answer = self.answer();
        assert_eq!(answer["sessions"].as_array().unwrap().len(), 1, "{answer:#}");
        answer["sessions"][0].clone()
    }

    fn answer(&self) -> Value {
        let hosts = self.hotcell(&["stats"]).json();
        assert_eq!(hosts.as_array().map(Vec::len), Some(1), "{hosts:#}");
        assert_eq!(hosts[0]["pid"], self.pid());
        hosts[0]["answer"].clone()
    }

    /// The names of its sockets in the kernel's list.
    fn names(&self) -> Vec<String> {
        let list = fs::read_to_string("/proc/net/unix").unwrap();
        let prefix = format!("@hotcell-watch/{}/", self.pid());
        // Those that listen: an answer that is being read has the name, too.
        let listening = list.lines().filter(|line| line.split_whitespace().nth(3) == Some("00010000"));
        let names = listening.filter_map(|line| line.split_whitespace().nth(7));
        names.filter(|name| name.starts_with(&prefix)).map(|name| name[1..].to_owned()).collect()
    }

    fn connect(&self) -> UnixStream {
        connect(&self.names()[0]).unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(name: &str) -> std::io::Result<UnixStream> {
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)
}

fn function<'a>(session: &'a Value, name: &str) -> &'a Value {
    let functions = session["functions"].as_array().unwrap();
    let found = functions.iter().find(|it| it["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {functions:#?}"))
}

#[test]
fn what_is_seen_of_a_process_is_what_it_did() {
    let mut host = Host::start("look", "session");
    for _ in 0..70 {
        assert_eq!(host.makes("add 1 2"), "3");
    }
    assert_eq!(host.makes("null_dereference"), "Crashed");
    // The first call on a worker has a few bytes for good, which the C library takes once for each thread.
    assert_eq!(host.makes("add 1 2"), "3");
    assert_eq!(host.makes("leak 3 100"), "3");
    assert_eq!(host.makes("leak 2 1000"), "2");
    assert_eq!(host.makes("errno 5"), "LibraryError");
    let seen = host.stats();
    assert_eq!(
        (&seen["library"], &seen["state"], &seen["breaker"]),
        (&json!("faulty"), &json!("serving"), &json!("closed"))
    );
    assert_eq!((&seen["calls"], &seen["generation"], &seen["restarts"]), (&json!(75), &json!(2), &json!(1)));
    assert_eq!(seen["faults"], json!({ "Crashed": 1 }));
    let count = |name: &str| {
        let of = function(&seen, name);
        ["calls", "errors", "faults", "live_bytes", "live_blocks"].map(|key| of[key].as_u64().unwrap())
    };
    assert_eq!(count("faulty_add")[..3], [71, 0, 0]);
    assert_eq!(count("faulty_null_dereference"), [1, 0, 1, 0, 0]);
    assert_eq!(count("faulty_leak"), [2, 0, 0, 2300, 5], "it leaks 3 blocks of 100 and 2 of 1000 bytes");
    assert_eq!(count("faulty_errno"), [1, 1, 0, 0, 0]);
    // The first eight and the 64th were timed, and each took some time.
    let latency = &function(&seen, "faulty_add")["latency"];
    assert_eq!(latency["samples"], 9);
    assert!(
        latency["p50_ns"].as_u64().unwrap() > 100
            && latency["p50_ns"].as_u64() <= latency["most_ns"].as_u64()
    );
    assert!(function(&seen, "faulty_null_dereference")["latency"].is_null(), "it has no reply");
    // The worker as the kernel has it.
    let worker = seen["pid"].as_u64().unwrap();
    let status = fs::read_to_string(format!("/proc/{worker}/status")).unwrap();
    assert!(status.starts_with("Name:\thotcell-worker"), "{status}");
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
    assert_eq!(seen["threads"].to_string(), threads.trim());
    assert!(seen["resident"].as_u64().unwrap() > 500_000 && seen["age_ms"].is_u64());
    // A thread of the worker may take a few bytes for good between two looks.
    let mut row = Value::Null;
    wait_until("both have seen the same heap", || {
        row = host.hotcell(&["ps"]).json()[0].take();
        row["live_heap_bytes"] == host.stats()["heap"]["total"]["bytes"]
    });
    assert_eq!((&row["worker_pid"], &row["calls"]), (&json!(worker), &json!(75)));
    assert_eq!((&row["host_pid"], &row["program"]), (&json!(host.pid()), &json!("hotcell-watched-host")));
    host.hotcell(&["ps"]).succeeds().mentions("serving").mentions("faulty").mentions("hotcell-watched-host");
    host.hotcell(&["stats", "--function"])
        .succeeds()
        .mentions("faulty_leak")
        .mentions("2.2 KiB")
        .mentions("Crashed 1")
        .mentions("1; the last: generation 1, SIGSEGV");
}

#[test]
fn a_call_under_way_and_those_in_line_are_counted() {
    let mut host = Host::start("look", "session");
    assert_eq!(host.makes("later loop"), "begun");
    wait_until("the call is under way", || host.stats()["in_flight"] == 1);
    assert_eq!(host.makes("later add 1 2"), "begun");
    wait_until("another stands in line", || host.stats()["waiting"] == 1);
    let row = &host.hotcell(&["ps"]).json()[0];
    assert_eq!((&row["in_flight"], &row["queue"], &row["state"]), (&json!(1), &json!(1), &json!("serving")));
}

/// As in `hotcell ps --watch 1 | head -1`.
#[test]
fn looking_again_and_again_ends_when_nobody_reads() {
    let host = Host::start("look", "session");
    for format in ["text", "json"] {
        let mut command = Command::new(program("hotcell"));
        command.args(["ps", &host.pid().to_string(), "--watch", "1", "--format", format]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("host") || line.contains("\"worker_pid\""), "{line}");
        // Nobody reads from here on.
        wait_until("it has ended", || child.try_wait().unwrap().is_some());
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn who_does_not_let_others_look_is_not_seen_and_listens_nowhere() {
    for (watch, environment) in [("off", Some("look")), ("environment", None), ("environment", Some("no"))] {
        let host = Host::start_with(watch, "session", |command, _| {
            environment.into_iter().for_each(|it| _ = command.env("HOTCELL_WATCH", it));
        });
        assert!(host.names().is_empty());
        assert!(
            sleeps(&host.pid().to_string(), Some("hotcell-watch")).is_empty(),
            "there is no thread for it"
        );
        host.hotcell(&["ps"]).succeeds().prints_nothing().says("HOTCELL_WATCH=look");
        assert_eq!(host.hotcell(&["ps"]).json(), json!([]));
    }
    let host =
        Host::start_with("environment", "session", |command, _| _ = command.env("HOTCELL_WATCH", "look"));
    assert_eq!(host.stats()["calls"], 0);
}

#[test]
fn nothing_is_left_of_a_process_that_is_killed() {
    let mut host = Host::start("look", "session");
    let worker = u32::try_from(host.stats()["pid"].as_u64().unwrap()).unwrap();
    assert_eq!(host.names().len(), 1);
    host.child.kill().unwrap();
    host.child.wait().unwrap();
    assert!(host.names().is_empty(), "its name has gone with it");
    wait_until("its worker has gone", || !alive(worker));
    host.hotcell(&["ps"]).succeeds().prints_nothing().says("no process");
}

#[test]
fn a_child_that_was_forked_keeps_nothing_of_it() {
    let mut host = Host::start("look", "session");
    let child: u32 = host.makes("fork").parse().unwrap();
    assert_eq!(host.stats()["calls"], 0, "the child takes no answer");
    assert_eq!(host.names().len(), 1);
    host.child.kill().unwrap();
    host.child.wait().unwrap();
    assert!(alive(child), "the child lives on");
    assert!(host.names().is_empty(), "the name has gone with its process");
    host.hotcell(&["ps"]).succeeds().prints_nothing().says("no process");
    let child = rustix::process::Pid::from_raw(i32::try_from(child).unwrap()).unwrap();
    rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_process_that_is_stopped_is_told_of_however_often_one_looks() {
    let host = Host::start("look", "session");
    stop(host.pid());
    let name = host.names()[0].clone();
    let word = format!("{} hotcell-watched: it does not answer in time", host.pid());
    host.hotcell(&["ps"]).succeeds().prints_nothing().says(&word).does_not_say("lets others look");
    // As many connect as there is room for.
    let mut in_line = Vec::new();
    while in_line.len() < 1000 {
        let (name, (begun, done)) = (name.clone(), std::sync::mpsc::channel());
        std::thread::spawn(move || begun.send(connect(&name)));
        match done.recv_timeout(Duration::from_millis(300)) {
            Ok(peer) => in_line.push(peer.unwrap()),
            Err(_) => break,
        }
    }
    assert!((10..200).contains(&in_line.len()), "{} are in line", in_line.len());
    let word = format!("{} hotcell-watched: it does not answer: too many stand", host.pid());
    host.hotcell(&["ps"]).succeeds().prints_nothing().says(&word);
    let told = host.hotcell(&["ps"]).json();
    assert_eq!((&told[0]["host_pid"], told.as_array().unwrap().len()), (&json!(host.pid()), 1), "{told:#}");
    assert!(told[0]["error"].as_str().unwrap().contains("too many"));
}

#[test]
fn nobody_looks_and_nothing_runs() {
    let host = Host::start("look", "session");
    let pid = host.pid().to_string();
    let asleep = || sleeps(&pid, Some("hotcell-watch"));
    wait_until("the thread has its name", || asleep().len() == 1);
    // Others test here, too, and look at whatever there is.
    wait_until("the thread sleeps while nobody looks", || {
        let before = asleep();
        std::thread::sleep(Duration::from_millis(400));
        asleep() == before
    });
    let before = asleep();
    assert_eq!(host.stats()["calls"], 0);
    assert_ne!(asleep(), before, "looking wakes it, so it is the right one");
}

#[test]
fn peers_that_ask_nothing_or_nonsense_keep_nobody_from_looking() {
    let mut host = Host::start("look", "session");
    let silent = host.connect();
    assert_eq!(host.stats()["calls"], 0, "a silent one is let go");
    for nonsense in [&b"\n"[..], b"{\"hotcell_watch\":9}\n", b"[[[[[[[[\n", &[b'['; 60_000], b"\xff\xfe\n"] {
        let mut peer = host.connect();
        let _ = peer.write_all(nonsense).and_then(|()| peer.write_all(b"\n"));
        let mut answer = String::new();
        let _ = peer.read_to_string(&mut answer);
        assert!(answer.contains("\"error\":\"") && !answer.contains("sessions"), "{answer}");
    }
    // It does not take what it asked for.
    let mut deaf = host.connect();
    deaf.write_all(LOOK).unwrap();
    assert_eq!(host.makes("add 1 2"), "3");
    assert_eq!(host.stats()["calls"], 1);
    drop((silent, deaf));
}

/// In a child of the test below: goes there again and again, and is told nothing.
#[test]
fn play_the_stranger() {
    let Ok(name) = std::env::var(STRANGER) else { return };
    let mut turns = 0u64;
    loop {
        let Ok(mut peer) = connect(&name) else { return };
        let _ = peer.write_all(LOOK);
        let mut answer = Vec::new();
        let _ = peer.read_to_end(&mut answer);
        assert!(answer.is_empty(), "a stranger is told {answer:?}");
        turns += 1;
        if turns == 100 {
            println!("stranger refused");
        }
    }
}

/// Another user than that of the host; only root can play one.
fn root() -> bool {
    rustix::process::getuid().is_root()
}

/// A copy of a program where anybody may run it.
fn copied(folder: &Folder, from: &std::path::Path) -> std::path::PathBuf {
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let name = from.file_name().unwrap().to_str().unwrap();
    fs::copy(from, folder.path().join(name)).unwrap();
    folder.make_executable(name);
    folder.path().join(name)
}

#[test]
fn another_user_is_told_nothing_and_holds_nobody_up() {
    if !root() {
        return;
    }
    let mut host = Host::start("look", "session");
    let folder = Folder::new();
    let own = copied(&folder, &std::env::current_exe().unwrap());
    let mut strangers = Vec::new();
    for _ in 0..2 {
        let mut command = Command::new(&own);
        command.args(["--exact", "play_the_stranger", "--nocapture"]).env(STRANGER, &host.names()[0]);
        let mut child =
            command.uid(NOBODY).gid(NOBODY).current_dir("/").stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line == "stranger refused"), "it was refused often");
        strangers.push(child);
    }
    for calls in 1..=5 {
        assert_eq!(host.makes("add 1 2"), "3");
        assert_eq!(host.stats()["calls"], calls, "while strangers come again and again");
    }
    for mut stranger in strangers {
        assert!(stranger.try_wait().unwrap().is_none(), "it goes on until it is ended");
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }
    // Nor does the command tell.
    let hotcell = copied(&folder, &program("hotcell"));
    let mut command = Command::new(hotcell);
    let output =
        command.args(["ps", "--format", "json"]).uid(NOBODY).gid(NOBODY).current_dir("/").output().unwrap();
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen, json!([]), "there is no process of this user, and those of root are none of his");
}

#[test]
fn an_ordinary_user_sees_his_own_and_root_sees_it_too() {
    if !root() {
        // Then every other test here is of an ordinary user.
        return;
    }
    let programs = Folder::new();
    let worker = copied(&programs, &program("hotcell-worker"));
    let own = copied(&programs, env!("CARGO_BIN_EXE_hotcell-watched-host").as_ref());
    let hotcell = copied(&programs, &program("hotcell"));
    let mut host = Host::start_with("look", "session", |command, folder| {
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        *command = Command::new(own);
        command.env("HOTCELL_WORKER", worker).uid(NOBODY).gid(NOBODY).current_dir("/");
    });
    assert_eq!(host.makes("add 1 2"), "3");
    assert_eq!(host.makes("leak 2 10"), "2");
    let mut command = Command::new(hotcell);
    command.args(["stats", "--format", "json"]).uid(NOBODY).gid(NOBODY).current_dir("/");
    let output = command.output().unwrap();
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of_host = seen.as_array().unwrap().iter().find(|it| it["pid"] == host.pid()).unwrap();
    assert_eq!(of_host["uid"], NOBODY);
    assert_eq!(function(&of_host["answer"]["sessions"][0], "faulty_leak")["live_bytes"], 20);
    assert_eq!(function(&host.stats(), "faulty_leak")["live_bytes"], 20, "root sees it, too");
}

/// A program that has more rights than who starts it does not what his environment says.
#[test]
fn a_set_group_id_program_does_not_heed_the_environment() {
    if !root() {
        return;
    }
    let programs = Folder::new();
    let worker = copied(&programs, &program("hotcell-worker"));
    let own = copied(&programs, env!("CARGO_BIN_EXE_hotcell-watched-host").as_ref());
    let start = |mode: u32| {
        chown(&own, Some(NOBODY), Some(1)).unwrap();
        fs::set_permissions(&own, fs::Permissions::from_mode(mode)).unwrap();
        let host = Host::start_with("environment", "session", |command, folder| {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
            *command = Command::new(&own);
            command.env("HOTCELL_WORKER", &worker).env("HOTCELL_WATCH", "reload");
            command.uid(NOBODY).gid(NOBODY).current_dir("/");
        });
        let status = fs::read_to_string(format!("/proc/{}/status", host.pid())).unwrap();
        let groups = status.lines().find_map(|line| line.strip_prefix("Gid:")).unwrap();
        let groups: Vec<String> = groups.split_whitespace().map(str::to_owned).collect();
        (host.names().len(), groups[0] == groups[1])
    };
    assert_eq!(start(0o755), (1, true));
    assert_eq!(start(0o2755), (0, false), "it has another group, and listens nowhere");
}

#[test]
fn a_library_is_loaded_anew_by_the_command_where_that_is_let() {
    let mut host = Host::start("reload", "session");
    assert_eq!(host.makes("add 1 2"), "3");
    let done = host.hotcell(&["reload"]).json();
    let worker = json!({ "generation": 2, "before": 1, "drained": true });
    assert_eq!((&done[0]["library"], &done[0]["workers"]), (&json!("faulty"), &json!([worker])), "{done:#}");
    assert_eq!((&host.stats()["generation"], &host.stats()["reloads"]), (&json!(2), &json!(1)));
    assert_eq!(host.makes("add 1 2"), "3");
    // What is no library does not come into service.
    host.folder.write("broken.so", "no library");
    let ended = host.hotcell(&["reload", "--file", "broken.so", "--format", "json"]).fails(1).json();
    assert_eq!(ended[0]["error"]["kind"], "LoadFailed", "{ended:#}");
    assert_eq!((host.makes("add 1 2"), &host.stats()["generation"]), ("3".into(), &json!(2)));

    let only = Host::start("look", "session");
    only.hotcell(&["reload"]).fails(1).says("it lets others look, and not load anew");
    assert_eq!(only.stats()["reloads"], 0);
    only.folder.hotcell(["reload", "no_such_library"]).error(113, "InvalidArgument");
}

/// A link stays one: what it leads to later is what is loaded later.
#[test]
fn a_file_is_loaded_anew_as_it_was_named() {
    let mut host = Host::start("reload", "session");
    let link = host.folder.path().join("current.so");
    std::os::unix::fs::symlink("libfaulty.so", &link).unwrap();
    host.hotcell(&["reload", "--file", "current.so"]).succeeds();
    assert_eq!((host.makes("add 1 2"), &host.stats()["generation"]), ("3".into(), &json!(2)));
    host.folder.write("broken.so", "no library");
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("broken.so", &link).unwrap();
    let ended = host.hotcell(&["reload", "--format", "json"]).fails(1).json();
    assert_eq!(ended[0]["error"]["kind"], "LoadFailed", "{ended:#}");
    // What cannot be said is not loaded.
    let name = std::ffi::OsStr::from_bytes(b"libfaulty\xff.so");
    fs::copy(host.folder.path().join("libfaulty.so"), host.folder.path().join(name)).unwrap();
    let words = ["reload".into(), host.pid().to_string().into(), "--file".into(), name.to_owned()];
    host.folder.hotcell(words).fails(1).says("no UTF-8");
    assert_eq!((host.makes("add 1 2"), &host.stats()["generation"]), ("3".into(), &json!(2)));
}

/// A server of files that has a user's rights for a while is not his.
#[test]
fn who_has_taken_the_rights_of_a_user_for_a_while_is_not_asked_by_him() {
    if !root() {
        return;
    }
    let mut host = Host::start("reload", "session");
    assert_eq!(host.makes(&format!("become {NOBODY}")), "0");
    let folder = Folder::new();
    let own = copied(&folder, &std::env::current_exe().unwrap());
    let mut command = Command::new(&own);
    command.args(["--exact", "play_the_stranger", "--nocapture"]).env(STRANGER, &host.names()[0]);
    command.uid(NOBODY).gid(NOBODY).current_dir("/").stdout(Stdio::piped());
    let mut stranger = command.spawn().unwrap();
    let mut lines = BufReader::new(stranger.stdout.take().unwrap()).lines();
    let refused = lines.any(|line| line.is_ok_and(|line| line == "stranger refused"));
    let _ = stranger.kill();
    stranger.wait().unwrap();
    assert!(refused, "he was told something");
    assert_eq!(host.stats()["calls"], 0, "root is told");
    assert_eq!(host.makes("become 0"), "0");
    assert_eq!((host.makes("add 1 2"), &host.stats()["calls"]), ("3".into(), &json!(1)));
}

#[test]
fn pools_are_seen_and_loaded_anew_as_a_whole() {
    let mut host = Host::start("reload", "pool");
    assert_eq!(host.makes("add 1 2"), "3");
    let answer = host.answer();
    assert_eq!(answer["sessions"].as_array().unwrap().len(), 2);
    let pool = &answer["pools"][0];
    // Two to open its sessions with.
    assert_eq!(
        (&pool["max"], &pool["leases"], &pool["refused"]),
        (&json!(2), &json!(1), &json!(0)),
        "{pool:#}"
    );
    assert_eq!(pool["sessions"], json!([1, 2]));
    let done = host.hotcell(&["reload"]).json();
    assert_eq!(
        (done.as_array().unwrap().len(), done[0]["workers"].as_array().unwrap().len()),
        (1, 2),
        "{done:#}"
    );
    let reloads: Vec<_> =
        host.answer()["sessions"].as_array().unwrap().iter().map(|it| it["reloads"].clone()).collect();
    assert_eq!(reloads, [1, 1]);
    host.hotcell(&["stats"]).succeeds().mentions("pool").mentions("sessions 1, 2 of 2");
}
