//! After inference: nothing is bound that is not fully known.

use std::ops::Range;

use hotcell_model::api::{Attribute, Function};
use hotcell_model::evidence::{Evidence, Fact};
use hotcell_model::expr::Expr;
use hotcell_model::fingerprint::Fingerprint;
use hotcell_model::interface::{
    self, Capacity, ErrorRule, Fails, Keeps, LeftOut, Param, ResultRole, Role, Status, TOLD, Until,
};
use hotcell_model::layout::Layout;
use hotcell_model::types::{CType, Type};

use crate::check::decide::{Decided, Purpose, Site, Use};
use crate::check::{
    callback, cancels, classify, keeps, left_out, lines, negative, nullable, structures, twice,
};
use crate::diagnostic::Diagnostic;
use crate::infer::walls::{KEPT, WALLED};
use crate::infer::{Draft, Gap};

/// Bytes of the largest argument and result blocks of the wire.
const MOST: (u32, u32) = (992, 1056);

/// The bound function, or why it is left out; `None` when a line about it is wrong.
pub(crate) fn finish(
    site: Site<'_>,
    decided: Decided,
    mut gaps: Vec<Gap>,
    findings: &mut Vec<Diagnostic>,
) -> Option<Result<interface::Function, LeftOut>> {
    let function = site.function;
    let unsupported = |reason: String| Some(Err(left_out(function, Status::Unsupported, reason, None)));
    let Decided { mut draft, mut error, requires, cancel, mut uses, keeps, copied, places, .. } = decided;
    if draft.result.is_none() && function.result.kind == Type::Void {
        draft.result = Some(Fact::proven(ResultRole::Void));
    }
    if let Some(out) = structures::unfit(site, &draft) {
        return Some(Err(out));
    }
    open(site, &draft, &mut gaps);
    if !gaps.is_empty() {
        return Some(Err(undecided(site, gaps)));
    }
    let mut roles: Vec<Fact<Role>> = draft.params.into_iter().flatten().collect();
    if site.contract.any_null {
        accept_null(function, &copied, &mut roles);
    }
    let (Some(mut result), true) = (draft.result, roles.len() == function.params.len()) else {
        return unsupported("its facts are incomplete".into()); // `open` has seen to it
    };
    let mut wrong = Vec::new();
    nullable::apply(site, &mut roles, &mut result, &mut wrong);
    let values: Vec<&Role> = roles.iter().map(|fact| &fact.value).collect();
    drop_gone(site, &values, &mut error, &mut uses);
    wrong.extend(
        uses.iter().filter_map(|used| classify::check(site, &values, used).err()).map(|found| *found),
    );
    if wrong.is_empty() {
        wrong.extend(circle(site, &values, &places));
        wrong.extend(twice::check(site, &values, &result.value));
        wrong.extend(length_as_failure(site, &result.value, error.as_ref().map(|fact| &fact.value)));
        wrong.extend(callback::ending(site, &values, &places));
        wrong.extend(cancels::check(site, &values, &uses));
    }
    let mut keeps = keeps::resolve(site, &keeps, &values, &result.value, &mut wrong);
    keeps.extend(copied);
    if !wrong.is_empty() {
        findings.append(&mut wrong);
        return None;
    }
    let typed = site.names.iter().zip(&function.params).zip(roles);
    let params = typed.map(|((name, param), role)| {
        let ty = numbers(&param.ty, &role.value).unwrap_or_else(|| param.ty.clone());
        Param { name: name.clone(), ty, role }
    });
    let params: Vec<Param> = params.collect();
    jumps(site, &params, &mut error);
    told(site, &mut error);
    let rule = error.as_ref().map(|fact| &fact.value);
    let layout = match Layout::of(&params, &result.value, &function.result, rule, &site.api.target) {
        Ok(layout) => layout,
        Err(reason) => return unsupported(reason),
    };
    for (what, size, most) in
        [("arguments", layout.args.size, MOST.0), ("results", layout.result.size, MOST.1)]
    {
        if size > most {
            return unsupported(format!("its {what} take {size} bytes, more than the {most} of a call"));
        }
    }
    let lines = lines::of(site.contract, function);
    let deadline = lines.deadline();
    let mut bound = interface::Function {
        name: function.name.clone(),
        doc: function.doc.clone(),
        signature: function.signature(),
        params,
        result,
        result_type: function.result.clone(),
        error,
        requires,
        keeps,
        cancel,
        deadline_ms: deadline.map(|deadline| u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX)),
        idempotent: lines.idempotent(),
        noreturn: function.noreturn(),
        inline: function.inline,
        layout,
        fingerprint: Fingerprint::default(),
    };
    bound.fingerprint = Fingerprint::of_function(&bound);
    Some(Ok(bound))
}

