//! The parameters of a function that the library calls.

use hotcell_model::interface::{CallbackParam, CallbackRole, Unit};
use hotcell_model::types::{CType, Signature};

use crate::check::callback::is_void_pointer;
use crate::check::decide::Site;
use crate::check::types::is_character;
use crate::contract::{Item, What};
use crate::diagnostic::Diagnostic;
use crate::expression::Node;
use crate::suggest::did_you_mean;

/// The parameters of a callback; `wrong` says it when some have no role.
pub(super) fn params(
    site: Site<'_>,
    index: usize,
    item: &Item,
    signature: &Signature,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<CallbackParam> {
    let names: Vec<String> = (1..)
        .zip(&signature.params)
        .map(|(number, (name, _))| name.clone().unwrap_or_else(|| format!("arg{number}")))
        .collect();
    let mut own = Params { site, index, names, signature, roles: vec![None; signature.params.len()], wrong };
    let before = own.wrong.len();
    own.lines(item);
    // A line that is wrong leaves its parameter open.
    if own.wrong.len() == before {
        own.user_data(item);
    }
    if own.wrong.len() == before {
        own.rest(item);
    }
    let typed = own.names.into_iter().zip(&signature.params).zip(own.roles);
    typed
        .filter_map(|((name, (_, ty)), role)| Some(CallbackParam { name, ty: ty.clone(), role: role? }))
        .collect()
}

struct Params<'a> {
    site: Site<'a>,
    /// Of the callback.
    index: usize,
    names: Vec<String>,
    signature: &'a Signature,
    roles: Vec<Option<CallbackRole>>,
    wrong: &'a mut Vec<Diagnostic>,
}

impl Params<'_> {
    fn ty(&self, position: usize) -> &CType {
        &self.signature.params[position].1
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|own| own == name)
    }

    fn lines(&mut self, item: &Item) {
        for line in &item.params {
            let Some(position) = self.position(&line.name) else {
                let message = format!("`{}` has no parameter `{}`", self.site.names[self.index], line.name);
                let near = did_you_mean(&line.name, self.names.iter().map(String::as_str));
                let help = near.unwrap_or_else(|| format!("its parameters are {}", self.names.join(", ")));
                let diagnostic = Diagnostic::error(message).at(line.span.clone());
                self.wrong.push(diagnostic.label("unknown parameter").help(help));
                continue;
            };
            if let Some(why) = self.refusal(position, &line.item) {
                let (name, ty) = (&line.name, &self.ty(position).written);
                let message = format!("`{name}` cannot be `{}`: it is `{ty}`", line.item.written);
                self.wrong.push(Diagnostic::error(message).at(line.item.span.clone()).label(why));
                continue;
            }
            self.roles[position] = self.role(position, &line.item).or(self.roles[position].take());
        }
    }

    fn refusal(&self, position: usize, item: &Item) -> Option<&'static str> {
        let ty = self.ty(position);
        let pointee = ty.pointee().map(|(pointee, _)| pointee);
        match item.what {
            What::Text => match pointee {
                Some(pointee) if is_character(pointee) => None,
                Some(_) => Some("a text is a pointer to bytes"),
                None => Some("not a pointer"),
            },
            What::Buffer(_) => match pointee {
                Some(pointee) if pointee.element_size().is_some() => None,
                Some(_) => Some("a buffer consists of numbers or bytes"),
                None => Some("not a pointer"),
            },
            What::Texts => match pointee.and_then(CType::pointee) {
                Some((pointee, _)) if is_character(pointee) => None,
                _ => Some("not a pointer to pointers to characters"),
            },
            _ if is_void_pointer(ty) => None,
            _ => Some("user data is a `void *`"),
        }
    }

    fn role(&mut self, position: usize, item: &Item) -> Option<CallbackRole> {
        Some(match item.what {
            What::Text => CallbackRole::Text { encoding: item.encoding, nullable: item.nullable },
            What::Buffer(_) => {
                let size = self.ty(position).pointee().and_then(|(pointee, _)| pointee.element_size());
                let unit = item.unit.unwrap_or(if size == Some(1) { Unit::Bytes } else { Unit::Elements });
                CallbackRole::Buffer { length: self.length(position, item.length.as_ref()?)?, unit }
            }
            What::Texts => CallbackRole::Texts {
                length: self.length(position, item.length.as_ref()?)?,
                encoding: item.encoding,
                nullable: item.nullable,
            },
            _ => CallbackRole::UserData,
        })
    }

    /// The parameter with the length of a buffer or of texts, hidden from now on.
    fn length(&mut self, position: usize, node: &Node) -> Option<usize> {
        let named = node.name().and_then(|name| self.position(name));
        let Some(length) = named.filter(|&named| self.ty(named).is_integer()) else {
            let message = format!("`{node}` is no integer parameter of `{}`", self.site.names[self.index]);
            let help = node.name().and_then(|name| did_you_mean(name, self.names.iter().map(String::as_str)));
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

    /// User data is what a line says, or the only `void *` that no line is about.
    fn user_data(&mut self, item: &Item) {
        let said = self.roles.iter().filter(|role| **role == Some(CallbackRole::UserData)).count();
        let open: Vec<usize> = (0..self.roles.len())
            .filter(|&position| self.roles[position].is_none() && is_void_pointer(self.ty(position)))
            .collect();
        let name = &self.site.names[self.index];
        let (message, help) = match (said, open.as_slice()) {
            (1, _) => return,
            (0, [only]) => {
                self.roles[*only] = Some(CallbackRole::UserData);
                return;
            }
            (0, []) => (
                format!("`{name}` is called without user data"),
                "this version has callbacks that get a `void *` of the registering call: write `{ fixed = \"NULL\" }`"
                    .to_owned(),
            ),
            (0, [first, ..]) => (
                format!("`{name}` has several `void *`, and one of them is the user data"),
                format!("add `params.{} = {{ user_data = true }}` inside of the item", self.names[*first]),
            ),
            _ => (
                format!("`{name}` has one user data"),
                "leave `user_data = true` on the parameter that is what the registering call passed".to_owned(),
            ),
        };
        self.wrong.push(Diagnostic::error(message).at(item.span.clone()).help(help));
    }

    /// Numbers need no line.
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
            let (name, pointee) = (&self.names[position], ty.pointee().map(|(pointee, _)| pointee));
            let callback = &self.site.names[self.index];
            let message = format!("nothing says what `{name}` (`{}`) of `{callback}` is", ty.written);
            let say = match pointee {
                Some(pointee) if is_character(pointee) => "{ string = \"utf-8\" }",
                Some(pointee) if pointee.element_size().is_some() => "{ in = \"buffer\", length = \"…\" }",
                Some(pointee) if pointee.pointee().is_some_and(|(ty, _)| is_character(ty)) => {
                    "{ in = \"texts\", length = \"…\" }"
                }
                _ => "",
            };
            let help = match say {
                "" => {
                    "this version has callbacks with numbers, texts and buffers: write `{ fixed = \"NULL\" }`"
                        .to_owned()
                }
                say => format!("add `params.{name} = {say}` inside of the item"),
            };
            self.wrong.push(Diagnostic::error(message).at(item.span.clone()).help(help));
        }
    }
}
