//! Structures: their fields, and the statements that move them into images and out of them.

use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::interface::{Encoding, FieldRole, Filled, Struct, StructField, Unit};
use serde::Serialize;

use crate::Error;
use crate::rust::context::Context;
use crate::rust::names::{self, Scope};
use crate::rust::texts::{self, owned};
use crate::rust::{docs, format, types, unions};
use crate::shape::deeds::Deeds;
use crate::shape::fields::about;

/// What `record.rs.j2` and `union.rs.j2` print.
#[derive(Serialize, Default)]
pub(crate) struct Record {
    pub(crate) name: String,
    docs: Vec<String>,
    /// Whether it is a union, whose fields are what can be there.
    union: bool,
    /// Documentation, name and type of each.
    fields: Vec<(String, String, String)>,
    /// Each with what it is at first, where that cannot be derived; empty otherwise.
    defaults: Vec<String>,
    /// Statements that write an image.
    writes: Vec<String>,
    /// Statements that read one.
    reads: Vec<String>,
    /// What the parameters of the functions with these statements go by: `_` in front when no statement needs it.
    call: &'static str,
    reply: &'static str,
    image: &'static str,
    at: &'static str,
    size: u32,
    /// Whether something needs the size.
    sized: bool,
    put: bool,
    put_list: bool,
    take_list: bool,
    take_opt_list: bool,
    take_promised_list: bool,
    begin: bool,
    end: bool,
    fill: bool,
    update: bool,
    take: bool,
    take_nullable: bool,
    read: bool,
}

/// A field with what is generated for it.
struct Field<'a> {
    context: &'a Context<'a>,
    record: &'a Struct,
    field: &'a StructField,
    name: String,
    offset: u32,
    /// The fields' names, by those of C.
    names: &'a BTreeMap<String, String>,
}

/// The Rust side of a structure.
pub(crate) fn record(context: &Context<'_>, key: &str, deeds: Deeds) -> Result<Record, Error> {
    let interface: &Interface = context.interface;
    let missing = || Error::Inconsistent {
        function: key.to_owned(),
        what: "it is named and is no structure of the interface".into(),
    };
    let record = interface.structs.get(key).ok_or_else(missing)?;
    let name = context.names.structs.get(key).ok_or_else(missing)?.clone();
    if record.union {
        return unions::record(context, key, record, name, deeds);
    }
    // What a resident structure has beside its fields.
    let mut scope = Scope::with(if record.resident { &["object", "session"] } else { &[] });
    let (mut fields, mut defaults, mut writes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut numbers, mut others) = (Vec::new(), Vec::new());
    let mut derived = !record.resident;
    let visible = record.fields.iter().filter_map(|field| Some((field, field.offset?)));
    let names = visible.clone().map(|(field, _)| (field.name.clone(), scope.take(names::snake(&field.name))));
    let names: BTreeMap<String, String> = names.collect();
    for (field, offset) in visible {
        let field = Field { context, record, field, name: names[&field.name].clone(), offset, names: &names };
        let (ty, default) = field.ty()?;
        derived &= !matches!(field.field.role.value, FieldRole::Array { length } | FieldRole::Structs { length, .. } if length > 32);
        fields.push((about(record, field.field), field.name.clone(), ty));
        defaults.push(format!("{}: {default},", field.name));
        writes.extend(field.write()?);
        // What is read of a buffer depends on what the numbers were.
        match field.field.role.value {
            FieldRole::Value | FieldRole::Bits { .. } => numbers.extend(field.read()?),
            _ => others.extend(field.read()?),
        }
    }
    let reads = [others, numbers].concat();
    let lists = deeds.put_list || deeds.take_list || deeds.take_opt_list || deeds.take_promised_list;
    let mut docs = record.doc.as_deref().map(docs::from_header).unwrap_or_default();
    if !docs.is_empty() {
        docs.push(String::new());
    }
    docs.push(format!("C: `{}`", record.c_name));
    Ok(Record {
        call: if mentions(&writes, "call") { "call" } else { "_call" },
        reply: if mentions(&reads, "reply") { "reply" } else { "_reply" },
        image: if fields.is_empty() { "_image" } else { "image" },
        at: if fields.is_empty() { "_at" } else { "at" },
        name,
        docs,
        union: false,
        fields,
        defaults: if derived { Vec::new() } else { defaults },
        writes,
        reads,
        size: record.size,
        sized: record.resident || deeds.put || deeds.update || deeds.take || deeds.take_nullable || lists,
        put: deeds.put,
        put_list: deeds.put_list,
        take_list: deeds.take_list,
        take_opt_list: deeds.take_opt_list,
        take_promised_list: deeds.take_promised_list,
        begin: deeds.begin,
        end: deeds.end,
        fill: deeds.fill,
        update: deeds.update,
        take: deeds.take,
        take_nullable: deeds.take_nullable,
        read: deeds.read,
    })
}

