//! Seven functions of zlib: the shim against the real header and the real library.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Fails, Function, Interface, ResultLength, ResultRole};

use crate::support::{
    With, buffer, c, call, f, interface, length_of, length_pointer_of, out, p, param, sized, text_result,
    value,
};
use crate::tools::{drive, system_library};

/// zlib as `examples/zlib` binds it.
pub(crate) fn zlib() -> Interface {
    let dest = |size: Expr| {
        p(
            "dest",
            "unsigned char *",
            out(sized(size), ResultLength::Pointer { param: 1 }),
        )
    };
    let dest_len = || p("destLen", "unsigned long *", length_pointer_of(0));
    let source = || p("source", "const unsigned char *", buffer(false));
    let source_len = || p("sourceLen", "unsigned long", length_of(2));
    let rule = |function: Function| {
        function
            .result(ResultRole::Status)
            .fails(Fails::Nonzero)
            .message(call("zError", vec![Expr::Result]))
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
        out(
            hotcell_model::interface::Capacity::Caller,
            ResultLength::Pointer { param: 1 },
        ),
    );
    let functions = vec![
        f("const char *", "zlibVersion", vec![]).result(text_result(false, None)),
        f(
            "unsigned long",
            "compressBound",
            vec![p("sourceLen", "unsigned long", value())],
        ),
        rule(f(
            "int",
            "compress",
            vec![dest(bound()), dest_len(), source(), source_len()],
        )),
        rule(f(
            "int",
            "compress2",
            vec![
                dest(bound()),
                dest_len(),
                source(),
                source_len(),
                p("level", "int", value()),
            ],
        )),
        rule(f(
            "int",
            "uncompress",
            vec![caller, dest_len(), source(), source_len()],
        )),
        checksum("adler32", "adler"),
        checksum("crc32", "crc"),
    ];
    assert!(
        functions
            .iter()
            .all(|function| function.result_type == c(&function.result_type.written))
    );
    interface("zlib", "zlib.h", "libz.so.1", functions)
}

#[test]
fn seven_functions_of_zlib_give_what_direct_calls_give() {
    drive(&zlib(), &system_library("libz.so"), "drive_zlib.c");
}
