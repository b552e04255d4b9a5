//! What the debug information of a library says of the layouts of structures, held against what its header said.

use std::borrow::Cow;
use std::fmt;

use gimli::{AttributeValue, DebuggingInformationEntry, Dwarf, EndianSlice, RunTimeEndian, Unit, UnitOffset};
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection, ObjectSegment, ObjectSymbol, ReadRef};

type Bytes<'a> = EndianSlice<'a, RunTimeEndian>;
type Entry<'a> = DebuggingInformationEntry<Bytes<'a>>;

/// Bytes of debug information of a library that are looked at; a library with more is not compared.
const MOST_BYTES: u64 = 64 << 20;

/// Steps from a name to a type, and from a field to its type: more than C has use for.
const MOST_STEPS: usize = 16;

/// The text in a shim that says for which layouts it was compiled.
const SYMBOL: &[u8] = b"hotcell_layouts_1";

/// A structure as a header has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// As C names it: `struct point`, `union value`, `point_t`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Those that have names, in order.
    pub fields: Vec<Field>,
}

/// A field of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Bytes before it; none of a bit-field.
    pub offset: Option<u64>,
    /// Its bytes, where they are known.
    pub size: Option<u64>,
}

/// A structure that is another in the library than in the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differs {
    /// As C names it.
    pub name: String,
    /// What differs first.
    pub how: String,
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is another in the library than in the header: {}", self.name, self.how)
    }
}

impl Layout {
    /// Of the lines in which a shim has them: `size name`, and for each field a line behind it that begins with a blank and
    /// has offset, size and name. `-` stands for what is not known. None where it is something else.
    pub fn of_text(text: &str) -> Option<Vec<Layout>> {
        let mut layouts: Vec<Layout> = Vec::new();
        for line in text.lines() {
            match line.strip_prefix(' ') {
                Some(field) => layouts.last_mut()?.fields.push(Field::of_line(field)?),
                None => {
                    let (size, name) = line.split_once(' ')?;
                    let (size, name) = (size.parse().ok()?, name.to_owned());
                    layouts.push(Layout { name, size, fields: Vec::new() });
                }
            }
        }
        Some(layouts)
    }

    /// Those that a compiled shim was made for; none where it says nothing of them.
    pub fn of_shim(shim: &[u8]) -> Vec<Layout> {
        Layout::text_of(shim).and_then(Layout::of_text).unwrap_or_default()
    }

    fn text_of(shim: &[u8]) -> Option<&str> {
        let file = ElfFile64::<Endianness>::parse(shim).ok()?;
        let symbol = file.dynamic_symbols().find(|symbol| symbol.name_bytes() == Ok(SYMBOL))?;
        let (address, size) = (symbol.address(), symbol.size());
        let bytes = file.segments().find_map(|segment| segment.data_range(address, size).ok().flatten())?;
        str::from_utf8(bytes.strip_suffix(&[0])?).ok()
    }
}

impl Field {
    fn of_line(line: &str) -> Option<Field> {
        let number = |text: &str| if text == "-" { Some(None) } else { text.parse().ok().map(Some) };
        let mut words = line.splitn(3, ' ');
        let (offset, size) = (number(words.next()?)?, number(words.next()?)?);
        Some(Field { name: words.next()?.to_owned(), offset, size })
    }
}

/// The first of `layouts` that the library's debug information has otherwise. None where that agrees, has none of them, or
/// is not there. A name that it has several structures for agrees where one of them does: parts of a library may have
/// private ones.
pub fn differing<'data, R: ReadRef<'data>>(data: R, layouts: &[Layout]) -> Option<Differs> {
    if layouts.is_empty() {
        return None;
    }
    let file = ElfFile64::<Endianness, R>::parse(data).ok()?;
    let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
    let section = |id: gimli::SectionId| -> Result<Bytes<'data>, gimli::Error> {
        let found = file.section_by_name(id.name()).filter(|section| section.size() <= MOST_BYTES);
        let bytes = found.and_then(|section| section.data().ok()).unwrap_or_default();
        Ok(EndianSlice::new(bytes, endian))
    };
    let dwarf = Dwarf::load(section).ok()?;
    let mut known = Comparison { layouts, found: vec![Found::Nowhere; layouts.len()] };
    // What cannot be read says nothing; what was read before it counts.
    let _ = known.read(&dwarf);
    known.found.into_iter().zip(layouts).find_map(|(found, layout)| match found {
        Found::Otherwise(how) => Some(Differs { name: layout.name.clone(), how }),
        Found::Nowhere | Found::AsExpected => None,
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Nowhere,
    Otherwise(String),
    AsExpected,
}

struct Comparison<'a> {
    layouts: &'a [Layout],
    found: Vec<Found>,
}

impl Comparison<'_> {
    fn read<'d>(&mut self, dwarf: &Dwarf<Bytes<'d>>) -> gimli::Result<()> {
        let mut units = dwarf.units();
        while let Some(header) = units.next()? {
            if self.found.iter().all(|found| *found == Found::AsExpected) {
                break;
            }
            let unit = dwarf.unit(header)?;
            let part = Part { dwarf, unit: &unit };
            let mut tree = unit.entries_tree(None)?;
            let mut tops = tree.root()?.children();
            while let Some(top) = tops.next()? {
                self.look_at(&part, top.entry())?;
            }
        }
        Ok(())
    }

    /// Compares it, if it is one of those that are looked for.
    fn look_at<'d>(&mut self, part: &Part<'_, 'd>, entry: &Entry<'d>) -> gimli::Result<()> {
        let prefix = match entry.tag {
            gimli::DW_TAG_structure_type | gimli::DW_TAG_class_type => "struct ",
            gimli::DW_TAG_union_type => "union ",
            gimli::DW_TAG_typedef => "",
            _ => return Ok(()),
        };
        let Some(name) = part.name(entry)? else { return Ok(()) };
        let is_named = |layout: &Layout| layout.name.strip_prefix(prefix).is_some_and(|rest| rest == name);
        let Some(index) = self.layouts.iter().position(is_named) else { return Ok(()) };
        if self.found[index] == Found::AsExpected {
            return Ok(());
        }
        let Some(record) = part.record(entry.offset)? else { return Ok(()) };
        self.found[index] = match part.difference(record, &self.layouts[index])? {
            None => Found::AsExpected,
            Some(how) => Found::Otherwise(how),
        };
        Ok(())
    }
}

