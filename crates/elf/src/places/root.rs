//! What the first entry of a unit says: where its code lies, and where its line program.

use std::ops::Range;

use gimli::{
    AttributeValue, DebugAddrBase, DebugAddrIndex, DebugLineOffset, DebugRngListsBase, DebugStrOffsetsBase,
    Encoding, RangeListsOffset, UnitHeader,
};

use super::lines::Lines;
use crate::debug::{Bytes, MOST_ATTRIBUTES, Shared, Time, Unread};

type Value<'d> = AttributeValue<Bytes<'d>>;

pub(super) struct Root<'d> {
    low: Option<Value<'d>>,
    high: Option<Value<'d>>,
    ranges: Option<Value<'d>>,
    pub(super) program: Option<DebugLineOffset<usize>>,
    /// The directory in which it was compiled.
    pub(super) directory: Option<Value<'d>>,
    /// Where its texts are listed, its addresses, and its ranges.
    pub(super) texts: DebugStrOffsetsBase<usize>,
    addresses: DebugAddrBase<usize>,
    lists: DebugRngListsBase<usize>,
}

impl<'d> Root<'d> {
    pub(super) fn read(header: &UnitHeader<Bytes<'d>>, abbreviations: &Shared) -> Result<Root<'d>, Unread> {
        let mut root = Root {
            low: None,
            high: None,
            ranges: None,
            program: None,
            directory: None,
            texts: DebugStrOffsetsBase(0),
            addresses: DebugAddrBase(0),
            lists: DebugRngListsBase(0),
        };
        let mut entries = header.entries_raw(&abbreviations.all, None)?;
        let attributes = entries.read_abbreviation()?.ok_or(Unread)?.attributes();
        if attributes.len() > MOST_ATTRIBUTES {
            return Err(Unread);
        }
        for attribute in attributes {
            let attribute = entries.read_attribute(*attribute)?;
            root.note(attribute.name(), attribute.value());
        }
        Ok(root)
    }

    fn note(&mut self, name: gimli::DwAt, value: Value<'d>) {
        match (name, value) {
            (gimli::DW_AT_low_pc, value) => self.low = Some(value),
            (gimli::DW_AT_high_pc, value) => self.high = Some(value),
            (gimli::DW_AT_ranges, value) => self.ranges = Some(value),
            (gimli::DW_AT_comp_dir, value) => self.directory = Some(value),
            (gimli::DW_AT_stmt_list, AttributeValue::DebugLineRef(at)) => self.program = Some(at),
            (gimli::DW_AT_str_offsets_base, AttributeValue::DebugStrOffsetsBase(base)) => self.texts = base,
            (gimli::DW_AT_addr_base | gimli::DW_AT_GNU_addr_base, AttributeValue::DebugAddrBase(base)) => {
                self.addresses = base
            }
            (gimli::DW_AT_rnglists_base, AttributeValue::DebugRngListsBase(base)) => self.lists = base,
            _ => {}
        }
    }

    /// Calls this for each range in which the unit has code.
    pub(super) fn each_range(
        &self,
        lines: &Lines<'d>,
        encoding: Encoding,
        time: &Time,
        mut each: impl FnMut(Range<u64>),
    ) -> Result<(), Unread> {
        let low = self.low.map(|low| self.address(lines, encoding, low)).transpose()?.flatten();
        let Some(ranges) = self.ranges else {
            let (Some(low), Some(high)) = (low, self.high) else { return Ok(()) };
            let end = match high {
                AttributeValue::Udata(size) => low.checked_add(size),
                high => self.address(lines, encoding, high)?,
            };
            end.into_iter().for_each(|end| each(low..end));
            return Ok(());
        };
        let Some(at) = self.list(lines, encoding, ranges)? else { return Ok(()) };
        let base = low.unwrap_or(0);
        let mut ranges = lines.ranges.ranges(at, encoding, base, &lines.addresses, self.addresses)?;
        // Entries without a range are steps, too.
        while let Some(entry) = ranges.next_raw()? {
            time.step()?;
            ranges.convert_raw(entry)?.into_iter().for_each(|range| each(range.begin..range.end));
        }
        Ok(())
    }

    fn address(
        &self,
        lines: &Lines<'d>,
        encoding: Encoding,
        value: Value<'d>,
    ) -> Result<Option<u64>, Unread> {
        let at = |index: DebugAddrIndex<usize>| {
            lines.addresses.get_address(encoding.address_size, self.addresses, index)
        };
        match value {
            AttributeValue::Addr(address) => Ok(Some(address)),
            AttributeValue::DebugAddrIndex(index) => Ok(Some(at(index)?)),
            _ => Ok(None),
        }
    }

    /// Where its ranges are.
    fn list(
        &self,
        lines: &Lines<'d>,
        encoding: Encoding,
        value: Value<'d>,
    ) -> Result<Option<RangeListsOffset<usize>>, Unread> {
        match value {
            AttributeValue::RangeListsRef(at) => Ok(Some(RangeListsOffset(at.0))),
            AttributeValue::DebugRngListsIndex(index) => {
                Ok(Some(lines.ranges.get_offset(encoding, self.lists, index)?))
            }
            _ => Ok(None),
        }
    }
}
