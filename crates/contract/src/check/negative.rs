//! Returned lengths: where the returned number is nothing else, a contract says what a negative one means.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{ResultLength, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::check::decide::Site;
use crate::check::lines;
use crate::infer::{Draft, Gap};

/// The line for what reports failure by a length that cannot be.
const FAILS: &str = r#"error = { fails = "negative" } # or "never", when it cannot be negative"#;

/// Whether numbers of this type may be negative.
pub(super) fn signed(site: Site<'_>, ty: &CType) -> bool {
    match &ty.kind {
        Type::Int { signed, .. } | Type::Enum { signed, .. } => *signed,
        Type::Char => site.api.target.char_signed,
        Type::Float { .. } => true,
        _ => false,
    }
}

/// Adds a gap when a negative result would be dropped, or when the lines that other gaps propose would make it so.
pub(super) fn open(site: Site<'_>, draft: &Draft, gaps: &mut Vec<Gap>) {
    let said = lines::of(site.contract, site.function).error().is_some();
    if said || !signed(site, &site.function.result) {
        return;
    }
    let dropped = match draft.result.as_ref().map(|fact| &fact.value) {
        Some(ResultRole::LengthOf { .. }) => true,
        Some(ResultRole::Void) => draft.params.iter().flatten().any(|fact| fills(&fact.value)),
        // Callers see the number, but what is computed of it must be a length.
        Some(ResultRole::Value) if lines::of(site.contract, site.function).result().is_none() => {
            draft.params.iter().flatten().any(|fact| computed(&fact.value))
        }
        _ => false,
    };
    if dropped {
        let reason = "nothing says what a negative result means: an error, or that nothing was filled?";
        gaps.push(Gap { help: Some(FAILS.into()), ..Gap::of_result(reason.into()) });
    } else if let Some(gap) = gaps.iter_mut().find(|gap| gap.returns_length)
        && let Some(help) = &mut gap.help
    {
        help.push_str(&format!("\n{FAILS}"));
    }
}

/// Whether the returned number says how much of a parameter's memory is filled.
fn fills(role: &Role) -> bool {
    matches!(
        role,
        Role::BufferOut { result: ResultLength::Returned, .. }
            | Role::BufferInOut { result: ResultLength::Returned, .. }
    ) || computed(role)
}

/// Whether how much of a parameter's memory is filled is computed of the returned number.
fn computed(role: &Role) -> bool {
    let (Role::BufferOut { result: ResultLength::Elements { size }, .. }
    | Role::BufferInOut { result: ResultLength::Elements { size }, .. }) = role
    else {
        return false;
    };
    let mut used = false;
    size.walk(&mut |expr| used |= *expr == Expr::Result);
    used
}
