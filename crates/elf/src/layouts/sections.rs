//! The sections of a library that tell of its structures. A file may say anything of them, so what is read is bounded before.

use gimli::{DebugInfo, DebugInfoUnitHeadersIter, EndianSlice, RunTimeEndian};
use object::elf::{FileHeader64, SHF_COMPRESSED, SectionHeader64};
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, ReadRef};

use super::unit::{Bytes, Unread};

/// Bytes of a library that are read, all together; one with more debug information is not compared.
const MOST_BYTES: u64 = 64 << 20;

/// Sections of a library: more than linkers leave.
const MOST_SECTIONS: u32 = 1 << 14;

pub(super) struct Sections<'d> {
    pub(super) endian: RunTimeEndian,
    info: &'d [u8],
    pub(super) abbreviations: &'d [u8],
    /// Texts, those of lines, and where texts begin.
    pub(super) texts: &'d [u8],
    pub(super) line_texts: &'d [u8],
    pub(super) text_offsets: &'d [u8],
}

impl<'d> Sections<'d> {
    pub(super) fn read<R: ReadRef<'d>>(data: R) -> Result<Sections<'d>, Unread> {
        let header = FileHeader64::<Endianness>::parse(data)?;
        let endian = header.endian()?;
        if header.shnum(endian, data)? > MOST_SECTIONS {
            return Err(Unread);
        }
        let headers = header.section_headers(endian, data)?;
        let mut left = MOST_BYTES;
        let mut read = |section: &SectionHeader64<Endianness>| -> Result<&'d [u8], Unread> {
            if section.sh_flags(endian).contains(SHF_COMPRESSED) {
                return Err(Unread);
            }
            left = left.checked_sub(section.sh_size(endian)).ok_or(Unread)?;
            Ok(section.data(endian, data)?)
        };
        let names = headers.get(header.shstrndx(endian, data)? as usize).ok_or(Unread)?;
        let names = read(names)?;
        let mut named = |name: &[u8]| {
            let is_named = |section: &&SectionHeader64<Endianness>| {
                let own = names.get(section.sh_name(endian) as usize..).unwrap_or_default();
                own.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&0))
            };
            headers.iter().find(is_named).map_or(Ok(Default::default()), &mut read)
        };
        Ok(Sections {
            endian: match endian {
                Endianness::Little => RunTimeEndian::Little,
                Endianness::Big => RunTimeEndian::Big,
            },
            info: named(b".debug_info")?,
            abbreviations: named(b".debug_abbrev")?,
            texts: named(b".debug_str")?,
            line_texts: named(b".debug_line_str")?,
            text_offsets: named(b".debug_str_offsets")?,
        })
    }

    pub(super) fn units(&self) -> DebugInfoUnitHeadersIter<Bytes<'d>> {
        DebugInfo::from(EndianSlice::new(self.info, self.endian)).units()
    }
}
