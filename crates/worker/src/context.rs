//! What a shim sees of the runtime: request, reply, and the context table.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::offset_of;

use hotcell_protocol::wire::{self, Refusal, ReplyState};
use hotcell_protocol::{Place, RawHandle};
use hotcell_shm::{Ahead, Answer, ReplyHead, Request, Resumed, SegmentTable, WorkerLane};

use crate::abandoned::{self, Waiter};
use crate::dispatcher::{Dispatcher, take_turn};
use crate::handles::{KeptData, Need, ThreadHandles};
use crate::serve::Server;

mod frames;
mod thread;

pub(crate) use frames::Frames;

/// `hotcell_request` of the shim ABI.
#[repr(C)]
pub(crate) struct ShimRequest {
    pub(crate) args: *const u8,
    pub(crate) args_length: u32,
    pub(crate) depth: u32,
    pub(crate) call_id: u64,
    pub(crate) time: u64,
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
    own: unsafe extern "C" fn(*mut Context, u16, *mut c_void, u64) -> u64,
    lend: unsafe extern "C" fn(*mut Context, u16, *mut c_void, u64) -> u64,
    get: unsafe extern "C" fn(*mut Context, u64, u16, *const c_char) -> *mut c_void,
    take: unsafe extern "C" fn(*mut Context, u64, u16, *const c_char) -> *mut c_void,
    invalidate: unsafe extern "C" fn(*mut Context, u64),
    callback: unsafe extern "C" fn(*mut Context, u64, u64, u32, *mut u64) -> c_int,
    mark: unsafe extern "C" fn(*mut Context) -> u64,
    rewind: unsafe extern "C" fn(*mut Context, u64),
    forget: unsafe extern "C" fn(*mut Context, u64),
    owned: unsafe extern "C" fn(*mut Context, u64, u16, *const c_char) -> *mut c_void,
    lend_for_now: unsafe extern "C" fn(*mut Context, u16, *mut c_void) -> u64,
    idle: unsafe extern "C" fn(*mut Context, u64, u16, *const c_char) -> *mut c_void,
    idle_below: unsafe extern "C" fn(*mut Context, u64, u16, *const c_char) -> *mut c_void,
    take_turn: unsafe extern "C" fn() -> *mut Context,
    end_turn: unsafe extern "C" fn(*mut Context),
    keep: unsafe extern "C" fn(*mut Context, *const c_void, u64, *const c_char) -> *mut c_void,
    keep_until: unsafe extern "C" fn(*mut Context, *mut c_void, u64),
    may_keep: unsafe extern "C" fn(*mut Context, u64, u64, *const c_char) -> c_int,
    keep_object: unsafe extern "C" fn(*mut Context, u64, u64, u32),
    let_go: unsafe extern "C" fn(*mut Context, u64, u32),
    keep_walled: unsafe extern "C" fn(*mut Context, *const c_void, u64, *const c_char) -> *mut c_void,
    call: Call,
}

/// A mark, from the top: bytes of the block in use, the window's segment, bytes of the window in use.
const BLOCK_SHIFT: u32 = 53;
const WINDOW_SHIFT: u32 = 44;
const WINDOW_MASK: u64 = (1 << (BLOCK_SHIFT - WINDOW_SHIFT)) - 1;
const USED_MASK: u64 = (1 << WINDOW_SHIFT) - 1;

const _: () = {
    assert!(wire::MAX_RESULT < 1 << (u64::BITS - BLOCK_SHIFT));
    assert!((wire::MAX_SEGMENTS as u64) <= WINDOW_MASK + 1);
    assert!(wire::PLACE_SEGMENT_SHIFT > WINDOW_SHIFT);
    assert!(REFUSAL_TEXT <= wire::MAX_RESULT);
};

