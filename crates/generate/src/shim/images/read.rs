//! A structure from an image of the host.

use hotcell_model::interface::{FieldRole, Filled, StructField};
use hotcell_model::types::Type;

use crate::Error;
use crate::shim::arguments::{alignment, buffer_in};
use crate::shim::body::Body;
use crate::shim::images::{Image, c_key};
use crate::shim::texts;
use crate::shim::types::{declare, literal};

impl<'a> Image<'a> {
    /// The statements of `hotcell_struct_read_x`.
    pub(super) fn read(&self) -> Result<Body, Error> {
        let mut body = Body::leaving_by(&["return 0;"]);
        // Lengths need their buffers, buffers that come out their capacities, unions what says which member is there.
        let (later, first): (Vec<_>, Vec<_>) = self.item.fields.iter().partition(|field| {
            let role = &field.role.value;
            matches!(role, FieldRole::LengthOf { .. } | FieldRole::BufferOut { .. } | FieldRole::Union { .. })
        });
        first.into_iter().try_for_each(|field| self.read_field(field, &mut body))?;
        later.into_iter().try_for_each(|field| self.read_later(field, &mut body))?;
        body.line("return 1;");
        Ok(body)
    }

    pub(super) fn read_field(&self, field: &'a StructField, body: &mut Body) -> Result<(), Error> {
        let (name, at) = (&field.name, format!("hc_s->{}", field.name));
        let from = format!("hc_image + {}", field.offset.unwrap_or_default());
        match &field.role.value {
            FieldRole::Value => {
                let kind = self.number(&field.ty);
                body.line(format!("{at} = (__typeof__({at}))HOTCELL_LOAD({kind}, {from});"));
            }
            FieldRole::Bits { .. } => {
                let kind = self.number(&field.ty);
                body.line(format!("{kind} val_{name} = HOTCELL_LOAD({kind}, {from});"));
                // C has no word for the type of a bit-field, and what does not fit is found behind it.
                body.line("_Pragma(\"GCC diagnostic push\")");
                body.line("_Pragma(\"GCC diagnostic ignored \\\"-Wconversion\\\"\")");
                body.line(format!("{at} = val_{name};"));
                body.line("_Pragma(\"GCC diagnostic pop\")");
                let differs = format!("(hotcell_wide){at} != (hotcell_wide)val_{name}");
                body.when(&differs, |body| self.refuse(field, body));
            }
            FieldRole::Array { length } => match field.ty.array() {
                Some((element, _)) if element.kind == Type::Bool => {
                    // Any other byte than 0 and 1 would be none.
                    body.block(&format!("for (uint64_t hc_i = 0; hc_i < {length}; hc_i++)"), |body| {
                        body.line(format!("((_Bool *){at})[hc_i] = ({from})[hc_i] != 0;"));
                    });
                }
                _ => body.line(format!("__builtin_memcpy({at}, {from}, sizeof {at});")),
            },
            FieldRole::Struct { record } => {
                let (kept, c_record) = (self.inner_kept(record, name), c_key(record));
                if self.is_shifted(field, record) {
                    let c_name = &self.interface.structs[record].c_name;
                    body.line(format!("{} = {at};", declare(c_name, &format!("val_{name}"))));
                    let read = format!("hotcell_struct_read_{c_record}(hc_ctx, {from}, &val_{name}{kept})");
                    body.leave_when(&format!("!{read}"));
                    body.line(format!("{at} = val_{name};"));
                    return Ok(());
                }
                body.leave_when(&format!("!hotcell_struct_read_{c_record}(hc_ctx, {from}, &{at}{kept})"));
            }
            FieldRole::Structs { record, length } => {
                let c_record = c_key(record);
                self.each((name, record, *length), &from, body, |body, from, kept| {
                    let read = format!("hotcell_struct_read_{c_record}(hc_ctx, {from}, &val_{name}{kept})");
                    body.leave_when(&format!("!{read}"));
                    let to = format!("(uint8_t *){at} + hc_i * sizeof val_{name}");
                    body.line(format!("__builtin_memcpy({to}, &val_{name}, sizeof val_{name});"));
                });
            }
            FieldRole::Text { encoding, nullable } => {
                let (ty, _, constant) = self.element(field)?;
                if !encoding.lies_in(ty) {
                    let what = format!("`{name}` ({}) is no text", field.ty.written);
                    return Err(self.inconsistent(what));
                }
                let (reader, unit) = (texts::reader(*encoding), encoding.unit());
                let call = format!("{reader}(hc_ctx, &ref_{name}, {}", self.about(field));
                let read = format!("{call}, {}, &hc_bad)", u8::from(*nullable));
                self.pointer(
                    name,
                    &from,
                    read,
                    (constant, &format!("ref_{name}.length + {unit}"), unit, self.stays),
                    body,
                );
            }
            FieldRole::TextArray { pad: Some(_), .. } => {
                body.line(format!("__builtin_memcpy({at}, {from}, sizeof {at});"));
            }
            FieldRole::TextArray { length, pad: None, .. } => {
                body.line(format!("__builtin_memcpy({at}, {from}, sizeof {at});"));
                let whole = format!("((const char *){at})[{}] != 0", length - 1);
                body.when(&whole, |body| self.refuse(field, body));
            }
            // What the library has put there stays.
            FieldRole::Data { .. } | FieldRole::Texts { .. } if self.stays => {}
            FieldRole::Pointer { direction, .. } if self.stays && !direction.goes_in() => {}
            FieldRole::Data { .. } | FieldRole::Texts { .. } => body.line(format!("{at} = NULL;")),
            FieldRole::Pointer { record, direction } => {
                body.line(format!("{at} = NULL;"));
                if direction.goes_in() {
                    self.pointed(field, record, &from, body);
                }
            }
            FieldRole::BufferIn { nullable } => {
                let (ty, size, constant) = self.element(field)?;
                let call =
                    format!("hotcell_{}(hc_ctx, &ref_{name}, {}, {size}", buffer_in(ty), self.about(field));
                let read = format!("{call}, {}, &hc_bad)", u8::from(*nullable));
                let align = alignment(ty, size);
                self.pointer(name, &from, read, (constant, &format!("ref_{name}.length"), align, true), body);
            }
            FieldRole::Zero if field.ty.is_scalar() => body.line(format!("{at} = 0;")),
            FieldRole::Zero => body.line(format!("__builtin_memset(&{at}, 0, sizeof {at});")),
            FieldRole::BufferOut { .. }
            | FieldRole::LengthOf { .. }
            | FieldRole::Union { .. }
            | FieldRole::Own => {}
        }
        Ok(())
    }

