//! How what somebody owns is released, and which objects of a reply somebody owns.

use hotcell_model::Interface;
use hotcell_model::interface::{Function, Ownership, ResultRole, Role};
use hotcell_model::layout::Carries;

use crate::Error;
use crate::shape::inconsistent;

/// Bytes of an image that is only a handle.
const HANDLE_ALONE: u32 = 8;

/// How an object is released: the one argument of the releasing function.
pub(crate) struct Release {
    /// Its index.
    pub(crate) function: usize,
    /// Where in the argument block the object is.
    pub(crate) offset: u32,
    /// Bytes of the image that it is passed in; 0 where it is passed by itself.
    pub(crate) image: u32,
}

/// An object in a result block that is the caller's.
pub(crate) struct Owned {
    pub(crate) offset: u32,
    /// The number of its type.
    pub(crate) kind: u16,
    /// Bytes of the image that it is in; 0 where it is by itself.
    pub(crate) image: u32,
    pub(crate) release: Option<Release>,
}

/// How an object of this type is released by a function of this name.
pub(crate) fn release(interface: &Interface, key: &str, release: &str) -> Result<Release, Error> {
    let (_, function) = interface.function(release).ok_or_else(|| Error::Inconsistent {
        function: release.to_owned(),
        what: format!("it releases `{key}` and is not there"),
    })?;
    let index = interface.functions.iter().position(|other| other.name == release);
    let taken = function.params.iter().enumerate().find_map(|(index, param)| match &param.role.value {
        Role::Handle { handle, .. } if handle == key => Some((index, 0)),
        // Its handle alone is image enough.
        Role::Resident { record, .. } if record == key => Some((index, HANDLE_ALONE)),
        _ => None,
    });
    let place = taken.and_then(|(index, image)| {
        Some((function.layout.args.field(Carries::Param { index })?.offset, image))
    });
    let (Some(function), Some((offset, image))) = (index, place) else {
        return Err(inconsistent(function, format!("it releases `{key}` and does not take it")));
    };
    Ok(Release { function, offset, image })
}

/// As [`release`], where something releases it.
pub(crate) fn optional(
    interface: &Interface,
    key: &str,
    name: Option<&String>,
) -> Result<Option<Release>, Error> {
    name.map(|name| release(interface, key, name)).transpose()
}

/// The objects in the results that are the caller's.
pub(crate) fn owned(interface: &Interface, function: &Function) -> Result<Vec<Owned>, Error> {
    let mut found = Vec::new();
    if let ResultRole::Handle { handle, ownership: Ownership::Owned { .. }, .. } = &function.result.value {
        found.push((Carries::Returned, handle, 0, None));
    }
    for (index, param) in function.params.iter().enumerate() {
        match &param.role.value {
            Role::HandleOut { handle, ownership: Ownership::Owned { .. }, .. } => {
                found.push((Carries::Param { index }, handle, 0, None));
            }
            // Elsewhere an object comes back that went in, and is its caller's as before.
            Role::Resident { record, consumed: false, starts: Some(start) } => {
                let image = interface.structs.get(record).map_or(0, |record| record.size);
                found.push((Carries::Param { index }, record, image, start.release.as_ref()));
            }
            _ => {}
        }
    }
    let field = |(carries, handle, image, release): (Carries, &String, u32, Option<&String>)| {
        let field = function.layout.result.field(carries);
        let (Some(field), Some(kind)) = (field, interface.handle_number(handle)) else {
            return Err(inconsistent(function, format!("no place or no type for an object of `{handle}`")));
        };
        let release = optional(interface, handle, release)?;
        Ok(Owned { offset: field.offset, kind, image, release })
    };
    found.into_iter().map(field).collect()
}
