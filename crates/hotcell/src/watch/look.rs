//! Looking at other processes: all are asked at once, and none can keep the others from answering.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send,
    socket_with,
};
use serde_json::{Value, json};

use super::endpoint::PREFIX;
use super::peers::Peer;
use super::{Order, VERSION};

/// A process that lets others look at it.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its process id, by the kernel's word; by its own where it is not to be seen from here.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// What it answers, as JSON; or why it does not. It may say anything: of another user's process root is told lies, if that likes.
    pub answer: Result<Value, String>,
    /// The socket's name.
    name: String,
}

/// Sockets that are asked at most.
const MOST_HOSTS: usize = 1024;

/// Bytes that an answer may have.
const MOST_BYTES: usize = 8 << 20;

/// How soon one is tried again that had no room for another peer.
const AGAIN: Duration = Duration::from_millis(10);

/// One that is asked.
struct Asked {
    name: String,
    socket: OwnedFd,
    peer: Peer,
    received: Vec<u8>,
    done: Option<Result<Value, String>>,
}

/// Asks all processes of this user that let others look, and as root those of all users, for what they have. Comes back when all have
/// answered, or the time is over. Processes in another network namespace are not seen.
///
/// # Errors
///
/// `/proc/net/unix` cannot be read.
pub fn look(within: Duration) -> io::Result<Vec<Host>> {
    let list = fs::read("/proc/net/unix")?;
    let names = names(&String::from_utf8_lossy(&list));
    Ok(ask(names, &json!({ "hotcell_watch": VERSION, "ask": "look" }), within))
}

impl Host {
    /// Whether it is this user's.
    pub fn is_of_this_user(&self) -> bool {
        self.uid == rustix::process::geteuid().as_raw()
    }

    /// Has it load libraries anew. What became of each is in the answer: `reloaded`.
    pub fn reload(&self, order: &Order, within: Duration) -> Host {
        let paths = |paths: &Vec<_>| {
            paths
                .iter()
                .map(|path: &std::path::PathBuf| path.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
        };
        let question = json!({
            "hotcell_watch": VERSION,
            "ask": "reload",
            "library": order.library,
            "libraries": order.libraries.as_ref().map(paths),
            "drain_ms": u64::try_from(order.drain.as_millis()).unwrap_or(u64::MAX),
        });
        let gone = || Host { answer: Err("it has gone".into()), ..self.clone() };
        ask(vec![self.name.clone()], &question, within).pop().unwrap_or_else(gone)
    }
}

/// The names of sockets that listen, of a text of `/proc/net/unix`.
fn names(list: &str) -> Vec<String> {
    const LISTENS: u32 = 0x10000;
    let name = |line: &str| {
        let mut fields = line.split_whitespace();
        let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        let name = fields.nth(3)?.strip_prefix('@')?;
        let (pid, chance) = name.strip_prefix(PREFIX)?.split_once('/')?;
        let is_name = pid.bytes().all(|byte| byte.is_ascii_digit())
            && chance.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_name && flags & LISTENS != 0).then(|| name.to_owned())
    };
    let mut names: Vec<String> = list.lines().filter_map(name).collect();
    names.sort();
    names.dedup();
    names.truncate(MOST_HOSTS);
    names
}

/// Asks all of them, and collects what comes in time.
fn ask(mut names: Vec<String>, question: &Value, within: Duration) -> Vec<Host> {
    let (question, until) = (format!("{question}\n"), Instant::now() + within);
    let mut asked: Vec<Asked> = Vec::new();
    loop {
        names.retain(|name| match Asked::begin(name, question.as_bytes()) {
            Ok(begun) => {
                asked.extend(begun);
                false
            }
            // Too many stand before it.
            Err(Errno::AGAIN) => true,
            Err(_) => false,
        });
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || names.is_empty() && asked.iter().all(|it| it.done.is_some()) {
            break;
        }
        wait(&mut asked, if names.is_empty() { left } else { left.min(AGAIN) });
    }
    asked.into_iter().map(Asked::end).collect()
}

/// Reads what there is, or waits for that.
fn wait(asked: &mut [Asked], most: Duration) {
    let mut open: Vec<&mut Asked> = asked.iter_mut().filter(|it| it.done.is_none()).collect();
    let mut sources: Vec<PollFd<'_>> = Vec::with_capacity(open.len());
    sources.extend(open.iter().map(|it| PollFd::new(&it.socket, PollFlags::IN)));
    let most = Timespec { tv_sec: most.as_secs() as i64, tv_nsec: most.subsec_nanos().into() };
    if poll(&mut sources, Some(&most)).is_err() {
        return;
    }
    let ready: Vec<bool> = sources.iter().map(|source| !source.revents().is_empty()).collect();
    open.iter_mut().zip(ready).filter(|(_, ready)| *ready).for_each(|(it, _)| it.read());
}

