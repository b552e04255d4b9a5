//! A unit of a library's debug information, read entry by entry. It may have been made to take long, or to take memory: each
//! step is asked for its time, and nothing of it is copied.

use std::rc::Rc;

use gimli::{Attribute, AttributeValue, DebugStrOffsetsBase, DwTag, EntriesRaw, UnitHeader, UnitOffset};

use super::sections::Sections;
use crate::debug::{Bytes, MOST_ATTRIBUTES, Shared, Time, Unread};

/// Steps from a name to a type, and from a field to its type: more than C has use for.
const MOST_STEPS: usize = 16;

/// Fields of a structure: more than compilers make.
const MOST_MEMBERS: usize = 1 << 16;

/// Bytes of a name; of a longer one no more is looked at.
const MOST_NAME: usize = 256;

/// An entry, with what is compared of it.
pub(super) struct Die<'d> {
    pub(super) tag: DwTag,
    pub(super) offset: UnitOffset,
    pub(super) size: Option<u64>,
    has_children: bool,
    is_declared: bool,
    is_external: bool,
    is_of_bits: bool,
    name: Option<AttributeValue<Bytes<'d>>>,
    ty: Option<AttributeValue<Bytes<'d>>>,
    location: Option<AttributeValue<Bytes<'d>>>,
    sibling: Option<UnitOffset>,
    texts: Option<DebugStrOffsetsBase<usize>>,
}

/// A field, or something else that takes up room.
pub(super) struct Member<'d> {
    pub(super) name: Option<&'d [u8]>,
    /// None of bits.
    pub(super) offset: Option<u64>,
    /// Of a number.
    pub(super) size: Option<u64>,
}

impl<'d> Die<'d> {
    fn new(tag: DwTag, offset: UnitOffset, has_children: bool) -> Die<'d> {
        Die {
            tag,
            offset,
            size: None,
            has_children,
            is_declared: false,
            is_external: false,
            is_of_bits: false,
            name: None,
            ty: None,
            location: None,
            sibling: None,
            texts: None,
        }
    }

    fn note(&mut self, attribute: &Attribute<Bytes<'d>>) {
        let value = attribute.value();
        match (attribute.name(), value) {
            (gimli::DW_AT_name, value) => self.name = Some(value),
            (gimli::DW_AT_type, value) => self.ty = Some(value),
            (gimli::DW_AT_byte_size, value) => self.size = value.udata_value(),
            (gimli::DW_AT_data_member_location, value) => self.location = Some(value),
            (gimli::DW_AT_bit_size, _) => self.is_of_bits = true,
            // One that is `static` lies elsewhere.
            (gimli::DW_AT_external, _) => self.is_external = true,
            (gimli::DW_AT_declaration, _) => self.is_declared = true,
            (gimli::DW_AT_sibling, AttributeValue::UnitRef(offset)) => self.sibling = Some(offset),
            (gimli::DW_AT_str_offsets_base, AttributeValue::DebugStrOffsetsBase(base)) => {
                self.texts = Some(base)
            }
            _ => {}
        }
    }

    fn is_record(&self) -> bool {
        matches!(self.tag, gimli::DW_TAG_structure_type | gimli::DW_TAG_class_type | gimli::DW_TAG_union_type)
    }
}

pub(super) struct Unit<'a, 'd> {
    sections: &'a Sections<'d>,
    time: &'a Time,
    header: UnitHeader<Bytes<'d>>,
    pub(super) abbreviations: Shared,
    /// Where its texts are listed.
    texts: DebugStrOffsetsBase<usize>,
}

impl<'a, 'd> Unit<'a, 'd> {
    /// With the abbreviations of the unit before it, where it has the same.
    pub(super) fn open(
        sections: &'a Sections<'d>,
        time: &'a Time,
        header: UnitHeader<Bytes<'d>>,
        before: Option<Shared>,
    ) -> Result<Unit<'a, 'd>, Unread> {
        time.look()?;
        let abbreviations = Shared::read(sections.abbreviations, header.debug_abbrev_offset(), before)?;
        Ok(Unit { sections, time, header, abbreviations, texts: DebugStrOffsetsBase(0) })
    }

