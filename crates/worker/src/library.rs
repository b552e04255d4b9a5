//! Loading the library and its shim.

use std::ffi::{CStr, CString, c_char, c_void};
use std::os::fd::{AsRawFd, OwnedFd};

use hotcell_protocol::wire::{self, Event, Hello};
use hotcell_shm::batch;

use crate::cancels::UnderWay;
use crate::context::{Context, Reply, ShimRequest};
use crate::report::Failure;

/// An entry of the shim.
pub(crate) type Entry = unsafe extern "C" fn(*mut Context, *const ShimRequest, *mut Reply);

/// `hotcell_function` of the shim ABI.
#[repr(C)]
pub(crate) struct Function {
    name: *const c_char,
    pub(crate) entry: Entry,
    pub(crate) args_size: u32,
    pub(crate) result_size: u32,
    fingerprint: [u8; 32],
}

/// What a batch has to know of a function, in one place.
#[derive(Clone, Copy)]
pub(crate) struct Batched {
    pub(crate) entry: Entry,
    pub(crate) args_size: u32,
    /// The bytes of both blocks as they lie in a batch.
    pub(crate) args: u32,
    pub(crate) results: u32,
}

impl Batched {
    fn of(function: &Function) -> Batched {
        // `fits` says that they are no longer than a slot.
        let args = batch::args_size(function.args_size as usize) as u32;
        let results = batch::block_size(function.result_size as usize) as u32;
        Batched { entry: function.entry, args_size: function.args_size, args, results }
    }
}

/// `hotcell_shim` of the shim ABI.
#[repr(C)]
struct Shim {
    abi: u32,
    functions: u32,
    fingerprint: [u8; 32],
    library: *const c_char,
    function: *const Function,
    init: Option<Calls>,
    shutdown: Option<unsafe extern "C" fn()>,
}

/// A function of the shim that makes calls of the contract: NULL, or the text of the one that failed.
type Calls = unsafe extern "C" fn() -> *const c_char;
/// Where a shim is told of the place in which the calls of a thread note that they are under way.
pub(crate) type Attend = unsafe extern "C" fn(*mut UnderWay);

/// A loaded shim. It is never unloaded: libraries leave threads and handlers behind.
#[derive(Clone, Copy)]
pub(crate) struct Library {
    shim: &'static Shim,
    functions: &'static [Function],
    batched: &'static [Batched],
    health: Option<Calls>,
    abi: Option<Calls>,
    attend: Option<Attend>,
}

// SAFETY: the tables are constants of the shim, which is never unloaded; nothing writes to them.
unsafe impl Sync for Library {}
// SAFETY: as for Sync.
unsafe impl Send for Library {}

impl Library {
    /// Opens the libraries, in order and for all to see, then the shim, and checks that the shim is the one
    /// the hello speaks of. Everything is opened by descriptor: what the host checked is what is loaded.
    pub(crate) fn load(shim: &OwnedFd, libraries: &[OwnedFd], hello: &Hello) -> Result<Library, Failure> {
        for library in libraries {
            open(library, libc::RTLD_NOW | libc::RTLD_GLOBAL)?;
        }
        let handle = open(shim, libc::RTLD_NOW | libc::RTLD_LOCAL)?;
        // SAFETY: the handle is open and the name terminated.
        let table = unsafe { libc::dlsym(handle, c"hotcell_shim_1".as_ptr()) };
        if table.is_null() {
            return Err(mismatch("the shim exports no table `hotcell_shim_1`".into()));
        }
        // SAFETY: a shim of ABI major 1 (the number in the symbol) exports this structure; it is never
        // unloaded, hence 'static.
        let shim = unsafe { &*table.cast::<Shim>() };
        if shim.abi >> 16 != wire::SHIM_ABI >> 16 || shim.abi > wire::SHIM_ABI {
            return Err(mismatch(format!(
                "the shim speaks ABI {:#x}, this worker {:#x}",
                shim.abi,
                wire::SHIM_ABI
            )));
        }
        if shim.fingerprint != hello.fingerprint || shim.functions != hello.functions {
            return Err(mismatch("the shim was generated from another interface than the package".into()));
        }
        // SAFETY: the table says how many functions it points to, and lives for ever.
        let functions = unsafe { std::slice::from_raw_parts(shim.function, shim.functions as usize) };
        if let Some(function) = functions.iter().find(|function| !fits(function)) {
            return Err(mismatch(format!("the blocks of `{}` do not fit a slot", name(function))));
        }
        let batched = Box::leak(functions.iter().map(Batched::of).collect());
        let calls = |name: &CStr| {
            // SAFETY: the handle is open and the name terminated.
            let found = unsafe { libc::dlsym(handle, name.as_ptr()) };
            // SAFETY: a shim of ABI major 1 exports under the names below, if anything, a function of this type; it is never
            // unloaded. NULL is `None` of a function's pointer.
            unsafe { std::mem::transmute::<*mut c_void, Option<Calls>>(found) }
        };
        let (health, abi) = (calls(c"hotcell_health_1"), calls(c"hotcell_abi_1"));
        // SAFETY: the handle is open and the name terminated.
        let attend = unsafe { libc::dlsym(handle, c"hotcell_attend_1".as_ptr()) };
        // SAFETY: a shim of ABI major 1 exports a function of this type by that name, if anything: NULL is none.
        let attend = unsafe { std::mem::transmute::<*mut c_void, Option<Attend>>(attend) };
        Ok(Library { shim, functions, batched, health, abi, attend })
    }