    /// A pointer to a structure of the host, if it has one.
    fn pointed(&self, field: &StructField, record: &str, from: &str, body: &mut Body) {
        let (name, item) = (&field.name, &self.interface.structs[record]);
        let about = self.about(field);
        body.line(format!("hotcell_ref ref_{name} = HOTCELL_LOAD(hotcell_ref, {from});"));
        let image = format!("hotcell_image(hc_ctx, &ref_{name}, {about}, {}, 1, &hc_bad)", item.size);
        body.line(format!("const uint8_t *image_{name} = {image};"));
        body.leave_when("hc_bad");
        body.when(&format!("image_{name} != NULL"), |body| {
            body.line(format!("uint64_t place_{name} = HOTCELL_PLACE_NULL;"));
            let (size, align) = (format!("sizeof({})", item.c_name), format!("_Alignof({})", item.c_name));
            let room = format!("hotcell_room(hc_ctx, {size}, {align}, &place_{name})");
            body.line(format!("{} = {room};", declare(&format!("{} *", item.c_name), &format!("to_{name}"))));
            let read = format!("hotcell_struct_read_{}(hc_ctx, image_{name}, to_{name})", c_key(record));
            body.leave_when(&format!("to_{name} == NULL || !{read}"));
            body.line(format!("hc_s->{name} = to_{name};"));
        });
    }

    /// A pointer to data of the host; to a copy when the structure lets C write there.
    fn pointer(
        &self,
        name: &str,
        from: &str,
        read: String,
        (constant, length, align, kept): (bool, &str, u32, bool),
        body: &mut Body,
    ) {
        body.line(format!("hotcell_ref ref_{name} = HOTCELL_LOAD(hotcell_ref, {from});"));
        let read = if constant {
            read
        } else {
            body.line(format!("uint64_t place_{name} = HOTCELL_PLACE_NULL;"));
            format!("hotcell_copy(hc_ctx, {read}, {length}, {align}, &place_{name}, &hc_bad)")
        };
        body.line(format!("hc_s->{name} = (__typeof__(hc_s->{name})){read};"));
        if kept {
            body.line(format!("hc_kept->start_{name} = hc_s->{name};"));
            body.line(format!("hc_kept->length_{name} = ref_{name}.length;"));
        }
        body.leave_when("hc_bad");
    }

    fn read_later(&self, field: &'a StructField, body: &mut Body) -> Result<(), Error> {
        let (name, at) = (&field.name, format!("hc_s->{}", field.name));
        match &field.role.value {
            FieldRole::LengthOf { field: of, unit } => {
                let of = &self.item.fields[*of];
                let length = match self.counted(of, *unit)? {
                    1 => format!("ref_{}.length", of.name),
                    size => format!("ref_{}.length / {size}", of.name),
                };
                body.line(format!("{at} = HOTCELL_NARROW(__typeof__({at}), {length}, &hc_bad);"));
                body.when("hc_bad", |body| self.refuse(field, body));
            }
            FieldRole::Union { record, anonymous, told } => {
                self.read_union(field, (record, *anonymous, told), body);
            }
            FieldRole::BufferOut { capacity, unit, filled } => {
                let (ty, align, _) = self.element(field)?;
                let align = alignment(ty, align);
                let size = self.counted(field, *unit)?;
                let capacity = format!("(hotcell_wide)hc_s->{}", self.item.fields[*capacity].name);
                let bytes = format!("!hotcell_bytes({capacity}, {size}, &hc_kept->size_{name})");
                body.when(&bytes, |body| self.refuse(field, body));
                if let Filled::Field { field: position } = filled {
                    let position = &self.item.fields[*position];
                    let before = format!("(hotcell_wide)hc_s->{}", position.name);
                    let start = format!("hotcell_bytes({before}, {size}, &hc_kept->before_{name})");
                    let behind = format!("hc_kept->before_{name} > hc_kept->size_{name}");
                    body.when(&format!("!{start} || {behind}"), |body| self.refuse(position, body));
                }
                let room = format!("hc_kept->size_{name}, {align}, &hc_kept->place_{name}");
                body.line(format!("{at} = (__typeof__({at}))hotcell_room(hc_ctx, {room});"));
                body.leave_when(&format!("{at} == NULL"));
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn refuse(&self, field: &StructField, body: &mut Body) {
        body.refuse("SIZE_OVERFLOW", &format!("{}.{}", self.key, field.name));
    }

    /// What errors call a field.
    pub(super) fn about(&self, field: &StructField) -> String {
        literal(&format!("{}.{}", self.key, field.name))
    }
}
