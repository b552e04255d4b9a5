//! Functions by the symbols of a library.

use object::elf::{SHN_UNDEF, SHN_XINDEX, SHT_DYNSYM, SHT_SYMTAB, STT_FUNC, SectionHeader64, Sym64};
use object::read::elf::{SectionHeader, Sym};
use object::{Endianness, ReadRef, pod};

use super::Sought;
use crate::debug::{Time, Unread};
use crate::table::Table;

/// Bytes of a name; a longer one is none.
const MOST_NAME: usize = 4096;

/// The function that begins last at or before an address.
#[derive(Clone, Copy)]
struct Nearest<'d> {
    address: u64,
    name: u32,
    names: &'d [u8],
}

/// Notes the function of each address.
pub(super) fn fill<'d, R: ReadRef<'d>>(
    table: &Table<'d, R>,
    sought: &mut [Sought],
    time: &Time,
) -> Result<(), Unread> {
    let mut nearest: Vec<Option<Nearest<'_>>> = vec![None; sought.len()];
    for kind in [SHT_SYMTAB, SHT_DYNSYM] {
        let Some(section) = table.headers.iter().find(|it| it.sh_type(table.endian) == kind) else {
            continue;
        };
        // One that cannot be read says nothing of the other.
        let _ = look_through(table, section, sought, &mut nearest, time);
        time.look()?;
    }
    for (sought, nearest) in sought.iter_mut().zip(nearest) {
        sought.place.function = nearest.and_then(Nearest::name);
    }
    Ok(())
}

fn look_through<'d, R: ReadRef<'d>>(
    table: &Table<'d, R>,
    section: &SectionHeader64<Endianness>,
    sought: &[Sought],
    nearest: &mut [Option<Nearest<'d>>],
    time: &Time,
) -> Result<(), Unread> {
    let endian = table.endian;
    let names = table.headers.get(section.sh_link(endian) as usize).ok_or(Unread)?;
    let (symbols, names) = (table.section(section)?, table.section(names)?);
    let (symbols, _) =
        pod::slice_from_bytes::<Sym64<Endianness>>(symbols, symbols.len() / size_of::<Sym64<Endianness>>())
            .map_err(|()| Unread)?;
    for symbol in symbols {
        time.step()?;
        if !is_function(symbol, endian) {
            continue;
        }
        let (begins, size) = (symbol.st_value(endian), symbol.st_size(endian));
        for (sought, nearest) in sought.iter().zip(&mut *nearest) {
            let is_around = begins <= sought.address && (size == 0 || sought.address - begins < size);
            if is_around && nearest.is_none_or(|nearest| nearest.address <= begins) {
                *nearest = Some(Nearest { address: begins, name: symbol.st_name(endian), names });
            }
        }
    }
    Ok(())
}

/// Whether a function is here, and not elsewhere.
fn is_function(symbol: &Sym64<Endianness>, endian: Endianness) -> bool {
    let section = symbol.st_shndx(endian);
    let is_here = section != SHN_UNDEF && (!section.is_special() || section == SHN_XINDEX);
    is_here && symbol.st_type() == STT_FUNC
}

impl Nearest<'_> {
    fn name(self) -> Option<String> {
        let name = self.names.get(self.name as usize..)?;
        let name = &name[..name.len().min(MOST_NAME)];
        let end = name.iter().position(|byte| *byte == 0)?;
        Some(str::from_utf8(&name[..end]).ok()?.to_owned()).filter(|name| !name.is_empty())
    }
}
