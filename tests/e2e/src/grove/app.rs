//! Uses the package of grove in the ways in which objects can be reached twice, and says which of them went well.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use grove_hotcell::{Grove, Tree};
use hotcell::ErrorKind;

fn main() {
    let library = std::env::var_os("GROVE").expect("where the library is");
    let options = hotcell::Options { libraries: vec![library.into()], ..Default::default() };
    let cases: [(&str, fn(&Grove)); 13] = [
        ("what is lent goes with the parent that lends it", parents),
        ("callbacks in callbacks share an object", callbacks_in_callbacks),
        ("what is lent otherwise outlives a callback", lent_otherwise),
        ("what is in use is not released", in_use),
        ("what is in use is not invalidated", invalidated_in_use),
        ("what is owned below what is lent can be released", owned_below_lent),
        ("what is owned is not owned again", owned_again),
        ("a callback is kept until an object goes that came by a callback", kept),
        ("what the library took over is gone, whatever was made of it meanwhile", taken_over),
        ("what comes out as lent is the application's own", own_after_all),
        ("what is dropped before what belongs to it goes with the last of that", dropped_before),
        ("a release that fails is tried again if the object is there", failed_releases),
        ("what is new is at the address of what its call has freed", addresses),
    ];
    for (name, case) in cases {
        let grove = Grove::open_with(options.clone()).expect("a worker");
        let result = catch_unwind(AssertUnwindSafe(|| case(&grove)));
        println!("{name}: {}", if result.is_ok() { "yes" } else { "NO" });
    }
}

/// Asserts that a call was refused, for this reason, and that the worker lives.
#[track_caller]
fn refused<T: std::fmt::Debug>(grove: &Grove, result: hotcell::Result<T>, kind: ErrorKind, text: &str) {
    let error = result.expect_err(text);
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(text), "{error}");
    assert_eq!(grove.session().generation(), 1);
}

fn parents(grove: &Grove) {
    let tree = grove.tree_new(100).unwrap();
    let cursor = tree.cursor_new().unwrap();
    let (by_cursor, by_tree) = (cursor.node(0).unwrap(), tree.get(0).unwrap());
    assert!(by_cursor != by_tree && by_tree == tree.get(0).unwrap());
    assert_eq!((by_cursor.value().unwrap(), by_tree.value().unwrap()), (100, 100));
    tree.clear().unwrap();
    refused(grove, by_tree.value(), ErrorKind::StaleHandle, "`node`");
    drop(by_cursor);
    let (by_cursor, by_tree) = (cursor.node(1).unwrap(), tree.get(1).unwrap());
    cursor.free().unwrap();
    refused(grove, by_cursor.value(), ErrorKind::StaleHandle, "`node`");
    assert_eq!(by_tree.value().unwrap(), 201);
}

fn callbacks_in_callbacks(grove: &Grove) {
    let tree = grove.tree_new(100).unwrap();
    let mut outer = None;
    let visited = tree.each(|node| {
        let inner = node.visit(|again| Ok(i32::from(again == node))).unwrap();
        outer = Some(node.clone());
        Ok(inner + node.value().unwrap())
    });
    assert_eq!(visited.unwrap(), 4000 + 2 * (100 + 101 + 102 + 103));
    refused(grove, outer.unwrap().value(), ErrorKind::StaleHandle, "was released");
}

fn lent_otherwise(grove: &Grove) {
    let spare = grove.spare().unwrap();
    assert_eq!(spare.visit(|node| Ok(node.value().unwrap())).unwrap(), 7007);
    assert_eq!(spare.value().unwrap(), 7, "for ever");
    let tree = grove.tree_new(100).unwrap();
    let mut got = None;
    tree.get(2).unwrap().visit(|_| Ok(i32::from(got.insert(tree.get(2).unwrap()).value().is_ok()))).unwrap();
    assert_eq!(got.unwrap().value().unwrap(), 102, "as long as its tree");
}

