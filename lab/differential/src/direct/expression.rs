//! A contract's expressions as C, for the direct side alone.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Function, Role};

/// As a number of 128 bits: what has 64 bits cannot overflow in it.
pub(super) fn number(function: &Function, expr: &Expr) -> String {
    match expr {
        // Beside a constant C compares as it compares.
        Expr::Binary { op, left, right }
            if !op.is_arithmetic() && (left.is_constant() != right.is_constant()) =>
        {
            format!("({} {} {})", plain(function, left), op.symbol(), plain(function, right))
        }
        Expr::Binary { op, left, right } => {
            format!("({} {} {})", number(function, left), op.symbol(), number(function, right))
        }
        other => format!("((__int128)({}))", plain(function, other)),
    }
}

/// As it stands: the type is the one C gives it.
pub(super) fn plain(function: &Function, expr: &Expr) -> String {
    match expr {
        Expr::Int { value } if *value == i64::MIN.into() => "INT64_MIN".into(),
        // Of the type that C gives the literal.
        Expr::Int { value } if *value > i64::MAX.into() => format!("{value}u"),
        Expr::Int { value } => format!("({value})"),
        Expr::Constant { name } => name.clone(),
        Expr::Param { index } => match &function.params[*index].role.value {
            Role::ValueOut { .. }
            | Role::ValueInOut { .. }
            | Role::LengthPointerOf { .. }
            | Role::TextOut { .. }
            | Role::TextsOut { .. }
            | Role::DataOut { .. }
            | Role::OffsetOut { .. }
            | Role::HandleOut { .. } => format!("dt_o{index}"),
            Role::Fixed { c } => format!("({c})"),
            _ => format!("dt_a{index}"),
        },
        Expr::Field { of, path } => match **of {
            Expr::Param { index } => format!("dt_s{index}.{path}"),
            _ => path.clone(),
        },
        Expr::Result => "dt_r".into(),
        Expr::Errno => "dt_e".into(),
        Expr::SizeOf { ctype } => format!("sizeof({ctype})"),
        Expr::Call { function: callee, args } => {
            let args: Vec<String> = args.iter().map(|arg| plain(function, arg)).collect();
            format!("{callee}({})", args.join(", "))
        }
        Expr::Binary { .. } => number(function, expr),
    }
}

/// The parameters an expression speaks of.
pub(super) fn parameters(expr: &Expr) -> Vec<usize> {
    let mut found = Vec::new();
    expr.walk(&mut |part| {
        if let Expr::Param { index } = part {
            found.push(*index);
        }
    });
    found
}
