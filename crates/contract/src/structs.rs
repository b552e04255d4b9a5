//! The structures of a library that can travel: by value, by pointer, or kept by the library.
//!
//! Each record of the headers either is in the table or has a reason why not, which becomes the reason of every
//! function that needs it.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::api::{Api, Record, RecordLayout};
use hotcell_model::evidence::Fact;
use hotcell_model::interface::{Direction, FieldRole, Status, Struct, StructField};
use hotcell_model::types::{CType, Type};

use crate::contract::{Contract, ParamLine, StructLines};
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::handles::Handles;
use crate::infer::begun::{self, Begun};
use crate::suggest::did_you_mean;
use crate::type_names::{Named, TypeNames};

mod fields;
mod single;
mod unions;

pub(crate) use single::is_standard;

/// The structures that can travel, by the record's key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Structs {
    known: BTreeMap<String, Struct>,
    unfit: BTreeMap<String, Unfit>,
    /// Those the library keeps: the position of each one's table in the contract, and its line.
    residents: BTreeMap<String, (usize, u32)>,
    /// Those of numbers only of which a pointer leads to one.
    single: BTreeSet<String>,
    /// Those of numbers only, which callers have one of or several.
    plain: BTreeSet<String>,
    /// Those of them that only callers have memory of.
    callers: BTreeSet<String>,
    /// Those of which functions of the library show that it keeps them.
    begun: BTreeMap<String, Begun>,
}

/// Why a structure cannot travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Undecided or unsupported.
    pub status: Status,
    /// Why, in words.
    pub reason: String,
    /// What to write into the contract, when a line would help.
    pub help: Option<String>,
}

impl Structs {
    /// The structures of the headers, with what the contract says about them.
    pub(crate) fn new(
        contract: &Contract,
        api: &Api,
        names: &TypeNames,
        handles: &Handles,
        begun: BTreeMap<String, Begun>,
        findings: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut structs = Structs::default();
        let mut lines: BTreeMap<&str, &StructLines> = BTreeMap::new();
        for (table, line) in contract.structs.iter().enumerate() {
            match record_of(line, api, names, handles) {
                Err(diagnostic) => findings.push(*diagnostic),
                Ok(key) if lines.contains_key(key) => {
                    let diagnostic = Diagnostic::error(format!("`{}` has two tables", line.name));
                    findings.push(diagnostic.at(line.span.clone()).label("the second"));
                }
                Ok(key) => {
                    if line.resident {
                        structs.residents.insert(key.to_owned(), (table, contract.line(&line.span)));
                    }
                    lines.insert(key, line);
                }
            }
        }
        structs.begun = begun.into_iter().filter(|(key, _)| !lines.contains_key(key.as_str())).collect();
        let mut table = Table { contract, api, names, handles, lines, open: BTreeSet::new(), findings };
        for key in api.records.keys() {
            table.visit(key, &mut structs);
        }
        structs.single =
            single::keys(api).filter(|key| structs.known.contains_key(*key)).map(str::to_owned).collect();
        structs.plain =
            single::plain(api).filter(|key| structs.known.contains_key(*key)).map(str::to_owned).collect();
        structs.callers =
            single::callers(api).filter(|key| structs.known.contains_key(*key)).map(str::to_owned).collect();
        structs
    }

    /// A structure that can travel.
    pub fn get(&self, record: &str) -> Option<&Struct> {
        self.known.get(record)
    }

    /// Why a structure cannot travel.
    pub fn why_not(&self, record: &str) -> Option<&Unfit> {
        self.unfit.get(record)
    }

    /// Whether a pointer to a structure of numbers leads to one, as far as the headers show.
    pub(crate) fn is_single(&self, record: &str) -> bool {
        self.single.contains(record) && !self.is_resident(record)
    }

    /// Whether a structure has numbers in it and nothing else.
    pub(crate) fn is_plain(&self, record: &str) -> bool {
        self.plain.contains(record) && !self.is_resident(record)
    }

    /// Whether only callers have memory of a structure of numbers, one or several.
    pub(crate) fn is_callers(&self, record: &str) -> bool {
        self.callers.contains(record) && !self.is_resident(record)
    }

    /// The structure that a C type is, when it can travel.
    pub fn of(&self, ty: &CType) -> Option<(&str, &Struct)> {
        match &ty.kind {
            Type::Record { name } => self.known.get_key_value(name).map(|(key, item)| (key.as_str(), item)),
            _ => None,
        }
    }

