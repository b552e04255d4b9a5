//! A library as its loader sees it: where code lies, which functions it exports, and which symbol a slot is filled with.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use gimli::{BaseAddresses, CieOrFde, EhFrame, EndianSlice, LittleEndian, UnwindSection};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{
    Architecture, Object, ObjectSection, ObjectSegment, ObjectSymbol, ObjectSymbolTable, RelocationFlags,
    RelocationTarget, SegmentFlags, SymbolIndex, SymbolKind, elf,
};

use crate::registers::Registers;

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// To code of this library.
    Here(u64),
    /// To a function of C's library.
    OfC(String),
    /// To a function of another library.
    Elsewhere(String),
}

/// What is read of a library before its code is looked at.
#[derive(Debug)]
pub(crate) struct Image {
    segments: Vec<Segment>,
    /// Under one name there may be several, of different versions.
    exports: BTreeMap<String, BTreeSet<u64>>,
    /// Where functions begin that are exported, under whatever name.
    exported: BTreeSet<u64>,
    slots: BTreeMap<u64, Target>,
    /// Where a slot points to data of this library.
    data: BTreeMap<u64, u64>,
    /// Memory that may be written, and holds the address of a function of C's library when the loader is done with it.
    first: BTreeMap<u64, String>,
    functions: BTreeMap<u64, u64>,
    /// What is asked of functions by their addresses again and again.
    pub(crate) registers: Registers,
}

#[derive(Debug)]
struct Segment {
    start: u64,
    data: Vec<u8>,
    executed: bool,
}

impl Image {
    /// `None` of a file that is not for this machine, that catches exceptions, or whose functions nothing tells apart.
    pub(crate) fn new(data: &[u8]) -> Option<Image> {
        let file = ElfFile64::<object::Endianness>::parse(data).ok()?;
        if file.architecture() != Architecture::X86_64 || file.section_by_name(".gcc_except_table").is_some()
        {
            return None;
        }
        let segments = file.segments().filter_map(|segment| {
            let SegmentFlags::Elf { p_flags, .. } = segment.flags() else { return None };
            let executed = p_flags.contains(elf::PF_X);
            Some(Segment { start: segment.address(), data: segment.data().ok()?.to_vec(), executed })
        });
        let mut image = Image {
            segments: segments.collect(),
            exports: BTreeMap::new(),
            exported: BTreeSet::new(),
            slots: BTreeMap::new(),
            data: BTreeMap::new(),
            first: BTreeMap::new(),
            functions: functions(&file)?,
            registers: Registers::default(),
        };
        // A function that is chosen when the library is loaded (STT_GNU_IFUNC) is no definition here.
        for symbol in file.dynamic_symbols().filter(|symbol| symbol.is_definition()) {
            if let (Ok(name), SymbolKind::Text) = (symbol.name(), symbol.kind()) {
                image.exports.entry(name.to_owned()).or_default().insert(symbol.address());
                image.exported.insert(symbol.address());
            }
        }
        let fixed = fixed(&file);
        for (place, relocation) in file.dynamic_relocations()? {
            let target = match (relocation.flags(), relocation.target()) {
                // What may be written later is nothing to go by.
                (RelocationFlags::Elf { r_type: elf::R_X86_64_RELATIVE }, _) if fixed.contains(&place) => {
                    Target::Here(relocation.addend().cast_unsigned())
                }
                (
                    RelocationFlags::Elf { r_type: elf::R_X86_64_GLOB_DAT | elf::R_X86_64_JUMP_SLOT },
                    RelocationTarget::Symbol(symbol),
                ) => match named(&file, symbol) {
                    Some(target) => target,
                    None => {
                        image.data.extend(defined(&file, symbol).map(|address| (place, address)));
                        continue;
                    }
                },
                (RelocationFlags::Elf { r_type: elf::R_X86_64_64 }, RelocationTarget::Symbol(symbol)) => {
                    if let (Some(Target::OfC(name)), 0) = (named(&file, symbol), relocation.addend()) {
                        image.first.insert(place, name);
                    }
                    continue;
                }
                _ => continue,
            };
            image.slots.insert(place, target);
        }
        Some(image)
    }

    /// Where a function begins that the library exports; nowhere where several are called so.
    pub(crate) fn export(&self, name: &str) -> Option<u64> {
        let all = self.exports.get(name)?;
        all.first().copied().filter(|_| all.len() == 1)
    }

    /// Whether a function can be called from elsewhere, as all functions of C are.
    pub(crate) fn is_exported(&self, address: u64) -> bool {
        self.exported.contains(&address)
    }

