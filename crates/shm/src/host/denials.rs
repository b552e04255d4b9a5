//! What a worker's sandbox stopped, as its signal handler noted it.

use hotcell_protocol::wire::{Phase, denial_record as at};

use super::HostChannel;
use crate::geometry;

/// A system call that did not happen. It is the worker's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenialRecord {
    /// Which one it is of its kind, from 1.
    pub count: u32,
    /// Its number.
    pub syscall: u32,
    /// Whose number that is, as the kernel names machines.
    pub architecture: u32,
    /// What the library was given instead.
    pub errno: i32,
    /// What the library passed.
    pub arguments: [u64; 6],
    /// The port of an address that it passed; 0 none.
    pub port: u16,
    /// Whose rules have stopped it.
    pub phase: Phase,
    /// The path that it passed, as much of it as was noted. Not escaped.
    pub text: Vec<u8>,
}

impl HostChannel {
    /// How many system calls were refused so far.
    pub fn refusals(&self) -> u32 {
        self.reply.load(geometry::DENIALS + at::COUNT)
    }

    /// The last system call that was refused.
    pub fn refused(&self) -> Option<DenialRecord> {
        self.denial(geometry::DENIALS)
    }

    /// The system call that ended a call.
    pub fn denied(&self) -> Option<DenialRecord> {
        self.denial(geometry::DENIALS + at::SIZE)
    }

    fn denial(&self, record: usize) -> Option<DenialRecord> {
        const TEXT: usize = at::SIZE - at::TEXT;
        let count: u32 = self.reply.load(record + at::COUNT);
        if count == 0 {
            return None;
        }
        let length: u32 = self.reply.load(record + at::TEXT_LENGTH);
        let mut text = vec![0; (length as usize).min(TEXT)];
        self.reply.copy_out(record + at::TEXT, &mut text);
        let argument = |index| self.reply.load(record + at::ARGUMENT_0 + index * size_of::<u64>());
        Some(DenialRecord {
            count,
            syscall: self.reply.load(record + at::SYSCALL),
            architecture: self.reply.load(record + at::ARCHITECTURE),
            errno: self.reply.load(record + at::ERRNO),
            arguments: std::array::from_fn(argument),
            port: self.reply.load(record + at::PORT),
            // What is none was noted by nobody who knows of any.
            phase: Phase::from_raw(self.reply.load(record + at::PHASE)).unwrap_or(Phase::Load),
            text,
        })
    }
}
