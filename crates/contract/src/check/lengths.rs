//! Buffers and texts, and the parameters that carry their lengths.
//!
//! Order matters where two buffers name the same parameter: what goes in gives it its value, and for every
//! further buffer it is an expression.

use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{Direction, ResultLength, Role, Unit};
use hotcell_model::types::CType;

use crate::check::decide::{Decided, Purpose, Site};
use crate::check::names;
use crate::contract::{Item, What};
use crate::diagnostic::Diagnostic;
use crate::expression::Node;

mod output;

/// Decides buffers and texts with everything that belongs to them.
pub(crate) fn decide(
    site: Site<'_>,
    items: &[(usize, &Item)],
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) {
    let (outs, ins): (Vec<_>, Vec<_>) = items.iter().copied().partition(|(_, item)| after(item.what));
    for (index, item) in ins.into_iter().chain(outs) {
        let (unit, size) = unit(site, index, item);
        let mut buffer = Buffer { site, index, item, unit, size, decided, wrong };
        let role = match item.what {
            What::Text => buffer.text(Role::Text { encoding: item.encoding, nullable: item.nullable }),
            What::Buffer(Direction::In) | What::Structs(Direction::In) => buffer.input(),
            What::Buffer(Direction::InOut) | What::Structs(Direction::InOut) => buffer.in_out(),
            What::Buffer(Direction::Out) | What::Structs(Direction::Out) => buffer.output(),
            What::Texts => buffer.texts(),
            What::Handles => buffer.handles(),
            What::TextOut => buffer.text_out(),
            What::TextsOut => buffer.texts_out(),
            What::Data => buffer.data_out(),
            What::Offset => buffer.offset_out(),
            _ => continue,
        };
        if let Some(role) = role {
            decided.draft.params[index] = Some(site.decided(role, &item.span));
        }
    }
}

/// Whether its lengths come behind those of what goes in.
fn after(what: What) -> bool {
    matches!(
        what,
        What::Buffer(Direction::Out)
            | What::Structs(Direction::Out)
            | What::Data
            | What::TextOut
            | What::TextsOut
            | What::Offset
    )
}

/// What lengths count, and the bytes of an element.
fn unit(site: Site<'_>, index: usize, item: &Item) -> (Unit, u32) {
    if let What::Structs(_) = item.what {
        // Nobody counts the bytes of structures.
        return (Unit::Elements, 1);
    }
    let ty = &site.function.params[index].ty;
    let numbers = ty.of_numbers();
    let ty = numbers.as_ref().unwrap_or(ty);
    let pointer = if item.what == What::Data { ty.pointee().map(|(pointer, _)| pointer) } else { Some(ty) };
    let pointee = pointer.and_then(|pointer| pointer.pointee());
    let size = pointee.and_then(|(pointee, _)| pointee.element_size()).unwrap_or(1);
    (item.unit.unwrap_or(if size == 1 { Unit::Bytes } else { Unit::Elements }), size)
}

/// What the name of a length means.
pub(super) enum Named {
    /// A parameter that is an integer.
    Integer(usize),
    /// A parameter that points to an integer.
    Pointer(usize),
    /// Not a parameter of these kinds: an expression.
    Neither,
}

pub(super) struct Buffer<'a> {
    pub(super) site: Site<'a>,
    pub(super) index: usize,
    pub(super) item: &'a Item,
    pub(super) unit: Unit,
    pub(super) size: u32,
    pub(super) decided: &'a mut Decided,
    pub(super) wrong: &'a mut Vec<Diagnostic>,
}

/// What the name of a length means.
pub(super) fn named(site: Site<'_>, node: &Node) -> Named {
    let position = node.name().and_then(|name| names::position(site.function, site.names, name));
    let Some(index) = position else {
        return Named::Neither;
    };
    let ty = &site.function.params[index].ty;
    if ty.is_integer() {
        Named::Integer(index)
    } else if ty.pointee().is_some_and(|(pointee, _)| pointee.is_integer() && !pointee.is_byte()) {
        Named::Pointer(index)
    } else {
        Named::Neither
    }
}

/// What `next` means: the integer behind a parameter, perhaps with other pointers to the same numbers between, unless a
/// parameter is called so.
pub(super) fn next(site: Site<'_>, index: usize, node: &Node) -> Option<usize> {
    let params = &site.function.params;
    if node.name() != Some("next") || names::position(site.function, site.names, "next").is_some() {
        return None;
    }
    let numbers = |index: usize| params[index].ty.pointee().map(|(pointee, _)| &pointee.kind);
    let alike = |&other: &usize| numbers(index).is_some() && numbers(other) == numbers(index);
    let behind = (index + 1..params.len()).find(|other| !alike(other))?;
    params[behind].ty.is_integer().then_some(behind)
}

/// A number of elements of `size` bytes, rounded up before the call and down after it where bytes are counted.
fn elements(expr: Expr, (unit, size): (Unit, u32), purpose: Purpose) -> Expr {
    if size == 1 || unit == Unit::Elements {
        return expr;
    }
    let int = |value: u32| Expr::Int { value: i128::from(value) };
    let binary = |op, left, right| Expr::Binary { op, left: Box::new(left), right: Box::new(right) };
    let bytes = if purpose.before() { binary(Op::Add, expr, int(size - 1)) } else { expr };
    binary(Op::Div, bytes, int(size))
}

