//! What becomes of a system call that the sandbox's filter stopped: the kernel sends SIGSYS instead of executing it.
//!
//! The handler decides how the library is told, and notes it for the host. Nothing here protects anybody: the call did not
//! happen, whatever the library makes of this handler.

use std::ffi::{c_int, c_long, c_void};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicU32, Ordering};

use hotcell_protocol::wire::{Phase, denial_record as at};
use hotcell_sandbox::{DEVICES, Plan, Syscall};
use rustix::fs::{Mode, OFlags};

use crate::crash;
use path::Path;

mod path;

/// `si_code` of a system call that a filter trapped.
const FILTERED: c_int = 1;

/// `flags` of a call that is about the descriptor itself where the path is empty.
const EMPTY_PATH: u64 = 0x1000;

/// Where descriptors of devices go, out of the way of the library.
const DEVICES_FROM: c_int = 101;

/// The two records, one behind the other; null until installed.
static RECORDS: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

/// A thread writes the first record.
static NOTING: AtomicBool = AtomicBool::new(false);

/// How many calls were refused.
static REFUSED: AtomicU32 = AtomicU32::new(0);

/// Whose rules hold.
static PHASE: AtomicU16 = AtomicU16::new(Phase::Load.raw());

/// The thread that tries what the wall stops, and is not to be counted or ended for it; 0 none.
static TRYING: AtomicU32 = AtomicU32::new(0);

/// What was opened before the filter stood, and which paths are refused.
static KNOWN: OnceLock<Known> = OnceLock::new();

struct Known {
    /// Paths, and where they begin.
    refused: Vec<Vec<u8>>,
    /// In the order of [`DEVICES`].
    devices: Vec<Option<OwnedFd>>,
}

/// A call that did not happen.
struct Stopped {
    number: u32,
    architecture: u32,
    /// What the filter has for the library; 0 when it is to end.
    errno: c_int,
    arguments: [u64; 6],
}

/// How a library is told.
enum Told {
    /// As the kernel would tell a call that it executed: a result, or an error's number below 0.
    Answer(i64),
    /// With an error, which is counted.
    Refuse(c_int),
    /// It ends.
    Deny,
}

/// Installs the handler. Its notes go to `records`.
pub(crate) fn install(records: *mut u8) {
    RECORDS.store(records, Ordering::Release);
    // SAFETY: the handler has the type SA_SIGINFO asks for, and does only what a signal handler may.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_denial as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGSYS, &action, std::ptr::null_mut());
    }
}

/// Opens what cannot be opened any more once the filter stands.
pub(crate) fn prepare(plan: &Plan) {
    let device = |path: &&str| {
        let opened = rustix::fs::open(*path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
        let opened = opened
            .or_else(|_| rustix::fs::open(*path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()))
            .ok()?;
        // Fewer descriptors than that may be allowed; then it stays.
        Some(rustix::io::fcntl_dupfd_cloexec(&opened, DEVICES_FROM).unwrap_or(opened))
    };
    let refused = plan.refused().iter().map(|path| path.clone().into_bytes()).collect();
    KNOWN.get_or_init(|| Known { refused, devices: DEVICES.iter().map(device).collect() });
}

/// From here on what is stopped is noted as stopped by the rules that hold when it serves. They deny what those of loading do: what another
/// thread of the library is denied before they hold is told as it will be.
pub(crate) fn serves() {
    PHASE.store(Phase::Serve.raw(), Ordering::Relaxed);
}

/// Runs health checks: what is stopped meanwhile is noted as stopped in one.
pub(crate) fn while_checking<T>(run: impl FnOnce() -> T) -> T {
    PHASE.store(Phase::Check.raw(), Ordering::Relaxed);
    let result = run();
    serves();
    result
}

/// Runs what tries the wall on this thread: nothing that is denied there is noted, or ends the worker.
pub(crate) fn while_trying<T>(run: impl FnOnce() -> T) -> T {
    // SAFETY: no memory is involved.
    TRYING.store(unsafe { libc::syscall(libc::SYS_gettid) } as u32, Ordering::Relaxed);
    let result = run();
    TRYING.store(0, Ordering::Relaxed);
    result
}

extern "C" fn on_denial(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo and a ucontext; errno's address is always valid.
    unsafe {
        let errno = *libc::__errno_location();
        if (*info).si_code == FILTERED {
            let stopped = Stopped::read(info, context);
            let trying = TRYING.load(Ordering::Relaxed);
            let told = match trying != 0 && trying == libc::syscall(libc::SYS_gettid) as u32 {
                true => {
                    Told::Answer(-i64::from(if stopped.errno == 0 { libc::EPERM } else { stopped.errno }))
                }
                false => stopped.tell(),
            };
            match told {
                Told::Answer(result) => set_result(context, result),
                Told::Refuse(error) => {
                    stopped.note_refusal(error);
                    set_result(context, -i64::from(error));
                }
                Told::Deny => stopped.note_end(),
            }
            if !matches!(told, Told::Deny) {
                // The library finds errno as it was: what it is told is the call's result.
                *libc::__errno_location() = errno;
                return;
            }
        }
        // First the record: behind a wall what is done on SIGSYS cannot be changed, and the kernel ends whoever tries that here.
        crash::record_crash(signal, info, context);
        let default: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, &default, std::ptr::null_mut());
    }
}