    /// What the loader puts into a slot of memory.
    pub(crate) fn slot(&self, address: u64) -> Option<&Target> {
        self.slots.get(&address)
    }

    /// The data of this library that a slot points to.
    pub(crate) fn data(&self, address: u64) -> Option<u64> {
        self.data.get(&address).copied()
    }

    /// The allocator of C's library that is called through memory at an address. What is put there later is trusted to do the same.
    pub(crate) fn allocator(&self, address: u64) -> Option<Target> {
        let name = self.first.get(&address)?;
        let known = ["calloc", "free", "malloc", "realloc"].contains(&name.as_str());
        known.then(|| Target::OfC(name.clone()))
    }

    /// The bytes of code from an address on.
    pub(crate) fn code(&self, address: u64) -> Option<&[u8]> {
        self.bytes(address, true)
    }

    /// Whether an address is of code.
    pub(crate) fn is_code(&self, address: u64) -> bool {
        self.bytes(address, true).is_some_and(|bytes| !bytes.is_empty())
    }

    /// One of the distances that a table of jumps holds, in memory that is never written.
    pub(crate) fn distance(&self, address: u64) -> Option<i32> {
        let bytes = self.bytes(address, false)?.first_chunk()?;
        Some(i32::from_le_bytes(*bytes))
    }

    /// The piece of code around an address that the library's own tables describe as one.
    pub(crate) fn piece(&self, address: u64) -> Option<Range<u64>> {
        let (start, end) = self.functions.range(..=address).next_back()?;
        (address < *end).then_some(*start..*end)
    }

    fn bytes(&self, address: u64, executed: bool) -> Option<&[u8]> {
        self.segments.iter().find_map(|segment| {
            let offset = usize::try_from(address.checked_sub(segment.start)?).ok()?;
            (!executed || segment.executed).then(|| segment.data.get(offset..)).flatten()
        })
    }
}

/// The memory that nobody can write to when the loader is done with it.
fn fixed(file: &ElfFile64<'_>) -> Range<u64> {
    let endian = file.endian();
    let relro = file.elf_program_headers().iter().find(|header| header.p_type(endian) == elf::PT_GNU_RELRO);
    relro.map_or(0..0, |header| {
        let start = header.p_vaddr(endian);
        start..start.saturating_add(header.p_memsz(endian))
    })
}

/// Whether a symbol is asked of the GNU C library, by its version.
fn is_of_c(file: &ElfFile64<'_>, index: SymbolIndex) -> bool {
    let versions = file.elf_section_table().versions(file.endian(), file.data()).ok().flatten();
    versions.is_some_and(|versions| {
        let version = versions.version(versions.version_index(file.endian(), index).index()).ok().flatten();
        version.is_some_and(|version| version.name().starts_with(b"GLIBC_"))
    })
}

/// Where data lies that this library defines.
fn defined(file: &ElfFile64<'_>, index: SymbolIndex) -> Option<u64> {
    let symbol = file.dynamic_symbol_table()?.symbol_by_index(index).ok()?;
    (symbol.is_definition() && symbol.kind() == SymbolKind::Data).then(|| symbol.address())
}

/// What a symbol stands for: its definition here, which the loader takes unless something else defines the same, or a function
/// elsewhere, as one is that is chosen when the library is loaded.
fn named(file: &ElfFile64<'_>, index: SymbolIndex) -> Option<Target> {
    let symbol = file.dynamic_symbol_table()?.symbol_by_index(index).ok()?;
    Some(match symbol.is_definition() {
        true if symbol.kind() == SymbolKind::Text => Target::Here(symbol.address()),
        true => return None,
        false if is_of_c(file, index) => Target::OfC(symbol.name().ok()?.to_owned()),
        false => Target::Elsewhere(symbol.name().ok()?.to_owned()),
    })
}

/// The pieces of code that the tables for unwinding describe: where each begins and ends. `None` where one of them catches exceptions.
fn functions(file: &ElfFile64<'_>) -> Option<BTreeMap<u64, u64>> {
    let section = file.section_by_name(".eh_frame")?;
    let frames = EhFrame::from(EndianSlice::new(section.data().ok()?, LittleEndian));
    let bases = BaseAddresses::default().set_eh_frame(section.address());
    let mut found = BTreeMap::new();
    let mut entries = frames.entries(&bases);
    while let Some(entry) = entries.next().ok()? {
        let CieOrFde::Fde(partial) = entry else { continue };
        let fde = partial.parse(|section, bases, offset| section.cie_from_offset(bases, offset)).ok()?;
        if fde.lsda().is_some() {
            return None;
        }
        found.insert(fde.initial_address(), fde.initial_address().checked_add(fde.len())?);
    }
    Some(found)
}
