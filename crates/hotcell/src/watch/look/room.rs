//! How much is taken of what processes answer: whoever they are, who looks has no more of it in memory than that.

use std::collections::HashMap;

use rustix::process::{Uid, geteuid};

/// Bytes that an answer may have, and those of all of this user, and of all others.
const BYTES: usize = 8 << 20;
const ALL_BYTES: usize = 64 << 20;

/// Values that an answer may have, as there are brackets, commas and colons in it, and those of all. Each costs some 100 bytes.
const VALUES: usize = 1 << 20;
const ALL_VALUES: usize = 2 << 20;

/// Processes of one other user.
const OF_A_USER: usize = 64;

/// What was taken so far.
#[derive(Default)]
pub(super) struct Room {
    own: Taken,
    others: Taken,
    processes: HashMap<u32, usize>,
}

#[derive(Default)]
struct Taken {
    bytes: usize,
    values: usize,
}

impl Room {
    /// Whether there is room for another process of this user.
    pub(super) fn has_for(&mut self, user: Uid) -> bool {
        let count = self.processes.entry(user.as_raw()).or_default();
        *count += 1;
        user == geteuid() || *count <= OF_A_USER
    }

    /// Whether so many more bytes may be taken for an answer of this user that has so many with them.
    pub(super) fn take(&mut self, user: Uid, more: usize, with: usize) -> Result<(), String> {
        let taken = self.of(user);
        taken.bytes += more;
        check(with > BYTES, taken.bytes > ALL_BYTES)
    }

    /// Whether it may be read.
    pub(super) fn read(&mut self, user: Uid, answer: &[u8]) -> Result<(), String> {
        let values = answer.iter().filter(|byte| b"[{,:".contains(byte)).count();
        let taken = self.of(user);
        taken.values += values;
        check(values > VALUES, taken.values > ALL_VALUES)
    }

    fn of(&mut self, user: Uid) -> &mut Taken {
        if user == geteuid() { &mut self.own } else { &mut self.others }
    }
}

fn check(one: bool, all: bool) -> Result<(), String> {
    match (one, all) {
        (true, _) => Err("it answers more than is taken of one process".into()),
        (_, true) => Err("all processes together answer more than is taken".into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_take_no_room_of_this_user() {
        let (own, other) = (geteuid(), Uid::from_raw(geteuid().as_raw() + 77));
        let mut room = Room::default();
        let part = 4 << 20;
        let taken = (0..100).filter(|_| room.take(other, part, part).is_ok()).count();
        assert_eq!(taken, ALL_BYTES / part);
        assert!(room.take(own, part, part).is_ok());
        assert!(room.take(own, 1, BYTES + 1).unwrap_err().contains("of one process"));
        let many = vec![b','; VALUES];
        let read: Vec<_> = (0..3).map(|_| room.read(other, &many).is_ok()).collect();
        assert_eq!(read, [true, true, false]);
        assert!(room.read(own, &many).is_ok() && room.read(own, &[b'['; VALUES + 1]).is_err());
        assert_eq!((0..100).filter(|_| room.has_for(other)).count(), OF_A_USER);
        assert_eq!((0..100).filter(|_| room.has_for(own)).count(), 100);
    }
}