fn in_use(grove: &Grove) {
    let text = "in use by a call around";
    let tree = grove.tree_new(100).unwrap();
    let release = |tree: &Tree| refused(grove, tree.clone().free(), ErrorKind::InvalidArgument, text);
    let deep = tree.get(0).unwrap().visit(|_| {
        release(&tree);
        let inner = grove.spare().unwrap().visit(|_| {
            release(&tree);
            Ok(1)
        });
        Ok(inner.unwrap())
    });
    assert_eq!(deep.unwrap(), 1_007_000 + 100);
    let shown = tree.show(|lent| {
        release(&tree);
        refused(grove, tree.clone().plant(|_| Ok(0)), ErrorKind::InvalidArgument, text);
        // What is lent is this tree, and another tree is nobody's business.
        release(lent);
        grove.tree_new(5).unwrap().free().unwrap();
        // Dropping waits.
        drop(grove.tree_new(6).unwrap());
        Ok(grove.alive().unwrap())
    });
    assert_eq!(shown.unwrap(), 2100);
    assert_eq!(grove.alive().unwrap(), 1);
    tree.free().unwrap();
    assert_eq!(grove.alive().unwrap(), 0);
}

fn invalidated_in_use(grove: &Grove) {
    let tree = grove.tree_new(100).unwrap();
    let node = tree.get(3).unwrap();
    let clear = || refused(grove, tree.clear(), ErrorKind::InvalidArgument, "in use by a call around");
    assert_eq!(
        node.visit(|_| {
            clear();
            Ok(1)
        })
        .unwrap(),
        1103
    );
    assert_eq!(node.value().unwrap(), 103);
    tree.show(|tree| {
        tree.clear().unwrap();
        Ok(0)
    })
    .unwrap();
    refused(grove, node.value(), ErrorKind::StaleHandle, "`node`");
}

fn owned_below_lent(grove: &Grove) {
    let tree = grove.tree_new(100).unwrap();
    let mark = tree.get(1).unwrap().mark_new().unwrap();
    tree.clear().unwrap();
    assert_eq!(mark.value().unwrap(), 101);
    refused(grove, tree.clone().free(), ErrorKind::InvalidArgument, "cannot go while objects");
    drop(mark);
    drop(tree);
    assert_eq!(grove.alive().unwrap(), 0);
}

fn owned_again(grove: &Grove) {
    let tree = grove.tree_new(100).unwrap();
    let cursor = tree.cursor_new().unwrap();
    refused(grove, tree.share(), ErrorKind::Unsupported, "clone the handle instead");
    assert_eq!((tree.value().unwrap(), cursor.node(2).unwrap().value().unwrap()), (100, 102));
    drop((tree, cursor));
    assert_eq!(grove.alive().unwrap(), 1, "only C knows that the refused one was a reference more");
}

fn kept(grove: &Grove) {
    let tree = grove.tree_new(100).unwrap();
    let token = Arc::new(());
    let seen = Arc::downgrade(&token);
    let mut token = Some(token);
    tree.show(|lent| {
        let token = token.take();
        lent.watch(move || Ok(i32::from(token.is_some()))).unwrap();
        Ok(0)
    })
    .unwrap();
    assert_eq!(tree.touch().unwrap(), 1);
    assert!(seen.upgrade().is_some());
    tree.free().unwrap();
    assert!(seen.upgrade().is_none());
}

fn taken_over(grove: &Grove) {
    let tree = grove.tree_new(100).unwrap();
    let clone = tree.clone();
    let mut cursor = None;
    tree.plant(|lent| {
        cursor = Some(lent.cursor_new().unwrap());
        Ok(0)
    })
    .unwrap();
    refused(grove, clone.value(), ErrorKind::StaleHandle, "was released");
    cursor.unwrap().free().unwrap();
    assert_eq!(grove.alive().unwrap(), 1, "the planted tree");
}