/// The call in progress.
pub(crate) struct Call {
    pub(crate) server: *const Server,
    /// Instead of server and lane, where it is a thread of the library that calls back.
    pub(crate) dispatcher: Option<&'static Dispatcher>,
    pub(crate) table: &'static SegmentTable,
    pub(crate) lane: *mut WorkerLane,
    /// Lives as long as the call.
    pub(crate) request: *const Request,
    /// The result block, where it lies once the reply is published, and how much of it is used, the fixed fields included.
    pub(crate) block: *mut u8,
    pub(crate) block_place: Place,
    pub(crate) block_used: usize,
    /// How much of it may be used.
    pub(crate) block_end: usize,
    /// The reply window in force and how much of it is used.
    pub(crate) window: (Place, u64),
    pub(crate) window_used: u64,
    /// Of a batch: lines of the window that are asked for before entries write there.
    pub(crate) ahead: Option<Ahead>,
    /// Whether callbacks were agreed on.
    pub(crate) may_call_back: bool,
    /// Who waits for the answer to a callback of it: then calls may be nested in it.
    pub(crate) waiter: Option<Waiter>,
    /// Once the call was refused: why.
    pub(crate) refused: Option<Refused>,
}

/// Why a call was refused. The text waits here until the entry has returned: a refusal may come in the middle of a call
/// (from a callback without room for its arguments), while the library is at work on memory of the result block.
#[derive(Clone, Copy)]
pub(crate) struct Refused {
    refusal: u32,
    length: usize,
    text: [u8; REFUSAL_TEXT],
}

impl Refused {
    /// Which refusal it is, and its text.
    pub(crate) fn said(&self) -> (u32, &[u8]) {
        (self.refusal, &self.text[..self.length])
    }
}

/// Bytes of a refusal's text, which is the name of a parameter or of a field; a longer one is cut.
const REFUSAL_TEXT: usize = 112;

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
            own,
            lend,
            get,
            take,
            invalidate,
            callback,
            mark,
            rewind,
            forget,
            owned,
            lend_for_now,
            idle,
            idle_below,
            take_turn,
            end_turn: thread::end_turn,
            keep,
            keep_until,
            may_keep,
            keep_object,
            let_go,
            keep_walled,
            call,
        }
    }

    /// The call in progress.
    pub(crate) fn call(&mut self) -> &mut Call {
        &mut self.call
    }

    /// What the reply says, when the entry has returned, and the bytes of the result block it has. What was refused stays
    /// so, whatever came after; its text becomes the result block.
    #[inline]
    pub(crate) fn head(&self, reply: &Reply) -> (ReplyHead, usize) {
        let errno = reply.error_number;
        if let Some(refused) = &self.call.refused {
            return self.refused(errno, refused);
        }
        // Only a shim writes the state, and only known ones: anything else is a smashed stack.
        let Some(state) = ReplyState::from_raw(reply.state) else { std::process::abort() };
        let used = self.call.block_used;
        (ReplyHead { state, errno, result_length: used as u32, value: reply.value }, used)
    }

    #[cold]
    fn refused(&self, errno: i32, refused: &Refused) -> (ReplyHead, usize) {
        let Refused { refusal, length, text } = refused;
        // SAFETY: `block` is the call's result block of MAX_RESULT bytes, which are at least those of the text.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), self.call.block, *length) };
        let (state, value) = (ReplyState::Refused, u64::from(*refusal));
        (ReplyHead { state, errno, result_length: *length as u32, value }, *length)
    }

    /// # Safety
    /// `text` must be terminated.
    unsafe fn refuse(&mut self, refusal: Refusal, text: *const c_char) {
        // SAFETY: the caller's promise; `self` is the context of the call in progress.
        unsafe { refuse(self, refusal.raw(), text) };
    }

    fn handles(&self) -> &ThreadHandles {
        // SAFETY: who serves is there for the whole call, which is its.
        unsafe { &(*self.call.server).handles }
    }

    /// A handle for the result block, or a refusal and 0.
    fn given(&mut self, handle: Result<RawHandle, Refusal>) -> u64 {
        match handle {
            Ok(handle) => handle.raw(),
            Err(refusal) => {
                // SAFETY: the text is terminated.
                unsafe { self.refuse(refusal, c"the object returned".as_ptr()) };
                RawHandle::NONE.raw()
            }
        }
    }

    /// The object of a handle that is passed to the library, or a refusal and NULL.
    ///
    /// # Safety
    /// `name` must be terminated.
    unsafe fn pass(&mut self, handle: u64, kind: u16, need: Need, name: *const c_char) -> *mut c_void {
        let object = self.handles().with(|handles| handles.pass(RawHandle::from_raw(handle), kind, need));
        // SAFETY: the caller's promise.
        unsafe { self.found(object, name) }
    }

    /// An object for the library, or a refusal and NULL.
    ///
    /// # Safety
    /// `name` must be terminated.
    unsafe fn found(&mut self, object: Result<*mut c_void, Refusal>, name: *const c_char) -> *mut c_void {
        object.unwrap_or_else(|refusal| {
            // SAFETY: the caller's promise.
            unsafe { self.refuse(refusal, name) };
            std::ptr::null_mut()
        })
    }
}