/// A unit of the debug information.
struct Part<'a, 'd> {
    dwarf: &'a Dwarf<Bytes<'d>>,
    unit: &'a Unit<Bytes<'d>>,
}

impl<'d> Part<'_, 'd> {
    fn name(&self, entry: &Entry<'d>) -> gimli::Result<Option<Cow<'d, str>>> {
        let Some(name) = entry.attr_value(gimli::DW_AT_name) else { return Ok(None) };
        Ok(Some(self.dwarf.attr_string(self.unit, name)?.to_string_lossy()))
    }

    /// Behind typedefs and qualifiers, the structure that is defined there.
    fn record(&self, offset: UnitOffset) -> gimli::Result<Option<UnitOffset>> {
        let Some(entry) = self.plain(offset)? else { return Ok(None) };
        let is_record = matches!(
            entry.tag,
            gimli::DW_TAG_structure_type | gimli::DW_TAG_class_type | gimli::DW_TAG_union_type
        );
        let is_defined = entry.attr_value(gimli::DW_AT_declaration).is_none();
        Ok((is_record && is_defined).then_some(entry.offset))
    }

    /// The type behind typedefs and qualifiers.
    fn plain(&self, mut offset: UnitOffset) -> gimli::Result<Option<Entry<'d>>> {
        for _ in 0..MOST_STEPS {
            let entry = self.unit.entry(offset)?;
            let names = matches!(
                entry.tag,
                gimli::DW_TAG_typedef | gimli::DW_TAG_const_type | gimli::DW_TAG_volatile_type
            );
            if !names {
                return Ok(Some(entry));
            }
            let Some(AttributeValue::UnitRef(next)) = entry.attr_value(gimli::DW_AT_type) else { break };
            offset = next;
        }
        Ok(None)
    }

    /// What of a structure is otherwise, in words.
    fn difference(&self, record: UnitOffset, expected: &Layout) -> gimli::Result<Option<String>> {
        let entry = self.unit.entry(record)?;
        let size = entry.attr_value(gimli::DW_AT_byte_size).and_then(|size| size.udata_value());
        let members = self.members(record)?;
        let named = |name: &str| members.iter().find(|member| member.name == name);
        for field in &expected.fields {
            let Some(member) = named(&field.name) else {
                return Ok(Some(format!("the library's has no field `{}`", field.name)));
            };
            if let (Some(header), Some(library)) = (field.offset, member.offset)
                && header != library
            {
                let name = &field.name;
                return Ok(Some(format!(
                    "its field `{name}` lies at {header}, and at {library} in the library"
                )));
            }
            if let (Some(header), Some(library)) = (field.size, member.size)
                && header != library
            {
                let name = &field.name;
                return Ok(Some(format!(
                    "its field `{name}` has {header} bytes, and {library} in the library"
                )));
            }
        }
        let is_more = |member: &&Field| !expected.fields.iter().any(|field| field.name == member.name);
        if let Some(more) = members.iter().find(is_more) {
            return Ok(Some(format!("the library's has a field `{}` more", more.name)));
        }
        Ok(size
            .filter(|size| *size != expected.size)
            .map(|size| format!("it has {} bytes, and {size} in the library", expected.size)))
    }

    /// Its fields that have names.
    fn members(&self, record: UnitOffset) -> gimli::Result<Vec<Field>> {
        let mut tree = self.unit.entries_tree(Some(record))?;
        let mut children = tree.root()?.children();
        let mut members = Vec::new();
        while let Some(child) = children.next()? {
            let entry = child.entry();
            // One that is `static` lies elsewhere.
            let is_member =
                entry.tag == gimli::DW_TAG_member && entry.attr_value(gimli::DW_AT_external).is_none();
            let Some(name) = self.name(entry)?.filter(|_| is_member) else { continue };
            let is_of_bits = entry.attr_value(gimli::DW_AT_bit_size).is_some();
            let offset = match entry.attr_value(gimli::DW_AT_data_member_location) {
                // Of a union's members nothing is said.
                None => Some(0),
                Some(offset) => offset.udata_value(),
            };
            let size = if is_of_bits { None } else { self.size_of(entry)? };
            members.push(Field { name: name.into_owned(), offset: offset.filter(|_| !is_of_bits), size });
        }
        Ok(members)
    }

    /// The bytes of a member that is a number.
    fn size_of(&self, member: &Entry<'d>) -> gimli::Result<Option<u64>> {
        let Some(AttributeValue::UnitRef(ty)) = member.attr_value(gimli::DW_AT_type) else { return Ok(None) };
        let plain = self
            .plain(ty)?
            .filter(|entry| matches!(entry.tag, gimli::DW_TAG_base_type | gimli::DW_TAG_enumeration_type));
        let size = plain.and_then(|entry| entry.attr_value(gimli::DW_AT_byte_size));
        Ok(size.and_then(|size| size.udata_value()))
    }
}
