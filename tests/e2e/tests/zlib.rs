//! zlib, contained and direct: equal results for equal inputs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::{Cause, ErrorKind, Options, Profile, Sandbox};
use hotcell_direct::zlib as direct;
use proptest::prelude::*;
use zlib_hotcell::Zlib;

fn contained() -> &'static Zlib {
    static ZLIB: std::sync::OnceLock<Zlib> = std::sync::OnceLock::new();
    ZLIB.get_or_init(|| Zlib::open().unwrap())
}

/// Data as programs have it: short, long, repetitive, random.
fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..2_000),
        (proptest::collection::vec(any::<u8>(), 1..50), 1..2_000usize)
            .prop_map(|(unit, times)| unit.repeat(times)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn checksums(start in any::<u32>(), data in data()) {
        let start = u64::from(start);
        prop_assert_eq!(contained().crc32(start, &data).unwrap(), direct::checksum(start, &data));
        prop_assert_eq!(contained().adler32(start, &data).unwrap(), direct::adler(start, &data));
    }

    #[test]
    fn data_in_place(data in data(), level in 0..10) {
        let zlib = contained();
        let mut buffer = zlib.session().buffer(data.len()).unwrap();
        buffer.copy_from_slice(&data);
        prop_assert_eq!(zlib.crc32(0, &buffer).unwrap(), direct::checksum(0, &data));
        let packed = zlib.compress2_shared(&buffer, level).unwrap();
        prop_assert_eq!(packed.to_vec(), zlib.compress2(&data, level).unwrap());
        let mut source = zlib.session().buffer(packed.len()).unwrap();
        packed.copy_to(0, &mut source);
        prop_assert_eq!(zlib.uncompress_shared(data.len(), &source).unwrap().to_vec(), &*data);
        let mut batch = zlib.batch();
        let unpacked = batch.uncompress(data.len(), &source).unwrap();
        // It was copied when it was put.
        source.fill(0);
        prop_assert_eq!(batch.run().unwrap().take(unpacked).unwrap(), data);
    }

    #[test]
    fn combined_checksums(first in any::<u32>(), second in any::<u32>(), length in 0..i64::MAX) {
        let (first, second) = (u64::from(first), u64::from(second));
        prop_assert_eq!(
            contained().crc32_combine(first, second, length).unwrap(),
            direct::combine(first, second, length)
        );
    }

    #[test]
    fn bounds(length in any::<u64>()) {
        prop_assert_eq!(contained().compress_bound(length).unwrap(), direct::bound(length));
    }

    #[test]
    fn compression(data in data(), level in -2..11i32) {
        let expected = direct::compress(&data, level);
        let got = contained().compress2(&data, level);
        match (expected, got) {
            (Ok(expected), Ok(got)) => prop_assert_eq!(expected, got),
            (Err(code), Err(error)) => prop_assert_eq!(library_code(&error), i64::from(code)),
            (expected, got) => prop_assert!(false, "{expected:?} and {got:?}"),
        }
    }

    #[test]
    fn restoring(data in data(), missing in 0..3usize) {
        let packed = direct::compress(&data, 6).unwrap();
        let capacity = data.len().saturating_sub(missing);
        let expected = direct::restore(&packed, capacity);
        let got = contained().uncompress(capacity, &packed);
        match (expected, got) {
            (Ok(expected), Ok(got)) => prop_assert_eq!(expected, got),
            (Err(code), Err(error)) => prop_assert_eq!(library_code(&error), i64::from(code)),
            (expected, got) => prop_assert!(false, "{expected:?} and {got:?}"),
        }
    }
}

fn library_code(error: &hotcell::Error) -> i64 {
    assert_eq!(error.kind(), ErrorKind::LibraryError, "{error}");
    match error.cause() {
        Cause::Library { code, .. } => *code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn version() {
    assert_eq!(contained().zlib_version().unwrap().as_deref(), Some(direct::version().as_str()));
}

#[test]
fn a_failure_carries_the_librarys_own_words() {
    let error = contained().uncompress(100, b"this was never compressed").unwrap_err();
    assert_eq!(error.to_string(), "zlib: uncompress: LibraryError: data error (code -3)");
}

#[test]
fn a_failure_without_a_code_says_what_the_system_said() {
    let sandbox = Some(Sandbox { read: vec!["/usr/share".into()], ..Sandbox::of(Profile::Files) });
    let zlib = Zlib::open_with(Options { sandbox, ..Options::default() }).unwrap();
    let error = zlib.gzopen(b"/nowhere/at/all.gz", "rb").unwrap_err();
    assert_eq!(error.to_string(), "zlib: gzopen: LibraryError: No such file or directory (os error 2)");
}

#[test]
fn megabytes() {
    let data: Vec<u8> =
        (0..6_000_000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()).collect();
    let packed = contained().compress2(&data, 1).unwrap();
    assert_eq!(packed, direct::compress(&data, 1).unwrap());
    assert_eq!(contained().uncompress(data.len(), &packed).unwrap(), data);
    assert_eq!(contained().crc32(0, &data).unwrap(), direct::checksum(0, &data));
}

#[test]
fn names_begin_in_the_directory_of_the_options() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().canonicalize().unwrap();
    let open = |directory: &std::path::Path| {
        let sandbox = Some(Sandbox { write: vec![folder.path().to_owned()], ..Sandbox::of(Profile::Files) });
        Zlib::open_with(Options { sandbox, directory: directory.to_owned(), ..Options::default() })
    };
    let zlib = open(&directory).unwrap();
    let _file = zlib.gzopen(b"words.gz", "wb").unwrap();
    assert!(directory.join("words.gz").is_file());
    // At `/` nothing may be made.
    let elsewhere = open("/".as_ref()).unwrap().gzopen(b"words.gz", "wb").unwrap_err();
    assert_eq!(elsewhere.kind(), ErrorKind::LibraryError, "{elsewhere}");
    let relative = open("words".as_ref()).unwrap_err();
    assert_eq!(relative.kind(), ErrorKind::InvalidArgument);
    assert!(relative.to_string().contains("`words` is no absolute path"), "{relative}");
    let missing = open(&directory.join("missing")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::LoadFailed);
    assert!(missing.to_string().contains("could not go to its directory: "), "{missing}");
}
