//! What the worker tells of the state of its process, which the library changes.

use std::sync::atomic::Ordering;

use hotcell_protocol::wire::{self, state_record as at};

use super::WorkerChannel;
use crate::{STATE_PARTS, geometry};

impl WorkerChannel {
    /// `StateParts` that the library may leave changed.
    pub fn leaves(&self) -> u32 {
        self.request.load(geometry::CONTROL + wire::channel_host::LEAVES)
    }

    /// Handles that the worker may have at a time, where the host says so.
    pub fn most_objects(&self) -> u32 {
        self.request.load(geometry::CONTROL + wire::channel_host::OBJECTS)
    }

    /// Counts that the library has left a part changed, behind a call of this function, and whether it could not be put back.
    pub fn note_state(&self, part: u32, is_lost: bool, function: u16) {
        let word = |offset| self.reply.word(geometry::STATE + offset);
        if part & STATE_PARTS != 0 {
            let number = part.trailing_zeros() as usize;
            word(at::LOCALE + number * size_of::<u32>()).fetch_add(1, Ordering::Relaxed);
        }
        if is_lost {
            word(at::LOST).fetch_or(part, Ordering::Relaxed);
        }
        word(at::FUNCTION).store(u32::from(function) + 1, Ordering::Relaxed);
    }

    /// Says of which signals the action was put back: bit n for signal n + 1.
    pub fn note_signals(&self, put_back: u64) {
        let word = |offset| self.reply.word(geometry::STATE + at::SIGNALS + offset);
        word(0).fetch_or(put_back as u32, Ordering::Relaxed);
        word(size_of::<u32>()).fetch_or((put_back >> u32::BITS) as u32, Ordering::Relaxed);
    }

    /// Whether several calls may be executed at a time.
    pub fn has_several_callers(&self) -> bool {
        self.callers() > 1
    }
}