impl Call {
    /// Memory in the slot behind the result block, or in the reply window, or in a window the host adds.
    pub(crate) fn allocate(&mut self, length: u64, align: u64) -> Option<(*mut u8, Place)> {
        self.at_hand(length, align).or_else(|| {
            if !may_align(align) {
                return None;
            }
            self.innermost();
            // SAFETY: server, lane and request are there for the whole call, and nobody touches the lane meanwhile.
            let (server, lane, request) = unsafe { (&*self.server, &mut *self.lane, &*self.request) };
            let needed = length.checked_add(align)?;
            match server.worker.channel.need_space(lane, request, needed, &mut server.roost.borrow_mut()) {
                Resumed::Granted(place, granted) => {
                    self.window = (place, granted);
                    self.window_used = 0;
                    if self.ahead.is_some() {
                        self.ask_ahead(0);
                    }
                    self.in_window(length, align)
                }
                _ => None,
            }
        })
    }

    /// Memory that need not be asked for.
    fn at_hand(&mut self, length: u64, align: u64) -> Option<(*mut u8, Place)> {
        if !may_align(align) {
            return None;
        }
        self.in_slot(length, align).or_else(|| self.in_window(length, align))
    }

    /// Has nothing more put behind the result block, unless this is a place there.
    pub(crate) fn close_slot_unless(&mut self, place: Place) {
        if place.segment() != self.block_place.segment() {
            self.block_end = self.block_used;
        }
    }

    /// From now on asks for lines of the window before they are written, beginning with so many.
    pub(crate) fn ask_ahead(&mut self, lines: usize) {
        let (window, size) = self.window;
        let left = size.saturating_sub(self.window_used);
        let rest = window.behind(self.window_used).and_then(|rest| self.table.address(rest, left));
        self.ahead = rest.filter(|_| left > 0).map(|rest| Ahead::of(rest, left as usize));
        if let Some(ahead) = &mut self.ahead {
            ahead.claim(lines);
        }
    }

    /// How many bytes are in use from a place on that was allocated here, in one piece.
    pub(crate) fn behind(&self, place: Place) -> u64 {
        let (window, _) = self.window;
        let (start, used) = if place.segment() == self.block_place.segment() {
            (self.block_place.offset(), self.block_used as u64)
        } else if place.segment() == window.segment() {
            (window.offset(), self.window_used)
        } else {
            return 0;
        };
        (start + used).saturating_sub(place.offset())
    }

    /// Ends the process when this call waits for a callback in which the library was called again: what it asks the
    /// host now would be an answer to nothing.
    fn innermost(&self) {
        if let Some(waiter) = self.waiter {
            // SAFETY: who serves is there for the whole call; NULL where a thread of the library calls back.
            abandoned::asked_inside(unsafe { self.server.as_ref() }.map(|server| server.worker), waiter);
        }
    }

