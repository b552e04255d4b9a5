//! Structures as parameters and results.
//!
//! A structure `x` is `val_x` on the entry's stack, `image_x` as it came in, `kept_x` what was placed for it. One
//! that stays is `arg_x` on the heap, and `new_x` too when this call made it.

use hotcell_model::Interface;
use hotcell_model::interface::{Direction, Ownership, Param, ResultRole, Role, Struct};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::handles::{self, Made, Need};
use crate::shim::images::{c_key, has_room, keeps};
use crate::shim::types::{declare, literal};

/// The structure a role speaks of; `resident` is whether it must be one that stays.
fn structure<'a>(scope: &Scope<'a>, key: &str, resident: bool) -> Result<&'a Struct, Error> {
    let inconsistent = |what| Error::Inconsistent { function: scope.function.name.clone(), what };
    let item = scope.interface.structs.get(key);
    let item = item.ok_or_else(|| {
        inconsistent(format!("it speaks of a structure `{key}`, which the interface does not have"))
    })?;
    if item.resident != resident {
        let does = if item.resident { "stays" } else { "does not stay" };
        return Err(inconsistent(format!(
            "the structure `{key}` {does} in the worker, and its role differs"
        )));
    }
    Ok(item)
}

/// Whether a parameter is a structure by value.
pub(crate) fn by_value(param: &Param) -> bool {
    matches!(param.role.value, Role::Struct { .. }) && param.ty.pointee().is_none()
}

/// The structure of a parameter, from its image or zeroed.
pub(crate) fn argument(
    scope: &Scope<'_>,
    param: &Param,
    (record, direction, nullable): (&str, Direction, bool),
    body: &mut Body,
) -> Result<(), Error> {
    let item = structure(scope, record, false)?;
    let (ty, name, c_record) = (scope.spelled(&param.ty, param)?, &param.name, c_key(record));
    if by_value(param) && direction != Direction::In {
        return Err(scope.refused("a structure by value that comes out", param));
    }
    if direction != Direction::InOut && has_room(&scope.interface.structs, record) {
        return Err(scope.refused("a buffer to fill in a structure that does not go in and out", param));
    }
    body.line(format!("{};", declare(&item.c_name, &format!("val_{name}"))));
    body.line(format!("__builtin_memset(&val_{name}, 0, sizeof val_{name});"));
    let kept = kept(scope.interface, record, &format!("kept_{name}"), body);
    let mut pointer = format!("&val_{name}");
    if direction.goes_in() {
        image(name, &item.size.to_string(), nullable, body);
        let read = format!("!hotcell_struct_read_{c_record}(hc_ctx, image_{name}, &val_{name}{kept})");
        if nullable {
            body.leave_when(&format!("image_{name} != NULL && {read}"));
            pointer = format!("image_{name} == NULL ? NULL : {pointer}");
        } else {
            body.leave_when(&read);
        }
    }
    if !by_value(param) {
        body.line(format!("{} = {pointer};", declare(ty, &format!("arg_{name}"))));
    }
    Ok(())
}

/// The image of a structure that comes out of a parameter.
pub(crate) fn out(scope: &Scope<'_>, param: &Param, record: &str, nullable: bool, body: &mut Body) {
    let name = &param.name;
    let parts = (format!("&val_{name}"), format!("kept_{name}"), format!("out_{name}"));
    let write = |body: &mut Body| write(scope.interface, record, &parts, &format!("arg_{name}"), body);
    match nullable {
        true => body.when(&format!("arg_{name} != NULL"), write),
        false => write(body),
    }
}

