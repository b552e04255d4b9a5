//! What of a library needs memory that is both written and executed.

use object::elf::{self, Dyn64, ProgramHeader64};
use object::read::elf::{Dyn, ProgramHeader};
use object::{Endianness, ReadRef};

/// In words; none where a loader can do without such memory. What cannot be read is left to the loader.
pub(crate) fn written<'data, R: ReadRef<'data>>(
    segments: &[ProgramHeader64<Endianness>],
    endian: Endianness,
    data: R,
) -> Option<&'static str> {
    let of_kind = |kind| segments.iter().filter(move |segment| segment.p_type(endian) == kind);
    let has = |segment: &ProgramHeader64<Endianness>, flags: elf::ProgramFlags| {
        segment.p_flags(endian).0 & flags.0 == flags.0
    };
    if of_kind(elf::PT_LOAD).any(|segment| has(segment, elf::PF_W) && has(segment, elf::PF_X)) {
        return Some("a segment of it is both written and executed");
    }
    match of_kind(elf::PT_GNU_STACK).next() {
        // Loaders take the want of it for such a wish.
        None => return Some("it has no PT_GNU_STACK, which stands for an executable stack"),
        Some(stack) if has(stack, elf::PF_X) => return Some("it wants an executable stack (PT_GNU_STACK)"),
        Some(_) => {}
    }
    let dynamic = of_kind(elf::PT_DYNAMIC).next()?;
    relocates_code(dynamic, endian, data).then_some("its loader writes addresses into its code (DT_TEXTREL)")
}

fn relocates_code<'data, R: ReadRef<'data>>(
    dynamic: &ProgramHeader64<Endianness>,
    endian: Endianness,
    data: R,
) -> bool {
    /// More than any linker makes.
    const MOST: u64 = 4096;
    let count = dynamic.p_filesz(endian) / size_of::<Dyn64<Endianness>>() as u64;
    let entries = data.read_slice_at::<Dyn64<Endianness>>(dynamic.p_offset(endian), count.min(MOST) as usize);
    let entries = entries.unwrap_or_default().iter().take_while(|entry| entry.d_tag(endian) != elf::DT_NULL);
    entries.into_iter().any(|entry| match entry.d_tag(endian) {
        elf::DT_TEXTREL => true,
        elf::DT_FLAGS => entry.d_val(endian) & elf::DF_TEXTREL.0 != 0,
        _ => false,
    })
}
