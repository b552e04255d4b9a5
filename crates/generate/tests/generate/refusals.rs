//! What is refused when generating and compiling, and with which words.

use std::fs;
use std::path::Path;

use hotcell_generate::Error;
use hotcell_generate::shim::{self, CompileOptions};
use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{
    Callback, CallbackScope, CallbackThreads, Capacity, Direction, Fails, FieldRole, Filled, Function,
    Interface, ResultLength, Role, Struct, Unit,
};

use crate::support::{
    With, binary, buffer, c, call, f, int, interface, length_of, out, p, param, refresh, sized, text, value,
};
use crate::tools::{fixtures, system_library};
use crate::{calls, objects, records};

fn of(function: Function) -> Interface {
    interface("fixture", "fixture.h", "libfixture.so.1", vec![function])
}

/// Checks that both generators refuse a function, and say why.
fn refused(function: Function, expect: &str) {
    let interface = of(function);
    let error = shim::render(&interface).expect_err(expect).to_string();
    assert!(error.contains(expect), "{error}\nlacks: {expect}");
    assert!(error.contains(&interface.functions[0].name), "{error}");
}

/// Checks that an interface is refused as one that contradicts itself.
fn contradicts(change: impl FnOnce(&mut Interface), expect: &str) {
    contradicts_when(objects::library(), change, expect);
}

fn contradicts_when(mut interface: Interface, change: impl FnOnce(&mut Interface), expect: &str) {
    change(&mut interface);
    refresh(&mut interface);
    let error = shim::render(&interface).expect_err(expect);
    assert!(matches!(error, Error::Inconsistent { .. }), "{error}");
    assert!(error.to_string().contains(expect), "{error}\nlacks: {expect}");
}

fn role<'a>(interface: &'a mut Interface, function: &str, param: usize) -> &'a mut Role {
    let (index, _) = interface.function(function).unwrap();
    &mut interface.functions[usize::from(index)].params[param].role.value
}

#[test]
fn handles_that_fit_nowhere_are_refused() {
    contradicts(
        |interface| drop(interface.handles.remove("ob_item")),
        "handles of `ob_item`, which the interface does not have",
    );
    contradicts(
        |interface| interface.functions.retain(|f| f.name != "ob_end"),
        "`ob_end`, which releases objects of `ob_cursor`, is not bound",
    );
    contradicts(
        |interface| *role(interface, "ob_close", 0) = objects::handle("ob_store"),
        "`ob_close` cannot release objects of `ob_store`: it takes `store`, which only a caller can say",
    );
    contradicts(
        |interface| *role(interface, "ob_close", 0) = Role::Fixed { c: "NULL".into() },
        "`ob_close` cannot release objects of `ob_store`: it does not consume one",
    );
    contradicts(
        |interface| *role(interface, "ob_try", 1) = objects::handle_out("ob_store", Some("ob_end"), None),
        "`ob_end` cannot release objects of `ob_store`",
    );
    contradicts(
        |interface| {
            *role(interface, "ob_try", 1) = objects::handle_out("ob_store", Some("ob_close"), Some(0))
        },
        "parameter 0 is the parent of a handle, and no handle that outlives the call",
    );
    contradicts(
        |interface| interface.handles.get_mut("ob_cursor").unwrap().parent = Some("none".into()),
        "its parent is `none`, which is no handle type",
    );
}

#[test]
fn structures_that_fit_nowhere_are_refused() {
    let check = |change: fn(&mut Interface), expect: &str| {
        contradicts_when(records::library(), change, expect);
    };
    fn item<'a>(interface: &'a mut Interface, key: &str) -> &'a mut Struct {
        interface.structs.get_mut(key).unwrap()
    }
    fn field<'a>(interface: &'a mut Interface, key: &str, position: usize) -> &'a mut FieldRole {
        &mut item(interface, key).fields[position].role.value
    }
    check(
        |interface| drop(interface.structs.remove("rc_room")),
        "a structure `rc_room`, which the interface does not have",
    );
    check(|interface| drop(interface.structs.remove("rc_point")), "is held by a structure and is none");
    check(|interface| item(interface, "rc_label").size += 8, "its image is not the one its fields demand");
    check(
        |interface| drop(interface.handles.remove("rc_stream")),
        "the interface has no handles of that name",
    );
    check(
        |interface| {
            let role = Role::Resident { record: "rc_label".into(), consumed: false, starts: None };
            *self::role(interface, "rc_greet", 0) = role;
        },
        "the structure `rc_label` does not stay in the worker, and its role differs",
    );
    check(
        |interface| {
            let Role::Resident { consumed, .. } = self::role(interface, "rc_start", 0) else { panic!() };
            *consumed = true;
        },
        "`stream` ends with the call that it starts with",
    );
    check(
        |interface| {
            *field(interface, "rc_room", 0) =
                FieldRole::BufferOut { capacity: 0, unit: Unit::Bytes, filled: Filled::Field { field: 2 } }
        },
        "`dst` is measured by a field that is no integer",
    );
    check(
        |interface| *field(interface, "rc_span", 1) = FieldRole::LengthOf { field: 2, unit: Unit::Bytes },
        "`size` is no integer that is the length of a buffer that goes in",
    );
    check(
        |interface| {
            *field(interface, "rc_label", 1) = FieldRole::Own;
            let target = interface.target.clone();
            item(interface, "rc_label").lay_out(&Default::default(), &target).unwrap();
        },
        "`note` is the library's own in a structure that does not stay",
    );
    check(
        |interface| *field(interface, "rc_line", 0) = FieldRole::Struct { record: "rc_line".into() },
        "the structure holds itself",
    );
    for direction in [Direction::In, Direction::Out] {
        let mut interface = records::library();
        let record = "rc_room".into();
        let role = Role::Struct { record, direction, nullable: false, valid_on_error: false };
        *self::role(&mut interface, "rc_pump", 0) = role;
        refresh(&mut interface);
        let error = shim::render(&interface).unwrap_err().to_string();
        let expect = "a buffer to fill in a structure that does not go in and out (parameter `room`";
        assert!(error.contains(expect), "{error}");
    }
}

