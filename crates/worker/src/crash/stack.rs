//! The stack of the thread that ends the process, as it is, for the host: nothing of it is understood here.

use std::ffi::c_void;

use hotcell_protocol::wire::stack_record as at;

use super::write;

/// The least a page has.
const PAGE: usize = 4096;

/// How many pages above the stack pointer the stack is looked for, where that points at none: a stack that ran over.
const LOST: usize = 64;

/// Leaves what of the stack above `sp` there is.
///
/// # Safety
///
/// The record must be mapped, writable and nobody else's; `context` must be the ucontext that the kernel passed to a handler.
pub(super) unsafe fn leave(record: *mut u8, pc: u64, sp: u64, context: *mut c_void) {
    // SAFETY: the caller's promise.
    let (link, back) = unsafe { links(context) };
    let (sp_at, most) = (sp as usize & !7, at::SIZE - at::BYTES);
    let next_page = |address: usize| (address & !(PAGE - 1)).wrapping_add(PAGE);
    let mut from = sp_at;
    for _ in 0..LOST {
        if is_there(from) {
            break;
        }
        from = next_page(from);
    }
    let mut length = 0;
    while length < most && is_there(from.wrapping_add(length)) {
        let here = from.wrapping_add(length);
        let bytes = (next_page(here) - here).min(most - length);
        // SAFETY: the kernel has just read there, and what is of one page is all there. Words are copied as they are, whatever they mean, by other
        // means than those of the C library, whose functions the library may have replaced; and from a stack to a record they do not overlap. Another thread
        // could take the stack away at this moment: then this one crashes in its handler, and the record of the crash was written.
        unsafe {
            let (source, target) = (here as *const u64, record.add(at::BYTES + length).cast::<u64>());
            for word in 0..bytes / 8 {
                target.add(word).write_volatile(source.add(word).read_volatile());
            }
        }
        length += bytes;
    }
    // SAFETY: the caller's promise.
    unsafe {
        write(record, at::PC, pc);
        write(record, at::SP, sp);
        write(record, at::LINK, link);
        write(record, at::BACK, back);
        write(record, at::FROM, from as u64);
        write(record, at::LENGTH, length as u64);
    }
}

/// Whether eight bytes can be read, by the kernel's word: it looks at a set of signals before it looks at what is to be done with it, which is
/// nothing it knows. So nothing is changed, and a set that is not there is no crash.
fn is_there(address: usize) -> bool {
    const NOTHING: i32 = -1;
    const SET: usize = 8;
    // A null pointer would be no set, of which there is nothing to say.
    if address < PAGE {
        return false;
    }
    // SAFETY: the kernel reads the set, or says that it cannot.
    let done =
        unsafe { libc::syscall(libc::SYS_rt_sigprocmask, NOTHING, address, std::ptr::null_mut::<u8>(), SET) };
    // SAFETY: the address of this thread's errno is always valid.
    done == 0 || unsafe { *libc::__errno_location() } != libc::EFAULT
}

/// Frame pointer and link register of the interrupted code.
///
/// # Safety
///
/// `context` must be the ucontext that the kernel passed to a handler.
unsafe fn links(context: *mut c_void) -> (u64, u64) {
    // SAFETY: the caller's promise.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    let links = (machine.gregs[libc::REG_RBP as usize] as u64, 0);
    #[cfg(target_arch = "aarch64")]
    let links = (machine.regs[29], machine.regs[30]);
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_told_by_the_kernel() {
        let here = [0u64; 2];
        assert!(is_there(here.as_ptr().addr()));
        assert!(!is_there(0) && !is_there(8) && !is_there(usize::MAX & !7));
    }
}
