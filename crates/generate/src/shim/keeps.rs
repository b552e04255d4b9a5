//! Data and texts that the library keeps: the worker copies them, and ties the copies to what ends them.
//!
//! The copy of a call that leaves before it is tied goes with the call.

use hotcell_model::interface::{Function, Keeps, Role, Until};

use crate::Error;
use crate::shim::arguments::arg;
use crate::shim::body::Body;
use crate::shim::expr::Scope;

/// Whether the library keeps what a parameter points to.
pub(crate) fn is_kept(function: &Function, index: usize) -> bool {
    function.keeps.iter().any(|keeps| keeps.param == index)
}

/// The C expression of a copy.
pub(crate) fn copy(read: &str, bytes: &str, about: &str) -> String {
    format!("hotcell_keep_in(hc_ctx, {read}, {bytes}, {about}, &hc_bad)")
}

/// Ties copies to what is there already: whatever became of the call, the library may have them.
pub(crate) fn tie(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    tie_where(scope, body, |until| match until {
        Until::Worker => Some("0".into()),
        Until::Param { param } => {
            let param = scope.function.params.get(param)?;
            matches!(param.role.value, Role::Handle { .. }).then(|| format!("hc_in.{}", arg(param)))
        }
        Until::Result => None,
    })
}

/// Ties copies to the objects that the call has made.
pub(crate) fn tie_to_made(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    tie_where(scope, body, |until| match until {
        Until::Worker => None,
        Until::Param { param } => {
            let param = scope.function.params.get(param)?;
            matches!(param.role.value, Role::HandleOut { .. }).then(|| format!("hc_out.{}", arg(param)))
        }
        Until::Result => Some("hc_out.returned".into()),
    })
}

fn tie_where(
    scope: &Scope<'_>,
    body: &mut Body,
    handle: impl Fn(Until) -> Option<String>,
) -> Result<(), Error> {
    for Keeps { param, until } in &scope.function.keeps {
        let Some(handle) = handle(*until) else { continue };
        let copy = scope.function.params.get(*param).map(arg);
        let copy = copy.ok_or_else(|| scope.unsupported("a copy of nothing"))?;
        let made = if handle.starts_with("hc_out") { format!(" && {handle} != 0") } else { String::new() };
        body.when(&format!("{copy} != NULL{made}"), |body| {
            body.line(format!("hc_ctx->keep_until(hc_ctx, (void *){copy}, {handle});"));
        });
    }
    Ok(())
}
