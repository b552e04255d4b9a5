//! Addresses in libraries as compilers make them, and as nobody should.

use std::cell::Cell;
use std::time::Duration;

use object::read::elf::ElfFile64;
use object::{Object, ObjectSymbol};

use super::*;
use crate::made::{Sparse, loaded};

/// A watchdog, not an expectation.
fn long() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// 1 is a unit with the place of its line program, its first address, its length and its directory.
const ABBREVIATIONS: &[u8] = b"\x01\x11\0\x10\x17\x11\x01\x12\x06\x1b\x08\0\0\0";

/// A unit of DWARF 4 at an address, with a line program there.
fn unit(program: u32, low: u64, length: u32) -> Vec<u8> {
    let entry =
        [&[1][..], &program.to_le_bytes(), &low.to_le_bytes(), &length.to_le_bytes(), b"/made\0"].concat();
    [&(7 + entry.len() as u32).to_le_bytes()[..], &[4, 0, 0, 0, 0, 0, 8], &entry].concat()
}

/// A line program of version 4 with one directory, one file, and these instructions.
fn program(instructions: &[u8]) -> Vec<u8> {
    let rest = b"\x01\x01\x01\0\x01\x0d\0\x01\x01\x01\x01\0\0\0\x01\0\0\x01sub\0\0in.c\0\x01\0\0\0";
    let length = 2 + 4 + rest.len() + instructions.len();
    let header = [&(length as u32).to_le_bytes()[..], &[4, 0], &(rest.len() as u32).to_le_bytes()].concat();
    [&header[..], rest, instructions].concat()
}

/// Rows from 0x1000 on: line 1 at 0x1000, line 6 at 0x1010; the sequence ends at 0x1020.
fn rows() -> Vec<u8> {
    let to = [&b"\0\x09\x02"[..], &0x1000_u64.to_le_bytes()].concat();
    [&to[..], b"\x01", b"\x02\x10\x03\x05\x01", b"\x02\x10\0\x01\x01"].concat()
}

fn made(info: Vec<u8>, lines: Vec<u8>) -> Vec<u8> {
    let abbreviations = ABBREVIATIONS.to_vec();
    loaded(
        &[(".debug_info", info, 0), (".debug_abbrev", abbreviations, 0), (".debug_line", lines, 0)],
        0x10000,
    )
}

fn line(file: &[u8], address: u64) -> Option<(Option<String>, Option<u32>)> {
    place(file, address, long()).map(|place| (place.file, place.line))
}

#[test]
fn what_is_no_library_says_nothing() {
    for bytes in [&b""[..], b"\x7fELF", &[0x7f; 4096]] {
        assert_eq!(place(bytes, 0x1000, long()), None);
    }
}

#[test]
fn functions_are_known_by_their_symbols() {
    let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let file = ElfFile64::<Endianness>::parse(&bytes[..]).unwrap();
    let own = file.symbols().find(|it| it.name() == Ok("main") && it.is_definition()).unwrap();
    let offsets = [0, 1, own.size()].map(|offset| own.address() + offset);
    let names: Vec<_> = places(&bytes[..], &offsets, long())
        .into_iter()
        .map(|place| place.and_then(|place| place.function))
        .collect();
    assert_eq!((names[0].as_deref(), names[1].as_deref()), (Some("main"), Some("main")));
    assert_ne!(names[2].as_deref(), Some("main"));
    assert_eq!(place(&bytes[..], u64::MAX, long()), None);
}

#[test]
fn lines_are_those_of_the_rows_around() {
    let file = made(unit(0, 0x1000, 0x20), program(&rows()));
    let there = |line| Some((Some("/made/sub/in.c".to_owned()), Some(line)));
    assert_eq!([0x1000, 0x100f, 0x1010, 0x101f].map(|at| line(&file, at)), [1, 1, 6, 6].map(there));
    assert_eq!([0xfff, 0x1020, 0x9000, 0x10000].map(|at| line(&file, at)), [const { None }; 4]);
}

