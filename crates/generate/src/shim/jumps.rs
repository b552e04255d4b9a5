//! Errors that jump: the library leaves a call by `longjmp`, to a `jmp_buf` that an object of the call has.
//!
//! The call is made by a function of its own. Nothing but its parameters is looked at behind a jump, and these do not
//! change; what the entry holds lies in a frame that is not jumped over, and is settled as after any failed call.

use hotcell_model::Interface;
use hotcell_model::interface::{Function, Role};
use hotcell_model::types::Type;

use crate::Error;
use crate::shim::expr::Scope;
use crate::shim::types::{declare, spell};

/// The objects that go in whose errors jump: positions, each with what gives the `jmp_buf`.
pub(crate) fn of<'a>(interface: &'a Interface, function: &'a Function) -> Vec<(usize, &'a str)> {
    function.jumps(&interface.handles)
}

/// The function that makes the call, and comes back when it is left by a jump.
pub(crate) fn definition(scope: &Scope<'_>) -> Result<Vec<String>, Error> {
    let function = scope.function;
    let jumps = of(scope.interface, function);
    if jumps.is_empty() {
        return Ok(Vec::new());
    }
    let mut params = Vec::new();
    for (at, param) in function.params.iter().enumerate() {
        params.push(declare(scope.spelled(&param.ty, param)?, &format!("hc_{at}")));
    }
    let args: Vec<String> = (0..params.len()).map(|at| format!("hc_{at}")).collect();
    let result = spell(&function.result_type)
        .ok_or_else(|| scope.unsupported("a result without a name for its type"))?;
    let head = format!("hotcell_leave_{}({})", function.name, params.join(", "));
    let call = format!("({})({})", function.name, args.join(", "));
    let void = function.result_type.kind == Type::Void;
    let mut lines = vec![format!("static __attribute__((noinline)) {}", declare(result, &head)), "{".into()];
    if !void {
        // As a call that did nothing: it is not looked at.
        lines.push(format!("    static {};", declare(result, "hc_none")));
    }
    let mut restore = Vec::new();
    for (index, jump) in &jumps {
        let buffer = format!("&{jump}(hc_{index})");
        // A call that is nested in this one sets it, too. What the call takes over is not there behind it.
        if !matches!(function.params[*index].role.value, Role::Handle { consumed: true, .. }) {
            lines.push(format!("    jmp_buf hc_before_{index};"));
            lines.push(format!("    if (hc_{index} != NULL) {{"));
            lines.push(format!("        __builtin_memcpy(&hc_before_{index}, {buffer}, sizeof(jmp_buf));"));
            lines.push("    }".into());
            restore.push(format!("    if (hc_{index} != NULL) {{"));
            restore.push(format!("        __builtin_memcpy({buffer}, &hc_before_{index}, sizeof(jmp_buf));"));
            restore.push("    }".into());
        }
    }
    for (index, jump) in &jumps {
        lines.push(format!("    if (hc_{index} != NULL && setjmp({jump}(hc_{index})) != 0) {{"));
        lines.push("        hotcell_jumped = 1;".into());
        lines.extend(restore.iter().map(|line| format!("    {line}")));
        lines.push(if void { "        return;" } else { "        return hc_none;" }.into());
        lines.push("    }".into());
    }
    match void {
        true => lines.push(format!("    {call};")),
        false => lines.push(format!("    {} = {call};", declare(result, "hc_result"))),
    }
    lines.push("    hotcell_jumped = 0;".into());
    lines.extend(restore);
    if !void {
        lines.push("    return hc_result;".into());
    }
    lines.push("}".into());
    Ok(lines)
}
