//! Structures and their images: for each structure the C functions that build one from the other, field by field.
//!
//! `hotcell_struct_read_x` fills a structure from an image of the host, `hotcell_struct_write_x` an image from a structure. What
//! the first placed and the second must know again is in a `struct hotcell_kept_x`; structures without pointers
//! have none. `hotcell_struct_forget_x` takes pointers into the call's memory out of a structure that stays.

use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::interface::{FieldRole, Filled, Struct, StructField, Unit};
use hotcell_model::layout::WireKind;
use hotcell_model::types::{CType, Type};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::types::{declare, literal, spell, wire};

mod read;
mod unions;
mod write;

/// The definitions of every structure, those inside others first.
pub(crate) fn render(interface: &Interface) -> Result<Vec<Vec<String>>, Error> {
    let mut order = Vec::new();
    for key in interface.structs.keys() {
        arrange(&interface.structs, key, &mut Vec::new(), &mut order)?;
    }
    order.into_iter().map(|key| Image::of(interface, key)?.definitions()).collect()
}

/// A structure's key as a part of C names: a structure without a name of its own has dots in its key, or spaces.
pub(crate) fn c_key(key: &str) -> String {
    key.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_', "__")
}

/// Whether something of a structure must be kept during the call.
pub(crate) fn keeps(structs: &BTreeMap<String, Struct>, key: &str) -> bool {
    structs.get(key).is_some_and(|item| {
        item.fields.iter().any(|field| match &field.role.value {
            FieldRole::Text { .. } => stays(structs, key),
            FieldRole::BufferIn { .. } | FieldRole::BufferOut { .. } => true,
            FieldRole::Struct { record } | FieldRole::Structs { record, .. } => keeps(structs, record),
            _ => false,
        })
    })
}

/// Whether a structure, or one that holds it, stays in the worker.
fn stays(structs: &BTreeMap<String, Struct>, key: &str) -> bool {
    structs.get(key).is_some_and(|item| item.resident)
        || structs.iter().any(|(outer, item)| item.inner().any(|inner| inner == key) && stays(structs, outer))
}

/// Whether a structure has memory that the function fills: its capacity must go in.
pub(crate) fn has_room(structs: &BTreeMap<String, Struct>, key: &str) -> bool {
    structs.get(key).is_some_and(|item| {
        item.fields.iter().any(|field| match &field.role.value {
            FieldRole::BufferOut { .. } => true,
            FieldRole::Struct { record } | FieldRole::Structs { record, .. } => has_room(structs, record),
            _ => false,
        })
    })
}

/// Puts a structure behind those it holds.
fn arrange<'a>(
    structs: &'a BTreeMap<String, Struct>,
    key: &'a str,
    above: &mut Vec<&'a str>,
    order: &mut Vec<&'a str>,
) -> Result<(), Error> {
    let inconsistent = |what: &str| Error::Inconsistent { function: key.into(), what: what.into() };
    if above.contains(&key) {
        return Err(inconsistent("the structure holds itself"));
    }
    if order.contains(&key) {
        return Ok(());
    }
    let item = structs.get(key).ok_or_else(|| inconsistent("it is held by a structure and is none"))?;
    above.push(key);
    item.inner().try_for_each(|record| arrange(structs, record, above, order))?;
    above.pop();
    order.push(key);
    Ok(())
}

struct Image<'a> {
    interface: &'a Interface,
    key: &'a str,
    item: &'a Struct,
    keeps: bool,
    stays: bool,
}

impl<'a> Image<'a> {
    /// Refuses what contradicts itself.
    fn of(interface: &'a Interface, key: &'a str) -> Result<Self, Error> {
        let item = &interface.structs[key];
        let structs = &interface.structs;
        let image = Image { interface, key, item, keeps: keeps(structs, key), stays: stays(structs, key) };
        let mut laid_out = item.clone();
        laid_out
            .lay_out(&interface.structs, &interface.target)
            .map_err(|what| image.inconsistent(format!("field {what}")))?;
        if laid_out != *item {
            return Err(image.inconsistent("its image is not the one its fields demand".into()));
        }
        if item.resident && !interface.handles.contains_key(key) {
            let what = "it stays in the worker, and the interface has no handles of that name".into();
            return Err(image.inconsistent(what));
        }
        item.fields.iter().try_for_each(|field| image.check(field))?;
        Ok(image)
    }

    fn inconsistent(&self, what: String) -> Error {
        Error::Inconsistent { function: self.item.c_name.clone(), what }
    }

