//! What is refused when generating and compiling, and with which words.

use std::fs;
use std::path::Path;

use hotcell_generate::Error;
use hotcell_generate::rust::{self, RustOptions};
use hotcell_generate::shim::{self, CompileOptions};
use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{
    Callback, CallbackScope, Capacity, Fails, Function, Interface, Ownership, ResultLength, ResultRole, Role,
};

use crate::support::{
    With, binary, buffer, c, call, f, int, interface, length_of, out, p, param, sized, text, value,
};
use crate::tools::{fixtures, system_library};

fn of(function: Function) -> Interface {
    interface("fixture", "fixture.h", "libfixture.so.1", vec![function])
}

/// Checks that both generators refuse a function, and say why.
fn refused(function: Function, expect: &str) {
    let interface = of(function);
    let error = shim::render(&interface).expect_err(expect).to_string();
    assert!(error.contains(expect), "{error}\nlacks: {expect}");
    assert!(error.contains(&interface.functions[0].name), "{error}");
    let options = RustOptions { crate_name: "x".into(), runtime: "\"0.1\"".into() };
    assert_eq!(rust::render(&interface, &options).expect_err(expect).to_string(), error);
}

#[test]
fn roles_without_a_generator_are_named() {
    let handle = || "db".to_owned();
    let in_handle = Role::Handle {
        handle: handle(),
        consumed: false,
        on_success: false,
        nullable: false,
        invalidates: false,
    };
    let out_handle = Role::HandleOut {
        handle: handle(),
        ownership: Ownership::Library,
        parent: None,
        valid_on_error: false,
    };
    let callback = Callback {
        params: vec![],
        args: hotcell_model::layout::Block::default(),
        result: c("int"),
        scope: CallbackScope::Call,
        on_failure: None,
        user_data: None,
    };
    refused(f("int", "a", vec![p("db", "void *", in_handle)]), "a handle (parameter `db`, void *)");
    refused(f("int", "b", vec![p("db", "void *", out_handle)]), "a handle (parameter `db`, void *)");
    let callback = Role::Callback { callback: Box::new(callback), nullable: false };
    refused(f("int", "c", vec![p("cb", "void *", callback)]), "a callback (parameter `cb`, void *)");
    refused(f("int", "d", vec![p("data", "void *", Role::UserData { callback: 0 })]), "a callback");
    let result =
        ResultRole::Handle { handle: handle(), ownership: Ownership::Library, parent: None, nullable: true };
    refused(f("void *", "e", vec![]).result(result), "a handle as the result");
}

#[test]
fn rules_and_sizes_that_make_no_sense_are_named() {
    let sized_by = |size: Expr| {
        f(
            "unsigned int",
            "a",
            vec![p("n", "int", value()), p("out", "char *", out(sized(size), ResultLength::Full))],
        )
    };
    refused(sized_by(param(1)), "a size that depends on itself (parameter `out`)");
    refused(sized_by(Expr::Result), "a size before the call that needs its result");
    refused(
        sized_by(call("other", vec![binary(param(0), Op::Add, int(1))])),
        "arithmetic in an argument of `other`",
    );
    refused(
        f("unsigned int", "b", vec![]).fails(Fails::Negative),
        "a negative result of type `unsigned int`",
    );
    refused(f("int", "c", vec![]).fails(Fails::Null), "a NULL result of type `int`");
    refused(f("void", "d", vec![]).fails(Fails::Zero), "a rule over the result, which is `void`");
    let texts = vec![p("text", "const int *", text(false))];
    refused(f("int", "e", texts), "a text that does not consist of bytes");
    let lengths = vec![p("x", "int", value()), p("n", "int", length_of(0))];
    refused(f("int", "g", lengths), "a length of something that is no buffer");
    let words = p("words", "int *", out(Capacity::Caller, ResultLength::Text));
    refused(f("int", "h", vec![words]), "a text in `int *`");
    let many = (0..70).map(|n| p(&format!("b{n}"), "const char *", buffer(false))).collect();
    refused(f("int", "i", many), "an argument block of 1120 bytes, more than the wire's 992");
}

#[test]
fn an_interface_that_contradicts_itself_is_refused() {
    let mut interface = of(f("int", "fx_inline", vec![p("x", "int", value())]));
    interface.functions[0].layout.args.fields[0].offset = 4;
    let error = shim::render(&interface).unwrap_err();
    assert!(matches!(&error, Error::Inconsistent { function, .. } if function == "fx_inline"), "{error}");
}

fn compile(interface: &Interface, cc: &str, dir: &Path) -> Result<(), Error> {
    let options = CompileOptions {
        cc: Some(cc.into()),
        include_dirs: vec![fixtures()],
        libraries: vec![system_library("libz.so")],
        out: dir.join("shim.so"),
        work_dir: dir.join("work"),
    };
    shim::compile(&shim::render(interface).unwrap(), &options)
}

#[test]
fn a_failed_compilation_names_the_function_and_leaves_the_old_shim() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("shim.so"), "old").unwrap();
    let failed = |interface: &Interface, cc: &str| compile(interface, cc, dir.path()).unwrap_err();

    // The parser's view of a type is not the compiler's.
    let wrong = of(f("int", "fx_inline", vec![p("x", "long", value())]));
    let error = failed(&wrong, "cc");
    assert!(matches!(&error, Error::Compile { function: Some(name), .. } if name == "fx_inline"), "{error}");
    assert!(error.to_string().contains("type of fx_inline"), "{error}");

    // A capacity's function gets a number that does not fit, and the interface does not say so.
    let bound = out(sized(call("fx_bound", vec![param(0)])), ResultLength::Full);
    let narrow =
        of(f("void", "fx_bounded", vec![p("n", "unsigned long", value()), p("out", "char *", bound)]));
    let error = failed(&narrow, "cc");
    assert!(matches!(&error, Error::Compile { function: Some(name), .. } if name == "fx_bounded"), "{error}");
    assert!(error.to_string().contains("conversion"), "{error}");

    // A fixed number that its parameter cannot hold.
    let fixed = Role::Fixed { c: "5000000000".into() };
    let error = failed(&of(f("int", "fx_inline", vec![p("x", "int", fixed)])), "cc");
    assert!(matches!(&error, Error::Compile { function: Some(name), .. } if name == "fx_inline"), "{error}");
    assert!(error.to_string().contains("overflow"), "{error}");

    // Declared, but not in the library.
    let missing = of(f("void", "fx_nothing", vec![]));
    let error = failed(&missing, "cc");
    assert!(matches!(&error, Error::Compile { function: Some(name), .. } if name == "fx_nothing"), "{error}");

    let error = failed(&missing, "no-such-compiler -O1");
    assert!(matches!(error, Error::NoCompiler { .. }), "{error}");
    assert!(error.to_string().contains("$CC"), "{error}");

    assert_eq!(fs::read_to_string(dir.path().join("shim.so")).unwrap(), "old");
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}