    /// The structure that a C type points to, when it can travel.
    pub fn of_pointer(&self, ty: &CType) -> Option<(&str, &Struct)> {
        ty.pointee().and_then(|(pointee, _)| self.of(pointee))
    }

    /// Whether the library keeps it between calls.
    pub fn is_resident(&self, record: &str) -> bool {
        self.residents.contains_key(record) || self.begun.contains_key(record)
    }

    /// The functions that show that the library keeps a structure, where no line says so.
    pub(crate) fn begun(&self, record: &str) -> Option<&Begun> {
        self.begun.get(record).filter(|_| self.known.contains_key(record))
    }

    /// The line that says that the library keeps it.
    pub(crate) fn resident_line(&self, record: &str) -> Option<u32> {
        self.residents.get(record).map(|(_, line)| *line)
    }

    /// The position of the table that says so.
    pub(crate) fn resident_table(&self, record: &str) -> Option<usize> {
        self.residents.get(record).map(|(table, _)| *table)
    }

    /// Whether a field of a structure, or of one in it, is of such a role.
    fn any(&self, record: &str, role: &dyn Fn(&FieldRole) -> bool) -> bool {
        let fields = self.known.get(record).into_iter().flat_map(|item| &item.fields);
        { fields }.any(|field| {
            role(&field.role.value) || field.role.value.record().is_some_and(|inner| self.any(inner, role))
        })
    }

    /// Why values of a structure cannot go this way, when its fields could travel otherwise.
    pub(crate) fn against(&self, record: &str, direction: Direction) -> Option<String> {
        let item = self.known.get(record)?;
        item.fields.iter().find_map(|field| match &field.role.value {
            FieldRole::Struct { record }
            | FieldRole::Structs { record, .. }
            | FieldRole::Union { record, .. } => self.against(record, direction),
            FieldRole::BufferIn { .. } | FieldRole::Pointer { direction: Direction::In, .. }
                if direction == Direction::Out =>
            {
                Some(format!("`{}` of `{}` goes in only", field.name, item.c_name))
            }
            FieldRole::BufferOut { .. } if direction != Direction::InOut => Some(format!(
                "`{}` of `{}` is memory that is given and filled: the structure goes in and out",
                field.name, item.c_name
            )),
            _ => None,
        })
    }
}

/// The record that a table of the contract is about.
fn record_of<'a>(
    line: &StructLines,
    api: &'a Api,
    names: &TypeNames,
    handles: &Handles,
) -> Result<&'a str, Box<Diagnostic>> {
    let error = |message: String| Diagnostic::error(message).at(line.span.clone());
    let Some(named) = names.get(&line.name) else {
        let records = || names.all().filter(|name| matches!(names.get(name), Some(Named::Record { .. })));
        let diagnostic = error(format!("the headers use no structure `{}`", line.name));
        return Err(diagnostic.label("unknown type").help(did_you_mean(&line.name, records())).into());
    };
    let found = match named {
        Named::Record { key, .. } => api.records.get_key_value(key),
        _ => None,
    };
    let Some((key, record)) = found else {
        return Err(error(format!("`{}` is no structure", line.name)).into());
    };
    if let Some(handle) = handles.of_record(key) {
        let message = format!("`{}` is the handle type `{handle}`, and cannot be a structure too", line.name);
        let help =
            "leave one of the two out: callers hold an object by a handle, or see its fields".to_owned();
        return Err(error(message).help(help).into());
    }
    if record.union {
        let message = format!("`{}` is a union, and nothing in it says which member is there", line.name);
        let help = "say it of the structure that has one: `fields.NAME = { union = \"FIELD\", members = … }`"
            .to_owned();
        return Err(error(message).help(help).into());
    }
    if record.layout.is_none() {
        let help = format!("objects are held by a handle: add `{} = {{}}` to `[handle]`", line.name);
        let message = format!("the headers declare `{}` and never define it", line.name);
        return Err(error(message).label("no fields").help(help).into());
    }
    Ok(key)
}

/// Building the table.
struct Table<'a, 'f> {
    contract: &'a Contract,
    api: &'a Api,
    names: &'a TypeNames,
    handles: &'a Handles,
    /// Tables of the contract by the record's key.
    lines: BTreeMap<&'a str, &'a StructLines>,
    /// Records whose fields are being looked at.
    open: BTreeSet<String>,
    findings: &'f mut Vec<Diagnostic>,
}

