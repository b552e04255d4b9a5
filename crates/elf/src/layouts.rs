//! What the debug information of a library says of the layouts of structures, held against what its header said.

use std::fmt;
use std::time::{Duration, Instant};

use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSegment, ObjectSymbol, ReadRef};

use crate::debug::{Time, Unread};
use sections::Sections;
use unit::{Die, Unit};

mod places;
mod sections;
#[cfg(test)]
mod tests;
mod unit;

/// How long a library is compared, at most. It may have been made to take longer.
const LONGEST: Duration = Duration::from_secs(2);

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
/// is not there; nor where not all of it can be read, or not in time: what was not read may agree. A name that it has several
/// structures for agrees where one of them does: parts of a library may have private ones.
pub fn differing<'data, R: ReadRef<'data>>(data: R, layouts: &[Layout]) -> Option<Differs> {
    differing_until(data, layouts, Instant::now() + LONGEST)
}

fn differing_until<'data, R: ReadRef<'data>>(data: R, layouts: &[Layout], until: Instant) -> Option<Differs> {
    if layouts.is_empty() {
        return None;
    }
    let mut known = Comparison { layouts, found: vec![Found::Nowhere; layouts.len()] };
    known.read(&Sections::read(data).ok()?, &Time::until(until)).ok()?;
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
    fn read(&mut self, sections: &Sections<'_>, time: &Time) -> Result<(), Unread> {
        let mut units = sections.units();
        let mut before = None;
        while let Some(header) = units.next()? {
            if self.found.iter().all(|found| *found == Found::AsExpected) {
                break;
            }
            let mut unit = Unit::open(sections, time, header, before)?;
            unit.each_top(|unit, die| self.look_at(unit, die))?;
            before = Some(unit.abbreviations);
        }
        Ok(())
    }

    /// Compares it, if it is one of those that are looked for.
    fn look_at<'d>(&mut self, unit: &Unit<'_, 'd>, die: &Die<'d>) -> Result<(), Unread> {
        let prefix = match die.tag {
            gimli::DW_TAG_structure_type | gimli::DW_TAG_class_type => "struct ",
            gimli::DW_TAG_union_type => "union ",
            gimli::DW_TAG_typedef => "",
            _ => return Ok(()),
        };
        let Some(name) = unit.name(die)? else { return Ok(()) };
        let is_named =
            |layout: &Layout| layout.name.strip_prefix(prefix).is_some_and(|rest| rest.as_bytes() == name);
        let Some(index) = self.layouts.iter().position(is_named) else { return Ok(()) };
        if self.found[index] == Found::AsExpected {
            return Ok(());
        }
        let Some(record) = unit.record(die.offset)? else { return Ok(()) };
        let members = unit.members(record.offset)?;
        self.found[index] = match places::difference(&self.layouts[index], record.size, &members) {
            None => Found::AsExpected,
            Some(how) => Found::Otherwise(how),
        };
        Ok(())
    }
}
