//! Files as linkers make them, and as nobody should, for tests.

use std::cell::Cell;
use std::ops::Range;

use object::ReadRef;

/// A section's name, content and flags.
pub(crate) type Section<'a> = (&'a str, Vec<u8>, u64);

/// `SHF_COMPRESSED`.
pub(crate) const COMPRESSED: u64 = 0x800;

/// Bytes of the header of a file, of that of a section, and of that of a segment.
const FILE: usize = 64;
const SECTION: usize = 64;
const SEGMENT: u16 = 56;

/// An ELF file with these sections and no segments.
pub(crate) fn file(sections: &[Section<'_>]) -> Vec<u8> {
    loaded(sections, 0)
}

/// The same with a segment that is loaded at 0, of so many bytes, unless they are none.
pub(crate) fn loaded(sections: &[Section<'_>], size: u64) -> Vec<u8> {
    let mut names = vec![0];
    let mut contents = Vec::new();
    if size > 0 {
        contents.extend(1_u32.to_le_bytes().into_iter().chain(5_u32.to_le_bytes()));
        for word in [0, 0, 0, 0, size, 4096] {
            contents.extend(u64::to_le_bytes(word));
        }
    }
    let mut headers = vec![0_u8; SECTION];
    for (name, content, flags) in sections.iter().cloned().chain([("names", Vec::new(), 0)]) {
        let start = names.len() as u32;
        names.extend(name.bytes().chain([0]));
        let content = if name == "names" { names.clone() } else { content };
        headers.extend(start.to_le_bytes().into_iter().chain(1_u32.to_le_bytes()));
        let place = (FILE + contents.len()) as u64;
        for word in [flags, 0, place, content.len() as u64, 0, 1, 0] {
            headers.extend(word.to_le_bytes());
        }
        contents.extend(content);
    }
    // Headers of sections are read where they lie.
    contents.resize(contents.len().next_multiple_of(8), 0);
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend(3_u16.to_le_bytes().into_iter().chain(62_u16.to_le_bytes()).chain(1_u32.to_le_bytes()));
    for word in [0, FILE as u64, (FILE + contents.len()) as u64] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0_u32.to_le_bytes());
    let count = (headers.len() / SECTION) as u16;
    for half in [64, SEGMENT, u16::from(size > 0), 64, count, count - 1] {
        file.extend(half.to_le_bytes());
    }
    [file, contents, headers].concat()
}

/// A file of 2^40 zero bytes behind its beginning, and how many bytes were read of it.
#[derive(Clone, Copy)]
pub(crate) struct Sparse<'a>(pub(crate) &'a [u8], pub(crate) &'a Cell<u64>);

impl<'a> ReadRef<'a> for Sparse<'a> {
    fn len(self) -> Result<u64, ()> {
        Ok(1 << 40)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        self.1.set(self.1.get() + size);
        self.0.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        self.0.read_bytes_at_until(range, delimiter)
    }
}
