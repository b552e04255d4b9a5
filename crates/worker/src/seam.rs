//! What the fuzz targets need of this crate, and nobody else: its parts by themselves, in a process that outlives them.

use std::ffi::c_void;

use hotcell_protocol::RawHandle;
use hotcell_protocol::wire::Refusal;
use hotcell_shm::SegmentTable;
use hotcell_shm::control::{ControlError, ControlSocket};

pub use crate::handles::Need;
use crate::handles::{Before, Handles};
use crate::{control, startup};

mod rig;

pub use rig::{Broken, Rig};

/// Takes the first packet for the hello, as a worker does that starts. How many descriptors came with it.
pub fn receive_hello(socket: &ControlSocket) -> Result<usize, String> {
    startup::receive_hello(socket).map(|(_, descriptors)| descriptors.len()).map_err(|failure| failure.text)
}

/// Takes a packet for one that adds a segment, as the control thread does of that kind. Which one it added.
pub fn add_segment(socket: &ControlSocket, segments: &SegmentTable) -> Result<u16, String> {
    match socket.receive_from_host() {
        Ok(Some(packet)) => control::add_segment(packet, segments),
        Ok(None) => Err(ControlError::Violation("the host is gone").to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Takes a packet for one that opens a lane, as the control thread does of that kind. Which one.
pub fn open_lane(socket: &ControlSocket, agreed: u64) -> Result<u32, String> {
    match socket.receive_from_host() {
        Ok(Some(packet)) => control::lane_of(&packet, agreed),
        Ok(None) => Err(ControlError::Violation("the host is gone").to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// A handle table alone, with one call open. Objects are told by numbers that stand for their addresses.
#[derive(Debug)]
pub struct Table {
    handles: Handles,
    before: Vec<Before>,
}

/// What a table has, for who compares it with what it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Objects that are known by their addresses.
    pub objects: usize,
    /// Entries that live.
    pub living: usize,
    /// Entries that are known by their objects' addresses.
    pub listed: usize,
}

impl Table {
    /// A table whose entries have generations from `first` to `last`; behind that, an entry is not used again.
    pub fn new(first: u32, last: u32) -> Table {
        let mut handles = Handles::of_generations(first, last);
        let before = vec![handles.enter()];
        Table { handles, before }
    }

    /// `hotcell_ctx.own`.
    pub fn own(&mut self, kind: u16, address: usize, parent: RawHandle) -> Result<RawHandle, Refusal> {
        self.handles.own(kind, at(address), parent)
    }

    /// `hotcell_ctx.lend`.
    pub fn lend(&mut self, kind: u16, address: usize, parent: RawHandle) -> Result<RawHandle, Refusal> {
        self.handles.lend(kind, at(address), parent)
    }

    /// `hotcell_ctx.lend_for_now`.
    pub fn lend_for_now(&mut self, kind: u16, address: usize) -> Result<RawHandle, Refusal> {
        self.handles.lend_for_now(kind, at(address))
    }

    /// `hotcell_ctx.forget`.
    pub fn forget(&mut self, handle: RawHandle) {
        self.handles.forget(handle);
    }

    /// `hotcell_ctx.get`, `idle`, `idle_below` and `owned`.
    pub fn pass(&mut self, handle: RawHandle, kind: u16, need: Need) -> Result<usize, Refusal> {
        self.handles.pass(handle, kind, need).map(<*mut c_void>::addr)
    }

    /// `hotcell_ctx.take`.
    pub fn take(&mut self, handle: RawHandle, kind: u16) -> Result<usize, Refusal> {
        self.handles.take(handle, kind).map(<*mut c_void>::addr)
    }

    /// `hotcell_ctx.invalidate`.
    pub fn invalidate(&mut self, handle: RawHandle) {
        self.handles.invalidate(handle);
    }

    /// A call begins that is nested in the one in progress.
    pub fn nest(&mut self) {
        self.handles.hold();
        self.before.push(self.handles.enter());
    }

    /// The nested call in progress ends. False where there is none.
    pub fn end_nested(&mut self) -> bool {
        let nested = self.before.len() > 1;
        if let Some(before) = self.before.pop_if(|_| nested) {
            self.handles.leave(before);
            self.handles.let_go();
        }
        nested
    }

    /// The object of a handle, which is not passed anywhere.
    pub fn get(&self, handle: RawHandle, kind: u16) -> Result<usize, Refusal> {
        self.handles.get(handle, kind).map(<*mut c_void>::addr)
    }

    /// What it has.
    pub fn counts(&self) -> Counts {
        let [objects, living, listed] = self.handles.counts();
        Counts { objects, living, listed }
    }
}

fn at(address: usize) -> *mut c_void {
    std::ptr::without_provenance_mut(address)
}
