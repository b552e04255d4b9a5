//! A library with every role, as a package that compiles.

use hotcell_generate::rust;
use hotcell_generate::write;
use hotcell_model::Interface;
use hotcell_model::interface::{Function, Role};

use super::kit::{kit, nullable};
use super::{check_rust, format, options};
use crate::calls::{callback, keep, user, user_of};
use crate::objects::{handle, handle_result};
use crate::support::{With, f, p, refresh};

#[test]
fn every_role_is_a_crate_without_a_warning() {
    let source = check_rust(&kit());
    for expect in [
        // Objects: a type each, methods on the first that must be there, children that keep their parent.
        "pub struct Library {",
        "pub struct Kit(pub(crate) rt::Handle);",
        "pub fn kit_open(&self, path: Option<&str>) -> hotcell::Result<Option<Kit>> {",
        "pub fn close(self) -> hotcell::Result<()> {",
        "call.put_consumed(0, \"db\", &self.0, Self::TYPE)?;",
        "pub fn list_new(&self, size: i32) -> hotcell::Result<Option<List>> {",
        "reply.opt_handle(0, List::TYPE, true, Some(&self.0))?;",
        "pub fn append(\n        &self,\n        item: Item,\n        after: Option<&Item>,\n        spare: Option<Item>,\n    )",
        "call.put_consumed_on_success(8, \"item\", &item.0, Item::TYPE)?;",
        "/// `item` is taken over where the call succeeds; where it fails, it is dropped here.",
        "/// `item` is taken over by the call.",
        "call.put_opt_handle(16, \"after\", after.map(|object| &object.0), Item::TYPE)?;",
        "if let Some(spare) = &spare {\n            call.put_consumed(24, \"spare\", &spare.0, Item::TYPE)?;",
        "pub fn get(&self, at: i32) -> hotcell::Result<Item> {",
        "reply.handle(0, Item::TYPE, false, Some(&self.0))?;",
        "pub fn compare(&self, a: Option<&Item>, b: Option<&Item>) -> hotcell::Result<i32> {",
        "let parent = near.map(|parent| &parent.0);",
        "pub fn split(&self) -> hotcell::Result<SplitOutput> {",
        "/// What was borrowed from `self` is stale afterwards.",
        "    pub first: Option<List>,\n",
        // What the runtime must know of them.
        "owned: &[rt::OwnedField { offset: 0, kind: 1, image: 0, release: None }], ..function(\"kit_open\", 16, 16)",
        "rt::HandleType { name: \"kit\", release: Some(rt::Release { function: KIT_CLOSE, offset: 0, image: 0 }) },",
        "image: 64, release: Some(rt::Release { function: KIT_STREAM_END, offset: 0, image: 8 }) }",
        "rt::HandleType { name: \"kit_stream\", release: None },",
        "symbols: &KIT_SYMBOLS,",
        "static KIT_SYMBOLS: [(i64, &str); 2] = [\n    (0, \"KIT_OK\"),\n    (1, \"KIT_BUSY\"),\n];",
        // Texts, data and places.
        "pub fn words(&self, words: &[impl AsRef<str>]) -> hotcell::Result<i32> {",
        "pub fn maybe_words(&self, words: Option<&[&str]>) -> hotcell::Result<i32> {",
        "pub fn raw_words(&self, words: &[impl AsRef<[u8]>]) -> hotcell::Result<i32> {",
        "pub fn say(&self) -> hotcell::Result<Option<String>> {",
        "    pub numbers: Option<Vec<f64>>,\n",
        "end: reply.offset(8, text.len())?,",
        "pub fn wide(&self, text: &str) -> hotcell::Result<WideOutput> {",
        "call.put_text_utf16(0, \"text\", text)?;",
        "returned: reply.text_utf16(0)?,\n            end: reply.offset_utf16(16, text)?,",
        "returned: reply.opt_text_utf16(0)?,\n            end: reply.offset_utf16(16, text)?,",
        "pub fn wide_words(&self, words: &[impl AsRef<str>]) -> hotcell::Result<i32> {",
        "pub fn maybe_wide_words(&self, words: Option<&[&str]>) -> hotcell::Result<i32> {",
        "call.put_texts_utf16(0, \"words\", words)?;",
        "    pub names: Option<Vec<Option<String>>>,\n",
        "    pub raw: Option<Vec<Option<Vec<u8>>>>,\n",
        "names: reply.opt_text_list::<rt::Utf8>(0)?,\n            wides: reply.opt_text_list::<rt::Utf16>(16)?,\n            raw: reply.opt_text_list::<rt::Bytes>(32)?,",
        "pub fn days(&self) -> hotcell::Result<Vec<String>> {",
        "reply.ended_text_list::<rt::Utf8>(0)",
        "pub fn maybe_days(&self) -> hotcell::Result<Option<Vec<String>>> {",
        "pub fn holes(&self) -> hotcell::Result<Vec<Option<String>>> {",
        "reply.text_list::<rt::Utf8>(0)",
        "pub fn say_wide(&self) -> hotcell::Result<Option<String>> {",
        "pub fn scan(&self, data: Option<&[u8]>) -> hotcell::Result<Option<usize>> {",
        // Structures.
        "pub fn norm(&self, point: &Point) -> hotcell::Result<f64> {",
        "pub fn maybe_norm(&self, point: Option<&Point>) -> hotcell::Result<f64> {",
        "    pub point: Point,\n",
        "pub fn kit_move(&self, point: &mut Point) -> hotcell::Result<i32> {",
        "pub fn maybe_move(&self, point: Option<&mut Point>) -> hotcell::Result<i32> {",
        "pub fn origin(&self) -> hotcell::Result<Point> {",
        "pub fn defaults(&self) -> hotcell::Result<Option<Options>> {",
        "/// How to start.\n///\n/// C: `struct kit_options`\n#[derive(Debug, Clone, PartialEq)]\npub struct Options {",
        "    /// C: `char id[65]`\n    pub id: [u8; 65],\n",
        "impl Default for Options {",
        "#[derive(Debug, Clone, Default, PartialEq)]\npub struct Point {",
        "let taken = image.advanced(reply, at, data.len() * 2)?;\n            data.drain(..taken / 2);",
        "        let start = usize::try_from(self.used).unwrap_or(0);\n        let room = usize::try_from(self.capacity).unwrap_or(0);\n        reply.append(&mut self.room, filled, start, room)?;\n        self.capacity = ",
        "self.next_out = image.buffer(reply, at + 24)?;",
        "/// C: `double *room`. What calls filled; there is room for `capacity` elements.",
        // A structure that lives in the worker.
        "pub fn new(library: &Library) -> Self {",
        "pub fn init(&mut self, level: i32) -> hotcell::Result<()> {",
        "pub fn copy(&mut self, from: &mut Stream) -> hotcell::Result<i32> {",
        "pub fn end(self) -> hotcell::Result<()> {",
        "    pub object_: i32,\n",
        // Callbacks.
        "mut row: Option<&mut dyn FnMut(&[Option<String>], &[String]) -> hotcell::Answer<i32>>,",
        "mut visit: impl FnMut(\n            &str,\n            Option<&[u8]>,\n            &str,\n            Option<&str>,\n            &[String],\n            &[Option<String>],\n            &[f64],\n            FxColor,\n        ) -> hotcell::Answer<f64>,",
        "let maybe_wides = invocation.opt_texts_utf16(",
        "mut done: impl FnMut() -> hotcell::Answer<()>,\n        mut next: Option<&mut dyn FnMut() -> hotcell::Answer<i64>>,",
        "mut each: impl FnMut(&[u8], i32) -> hotcell::Answer<bool>,",
        "call.finish_with(&mut [&mut run, &mut run_])?;",
        "/// `row` is called with `values`, `names`.",
        // Those that are kept, and objects in them.
        "mut seen: impl FnMut(&Kit, Option<&Item>, &[Item]) -> hotcell::Answer<i32> + Send + 'static,",
        "asked: Option<Box<dyn FnMut(&Kit, Option<&Item>, &[Item]) -> hotcell::Answer<i32> + Send>>,",
        "mut gone: impl FnMut() -> hotcell::Answer<()> + Send + 'static,",
        "let near = near.map(Item);",
        "let answer = function(&db, near.as_ref(), &items);",
        "call.put_kept(8, \"seen\", 32, Some(Box::new(run)), &self.0)?;",
        "mut tell: impl FnMut(&Kit, &[Item]) -> hotcell::Answer<()>,",
        "/// The library keeps `seen`, `asked` until `self` goes: any call of the session may run them,",
        // One that threads may call.
        "/// The library keeps `gone` until `self` goes: any call of the session may run it, on the thread that makes that \
         call. Where the library calls it on a thread of its own, that runs on the dispatcher thread",
        "call.put_kept_by_threads(24, \"gone\", 0, Some(Box::new(run_2)), &self.0)?;",
        // Enumerations and constants.
        "    /// C: `KIT_COLOR_BLUE`\n    pub const BLUE: Self = Self(6);",
        "            0 => f.write_str(\"RED\"),\n            6 => f.write_str(\"BLUE\"),",
        "/// C: `KIT_BUSY`\npub const BUSY: i32 = 1;\n",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
    // Enumerators are constants of their type alone.
    assert!(!source.contains("COLOR_RED: i32"), "{source}");
}

/// Lines break where rustfmt breaks them, as long as names are of lengths that occur.
#[test]
fn names_of_all_lengths_are_formatted() {
    let text = kit().to_json();
    for length in 1..30 {
        let more = "x".repeat(length);
        let mut interface = Interface::from_json(&text.replace("\"kit_", &format!("\"kit_{more}"))).unwrap();
        for function in &mut interface.functions {
            for param in &mut function.params {
                param.name.push_str(&more);
                if let Role::Callback { callback, .. } = &mut param.role.value {
                    callback.params.iter_mut().for_each(|param| param.name.push_str(&more));
                }
            }
        }
        let fields = interface.structs.values_mut().flat_map(|record| &mut record.fields);
        fields.for_each(|field| field.name.push_str(&more));
        refresh(&mut interface);
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &rust::render(&interface, &options()).unwrap(), false).unwrap();
        format(dir.path());
    }
}

