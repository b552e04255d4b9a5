//! Unions: an interface, and a type for each member that can be there.

use hotcell_model::interface::{FieldRole, Struct, StructField, Told};
use serde::Serialize;

use crate::Error;
use crate::go::context::Context;
use crate::go::structs::{Record, or_null};
use crate::go::values::text;
use crate::go::{docs, texts, types};
use crate::shape::deeds::Deeds;
use crate::shape::{union_holder, union_of};

/// Where the member lies behind which of them is there, as one argument of several.
const AT: &str = "at+8";

/// A member of a union.
#[derive(Serialize)]
pub(crate) struct Member {
    /// Its type.
    name: String,
    c_name: String,
    /// The type of its value.
    ty: String,
    /// Which it is, counted from 1.
    position: usize,
    /// Statements that write `member.Value`.
    pub(crate) writes: Vec<String>,
    /// Statements that read it.
    pub(crate) reads: Vec<String>,
}

/// The Go side of a union.
pub(crate) fn record(
    context: &Context<'_>,
    key: &str,
    union: &Struct,
    name: String,
    deeds: Deeds,
) -> Result<Record, Error> {
    let (holder, field, told) = union_holder(context.interface, key)?;
    let mut members = Vec::new();
    for (position, member) in union.fields.iter().enumerate() {
        let of = Of { context, union, member };
        let taken = context.names.borrow_mut().take_member(&name, &member.name);
        members.push(Member {
            name: taken,
            c_name: member.name.clone(),
            ty: of.ty()?,
            position: position + 1,
            writes: of.write()?,
            reads: of.read()?,
        });
    }
    let what = docs::unmarked(&union_of(holder, field));
    let names: Vec<String> = members.iter().map(|member| format!("[{}]", member.name)).collect();
    let mut lines = vec![format!("{name} is {what} in C: one of {}.", names.join(", "))];
    docs::paragraph(&mut lines, union.doc.as_deref().map(docs::from_header).unwrap_or_default());
    if *told != Told::Always {
        docs::paragraph(&mut lines, ["It is nil where none of them is there.".into()]);
    }
    Ok(Record::of_union((name, lines), members, union.size, deeds))
}

struct Of<'a> {
    context: &'a Context<'a>,
    union: &'a Struct,
    member: &'a StructField,
}

impl Of<'_> {
    fn ty(&self) -> Result<String, Error> {
        Ok(match &self.member.role.value {
            FieldRole::Value => self.number()?.name,
            FieldRole::Array { length } => format!("[{length}]{}", self.element()),
            FieldRole::Struct { record } => self.context.structure(&self.union.c_name, record, |_| {})?,
            FieldRole::Text { nullable: true, encoding } => texts::optional(*encoding).into(),
            FieldRole::Text { encoding, .. } | FieldRole::TextArray { encoding, .. } => {
                texts::ty(*encoding).into()
            }
            _ => return Err(self.unsupported()),
        })
    }

    fn write(&self) -> Result<Vec<String>, Error> {
        let (value, place) = ("member.Value", format!("call, {AT}, {}", text(&self.member.name)));
        let one = |line: String| vec![format!("\t{line}")];
        Ok(match &self.member.role.value {
            FieldRole::Value => one(self.number()?.put("image", AT, value)),
            FieldRole::Array { .. } => one(format!("rt.PutArray(image, {AT}, {value}[:])")),
            FieldRole::Struct { .. } => one(format!("{value}.fill(call, image, {AT})")),
            FieldRole::TextArray { encoding, length, pad } => {
                one(texts::put_array(*encoding, *pad, &place, value, *length))
            }
            FieldRole::Text { encoding, nullable: false } => {
                one(texts::put("image", *encoding, false, &place, &texts::present(*encoding, value)))
            }
            FieldRole::Text { encoding, .. } => {
                let star = if texts::optional(*encoding).starts_with('*') { "*" } else { "" };
                let put = texts::put("image", *encoding, false, &place, &format!("{star}{value}"));
                or_null(value, &[put], "image.PutNull(at + 8)")
            }
            _ => return Err(self.unsupported()),
        })
    }

    fn read(&self) -> Result<Vec<String>, Error> {
        let place = format!("reply, {AT}");
        let assign = |read: String| vec![format!("\tmember.Value = {read}")];
        Ok(match &self.member.role.value {
            FieldRole::Value => assign(self.number()?.get("image", "at + 8")),
            FieldRole::Array { length } => {
                vec![format!("\tcopy(member.Value[:], rt.Array[{}](image, {AT}, {length}))", self.element())]
            }
            FieldRole::Struct { .. } => vec![format!("\tmember.Value.read(reply, image, {AT})")],
            FieldRole::TextArray { encoding, length, pad } => {
                assign(texts::read_array(*encoding, *pad, &place, *length))
            }
            FieldRole::Text { encoding, nullable } => assign(texts::read_field(*encoding, *nullable, &place)),
            _ => return Err(self.unsupported()),
        })
    }

    fn number(&self) -> Result<types::Number, Error> {
        self.context.number(&self.member.ty).ok_or_else(|| self.unsupported())
    }

    fn element(&self) -> &'static str {
        let inner = self.member.ty.array().map_or(&self.member.ty, |(element, _)| element);
        types::element(Some(inner), &self.context.interface.target)
    }

    fn unsupported(&self) -> Error {
        let what = format!("member `{}` ({})", self.member.name, self.member.ty.written);
        Error::Unsupported { function: self.union.c_name.clone(), what }
    }
}
