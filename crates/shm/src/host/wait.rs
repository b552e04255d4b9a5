//! How a caller waits for the worker: polling while that is on another CPU, giving way to it on its own, or asleep.

use std::sync::atomic::Ordering;

use hotcell_protocol::wire;

use super::{HostLane, Waited};
use crate::roost::this_cpu;
use crate::standstill::{LOOKS, Watch};
use crate::worker::POLLS;
use crate::{bell, clock, geometry};

/// Whether it pays to give way to a worker on one's own CPU.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// Calls to come for which it does not.
    calls: u32,
    /// How many it will be the next time it does not.
    next: u32,
}

/// Times a thread gives way to a worker on its CPU before it sleeps.
const YIELDS: u32 = 3;

/// Nanoseconds after which it came back too late.
const CROWDED: u64 = 100_000;

impl HostLane {
    /// Waits for the worker's next message in this slot: polls for `spin` nanoseconds from `now`, then
    /// sleeps. `deadline` is in monotonic nanoseconds, 0 for none.
    ///
    /// It does not poll while the worker is on this thread's CPU: one of the two can run there, and that is the worker.
    #[inline]
    pub fn wait(&mut self, call_id: u64, now: u64, spin: u64, deadline: u64) -> Waited {
        // Who sleeps has said before where.
        let near = self.woke && self.shares_cpu();
        if spin > 0 && !near {
            for _ in 0..POLLS {
                if let Some(waited) = self.look(call_id) {
                    return waited;
                }
                std::hint::spin_loop();
            }
        }
        self.wait_longer(call_id, now, spin, deadline, near)
    }

    /// The rest of a wait that was not over in a moment, or cannot be.
    #[cold]
    fn wait_longer(&mut self, call_id: u64, now: u64, spin: u64, deadline: u64, near: bool) -> Waited {
        let until = now.saturating_add(spin);
        let mut polling = spin > 0 && !near;
        if near && let Some(waited) = self.give_way(call_id, now) {
            return waited;
        }
        let watch = Watch::begin();
        loop {
            for _ in 0..if polling { POLLS } else { 1 } {
                if let Some(waited) = self.look(call_id) {
                    return waited;
                }
                std::hint::spin_loop();
            }
            let now = clock::now();
            self.stood = self.stood.saturating_add(watch.standstill(now));
            if deadline != 0 && now >= deadline {
                return Waited::DeadlinePassed;
            }
            polling = polling && now < until && !self.shares_cpu();
            if polling {
                continue;
            }
            if spin == 0 {
                self.say_cpu();
            }
            let (before, line) = (self.replies[self.slot], geometry::lane(self.index));
            let commit = self.channel.reply.word(self.reply_slot() + wire::reply_head::COMMIT);
            let park = self.channel.request.word(line + wire::lane_host::PARK);
            let bell = self.channel.reply.word(line + wire::lane_worker::BELL);
            // Who has no deadline is no caller: the dispatcher waits for as long as its worker lives. Others look now and then
            // whether the library has written over what wakes them, and whether they themselves stand still.
            let until = (deadline != 0).then(|| deadline.min(now.saturating_add(LOOKS)));
            bell::park(park, bell, until, || {
                commit.load(Ordering::Acquire) != before || self.channel.dead.load(Ordering::Acquire)
            });
        }
    }

    /// Nanoseconds of its waits in which its thread did not run, since this was asked last or a call was published: they are no
    /// part of the deadline of the call that was waited for.
    pub fn take_standstill(&mut self) -> u64 {
        std::mem::take(&mut self.stood)
    }

    /// Lets the worker, which was woken on this thread's CPU, run there. To sleep and to be woken takes longer, and the kernel
    /// may wake this thread on another CPU, to which the worker would follow it.
    ///
    /// Where others want this CPU as well, or the call is a long one, this thread does not come back soon. Then it sleeps at once
    /// for the next calls, more of them with each time.
    fn give_way(&mut self, call_id: u64, now: u64) -> Option<Waited> {
        if self.crowd.calls > 0 {
            self.crowd.calls -= 1;
            return None;
        }
        // The kernel may have run it already, right when it was woken.
        let mut waited = self.look(call_id);
        for _ in 0..YIELDS {
            if waited.is_some() {
                break;
            }
            rustix::thread::sched_yield();
            waited = self.look(call_id);
            if clock::now().saturating_sub(now) > CROWDED {
                break;
            }
        }
        if clock::now().saturating_sub(now) > CROWDED {
            self.crowd.next = (self.crowd.next * 2).clamp(16, 1 << 12);
            self.crowd.calls = self.crowd.next;
        } else if waited.is_some() {
            self.crowd.next /= 2;
        }
        waited
    }

    /// The worker's next message, or that there will be none.
    #[inline(always)]
    pub(super) fn look(&mut self, call_id: u64) -> Option<Waited> {
        let reply = self.channel.reply.line(self.reply_slot());
        let commit = reply.word(wire::reply_head::COMMIT);
        let before = self.replies[self.slot];
        // Partner: the release store of the commit word in `WorkerChannel::reply`.
        let seen = commit.load(Ordering::Acquire);
        if seen == before.wrapping_add(1) {
            self.replies[self.slot] = seen;
            return Some(Self::judge(reply, call_id));
        }
        if seen != before {
            return Some(Waited::Violation("the commit word of a reply was neither the last nor the next"));
        }
        // It may have replied between the look above and its death.
        let dead = self.channel.dead.load(Ordering::Acquire) && commit.load(Ordering::Acquire) == seen;
        dead.then_some(Waited::Dead)
    }

    /// Whether the worker says that it is on the CPU of this thread. A lie costs patience, and is worth nothing else.
    pub(super) fn shares_cpu(&mut self) -> bool {
        let worker = self.channel.reply.load::<u32>(self.doors.cpu);
        self.say_cpu() == worker
    }

    /// Says on which CPU this thread is.
    pub(super) fn say_cpu(&mut self) -> u32 {
        let cpu = this_cpu();
        if self.cpu != cpu {
            self.cpu = cpu;
            self.channel.request.store(geometry::lane(self.index) + wire::lane_host::CPU, cpu);
        }
        cpu
    }
}
