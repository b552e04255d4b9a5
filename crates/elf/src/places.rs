//! Which function, file and line addresses in a library are, by its symbols and its debug information.
//!
//! The library may have been made by anybody: no more is read than [`MOST_BYTES`], each step is asked for its time, and what takes memory is bounded
//! before it is read.

use std::time::Instant;

use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, ReadRef, elf};

use crate::debug::{Time, Unread};
use crate::table::Table;
use lines::Lines;

mod header;
mod lines;
mod root;
mod symbols;
#[cfg(test)]
mod tests;

/// Bytes of a library that are read, all together. Of one with more debug information functions are known, and lines are not.
const MOST_BYTES: u64 = 256 << 20;

/// Where an address is, as far as its file knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Place {
    /// The function.
    pub function: Option<String>,
    /// The source file, as the compiler was told it.
    pub file: Option<String>,
    /// The line.
    pub line: Option<u32>,
}

/// An address whose place is looked for.
struct Sought {
    address: u64,
    place: Place,
    /// Whether its line is known.
    is_found: bool,
}

/// What a file says of an address, which counts from its first segment. `None` where it says nothing.
pub fn place<'data, R: ReadRef<'data>>(data: R, offset: u64, until: Instant) -> Option<Place> {
    places(data, &[offset], until).pop().flatten()
}

/// What a file says of several addresses, as far as it can be read until then.
pub fn places<'data, R: ReadRef<'data>>(data: R, offsets: &[u64], until: Instant) -> Vec<Option<Place>> {
    let mut places = vec![None; offsets.len()];
    let sought = || offsets.iter().enumerate();
    let Ok((first, segments)) = segments(data) else { return places };
    let address = |&offset: &u64| {
        let address = (first & !0xfff).checked_add(offset)?;
        let is_in = |&(from, size): &(u64, u64)| from <= address && address - from < size;
        segments.iter().any(is_in).then_some(address)
    };
    let (indices, mut found): (Vec<usize>, Vec<Sought>) = sought()
        .filter_map(|(index, offset)| Some((index, address(offset)?)))
        .map(|(index, address)| (index, Sought { address, place: Place::default(), is_found: false }))
        .unzip();
    // What was found until something could not be read is there.
    let _ = fill(data, &mut found, &Time::until(until));
    for (index, Sought { place, .. }) in indices.into_iter().zip(found) {
        places[index] = Some(place).filter(|place| *place != Place::default());
    }
    places
}

fn fill<'data, R: ReadRef<'data>>(data: R, sought: &mut [Sought], time: &Time) -> Result<(), Unread> {
    if sought.is_empty() {
        return Ok(());
    }
    let table = Table::read(data, MOST_BYTES)?;
    symbols::fill(&table, sought, time)?;
    time.look()?;
    Lines::read(&table)?.fill(sought, time)
}

/// The lowest address of the segments that are loaded, and address and size of each.
fn segments<'data, R: ReadRef<'data>>(data: R) -> Result<(u64, Vec<(u64, u64)>), Unread> {
    let header = elf::FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    // As loaders do: 16 bits are the whole number.
    let count = usize::from(header.e_phnum(endian));
    let headers: &[elf::ProgramHeader64<Endianness>] =
        data.read_slice_at(header.e_phoff(endian), count).map_err(|()| Unread)?;
    let loaded = headers.iter().filter(|it| it.p_type(endian) == elf::PT_LOAD);
    let segments: Vec<_> = loaded.map(|it| (it.p_vaddr(endian), it.p_memsz(endian))).collect();
    let first = segments.iter().map(|(address, _)| *address).min().ok_or(Unread)?;
    Ok((first, segments))
}
