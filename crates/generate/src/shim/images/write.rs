//! An image from a structure, and what a structure that stays must not keep.

use hotcell_model::interface::{FieldRole, Filled, StructField};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::images::{Image, c_key, keeps};
use crate::shim::types::declare;
use crate::shim::{arrays, texts};

impl<'a> Image<'a> {
    /// The statements of `hotcell_struct_write_x`.
    pub(super) fn write(&self) -> Result<Body, Error> {
        let mut body = Body::leaving_by(&["return 0;"]);
        self.item.fields.iter().try_for_each(|field| self.write_field(field, &mut body))?;
        body.line("return 1;");
        Ok(body)
    }

    pub(super) fn write_field(&self, field: &'a StructField, body: &mut Body) -> Result<(), Error> {
        let (name, at) = (&field.name, format!("hc_s->{}", field.name));
        let to = format!("hc_image + {}", field.offset.unwrap_or_default());
        match &field.role.value {
            FieldRole::Value | FieldRole::Bits { .. } => {
                body.line(format!("HOTCELL_STORE({}, {to}, {at});", self.number(&field.ty)));
            }
            FieldRole::Array { .. } => body.line(format!("__builtin_memcpy({to}, {at}, sizeof {at});")),
            FieldRole::Struct { record } => {
                let (kept, c_record) = (self.inner_kept(record, name), c_key(record));
                let mut from = at;
                if self.is_shifted(field, record) {
                    let c_name = &self.interface.structs[record].c_name;
                    body.line(format!("{} = {from};", declare(c_name, &format!("val_{name}"))));
                    from = format!("val_{name}");
                }
                body.leave_when(&format!("!hotcell_struct_write_{c_record}(hc_ctx, &{from}{kept}, {to})"));
            }
            FieldRole::Structs { record, length } => {
                let c_record = c_key(record);
                self.each((name, record, *length), &to, body, |body, to, kept| {
                    let write = format!("hotcell_struct_write_{c_record}(hc_ctx, &val_{name}{kept}, {to})");
                    body.leave_when(&format!("!{write}"));
                });
            }
            FieldRole::Text { encoding, .. } => {
                body.line(format!("hotcell_ref ref_{name} = {{HOTCELL_PLACE_NULL, 0}};"));
                let give = texts::give(*encoding, &at, &format!("ref_{name}"));
                body.leave_when(&format!("{at} != NULL && !{give}"));
                body.line(format!("__builtin_memcpy({to}, &ref_{name}, sizeof ref_{name});"));
            }
            FieldRole::TextArray { length, .. } => {
                body.line(format!("__builtin_memcpy({to}, {at}, hotcell_length({at}, {length}));"));
            }
            FieldRole::Data { length, unit, record } => {
                let count = format!("(hotcell_wide)hc_s->{}", self.item.fields[*length].name);
                body.line(format!("hotcell_ref ref_{name} = {{HOTCELL_PLACE_NULL, 0}};"));
                match record {
                    Some(record) => {
                        let item = &self.interface.structs[record];
                        let filled = format!("hotcell_claim({count}, {}, UINT64_MAX - 1)", item.size);
                        body.line(format!("uint64_t filled_{name} = {filled};"));
                        let parts = (at.as_str(), &*format!("filled_{name}"), &*format!("ref_{name}"));
                        arrays::give(item, record, parts, body);
                    }
                    None => {
                        let size = self.counted(field, *unit)?;
                        let hand = format!("hotcell_hand(hc_ctx, {at}, {count}, 0, {size}, &ref_{name})");
                        body.leave_when(&format!("{at} != NULL && !{hand}"));
                    }
                }
                body.line(format!("__builtin_memcpy({to}, &ref_{name}, sizeof ref_{name});"));
            }
            FieldRole::Texts { encoding, length } => {
                let count = match length {
                    Some(length) => format!("(hotcell_wide)hc_s->{}", self.item.fields[*length].name),
                    None => format!("hotcell_count({at})"),
                };
                body.line(format!("hotcell_ref ref_{name} = {{HOTCELL_PLACE_NULL, 0}};"));
                let (unit, about) = (encoding.unit(), self.about(field));
                let hand =
                    format!("hotcell_hand_texts(hc_ctx, {at}, {count}, 0, {unit}, {about}, &ref_{name})");
                body.leave_when(&format!("{at} != NULL && !{hand}"));
                body.line(format!("__builtin_memcpy({to}, &ref_{name}, sizeof ref_{name});"));
            }
            FieldRole::Pointer { direction, .. } if !direction.goes_out() => {}
            FieldRole::Pointer { record, .. } => {
                let size = self.interface.structs[record].size;
                body.line(format!("hotcell_ref ref_{name} = {{HOTCELL_PLACE_NULL, 0}};"));
                body.when(&format!("{at} != NULL"), |body| {
                    let room = format!("(uint8_t *)hotcell_room(hc_ctx, {size}, 8, &ref_{name}.place)");
                    body.line(format!("uint8_t *image_{name} = {room};"));
                    let write = format!("hotcell_struct_write_{}(hc_ctx, {at}, image_{name})", c_key(record));
                    body.leave_when(&format!("image_{name} == NULL || !{write}"));
                    body.line(format!("ref_{name}.length = {size};"));
                });
                body.line(format!("__builtin_memcpy({to}, &ref_{name}, sizeof ref_{name});"));
            }
            FieldRole::BufferIn { .. } => {
                let data = format!("hc_kept->start_{name}, hc_kept->length_{name}");
                let advance = format!("hotcell_advance({data}, {at})");
                body.line(format!("hotcell_ref ref_{name} = {{HOTCELL_PLACE_NULL, {advance}}};"));
                body.line(format!("__builtin_memcpy({to}, &ref_{name}, sizeof ref_{name});"));
            }
            FieldRole::BufferOut { unit, filled, .. } => {
                let size = self.counted(field, *unit)?;
                let room = format!("hc_kept->size_{name}");
                let (Filled::Field { field: by } | Filled::Left { field: by }) = filled;
                let by = format!("(hotcell_wide)hc_s->{}", self.item.fields[*by].name);
                let place = format!("hc_kept->place_{name}");
                let data = match filled {
                    Filled::Field { .. } => {
                        format!("hotcell_added({place}, hc_kept->before_{name}, {by}, {size}, {room})")
                    }
                    Filled::Left { .. } => {
                        let most = if size == 1 { room.clone() } else { format!("({room} / {size})") };
                        let claim = format!("hotcell_claim((hotcell_wide){most} - {by}, {size}, {room})");
                        format!("{{{place}, {claim}}}")
                    }
                };
                body.line(format!("hotcell_ref ref_{name} = {data};"));
                body.line(format!("__builtin_memcpy({to}, &ref_{name}, sizeof ref_{name});"));
            }
            FieldRole::Union { record, anonymous, told } => {
                self.write_union(field, (record, *anonymous, told), body);
            }
            FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => {}
        }
        Ok(())
    }

