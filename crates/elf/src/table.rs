//! The sections of a library. A file may say anything of them, so what is read is bounded before.

use std::cell::Cell;

use gimli::{EndianSlice, RunTimeEndian};
use object::elf::{FileHeader64, SHF_COMPRESSED, SectionHeader64};
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, ReadRef};

use crate::debug::{Bytes, Unread};

/// Sections of a library: more than linkers leave.
const MOST_SECTIONS: u32 = 1 << 14;

pub(crate) struct Table<'d, R> {
    data: R,
    pub(crate) endian: Endianness,
    pub(crate) headers: &'d [SectionHeader64<Endianness>],
    names: &'d [u8],
    /// Bytes that may yet be read.
    left: Cell<u64>,
}

impl<'d, R: ReadRef<'d>> Table<'d, R> {
    /// Of a file, of which no more than so many bytes are read, all together.
    pub(crate) fn read(data: R, most: u64) -> Result<Table<'d, R>, Unread> {
        let header = FileHeader64::<Endianness>::parse(data)?;
        let endian = header.endian()?;
        if header.shnum(endian, data)? > MOST_SECTIONS {
            return Err(Unread);
        }
        let headers = header.section_headers(endian, data)?;
        let mut table = Table { data, endian, headers, names: &[], left: Cell::new(most) };
        let names = headers.get(header.shstrndx(endian, data)? as usize).ok_or(Unread)?;
        table.names = table.section(names)?;
        Ok(table)
    }

    /// What is in a section. One that is compressed is not read.
    pub(crate) fn section(&self, section: &SectionHeader64<Endianness>) -> Result<&'d [u8], Unread> {
        let endian = self.endian;
        if section.sh_flags(endian).contains(SHF_COMPRESSED) {
            return Err(Unread);
        }
        self.left.set(self.left.get().checked_sub(section.sh_size(endian)).ok_or(Unread)?);
        Ok(section.data(endian, self.data)?)
    }

    /// What is in the section of a name; nothing where there is none.
    pub(crate) fn named(&self, name: &[u8]) -> Result<&'d [u8], Unread> {
        let is_named = |section: &&SectionHeader64<Endianness>| {
            let own = self.names.get(section.sh_name(self.endian) as usize..).unwrap_or_default();
            own.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&0))
        };
        self.headers.iter().find(is_named).map_or(Ok(Default::default()), |section| self.section(section))
    }

    /// The same, to be read as debug information.
    pub(crate) fn debug(&self, name: &[u8]) -> Result<Bytes<'d>, Unread> {
        let endian = match self.endian {
            Endianness::Little => RunTimeEndian::Little,
            Endianness::Big => RunTimeEndian::Big,
        };
        Ok(EndianSlice::new(self.named(name)?, endian))
    }
}
