//! What the parts of a package know of each other while it is made.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::types::CType;

use crate::Error;
use crate::go::names::Names;
use crate::go::types::{self, Number};
use crate::shape::deeds::{self, Deeds};
use crate::shape::missing;

/// What the parts of a package know of each other.
pub(crate) struct Context<'a> {
    pub(crate) interface: &'a Interface,
    pub(crate) names: RefCell<Names>,
    /// What is done with structures, by record.
    deeds: RefCell<BTreeMap<String, Deeds>>,
    /// Objects that something mentions.
    objects: RefCell<Vec<String>>,
    /// Whether lists of objects go in.
    pub(crate) lists_objects: Cell<bool>,
    /// Types of what functions with several results give back, by function.
    results: RefCell<BTreeMap<usize, String>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(interface: &'a Interface, names: Names) -> Self {
        let (deeds, objects, lists_objects, results) = Default::default();
        Context { interface, names: RefCell::new(names), deeds, objects, lists_objects, results }
    }

    /// The name of a function's method.
    pub(crate) fn method(&self, index: usize) -> String {
        self.names.borrow().methods[index].clone()
    }

    /// The constant with the index of a function.
    pub(crate) fn index(&self, index: usize) -> String {
        self.names.borrow().indices[index].clone()
    }

    /// The type of what a function with several results gives back.
    pub(crate) fn result(&self, index: usize) -> String {
        let function = &self.interface.functions[index].name;
        let method = self.method(index);
        let mut results = self.results.borrow_mut();
        results.entry(index).or_insert_with(|| self.names.borrow_mut().take_result(&method, function)).clone()
    }

    /// A number of this type, if it is one.
    pub(crate) fn number(&self, ty: &CType) -> Option<Number> {
        types::number(ty, &self.interface.target, &self.names.borrow().enums)
    }

    /// The type of an object, and the constant with its number.
    pub(crate) fn object(&self, function: &str, key: &str) -> Result<(String, String), Error> {
        let names = self.names.borrow();
        let name = names.objects.get(key).ok_or_else(|| missing(function, "handle type", key))?;
        self.objects.borrow_mut().push(key.to_owned());
        Ok((name.clone(), names.kind(key)))
    }

    /// The type of a structure, for which something is needed.
    pub(crate) fn structure(
        &self,
        function: &str,
        key: &str,
        need: impl Fn(&mut Deeds),
    ) -> Result<String, Error> {
        let names = self.names.borrow();
        let name = names.structs.get(key).ok_or_else(|| missing(function, "structure", key))?;
        need(self.deeds.borrow_mut().entry(key.to_owned()).or_default());
        Ok(name.clone())
    }

    /// Bytes of an image of this structure.
    pub(crate) fn size(&self, function: &str, key: &str) -> Result<u32, Error> {
        let record = self.interface.structs.get(key);
        record.map(|record| record.size).ok_or_else(|| missing(function, "structure", key))
    }

    /// Whether something mentions this object.
    pub(crate) fn has_object(&self, key: &str) -> bool {
        self.objects.borrow().iter().any(|object| object == key)
    }

    /// What is done with each structure, and with those in it.
    pub(crate) fn deeds(&self) -> BTreeMap<String, Deeds> {
        deeds::spread(self.interface, &self.deeds.borrow())
    }
}