#[test]
fn callbacks_and_calls_of_a_life_that_fit_nowhere_are_refused() {
    let check = |change: fn(&mut Interface), expect: &str| {
        contradicts_when(calls::library(), change, expect);
    };
    fn callback<'a>(interface: &'a mut Interface, function: &str, param: usize) -> &'a mut Callback {
        match role(interface, function, param) {
            Role::Callback { callback, .. } => callback,
            other => panic!("{other:?}"),
        }
    }
    check(
        |i| *role(i, "cl_each", 2) = Role::UserData { callback: 0 },
        "`user` is user data of something else",
    );
    check(|i| callback(i, "cl_each", 1).user_data = Some(0), "the user data of `visit` is no user data");
    check(
        |i| callback(i, "cl_each", 1).on_failure = None,
        "`visit` does not say what it returns when it failed",
    );
    check(|i| drop(callback(i, "cl_each", 1).params.remove(1)), "`visit` has not one way to its user data");
    check(|i| callback(i, "cl_ask", 1).user_data_from = None, "`answer` has not one way to its user data");
    check(
        |i| callback(i, "cl_each", 1).scope = CallbackScope::Handle { param: 0 },
        "`visit` is kept by no object that outlives the call",
    );
    check(
        |i| callback(i, "cl_each", 1).threads = CallbackThreads::Any,
        "`visit` comes from any thread, and ends with the call",
    );
    check(
        |i| *role(i, "cl_watch", 0) = objects::consumed("cl_hub"),
        "`watch` is kept by no object that outlives the call",
    );
    check(
        |i| drop(i.handles.remove("cl_spot")),
        "it speaks of handles of `cl_spot`, which the interface does not have",
    );
    check(|i| i.init[0].call = int(3), "a worker's life has calls only");
    let mut interface = calls::library();
    callback(&mut interface, "cl_each", 1).args.size += 8;
    let error = shim::render(&interface).unwrap_err().to_string();
    assert!(error.contains("the argument block of `visit` is not the one its roles demand"), "{error}");

    let unsupported = |change: fn(&mut Interface), expect: &str| {
        let mut interface = calls::library();
        change(&mut interface);
        refresh(&mut interface);
        let error = shim::render(&interface).expect_err(expect);
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(expect), "{error}\nlacks: {expect}");
    };
    unsupported(
        |i| callback(i, "cl_ask", 1).threads = CallbackThreads::Any,
        "a callback from any thread that gets objects",
    );
    unsupported(|i| callback(i, "cl_watch", 2).user_data = None, "a callback that is kept without user data");
    unsupported(
        |i| callback(i, "cl_watch", 2).scope = CallbackScope::Call,
        "user data of callbacks that live for different times (parameter `user`",
    );
    unsupported(|i| callback(i, "cl_each", 1).result = c("char *"), "a callback that returns `char *`");
}

#[test]
fn what_the_call_consumes_is_not_looked_at_behind_it() {
    let mut interface = objects::library();
    let (index, close) = interface.function("ob_close").unwrap();
    let message = call("ob_error", vec![param(0)]);
    interface.functions[usize::from(index)] = close.clone().fails(Fails::Nonzero).message(message);
    refresh(&mut interface);
    let error = shim::render(&interface).unwrap_err().to_string();
    assert!(error.contains("an expression behind the call over `store`, which the call consumes"), "{error}");

    // What only success takes over is there when the call failed, and only then.
    let mut interface = objects::library();
    let (index, join) = interface.function("ob_join").unwrap();
    let condition = call("ob_error", vec![param(1)]);
    interface.functions[usize::from(index)] = join.clone().fails(Fails::When { condition });
    refresh(&mut interface);
    let error = shim::render(&interface).unwrap_err().to_string();
    assert!(error.contains("an expression behind the call over `from`, which the call consumes"), "{error}");
}

#[test]
fn what_means_nothing_after_a_failure_is_not_asked_about_it() {
    let check = |function: &str, message: Expr, expect: &str| {
        let mut interface = objects::library();
        let (index, found) = interface.function(function).unwrap();
        interface.functions[usize::from(index)] = found.clone().message(message);
        refresh(&mut interface);
        let error = shim::render(&interface).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}\nlacks: {expect}");
    };
    check(
        "ob_try",
        call("ob_error", vec![param(1)]),
        "an expression about a failure over `store`, which means nothing then",
    );
    check("ob_promise", param(1), "an expression about a failure over `text`, which means nothing then");
    check("ob_dump", param(1), "an expression about a failure over `data`, which means nothing then");
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
