//! What `[handle]` says about all functions at once: which take an object over, which make one, and after which
//! nothing is lent any more.

use std::ops::Range;

use hotcell_model::api::Function;
use hotcell_model::interface::{Ownership, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::check::decide::{Decided, Site};
use crate::check::lines::Lines;
use crate::check::{lines, objects, structures};
use crate::contract::{Contract, ErrorLine, FailsLine, HandleLine, Selector, Selectors};
use crate::diagnostic::Diagnostic;
use crate::document::list;
use crate::handles::Handles;
use crate::infer;
use crate::pattern;

mod useless;

pub(crate) use useless::useless;

/// The place of an object in a function: a parameter, or the result.
type Place = Option<usize>;

/// Decides objects that go in, and those that come out through pointers, where no line is about them alone.
pub(crate) fn params(site: Site<'_>, decided: &mut Decided, wrong: &mut Vec<Diagnostic>) {
    let lines = lines::of(site.contract, site.function);
    for line in &site.contract.handles {
        let open = |decided: &Decided, index: usize| {
            decided.draft.params[index].is_none() && decided.places[index].is_none()
        };
        for index in 0..site.function.params.len() {
            let used = used(site, decided, index);
            let this = takes(site.known.handles, site.function, &line.name, index);
            if !this || !open(decided, index) && used.is_none() {
                continue;
            }
            match taken(site, line, index, &lines, decided) {
                Ok(Some((role, span))) => decided.draft.params[index] = Some(site.decided(role, &span)),
                Ok(None) => {}
                Err(diagnostic) => wrong.push(*diagnostic),
            }
        }
        let Some(makers) = &line.made_by else { continue };
        for index in 0..site.function.params.len() {
            let this = gives(site.known.handles, site.function, &line.name, index);
            if !this || !open(decided, index) {
                continue;
            }
            match made(site, line, makers, Some(index), &lines, decided) {
                Ok(Some((object, span))) => {
                    let Object { handle, ownership, parent, nullable } = object;
                    let role = Role::HandleOut { handle, ownership, parent, nullable, valid_on_error: false };
                    decided.draft.params[index] = Some(site.decided(role, &span));
                }
                Ok(None) => {}
                Err(diagnostic) => wrong.push(*diagnostic),
            }
        }
    }
}

/// Decides an object that is returned, where no line is about it alone.
pub(crate) fn result(site: Site<'_>, lines: &Lines<'_>, decided: &mut Decided, wrong: &mut Vec<Diagnostic>) {
    let handle = site.known.handles.of_pointer(&site.function.result);
    let line = site.contract.handles.iter().find(|line| Some(line.name.as_str()) == handle);
    let Some((line, makers)) = line.and_then(|line| Some((line, line.made_by.as_ref()?))) else { return };
    if decided.draft.result.is_some() || lines.result().is_some() {
        return;
    }
    match made(site, line, makers, None, lines, decided) {
        Ok(Some((object, span))) => {
            let Object { handle, ownership, parent, nullable } = object;
            decided.result(site.decided(ResultRole::Handle { handle, ownership, parent, nullable }, &span));
        }
        Ok(None) => {}
        Err(diagnostic) => wrong.push(*diagnostic),
    }
}

/// Whether a parameter is an object of this type.
fn takes(handles: &Handles, function: &Function, handle: &str, index: usize) -> bool {
    handles.of_pointer(&function.params[index].ty) == Some(handle)
}

/// Whether an object of this type comes out through a parameter.
fn gives(handles: &Handles, function: &Function, handle: &str, index: usize) -> bool {
    handles.of_pointer_pointer(&function.params[index].ty) == Some(handle)
}

/// Whether a pattern decides that an object is plainly used, and then whether it may be NULL: an entry of a list says
/// more.
fn used(site: Site<'_>, decided: &Decided, index: usize) -> Option<bool> {
    let pattern = |span: &Range<usize>| site.contract.is_about_several(span);
    match decided.draft.params[index].as_ref().map(|fact| &fact.value) {
        Some(Role::Handle { consumed: false, nullable, .. })
            if decided.places[index].as_ref().is_some_and(pattern) =>
        {
            Some(*nullable)
        }
        _ => None,
    }
}

/// What becomes of an object that goes in, and where that is said.
fn taken(
    site: Site<'_>,
    line: &HandleLine,
    index: usize,
    lines: &Lines<'_>,
    decided: &Decided,
) -> Result<Option<(Role, Range<usize>)>, Box<Diagnostic>> {
    let all: Vec<Place> = (0..site.function.params.len())
        .filter(|&index| takes(site.known.handles, site.function, &line.name, index))
        .map(Some)
        .collect();
    let used = used(site, decided, index);
    let places = Places { this: Some(index), open: unsaid(site, &all, lines, decided), all };
    let role = |consumed, on_success, invalidates| Role::Handle {
        handle: line.name.clone(),
        consumed,
        on_success,
        nullable: used.unwrap_or(false),
        invalidates,
    };
    let said = |selectors: &Option<Selectors>| match selectors {
        Some(selectors) => span_of(site, selectors, &places),
        None => Ok(None),
    };
    if let Some(span) = said(&line.taken_by)? {
        // What cannot fail takes its object over in any case.
        let fails = lines.fails();
        if line.on_success && !fails && site.function.result.kind != Type::Void {
            let message = format!("nothing says when a call that takes a `{}` over did not fail", line.name);
            let help = format!("add `function.{}.error = {{ fails = … }}`", site.function.name);
            return Err(Diagnostic::error(message).at(span).help(help).into());
        }
        return Ok(Some((role(true, line.on_success && fails, false), span)));
    }
    if let Some(span) = said(&line.lends_until)? {
        return Ok(Some((role(false, false, true), span)));
    }
    let Some(takers) = line.taken_by.as_ref().filter(|_| used.is_none()) else { return Ok(None) };
    // The list says nothing of the function: its name may.
    let listed = places.all.iter().any(|&this| {
        let (all, open) = (places.all.clone(), places.open.clone());
        matches!(chosen(site, takers, &Places { this, all, open }), Ok(Some(_)))
    });
    let asked = !listed && infer::may_take(site.function, site.known, index);
    Ok((!asked).then(|| (role(false, false, false), takers.span.clone())))
}

/// An object that comes out.
struct Object {
    handle: String,
    ownership: Ownership,
    parent: Option<usize>,
    nullable: bool,
}

/// Who owns an object that comes out, and where that is said; `None` when what it lives in is not clear.
fn made(
    site: Site<'_>,
    line: &HandleLine,
    makers: &Selectors,
    place: Place,
    lines: &Lines<'_>,
    decided: &Decided,
) -> Result<Option<(Object, Range<usize>)>, Box<Diagnostic>> {
    let (handles, function) = (site.known.handles, site.function);
    let mut all: Vec<Place> = (0..function.params.len())
        .filter(|&index| gives(handles, function, &line.name, index))
        .map(Some)
        .collect();
    if handles.of_pointer(&function.result) == Some(&line.name) {
        all.push(None);
    }
    let places = Places { this: place, open: unsaid(site, &all, lines, decided), all };
    let found = span_of(site, makers, &places)?;
    let maker = found.is_some();
    let span = found.unwrap_or_else(|| makers.span.clone());
    let nullable = match place {
        Some(_) => !maker || !lines.fails(),
        None => !lines.error().is_some_and(|rule| null_fails(rule, &function.result)),
    };
    let object = |ownership, parent| {
        Some((Object { handle: line.name.clone(), ownership, parent, nullable }, span.clone()))
    };
    let parents = objects::parents(site, &line.name, maker);
    if !maker {
        // `T **` may be an array, or what the function empties. What is called like a maker may be missing in the list.
        let plain = place.is_none() && !infer::may_make(function) && !other_parents(site, decided);
        return Ok(match lender(site, &line.name, parents.unwrap_or_default())[..] {
            [parent] if plain => object(Ownership::Library, Some(parent)),
            // Nobody makes one: the library has them.
            [] if plain && makers.all.is_empty() && line.release.is_none() => {
                object(Ownership::Library, None)
            }
            _ => None,
        });
    }
    // Without a release the line itself is wrong.
    let Some(release) = handles.get(&line.name).and_then(|known| known.release.clone()) else {
        return Ok(None);
    };
    let owned = Ownership::Owned { release };
    match parents.as_deref() {
        None => Ok(object(owned, None)),
        Some([parent]) => Ok(object(owned, Some(*parent))),
        Some(several) => Err(objects::unclear(site, &line.name, several).at(span).into()),
    }
}

/// The parameters that an object may be lent by. Beside others of its own type it is the parent's: `next_stmt(db, stmt)`.
fn lender(site: Site<'_>, handle: &str, candidates: Vec<usize>) -> Vec<usize> {
    let handles = site.known.handles;
    let of = |index: usize| handles.of_pointer(&site.function.params[index].ty);
    let parent = handles.get(handle).and_then(|known| known.parent.as_deref());
    let others: Vec<usize> = candidates.iter().copied().filter(|&index| of(index) != Some(handle)).collect();
    match others[..] {
        [only] if parent.is_some() && of(only) == parent => others,
        _ => candidates,
    }
}

/// Whether a function takes objects that its types do not show, in which what is lent may live: `void *` of which a
/// line says that it is a handle, and structures that stay in the worker.
fn other_parents(site: Site<'_>, decided: &Decided) -> bool {
    site.function.params.iter().zip(&decided.draft.params).any(|(param, fact)| {
        let shown = site.known.handles.of_pointer(&param.ty).is_some();
        let said = matches!(fact.as_ref().map(|fact| &fact.value), Some(Role::Handle { .. })) && !shown;
        let record = param.ty.pointee().and_then(|(pointee, _)| structures::record(pointee));
        said || record.is_some_and(|record| site.known.structs.is_resident(record))
    })
}

/// Whether a rule takes NULL for a failure.
fn null_fails(rule: &ErrorLine, result: &CType) -> bool {
    matches!(rule.fails, FailsLine::Word("null" | "zero", _)) && result.pointee().is_some()
}

/// The places of a function where objects of a type are.
pub(crate) struct Places {
    /// The one that is asked about.
    pub(crate) this: Place,
    pub(crate) all: Vec<Place>,
    /// Those that no line is about.
    pub(crate) open: Vec<Place>,
}

/// The places that no line is about, or only one that an entry of a list stands before.
fn unsaid(site: Site<'_>, all: &[Place], lines: &Lines<'_>, decided: &Decided) -> Vec<Place> {
    let open = |place: &&Place| match place {
        Some(index) => decided.places[*index].is_none() || used(site, decided, *index).is_some(),
        None => lines.result().is_none(),
    };
    all.iter().filter(open).copied().collect()
}

/// The selector that chooses a place, by its position. Where a function has several and the selector does not say which, that is an
/// error, said once.
pub(crate) fn chosen(
    site: Site<'_>,
    selectors: &Selectors,
    places: &Places,
) -> Result<Option<usize>, Box<Diagnostic>> {
    let called = |place: &Place| place.map_or("result", |index| site.names[index].as_str());
    let says = |selector: &Selector, place: &Place| {
        selector.param.as_ref().is_some_and(|param| pattern::matches(&param.value, called(place)))
    };
    let about: Vec<(usize, &Selector)> = selectors
        .all
        .iter()
        .enumerate()
        .filter(|(_, selector)| pattern::matches(&selector.function.value, &site.function.name))
        .collect();
    // What says which one stands before what does not.
    if about.iter().any(|(_, selector)| places.all.iter().any(|place| says(selector, place))) {
        return Ok(about
            .into_iter()
            .find(|(_, selector)| says(selector, &places.this))
            .map(|(index, _)| index));
    }
    let Some((index, selector)) = about.into_iter().find(|(_, selector)| selector.param.is_none()) else {
        return Ok(None);
    };
    if places.all.len() == 1 {
        return Ok(Some(index));
    }
    if places.open.first() != Some(&places.this) {
        return Ok(None);
    }
    let words: Vec<&str> = places.all.iter().map(called).collect();
    let message = format!("{} may be meant", list(&words).replace(" and ", " or "));
    let last = words.last().copied().unwrap_or_default();
    let help = format!("say which one, as in `{}.{last}`", selector.function.value);
    let diagnostic = Diagnostic::error(message).at(selector.function.span.clone());
    Err(diagnostic.label("which one?").help(help).into())
}

/// Where it is said that a place is chosen.
fn span_of(
    site: Site<'_>,
    selectors: &Selectors,
    places: &Places,
) -> Result<Option<Range<usize>>, Box<Diagnostic>> {
    Ok(chosen(site, selectors, places)?.map(|index| selectors.all[index].function.span.clone()))
}

/// Says that nobody can own what is made where nothing releases it.
pub(crate) fn unreleased(contract: &Contract, handles: &Handles, findings: &mut Vec<Diagnostic>) {
    for line in &contract.handles {
        let released = handles.get(&line.name).is_none_or(|known| known.release.is_some());
        let maker = line.made_by.as_ref().and_then(|makers| makers.all.first());
        if let Some(selector) = maker.filter(|_| !released) {
            let message = format!("nothing releases a `{}`, so nobody can own one", line.name);
            let help = "add its `release`, or write `made_by = []`: nobody owns one".to_owned();
            let diagnostic = Diagnostic::error(message).at(selector.function.span.clone());
            findings.push(diagnostic.label("owned").help(help));
        }
    }
}
