//! `wire.toml`: its schema, its rules, and the offsets that follow from it.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::names;

pub(crate) mod c;
pub(crate) mod go;
pub(crate) mod markdown;
pub(crate) mod rust;
mod types;

pub(crate) use types::Type;

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wire {
    pub version: Version,
    #[serde(default, rename = "constant")]
    pub constants: Vec<Constant>,
    #[serde(default, rename = "enum")]
    pub enums: Vec<Enum>,
    #[serde(default)]
    pub flags: Vec<Flags>,
    #[serde(default, rename = "layout")]
    pub layouts: Vec<Layout>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    pub major: u16,
    pub minor: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Constant {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: Type,
    pub value: u64,
    pub doc: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enum {
    pub name: String,
    pub repr: Type,
    pub doc: String,
    pub values: Vec<EnumValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnumValue {
    pub name: String,
    pub value: u64,
    pub doc: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flags {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: Type,
    pub doc: String,
    pub values: Vec<Flag>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flag {
    pub name: String,
    pub bit: u32,
    pub doc: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layout {
    pub name: String,
    pub segment: String,
    pub size: usize,
    pub doc: String,
    pub fields: Vec<Field>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: Type,
    pub doc: String,
    /// Not in the file: natural alignment gives it, `Layout::place` fills it in.
    #[serde(skip)]
    pub offset: usize,
}

impl Wire {
    /// Reads the table, checks it, and computes the offsets.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut wire: Wire = toml::from_str(text)?;
        names::all_different("constant", wire.constants.iter().map(|it| it.name.as_str()))?;
        for constant in &wire.constants {
            constant.check().with_context(|| format!("constant `{}`", constant.name))?;
        }
        // Enums, flags and structs share Rust's type names and the C prefix.
        let types = wire.enums.iter().map(|it| &it.name).chain(wire.flags.iter().map(|it| &it.name));
        names::all_different("enum or flags", types.map(String::as_str))?;
        for table in &wire.enums {
            table.check().with_context(|| format!("enum `{}`", table.name))?;
        }
        for flags in &wire.flags {
            flags.check().with_context(|| format!("flags `{}`", flags.name))?;
        }
        let modules: Vec<String> = (wire.flags.iter().map(|it| names::camel_to_snake(&it.name)))
            .chain(wire.layouts.iter().map(|it| it.name.clone()))
            .collect();
        names::all_different("layout", modules.iter().map(String::as_str))?;
        for layout in &mut wire.layouts {
            layout.check_and_place().with_context(|| format!("layout `{}`", layout.name))?;
        }
        Ok(wire)
    }

    /// Name of the Rust struct of a layout that travels as a packet.
    pub(crate) fn struct_name(&self, layout: &Layout) -> String {
        let name = names::snake_to_camel(&layout.name);
        if self.enums.iter().any(|it| it.name == name) { name + "Packet" } else { name }
    }
}

impl Constant {
    fn check(&self) -> Result<()> {
        ensure!(names::is_upper(&self.name), "the name must be in capitals");
        check_doc(&self.doc)?;
        fits(self.value, &self.ty)
    }
}

impl Enum {
    fn check(&self) -> Result<()> {
        ensure!(names::is_camel(&self.name), "the name must be CamelCase");
        check_doc(&self.doc)?;
        ensure!(!self.values.is_empty(), "it has no values");
        ensure!(matches!(self.repr, Type::Int { signed: false, .. }), "`repr` must be u8, u16, u32 or u64");
        names::all_different("value", self.values.iter().map(|it| it.name.as_str()))?;
        for (at, value) in self.values.iter().enumerate() {
            let check = || {
                ensure!(names::is_camel(&value.name), "the name must be CamelCase");
                check_doc(&value.doc)?;
                fits(value.value, &self.repr)?;
                let twin = self.values[..at].iter().find(|it| it.value == value.value);
                ensure!(
                    twin.is_none(),
                    "{} is the value of `{}`",
                    value.value,
                    twin.map_or("", |it| &it.name)
                );
                Ok(())
            };
            check().with_context(|| format!("value `{}`", value.name))?;
        }
        Ok(())
    }
}

impl Flags {
    fn check(&self) -> Result<()> {
        ensure!(names::is_camel(&self.name), "the name must be CamelCase");
        check_doc(&self.doc)?;
        let Type::Int { signed: false, bits } = self.ty else {
            bail!("`type` must be u8, u16, u32 or u64");
        };
        names::all_different("flag", self.values.iter().map(|it| it.name.as_str()))?;
        for (at, flag) in self.values.iter().enumerate() {
            let check = || {
                ensure!(names::is_upper(&flag.name), "the name must be in capitals");
                check_doc(&flag.doc)?;
                ensure!(flag.bit < bits, "bit {} is not in a u{bits}", flag.bit);
                let twin = self.values[..at].iter().find(|it| it.bit == flag.bit);
                ensure!(twin.is_none(), "bit {} belongs to `{}`", flag.bit, twin.map_or("", |it| &it.name));
                Ok(())
            };
            check().with_context(|| format!("flag `{}`", flag.name))?;
        }
        Ok(())
    }
}

impl Layout {
    /// Whether it travels as (part of) a control packet rather than lying in shared memory.
    pub(crate) fn is_packet(&self) -> bool {
        self.segment.starts_with("socket")
    }

    /// What its size is a multiple of: 8, or less where it lies in shared memory and its fields need no more.
    fn unit(&self) -> usize {
        const MOST: usize = 8;
        let widest = self.fields.iter().map(|field| field.ty.alignment()).max();
        if self.is_packet() { MOST } else { widest.unwrap_or(MOST).min(MOST) }
    }

    fn check_and_place(&mut self) -> Result<()> {
        ensure!(names::is_snake(&self.name), "the name must be snake_case");
        check_doc(&self.doc)?;
        ensure!(!self.segment.trim().is_empty(), "`segment` is empty");
        let unit = self.unit();
        ensure!(
            self.size > 0 && self.size.is_multiple_of(unit),
            "size {} is no multiple of {unit}",
            self.size
        );
        names::all_different("field", self.fields.iter().map(|it| it.name.as_str()))?;
        let mut end = 0;
        for field in &mut self.fields {
            let next = field.place(end, self.size).with_context(|| format!("field `{}`", field.name))?;
            end = next;
        }
        Ok(())
    }
}

impl Field {
    /// Whether it only fills space: always zero, and no part of the packet's struct.
    pub(crate) fn is_reserved(&self) -> bool {
        self.name.starts_with("reserved")
    }

    /// Name of its offset constant. `SIZE` is taken: it is the layout's own.
    pub(crate) fn offset_name(&self) -> String {
        if self.name == "size" { "SIZE_FIELD".to_owned() } else { self.name.to_ascii_uppercase() }
    }

    /// Sets the offset behind the `end` of the field before it; returns this field's own end.
    fn place(&mut self, end: usize, size: usize) -> Result<usize> {
        ensure!(names::is_snake(&self.name), "the name must be snake_case");
        check_doc(&self.doc)?;
        ensure!(self.ty != Type::Usize, "the wire has no usize: its width depends on the machine");
        self.offset = end.next_multiple_of(self.ty.alignment());
        ensure!(
            self.offset == end,
            "alignment leaves a hole of {} bytes at offset {end}; name it with a `reserved` field",
            self.offset - end
        );
        let after = self.offset + self.ty.size();
        ensure!(after <= size, "it ends at byte {after}, the layout at {size}");
        Ok(after)
    }
}

fn check_doc(doc: &str) -> Result<()> {
    ensure!(!doc.trim().is_empty(), "`doc` is empty");
    ensure!(!doc.contains('\n'), "`doc` must be one line");
    Ok(())
}

fn fits(value: u64, ty: &Type) -> Result<()> {
    match ty.max() {
        Some(max) if value <= max => Ok(()),
        Some(_) => bail!("{value} does not fit a {}", ty.spelling()),
        None => bail!("a {} cannot hold a constant", ty.spelling()),
    }
}

#[cfg(test)]
mod tests;
