//! Memory of a session that callers fill in place.

use std::fmt::Display;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason};
use hotcell_shm::{Buffers, ForkGuard, InBuf, SharedBuf};

use super::{Context, Session};
use crate::error::{Cause, Result};
use crate::options::Options;

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
        self.make_buffer(length, self.options().max_input, Buffers::allocate)
    }

    /// Makes a buffer of `length` zeros that the library changes, or fills, in place: for the methods of a package that end in
    /// `_in_place` or `_into`. Nothing is copied, neither in nor out:
    ///
    /// ```no_run
    /// # fn main() -> hotcell::Result<()> {
    /// let zlib = zlib_hotcell::Zlib::open()?;
    /// let packed = zlib.compress(b"hello")?;
    /// let mut text = zlib.session().shared_buffer(1 << 20)?;
    /// let length = zlib.uncompress_into(&mut text, &packed)?;
    /// println!("{:?}", text.view().slice(0..length).to_vec());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The worker can write there for as long as it lives, so there is no slice of it. Behind a call it holds what the library
    /// wrote, and else what was there before, also where the call failed, and behind what the library says it has filled. Where
    /// the worker was replaced meanwhile, calls copy it; so they do for a buffer of another session.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` where it is longer than both [`crate::Options::max_input`] and [`crate::Options::max_output`], or there
    /// is no memory; `ForkedClient`.
    #[track_caller]
    pub fn shared_buffer(&self, length: usize) -> Result<SharedBuf> {
        let Options { max_input, max_output, .. } = self.options();
        self.make_buffer(length, (*max_input).max(*max_output), Buffers::allocate_shared)
    }

    #[track_caller]
    fn make_buffer<B, E: Display>(
        &self,
        length: usize,
        limit: u64,
        make: impl FnOnce(&Buffers, usize, u64) -> std::result::Result<B, E>,
    ) -> Result<B> {
        let mut context = Context::of_package(self.shared.package);
        context.call_site = Some(Location::caller());
        if self.is_forked() {
            return Err(context.forked(Executed::No));
        }
        let refused = |message| {
            let cause = Cause::Limit { what: LimitExceededReason::Memory, value: length as u64 };
            context.not_executed(ErrorKind::LimitExceeded, cause, message)
        };
        if length as u64 > limit {
            return Err(refused(format!("a buffer of {length} bytes; a call may pass {limit}")));
        }
        let no_memory = |errno| refused(format!("no memory for a buffer of {length} bytes: {errno}"));
        make(&self.shared.buffers, length, self.living()).map_err(no_memory)
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
