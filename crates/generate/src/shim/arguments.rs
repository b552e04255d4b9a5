//! The statements before the call: every argument, from the request or from the contract.
//!
//! Structures that stay are first, with the fields that callers set: what follows may ask for them. Parameters need
//! each other (a length its buffer, a capacity the length of another buffer), so each is written when the first needs it;
//! a circle is refused.
//!
//! A parameter `x` becomes the locals `arg_x` (what the function gets), `val_x` (a number, pointer or structure
//! whose address it gets), `size_x` and `place_x` (bytes and place of reply memory).
//!
//! What has to be undone when the call does not happen comes last: objects that are made, then handles that are
//! taken.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Capacity, Encoding, Param, Role, Unit};
use hotcell_model::layout::WireKind;
use hotcell_model::types::{CType, Type};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::handles::Need;
use crate::shim::types::{declare, literal};
use crate::shim::{arrays, callbacks, handles, keeps, memory, structs, texts, told, walls};

/// Writes the statements before a call.
struct Arguments<'a> {
    scope: Scope<'a>,
    body: &'a mut Body,
    progress: Vec<Progress>,
}

/// What C does with data that go in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InC {
    Reads,
    /// It may write to them, and nobody sees that.
    Writes,
    Changes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Todo,
    Doing,
    Done,
}

/// Writes every parameter of the scope's function.
pub(crate) fn write(scope: Scope<'_>, body: &mut Body) -> Result<(), Error> {
    callbacks::record(scope.function, body);
    let count = scope.function.params.len();
    let mut arguments = Arguments { scope, body, progress: vec![Progress::Todo; count] };
    // What callers set in structures that stay is there before anything is computed from it.
    let stays = |index: &usize| matches!(scope.function.params[*index].role.value, Role::Resident { .. });
    (0..count).filter(stays).try_for_each(|index| arguments.need(index))?;
    structs::prepare(scope, arguments.body)?;
    (0..count).try_for_each(|index| arguments.need(index))?;
    requires(scope, body)?;
    callbacks::keep(scope.function, body);
    keeps::may_keep(&scope, body)?;
    handles::take(scope, body)
}

/// Refuses a call before which something must hold that does not.
fn requires(scope: Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let Some(requires) = &scope.function.requires else { return Ok(()) };
    let holds = scope.truth(&requires.condition)?;
    body.refuse_when(&format!("!{holds} || hc_bad"), "UNMET", &short(&requires.text));
    Ok(())
}