/// The type of a buffer of arrays of numbers, which travel as numbers.
fn numbers(ty: &CType, role: &Role) -> Option<CType> {
    let buffer = matches!(role, Role::BufferIn { .. } | Role::BufferInOut { .. } | Role::BufferOut { .. });
    ty.of_numbers().filter(|_| buffer)
}

/// A call fails when an error of an object has jumped out of it, be there a rule besides or not.
fn jumps(site: Site<'_>, params: &[Param], error: &mut Option<Fact<ErrorRule>>) {
    let jumping = params.iter().find_map(|param| match &param.role.value {
        Role::Handle { handle, .. } => site.known.handles.get(handle).filter(|handle| handle.jumps.is_some()),
        _ => None,
    });
    if let (Some(handle), None) = (jumping, error.as_ref()) {
        let fails = Fails::When { condition: Expr::Int { value: 0 } };
        let value = ErrorRule { fails, told_by: None, message: None, code: None, symbols: None };
        *error = Some(Fact { value, evidence: handle.evidence.clone() });
    }
}

/// What the library told during the call is the message where nothing else is.
fn told(site: Site<'_>, error: &mut Option<Fact<ErrorRule>>) {
    let said = lines::of(site.contract, site.function).error().is_some_and(|line| line.message.is_some());
    if let Some(rule) = error.as_mut().map(|fact| &mut fact.value)
        && site.contract.tells()
        && !said
        && rule.message.is_none()
    {
        rule.message = Some(Expr::Call { function: TOLD.to_owned(), args: Vec::new() });
    }
}

/// A pattern that asks for what a call takes over is not about this call: its message and its code are left away.
fn drop_gone(site: Site<'_>, roles: &[&Role], error: &mut Option<Fact<ErrorRule>>, uses: &mut Vec<Use>) {
    let Some(rule) = error.as_mut().map(|fact| &mut fact.value) else { return };
    for (purpose, part) in [(Purpose::Message, &mut rule.message), (Purpose::Code, &mut rule.code)] {
        let mut gone = false;
        if let Some(expr) = part {
            expr.walk(&mut |expr| {
                gone |= matches!(expr, Expr::Param { index } if classify::is_gone(roles[*index]));
            });
        }
        let pattern = |used: &Use| used.purpose == purpose && site.contract.is_about_several(&used.node.span);
        if gone && uses.iter().any(pattern) {
            *part = None;
            uses.retain(|used| used.purpose != purpose);
        }
    }
}