    fn mark(&self) -> u64 {
        let window = u64::from(self.window.0.segment()) & WINDOW_MASK;
        (self.block_used as u64) << BLOCK_SHIFT | window << WINDOW_SHIFT | self.window_used
    }

    /// A window that came into force after the mark was taken holds nothing older.
    fn rewind(&mut self, mark: u64) {
        self.block_used = (mark >> BLOCK_SHIFT) as usize;
        let same = mark >> WINDOW_SHIFT & WINDOW_MASK == u64::from(self.window.0.segment()) & WINDOW_MASK;
        self.window_used = if same { mark & USED_MASK } else { 0 };
    }

    fn in_slot(&mut self, length: u64, align: u64) -> Option<(*mut u8, Place)> {
        let length = usize::try_from(length).ok()?;
        // Slots are aligned to lines and the block starts half a line in, so align the address itself.
        let used = aligned(self.block.addr().checked_add(self.block_used)? as u64, align)? as usize;
        let start = used - self.block.addr();
        let end = start.checked_add(length)?;
        if end > self.block_end {
            return None;
        }
        self.block_used = end;
        let place = Place::new(self.block_place.segment(), self.block_place.offset() + start as u64);
        Some((self.block.wrapping_add(start), place))
    }

    fn in_window(&mut self, length: u64, align: u64) -> Option<(*mut u8, Place)> {
        let (window, size) = self.window;
        let start = aligned(self.window_used, align)?;
        let end = start.checked_add(length)?;
        if end > size {
            return None;
        }
        let place = window.behind(start)?;
        let address = self.table.address(place, length)?;
        self.window_used = end;
        if let Some(ahead) = &mut self.ahead {
            let behind = address.wrapping_add(length as usize);
            // A long run is asked for by the processor itself, once it is written.
            if length > LONG { ahead.pass(behind) } else { ahead.claim_up_to(behind.wrapping_add(AHEAD)) }
        }
        Some((address, place))
    }
}

/// Bytes of a window that are asked for before they are needed.
const AHEAD: usize = 8 * wire::LINE;

/// The most bytes of a piece of data whose lines are asked for one by one.
const LONG: u64 = 1024;

/// The next multiple of a power of two.
#[inline]
fn aligned(at: u64, align: u64) -> Option<u64> {
    Some(at.checked_add(align - 1)? & !(align - 1))
}

