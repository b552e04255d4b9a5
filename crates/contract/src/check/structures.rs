//! Structures by value and by pointer, and those the library keeps.

use hotcell_model::evidence::Fact;
use hotcell_model::interface::{Direction, LeftOut, Ownership, ResultRole, Role, Start, Status};
use hotcell_model::types::{CType, Type};

use crate::check::decide::{Decided, Site};
use crate::check::{left_out, lines, owners, resolve};
use crate::contract::{Item, Starts, What};
use crate::diagnostic::Diagnostic;
use crate::infer::Draft;

/// The role of a parameter that a line says is a structure.
pub(crate) fn role(
    site: Site<'_>,
    index: usize,
    item: &Item,
    direction: Direction,
) -> Result<Role, Box<Diagnostic>> {
    let ty = &site.function.params[index].ty;
    let record = record(ty).or_else(|| ty.pointee().and_then(|(pointee, _)| record(pointee)));
    let record = record.unwrap_or_default().to_owned();
    if site.known.structs.is_resident(&record) {
        let ends = lines::ends(site.contract, &site.function.name);
        if ends && site.contract.is_about_several(&item.span) {
            return Ok(Role::Resident { record, consumed: true, starts: None });
        }
        if ends {
            let name = &site.function.name;
            let message = format!("`{name}` ends what another function starts, so that it is consumed");
            let help = "write `{ in = \"consumed\" }`, or no line at all".to_owned();
            return Err(Diagnostic::error(message).at(item.span.clone()).help(help).into());
        }
        let starts = item.starts.as_ref().map(|starts| start(site, &record, starts)).transpose()?;
        return Ok(Role::Resident { record, consumed: false, starts });
    }
    if let Some(starts) = &item.starts {
        let message = "`starts` is of a structure that the library keeps";
        let help = "add `resident = true` to the structure, or leave `starts` out".to_owned();
        return Err(Diagnostic::error(message).at(starts.span.clone()).help(help).into());
    }
    if let Some(why) = site.known.structs.against(&record, direction) {
        let message = format!("`{}` cannot be `{}`: {why}", site.names[index], item.written);
        let help = match record_goes_in(site, &record) {
            true => "write `{ inout = \"struct\" }` or `{ in = \"struct\" }`",
            false => "write `{ inout = \"struct\" }`",
        };
        return Err(Diagnostic::error(message).at(item.span.clone()).help(help.to_owned()).into());
    }
    Ok(Role::Struct { record, direction, nullable: item.nullable, valid_on_error: item.valid_on_error })
}

/// Says why arrays of structures cannot go the way that lines say.
pub(crate) fn arrays(site: Site<'_>, items: &[(usize, &Item)], wrong: &mut Vec<Diagnostic>) {
    for (index, item) in items {
        let What::Structs(direction) = item.what else { continue };
        let Some((pointee, _)) = site.function.params[*index].ty.pointee() else { continue };
        if let Some(why) = against_several(site, pointee, direction) {
            let message = format!("`{}` cannot be `{}`: {why}", site.names[*index], item.written);
            wrong.push(Diagnostic::error(message).at(item.span.clone()));
        }
    }
}

/// Why several structures cannot go this way: data in them has one place for each call.
pub(crate) fn against_several(site: Site<'_>, ty: &CType, direction: Direction) -> Option<String> {
    let direction = if direction.goes_out() { Direction::Out } else { Direction::In };
    record(ty).and_then(|record| site.known.structs.against(record, direction))
}

/// Pointers to a structure that the contract says the library keeps need no line of their own: an object begins where
/// `started_by` says so.
pub(crate) fn residents(site: Site<'_>, decided: &mut Decided, wrong: &mut Vec<Diagnostic>) {
    let ends = lines::ends(site.contract, &site.function.name);
    let of = |index: usize| site.function.params[index].ty.pointee().and_then(|(pointee, _)| record(pointee));
    for index in 0..site.function.params.len() {
        let Some(record) = of(index).filter(|_| decided.places[index].is_none()) else { continue };
        let Some(line) = site.known.structs.resident_line(record) else { continue };
        let mut fact = (None, line);
        let table =
            site.known.structs.resident_table(record).and_then(|table| site.contract.structs.get(table));
        let started = table.and_then(|table| table.started_by.as_ref());
        if let Some(started) = started.filter(|_| !ends) {
            let all: Vec<_> = (0..site.function.params.len())
                .filter(|&other| of(other) == Some(record))
                .map(Some)
                .collect();
            let open = all.iter().flatten().filter(|&&other| decided.places[other].is_none());
            let open = open.copied().map(Some).collect();
            let found =
                owners::chosen(site, &started.selectors, &owners::Places { this: Some(index), all, open })
                    .and_then(|found| {
                        let starts = found.map(|found| &started.ends[found]);
                        let start = starts.map(|starts| start(site, record, starts)).transpose()?;
                        Ok(start.zip(starts.map(|starts| site.contract.line(&starts.span))))
                    });
            match found {
                Ok(Some((start, line))) => fact = (Some(start), line),
                Ok(None) => {}
                Err(diagnostic) => wrong.push(*diagnostic),
            }
        }
        let (starts, line) = fact;
        let role = Role::Resident { record: record.to_owned(), consumed: ends, starts };
        decided.draft.params[index] = Some(Fact::decided(role, line));
    }
}

