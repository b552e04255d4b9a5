//! Arrays of structures as parameters and results.
//!
//! On the wire they are images one behind the other. For an array `x`, `images_x` is that, `arg_x` the array that C sees,
//! and every length is one in bytes of images until elements are counted.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Interface, Param, Role, Struct};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::images::{c_key, has_room, keeps};
use crate::shim::memory;
use crate::shim::types::{declare, literal};

/// Whether a function takes structures or objects one behind the other.
pub(crate) fn any(interface: &Interface) -> bool {
    let mut params = interface.functions.iter().flat_map(|function| &function.params);
    params.any(|param| param.structures().is_some() || matches!(param.role.value, Role::Handles { .. }))
}

/// The structure that an array consists of.
fn structure<'a>(scope: &Scope<'a>, key: &str) -> Result<&'a Struct, Error> {
    let item = scope.interface.structs.get(key).filter(|item| item.size > 0 && !item.resident);
    item.ok_or_else(|| scope.unsupported(format!("an array of `{key}`, which is nothing that callers see,")))
}

/// As [`structure`], where what callers get of it must not depend on what they gave.
fn filled<'a>(scope: &Scope<'a>, key: &str) -> Result<&'a Struct, Error> {
    if keeps(&scope.interface.structs, key) {
        return Err(scope.unsupported(format!("an array of `{key}`, which has data that goes in,")));
    }
    structure(scope, key)
}

/// Memory for so many structures as there are images in `length`.
fn space(param: &Param, item: &Struct, (length, variable): (&str, &str), body: &mut Body) {
    let name = &param.name;
    body.line(format!("uint64_t room_{name} = 0;"));
    let count = format!("(hotcell_wide)({length} / {})", item.size);
    let overflow = format!("!hotcell_bytes({count}, sizeof({}), &room_{name})", item.c_name);
    body.refuse_when(&overflow, "SIZE_OVERFLOW", name);
    body.line(format!("uint64_t place_{name} = HOTCELL_PLACE_NULL;"));
    let room = format!("hotcell_room(hc_ctx, room_{name}, _Alignof({}), &place_{name})", item.c_name);
    body.line(format!("{} = {room};", declare(&format!("{} *", item.c_name), variable)));
    body.leave_when(&format!("{variable} == NULL"));
}

/// An array that goes in: C gets structures of its own.
pub(crate) fn argument(
    scope: &Scope<'_>,
    param: &Param,
    (record, nullable): (&str, bool),
    body: &mut Body,
) -> Result<(), Error> {
    let (item, name, c_record) = (structure(scope, record)?, &param.name, c_key(record));
    if has_room(&scope.interface.structs, record) {
        return Err(scope.refused("structures with a buffer to fill, one behind the other", param));
    }
    let (about, nullable) = (literal(name), u8::from(nullable));
    let images =
        format!("hotcell_images(hc_ctx, &hc_in.arg_{name}, {about}, {}, {nullable}, &hc_bad)", item.size);
    body.line(format!("const uint8_t *images_{name} = {images};"));
    body.leave_when("hc_bad");
    let array = format!("array_{name}");
    space(param, item, (&format!("hc_in.arg_{name}.length"), &array), body);
    let mut kept = String::new();
    if keeps(&scope.interface.structs, record) {
        body.line(format!("struct hotcell_kept_{c_record} kept_{name};"));
        body.line(format!("__builtin_memset(&kept_{name}, 0, sizeof kept_{name});"));
        kept = format!(", &kept_{name}");
    }
    body.block(&each(&format!("hc_in.arg_{name}.length"), item), |body| {
        let from = format!("images_{name} + hc_i * {}", item.size);
        body.leave_when(&format!("!hotcell_struct_read_{c_record}(hc_ctx, {from}, &{array}[hc_i]{kept})"));
    });
    let ty = scope.spelled(&param.ty, param)?;
    let value = format!("images_{name} == NULL ? NULL : {array}");
    body.line(format!("{} = {value};", declare(ty, &format!("arg_{name}"))));
    Ok(())
}

/// Memory for structures that the function fills: so many as there are images in `size_x`.
pub(crate) fn room(scope: &Scope<'_>, param: &Param, record: &str, body: &mut Body) -> Result<(), Error> {
    let (item, name) = (filled(scope, record)?, &param.name);
    space(param, item, (&format!("size_{name}"), &format!("arg_{name}")), body);
    Ok(())
}

/// The images of an array that comes out, as much of it as `filled_x` says.
pub(crate) fn out(scope: &Scope<'_>, param: &Param, record: &str, body: &mut Body) -> Result<(), Error> {
    let (item, name) = (filled(scope, record)?, &param.name);
    let reference = format!("hc_out.arg_{name}");
    give(item, record, (&format!("arg_{name}"), &format!("filled_{name}"), &reference), body);
    Ok(())
}

/// The images of a returned array.
pub(crate) fn returned(scope: &Scope<'_>, length: &Expr, body: &mut Body) -> Result<(), Error> {
    let Some(record) = scope.function.returned_structures() else { return Ok(()) };
    let item = filled(scope, record)?;
    let elements = scope.length(length)?;
    body.when(memory::given(scope), |body| {
        let bad = elements.contains("&hc_bad");
        body.line(format!("hotcell_wide hc_count = {elements};"));
        body.line(format!("uint64_t hc_filled = hotcell_claim(hc_count, {}, UINT64_MAX - 1);", item.size));
        if bad {
            body.when("hc_bad", |body| body.line("hc_filled = HOTCELL_LENGTH_IMPOSSIBLE;"));
            body.line("hc_bad = 0;");
        }
        give(item, record, ("hc_result", "hc_filled", "hc_out.returned"), body);
    });
    Ok(())
}

/// Writes images and the reference to them. A length that cannot be is passed on: the host refuses it.
pub(crate) fn give(
    item: &Struct,
    record: &str,
    (array, length, reference): (&str, &str, &str),
    body: &mut Body,
) {
    let c_record = c_key(record);
    body.when(&format!("{length} == HOTCELL_LENGTH_IMPOSSIBLE"), |body| {
        body.line(format!("{reference} = (hotcell_ref){{0, HOTCELL_LENGTH_IMPOSSIBLE}};"));
    });
    body.block(&format!("else if ({array} != NULL)"), |body| {
        let room = format!("(uint8_t *)hotcell_room(hc_ctx, {length}, 8, &{reference}.place)");
        body.line(format!("uint8_t *hc_images = {room};"));
        body.leave_when("hc_images == NULL");
        body.block(&each(length, item), |body| {
            let to = format!("hc_images + hc_i * {}", item.size);
            body.leave_when(&format!("!hotcell_struct_write_{c_record}(hc_ctx, &{array}[hc_i], {to})"));
        });
        body.line(format!("{reference}.length = {length};"));
    });
}

fn each(length: &str, item: &Struct) -> String {
    format!("for (uint64_t hc_i = 0; hc_i < {length} / {}; hc_i++)", item.size)
}
