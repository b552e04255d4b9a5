//! Fields of what a parameter points to that are set for the call only, and structures that are part of an object.

use hotcell_model::api::{Api, Field, Function};
use hotcell_model::types::CType;

use crate::contract::{StreamLine, WithLine};
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::forms::c;
use crate::forms::ways::{self, Way};
use crate::suggest::did_you_mean;
use crate::type_names::{Named, TypeNames};

/// How fields are set before the call, and are as they were behind it: what callers pass is there during the call. A structure that is
/// `made` is there during the call, too, and has nothing else in it.
pub(super) fn of(
    api: &Api,
    function: &Function,
    own: &[String],
    line: &WithLine,
    made: bool,
) -> Result<Way, Box<Diagnostic>> {
    let name = line.param.value.as_str();
    let ty = &function.params[ways::position(function, own, &line.param)?].ty;
    let Some(fields) = ty.pointee().and_then(|(pointee, _)| fields(api, pointee)) else {
        let message = format!("`{name}` is `{}`, which points to no fields", ty.written);
        return Err(Box::new(Diagnostic::error(message).at(line.param.span.clone())));
    };
    let declared = c::params(&line.fields.value).map_err(|why| {
        let help = "write types and names of fields, as in `\"int (*report)(int percent), int level\"`";
        let message = format!("these are no fields in C: {why}");
        Box::new(Diagnostic::error(message).at(line.fields.span.clone()).help(help.to_owned()))
    })?;
    let (mut texts, mut before, mut after) = (Vec::new(), String::new(), String::new());
    let local = format!("hotcell_made_{name}");
    match ty.pointee() {
        Some((pointee, _)) if made => {
            let record = pointee.written.trim_start_matches("const ");
            before = format!("{record} {local}; __builtin_memset(&{local}, 0, sizeof {local}); ");
        }
        _ => texts.push(c::pointed(&ty.written, name)),
    }
    for c::Param { name: field, text } in declared {
        if !fields.iter().any(|known| known.name.as_ref() == Some(&field)) {
            return Err(unknown(name, &field, &line.fields, fields));
        }
        if own.contains(&field) {
            let message = format!("`{}` has a parameter `{field}` already", function.name);
            return Err(Box::new(Diagnostic::error(message).at(line.fields.span.clone())));
        }
        texts.push(text);
        if made {
            before.push_str(&format!("{local}.{field} = {field}; "));
            continue;
        }
        let (place, was) = (format!("{name}->{field}"), format!("hotcell_was_{field}"));
        before.push_str(&format!("__typeof__({place}) {was} = {place}; {place} = {field}; "));
        after.insert_str(0, &format!("{place} = {was}; "));
    }
    Ok(Way {
        param: name.to_owned(),
        declared: texts.join(", "),
        other: None,
        before,
        between: String::new(),
        arg: if made { format!("&{local}") } else { name.to_owned() },
        after,
    })
}

/// Of a parameter that is part of an object: how C writes a pointer to the object, and the part behind it.
pub(super) fn part(api: &Api, ty: &CType, line: &StreamLine) -> Result<(String, String), Box<Diagnostic>> {
    let text = line.other.as_ref().unwrap_or(&line.param);
    let wrong = |message: String, help: Option<String>| {
        Err(Box::new(Diagnostic::error(message).at(text.span.clone()).help(help)))
    };
    let Some((name, path)) = text.value.split_once('.') else {
        let help = "write `of = \"TYPE.FIELD\"`, with the type of the object".to_owned();
        return wrong(format!("`{}` is no field of an object", text.value), Some(help));
    };
    let types = TypeNames::of(api);
    let Some(Named::Record { key, pointer }) = types.get(name) else {
        let help = did_you_mean(name, types.all());
        return wrong(format!("the headers use no structure `{name}`"), help);
    };
    let mut found: Option<&CType> = None;
    let mut record = Some(key.as_str());
    for part in path.split('.') {
        let layout = record.and_then(|key| api.records.get(key)).and_then(|record| record.layout.as_ref());
        let fields = layout.map_or(&[][..], |layout| &layout.fields);
        let Some(field) = fields.iter().find(|field| field.name.as_deref() == Some(part)) else {
            return Err(unknown(name, part, text, fields));
        };
        record = field.ty.record();
        found = Some(&field.ty);
    }
    let wanted = ty.pointee().and_then(|(pointee, _)| pointee.record());
    if found.and_then(CType::record) != wanted || wanted.is_none() {
        let written = found.map_or("", |found| found.written.as_str());
        let message =
            format!("`{}` is `{written}`, and `{}` is `{}`", text.value, line.param.value, ty.written);
        return wrong(message, None);
    }
    Ok((pointer.clone(), path.to_owned()))
}

fn fields<'a>(api: &'a Api, ty: &CType) -> Option<&'a [Field]> {
    let layout = api.records.get(ty.record()?)?.layout.as_ref()?;
    Some(&layout.fields)
}

fn unknown(of: &str, field: &str, text: &Text, fields: &[Field]) -> Box<Diagnostic> {
    let help = did_you_mean(field, fields.iter().filter_map(|field| field.name.as_deref()));
    let message = format!("`{of}` has no field `{field}`");
    Box::new(Diagnostic::error(message).at(text.span.clone()).label("unknown field").help(help))
}