/// What begins with a call, and the function that ends it.
fn start(site: Site<'_>, record: &str, starts: &Starts) -> Result<Start, Box<Diagnostic>> {
    let Some(name) = &starts.release else { return Ok(Start { release: None }) };
    let callee =
        resolve::declared(site, name).map_err(|diagnostic| Box::new(diagnostic.at(starts.span.clone())))?;
    let of = |ty: &CType| ty.pointee().and_then(|(pointee, _)| self::record(pointee)) == Some(record);
    if callee.params.iter().filter(|param| of(&param.ty)).count() != 1 {
        let message = format!("`{name}` does not take one such structure");
        let help = format!("it is declared `{}`", callee.signature());
        return Err(Diagnostic::error(message).at(starts.span.clone()).help(help).into());
    }
    Ok(Start { release: Some(name.clone()) })
}

fn record_goes_in(site: Site<'_>, record: &str) -> bool {
    site.known.structs.against(record, Direction::In).is_none()
}

/// The key of a structure or union.
pub(crate) fn record(ty: &CType) -> Option<&str> {
    match &ty.kind {
        Type::Record { name } => Some(name),
        _ => None,
    }
}

/// What types prove: a structure by value goes in, one that is returned comes out. Those that cannot travel leave
/// their function out.
pub(crate) fn by_value(site: Site<'_>, draft: &mut Draft) -> Result<(), Box<LeftOut>> {
    for (index, param) in site.function.params.iter().enumerate() {
        let Some(record) = record(&param.ty) else { continue };
        if draft.params[index].is_none() {
            if site.known.structs.is_resident(record) {
                let reason = format!(
                    "parameter `{}`: a structure that the library keeps has one place",
                    site.names[index]
                );
                return Err(left_out(site.function, Status::Unsupported, reason, None).into());
            }
            if let Some(why) = site.known.structs.against(record, Direction::In) {
                let reason = format!("parameter `{}`: {why}", site.names[index]);
                return Err(left_out(site.function, Status::Unsupported, reason, None).into());
            }
            let value = Role::Struct {
                record: record.to_owned(),
                direction: Direction::In,
                nullable: false,
                valid_on_error: false,
            };
            draft.params[index] = Some(Fact::proven(value));
        }
    }
    if let Some(record) = record(&site.function.result)
        && draft.result.is_none()
    {
        if let Some(why) = site.known.structs.against(record, Direction::Out) {
            let reason = format!("the result: {why}");
            return Err(left_out(site.function, Status::Unsupported, reason, None).into());
        }
        let (record, nullable) = (record.to_owned(), false);
        let value = ResultRole::Struct { record, nullable, ownership: Ownership::Library };
        draft.result = Some(Fact::proven(value));
    }
    Ok(())
}

/// A structure that a role needs and that cannot travel leaves the function out.
pub(crate) fn unfit(site: Site<'_>, draft: &Draft) -> Option<LeftOut> {
    let params = draft.params.iter().enumerate().filter_map(|(index, fact)| match &fact.as_ref()?.value {
        Role::Struct { record, .. } | Role::Resident { record, .. } => {
            Some((format!("parameter `{}`", site.names[index]), record.as_str()))
        }
        Role::BufferIn { .. } | Role::BufferInOut { .. } | Role::BufferOut { .. } => {
            let (pointee, _) = site.function.params[index].ty.pointee()?;
            Some((format!("parameter `{}`", site.names[index]), record(pointee)?))
        }
        _ => None,
    });
    let result = draft.result.as_ref().and_then(|fact| match &fact.value {
        ResultRole::Struct { record, .. } => Some(("the result".to_owned(), record.as_str())),
        ResultRole::Buffer { .. } => {
            let (pointee, _) = site.function.result.pointee()?;
            Some(("the result".to_owned(), record(pointee)?))
        }
        _ => None,
    });
    let (of, record) = params.chain(result).find(|(_, record)| site.known.structs.get(record).is_none())?;
    let (status, reason, help) = match site.known.structs.why_not(record) {
        Some(unfit) => (unfit.status, unfit.reason.clone(), unfit.help.clone()),
        None => (Status::Unsupported, format!("`{record}` is not declared"), None),
    };
    Some(left_out(site.function, status, format!("{of}: {reason}"), help))
}