#[test]
fn what_one_unit_says_wrong_is_not_believed_of_others() {
    let good = unit(0, 0x1000, 0x20);
    // Without a program, with one that does not end, and of an abbreviation that is not there.
    let mut unknown = unit(0, 0x1000, 0x20);
    unknown[11] = 9;
    let lines = [program(&rows()), vec![200, 0, 0, 0, 4, 0]].concat();
    let at = program(&rows()).len() as u32;
    for bad in [unit(7_000, 0x1000, 0x20), unit(at, 0x1000, 0x20), unknown] {
        let file = made([bad, good.clone()].concat(), lines.clone());
        assert_eq!(line(&file, 0x1010).unwrap().1, Some(6));
    }
    // What lies behind one whose length is a lie cannot be found.
    let mut endless = good.clone();
    endless[0] = 200;
    assert_eq!(line(&made([endless, good].concat(), program(&rows())), 0x1010), None);
}

/// A line program of a version, with what its header has behind the lengths of instructions, and these instructions.
fn with_header(version: u8, entries: &[u8], instructions: &[u8]) -> Vec<u8> {
    let sizes: &[u8] = if version >= 5 { b"\x08\0" } else { b"" };
    let rest = [&b"\x01\x01\x01\0\x01\x0d\0\x01\x01\x01\x01\0\0\0\x01\0\0\x01"[..], entries].concat();
    let length = 2 + sizes.len() + 4 + rest.len() + instructions.len();
    [
        &(length as u32).to_le_bytes()[..],
        &[version, 0],
        sizes,
        &(rest.len() as u32).to_le_bytes(),
        &rest,
        instructions,
    ]
    .concat()
}

/// What is said of 0x1000 by rows behind such a header.
fn behind_header(version: u8, entries: &[u8]) -> Option<Option<String>> {
    line(&made(unit(0, 0x1000, 0x20), with_header(version, entries, &rows())), 0x1000).map(|(file, _)| file)
}

/// A number, three bytes long.
fn three(number: u32) -> [u8; 3] {
    [number as u8 | 0x80, (number >> 7) as u8 | 0x80, (number >> 14) as u8]
}

#[test]
fn headers_that_are_made_to_take_memory_are_not_read() {
    // Names in the header: each file has five bytes, each directory two, and takes many times that.
    let files = |count| [&b"sub\0\0in.c\0\x01\0\0"[..], &b"a\0\0\0\0".repeat(count), &[0]].concat();
    let directories = |count| [&b"sub\0"[..], &b"a\0".repeat(count), b"\0in.c\0\x01\0\0\0"].concat();
    let there = Some(Some("/made/sub/in.c".to_owned()));
    assert_eq!(
        [files(60_000), directories(60_000)].map(|it| behind_header(4, &it)),
        [&there, &there].map(Clone::clone)
    );
    assert_eq!([files(70_000), directories(70_000)].map(|it| behind_header(4, &it)), [None, None]);
    assert_eq!(behind_header(4, &files(1 << 20)), None, "too many bytes");
    // Tables whose entries have one byte each, which is an empty name.
    let table = |count: u32| [&b"\x01\x01\x08"[..], &three(count), &vec![0; count as usize]].concat();
    let is_read =
        |directories, files| behind_header(5, &[table(directories), table(files)].concat()).is_some();
    assert!(is_read(2, 2) && is_read(30_000, 30_000));
    assert!(!is_read(70_000, 2) && !is_read(2, 70_000) && !is_read(40_000, 40_000));
    // More than there are bytes for.
    assert_eq!(
        behind_header(5, &[table(1), b"\x01\x01\x08".to_vec(), three(60_000).to_vec()].concat()),
        None
    );
}

#[test]
fn files_that_instructions_define_are_counted_as_well() {
    let header = b"sub\0\0in.c\0\x01\0\0\0";
    let defined = |count| {
        let program = [b"\0\x06\x03a\0\0\0\0".repeat(count), rows()].concat();
        line(&made(unit(0, 0x1000, 0x20), with_header(4, header, &program)), 0x1000).and_then(|it| it.1)
    };
    assert_eq!([1, 60_000, 70_000].map(defined), [Some(1), Some(1), None]);
}

