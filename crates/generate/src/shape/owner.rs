//! Where a function becomes a method: on the library, or on one of its objects.

use hotcell_model::interface::{Function, Role};

/// The type whose method a function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner<'a> {
    /// The library itself.
    Library,
    /// An object behind this parameter.
    Object {
        /// Key in [`hotcell_model::Interface::handles`].
        key: &'a str,
        /// Position of the parameter.
        param: usize,
        /// Whether the call takes it over.
        consumed: bool,
    },
}

impl<'a> Owner<'a> {
    /// The first object the function takes and leaves to the caller, or else the first it takes over. What may be
    /// NULL owns no method, unless the call takes it over: nobody gives NULL away.
    pub(crate) fn of(function: &'a Function) -> Owner<'a> {
        let objects = function.params.iter().enumerate().filter_map(|(param, p)| match &p.role.value {
            Role::Handle { handle, consumed, nullable, .. } if *consumed || !nullable => {
                Some((handle.as_str(), param, *consumed))
            }
            Role::Resident { record, consumed, .. } => Some((record.as_str(), param, *consumed)),
            _ => None,
        });
        let first = objects.clone().find(|(_, _, consumed)| !consumed).or_else(|| objects.clone().next());
        first.map_or(Owner::Library, |(key, param, consumed)| Owner::Object { key, param, consumed })
    }

    /// The object's type, if it is one.
    pub(crate) fn key(self) -> Option<&'a str> {
        match self {
            Owner::Library => None,
            Owner::Object { key, .. } => Some(key),
        }
    }
}
