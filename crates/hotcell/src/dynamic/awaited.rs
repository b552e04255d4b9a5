//! Calls by name that are awaited.

use std::panic::Location;

use hotcell_model::interface::{Function, Interface};
use hotcell_shm::lock::Mutex;

use super::callbacks::Passed;
use super::{Outcome, Value, arguments, objects, results};
use crate::error::Result;
use crate::rt::{self, Invocation};
use crate::session::Session;

/// As [`super::Callback`], for a call that may go from thread to thread.
pub type TaskCallback<'a> =
    dyn FnMut(&str, &[(String, Value)]) -> std::result::Result<Value, String> + Send + 'a;

/// As [`super::call`], awaited in a runtime of tokio.
pub async fn call_awaited(
    session: &Session,
    interface: &Interface,
    function: (u16, &Function),
    args: &[Value],
    call_site: &'static Location<'static>,
) -> Result<Outcome> {
    let tried = call_once(session, interface, function, args, call_site).await;
    let again = |session| async move { call_once(&session, interface, function, args, call_site).await };
    session.retried_awaited(function.0, tried, call_site, again).await
}

async fn call_once(
    session: &Session,
    interface: &Interface,
    function: (u16, &Function),
    args: &[Value],
    call_site: &'static Location<'static>,
) -> Result<Outcome> {
    let none = &mut |name: &str, _: &[(String, Value)]| {
        Err(format!("`{name}` is to be a callback, and none was given with the call"))
    };
    call_with_awaited(session, interface, function, args, none, call_site).await
}

/// As [`super::call_with`], awaited in a runtime of tokio.
pub async fn call_with_awaited(
    session: &Session,
    interface: &Interface,
    function: (u16, &Function),
    args: &[Value],
    callback: &mut TaskCallback<'_>,
    call_site: &'static Location<'static>,
) -> Result<Outcome> {
    // One runs at a time.
    let callback = Mutex::new(callback);
    let run = |passed: Passed| {
        let callback = &callback;
        move |invocation: &mut Invocation<'_>| passed.run(invocation, &mut **callback.lock())
    };
    let (mut list, passed): (Vec<_>, _);
    let mut runs: Vec<&mut rt::TaskCallback<'_>>;
    let sent = {
        let mut call = session
            .call_awaited_of(function.0, &objects::among(session, function.1, args), call_site)
            .await?;
        passed = arguments::put(&mut call, interface, function.1, args)?;
        list = passed.callbacks.iter().cloned().map(run).collect();
        runs = list.iter_mut().map(|run| run as _).collect();
        call.settle_with_awaited(&mut runs)
    };
    let reply = sent.await?;
    results::take(reply, interface, function.1, &passed)
}
