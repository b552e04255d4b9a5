//! Whether what a contract says of a parameter or result agrees with what a rule concludes without it.

use hotcell_model::interface::{Direction, Function, Ownership, ResultRole, Role};

/// How a contract and a conclusion stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Agreement {
    /// They say the same.
    Same,
    /// The contract says more: that memory which goes both ways only comes out, that NULL may be passed, what is always passed.
    MoreExact,
    /// They cannot both be right.
    Contradiction,
}

use Agreement::{Contradiction, MoreExact, Same};

/// Parameter `index` of a function as a rule concludes it, and as the contract has it.
pub(super) fn param(bare: &Function, full: &Function, index: usize) -> Agreement {
    let (concluded, said) = (&bare.params[index].role.value, &full.params[index].role.value);
    let kept = |function: &Function| function.keeps.iter().any(|kept| kept.param == index);
    if kept(full) && !kept(bare) {
        return Contradiction;
    }
    if concluded == said {
        return Same;
    }
    match (concluded, said) {
        (_, Role::Fixed { .. }) => MoreExact,
        // How much there is callers say, and the function finds out; the contract knows it, or that it is a text, one number or one
        // structure.
        (Role::BufferIn { .. } | Role::BufferInOut { .. }, _) if bare.ends_at_wall(index) => finer(matches!(
            said,
            Role::BufferIn { .. }
                | Role::BufferInOut { .. }
                | Role::BufferOut { .. }
                | Role::Text { .. }
                | Role::ValueOut { .. }
                | Role::ValueInOut { .. }
                | Role::LengthPointerOf { .. }
                | Role::Struct { .. }
        )),
        // The contract knows of NULL, of encodings, and of failures.
        (Role::Text { .. }, Role::Text { .. })
        | (Role::ValueOut { .. }, Role::ValueOut { .. })
        | (Role::ValueInOut { .. }, Role::ValueInOut { .. } | Role::ValueOut { .. })
        | (Role::TextOut { .. }, Role::TextOut { .. }) => MoreExact,
        (Role::BufferIn { length, .. }, Role::BufferIn { length: said, .. }) => finer(length == said),
        // A text that is counted.
        (Role::BufferIn { length: None, .. }, Role::Text { .. }) => finer(
            full.params
                .iter()
                .any(|param| matches!(param.role.value, Role::LengthOf { param, .. } if param == index)),
        ),
        (
            Role::BufferInOut { length, .. },
            Role::BufferIn { length: said, .. } | Role::BufferInOut { length: said, .. },
        ) => finer(length == said),
        // What is a length there is the room here; which number that is is looked at where it stands.
        (Role::BufferInOut { .. } | Role::BufferOut { .. }, Role::BufferOut { .. }) => MoreExact,
        (Role::LengthOf { param, unit }, Role::LengthOf { param: said, unit: of }) => {
            finer(param == said && unit == of)
        }
        (Role::LengthOf { param, unit }, Role::CapacityOf { param: said, unit: of }) => {
            finer(param == said && unit == of)
        }
        (
            Role::Struct { record, direction, .. },
            Role::Struct { record: said_record, direction: said_direction, .. },
        ) => finer(record == said_record && (direction == said_direction || *direction == Direction::InOut)),
        (Role::Resident { consumed, starts, .. }, Role::Resident { consumed: ends, starts: begins, .. }) => {
            finer(consumed == ends && (starts == begins || begins.is_none()))
        }
        // What becomes stale was lent, and without a line nothing is lent by an object.
        (Role::Handle { consumed, .. }, Role::Handle { consumed: taken, .. }) => finer(consumed == taken),
        (Role::HandleOut { ownership, parent, .. }, Role::HandleOut { ownership: owner, parent: of, .. }) => {
            owners(ownership, owner, *parent, *of)
        }
        _ => Contradiction,
    }
}

/// The result of a function as a rule concludes it, and as the contract has it.
pub(super) fn result(concluded: &ResultRole, said: &ResultRole) -> Agreement {
    if concluded == said {
        return Same;
    }
    match (concluded, said) {
        (
            ResultRole::Text { length, ownership, .. },
            ResultRole::Text { length: counted, ownership: owner, .. },
        ) => {
            // Who releases what nothing is said of is for the line to say.
            let open = *ownership == Ownership::Unknown;
            finer(
                (open || ownership == owner) && (length == counted || length.is_none() && counted.is_none()),
            )
        }
        (
            ResultRole::Buffer { length, ownership, .. },
            ResultRole::Buffer { length: counted, ownership: owner, .. },
        ) => finer(ownership == owner && length == counted),
        (
            ResultRole::Handle { ownership, parent, .. },
            ResultRole::Handle { ownership: owner, parent: of, .. },
        ) => owners(ownership, owner, *parent, *of),
        _ => Contradiction,
    }
}

/// Objects that come out: who releases them, and what must outlive them.
fn owners(own: &Ownership, owner: &Ownership, parent: Option<usize>, of: Option<usize>) -> Agreement {
    let same = std::mem::discriminant(own) == std::mem::discriminant(owner);
    // One that is tied to its parent although it need not be is refused too early at worst.
    finer(same && (parent == of || of.is_none()))
}

fn finer(agrees: bool) -> Agreement {
    if agrees { MoreExact } else { Contradiction }
}
