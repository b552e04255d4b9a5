//! The dispatcher lane from the worker's side: the host's standing call, and how a thread of the library waits for an
//! answer there.
//!
//! The lane has a park word and a doorbell of its own, because those of the channel belong to the serving thread. One
//! thread at a time uses the lane; which one it is, is the worker's business.
//!
//! | word | segment | who writes | when |
//! |---|---|---|---|
//! | `lane_worker.park` | reply | the thread that uses the lane | before and after a sleep |
//! | `lane_host.doorbell` | request | the host's dispatcher | behind an answer, if that thread is parked |

use super::{Request, Resumed, WorkerChannel, WorkerLane};
use crate::doors::Doors;
use crate::{bell, geometry};

impl WorkerChannel {
    /// Number and private state of the dispatcher lane, the last one; none where callers have the only lane.
    pub fn dispatcher_lane(&self) -> Option<(u32, WorkerLane)> {
        (self.lanes > 1).then(|| (self.lanes - 1, WorkerLane::new()))
    }

    /// The host's standing call on a lane, if it is there. It is found once.
    pub fn standing_call(&self, index: u32, lane: &mut WorkerLane) -> Option<Request> {
        self.take_at(index, lane, geometry::slot_of(0, 0))
    }

    /// Waits, asleep, for the host's answer to the last message of a standing call. `None` when `stop` says so.
    pub fn answered(
        &self,
        lane: &mut WorkerLane,
        call: &Request,
        stop: impl Fn() -> bool,
    ) -> Option<Resumed> {
        let Doors { park, bell, .. } = Doors::of_lane(call.lane);
        let (park, doorbell) = (self.reply.word(park), self.request.peer_word(bell));
        loop {
            let mut resumed = self.resumed(lane, call);
            if resumed.is_some() || stop() {
                return resumed;
            }
            bell::park(park, doorbell, None, || {
                resumed = self.resumed(lane, call);
                resumed.is_some() || stop()
            });
            if resumed.is_some() {
                return resumed;
            }
        }
    }
}
