//! Calls by name from a callback of a call by name.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{ErrorKind, Options};
use hotcell_bind::{Bound, Job, Source};

const HEADER: &str = "int walk_each(int times, int (*visit)(void *user, int number), void *user);
int walk_twice(int number);
";

const LIBRARY: &str = "#include \"walk.h\"
int walk_each(int times, int (*visit)(void *user, int number), void *user)
{
    int sum = 0;
    for (int turn = 0; turn < times; turn++) {
        sum += visit(user, turn);
    }
    return sum;
}
int walk_twice(int number) { return 2 * number; }
";

const CONTRACT: &str = "hotcell = 1
library = \"walk\"
headers = [\"walk.h\"]
link = [\"walk\"]

[function.walk_each]
params.visit = { callback = \"call\", user_data = \"user\", on_failure = -1 }
";

fn bound(folder: &Path) -> Bound {
    for (name, text) in [("walk.h", HEADER), ("walk.c", LIBRARY), ("bind.toml", CONTRACT)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let status = Command::new("cc")
        .current_dir(folder)
        .args(["-shared", "-fPIC", "-Wl,-soname,libwalk.so", "-o", "libwalk.so", "walk.c"])
        .status()
        .unwrap();
    assert!(status.success());
    let job = Job {
        source: Source::Contract(folder.join("bind.toml")),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: vec![folder.to_owned()],
    };
    hotcell_bind::bind(&job).unwrap()
}

#[test]
fn a_callback_of_a_call_by_name_may_call_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let bound = bound(folder.path());
    let session = bound.open(Options::default()).unwrap();
    let function = |name: &str| bound.interface.function(name).unwrap();
    let number = |outcome: Outcome| match outcome.returned {
        Some(Value::Int(number)) => number,
        other => panic!("{other:?}"),
    };
    let twice = |value: &Value| {
        let args = std::slice::from_ref(value);
        dynamic::call(&session, &bound.interface, function("walk_twice"), args).map(number)
    };
    let each = |times, callback: &mut dynamic::Callback<'_>| {
        let args = [Value::Int(times), Value::Callback];
        dynamic::call_with(&session, &bound.interface, function("walk_each"), &args, callback).map(number)
    };
    let sum = each(4, &mut |_, args| Ok(Value::Int(twice(&args[0].1).map_err(|error| error.to_string())?)));
    assert_eq!(sum.unwrap(), 12);
    let sum = each(4, &mut |_, args| {
        let Value::Int(times) = args[0].1 else { return Err("no number".into()) };
        let inner =
            each(times, &mut |_, args| twice(&args[0].1).map(Value::Int).map_err(|it| it.to_string()));
        inner.map(Value::Int).map_err(|error| error.to_string())
    });
    assert_eq!(sum.unwrap(), 2 + 6, "1 and 2 make one doubled, and 0 to 2 three");
    let error = each(4, &mut |_, _| Err("enough".into())).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::CallbackFailed, "enough"));
    assert_eq!(twice(&Value::Int(4)).unwrap(), 8);
    assert_eq!(session.generation(), 1);
}
