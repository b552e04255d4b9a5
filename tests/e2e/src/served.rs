//! A client of `hotcell serve`, as those of other languages are: it says everything itself, maps channels, and speaks to workers there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hotcell_bind::Bound;
use hotcell_shm::{Access, HostChannel, Mapping, Seals, SegmentFile, sealed_copy};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde_json::{Value, json};

use crate::cli::program;

mod calls;

pub use calls::{Arg, Fault, Lane};

/// A watchdog, not an expectation.
const PATIENCE: Duration = Duration::from_secs(60);

/// A message with its descriptors.
pub type Packet = (Value, Vec<OwnedFd>);

/// A pair of sockets of packets.
pub fn pair() -> (OwnedFd, OwnedFd) {
    let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    pair.expect("this process has descriptors")
}

/// Sends bytes, whatever they are.
pub fn send_bytes(socket: impl AsFd, bytes: &[u8], attached: &[BorrowedFd<'_>]) -> rustix::io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !attached.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(attached));
    }
    sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL)
}

/// Sends a message. One that the other side does not take is lost with it.
pub fn send(socket: impl AsFd, message: &Value, attached: &[BorrowedFd<'_>]) {
    let _ = send_bytes(socket, message.to_string().as_bytes(), attached);
}

/// Waits for a message; `None` at the end of the socket.
pub fn receive(socket: impl AsFd) -> Option<Packet> {
    let mut buffer = vec![0; 64 << 10];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(128))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let parts = &mut [IoSliceMut::new(&mut buffer)];
    let received = rustix::io::retry_on_intr(|| recvmsg(&socket, parts, &mut ancillary, flags)).ok()?;
    let mut attached = Vec::new();
    for part in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = part {
            attached.extend(rights);
        }
    }
    if received.bytes == 0 {
        return None;
    }
    let message = serde_json::from_slice(&buffer[..received.bytes]).expect("a server says JSON");
    Some((message, attached))
}

/// A number that may be in a text.
pub fn number(value: &Value) -> u64 {
    let of_text = || value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or_else(of_text).unwrap_or_else(|| panic!("{value} is no number"))
}

/// The version in which clients and servers speak.
pub const VERSION: u64 = 2;

/// The program, with this process as its client.
#[derive(Debug)]
pub struct Server {
    child: Child,
    first: OwnedFd,
}

impl Server {
    /// Starts one that has introduced itself.
    pub fn start() -> Server {
        Server::start_with(&[])
    }

    /// The same, with these variables in its environment.
    pub fn start_with(environment: &[(&str, &str)]) -> Server {
        let (first, theirs) = pair();
        let child = spawn(theirs, environment);
        let server = Server { child, first };
        let hello = server.greet(VERSION).expect("it says hello");
        assert_eq!((&hello["kind"], &hello["version"]), (&json!("hello"), &json!(VERSION)));
        assert_eq!(hello["pid"], server.pid());
        server
    }

    /// Says hello in this version, and hears what it answers.
    pub fn greet(&self, version: u64) -> Option<Value> {
        send(&self.first, &json!({ "kind": "hello", "version": version, "client": "test" }), &[]);
        receive(&self.first).map(|(message, _)| message)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// This end of its first socket.
    pub fn first(&self) -> &OwnedFd {
        &self.first
    }

    /// A session of it, of which nothing is said yet.
    pub fn session(&self) -> OwnedFd {
        session_of(&self.first)
    }

    /// Opens a session of a library. The error is that of the answer.
    pub fn open(&self, bound: &Bound, options: &Value) -> Result<Arc<Client>, Value> {
        Client::open(self.session(), bound, options)
    }

    /// Kills it and waits for that.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is a child of this process");
        self.child.wait().expect("it is waited for once");
    }

    /// Waits for its end; its status.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("it is waited for once").code()
    }

    /// Ends its first socket, and waits for its end; its status.
    pub fn leave(mut self) -> Option<i32> {
        rustix::net::shutdown(&self.first, Shutdown::Both).expect("it is a socket");
        self.child.wait().expect("it is waited for once").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its first socket. What was waited for is an error here.
        let _ = rustix::net::shutdown(&self.first, Shutdown::Both);
        let _ = self.child.wait();
    }
}

/// Makes a session of a first socket.
pub fn session_of(first: impl AsFd) -> OwnedFd {
    let (own, theirs) = pair();
    send(first, &json!({ "kind": "session" }), &[theirs.as_fd()]);
    own
}

/// Starts the program with this as its descriptor 3.
pub fn spawn(theirs: OwnedFd, environment: &[(&str, &str)]) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" serve --fd 3 3<&0 </dev/null"]).arg(program("hotcell"));
    command.env_remove("HOTCELL_WORKER").env_remove("HOTCELL_WATCH").envs(environment.iter().copied());
    command.stdin(Stdio::from(theirs)).spawn().expect("there is a shell")
}

