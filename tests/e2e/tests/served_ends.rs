//! `hotcell serve`, its clients and their workers end in whatever order: nothing is left, and nobody waits for ever.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use hotcell_e2e::cli::{Folder, program};
use hotcell_e2e::crew;
use hotcell_e2e::process::{alive, wait_until, workers_of};
use hotcell_e2e::served::{
    Client, Server, VERSION, connect, pair, receive, send, send_bytes, session_of, spawn,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Set for the child that plays a client which is killed.
const ROLE: &str = "HOTCELL_TEST_ROLE";

/// Descriptors of another process.
fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// A program that is killed when a test fails before its end.
struct Program(Child);

impl Program {
    fn line(&mut self, prefix: &str) -> String {
        let lines = BufReader::new(self.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.filter_map(|line| Some(line.strip_prefix(prefix)?.to_owned())).next();
        line.unwrap_or_else(|| panic!("no line `{prefix}`"))
    }

    fn wait(&mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn play(role: &str) -> Program {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "play_a_client", "--nocapture"]).env(ROLE, role);
    Program(command.stdout(Stdio::piped()).spawn().unwrap())
}

/// In the child: opens sessions, and hangs in a call. In the parent: nothing.
#[test]
fn play_a_client() {
    let Some(role) = std::env::var_os(ROLE) else { return };
    let library = crew::library();
    let server = Server::start();
    let client = server.open(&library.1, &json!({ "spares": 1, "sandbox": { "profile": "files" } })).unwrap();
    let other = server.open(&library.1, &json!({})).unwrap();
    wait_until("workers come up", || workers_of(server.pid()).len() == 3);
    // Somebody who has all of its sockets, and lives on.
    let heir = (role == "leaves an heir").then(|| {
        let [first, session] = [server.first(), client.socket()].map(|socket| socket.try_clone().unwrap());
        Command::new("sleep")
            .arg("60")
            .stdin(Stdio::from(first))
            .stdout(Stdio::from(session))
            .spawn()
            .unwrap()
    });
    let heir = heir.map_or(0, |heir| heir.id());
    println!(
        "\nplayed {} {heir} {}",
        server.pid(),
        workers_of(server.pid()).iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
    );
    let mut lane = client.lane(client.worker().unwrap(), 0).unwrap();
    let _ = lane.int(&library.1.interface, "crew_fault", &[3]);
    drop(other);
}

#[test]
fn nothing_is_left_of_a_client_that_is_killed() {
    for role in ["dies alone", "leaves an heir"] {
        let mut client = play(role);
        let line = client.line("played ");
        let mut numbers = line.split(' ').map(|number| number.parse::<u32>().unwrap());
        let (server, heir, workers) =
            (numbers.next().unwrap(), numbers.next().unwrap(), numbers.collect::<Vec<_>>());
        assert!(alive(server) && workers.len() == 3 && workers.iter().all(|worker| alive(*worker)), "{line}");
        assert_eq!(heir != 0, role == "leaves an heir");
        let directories = private_directories(&workers);
        assert_eq!(directories.len(), 1, "one of its sessions may have files");
        signal(client.0.id(), Signal::KILL);
        client.wait();
        wait_until(&format!("{role}: the server stays"), || !alive(server));
        assert!(workers.iter().all(|worker| !alive(*worker)), "{role}: a worker stays");
        assert!(directories.iter().all(|directory| !directory.exists()), "{role}: a directory stays");
        if heir != 0 {
            assert!(alive(heir), "who has its sockets has ended before, and the test says nothing");
            signal(heir, Signal::KILL);
        }
    }
}

/// The directories for temporary files of these workers' sessions.
fn private_directories(workers: &[u32]) -> Vec<PathBuf> {
    let of = |worker: &u32| {
        let environment = fs::read(format!("/proc/{worker}/environ")).unwrap_or_default();
        let text = String::from_utf8_lossy(&environment).into_owned();
        text.split('\0').find_map(|line| line.strip_prefix("TMPDIR=").map(PathBuf::from))
    };
    let mut all: Vec<PathBuf> = workers.iter().filter_map(of).collect();
    all.sort();
    all.dedup();
    assert!(all.iter().all(|directory| directory.is_dir()), "{all:?}");
    all
}

#[test]
fn a_client_hears_of_a_server_that_is_killed() {
    let library = crew::library();
    let mut server = Server::start();
    let client = server.open(&library.1, &json!({ "spares": 1 })).unwrap();
    wait_until("workers come up", || workers_of(server.pid()).len() == 2);
    let workers = workers_of(server.pid());
    let mut lane = client.lane(client.worker().unwrap(), 0).unwrap();
    std::thread::scope(|scope| {
        // In a call: its worker dies with the server.
        let calls = scope.spawn(|| {
            assert_eq!(lane.int(&library.1.interface, "crew_add", &[1, 2]).unwrap(), 3);
            server.kill();
            client.wait("the end of the socket", |state| state.is_over.then_some(()));
        });
        calls.join().unwrap();
    });
    wait_until("its workers outlive it", || workers.iter().all(|worker| !alive(*worker)));
    // A server anew does for the same client.
    let server = Server::start();
    let client = server.open(&library.1, &json!({})).unwrap();
    let mut lane = client.lane(client.worker().unwrap(), 0).unwrap();
    assert_eq!(lane.int(&library.1.interface, "crew_add", &[5, 6]).unwrap(), 11);
}

#[test]
fn nonsense_costs_a_client_its_session_and_nobody_else() {
    let library = crew::library();
    let server = Server::start();
    let well = server.open(&library.1, &json!({})).unwrap();
    let before = descriptors(server.pid());
    let null = fs::File::open("/dev/null").unwrap();
    let descriptors_of = |count| vec![null.as_fd(); count];
    let long = vec![b'x'; (64 << 10) + 1];
    let says: [(&[u8], usize); 10] = [
        (b"", 1),
        (b"hello?", 0),
        (b"[1]", 0),
        (b"{\"kind\":\"frob\"}", 0),
        (b"{\"kind\":\"worker\",\"id\":1,\"left_ns\":1,\"function\":\"\"}", 0),
        (b"{\"kind\":\"mapped\",\"generation\":1}", 0),
        (b"{\"kind\":\"open\",\"id\":1,\"interface_bytes\":2,\"shim_bytes\":2}", 1),
        (b"{\"kind\":\"open\",\"id\":1,\"interface_bytes\":2,\"shim_bytes\":2}", 5),
        (b"{\"kind\":\"left\",\"generation\":1}", 0),
        (&long, 0),
    ];
    for (bytes, attached) in says {
        let session = server.session();
        send_bytes(&session, bytes, &descriptors_of(attached)).unwrap();
        assert!(
            receive(&session).is_none(),
            "{} is answered",
            String::from_utf8_lossy(&bytes[..bytes.len().min(80)])
        );
    }
    // Of an open session, too.
    for message in
        [json!({ "kind": "mapped", "id": 7 }), json!({ "kind": "hello", "version": VERSION }), json!([])]
    {
        let client = server.open(&library.1, &json!({})).unwrap();
        client.say(&message);
        client.wait("the end of its socket", |state| state.is_over.then_some(()));
    }
    let mut lane = well.lane(well.worker().unwrap(), 0).unwrap();
    assert_eq!(lane.int(&library.1.interface, "crew_add", &[3, 4]).unwrap(), 7);
    wait_until("a worker or a descriptor stays", || {
        workers_of(server.pid()).len() == 1 && descriptors(server.pid()) <= before
    });
    // On the first socket it costs everything.
    send(server.first(), &json!({ "kind": "worker" }), &[]);
    well.wait("the end of its socket", |state| state.is_over.then_some(()));
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn a_server_says_hello_to_those_of_its_version_alone() {
    for (version, lives) in [(VERSION, true), (0, false), (VERSION - 1, false), (VERSION + 1, false)] {
        let (first, theirs) = pair();
        let mut child = Program(spawn(theirs, &[]));
        send(&first, &json!({ "kind": "hello", "version": version, "client": "test" }), &[]);
        let (hello, _) = receive(&first).unwrap();
        assert_eq!((&hello["kind"], &hello["version"]), (&json!("hello"), &json!(VERSION)));
        if lives {
            let session = session_of(&first);
            send(&session, &json!({ "kind": "close" }), &[]);
            assert!(receive(&session).is_none());
            drop(first);
        } else {
            assert!(receive(&first).is_none());
        }
        assert_eq!(child.wait(), Some(0));
    }
    let (first, theirs) = pair();
    let mut child = Program(spawn(theirs, &[]));
    send(&first, &json!({ "kind": "session" }), &[pair().0.as_fd()]);
    assert!(receive(&first).is_none(), "a session before hello");
    assert_eq!(child.wait(), Some(0));
}

#[test]
fn sessions_come_and_go_and_nothing_is_left() {
    let library = crew::library();
    let server = Server::start();
    let open = |spares: u32| server.open(&library.1, &json!({ "spares": spares })).unwrap();
    open(1).close();
    wait_until("a worker stays", || workers_of(server.pid()).is_empty());
    let now = || (descriptors(server.pid()), threads(server.pid()), segments(server.pid()));
    // Those threads stay that see to workers: two of them, one for rounds, one for signals, and the first.
    wait_until("threads of a session stay", || now().1 == 5);
    let before = now();
    for round in 0..40 {
        let client = open(round % 2);
        let mut lane = client.lane(client.worker().unwrap(), 0).unwrap();
        assert_eq!(
            lane.int(&library.1.interface, "crew_add", &[1, round.into()]).unwrap(),
            i64::from(round) + 1
        );
        match round % 4 {
            0 => client.close(),
            1 => {}
            2 => _ = lane.int(&library.1.interface, "crew_fault", &[1]),
            _ => client.say(&json!({ "kind": "left", "generation": 1 })),
        }
        client.hang_up();
    }
    wait_until("something is left of sessions", || workers_of(server.pid()).is_empty() && now() == before);
}

fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

fn segments(pid: u32) -> usize {
    fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default().matches("hotcell-").count()
}

#[test]
fn a_client_has_sixty_four_sessions_and_no_more() {
    let library = crew::library();
    let server = Server::start();
    let first = server.open(&library.1, &json!({})).unwrap();
    let sessions: Vec<_> = (1..64).map(|_| server.session()).collect();
    let refused = server.session();
    let (answer, _) = receive(&refused).unwrap();
    assert_eq!((&answer["kind"], &answer["error"]["kind"]), (&json!("refused"), &json!("LimitExceeded")));
    assert!(receive(&refused).is_none());
    // Each is a session, and where one has gone there is room for another.
    let clients: Vec<_> = sessions.into_iter().map(Client::of).collect();
    let libraries: Vec<_> = library.1.libraries.iter().map(|path| path.to_string_lossy()).collect();
    let options = json!({ "libraries": libraries });
    for client in &clients[..2] {
        client.order_open(&library.1, &options).unwrap();
    }
    first.close();
    let another = || server.open(&library.1, &json!({})).is_ok();
    wait_until("there is room again", another);
}

/// A server at a path.
struct Listening {
    program: Program,
    path: PathBuf,
}

impl Listening {
    fn command(folder: &Folder) -> (Command, PathBuf) {
        let path = folder.path().join("hotcell.sock");
        let mut command = Command::new(program("hotcell"));
        command.args(["serve", "--socket"]).arg(&path).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_remove("HOTCELL_WORKER").env("HOTCELL_WATCH", "reload");
        (command, path)
    }

    fn start(folder: &Folder) -> Listening {
        let (mut command, path) = Listening::command(folder);
        Listening::of(&mut command, path)
    }

    fn of(command: &mut Command, path: PathBuf) -> Listening {
        let mut program = Program(command.spawn().unwrap());
        assert_eq!(program.line("listening at "), path.display().to_string());
        Listening { program, path }
    }

    fn greet(&self) -> std::os::fd::OwnedFd {
        let first = connect(&self.path).unwrap();
        send(&first, &json!({ "kind": "hello", "version": VERSION, "client": "test" }), &[]);
        assert_eq!(receive(&first).unwrap().0["kind"], "hello");
        first
    }
}

fn open(first: &std::os::fd::OwnedFd, options: &Value) -> (Arc<Client>, Value) {
    let library = crew::library();
    let client = Client::of(session_of(first));
    let libraries: Vec<_> = library.1.libraries.iter().map(|path| path.to_string_lossy()).collect();
    let mut options = options.clone();
    options["libraries"] = json!(libraries);
    let opened = client.order_open(&library.1, &options).unwrap();
    (client, opened)
}

#[test]
fn a_server_at_a_path_has_many_clients_and_ends_in_order() {
    let (folder, library) = (Folder::new(), crew::library());
    let mut server = Listening::start(&folder);
    let file = fs::metadata(&server.path).unwrap();
    assert!(file.file_type().is_socket() && file.permissions().mode() & 0o777 == 0o600);
    let (mut second, _) = Listening::command(&folder);
    let refused = second.output().unwrap();
    assert_eq!(refused.status.code(), Some(113));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a server listens there"), "{refused:?}");
    let (one, other) = (server.greet(), server.greet());
    let (client, _) = open(&one, &json!({ "callers": 1 }));
    let (stays, _) = open(&other, &json!({}));
    drop(one);
    client.wait("the end of its socket", |state| state.is_over.then_some(()));
    wait_until("its worker stays", || workers_of(server.program.0.id()).len() == 1);
    let mut lane = stays.lane(stays.worker().unwrap(), 0).unwrap();
    assert_eq!(lane.int(&library.1.interface, "crew_add", &[8, 9]).unwrap(), 17);
    // What it has is seen, with whose it is.
    let seen = folder.hotcell(["ps"]).json();
    let own = seen.as_array().unwrap().iter().find(|row| row["host_pid"] == server.program.0.id()).unwrap();
    assert_eq!((&own["library"], &own["client_pid"]), (&json!("crew"), &json!(std::process::id())), "{own}");
    signal(server.program.0.id(), Signal::TERM);
    assert_eq!(server.program.wait(), Some(0));
    assert!(!server.path.exists());
    stays.wait("the end of its socket", |state| state.is_over.then_some(()));
    // One that is killed leaves its file, which the next takes over.
    let mut killed = Listening::start(&folder);
    signal(killed.program.0.id(), Signal::KILL);
    killed.program.wait();
    assert!(killed.path.exists());
    let next = Listening::start(&folder);
    next.greet();
    folder.write("file", "");
    let path = folder.path().join("file");
    let taken = Command::new(program("hotcell")).args(["serve", "--socket"]).arg(path).output().unwrap();
    assert_eq!(taken.status.code(), Some(113));
    assert!(String::from_utf8_lossy(&taken.stderr).contains("something that is no socket is there"));
}

#[test]
fn a_server_takes_no_client_of_another_user() {
    if !rustix::process::getuid().is_root() {
        // Only root can be two users.
        return;
    }
    let folder = Folder::new();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let (command, path) = Listening::command(&folder);
    let mut other = Command::new("setpriv");
    other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy_for_all(&folder));
    other.args(command.get_args()).stdout(Stdio::piped());
    let server = Listening::of(&mut other, path);
    let first = connect(&server.path).unwrap();
    send(&first, &json!({ "kind": "hello", "version": VERSION, "client": "test" }), &[]);
    assert!(receive(&first).is_none(), "root is answered by a server of another user");
}

/// The program, where any user can run it.
fn copy_for_all(folder: &Folder) -> PathBuf {
    let own = folder.path().join("hotcell");
    fs::copy(program("hotcell"), &own).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
    own
}

#[test]
fn what_is_no_socket_of_packets_is_refused() {
    for (words, says) in [
        (["--fd", "99"], "cannot serve descriptor 99"),
        (["--fd", "0"], "invalid value '0'"),
        (["--socket", "/nowhere/at/all"], "cannot listen at /nowhere/at/all"),
    ] {
        let ended = Command::new(program("hotcell")).arg("serve").args(words).output().unwrap();
        assert_ne!(ended.status.code(), Some(0), "{words:?}");
        assert!(String::from_utf8_lossy(&ended.stderr).contains(says), "{words:?}: {ended:?}");
    }
    let (own, _end) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut stream = Program(spawn(own.into(), &[]));
    assert_eq!(stream.wait(), Some(113));
}

#[test]
fn a_worker_that_is_replaced_is_let_go_of_behind_its_calls() {
    let (folder, library) = (Folder::new(), crew::library());
    let server = Listening::start(&folder);
    let first = server.greet();
    let (client, _) = open(&first, &json!({ "recycle": { "every_ms": 10, "calls": 3 } }));
    let interface = &library.1.interface;
    let generation = client.worker().unwrap();
    let mut lane = client.lane(generation, 0).unwrap();
    for number in 0..3 {
        assert_eq!(lane.int(interface, "crew_add", &[number, 1]).unwrap(), number + 1);
    }
    // It may have objects: its client says when it has none.
    client.wait("that it is worn", |state| state.worn.contains(&generation).then_some(()));
    assert_eq!(client.worker().unwrap(), generation, "it serves until then");
    assert_eq!(lane.int(interface, "crew_add", &[20, 22]).unwrap(), 42);
    client.say(&json!({ "kind": "left", "generation": generation }));
    let next = client.worker().unwrap();
    assert_eq!(next, generation + 1);
    wait_until("the worn one stays", || workers_of(server.program.0.id()).len() == 1);
    // Loaded anew: calls that are under way end on the worker before.
    let mut lane = client.lane(next, 0).unwrap();
    std::thread::scope(|scope| {
        let under_way = scope.spawn(|| lane.int(interface, "crew_meet", &[2, 1_000]));
        let pid = server.program.0.id().to_string();
        let reloads = scope.spawn(move || Folder::new().hotcell(["reload", &pid]).json());
        client.wait("that it is retired", |state| state.retired.contains(&next).then_some(()));
        let mut on_new = client.lane(client.worker().unwrap(), 0).unwrap();
        assert_eq!(on_new.generation(), next + 1);
        assert_eq!(on_new.int(interface, "crew_add", &[6, 7]).unwrap(), 13);
        assert_eq!(under_way.join().unwrap().unwrap(), -1, "nobody else has come");
        client.say(&json!({ "kind": "left", "generation": next }));
        let reloaded = reloads.join().unwrap();
        assert_eq!(reloaded[0]["workers"][0]["drained"], true, "{reloaded}");
    });
    assert!(client.state().ended.is_empty(), "{:?}", client.state().ended);
}
