//! One function: decided lines, then inference, then the checks that need both.

use std::mem;

use hotcell_model::Fact;
use hotcell_model::api::Function;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{self, Capacity, Keeps, LeftOut, Role, Status};
use hotcell_model::spelling::is_name;

use crate::check::decide::{self, Decided, Site};
use crate::check::{Link, finish, keeps, left_out, lines, names, nullable, proposed, structures};
use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::infer::{self, Draft, Gap, Known, Verdict, infer};

/// The bound function, or why it is left out; `None` when a line about it is wrong.
pub(crate) fn bind(
    contract: &Contract,
    known: Known<'_>,
    link: Link<'_>,
    function: &Function,
    findings: &mut Vec<Diagnostic>,
) -> Option<Result<interface::Function, LeftOut>> {
    let exported = |name: &str| link.exports.is_none_or(|exports| exports.contains(name));
    if !exported(&function.name) && !function.inline {
        let library = link.sonames.first().map_or(contract.library(), String::as_str);
        let symbol = function.symbol();
        let reason = match symbol == function.name {
            true => format!("{library} does not export it"),
            false if is_name(symbol) => {
                format!("{library} does not export `{symbol}`, by which the header calls it")
            }
            false => format!("{library} does not export the symbol by which the header calls it"),
        };
        return Some(Err(left_out(function, Status::NotExported, reason, None)));
    }
    if link.shadowed.is_some_and(|shadowed| shadowed.contains(&function.name)) && !function.inline {
        let reason =
            "another library in the worker has a function of this name too, which would be called instead";
        return Some(Err(left_out(function, Status::Unsupported, reason.into(), None)));
    }
    let names = names::names(function);
    let site = Site {
        contract,
        api: known.api,
        known,
        exports: link.exports,
        shadowed: link.shadowed,
        function,
        names: &names,
    };
    if let Some(reason) = infer::shape(function) {
        return Some(Err(left_out(function, Status::Unsupported, reason.into(), None)));
    }
    let before = findings.len();
    let decided = decide::decide(site, findings);
    lines::name_function(contract, &function.name, &mut findings[before..]);
    let mut decided = decided?;
    if let Err(out) = structures::by_value(site, &mut decided.draft) {
        return Some(Err(*out));
    }
    let gaps = match conclude(site, &mut decided) {
        Ok(gaps) => gaps,
        Err(reason) => return Some(Err(left_out(function, Status::Unsupported, reason, None))),
    };
    let gaps = proposed::mended(site, &decided.draft, gaps);
    let before = findings.len();
    let finished = finish::finish(site, decided, gaps, findings);
    lines::name_function(contract, &function.name, &mut findings[before..]);
    finished
}

/// What is open when rules have concluded what they can: by names, types and comments, and where that does not suffice by what the
/// library's machine code shows besides.
///
/// # Errors
///
/// Why no line would help.
fn conclude(site: Site<'_>, decided: &mut Decided) -> Result<Vec<Gap>, String> {
    let by = |code, decided: &mut Decided| {
        let site = Site { known: Known { code, ..site.known }, ..site };
        match infer_all(site, &mut decided.draft) {
            Verdict::Unsupported(reason) => Err(reason),
            // Whoever has said something of a type that may not be meant here is asked what is.
            Verdict::Open(gaps)
                if gaps.iter().any(|gap| gap.param.is_some_and(|at| decided.doubtful.contains(&at))) =>
            {
                Ok(gaps)
            }
            Verdict::Open(gaps) => Ok(settle(site, decided, gaps)),
        }
    };
    let (said, copied) = (decided.draft.clone(), decided.copied.clone());
    let open = by(&[], decided)?;
    let made = |decided: &mut Decided, open: &[Gap]| {
        if open.is_empty() {
            infer::fresh::made(site.function, site.names, site.known, &mut decided.draft);
        }
    };
    made(decided, &open);
    let shown = |gap: &Gap| infer::shown(site.function, site.known, gap.param);
    if !open.iter().any(shown) {
        return Ok(open);
    }
    let (draft, copies) = (mem::replace(&mut decided.draft, said), mem::replace(&mut decided.copied, copied));
    let still = by(site.known.code, decided)?;
    if still.len() < open.len() {
        made(decided, &still);
        return Ok(still);
    }
    (decided.draft, decided.copied) = (draft, copies);
    Ok(open)
}

