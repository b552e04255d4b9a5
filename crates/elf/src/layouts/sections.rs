//! The sections of a library that tell of its structures.

use gimli::{DebugInfo, DebugInfoUnitHeadersIter};
use object::ReadRef;

use crate::debug::{Bytes, Texts, Unread};
use crate::table::Table;

/// Bytes of a library that are read, all together; one with more debug information is not compared.
const MOST_BYTES: u64 = 64 << 20;

pub(super) struct Sections<'d> {
    info: Bytes<'d>,
    pub(super) abbreviations: Bytes<'d>,
    pub(super) texts: Texts<'d>,
}

impl<'d> Sections<'d> {
    pub(super) fn read<R: ReadRef<'d>>(data: R) -> Result<Sections<'d>, Unread> {
        let table = Table::read(data, MOST_BYTES)?;
        Ok(Sections {
            info: table.debug(b".debug_info")?,
            abbreviations: table.debug(b".debug_abbrev")?,
            texts: Texts {
                own: table.named(b".debug_str")?,
                of_lines: table.named(b".debug_line_str")?,
                offsets: table.debug(b".debug_str_offsets")?,
            },
        })
    }

    pub(super) fn units(&self) -> DebugInfoUnitHeadersIter<Bytes<'d>> {
        DebugInfo::from(self.info).units()
    }
}