impl Stopped {
    /// # Safety
    ///
    /// Both must be what the kernel passed to a handler of SIGSYS.
    unsafe fn read(info: *const libc::siginfo_t, context: *const c_void) -> Stopped {
        /// Where number and machine lie in a `siginfo_t` of 64-bit machines, behind the address of the call.
        const NUMBER: usize = 24;
        const ARCHITECTURE: usize = 28;
        // SAFETY: a siginfo has 128 bytes; the rest is the caller's promise.
        unsafe {
            let word = |offset: usize| info.cast::<u8>().add(offset).cast::<u32>().read_unaligned();
            Stopped {
                number: word(NUMBER),
                architecture: word(ARCHITECTURE),
                errno: (*info).si_errno,
                arguments: arguments(context),
            }
        }
    }

    fn syscall(&self) -> Option<&'static Syscall> {
        let native = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };
        if self.architecture == native { Syscall::of_number(self.number) } else { None }
    }

    fn path(&self) -> Option<Path> {
        let argument = self.syscall()?.path?;
        Path::read(self.arguments[usize::from(argument)])
    }

    /// How the library is told: by what the filter says, but for some paths.
    fn tell(&self) -> Told {
        if self.errno != 0 {
            return Told::Refuse(self.errno);
        }
        let (Some(syscall), Some(known)) = (self.syscall(), KNOWN.get()) else { return Told::Deny };
        let Some(argument) = syscall.path else { return Told::Deny };
        let [first, _, third, fourth, ..] = self.arguments;
        let address = self.arguments[usize::from(argument)];
        let path = match address {
            0 => Path::default(),
            address => match Path::read(address) {
                Some(path) => path,
                None => return Told::Deny,
            },
        };
        match (syscall.name, path.bytes()) {
            // What the C library makes of fstat(): it is about a descriptor, which the library has.
            ("newfstatat", b"") if fourth & EMPTY_PATH != 0 => {
                // SAFETY: the kernel writes to where the library asked it to, or refuses.
                Told::of_call(unsafe { libc::syscall(libc::SYS_fstat, first, third) })
            }
            // As above; whoever uses it knows the older call too.
            ("statx", b"") if third & EMPTY_PATH != 0 => Told::Answer(-i64::from(libc::ENOSYS)),
            ("open" | "openat", wanted) => {
                let flags = self.arguments[usize::from(argument) + 1];
                let device = DEVICES.iter().position(|device| device.as_bytes() == wanted);
                match device.and_then(|index| known.devices[index].as_ref()) {
                    Some(device) => {
                        let closes = flags & libc::O_CLOEXEC as u64 != 0;
                        let command = if closes { libc::F_DUPFD_CLOEXEC } else { libc::F_DUPFD };
                        // SAFETY: no memory is involved.
                        Told::of_call(unsafe {
                            libc::syscall(libc::SYS_fcntl, device.as_raw_fd(), command, 0)
                        })
                    }
                    None => known.harmless(wanted),
                }
            }
            (_, wanted) => known.harmless(wanted),
        }
    }

    /// Notes a refusal. Where another thread notes one at this moment, it is only counted.
    fn note_refusal(&self, errno: c_int) {
        let count = REFUSED.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let record = RECORDS.load(Ordering::Acquire);
        // One thread at a time: partners are the exchange and the store below.
        let mine = NOTING.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
        if mine && !record.is_null() {
            // SAFETY: `record` is mapped and writable for the life of the process.
            unsafe { self.write(record, errno, count) };
        }
        if mine {
            NOTING.store(false, Ordering::Release);
        }
    }

    /// Notes what ends the worker, once.
    fn note_end(&self) {
        let records = RECORDS.swap(std::ptr::null_mut(), Ordering::AcqRel);
        if !records.is_null() {
            // SAFETY: there are two records, mapped and writable for the life of the process.
            unsafe { self.write(records.add(at::SIZE), 0, 1) };
        }
    }

    /// # Safety
    ///
    /// A record must be there, and writable.
    unsafe fn write(&self, record: *mut u8, errno: c_int, count: u32) {
        let path = self.path().unwrap_or_default();
        let text = path.bytes();
        let text = &text[..text.len().min(at::SIZE - at::TEXT)];
        let address = self.syscall().and_then(|syscall| syscall.address);
        let port = address.and_then(|argument| path::port(self.arguments[usize::from(argument)]));
        // SAFETY: the caller's promise.
        unsafe {
            crash::write(record, at::SYSCALL, self.number);
            crash::write(record, at::ARCHITECTURE, self.architecture);
            crash::write(record, at::ERRNO, errno);
            for (index, argument) in self.arguments.iter().enumerate() {
                crash::write(record, at::ARGUMENT_0 + index * size_of::<u64>(), *argument);
            }
            crash::write(record, at::PORT, port.unwrap_or(0));
            crash::write(record, at::PHASE, PHASE.load(Ordering::Relaxed));
            std::ptr::copy_nonoverlapping(text.as_ptr(), record.add(at::TEXT), text.len());
            crash::write(record, at::TEXT_LENGTH, text.len() as u32);
            crash::write(record, at::COUNT, count);
        }
    }
}

