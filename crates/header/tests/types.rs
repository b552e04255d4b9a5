//! Kinds, keys and C names of types. Layouts are compared with a compiler's in `second_opinion.rs`.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use hotcell_header::Job;
use hotcell_model::api::{Api, Record};
use hotcell_model::types::{CType, Type};

fn zoo() -> Api {
    let header = format!("{}/tests/fixtures/zoo.h", env!("CARGO_MANIFEST_DIR"));
    hotcell_header::parse(&Job::new([header])).unwrap_or_else(|error| panic!("{error}"))
}

fn field<'a>(api: &'a Api, record: &str, name: &str) -> &'a CType {
    let mut fields = api.records[record].layout.iter().flat_map(|layout| &layout.fields);
    let field = fields.find(|field| field.name.as_deref() == Some(name));
    field.map(|field| &field.ty).unwrap_or_else(|| panic!("no {record}.{name}"))
}

#[test]
fn scalars() {
    let api = zoo();
    let int = |bits, signed| Type::Int { bits, signed };
    for (name, written, canonical, kind) in [
        ("b", "_Bool", "_Bool", Type::Bool),
        ("macro_bool", "_Bool", "_Bool", Type::Bool),
        ("c", "char", "char", Type::Char),
        ("sc", "signed char", "signed char", int(8, true)),
        ("uc", "unsigned char", "unsigned char", int(8, false)),
        ("us", "unsigned short", "unsigned short", int(16, false)),
        ("u", "unsigned int", "unsigned int", int(32, false)),
        ("l", "long", "long", int(64, true)),
        ("ull", "unsigned long long", "unsigned long long", int(64, false)),
        ("f", "float", "float", Type::Float { bits: 32 }),
        ("d", "double", "double", Type::Float { bits: 64 }),
        ("size", "size_t", "unsigned long", int(64, false)),
        ("i8", "int8_t", "signed char", int(8, true)),
        ("u16", "uint16_t", "unsigned short", int(16, false)),
        ("w", "wchar_t", "int", int(32, true)),
    ] {
        let ty = field(&api, "scalars", name);
        assert_eq!(
            (ty.written.as_str(), ty.canonical.as_str(), &ty.kind),
            (written, canonical, &kind),
            "{name}"
        );
    }
}

#[test]
fn a_structure_of_a_parameter_list_has_no_name_for_callers() {
    let header = format!("{}/tests/fixtures/parameter_list.h", env!("CARGO_MANIFEST_DIR"));
    let api = hotcell_header::parse(&Job::new([header])).unwrap_or_else(|error| panic!("{error}"));
    for (name, expect) in [("takes_known", true), ("takes_odd", false), ("takes_made", true)] {
        let function = api.functions.iter().find(|function| function.name == name).unwrap();
        let (pointee, _) = function.params[0].ty.pointee().unwrap();
        let known = matches!(pointee.kind, Type::Record { .. });
        assert_eq!(known, expect, "{name}: {:?}", pointee.kind);
    }
}

#[test]
fn enumerations() {
    let api = zoo();
    let takes = api.functions.iter().find(|function| function.name == "takes_enums").unwrap();
    let kinds: Vec<_> = takes.params.iter().map(|param| param.ty.kind.clone()).collect();
    let of = |name: &str, bits, signed| Type::Enum { name: name.into(), bits, signed };
    assert_eq!(
        kinds,
        [of("negative", 32, true), of("positive", 32, false), of("tiny", 8, false), of("colour", 32, false)]
    );
    assert_eq!(takes.result.kind, of("wide", 64, false));
    assert_eq!(api.enums["colour"].c_name, "colour");
    assert_eq!(api.enums["negative"].c_name, "enum negative");
    let values = |key: &str| api.enums[key].enumerators.iter().map(|(_, value)| *value).collect::<Vec<_>>();
    assert_eq!(values("negative"), [-1, 0, 1]);
    assert_eq!(values("positive"), [1, 0x8000_0000]);
    assert_eq!(values("colour"), [0, 5, 6]);
    assert_eq!(values("nested.mode"), [0, -7]);
    assert!(api.enums.values().all(|value| !value.enumerators.iter().any(|(name, _)| name == "LOOSE")));
}

#[test]
fn records_are_named() {
    let api = zoo();
    let names = |record: &Record| (record.c_name.clone(), record.union, record.layout.is_some());
    for (key, c_name, union, complete) in [
        ("opaque", "struct opaque", false, false),
        ("opaque_union", "union opaque_union", true, false),
        ("point", "point", false, true),
        ("node", "struct node", false, true),
        ("mixed", "union mixed", true, true),
        ("tagged_inside", "struct tagged_inside", false, true),
        ("nested.named", "__typeof__((*(struct nested *)0).named)", false, true),
        ("nested.list", "__typeof__(((*(struct nested *)0).list)[0])", false, true),
        ("nested.pointed", "__typeof__(*((*(struct nested *)0).pointed))", false, true),
        ("hidden_pointer.target", "__typeof__(*(*(hidden_pointer *)0))", false, true),
        ("grid.target", "__typeof__((*(grid *)0)[0])", false, true),
        ("twin", "struct twin", false, true),
        ("typedef twin", "twin", false, true),
    ] {
        let record = api.records.get(key).unwrap_or_else(|| panic!("{key} in {:?}", api.records.keys()));
        assert_eq!(names(record), (c_name.to_owned(), union, complete), "{key}");
    }
    // The anonymous member has no name, its union in turn neither.
    let anonymous = api.records["nested"].layout.as_ref().unwrap().fields.iter().find(|f| f.name.is_none());
    let Type::Record { name } = &anonymous.unwrap().ty.kind else { panic!("{anonymous:?}") };
    assert_eq!(api.records[name].c_name, "");
    assert_eq!(field(&api, name, "in_anonymous").written, "__typeof__((*(struct nested *)0).in_anonymous)");
}

