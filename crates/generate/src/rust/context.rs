//! What the parts of a package know of each other while it is made.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::Interface;
use hotcell_model::types::CType;

use crate::Error;
use crate::rust::names::Names;
use crate::rust::types::{self, Number};
use crate::shape::deeds::{self, Deeds};
use crate::shape::missing;

/// What the parts of a package know of each other.
pub(crate) struct Context<'a> {
    pub(crate) interface: &'a Interface,
    pub(crate) names: Names,
    /// Types the file in progress mentions.
    mentioned: RefCell<BTreeSet<String>>,
    /// Objects some file mentions.
    objects: RefCell<BTreeSet<String>>,
    /// What is done with structures, by record.
    deeds: RefCell<BTreeMap<String, Deeds>>,
    /// Types of what functions with several results give back, by function.
    outputs: BTreeMap<usize, String>,
    /// The methods that leave results where they are, by function.
    twins: BTreeMap<usize, String>,
    /// The methods that make calls once, by those that may make them again.
    once: BTreeMap<String, String>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(interface: &'a Interface, names: Names) -> Self {
        let (mentioned, objects, deeds, outputs, twins, once) = Default::default();
        Context { interface, names, mentioned, objects, deeds, outputs, twins, once }
    }

    /// A type for what a function with several results gives back.
    pub(crate) fn take_output(&mut self, index: usize) -> String {
        let (method, function) = (&self.names.methods[index], &self.interface.functions[index].name);
        let name = self.names.take_output(&method.clone(), function);
        self.outputs.insert(index, name.clone());
        name
    }

    /// The type of what a function with several results gives back, whose method was made before.
    pub(crate) fn output(&self, index: usize) -> String {
        let name = self.outputs.get(&index).expect("a function's own method comes before that of a batch");
        self.mention(name);
        name.clone()
    }

    /// A name for the method of a function that leaves results where they are.
    pub(crate) fn take_twin(&mut self, index: usize) -> String {
        let name = self.names.take_twin(&self.names.methods[index].clone());
        self.twins.insert(index, name.clone());
        name
    }

    /// A name for the method of a function that lends buffers to the library, which changes them, or fills them only.
    pub(crate) fn take_lending(&mut self, index: usize, changes: bool) -> String {
        self.names.take_lending(&self.names.methods[index].clone(), changes)
    }

    /// A name for the method that makes a call of this one once, on the library's type and on its view for tasks.
    pub(crate) fn take_once(&mut self, method: &str) -> String {
        let names = &mut self.names;
        self.once.entry(method.to_owned()).or_insert_with(|| names.take_once(method)).clone()
    }

    /// The name of the method that leaves results where they are, if there is one.
    pub(crate) fn twin(&self, index: usize) -> Option<&String> {
        self.twins.get(&index)
    }

    /// A number of this type, if it is one.
    pub(crate) fn number(&self, ty: &CType) -> Option<Number> {
        let number = types::number(ty, &self.interface.target, &self.names.enums)?;
        if number.is_of_package() {
            self.mention(&number.name);
        }
        Some(number)
    }

    /// The type of an object.
    pub(crate) fn object(&self, function: &str, key: &str) -> Result<String, Error> {
        let name = self.names.objects.get(key).ok_or_else(|| missing(function, "handle type", key))?;
        self.objects.borrow_mut().insert(key.to_owned());
        self.mention(name);
        Ok(name.clone())
    }

    /// The type of a structure, for which something is needed.
    pub(crate) fn structure(
        &self,
        function: &str,
        key: &str,
        need: impl Fn(&mut Deeds),
    ) -> Result<String, Error> {
        let name = self.names.structs.get(key).ok_or_else(|| missing(function, "structure", key))?;
        need(self.deeds.borrow_mut().entry(key.to_owned()).or_default());
        self.mention(name);
        Ok(name.clone())
    }

    pub(crate) fn mention(&self, name: &str) {
        self.mentioned.borrow_mut().insert(name.to_owned());
    }

    /// The types mentioned since this was asked last.
    pub(crate) fn take_mentioned(&self) -> BTreeSet<String> {
        self.mentioned.take()
    }

    /// Whether a file mentions this object.
    pub(crate) fn has_object(&self, key: &str) -> bool {
        self.objects.borrow().contains(key)
    }

    /// What is done with each structure, and with those in it.
    pub(crate) fn deeds(&self) -> BTreeMap<String, Deeds> {
        deeds::spread(self.interface, &self.deeds.borrow())
    }
}