impl Known {
    fn harmless(&self, path: &[u8]) -> Told {
        let fits = |pattern: &Vec<u8>| match pattern.strip_suffix(b"*") {
            Some(start) => path.starts_with(start),
            None => path == &pattern[..],
        };
        if self.refused.iter().any(fits) { Told::Refuse(libc::EACCES) } else { Told::Deny }
    }
}

impl Told {
    /// What a system call of the handler's own gave.
    fn of_call(answer: c_long) -> Told {
        match answer {
            // SAFETY: errno's address is always valid.
            ..0 => Told::Answer(-i64::from(unsafe { *libc::__errno_location() })),
            answer => Told::Answer(answer),
        }
    }
}

/// What the library passed.
///
/// # Safety
/// `context` must be the ucontext the kernel passed to a handler of SIGSYS.
unsafe fn arguments(context: *const c_void) -> [u64; 6] {
    // SAFETY: the caller's promise.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    let arguments = [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX, libc::REG_R10, libc::REG_R8, libc::REG_R9]
        .map(|register| machine.gregs[register as usize] as u64);
    #[cfg(target_arch = "aarch64")]
    let arguments = std::array::from_fn(|index| machine.regs[index]);
    arguments
}

/// What the library finds as the call's result.
///
/// # Safety
/// As for [`arguments`].
unsafe fn set_result(context: *mut c_void, result: i64) {
    // SAFETY: the caller's promise.
    let machine = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    {
        machine.gregs[libc::REG_RAX as usize] = result;
    }
    #[cfg(target_arch = "aarch64")]
    {
        machine.regs[0] = result as u64;
    }
}
