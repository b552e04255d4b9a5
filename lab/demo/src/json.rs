//! cJSON: a document of about 2 MB parsed, changed and printed.

use std::ffi::CString;
use std::fmt::Write;

use cjson_hotcell::Library;
use hotcell_direct::cjson as direct;

use crate::screen::Screen;
use crate::work::{equal, text};

/// Objects in the document's list.
const OBJECTS: i32 = 20_000;
/// One of so many gets another price.
const EVERY: usize = 200;

pub(crate) fn show(screen: &Screen) -> Result<(), String> {
    screen.heading("cJSON, contained: a tree stays in the worker, its items are lent by what holds them");
    let cjson = screen.step("start a worker and load cJSON into it", || Library::open().map_err(text))?;
    let source = document();
    let size = source.len() as f64 / 1e6;
    let tree = screen.step(&format!("parse a document of {size:.1} MB, contained"), || {
        cjson.parse_with_length(&source).map_err(text)
    })?;
    let changes = changes().count();
    screen.step(&format!("replace {changes} numbers in it, contained"), || {
        let missing = || "the document lacks what was to be changed".to_owned();
        for (index, price) in self::changes() {
            let list = tree.get_object_item("items").map_err(text)?.ok_or_else(missing)?;
            let object = list.get_array_item(index).map_err(text)?.ok_or_else(missing)?;
            let number = cjson.create_number(price).map_err(text)?.ok_or_else(missing)?;
            object.replace_item_in_object("price", number).map_err(text)?;
        }
        Ok(())
    })?;
    let printed = screen.step("print it, contained", || tree.print_unformatted().map_err(text))?;
    let expected = screen.step("parse, change and print it with direct calls", || {
        directly(&source).ok_or_else(|| "cJSON refuses".to_owned())
    })?;
    screen.step(&format!("compare: {} bytes, equal to the direct calls'", printed.len()), || {
        equal(printed.as_bytes(), expected.as_bytes())?;
        if printed == source { Err("nothing was changed".into()) } else { Ok(()) }
    })
}

/// A document as a shop's service would send it.
fn document() -> String {
    let mut json = String::from(r#"{"shop":"Ærø & Søn","items":["#);
    for id in 0..OBJECTS {
        let separator = if id == 0 { "" } else { "," };
        let price = f64::from(id) / 4.0;
        let stocked = id % 3 == 0;
        let _ = write!(
            json,
            r#"{separator}{{"id":{id},"name":"item \"{id}\"","price":{price},"stocked":{stocked},"tags":["a","b\n",null],"note":"in the cellar"}}"#
        );
    }
    json.push_str("]}");
    json
}

/// Which objects get which price.
fn changes() -> impl Iterator<Item = (i32, f64)> {
    (0..OBJECTS).step_by(EVERY).map(|index| (index, f64::from(index) + 0.1))
}

fn directly(source: &str) -> Option<CString> {
    let mut tree = direct::Document::parse(source)?;
    for (index, price) in changes() {
        if !tree.replace_number(c"items", index, c"price", price) {
            return None;
        }
    }
    tree.print()
}
