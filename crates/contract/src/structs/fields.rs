//! The fields of one structure: what lines of the contract say, and what their types say by themselves.

use hotcell_model::api::{Api, Field, RecordLayout};
use hotcell_model::evidence::Fact;
use hotcell_model::interface::{Direction, FieldRole, Filled, Status, Told, Unit};
use hotcell_model::types::{CType, Type};

use crate::check::types::{Refusal, is_character, no_text, no_texts};
use crate::contract::{Contract, Item, StructLines, What};
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Text;
use crate::expression::Node;
use crate::infer;
use crate::pattern;
use crate::structs::{Unfit, unions};
use crate::suggest::did_you_mean;

/// The structure whose fields these are.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) contract: &'a Contract,
    pub(super) api: &'a Api,
    /// Its fields, each of which has a name.
    pub(super) layout: &'a RecordLayout,
    pub(super) lines: Option<&'a StructLines>,
    /// The fields that have none in C.
    pub(super) unnamed: &'a [String],
    pub(super) key: &'a str,
    /// As a contract names it.
    pub(super) name: &'a str,
    /// What stands in front of the names of fields: of members of a union, the union and a dot.
    pub(super) prefix: &'a str,
    pub(super) resident: bool,
}

/// Why fields have no roles.
pub(super) enum Refused {
    /// One of them cannot travel.
    Unfit(Box<Unfit>),
    /// Lines about them cannot be true.
    Wrong(Vec<Diagnostic>),
}

/// What fields are for.
pub(super) struct Decided {
    /// In order.
    pub(super) roles: Vec<Fact<FieldRole>>,
    /// The unions among them, each with its members that can be there.
    pub(super) unions: Vec<(usize, Vec<Text>)>,
}

/// The roles of the named fields in order. `nested` says whether a structure inside can travel.
pub(super) fn decide(place: Place<'_>, nested: &mut Nested<'_>) -> Result<Decided, Refused> {
    let fields: Vec<(&str, &Field)> = place
        .layout
        .fields
        .iter()
        .filter_map(|field| field.name.as_deref().map(|name| (name, field)))
        .collect();
    let (roles, unions, wrong) = (vec![None; fields.len()], Vec::new(), Vec::new());
    let mut fact = Fields { place, roles, fields, unions, wrong };
    fact.lines();
    if !fact.wrong.is_empty() {
        return Err(Refused::Wrong(fact.wrong));
    }
    let mut roles = Vec::new();
    let mut unfit: Vec<Unfit> = Vec::new();
    for (position, role) in fact.roles.iter().enumerate() {
        match role {
            Some(role) => match fact.behind(position, &role.value, nested) {
                Ok(()) => roles.push(role.clone()),
                Err(reason) => unfit.push(*reason),
            },
            None => match fact.by_type(position, nested) {
                Ok(role) => roles.push(Fact::proven(role)),
                Err(reason) => unfit.push(*reason),
            },
        }
    }
    match joined(unfit) {
        Some(unfit) => Err(Refused::Unfit(unfit.into())),
        None => Ok(Decided { roles, unions: fact.unions }),
    }
}

/// Whether a structure inside can travel, or where it is said, whether it can behind a pointer.
pub(super) type Nested<'a> = dyn FnMut(&str, bool) -> Result<(), Unfit> + 'a;

/// The first reason, with the lines about all fields that need one; what no line helps stands before what one decides.
fn joined(unfit: Vec<Unfit>) -> Option<Unfit> {
    if let Some(unsupported) = unfit.iter().find(|unfit| unfit.help.is_none()) {
        return Some(unsupported.clone());
    }
    let first = unfit.first()?.clone();
    let mut lines: Vec<&str> = Vec::new();
    for line in unfit.iter().flat_map(|unfit| unfit.help.iter().flat_map(|help| help.lines())) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    // Lines about other structures have tables of their own, which come behind.
    let tables = lines.iter().filter(|line| line.starts_with('[')).count();
    let help = if tables == 1 { Some(lines.join("\n")) } else { first.help.clone() };
    Some(Unfit { help, ..first })
}

/// Why a structure inside of one cannot travel.
fn inside(of: &str, inner: Unfit) -> Box<Unfit> {
    Box::new(Unfit { reason: format!("{of}: {}", inner.reason), ..inner })
}

struct Fields<'a> {
    place: Place<'a>,
    fields: Vec<(&'a str, &'a Field)>,
    roles: Vec<Option<Fact<FieldRole>>>,
    unions: Vec<(usize, Vec<Text>)>,
    wrong: Vec<Diagnostic>,
}

