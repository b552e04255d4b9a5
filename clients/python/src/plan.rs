//! What a function takes and gives, as offsets in its blocks: worked out once, when a library is opened.

use hotcell::rt::Kind;
use hotcell_generate::python::Names;
use hotcell_model::Interface;
use hotcell_model::interface::{Capacity, Encoding, Function, Ownership, Param, ResultRole, Role};
use hotcell_model::layout::{Carries, WireKind};
use hotcell_model::types::{CType, Type};

use crate::making::{self, Wanted};

/// How a function is called.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) index: u16,
    /// Its name in C, and in Python.
    pub(crate) c_name: String,
    pub(crate) name: String,
    pub(crate) doc: String,
    /// Position among the parameters of the object whose method it is.
    pub(crate) own: Option<usize>,
    /// What callers pass, in the order of C.
    pub(crate) params: Vec<Parameter>,
    /// What they get, in the order of C, the returned value first. Nothing where the function goes by values.
    pub(crate) results: Vec<Gives>,
    /// Whether it is called through values of a few kinds, for it has structures, callbacks or lists.
    pub(crate) by_value: bool,
    /// Whether it is passed and gives numbers, texts and data alone.
    pub(crate) plain: bool,
    /// Whether it is passed a few numbers, and gives one or nothing.
    pub(crate) numeric: bool,
    /// Whether its call may be made again.
    pub(crate) repeatable: bool,
    /// Why its calls are made by themselves, if they are: neither several at a time nor in a pipeline.
    pub(crate) alone: Option<&'static str>,
    /// The number that it gives, if that is all: many of them are an array.
    pub(crate) one_number: Option<Number>,
}

/// A parameter as callers see it.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// Its position in C.
    pub(crate) position: usize,
    pub(crate) takes: Takes,
    pub(crate) offset: usize,
    pub(crate) nullable: bool,
    /// What `nullable` of a contract has so that it may be NULL, where that means something.
    pub(crate) null_line: Option<String>,
    /// Whether it is one structure.
    pub(crate) structured: bool,
    /// The C type, for messages.
    pub(crate) ty: String,
    /// What is told of objects where something else is passed.
    pub(crate) wanted: Wanted,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Number(Number),
    Text(Encoding),
    Data(Number),
    /// How many elements there is room for.
    Room(Number),
    Object {
        kind: u16,
        consumed: bool,
        on_success: bool,
    },
    /// What goes by values.
    Value,
}

/// A number of C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) kind: Kind,
    /// `_Bool`.
    pub(crate) truth: bool,
    /// A byte of data: `void`, `char`, `unsigned char`.
    pub(crate) byte: bool,
}

/// What a result gives.
#[derive(Debug)]
pub(crate) struct Gives {
    pub(crate) offset: usize,
    pub(crate) what: What,
    pub(crate) nullable: bool,
    /// The parameter that it comes from, among those that callers pass.
    pub(crate) of: Option<usize>,
}

/// The same as a kind.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    Number(Number),
    Text(Encoding),
    Data(Number),
    /// An object of this type: whether callers own it, and which parameter must outlive it.
    Object {
        kind: u16,
        owned: bool,
        parent: Option<usize>,
    },
}

/// The most numbers of a call that has a way of its own.
pub(crate) const MOST_NUMBERS: usize = 8;

