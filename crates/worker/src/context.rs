//! What a shim sees of the runtime: request, reply, and the context table.

use std::ffi::{CStr, c_char, c_void};
use std::mem::offset_of;

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, Refusal, ReplyState};
use hotcell_shm::{Request, Resumed, SegmentTable, WorkerChannel, WorkerLane};

/// `hotcell_request` of the shim ABI.
#[repr(C)]
pub(crate) struct ShimRequest {
    pub(crate) args: *const u8,
    pub(crate) args_length: u32,
    pub(crate) depth: u32,
    pub(crate) call_id: u64,
    pub(crate) deadline: u64,
}

/// `hotcell_reply` of the shim ABI.
#[repr(C)]
pub(crate) struct Reply {
    pub(crate) result: *mut u8,
    pub(crate) value: u64,
    pub(crate) error_number: i32,
    pub(crate) state: u16,
    reserved: u16,
}

/// `hotcell_ctx` of the shim ABI, and behind its public part what the runtime needs to serve it.
#[repr(C)]
pub(crate) struct Context {
    abi: u32,
    size: u32,
    segments: *const c_void,
    reply: *mut Reply,
    space: unsafe extern "C" fn(*mut Context, u64, u64, *mut u64) -> *mut c_void,
    refuse: unsafe extern "C" fn(*mut Context, u32, *const c_char),
    call: Call,
}

/// The call in progress.
pub(crate) struct Call {
    pub(crate) channel: *const WorkerChannel,
    pub(crate) table: &'static SegmentTable,
    pub(crate) lane: *mut WorkerLane,
    pub(crate) request: Request,
    pub(crate) spin: u64,
    /// The result block in the slot and how much of it is used, the fixed fields included.
    pub(crate) block: *mut u8,
    pub(crate) block_place: Place,
    pub(crate) block_used: usize,
    /// The reply window in force and how much of it is used.
    pub(crate) window: (Place, u64),
    pub(crate) window_used: u64,
}

impl Reply {
    pub(crate) fn new(result: *mut u8) -> Reply {
        Reply { result, value: 0, error_number: 0, state: ReplyState::Returned.raw(), reserved: 0 }
    }
}

impl Context {
    pub(crate) fn new(reply: *mut Reply, call: Call) -> Context {
        Context {
            abi: wire::SHIM_ABI,
            size: offset_of!(Context, call) as u32,
            segments: call.table.as_ptr(),
            reply,
            space,
            refuse,
            call,
        }
    }

    /// Bytes of the result block that are in use.
    pub(crate) fn block_used(&self) -> usize {
        self.call.block_used
    }
}

impl Call {
    /// Memory in the slot behind the result block, or in the reply window, or in a window the host adds.
    fn allocate(&mut self, length: u64, align: u64) -> Option<(*mut u8, Place)> {
        if !align.is_power_of_two() || align > wire::BUFFER_ALIGN as u64 {
            return None;
        }
        self.in_slot(length, align).or_else(|| self.in_window(length, align)).or_else(|| {
            // SAFETY: `serve` keeps channel and lane alive for the whole call and touches neither meanwhile.
            let (channel, lane) = unsafe { (&*self.channel, &mut *self.lane) };
            let needed = length.checked_add(align)?;
            match channel.need_space(lane, &self.request, needed, self.spin) {
                Resumed::Granted(place, granted) => {
                    self.window = (place, granted);
                    self.window_used = 0;
                    self.in_window(length, align)
                }
                Resumed::NotGranted => None,
            }
        })
    }

    fn in_slot(&mut self, length: u64, align: u64) -> Option<(*mut u8, Place)> {
        let length = usize::try_from(length).ok()?;
        // Slots are aligned to lines and the block starts half a line in, so align the address itself.
        let used = self.block.addr().checked_add(self.block_used)?.next_multiple_of(align as usize);
        let start = used - self.block.addr();
        let end = start.checked_add(length)?;
        if end > wire::MAX_RESULT {
            return None;
        }
        self.block_used = end;
        let place = Place::new(self.block_place.segment(), self.block_place.offset() + start as u64);
        Some((self.block.wrapping_add(start), place))
    }

    fn in_window(&mut self, length: u64, align: u64) -> Option<(*mut u8, Place)> {
        let (window, size) = self.window;
        let start = self.window_used.checked_next_multiple_of(align)?;
        let end = start.checked_add(length)?;
        if end > size {
            return None;
        }
        let place = Place::new(window.segment(), window.offset() + start);
        let address = self.table.address(place, length)?;
        self.window_used = end;
        Some((address, place))
    }
}

/// `hotcell_ctx.space`.
unsafe extern "C" fn space(context: *mut Context, length: u64, align: u64, place: *mut u64) -> *mut c_void {
    // SAFETY: a shim passes the context it was called with, and a valid place for the place.
    unsafe {
        let context = &mut *context;
        match context.call.allocate(length, align) {
            Some((address, at)) => {
                *place = at.raw();
                address.cast()
            }
            None => {
                refuse(context, Refusal::NoSpace.raw(), c"the reply".as_ptr());
                std::ptr::null_mut()
            }
        }
    }
}

/// `hotcell_ctx.refuse`: the text becomes the result block.
unsafe extern "C" fn refuse(context: *mut Context, refusal: u32, text: *const c_char) {
    // SAFETY: a shim passes the context it was called with and a terminated text; `block` is the slot's
    // result block of MAX_RESULT bytes.
    unsafe {
        let context = &mut *context;
        let text = CStr::from_ptr(text).to_bytes();
        let length = text.len().min(wire::MAX_RESULT);
        std::ptr::copy_nonoverlapping(text.as_ptr(), context.call.block, length);
        context.call.block_used = length;
        (*context.reply).state = ReplyState::Refused.raw();
        (*context.reply).value = u64::from(refusal);
    }
}
