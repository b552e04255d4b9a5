//! A worker that serves in somebody else's process, call by call, and goes without leaving anything.

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use hotcell_protocol::wire::{self, Hello, capabilities, hello};
use hotcell_shm::control::ControlSocket;
use hotcell_shm::{Mapping, Roost, SegmentFile, SegmentTable, WorkerChannel, WorkerLane};

use crate::cancels::Cancels;
use crate::handles::SharedHandles;
use crate::library::Library;
use crate::serve::{Server, Worker};
use crate::threads::Threads;

/// The rule that a host broke.
pub type Broken = &'static str;

/// The shim of this process. It is never unloaded.
static LIBRARY: OnceLock<Library> = OnceLock::new();

/// What this worker can do.
const CAPABILITIES: u64 =
    capabilities::NEED_SPACE | capabilities::CALLBACKS | capabilities::HANDLES | capabilities::BATCH;

/// The first serving thread of a worker.
pub struct Rig {
    /// There until it is dropped.
    server: Option<Server>,
    lane: WorkerLane,
    /// What the server refers to, as if it were there for ever.
    worker: *mut Worker,
    segments: *mut SegmentTable,
    handles: *mut SharedHandles,
}

impl Rig {
    /// Loads libraries and their shim, once for the process: those that are given first.
    pub fn load(
        shim: &OwnedFd,
        libraries: &[OwnedFd],
        functions: u32,
        fingerprint: [u8; 32],
    ) -> Result<(), String> {
        if LIBRARY.get().is_none() {
            let hello = Hello { functions, fingerprint, ..Hello::decode(&[0; hello::SIZE]) };
            let library = Library::load(shim, libraries, &hello).map_err(|failure| failure.text)?;
            let _ = LIBRARY.set(library);
        }
        Ok(())
    }

    /// A worker with these segments, and with others added under these numbers. None before [`Rig::load`], and where the
    /// segments are not as they should be.
    pub fn new(
        request: &SegmentFile,
        reply: &SegmentFile,
        added: impl IntoIterator<Item = (u16, Mapping)>,
        socket: ControlSocket,
    ) -> Option<Rig> {
        let library = *LIBRARY.get()?;
        let table = Box::new(SegmentTable::new());
        let channel = WorkerChannel::open(request, reply, &table).ok()?;
        added.into_iter().try_for_each(|(id, mapping)| table.add(id, mapping)).ok()?;
        let lane = channel.lane(0)?;
        let segments = Box::into_raw(table);
        let handles = std::ptr::from_ref(SharedHandles::new(1, wire::MAX_HANDLES)).cast_mut();
        // SAFETY: all of it was leaked, and `drop` frees it when the server is gone.
        let (table, shared) = unsafe { (&*segments, &*handles) };
        let worker = Box::into_raw(Box::new(Worker {
            channel: Arc::new(channel),
            library,
            segments: table,
            socket: Arc::new(socket),
            stopping: Arc::new(AtomicBool::new(false)),
            capabilities: CAPABILITIES,
            // It looks for a call, and does not wait for one.
            spin: 1,
            handles: shared,
            threads: Threads::default(),
            cancels: Cancels::new(None, 1),
        }));
        // SAFETY: as above; and the table was made for one thread, which is this.
        let (known, handles_of_thread) = unsafe { (&*worker, shared.of_thread(0)) };
        let server = Some(Server::new(known, table, handles_of_thread, Roost::new(known.spin)));
        Some(Rig { server, lane, worker, segments, handles })
    }

    /// Executes the call that is there; false if none is. `Err` where a worker would report that, and end.
    pub fn serve(&mut self) -> Result<bool, Broken> {
        let Some(server) = &self.server else { return Ok(false) };
        let lane = std::slice::from_mut(&mut self.lane);
        // It looks once at least, however it waits.
        let looked = Cell::new(false);
        let stop = || looked.replace(true);
        let request = server.worker.channel.next_call(lane, &mut server.roost.borrow_mut(), stop);
        let Some(request) = request else { return Ok(false) };
        server.execute(&mut self.lane, &request, 0).map(|()| true)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.server = None;
        // SAFETY: they come from boxes (`SharedHandles::new` leaks one), and the server alone referred to them: no thread was
        // started, and the library was told of none of them beyond a call.
        unsafe {
            drop(Box::from_raw(self.worker));
            drop(Box::from_raw(self.handles));
            drop(Box::from_raw(self.segments));
        }
    }
}
