//! Calls that can be stopped while they are under way: what stops one, and where its entry notes what that needs.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{CANCEL_OBJECTS, Cancel, Param, Role};

use hotcell_protocol::wire;

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::types::declare;

const _: () = assert!(CANCEL_OBJECTS == wire::CANCEL_OBJECTS);

/// The objects that it is passed, each once.
fn objects<'a>(scope: &Scope<'a>, cancel: &Cancel) -> Result<Vec<&'a Param>, Error> {
    let mut found: Vec<&Param> = Vec::new();
    let mut wrong = None;
    cancel.call.walk(&mut |part| {
        let Expr::Param { index } = part else { return };
        match scope.function.params.get(*index) {
            Some(param) if matches!(param.role.value, Role::Handle { consumed: false, .. }) => {
                if found.iter().all(|known| known.name != param.name) {
                    found.push(param);
                }
            }
            Some(param) => wrong = Some(scope.refused("what stops the call over what is no object", param)),
            None => wrong = Some(scope.unsupported(format!("parameter {index}, which does not exist,"))),
        }
    });
    match wrong {
        Some(error) => Err(error),
        None if found.len() > CANCEL_OBJECTS => {
            Err(scope.unsupported("what stops the call over so many objects"))
        }
        None => Ok(found),
    }
}

/// The function that the runtime calls to stop a call, on another thread.
pub(crate) fn definition(scope: &Scope<'_>) -> Result<Vec<String>, Error> {
    let Some(cancel) = &scope.function.cancel else { return Ok(Vec::new()) };
    let mut body = Body::leaving_by(&["return;"]);
    for (index, param) in objects(scope, cancel)?.into_iter().enumerate() {
        let (ty, name) = (scope.spelled(&param.ty, param)?, format!("arg_{}", param.name));
        body.line(format!("{} = ({ty})hc_objects[{index}];", declare(ty, &name)));
        if matches!(param.role.value, Role::Handle { nullable: true, .. }) {
            body.leave_when(&format!("{name} == NULL"));
        }
    }
    let call = scope.native(&cancel.call)?;
    let mut lines = vec![
        format!("static void hotcell_stop_{}(void *const *hc_objects)", scope.function.name),
        "{".to_owned(),
    ];
    if call.contains("hc_bad") {
        lines.push("    int hc_bad = 0;".to_owned());
    }
    body.line(format!("(void){call};"));
    if !body.mentions("hc_objects") {
        lines.push("    (void)hc_objects;".to_owned());
    }
    lines.extend(body.into_lines());
    lines.push("}".to_owned());
    Ok(lines)
}

/// The statements right before a call that can be stopped.
pub(crate) fn begin(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let function = scope.function;
    let Some(cancel) = &function.cancel else { return Ok(()) };
    body.line("hotcell_under_way *hc_way = &hotcell_ways[hc_rq->depth];");
    for (index, param) in objects(scope, cancel)?.into_iter().enumerate() {
        body.line(format!("hc_way->object[{index}] = (void *)(uintptr_t)arg_{};", param.name));
    }
    body.line(format!("hotcell_may_stop(hc_way, hotcell_stop_{}, hc_rq->call_id);", function.name));
    Ok(())
}

/// The statement right behind it: then it has ended, and so has what stops it.
pub(crate) fn end(scope: &Scope<'_>, body: &mut Body) {
    if scope.function.cancel.is_some() {
        body.line("hotcell_has_ended(hc_way, hc_rq->call_id);");
    }
}
