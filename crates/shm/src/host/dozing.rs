//! How a caller waits that must not hold a thread: it looks, says that it sleeps on the lane's eventfd, and comes back when
//! its event loop has heard that.

use std::sync::atomic::Ordering;

use hotcell_protocol::wire;
use rustix::io::Result;

use super::{HostChannel, HostLane, Waited};
use crate::eventfd::EventFd;
use crate::worker::POLLS;
use crate::{bell, clock, geometry};

impl HostChannel {
    /// Makes the eventfds of the first `lanes` lanes. Once, before the worker is given anything.
    pub fn add_eventfds(&self, lanes: u32) -> Result<()> {
        let made = (0..lanes).map(|_| EventFd::new()).collect::<Result<Vec<_>>>()?;
        self.eventfds.set(made).expect("eventfds are made once");
        Ok(())
    }

    /// The eventfds, by lane.
    pub fn eventfds(&self) -> &[EventFd] {
        self.eventfds.get().map_or(&[], Vec::as_slice)
    }
}

impl HostLane {
    /// Looks for the worker's next message for so many nanoseconds at most, as [`HostLane::wait`] polls: not while the worker
    /// is on this thread's CPU, nor when it had to be woken.
    #[inline]
    pub fn glance(&mut self, call_id: u64, now: u64, spin: u64) -> Option<Waited> {
        let until = now.saturating_add(spin);
        loop {
            for _ in 0..if spin > 0 { POLLS } else { 1 } {
                let waited = self.look(call_id);
                if waited.is_some() {
                    return waited;
                }
                std::hint::spin_loop();
            }
            if spin == 0 || self.woke || clock::now() >= until || self.shares_cpu() {
                return None;
            }
        }
    }

    /// Says that the caller sleeps on the lane's eventfd, and looks once more. `None`: it may sleep, until the eventfd is
    /// written to. What was written before, its event loop must have heard, for it hears of each write once.
    ///
    /// Of the worker's death it must hear by other means.
    pub fn doze(&mut self, call_id: u64) -> Option<Waited> {
        let (before, line) = (self.replies[self.slot], geometry::lane(self.index));
        let commit = self.channel.reply.word(self.reply_slot() + wire::reply_head::COMMIT);
        let park = self.channel.request.word(line + wire::lane_host::PARK);
        let asleep = bell::doze(park, || {
            commit.load(Ordering::Acquire) != before || self.channel.dead.load(Ordering::Acquire)
        });
        if asleep { None } else { self.look(call_id) }
    }

    /// Says that the caller looks again, or that nobody waits any more.
    pub fn rise(&self) {
        bell::rise(self.channel.request.word(geometry::lane(self.index) + wire::lane_host::PARK));
    }
}
