//! What is done with structures, so that a package has what it needs for each, and no more.

use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::interface::{FieldRole, Struct};

/// What is done with a structure: which of its functions are needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Deeds {
    /// It is an argument.
    pub(crate) put: bool,
    /// It is the argument of a call with which the library may begin to keep it.
    pub(crate) begin: bool,
    /// It is the argument of a call with which the library ceases to keep it.
    pub(crate) end: bool,
    /// Several of it are an argument.
    pub(crate) put_list: bool,
    /// Several of it are made of a reply.
    pub(crate) take_list: bool,
    /// Several of it are made of a reply in which they may be NULL.
    pub(crate) take_opt_list: bool,
    /// Several of it are made of a reply in which they must be there.
    pub(crate) take_promised_list: bool,
    /// Its fields are written, alone or within another.
    pub(crate) fill: bool,
    /// It is changed by a reply.
    pub(crate) update: bool,
    /// It is made of a reply.
    pub(crate) take: bool,
    /// It is made of a reply in which it may be NULL.
    pub(crate) take_nullable: bool,
    /// Its fields are read, alone or within another.
    pub(crate) read: bool,
}

/// What is done with each structure, and with those in it.
pub(crate) fn spread(interface: &Interface, deeds: &BTreeMap<String, Deeds>) -> BTreeMap<String, Deeds> {
    let mut all = deeds.clone();
    for (key, deeds) in deeds {
        let fill = deeds.put || deeds.begin || deeds.end || deeds.put_list;
        let lists = deeds.take_list || deeds.take_opt_list || deeds.take_promised_list;
        let read = deeds.update || deeds.take || deeds.take_nullable || lists;
        within(interface, key, (fill, read), &mut all);
    }
    all
}

fn within(interface: &Interface, key: &str, (fill, read): (bool, bool), all: &mut BTreeMap<String, Deeds>) {
    let deeds = all.entry(key.to_owned()).or_default();
    deeds.fill |= fill;
    deeds.read |= read;
    let Some(Struct { fields, .. }) = interface.structs.get(key) else { return };
    for field in fields {
        let Some(record) = field.role.value.record() else { continue };
        let inner = match &field.role.value {
            FieldRole::Data { .. } => (false, read),
            FieldRole::Pointer { direction, .. } => {
                (fill && direction.goes_in(), read && direction.goes_out())
            }
            _ => (fill, read),
        };
        within(interface, record, inner, all);
    }
}