impl Plan {
    /// The plan of a function of a library with these names.
    pub(crate) fn of(interface: &Interface, names: &Names, index: u16) -> Plan {
        let function = &interface.functions[usize::from(index)];
        let named = &names.functions[usize::from(index)];
        let wanted = function.params.iter().enumerate().filter(|(_, param)| param.role.value.is_argument());
        let wanted: Vec<(usize, &Param)> = wanted.collect();
        let mut by_value = false;
        let params = wanted.iter().zip(&named.params).map(|((position, param), name)| {
            let takes = takes(interface, param);
            by_value |= takes == Takes::Value;
            let field = |carries| function.layout.args.field(carries);
            let index = *position;
            let field = field(Carries::Param { index }).or_else(|| field(Carries::Capacity { index }));
            Parameter {
                name: name.clone(),
                position: *position,
                takes,
                offset: field.map_or(0, |field| field.offset as usize),
                nullable: is_nullable(&param.role.value),
                null_line: can_be_null(param).then(|| format!("{}.{}", function.name, param.name)),
                structured: matches!(param.role.value, Role::Struct { .. }),
                ty: param.ty.written.clone(),
                wanted: instead(interface, names, &param.role.value),
            }
        });
        let params: Vec<Parameter> = params.collect();
        let results = results(interface, function, &params);
        by_value |= results.is_none();
        let one_number = one_number(interface, function);
        let results = results.unwrap_or_default();
        let objects = params.iter().any(|param| matches!(param.takes, Takes::Object { .. }))
            || results.iter().any(|gives| matches!(gives.what, What::Object { .. }));
        let few = params.len() <= MOST_NUMBERS && results.len() <= 1;
        let numbers = params.iter().all(|param| matches!(param.takes, Takes::Number(_)))
            && results.iter().all(|gives| matches!(gives.what, What::Number(_)));
        let own = named.own.and_then(|own| params.iter().position(|param| param.position == own));
        Plan {
            index,
            c_name: function.name.clone(),
            name: named.name.clone(),
            doc: named.doc.clone(),
            own,
            params,
            results,
            by_value,
            plain: !by_value && !objects,
            numeric: !by_value && few && numbers,
            repeatable: function.is_repeatable(),
            alone: function.alone(),
            one_number,
        }
    }

    /// Its parameters without the object that it is a method of.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (usize, &Parameter)> {
        self.params.iter().enumerate().filter(|(at, _)| Some(*at) != self.own)
    }
}

/// What is told of objects where something else is passed.
fn instead(interface: &Interface, names: &Names, role: &Role) -> Wanted {
    match role {
        Role::Handle { handle, .. } => making::of_objects(interface, names, handle),
        Role::Resident { record, .. } => making::of_structures(names, record),
        _ => Wanted::default(),
    }
}

fn is_nullable(role: &Role) -> bool {
    matches!(
        role,
        Role::Text { nullable: true, .. }
            | Role::Texts { nullable: true, .. }
            | Role::Handles { nullable: true, .. }
            | Role::BufferIn { nullable: true, .. }
            | Role::BufferInOut { nullable: true, .. }
            | Role::Struct { nullable: true, .. }
            | Role::Handle { nullable: true, .. }
            | Role::Callback { nullable: true, .. }
    )
}

/// Whether a contract can say that it may be NULL.
fn can_be_null(param: &Param) -> bool {
    match &param.role.value {
        Role::Struct { direction, .. } => direction.goes_in() && param.ty.pointee().is_some(),
        role => matches!(
            role,
            Role::Text { .. }
                | Role::Texts { .. }
                | Role::BufferIn { .. }
                | Role::BufferInOut { .. }
                | Role::Handle { .. }
                | Role::Handles { .. }
                | Role::Callback { .. }
        ),
    }
}

fn takes(interface: &Interface, param: &Param) -> Takes {
    let pointee = || param.ty.pointee().map_or(&param.ty, |(pointee, _)| pointee);
    let taken = match &param.role.value {
        Role::Value => number(interface, &param.ty).map(Takes::Number),
        Role::ValueInOut { .. } => number(interface, pointee()).map(Takes::Number),
        Role::Text { encoding, .. } => Some(Takes::Text(*encoding)),
        _ if param.structures().is_some() => None,
        Role::BufferIn { .. } | Role::BufferInOut { .. } => element(interface, pointee()).map(Takes::Data),
        Role::BufferOut { capacity: Capacity::Caller, .. } => element(interface, pointee()).map(Takes::Room),
        Role::Handle { handle, consumed, on_success, .. } => interface
            .handle_number(handle)
            .map(|kind| Takes::Object { kind, consumed: *consumed, on_success: *on_success }),
        _ => None,
    };
    taken.unwrap_or(Takes::Value)
}