/// Where a type has many methods, those of one kind have a file.
#[test]
fn many_methods_are_spread_over_files() {
    let mut interface = kit();
    let list = || p("list", "struct kit_list *", handle("kit_list"));
    for number in 10..25 {
        let count = p("count", "int *", Role::ValueOut { valid_on_error: false });
        interface.functions.push(f("int", &format!("kit_list_bind_x{number}"), vec![list(), count]));
        interface.functions.push(f("int", &format!("kit_list_column_{number}"), vec![list()]));
        interface.functions.push(f("int", &format!("kit_table_{number}"), vec![]));
    }
    refresh(&mut interface);
    let source = check_rust(&interface);
    for expect in [
        "// src/list/bind.rs\n//! Methods of `List` whose names start with `bind`.",
        "// src/list/column.rs\n",
        "// src/functions/table_.rs\n",
        "mod bind;\nmod column;\n\npub use bind::{\n    BindX10Output,",
        "pub fn append(\n",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
}

#[test]
fn what_has_no_type_in_a_package_is_named() {
    let refused = |function: Function, expect: &str| {
        let mut interface = kit();
        interface.functions.push(function);
        refresh(&mut interface);
        let error = rust::render(&interface, &options()).unwrap_err().to_string();
        assert!(error.contains(expect) && error.contains("kit_more"), "{error}\nlacks: {expect}");
    };
    let stream = "struct kit_stream *";
    refused(
        f(stream, "kit_more", vec![]).result(handle_result("kit_stream", None, None)),
        "a result that is a `Stream`, a structure that lives in the worker,",
    );
    refused(
        f("int", "kit_more", vec![p("stream", stream, handle("kit_stream"))]),
        "parameter `stream` (struct kit_stream *)",
    );
    let db = p("db", "struct kit *", nullable(handle("kit")));
    let kept = keep(callback("gone", "void", vec![user()], None, 2));
    refused(
        f("int", "kit_more", vec![db, kept, user_of(1)]),
        "a callback (`gone`) that is kept until what may be no object goes",
    );
}
