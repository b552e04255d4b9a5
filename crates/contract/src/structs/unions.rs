//! Unions in structures: which member is there, by what a contract says of it.

use std::borrow::Cow;

use hotcell_model::api::{Api, ConstantValue, Field, Record, RecordLayout};
use hotcell_model::interface::{FieldRole, Told};
use hotcell_model::types::{CType, Type};

use crate::contract::{Item, ParamLine, StructLines, What};
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::expression::{self, Kind};
use crate::structs::fields::Place;
use crate::suggest::did_you_mean;

/// The fields of a structure, each with a name: those of a structure without a name are its own, and a union without one is
/// called `union`, which no field can be in C, the second one `union2`. Also the names of these.
pub(super) fn named(api: &Api, layout: &RecordLayout) -> (RecordLayout, Vec<String>) {
    let mut fields = Vec::new();
    flatten(api, layout, &mut fields);
    let mut unnamed: Vec<String> = Vec::new();
    for at in 0..fields.len() {
        if fields[at].name.is_some() {
            continue;
        }
        let numbered = (2..).map(|number| format!("union{number}"));
        let taken = |name: &String| fields.iter().any(|field| field.name.as_ref() == Some(name));
        let name = std::iter::once("union".to_owned()).chain(numbered).find(|name| !taken(name));
        unnamed.extend(name.clone());
        fields[at].name = name;
    }
    (RecordLayout { fields, ..layout.clone() }, unnamed)
}

fn flatten(api: &Api, layout: &RecordLayout, fields: &mut Vec<Field>) {
    for field in &layout.fields {
        let inner = field.ty.record().and_then(|key| api.records.get(key));
        match inner.filter(|inner| field.name.is_none() && !inner.union) {
            Some(inner) => inner.layout.iter().for_each(|inner| flatten(api, inner, fields)),
            None => fields.push(field.clone()),
        }
    }
}

/// The union that a type is.
pub(super) fn of<'a>(api: &'a Api, ty: &CType) -> Option<&'a Record> {
    api.records.get(ty.record()?).filter(|record| record.union)
}

/// How a type is called in a message; one without a name in C has an expression, which says nothing to people.
pub(super) fn written(ty: &CType) -> Cow<'_, str> {
    match ty.written.contains("__typeof__") || ty.written.is_empty() {
        true => "a type without a name".into(),
        false => ty.written.as_str().into(),
    }
}

/// A field beside the union.
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    pub(super) field: &'a Field,
}

