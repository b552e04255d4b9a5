//! Structures: their fields before the call, and after it.

use std::io;

use hotcell_model::interface::{FieldRole, Filled, Pad, Role, Struct, StructField, Told, Unit};
use hotcell_model::types::{CType, Type};

use super::Body;
use super::callbacks::{kind, put_text, scalar};
use crate::direct::literal;
use crate::direct::types::element_size;
use crate::plan::Input;

impl<'a> Body<'a> {
    fn definition(&self, record: &str) -> &'a Struct {
        &self.interface.structs[record]
    }

    /// A structure of this call alone, by value or by pointer.
    pub(super) fn structure(&mut self, index: usize, record: &str) -> io::Result<()> {
        let Role::Struct { direction, .. } = self.param(index).role.value else { return Ok(()) };
        let c_name = self.definition(record).c_name.clone();
        self.line(format!("{c_name} dt_s{index};"));
        self.line(format!("memset(&dt_s{index}, 0, sizeof dt_s{index});"));
        let input = self.input(index);
        if let (Input::Struct(fields), true) = (input, direction.goes_in()) {
            self.set(record, &format!("dt_s{index}"), fields)?;
        }
        self.remember(record, &format!("dt_s{index}"), &format!("dt_w{index}"));
        let null = direction.goes_in() && input == &Input::Null;
        let address = if null { "NULL".into() } else { format!("&dt_s{index}") };
        self.line(format!("void *dt_a{index} = {address};"));
        Ok(())
    }

    /// Several structures, one behind the other.
    pub(super) fn structures(&mut self, index: usize, record: &str) -> io::Result<()> {
        let Input::List(list) = self.input(index) else {
            self.line(format!("void *dt_a{index} = NULL; size_t dt_n{index} = 0;"));
            return Ok(());
        };
        let c_name = self.definition(record).c_name.clone();
        self.line(format!("{c_name} *dt_s{index} = calloc({}, sizeof({c_name}));", list.len() + 1));
        for (position, item) in list.iter().enumerate() {
            let Input::Struct(fields) = item else { continue };
            self.set(record, &format!("dt_s{index}[{position}]"), fields)?;
        }
        self.line(format!("void *dt_a{index} = dt_s{index};"));
        self.line(format!("size_t dt_n{index} = {} * sizeof({c_name});", list.len()));
        Ok(())
    }

    /// Writes structures one behind the other, as many as lie in so many bytes.
    pub(super) fn structures_out(&mut self, record: &str, array: &str, bytes: &str) {
        let c_name = self.definition(record).c_name.clone();
        self.line(format!("if ({array} == NULL) dt_put(\"null\"); else {{ dt_put(\"[\");"));
        self.line(format!(
            "for (int64_t dt_i = 0; dt_i < (int64_t)({bytes}) / (int64_t)sizeof({c_name}); dt_i++) {{"
        ));
        self.line("dt_put(dt_i > 0 ? \",\" : \"\");");
        self.fields_out(record, &format!("(({c_name} *){array})[dt_i]"), None, &[]);
        self.line("} dt_put(\"]\"); }");
    }

    /// A structure that stays: its numbers are those that the caller saw last, or sets now.
    pub(super) fn resident(&mut self, index: usize, record: &str) -> io::Result<()> {
        let Input::Resident(number, fields) = self.input(index) else { return Ok(()) };
        let definition = self.definition(record);
        let (c_name, place) = (&definition.c_name, format!("dt_objects[{number}]"));
        let ty = self.type_number(record);
        self.line(format!("int dt_b{index} = {place}.pointer == NULL;"));
        self.line(format!(
            "if (dt_b{index}) {{ dt_enter({number}, {ty}, calloc(1, sizeof({c_name})), -1, 1); \
             {place}.image = calloc(1, sizeof({c_name})); }}"
        ));
        self.line(format!("{c_name} *dt_a{index} = {place}.pointer;"));
        self.line(format!("{c_name} *dt_m{index} = {place}.image;"));
        let live = format!("(*dt_a{index})");
        for field in &definition.fields {
            let name = &field.name;
            if let FieldRole::Bits { .. } = field.role.value {
                self.line(format!("{live}.{name} = dt_m{index}->{name};"));
            }
            if let FieldRole::Value
            | FieldRole::Array { .. }
            | FieldRole::Struct { .. }
            | FieldRole::Structs { .. } = field.role.value
            {
                self.line(format!("memcpy(&{live}.{name}, &dt_m{index}->{name}, sizeof {live}.{name});"));
            }
        }
        self.set(record, &live, fields)?;
        self.remember(record, &live, &format!("dt_w{index}"));
        Ok(())
    }

    /// Sets every declared field. Numbers that are not named stay, everything else becomes NULL.
    fn set(&mut self, record: &str, place: &str, given: &[(String, Input)]) -> io::Result<()> {
        let definition = self.definition(record);
        let find = |name: &str| given.iter().find(|it| it.0 == name).map(|it| &it.1);
        for field in &definition.fields {
            let (name, input) = (&field.name, find(&field.name));
            let target = format!("{place}.{name}");
            if definition.union && input.is_none() {
                continue; // Members lie in one place.
            }
            match (&field.role.value, input) {
                (FieldRole::Value | FieldRole::Bits { .. }, Some(value)) => {
                    self.line(format!("{target} = {};", literal::number(value)));
                }
                (FieldRole::Array { .. }, Some(value)) => {
                    let memory = self.memory(value)?;
                    self.line(format!("memcpy({target}, {memory}, sizeof {target});"));
                }
                (FieldRole::Struct { record }, Some(Input::Struct(fields))) => {
                    self.set(record, &target, fields)?;
                }
                (FieldRole::Union { record, anonymous, .. }, Some(Input::Struct(fields))) => {
                    self.set(record, if *anonymous { place } else { &target }, fields)?;
                }
                (FieldRole::Structs { record, .. }, Some(Input::List(list))) => {
                    for (position, item) in list.iter().enumerate() {
                        let Input::Struct(fields) = item else { continue };
                        let target = format!("{}[{position}]", first(&target, &field.ty));
                        self.set(record, &target, fields)?;
                    }
                }
                (FieldRole::TextArray { encoding, pad, .. }, value) => {
                    let none = Input::text("");
                    let (memory, length) = self.text(value.unwrap_or(&none), *encoding)?;
                    let pad = pad.map_or(0, |pad| pad.byte());
                    self.line(format!("memset({target}, {pad}, sizeof {target});"));
                    self.line(format!("memcpy({target}, {memory}, {length});"));
                }
                (FieldRole::Data { .. } | FieldRole::Texts { .. }, _) if !definition.resident => {
                    self.line(format!("{target} = NULL;"));
                }
                (FieldRole::Pointer { record, direction }, Some(Input::Struct(fields)))
                    if direction.goes_in() =>
                {
                    let c_name = self.definition(record).c_name.clone();
                    let number = self.lines.len();
                    self.line(format!("{c_name} *dt_p{number} = calloc(1, sizeof({c_name}));"));
                    self.set(record, &format!("(*dt_p{number})"), fields)?;
                    self.line(format!("{target} = dt_p{number};"));
                }
                (FieldRole::Text { nullable, .. } | FieldRole::BufferIn { nullable }, value) => {
                    let absent = if *nullable { Input::Null } else { Input::text("") };
                    let value = value.unwrap_or(&absent);
                    let memory = match field.role.value {
                        FieldRole::Text { encoding, .. } => self.text(value, encoding)?.0,
                        _ => self.memory(value)?,
                    };
                    self.line(format!("{target} = {memory};"));
                }
                (FieldRole::LengthOf { field: buffer, unit }, _) => {
                    let buffer = &definition.fields[*buffer];
                    let length = find(&buffer.name).and_then(Input::bytes).map_or(0, |data| data.len());
                    let size = unit_size(*unit, &buffer.ty);
                    self.line(format!("{target} = {length} / {size};"));
                }
                (FieldRole::Zero, _) => self.line(format!("memset(&{target}, 0, sizeof {target});")),
                _ => {}
            }
        }
        // When the capacities are there.
        for field in &definition.fields {
            if let FieldRole::BufferOut { capacity, unit, .. } = &field.role.value {
                let target = format!("{place}.{}", field.name);
                let size = unit_size(*unit, &field.ty);
                let bytes = format!("dt_bytes({place}.{}, {size})", definition.fields[*capacity].name);
                self.line(format!("if ({bytes} < 0) {{ dt_say(\"refused\", \"\"); return; }}"));
                self.line(format!("{target} = calloc(1, {bytes} == 0 ? 1 : {bytes});"));
            }
        }
        Ok(())
    }

    /// Keeps the structure as it was before the call.
    fn remember(&mut self, record: &str, place: &str, name: &str) {
        let c_name = &self.definition(record).c_name;
        self.line(format!("{c_name} {name}; memcpy(&{name}, &{place}, sizeof {name});"));
    }

    /// Writes what became of a structure parameter.
    pub(super) fn structure_out(&mut self, index: usize, record: &str) {
        let given = match self.input(index) {
            Input::Struct(fields) => fields.as_slice(),
            _ => &[],
        };
        self.line(format!("if (dt_a{index} == NULL) dt_put(\"null\"); else {{"));
        self.fields_out(record, &format!("dt_s{index}"), Some(&format!("dt_w{index}")), given);
        self.line("}");
    }

    /// Writes what became of a resident structure; its buffers were the call's.
    pub(super) fn resident_out(&mut self, index: usize, record: &str, consumed: bool) {
        let Input::Resident(number, given) = self.input(index) else { return self.put("null") };
        let live = format!("(*dt_a{index})");
        self.fields_out(record, &live, Some(&format!("dt_w{index}")), given);
        self.line(format!("memcpy(dt_m{index}, dt_a{index}, sizeof *dt_m{index});"));
        let definition = self.definition(record);
        for field in &definition.fields {
            if let FieldRole::BufferIn { .. } | FieldRole::BufferOut { .. } = field.role.value {
                self.line(format!("{live}.{} = NULL;", field.name));
            }
        }
        if consumed {
            self.line(format!("dt_end({number});"));
        }
    }

    /// Writes the fields of a structure. `before` is as it was before the call, and `given` what the caller passed.
    pub(super) fn fields_out(
        &mut self,
        record: &str,
        place: &str,
        before: Option<&str>,
        given: &[(String, Input)],
    ) {
        let definition = self.definition(record);
        self.put("{\"struct\":[");
        let mut first = true;
        for field in &definition.fields {
            if field.offset.is_none() {
                continue;
            }
            let comma = if std::mem::take(&mut first) { "" } else { "," };
            self.put(&format!("{comma}[\"{}\",", field.name));
            let given = given.iter().find(|it| it.0 == field.name).map(|it| &it.1);
            self.field_out(definition, field, place, before, given);
            self.put("]");
        }
        self.put("]}");
    }

    fn field_out(
        &mut self,
        definition: &Struct,
        field: &StructField,
        place: &str,
        before: Option<&str>,
        given: Option<&Input>,
    ) {
        let target = format!("{place}.{}", field.name);
        match &field.role.value {
            FieldRole::Value | FieldRole::Bits { .. } => self.line(scalar(&target, &field.ty)),
            FieldRole::Structs { record, length } => {
                self.put("[");
                for position in 0..*length {
                    self.put(if position == 0 { "" } else { "," });
                    let at = |place: &str| {
                        format!("{}[{position}]", first(&format!("{place}.{}", field.name), &field.ty))
                    };
                    let given = match given {
                        Some(Input::List(list)) => list.get(position as usize),
                        _ => None,
                    };
                    let given = match given {
                        Some(Input::Struct(fields)) => fields.as_slice(),
                        _ => &[],
                    };
                    self.fields_out(record, &at(place), before.map(at).as_deref(), given);
                }
                self.put("]");
            }
            FieldRole::Array { .. } => {
                self.line(format!("dt_put_data(\"data\", {target}, sizeof {target});"))
            }
            FieldRole::Struct { record } => {
                let before = before.map(|before| format!("{before}.{}", field.name));
                let given = match given {
                    Some(Input::Struct(fields)) => fields.as_slice(),
                    _ => &[],
                };
                self.fields_out(record, &target, before.as_deref(), given);
            }
            FieldRole::Union { record, anonymous, told } => {
                let inner = if *anonymous { place } else { &target };
                self.union_out((definition, told), place, (record, inner), given);
            }
            FieldRole::Text { encoding, .. } => {
                self.line(put_text(*encoding, &target));
            }
            FieldRole::TextArray { encoding, length, pad } => {
                let kind = kind(*encoding);
                let end = if *pad == Some(Pad::Space) { "dt_spaced" } else { "strnlen" };
                self.line(format!("dt_put_data({kind}, {target}, {end}((char *){target}, {length}));"));
            }
            FieldRole::Data { length, unit, record } => {
                let count = format!("{place}.{}", definition.fields[*length].name);
                let size = unit_size(*unit, &field.ty);
                let bytes = format!("({target} == NULL ? 0 : dt_bytes({count}, {size}))");
                self.line(format!("if ({bytes} < 0) dt_lied();"));
                match record {
                    Some(record) => self.structures_out(record, &target, &bytes),
                    None => self.line(format!("dt_put_data(\"data\", {target}, {bytes});")),
                }
            }
            FieldRole::Texts { encoding, length } => {
                let end = match length {
                    Some(length) => {
                        let count = format!("{place}.{}", definition.fields[*length].name);
                        self.line(format!("if ({target} != NULL && {count} < 0) dt_lied();"));
                        format!("dt_k < (int64_t){count}")
                    }
                    None => format!("{target}[dt_k] != NULL"),
                };
                self.line(format!("if ({target} == NULL) dt_put(\"null\"); else {{ dt_put(\"[\");"));
                let put = put_text(*encoding, &format!("{target}[dt_k]"));
                self.line(format!(
                    "for (int64_t dt_k = 0; {end}; dt_k++) {{ dt_put(dt_k > 0 ? \",\" : \"\"); {put} }}"
                ));
                self.line("dt_put(\"]\"); }");
            }
            FieldRole::Pointer { direction, .. } if !direction.goes_out() => self.put("null"),
            FieldRole::Pointer { record, .. } => {
                self.line(format!("if ({target} == NULL) dt_put(\"null\"); else {{"));
                self.fields_out(record, &format!("(*{target})"), None, &[]);
                self.line("}");
            }
            FieldRole::BufferIn { .. } => {
                let (Some(before), true) = (before, given.is_some()) else { return self.put("null") };
                let start = format!("(char *){before}.{}", field.name);
                let length = self.buffer_length(definition, field, before);
                let moved = format!("((char *){target} - {start})");
                self.line(format!("if ({start} != NULL && ({moved} < 0 || {moved} > {length})) dt_lied();"));
                // What the library has not taken.
                self.line(format!("if ({start} == NULL) dt_put(\"null\");"));
                self.line(format!("else dt_put_data(\"data\", {start} + {moved}, {length} - {moved});"));
            }
            FieldRole::BufferOut { capacity, unit, filled } => {
                let Some(before) = before else { return self.put("null") };
                let size = unit_size(*unit, &field.ty);
                let name = |position: usize| &definition.fields[position].name;
                let room = format!("(__int128){before}.{}", name(*capacity));
                let (from, to) = match filled {
                    Filled::Field { field } => {
                        (format!("(__int128){before}.{}", name(*field)), format!("{place}.{}", name(*field)))
                    }
                    Filled::Left { field } => ("0".into(), format!("({room} - {place}.{})", name(*field))),
                };
                self.line(format!("if ({to} < {from} || {to} > {room}) dt_lied();"));
                let start = format!("(char *){before}.{} + {from} * {size}", field.name);
                self.line(format!("dt_put_data(\"data\", {start}, ({to} - {from}) * {size});"));
            }
            FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => self.put("null"),
        }
    }

    /// Writes the member of a union that is there.
    fn union_out(
        &mut self,
        (around, told): (&Struct, &Told),
        place: &str,
        (record, inner): (&str, &str),
        given: Option<&Input>,
    ) {
        let union = self.definition(record);
        let given = |name: &str| match given {
            Some(Input::Struct(fields)) => fields.iter().find(|it| it.0 == name).map(|it| &it.1),
            _ => None,
        };
        for (position, member) in union.fields.iter().enumerate() {
            let there = match told {
                Told::Always => "1".to_owned(),
                Told::By { field, values } => {
                    let tag = &around.fields[*field].name;
                    let is =
                        values[position].iter().map(|value| format!("(__int128){place}.{tag} == {value}"));
                    is.chain(["0".to_owned()]).collect::<Vec<_>>().join(" || ")
                }
            };
            self.line(format!("if ({there}) {{"));
            self.put(&format!("{{\"struct\":[[\"{}\",", member.name));
            self.field_out(union, member, inner, None, given(&member.name));
            self.put("]]}");
            self.line("} else");
        }
        self.line("{");
        self.put("{\"struct\":[]}");
        self.line("}");
    }

    /// The bytes of a buffer that went in.
    fn buffer_length(&self, definition: &Struct, field: &StructField, before: &str) -> String {
        let position = definition.fields.iter().position(|it| it.name == field.name);
        let length = definition.fields.iter().find_map(|it| match it.role.value {
            FieldRole::LengthOf { field, unit } if Some(field) == position => Some((&it.name, unit)),
            _ => None,
        });
        match length {
            Some((name, unit)) => {
                format!("(int64_t){before}.{name} * (int64_t){}", unit_size(unit, &field.ty))
            }
            None => "INT64_MAX".into(),
        }
    }

    /// The number of a handle type, for telling types apart.
    pub(super) fn type_number(&self, name: &str) -> usize {
        self.interface.handles.keys().position(|it| it == name).map_or(0, |position| position + 1)
    }
}

/// The first element of an array of arrays, and so on, as what elements are counted from.
fn first(place: &str, ty: &CType) -> String {
    let mut depth = 0;
    let mut inner = ty;
    while let Type::Array { element, .. } = &inner.kind {
        (inner, depth) = (element, depth + 1);
    }
    format!("(&{place}{})", "[0]".repeat(depth))
}

/// Bytes of what is counted.
fn unit_size(unit: Unit, ty: &CType) -> String {
    let bytes = unit == Unit::Bytes || matches!(ty.pointee(), Some((it, _)) if it.kind == Type::Void);
    if bytes { "1".into() } else { element_size(ty) }
}
