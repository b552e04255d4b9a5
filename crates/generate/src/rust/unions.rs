//! Unions: an enumeration with the members that can be there.

use hotcell_model::interface::{Encoding, FieldRole, Struct, StructField, Told};

use crate::Error;
use crate::rust::context::Context;
use crate::rust::names::{self, Scope};
use crate::rust::structs::Record;
use crate::rust::texts::{self, owned};
use crate::rust::{docs, format, types};
use crate::shape::deeds::Deeds;
use crate::shape::{union_holder, union_of};

/// Where the member lies behind which of them is there.
const AT: &str = "at + 8";

/// The Rust side of a union.
pub(crate) fn record(
    context: &Context<'_>,
    key: &str,
    union: &Struct,
    name: String,
    deeds: Deeds,
) -> Result<Record, Error> {
    let (holder, field, told) = union_holder(context.interface, key)?;
    let mut scope = Scope::with(&["Other", "Self"]);
    let (mut fields, mut writes, mut reads, mut defaults) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (position, member) in union.fields.iter().enumerate() {
        let variant = scope.take_type(names::camel(&member.name));
        let member = Member { context, union, member };
        let (ty, zero) = member.ty()?;
        if *told == Told::Always {
            defaults.push(format!("Self::{variant}({zero})"));
        }
        fields.push((format!("C: `{}`", member.member.name), variant.clone(), ty));
        writes.push(format!("            Self::{variant}(value) => {{"));
        writes.push(format!("                image.put_u64(at, {});", position + 1));
        writes.extend(member.write()?);
        writes.push("            }".into());
        reads.push(format!("            {} => {{", position + 1));
        reads.extend(member.read()?);
        reads.push(format!("                Self::{variant}(value)"));
        reads.push("            }".into());
    }
    let mut docs = union.doc.as_deref().map(docs::from_header).unwrap_or_default();
    if !docs.is_empty() {
        docs.push(String::new());
    }
    docs.push(format!("C: {}", union_of(holder, field)));
    Ok(Record::of_union((name, docs), (fields, defaults), (writes, reads), union.size, deeds))
}

struct Member<'a> {
    context: &'a Context<'a>,
    union: &'a Struct,
    member: &'a StructField,
}

impl Member<'_> {
    /// Its type, and what it is at first.
    fn ty(&self) -> Result<(String, String), Error> {
        Ok(match &self.member.role.value {
            FieldRole::Value => {
                let number = self.context.number(&self.member.ty).ok_or_else(|| self.unsupported())?;
                let zero = number.zero();
                (number.name, zero)
            }
            FieldRole::Array { length } => {
                let element = self.element();
                (format!("[{element}; {length}]"), format!("[{}; {length}]", types::zero(element)))
            }
            FieldRole::Struct { record } => {
                let name = self.context.structure(&self.union.c_name, record, |_| {})?;
                let zero = format!("{name}::default()");
                (name, zero)
            }
            FieldRole::Text { nullable: true, encoding } => {
                (format!("Option<{}>", owned(*encoding)), "None".into())
            }
            FieldRole::Text { encoding, .. } | FieldRole::TextArray { encoding, .. } => {
                let ty = owned(*encoding);
                (ty.into(), if ty == "String" { "String::new()".into() } else { "Vec::new()".into() })
            }
            _ => return Err(self.unsupported()),
        })
    }

    /// Statements that write `value`, which is borrowed.
    fn write(&self) -> Result<Vec<String>, Error> {
        let (at, about) = (AT.to_owned(), format!("{:?}", self.member.name));
        Ok(match &self.member.role.value {
            FieldRole::Value => {
                let number = self.context.number(&self.member.ty).ok_or_else(|| self.unsupported())?;
                let method = format!("image.put_{}", types::primitive(number.kind));
                // What is a method or a field of the number is one of its reference, too.
                let inner = number.encode("value");
                let value = if inner.contains('.') { inner } else { number.encode("*value") };
                format::call(16, &method, &[at, value], ";")
            }
            FieldRole::Array { .. } => format::call(16, "image.put_array", &[at, "value".into()], ";"),
            FieldRole::Struct { .. } => {
                let args = ["call".into(), "image".into(), at];
                format::call(16, "value.fill_image", &args, "?;")
            }
            FieldRole::TextArray { encoding, length, pad } => {
                let data = if *encoding == Encoding::Utf8 { "value.as_bytes()" } else { "value" };
                let (method, room) = texts::put_array(*length, *pad);
                let args = ["call".into(), at, about, data.into(), room];
                format::call(16, method, &args, "?;")
            }
            FieldRole::Text { encoding, nullable } => {
                let method = format!("image.{}", texts::put(*encoding));
                let put = |indent, value: &str| {
                    let args = ["call".into(), at.clone(), about.clone(), value.into()];
                    format::call(indent, &method, &args, "?;")
                };
                match nullable {
                    false => put(16, "value"),
                    true => {
                        let mut lines = vec!["                if let Some(text) = value {".to_owned()];
                        lines.extend(put(20, "text"));
                        lines.push("                } else {".into());
                        lines.push(format!("                    image.put_null({AT});"));
                        lines.push("                }".into());
                        lines
                    }
                }
            }
            _ => return Err(self.unsupported()),
        })
    }

    /// Statements that make `value`.
    fn read(&self) -> Result<Vec<String>, Error> {
        let reply = |method: &str| {
            format::assign(16, "let value", &format!("image.{method}"), &["reply".into(), AT.into()], "?;")
        };
        Ok(match &self.member.role.value {
            FieldRole::Value => {
                let number = self.context.number(&self.member.ty).ok_or_else(|| self.unsupported())?;
                let value = number.decode(&format!("image.get_{}({AT})", types::primitive(number.kind)));
                vec![format!("                let value = {value};")]
            }
            FieldRole::Array { .. } => format::assign(16, "let value", "image.array", &[AT.into()], ";"),
            FieldRole::Struct { record } => {
                let name = self.context.structure(&self.union.c_name, record, |_| {})?;
                let args = ["reply".into(), "image".into(), AT.into()];
                let mut lines = vec![format!("                let mut value = {name}::default();")];
                lines.extend(format::call(16, "value.read_image", &args, "?;"));
                lines
            }
            FieldRole::TextArray { encoding, length, pad } => {
                let args = ["reply".into(), AT.into(), length.to_string()];
                format::assign(16, "let value", texts::read_array(*encoding, *pad), &args, "?;")
            }
            FieldRole::Text { encoding, nullable } => reply(&texts::read(*encoding, *nullable)),
            _ => return Err(self.unsupported()),
        })
    }

    fn element(&self) -> &'static str {
        let inner = self.member.ty.array().map_or(&self.member.ty, |(element, _)| element);
        types::element(inner, &self.context.interface.target)
    }

    fn unsupported(&self) -> Error {
        let what = format!("member `{}` ({})", self.member.name, self.member.ty.written);
        Error::Unsupported { function: self.union.c_name.clone(), what }
    }
}
