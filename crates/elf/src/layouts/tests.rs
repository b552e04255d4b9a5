//! Debug information as compilers write it, and as nobody should, held against what a shim says.

use std::cell::Cell;

use super::*;
use crate::made::{COMPRESSED, Section, Sparse, file};

/// 1 is a unit, 2 a structure of a name and a size, 3 a field of a name and a place, 4 a field whose name lies in `.debug_str`,
/// 5 a second name of a type.
const ABBREVIATIONS: &[u8] =
    b"\x01\x11\x01\0\0\x02\x13\x01\x03\x08\x0b\x0f\0\0\x03\x0d\0\x03\x08\x38\x0f\0\0\
                               \x04\x0d\0\x03\x0e\x38\x0f\0\0\x05\x16\0\x03\x08\x49\x13\0\0\0";

/// A unit of DWARF 4 with these entries.
fn unit(entries: &[u8]) -> Vec<u8> {
    let length = 7 + 1 + entries.len() as u32 + 1;
    [&length.to_le_bytes()[..], &[4, 0, 0, 0, 0, 0, 8, 1], entries, &[0]].concat()
}

/// `struct moon` of so many bytes, with fields of these names and places.
fn moon(size: u8, fields: &[(&str, u8)]) -> Vec<u8> {
    let field = |(name, place): &(&str, u8)| [&[3], name.as_bytes(), &[0, *place]].concat();
    [b"\x02moon\0", &[size][..], &fields.iter().flat_map(field).collect::<Vec<u8>>(), &[0]].concat()
}

fn expected() -> Vec<Layout> {
    Layout::of_text("16 struct moon\n 0 8 first\n 8 8 second\n").unwrap()
}

const RIGHT: [(&str, u8); 2] = [("first", 0), ("second", 8)];