/// Whether memory can be aligned like this.
fn may_align(align: u64) -> bool {
    align.is_power_of_two() && align <= wire::BUFFER_ALIGN as u64
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

/// `hotcell_ctx.refuse`.
unsafe extern "C" fn refuse(context: *mut Context, refusal: u32, text: *const c_char) {
    // SAFETY: a shim passes the context it was called with and a terminated text.
    unsafe {
        let context = &mut *context;
        let said = CStr::from_ptr(text).to_bytes();
        let length = said.len().min(REFUSAL_TEXT);
        let mut text = [0; REFUSAL_TEXT];
        text[..length].copy_from_slice(&said[..length]);
        context.call.refused = Some(Refused { refusal, length, text });
        (*context.reply).state = ReplyState::Refused.raw();
        (*context.reply).value = u64::from(refusal);
    }
}

/// `hotcell_ctx.own`.
unsafe extern "C" fn own(context: *mut Context, kind: u16, object: *mut c_void, parent: u64) -> u64 {
    // SAFETY: a shim passes the context it was called with.
    let context = unsafe { &mut *context };
    let handle = context.handles().with(|handles| handles.own(kind, object, RawHandle::from_raw(parent)));
    context.given(handle)
}

/// `hotcell_ctx.lend`.
unsafe extern "C" fn lend(context: *mut Context, kind: u16, object: *mut c_void, parent: u64) -> u64 {
    // SAFETY: a shim passes the context it was called with.
    let context = unsafe { &mut *context };
    let handle = context.handles().with(|handles| handles.lend(kind, object, RawHandle::from_raw(parent)));
    context.given(handle)
}

/// `hotcell_ctx.get`.
unsafe extern "C" fn get(context: *mut Context, handle: u64, kind: u16, name: *const c_char) -> *mut c_void {
    // SAFETY: a shim passes the context it was called with, and a terminated name.
    unsafe { (*context).pass(handle, kind, Need::There, name) }
}

/// `hotcell_ctx.take`.
unsafe extern "C" fn take(context: *mut Context, handle: u64, kind: u16, name: *const c_char) -> *mut c_void {
    // SAFETY: a shim passes the context it was called with, and a terminated name.
    unsafe {
        let object = (*context).handles().with(|handles| handles.take(RawHandle::from_raw(handle), kind));
        (*context).found(object, name)
    }
}

/// `hotcell_ctx.invalidate`.
unsafe extern "C" fn invalidate(context: *mut Context, handle: u64) {
    // SAFETY: a shim passes the context it was called with.
    unsafe { (*context).handles().with(|handles| handles.invalidate(RawHandle::from_raw(handle))) };
}

/// `hotcell_ctx.callback`. Behind a refusal the call has failed: the application is not asked any more.
unsafe extern "C" fn callback(
    context: *mut Context,
    number: u64,
    args_place: u64,
    args_length: u32,
    value: *mut u64,
) -> c_int {
    // SAFETY: a shim passes the context it was called with. Nothing else refers to the call until `answer`, where calls
    // nested in it have contexts of their own.
    let call = unsafe { &mut (*context).call };
    call.innermost();
    let Some(number) = i32::try_from(number).ok().filter(|_| call.may_call_back && call.refused.is_none())
    else {
        return 0;
    };
    call.waiter = Some(Waiter::here());
    let (server, lane) = (call.server, call.lane);
    let used = call.block_used;
    let args = (Place::from_raw(args_place), args_length);
    // SAFETY: server, lane and request are there for the whole call, and nobody touches the lane meanwhile. Nested calls do
    // so in turn, each until it has ended.
    let resumed = unsafe {
        let (server, request) = (&*server, &*call.request);
        let channel = &server.worker.channel;
        channel.callback(&mut *lane, request, number, args, used);
        loop {
            let answer = channel.answer(&mut *lane, request, &mut server.roost.borrow_mut());
            match answer {
                Answer::Resumed(resumed) => break resumed,
                Answer::Call(nested) => server.execute_nested(&mut *lane, &nested, request),
                Answer::Late => abandoned::unanswered(server.worker),
            }
        }
    };
    // SAFETY: as above; a shim passes a valid place for the value.
    unsafe {
        (*context).call.waiter = None;
        match resumed {
            Resumed::Returned(returned) => {
                *value = returned;
                1
            }
            _ => 0,
        }
    }
}

/// `hotcell_ctx.mark`.
unsafe extern "C" fn mark(context: *mut Context) -> u64 {
    // SAFETY: a shim passes the context it was called with.
    let call = unsafe { &(*context).call };
    call.mark()
}

/// `hotcell_ctx.rewind`.
unsafe extern "C" fn rewind(context: *mut Context, mark: u64) {
    // SAFETY: a shim passes the context it was called with.
    unsafe { (*context).call.rewind(mark) };
}

/// `hotcell_ctx.forget`.
unsafe extern "C" fn forget(context: *mut Context, handle: u64) {
    // SAFETY: a shim passes the context it was called with.
    unsafe { (*context).handles().with(|handles| handles.forget(RawHandle::from_raw(handle))) };
}

/// `hotcell_ctx.owned`.
unsafe extern "C" fn owned(
    context: *mut Context,
    handle: u64,
    kind: u16,
    name: *const c_char,
) -> *mut c_void {
    // SAFETY: a shim passes the context it was called with, and a terminated name.
    unsafe { (*context).pass(handle, kind, Need::Owned, name) }
}

/// `hotcell_ctx.lend_for_now`.
unsafe extern "C" fn lend_for_now(context: *mut Context, kind: u16, object: *mut c_void) -> u64 {
    // SAFETY: a shim passes the context it was called with.
    let context = unsafe { &mut *context };
    let handle = context.handles().with(|handles| handles.lend_for_now(kind, object));
    context.given(handle)
}

/// `hotcell_ctx.idle`.
unsafe extern "C" fn idle(context: *mut Context, handle: u64, kind: u16, name: *const c_char) -> *mut c_void {
    // SAFETY: a shim passes the context it was called with, and a terminated name.
    unsafe { (*context).pass(handle, kind, Need::Idle, name) }
}

/// `hotcell_ctx.idle_below`.
unsafe extern "C" fn idle_below(
    context: *mut Context,
    handle: u64,
    kind: u16,
    name: *const c_char,
) -> *mut c_void {
    // SAFETY: a shim passes the context it was called with, and a terminated name.
    unsafe { (*context).pass(handle, kind, Need::IdleBelow, name) }
}

/// `hotcell_ctx.keep`.
unsafe extern "C" fn keep(
    context: *mut Context,
    data: *const c_void,
    length: u64,
    name: *const c_char,
) -> *mut c_void {
    // SAFETY: a shim passes the context it was called with, data of that length, and a terminated name.
    unsafe { keep_copy(context, (data, length, name), KeptData::of) }
}

/// `hotcell_ctx.keep_walled`.
unsafe extern "C" fn keep_walled(
    context: *mut Context,
    data: *const c_void,
    length: u64,
    name: *const c_char,
) -> *mut c_void {
    // SAFETY: as of `keep`.
    unsafe { keep_copy(context, (data, length, name), KeptData::walled) }
}

/// A copy of the call's, or a refusal about the name.
///
/// # Safety
///
/// The context is the one that the shim was called with, there is so much data, and a NUL ends the name.
unsafe fn keep_copy(
    context: *mut Context,
    (data, length, name): (*const c_void, u64, *const c_char),
    copy: fn(&[u8]) -> Option<KeptData>,
) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe {
        let context = &mut *context;
        let data = std::slice::from_raw_parts(data.cast::<u8>(), length as usize);
        let copy = copy(data).map(|copy| context.handles().with(|handles| handles.keep(copy)));
        copy.unwrap_or_else(|| {
            context.refuse(Refusal::NoMemory, name);
            std::ptr::null_mut()
        })
    }
}

