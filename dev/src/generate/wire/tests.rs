//! What wire.toml may say, and the offsets that follow.

use super::*;

const VERSION: &str = "[version]\nmajor = 1\nminor = 0\n";

/// Checks that the table is refused with every one of these words.
fn refused(table: &str, words: &[&str]) {
    let error = match Wire::parse(&format!("{VERSION}{table}")) {
        Ok(_) => panic!("this passed:\n{table}"),
        Err(error) => format!("{error:#}"),
    };
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error:?}");
    }
}

fn layout(size: usize, fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(name, ty)| format!("{{ name = \"{name}\", type = \"{ty}\", doc = \"d\" }},"))
        .collect();
    format!(
        "[[layout]]\nname = \"some\"\nsegment = \"socket\"\nsize = {size}\ndoc = \"Some.\"\nfields = [{fields}]\n"
    )
}

fn offsets(size: usize, fields: &[(&str, &str)]) -> Vec<usize> {
    let wire = Wire::parse(&format!("{VERSION}{}", layout(size, fields))).unwrap();
    wire.layouts[0].fields.iter().map(|it| it.offset).collect()
}

#[test]
fn fields_follow_each_other_at_their_alignment() {
    assert_eq!(offsets(8, &[("a", "u8"), ("b", "u8"), ("c", "u16"), ("d", "i32")]), [0, 1, 2, 4]);
    assert_eq!(offsets(40, &[("a", "u64"), ("b", "u128"), ("c", "u64"), ("d", "u8")]), [0, 8, 24, 32]);
    assert_eq!(offsets(8, &[("a", "u8"), ("b", "[u8; 7]")]), [0, 1]);
}

#[test]
fn layouts_have_no_hole_and_no_overrun() {
    refused(
        &layout(16, &[("a", "u32"), ("b", "u64")]),
        &["layout `some`", "field `b`", "hole of 4 bytes at offset 4"],
    );
    refused(&layout(16, &[("a", "u32"), ("b", "u128")]), &["field `b`", "hole"]);
    refused(&layout(8, &[("a", "u64"), ("b", "u8")]), &["field `b`", "ends at byte 9, the layout at 8"]);
    refused(&layout(12, &[("a", "u64")]), &["size 12 is no multiple of 8"]);
    refused(&layout(12, &[("a", "u32")]), &["size 12 is no multiple of 8"]);
    refused(&layout(0, &[]), &["size 0"]);
    let shared = |size| layout(size, &[("a", "u16"), ("b", "u16")]).replace("socket", "request");
    refused(&shared(5), &["size 5 is no multiple of 2"]);
    assert!(Wire::parse(&format!("{VERSION}{}", shared(4))).is_ok());
}

#[test]
fn fields_have_a_type_and_a_name_of_their_own() {
    refused(&layout(8, &[("a", "u24")]), &["`u24` is no type of the wire"]);
    refused(&layout(8, &[("a", "[u8; 0]")]), &["`[u8; 0]` is no type"]);
    refused(&layout(8, &[("a", "usize")]), &["no usize"]);
    refused(&layout(8, &[("a", "u8"), ("a", "u8")]), &["field `a` is there twice"]);
    refused(&layout(8, &[("A", "u8")]), &["snake_case"]);
}

#[test]
fn unknown_keys_are_refused() {
    refused("[[constant]]\nname = \"A\"\ntype = \"u8\"\nvalue = 1\ndoc = \"A.\"\nunit = \"ms\"\n", &["unit"]);
    refused("[[konstant]]\n", &["konstant"]);
}

#[test]
fn constants_fit_their_types() {
    let constant = |name, ty, value: &str, doc| {
        format!("[[constant]]\nname = \"{name}\"\ntype = \"{ty}\"\nvalue = {value}\ndoc = \"{doc}\"\n")
    };
    refused(&constant("A", "u8", "256", "A."), &["constant `A`", "256 does not fit a u8"]);
    refused(&constant("A", "i32", "1", "A."), &["a i32 cannot hold a constant"]);
    refused(&constant("A", "u8", "1", ""), &["`doc` is empty"]);
    refused(&constant("a", "u8", "1", "A."), &["in capitals"]);
    let twice = constant("A", "u8", "1", "A.").repeat(2);
    refused(&twice, &["constant `A` is there twice"]);
    let all = constant("A", "u64", "0xFFFFFFFFFFFFFFFF", "A.");
    assert_eq!(Wire::parse(&format!("{VERSION}{all}")).unwrap().constants[0].value, u64::MAX);
}

#[test]
fn enums_and_flags_are_unambiguous() {
    let table = |kind: &str, values: &str| {
        let ty = if kind == "enum" { "repr" } else { "type" };
        format!("[[{kind}]]\nname = \"Some\"\n{ty} = \"u8\"\ndoc = \"Some.\"\nvalues = [{values}]\n")
    };
    let value = |name: &str, value: u32| format!("{{ name = \"{name}\", value = {value}, doc = \"d\" }},");
    let flag = |name: &str, bit: u32| format!("{{ name = \"{name}\", bit = {bit}, doc = \"d\" }},");
    refused(&table("enum", &(value("A", 1) + &value("B", 1))), &["value `B`", "1 is the value of `A`"]);
    refused(&table("enum", &(value("A", 1) + &value("A", 2))), &["value `A` is there twice"]);
    refused(&table("enum", &value("A", 256)), &["256 does not fit a u8"]);
    refused(&table("enum", ""), &["no values"]);
    refused(&table("flags", &(flag("A", 1) + &flag("B", 1))), &["flag `B`", "bit 1 belongs to `A`"]);
    refused(&table("flags", &flag("A", 8)), &["bit 8 is not in a u8"]);
    refused(&(table("enum", &value("A", 1)) + &table("flags", &flag("A", 1))), &["`Some` is there twice"]);
}

#[test]
fn a_packet_whose_name_an_enum_has_is_told_apart() {
    let plain = format!("{VERSION}{}", layout(8, &[("a", "u8")]));
    let clash = format!(
        "{plain}[[enum]]\nname = \"Some\"\nrepr = \"u8\"\ndoc = \"Some.\"\n\
         values = [{{ name = \"A\", value = 1, doc = \"d\" }}]\n"
    );
    for (text, name) in [(plain, "Some"), (clash, "SomePacket")] {
        let wire = Wire::parse(&text).unwrap();
        assert_eq!(wire.struct_name(&wire.layouts[0]), name);
        assert!(rust::render(&wire).contains(&format!("pub struct {name} {{")));
    }
}

#[test]
fn reserved_fields_are_in_the_layout_and_not_in_the_struct() {
    let wire =
        Wire::parse(&format!("{VERSION}{}", layout(8, &[("reserved", "u32"), ("size", "u32")]))).unwrap();
    let text = rust::render(&wire);
    assert!(text.contains("pub const RESERVED: usize = 0;") && !text.contains("pub reserved"), "{text}");
    assert!(
        text.contains("pub const SIZE: usize = 8;") && text.contains("pub const SIZE_FIELD: usize = 4;"),
        "{text}"
    );
}

#[test]
fn shared_memory_has_no_structs() {
    let shared = layout(8, &[("a", "u8")]).replace("socket", "reply, offset 0");
    let text = rust::render(&Wire::parse(&format!("{VERSION}{shared}")).unwrap());
    assert!(text.contains("pub mod some {") && !text.contains("struct"), "{text}");
}
