//! Asking many at once, without waiting for any of them.

use std::mem;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send,
    socket_with,
};
use serde_json::Value;

use super::names::Name;
use super::room::Room;
use super::{Host, Seen};
use crate::watch::peers::Peer;

/// Sockets that are left and looked up one by one, for whether they are of processes that would answer.
const MOST_LEFT: usize = 256;

/// How soon one is tried again that had no room for another peer.
const AGAIN: Duration = Duration::from_millis(10);

/// One that is asked.
struct Asked {
    name: Name,
    socket: OwnedFd,
    peer: Peer,
    received: Vec<u8>,
}

/// What comes of connecting.
enum Begun {
    Asked(Asked),
    /// It does not answer, and why.
    Done(Host),
    /// It would not answer this process, or has gone.
    None,
    /// There are as many of its user as are asked.
    TooMany,
    /// It may be tried again.
    Again,
}

/// A look that is under way.
struct Looking {
    question: String,
    room: Room,
    /// Those that could not be asked yet.
    left: Vec<Name>,
    asked: Vec<Asked>,
    seen: Seen,
}

/// Asks all of them, and collects what comes in time.
pub(super) fn ask(names: Vec<Name>, question: &Value, within: Duration) -> Seen {
    let until = Instant::now() + within;
    let mut looking = Looking {
        question: format!("{question}\n"),
        room: Room::default(),
        left: names,
        asked: Vec::new(),
        seen: Seen::default(),
    };
    loop {
        looking.begin(until);
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || looking.left.is_empty() && looking.asked.is_empty() {
            return looking.end();
        }
        looking.wait(if looking.left.is_empty() { left } else { left.min(AGAIN) });
    }
}

impl Looking {
    /// Connects to those that are left, as far as there is time.
    fn begin(&mut self, until: Instant) {
        for name in mem::take(&mut self.left) {
            if Instant::now() >= until {
                self.left.push(name);
                continue;
            }
            match Asked::begin(&name, self.question.as_bytes(), &mut self.room) {
                Begun::Asked(asked) => self.asked.push(asked),
                Begun::Done(host) => self.seen.hosts.push(host),
                Begun::TooMany => self.seen.not_asked += 1,
                Begun::None => {}
                Begun::Again => self.left.push(name),
            }
        }
    }

    /// Reads what there is, or waits for that.
    fn wait(&mut self, most: Duration) {
        let mut sources: Vec<PollFd<'_>> = Vec::with_capacity(self.asked.len());
        sources.extend(self.asked.iter().map(|it| PollFd::new(&it.socket, PollFlags::IN)));
        let most = Timespec { tv_sec: most.as_secs() as i64, tv_nsec: most.subsec_nanos().into() };
        if poll(&mut sources, Some(&most)).is_err() {
            return;
        }
        let ready: Vec<bool> = sources.iter().map(|source| !source.revents().is_empty()).collect();
        for (mut asked, ready) in mem::take(&mut self.asked).into_iter().zip(ready) {
            match ready.then(|| asked.read(&mut self.room)).flatten() {
                // Its descriptor is free for another.
                Some(answer) => self.seen.hosts.push(asked.end(answer)),
                None => self.asked.push(asked),
            }
        }
    }

    /// Says of those that are left that they did not answer.
    fn end(mut self) -> Seen {
        let late = self.asked.into_iter().map(|it| it.end(Err("it does not answer in time".into())));
        self.seen.hosts.extend(late);
        for (index, name) in self.left.into_iter().enumerate() {
            match Some(&name).filter(|_| index < MOST_LEFT).and_then(Name::holder) {
                Some(peer) => {
                    let why = "it does not answer: too many stand before this one, or this process has no descriptor left";
                    self.seen.hosts.push(Host::new(name, peer, Err(why.into())));
                }
                None => self.seen.not_asked += 1,
            }
        }
        self.seen.hosts.sort_by_key(|host| (!host.is_of_this_user(), host.pid));
        self.seen
    }
}

impl Host {
    fn new(name: Name, peer: Peer, answer: Result<Value, String>) -> Host {
        let own_word = answer.as_ref().ok().and_then(|it| u32::try_from(it["host"]["pid"].as_u64()?).ok());
        let pid = if peer.pid == 0 { own_word.unwrap_or(0) } else { peer.pid };
        Host { pid, uid: peer.user.as_raw(), answer, peer, name }
    }
}

impl Asked {
    /// Connects and asks, without waiting.
    fn begin(name: &Name, question: &[u8], room: &mut Room) -> Begun {
        let socket = match Asked::connect(&name.text) {
            Ok(socket) => socket,
            // Nobody listens there any more.
            Err(Errno::CONNREFUSED) => return Begun::None,
            // Too many stand before this one, or no descriptor is left; what else there may be is told in the end as well.
            Err(_) => return Begun::Again,
        };
        let Some(peer) = Peer::of(&socket).filter(|peer| peer.would_answer()) else { return Begun::None };
        if name.expected.is_some_and(|expected| expected != peer) {
            return Begun::None;
        }
        if !room.has_for(peer.user) {
            return Begun::TooMany;
        }
        // It fits into the socket's buffer.
        match send(&socket, question, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == question.len() => {
                Begun::Asked(Asked { name: name.clone(), socket, peer, received: Vec::new() })
            }
            _ => Begun::Done(Host::new(name.clone(), peer, Err("it does not hear".to_owned()))),
        }
    }

    fn connect(name: &str) -> Result<OwnedFd, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        connect(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
        Ok(socket)
    }

