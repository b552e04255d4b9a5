//! Structures of the kit, with every kind of field.

use std::collections::BTreeMap;

use hotcell_model::evidence::Fact;
use hotcell_model::interface::{Encoding, FieldRole, Filled, Struct, StructField, Unit};
use hotcell_model::types::{CType, Target, Type};

use crate::support::c;

fn array(element: &str, length: u64) -> CType {
    let written = format!("{element} [{length}]");
    let kind = Type::Array { element: Box::new(c(element)), length: Some(length) };
    CType { canonical: written.clone(), written, kind }
}

fn record(c_name: &str, resident: bool, fields: Vec<(&str, CType, FieldRole)>) -> Struct {
    let field = |(name, ty, role): (&str, CType, FieldRole)| StructField {
        name: name.into(),
        ty,
        role: Fact::proven(role),
        offset: None,
    };
    let fields = fields.into_iter().map(field).collect();
    Struct { c_name: c_name.into(), doc: None, resident, union: false, fields, size: 0 }
}

/// All of them, laid out.
pub(super) fn records(target: &Target) -> BTreeMap<String, Struct> {
    let text = |nullable| FieldRole::Text { encoding: Encoding::Utf8, nullable };
    let wide = |nullable| FieldRole::Text { encoding: Encoding::Utf16, nullable };
    let raw = |nullable| FieldRole::Text { encoding: Encoding::Bytes, nullable };
    let length_of = |field| FieldRole::LengthOf { field, unit: Unit::Elements };
    let number = |name, ty| (name, c(ty), FieldRole::Value);
    let point = record("struct kit_point", false, vec![number("x", "double"), number("y", "double")]);
    let mut options = record(
        "struct kit_options",
        false,
        vec![
            number("verbose", "_Bool"),
            number("level", "char"),
            number("color", "enum fx_color"),
            ("name", c("const char *"), text(false)),
            ("type", c("const char *"), text(true)),
            ("wide", c("const void *"), wide(false)),
            ("maybe_wide", c("const void *"), wide(true)),
            ("raw", c("const char *"), raw(false)),
            ("maybe_raw", c("const char *"), raw(true)),
            ("origin", c("struct kit_point"), FieldRole::Struct { record: "kit_point".into() }),
            ("weights", array("float", 3), FieldRole::Array { length: 3 }),
            ("id", array("char", 65), FieldRole::Array { length: 65 }),
            ("reserved", c("void *"), FieldRole::Zero),
            ("inner", c("struct kit_inner"), FieldRole::Struct { record: "kit_inner".into() }),
            ("hollow", c("struct kit_hollow"), FieldRole::Struct { record: "kit_hollow".into() }),
        ],
    );
    options.doc = Some("How to start.".into());
    let chunk = record(
        "struct kit_chunk",
        false,
        vec![
            ("samples", c("const short *"), FieldRole::BufferIn { nullable: true }),
            ("n", c("int"), length_of(0)),
            (
                "room",
                c("double *"),
                FieldRole::BufferOut {
                    capacity: 3,
                    unit: Unit::Elements,
                    filled: Filled::Field { field: 4 },
                },
            ),
            number("capacity", "int"),
            number("used", "int"),
        ],
    );
    let stream = record(
        "struct kit_stream",
        true,
        vec![
            ("next_in", c("const unsigned char *"), FieldRole::BufferIn { nullable: false }),
            ("avail_in", c("int"), length_of(0)),
            (
                "next_out",
                c("unsigned char *"),
                FieldRole::BufferOut { capacity: 3, unit: Unit::Bytes, filled: Filled::Left { field: 3 } },
            ),
            number("avail_out", "unsigned int"),
            ("msg", c("const char *"), text(true)),
            number("object", "int"),
            ("state", c("void *"), FieldRole::Own),
        ],
    );
    // Only ever within another.
    let inner = record("struct kit_inner", false, vec![number("a", "int")]);
    let hollow = record("struct kit_hollow", false, vec![("pad", c("void *"), FieldRole::Zero)]);
    let all = [
        ("kit_point", point),
        ("kit_inner", inner),
        ("kit_hollow", hollow),
        ("kit_options", options),
        ("kit_chunk", chunk),
        ("kit_stream", stream),
    ];
    let mut structs = BTreeMap::new();
    for (name, mut record) in all {
        record.lay_out(&structs, target).unwrap();
        structs.insert(name.to_owned(), record);
    }
    structs
}
