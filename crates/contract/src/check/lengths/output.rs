//! Out buffers: how big they are, who is told, and how much of them is valid afterwards.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Capacity, Direction, ResultLength, ResultRole, Role, Unit};

use crate::check::decide::Purpose;
use crate::check::lengths::{Buffer, Named};
use crate::contract::What;
use crate::expression::{Kind, Node};
use crate::suggest::did_you_mean;

impl Buffer<'_> {
    pub(super) fn output(&mut self) -> Option<Role> {
        let item = self.item;
        let length = item.length.as_ref().map(|node| (node, self.named(node)));
        // `out` with the length in an integer that goes in: the function fills all of it.
        let exact = match &length {
            Some((node, Named::Integer(_))) if item.capacity.is_none() && item.size.is_none() => Some(*node),
            _ => None,
        };
        let capacity = match item.capacity.as_ref().or(exact) {
            Some(node) => self.capacity(node)?,
            None => match self.site.function.params[self.index].array_length.map(i64::try_from) {
                Some(Ok(value)) => Capacity::Elements { size: Expr::Int { value: value.into() } },
                _ => Capacity::Caller,
            },
        };
        self.receives()?;
        let result = match length {
            None => ResultLength::Full,
            Some(_) if exact.is_some() => ResultLength::Full,
            Some((node, _)) => self.filled(node)?,
        };
        Some(Role::BufferOut { capacity, result, valid_on_error: item.valid_on_error })
    }

    fn capacity(&mut self, node: &Node) -> Option<Capacity> {
        let (param, unit) = (self.index, self.unit);
        match self.named(node) {
            Named::Integer(index)
                if self.item.size.is_none() && self.claim(index, Role::CapacityOf { param, unit }, node) =>
            {
                Some(Capacity::Caller)
            }
            Named::Pointer(_) if !self.item.length.as_ref().is_some_and(|length| length == node) => {
                let help =
                    format!("write `length = \"{node}\"`: the capacity before and the length after the call");
                self.error(node, format!("`{node}` is a pointer"), &help);
                None
            }
            Named::Pointer(_) => Some(Capacity::Caller),
            _ => self.elements(node, Purpose::SizeBefore).map(|size| Capacity::Elements { size }),
        }
    }

    /// `size`: the parameter that is told the capacity.
    fn receives(&mut self) -> Option<()> {
        let item = self.item;
        let Some(text) = &item.size else { return Some(()) };
        let node = Node { kind: Kind::Name(text.value.clone()), span: text.span.clone() };
        let (param, unit) = (self.index, self.unit);
        match self.named(&node) {
            Named::Integer(index) => {
                if self.claim(index, Role::CapacityOf { param, unit }, &node) {
                    return Some(());
                }
                let help = "`size` names a parameter no other line speaks about";
                self.error(&node, format!("`{node}` already is something else"), help);
            }
            Named::Pointer(_) => {
                let help =
                    format!("write `length = \"{node}\"`: the capacity before and the length after the call");
                self.error(&node, format!("`{node}` is a pointer"), &help);
            }
            Named::Neither => {
                let near = did_you_mean(&text.value, self.site.names.iter().map(String::as_str));
                let name = text.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && !text.value.starts_with(|c: char| c.is_ascii_digit());
                let help = match near {
                    Some(near) => near,
                    None if name => "`size` names the parameter that is told the capacity".to_owned(),
                    None => format!("write `capacity = \"{node}\"`: `size` names the parameter that is told"),
                };
                self.error(&node, format!("`{node}` is no integer parameter"), &help);
            }
        }
        None
    }

    /// How much is valid after the call.
    pub(super) fn filled(&mut self, node: &Node) -> Option<ResultLength> {
        match (&node.kind, self.named(node)) {
            (Kind::Result, _) if self.unit == Unit::Bytes && self.size > 1 => {
                self.elements(node, Purpose::SizeAfter).map(|size| ResultLength::Elements { size })
            }
            (Kind::Result, _) => {
                // Resolving it finds functions without a result and parameters of that name.
                self.elements(node, Purpose::SizeAfter)?;
                if self.decided.draft.result.is_none() {
                    let role = ResultRole::LengthOf { param: self.index };
                    self.decided.result(self.site.decided(role, &node.span));
                }
                Some(ResultLength::Returned)
            }
            (Kind::Name(name), Named::Neither) if name == "text" => {
                if self.size > 1 || self.item.what == What::Structs(Direction::Out) {
                    let help = "give the length in another way";
                    self.error(node, "a text consists of bytes".to_owned(), help);
                    return None;
                }
                Some(ResultLength::Text)
            }
            (_, Named::Pointer(param)) => {
                let held = self.decided.draft.params[param].as_ref().map(|fact| &fact.value);
                if let Some(Role::ValueOut { .. } | Role::ValueInOut { .. }) = held {
                    return self
                        .elements(node, Purpose::SizeAfter)
                        .map(|size| ResultLength::Elements { size });
                }
                self.length_pointer(param, node)?;
                Some(ResultLength::Pointer { param })
            }
            _ => self.elements(node, Purpose::SizeAfter).map(|size| ResultLength::Elements { size }),
        }
    }
}