/// Adds a gap for lengths nothing says and, when inference found none, for every fact that is missing.
fn open(site: Site<'_>, draft: &Draft, gaps: &mut Vec<Gap>) {
    let complete = gaps.is_empty();
    let believed = |evidence: &Evidence| !matches!(evidence, Evidence::Suggested { .. });
    for (index, param) in site.function.params.iter().enumerate() {
        let name = &site.names[index];
        let fact = draft.params[index].as_ref().filter(|fact| believed(&fact.evidence));
        let (reason, help) = match fact {
            None if complete => {
                let reason = format!("nothing says what `{name}` (`{}`) is for", param.ty.written);
                (reason, param.ty.is_scalar().then(|| format!("params.{name} = {{ in = \"value\" }}")))
            }
            None => continue,
            // How much there is say callers.
            Some(Fact { evidence: Evidence::Inferred { rule }, .. })
                if [KEPT, WALLED].contains(&rule.as_str()) =>
            {
                continue;
            }
            Some(fact) => match incomplete(&fact.value, index, draft) {
                Some(Incomplete::Length(direction)) => {
                    let help = format!("params.{name} = {{ {direction} = \"buffer\", length = \"…\" }}");
                    (format!("nothing says how long `{name}` is"), Some(help))
                }
                Some(Incomplete::Buffer) if complete => {
                    (format!("what `{name}` is the length of is not decided to be a buffer"), None)
                }
                Some(Incomplete::Place) if complete => {
                    (format!("what `{name}` points into is not decided to be a text or a buffer"), None)
                }
                Some(Incomplete::Parent(parent)) if complete => {
                    let parent = &site.names[parent];
                    (format!("`{parent}`, which must outlive `{name}`, is not decided to be a handle"), None)
                }
                _ => continue,
            },
        };
        if !gaps.iter().any(|gap| gap.param == Some(index)) {
            gaps.push(Gap { help, ..Gap::of_param(index, reason) });
        }
    }
    let result = draft.result.as_ref().filter(|fact| believed(&fact.evidence));
    if let Some(ResultRole::Handle { parent: Some(parent), .. }) = result.map(|fact| &fact.value)
        && complete
        && !lives(*parent, draft)
    {
        let name = &site.names[*parent];
        let reason = format!("`{name}`, which must outlive the result, is not decided to be a handle");
        gaps.push(Gap::of_result(reason));
    }
    if result.is_none() && complete {
        let ty = &site.function.result;
        let reason = format!("nothing says what the result (`{}`) is", ty.written);
        let help = ty.is_scalar().then(|| "result = { out = \"value\" }".to_owned());
        gaps.push(Gap { help, ..Gap::of_result(reason) });
    }
    negative::open(site, draft, gaps);
}

