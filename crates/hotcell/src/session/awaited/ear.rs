//! How a task hears of a worker's messages: the eventfd of its lane, in the reactor of its runtime.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use hotcell_protocol::wire::capabilities::EVENTFD;
use hotcell_protocol::{ErrorKind, Executed};
use hotcell_shm::{HostChannel, HostLane};
use hotcell_supervisor::Worker;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Handle, Id};

use crate::error::{Cause, Error};
use crate::fault::Fault;
use crate::session::Context;

/// The ear of a lane. It stays in the reactor that listened last: a session that is always called from one runtime enters it
/// once for each worker.
#[derive(Debug, Default)]
pub(in crate::session) struct Ear(Option<Heard>);

#[derive(Debug)]
struct Heard {
    runtime: Id,
    eventfd: AsyncFd<LaneEnd>,
}

/// The eventfd of a lane, kept open.
#[derive(Debug)]
struct LaneEnd(Arc<HostChannel>, usize);

/// Why nothing can be heard.
#[derive(Debug)]
pub(super) enum Deaf {
    NoRuntime,
    /// The worker does not write to eventfds.
    NoEventfd,
    /// The reactor is being shut down, or cannot be entered.
    Reactor(io::Error),
}

impl AsRawFd for LaneEnd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.eventfds()[self.1].as_fd().as_raw_fd()
    }
}

impl Ear {
    /// Whether something was written since this was last asked; else the task is woken when it is.
    pub(super) fn poll(
        &mut self,
        lane: &HostLane,
        worker: &Worker,
        task: &mut Task<'_>,
    ) -> Poll<Result<(), Deaf>> {
        let runtime = Handle::try_current().map_err(|_| Deaf::NoRuntime)?.id();
        let heard = match self.0.take().filter(|heard| heard.runtime == runtime) {
            Some(heard) => heard,
            None => {
                let writes = worker.capabilities() & EVENTFD != 0;
                let end = LaneEnd::of(lane).filter(|_| writes).ok_or(Deaf::NoEventfd)?;
                #[allow(
                    deprecated,
                    reason = "it trusts that the descriptor stays the same and open, as it does here; what is to replace it is unsafe"
                )]
                let eventfd = AsyncFd::with_interest(end, Interest::READABLE).map_err(Deaf::Reactor)?;
                Heard { runtime, eventfd }
            }
        };
        let Heard { eventfd, .. } = self.0.insert(heard);
        let mut written = ready!(eventfd.poll_read_ready(task)).map_err(Deaf::Reactor)?;
        written.clear_ready();
        Poll::Ready(Ok(()))
    }
}

impl LaneEnd {
    fn of(lane: &HostLane) -> Option<LaneEnd> {
        let (channel, index) = (Arc::clone(lane.channel()), lane.index() as usize);
        (index < channel.eventfds().len()).then_some(LaneEnd(channel, index))
    }
}

impl Deaf {
    pub(super) fn error(self, context: &Context, executed: Executed) -> Error {
        let (kind, message) = match self {
            Deaf::NoRuntime => {
                (ErrorKind::Cancelled, "calls are awaited in a runtime of tokio; this is none".into())
            }
            Deaf::NoEventfd => {
                (ErrorKind::AbiMismatch, "the worker cannot wake tasks; call it from threads".into())
            }
            Deaf::Reactor(error) => {
                (ErrorKind::Cancelled, format!("the runtime does not hear of the reply: {error}"))
            }
        };
        context.error(Fault { kind, cause: Cause::None, message }, executed, String::new())
    }
}