impl Fields<'_> {
    fn lines(&mut self) {
        let lines = self.place.lines.map(|lines| lines.fields.as_slice()).unwrap_or_default();
        let mut said: Vec<(usize, &Item)> = Vec::new();
        let exact = |name: &str| lines.iter().any(|line| line.name == name);
        for line in lines {
            let matching: Vec<usize> = (0..self.fields.len())
                .filter(|&position| {
                    line.is_pattern() && pattern::matches(&line.name, self.fields[position].0)
                })
                .collect();
            match self.position(&line.name) {
                // A line about one field stands before those of several.
                None if !matching.is_empty() => {
                    let matching = matching.into_iter().filter(|&position| !exact(self.fields[position].0));
                    said.extend(matching.map(|position| (position, &line.item)));
                    let text = Text { value: line.name.clone(), span: line.span.clone() };
                    let names = self.fields.iter().map(|(name, _)| *name);
                    let what = format!("field of `{}`", self.place.name);
                    let idle = pattern::useless(&self.place.contract.text, &text, names, &what);
                    let idle =
                        idle.into_iter().map(|found| Diagnostic { severity: Severity::Error, ..found });
                    self.wrong.extend(idle);
                }
                None => {
                    let message =
                        format!("`{}` has no field `{}{}`", self.place.name, self.place.prefix, line.name);
                    let help = did_you_mean(&line.name, self.fields.iter().map(|(name, _)| *name));
                    let diagnostic = Diagnostic::error(message).at(line.span.clone());
                    self.wrong.push(diagnostic.label("unknown field").help(help));
                }
                Some(position) => said.push((position, &line.item)),
            }
        }
        // Single fields first: what a line says about a field stands before what another makes of it.
        let (buffers, single): (Vec<_>, Vec<_>) =
            said.into_iter().partition(|(_, item)| matches!(item.what, What::Buffer(_)));
        let (ins, outs): (Vec<_>, Vec<_>) = buffers
            .into_iter()
            .partition(|(_, item)| matches!(item.what, What::Buffer(direction) if direction.goes_in()));
        let (counted, single): (Vec<_>, Vec<_>) =
            single.into_iter().partition(|(_, item)| item.length.is_some());
        for (position, item) in single.into_iter().chain(ins).chain(outs).chain(counted) {
            if let Some((why, help)) = self.refusal(position, item) {
                let (name, field) = self.fields[position];
                let name = format!("{}{name}", self.place.prefix);
                let message =
                    format!("`{name}` cannot be `{}`: it is `{}`", item.written, unions::written(&field.ty));
                let diagnostic = Diagnostic::error(message).at(item.span.clone()).label(why);
                self.wrong.push(diagnostic.help(help));
                continue;
            }
            let role = match item.what {
                What::Own => Some(FieldRole::Own),
                What::Zero => Some(FieldRole::Zero),
                What::Union | What::Member => self.union(position, item),
                What::Text => Some(match self.fields[position].1.ty.array() {
                    Some((_, length)) => {
                        FieldRole::TextArray { encoding: item.encoding, length, pad: item.pad }
                    }
                    None => FieldRole::Text { encoding: item.encoding, nullable: item.nullable },
                }),
                What::Data => self.counted(item).map(|length| FieldRole::Data {
                    length,
                    unit: self.unit(position, item),
                    record: None,
                }),
                What::Structs(_) => {
                    let pointee = self.fields[position].1.ty.pointee();
                    let record = pointee.and_then(|(pointee, _)| pointee.record()).map(str::to_owned);
                    self.counted(item).map(|length| FieldRole::Data { length, unit: Unit::Elements, record })
                }
                What::TextsOut => match &item.length {
                    Some(_) => self.counted(item).map(Some),
                    None => Some(None),
                }
                .map(|length| FieldRole::Texts { encoding: item.encoding, length }),
                What::Struct(direction) => {
                    let pointee = self.fields[position].1.ty.pointee();
                    let record = pointee.and_then(|(pointee, _)| pointee.record()).map(str::to_owned);
                    record.map(|record| FieldRole::Pointer { record, direction })
                }
                What::Buffer(direction) if direction.goes_in() => self.data(position, item),
                _ => self.memory(position, item),
            };
            if let Some(role) = role {
                self.set(position, role, item);
            }
        }
        self.tags();
    }

    /// The field that says what of a union is there is one that callers see, and nothing else.
    fn tags(&mut self) {
        let taken =
            self.unions.iter().filter_map(|(position, _)| match &self.roles[*position].as_ref()?.value {
                FieldRole::Union { told: Told::By { field, .. }, .. } if self.roles[*field].is_some() => {
                    Some((*position, *field))
                }
                _ => None,
            });
        for (position, tag) in taken.collect::<Vec<_>>() {
            let (union, tag) = (self.fields[position].0, self.fields[tag].0);
            let lines = self.place.lines.map(|lines| lines.fields.as_slice()).unwrap_or_default();
            let line = lines.iter().rfind(|line| line.name == union);
            let line = line.or_else(|| lines.iter().rfind(|line| pattern::matches(&line.name, union)));
            let diagnostic = Diagnostic::error(format!("`{tag}` already is something else"));
            let help = format!("callers see what says which member is there: no other line is about `{tag}`");
            let span = line.map_or(0..0, |line| line.item.span.clone());
            self.wrong.push(diagnostic.at(span).help(help));
        }
    }

    fn is_unnamed(&self, name: &str) -> bool {
        self.place.unnamed.iter().any(|unnamed| unnamed == name)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|(own, _)| *own == name)
    }

    fn set(&mut self, position: usize, role: FieldRole, item: &Item) {
        self.roles[position] = Some(Fact::decided(role, self.place.contract.line(&item.span)));
    }

    fn refusal(&self, position: usize, item: &Item) -> Option<Refusal> {
        let ty = &self.fields[position].1.ty;
        let pointee = ty.pointee();
        let text = |text: &str| Some(text.to_owned());
        match item.what {
            What::Own if !self.place.resident => Some((
                "only a structure that the library keeps has fields of its own",
                text("write `{ zero = true }`, or add `resident = true` to the structure"),
            )),
            What::Own | What::Zero => None,
            What::Union | What::Member => match unions::of(self.place.api, ty) {
                None => Some(("no union", text("leave the line out"))),
                Some(_) if self.place.resident => Some((
                    "a structure that the library keeps has no unions that travel",
                    text("write `{ own = true }`, and functions for its members in `get` and `set`"),
                )),
                Some(_) if !self.place.prefix.is_empty() => {
                    Some(("a union in a union", text("name a member that is none")))
                }
                Some(_) => None,
            },
            What::Text if ty.array().is_some() => match ty.array() {
                Some(_) if item.encoding.is_converted() => {
                    Some(("an array of characters has bytes", text("write `\"utf-8\"` or `\"bytes\"`")))
                }
                Some(_) if item.nullable => Some(("an array is always there", text("leave `nullable` out"))),
                Some((element, _)) if is_character(element) => None,
                _ => Some(("no array of characters", text("leave the line out: arrays need none"))),
            },
            What::Data => match pointee {
                Some((pointee, _)) if pointee.element_size().is_some() => None,
                _ => Some(("no pointer to numbers or bytes", None)),
            },
            What::Structs(_) | What::Struct(_) => match pointee {
                Some((pointee, _)) if pointee.record().is_none() => {
                    Some(("it does not point to structures", None))
                }
                Some(_) if self.place.resident && item.what != What::Structs(Direction::Out) => Some((
                    "a structure that the library keeps does not point to those of a call",
                    text("write `{ own = true }`"),
                )),
                Some((_, true)) if item.what == What::Struct(Direction::InOut) => {
                    Some(("it is only read through", text("write `{ in = \"struct\" }`")))
                }
                Some(_) => None,
                None => Some(("not a pointer", text("leave the line out: numbers and arrays need none"))),
            },
            What::TextsOut => match pointee {
                Some((element, _)) => no_texts(element, item.encoding),
                None => Some(("not a pointer", None)),
            },
            What::Text if item.pad.is_some() => {
                Some(("`pad` is of an array of characters", text("leave `pad` out")))
            }
            What::Text => match pointee {
                Some((pointee, _)) => no_text(pointee, item.encoding),
                None => Some(("not a pointer", text("leave the line out: numbers and arrays need none"))),
            },
            What::Buffer(direction) => match pointee {
                None => Some(("not a pointer", text("leave the line out: numbers and arrays need none"))),
                Some((pointee, _)) if pointee.element_size().is_none() => {
                    Some(("a buffer consists of numbers or bytes", None))
                }
                Some((_, true)) if direction.goes_out() => {
                    Some(("it is only read through", text("write `{ in = \"buffer\", length = … }`")))
                }
                Some(_) => None,
            },
            _ => Some(("no item of a field", None)),
        }
    }

    /// A union, with the members that can be there.
    fn union(&mut self, position: usize, item: &Item) -> Option<FieldRole> {
        let tags: Vec<unions::Tag<'_>> =
            self.fields.iter().map(|(name, field)| unions::Tag { name, field }).collect();
        match unions::told(self.place, &self.fields[position].1.ty, item, &tags) {
            Ok((told, members)) => {
                let name = self.fields[position].0;
                self.unions.push((position, members));
                let record = format!("{}.{name}", self.place.key);
                Some(FieldRole::Union { record, anonymous: self.is_unnamed(name), told })
            }
            Err(diagnostic) => {
                self.wrong.push(*diagnostic);
                None
            }
        }
    }

    /// The integer field that a key names.
    fn integer(&mut self, node: &Node, what: &str) -> Option<usize> {
        let named = node.name().and_then(|name| self.position(name));
        let found = named.filter(|&position| {
            let (_, field) = self.fields[position];
            field.ty.is_integer() && field.bit_width.is_none()
        });
        if found.is_none() {
            let message = match named {
                Some(position) => {
                    format!("`{node}` is no integer: it is `{}`", self.fields[position].1.ty.written)
                }
                None => format!("`{node}` is no field of `{}`", self.place.name),
            };
            let unknown = node.name().filter(|_| named.is_none());
            let near = unknown.and_then(|name| did_you_mean(name, self.fields.iter().map(|(name, _)| *name)));
            let help = near.unwrap_or_else(|| format!("`{what}` names the integer field that says it"));
            self.wrong.push(Diagnostic::error(message).at(node.span.clone()).help(help));
        }
        found
    }

    fn unit(&self, position: usize, item: &Item) -> Unit {
        let pointee = self.fields[position].1.ty.pointee();
        let bytes = pointee.and_then(|(pointee, _)| pointee.element_size()) == Some(1);
        item.unit.unwrap_or(if bytes { Unit::Bytes } else { Unit::Elements })
    }

    fn data(&mut self, position: usize, item: &Item) -> Option<FieldRole> {
        let node = item.length.as_ref()?;
        let length = self.integer(node, "length")?;
        if self.roles[length].is_some() {
            self.taken(node);
            return None;
        }
        let unit = self.unit(position, item);
        self.set(length, FieldRole::LengthOf { field: position, unit }, item);
        Some(FieldRole::BufferIn { nullable: item.nullable })
    }

    fn memory(&mut self, position: usize, item: &Item) -> Option<FieldRole> {
        let capacity = self.number(item.capacity.as_ref()?, "capacity")?;
        let filled = match (&item.length, &item.left) {
            (Some(node), None) => Filled::Field { field: self.number(node, "length")? },
            (None, Some(node)) => Filled::Left { field: self.number(node, "left")? },
            _ => {
                let message = "memory that is filled needs one of `length` and `left`";
                let help = "add `length = \"…\"`, the field that says how much is filled, or `left = \"…\"`, the \
                            field that says how much is not";
                self.wrong.push(Diagnostic::error(message).at(item.span.clone()).help(help.to_owned()));
                return None;
            }
        };
        Some(FieldRole::BufferOut { capacity, unit: self.unit(position, item), filled })
    }

    /// The field with how much comes out.
    fn counted(&mut self, item: &Item) -> Option<usize> {
        self.number(item.length.as_ref()?, "length")
    }

    /// Whether what a line says that a field points to can travel.
    fn behind(&self, position: usize, role: &FieldRole, nested: &mut Nested<'_>) -> Result<(), Box<Unfit>> {
        let (FieldRole::Data { record: Some(record), .. } | FieldRole::Pointer { record, .. }) = role else {
            return Ok(());
        };
        let of = format!("`{}{}` of `{}`", self.place.prefix, self.fields[position].0, self.place.name);
        nested(record, true).map_err(|inner| inside(&of, inner))
    }

    /// An integer field that callers see.
    fn number(&mut self, node: &Node, what: &str) -> Option<usize> {
        let position = self.integer(node, what)?;
        if self.roles[position].is_some() {
            self.taken(node);
            return None;
        }
        Some(position)
    }

    fn taken(&mut self, node: &Node) {
        let diagnostic = Diagnostic::error(format!("`{node}` already is something else"));
        let help = "a field is the length of one buffer, and callers see a capacity".to_owned();
        self.wrong.push(diagnostic.at(node.span.clone()).help(help));
    }

    /// What a field is without a line.
    fn by_type(&self, position: usize, nested: &mut Nested<'_>) -> Result<FieldRole, Box<Unfit>> {
        let (name, field) = self.fields[position];
        let unfit = |status, reason: String, help: Option<String>| {
            // No line can name a structure without a name.
            let named =
                |_: &String| self.place.name.chars().all(|c| c.is_ascii_alphanumeric() || "_ ".contains(c));
            let help = help.filter(named);
            let shown = match self.place.prefix {
                "" => name.to_owned(),
                prefix => format!("\"{prefix}{name}\""),
            };
            let help = help.map(|item| format!("[struct.{}]\nfields.{shown} = {item}", self.place.name));
            Err(Box::new(Unfit { status, reason, help }))
        };
        // Hidden, and zero where callers make the structure.
        let hide = if self.place.resident { "{ own = true }" } else { "{ zero = true }" };
        let unsupported = |reason: String| unfit(Status::Undecided, reason, Some(hide.to_owned()));
        let of = format!("`{}{name}` of `{}`", self.place.prefix, self.place.name);
        if unions::of(self.place.api, &field.ty).is_some() {
            let what = if self.is_unnamed(name) { "a union without a name" } else { "a union" };
            return unsupported(format!("{of} is {what}, and nothing says which of its members is there"));
        }
        match &field.ty.kind {
            _ if field.ty.is_scalar() => Ok(match field.bit_width {
                Some(width) => FieldRole::Bits { width },
                None => FieldRole::Value,
            }),
            Type::Array { .. } => match field.ty.array() {
                None => unfit(Status::Unsupported, format!("{of} is an array without a length"), None),
                Some((element, length)) if element.is_scalar() => Ok(FieldRole::Array { length }),
                Some((CType { kind: Type::Record { name: record }, .. }, length)) => {
                    match nested(record, false) {
                        Ok(()) => Ok(FieldRole::Structs { record: record.clone(), length }),
                        Err(inner) => Err(inside(&of, inner)),
                    }
                }
                Some(_) => {
                    unsupported(format!("{of} is an array of something else than numbers and structures"))
                }
            },
            Type::Record { name: record } => match nested(record, false) {
                Ok(()) => Ok(FieldRole::Struct { record: record.clone() }),
                Err(inner) => Err(inside(&of, inner)),
            },
            Type::FunctionPointer { .. } => unsupported(format!("{of} is a pointer to a function")),
            Type::Pointer { pointee, constant } => {
                let reason = format!("nothing says what {of} (`{}`) is for", field.ty.written);
                unfit(Status::Undecided, reason, Some(self.suggest(position, pointee, *constant, hide)))
            }
            Type::Unsupported { reason } => unsupported(format!("{of}: {reason}")),
            _ => unsupported(format!("{of} is `{}`", field.ty.written)),
        }
    }

    /// A line for a pointer that nothing is said about.
    fn suggest(&self, position: usize, pointee: &CType, constant: bool, hide: &str) -> String {
        let own = self.fields[position].0;
        let integer = |at: &usize| {
            let field = self.fields.get(*at).filter(|_| self.roles[*at].is_none());
            field.is_some_and(|(_, field)| field.ty.is_integer() && field.bit_width.is_none())
        };
        // What a number says the size of by its name is one pointer's.
        let bytes = |ty: &CType| ty.element_size() == Some(1);
        let of = |at: &usize| {
            let pointers =
                self.fields.iter().filter_map(|(name, field)| Some((*name, field.ty.pointee()?.0)));
            let mut pointers = pointers.filter(|(_, ty)| ty.element_size().is_some());
            let number = self.fields[*at].0;
            pointers.find(|(name, ty)| infer::sizes(number, name, bytes(ty))).map(|(name, _)| name)
        };
        let named = (0..self.fields.len()).filter(integer).find(|at| of(at) == Some(own));
        let text = matches!(pointee.kind, Type::Char | Type::Void);
        let may_size = |at: &usize| of(at).is_none() && infer::may_size(self.fields[*at].0, own);
        let next = || Some(position + 1).filter(integer).filter(may_size);
        let length = named.or_else(|| next().filter(|_| constant && !text)).map(|at| self.fields[at].0);
        match (pointee.element_size(), length) {
            (Some(_), Some(length)) => {
                let out = if constant {
                    ""
                } else {
                    " # or { out = \"data\", length = \"LENGTH\" } when the library fills it in"
                };
                format!("{{ in = \"buffer\", length = \"{length}\" }}{}", out.replace("LENGTH", length))
            }
            (Some(1), _) if pointee.kind == Type::Char || constant && pointee.kind != Type::Void => {
                "{ string = \"utf-8\", nullable = true }".to_owned()
            }
            _ => hide.to_owned(),
        }
    }
}