/// The image of a returned structure.
pub(crate) fn returned(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let ResultRole::Struct { record, ownership, .. } = &scope.function.result.value else { return Ok(()) };
    structure(scope, record, false)?;
    if has_room(&scope.interface.structs, record) {
        return Err(scope.unsupported("a buffer in a structure that is returned"));
    }
    let pointer = scope.function.result_type.pointee().is_some();
    if !pointer && *ownership != Ownership::Library {
        let what = "it releases a structure that is returned by value".into();
        return Err(Error::Inconsistent { function: scope.function.name.clone(), what });
    }
    let failed = scope.function.error.as_ref().map(|_| "!hc_failed");
    let guards: Vec<_> = failed.into_iter().chain(pointer.then_some("hc_result != NULL")).collect();
    let value = if pointer { "hc_result" } else { "&hc_result" };
    let parts = (value.to_owned(), "hc_kept".to_owned(), "hc_image".to_owned());
    let inner = |body: &mut Body| {
        kept(scope.interface, record, "hc_kept", body);
        write(scope.interface, record, &parts, "returned", body);
    };
    match guards.join(" && ").as_str() {
        "" => inner(body),
        guard => body.when(guard, inner),
    }
    Ok(())
}

/// Where a structure that stays is: its object, if there is one. A call that only ends it may say no more than the
/// handle.
pub(crate) fn resident(
    scope: &Scope<'_>,
    param: &Param,
    record: &str,
    (consumed, starts): (bool, bool),
    body: &mut Body,
) -> Result<(), Error> {
    if consumed && starts {
        let what = format!("`{}` ends with the call that it starts with", param.name);
        return Err(Error::Inconsistent { function: scope.function.name.clone(), what });
    }
    let item = structure(scope, record, true)?;
    let (ty, name) = (scope.spelled(&param.ty, param)?, &param.name);
    let size = match consumed {
        true => format!("hc_in.arg_{name}.length == 8 ? 8 : {}", item.size),
        false => item.size.to_string(),
    };
    image(name, &size, false, body);
    body.line(format!("uint64_t handle_{name} = HOTCELL_LOAD(uint64_t, image_{name});"));
    if starts {
        // An object that is there would lose what it holds.
        body.refuse_when(&format!("handle_{name} != 0"), "BAD_REFERENCE", name);
    }
    let value = format!("handle_{name}");
    // What travels is written before the call and read behind it: it can serve only one.
    let need = match consumed {
        true => Need::Owned,
        false if item.travels() => Need::Idle,
        false => Need::There,
    };
    let object = handles::object(scope, param, (&value, record), need, starts)?;
    body.line(format!("{} = {object};", declare(ty, &format!("arg_{name}"))));
    body.leave_when("hc_bad");
    Ok(())
}

/// Makes the objects that are not there yet, and writes the declared fields of all.
pub(crate) fn prepare(scope: Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let mut before: Vec<(&str, bool)> = Vec::new();
    for Param { name, role, .. } in &scope.function.params {
        let Role::Resident { record, consumed, .. } = &role.value else { continue };
        let alone = *consumed || structure(&scope, record, true)?.travels();
        // One object cannot follow two images, nor be there when another parameter has taken it.
        for (other, _) in before.iter().filter(|other| alone || other.1) {
            let twice = format!("handle_{name} != 0 && handle_{name} == handle_{other}");
            body.refuse_when(&twice, "BAD_REFERENCE", name);
        }
        before.push((name, alone));
    }
    for param in &scope.function.params {
        let Role::Resident { record, consumed, starts } = &param.role.value else { continue };
        let (item, name, c_record) = (structure(&scope, record, true)?, &param.name, c_key(record));
        if starts.is_some() {
            body.line(format!("{} = NULL;", declare(&format!("{} *", item.c_name), &format!("new_{name}"))));
            body.when(&format!("arg_{name} == NULL"), |body| {
                body.line(format!("arg_{name} = new_{name} = calloc(1, sizeof *new_{name});"));
                body.refuse_when(&format!("new_{name} == NULL"), "NO_MEMORY", name);
            });
            body.before_leaving(format!("free(new_{name});"));
        }
        let kept = kept(scope.interface, record, &format!("kept_{name}"), body);
        if !kept.is_empty() {
            body.before_leaving(format!("hotcell_struct_forget_{c_record}(arg_{name}{kept});"));
        }
        let read = format!("!hotcell_struct_read_{c_record}(hc_ctx, image_{name}, arg_{name}{kept})");
        body.leave_when(&match consumed {
            true => format!("hc_in.arg_{name}.length != 8 && {read}"),
            false => read,
        });
    }
    Ok(())
}

