//! What kind of value an expression has: sizes must be integers, messages texts.

use hotcell_model::api::ConstantValue;
use hotcell_model::expr::Op;
use hotcell_model::interface::{Encoding, FieldRole, Role};
use hotcell_model::types::{CType, Type};

use crate::check::decide::{Purpose, Site, Use};
use crate::check::{ranges, resolve, select};
use crate::diagnostic::Diagnostic;
use crate::expression::{Kind, Node};
use crate::suggest::did_you_mean;

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Integer,
    Float,
    /// A pointer to characters.
    Text,
    Pointer,
    /// C text of the contract: the compiler decides.
    Unknown,
    Nothing,
    Other,
}

impl Class {
    fn of(ty: &CType) -> Class {
        match &ty.kind {
            Type::Float { .. } => Class::Float,
            Type::Void => Class::Nothing,
            Type::Pointer { pointee, .. } if pointee.is_byte() && pointee.kind != Type::Void => Class::Text,
            Type::Pointer { .. } | Type::FunctionPointer { .. } | Type::Array { .. } => Class::Pointer,
            _ if ty.is_scalar() => Class::Integer,
            _ => Class::Other,
        }
    }

    fn is_pointer(self) -> bool {
        matches!(self, Class::Text | Class::Pointer)
    }

    fn described(self) -> &'static str {
        match self {
            Class::Integer => "an integer",
            Class::Float => "a floating-point number",
            Class::Text | Class::Pointer => "a pointer",
            Class::Unknown => "C text",
            Class::Nothing => "nothing",
            Class::Other => "a structure",
        }
    }
}

/// Checks an expression when the role of every parameter is known.
pub(crate) fn check(site: Site<'_>, roles: &[&Role], used: &Use) -> Result<(), Box<Diagnostic>> {
    let scope = Scope { site, roles, purpose: used.purpose };
    let class = scope.class(&used.node)?;
    let must = |what: &str| {
        let message = format!("`{}` is {}, and must be {what}", used.node, class.described());
        Err(Diagnostic::error(message).at(used.node.span.clone()).into())
    };
    match used.purpose {
        Purpose::SizeBefore | Purpose::SizeAfter | Purpose::Code
            if matches!(class, Class::Integer | Class::Unknown) =>
        {
            Ok(())
        }
        Purpose::SizeBefore | Purpose::SizeAfter | Purpose::Code => must("an integer"),
        Purpose::Condition | Purpose::Requirement if matches!(class, Class::Nothing | Class::Other) => {
            must("a condition")
        }
        Purpose::Condition | Purpose::Requirement => Ok(()),
        Purpose::Failure | Purpose::Cancel => Ok(()),
        Purpose::UserData if class.is_pointer() => Ok(()),
        Purpose::UserData => must("a pointer"),
        Purpose::Message if scope.is_wide(&used.node) => {
            let message = format!("`{}` is not in UTF-8, and a message is", used.node);
            let help = "ask for the library's message in UTF-8".to_owned();
            Err(Diagnostic::error(message).at(used.node.span.clone()).help(help).into())
        }
        Purpose::Message if class != Class::Text => must("a text"),
        Purpose::Message => match scope.param(&used.node).map(|index| roles[index]) {
            None
            | Some(
                Role::Text { .. } | Role::BufferOut { .. } | Role::BufferInOut { .. } | Role::TextOut { .. },
            ) => Ok(()),
            Some(_) => must("a text the function writes"),
        },
    }
}

/// Whether a parameter is gone after the call, however it ended.
pub(crate) fn is_gone(role: &Role) -> bool {
    matches!(
        role,
        Role::Handle { consumed: true, on_success: false, .. } | Role::Resident { consumed: true, .. }
    )
}

/// The structure that a pointer points to, by its key, and the pointer's spelling.
fn object(ty: &CType) -> Option<(&str, &str)> {
    match &ty.pointee()?.0.kind {
        Type::Record { name } => Some((name, &ty.written)),
        _ => None,
    }
}