#[test]
fn no_place_of_this_machine_is_in_a_type() {
    let api = zoo();
    let text = format!(
        "{:?} {:?}",
        api.records.keys(),
        api.functions.iter().map(|f| (&f.params, &f.result)).collect::<Vec<_>>()
    );
    assert!(!text.contains(env!("CARGO_MANIFEST_DIR")) && !text.contains("(unnamed at"), "{text}");
    let fields =
        api.records.values().flat_map(|record| record.layout.iter().flat_map(|layout| &layout.fields));
    let places: Vec<_> = fields.filter(|f| format!("{:?}", f.ty).contains("zoo.h")).collect();
    assert!(places.is_empty(), "{places:#?}");
}

#[test]
fn bit_fields_skip_padding() {
    let api = zoo();
    let fields = &api.records["bits"].layout.as_ref().unwrap().fields;
    let widths: Vec<_> = fields.iter().map(|f| (f.name.as_deref().unwrap(), f.bit_width)).collect();
    let some = |name, width| (name, Some(width));
    assert_eq!(
        widths,
        [
            some("a", 3),
            some("b", 5),
            some("c", 17),
            some("d", 40),
            some("flag", 1),
            some("shade", 4),
            some("e", 7),
            ("whole", None)
        ]
    );
}

#[test]
fn flexible_arrays_have_no_length() {
    let api = zoo();
    let lengths = |record, name| match &field(&api, record, name).kind {
        Type::Array { length, .. } => *length,
        kind => panic!("{kind:?}"),
    };
    assert_eq!(lengths("flexible", "data"), None);
    assert_eq!(lengths("arrays", "zero"), Some(0));
    assert_eq!(lengths("arrays", "name"), Some(16));
}

#[test]
fn pointees_are_without_their_own_qualifiers() {
    let api = zoo();
    let others = field(&api, "node", "others");
    let (inner, constant) = others.pointee().unwrap();
    assert_eq!(
        (others.written.as_str(), inner.written.as_str(), constant),
        ("const struct node *const *", "const struct node *", true)
    );
    let (node, constant) = inner.pointee().unwrap();
    assert_eq!((node.written.as_str(), constant), ("struct node", true));
}

#[test]
fn what_cannot_be_carried_is_refused_with_a_reason() {
    let api = zoo();
    for (name, expect) in [
        ("ld", "it is a `long double`"),
        ("wide", "it is a 128-bit integer"),
        ("complex", "it is a complex number"),
        ("vector", "it is a vector"),
        ("io", "it points to volatile memory"),
        ("counter", "it points to an atomic"),
    ] {
        let kind = &field(&api, "refused", name).kind;
        assert_eq!(*kind, Type::Unsupported { reason: expect.into() }, "{name}");
    }
    let (pointee, _) = field(&api, "refused", "arguments").pointee().unwrap();
    assert_eq!(pointee.kind, Type::Unsupported { reason: "it is a `va_list`".into() });
    let unprototyped = &field(&api, "hooks", "unprototyped").kind;
    let reason = "it points to a function without a prototype";
    assert_eq!(*unprototyped, Type::Unsupported { reason: reason.into() });
    let takes = api.functions.iter().find(|function| function.name == "takes_va_list").unwrap();
    assert_eq!(takes.params[1].ty.written, "va_list");
    assert_eq!(takes.params[1].ty.kind, Type::Unsupported { reason: "it is a `va_list`".into() });
}

#[test]
fn memory_of_another_address_space_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spaces.h");
    let text = "typedef __attribute__((address_space(256))) int far_int;\nvoid f(far_int *a, int *near, far_int **b);\n";
    std::fs::write(&path, text).unwrap();
    let api = hotcell_header::parse(&Job::new([path.to_str().unwrap()])).unwrap();
    let [far, near, behind] = &api.functions[0].params[..] else { panic!("{:?}", api.functions) };
    let refused = Type::Unsupported { reason: "it points into another address space".into() };
    assert_eq!(far.ty.kind, refused);
    assert!(near.ty.pointee().is_some_and(|(pointee, _)| pointee.is_integer()));
    assert_eq!(behind.ty.pointee().unwrap().0.kind, refused);
}

#[test]
fn the_target_is_this_machine() {
    let target = zoo().target;
    assert!(target.triple.starts_with(std::env::consts::ARCH), "{}", target.triple);
    assert_eq!(target.pointer_bits, 64);
    assert_eq!(target.char_signed, cfg!(target_arch = "x86_64"));
}
