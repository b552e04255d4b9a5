//! Callbacks: a C function of the shim's own for each, that asks the runtime to run the application's.
//!
//! A record holds the numbers the host passed. Where callbacks live as long as their call it is on the entry's stack,
//! and the library gets a value that no other call has: handing that back shows that it speaks of the call in
//! progress. Where the library keeps them the record is on the heap for the worker's life, and the library gets it.

use hotcell_model::Interface;
use hotcell_model::interface::{
    Callback, CallbackRole, CallbackScope, CallbackThreads, Function, Param, Role,
};
use hotcell_model::layout::Block;
use hotcell_model::types::Type;

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::types::{declare, literal};

mod back;

fn callbacks(function: &Function) -> impl Iterator<Item = (&Param, &Callback, bool)> {
    function.params.iter().filter_map(|param| match &param.role.value {
        Role::Callback { callback, nullable } => Some((param, &**callback, *nullable)),
        _ => None,
    })
}

fn is_kept(callback: &Callback) -> bool {
    callback.scope != CallbackScope::Call
}

/// The callbacks of a function that are kept, or that are not.
fn of(function: &Function, kept: bool) -> impl Iterator<Item = (&Param, &Callback)> {
    let all = callbacks(function).map(|(param, callback, _)| (param, callback));
    all.filter(move |(_, callback)| is_kept(callback) == kept)
}

/// Whether the library may call the application at all.
pub(crate) fn any(interface: &Interface) -> bool {
    interface.functions.iter().any(|function| callbacks(function).next().is_some())
}

/// Whether it may do so while this function runs: when one is passed, and always when it keeps some.
fn may_come(scope: &Scope<'_>) -> bool {
    let kept = |function: &Function| of(function, true).next().is_some();
    callbacks(scope.function).next().is_some() || scope.interface.functions.iter().any(kept)
}

/// What the names of a callback in C end with: numbers, for two names put together may be those of another two.
fn number(scope: &Scope<'_>, param: &Param) -> String {
    let functions = scope.interface.functions.iter();
    let function = functions.take_while(|function| function.name != scope.function.name).count();
    let position = scope.function.params.iter().take_while(|other| other.name != param.name).count();
    format!("{function}_{position}")
}

/// The names of the blocks of callbacks' arguments.
pub(crate) fn blocks<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = (String, &'a Callback)> {
    callbacks(scope.function)
        .map(|(param, callback, _)| (format!("hotcell_back_args_{}", number(scope, param)), callback))
}

/// The records and the functions that stand before an entry.
pub(crate) fn definitions(scope: &Scope<'_>) -> Result<Vec<String>, Error> {
    let name = &scope.function.name;
    let mut lines = Vec::new();
    if callbacks(scope.function).next().is_some() {
        lines.push(format!("static const char hotcell_mark_{name}[] = {};", literal(name)));
    }
    let numbers = |kept| -> Vec<String> {
        let numbers = of(scope.function, kept);
        numbers.map(|(param, _)| format!("    uint64_t number_{};", param.name)).collect()
    };
    if of(scope.function, false).next().is_some() {
        lines.push(format!("struct hotcell_calling_{name} {{"));
        lines.push("    struct hotcell_calling head;".into());
        lines.extend(numbers(false));
        lines.push("};".into());
    }
    if of(scope.function, true).next().is_some() {
        lines.push(format!("struct hotcell_keeping_{name} {{"));
        lines.push("    struct hotcell_keeping head;".into());
        lines.extend(numbers(true));
        lines.push("};".into());
    }
    for (param, callback, _) in callbacks(scope.function) {
        check(scope, param, callback)?;
        lines.push(String::new());
        lines.extend(back::definition(scope, param, callback)?);
    }
    Ok(lines)
}

/// The record of a call.
pub(crate) fn record(function: &Function, body: &mut Body) {
    let numbers: Vec<String> =
        of(function, false).map(|(param, _)| format!("hc_in.arg_{}", param.name)).collect();
    if !numbers.is_empty() {
        let (name, numbers) = (&function.name, numbers.join(", "));
        let head = format!("{{hotcell_mark_{name}, hotcell_unique()}}");
        body.line(format!("struct hotcell_calling_{name} hc_calling = {{{head}, {numbers}}};"));
    }
}

/// What the library gets for a callback: 0 stands for NULL.
pub(crate) fn argument(
    scope: &Scope<'_>,
    param: &Param,
    nullable: bool,
    body: &mut Body,
) -> Result<(), Error> {
    let (ty, name) = (scope.spelled(&param.ty, param)?, &param.name);
    let back = format!("hotcell_back_{}", number(scope, param));
    let none = format!("hc_in.arg_{name} == 0");
    let value = if nullable {
        format!("{none} ? NULL : {back}")
    } else {
        body.refuse_when(&none, "NULL_ARGUMENT", name);
        back
    };
    body.line(format!("{} = {value};", declare(ty, &format!("arg_{name}"))));
    Ok(())
}

/// The user data, which must be that of its callback. That of callbacks that are kept is there later.
pub(crate) fn user_data(scope: &Scope<'_>, param: &Param, at: usize, body: &mut Body) -> Result<(), Error> {
    let position = scope.function.params.iter().position(|other| other.name == param.name);
    let callback = match scope.function.params.get(at).map(|callback| &callback.role.value) {
        Some(Role::Callback { callback, .. }) if callback.user_data == position => callback,
        _ => return Err(inconsistent(scope, format!("`{}` is user data of something else", param.name))),
    };
    if param.ty.pointee().is_none() {
        return Err(scope.refused("user data that is no pointer", param));
    }
    let differs = |other: &Callback| other.user_data == position && is_kept(other) != is_kept(callback);
    if callbacks(scope.function).any(|(_, other, _)| differs(other)) {
        return Err(scope.refused("user data of callbacks that live for different times", param));
    }
    let ty = scope.spelled(&param.ty, param)?;
    let value = if is_kept(callback) { "NULL" } else { "hc_calling.head.user" };
    body.line(format!("{} = {value};", declare(ty, &format!("arg_{}", param.name))));
    Ok(())
}