/// What is right whatever the answer is to what is open: copies of texts, and memory before walls. Nothing of it is taken where
/// something else stays open, for whoever writes a line about that is asked for the rest as well.
fn settle(site: Site<'_>, decided: &mut Decided, gaps: Vec<Gap>) -> Vec<Gap> {
    let (function, names, known) = (site.function, site.names, site.known);
    // What is said of a returned type gives way to a question.
    let returned = gaps.iter().any(|gap| gap.param.is_none());
    if returned && lines::about_returned_type(site.contract, function).is_some() {
        return gaps;
    }
    let mut draft = decided.draft.clone();
    let left = infer::parents::apply(function, names, known, &mut draft, gaps.clone());
    let (left, mut keeps) = infer::copies::apply(function, names, known, &mut draft, left);
    let (left, walled) = infer::walls::apply(function, names, known, &mut draft, left);
    if !left.is_empty() {
        return gaps;
    }
    keeps.extend(walled);
    let doubts = unkept(site, &draft, &keeps);
    if !doubts.is_empty() {
        return proposed::doubted(site, gaps, &doubts);
    }
    (decided.draft, decided.copied) = (draft, keeps);
    left
}

/// What of this cannot be kept as rules have concluded, and why: a line that said the same would be refused. What entries of the contract
/// make nullable counts.
fn unkept(site: Site<'_>, draft: &Draft, keeps: &[Keeps]) -> Vec<(usize, String)> {
    let mut roles: Vec<Fact<Role>> = draft.params.iter().flatten().cloned().collect();
    let Some(mut result) = draft.result.clone() else { return Vec::new() };
    if roles.len() != site.function.params.len() {
        return Vec::new();
    }
    nullable::apply(site, &mut roles, &mut result, &mut Vec::new());
    let roles: Vec<&Role> = roles.iter().map(|fact| &fact.value).collect();
    keeps::against(site, keeps, &roles, &result.value)
}

/// Inference, which takes a parameter that a capacity is computed from for explained. Where that leaves gaps
/// it is asked again without those capacities: `compressBound(sourceLen)` does not keep `sourceLen` from being
/// the length of `source`. What would make a capacity depend on itself is not taken from the second answer.
fn infer_all(site: Site<'_>, draft: &mut Draft) -> Verdict {
    let decided = draft.clone();
    let first = infer(site.function, site.names, site.known, draft);
    let Verdict::Open(open) = &first else { return first };
    let computed = |fact: &Fact<Role>| {
        matches!(&fact.value, Role::BufferOut { capacity: Capacity::Elements { size }, .. }
            if !matches!(size, Expr::Int { .. } | Expr::Param { .. }))
    };
    if open.is_empty() || !decided.params.iter().flatten().any(computed) {
        return first;
    }
    let mut second = decided.clone();
    for fact in second.params.iter_mut().flatten() {
        if let Role::BufferOut { capacity: Capacity::Elements { size }, .. } = &mut fact.value {
            *size = Expr::Int { value: 1 };
        }
    }
    let Verdict::Open(still) = infer(site.function, site.names, site.known, &mut second) else {
        return first;
    };
    let circular = |position: usize, fact: &Option<Fact<Role>>| {
        let role = fact.as_ref().map(|fact| &fact.value);
        decided.params[position].is_none()
            && matches!(role, Some(Role::CapacityOf { .. } | Role::LengthPointerOf { .. }))
    };
    if still.len() >= open.len() || second.params.iter().enumerate().any(|(i, fact)| circular(i, fact)) {
        return first;
    }
    for (fact, decided) in second.params.iter_mut().zip(decided.params) {
        *fact = decided.or(fact.take());
    }
    *draft = second;
    Verdict::Open(still)
}
