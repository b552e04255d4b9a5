//! cJSON at work: a configuration is read, checked, changed and printed. `cargo run --bin cjson-example`
#![forbid(unsafe_code)]

use cjson_hotcell::{CJson, Library};

const CONFIGURATION: &str = r#"{
    "name": "catalogue",
    "replicas": 2,
    "regions": ["north", "south"],
    "limits": { "requests": 500, "timeout": 1.5 }
}"#;

fn main() -> hotcell::Result<()> {
    let cjson = Library::open()?;
    let configuration = cjson.parse(CONFIGURATION)?;

    // Items are lent by the tree: there is nothing to release, and none outlives it.
    if let Some(name) = configuration.get_object_item("name")? {
        println!("name: {}", name.get_string_value()?.unwrap_or_default());
    }
    if let Some(limits) = configuration.get_object_item("limits")? {
        println!("timeout: {} s", number(&limits, "timeout")?);
    }

    // What is added belongs to the tree from then on, and cannot be used by itself any more.
    if let Some(regions) = configuration.get_object_item("regions")?
        && let Some(region) = cjson.create_string("Îles")?
    {
        regions.add_item_to_array(region)?;
    }
    if let Some(replicas) = cjson.create_number(number(&configuration, "replicas")? + 1.0)? {
        configuration.replace_item_in_object("replicas", replicas)?;
    }
    configuration.delete_item_from_object("limits")?;
    println!("{}", configuration.print()?);

    // A document with a mistake is an error value, with the place of the mistake.
    match cjson.parse(r#"{"replicas": two}"#) {
        Ok(_) => println!("taken for JSON"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}

/// A number of an object; not a number where there is none.
fn number(object: &CJson, name: &str) -> hotcell::Result<f64> {
    object.get_object_item(name)?.map_or(Ok(f64::NAN), |item| item.get_number_value())
}
