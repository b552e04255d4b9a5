//! Installing filters of system calls.

use std::io;
use std::ptr;

use crate::filter::Instruction;

/// Installs a filter on all threads of this process. It cannot be taken away.
///
/// `SPEC_ALLOW`: before Linux 5.16 a filter also switched off speculation past stores, which slows down code that writes
/// much memory. It would defend against reading within one process, which has nothing to hide from itself here.
pub(crate) fn install(program: &[Instruction]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(|_| io::Error::other("the filter is too long"))?;
    let filter = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
    let flags = libc::SECCOMP_FILTER_FLAG_TSYNC | libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: `filter` points to `len` instructions of the kernel's layout (`Instruction` is `repr(C)` with the same
    // fields); the kernel copies them and checks every jump.
    let answer = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, ptr::from_ref(&filter))
    };
    match answer {
        0 => Ok(()),
        ..0 => Err(io::Error::last_os_error()),
        thread => Err(io::Error::other(format!("thread {thread} of the library has a filter of its own"))),
    }
}
