//! Functions of fields, and fields that are set for a call, as C and as errors.

use super::*;
use crate::check::tests::record;

/// A library whose objects have fields.
fn cars() -> Api {
    let mut api = api(&[
        "db *make(void)",
        "int walk(db *car, int n)",
        "void turn(struct point *w)",
        "void look(const struct line *w)",
    ]);
    let fields: &[&str] = &[
        "int id",
        "const int fixed",
        "unsigned gears : 3",
        "const char *name",
        "int rides[3]",
        "char trail[]",
        "char **words[2]",
        "struct point spare",
        "struct mixed room",
        "stmt *motor",
        "plain report",
        "long double exact",
    ];
    api.records.insert("db".into(), record("struct db", Some(fields)));
    api
}

fn added(lines: &str) -> Result<Vec<String>, String> {
    let text = format!("hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n{lines}\n");
    let mut contract = Contract::parse(&text, "bind.toml").map_err(|found| render(&found, &text, false))?;
    match add_forms(&mut contract, &cars(), Exports { functions: None, variables: None }) {
        Ok(warnings) if warnings.is_empty() => Ok(contract.added().to_vec()),
        Ok(found) | Err(found) => Err(render(&found, &text, false)),
    }
}

fn check(lines: &str, expect: &[&str]) {
    assert_eq!(added(lines).unwrap(), expect, "{lines}");
}

#[test]
fn a_field_is_a_function_in_c() {
    check(
        "handle.db = { get = [\"{id,fixed,gears,name}\", \"spare\", \"spare.x\"] }",
        &[
            "/** Reads the field `id` of a `db`. */ static inline int (db_get_id)(db *object) { return object->id; }",
            "/** Reads the field `fixed` of a `db`. */ static inline int (db_get_fixed)(db *object) { return object->fixed; }",
            "/** Reads the field `gears` of a `db`. */ static inline unsigned (db_get_gears)(db *object) { return object->gears; }",
            "/** Reads the field `name` of a `db`. */ static inline const char *(db_get_name)(db *object) { return object->name; }",
            "/** Reads the field `spare` of a `db`. */ static inline struct point (db_get_spare)(db *object) { return object->spare; }",
            "/** Reads the field `spare.x` of a `db`. */ static inline int (db_get_spare_x)(db *object) { return object->spare.x; }",
        ],
    );
    check(
        "handle.db = { get = [\"rides\", \"trail\"], set = [\"rides\", \"spare.y\", \"report\"], has = [\"motor\", \"report\"] }",
        &[
            "/** Reads the field `rides` of a `db`. */ static inline void (db_get_rides)(db *object, int values[3]) { __builtin_memcpy(values, object->rides, sizeof object->rides); }",
            "/** Reads the field `trail` of a `db`. */ static inline char *(db_get_trail)(db *object) { return object->trail; }",
            "/** Changes the field `rides` of a `db`. */ static inline void (db_set_rides)(db *object, const int value[3]) { __builtin_memcpy(object->rides, value, sizeof object->rides); }",
            "/** Changes the field `spare.y` of a `db`. */ static inline void (db_set_spare_y)(db *object, double value) { object->spare.y = value; }",
            "/** Changes the field `report` of a `db`. */ static inline void (db_set_report)(db *object, plain value) { object->report = value; }",
            "/** Whether there is something behind the field `motor` of a `db`. */ static inline _Bool (db_has_motor)(db *object) { return object->motor != 0; }",
            "/** Whether there is something behind the field `report` of a `db`. */ static inline _Bool (db_has_report)(db *object) { return object->report != 0; }",
        ],
    );
    // A pattern is about what can be had, and a member of a union when something says that it is there.
    check(
        "handle.db = { set = [\"{fixed,room*,exact}\"], get = [\"room.*\"] }\nfunction.db_get_room_a.requires = \"db_get_id(object) == 1\"",
        &[
            "/** Reads the field `room.a` of a `db`. */ static inline int (db_get_room_a)(db *object) { return object->room.a; }",
        ],
    );
    let resident = "struct.point = { resident = true, get = [\"x\"] }";
    check(
        resident,
        &[
            "/** Reads the field `x` of a `point`. */ static inline int (point_get_x)(struct point *object) { return object->x; }",
        ],
    );
}

