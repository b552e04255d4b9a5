//! The sockets where processes let others look, by the kernel's list.
//!
//! Anybody may listen by any such name, so what is in a name only says in which order they are asked.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::process::{Uid, geteuid};

use crate::watch::endpoint::PREFIX;
use crate::watch::peers::Peer;

/// Descriptors of a process that are looked at for its socket.
const MOST_DESCRIPTORS: usize = 65_536;

/// A socket that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    /// The process that it says it is of.
    pub(super) pid: u32,
    /// The socket's number.
    inode: String,
    /// Who has to listen there.
    pub(super) expected: Option<Peer>,
}

/// The sockets of a text of `/proc/net/unix`: first those that may be of this user, and of each process one before the second of another.
pub(super) fn names(list: &str) -> Vec<Name> {
    let mut names: Vec<Name> = list.lines().filter_map(Name::read).collect();
    names.sort_by(|one, other| (one.pid, &one.text).cmp(&(other.pid, &other.text)));
    names.dedup_by(|one, other| one.text == other.text);
    // How many were before it with the same process.
    let (mut before, mut pid) = (0, None);
    let mut ordered: Vec<(bool, u32, Name)> = Vec::with_capacity(names.len());
    for name in names {
        before = if pid == Some(name.pid) { before + 1 } else { 0 };
        pid = Some(name.pid);
        ordered.push((name.owner() != Some(geteuid()), before, name));
    }
    ordered.sort_by_key(|(other, before, _)| (*other, *before));
    ordered.into_iter().map(|(.., name)| name).collect()
}

impl Name {
    fn read(line: &str) -> Option<Name> {
        const LISTENS: u32 = 0x10000;
        let mut fields = line.split_whitespace();
        let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        let (inode, text) = (fields.nth(2)?, fields.next()?.strip_prefix('@')?);
        let (pid, chance) = text.strip_prefix(PREFIX)?.split_once('/')?;
        let is_name = flags & LISTENS != 0 && chance.bytes().all(|byte| byte.is_ascii_hexdigit());
        let pid = pid.parse().ok().filter(|_| is_name && pid.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(Name { text: text.into(), pid, inode: inode.into(), expected: None })
    }

    /// The same, where nobody is asked but this one.
    pub(super) fn of(&self, peer: Peer) -> Name {
        Name { expected: Some(peer), ..self.clone() }
    }

    /// The user of the process that it says it is of.
    fn owner(&self) -> Option<Uid> {
        fs::metadata(format!("/proc/{}", self.pid)).ok().map(|of| Uid::from_raw(of.uid()))
    }

    /// The process that has this socket, if it is the one that it says and it would answer this one. For those that cannot be asked.
    pub(super) fn holder(&self) -> Option<Peer> {
        let peer = Peer { pid: self.pid, user: self.owner()? };
        if !peer.would_answer() {
            return None;
        }
        let socket = format!("socket:[{}]", self.inode);
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.pid)).ok()?.take(MOST_DESCRIPTORS);
        let has = descriptors
            .flatten()
            .any(|it| fs::read_link(it.path()).is_ok_and(|to| to.as_os_str() == &*socket));
        has.then_some(peer)
    }
}

#[cfg(test)]
mod tests {
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
            0: 00000002 00000000 00010000 0001 01 5 @hotcell-watch/+7/00\n\
            0: 00000002 00000000 00010000 0001 01 6\n";
        let names = names(list);
        let told: Vec<_> = names.iter().map(|name| (&*name.text, name.pid, &*name.inode)).collect();
        assert_eq!(told, [("hotcell-watch/7/0123456789abcdef", 7, "1")]);
    }

    /// Names are anybody's: neither those before it in the alphabet nor many of one process come before a process of this user.
    #[test]
    fn processes_of_this_user_come_first() {
        let own = std::process::id();
        let line = |pid: u32, chance: u32| {
            format!("0: 00000002 00000000 00010000 0001 01 1 @hotcell-watch/{pid}/{chance:016x}\n")
        };
        // There is no process 0.
        let strangers: String = (0..2000).map(|chance| line(0, chance)).collect();
        let list = format!("{strangers}{}{}", line(own, 1), line(own, 2));
        let names = names(&list);
        assert_eq!(names.len(), 2002);
        let pids: Vec<_> = names.iter().take(3).map(|name| name.pid).collect();
        assert_eq!(pids, [own, own, 0]);
    }
}