fn told(sections: &[Section<'_>]) -> Option<String> {
    differing(&*file(sections), &expected()).map(|differs| differs.how)
}

fn told_of(info: Vec<u8>) -> Option<String> {
    told(&[(".debug_info", info, 0), (".debug_abbrev", ABBREVIATIONS.to_vec(), 0)])
}

fn told_of_moon(size: u8, fields: &[(&str, u8)]) -> Option<String> {
    told_of(unit(&moon(size, fields)))
}

#[test]
fn what_lies_elsewhere_is_told_and_a_name_alone_is_not() {
    assert_eq!(told_of_moon(16, &RIGHT), None);
    let elsewhere = told_of_moon(24, &[("more", 0), ("first", 8), ("second", 16)]);
    assert_eq!(elsewhere.unwrap(), "its field `first` lies at 0, and at 8 in the library");
    let exchanged = told_of_moon(16, &[("second", 0), ("first", 8)]);
    assert_eq!(exchanged.unwrap(), "its field `first` lies at 0, and at 8 in the library");
    assert_eq!(told_of_moon(24, &RIGHT).unwrap(), "it has 16 bytes, and 24 in the library");
    let more = told_of_moon(24, &[("first", 0), ("second", 8), ("third", 16)]);
    assert_eq!(more.unwrap(), "the library's has a field `third` more");
    // As `private_first` of a header, a reserved field that has got a use, and a structure that callers see no parts of.
    assert_eq!(told_of_moon(16, &[("hidden_first", 0), ("second", 8)]), None);
    assert_eq!(told_of_moon(16, &[("opaque", 0)]), None);
    assert_eq!(told_of_moon(16, &[("first", 0), ("second", 8), ("in_second", 12)]), None);
    assert_eq!(told_of_moon(16, &[]).unwrap(), "the library's has no field `first`");
}

#[test]
fn what_cannot_be_read_says_nothing_of_what_was_read() {
    let other = unit(&moon(24, &RIGHT));
    assert!(told_of(other.clone()).is_some());
    // The unit behind it may have the right one: it is of a version that nobody knows, and is cut.
    let mut unknown = unit(&moon(16, &RIGHT));
    unknown[4] = 77;
    assert_eq!(told_of([other.clone(), unknown].concat()), None);
    assert_eq!(told_of([other.clone(), vec![200, 0, 0, 0, 4]].concat()), None);
    assert_eq!(told_of([other, unit(&moon(16, &RIGHT))].concat()), None);
}

#[test]
fn nothing_is_compared_where_a_part_is_compressed() {
    // A structure whose name lies in its place, and the names of whose fields do not.
    let record = b"\x02moon\0\x10\x04\0\0\0\0\0\x04\x06\0\0\0\x09\0";
    let sections = |texts: &[u8], flags| {
        let abbreviations = ABBREVIATIONS.to_vec();
        let info = unit(record);
        told(&[
            (".debug_info", info, 0),
            (".debug_abbrev", abbreviations, 0),
            (".debug_str", texts.to_vec(), flags),
        ])
    };
    let texts = b"first\0second\0";
    assert_eq!(sections(texts, 0).unwrap(), "its field `second` lies at 8, and at 9 in the library");
    assert_eq!(sections(texts, COMPRESSED), None);
    assert_eq!(sections(b"", 0), None, "nor where it is not there");
}

#[test]
fn a_text_of_the_library_is_no_text_of_the_terminal() {
    let long = "x".repeat(10_000);
    let more = told_of_moon(24, &[("first", 0), ("second", 8), ("\x1b[2J\n", 16)]);
    assert_eq!(more.unwrap(), "the library's has a field `\\x1b[2J\\n` more");
    let more = told_of_moon(24, &[("first", 0), ("second", 8), (&long, 16)]).unwrap();
    assert_eq!(more.len(), "the library's has a field `` more".len() + 256);
}

#[test]
fn no_more_is_read_than_is_looked_at() {
    let of_section = |name: &str, kind: u8| {
        let info = unit(&moon(24, &RIGHT));
        let sections =
            [(".debug_info", info, 0), (".debug_abbrev", ABBREVIATIONS.to_vec(), 0), (name, Vec::new(), 0)];
        let mut file = file(&sections);
        let header = file.len() - 2 * 64;
        file[header + 4] = kind;
        file[header + 32..header + 40].copy_from_slice(&(1_u64 << 36).to_le_bytes());
        let read = Cell::new(0);
        let told = differing(Sparse(&file, &read), &expected()).is_some();
        assert!(read.get() < 4096, "{name}: {}", read.get());
        told
    };
    // What is looked at, and what is not: a table of symbols, texts of another use.
    assert_eq!(
        [(".debug_str", 1), (".debug_line_str", 1)].map(|(name, kind)| of_section(name, kind)),
        [false; 2]
    );
    assert_eq!([(".symtab", 2), (".debug_loc", 1)].map(|(name, kind)| of_section(name, kind)), [true; 2]);
}

/// Begins with what differs, so that it is seen that the rest is not waited for.
fn takes_too_long(info: &[u8], abbreviations: Vec<u8>) {
    let info = [&unit(&moon(24, &RIGHT)), info].concat();
    let file = file(&[(".debug_info", info, 0), (".debug_abbrev", abbreviations, 0)]);
    let began = Instant::now();
    assert_eq!(differing_until(&*file, &expected(), began + Duration::from_millis(100)), None);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn what_was_made_to_take_long_is_given_up() {
    // Many names of one structure with many fields.
    let mut all = b"\x02x\0\x10".to_vec();
    all.extend(b"\x03y\0\0".repeat(60_000));
    all.push(0);
    let place = 12_u32.to_le_bytes();
    all.extend([b"\x05moon_t\0", &place[..]].concat().repeat(20_000));
    let layouts = Layout::of_text("16 moon_t\n 0 8 first\n").unwrap();
    let file = file(&[(".debug_info", unit(&all), 0), (".debug_abbrev", ABBREVIATIONS.to_vec(), 0)]);
    let began = Instant::now();
    assert_eq!(differing_until(&*file, &layouts, began + Duration::from_millis(100)), None);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    // Units that share abbreviations, and tables of abbreviations as long as may be.
    let mut long = ABBREVIATIONS[..ABBREVIATIONS.len() - 1].to_vec();
    (10..60_000_u32).for_each(|code| {
        let code = [code as u8 | 0x80, (code >> 7) as u8 | 0x80, (code >> 14) as u8];
        long.extend([&code[..], b"\x13\0\0\0"].concat());
    });
    long.push(0);
    takes_too_long(&unit(&[]).repeat(100_000), long);
    // Attributes that have no bytes.
    let mut many = [&ABBREVIATIONS[..ABBREVIATIONS.len() - 1], b"\x06\x13\0"].concat();
    many.extend(b"\x3c\x19".repeat(100_000));
    many.extend([0; 3]);
    takes_too_long(&unit(&[6].repeat(1_000_000)), many);
}
