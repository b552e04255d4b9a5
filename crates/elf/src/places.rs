//! Which function, file and line an address in a library is, by its symbols and its debug information.

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, Error, RunTimeEndian, SectionId};
use object::read::elf::ElfFile64;
use object::{CompressionFormat, Endianness, Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolKind};

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

/// What a file says of an address, which counts from its first segment. `None` where it says nothing.
pub fn place(data: &[u8], offset: u64) -> Option<Place> {
    let file = ElfFile64::<Endianness, _>::parse(data).ok()?;
    let first = file.segments().map(|segment| segment.address()).min()?;
    let address = (first & !0xfff).checked_add(offset)?;
    // Who reads the rest counts on it.
    let is_in = |from: u64, size: u64| from <= address && address - from < size;
    file.segments().find(|segment| is_in(segment.address(), segment.size()))?;
    let (source, line) = line(&file, address).unwrap_or_default();
    let place = Place { function: function(&file, address), file: source, line };
    (place != Place::default()).then_some(place)
}

fn function(file: &ElfFile64<'_, Endianness>, address: u64) -> Option<String> {
    let symbols = file.symbols().chain(file.dynamic_symbols());
    let is_around = |size: u64, begins: u64| size == 0 || address - begins < size;
    let functions = symbols.filter(|it| it.kind() == SymbolKind::Text && it.is_definition());
    let around = functions.filter(|it| it.address() <= address && is_around(it.size(), it.address()));
    around.max_by_key(|it| it.address())?.name().ok().map(str::to_owned)
}

/// Of the innermost function, where others were compiled into their callers.
fn line(file: &ElfFile64<'_, Endianness>, address: u64) -> Option<(Option<String>, Option<u32>)> {
    let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
    let section = |id: SectionId| -> Result<_, Error> {
        let section = file.section_by_name(id.name());
        // What was compressed is as good as not there.
        let section = section.filter(|it| {
            it.compressed_file_range().is_ok_and(|range| range.format == CompressionFormat::None)
        });
        let data = section.and_then(|it| it.data().ok()).unwrap_or_default();
        Ok(EndianSlice::new(data, endian))
    };
    let context = Context::from_dwarf(Dwarf::load(section).ok()?).ok()?;
    let location = context.find_location(address).ok()??;
    Some((location.file.map(str::to_owned), location.line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_library_says_nothing() {
        for bytes in [&b""[..], b"\x7fELF", &[0x7f; 4096]] {
            assert_eq!(place(bytes, 0x1000), None);
        }
    }

    #[test]
    fn functions_are_known_by_their_symbols() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let file = ElfFile64::<Endianness>::parse(&bytes[..]).unwrap();
        let own = file.symbols().find(|it| it.name() == Ok("main") && it.is_definition()).unwrap();
        let named = |offset| place(&bytes, own.address() + offset).and_then(|place| place.function);
        assert_eq!((named(0).as_deref(), named(1).as_deref()), (Some("main"), Some("main")));
        assert_ne!(named(own.size()).as_deref(), Some("main"));
        assert_eq!(place(&bytes, u64::MAX), None);
    }
}
