//! Files that loaders take are whole, and hostile ones cost no more than others.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::ops::Range;

use super::*;

/// Counts the bytes that are read.
#[derive(Clone, Copy)]
struct Counted<'a>(&'a [u8], &'a Cell<u64>);

impl<'a> ReadRef<'a> for Counted<'a> {
    fn len(self) -> Result<u64, ()> {
        ReadRef::len(self.0)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        self.1.set(self.1.get() + size);
        self.0.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        self.0.read_bytes_at_until(range, delimiter)
    }
}

/// Kind, offset, size and alignment.
type Segment = (u32, u64, u64, u64);

/// A library for this machine of these segments, with the build-id 0xabcd behind their headers.
fn library(segments: &[Segment]) -> Vec<u8> {
    let machine: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([3u16, machine].iter().flat_map(|it| it.to_le_bytes()));
    file.extend(1u32.to_le_bytes());
    // Entry, program headers, and section headers where nothing is.
    file.extend([0u64, 64, 1 << 40].iter().flat_map(|it| it.to_le_bytes()));
    file.extend(0u32.to_le_bytes());
    file.extend([64u16, 56, segments.len() as u16, 64, 9, 8].iter().flat_map(|it| it.to_le_bytes()));
    for &(kind, offset, size, align) in segments {
        file.extend([kind, 4].iter().flat_map(|it| it.to_le_bytes()));
        file.extend([offset, 0, 0, size, size, align].iter().flat_map(|it| it.to_le_bytes()));
    }
    file.extend([4u32, 2, 3].iter().flat_map(|it| it.to_le_bytes()));
    file.extend(b"GNU\0\xab\xcd\0\0");
    file
}

fn end(count: u64) -> u64 {
    64 + 56 * count
}

#[test]
fn what_a_loader_takes_is_whole() {
    for align in [0, 4, 16, 3] {
        let file = library(&[(1, 0, end(2) + 20, 4096), (4, end(2), 20, align)]);
        let facts = check(Path::new("libmoon.so"), &*file).unwrap();
        assert_eq!(facts.build_id.as_deref(), Some("abcd"), "{align}");
    }
    // Notes that cannot be read are none.
    for notes in [(4, 1 << 40, 20, 4), (4, end(1) + 1, 19, 4), (4, 0, 0, 4)] {
        assert_eq!(check(Path::new("libmoon.so"), &*library(&[notes])).unwrap().build_id, None);
    }
    let cut = check(Path::new("libmoon.so"), &*library(&[(1, 0, 1000, 4096)])).unwrap_err();
    assert_eq!(cut.kind, WrongKind::Damaged);
    assert!(cut.message.contains("it has 140 bytes and needs 1000"), "{cut}");
}

#[test]
fn notes_that_lie_on_each_other_are_read_up_to_a_bound() {
    let count = 40_000;
    let mut file = library(&vec![(4, end(count), 1 << 20, 4); count as usize]);
    file.resize(file.len() + (1 << 20), 0);
    // Nothing of it is a build-id.
    let note = end(count) as usize;
    file[note + 8] = 1;
    let read = Cell::new(0);
    let facts = check(Path::new("libmoon.so"), Counted(&file, &read)).unwrap();
    assert_eq!(facts.build_id, None);
    assert!(read.get() <= end(count) + 64 * 1024 + 1024, "{} bytes were read", read.get());
}
