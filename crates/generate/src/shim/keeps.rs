//! What the library keeps: the worker copies data and texts, and ties the copies to what ends them; objects do not go
//! meanwhile.
//!
//! The copy of a call that leaves before it is tied goes with the call.

use hotcell_model::interface::{Function, Keeps, Param, Role, Until};

use crate::Error;
use crate::shim::arguments::arg;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::types::literal;

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
    for (keeps, param) in copies(scope)? {
        let Some(keeper) = keeper_before(scope, keeps.until) else { continue };
        let copy = arg(param);
        body.when(&format!("{copy} != NULL"), |body| {
            body.line(format!("hc_ctx->keep_until(hc_ctx, (void *){copy}, {keeper});"));
        });
    }
    Ok(())
}

/// Refuses objects that cannot be kept, as long as they can be refused.
pub(crate) fn may_keep(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    for (keeps, param) in objects(scope)? {
        let (kept, about) = (handle_of(param), literal(&param.name));
        let keeper = keeper_before(scope, keeps.until).unwrap_or_else(|| "0".into());
        body.leave_when(&format!("{kept} != 0 && !hc_ctx->may_keep(hc_ctx, {kept}, {keeper}, {about})"));
    }
    Ok(())
}

/// Has objects kept by what was there already: whatever became of the call. When it did not fail, those of calls before it
/// may go whose place they take.
pub(crate) fn keep_objects(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let fallible = scope.function.error.is_some();
    for (keeps, param) in objects(scope)? {
        let Some(keeper) = keeper_before(scope, keeps.until) else { continue };
        let (kept, slot) = (handle_of(param), slot(scope, keeps));
        if keeps.replaced {
            let let_go = format!("hc_ctx->let_go(hc_ctx, {keeper}, {slot});");
            match fallible {
                true => body.when("!hc_failed", |body| body.line(let_go)),
                false => body.line(let_go),
            }
        }
        keep_object(&kept, &keeper, &slot, body);
    }
    Ok(())
}

/// Ties copies to the objects that the call has made, and has objects kept by them.
pub(crate) fn tie_to_made(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    for (keeps, param) in copies(scope)? {
        let Some(keeper) = keeper_after(scope, keeps.until) else { continue };
        let copy = arg(param);
        body.when(&format!("{copy} != NULL && {keeper} != 0"), |body| {
            body.line(format!("hc_ctx->keep_until(hc_ctx, (void *){copy}, {keeper});"));
        });
    }
    for (keeps, param) in objects(scope)? {
        let Some(keeper) = keeper_after(scope, keeps.until) else { continue };
        let kept = handle_of(param);
        body.when(&format!("{keeper} != 0"), |body| keep_object(&kept, &keeper, "0", body));
    }
    Ok(())
}

fn keep_object(kept: &str, keeper: &str, slot: &str, body: &mut Body) {
    body.when(&format!("{kept} != 0"), |body| {
        body.line(format!("hc_ctx->keep_object(hc_ctx, {kept}, {keeper}, {slot});"));
    });
}

/// What is kept, with its parameter: the data, of which there are copies.
fn copies<'a>(scope: &Scope<'a>) -> Result<Vec<(&'a Keeps, &'a Param)>, Error> {
    of(scope, false)
}

/// The objects.
fn objects<'a>(scope: &Scope<'a>) -> Result<Vec<(&'a Keeps, &'a Param)>, Error> {
    of(scope, true)
}

fn of<'a>(scope: &Scope<'a>, objects: bool) -> Result<Vec<(&'a Keeps, &'a Param)>, Error> {
    let function = scope.function;
    let kept = function.keeps.iter().filter(|keeps| function.keeps_object(keeps) == objects);
    let param = |keeps: &'a Keeps| {
        let param = function.params.get(keeps.param);
        Ok((keeps, param.ok_or_else(|| scope.unsupported("something is kept that is no parameter"))?))
    };
    kept.map(param).collect()
}

/// The handle of an object that goes in.
fn handle_of(param: &Param) -> String {
    match param.role.value {
        Role::Resident { .. } => format!("handle_{}", param.name),
        _ => format!("hc_in.{}", arg(param)),
    }
}

/// The C expression of the handle of what keeps, where that is there before the call.
fn keeper_before(scope: &Scope<'_>, until: Until) -> Option<String> {
    match until {
        Until::Worker => Some("0".into()),
        Until::Param { param } => {
            let param = scope.function.params.get(param)?;
            let before =
                matches!(param.role.value, Role::Handle { .. } | Role::Resident { starts: None, .. });
            before.then(|| handle_of(param))
        }
        Until::Result => None,
    }
}

/// The same of what is made by the call.
fn keeper_after(scope: &Scope<'_>, until: Until) -> Option<String> {
    match until {
        Until::Worker => None,
        Until::Param { param } => {
            let param = scope.function.params.get(param)?;
            match param.role.value {
                Role::HandleOut { .. } => Some(format!("hc_out.{}", arg(param))),
                Role::Resident { starts: Some(_), .. } => Some(handle_of(param)),
                _ => None,
            }
        }
        Until::Result => Some("hc_out.returned".into()),
    }
}

/// Where the object keeps what this parameter gives it: 0 beside others.
fn slot(scope: &Scope<'_>, keeps: &Keeps) -> String {
    if !keeps.replaced {
        return "0".into();
    }
    let index = scope.interface.function(&scope.function.name).map_or(0, |(index, _)| u32::from(index));
    format!("0x{:x}u", (index + 1) << 8 | u32::try_from(keeps.param).unwrap_or(0xff))
}
