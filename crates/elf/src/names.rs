//! Whether a library has a name that the loader knows it by, and how a shim does without that of one that has none.
//!
//! A shim needs its libraries by their names. The loader finds a library that it has loaded by the name that this has of itself
//! (`DT_SONAME`), or else by the path that it was opened by: that is a descriptor's. So it looks for a library without a name
//! again, in places that a worker does not see. Such a library was loaded for all to see, and its functions are found without it
//! being needed by anybody.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use object::elf;
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, ReadRef};

/// A tag that systems may use, and the GNU C library has no use for.
const NOTHING: u64 = 0x6000_000d;

/// Whether a shared object has no name of its own. What cannot be read counts as one that has.
pub fn is_nameless<'data, R: ReadRef<'data>>(data: R) -> bool {
    let table = ElfFile64::<Endianness, R>::parse(data).and_then(|file| file.elf_dynamic_table());
    table.is_ok_and(|table| !table.iter().any(|entry| entry.tag == elf::DT_SONAME))
}

/// A shim that does not need files of these names any more; `None` where it needs none of them. One of which it needs versions of
/// symbols stays needed: versions are looked for in the file of that name.
pub fn without_needs(shim: &[u8], names: &[&OsStr]) -> Option<Vec<u8>> {
    let needs = needs(shim, names).ok()?;
    if needs.is_empty() {
        return None;
    }
    let mut without = shim.to_vec();
    for at in needs {
        without.get_mut(at..at + size_of::<u64>())?.copy_from_slice(&NOTHING.to_ne_bytes());
    }
    Some(without)
}

/// Where the tags lie by which a shared object needs files of these names.
fn needs(shim: &[u8], names: &[&OsStr]) -> object::read::Result<Vec<usize>> {
    let file = ElfFile64::<Endianness>::parse(shim)?;
    let endian = file.endian();
    let sections = file.elf_section_table();
    let table = file.elf_dynamic_table()?;
    let mut versioned = Vec::new();
    if let Some((mut entries, strings)) = sections.gnu_verneed(endian, shim)? {
        let strings = sections.strings(endian, shim, strings)?;
        while let Some((entry, _)) = entries.next()? {
            versioned.extend(entry.file(endian, strings).ok());
        }
    }
    let is_meant = |needed: &[u8]| {
        let name = Path::new(OsStr::from_bytes(needed)).file_name();
        name.is_some_and(|name| names.contains(&name)) && !versioned.contains(&needed)
    };
    let mut segments = file.elf_program_headers().iter();
    let Some(dynamic) = segments.find(|it| it.p_type(endian) == elf::PT_DYNAMIC) else {
        return Ok(Vec::new());
    };
    let start = dynamic.p_offset(endian) as usize;
    let mut found = Vec::new();
    for (index, entry) in table.iter().enumerate() {
        if entry.tag == elf::DT_NEEDED && is_meant(table.string(entry)?) {
            found.push(start + index * size_of_val(&table.dynamics()[index]));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_shared_object_has_a_name_and_needs_nothing() {
        assert!(!is_nameless(&b"no shared object"[..]));
        assert_eq!(without_needs(b"no shared object", &[OsStr::new("libmoon.so")]), None);
    }
}