/// Makes the record of callbacks that the library keeps. Nobody knows when it hands back its user data for the last
/// time, so the record is never freed.
pub(crate) fn keep(function: &Function, body: &mut Body) {
    let name = &function.name;
    let kept: Vec<_> = of(function, true).collect();
    let Some((first, _)) = kept.first() else { return };
    let passed = |of: &dyn Fn(&Callback) -> bool| {
        let passed = kept.iter().filter(|(_, callback)| of(callback));
        passed.map(|(param, _)| format!("hc_in.arg_{} != 0", param.name)).collect::<Vec<_>>().join(" || ")
    };
    body.when(&passed(&|_| true), |body| {
        body.line(format!("struct hotcell_keeping_{name} *hc_keeping = malloc(sizeof *hc_keeping);"));
        body.refuse_when("hc_keeping == NULL", "NO_MEMORY", &first.name);
        body.line(format!("hotcell_keep(&hc_keeping->head, hotcell_mark_{name});"));
        if kept.iter().any(|(_, callback)| callback.threads == CallbackThreads::Any) {
            body.line("hotcell_hear_threads(hc_ctx);");
        }
        for (param, _) in &kept {
            body.line(format!("hc_keeping->number_{0} = hc_in.arg_{0};", param.name));
        }
        for (position, param) in function.params.iter().enumerate() {
            let theirs = |callback: &Callback| callback.user_data == Some(position);
            let passed = passed(&theirs);
            if !passed.is_empty() {
                body.line(format!("arg_{} = {passed} ? (void *)hc_keeping : NULL;", param.name));
            }
        }
    });
}

/// What stands right before the call. A function that calls nothing back begins a call, too: what was passed to the call
/// around it is not of this one.
pub(crate) fn enter(scope: &Scope<'_>, body: &mut Body) {
    if !any(scope.interface) {
        return;
    }
    let record = if of(scope.function, false).next().is_some() { "&hc_calling.head" } else { "NULL" };
    let enter = format!("hotcell_enter(hc_ctx, {record});");
    let stays = scope.function.jumps(&scope.interface.handles).is_empty();
    body.line(match scope.function.noreturn && stays {
        true => format!("(void){enter}"),
        false => format!("struct hotcell_progress hc_before = {enter}"),
    });
}

/// What stands right behind the call, which is over for callbacks then.
pub(crate) fn leave(scope: &Scope<'_>, body: &mut Body) {
    if any(scope.interface) {
        body.line("hotcell_progress = hc_before;");
    }
}

/// Ends the entry when a callback found no place for its arguments: the reply is a refusal since then.
pub(crate) fn refused(scope: &Scope<'_>, body: &mut Body) {
    if may_come(scope) {
        body.leave_when("hc_rp->state == HOTCELL_REPLY_STATE_REFUSED");
    }
}

fn inconsistent(scope: &Scope<'_>, what: String) -> Error {
    Error::Inconsistent { function: scope.function.name.clone(), what }
}

/// Refuses a callback that contradicts itself or that no record reaches.
fn check(scope: &Scope<'_>, param: &Param, callback: &Callback) -> Result<(), Error> {
    let name = &param.name;
    if let CallbackScope::Handle { param: until } = callback.scope {
        let until = scope.function.params.get(until).map(|until| &until.role.value);
        let outlives = matches!(
            until,
            Some(Role::Handle { consumed: false, .. } | Role::Resident { consumed: false, .. })
        );
        if !outlives {
            return Err(inconsistent(scope, format!("`{name}` is kept by no object that outlives the call")));
        }
    }
    if callback.threads == CallbackThreads::Any {
        let objects =
            |role: &CallbackRole| matches!(role, CallbackRole::Handle { .. } | CallbackRole::Handles { .. });
        if callback.params.iter().any(|param| objects(&param.role)) {
            return Err(scope.refused("a callback from any thread that gets objects", param));
        }
        if callback.params.iter().any(|param| matches!(param.role, CallbackRole::Room { .. })) {
            return Err(scope.refused("a callback from any thread that fills memory", param));
        }
        if !is_kept(callback) {
            let what = format!("`{name}` comes from any thread, and ends with the call");
            return Err(inconsistent(scope, what));
        }
    }
    if callback.user_data.is_none() && is_kept(callback) {
        return Err(scope.refused("a callback that is kept without user data", param));
    }
    let holder = callback.user_data.and_then(|user_data| scope.function.params.get(user_data));
    if callback.user_data.is_some()
        && !holder.is_some_and(|holder| matches!(holder.role.value, Role::UserData { .. }))
    {
        return Err(inconsistent(scope, format!("the user data of `{name}` is no user data")));
    }
    let block = Block::of_callback(&callback.params, &scope.interface.target);
    if block.map_err(|what| inconsistent(scope, format!("`{name}`: {what}")))? != callback.args {
        let what = format!("the argument block of `{name}` is not the one its roles demand");
        return Err(inconsistent(scope, what));
    }
    let users = callback.params.iter().filter(|param| param.role == CallbackRole::UserData);
    let ways = usize::from(callback.user_data.is_some());
    if users.count() + usize::from(callback.user_data_from.is_some()) != ways {
        return Err(inconsistent(scope, format!("`{name}` has not one way to its user data")));
    }
    if callback.on_failure.is_none() && callback.result.kind != Type::Void {
        return Err(inconsistent(scope, format!("`{name}` does not say what it returns when it failed")));
    }
    Ok(())
}
