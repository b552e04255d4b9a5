//! Packages whose objects are made anew when their worker has ended.

use hotcell_model::interface::{Restore, Setting};

use super::{check_rust, sources};
use crate::objects;
use crate::support::{f, p, refresh, value};

#[test]
fn calls_that_wait_are_begun_with_objects_that_are_made_anew() {
    let mut plain = objects::library();
    let set = vec![
        p("store", "struct ob_store *", objects::handle("ob_store")),
        p("what", "int", value()),
        p("most", "int", value()),
    ];
    // A method that every such object has otherwise.
    let again = vec![p("store", "struct ob_store *", objects::handle("ob_store"))];
    plain.functions.extend([f("int", "ob_limit", set), f("int", "ob_restore", again)]);
    refresh(&mut plain);
    let before = sources(&plain);
    assert!(
        !before.contains("restor") || before.contains("fn restore("),
        "nothing of it is in other packages"
    );
    assert!(!before.contains("call_of(") && !before.contains("RESTORES"));

    let mut interface = plain.clone();
    let limit = Setting { function: "ob_limit".into(), key: vec!["what".into()] };
    let restore = Restore { by: vec!["ob_open".into()], configure: vec![limit], times: 9 };
    interface.handles.get_mut("ob_store").unwrap().restore = Some(restore);
    refresh(&mut interface);
    let source = check_rust(&interface);
    let row = "times: 9, by: &[rt::Repeated { function: OB_OPEN, object: 0, parent: None, inputs: &[rt::Input::Numbers(0, 4)], key: &[] }], \
               configure: &[rt::Repeated { function: OB_LIMIT, object: 0, parent: None, \
               inputs: &[rt::Input::Numbers(8, 4), rt::Input::Numbers(12, 4)], key: &[rt::Input::Numbers(8, 4)] }] },";
    assert!(source.contains(row), "{source}");
    assert!(source.contains("let options = hotcell::rt::restoring(options, &table::RESTORES);"));
    assert!(
        source.contains("pub fn restored(&self) -> u32 {") && source.contains("pub fn ob_restore(&self)")
    );
    // What takes one over, cursors and items are not waited for; nor do tasks, batches and pipelines wait.
    for (name, waits) in
        [("OB_LIMIT", true), ("OB_WALK", true), ("OB_CLOSE", false), ("OB_ITEM_INDEX", false)]
    {
        let calls = source.matches(&format!("call_of(table::{name}, ")).count();
        assert_eq!(calls, usize::from(waits), "{name}");
    }
    assert!(!source.contains("entry_of(") && !source.contains("call_awaited_of("));
    assert_eq!(interface.fingerprint, plain.fingerprint, "nothing of it crosses the wire");
}