impl Table<'_, '_> {
    /// Puts a record and the structures it consists of into the table, or says why not.
    fn visit(&mut self, key: &str, structs: &mut Structs) {
        if structs.known.contains_key(key) || structs.unfit.contains_key(key) {
            return;
        }
        if !self.open.insert(key.to_owned()) {
            let reason = format!("`{key}` contains itself");
            structs.unfit.insert(key.to_owned(), Unfit::unsupported(reason));
            return;
        }
        let built = self.build(key, structs);
        self.open.remove(key);
        match built {
            Ok(item) if !structs.unfit.contains_key(key) => {
                structs.known.insert(key.to_owned(), item);
            }
            Ok(_) => {}
            Err(unfit) => {
                if let Some(line) = self.lines.get(key) {
                    let message = format!("`{}` cannot be passed: {}", line.name, unfit.reason);
                    let warning = Diagnostic::warning(message).at(line.span.clone());
                    self.findings.push(warning.help(unfit.help.clone()));
                }
                structs.unfit.insert(key.to_owned(), unfit);
            }
        }
    }

    fn build(&mut self, key: &str, structs: &mut Structs) -> Result<Struct, Unfit> {
        let (api, contract) = (self.api, self.contract);
        let Some(record) = api.records.get(key) else {
            return Err(Unfit::unsupported(format!("`{key}` is not declared")));
        };
        let c_name = self.c_name(key, record);
        if let Some(handle) = self.handles.of_record(key) {
            return Err(Unfit::unsupported(format!("`{c_name}` is the handle type `{handle}`")));
        }
        if record.union {
            return Err(Unfit::unsupported(match c_name.contains('(') {
                true => "it is a union without a name".into(),
                false => format!("`{c_name}` is a union, and nothing in it says which member is there"),
            }));
        }
        if c_name.is_empty() {
            return Err(Unfit::unsupported(format!("`{key}` is a structure without a name")));
        }
        let Some(layout) = &record.layout else {
            return Err(Unfit {
                status: Status::Undecided,
                reason: format!("the headers do not define `{c_name}`"),
                help: Some(format!("[handle]\n{} = {{}}", c_name.rsplit(' ').next().unwrap_or(key))),
            });
        };
        let resident = structs.is_resident(key);
        let lines = self.lines.get(key).copied();
        // One without a name in C is told by where it is.
        let own = if c_name.contains('(') { key } else { c_name.rsplit(' ').next().unwrap_or(key) };
        let name = lines.map_or_else(|| own.to_owned(), |lines| lines.name.clone());
        let inferred = structs.begun.get(key).and_then(|begun| begun::roles(key, record, begun.memory));
        // Of one that stays, what has no name is the library's own.
        let (named, unnamed) = match resident {
            true => (layout.clone(), Vec::new()),
            false => unions::named(api, layout),
        };
        let unions: Vec<&str> = named
            .fields
            .iter()
            .filter(|field| unions::of(api, &field.ty).is_some())
            .filter_map(|field| field.name.as_deref())
            .collect();
        let split = lines.map(|lines| unions::split(lines, &unions));
        let place = fields::Place {
            contract,
            api,
            layout: &named,
            unnamed: &unnamed,
            key,
            lines: split.as_ref().map(|(lines, _)| lines),
            name: &name,
            prefix: "",
            resident,
        };
        let decided = match inferred {
            Some(roles) => fields::Decided { roles, unions: Vec::new() },
            None => self.decide(place, structs)?,
        };
        let fields = fields_of(&named, decided.roles);
        let members = split.as_ref().map_or(&[][..], |(_, members)| members);
        let told = |line: &ParamLine| {
            let union = line.name.rsplit_once('.').map(|(union, _)| union);
            decided.unions.iter().any(|(position, _)| union == Some(fields[*position].name.as_str()))
        };
        for line in members.iter().filter(|line| !told(line)) {
            let message = format!("`{}` of `{name}` is no member that travels", line.name);
            let help = "say first which members of the union there are: `{ union = \"FIELD\", members = … }`";
            self.findings.push(Diagnostic::error(message).at(line.span.clone()).help(help.to_owned()));
        }
        for (position, chosen) in decided.unions {
            self.union(&fields[position], &chosen, (place, members), structs)?;
        }
        let mut item = Struct { c_name, doc: record.doc.clone(), resident, union: false, fields, size: 0 };
        item.lay_out(&structs.known, &api.target).map_err(Unfit::unsupported)?;
        Ok(item)
    }

