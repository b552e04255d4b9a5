//! Leases that tasks wait for, without a thread.

use std::future::{Future, poll_fn};
use std::panic::Location;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::{Inner, Lease, Library, Member, Pool, context_of};
use crate::error::Result;
use crate::session::Context;
use crate::session::allowed::YEAR;
use crate::session::awaited::{NoRuntime, Timer, on_a_thread};
use crate::session::looks::Looks;

impl<L: Library> Pool<L> {
    /// As [`Pool::get`], for a task: it waits for its lease without a thread, in the runtime of tokio that it is polled in. A session
    /// that is to be opened is opened on a thread for blocking work of that runtime.
    ///
    /// # Errors
    ///
    /// As there; `Cancelled` where there is no runtime of tokio.
    #[track_caller]
    pub fn get_awaited(&self) -> impl Future<Output = Result<Lease<L>>> + Send + use<L> {
        self.get_awaited_within(self.0.options.wait)
    }

    /// As [`Pool::get_awaited`], waiting for no longer than that.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn get_awaited_within(
        &self,
        wait: Duration,
    ) -> impl Future<Output = Result<Lease<L>>> + Send + use<L> {
        let (pool, context) = (Arc::clone(&self.0), context_of::<L>(Location::caller()));
        async move {
            tokio::task::coop::consume_budget().await;
            pool.may_lease(context)?;
            let member = match pool.members.take() {
                Some(member) => Some(member),
                None => pool.member_awaited(context, wait).await?,
            };
            let member = member.ok_or_else(|| pool.waited_in_vain(context, wait))?;
            let mut lease = pool.lease(member);
            if lease.member().library.is_some() {
                return Ok(lease);
            }
            // If nobody waits for it any more, the lease goes back.
            on_a_thread(context, move || lease.open().map(|()| lease)).await
        }
    }
}

impl<L: Library> Inner<L> {
    /// Waits in line for a member; none when the time is over.
    async fn member_awaited(&self, context: Context, wait: Duration) -> Result<Option<Box<Member<L>>>> {
        let _standing = self.stand_in_line(context)?;
        let until = Instant::now() + wait.min(YEAR);
        let (mut stand, mut looks, mut timer) =
            (self.members.stand(true), Looks::default(), Timer::default());
        let member = poll_fn(|task| {
            loop {
                let (member, now) = (stand.take(task.waker()), Instant::now());
                if member.is_some() || now >= until {
                    return Poll::Ready(Ok(member));
                }
                match timer.poll(looks.next(now).min(until), task) {
                    Ok(Poll::Ready(())) => {}
                    Ok(Poll::Pending) => return Poll::Pending,
                    Err(NoRuntime) => return Poll::Ready(Err(context.no_runtime())),
                }
            }
        });
        member.await
    }
}
