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

/// A library of a loaded segment and, with these rights, one that says what its stack is like.
fn with_rights(data: u32, stack: Option<u32>) -> Vec<u8> {
    const STACK: u32 = 0x6474_e551;
    let mut segments = vec![(1, 0, 64, 4096)];
    segments.extend(stack.map(|_| (STACK, 0, 0, 16)));
    let mut file = library(&segments);
    for (index, rights) in [Some(data), stack].into_iter().flatten().enumerate() {
        let at = 64 + 56 * index + 4;
        file[at..at + 4].copy_from_slice(&rights.to_le_bytes());
    }
    file
}

#[test]
fn what_writes_its_code_is_told() {
    for (data, stack, expect) in [
        (6, Some(6), None),
        (5, Some(6), None),
        (7, Some(6), Some("a segment of it is both written and executed")),
        (6, Some(7), Some("it wants an executable stack (PT_GNU_STACK)")),
        (6, None, Some("it has no PT_GNU_STACK, which stands for an executable stack")),
    ] {
        let facts = check(Path::new("libmoon.so"), &*with_rights(data, stack)).unwrap();
        assert_eq!(facts.writes_code, expect, "{data} {stack:?}");
    }
}

#[test]
fn layouts_are_read_as_shims_have_them() {
    let layouts = Layout::of_text("16 struct point\n 0 8 x\n 8 8 y\n4 flags_t\n - - open\n").unwrap();
    let field = |offset, size, name: &str| layouts::Field { name: name.into(), offset, size };
    assert_eq!((layouts[0].name.as_str(), layouts[0].size), ("struct point", 16));
    assert_eq!(layouts[0].fields, [field(Some(0), Some(8), "x"), field(Some(8), Some(8), "y")]);
    assert_eq!((layouts[1].name.as_str(), layouts[1].size), ("flags_t", 4));
    assert_eq!(layouts[1].fields, [field(None, None, "open")]);
    for wrong in [" 0 8 x\n", "x struct point\n", "16\n", "16 p\n 0 8\n", "16 p\n a 8 x\n"] {
        assert_eq!(Layout::of_text(wrong), None, "{wrong}");
    }
    // What is no shim, or says nothing of layouts, has none.
    assert_eq!(Layout::of_shim(b"nothing"), []);
    assert_eq!(Layout::of_shim(&with_rights(6, Some(6))), []);
    assert_eq!(differing(&b"nothing"[..], &layouts), None);
    assert_eq!(differing(&*with_rights(6, Some(6)), &layouts), None);
}