    /// What fields are for. What is wrong with lines about them is among the findings then.
    fn decide(&mut self, place: fields::Place<'_>, structs: &mut Structs) -> Result<fields::Decided, Unfit> {
        let decided = fields::decide(place, &mut |inner, behind| {
            self.visit(inner, structs);
            match structs.why_not(inner) {
                Some(unfit) => Err(unfit.clone()),
                None if structs.is_resident(inner) => Err(Unfit::unsupported(format!(
                    "`{inner}` is kept by the library and cannot be part of another structure"
                ))),
                None if place.resident
                    && structs.any(inner, &|role| matches!(role, FieldRole::Union { .. })) =>
                {
                    Err(Unfit::unsupported(format!(
                        "`{inner}` has a union, in a structure that the library keeps"
                    )))
                }
                // What is behind a pointer is not there before the call, or not known behind it.
                None if behind => match structs.against(inner, Direction::Out) {
                    Some(why) => Err(Unfit::unsupported(why)),
                    None => Ok(()),
                },
                None => Ok(()),
            }
        });
        decided.map_err(|refused| match refused {
            fields::Refused::Unfit(unfit) => *unfit,
            fields::Refused::Wrong(mut wrong) => {
                self.findings.append(&mut wrong);
                Unfit::unsupported(format!("lines about `{}` are wrong", place.name))
            }
        })
    }

    /// Puts the union of a field into the table, with the members that can be there.
    fn union(
        &mut self,
        field: &StructField,
        chosen: &[Text],
        (around, lines): (fields::Place<'_>, &[ParamLine]),
        structs: &mut Structs,
    ) -> Result<(), Unfit> {
        let (api, name) = (self.api, around.name);
        let FieldRole::Union { record: key, anonymous, .. } = &field.role.value else { return Ok(()) };
        let Some(union) = unions::of(api, &field.ty) else { return Ok(()) };
        let prefix = format!("{}.", field.name);
        let own = lines.iter().filter_map(|line| {
            Some(ParamLine { name: line.name.strip_prefix(&prefix)?.to_owned(), ..line.clone() })
        });
        let lines = around.lines.map(|lines| StructLines { fields: own.collect(), ..lines.clone() });
        let layout = unions::layout(union, chosen);
        let place = fields::Place {
            layout: &layout,
            unnamed: &[],
            key,
            lines: lines.as_ref(),
            prefix: &prefix,
            ..around
        };
        let roles = self.decide(place, structs)?.roles;
        let of = |member: &str| format!("`{prefix}{member}` of `{name}`");
        for member in fields_of(&layout, roles.clone()) {
            if !unions::stands_alone(&member.role.value) {
                let what = "a member of a union is a number, a text, a structure, or an array of numbers";
                return Err(Unfit::unsupported(format!("{}: {what}", of(&member.name))));
            }
            let data =
                |role: &FieldRole| matches!(role, FieldRole::BufferIn { .. } | FieldRole::BufferOut { .. });
            if let Some(record) = member.role.value.record().filter(|record| structs.any(record, &data)) {
                let what = format!("`{record}` has data with its length, which is not in unions");
                return Err(Unfit::unsupported(format!("{}: {what}", of(&member.name))));
            }
        }
        let c_name = if *anonymous {
            self.c_name_of(around.key)
        } else {
            self.c_name_of(field.ty.record().unwrap_or(key))
        };
        let fields = fields_of(&layout, roles);
        let mut item =
            Struct { c_name, doc: union.doc.clone(), resident: false, union: true, fields, size: 0 };
        item.lay_out(&structs.known, &api.target).map_err(Unfit::unsupported)?;
        structs.known.insert(key.clone(), item);
        Ok(())
    }

    fn c_name_of(&self, key: &str) -> String {
        self.api.records.get(key).map(|record| self.c_name(key, record)).unwrap_or_default()
    }

    /// How C names a record: as the contract does, by a typedef, or by its tag.
    fn c_name(&self, key: &str, record: &Record) -> String {
        let written = self.lines.get(key).map(|lines| lines.name.as_str());
        written
            .and_then(|name| self.names.typedef(name))
            .or_else(|| self.names.typedef_of(key))
            .map_or_else(|| record.c_name.clone(), str::to_owned)
    }
}

/// Named fields with what they are for.
fn fields_of(layout: &RecordLayout, roles: Vec<Fact<FieldRole>>) -> Vec<StructField> {
    let named = layout.fields.iter().filter_map(|field| Some((field.name.clone()?, field.ty.clone())));
    named.zip(roles).map(|((name, ty), role)| StructField { name, ty, role, offset: None }).collect()
}

impl Unfit {
    fn unsupported(reason: String) -> Self {
        Unfit { status: Status::Unsupported, reason, help: None }
    }
}