/// A length that is known after the call. A pointer to an integer that it names becomes an out value.
pub(super) fn length_after(
    site: Site<'_>,
    node: &Node,
    counts: (Unit, u32),
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
    valid_on_error: bool,
) -> Option<Expr> {
    if let Named::Pointer(index) = named(site, node)
        && decided.draft.params[index].is_none()
    {
        let role = Role::ValueOut { valid_on_error };
        decided.draft.params[index] = Some(site.decided(role, &node.span));
    }
    let expr = decided.expression(site, node, Purpose::SizeAfter, wrong)?;
    Some(elements(expr, counts, Purpose::SizeAfter))
}

/// What the length of a text counts: what the header makes it an array of, unless something else is said.
fn text_unit(ty: &CType, item: &Item) -> Unit {
    let size = ty.pointee().and_then(|(pointee, _)| pointee.scalar_size()).unwrap_or(1);
    item.unit.unwrap_or(if size == 1 { Unit::Bytes } else { Unit::Elements })
}

/// The bytes of a returned text, known after the call.
pub(super) fn text_after(
    site: Site<'_>,
    node: &Node,
    item: &Item,
    decided: &mut Decided,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Expr> {
    let length = length_after(site, node, (Unit::Bytes, 1), decided, wrong, false)?;
    let unit = item.encoding.unit();
    if unit == 1 || text_unit(&site.function.result, item) == Unit::Bytes {
        return Some(length);
    }
    let unit = Expr::Int { value: unit.into() };
    Some(Expr::Binary { op: Op::Mul, left: Box::new(length), right: Box::new(unit) })
}

impl Buffer<'_> {
    pub(super) fn named(&self, node: &Node) -> Named {
        match next(self.site, self.index, node) {
            Some(index) => Named::Integer(index),
            None => named(self.site, node),
        }
    }

    /// Gives a parameter its role unless it has one.
    pub(super) fn claim(&mut self, index: usize, role: Role, node: &Node) -> bool {
        let free = self.decided.draft.params[index].is_none();
        if free {
            self.decided.draft.params[index] = Some(self.site.decided(role, &node.span));
        }
        free
    }

    pub(super) fn error(&mut self, node: &Node, message: String, help: &str) {
        self.wrong.push(Diagnostic::error(message).at(node.span.clone()).help(help.to_owned()));
    }

    /// A number of elements.
    pub(super) fn elements(&mut self, node: &Node, purpose: Purpose) -> Option<Expr> {
        // Where another buffer has the parameter already, `next` is its value.
        let named = next(self.site, self.index, node).map(|index| node.called(&self.site.names[index]));
        let node = named.as_ref().unwrap_or(node);
        let expr = self.decided.expression(self.site, node, purpose, self.wrong)?;
        Some(elements(expr, (self.unit, self.size), purpose))
    }

    fn text(&mut self, role: Role) -> Option<Role> {
        let Some(node) = &self.item.length else {
            return Some(role);
        };
        let Named::Integer(length) = self.named(node) else {
            self.error(
                node,
                format!("`{node}` is no integer parameter"),
                "the length of a text is a parameter",
            );
            return None;
        };
        let unit = text_unit(&self.site.function.params[self.index].ty, self.item);
        if !self.claim(length, Role::LengthOf { param: self.index, unit }, node) {
            let message = format!("`{node}` already is something else");
            self.error(node, message, "the length of a text is a parameter of its own");
            return None;
        }
        Some(role)
    }

    /// The length of what goes in: a parameter that is now hidden, or an expression.
    fn length_in(&mut self) -> Option<Option<Expr>> {
        let item = self.item;
        let Some(node) = &item.length else {
            return Some(None);
        };
        let (param, unit) = (self.index, self.unit);
        match self.named(node) {
            Named::Integer(length) if self.claim(length, Role::LengthOf { param, unit }, node) => Some(None),
            // What the caller says there counts the data.
            Named::Pointer(length) if self.is_said(length) => {
                self.elements(node, Purpose::SizeBefore).map(Some)
            }
            Named::Pointer(length) => {
                self.length_pointer(length, node)?;
                Some(None)
            }
            _ => self.elements(node, Purpose::SizeBefore).map(Some),
        }
    }

    /// Whether callers say the number that a parameter points to, and get what is there after the call.
    fn is_said(&self, index: usize) -> bool {
        let fact = self.decided.draft.params[index].as_ref();
        fact.is_some_and(|fact| matches!(fact.value, Role::ValueInOut { .. }))
    }

    fn length_pointer(&mut self, length: usize, node: &Node) -> Option<()> {
        let role = Role::LengthPointerOf { param: self.index, unit: self.unit };
        if self.claim(length, role, node) {
            return Some(());
        }
        let message = format!("`{node}` already is something else");
        self.error(node, message, "a pointer holds the length of one buffer");
        None
    }

    fn input(&mut self) -> Option<Role> {
        let length = self.length_in()?;
        Some(Role::BufferIn { nullable: self.item.nullable, length })
    }

    fn in_out(&mut self) -> Option<Role> {
        let item = self.item;
        let length = self.length_in()?;
        let result = match (&item.result, item.length.as_ref().map(|node| self.named(node))) {
            (Some(node), pointer) => match (self.named(node), pointer) {
                (Named::Pointer(index), Some(Named::Pointer(same))) if index == same => {
                    ResultLength::Pointer { param: index }
                }
                _ => self.filled(node)?,
            },
            (None, Some(Named::Pointer(param))) => ResultLength::Pointer { param },
            (None, _) => ResultLength::Full,
        };
        let (nullable, valid_on_error) = (item.nullable, item.valid_on_error);
        Some(Role::BufferInOut { nullable, length, result, valid_on_error })
    }
}
