//! Telling the host what was done to a guarded block, before the process ends for it.

use std::ffi::{CStr, c_void};
use std::fmt::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use hotcell_protocol::wire::{HeapFault, heap_fault as at};
use hotcell_shm::HEAP_FAULT;

use super::guard::{self, Note};
use super::ledger;
use super::stack::Stack;
use crate::crash::{is_forked, write};

/// Whether it was told: the first fault is.
static TOLD: AtomicBool = AtomicBool::new(false);

/// What the loader knows as `/proc/self/fd/N`, and what it is.
static FILES: OnceLock<Vec<(i32, String)>> = OnceLock::new();

/// Room for text in the record.
const TEXT: usize = at::SIZE - at::TEXT;

/// Remembers what is behind the descriptors that are loaded from.
pub(crate) fn name_files<'a>(files: impl Iterator<Item = &'a OwnedFd>) {
    let name = |file: &OwnedFd| {
        let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
        let name = path.file_name()?.to_string_lossy().into_owned();
        // A memory file: that is how shims come.
        let known = if name.contains("memfd:") || path.starts_with("/memfd:") { "shim.so" } else { &name };
        Some((file.as_raw_fd(), known.to_owned()))
    };
    FILES.get_or_init(|| files.filter_map(name).collect());
}

/// For the handler of a signal that an instruction at `pc` caused by using `address`: notes what that was, if it is among
/// guarded blocks.
pub(crate) fn note_fault(address: usize, pc: usize) {
    if guard::holds(address as *const c_void)
        && let Some((fault, note)) = guard::explain(address)
    {
        tell(fault, address, note, || Stack::interrupted(pc));
    }
}

/// Ends the process for what was found out when a block was freed.
pub(super) fn end(fault: HeapFault, address: usize, note: &Note) -> ! {
    tell(fault, address, note, Stack::here);
    std::process::abort()
}

fn tell(fault: HeapFault, address: usize, note: &Note, used: impl FnOnce() -> Stack) {
    // A child that the library forks shares the record with its parent, whose it is.
    if is_forked() || TOLD.swap(true, Ordering::Relaxed) {
        return;
    }
    let Some(segment) = ledger::segment() else { return };
    let (allocated, freed) = note.stacks();
    let record = segment.wrapping_add(HEAP_FAULT);
    let mut text = Text { record, length: 0 };
    // SAFETY: the record is mapped and writable for the life of the process.
    unsafe {
        write(record, at::ADDRESS, address as u64);
        write(record, at::BLOCK, note.block() as u64);
        write(record, at::BYTES, note.size() as u64);
        write(record, at::KIND, fault.raw());
    }
    text.frames('a', &allocated);
    text.frames('f', &freed);
    // Last: it is walked only now, and the library may have broken what is needed for it.
    text.frames('u', &used());
}

/// The text of the record, as much of it as fits.
struct Text {
    record: *mut u8,
    length: usize,
}

impl Text {
    fn frames(&mut self, what: char, stack: &Stack) {
        for frame in stack.frames() {
            // What does not fit is left out.
            let _ = self.frame(what, *frame);
        }
        // SAFETY: as in `tell`.
        unsafe { write(self.record, at::TEXT_LENGTH, self.length as u32) };
    }

    fn frame(&mut self, what: char, pc: usize) -> fmt::Result {
        let before = self.length;
        // SAFETY: zeroed is a valid Dl_info, which dladdr fills. The address before is in the instruction that called. dladdr takes
        // the loader's lock, which no handler may: while another thread loads a library it waits, and the host's deadline ends the
        // call as one that hangs.
        let found = unsafe {
            let mut found: libc::Dl_info = std::mem::zeroed();
            (libc::dladdr(pc.wrapping_sub(1) as *const c_void, &mut found) != 0).then_some(found)
        };
        let written = match found.filter(|found| !found.dli_fname.is_null()) {
            None => writeln!(self, "{what} ?+{pc:#x}"),
            Some(found) => {
                let offset = pc.wrapping_sub(found.dli_fbase.addr());
                write!(self, "{what} ").and_then(|()| {
                    self.module(found.dli_fname)?;
                    write!(self, "+{offset:#x}")?;
                    if !found.dli_sname.is_null() {
                        self.write_str(" ")?;
                        self.bytes(found.dli_sname)?;
                    }
                    self.write_str("\n")
                })
            }
        };
        if written.is_err() {
            self.length = before;
        }
        written
    }

    fn module(&mut self, path: *const libc::c_char) -> fmt::Result {
        // SAFETY: the loader's names are terminated and stay while the module is loaded.
        let path = unsafe { CStr::from_ptr(path) }.to_bytes();
        let descriptor =
            path.strip_prefix(b"/proc/self/fd/").and_then(|number| std::str::from_utf8(number).ok());
        let descriptor = descriptor.and_then(|number| number.parse::<i32>().ok());
        let known = FILES.get().zip(descriptor);
        if let Some((_, name)) = known.and_then(|(files, fd)| files.iter().find(|(file, _)| *file == fd)) {
            return self.write_str(name);
        }
        self.append(path.rsplit(|&byte| byte == b'/').next().unwrap_or(path))
    }

    fn bytes(&mut self, text: *const libc::c_char) -> fmt::Result {
        // SAFETY: as in `module`.
        self.append(unsafe { CStr::from_ptr(text) }.to_bytes())
    }

    fn append(&mut self, bytes: &[u8]) -> fmt::Result {
        if bytes.len() > TEXT - self.length {
            return Err(fmt::Error);
        }
        // SAFETY: the record has so much room, and is nobody's but this thread's.
        unsafe {
            let to = self.record.add(at::TEXT + self.length);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        self.length += bytes.len();
        Ok(())
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append(text.as_bytes())
    }
}
