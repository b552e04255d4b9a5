//! Which functions are about objects of a type: what rules ask of all functions, answered by the type once it is known which types are
//! handles.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::api::Function;

use crate::handles::Handles;
use crate::infer::Known;
use crate::infer::functions::{Functions, Named};
use crate::infer::lent::{self, unowned, walks};
use crate::infer::words::objects::{CONSTRUCTORS, COPIES};

/// The functions of a library by the types of objects that they use.
#[derive(Debug, Clone, Default)]
pub struct Uses<'a> {
    /// Those whose first parameter is such an object, in the order of the headers.
    first: BTreeMap<&'a str, Vec<&'a Named<'a>>>,
    /// Whether the library counts who holds an object.
    counts: bool,
    /// The types of which a function that returns an object is given one.
    lead_on: BTreeSet<&'a str>,
    /// The types of which a function may end one, or makes one by its name.
    ended: BTreeSet<&'a str>,
    /// The types of which a function is given one and returns another.
    nested: BTreeSet<&'a str>,
    /// The types of which a function takes one that it may change.
    changed: BTreeSet<&'a str>,
    /// The types of which a function lends what is inside of one.
    lend: OnceCell<BTreeSet<String>>,
}

impl<'a> Uses<'a> {
    pub(crate) fn of(functions: &'a Functions<'a>, handles: &'a Handles) -> Uses<'a> {
        let mut uses = Uses { counts: walks::counts(functions), ..Uses::default() };
        for named in functions.iter() {
            let function: &Function = named.function;
            let types = || function.params.iter().filter_map(|param| handles.of_pointer(&param.ty));
            if let Some(first) = function.params.first().and_then(|param| handles.of_pointer(&param.ty)) {
                uses.first.entry(first).or_default().push(named);
            }
            for (index, param) in function.params.iter().enumerate() {
                let through = param.ty.pointee().and_then(|(pointer, _)| handles.of_pointer(pointer));
                if unowned::ends(named, index) {
                    uses.ended.extend(handles.of_pointer(&param.ty).or(through));
                }
                if !param.ty.pointee().is_some_and(|(_, constant)| constant) {
                    uses.changed.extend(handles.of_pointer(&param.ty));
                }
                if named.name.says(CONSTRUCTORS) || named.name.says(COPIES) {
                    uses.ended.extend(through);
                }
            }
            if named.name.says(CONSTRUCTORS) || named.name.says(COPIES) {
                uses.ended.extend(handles.of_pointer(&function.result));
            }
            let result = handles.of_pointer(&function.result);
            uses.nested.extend(result.filter(|result| types().any(|given| given == *result)));
            if result.is_some() {
                uses.lead_on.extend(types());
            }
        }
        uses
    }

    /// The functions whose first parameter is an object of this type.
    pub(super) fn first(&self, handle: &str) -> &[&'a Named<'a>] {
        self.first.get(handle).map_or(&[], Vec::as_slice)
    }

    /// See [`walks::counts`].
    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    /// Whether some function may end an object of this type, or makes one by its name.
    pub(super) fn is_ended(&self, handle: &str) -> bool {
        self.ended.contains(handle)
    }

    /// Whether some function is given an object of this type and returns one, too.
    pub(super) fn is_nested(&self, handle: &str) -> bool {
        self.nested.contains(handle)
    }

    /// Whether some function takes an object of this type that it may change.
    pub(super) fn is_changed(&self, handle: &str) -> bool {
        self.changed.contains(handle)
    }

    /// Whether some function is given an object of this type and returns one of any type.
    pub(super) fn leads_on(&self, handle: &str) -> bool {
        self.lead_on.contains(handle)
    }

    /// Whether some function lends what is inside of an object of this type. `known` is the library that this is of.
    pub(super) fn lends(&self, known: Known<'_>, handle: &str) -> bool {
        self.lend.get_or_init(|| lent::lending(known)).contains(handle)
    }
}