    /// Finds out whether the library is the one that the shim was compiled for, as far as the contract says how.
    pub(crate) fn check_abi(&self) -> Result<(), Failure> {
        self.make("this is not the library of the headers: this does not hold", self.abi, Event::AbiMismatch)
    }

    /// Runs the contract's init calls.
    pub(crate) fn initialise(&self) -> Result<(), Failure> {
        self.make("init call failed", self.shim.init, Event::LoadFailed)
    }

    /// Makes the contract's health checks.
    pub(crate) fn check_health(&self) -> Result<(), Failure> {
        self.make("health check failed", self.health, Event::LoadFailed)
    }

    fn make(&self, what: &str, calls: Option<Calls>, event: Event) -> Result<(), Failure> {
        let Some(calls) = calls else { return Ok(()) };
        // SAFETY: the shim ABI defines the signature; the library is loaded, which `self` says.
        let failed = unsafe { calls() };
        if failed.is_null() {
            return Ok(());
        }
        // SAFETY: a shim returns NULL or a terminated text that lives for ever.
        let text = unsafe { CStr::from_ptr(failed) }.to_string_lossy().into_owned();
        Err(Failure::new(event, format!("{what}: {text}")))
    }

    /// Runs the contract's shutdown calls.
    pub(crate) fn shut_down(&self) {
        if let Some(shutdown) = self.shim.shutdown {
            // SAFETY: as for `make`.
            unsafe { shutdown() };
        }
    }

    /// What notes calls that can be stopped, if some can.
    pub(crate) fn attend(&self) -> Option<Attend> {
        self.attend
    }

    /// The function of this index.
    pub(crate) fn function(&self, index: u16) -> Option<&Function> {
        self.functions.get(usize::from(index))
    }

    /// The same, for batches.
    #[inline]
    pub(crate) fn batched(&self, index: u16) -> Option<&Batched> {
        self.batched.get(usize::from(index))
    }

    pub(crate) fn functions(&self) -> u32 {
        self.shim.functions
    }
}

fn open(file: &OwnedFd, flags: i32) -> Result<*mut c_void, Failure> {
    let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd()))
        .map_err(|_| Failure::new(Event::LoadFailed, "a NUL in a path"))?;
    // SAFETY: the path is terminated. Constructors of the library run here: whatever they do, they do it to
    // this process, whose load phase is in force.
    let handle = unsafe { libc::dlopen(path.as_ptr(), flags) };
    if !handle.is_null() {
        return Ok(handle);
    }
    // SAFETY: dlerror returns NULL or a terminated text, valid until the next call of the loader here.
    let text = unsafe {
        let error = libc::dlerror();
        if error.is_null() { "no reason given".into() } else { CStr::from_ptr(error).to_string_lossy() }
    };
    let event = if text.contains("undefined symbol") { Event::SymbolMissing } else { Event::LoadFailed };
    Err(Failure::new(event, text))
}

fn fits(function: &Function) -> bool {
    function.args_size as usize <= wire::MAX_ARGS && function.result_size as usize <= wire::MAX_RESULT
}

fn name(function: &Function) -> String {
    // SAFETY: a shim's table holds terminated names that live for ever.
    unsafe { CStr::from_ptr(function.name) }.to_string_lossy().into_owned()
}

fn mismatch(text: String) -> Failure {
    Failure::new(Event::AbiMismatch, text)
}
