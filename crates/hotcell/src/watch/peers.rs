//! Who is at the other end, by the kernel's word.

use std::fs;
use std::os::fd::AsFd;

use rustix::process::{Uid, geteuid};

/// A peer of a socket: who connected, or who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    /// 0 where it is not to be seen from here.
    pub(super) pid: u32,
    pub(super) user: Uid,
}

/// Whether users are told apart here: whether this one is not the number that stands for all that have none.
pub(super) fn are_told_apart() -> bool {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let nobody = read("/proc/sys/kernel/overflowuid").trim().parse().unwrap_or(65534);
    geteuid().as_raw() != nobody || has_all_users(&read("/proc/self/uid_map"))
}

/// Whether each user has a number of his own, by a text of `/proc/self/uid_map`.
fn has_all_users(map: &str) -> bool {
    let mut numbers = map.split_whitespace();
    numbers.next() == Some("0") && numbers.next().is_some() && numbers.next() == Some("4294967295")
}

impl Peer {
    pub(super) fn of(socket: impl AsFd) -> Option<Peer> {
        let hotcell_sandbox::Peer { pid, user } = hotcell_sandbox::peer(socket).ok()?;
        Some(Peer { pid, user: Uid::from_raw(user) })
    }

    /// Whether it may ask this process now: root, who may do anything with it as it is; or its user, where it is one user's altogether.
    /// Who has taken another's rights for a while is not to be asked by that one.
    pub(super) fn may_ask(self) -> bool {
        self.is_root_or(hotcell_sandbox::users(), are_told_apart)
    }

    fn is_root_or(self, own: [u32; 3], told_apart: impl Fn() -> bool) -> bool {
        self.user.is_root() || own.iter().all(|user| *user == self.user.as_raw()) && told_apart()
    }

    /// Whether it would answer this process: one of the same user does, and any does where this is root.
    pub(super) fn would_answer(self) -> bool {
        self.user == geteuid() || geteuid().is_root()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn this_process_may_ask_itself_and_a_stranger_may_not() {
        let (here, _there) = UnixStream::pair().unwrap();
        let peer = Peer::of(&here).unwrap();
        assert_eq!((peer.pid, peer.user), (std::process::id(), geteuid()));
        assert!(peer.may_ask() && peer.would_answer());
        let stranger = Peer { pid: 1, user: Uid::from_raw(geteuid().as_raw() + 77) };
        assert!(!stranger.may_ask());
        assert!(Peer { pid: 1, user: Uid::ROOT }.may_ask());
    }

    #[test]
    fn a_process_that_has_the_rights_of_others_is_asked_by_root_alone() {
        let peer = |user| Peer { pid: 1, user: Uid::from_raw(user) };
        let may = |user, own| peer(user).is_root_or(own, || true);
        assert!(may(7, [7, 7, 7]) && may(0, [7, 7, 7]) && may(0, [0, 7, 0]));
        for own in [[0, 7, 0], [7, 7, 0], [0, 7, 7], [7, 0, 7], [8, 8, 8]] {
            assert!(!may(7, own), "{own:?}");
        }
        // Where one number stands for many, it is nobody's.
        assert!(!peer(7).is_root_or([7, 7, 7], || false) && peer(0).is_root_or([7, 7, 7], || false));
    }

    #[test]
    fn a_map_of_a_part_of_all_users_does_not_tell_them_apart() {
        assert!(has_all_users("         0          0 4294967295\n"));
        for map in ["", "0 1000 1", "65534 1000 1", "1 0 4294967295", "0 100000 65536\n65536 1 5"] {
            assert!(!has_all_users(map), "{map}");
        }
    }
}
