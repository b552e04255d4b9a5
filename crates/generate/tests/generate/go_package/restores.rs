//! Packages in Go whose objects are made anew when their worker has ended.

use hotcell_model::evidence::Evidence;
use hotcell_model::interface::{Handle, Restore, Role, Setting};

use super::{check, sources};
use crate::objects::{self, handle};
use crate::records;
use crate::support::{With, f, length_of, p, refresh, value};

#[test]
fn calls_begin_with_objects_that_are_made_anew() {
    let mut plain = objects::library();
    let store = |role| p("store", "struct ob_store *", role);
    let Role::Handle { handle: of, .. } = handle("ob_store") else { panic!("a handle") };
    let list =
        |name: &str| p(name, "struct ob_store **", Role::Handles { handle: of.clone(), nullable: false });
    let count = |name: &str, of: usize| p(name, "int", length_of(of));
    let set = vec![store(handle("ob_store")), p("what", "int", value()), p("most", "int", value())];
    plain.functions.extend([
        f("int", "ob_limit", set),
        // A method that every such object has otherwise.
        f("int", "ob_restore", vec![store(handle("ob_store"))]),
        f("int", "ob_gather", vec![list("some"), count("somes", 0)]),
        f("int", "ob_feed", vec![store(handle("ob_store")), list("more"), count("mores", 1)]),
    ]);
    refresh(&mut plain);
    let before = sources(&plain);
    assert!(
        !before.contains("BeginWith(") && !before.contains("rt.Restore{"),
        "nothing of it is in other packages"
    );
    assert!(before.contains(") Restore(ctx context.Context) (int32, error) {"), "{before}");

    let mut interface = plain.clone();
    let limit = Setting { function: "ob_limit".into(), key: vec!["what".into()] };
    let restore = Restore { by: vec!["ob_open".into()], configure: vec![limit], times: 9 };
    interface.handles.get_mut("ob_store").unwrap().restore = Some(restore);
    refresh(&mut interface);
    let source = check(&interface);
    for expect in [
        "Restore: &rt.Restore{Times: 9, By: []rt.Repeated{{Function: fn_ObOpen, Object: 0, Inputs: []rt.Input{{Kind: rt.InputNumbers, Offset: 0, Bytes: 4}}}}, \
         Configure: []rt.Repeated{{Function: fn_ObLimit, Object: 0, \
         Inputs: []rt.Input{{Kind: rt.InputNumbers, Offset: 8, Bytes: 4}, {Kind: rt.InputNumbers, Offset: 12, Bytes: 4}}, \
         Key: []rt.Input{{Kind: rt.InputNumbers, Offset: 8, Bytes: 4}}}}}}",
        "func (store *Store) Restored() int {\n\treturn store.h().Restored()\n}",
        "func (store *Store) Restore(ctx context.Context) error {\n",
        ") ObRestore(ctx context.Context) (int32, error) {",
        "the call that made it (ob_open) is made again, and behind it those that have configured it.",
        "call := store.callWith(ctx, fn_ObLimit, store.h())",
        "return handle.BeginWith(ctx, function, objects...)",
        "call := lib.s().BeginWith(ctx, fn_ObGather, handles_Of(some)...)",
        "call := store.callWith(ctx, fn_ObFeed, append([]*rt.Handle{store.h()}, handles_Of(more)...)...)",
        // One that may be NULL.
        "BeginWith(ctx, fn_ObSize, store.h())",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
    // What takes one over, and cursors and items, make none anew; nor do batches and pipelines.
    for name in ["fn_ObClose", "fn_ObItemIndex", "fn_ObEnd"] {
        assert!(!source.contains(&format!("BeginWith(ctx, {name}")), "{name}");
    }
    assert_eq!(interface.fingerprint, plain.fingerprint, "nothing of it crosses the wire");
}

/// Of a structure that lives in the worker, which is passed one.
#[test]
fn a_call_of_a_structure_in_the_worker_begins_with_them_too() {
    let mut interface = records::library();
    let stream = Role::Resident { record: "rc_stream".into(), consumed: false, starts: None };
    let file = Handle {
        release: Some("rc_shut".into()),
        ..Handle::new("struct rc_file *".into(), None, Evidence::Proven)
    };
    let restore = Restore { by: vec!["rc_file".into()], configure: Vec::new(), times: 1 };
    interface.handles.insert("rc_file".into(), Handle { restore: Some(restore), ..file });
    let shut = Role::Handle {
        handle: "rc_file".into(),
        consumed: true,
        on_success: false,
        nullable: false,
        invalidates: false,
    };
    let made = objects::handle_result("rc_file", Some("rc_shut"), None);
    interface.functions.extend([
        f("struct rc_file *", "rc_file", vec![p("number", "int", value())]).result(made),
        f("void", "rc_shut", vec![p("file", "struct rc_file *", shut)]),
        f(
            "int",
            "rc_write",
            vec![p("stream", "struct rc_stream *", stream), p("file", "struct rc_file *", handle("rc_file"))],
        ),
    ]);
    refresh(&mut interface);
    let source = check(&interface);
    for expect in [
        "func (stream *Stream) callWith(ctx context.Context, function int, objects ...*rt.Handle) *rt.Call {\n",
        "call := stream.callWith(ctx, fn_RcWrite, file.h())",
        "call := stream.call(ctx, fn_RcRun)",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
}
