//! Expressions of the contract as C.
//!
//! Numbers are evaluated as `hotcell_wide`, a signed type that holds every 64-bit value of either sign, so
//! that `result < 0`, `n * 8` or `a - b` mean what they say whatever the operands' C types are. What does
//! not fit into 64 bits sets `hc_bad`.

use hotcell_model::Interface;
use hotcell_model::api::ConstantValue;
use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{Function, Param, Role};
use hotcell_model::types::{CType, Type};

use crate::Error;
use crate::shim::arguments::by_address;
use crate::shim::structs;
use crate::shim::types::spell;

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) interface: &'a Interface,
    pub(crate) function: &'a Function,
    pub(crate) moment: Moment,
    /// The C variable with what `errno` was right after the call.
    pub(crate) errno: &'static str,
}

/// When an expression is evaluated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    /// The call has happened: a result, `errno` and out-parameters are there.
    After,
    /// And it failed.
    Failed,
}

/// How an expression's C value can be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Integer,
    Float,
    Pointer,
    /// Of a function or constant the interface does not hold; the compiler decides.
    Unknown,
}

impl<'a> Scope<'a> {
    fn after(&self) -> bool {
        self.moment != Moment::Before
    }

    pub(crate) fn unsupported(&self, what: impl Into<String>) -> Error {
        Error::Unsupported { function: self.function.name.clone(), what: what.into() }
    }

    /// That a parameter cannot play its role.
    pub(crate) fn refused(&self, what: &str, param: &Param) -> Error {
        self.unsupported(format!("{what} (parameter `{}`, {})", param.name, param.ty.written))
    }

