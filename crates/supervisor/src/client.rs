//! The process that has a session's callers, where that is not this one.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use hotcell_shm::HostChannel;

/// What another process with the callers is told of workers. Nothing of this is on the way of a call.
pub trait Client: Debug + Send + Sync {
    /// Has it map both files of a channel, which are not sealed, and waits until it has.
    ///
    /// # Errors
    ///
    /// It has gone, or does not say so in time. Then there is no worker.
    fn offer(&self, generation: u64, channel: &HostChannel) -> io::Result<()>;

    /// Says that they are sealed. No worker has them yet.
    ///
    /// # Errors
    ///
    /// It has gone.
    fn sealed(&self, generation: u64) -> io::Result<()>;

    /// Says that a worker has ended. Waits for nothing: who tells has other workers to see to.
    fn ended(&self, generation: u64);

    /// Says that nothing is left of a worker of which a channel was offered, whether or not it ever came up. Waits for nothing.
    fn gone(&self, generation: u64);
}

/// A channel that was offered. When nothing of its worker is left any more, the client is told.
#[derive(Debug)]
pub(crate) struct Offered {
    client: Arc<dyn Client>,
    generation: u64,
}

impl Offered {
    /// Offers a channel and seals it.
    pub(crate) fn new(
        client: &Arc<dyn Client>,
        generation: u64,
        channel: &HostChannel,
    ) -> io::Result<Offered> {
        let offered = Offered { client: Arc::clone(client), generation };
        client.offer(generation, channel)?;
        channel.seal()?;
        client.sealed(generation)?;
        Ok(offered)
    }

    /// Says that its worker has ended.
    pub(crate) fn ended(&self) {
        self.client.ended(self.generation);
    }
}

impl Drop for Offered {
    fn drop(&mut self) {
        self.client.gone(self.generation);
    }
}
