//! Several calls in flight on a lane: each is published before the replies to those in front of it were taken.
//!
//! A call has the slot of its number, and the worker executes them in that order. Who waits turns to one of them, the first that
//! has no reply yet: messages of the others stay where they are meanwhile.
//!
//! | number | means |
//! |---|---|
//! | `next` − in flight … `next` − 1 | calls whose final reply was not taken: at most as many as the ring has slots |
//! | `next` | the call that is published next, in a slot that none of those has |

use std::sync::atomic::Ordering;

use hotcell_protocol::wire;

use super::{CallHead, HostLane, Waited};
use crate::worker::POLLS;
use crate::{bell, geometry};

impl HostLane {
    /// The number of the call of depth 0 that is published next.
    #[inline]
    pub fn next_number(&self) -> u32 {
        self.next
    }

    /// Publishes a call behind so many others that are in flight, the last of which was published right before it. A worker that
    /// sleeps is woken once for all of them.
    #[inline]
    pub fn publish_behind(&mut self, head: CallHead, in_flight: u32) {
        assert!(self.depth == 0 && in_flight < wire::RING_SLOTS, "a call in flight has a slot of its own");
        if in_flight == 0 {
            return self.publish(head);
        }
        let before = geometry::slot_of(0, self.next.wrapping_sub(1));
        self.commit(head);
        self.say_cpu_seldom();
        let at = geometry::slot(self.index, before) + wire::reply_head::COMMIT;
        let (commit, taken) = (self.channel.reply.word(at), self.replies[before]);
        let park = self.channel.reply.word(self.doors.park);
        let doorbell = self.channel.request.word(self.doors.bell);
        // Partner: the release store of the commit word in `WorkerChannel::reply`.
        let answered = || commit.load(Ordering::Acquire) != taken;
        // Who was woken for the one before need not have come there yet.
        self.woke |= bell::ring_behind(park, doorbell, answered);
    }

    /// Looks for the next message of the call that it has turned to, for a moment where `polls`.
    #[inline]
    pub fn peek(&mut self, call_id: u64, polls: bool) -> Option<Waited> {
        for _ in 0..if polls && !self.woke { POLLS } else { 1 } {
            let waited = self.look(call_id);
            if waited.is_some() {
                self.woke = false;
                return waited;
            }
            std::hint::spin_loop();
        }
        None
    }

    /// Turns to the call in flight of this number: it is waited for, continued and read from now on.
    #[inline]
    pub fn turn_to(&mut self, number: u32) {
        let behind = self.next.wrapping_sub(number).wrapping_sub(1);
        assert!(self.depth == 0 && behind < wire::RING_SLOTS, "a call in flight has a slot of its own");
        self.behind = behind;
        self.slot = geometry::slot_of(0, number);
    }
}