/// `hotcell_ctx.keep_until`.
unsafe extern "C" fn keep_until(context: *mut Context, copy: *mut c_void, handle: u64) {
    // SAFETY: a shim passes the context it was called with.
    let context = unsafe { &*context };
    context.handles().with(|handles| handles.keep_until(copy, RawHandle::from_raw(handle)));
}

/// `hotcell_ctx.may_keep`.
unsafe extern "C" fn may_keep(context: *mut Context, kept: u64, keeper: u64, name: *const c_char) -> c_int {
    // SAFETY: a shim passes the context it was called with, and a terminated name.
    unsafe {
        let context = &mut *context;
        let (kept, keeper) = (RawHandle::from_raw(kept), RawHandle::from_raw(keeper));
        match context.handles().with(|handles| handles.may_keep(kept, keeper)) {
            Ok(()) => 1,
            Err(refusal) => {
                context.refuse(refusal, name);
                0
            }
        }
    }
}

/// `hotcell_ctx.keep_object`.
unsafe extern "C" fn keep_object(context: *mut Context, kept: u64, keeper: u64, slot: u32) {
    // SAFETY: a shim passes the context it was called with.
    let context = unsafe { &*context };
    let (kept, keeper) = (RawHandle::from_raw(kept), RawHandle::from_raw(keeper));
    context.handles().with(|handles| handles.keep_object(kept, keeper, slot));
}

/// `hotcell_ctx.let_go`.
unsafe extern "C" fn let_go(context: *mut Context, keeper: u64, slot: u32) {
    // SAFETY: a shim passes the context it was called with.
    let context = unsafe { &*context };
    context.handles().with(|handles| handles.let_object_go(RawHandle::from_raw(keeper), slot));
}