/// Connects to a server that runs at a path.
pub fn connect(path: &Path) -> rustix::io::Result<OwnedFd> {
    use rustix::net::{SocketAddrUnix, connect, socket_with};
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// A session, as its client has it.
#[derive(Debug)]
pub struct Client {
    socket: OwnedFd,
    opened: Mutex<Value>,
    ids: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

/// What was heard.
#[derive(Debug, Default)]
pub struct State {
    /// Channels, by their workers.
    pub channels: BTreeMap<u64, Arc<HostChannel>>,
    /// Those whose seals were there when that was said.
    pub sealed: BTreeSet<u64>,
    /// What was said of workers' ends.
    pub ended: BTreeMap<u64, Value>,
    /// Workers of which nothing is left, and that never served.
    pub gone: BTreeSet<u64>,
    /// Workers that serve nobody new.
    pub retired: BTreeSet<u64>,
    /// Workers that are worn.
    pub worn: BTreeSet<u64>,
    /// Whether the socket has ended.
    pub is_over: bool,
    /// Whether channels are left unmapped.
    pub maps_nothing: bool,
    /// After how long it says that it has mapped a channel.
    pub maps_later: Option<Duration>,
    /// Whether it has said that of one.
    pub has_said_mapped: bool,
    /// The refusal of the session itself, which answers no order.
    turned_away: Option<Value>,
    answers: BTreeMap<u64, Packet>,
    segments: BTreeMap<u64, (SegmentFile, Mapping)>,
}

impl Client {
    fn open(socket: OwnedFd, bound: &Bound, options: &Value) -> Result<Arc<Client>, Value> {
        let client = Client::of(socket);
        let mut options = options.clone();
        let library = |path: &std::path::PathBuf| json!(path.to_string_lossy());
        options["libraries"] = bound.libraries.iter().map(library).collect();
        let opened = client.order_open(bound, &options)?;
        *lock(&client.opened) = opened;
        Ok(client)
    }

    /// One of a socket, of which nothing is said yet.
    pub fn of(socket: OwnedFd) -> Arc<Client> {
        let client = Arc::new(Client {
            socket,
            opened: Mutex::default(),
            ids: AtomicU64::new(1),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let own = Arc::clone(&client);
        thread::spawn(move || own.hear());
        client
    }

    /// Orders the session to be opened.
    pub fn order_open(&self, bound: &Bound, options: &Value) -> Result<Value, Value> {
        let interface = serde_json::to_vec(&bound.interface).expect("an interface is JSON");
        let memory = |bytes: &[u8]| sealed_copy(bytes).expect("there is memory for a file");
        let (file, shim) = (memory(&interface), memory(bound.package.shim));
        let open = json!({
            "kind": "open", "interface_bytes": interface.len(), "shim_bytes": bound.package.shim.len(),
            "options": options,
        });
        self.order(open, &[file.as_fd(), shim.as_fd()]).map(|(answer, _)| answer)
    }

    /// What was answered when it was opened.
    pub fn opened(&self) -> Value {
        lock(&self.opened).clone()
    }

    /// Says something of a session, without an answer.
    pub fn say(&self, message: &Value) {
        send(&self.socket, message, &[]);
    }

    /// Its socket.
    pub fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// Orders something, and waits for the answer: or for the error with which it is refused.
    pub fn order(&self, mut message: Value, attached: &[BorrowedFd<'_>]) -> Result<Packet, Value> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        message["id"] = json!(id);
        send(&self.socket, &message, attached);
        let heard = self.wait(&format!("an answer to {message}"), |state| {
            let over = || state.is_over.then(|| json!({ "kind": "refused", "error": "over" }));
            let unanswered = || state.turned_away.clone().or_else(over).map(|refused| (refused, Vec::new()));
            state.answers.remove(&id).or_else(unanswered)
        });
        if heard.0["kind"] == "refused" { Err(heard.0["error"].clone()) } else { Ok(heard) }
    }

    /// The worker that serves: its number.
    pub fn worker(&self) -> Result<u64, Value> {
        let left = json!({ "kind": "worker", "left_ns": 30_000_000_000_u64, "function": "" });
        self.order(left, &[]).map(|(serves, _)| number(&serves["generation"]))
    }

    /// The channel of a worker, with its seals.
    pub fn channel(&self, generation: u64) -> Arc<HostChannel> {
        let state = self.state();
        assert!(
            state.sealed.contains(&generation),
            "worker {generation} serves before its channel is sealed"
        );
        Arc::clone(&state.channels[&generation])
    }

    /// The channel of a worker that was offered, whether or not it has its seals.
    pub fn channel_before(&self, generation: u64) -> Arc<HostChannel> {
        Arc::clone(&self.state().channels[&generation])
    }

    /// A lane of a worker for this caller. From 1 on it is asked for.
    pub fn lane(self: &Arc<Self>, generation: u64, lane: u32) -> Result<Lane, Value> {
        let ask = json!({
            "kind": "lane", "generation": generation.to_string(), "lane": lane, "left_ns": 30_000_000_000_u64,
        });
        if lane > 0 {
            self.order(ask, &[])?;
        }
        Ok(Lane::new(self, generation, lane))
    }

    /// Adds a segment: its number, and the map.
    pub fn grow(&self, generation: u64, kind: Seals, bytes: usize) -> Result<(u16, Mapping), Value> {
        let direction = if kind == Seals::Request { "request" } else { "reply" };
        let ask = json!({
            "kind": "grow", "generation": generation.to_string(), "direction": direction, "bytes": bytes,
            "left_ns": 30_000_000_000_u64,
        });
        let (ready, _) = self.order(ask, &[])?;
        let segment = self.state().segments.remove(&number(&ready["id"]));
        let (file, mapping) = segment.expect("it was mapped before it was ready");
        assert!(file.is_sealed(kind).expect("it is a memory file"), "it is ready before it is sealed");
        Ok((number(&ready["number"]) as u16, mapping))
    }

    /// What is said of a worker's end; that the socket has ended, where it has.
    pub fn ended(&self, generation: u64) -> Value {
        let over = || json!({ "kind": "over" });
        let ended = |state: &mut State| state.ended.get(&generation).cloned().or(state.is_over.then(over));
        self.wait(&format!("the end of worker {generation}"), ended)
    }

    /// What was heard until now.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Waits until something was heard.
    pub fn wait<T>(&self, what: &str, mut heard: impl FnMut(&mut State) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        let mut state = self.state();
        loop {
            if let Some(heard) = heard(&mut state) {
                return heard;
            }
            assert!(Instant::now() < until, "{what} does not come: {state:?}");
            let waited = self.changed.wait_timeout(state, Duration::from_secs(1));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the session, and waits until its socket has ended.
    pub fn close(&self) {
        self.say(&json!({ "kind": "close" }));
        self.wait("the end of the socket", |state| state.is_over.then_some(()));
    }

    /// Ends its socket without a word. It is heard of until then, whoever has it.
    pub fn hang_up(&self) {
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Both);
    }

    fn hear(&self) {
        while let Some((message, attached)) = receive(&self.socket) {
            self.take(message, attached);
            self.changed.notify_all();
        }
        let mut state = self.state();
        state.is_over = true;
        state.channels.values().for_each(|channel| channel.bury());
        drop(state);
        self.changed.notify_all();
    }

    fn take(&self, message: Value, attached: Vec<OwnedFd>) {
        let generation = message.get("generation").map(number);
        let of = || generation.unwrap_or_else(|| panic!("of no worker: {message}"));
        let mut state = self.state();
        match message["kind"].as_str().unwrap_or_default() {
            "channel" if state.maps_nothing => {}
            "channel" => {
                let lengths = (number(&message["request_bytes"]), number(&message["reply_bytes"]));
                let mut attached = attached.into_iter();
                let mut next = || attached.next().expect("two files come with a channel");
                let channel = HostChannel::join(next(), next(), lengths).expect("a channel is mapped");
                assert_eq!(attached.len() as u64, number(&message["lanes"]), "eventfds of {message}");
                assert_eq!(channel.generation(), of());
                state.channels.insert(of(), channel);
                if let Some(later) = state.maps_later {
                    drop(state);
                    self.changed.notify_all();
                    thread::sleep(later);
                    state = self.state();
                }
                // Before it is heard: who looks at it sees no seal until then.
                state.has_said_mapped = true;
                self.say(&json!({ "kind": "mapped", "generation": of().to_string() }));
            }
            "sealed" => {
                let sealed = state.channels[&of()].is_sealed().expect("it is a memory file");
                assert!(sealed, "a channel of which that is said has its seals");
                state.sealed.insert(of());
            }
            "segment" => {
                let file = attached.into_iter().next().expect("a file comes with a segment");
                let length = rustix::fs::fstat(&file).expect("it is a file").st_size as u64;
                let file = SegmentFile::received(file, length).expect("it has its size");
                let mapping = file.map(Access::ReadWrite).expect("it has no seals yet");
                state.segments.insert(number(&message["id"]), (file, mapping));
                self.say(&json!({ "kind": "mapped", "id": message["id"] }));
            }
            "ended" => {
                state.channels.get(&of()).expect("it was offered").bury();
                let before = state.ended.insert(of(), message.clone());
                assert!(before.is_none(), "a worker ends once: {message}");
            }
            "gone" => _ = state.gone.insert(of()),
            "retired" => _ = state.retired.insert(of()),
            "worn" => _ = state.worn.insert(of()),
            "refused" if message["id"].is_null() => state.turned_away = Some(message),
            _ => _ = state.answers.insert(number(&message["id"]), (message, attached)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