    /// How a type of a parameter is written.
    pub(crate) fn spelled<'t>(&self, ty: &'t CType, param: &Param) -> Result<&'t str, Error> {
        spell(ty).ok_or_else(|| self.refused("a type without a name", param))
    }

    /// As a `hotcell_wide`. A float or a text is refused.
    pub(crate) fn wide(&self, expr: &Expr) -> Result<String, Error> {
        match expr {
            Expr::Binary { op: Op::Div, right, .. } if matches!(**right, Expr::Int { value: 0 }) => {
                Err(self.unsupported("a division by zero"))
            }
            Expr::Binary { op, left, right } if op.is_arithmetic() => {
                let name = match op {
                    Op::Add => "add",
                    Op::Sub => "sub",
                    Op::Mul => "mul",
                    _ => "div",
                };
                Ok(format!("hotcell_{name}({}, {}, &hc_bad)", self.wide(left)?, self.wide(right)?))
            }
            Expr::Binary { .. } => Ok(format!("(hotcell_wide){}", self.truth(expr)?)),
            Expr::Int { value } => Ok(format!("(hotcell_wide){}", int(*value))),
            _ => {
                let text = self.native(expr)?;
                match self.class(expr) {
                    Class::Integer => Ok(format!("(hotcell_wide){text}")),
                    Class::Pointer => Ok(format!("(hotcell_wide)(uintptr_t){text}")),
                    Class::Unknown => Ok(format!("(hotcell_wide)({text} | 0)")), // no `|` for float or pointer
                    Class::Float => Err(self.unsupported("a floating-point number in a size")),
                }
            }
        }
    }

    /// A length that the library says, as a `hotcell_wide`. A quotient is rounded down: less than nothing stays so.
    pub(crate) fn length(&self, expr: &Expr) -> Result<String, Error> {
        match expr {
            Expr::Binary { op: Op::Div, left, right } if !matches!(**right, Expr::Int { value: 0 }) => {
                Ok(format!("hotcell_div_down({}, {}, &hc_bad)", self.wide(left)?, self.wide(right)?))
            }
            _ => self.wide(expr),
        }
    }

    /// As a parenthesised C condition.
    pub(crate) fn truth(&self, expr: &Expr) -> Result<String, Error> {
        match expr {
            Expr::Binary { op: op @ (Op::And | Op::Or), left, right } => {
                Ok(format!("({} {} {})", self.truth(left)?, op.symbol(), self.truth(right)?))
            }
            Expr::Binary { op, left, right } if !op.is_arithmetic() => {
                let float = [left, right].iter().any(|side| self.class(side) == Class::Float);
                let side = |expr: &Expr, other: &Expr| match self.unsigned(other) {
                    _ if float => self.double(expr),
                    Some(bits) if expr.is_constant() => {
                        Ok(format!("hotcell_unsigned({}, {bits})", self.wide(expr)?))
                    }
                    _ => self.wide(expr),
                };
                Ok(format!("({} {} {})", side(left, right)?, op.symbol(), side(right, left)?))
            }
            _ if self.class(expr) == Class::Float => Ok(format!("({} != 0)", self.native(expr)?)),
            _ => Ok(format!("({} != 0)", self.wide(expr)?)),
        }
    }

    /// In its own C type, as an argument of a call.
    pub(crate) fn native(&self, expr: &Expr) -> Result<String, Error> {
        match expr {
            Expr::Int { value } => Ok(int(*value)),
            Expr::Constant { name } if name == "NULL" => Ok("((void *)0)".into()),
            Expr::Constant { name } => Ok(format!("({name})")),
            Expr::Param { index } => self.param(*index),
            Expr::Field { of, path } => self.field(of, path),
            Expr::Result if self.after() => Ok("hc_result".into()),
            Expr::Errno if self.after() => Ok(self.errno.into()),
            Expr::Result | Expr::Errno => {
                Err(self.unsupported("a size before the call that needs its result"))
            }
            Expr::SizeOf { ctype } => Ok(format!("sizeof({ctype})")),
            Expr::Call { function, args } => self.call(function, args),
            Expr::Binary { .. } => self.wide(expr),
        }
    }

    /// A field of a structure that is passed.
    fn field(&self, of: &Expr, path: &str) -> Result<String, Error> {
        let (Expr::Param { index }, Some(_)) = (of, self.field_type(of, path)) else {
            return Err(self.unsupported(format!("an expression over `{path}`, which is no field,")));
        };
        let Some(param) = self.function.params.get(*index) else {
            return Err(
                self.unsupported(format!("an expression over parameter {index}, which does not exist,"))
            );
        };
        match &param.role.value {
            Role::Struct { direction, nullable: false, .. } if direction.goes_in() || self.after() => {
                Ok(format!("val_{}.{path}", param.name))
            }
            _ => Err(self.unsupported(format!("an expression over `{path}` of `{}`", param.name))),
        }
    }

    /// The C type of such a field.
    fn field_type(&self, of: &Expr, path: &str) -> Option<&'a CType> {
        let Expr::Param { index } = of else { return None };
        let Role::Struct { record, .. } = &self.function.params.get(*index)?.role.value else { return None };
        let mut item = self.interface.structs.get(record);
        let mut found = None;
        for part in path.split('.') {
            let field = item?.fields.iter().find(|field| field.name == part)?;
            item = field.role.value.record().and_then(|record| self.interface.structs.get(record));
            found = Some(&field.ty);
        }
        found.filter(|ty| ty.is_scalar())
    }

    /// The value of a parameter: for out-parameters, what they hold.
    fn param(&self, index: usize) -> Result<String, Error> {
        let Some(param) = self.function.params.get(index) else {
            return Err(
                self.unsupported(format!("an expression over parameter {index}, which does not exist,"))
            );
        };
        let name = &param.name;
        Ok(match &param.role.value {
            Role::Fixed { c } => format!("({c})"),
            Role::ValueInOut { .. } => format!("val_{name}"),
            role if by_address(role) && !self.after() => {
                return Err(self.unsupported(format!("a size before the call that needs `{name}`")));
            }
            Role::TextOut { valid_on_error: false, .. }
            | Role::TextsOut { valid_on_error: false, .. }
            | Role::DataOut { valid_on_error: false, .. }
            | Role::HandleOut { valid_on_error: false, .. }
                if self.moment == Moment::Failed =>
            {
                let what = format!("an expression about a failure over `{name}`, which means nothing then,");
                return Err(self.unsupported(what));
            }
            role if by_address(role) => format!("val_{name}"),
            Role::Handle { consumed: true, on_success, .. }
                if self.after() && !(*on_success && self.moment == Moment::Failed) =>
            {
                let what = format!("an expression behind the call over `{name}`, which the call consumes,");
                return Err(self.unsupported(what));
            }
            _ if structs::by_value(param) => format!("val_{name}"),
            _ => format!("arg_{name}"),
        })
    }

    /// The C type of a parameter's value, as `param` writes it.
    fn param_type(&self, index: usize) -> Option<&'a CType> {
        let param = self.function.params.get(index)?;
        match &param.role.value {
            Role::Fixed { .. } => None,
            role if by_address(role) => param.ty.pointee().map(|(ty, _)| ty),
            _ => Some(&param.ty),
        }
    }

    fn call(&self, name: &str, args: &[Expr]) -> Result<String, Error> {
        let known = self.interface.functions.iter().find(|f| f.name == name);
        if known.is_some_and(|callee| callee.params.len() != args.len()) {
            return Err(self.unsupported(format!("`{name}` with {} arguments", args.len())));
        }
        let (mut texts, mut narrowed) = (Vec::new(), String::new());
        for (position, arg) in args.iter().enumerate() {
            let wanted = known.map(|callee| &callee.params[position].ty);
            match wanted.filter(|ty| ty.is_scalar() && !matches!(ty.kind, Type::Float { .. })) {
                Some(ty) if !self.surely_fits(arg, ty) => {
                    let ty = spell(ty).ok_or_else(|| self.unsupported(format!("a call of `{name}`")))?;
                    let value = self.wide(arg)?;
                    narrowed
                        .push_str(&format!("{ty} hc_a{position} = HOTCELL_NARROW({ty}, {value}, &hc_bad); "));
                    texts.push(format!("hc_a{position}"));
                }
                None if matches!(arg, Expr::Binary { .. }) => {
                    let what = format!(
                        "arithmetic in an argument of `{name}`, whose type the interface does not hold,"
                    );
                    return Err(self.unsupported(what));
                }
                _ => texts.push(self.native(arg)?),
            }
        }
        let call = format!("{name}({})", texts.join(", "));
        Ok(if narrowed.is_empty() {
            call
        } else {
            format!("__extension__({{ {narrowed}hc_bad ? 0 : {call}; }})")
        })
    }

    /// Whether handing `arg` to a parameter of type `ty` keeps its value, or the compiler will say so.
    fn surely_fits(&self, arg: &Expr, ty: &CType) -> bool {
        match arg {
            // Constants: `-Wconversion` is an error in the shim.
            Expr::Int { .. } | Expr::Constant { .. } | Expr::SizeOf { .. } => true,
            Expr::Param { index } => self.param_type(*index).is_none_or(|own| own.canonical == ty.canonical),
            Expr::Field { of, path } => {
                self.field_type(of, path).is_some_and(|own| own.canonical == ty.canonical)
            }
            Expr::Result => self.function.result_type.canonical == ty.canonical,
            Expr::Call { function, .. } => {
                let callee = self.interface.functions.iter().find(|f| f.name == *function);
                callee.is_some_and(|callee| callee.result_type.canonical == ty.canonical)
            }
            Expr::Errno | Expr::Binary { .. } => false,
        }
    }

    fn class(&self, expr: &Expr) -> Class {
        let of = |ty: &CType| match ty.kind {
            Type::Float { .. } => Class::Float,
            Type::Pointer { .. } | Type::FunctionPointer { .. } | Type::Array { .. } => Class::Pointer,
            _ if ty.is_scalar() => Class::Integer,
            _ => Class::Unknown,
        };
        match expr {
            Expr::Int { .. } | Expr::Errno | Expr::SizeOf { .. } => Class::Integer,
            Expr::Constant { name } if name == "NULL" => Class::Pointer,
            Expr::Constant { name } => match self.interface.constants.get(name).map(|c| &c.value) {
                Some(ConstantValue::Float(_)) => Class::Float,
                _ => Class::Unknown,
            },
            Expr::Param { index } => self.param_type(*index).map_or(Class::Unknown, of),
            Expr::Field { of: from, path } => self.field_type(from, path).map_or(Class::Unknown, of),
            Expr::Result => of(&self.function.result_type),
            Expr::Call { function, .. } => {
                let callee = self.interface.functions.iter().find(|f| f.name == *function);
                callee.map_or(Class::Unknown, |callee| of(&callee.result_type))
            }
            Expr::Binary { op, left, right } if op.is_arithmetic() => {
                let float = [left, right].iter().any(|side| self.class(side) == Class::Float);
                if float { Class::Float } else { Class::Integer }
            }
            Expr::Binary { .. } => Class::Integer,
        }
    }

    /// The bits of an unsigned operand that is as wide as C compares: C makes a negative constant beside it unsigned.
    fn unsigned(&self, expr: &Expr) -> Option<u32> {
        let ty = match expr {
            Expr::Param { index } => self.param_type(*index),
            Expr::Field { of, path } => self.field_type(of, path),
            Expr::Result => Some(&self.function.result_type),
            Expr::SizeOf { .. } => return Some(self.interface.target.pointer_bits.into()),
            Expr::Call { function, .. } => {
                let callee = self.interface.functions.iter().find(|f| f.name == *function);
                callee.map(|callee| &callee.result_type)
            }
            _ => None,
        };
        ty?.unsigned_as_compared()
    }

    fn double(&self, expr: &Expr) -> Result<String, Error> {
        match expr {
            Expr::Binary { op, left, right } if op.is_arithmetic() => {
                Ok(format!("({} {} {})", self.double(left)?, op.symbol(), self.double(right)?))
            }
            Expr::Binary { .. } => Ok(format!("(double){}", self.truth(expr)?)),
            _ => Ok(format!("(double){}", self.native(expr)?)),
        }
    }
}

/// An integer literal; parenthesised when negative.
pub(crate) fn int(value: i128) -> String {
    match value {
        _ if value == i64::MIN.into() => "INT64_MIN".into(), // has no literal
        _ if value < 0 => format!("({value})"),
        _ if value > i64::MAX.into() => format!("{value}u"),
        _ => value.to_string(),
    }
}
