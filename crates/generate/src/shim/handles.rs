//! Objects: handles that become pointers before the call, and pointers that become handles behind it.
//!
//! A handle the caller never hears of is an object nobody can release. So objects become handles when everything
//! else of the reply is there, and are released, or taken back, when one of them finds no place.

use hotcell_model::Interface;
use hotcell_model::interface::{Function, Ownership, Param, ResultRole, Role};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::memory::{filled, there};
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

/// A handle among the arguments.
struct Passed<'a> {
    param: &'a Param,
    /// The handle type.
    of: &'a str,
    /// The C expression of the handle.
    value: String,
    consumed: bool,
    /// Consumed only when the call did not fail.
    on_success: bool,
}

fn passed(function: &Function) -> Vec<Passed<'_>> {
    let passed = function.params.iter().filter_map(|param| {
        let (of, place, consumed, on_success) = match &param.role.value {
            Role::Handle { handle, consumed, on_success, .. } => {
                (handle, "hc_in.arg", *consumed, *on_success)
            }
            Role::Resident { record, consumed, .. } => (record, "handle", *consumed, false),
            _ => return None,
        };
        let value = format!("{place}_{}", param.name);
        Some(Passed { param, of, value, consumed, on_success })
    });
    passed.collect()
}

/// What a call needs of an object that goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// That it is there.
    There,
    /// That nobody uses it meanwhile.
    Idle,
    /// That nobody uses what was lent from it.
    IdleBelow,
    /// That it can be taken.
    Owned,
}

impl Need {
    /// The function of the context that finds such an object.
    fn found_by(self) -> &'static str {
        match self {
            Need::There => "get",
            Need::Idle => "idle",
            Need::IdleBelow => "idle_below",
            Need::Owned => "owned",
        }
    }
}

/// The object of a handle that goes in.
pub(crate) fn argument(
    scope: &Scope<'_>,
    param: &Param,
    (handle, need, nullable): (&str, Need, bool),
    body: &mut Body,
) -> Result<(), Error> {
    let ty = scope.spelled(&param.ty, param)?;
    let value = format!("hc_in.arg_{}", param.name);
    let object = object(scope, param, (&value, handle), need, nullable)?;
    body.line(format!("{} = {object};", declare(ty, &format!("arg_{}", param.name))));
    body.leave_when("hc_bad");
    Ok(())
}

/// The C expression of the object of a handle.
pub(crate) fn object(
    scope: &Scope<'_>,
    param: &Param,
    (value, handle): (&str, &str),
    need: Need,
    nullable: bool,
) -> Result<String, Error> {
    let number = number(scope.interface, scope.function, handle)?;
    let about = literal(&param.name);
    let (find, nullable) = (need.found_by(), u8::from(nullable));
    Ok(format!("hotcell_object(hc_ctx, {value}, {number}, {about}, hc_ctx->{find}, {nullable}, &hc_bad)"))
}

/// The objects of an array of handles. A NULL follows the last one.
pub(crate) fn several(
    scope: &Scope<'_>,
    param: &Param,
    (handle, nullable): (&str, bool),
    body: &mut Body,
) -> Result<(), Error> {
    let number = number(scope.interface, scope.function, handle)?;
    let (ty, name, about) = (scope.spelled(&param.ty, param)?, &param.name, literal(&param.name));
    let nullable = u8::from(nullable);
    let objects =
        format!("hotcell_objects(hc_ctx, &hc_in.arg_{name}, {number}, {about}, {nullable}, &hc_bad)");
    body.line(format!("{} = ({ty}){objects};", declare(ty, &format!("arg_{name}"))));
    body.leave_when("hc_bad");
    Ok(())
}

/// Refuses what the call takes over among the objects of its arrays.
fn twice(function: &Function, passed: &[Passed<'_>], body: &mut Body) {
    for param in &function.params {
        let Role::Handles { handle, .. } = &param.role.value else { continue };
        let name = &param.name;
        for taken in passed.iter().filter(|passed| passed.consumed && passed.of == *handle) {
            let among = format!("hotcell_among(hc_ctx, &hc_in.arg_{name}, {})", taken.value);
            body.refuse_when(&among, "STALE_HANDLE", name);
        }
    }
}

/// Takes what the call consumes. All of it is known to be there and to be free to go, so that nothing is taken in vain.
pub(crate) fn take(scope: Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let passed = passed(scope.function);
    for (index, Passed { param, of, value, consumed, .. }) in passed.iter().enumerate() {
        for other in passed[..index].iter().filter(|other| other.of == *of && (*consumed || other.consumed)) {
            let twice = format!("{value} != 0 && {value} == {}", other.value);
            body.refuse_when(&twice, "STALE_HANDLE", &param.name);
        }
    }
    twice(scope.function, &passed, body);
    passed.iter().filter(|passed| passed.consumed && !passed.on_success).try_for_each(|passed| {
        body.leave_when(&taken(&scope, passed)?);
        Ok(())
    })
}

/// What the call did to the handles that went in: the library has taken objects over when it did not fail, and what
/// was borrowed from others is gone, however it ended.
pub(crate) fn settle(scope: Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let passed = passed(scope.function);
    let succeeded = if scope.function.error.is_some() { "!hc_failed && " } else { "" };
    for passed in passed.iter().filter(|passed| passed.consumed && passed.on_success) {
        body.leave_when(&format!("{succeeded}{}", taken(&scope, passed)?));
    }
    for Passed { param, value, .. } in &passed {
        if let Role::Handle { invalidates: true, consumed: false, .. } = &param.role.value {
            body.when(&format!("{value} != 0"), |body| {
                body.line(format!("hc_ctx->invalidate(hc_ctx, {value});"));
            });
        }
    }
    Ok(())
}

/// Takes a handle, if there is one; true when that was refused.
fn taken(scope: &Scope<'_>, Passed { param, of, value, .. }: &Passed<'_>) -> Result<String, Error> {
    let number = number(scope.interface, scope.function, of)?;
    let about = literal(&param.name);
    Ok(format!("{value} != 0 && hc_ctx->take(hc_ctx, {value}, {number}, {about}) == NULL"))
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
            let there = filled(scope.function, &object, *valid_on_error);
            made.push(Made {
                given: there.clone(),
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
            if verb == "own" && noted.is_none() {
                // Whether C added a reference is not known: what the other handle stands for stays.
                body.line(format!(
                    "if ({handle} == 0 && hc_rp->value == HOTCELL_REFUSAL_ALREADY_OWNED) {object} = NULL;"
                ));
            }
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
        Ownership::Library | Ownership::Unknown => Ok(Vec::new()),
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
