//! Objects: handles that become pointers before the call, and pointers that become handles behind it.
//!
//! A handle the caller never hears of is an object nobody can release. So objects become handles when everything
//! else of the reply is there, and are released, or taken back, when one of them finds no place.

use hotcell_model::Interface;
use hotcell_model::interface::{Function, Ownership, Param, ResultRole, Role};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::memory::there;
use crate::shim::structs;
use crate::shim::types::{declare, literal};

/// Refuses handle types that name what the interface does not have.
pub(crate) fn check(interface: &Interface) -> Result<(), Error> {
    for (name, handle) in &interface.handles {
        if let Some(release) = &handle.release {
            release_call(interface, name, release, name, "object")?;
        }
        if let Some(parent) = &handle.parent
            && !interface.handles.contains_key(parent)
        {
            let what = format!("its parent is `{parent}`, which is no handle type");
            return Err(Error::Inconsistent { function: name.clone(), what });
        }
    }
    Ok(())
}

/// The object of a handle that goes in.
pub(crate) fn argument(
    scope: &Scope<'_>,
    param: &Param,
    handle: &str,
    nullable: bool,
    body: &mut Body,
) -> Result<(), Error> {
    let (ty, name) = (scope.spelled(&param.ty, param)?, &param.name);
    let number = number(scope.interface, scope.function, handle)?;
    let (about, nullable) = (literal(name), u8::from(nullable));
    let object = format!("hotcell_object(hc_ctx, hc_in.arg_{name}, {number}, {about}, {nullable}, &hc_bad)");
    body.line(format!("{} = {object};", declare(ty, &format!("arg_{name}"))));
    body.leave_when("hc_bad");
    Ok(())
}

/// Takes what the call consumes. All of it is known to be there, so that nothing is taken in vain but one handle
/// passed twice.
pub(crate) fn take(scope: Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let mut before: Vec<(String, &str)> = Vec::new();
    for param in &scope.function.params {
        let (handle, value) = match &param.role.value {
            Role::Handle { handle, consumed: true, .. } => (handle, format!("hc_in.arg_{}", param.name)),
            Role::Resident { record, consumed: true, .. } => (record, format!("handle_{}", param.name)),
            _ => continue,
        };
        for (other, _) in before.iter().filter(|(_, other)| other == handle) {
            let twice = format!("{value} != 0 && {value} == {other}");
            body.refuse_when(&twice, "STALE_HANDLE", &param.name);
        }
        before.push((value, handle));
    }
    let consumed = scope.function.params.iter().filter(|param| {
        matches!(
            param.role.value,
            Role::Handle { consumed: true, .. } | Role::Resident { consumed: true, .. }
        )
    });
    for ((value, handle), param) in before.iter().zip(consumed) {
        let number = number(scope.interface, scope.function, handle)?;
        let about = literal(&param.name);
        let taken = format!("hc_ctx->take(hc_ctx, {value}, {number}, {about})");
        body.leave_when(&format!("{value} != 0 && {taken} == NULL"));
    }
    Ok(())
}

/// What was borrowed from these objects is gone, however the call ended.
pub(crate) fn invalidate(function: &Function, body: &mut Body) {
    for param in &function.params {
        if let Role::Handle { invalidates: true, consumed: false, .. } = &param.role.value {
            let handle = format!("hc_in.arg_{}", param.name);
            body.when(&format!("{handle} != 0"), |body| {
                body.line(format!("hc_ctx->invalidate(hc_ctx, {handle});"));
            });
        }
    }
}

/// An object that becomes a handle behind the call.
pub(crate) struct Made {
    /// The C variable with its pointer.
    pub(crate) object: String,
    /// Where the handle is written: 0 before.
    pub(crate) handle: String,
    /// What an error calls it.
    pub(crate) about: String,
    pub(crate) number: u16,
    /// The parent's handle, or 0.
    pub(crate) parent: String,
    /// The condition under which it is given.
    pub(crate) given: String,
    /// The condition under which there is one.
    pub(crate) there: String,
    /// The statements that release it; none when the library owns it.
    pub(crate) release: Vec<String>,
    /// What else has to learn of the handle.
    pub(crate) noted: Option<String>,
}

