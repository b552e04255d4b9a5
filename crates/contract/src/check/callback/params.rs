//! The parameters of a function that the library calls.

use std::collections::BTreeMap;

use hotcell_model::interface::{CallbackParam, CallbackRole, Direction, Unit};
use hotcell_model::types::{CType, Type};

use crate::check::callback::{is_void_pointer, user_data};
use crate::check::decide::Site;
use crate::check::types::{Refusal, is_character, no_text, object};
use crate::check::{lengths, lines, names, objects};
use crate::contract::{Closeness, Item, ParamLine, What};
use crate::diagnostic::Diagnostic;
use crate::expression::{Kind, Node};
use crate::suggest::did_you_mean;
use crate::typed;

/// The parameters of a callback, which `site` is about; `wrong` says it when some have no role.
pub(super) fn params(site: Site<'_>, item: &Item, wrong: &mut Vec<Diagnostic>) -> Vec<CallbackParam> {
    let mut own = Params { site, roles: vec![None; site.names.len()], wrong };
    let before = own.wrong.len();
    own.lines(item);
    // A line that is wrong leaves its parameter open.
    if own.wrong.len() == before {
        own.user_data(item);
    }
    if own.wrong.len() == before {
        own.rest(item);
    }
    let typed = site.names.iter().zip(&site.function.params).zip(own.roles);
    typed
        .filter_map(|((name, param), role)| {
            Some(CallbackParam { name: name.clone(), ty: param.ty.clone(), role: role? })
        })
        .collect()
}

struct Params<'a> {
    /// Of the callback.
    site: Site<'a>,
    roles: Vec<Option<CallbackRole>>,
    wrong: &'a mut Vec<Diagnostic>,
}