/// The images of structures that stay, whether the call failed or not.
pub(crate) fn residents_out(scope: &Scope<'_>, body: &mut Body) {
    for param in &scope.function.params {
        let Role::Resident { record, consumed, .. } = &param.role.value else { continue };
        let name = &param.name;
        let parts = (format!("arg_{name}"), format!("kept_{name}"), format!("out_{name}"));
        write(scope.interface, record, &parts, &format!("arg_{name}"), body);
        if !consumed {
            body.line(format!("__builtin_memcpy(out_{name}, &handle_{name}, sizeof handle_{name});"));
        }
    }
}

/// The objects this call made. When it failed they are as if they had not been, as a structure of a caller in C is.
pub(crate) fn made(scope: &Scope<'_>) -> Result<Vec<Made>, Error> {
    let mut made = Vec::new();
    let fallible = scope.function.error.is_some();
    for param in &scope.function.params {
        let Role::Resident { record, starts: Some(start), .. } = &param.role.value else { continue };
        let (name, object) = (&param.name, format!("new_{}", param.name));
        let mut release = Vec::new();
        if let Some(by) = &start.release {
            let call = handles::release_call(scope.interface, &scope.function.name, by, record, &object)?;
            match fallible {
                true => release.extend(["if (!hc_failed) {".into(), format!("    {call}"), "}".into()]),
                false => release.push(call),
            }
        }
        release.push(format!("free({object});"));
        let there = format!("{object} != NULL");
        made.push(Made {
            given: if fallible { format!("!hc_failed && {there}") } else { there.clone() },
            there,
            handle: format!("handle_{name}"),
            about: name.clone(),
            number: handles::number(scope.interface, scope.function, record)?,
            parent: "0".into(),
            release,
            noted: Some(format!("__builtin_memcpy(out_{name}, &handle_{name}, sizeof handle_{name});")),
            object,
        });
    }
    Ok(made)
}

/// Takes the call's memory out of what stays, and frees what does not.
pub(crate) fn settle(scope: &Scope<'_>, exit: &mut Body) {
    for param in &scope.function.params {
        let Role::Resident { record, consumed, .. } = &param.role.value else { continue };
        let name = &param.name;
        if *consumed {
            exit.line(format!("free(arg_{name});"));
        } else if keeps(&scope.interface.structs, record) {
            let c_record = c_key(record);
            exit.line(format!("hotcell_struct_forget_{c_record}(arg_{name}, &kept_{name});"));
        }
    }
}

/// Declares what is kept of a structure; how it is passed on, after a comma.
fn kept(interface: &Interface, record: &str, name: &str, body: &mut Body) -> String {
    if !keeps(&interface.structs, record) {
        return String::new();
    }
    body.line(format!("struct hotcell_kept_{} {name};", c_key(record)));
    body.line(format!("__builtin_memset(&{name}, 0, sizeof {name});"));
    format!(", &{name}")
}

/// The image a parameter came with.
fn image(name: &str, size: &str, nullable: bool, body: &mut Body) {
    let (about, nullable) = (literal(name), u8::from(nullable));
    let call = format!("hotcell_image(hc_ctx, &hc_in.arg_{name}, {about}, {size}, {nullable}, &hc_bad)");
    body.line(format!("const uint8_t *image_{name} = {call};"));
    body.leave_when("hc_bad");
}

/// Writes an image and its reference.
fn write(
    interface: &Interface,
    record: &str,
    (value, kept, image): &(String, String, String),
    field: &str,
    body: &mut Body,
) {
    let (size, c_record) = (interface.structs[record].size, c_key(record));
    let kept = if keeps(&interface.structs, record) { format!(", &{kept}") } else { String::new() };
    let room = format!("(uint8_t *)hotcell_room(hc_ctx, {size}, 8, &hc_out.{field}.place)");
    body.line(format!("uint8_t *{image} = {room};"));
    body.leave_when(&format!(
        "{image} == NULL || !hotcell_struct_write_{c_record}(hc_ctx, {value}{kept}, {image})"
    ));
    body.line(format!("hc_out.{field}.length = {size};"));
}