/// What comes out of a function as a handle: objects of the caller, then those the library lends, which need not be
/// taken back.
pub(crate) fn made(scope: &Scope<'_>) -> Result<Vec<Made>, Error> {
    let mut made = structs::made(scope)?;
    let on_success = if scope.function.error.is_some() { "!hc_failed && " } else { "" };
    for param in &scope.function.params {
        if let Role::HandleOut { handle, ownership, parent, valid_on_error, .. } = &param.role.value {
            let object = format!("val_{}", param.name);
            let there = format!("{object} != NULL");
            made.push(Made {
                given: if *valid_on_error { there.clone() } else { format!("{on_success}{there}") },
                there,
                release: release(scope, ownership, handle, &object)?,
                object,
                handle: format!("hc_out.arg_{}", param.name),
                about: param.name.clone(),
                number: number(scope.interface, scope.function, handle)?,
                parent: parent_handle(scope, *parent)?,
                noted: None,
            });
        }
    }
    if let ResultRole::Handle { handle, ownership, parent, .. } = &scope.function.result.value {
        made.push(Made {
            given: format!("{on_success}hc_result != NULL"),
            there: there(scope.function).into(),
            release: release(scope, ownership, handle, "hc_result")?,
            object: "hc_result".into(),
            handle: "hc_out.returned".into(),
            about: "result".into(),
            number: number(scope.interface, scope.function, handle)?,
            parent: parent_handle(scope, *parent)?,
            noted: None,
        });
    }
    made.sort_by_key(|object| object.release.is_empty());
    Ok(made)
}

/// Makes handles: the last thing that can fail.
pub(crate) fn put(made: &[Made], body: &mut Body) {
    for Made { object, handle, number, parent, given, release, noted, .. } in made {
        let verb = if release.is_empty() { "lend" } else { "own" };
        body.when(given, |body| {
            body.line(format!("{handle} = hc_ctx->{verb}(hc_ctx, {number}, (void *){object}, {parent});"));
            body.leave_when(&format!("{handle} == 0"));
            noted.iter().for_each(|line| body.line(line));
        });
    }
}

/// Releases owned objects that did not become handles. Where there are several, those that did are taken back
/// when the reply was refused after all: `hc_given` says that it was not.
pub(crate) fn releases(made: &[Made], exit: &mut Body) {
    for object in made.iter().filter(|object| !object.release.is_empty()) {
        let Made { handle, number, about, there, .. } = object;
        if made.len() > 1 {
            exit.when(&format!("!hc_given && {there} && {handle} != 0"), |exit| {
                exit.line(format!("hc_ctx->take(hc_ctx, {handle}, {number}, {});", literal(about)));
                exit.line(format!("{handle} = 0;"));
            });
        }
        exit.when(&format!("{there} && {handle} == 0"), |exit| {
            object.release.iter().for_each(|line| exit.line(line));
        });
    }
}

/// The number of a handle type.
pub(crate) fn number(interface: &Interface, function: &Function, handle: &str) -> Result<u16, Error> {
    interface.handle_number(handle).ok_or_else(|| Error::Inconsistent {
        function: function.name.clone(),
        what: format!("it speaks of handles of `{handle}`, which the interface does not have"),
    })
}

fn release(
    scope: &Scope<'_>,
    ownership: &Ownership,
    handle: &str,
    object: &str,
) -> Result<Vec<String>, Error> {
    match ownership {
        Ownership::Owned { release } => {
            Ok(vec![release_call(scope.interface, &scope.function.name, release, handle, object)?])
        }
        Ownership::Library => Ok(Vec::new()),
    }
}

/// The call that releases an object: of a function that consumes it and needs nothing else of the caller. `about`
/// is the function or type that asks for it.
pub(crate) fn release_call(
    interface: &Interface,
    about: &str,
    release: &str,
    handle: &str,
    object: &str,
) -> Result<String, Error> {
    let inconsistent = |what| Error::Inconsistent { function: about.into(), what };
    let (_, releasing) = interface.function(release).ok_or_else(|| {
        inconsistent(format!("`{release}`, which releases objects of `{handle}`, is not bound"))
    })?;
    let mut consumed = 0;
    let mut args = Vec::new();
    for param in &releasing.params {
        args.push(match &param.role.value {
            Role::Handle { handle: of, consumed: true, .. } | Role::Resident { record: of, consumed: true, .. }
                if of == handle =>
            {
                consumed += 1;
                format!("(void *){object}")
            }
            Role::Fixed { c } => c.clone(),
            _ => {
                let what = format!(
                    "`{release}` cannot release objects of `{handle}`: it takes `{}`, which only a caller can say",
                    param.name
                );
                return Err(inconsistent(what));
            }
        });
    }
    if consumed != 1 {
        let what = format!("`{release}` cannot release objects of `{handle}`: it does not consume one");
        return Err(inconsistent(what));
    }
    Ok(format!("({release})({});", args.join(", ")))
}

fn parent_handle(scope: &Scope<'_>, parent: Option<usize>) -> Result<String, Error> {
    let Some(index) = parent else { return Ok("0".into()) };
    let param = scope.function.params.get(index);
    match param.map(|param| (&param.role.value, &param.name)) {
        Some((Role::Handle { consumed: false, .. }, name)) => Ok(format!("hc_in.arg_{name}")),
        Some((Role::Resident { consumed: false, .. }, name)) => Ok(format!("handle_{name}")),
        _ => Err(Error::Inconsistent {
            function: scope.function.name.clone(),
            what: format!(
                "parameter {index} is the parent of a handle, and no handle that outlives the call"
            ),
        }),
    }
}
