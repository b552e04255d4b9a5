//! Texts in arrays, and what functions hand out through pointers to pointers.

use hotcell_model::interface::{Ownership, Role, Unit};
use hotcell_model::types::CType;

use crate::check::decide::Purpose;
use crate::check::lengths::{self, Buffer, Named};
use crate::check::{names, objects, returned};
use crate::diagnostic::Diagnostic;
use crate::expression::Node;
use crate::suggest::did_you_mean;

impl Buffer<'_> {
    /// `in = "texts"`.
    pub(super) fn texts(&mut self) -> Option<Role> {
        let item = self.item;
        let role = |length| Role::Texts { encoding: item.encoding, nullable: item.nullable, length };
        // Where something else has given the parameter its value, there are as many texts.
        match item.length.as_ref().filter(|node| self.is_taken(node)) {
            Some(node) => {
                let length = self.decided.expression(self.site, node, Purpose::SizeBefore, self.wrong)?;
                Some(role(Some(length)))
            }
            None => self.counted(role(None), "texts"),
        }
    }

    /// Whether a length is a parameter that is something already.
    fn is_taken(&self, node: &Node) -> bool {
        match self.named(node) {
            Named::Integer(length) => self.decided.draft.params[length].is_some(),
            _ => false,
        }
    }

    /// `in = "handles"`.
    pub(super) fn handles(&mut self) -> Option<Role> {
        let pointer = self.site.function.params[self.index].ty.pointee().map(|(pointer, _)| pointer)?;
        match objects::handle_type(self.site, pointer, self.item) {
            Ok(handle) => self.counted(Role::Handles { handle, nullable: self.item.nullable }, "objects"),
            Err(diagnostic) => {
                self.wrong.push(*diagnostic);
                None
            }
        }
    }

    /// What goes in one behind the other, with a NULL behind the last: a parameter may have its number.
    fn counted(&mut self, role: Role, what: &str) -> Option<Role> {
        let Some(node) = &self.item.length else {
            return Some(role);
        };
        let Named::Integer(length) = self.named(node) else {
            let help = &format!("the number of {what} is a parameter; without `length` a NULL ends them");
            self.error(node, format!("`{node}` is no integer parameter"), help);
            return None;
        };
        if !self.claim(length, Role::LengthOf { param: self.index, unit: Unit::Elements }, node) {
            let help = &format!("the number of {what} is a parameter of its own");
            self.error(node, format!("`{node}` already is something else"), help);
            return None;
        }
        Some(role)
    }

    /// `out = "text"`.
    pub(super) fn text_out(&mut self) -> Option<Role> {
        let (encoding, valid_on_error) = (self.item.encoding, self.item.valid_on_error);
        Some(Role::TextOut { encoding, ownership: self.memory()?, valid_on_error })
    }

    /// `out = "texts"`.
    pub(super) fn texts_out(&mut self) -> Option<Role> {
        let item = self.item;
        let (encoding, valid_on_error) = (item.encoding, item.valid_on_error);
        let node = item.length.as_ref()?;
        let counts = (Unit::Elements, 1);
        let length =
            lengths::length_after(self.site, node, counts, self.decided, self.wrong, valid_on_error)?;
        Some(Role::TextsOut { length, encoding, ownership: self.memory()?, valid_on_error })
    }

    /// `out = "data"`.
    pub(super) fn data_out(&mut self) -> Option<Role> {
        let item = self.item;
        let (counts, valid_on_error) = ((self.unit, self.size), item.valid_on_error);
        let length = lengths::length_after(
            self.site,
            item.length.as_ref()?,
            counts,
            self.decided,
            self.wrong,
            valid_on_error,
        )?;
        Some(Role::DataOut { length, ownership: self.memory()?, valid_on_error })
    }

    /// `out = "offset"`.
    pub(super) fn offset_out(&mut self) -> Option<Role> {
        let text = self.item.of.as_ref()?;
        let Some(param) = names::position(self.site.function, self.site.names, &text.value) else {
            let message = format!("`{}` has no parameter `{}`", self.site.function.name, text.value);
            let help = did_you_mean(&text.value, self.site.names.iter().map(String::as_str));
            let diagnostic = Diagnostic::error(message).at(text.span.clone()).label("unknown parameter");
            self.wrong.push(diagnostic.help(help));
            return None;
        };
        let size = |ty: &CType| ty.pointee().and_then(|(pointee, _)| pointee.element_size());
        let own = &self.site.function.params[self.index].ty;
        let place = own.pointee().and_then(|(pointer, _)| size(pointer));
        let ty = &self.site.function.params[param].ty;
        if size(ty).is_none() || size(ty) != place {
            let message =
                format!("`{}` is `{}`, where `{}` points to no place", text.value, ty.written, self.name());
            let help = "`of` names the text or buffer that goes in and that the place lies in".to_owned();
            self.wrong.push(Diagnostic::error(message).at(text.span.clone()).help(help));
            return None;
        }
        Some(Role::OffsetOut { param, valid_on_error: self.item.valid_on_error })
    }

    fn name(&self) -> &str {
        &self.site.names[self.index]
    }

    /// Who owns what is handed out.
    fn memory(&mut self) -> Option<Ownership> {
        match &self.item.release {
            None => Some(Ownership::Library),
            Some(text) => returned::release(self.site, text, self.wrong),
        }
    }
}
