//! Unions: which member is there, and that alone.
//!
//! The first 8 bytes of a union's image say which, and must say what the structure around it does.

use hotcell_model::interface::{FieldRole, StructField, Told};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::images::{Image, c_key, keeps};
use crate::shim::types::declare;

impl<'a> Image<'a> {
    /// Refuses a union that contradicts itself, or the structure it is in.
    pub(super) fn check_union(&self, field: &StructField, record: &str, told: &Told) -> Result<(), Error> {
        let (name, structs) = (&field.name, &self.interface.structs);
        let wrong = |what: &str| Err(self.inconsistent(format!("the union `{name}` {what}")));
        let Some(item) = structs.get(record).filter(|item| item.union) else {
            return wrong("is none");
        };
        if self.stays || keeps(structs, record) {
            return wrong("has something to keep, or is in a structure that stays");
        }
        let alone = |field: &StructField| match &field.role.value {
            FieldRole::Value
            | FieldRole::Array { .. }
            | FieldRole::Struct { .. }
            | FieldRole::Text { .. }
            | FieldRole::TextArray { .. } => field.offset.is_some(),
            _ => false,
        };
        if item.fields.is_empty() || !item.fields.iter().all(alone) {
            return wrong("has a member that depends on others");
        }
        match told {
            Told::Always if item.fields.len() == 1 => Ok(()),
            Told::Always => wrong("always is one of several"),
            Told::By { field, values } => {
                let tag = self.item.fields.get(*field);
                let number = |role: &FieldRole| matches!(role, FieldRole::Value | FieldRole::Bits { .. });
                if !tag.is_some_and(|tag| number(&tag.role.value) && tag.ty.scalar_size().is_some()) {
                    return wrong("is told by what is no number");
                }
                let mut all: Vec<i64> = values.concat();
                all.sort_unstable();
                match values.len() == item.fields.len() && all.windows(2).all(|pair| pair[0] != pair[1]) {
                    true => Ok(()),
                    false => wrong("has values that do not tell its members apart"),
                }
            }
        }
    }

    /// Which member the structure says is there, counted from 1; 0 is none.
    fn told(&self, name: &str, told: &Told, body: &mut Body) -> String {
        let Told::By { field, values } = told else { return "1".into() };
        let tag = &self.item.fields[*field].name;
        body.line(format!("hotcell_wide told_{name} = (hotcell_wide)hc_s->{tag};"));
        let mut which = String::new();
        for (position, values) in values.iter().enumerate() {
            for value in values {
                which.push_str(&format!("told_{name} == {} ? {} : ", wide(*value), position + 1));
            }
        }
        format!("({which}0)")
    }

    /// A copy of the union, which may lie at an odd place, and a pointer to it. One without a name is reached through the
    /// structure.
    fn copied(&self, name: &str, (record, anonymous): (&str, bool), body: &mut Body) -> String {
        if anonymous {
            return "hc_s".into();
        }
        let c_name = &self.interface.structs[record].c_name;
        body.line(format!("{} = hc_s->{name};", declare(c_name, &format!("val_{name}"))));
        format!("&val_{name}")
    }

    /// Reads the member that is there.
    pub(super) fn read_union(
        &self,
        field: &StructField,
        (record, anonymous, told): (&str, bool, &Told),
        body: &mut Body,
    ) {
        let (name, from) = (&field.name, format!("hc_image + {}", field.offset.unwrap_or_default()));
        let which = self.told(name, told, body);
        let differs = format!("HOTCELL_LOAD(uint64_t, {from}) != {which}");
        let text = match told {
            Told::Always => format!("{}.{name} has its only member", self.key),
            Told::By { field, .. } => {
                format!("{}.{name} has the member that {} says", self.key, self.item.fields[*field].name)
            }
        };
        body.refuse_when(&differs, "UNMET", &text);
        let place = self.copied(name, (record, anonymous), body);
        let read = format!("hotcell_struct_read_{}(hc_ctx, {from}, {place})", c_key(record));
        body.leave_when(&format!("!{read}"));
        if !anonymous {
            body.line(format!("hc_s->{name} = val_{name};"));
        }
    }

    /// Writes the member that is there.
    pub(super) fn write_union(
        &self,
        field: &StructField,
        (record, anonymous, told): (&str, bool, &Told),
        body: &mut Body,
    ) {
        let (name, to) = (&field.name, format!("hc_image + {}", field.offset.unwrap_or_default()));
        let which = self.told(name, told, body);
        body.line(format!("HOTCELL_STORE(uint64_t, {to}, {which});"));
        let place = self.copied(name, (record, anonymous), body);
        let write = format!("hotcell_struct_write_{}(hc_ctx, {place}, {to})", c_key(record));
        body.leave_when(&format!("!{write}"));
    }

    /// The statements of `hotcell_struct_read_x` of a union.
    pub(super) fn read_member(&self) -> Result<Body, Error> {
        self.member(|field, body| self.read_field(field, body))
    }

    /// The statements of `hotcell_struct_write_x` of a union.
    pub(super) fn write_member(&self) -> Result<Body, Error> {
        self.member(|field, body| self.write_field(field, body))
    }

    fn member(
        &self,
        statements: impl Fn(&'a StructField, &mut Body) -> Result<(), Error>,
    ) -> Result<Body, Error> {
        let mut body = Body::leaving_by(&["return 0;"]);
        body.line("uint64_t hc_which = HOTCELL_LOAD(uint64_t, hc_image);");
        let mut wrong = Ok(());
        for (position, field) in self.item.fields.iter().enumerate() {
            body.when(&format!("hc_which == {}", position + 1), |body| {
                wrong = std::mem::replace(&mut wrong, Ok(())).and_then(|()| statements(field, body));
            });
        }
        wrong?;
        body.line("return 1;");
        Ok(body)
    }
}

/// A number as C has it at its widest.
fn wide(value: i64) -> String {
    // `i64::MIN` has no literal.
    if value == i64::MIN { "(hotcell_wide)INT64_MIN".into() } else { format!("{value}") }
}