/// What a role lacks.
enum Incomplete {
    /// Its length, in this direction.
    Length(&'static str),
    /// The buffer it is the length of.
    Buffer,
    /// The text or buffer it points into.
    Place,
    /// The handle that must outlive it.
    Parent(usize),
}

fn incomplete(role: &Role, index: usize, draft: &Draft) -> Option<Incomplete> {
    let told = || {
        draft.params.iter().flatten().any(|other| match &other.value {
            Role::LengthOf { param, .. } | Role::LengthPointerOf { param, .. } => *param == index,
            _ => false,
        })
    };
    match role {
        Role::BufferIn { length: None, .. } if !told() => Some(Incomplete::Length("in")),
        Role::BufferInOut { length: None, .. } if !told() => Some(Incomplete::Length("inout")),
        Role::OffsetOut { .. } => dangles(role, draft).then_some(Incomplete::Place),
        Role::HandleOut { parent: Some(parent), .. } => {
            (!lives(*parent, draft)).then_some(Incomplete::Parent(*parent))
        }
        _ => dangles(role, draft).then_some(Incomplete::Buffer),
    }
}

/// Whether a role is about a parameter that does not play its part.
fn dangles(role: &Role, draft: &Draft) -> bool {
    let other = |index: usize| draft.params.get(index).and_then(Option::as_ref).map(|fact| &fact.value);
    match role {
        Role::LengthOf { param, .. } => !matches!(
            other(*param),
            Some(
                Role::Text { .. }
                    | Role::Texts { .. }
                    | Role::Handles { .. }
                    | Role::BufferIn { .. }
                    | Role::BufferInOut { .. }
            )
        ),
        Role::OffsetOut { param, .. } => !matches!(
            other(*param),
            Some(Role::Text { .. } | Role::BufferIn { .. } | Role::BufferInOut { .. })
        ),
        Role::CapacityOf { param, .. } => !matches!(other(*param), Some(Role::BufferOut { .. })),
        Role::LengthPointerOf { param, .. } => !matches!(
            other(*param),
            Some(Role::BufferIn { .. } | Role::BufferInOut { .. } | Role::BufferOut { .. })
        ),
        _ => false,
    }
}

/// Whether a parameter is an object that is still there after the call.
fn lives(index: usize, draft: &Draft) -> bool {
    let role = draft.params.get(index).and_then(Option::as_ref).map(|fact| &fact.value);
    matches!(role, Some(Role::Handle { consumed: false, .. } | Role::Resident { consumed: false, .. }))
}

/// All gaps as one reason, and the lines that would close them.
fn undecided(site: Site<'_>, gaps: Vec<Gap>) -> LeftOut {
    // What is said of a type gives way where the function may return something else.
    let passed = lines::about_returned_type(site.contract, site.function);
    let reasons: Vec<String> = gaps
        .iter()
        .map(|gap| match passed.filter(|_| gap.param.is_none()) {
            Some(line) => format!(
                "{}, although line {} says what a `{}` is",
                gap.reason,
                site.contract.line(&line.span),
                site.function.result.written
            ),
            None => gap.reason.clone(),
        })
        .collect();
    let mut lines: Vec<&str> = gaps.iter().filter_map(|gap| gap.help.as_deref()).collect();
    lines.dedup();
    let help =
        (!lines.is_empty()).then(|| format!("[function.{}]\n{}", site.function.name, lines.join("\n")));
    let mut out = left_out(site.function, Status::Undecided, reasons.join("; "), help);
    out.open_types = gaps.iter().filter_map(|gap| gap.open_type.clone()).collect();
    out.open_types.sort();
    out.open_types.dedup();
    out
}

/// A returned length that a rule takes for a code: whatever is read or written would be a failure.
fn length_as_failure(site: Site<'_>, result: &ResultRole, rule: Option<&ErrorRule>) -> Option<Diagnostic> {
    let (ResultRole::LengthOf { .. }, Some(Fails::Nonzero)) = (result, rule.map(|rule| &rule.fails)) else {
        return None;
    };
    let message =
        format!("`{}` returns a length, and a call that returns more than 0 would fail", site.function.name);
    let span = lines::of(site.contract, site.function).error()?.span.clone();
    let help = format!("write `function.{}.error = {{ fails = \"negative\" }}`", site.function.name);
    Some(Diagnostic::error(message).at(span).help(help))
}

/// A size that needs itself: the shim could not evaluate it.
fn circle(site: Site<'_>, roles: &[&Role], places: &[Option<Range<usize>>]) -> Option<Diagnostic> {
    let start =
        (0..roles.len()).find(|start| reaches(roles, *start, *start, &mut vec![false; roles.len()]))?;
    let name = &site.names[start];
    let diagnostic = Diagnostic::error(format!("the size of `{name}` depends on itself"));
    let place = places.get(start).cloned().flatten();
    let span = place.or_else(|| places.iter().flatten().next().cloned())?;
    let help = "decide the parameters of the size on their own, as in `params.n = { in = \"value\" }`";
    Some(diagnostic.at(span).help(help.to_owned()))
}

fn reaches(roles: &[&Role], from: usize, goal: usize, seen: &mut [bool]) -> bool {
    needs(roles[from]).into_iter().any(|next| {
        next == goal || (!std::mem::replace(&mut seen[next], true) && reaches(roles, next, goal, seen))
    })
}

/// Parameters that must be written before this one.
fn needs(role: &Role) -> Vec<usize> {
    let expr = match role {
        Role::LengthOf { param, .. }
        | Role::CapacityOf { param, .. }
        | Role::LengthPointerOf { param, .. } => {
            return vec![*param];
        }
        Role::Texts { length: Some(expr), .. }
        | Role::BufferIn { length: Some(expr), .. }
        | Role::BufferInOut { length: Some(expr), .. }
        | Role::BufferOut { capacity: Capacity::Elements { size: expr }, .. } => expr,
        _ => return Vec::new(),
    };
    let mut needs = Vec::new();
    expr.walk(&mut |part| {
        if let Expr::Param { index } = part {
            needs.push(*index);
        }
    });
    needs
}

/// Nothing forbids NULL but the header: whoever writes it on a command line means it. What ends a copy must be there.
fn accept_null(function: &Function, copied: &[Keeps], roles: &mut [Fact<Role>]) {
    let ends = |index| copied.iter().any(|keeps| keeps.until == (Until::Param { param: index }));
    let forbidden = |index: usize| {
        function.attributes.iter().any(|attribute| match attribute {
            Attribute::Nonnull { params } => params.is_empty() || params.iter().any(|&p| p as usize == index),
            _ => false,
        })
    };
    for (index, fact) in roles.iter_mut().enumerate() {
        let (Role::Text { nullable, .. }
        | Role::BufferIn { nullable, .. }
        | Role::Texts { nullable, .. }
        | Role::Handle { consumed: false, nullable, .. }) = &mut fact.value
        else {
            continue;
        };
        *nullable = !forbidden(index) && !ends(index);
    }
}