    /// Calls this for each entry that lies right in the unit.
    pub(super) fn each_top(
        &mut self,
        mut each: impl FnMut(&Unit<'a, 'd>, &Die<'d>) -> Result<(), Unread>,
    ) -> Result<(), Unread> {
        let abbreviations = Rc::clone(&self.abbreviations.all);
        let mut entries = self.header.entries_raw(&abbreviations, None)?;
        let Some(root) = self.read(&mut entries)?.filter(|root| root.has_children) else { return Ok(()) };
        self.texts = root.texts.unwrap_or(self.texts);
        // Of what was gone to directly the depth is counted from there.
        let mut top = 1;
        while !entries.is_empty() && entries.next_depth() >= top {
            if entries.next_depth() > top {
                self.skip(&mut entries)?;
                continue;
            }
            let Some(die) = self.read(&mut entries)? else { continue };
            each(self, &die)?;
            if let Some(next) = die.sibling.filter(|next| die.has_children && *next > entries.next_offset()) {
                entries = self.header.entries_raw(&abbreviations, Some(next))?;
                top = 0;
            }
        }
        Ok(())
    }

    fn skip(&self, entries: &mut EntriesRaw<'_, Bytes<'d>>) -> Result<(), Unread> {
        self.time.step()?;
        let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(()) };
        let attributes = abbreviation.attributes();
        if attributes.len() > MOST_ATTRIBUTES {
            return Err(Unread);
        }
        Ok(entries.skip_attributes(attributes)?)
    }

    /// None where a list of entries ends.
    fn read(&self, entries: &mut EntriesRaw<'_, Bytes<'d>>) -> Result<Option<Die<'d>>, Unread> {
        self.time.step()?;
        let offset = entries.next_offset();
        let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(None) };
        let attributes = abbreviation.attributes();
        if attributes.len() > MOST_ATTRIBUTES {
            return Err(Unread);
        }
        let mut die = Die::new(abbreviation.tag(), offset, abbreviation.has_children());
        for attribute in attributes {
            die.note(&entries.read_attribute(*attribute)?);
        }
        Ok(Some(die))
    }

    fn at(&self, offset: UnitOffset) -> Result<Die<'d>, Unread> {
        self.time.look()?;
        let mut entries = self.header.entries_raw(&self.abbreviations.all, Some(offset))?;
        self.read(&mut entries)?.ok_or(Unread)
    }

    pub(super) fn name(&self, die: &Die<'d>) -> Result<Option<&'d [u8]>, Unread> {
        let Some(name) = die.name else { return Ok(None) };
        let texts = (self.header.format(), self.texts);
        self.sections.texts.text(name, texts, MOST_NAME).map(Some)
    }

    /// Behind typedefs and qualifiers, the structure that is defined there. None where it is declared, or is no structure.
    pub(super) fn record(&self, offset: UnitOffset) -> Result<Option<Die<'d>>, Unread> {
        // One that lies elsewhere may be as expected.
        let plain = self.plain(offset)?.ok_or(Unread)?;
        Ok((plain.is_record() && !plain.is_declared).then_some(plain))
    }

    /// The type behind typedefs and qualifiers. None where it lies elsewhere.
    fn plain(&self, mut offset: UnitOffset) -> Result<Option<Die<'d>>, Unread> {
        for _ in 0..MOST_STEPS {
            let die = self.at(offset)?;
            let names = matches!(
                die.tag,
                gimli::DW_TAG_typedef | gimli::DW_TAG_const_type | gimli::DW_TAG_volatile_type
            );
            offset = match die.ty {
                Some(AttributeValue::UnitRef(next)) if names => next,
                Some(_) if names => return Ok(None),
                // What has no type is `void`.
                _ => return Ok(Some(die)),
            };
        }
        Ok(None)
    }

    /// What lies in a structure.
    pub(super) fn members(&self, record: UnitOffset) -> Result<Vec<Member<'d>>, Unread> {
        let mut entries = self.header.entries_raw(&self.abbreviations.all, Some(record))?;
        self.skip(&mut entries)?;
        let mut members = Vec::new();
        while !entries.is_empty() && entries.next_depth() > 0 {
            if entries.next_depth() > 1 {
                self.skip(&mut entries)?;
            } else if let Some(die) = self.read(&mut entries)? {
                members.extend(self.member(&die)?);
            }
            if members.len() > MOST_MEMBERS {
                return Err(Unread);
            }
        }
        Ok(members)
    }

    fn member(&self, die: &Die<'d>) -> Result<Option<Member<'d>>, Unread> {
        let is_there = matches!(die.tag, gimli::DW_TAG_member | gimli::DW_TAG_inheritance);
        if !is_there || die.is_external {
            return Ok(None);
        }
        let offset = match die.location {
            // Of a union's members nothing is said.
            None => Some(0),
            Some(offset) => offset.udata_value(),
        };
        let size = if die.is_of_bits { None } else { self.size_of(die)? };
        let offset = offset.filter(|_| !die.is_of_bits);
        Ok(Some(Member { name: self.name(die)?, offset, size }))
    }

    /// The bytes of a member that is a number.
    fn size_of(&self, member: &Die<'d>) -> Result<Option<u64>, Unread> {
        let Some(AttributeValue::UnitRef(ty)) = member.ty else { return Ok(None) };
        let is_number =
            |die: &Die<'_>| matches!(die.tag, gimli::DW_TAG_base_type | gimli::DW_TAG_enumeration_type);
        Ok(self.plain(ty)?.filter(is_number).and_then(|die| die.size))
    }
}
