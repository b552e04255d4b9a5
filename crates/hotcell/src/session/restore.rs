//! Calls with objects whose worker has ended, and which are made anew for them.

use std::panic::Location;

use hotcell_protocol::{ErrorKind, UnavailableReason};

use super::{Allowed, Context, Session, left_until};
use crate::error::{Cause, Error, Result};
use crate::rt::{Call, Function, Handle, Restores, Wanted};

impl Session {
    /// Which objects are made anew.
    #[inline]
    pub(crate) fn restores(&self) -> Restores {
        self.shared.options.restores.unwrap_or(Restores::NEVER)
    }

    /// As [`Session::begin_of`]: those of the objects that have to be are made anew first, in the time of the call.
    #[cold]
    pub(super) fn begin_with(
        &self,
        handles: &[Option<&Handle>],
        context: Context,
        mut allowed: Allowed,
        function: u16,
        definition: &'static Function,
    ) -> Result<Call<'_>> {
        let objects = handles.iter().flatten().map(|handle| &**handle.object());
        loop {
            let mut call = self.begin_of(objects.clone(), context, allowed, function, definition)?;
            let begun = call.context;
            let due = handles.iter().flatten().find(|handle| handle.is_due(self, begun.generation));
            let Some(due) = due else { return Ok(call) };
            let until = call.allowed.deadline();
            allowed = call.allowed;
            // Others have the seat meanwhile, those too that make it anew.
            drop(call);
            due.make_anew(self, &begun, Wanted { until, asked: false })?;
        }
    }

    /// Sees to it that an object is there in the worker that serves.
    pub(crate) fn restore(&self, handle: &Handle, call_site: &'static Location<'static>) -> Result<()> {
        let context = Context { call_site: Some(call_site), ..Context::of_package(self.shared.package) };
        let mut allowed = self.allowed(self.shared.options.deadline);
        let until = allowed.deadline();
        loop {
            let turn = self.turn(context, allowed)?;
            let context = Context { generation: turn.generation, ..context };
            drop(turn);
            if !handle.is_due(self, context.generation) {
                return handle.is_there(&context);
            }
            handle.make_anew(self, &context, Wanted { until, asked: true })?;
        }
    }

    /// An object was made anew.
    pub(crate) fn count_restored(&self) {
        self.shared.again.restored();
    }

    /// Whether a thread that makes a call may wait for another that makes an object anew: not in a callback, whose call may be
    /// what the other waits for.
    pub(crate) fn may_wait_for_others(&self) -> bool {
        !self.runs_a_callback() && !self.has_calls_in_flight() && !self.kept().run_here()
    }

    /// Whether a worker is there that serves, or on which calls may be under way yet.
    pub(crate) fn has_worker(&self, generation: u64) -> bool {
        let service = &self.shared.service;
        service.serving().is_some_and(|worker| worker.generation() == generation)
            || service.leaving().contains(&generation)
    }

    /// This session, for calls that end by then.
    pub(crate) fn until(&self, deadline: u64) -> Session {
        self.within(left_until(deadline))
    }
}

impl Context {
    /// That another thread is at making an object anew.
    pub(crate) fn being_made_anew(&self, type_name: &str) -> Error {
        let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
        let message = format!("another thread is making the `{type_name}` anew, and has not ended");
        self.not_executed(ErrorKind::Unavailable, cause, message)
    }
}
