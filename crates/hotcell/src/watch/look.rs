//! Looking at other processes: all are asked at once, and none can keep the others from answering.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::peers::Peer;
use super::{Order, VERSION};

mod asking;
mod names;
mod room;

use asking::ask;
use names::{Name, names};

/// What a look has found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Seen {
    /// The processes that let this one look, those of this user first.
    pub hosts: Vec<Host>,
    /// Sockets that could not be asked, of whoever they are: they had no room or time was over, or there are too many of one other user.
    pub not_asked: usize,
}

/// A process that lets others look at it.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its process id, by the kernel's word; by its own where it is not to be seen from here.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// What it answers, as JSON; or why it does not. It may say anything: of another user's process root is told lies, if that likes.
    pub answer: Result<Value, String>,
    /// Who it is by the kernel's word.
    peer: Peer,
    /// The socket.
    name: Name,
}

/// Asks all processes of this user that let others look, and as root those of all users, for what they have. Comes back when all have
/// answered, or the time is over. Processes in another network namespace are not seen.
///
/// # Errors
///
/// `/proc/net/unix` cannot be read.
pub fn look(within: Duration) -> io::Result<Seen> {
    let list = fs::read("/proc/net/unix")?;
    let names = names(&String::from_utf8_lossy(&list));
    Ok(ask(names, &json!({ "hotcell_watch": VERSION, "ask": "look" }), within))
}

impl Host {
    /// Whether it is this user's.
    pub fn is_of_this_user(&self) -> bool {
        self.uid == rustix::process::geteuid().as_raw()
    }

    /// Whether it is the process of this id by the kernel's word, and not only by its own.
    pub fn is_process(&self, pid: u32) -> bool {
        pid != 0 && self.peer.pid == pid
    }

    /// Has it load libraries anew. What became of each is in the answer: `reloaded`.
    pub fn reload(&self, order: &Order, within: Duration) -> Host {
        let text = |path: &PathBuf| path.to_str().map(str::to_owned);
        let paths = order.libraries.as_ref().map(|paths| paths.iter().map(text).collect::<Option<Vec<_>>>());
        if paths == Some(None) {
            // Another path would be another file.
            return Host {
                answer: Err("a path that is no UTF-8 cannot be said to it".into()),
                ..self.clone()
            };
        }
        let question = json!({
            "hotcell_watch": VERSION,
            "ask": "reload",
            "library": order.library,
            "libraries": paths.flatten(),
            "drain_ms": u64::try_from(order.drain.as_millis()).unwrap_or(u64::MAX),
        });
        let gone = || Host { answer: Err("it has gone".into()), ..self.clone() };
        ask(vec![self.name.of(self.peer)], &question, within).hosts.pop().unwrap_or_else(gone)
    }
}