/// As much of a text as a refusal has room for.
fn short(text: &str) -> String {
    const MOST: usize = 108;
    if text.len() <= MOST {
        return text.to_owned();
    }
    let end = (0..=MOST).rfind(|&end| text.is_char_boundary(end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// What stands for a parameter in the call.
pub(crate) fn in_call(param: &Param) -> String {
    match &param.role.value {
        Role::Fixed { c } => c.clone(),
        role if by_address(role) => format!("&val_{}", param.name),
        _ if structs::by_value(param) => format!("val_{}", param.name),
        _ => arg(param),
    }
}

/// Whether the function gets the address of a local that it fills.
pub(crate) fn by_address(role: &Role) -> bool {
    matches!(
        role,
        Role::ValueOut { .. }
            | Role::ValueInOut { .. }
            | Role::LengthPointerOf { .. }
            | Role::TextOut { .. }
            | Role::TextsOut { .. }
            | Role::DataOut { .. }
            | Role::OffsetOut { .. }
            | Role::HandleOut { .. }
    )
}

/// Element size of a buffer parameter and the pointee; refuses what is no buffer of scalars.
pub(crate) fn element<'a>(scope: &Scope<'a>, param: &'a Param) -> Result<(u32, &'a CType, bool), Error> {
    let refused =
        || scope.unsupported(format!("a buffer of `{}` (parameter `{}`)", param.ty.written, param.name));
    let (pointee, constant) = param.ty.pointee().ok_or_else(refused)?;
    if let Some(key) = param.structures() {
        // On the wire it is an image.
        let size = scope.interface.structs.get(key).map(|item| item.size).filter(|size| *size > 0);
        return Ok((size.ok_or_else(refused)?, pointee, constant));
    }
    Ok((pointee.element_size().ok_or_else(refused)?, pointee, constant))
}

/// Bytes of what is counted in a text or buffer by its elements.
pub(crate) fn unit_of(scope: &Scope<'_>, param: &Param) -> Result<u32, Error> {
    match &param.role.value {
        Role::Text { encoding, .. } => Ok(encoding.unit()),
        _ => Ok(element(scope, param)?.0),
    }
}

impl<'a> Arguments<'a> {
    fn need(&mut self, index: usize) -> Result<(), Error> {
        let Some(param) = self.scope.function.params.get(index) else {
            let what = format!("parameter {index} is referred to and does not exist");
            return Err(Error::Inconsistent { function: self.scope.function.name.clone(), what });
        };
        match self.progress[index] {
            Progress::Done => return Ok(()),
            Progress::Doing => {
                let what = format!("a size that depends on itself (parameter `{}`)", param.name);
                return Err(self.scope.unsupported(what));
            }
            Progress::Todo => self.progress[index] = Progress::Doing,
        }
        self.param(index, param)?;
        self.progress[index] = Progress::Done;
        Ok(())
    }

    fn need_all(&mut self, expr: &Expr) -> Result<(), Error> {
        let mut wanted = Vec::new();
        expr.walk(&mut |part| {
            if let Expr::Param { index } = part {
                wanted.push(*index);
            }
        });
        wanted.into_iter().try_for_each(|index| self.need(index))
    }

    fn param(&mut self, index: usize, param: &'a Param) -> Result<(), Error> {
        match &param.role.value {
            Role::Fixed { .. } => Ok(()),
            Role::Value => {
                let ty = self.scope.spelled(&param.ty, param)?;
                self.body.line(format!("{} = ({ty})hc_in.{};", declare(ty, &arg(param)), arg(param)));
                Ok(())
            }
            Role::Text { encoding, nullable } => self.text(index, param, (*encoding, *nullable)),
            Role::BufferIn { nullable, length } => {
                let (_, _, constant) = element(&self.scope, param)?;
                let c = if constant { InC::Reads } else { InC::Writes };
                match param.structures() {
                    Some(record) => self.structures_in(index, param, (record, *nullable))?,
                    None => self.buffer_in(index, (*nullable, c))?,
                }
                self.long_enough(param, length.as_ref())
            }
            Role::BufferInOut { nullable, length, .. } => {
                match param.structures() {
                    Some(record) => self.structures_in(index, param, (record, *nullable))?,
                    None => self.buffer_in(index, (*nullable, InC::Changes))?,
                }
                self.long_enough(param, length.as_ref())
            }
            Role::BufferOut { capacity, .. } => {
                let told = told::is_told(self.scope.function, index);
                self.buffer_out(param, capacity, if told { "hotcell_told_room" } else { "hotcell_room" })
            }
            Role::LengthOf { param: of, unit } => self.count(param, *of, *unit, false),
            Role::CapacityOf { param: of, unit } => self.count(param, *of, *unit, false),
            Role::LengthPointerOf { param: of, unit } => self.count(param, *of, *unit, true),
            Role::ValueOut { .. } | Role::ValueInOut { .. } => {
                let (pointee, _) = param.ty.pointee().ok_or_else(|| self.scope.refused("a value", param))?;
                let ty = self.scope.spelled(pointee, param)?;
                let value = match &param.role.value {
                    Role::ValueInOut { .. } => format!("hc_in.{}", arg(param)),
                    _ => "0".into(),
                };
                self.body.line(format!("{} = ({ty}){value};", declare(ty, &format!("val_{}", param.name))));
                Ok(())
            }
            Role::Texts { encoding, nullable, length } => {
                texts::argument(&self.scope, param, (*encoding, *nullable), self.body)?;
                let reference = WireKind::Reference.size();
                let Some(length) = length else { return Ok(()) };
                self.as_long_as(param, length, reference)?;
                // Entries that nobody asks for would be lost, and are a mistake.
                let (arg, name) = (arg(param), &param.name);
                let longer = format!("{arg} != NULL && hc_in.{arg}.length > needed_{name}");
                let unmet = format!("{name} is as long as its length says");
                self.body.refuse_when(&longer, "UNMET", &short(&unmet));
                Ok(())
            }
            Role::TextOut { .. }
            | Role::TextsOut { .. }
            | Role::DataOut { .. }
            | Role::OffsetOut { .. }
            | Role::HandleOut { .. } => memory::pointer(&self.scope, param, self.body),
            Role::Handle { handle, consumed, invalidates, nullable, .. } => {
                let need = match (consumed, invalidates) {
                    (true, _) => Need::Owned,
                    (false, true) => Need::IdleBelow,
                    (false, false) => Need::There,
                };
                handles::argument(&self.scope, param, (handle, need, *nullable), self.body)
            }
            Role::Handles { handle, nullable } => {
                handles::several(&self.scope, param, (handle, *nullable), self.body)
            }
            Role::Callback { nullable, .. } => callbacks::argument(&self.scope, param, *nullable, self.body),
            Role::UserData { callback } => callbacks::user_data(&self.scope, param, *callback, self.body),
            Role::Struct { record, direction, nullable, .. } => {
                structs::argument(&self.scope, param, (record, *direction, *nullable), self.body)
            }
            Role::Resident { record, consumed, starts } => {
                structs::resident(&self.scope, param, record, (*consumed, starts.is_some()), self.body)
            }
        }
    }

    fn text(
        &mut self,
        index: usize,
        param: &'a Param,
        (encoding, nullable): (Encoding, bool),
    ) -> Result<(), Error> {
        let (arg, name) = (arg(param), literal(&param.name));
        let (_, pointee, constant) = element(&self.scope, param)?;
        if !encoding.lies_in(pointee) {
            return Err(self.scope.refused(texts::misfit(encoding), param));
        }
        let ty = self.scope.spelled(&param.ty, param)?;
        let nullable = u8::from(nullable);
        let (reader, unit) = (texts::reader(encoding), encoding.unit());
        let read = format!("{reader}(hc_ctx, &hc_in.{arg}, {name}, {nullable}, &hc_bad)");
        let value = if keeps::is_kept(self.scope.function, index) {
            keeps::copy(&read, &format!("hc_in.{arg}.length + {unit}"), &name)
        } else if constant {
            read
        } else {
            // C may write to it, so it does not get request memory.
            let place = format!("place_{}", param.name);
            self.body.line(format!("uint64_t {place} = HOTCELL_PLACE_NULL;"));
            format!("hotcell_copy(hc_ctx, {read}, hc_in.{arg}.length + {unit}, {unit}, &{place}, &hc_bad)")
        };
        self.body.line(format!("{} = ({ty}){value};", declare(ty, &arg)));
        self.body.leave_when("hc_bad");
        Ok(())
    }

    fn buffer_in(&mut self, index: usize, (nullable, c): (bool, InC)) -> Result<(), Error> {
        let param = &self.scope.function.params[index];
        let (arg, name) = (arg(param), literal(&param.name));
        let (size, pointee, _) = element(&self.scope, param)?;
        let ty = self.scope.spelled(&param.ty, param)?;
        let nullable = u8::from(nullable);
        let helper = buffer_in(pointee);
        let read = format!("hotcell_{helper}(hc_ctx, &hc_in.{arg}, {name}, {size}, {nullable}, &hc_bad)");
        let (kept, walled) =
            (keeps::is_kept(self.scope.function, index), self.scope.function.ends_at_wall(index));
        let value = if kept && !walled {
            keeps::copy(&read, &format!("hc_in.{arg}.length"), &name)
        } else if kept || c == InC::Reads {
            read
        } else {
            let (place, align) = (format!("place_{}", param.name), alignment(pointee, size));
            self.body.line(format!("uint64_t {place} = HOTCELL_PLACE_NULL;"));
            if c == InC::Changes && may_be_lent(pointee, size) {
                let what = format!("hc_ctx, &hc_in.{arg}, {name}, {size}, {nullable}, {align}");
                format!("hotcell_in_out({what}, &{place}, &hc_bad)")
            } else {
                format!("hotcell_copy(hc_ctx, {read}, hc_in.{arg}.length, {align}, &{place}, &hc_bad)")
            }
        };
        self.body.line(format!("{} = {value};", declare(ty, &arg)));
        self.body.leave_when("hc_bad");
        let length = format!("hc_in.{arg}.length");
        match (walled, kept) {
            (true, true) => walls::keep(param, &length, self.body),
            (true, false) => {
                walls::raise(param, (&length, &size.to_string()), c == InC::Changes, self.body);
            }
            _ => {}
        }
        Ok(())
    }

    /// Structures one behind the other.
    fn structures_in(
        &mut self,
        index: usize,
        param: &'a Param,
        (record, nullable): (&str, bool),
    ) -> Result<(), Error> {
        arrays::argument(&self.scope, param, (record, nullable), self.body)?;
        if self.scope.function.ends_at_wall(index) {
            let (room, size) = (format!("room_{}", param.name), format!("sizeof *{}", arg(param)));
            let changes = matches!(param.role.value, Role::BufferInOut { .. });
            match keeps::is_kept(self.scope.function, index) {
                true => walls::keep(param, &room, self.body),
                false => walls::raise(param, (&room, &size), changes, self.body),
            }
        }
        Ok(())
    }

    /// Refuses data that goes in and is shorter than what the function will read.
    fn long_enough(&mut self, param: &'a Param, length: Option<&'a Expr>) -> Result<(), Error> {
        let Some(length) = length else { return Ok(()) };
        let (size, ..) = element(&self.scope, param)?;
        self.as_long_as(param, length, size)
    }

    fn as_long_as(&mut self, param: &'a Param, length: &'a Expr, size: u32) -> Result<(), Error> {
        let arg = arg(param);
        self.need_all(length)?;
        let needed = format!("needed_{}", param.name);
        self.body.line(format!("uint64_t {needed} = 0;"));
        self.sized(length, size, &needed, &param.name)?;
        let short = format!("{arg} != NULL && hc_in.{arg}.length < {needed}");
        self.body.refuse_when(&short, "SHORT_BUFFER", &param.name);
        Ok(())
    }

    fn buffer_out(&mut self, param: &'a Param, capacity: &'a Capacity, room: &str) -> Result<(), Error> {
        if let Some(record) = param.structures() {
            return self.structures_out(param, record, capacity);
        }
        let (arg, name) = (arg(param), &param.name);
        let (size, pointee, _) = element(&self.scope, param)?;
        let ty = self.scope.spelled(&param.ty, param)?;
        let align = alignment(pointee, size);
        let room = format!("{room}(hc_ctx, size_{name}, {align}, &place_{name})");
        self.body.line(format!("uint64_t size_{name} = 0;"));
        self.body.line(format!("uint64_t place_{name} = HOTCELL_PLACE_NULL;"));
        match capacity {
            Capacity::Caller => {
                let overflow = format!("!hotcell_bytes(hc_in.cap_{name}, {size}, &size_{name})");
                if may_be_lent(pointee, size) {
                    let what = format!("hc_ctx, hc_in.cap_{name}, {}, {size}", literal(name));
                    let lent = format!("hotcell_lent_room({what}, &size_{name}, &place_{name}, &hc_bad)");
                    self.body.line(format!("{} = {lent};", declare(ty, &arg)));
                    self.body.leave_when("hc_bad");
                    self.body.when(&format!("{arg} == NULL"), |body| {
                        body.refuse_when(&overflow, "SIZE_OVERFLOW", name);
                        body.line(format!("{arg} = {room};"));
                    });
                } else {
                    self.body.refuse_when(&overflow, "SIZE_OVERFLOW", name);
                    self.body.line(format!("{} = {room};", declare(ty, &arg)));
                }
            }
            Capacity::Elements { size: elements } => {
                self.need_all(elements)?;
                self.sized(elements, size, &format!("size_{name}"), name)?;
                self.body.line(format!("{} = {room};", declare(ty, &arg)));
            }
        }
        self.body.leave_when(&format!("{arg} == NULL"));
        Ok(())
    }

    /// Room for structures: `size_x` counts bytes of their images.
    fn structures_out(
        &mut self,
        param: &'a Param,
        record: &str,
        capacity: &'a Capacity,
    ) -> Result<(), Error> {
        let (name, (size, ..)) = (&param.name, element(&self.scope, param)?);
        self.body.line(format!("uint64_t size_{name} = 0;"));
        match capacity {
            Capacity::Caller => {
                let overflow = format!("!hotcell_bytes(hc_in.cap_{name}, {size}, &size_{name})");
                self.body.refuse_when(&overflow, "SIZE_OVERFLOW", name);
            }
            Capacity::Elements { size: elements } => {
                self.need_all(elements)?;
                self.sized(elements, size, &format!("size_{name}"), name)?;
            }
        }
        arrays::room(&self.scope, param, record, self.body)
    }

    /// Evaluates a number of elements into a variable of bytes.
    fn sized(&mut self, elements: &Expr, size: u32, bytes: &str, name: &str) -> Result<(), Error> {
        let elements = self.scope.wide(elements)?;
        let overflow = format!("!hotcell_bytes({elements}, {size}, &{bytes}) || hc_bad");
        self.body.refuse_when(&overflow, "SIZE_OVERFLOW", name);
        Ok(())
    }

    /// A length or capacity, converted to the parameter's type.
    fn count(&mut self, param: &'a Param, of: usize, unit: Unit, pointer: bool) -> Result<(), Error> {
        self.need(of)?;
        let buffer = &self.scope.function.params[of];
        let bytes = match &buffer.role.value {
            Role::BufferOut { .. } => format!("size_{}", buffer.name),
            Role::Text { .. }
            | Role::Texts { .. }
            | Role::Handles { .. }
            | Role::BufferIn { .. }
            | Role::BufferInOut { .. } => {
                format!("hc_in.{}.length", arg(buffer))
            }
            _ => return Err(self.scope.refused("a length of something that is no buffer", param)),
        };
        let elements = match (&buffer.role.value, unit) {
            (Role::Handles { .. }, _) => format!("{bytes} / sizeof(uint64_t)"),
            (Role::Texts { .. }, _) => format!("{bytes} / sizeof(hotcell_ref)"),
            (_, Unit::Bytes) => bytes,
            (_, Unit::Elements) => match unit_of(&self.scope, buffer)? {
                1 => bytes,
                size => format!("{bytes} / {size}"),
            },
        };
        let ty = if pointer { param.ty.pointee().map(|(ty, _)| ty) } else { Some(&param.ty) };
        let Some(ty) = ty.filter(|ty| ty.is_integer()) else {
            return Err(self.scope.refused("a length that is no integer", param));
        };
        let ty = self.scope.spelled(ty, param)?;
        let local = if pointer { format!("val_{}", param.name) } else { arg(param) };
        self.body.line(format!("{} = HOTCELL_NARROW({ty}, {elements}, &hc_bad);", declare(ty, &local)));
        self.body.refuse_when("hc_bad", "SIZE_OVERFLOW", &param.name);
        Ok(())
    }
}

/// Whether the host may lend memory for such elements: bytes, which may have any value.
fn may_be_lent(pointee: &CType, size: u32) -> bool {
    size == 1 && pointee.kind != Type::Bool
}

/// The local that the function gets.
pub(crate) fn arg(param: &Param) -> String {
    format!("arg_{}", param.name)
}

/// The helper that reads a buffer of such elements.
pub(crate) fn buffer_in(pointee: &CType) -> &'static str {
    if pointee.kind == Type::Bool { "truths_in" } else { "buffer_in" }
}

/// Alignment of memory that C may write to: the element's, and `malloc`'s for raw memory.
pub(crate) fn alignment(pointee: &CType, size: u32) -> u32 {
    if pointee.kind == Type::Void { 16 } else { size }
}