    fn check(&self, field: &StructField) -> Result<(), Error> {
        let name = &field.name;
        let number = |position: usize| {
            let at = self.item.fields.get(position);
            let at = at.filter(|at| at.role.value == FieldRole::Value && at.ty.is_integer());
            at.map(|_| ()).ok_or_else(|| {
                self.inconsistent(format!("`{name}` is measured by a field that is no integer"))
            })
        };
        match &field.role.value {
            FieldRole::BufferOut {
                capacity,
                filled: Filled::Field { field } | Filled::Left { field },
                ..
            } => {
                number(*capacity)?;
                number(*field)?;
            }
            FieldRole::Data { length, .. } | FieldRole::Texts { length: Some(length), .. } => {
                number(*length)?
            }
            FieldRole::Pointer { direction, .. } if direction.goes_in() && self.stays => {
                let what = format!("`{name}` points to what a call has, in a structure that stays");
                return Err(self.inconsistent(what));
            }
            FieldRole::LengthOf { field: of, .. } => {
                let of = self.item.fields.get(*of).map(|of| &of.role.value);
                if !matches!(of, Some(FieldRole::BufferIn { .. })) || !field.ty.is_integer() {
                    let what = format!("`{name}` is no integer that is the length of a buffer that goes in");
                    return Err(self.inconsistent(what));
                }
            }
            FieldRole::Union { record, told, .. } => self.check_union(field, record, told)?,
            FieldRole::Own if !self.item.resident => {
                let what = format!("`{name}` is the library's own in a structure that does not stay");
                return Err(self.inconsistent(what));
            }
            FieldRole::Structs { record, length } => match field.ty.array() {
                Some((CType { kind: Type::Record { name }, .. }, count))
                    if name == record && count == *length => {}
                _ => return Err(self.inconsistent(format!("`{name}` is no such array of structures"))),
            },
            FieldRole::Bits { width } if *width == 0 || field.ty.scalar_size().is_none() => {
                return Err(self.inconsistent(format!("`{name}` is no number of {width} bits")));
            }
            _ => {}
        }
        if field.role.value.record().is_some_and(|record| self.interface.structs[record].resident) {
            return Err(self.inconsistent(format!("`{name}` is a structure of its own that stays")));
        }
        Ok(())
    }

    fn definitions(&self) -> Result<Vec<String>, Error> {
        let (key, c_name) = (c_key(self.key), &self.item.c_name);
        let mut lines =
            vec![format!("/* {} {}. */", if self.item.union { "Union" } else { "Structure" }, self.key)];
        for field in self.item.fields.iter().filter(|field| field.offset.is_some()) {
            lines.extend(self.confirmed(field));
        }
        if self.keeps {
            lines.push(format!("struct hotcell_kept_{key} {{"));
            lines.extend(self.item.fields.iter().flat_map(|field| self.kept(field)));
            lines.push("};".into());
        }
        let kept = |constant| match self.keeps {
            true => format!(", {constant}struct hotcell_kept_{key} *hc_kept"),
            false => String::new(),
        };
        let mut function = |head: String, body: Body| {
            lines.extend([String::new(), format!("HOTCELL_HELPER {head}"), "{".into()]);
            let used = ["hc_ctx", "hc_s", "hc_image", "hc_kept"];
            let used = used.into_iter().filter(|name| head.contains(name) && !body.mentions(name));
            lines.extend(used.map(|name| format!("    (void){name};")));
            if body.mentions("hc_bad") {
                lines.push("    int hc_bad = 0;".into());
            }
            lines.extend(body.into_lines());
            lines.push("}".into());
        };
        let image = "const uint8_t *hc_image";
        let head = format!(
            "int hotcell_struct_read_{key}(hotcell_ctx *hc_ctx, {image}, {c_name} *hc_s{})",
            kept("")
        );
        function(head, if self.item.union { self.read_member()? } else { self.read()? });
        let head = format!(
            "int hotcell_struct_write_{key}(hotcell_ctx *hc_ctx, const {c_name} *hc_s{}, uint8_t *hc_image)",
            kept("const ")
        );
        function(head, if self.item.union { self.write_member()? } else { self.write()? });
        if self.keeps && self.stays {
            let head = format!("void hotcell_struct_forget_{key}({c_name} *hc_s{})", kept("const "));
            function(head, self.forget());
        }
        Ok(lines)
    }