fn own_after_all(grove: &Grove) {
    let tree = grove.tree_new(100).unwrap();
    let lent = grove.tree_last().unwrap();
    assert!(lent == tree && lent.get(0).unwrap() == tree.get(0).unwrap());
    let cursor = lent.cursor_new().unwrap();
    drop(tree);
    drop(lent);
    assert_eq!((grove.alive().unwrap(), cursor.node(3).unwrap().value().unwrap()), (2, 103), "its cursor keeps it");
    grove.tree_last().unwrap().get(0).unwrap().visit(|_| Ok(0)).unwrap();
    drop(cursor);
    assert_eq!(grove.alive().unwrap(), 0);
    // Who took it over has it by every name.
    let tree = grove.tree_new(100).unwrap();
    let lent = grove.tree_last().unwrap();
    lent.clone().free().unwrap();
    refused(grove, tree.value(), ErrorKind::StaleHandle, "was released");
    // A callback is passed it, too, and that outlives the callback.
    let tree = grove.tree_new(100).unwrap();
    let mut passed = None;
    tree.show(|lent| Ok(i32::from(passed.insert(lent.clone()) == lent))).unwrap();
    drop(tree);
    assert_eq!(passed.unwrap().value().unwrap(), 100);
    assert_eq!(grove.alive().unwrap(), 0);
}

fn dropped_before(grove: &Grove) {
    let mut tree = Some(grove.tree_new(100).unwrap());
    let token = Arc::new(());
    let held = Arc::clone(&token);
    tree.as_ref().unwrap().watch(move || Ok(Arc::strong_count(&held) as i32)).unwrap();
    let mut made = None;
    // While this call is under way the tree is only noted, and the library lends it out once more.
    let spare = grove.spare().unwrap();
    spare
        .visit(|_| {
            drop(tree.take());
            let lent = grove.tree_last().unwrap();
            let cursor = lent.cursor_new().unwrap();
            made = Some((lent, cursor));
            Ok(0)
        })
        .unwrap();
    let (lent, cursor) = made.unwrap();
    assert_eq!(grove.alive().unwrap(), 2);
    assert_eq!((cursor.node(1).unwrap().value().unwrap(), lent.touch().unwrap()), (101, 2), "it is not ended");
    drop(grove.tree_new(1).unwrap());
    assert_eq!(grove.alive().unwrap(), 2);
    drop(cursor);
    assert_eq!((grove.alive().unwrap(), Arc::strong_count(&token)), (0, 1));
    refused(grove, lent.value(), ErrorKind::StaleHandle, "`tree`");
}

fn failed_releases(grove: &Grove) {
    drop(grove.seal_new().unwrap());
    assert_eq!(grove.alive().unwrap(), 0, "it went though the call failed, and only once");
    drop(grove.gate_new(2).unwrap());
    assert_eq!(grove.alive().unwrap(), 0);
    drop(grove.gate_new(3).unwrap());
    assert_eq!(grove.alive().unwrap(), 1);
    drop(grove.tree_new(1).unwrap());
    assert_eq!(grove.alive().unwrap(), 0, "when an object has gone it is tried once more");
    assert_eq!(grove.session().generation(), 1);
}

fn addresses(grove: &Grove) {
    for answer in [0, 1] {
        let plot = grove.plot_new(1).unwrap();
        let (sold, mut made) = (plot.clone(), None);
        let result = plot.sell(|| {
            let new = grove.plot_new(2)?;
            new.clone().free()?;
            made = Some(grove.plot_new(3)?);
            Ok(answer)
        });
        assert_eq!(result.is_ok(), answer == 0, "{result:?}");
        let text = ["was released", "`plot` was released, or went"][answer as usize];
        refused(grove, sold.value(), ErrorKind::StaleHandle, text);
        drop(sold);
        assert_eq!((made.as_ref().unwrap().value().unwrap(), grove.alive().unwrap()), (3, 1));
        drop(made);
        assert_eq!(grove.alive().unwrap(), 0);
    }
}