    /// Reads a part. The answer, when it is there as a whole, or why there is none.
    fn read(&mut self, room: &mut Room) -> Option<Result<Value, String>> {
        let mut part = vec![0; 64 << 10];
        match recv(&self.socket, &mut part[..], RecvFlags::empty()) {
            Ok((0, _)) => Some(room.read(self.peer.user, &self.received).and_then(|()| {
                serde_json::from_slice(&self.received).map_err(|_| "what it answers is no JSON".to_owned())
            })),
            Ok((count, _)) => {
                self.received.extend_from_slice(&part[..count]);
                room.take(self.peer.user, count, self.received.len()).err().map(Err)
            }
            Err(Errno::AGAIN | Errno::INTR) => None,
            Err(errno) => Some(Err(errno.to_string())),
        }
    }

    fn end(self, answer: Result<Value, String>) -> Host {
        Host::new(self.name, self.peer, answer)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use rustix::net::{bind, listen};
    use serde_json::json;

    use super::super::names::names;
    use super::*;
    use crate::watch::endpoint::PREFIX;

    fn listener(name: &str) -> OwnedFd {
        let socket =
            socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        bind(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap()).unwrap();
        listen(&socket, 0).unwrap();
        socket
    }

    fn name(what: u32) -> String {
        format!("{PREFIX}{}/{what:016x}", std::process::id())
    }

    /// Those of this process that have these names.
    fn listed(which: &[u32]) -> Vec<Name> {
        let list = fs::read_to_string("/proc/net/unix").unwrap();
        let meant: Vec<_> = which.iter().map(|it| name(*it)).collect();
        names(&list).into_iter().filter(|name| meant.contains(&name.text)).collect()
    }

    /// One that never answers and one with no room keep nobody from hearing the others, and are told of.
    #[test]
    fn who_does_not_answer_keeps_nobody_waiting_for_longer_than_was_said() {
        let own = std::process::id();
        let (silent, full, good) = (listener(&name(1)), listener(&name(2)), listener(&name(3)));
        let gone = listener(&name(4));
        let names = listed(&[1, 2, 3, 4]);
        drop(gone);
        let full_name = names.iter().find(|it| it.text == name(2)).unwrap().clone();
        let again = || Asked::begin(&full_name, b"\n", &mut Room::default());
        let mut in_line = Vec::new();
        while let (true, Begun::Asked(asked)) = (in_line.len() < 8, again()) {
            in_line.push(asked);
        }
        assert!(matches!(again(), Begun::Again), "it has no room");
        let answers = thread::spawn(move || {
            let peer = rustix::net::accept(&good).unwrap();
            // Who goes without having read takes the answer with him.
            recv(&peer, &mut [0; 64][..], RecvFlags::empty()).unwrap();
            send(&peer, b"{\"host\":{\"pid\":1}}", SendFlags::NOSIGNAL).unwrap();
        });
        let seen = ask(names, &json!({}), Duration::from_millis(300));
        answers.join().unwrap();
        let mut told: Vec<_> =
            seen.hosts.iter().map(|host| (&*host.name.text, host.pid, &host.answer)).collect();
        told.sort_by_key(|(name, ..)| *name);
        let answers: Vec<_> =
            told.iter().map(|(_, pid, answer)| (*pid, answer.as_ref().ok().cloned())).collect();
        assert_eq!(answers, [(own, None), (own, None), (own, Some(json!({ "host": { "pid": 1 } })))]);
        assert_eq!(told[0].2.as_ref().unwrap_err(), "it does not answer in time");
        assert!(told[1].2.as_ref().unwrap_err().contains("too many stand before"));
        assert_eq!(seen.not_asked, 0, "the one that has gone is none");
        drop((silent, full));
    }

    /// A name is no proof: who has no such socket is not told to be silent.
    #[test]
    fn a_socket_that_is_full_is_not_taken_for_one_of_the_process_in_its_name() {
        let own = std::process::id();
        // A name with the number of another process of this user, whose socket it is not.
        let parent = rustix::process::getppid().map_or(1, |pid| pid.as_raw_nonzero().get());
        let text = format!("{PREFIX}{parent}/00000000{own:08x}");
        let full = listener(&text);
        let list = fs::read_to_string("/proc/net/unix").unwrap();
        let names: Vec<_> = names(&list).into_iter().filter(|name| name.text == text).collect();
        let begin = || Asked::begin(&names[0], b"\n", &mut Room::default());
        let in_line: Vec<_> = (0..8).map(|_| begin()).collect();
        assert!(matches!(in_line.last(), Some(Begun::Again)), "it has no room");
        let seen = ask(names.clone(), &json!({}), Duration::from_millis(50));
        assert_eq!((seen.hosts.len(), seen.not_asked), (0, 1));
        drop(full);
    }

    /// What was seen is what is asked again, or nobody is.
    #[test]
    fn another_process_by_the_same_name_is_not_asked() {
        let listens = listener(&name(5));
        let mut names = listed(&[5]);
        let peer = names[0].holder().expect("it is this process's");
        names[0].expected = Some(Peer { pid: peer.pid + 1, ..peer });
        let seen = ask(names.clone(), &json!({}), Duration::from_millis(50));
        assert_eq!((seen.hosts.len(), seen.not_asked), (0, 0));
        names[0].expected = Some(peer);
        assert_eq!(ask(names, &json!({}), Duration::from_millis(50)).hosts.len(), 1);
        drop(listens);
    }
}