    /// That the compiler sees a field as the parser did.
    fn confirmed(&self, field: &StructField) -> Option<String> {
        if let FieldRole::Bits { .. } | FieldRole::Union { anonymous: true, .. } = field.role.value {
            return None; // C has no word for the type of a bit-field, nor for a union without a name.
        }
        let at = format!("(({} *)0)->{}", self.item.c_name, field.name);
        let condition = match (spell(&field.ty), field.ty.scalar_size()) {
            (Some(ty), _) => format!("__builtin_types_compatible_p(__typeof__({at}), {ty})"),
            (None, Some(size)) => format!("sizeof({at}) == {size}"),
            (None, None) => return None,
        };
        let what = literal(&format!("type of {}.{}", self.key, field.name));
        Some(format!("_Static_assert({condition}, {what});"))
    }

    fn kept(&self, field: &StructField) -> Vec<String> {
        let name = &field.name;
        match &field.role.value {
            FieldRole::Text { .. } if !self.stays => Vec::new(),
            FieldRole::Text { .. } | FieldRole::BufferIn { .. } => {
                vec![format!("    const void *start_{name};"), format!("    uint64_t length_{name};")]
            }
            FieldRole::BufferOut { filled, .. } => {
                let before = format!("    uint64_t before_{name};");
                let mut kept =
                    vec![format!("    uint64_t place_{name};"), format!("    uint64_t size_{name};")];
                kept.extend(matches!(filled, Filled::Field { .. }).then_some(before));
                kept
            }
            FieldRole::Struct { record } if keeps(&self.interface.structs, record) => {
                vec![format!("    struct hotcell_kept_{} inner_{name};", c_key(record))]
            }
            FieldRole::Structs { record, length } if keeps(&self.interface.structs, record) => {
                vec![format!("    struct hotcell_kept_{} inner_{name}[{length}];", c_key(record))]
            }
            _ => Vec::new(),
        }
    }

    /// The pointee of a field that is a pointer to numbers or bytes, its size, and whether it is `const`.
    fn element(&self, field: &'a StructField) -> Result<(&'a CType, u32, bool), Error> {
        let pointee = field.ty.pointee();
        let found = pointee.and_then(|(ty, constant)| Some((ty, ty.element_size()?, constant)));
        found.ok_or_else(|| {
            let what = format!("`{}` ({}) is no pointer to numbers", field.name, field.ty.written);
            self.inconsistent(what)
        })
    }

    fn number(&self, ty: &CType) -> &'static str {
        WireKind::of_scalar(ty, &self.interface.target).map_or("uint8_t", wire)
    }

    /// Bytes of what a buffer's lengths count.
    fn counted(&self, field: &'a StructField, unit: Unit) -> Result<u32, Error> {
        let (_, size, _) = self.element(field)?;
        Ok(if unit == Unit::Bytes { 1 } else { size })
    }

    /// Whether a structure inside may lie where its type could not lie by itself, in one that is packed.
    fn is_shifted(&self, field: &StructField, record: &str) -> bool {
        if self.item.union {
            return true; // Where it is says the structure around it.
        }
        let layout = |key: &str| self.interface.records.get(key).and_then(|record| record.layout.as_ref());
        let (Some(outer), Some(inner)) = (layout(self.key), layout(record)) else { return false };
        let place = outer.fields.iter().find(|at| at.name.as_deref() == Some(&field.name));
        outer.align < inner.align || place.is_none_or(|at| !(at.offset_bits / 8).is_multiple_of(inner.align))
    }

    /// Runs the statements for each structure of an array inside, which is `val_x` there, at a place of the image.
    fn each(
        &self,
        (name, record, length): (&str, &str, u64),
        image: &str,
        body: &mut Body,
        inner: impl FnOnce(&mut Body, &str, &str),
    ) {
        let item = &self.interface.structs[record];
        body.block(&format!("for (uint64_t hc_i = 0; hc_i < {length}; hc_i++)"), |body| {
            body.line(format!("{};", declare(&item.c_name, &format!("val_{name}"))));
            let from = format!("(const uint8_t *)hc_s->{name} + hc_i * sizeof val_{name}");
            body.line(format!("__builtin_memcpy(&val_{name}, {from}, sizeof val_{name});"));
            let kept = match keeps(&self.interface.structs, record) {
                true => format!(", &hc_kept->inner_{name}[hc_i]"),
                false => String::new(),
            };
            inner(body, &format!("{image} + hc_i * {}", item.size), &kept);
        });
    }

    fn inner_kept(&self, record: &str, name: &str) -> String {
        if keeps(&self.interface.structs, record) {
            format!(", &hc_kept->inner_{name}")
        } else {
            String::new()
        }
    }
}
