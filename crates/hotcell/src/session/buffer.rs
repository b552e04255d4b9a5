//! Memory of a session that callers fill in place.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason};
use hotcell_shm::{Buffers, ForkGuard, InBuf};

use super::{Context, Session};
use crate::error::{Cause, Result};

impl Session {
    /// Makes a buffer of `length` bytes for data that goes into calls. A call that is passed it, or a part of it, does
    /// not copy it:
    ///
    /// ```no_run
    /// # fn main() -> hotcell::Result<()> {
    /// let zlib = zlib_hotcell::Zlib::open()?;
    /// let mut data = zlib.session().buffer(1 << 20)?;
    /// data.fill(b'x');
    /// println!("{:08x}", zlib.crc32(0, &data)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Its bytes are zeros, or what an earlier buffer left. Data of up to some 900 bytes is copied all the same, as is what
    /// the library wants as a text: that is no slower. So is what goes into a batch, which waits for longer than data is
    /// lent to it. Nothing is asked of the worker here, and no turn is waited for.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` where it is longer than [`crate::Options::max_input`], or there is no memory; `ForkedClient`.
    #[track_caller]
    pub fn buffer(&self, length: usize) -> Result<InBuf> {
        let mut context = Context::of_package(self.shared.package);
        context.call_site = Some(Location::caller());
        if self.is_forked() {
            return Err(context.forked(Executed::No));
        }
        let refused = |message| {
            let cause = Cause::Limit { what: LimitExceededReason::Memory, value: length as u64 };
            context.not_executed(ErrorKind::LimitExceeded, cause, message)
        };
        let limit = self.options().max_input;
        if length as u64 > limit {
            return Err(refused(format!("a buffer of {length} bytes; a call may pass {limit}")));
        }
        let no_memory = |errno| refused(format!("no memory for a buffer of {length} bytes: {errno}"));
        self.shared.buffers.allocate(length, self.living()).map_err(no_memory)
    }

    /// What tells that the process was forked.
    pub(crate) fn fork(&self) -> &Arc<ForkGuard> {
        &self.shared.fork
    }

    /// What callers fill in place.
    pub(crate) fn buffers(&self) -> &Buffers {
        &self.shared.buffers
    }

    /// The generation of the worker that is up, as far as anybody knows; 0 none.
    fn living(&self) -> u64 {
        match self.worker_pid() {
            Some(_) => self.shared.facts.generation.load(Ordering::Relaxed),
            None => 0,
        }
    }
}
