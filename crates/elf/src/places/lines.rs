//! Files and lines by the line programs of units.

use std::num::NonZeroU64;

use gimli::{
    DebugAddr, DebugInfo, DebugLine, DebugLineOffset, DebugRanges, DebugRngLists, Encoding, EndianSlice,
    FileEntry, LineProgramHeader, RangeLists, Reader, UnitHeader, UnitType,
};
use object::ReadRef;

use super::Sought;
use super::header::Left;
use super::root::Root;
use crate::debug::{Bytes, Shared, Texts, Time, Unread};
use crate::table::Table;

/// Bytes of the line program of a unit: more than compilers make.
const MOST_PROGRAM: usize = 8 << 20;

/// Bytes of the name of a directory or a file; of a longer one no more is looked at.
const MOST_NAME: usize = 4096;

/// The sections that are read for it.
pub(super) struct Lines<'d> {
    info: Bytes<'d>,
    abbreviations: Bytes<'d>,
    lines: Bytes<'d>,
    pub(super) addresses: DebugAddr<Bytes<'d>>,
    pub(super) ranges: RangeLists<Bytes<'d>>,
    texts: Texts<'d>,
}

/// A unit, as far as it is looked at.
struct Unit<'d> {
    encoding: Encoding,
    root: Root<'d>,
}

impl<'d> Lines<'d> {
    pub(super) fn read<R: ReadRef<'d>>(table: &Table<'d, R>) -> Result<Lines<'d>, Unread> {
        let ranges = DebugRanges::from(table.debug(b".debug_ranges")?);
        Ok(Lines {
            info: table.debug(b".debug_info")?,
            abbreviations: table.debug(b".debug_abbrev")?,
            lines: table.debug(b".debug_line")?,
            addresses: table.debug(b".debug_addr")?.into(),
            ranges: RangeLists::new(ranges, DebugRngLists::from(table.debug(b".debug_rnglists")?)),
            texts: Texts {
                own: table.named(b".debug_str")?,
                of_lines: table.named(b".debug_line_str")?,
                offsets: table.debug(b".debug_str_offsets")?,
            },
        })
    }

    /// Notes file and line of each address. Of the innermost function, where others were compiled into their callers.
    pub(super) fn fill(&self, sought: &mut [Sought], time: &Time) -> Result<(), Unread> {
        let mut units = DebugInfo::from(self.info).units();
        let mut before = None;
        while let Some(header) = units.next()? {
            time.look()?;
            if sought.iter().all(|it| it.is_found) {
                break;
            }
            let abbreviations = Shared::read(self.abbreviations, header.debug_abbrev_offset(), before.take());
            let Ok(abbreviations) = abbreviations else { continue };
            // One that cannot be read says nothing of the others.
            let _ = self.look_at(&header, &abbreviations, sought, time);
            before = Some(abbreviations);
        }
        Ok(())
    }

    fn look_at(
        &self,
        header: &UnitHeader<Bytes<'d>>,
        abbreviations: &Shared,
        sought: &mut [Sought],
        time: &Time,
    ) -> Result<(), Unread> {
        if !matches!(header.type_(), UnitType::Compilation | UnitType::Skeleton(_)) {
            return Ok(());
        }
        let root = Root::read(header, abbreviations)?;
        let unit = Unit { encoding: header.encoding(), root };
        let mut is_here = vec![false; sought.len()];
        unit.root.each_range(self, unit.encoding, time, |range| {
            for (it, is_here) in sought.iter().zip(&mut is_here) {
                *is_here |= range.contains(&it.address);
            }
        })?;
        let here = sought.iter_mut().zip(is_here).filter(|(it, is_here)| *is_here && !it.is_found);
        let mut here: Vec<_> = here.map(|(it, _)| it).collect();
        if here.is_empty() { Ok(()) } else { self.run(&unit, &mut here, time) }
    }

    /// Runs the line program of a unit, as long as an address is not found.
    fn run(&self, unit: &Unit<'d>, sought: &mut [&mut Sought], time: &Time) -> Result<(), Unread> {
        let Some(at) = unit.root.program else { return Ok(()) };
        let program = self.lines.slice().get(at.0..).ok_or(Unread)?;
        let program = EndianSlice::new(&program[..program.len().min(MOST_PROGRAM)], self.lines.endian());
        let mut left = Left::of_header(program, time)?;
        let program =
            DebugLine::from(program).program(DebugLineOffset(0), unit.encoding.address_size, None, None)?;
        left.take_defined(&program, time)?;
        let mut rows = program.rows();
        let mut last: Option<Row> = None;
        while let Some((header, row)) = rows.next_row()? {
            time.step()?;
            if let Some(last) = last {
                let is_there = |it: &&mut &mut Sought| (last.address..row.address()).contains(&it.address);
                for it in sought.iter_mut().filter(is_there) {
                    it.place.line = last.line.and_then(|line| u32::try_from(line.get()).ok());
                    it.place.file = self.file(unit, header, last.file);
                    it.is_found = true;
                }
                if sought.iter().all(|it| it.is_found) {
                    break;
                }
            }
            let this = Row { address: row.address(), file: row.file_index(), line: row.line() };
            last = (!row.end_sequence()).then_some(this);
        }
        Ok(())
    }

    /// The name of a file, with its directory, as the compiler was told it.
    fn file(&self, unit: &Unit<'d>, header: &LineProgramHeader<Bytes<'d>>, index: u64) -> Option<String> {
        let file: &FileEntry<_> = header.file(index)?;
        let of_unit = (unit.encoding.format, unit.root.texts);
        let text = |value| self.texts.text(value, of_unit, MOST_NAME).map(String::from_utf8_lossy).ok();
        let mut path = String::new();
        push(&mut path, &unit.root.directory.and_then(text).unwrap_or_default());
        // The first directory is that of the unit.
        if file.directory_index() != 0 {
            push(&mut path, &file.directory(header).and_then(text).unwrap_or_default());
        }
        push(&mut path, &text(file.path_name())?);
        Some(path)
    }
}

/// What a row of a line program says.
#[derive(Clone, Copy)]
struct Row {
    address: u64,
    file: u64,
    line: Option<NonZeroU64>,
}

/// Adds a part to a path, which it replaces where it begins at the root.
fn push(path: &mut String, part: &str) {
    if part.starts_with('/') {
        path.clear();
    } else if !path.is_empty() && !part.is_empty() && !path.ends_with('/') {
        path.push('/');
    }
    path.push_str(part);
}
