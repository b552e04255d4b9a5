//! Seven functions of zlib: the shim against the real header and the real library.

use hotcell_model::api::{Constant, ConstantValue, Location};
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Fails, Function, Interface, ResultLength, ResultRole};

use crate::support::{
    With, buffer, c, call, f, interface, length_of, length_pointer_of, out, p, param, sized, text_result,
    value,
};
use crate::tools::{drive, system_library};

/// The header's words, as a parser hands them on.
const CRC32: &str = "\
     Update a running CRC-32 with the bytes buf[0..len-1] and return the
   updated CRC-32. If buf is Z_NULL, this function returns the required
   initial value for the crc.

   Usage example:

     uLong crc = crc32(0L, Z_NULL, 0);

     while (read_buffer(buffer, length) != EOF) {
       crc = crc32(crc, buffer, length);
     }
     if (crc != original_crc) error();
";

/// zlib as `examples/zlib` binds it.
pub(crate) fn zlib() -> Interface {
    let dest =
        |size: Expr| p("dest", "unsigned char *", out(sized(size), ResultLength::Pointer { param: 1 }));
    let dest_len = || p("destLen", "unsigned long *", length_pointer_of(0));
    let source = || p("source", "const unsigned char *", buffer(false));
    let source_len = || p("sourceLen", "unsigned long", length_of(2));
    let rule = |function: Function| {
        function.result(ResultRole::Status).fails(Fails::Nonzero).message(call("zError", vec![Expr::Result]))
    };
    let bound = || call("compressBound", vec![param(3)]);
    let checksum = |name: &str, seed: &str| {
        let params = vec![
            p(seed, "unsigned long", value()),
            p("buf", "const unsigned char *", buffer(true)),
            p("len", "unsigned int", length_of(1)),
        ];
        f("unsigned long", name, params)
    };
    let caller = p(
        "dest",
        "unsigned char *",
        out(hotcell_model::interface::Capacity::Caller, ResultLength::Pointer { param: 1 }),
    );
    let functions = vec![
        f("const char *", "zlibVersion", vec![]).result(text_result(false, None)),
        f("unsigned long", "compressBound", vec![p("sourceLen", "unsigned long", value())]),
        rule(f("int", "compress", vec![dest(bound()), dest_len(), source(), source_len()])),
        rule(f(
            "int",
            "compress2",
            vec![dest(bound()), dest_len(), source(), source_len(), p("level", "int", value())],
        )),
        rule(f("int", "uncompress", vec![caller, dest_len(), source(), source_len()])),
        checksum("adler32", "adler"),
        checksum("crc32", "crc").doc(CRC32),
    ];
    assert!(functions.iter().all(|function| function.result_type == c(&function.result_type.written)));
    let mut interface = interface("zlib", "zlib.h", "libz.so.1", functions);
    let constants = [
        ("Z_BEST_COMPRESSION", ConstantValue::Int(9)),
        ("Z_DEFAULT_COMPRESSION", ConstantValue::Int(-1)),
        ("ZLIB_VERNUM", ConstantValue::Int(0x12d0)),
    ];
    let location = |line| Location { file: "zlib.h".into(), line, primary: true };
    let constants = constants.map(|(name, value)| (name.into(), Constant { value, location: location(1) }));
    interface.constants = constants.into();
    interface
}

#[test]
fn seven_functions_of_zlib_give_what_direct_calls_give() {
    drive(&zlib(), &system_library("libz.so"), "drive_zlib.c");
}
