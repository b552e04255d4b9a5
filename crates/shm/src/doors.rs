//! Where it is said that whoever serves a lane sleeps and on which CPU it is, and what wakes it.

use hotcell_protocol::wire;

use crate::geometry;

/// Offsets of the words between a caller and who serves his lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doors {
    /// Its park word, in the reply segment.
    pub(crate) park: usize,
    /// Where it says on which CPU it is, in the reply segment.
    pub(crate) cpu: usize,
    /// The bell that it waits on, in the request segment.
    pub(crate) bell: usize,
}

impl Doors {
    /// Of the thread that serves all lanes without a thread of their own.
    pub(crate) const CHANNEL: Doors = Doors {
        park: geometry::CONTROL + wire::channel_worker::PARK,
        cpu: geometry::CONTROL + wire::channel_worker::CPU,
        bell: geometry::CONTROL + wire::channel_host::DOORBELL,
    };

    /// Of the thread that serves one lane, or of those of the library that call back on it.
    pub(crate) const fn of_lane(index: u32) -> Doors {
        let line = geometry::lane(index);
        Doors {
            park: line + wire::lane_worker::PARK,
            cpu: line + wire::lane_worker::CPU,
            bell: line + wire::lane_host::DOORBELL,
        }
    }
}