/// What a function gives, if all of that is known here.
fn results(interface: &Interface, function: &Function, params: &[Parameter]) -> Option<Vec<Gives>> {
    let passed = |position: &usize| params.iter().position(|param| param.position == *position);
    let mut results = Vec::new();
    let object = |handle: &str, ownership: &Ownership, parent: &Option<usize>| {
        let owned = matches!(ownership, Ownership::Owned { .. });
        let kind = interface.handle_number(handle)?;
        Some(What::Object { kind, owned, parent: parent.as_ref().and_then(passed) })
    };
    if let Some(field) = function.layout.result.field(Carries::Returned) {
        let what = match &function.result.value {
            ResultRole::Void | ResultRole::Status | ResultRole::LengthOf { .. } => None,
            ResultRole::Value => Some((What::Number(number(interface, &function.result_type)?), false)),
            ResultRole::Text { encoding, nullable, .. } => Some((What::Text(*encoding), *nullable)),
            ResultRole::Buffer { nullable, .. } if function.returned_structures().is_none() => {
                let (of, _) = function.result_type.pointed_elements()?;
                Some((What::Data(element(interface, of)?), *nullable))
            }
            ResultRole::Handle { handle, ownership, parent, nullable } => {
                Some((object(handle, ownership, parent)?, *nullable))
            }
            _ => return None,
        };
        if let Some((what, nullable)) = what {
            let offset = field.offset as usize;
            results.push(Gives { offset, what, nullable, of: None });
        }
    }
    for (index, param) in function.params.iter().enumerate() {
        let Some(field) = function.layout.result.field(Carries::Param { index }) else { continue };
        let pointee = || param.ty.pointee().map(|(pointee, _)| pointee);
        let what = match &param.role.value {
            Role::ValueOut { .. } | Role::ValueInOut { .. } => What::Number(number(interface, pointee()?)?),
            _ if param.structures().is_some() => return None,
            Role::BufferOut { .. } | Role::BufferInOut { .. } => What::Data(element(interface, pointee()?)?),
            Role::DataOut { .. } => What::Data(element(interface, pointee()?.pointee()?.0)?),
            Role::TextOut { encoding, .. } => What::Text(*encoding),
            Role::HandleOut { handle, ownership, parent, .. } => object(handle, ownership, parent)?,
            _ => return None,
        };
        let offset = field.offset as usize;
        results.push(Gives { offset, what, nullable: true, of: passed(&index) });
    }
    Some(results)
}

/// The number that a function gives, where that is all.
fn one_number(interface: &Interface, function: &Function) -> Option<Number> {
    let result = &function.layout.result;
    let returned = result.field(Carries::Returned).is_some()
        && !matches!(
            function.result.value,
            ResultRole::Void | ResultRole::Status | ResultRole::LengthOf { .. }
        );
    let outs = function.params.iter().enumerate();
    let mut outs = outs.filter(|(index, _)| result.field(Carries::Param { index: *index }).is_some());
    match (returned, outs.next(), outs.next()) {
        (true, None, _) if function.result.value == ResultRole::Value => {
            number(interface, &function.result_type)
        }
        (false, Some((_, param)), None)
            if matches!(param.role.value, Role::ValueOut { .. } | Role::ValueInOut { .. }) =>
        {
            param.ty.pointee().and_then(|(of, _)| number(interface, of))
        }
        _ => None,
    }
}

fn number(interface: &Interface, ty: &CType) -> Option<Number> {
    let kind = match WireKind::of_scalar(ty, &interface.target)? {
        WireKind::U8 => Kind::U8,
        WireKind::U16 => Kind::U16,
        WireKind::U32 => Kind::U32,
        WireKind::U64 => Kind::U64,
        WireKind::I8 => Kind::I8,
        WireKind::I16 => Kind::I16,
        WireKind::I32 => Kind::I32,
        WireKind::I64 => Kind::I64,
        WireKind::F32 => Kind::F32,
        WireKind::F64 => Kind::F64,
        WireKind::Reference => return None,
    };
    Some(Number { kind, truth: ty.kind == Type::Bool, byte: false })
}

/// What a buffer consists of.
pub(crate) fn element(interface: &Interface, ty: &CType) -> Option<Number> {
    if ty.kind == Type::Void {
        return Some(Number { kind: Kind::U8, truth: false, byte: true });
    }
    // `signed char` is a number, and so is `int8_t`, which is the same.
    let byte = matches!(ty.kind, Type::Char | Type::Int { bits: 8, signed: false });
    number(interface, ty).map(|number| Number { byte, ..number })
}