#[test]
fn what_is_no_field_is_said() {
    for (lines, expect) in [
        ("handle.db = { get = [\"idd\"] }", "`db` has no field `idd`"),
        ("handle.db = { get = [\"idd\"] }", "did you mean `id`?"),
        ("handle.db = { get = [\"none*\"] }", "`db` has no field `none*`"),
        ("handle.stmt = { get = [\"id\"] }", "the headers do not say which fields a `stmt` has"),
        ("handle.db = { set = [\"fixed\"] }", "`fixed` of `db`: it is `const`"),
        ("handle.db = { set = [\"spare\"] }", "it is a structure: say which of its fields are meant"),
        (
            "handle.db = { get = [\"report\"] }",
            "it is a pointer to a function: `has` says whether it is there",
        ),
        ("handle.db = { has = [\"id\"] }", "`has` is about pointers, and this is none"),
        ("handle.db = { get = [\"words\"] }", "arrays of numbers are what is read"),
        ("handle.db = { set = [\"trail\"] }", "arrays of numbers with a length are what is written"),
        ("handle.db = { get = [\"exact\"] }", "its type is not supported"),
        (
            "handle.db = { get = [\"room.b\"] }",
            "it is a member of a union, and nothing says when it is there",
        ),
        ("handle.db = { get = [\"room.b\"] }", "[function.db_get_room_b]"),
        ("handle.db = { get = [\"a b\"] }", "is no field and no pattern"),
        ("struct.point = { get = [\"x\"] }", "`get`, `set` and `has` are about objects"),
    ] {
        let said = added(lines).expect_err(lines);
        assert!(said.contains(expect), "{lines}\n{said}");
    }
}

#[test]
fn fields_are_set_around_the_call() {
    check(
        "function.walk.with.car = \"int (*report)(int x), int id\"",
        &[
            "static inline int (hotcell_form_of_walk)(db *car, int (*report)(int x), int id, int n) { \
             __typeof__(car->report) hotcell_was_report = car->report; car->report = report; \
             __typeof__(car->id) hotcell_was_id = car->id; car->id = id; \
             int hotcell_returned = (walk)(car, n); car->id = hotcell_was_id; car->report = hotcell_was_report; \
             return hotcell_returned; }",
            "#undef walk",
            "#define walk hotcell_form_of_walk",
        ],
    );
    check(
        "[function.spare]\nof = \"turn\"\nparams.w = { in = \"part\", of = \"db.spare\" }",
        &["/** Calls `turn`. */ static inline void (spare)(db *w) { (turn)(&w->spare); }"],
    );
    check(
        "function.look.with.w = \"struct point to\"\nfunction.look.params.w = { in = \"fields\" }",
        &[
            "static inline void (hotcell_form_of_look)(struct point to) { \
             struct line hotcell_made_w; __builtin_memset(&hotcell_made_w, 0, sizeof hotcell_made_w); \
             hotcell_made_w.to = to; (look)(&hotcell_made_w); }",
            "#undef look",
            "#define look hotcell_form_of_look",
        ],
    );
    for (lines, expect) in [
        ("function.look.params.w = { in = \"fields\" }", "nothing says which fields `w` is made of"),
        ("function.walk.with.n = \"int id\"", "`n` is `int`, which points to no fields"),
        ("function.walk.with.cra = \"int id\"", "`walk` has no parameter `cra`"),
        ("function.walk.with.car = \"int idd\"", "`car` has no field `idd`"),
        ("function.walk.with.car = \"int\"", "these are no fields in C"),
        ("function.turn.params.w = { in = \"part\", of = \"spare\" }", "`spare` is no field of an object"),
        (
            "function.turn.params.w = { in = \"part\", of = \"bd.spare\" }",
            "the headers use no structure `bd`",
        ),
        ("function.turn.params.w = { in = \"part\", of = \"db.spar\" }", "`db` has no field `spar`"),
        (
            "function.look.params.w = { in = \"part\", of = \"db.spare\" }",
            "`db.spare` is `struct point`, and `w` is",
        ),
    ] {
        let said = added(lines).expect_err(lines);
        assert!(said.contains(expect), "{lines}\n{said}");
    }
}