/// What says which member is there, and the members that can be, in the order of the contract.
pub(super) fn told(
    place: Place<'_>,
    ty: &CType,
    item: &Item,
    fields: &[Tag<'_>],
) -> Result<(Told, Vec<Text>), Box<Diagnostic>> {
    let layout = of(place.api, ty).and_then(|record| record.layout.as_ref());
    let names: Vec<&str> = layout
        .into_iter()
        .flat_map(|layout| &layout.fields)
        .filter_map(|field| field.name.as_deref())
        .collect();
    let member = |text: &Text| match names.contains(&text.value.as_str()) {
        true => Ok(()),
        false => {
            let help = did_you_mean(&text.value, names.iter().copied());
            let message = format!("the union has no member `{}`", text.value);
            Err(Box::new(Diagnostic::error(message).at(text.span.clone()).label("unknown member").help(help)))
        }
    };
    if item.what == What::Member {
        let text = Text { value: item.c.clone(), span: item.span.clone() };
        member(&text)?;
        return Ok((Told::Always, vec![text]));
    }
    let wrong = |message: String, help: Option<String>| {
        Box::new(Diagnostic::error(message).at(item.span.clone()).help(help))
    };
    let number =
        |tag: &&Tag<'_>| tag.field.ty.is_scalar() && !matches!(tag.field.ty.kind, Type::Float { .. });
    let Some(by) = fields.iter().position(|tag| tag.name == item.c) else {
        let near = did_you_mean(&item.c, fields.iter().filter(number).map(|tag| tag.name));
        return Err(wrong(format!("`{}` is no field of `{}`", item.c, place.name), near));
    };
    if !number(&&fields[by]) {
        let message = format!("`{}` is no integer: it is `{}`", item.c, written(&fields[by].field.ty));
        let help = "`union` names the field that says which member is there".to_owned();
        return Err(wrong(message, Some(help)));
    }
    if item.members.is_empty() {
        let help = format!("write `members = {{ {} = [\"…\"] }}`", names.first().unwrap_or(&"NAME"));
        return Err(wrong("`members` names no member that can be there".into(), Some(help)));
    }
    let mut all: Vec<(i64, &str)> = Vec::new();
    let mut values = Vec::new();
    for (text, constants) in &item.members {
        member(text)?;
        let mut own = Vec::new();
        for constant in constants {
            let value = value(place.api, constant)?;
            let value = fits(place.api, fields[by].field, constant, value)?;
            if let Some((_, other)) = all.iter().find(|(same, _)| *same == value) {
                let message =
                    format!("`{}` says two members: `{other}` and `{}`", constant.value, text.value);
                return Err(Box::new(Diagnostic::error(message).at(constant.span.clone())));
            }
            all.push((value, &text.value));
            own.push(value);
        }
        values.push(own);
    }
    let members = item.members.iter().map(|(text, _)| text.clone()).collect();
    Ok((Told::By { field: by, values }, members))
}

/// The number that a constant is.
fn value(api: &Api, text: &Text) -> Result<i128, Box<Diagnostic>> {
    let found = match api.constants.get(&text.value).map(|constant| &constant.value) {
        Some(ConstantValue::Int(value)) => Some(i128::from(*value)),
        Some(ConstantValue::Uint(value)) => Some(i128::from(*value)),
        Some(_) => None,
        None => written_number(&text.value),
    };
    found.ok_or_else(|| {
        let help = did_you_mean(&text.value, api.constants.keys().map(String::as_str));
        let help = help.unwrap_or_else(|| "name a constant of the headers, or write a number".to_owned());
        let message = format!("`{}` is no integer constant of the headers", text.value);
        Box::new(Diagnostic::error(message).at(text.span.clone()).help(help))
    })
}

/// A number as C writes it, with a sign.
fn written_number(text: &str) -> Option<i128> {
    let (digits, sign) = text.trim().strip_prefix('-').map_or((text, 1), |digits| (digits, -1));
    match expression::parse(digits).ok()?.kind {
        Kind::Int(value) => Some(sign * value),
        _ => None,
    }
}

/// What a constant is, if the field can hold it.
fn fits(api: &Api, field: &Field, text: &Text, value: i128) -> Result<i64, Box<Diagnostic>> {
    let (bits, signed) = match field.ty.kind {
        Type::Bool => (1, false),
        Type::Char => (8, api.target.char_signed),
        Type::Int { bits, signed } | Type::Enum { bits, signed, .. } => (u32::from(bits), signed),
        _ => (64, true),
    };
    let bits = field.bit_width.unwrap_or(bits);
    let (low, high) = match signed {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    let wrong = |message: String| Box::new(Diagnostic::error(message).at(text.span.clone()));
    if !(low..=high).contains(&value) {
        let name = field.name.as_deref().unwrap_or_default();
        return Err(wrong(format!("`{name}` never is {value}: it holds {low} to {high}")));
    }
    i64::try_from(value).map_err(|_| {
        let what =
            if *text.value == value.to_string() { String::new() } else { format!(", which is {value},") };
        wrong(format!(
            "`{}`{what} is too large: what tells members apart is at most {}",
            text.value,
            i64::MAX
        ))
    })
}

/// The members that can be there, as the fields of a structure.
pub(super) fn layout(record: &Record, members: &[Text]) -> RecordLayout {
    let fields = record.layout.iter().flat_map(|layout| &layout.fields);
    let named =
        |text: &Text| fields.clone().find(|field| field.name.as_deref() == Some(&text.value)).cloned();
    let fields = members.iter().filter_map(named).collect();
    let (size, align) = record.layout.as_ref().map_or((0, 1), |layout| (layout.size, layout.align));
    RecordLayout { size, align, fields }
}

/// Whether a member can be of this role: it depends on no other field.
pub(super) fn stands_alone(role: &FieldRole) -> bool {
    matches!(
        role,
        FieldRole::Value
            | FieldRole::Array { .. }
            | FieldRole::Struct { .. }
            | FieldRole::Text { .. }
            | FieldRole::TextArray { .. }
    )
}

/// Lines about fields, and those about members of unions, which have the union and a dot in front.
pub(super) fn split(lines: &StructLines, unions: &[&str]) -> (StructLines, Vec<ParamLine>) {
    let of_union =
        |line: &&ParamLine| line.name.rsplit_once('.').is_some_and(|(union, _)| unions.contains(&union));
    let members: Vec<ParamLine> = lines.fields.iter().filter(of_union).cloned().collect();
    let fields = lines.fields.iter().filter(|line| !of_union(line)).cloned().collect();
    (StructLines { fields, ..lines.clone() }, members)
}