impl<'a> Params<'a> {
    fn ty(&self, position: usize) -> &'a CType {
        &self.site.function.params[position].ty
    }

    fn position(&self, name: &str) -> Option<usize> {
        names::position(self.site.function, self.site.names, name)
    }

    fn near(&self, name: &str) -> Option<String> {
        did_you_mean(name, self.site.names.iter().map(String::as_str))
    }

    fn lines(&mut self, item: &Item) {
        for (position, line) in self.closest(item) {
            if let Some((why, help)) = self.refusal(position, &line.item) {
                let (name, ty) = (&self.site.names[position], &self.ty(position).written);
                let message = format!("`{name}` cannot be `{}`: it is `{ty}`", line.item.written);
                self.wrong.push(Diagnostic::error(message).at(line.item.span.clone()).label(why).help(help));
                continue;
            }
            self.roles[position] = self.role(position, &line.item).or(self.roles[position].take());
        }
    }

    /// The closest line about each parameter that one is about.
    fn closest<'b>(&mut self, item: &'b Item) -> BTreeMap<usize, &'b ParamLine> {
        let mut lines: Vec<&ParamLine> = item.params.iter().collect();
        lines.sort_by_key(|line| line.closeness());
        let mut closest = BTreeMap::new();
        for line in lines {
            let positions = names::positions(self.site.function, self.site.names, &line.name);
            // What is said about several callbacks at once may be about some of them.
            let idle = positions.is_empty() && !self.site.contract.is_about_several(&line.span);
            if idle || positions.is_empty() && line.closeness() == Closeness::Name {
                let message = format!("`{}` has no parameter `{}`", self.site.function.name, line.name);
                let near = match typed::is_typed(&line.name) {
                    true => lines::near_type(line, &[self.site.function]),
                    false => self.near(&line.name),
                };
                let help =
                    near.unwrap_or_else(|| format!("its parameters are {}", self.site.names.join(", ")));
                let diagnostic = Diagnostic::error(message).at(line.span.clone());
                self.wrong.push(diagnostic.label("unknown parameter").help(help));
            }
            closest.extend(positions.into_iter().map(|position| (position, line)));
        }
        closest
    }

    fn refusal(&self, position: usize, item: &Item) -> Option<Refusal> {
        let ty = self.ty(position);
        let pointee = ty.pointee().map(|(pointee, _)| pointee);
        let why = match item.what {
            What::Text => match pointee {
                // `void *` says nothing, and the contract does.
                Some(pointee) if item.encoding.lies_in(pointee) => return None,
                Some(pointee) => return no_text(pointee, item.encoding),
                None => "not a pointer",
            },
            What::Buffer(Direction::Out) if ty.pointee().is_some_and(|(_, constant)| constant) => {
                "nobody fills what is `const`"
            }
            What::Buffer(_) => match pointee {
                Some(pointee) if pointee.element_size().is_some() => return None,
                Some(_) => "a buffer consists of numbers or bytes",
                None => "not a pointer",
            },
            What::Texts => match pointee.and_then(CType::pointee) {
                Some((pointee, _)) if pointee.kind != Type::Void || item.encoding.unit() > 1 => {
                    return no_text(pointee, item.encoding);
                }
                _ => "not a pointer to pointers to characters",
            },
            What::Handle => return object(self.site, ty, item, None),
            What::Handles => match pointee {
                Some(pointer) if pointer.pointee().is_some() => {
                    return object(self.site, pointer, item, None);
                }
                _ => "not a pointer to pointers to objects",
            },
            _ if is_void_pointer(ty) => return None,
            _ => "user data is a `void *`",
        };
        Some((why, None))
    }

    fn role(&mut self, position: usize, item: &Item) -> Option<CallbackRole> {
        let ty = self.ty(position);
        Some(match item.what {
            What::Text => CallbackRole::Text { encoding: item.encoding, nullable: item.nullable },
            What::Buffer(Direction::Out) => return self.room(position, item),
            What::Buffer(_) => {
                let size = ty.pointee().and_then(|(pointee, _)| pointee.element_size());
                let unit = item.unit.unwrap_or(if size == Some(1) { Unit::Bytes } else { Unit::Elements });
                CallbackRole::Buffer { length: self.length(position, item.length.as_ref()?)?, unit }
            }
            What::Texts if item.nullable && item.length.is_none() => {
                let message = format!(
                    "`{}` ends at its first NULL: none of its texts is one",
                    self.site.names[position]
                );
                let help =
                    "leave `nullable` out, or add `length` where a number says how many there are".to_owned();
                self.wrong.push(Diagnostic::error(message).at(item.span.clone()).help(help));
                return None;
            }
            What::Texts => CallbackRole::Texts {
                length: match &item.length {
                    Some(length) => Some(self.length(position, length)?),
                    None => None,
                },
                encoding: item.encoding,
                nullable: item.nullable,
            },
            What::Handle => CallbackRole::Handle { handle: self.handle(ty, item)?, nullable: item.nullable },
            What::Handles => {
                let handle = self.handle(ty.pointee()?.0, item)?;
                CallbackRole::Handles { length: self.length(position, item.length.as_ref()?)?, handle }
            }
            _ => CallbackRole::UserData,
        })
    }

    /// Memory that the application fills: all of it, or as much as it returns.
    fn room(&mut self, position: usize, item: &Item) -> Option<CallbackRole> {
        let result = &self.site.function.result;
        let returned = item.length.as_ref().is_some_and(|length| length.kind == Kind::Result);
        let size = self.ty(position).pointee().and_then(|(pointee, _)| pointee.element_size());
        let unit = item.unit.unwrap_or(if size == Some(1) { Unit::Bytes } else { Unit::Elements });
        let several = self.roles.iter().flatten().any(|role| matches!(role, CallbackRole::Room { .. }));
        let (message, help) = match &item.length {
            _ if several => ("a callback fills one piece of memory".to_owned(), None),
            Some(length) if !returned => (
                format!("`{length}` does not say how much is filled"),
                Some(
                    "write `length = \"result\"`, or leave `length` out where all of it is filled".to_owned(),
                ),
            ),
            Some(_) if !result.is_integer() => {
                (format!("the callback returns `{}`, which is no number of elements", result.written), None)
            }
            None if result.kind != Type::Void => (
                "nothing says how much is filled".to_owned(),
                Some("add `length = \"result\"`, if the callback returns it".to_owned()),
            ),
            _ if returned && unit == Unit::Bytes && size != Some(1) => {
                ("what the callback returns counts elements".to_owned(), Some("leave `unit` out".to_owned()))
            }
            _ => {
                let capacity = self.length(position, item.capacity.as_ref()?)?;
                return Some(CallbackRole::Room { capacity, unit, returned });
            }
        };
        self.wrong.push(Diagnostic::error(message).at(item.span.clone()).help(help));
        None
    }

    fn handle(&mut self, pointer: &CType, item: &Item) -> Option<String> {
        match objects::handle_type(self.site, pointer, item) {
            Ok(handle) => Some(handle),
            Err(diagnostic) => {
                self.wrong.push(*diagnostic);
                None
            }
        }
    }

    /// The parameter with the length of a buffer, of texts or objects, hidden from now on.
    fn length(&mut self, position: usize, node: &Node) -> Option<usize> {
        let next = lengths::next(self.site, position, node);
        let named = next.or_else(|| node.name().and_then(|name| self.position(name)));
        let Some(length) = named.filter(|&named| self.ty(named).is_integer()) else {
            let message = format!("`{node}` is no integer parameter of `{}`", self.site.function.name);
            let help = node.name().filter(|_| named.is_none()).and_then(|name| self.near(name));
            self.wrong.push(Diagnostic::error(message).at(node.span.clone()).help(help));
            return None;
        };
        match self.roles[length] {
            None => self.roles[length] = Some(CallbackRole::LengthOf { param: position }),
            Some(CallbackRole::LengthOf { param }) => {
                let first = param.min(position);
                self.roles[length] = Some(CallbackRole::LengthOf { param: first });
            }
            Some(_) => {
                let diagnostic = Diagnostic::error(format!("`{node}` already is something else"));
                self.wrong.push(diagnostic.at(node.span.clone()));
                return None;
            }
        }
        Some(length)
    }

    /// User data is what a call gives, what a line says, or else the only `void *` that no line is about.
    fn user_data(&mut self, item: &Item) {
        let said = self.roles.iter().filter(|role| **role == Some(CallbackRole::UserData)).count();
        let open: Vec<usize> = (0..self.roles.len())
            .filter(|&position| self.roles[position].is_none() && is_void_pointer(self.ty(position)))
            .collect();
        let name = &self.site.function.name;
        let (message, help) = match (said, open.as_slice()) {
            (0, _) if item.user_data_from.is_some() => return,
            (0, _) if user_data::is_none(item) => return,
            (_, _) if item.user_data_from.is_some() => (
                format!("`{name}` has its user data twice"),
                "leave `user_data_from` out: it is for callbacks none of whose parameters is the user data".to_owned(),
            ),
            (1, _) => return,
            (0, [only]) => {
                self.roles[*only] = Some(CallbackRole::UserData);
                return;
            }
            (0, []) => (
                format!("`{name}` is called without user data"),
                "add `user_data_from = \"…\"`, a call over its parameters that gives it; without one write `{ fixed = \
                 \"NULL\" }`"
                    .to_owned(),
            ),
            (0, [first, ..]) => (
                format!("`{name}` has several `void *`, and one of them is the user data"),
                format!("add `params.{} = {{ user_data = true }}` inside of the item", self.site.names[*first]),
            ),
            _ => (
                format!("`{name}` has one user data"),
                "leave `user_data = true` on the parameter that is what the registering call passed".to_owned(),
            ),
        };
        self.wrong.push(Diagnostic::error(message).at(item.span.clone()).help(help));
    }

    /// Numbers and objects need no line.
    fn rest(&mut self, item: &Item) {
        for position in 0..self.roles.len() {
            if self.roles[position].is_some() {
                continue;
            }
            let ty = self.ty(position);
            if ty.is_scalar() {
                self.roles[position] = Some(CallbackRole::Value);
                continue;
            }
            let handles = self.site.known.handles;
            if let Some(handle) = handles.of_pointer(ty) {
                self.roles[position] =
                    Some(CallbackRole::Handle { handle: handle.to_owned(), nullable: false });
                continue;
            }
            let (name, pointee) = (&self.site.names[position], ty.pointee().map(|(pointee, _)| pointee));
            let callback = &self.site.function.name;
            let message = format!("nothing says what `{name}` (`{}`) of `{callback}` is", ty.written);
            let say = match pointee {
                Some(pointee) if is_character(pointee) => "{ string = \"utf-8\" }",
                Some(pointee) if pointee.element_size().is_some() => "{ in = \"buffer\", length = \"…\" }",
                Some(pointee) if pointee.pointee().is_some_and(|(ty, _)| is_character(ty)) => {
                    "{ in = \"texts\", length = \"…\" }"
                }
                Some(pointee) if handles.of_pointer(pointee).is_some() => {
                    "{ in = \"handles\", length = \"…\" }"
                }
                _ => "",
            };
            let help = match say {
                "" => {
                    "this version has callbacks with numbers, texts, buffers and objects: write `{ fixed = \"NULL\" }`"
                        .to_owned()
                }
                say => format!("add `params.{name} = {say}` inside of the item"),
            };
            self.wrong.push(Diagnostic::error(message).at(item.span.clone()).help(help));
        }
    }
}
