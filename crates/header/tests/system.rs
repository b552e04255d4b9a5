//! Headers of this system. zlib's development package has to be installed.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use hotcell_header::Job;
use hotcell_model::api::{Api, Attribute, ConstantValue, Function};
use hotcell_model::types::Type;

fn parse(header: &str) -> Api {
    hotcell_header::parse(&Job::new([header])).unwrap_or_else(|error| panic!("{error}"))
}

fn function<'a>(api: &'a Api, name: &str) -> &'a Function {
    api.functions.iter().find(|function| function.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn zlib() {
    let api = parse("zlib.h");
    let primary = api.functions.iter().filter(|function| function.location.primary).count();
    assert!(primary >= 80, "{primary}");
    let crc32 = function(&api, "crc32");
    assert_eq!(crc32.signature(), "uLong crc32(uLong crc, const Bytef *buf, uInt len)");
    assert_eq!(crc32.result.kind, Type::Int { bits: 64, signed: false });
    assert_eq!(crc32.params[1].ty.canonical, "const unsigned char *");
    let (byte, constant) = crc32.params[1].ty.pointee().unwrap();
    assert_eq!((byte.is_byte(), byte.written.as_str(), constant), (true, "Bytef", true));
    assert_eq!(crc32.params[2].ty.kind, Type::Int { bits: 32, signed: false });
    assert!(crc32.doc.as_ref().unwrap().starts_with("Update a running CRC-32"), "{:?}", crc32.doc);
    assert!(function(&api, "deflate").doc.as_ref().unwrap().starts_with("deflate compresses"));
    assert!(function(&api, "gzprintf").variadic);

    let (stream, constant) = function(&api, "deflate").params[0].ty.pointee().unwrap();
    assert_eq!((&stream.kind, constant), (&Type::Record { name: "z_stream_s".into() }, false));
    let layout = api.records["z_stream_s"].layout.as_ref().unwrap();
    assert_eq!((layout.size, layout.align, layout.fields.len()), (112, 8, 14));
    assert!(api.records["internal_state"].layout.is_none());
    assert_eq!(api.constants["Z_BEST_COMPRESSION"].value, ConstantValue::Int(9));
    assert_eq!(api.constants["Z_STREAM_ERROR"].value, ConstantValue::Int(-2));
    assert!(
        matches!(&api.constants["ZLIB_VERSION"].value, ConstantValue::Text(text) if text.starts_with("1."))
    );
    assert_eq!(api.function_macros["deflateInit"], ["strm", "level"]);
}

#[test]
fn initial_values_of_structures_are_kept() {
    let api = parse("lzma.h");
    assert!(
        api.initializers["LZMA_STREAM_INIT"].starts_with("{ NULL, 0, 0, NULL,"),
        "{:?}",
        api.initializers
    );
}

#[test]
fn math() {
    let api = parse("math.h");
    let sqrt = function(&api, "sqrt");
    assert!(sqrt.location.primary);
    assert_eq!((&sqrt.result.kind, sqrt.params.len()), (&Type::Float { bits: 64 }, 1));
    assert!(matches!(function(&api, "sqrtl").result.kind, Type::Unsupported { .. }));
    assert_eq!(api.constants["M_PI"].value, ConstantValue::Float(std::f64::consts::PI));
}

#[test]
fn stdlib() {
    let api = parse("stdlib.h");
    for name in ["exit", "abort", "_Exit", "quick_exit"] {
        assert!(function(&api, name).noreturn(), "{name}");
    }
    assert!(!function(&api, "atoi").noreturn());
    assert!(function(&api, "malloc").attributes.contains(&Attribute::Malloc));
    let sort = function(&api, "qsort");
    assert_eq!(sort.attributes, [Attribute::Nonnull { params: vec![0, 3] }]);
    let Type::FunctionPointer { signature } = &sort.params[3].ty.kind else { panic!("{sort:?}") };
    assert_eq!(signature.params.len(), 2);
    assert_eq!(api.constants["RAND_MAX"].value, ConstantValue::Int(0x7fff_ffff));
}

#[test]
fn string() {
    let api = parse("string.h");
    let strlen = function(&api, "strlen");
    assert_eq!(strlen.signature(), "size_t strlen(const char *__s)");
    assert_eq!(strlen.attributes, [Attribute::Nonnull { params: vec![0] }]);
    assert_eq!(function(&api, "memcpy").params[0].ty.written, "void *");
}

#[test]
fn jobs_of_many_threads_wait_for_each_other() {
    let counts: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| parse("zlib.h").functions.len())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(counts.iter().all(|count| *count == counts[0] && *count > 80), "{counts:?}");
}

#[test]
fn the_same_headers_give_the_same_model() {
    assert_eq!(parse("zlib.h"), parse("zlib.h"));
}

#[test]
fn the_parser_says_where_its_parts_are() {
    let parser = hotcell_header::parser().unwrap();
    assert!(parser.version.contains("version "), "{parser:?}");
    assert!(parser.library.is_some_and(|path| path.is_file()));
    assert!(parser.builtin_headers.is_some_and(|folder| folder.join("stddef.h").is_file()));
}