    /// The statements of `hotcell_struct_forget_x`.
    pub(super) fn forget(&self) -> Body {
        let mut body = Body::leaving_by(&["return;"]);
        for field in &self.item.fields {
            let (name, at) = (&field.name, format!("hc_s->{}", field.name));
            match &field.role.value {
                FieldRole::Text { .. } => {
                    let data = format!("hc_kept->start_{name}, hc_kept->length_{name}");
                    // The library's own text stays.
                    body.when(&format!("hotcell_within({data}, {at})"), |body| {
                        body.line(format!("{at} = NULL;"));
                    });
                }
                FieldRole::BufferIn { .. } | FieldRole::BufferOut { .. } => {
                    body.line(format!("{at} = NULL;"));
                }
                FieldRole::Struct { record } if keeps(&self.interface.structs, record) => {
                    body.line(format!(
                        "hotcell_struct_forget_{}(&{at}{});",
                        c_key(record),
                        self.inner_kept(record, name)
                    ));
                }
                FieldRole::Structs { record, length } if keeps(&self.interface.structs, record) => {
                    let c_record = c_key(record);
                    self.each((name, record, *length), "NULL", &mut body, |body, _, kept| {
                        body.line(format!("hotcell_struct_forget_{c_record}(&val_{name}{kept});"));
                        let to = format!("(uint8_t *){at} + hc_i * sizeof val_{name}");
                        body.line(format!("__builtin_memcpy({to}, &val_{name}, sizeof val_{name});"));
                    });
                }
                _ => {}
            }
        }
        body
    }
}