/// Whether statements pass something on under this name. Where a call is broken, its first argument starts a line.
fn mentions(lines: &[String], word: &str) -> bool {
    lines.iter().any(|line| line.contains(&format!("({word}, ")) || line.trim() == format!("{word},"))
}

impl Record {
    /// A union: its members with what it is at first, and the statements that write and read them.
    pub(crate) fn of_union(
        (name, docs): (String, Vec<String>),
        (fields, defaults): (Vec<(String, String, String)>, Vec<String>),
        (writes, reads): (Vec<String>, Vec<String>),
        size: u32,
        deeds: Deeds,
    ) -> Record {
        Record {
            call: if mentions(&writes, "call") { "call" } else { "_call" },
            reply: if mentions(&reads, "reply") { "reply" } else { "_reply" },
            union: true,
            fill: deeds.fill,
            read: deeds.read,
            name,
            docs,
            fields,
            defaults,
            writes,
            reads,
            size,
            ..Record::default()
        }
    }
}

impl Field<'_> {
    /// The field's type, and what it is at first.
    fn ty(&self) -> Result<(String, String), Error> {
        Ok(match &self.field.role.value {
            FieldRole::Value | FieldRole::Bits { .. } => {
                let number = self.context.number(&self.field.ty).ok_or_else(|| self.unsupported())?;
                let zero = number.zero();
                (number.name, zero)
            }
            FieldRole::Array { length } => {
                let element = self.element();
                let zero = types::zero(element);
                (format!("[{element}; {length}]"), format!("[{zero}; {length}]"))
            }
            FieldRole::Struct { record } | FieldRole::Union { record, .. } => {
                let name = self.context.structure(&self.record.c_name, record, |_| {})?;
                (name.clone(), format!("{name}::default()"))
            }
            FieldRole::Structs { record, length } => {
                let name = self.context.structure(&self.record.c_name, record, |_| {})?;
                (format!("[{name}; {length}]"), format!("std::array::from_fn(|_| {name}::default())"))
            }
            FieldRole::TextArray { encoding, .. } => {
                let ty = owned(*encoding);
                let new = if ty == "String" { "String::new()" } else { "Vec::new()" };
                (ty.into(), new.into())
            }
            FieldRole::Data { record: Some(record), .. } => {
                let name = self.context.structure(&self.record.c_name, record, |_| {})?;
                (format!("Vec<{name}>"), "Vec::new()".into())
            }
            FieldRole::Data { .. } => (format!("Vec<{}>", self.element()), "Vec::new()".into()),
            FieldRole::Texts { encoding, length: Some(_) } => {
                (format!("Vec<Option<{}>>", owned(*encoding)), "Vec::new()".into())
            }
            FieldRole::Texts { encoding, .. } => (format!("Vec<{}>", owned(*encoding)), "Vec::new()".into()),
            FieldRole::Pointer { record, .. } => {
                let name = self.context.structure(&self.record.c_name, record, |_| {})?;
                (format!("Option<{name}>"), "None".into())
            }
            FieldRole::Text { nullable: true, encoding } => {
                (format!("Option<{}>", owned(*encoding)), "None".into())
            }
            FieldRole::Text { encoding, .. } => {
                let ty = owned(*encoding);
                let new = if ty == "String" { "String::new()" } else { "Vec::new()" };
                (ty.into(), new.into())
            }
            FieldRole::BufferIn { nullable: true } => {
                (format!("Option<Vec<{}>>", self.element()), "None".into())
            }
            FieldRole::BufferIn { .. } | FieldRole::BufferOut { .. } => {
                (format!("Vec<{}>", self.element()), "Vec::new()".into())
            }
            FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => return Err(self.unsupported()),
        })
    }

    fn write(&self) -> Result<Vec<String>, Error> {
        let (at, name) = (self.at(), &self.name);
        let value = format!("self.{name}");
        Ok(match &self.field.role.value {
            FieldRole::Value => {
                let number = self.context.number(&self.field.ty).ok_or_else(|| self.unsupported())?;
                let method = format!("image.put_{}", types::primitive(number.kind));
                format::call(8, &method, &[at, number.encode(&value)], ";")
            }
            FieldRole::Bits { width } => {
                let number = self.context.number(&self.field.ty).ok_or_else(|| self.unsupported())?;
                let method = format!("image.put_{}", types::primitive(number.kind));
                let plain = number.encode(&value);
                let signed = types::is_signed(number.kind);
                let wide = format!("i128::from({plain})");
                let args = [
                    "call".into(),
                    format!("{:?}", self.field.name),
                    wide,
                    width.to_string(),
                    signed.to_string(),
                ];
                let mut lines = format::call(8, "rt::check_bits", &args, "?;");
                lines.extend(format::call(8, &method, &[at, plain], ";"));
                lines
            }
            FieldRole::Structs { record, .. } => {
                let size = self.size_of(record)?;
                let mut lines = vec![format!("        for (index, item) in {value}.iter().enumerate() {{")];
                let place = format!("{at} + index * {size}");
                lines.extend(format::call(
                    12,
                    "item.fill_image",
                    &["call".into(), "image".into(), place],
                    "?;",
                ));
                lines.push("        }".into());
                lines
            }
            FieldRole::Array { .. } => format::call(8, "image.put_array", &[at, format!("&{value}")], ";"),
            FieldRole::Struct { .. } | FieldRole::Union { .. } => {
                format::field_call(8, name, "fill_image", &format!("call, image, {at}"), "?;")
            }
            FieldRole::TextArray { encoding, length, pad } => {
                let data = match encoding {
                    Encoding::Utf8 => format!("{value}.as_bytes()"),
                    _ => format!("&{value}"),
                };
                let (method, room) = texts::put_array(*length, *pad);
                let args = ["call".into(), at, format!("{:?}", self.field.name), data, room];
                format::call(8, method, &args, "?;")
            }
            FieldRole::Data { .. } | FieldRole::Texts { .. } => format::call(8, "image.put_null", &[at], ";"),
            FieldRole::Pointer { direction, .. } if !direction.goes_in() => {
                format::call(8, "image.put_null", &[at], ";")
            }
            FieldRole::Pointer { record, .. } => {
                let size = self.size_of(record)?;
                let mut lines = vec![
                    format!("        if let Some(inner) = &{value} {{"),
                    format!("            let mut part = rt::Image::new({size});"),
                    "            inner.fill_image(call, &mut part, 0)?;".into(),
                ];
                let args = ["call".into(), at.clone(), format!("{:?}", self.field.name), "&part".into()];
                lines.extend(format::call(12, "image.put_image", &args, "?;"));
                lines.extend([
                    "        } else {".into(),
                    format!("            image.put_null({at});"),
                    "        }".into(),
                ]);
                lines
            }
            FieldRole::Text { encoding, nullable } => self.data(&texts::put(*encoding), *nullable),
            FieldRole::BufferIn { nullable } if self.element() == "u8" => self.data("put_buffer", *nullable),
            FieldRole::BufferIn { nullable } => self.data("put_elements", *nullable),
            FieldRole::BufferOut { .. } => format::call(8, "image.put_null", &[at], ";"),
            FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => return Err(self.unsupported()),
        })
    }

    fn data(&self, method: &str, nullable: bool) -> Vec<String> {
        let (at, name) = (self.at(), &self.name);
        let written = format!("{:?}", self.field.name);
        let head = format!("image.{method}");
        if !nullable {
            let args = ["call".into(), at, written, format!("&self.{name}")];
            return format::call(8, &head, &args, "?;");
        }
        let mut lines = vec![format!("        if let Some(data) = &self.{name} {{")];
        lines.extend(format::call(12, &head, &["call".into(), at.clone(), written, "data".into()], "?;"));
        lines.extend([
            "        } else {".into(),
            format!("            image.put_null({at});"),
            "        }".into(),
        ]);
        lines
    }

    fn read(&self) -> Result<Vec<String>, Error> {
        let (at, name) = (self.at(), &self.name);
        let field = format!("self.{name}");
        let assign = |method: &str| {
            format::assign(8, &field, &format!("image.{method}"), &["reply".into(), at.clone()], "?;")
        };
        Ok(match &self.field.role.value {
            FieldRole::Structs { record, .. } => {
                let size = self.size_of(record)?;
                let mut lines =
                    vec![format!("        for (index, item) in {field}.iter_mut().enumerate() {{")];
                let place = format!("{at} + index * {size}");
                lines.extend(format::call(
                    12,
                    "item.read_image",
                    &["reply".into(), "image".into(), place],
                    "?;",
                ));
                lines.push("        }".into());
                lines
            }
            FieldRole::Value | FieldRole::Bits { .. } => {
                let number = self.context.number(&self.field.ty).ok_or_else(|| self.unsupported())?;
                let value = format!("image.get_{}({at})", types::primitive(number.kind));
                vec![format!("        self.{name} = {};", number.decode(&value))]
            }
            FieldRole::Array { .. } => format::assign(8, &field, "image.array", &[at], ";"),
            FieldRole::Struct { .. } | FieldRole::Union { .. } => {
                format::field_call(8, name, "read_image", &format!("reply, image, {at}"), "?;")
            }
            FieldRole::TextArray { encoding, length, pad } => {
                let args = ["reply".into(), at, length.to_string()];
                format::assign(8, &field, texts::read_array(*encoding, *pad), &args, "?;")
            }
            FieldRole::Data { record: Some(record), .. } => {
                let (size, ty) = (self.size_of(record)?, self.inner(record)?);
                let mut lines = vec![format!("        {field}.clear();")];
                let args = ["reply".into(), at, size.to_string()];
                let mut head = format::call(8, "if let Some((images, count)) = image.images", &args, "? {");
                lines.append(&mut head);
                lines.extend([
                    "            for index in 0..count {".into(),
                    format!("                let mut item = {ty}::default();"),
                    format!("                item.read_image(reply, &images, index * {size})?;"),
                    format!("                {field}.push(item);"),
                    "            }".into(),
                    "        }".into(),
                ]);
                lines
            }
            FieldRole::Data { .. } => assign(if self.element() == "u8" { "buffer" } else { "elements" }),
            FieldRole::Texts { encoding, length } => {
                let kind = texts::kind(*encoding);
                assign(&format!("{}::<rt::{kind}>", if length.is_some() { "texts" } else { "ended_texts" }))
            }
            FieldRole::Pointer { direction, .. } if !direction.goes_out() => Vec::new(),
            FieldRole::Pointer { record, .. } => {
                let (size, ty) = (self.size_of(record)?, self.inner(record)?);
                let mut lines = vec![format!("        {field} = None;")];
                let args = ["reply".into(), at, size.to_string()];
                lines.extend(format::call(8, "if let Some(part) = image.image", &args, "? {"));
                lines.extend([
                    format!("            let mut inner = {ty}::default();"),
                    "            inner.read_image(reply, &part, 0)?;".into(),
                    format!("            {field} = Some(inner);"),
                    "        }".into(),
                ]);
                lines
            }
            FieldRole::Text { encoding, nullable } => assign(&texts::read(*encoding, *nullable)),
            FieldRole::BufferIn { nullable: false } => self.advance(8, &field),
            FieldRole::BufferIn { nullable: true } => {
                let mut lines = vec![format!("        if let Some(data) = &mut self.{name} {{")];
                lines.extend(self.advance(12, "data"));
                lines.push("        }".into());
                lines
            }
            FieldRole::BufferOut { filled: Filled::Left { .. }, .. } => {
                assign(if self.element() == "u8" { "buffer" } else { "elements" })
            }
            FieldRole::BufferOut { filled: Filled::Field { field }, unit, capacity } => {
                self.append((*field, *capacity), *unit)?
            }
            FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => return Err(self.unsupported()),
        })
    }

    /// Puts what is new behind what was there before: as much as the number at `start` said, in the memory that the
    /// one at `room` said there is.
    fn append(&self, (start, room): (usize, usize), unit: Unit) -> Result<Vec<String>, Error> {
        let (variable, method) = match self.element() {
            "u8" => ("let filled".to_owned(), "image.buffer"),
            element => (format!("let filled: Vec<{element}>"), "image.elements"),
        };
        let divide = match (unit, types::size(self.element())) {
            (Unit::Bytes, size) if size > 1 => format!(" / {size}"),
            _ => String::new(),
        };
        let mut lines = format::assign(8, &variable, method, &["reply".into(), self.at()], "?;");
        for (variable, position) in [("start", start), ("room", room)] {
            let field = self.record.fields.get(position).ok_or_else(|| self.unsupported())?;
            let name = self.names.get(&field.name).ok_or_else(|| self.unsupported())?;
            lines
                .push(format!("        let {variable} = usize::try_from(self.{name}).unwrap_or(0){divide};"));
        }
        let args = [format!("&mut self.{}", self.name), "filled".into(), "start".into(), "room".into()];
        lines.extend(format::call(8, "reply.append", &args, "?;"));
        Ok(lines)
    }

    /// Takes off the data in `of` what the library took.
    fn advance(&self, indent: usize, of: &str) -> Vec<String> {
        let (bytes, elements) = match types::size(self.element()) {
            1 => (format!("{of}.len()"), "..taken".to_owned()),
            size => (format!("{of}.len() * {size}"), format!("..taken / {size}")),
        };
        let args = ["reply".into(), self.at(), bytes];
        let mut lines = format::assign(indent, "let taken", "image.advanced", &args, "?;");
        lines.extend(match of.strip_prefix("self.") {
            Some(field) => format::field_call(8, field, "drain", &elements, ";"),
            None => format::call(indent, &format!("{of}.drain"), &[elements], ";"),
        });
        lines
    }

    /// Where the field lies, from the start of its structure at `at`.
    fn at(&self) -> String {
        if self.offset == 0 { "at".into() } else { format!("at + {}", self.offset) }
    }

    fn element(&self) -> &'static str {
        let ty = &self.field.ty;
        let inner =
            ty.array().map(|(element, _)| element).or_else(|| ty.pointee().map(|(pointee, _)| pointee));
        inner.map_or("u8", |ty| types::element(ty, &self.context.interface.target))
    }

    /// The type of a structure that a field points to.
    fn inner(&self, record: &str) -> Result<String, Error> {
        self.context.structure(&self.record.c_name, record, |_| {})
    }

    /// Bytes of an image of this structure.
    fn size_of(&self, record: &str) -> Result<u32, Error> {
        let record = self.context.interface.structs.get(record);
        record.map(|record| record.size).ok_or_else(|| self.unsupported())
    }

    fn unsupported(&self) -> Error {
        let what = format!("field `{}` ({})", self.field.name, self.field.ty.written);
        Error::Unsupported { function: self.record.c_name.clone(), what }
    }
}
