//! The serving threads beside the first: one for each further lane that the host opens, where the library may be called by
//! several at once.

use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use hotcell_shm::Roost;

use crate::report::REPORTED;
use crate::serve::{Server, Worker};
use crate::{control, crash};

/// Bytes that a stack may have at most: it is mapped as a whole.
const MOST_STACK: usize = 64 << 20;

/// The threads by their lanes, less 1.
#[derive(Debug, Default)]
pub(crate) struct Threads(Mutex<Vec<Option<JoinHandle<()>>>>);

impl Threads {
    /// Has a thread serve this lane from now on.
    pub(crate) fn open(&self, worker: &'static Worker, lane: u32) -> Result<(), String> {
        let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = worker.channel.lane(lane).filter(|_| lane > 0);
        let mut own = own.ok_or_else(|| format!("the channel has no lane {lane} for callers"))?;
        let index = lane as usize - 1;
        if threads.len() <= index {
            threads.resize_with(index + 1, || None);
        }
        if threads[index].is_some() {
            return Err(format!("lane {lane} is opened twice"));
        }
        let failed = |what, error: &dyn std::fmt::Display| format!("lane {lane}: {what}: {error}");
        let segments = worker.segments.another().map_err(|errno| failed("table of segments", &errno))?;
        // SAFETY: each lane is opened once, from 1 on, and the table was made for one thread more than there are of these.
        let handles = unsafe { worker.handles.of_thread(lane as usize) };
        let stack = crash::stack_limit().min(MOST_STACK);
        let serve = move || {
            crash::attend(lane, stack);
            let server =
                Server { worker, segments, handles, roost: RefCell::new(Roost::of_lane(worker.spin, lane)) };
            let stop = || worker.stopping.load(Ordering::SeqCst);
            while let Some(request) =
                worker.channel.next_call_on(&mut own, &mut server.roost.borrow_mut(), stop)
            {
                if let Err(text) = server.execute(&mut own, &request, 0) {
                    worker.report(text);
                    // Others may be inside the library.
                    control::exit(REPORTED);
                }
            }
        };
        let thread = Builder::new().name(format!("hotcell-lane-{lane}")).stack_size(stack);
        threads[index] = Some(thread.spawn(serve).map_err(|error| failed("thread", &error))?);
        Ok(())
    }

    /// Waits until all have ended, which they do when the worker stops.
    pub(crate) fn join(&self) {
        let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        threads.drain(..).flatten().for_each(|thread| drop(thread.join()));
    }
}