impl Asked {
    /// Connects and asks, without waiting. `None` where the other side would not answer this process.
    fn begin(name: &str, question: &[u8]) -> Result<Option<Asked>, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        connect(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
        let Some(peer) = Peer::of(&socket).filter(|peer| peer.would_answer()) else { return Ok(None) };
        // It fits into the socket's buffer.
        let sent = send(&socket, question, SendFlags::NOSIGNAL);
        let done = (sent != Ok(question.len())).then(|| Err("it does not hear".to_owned()));
        Ok(Some(Asked { name: name.to_owned(), socket, peer, received: Vec::new(), done }))
    }

    fn read(&mut self) {
        let mut part = vec![0; 64 << 10];
        match recv(&self.socket, &mut part[..], RecvFlags::empty()) {
            Ok((0, _)) => {
                let answer = serde_json::from_slice(&self.received);
                self.done = Some(answer.map_err(|_| "what it answers is no JSON".to_owned()));
            }
            Ok((count, _)) => {
                self.received.extend_from_slice(&part[..count]);
                if self.received.len() > MOST_BYTES {
                    self.done = Some(Err("it answers without end".to_owned()));
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => self.done = Some(Err(errno.to_string())),
        }
    }

    fn end(self) -> Host {
        let answer = self.done.unwrap_or_else(|| Err("it does not answer in time".to_owned()));
        let own_word = answer.as_ref().ok().and_then(|it| u32::try_from(it["host"]["pid"].as_u64()?).ok());
        let pid = if self.peer.pid == 0 { own_word.unwrap_or(0) } else { self.peer.pid };
        Host { pid, uid: self.peer.user.as_raw(), answer, name: self.name }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rustix::net::{bind, listen};

    use super::*;

    #[test]
    fn names_are_those_of_sockets_that_listen() {
        let list = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0: 00000002 00000000 00010000 0001 01 1 @hotcell-watch/7/0123456789abcdef\n\
            0: 00000002 00000000 00010000 0001 01 1 @hotcell-watch/7/0123456789abcdef\n\
            0: 00000003 00000000 00000000 0001 03 2 @hotcell-watch/8/0123456789abcdef\n\
            0: 00000002 00000000 00010000 0001 01 3 /run/hotcell-watch/9/00\n\
            0: 00000002 00000000 00010000 0001 01 4 @hotcell-watch/x/00\n\
            0: 00000002 00000000 00010000 0001 01 5 @hotcell-watch/\n\
            0: 00000002 00000000 00010000 0001 01 6\n";
        assert_eq!(names(list), ["hotcell-watch/7/0123456789abcdef"]);
    }

    fn listener(name: &str) -> OwnedFd {
        let socket =
            socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        bind(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap()).unwrap();
        listen(&socket, 0).unwrap();
        socket
    }

    /// One that never answers and one with no room keep nobody from hearing the others.
    #[test]
    fn who_does_not_answer_keeps_nobody_waiting_for_longer_than_was_said() {
        let own = std::process::id();
        let name = |what: u32| format!("{PREFIX}{own}/{what:016x}");
        let (silent, full, good) = (listener(&name(1)), listener(&name(2)), listener(&name(3)));
        let _in_line: Vec<_> = (0..8).map_while(|_| Asked::begin(&name(2), b"\n").ok()).collect();
        assert!(matches!(Asked::begin(&name(2), b"\n"), Err(Errno::AGAIN)), "it has no room");
        let answers = thread::spawn(move || {
            let peer = rustix::net::accept(&good).unwrap();
            // Who goes without having read takes the answer with him.
            recv(&peer, &mut [0; 64][..], RecvFlags::empty()).unwrap();
            send(&peer, b"{\"host\":{\"pid\":1}}", SendFlags::NOSIGNAL).unwrap();
        });
        let hosts = ask((1..=4).map(name).collect(), &json!({}), Duration::from_millis(300));
        answers.join().unwrap();
        let told: Vec<_> = hosts.iter().map(|host| (host.pid, host.answer.as_ref().ok().cloned())).collect();
        assert_eq!(told, [(own, None), (own, Some(json!({ "host": { "pid": 1 } })))]);
        assert_eq!(hosts[0].answer.as_ref().unwrap_err(), "it does not answer in time");
        drop((silent, full));
    }
}