/// Checks the arguments of a call outside of any function.
pub(crate) fn arguments(site: Site<'_>, call: &Node) -> Result<(), Box<Diagnostic>> {
    Scope { site, roles: &[], purpose: Purpose::Condition }.class(call).map(drop)
}

/// That an object has no fields where it may be NULL.
fn may_be_null(object: &Node) -> Diagnostic {
    let help = "leave `nullable` out, or say how much there is by a parameter".to_owned();
    let message = format!("`{object}` may be NULL, which has no fields");
    Diagnostic::error(message).at(object.span.clone()).help(help)
}

struct Scope<'a> {
    site: Site<'a>,
    roles: &'a [&'a Role],
    purpose: Purpose,
}

impl Scope<'_> {
    fn param(&self, node: &Node) -> Option<usize> {
        node.name().and_then(|name| match resolve::param(self.site, name).as_slice() {
            [index] => Some(*index),
            _ => None,
        })
    }

    /// Whether this is a text of something else than bytes as callers have them, as far as that is known.
    fn is_wide(&self, node: &Node) -> bool {
        let role = self.param(node).map(|index| self.roles[index]);
        let said = matches!(
            role,
            Some(Role::Text { encoding, .. } | Role::TextOut { encoding, .. }) if encoding.is_converted()
        );
        let pointee = self.ctype(node).and_then(CType::pointee);
        said || pointee.is_some_and(|(ty, _)| ty.kind != Type::Void && Encoding::Utf16.lies_in(ty))
    }

    fn class(&self, node: &Node) -> Result<Class, Box<Diagnostic>> {
        if let Some(index) = self.param(node) {
            return self.param_class(index, node);
        }
        match &node.kind {
            Kind::Int(_) | Kind::Errno | Kind::SizeOf(_) => Ok(Class::Integer),
            Kind::Result => Ok(Class::of(&self.site.function.result)),
            Kind::Name(name) => Ok(match self.site.api.constants.get(name).map(|constant| &constant.value) {
                Some(ConstantValue::Float(_)) => Class::Float,
                Some(ConstantValue::Text(_)) => Class::Text,
                Some(_) => Class::Integer,
                None => Class::Pointer, // `NULL`
            }),
            Kind::Field(name, path) => self.field(node, name, path),
            Kind::Call(name, args) => self.call(name, args),
            Kind::Binary(op, left, right) => self.binary(node, *op, left, right),
        }
    }

    fn param_class(&self, index: usize, node: &Node) -> Result<Class, Box<Diagnostic>> {
        let ty = &self.site.function.params[index].ty;
        match self.roles[index] {
            Role::Fixed { .. } => Ok(Class::Unknown),
            Role::ValueOut { .. }
            | Role::LengthPointerOf { .. }
            | Role::TextOut { .. }
            | Role::TextsOut { .. }
            | Role::DataOut { .. }
            | Role::OffsetOut { .. }
            | Role::HandleOut { .. }
                if self.purpose.before() =>
            {
                let message = format!("`{node}` is not known before the call");
                let diagnostic =
                    Diagnostic::error(message).at(node.span.clone()).label("written by the call");
                let help = "this is needed before the call is made: use parameters that go in, and constants";
                Err(diagnostic.help(help.to_owned()).into())
            }
            role if !self.purpose.before() && is_gone(role) => {
                let message = format!("`{node}` is gone after the call");
                let diagnostic =
                    Diagnostic::error(message).at(node.span.clone()).label("consumed by the call");
                let help = "what is asked for after the call cannot use what the call took".to_owned();
                Err(diagnostic.help(help).into())
            }
            Role::TextOut { valid_on_error: false, .. }
            | Role::TextsOut { valid_on_error: false, .. }
            | Role::DataOut { valid_on_error: false, .. }
            | Role::HandleOut { valid_on_error: false, .. }
                if matches!(self.purpose, Purpose::Message | Purpose::Code) =>
            {
                let message = format!("`{node}` means nothing when the call failed");
                let diagnostic =
                    Diagnostic::error(message).at(node.span.clone()).label("asked for after a failure");
                let help = format!("add `valid_on_error = true` to `{node}` if it does");
                Err(diagnostic.help(help).into())
            }
            Role::Callback { .. } | Role::UserData { .. } => {
                let message = format!("`{node}` belongs to a function of the application");
                let help = "expressions have numbers, texts, and pointers of the library".to_owned();
                Err(Diagnostic::error(message).at(node.span.clone()).help(help).into())
            }
            Role::ValueOut { .. }
            | Role::ValueInOut { .. }
            | Role::LengthPointerOf { .. }
            | Role::TextOut { .. }
            | Role::TextsOut { .. }
            | Role::DataOut { .. }
            | Role::OffsetOut { .. }
            | Role::HandleOut { .. } => {
                Ok(ty.pointee().map_or(Class::Other, |(pointee, _)| Class::of(pointee)))
            }
            _ => Ok(Class::of(ty)),
        }
    }

    /// A number in a structure that is passed.
    fn field(&self, node: &Node, name: &str, path: &str) -> Result<Class, Box<Diagnostic>> {
        let wrong = |message: String, help: Option<String>| {
            Err(Diagnostic::error(message).at(node.span.clone()).help(help).into())
        };
        let role = match resolve::param(self.site, name).as_slice() {
            [index] => self.roles.get(*index),
            _ => None,
        };
        let Some(Role::Struct { record, direction, nullable, .. }) = role else {
            return wrong(format!("`{name}` is no structure whose fields go with the call"), None);
        };
        if *nullable {
            return Err(may_be_null(&node.called(name)).into());
        }
        if self.purpose.before() && !direction.goes_in() {
            let help = "this is needed before the call is made: use what goes in".to_owned();
            return wrong(format!("`{node}` is not known before the call"), Some(help));
        }
        let mut record = Some(record.as_str());
        let mut found = None;
        for part in path.split('.') {
            let item = record.and_then(|record| self.site.known.structs.get(record));
            let fields = item.map_or(&[][..], |item| &item.fields);
            let Some(field) = fields.iter().find(|field| field.name == part && field.offset.is_some()) else {
                let help = did_you_mean(part, fields.iter().map(|field| field.name.as_str()));
                return wrong(format!("`{name}` has no field `{path}` that travels"), help);
            };
            record = match &field.role.value {
                FieldRole::Struct { record } => Some(record),
                _ => None,
            };
            found = Some(field);
        }
        match found.filter(|field| matches!(field.role.value, FieldRole::Value | FieldRole::Bits { .. })) {
            Some(field) => Ok(Class::of(&field.ty)),
            None => {
                let texts =
                    |role: &FieldRole| matches!(role, FieldRole::Text { .. } | FieldRole::TextArray { .. });
                let is_text = found.is_some_and(|field| texts(&field.role.value));
                let help = (is_text && self.purpose == Purpose::Message).then(|| {
                    let last = path.rsplit('.').next().unwrap_or(path);
                    let of = self.param(&node.called(name)).map(|index| &self.site.function.params[index].ty);
                    let of = of.and_then(CType::pointee).map_or("STRUCTURE", |(pointee, _)| &pointee.written);
                    format!(
                        "a function gives it, which `prelude` may have behind its `#include`: `static inline const char \
                         *{last}_of(const {of} *it) {{ return it->{path}; }}`, and `message = \"{last}_of({name})\"`"
                    )
                });
                wrong(format!("`{node}` is no number"), help)
            }
        }
    }

    /// The C type of what stands for itself: a parameter as it is after the call, the result, a call.
    fn ctype(&self, node: &Node) -> Option<&CType> {
        if let Some(index) = self.param(node) {
            let ty = &self.site.function.params[index].ty;
            let behind = matches!(self.roles[index], Role::HandleOut { .. });
            return if behind { ty.pointee().map(|(pointee, _)| pointee) } else { Some(ty) };
        }
        match &node.kind {
            Kind::Result => Some(&self.site.function.result),
            Kind::Call(name, _) => select::find(self.site.api, name).map(|callee| &callee.result),
            _ => None,
        }
    }

    /// The C type of a number: for a pointer that the call fills, of what it points to.
    fn number(&self, node: &Node) -> Option<&CType> {
        let ty = match self.param(node).map(|index| self.roles[index]) {
            Some(Role::Fixed { .. }) => None,
            Some(Role::ValueOut { .. } | Role::ValueInOut { .. } | Role::LengthPointerOf { .. }) => {
                self.ctype(node)?.pointee().map(|(pointee, _)| pointee)
            }
            _ => self.ctype(node),
        };
        ty.filter(|ty| ty.is_scalar())
    }

    fn call(&self, name: &str, args: &[Node]) -> Result<Class, Box<Diagnostic>> {
        let Some(callee) = select::find(self.site.api, name) else {
            return Ok(Class::Unknown);
        };
        self.there(name, args)?;
        for (position, arg) in args.iter().enumerate() {
            let class = self.class(arg)?;
            let Some(param) = callee.params.get(position) else {
                continue;
            };
            let wanted = Class::of(&param.ty);
            let null = arg.kind == Kind::Int(0);
            let fits = match (wanted, class) {
                (_, Class::Unknown) => true,
                (Class::Text | Class::Pointer, class) => class.is_pointer() || null,
                (Class::Integer | Class::Float, class) => matches!(class, Class::Integer | Class::Float),
                (Class::Other, _) => false,
                (wanted, class) => wanted == class,
            };
            if !fits {
                let message = format!(
                    "`{name}` takes `{}` here, and `{arg}` is {}",
                    param.ty.written,
                    class.described()
                );
                return Err(Diagnostic::error(message).at(arg.span.clone()).into());
            }
            if let (Some(wanted), Some(given)) = (object(&param.ty), self.ctype(arg).and_then(object))
                && wanted.0 != given.0
            {
                let message =
                    format!("`{name}` takes `{}` here, and `{arg}` is `{}`", param.ty.written, given.1);
                return Err(Diagnostic::error(message).at(arg.span.clone()).into());
            }
        }
        Ok(Class::of(&callee.result))
    }

    /// Whether the object is there whose field a function reads that the contract adds: it reads it unasked.
    fn there(&self, name: &str, args: &[Node]) -> Result<(), Box<Diagnostic>> {
        let form = self.site.contract.added_function(name);
        let reads = form.and_then(|form| form.access).is_some_and(|access| access.object);
        let Some(object) = args.first().filter(|_| reads) else { return Ok(()) };
        let role = self.param(object).and_then(|index| self.roles.get(index));
        let Some(Role::Handle { nullable: true, .. }) = role else { return Ok(()) };
        Err(may_be_null(object).into())
    }

    fn binary(&self, whole: &Node, op: Op, left: &Node, right: &Node) -> Result<Class, Box<Diagnostic>> {
        let classes = [self.class(left)?, self.class(right)?];
        let refuse = |position: usize| {
            let node = [left, right][position];
            let message = format!("`{}` does not go with {}", op.symbol(), classes[position].described());
            let label = format!("`{node}` is {}", classes[position].described());
            Err(Diagnostic::error(message).at(node.span.clone()).label(label).into())
        };
        if let Some(position) = classes.iter().position(|c| matches!(c, Class::Nothing | Class::Other)) {
            return refuse(position);
        }
        for (number, other, op) in [(left, right, op), (right, left, op.turned())] {
            if let (Some(ty), Some(value)) = (self.number(number), ranges::constant(self.site, other))
                && let Some(found) = ranges::never(self.site, whole, (number, ty), op, value)
            {
                return Err(found.into());
            }
        }
        let Some(position) = classes.iter().position(|class| class.is_pointer()) else {
            let float = op.is_arithmetic() && classes.contains(&Class::Float);
            return Ok(if float { Class::Float } else { Class::Integer });
        };
        let other = [right, left][position];
        let null = other.kind == Kind::Int(0) || classes[1 - position].is_pointer();
        match op {
            Op::And | Op::Or => Ok(Class::Integer),
            Op::Eq | Op::Ne if null => Ok(Class::Integer),
            _ => refuse(position),
        }
    }
}
