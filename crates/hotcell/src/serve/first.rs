//! The first socket of a client: who it is, and which sessions it has.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use hotcell_protocol::ErrorKind;
use hotcell_shm::lock::Mutex;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, PidfdFlags, geteuid, pidfd_open};
use serde_json::json;

use super::attended::Attended;
use super::client::{Client, News};
use super::known::Known;
use super::message::First as Said;
use super::socket::{Socket, Trouble};
use super::{VERSION, refusal};
use crate::error::Cause;

/// Sessions that a client may have at a time.
const MOST: usize = 64;

/// A client as its first socket has it.
#[derive(Debug)]
pub(super) struct First {
    socket: Socket,
    pid: u32,
    process: Arc<Option<OwnedFd>>,
    known: Arc<Known>,
    /// Whether this server has ended it.
    in_order: Mutex<bool>,
}

/// A session that is attended.
struct OfClient {
    /// Who attends it has it.
    client: Weak<Client>,
    thread: JoinHandle<()>,
}

impl First {
    /// Takes a client's first socket.
    pub(super) fn of(socket: OwnedFd, known: &Arc<Known>) -> Result<First, Trouble> {
        let socket = Socket::of(socket)?;
        let credentials = socket_peercred(&socket).map_err(|_| Trouble::Gone)?;
        if credentials.uid != geteuid() {
            return Err(Trouble::Broken("the client is another user's".into()));
        }
        // 0 where it is not to be seen from here; then its end is known by its socket's alone.
        let pid = u32::try_from(Pid::as_raw(Some(credentials.pid))).unwrap_or(0);
        let process = (pid != 0).then(|| pidfd_open(credentials.pid, PidfdFlags::empty()).ok()).flatten();
        let in_order = Mutex::new(false);
        Ok(First { socket, pid, process: Arc::new(process), known: Arc::clone(known), in_order })
    }

    /// Has all its sessions end in order.
    pub(super) fn end(&self) {
        *self.in_order.lock() = true;
        self.socket.end();
    }

    /// Attends it until its socket ends, or says what nobody says there, and until nothing is left of its sessions.
    pub(super) fn run(&self) {
        let mut sessions = Vec::new();
        let mut greeted = false;
        while self.wait() {
            match self.hear(&mut sessions, &mut greeted) {
                Ok(true) => {}
                Ok(false) | Err(_) => break,
            }
        }
        let in_order = *self.in_order.lock();
        for client in sessions.iter().filter_map(|session| session.client.upgrade()) {
            client.end();
            client.hear(News::Over { in_order });
        }
        // One that has panicked has nothing left to do.
        sessions.into_iter().for_each(|OfClient { thread, .. }| _ = thread.join());
        self.socket.end();
    }

    /// Waits for what it says. False when its process has ended.
    fn wait(&self) -> bool {
        let mut fds = vec![PollFd::new(&self.socket, PollFlags::IN)];
        fds.extend(self.process.iter().map(|process| PollFd::new(process, PollFlags::IN)));
        let _ = poll(&mut fds, None);
        !fds.get(1).is_some_and(|process| process.revents().intersects(PollFlags::IN))
    }

    /// Takes one packet, if there is one. False at the end of the socket.
    fn hear(&self, sessions: &mut Vec<OfClient>, greeted: &mut bool) -> Result<bool, Trouble> {
        let message = match self.socket.receive()? {
            None => return Ok(true),
            Some(None) => return Ok(false),
            Some(Some(message)) => message,
        };
        match message.first()? {
            Said::Hello { version } => {
                let hello = json!({
                    "kind": "hello",
                    "version": VERSION,
                    "server": env!("CARGO_PKG_VERSION"),
                    "pid": std::process::id(),
                });
                self.socket.send(&hello, &[])?;
                *greeted = version == VERSION;
                // One of another version has been told, and can do nothing here.
                Ok(*greeted)
            }
            Said::Session(_) if !*greeted => Err(Trouble::Broken("a session before `hello`".into())),
            Said::Session(socket) => {
                sessions.retain(|session| !session.thread.is_finished());
                self.attend(Socket::of(socket)?, sessions);
                Ok(true)
            }
        }
    }

    /// Has a session attended. One that cannot be is told why.
    fn attend(&self, socket: Socket, sessions: &mut Vec<OfClient>) {
        let refuse = |socket: &Socket, message| {
            let error = refusal(ErrorKind::LimitExceeded, Cause::None, "", message);
            let _ = socket.send(&json!({ "kind": "refused", "id": null, "error": error.to_json() }), &[]);
            socket.end();
        };
        if sessions.len() >= MOST {
            return refuse(&socket, format!("the client has {MOST} sessions already"));
        }
        let known = Arc::clone(&self.known);
        // One for which there is no descriptor hears of it by the end of its socket.
        let Ok((client, inbox)) = Client::new(socket, self.pid, Arc::clone(&self.process)) else { return };
        let own = Arc::clone(&client);
        let thread = thread::Builder::new().name("hotcell-session".into());
        match thread.spawn(move || Attended::run(&own, &inbox, &known)) {
            Ok(thread) => sessions.push(OfClient { client: Arc::downgrade(&client), thread }),
            Err(error) => {
                refuse(client.socket(), format!("there is no thread for a session: {error}"));
            }
        }
    }
}
