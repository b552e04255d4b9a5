//! The stack of the library at a moment, as return addresses.

use std::ffi::{c_int, c_void};

/// Frames that are kept of a stack: those nearest to the moment.
const MOST: usize = 14;

/// Return addresses, the innermost first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stack {
    length: usize,
    frames: [usize; MOST],
}

/// Where frames begin to count.
#[derive(Clone, Copy)]
enum From {
    /// Behind those of this program.
    OutOfProgram,
    /// At the frame that was interrupted here.
    At(usize),
    /// Here.
    Now,
}

struct Walk<'a> {
    stack: &'a mut Stack,
    from: From,
}

unsafe extern "C" {
    /// Of the unwinder that the standard library is linked with.
    fn _Unwind_Backtrace(step: extern "C" fn(*mut c_void, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
    /// Of the linker: where this program's code lies.
    static __executable_start: u8;
    static etext: u8;
}

impl Stack {
    /// No frames.
    pub(super) const NONE: Stack = Stack { length: 0, frames: [0; MOST] };

    /// The stack of this thread, without this program's own frames at either end.
    pub(super) fn here() -> Stack {
        Stack::walk(From::OutOfProgram)
    }

    /// The stack below a signal handler on this thread, that interrupted the instruction at `pc`.
    pub(super) fn interrupted(pc: usize) -> Stack {
        Stack::walk(From::At(pc))
    }

    fn walk(from: From) -> Stack {
        let mut stack = Stack::NONE;
        let mut walk = Walk { stack: &mut stack, from };
        // SAFETY: `step` gets what is passed here, and takes it for what it is. What the unwinder needs it reads where the modules'
        // own tables say: a library whose tables are wrong crashes here, though it may be that it never throws. And it may take
        // the loader's lock, and one of its own where the library has registered tables: in a signal handler it may wait for a
        // thread that has them. There the host's deadline ends the call.
        unsafe { _Unwind_Backtrace(step, (&raw mut walk).cast()) };
        stack
    }

    /// The frames.
    pub(super) fn frames(&self) -> &[usize] {
        &self.frames[..self.length.min(MOST)]
    }
}

extern "C" fn step(context: *mut c_void, data: *mut c_void) -> c_int {
    /// `_URC_NO_REASON`, and a code that ends the walk.
    const ON: c_int = 0;
    const STOP: c_int = 4;
    // SAFETY: the unwinder passes its context, and what `walk` gave it, which nothing else refers to now.
    let (pc, walk) = unsafe { (_Unwind_GetIP(context), &mut *data.cast::<Walk<'_>>()) };
    // So the unwinder tells of the end of a thread's stack.
    if pc == 0 {
        return STOP;
    }
    let program = (&raw const __executable_start).addr()..(&raw const etext).addr();
    let own = program.contains(&pc);
    let counts = match walk.from {
        From::OutOfProgram => !own,
        From::At(at) => pc == at,
        From::Now if own => return STOP,
        From::Now => true,
    };
    if counts {
        walk.from = From::Now;
        walk.stack.frames[walk.stack.length] = pc;
        walk.stack.length += 1;
    }
    if walk.stack.length == MOST { STOP } else { ON }
}
