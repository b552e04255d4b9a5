//! The serving threads beside the first: one for each further lane that the host opens, where the library may be called by
//! several at once.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use hotcell_shm::Roost;

use crate::report::REPORTED;
use crate::serve::{Server, Worker};
use crate::{abandoned, control, crash, state};

/// Bytes that a stack may have at most: it is mapped as a whole.
pub(crate) const MOST_STACK: usize = 64 << 20;

/// The threads by their lanes, less 1.
#[derive(Debug, Default)]
pub(crate) struct Threads(Mutex<Vec<Option<JoinHandle<()>>>>);

/// Ends the process when a serving thread unwinds: its callers would wait for it.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

impl Threads {
    /// Has a thread serve this lane from now on; 0, or why there is none. `Err` when the host must not ask.
    pub(crate) fn open(&self, worker: &'static Worker, lane: u32) -> Result<i32, String> {
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
        let segments = match worker.segments.another() {
            Ok(segments) => segments,
            Err(errno) => return Ok(errno.raw_os_error()),
        };
        // SAFETY: each lane has one thread, from 1 on, and the table was made for one thread more than there are of these.
        let handles = unsafe { worker.handles.of_thread(lane as usize) };
        let stack = crash::stack_limit().min(MOST_STACK);
        let serve = move || {
            crash::attend(lane, stack);
            abandoned::attend(worker);
            worker.cancels.attend(lane as usize);
            state::attend();
            let _aborts = AbortOnUnwind;
            let server = Server::new(worker, segments, handles, Roost::of_lane(worker.spin, lane));
            let stop = || worker.stopping.load(Ordering::SeqCst);
            // The roost is not borrowed while a call is executed.
            let next = |own: &mut _| worker.channel.next_call_on(own, &mut server.roost.borrow_mut(), stop);
            while let Some(request) = next(&mut own) {
                if let Err(text) = server.execute(&mut own, &request, 0) {
                    worker.report(text);
                    // Others may be inside the library.
                    control::exit(REPORTED);
                }
                state::look_behind(worker, &request);
            }
        };
        let thread = Builder::new().name(format!("hotcell-lane-{lane}")).stack_size(stack);
        match thread.spawn(serve) {
            Ok(thread) => {
                threads[index] = Some(thread);
                Ok(0)
            }
            Err(error) => Ok(error.raw_os_error().unwrap_or(libc::EAGAIN)),
        }
    }

    /// Waits until all have ended, which they do when the worker stops.
    pub(crate) fn join(&self) {
        let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        threads.drain(..).flatten().for_each(|thread| drop(thread.join()));
    }
}
