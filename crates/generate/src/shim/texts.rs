//! Texts in an array: references become pointers in reply memory, with a NULL behind the last.

use hotcell_model::interface::Param;

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::types::{declare, literal};

/// Writes the array of pointers.
pub(crate) fn argument(
    scope: &Scope<'_>,
    param: &Param,
    nullable: bool,
    body: &mut Body,
) -> Result<(), Error> {
    let text = param.ty.pointee().and_then(|(pointer, _)| pointer.pointee());
    let Some((_, constant)) = text.filter(|(text, _)| text.is_byte()) else {
        return Err(scope.refused("texts that are no pointers to bytes", param));
    };
    let (ty, name) = (scope.spelled(&param.ty, param)?, &param.name);
    let (about, nullable, writable) = (literal(name), u8::from(nullable), u8::from(!constant));
    let read = format!("hotcell_texts(hc_ctx, &hc_in.arg_{name}, {about}, {nullable}, {writable}, &hc_bad)");
    body.line(format!("{} = {read};", declare(ty, &format!("arg_{name}"))));
    body.leave_when("hc_bad");
    Ok(())
}