#[test]
fn all_forms_that_a_file_may_have_are_passed_over() {
    // A directory by its name. Of a file: name, directory, and in turn a digest, and every other form with what it needs.
    let directories = b"\x01\x01\x08\x02/other\0sub\0";
    let others: [(u8, &[u8]); 13] = [
        (0x03, b"\x02\0ab"),
        (0x04, b"\x01\0\0\0a"),
        (0x05, b"ab"),
        (0x06, b"abcd"),
        (0x07, b"abcdefgh"),
        (0x08, b"text\0"),
        (0x09, b"\x03abc"),
        (0x0a, b"\x01a"),
        (0x0b, b"a"),
        (0x0c, b"\x01"),
        (0x0d, b"\xff\x7f"),
        (0x17, b"abcd"),
        (0x1e, b"0123456789abcdef"),
    ];
    for (form, bytes) in others {
        let file = |name: &[u8]| [name, b"\0\x01", bytes].concat();
        let formats = [&b"\x03\x01\x08\x02\x0b\x05"[..], &[form], b"\x02"].concat();
        let entries = [&directories[..], &formats, &file(b"first.c"), &file(b"in.c")].concat();
        assert_eq!(behind_header(5, &entries), Some(Some("/made/sub/in.c".to_owned())), "{form:#x}");
    }
}

/// What is looked for comes last, so that it is seen that the rest is not waited for.
fn takes_too_long(file: &[u8]) {
    let began = Instant::now();
    assert_eq!(place(file, 0x1000, began + Duration::from_millis(50)), None);
    // A watchdog: the whole of it takes much longer than that.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn what_was_made_to_take_long_is_given_up() {
    // A program of many rows, many times, none of which is the one.
    let rows = program(&[&b"\0\x09\x02"[..], &0x8000_u64.to_le_bytes(), &b"\x01".repeat(4 << 20)].concat());
    takes_too_long(&made([unit(0, 0x1000, 0x20).repeat(10_000)].concat(), rows));
    // Units that have abbreviations of the greatest length in turn, so that none are shared.
    let mut abbreviations = b"\x01\x11\0\0\0".to_vec();
    (10..60_000_u32).for_each(|code| {
        let code = [code as u8 | 0x80, (code >> 7) as u8 | 0x80, (code >> 14) as u8];
        abbreviations.extend([&code[..], b"\x13\0\0\0"].concat());
    });
    let at = |place: u8| [&8_u32.to_le_bytes()[..], &[4, 0, place, 0, 0, 0, 8], &[1]].concat();
    let info = [at(0), at(5)].concat().repeat(100_000);
    takes_too_long(&loaded(&[(".debug_info", info, 0), (".debug_abbrev", abbreviations, 0)], 0x10000));
}

#[test]
fn a_list_of_no_ranges_is_given_up_as_well() {
    // Millions of entries that give no range, and then the one that is sought.
    let entry =
        [&[1][..], &0_u32.to_le_bytes(), &0_u64.to_le_bytes(), &12_u32.to_le_bytes(), b"/made\0"].concat();
    let info = [&(8 + entry.len() as u32).to_le_bytes()[..], &[5, 0, 1, 8, 0, 0, 0, 0], &entry].concat();
    let abbreviations = b"\x01\x11\0\x10\x17\x11\x01\x55\x17\x1b\x08\0\0\0".to_vec();
    let file = |empty: usize| {
        let range = [&[7][..], &0x1000_u64.to_le_bytes(), b"\x20\0"].concat();
        let lists = [vec![0; 12], b"\x04\0\0".repeat(empty), range].concat();
        let sections = [
            (".debug_info", info.clone(), 0),
            (".debug_abbrev", abbreviations.clone(), 0),
            (".debug_line", program(&rows()), 0),
            (".debug_rnglists", lists, 0),
        ];
        loaded(&sections, 0x10000)
    };
    assert_eq!(line(&file(1000), 0x1000).map(|it| it.1), Some(Some(1)));
    let long = file(16 << 20);
    assert_eq!(place(&long[..], 0x1000, Instant::now() + Duration::from_millis(5)), None);
}

#[test]
fn no_more_is_read_than_may_be() {
    for kind in [1_u8, 2, 11] {
        let mut file = loaded(&[(".debug_info", vec![0; 8], 0)], 0x10000);
        let header = file.len() - 2 * 64;
        file[header + 4] = kind;
        file[header + 32..header + 40].copy_from_slice(&(1_u64 << 36).to_le_bytes());
        let read = Cell::new(0);
        assert_eq!(place(Sparse(&file, &read), 0x1000, long()), None);
        assert!(read.get() < 4096, "{kind}: {}", read.get());
    }
}
