//! Objects that a function cannot change, and that something may go on using.

use super::library::{check, header, known};
use super::{describe, empty, infer_in, prototype};
use crate::infer::words::objects::{BORROWS, KEEPS_DATA, KEEPS_OBJECT};

const OTHERS: &[&str] = &[
    "db *db_open(const char *path)",
    "void db_free(db *d)",
    "item *item_new(void)",
    "void item_free(item *i)",
    "void map_free(map *m)",
    "void err_free(err *e)",
    "int db_item_cmp(int n, const item *a, const item *b)",
];

#[test]
fn an_object_that_another_goes_on_using_is_asked_for() {
    let asked = "object ? -> value";
    check(
        OTHERS,
        &[
            ("int db_set_item(db *d, const item *i)", asked),
            ("int db_setitem(db *d, const item *i)", asked),
            ("int db_bind2(db *d, const item *i)", asked),
            ("int db_bind_item(db *d, const item *i)", asked),
            ("int db_register(db *d, const item *i)", asked),
            ("int db_install_item(db *d, const item *i)", asked),
            ("int db_assign(db *d, const item *i)", asked),
            ("int db_init(db *d, const item *i)", asked),
            ("int db_start(db *d, const item *i)", asked),
            ("int db_render_with(db *d, const item *i)", asked),
            ("int db_begin_using(db *d, const item *i)", asked),
            ("int db_compress_begin_usingItem(db *d, const item *i)", asked),
            ("int item_install(const item *i, db *d)", "? ? -> value"),
            // What another of its type is told besides its value.
            ("int item_set_parent(item *i, const item *parent)", asked),
            ("int item_append(item *i, const item *child)", asked),
            ("int item_parent_set(item *i, const item *parent)", asked),
            ("int item_child_add(item *i, const item *child)", asked),
            ("int item_link_copy(item *i, const item *other)", asked),
            ("int item_shallow_copy(item *i, const item *other)", asked),
            // What it is that is set compares, and keeps no less.
            ("int db_set_compare(db *d, const item *i)", asked),
            ("int lib_set_default_compare(const item *i)", "? -> value"),
            // Either of two may have it.
            ("int db_set_both(db *d, map *m, const item *i)", "object ? ? -> value"),
        ],
    );
}

#[test]
fn every_word_that_says_that_data_is_kept_says_so_of_objects() {
    for word in KEEPS_DATA.iter().chain(BORROWS) {
        assert!(KEEPS_OBJECT.contains(word), "{word}");
    }
    let kept = "async byref cache chain conf config defer handler hooks inherit keep later listen nocopy reopen reset resume rewind \
                alias apply capture delegate embed focus hold include mirror own parent pin prefer record retain route save stash style \
                target theme tie trust walk zerocopy addctx attachconf bindkey installhook registerit setctx useconf";
    // What begins so and says something else shows no more that it is read.
    let other = "settable address binding";
    for (words, expect) in [(kept, "object ? -> value"), (other, "object ? -> value")] {
        for word in words.split_whitespace() {
            check(OTHERS, &[(&format!("int db_{word}_item(db *d, const item *i)"), expect)]);
        }
    }
    // It is what the functions of this library are about.
    check(OTHERS, &[("int config_count(const item *i)", "object -> value")]);
}

#[test]
fn what_is_asked_for_stands_before_what_is_kept() {
    check(
        OTHERS,
        &[
            ("int lib_set_get_handler(const item *i)", "? -> value"),
            ("int register_is_handler(const item *i)", "? -> value"),
            ("int lib_get_set_handler(const item *i)", "object -> value"),
            ("int item_set_get_size(const item *i)", "object -> value"),
        ],
    );
}

/// An object gets the value of another one only where others compute with such.
#[test]
fn what_is_added_to_one_of_its_kind_may_be_kept() {
    let menu = ["void map_free(map *m)", "map *map_new(void)"];
    for name in ["map_add", "map_set", "map_assign", "map_add_ui"] {
        let declaration = match name {
            "map_add_ui" => format!("int {name}(map *m, const map *other, unsigned n)"),
            _ => format!("int {name}(map *m, const map *other)"),
        };
        let (kept, value) = match name {
            "map_add_ui" => ("object ? value -> value", "object object value -> value"),
            _ => ("object ? -> value", "object object -> value"),
        };
        check(&menu, &[(&declaration, kept)]);
        check(&[menu[0], menu[1], "int map_count(const map *m)"], &[(&declaration, kept)]);
        // One verb may be anything, and what is compared is no value yet.
        let (mul, neg) = ("void map_mul(map *m, const map *by)", "void map_neg(map *m, const map *of)");
        for computes in [mul, "int map_cmp(const map *a, const map *b)", "void map_swap(map *a, map *b)"] {
            check(&[menu[0], menu[1], computes], &[(&declaration, kept)]);
        }
        check(&[menu[0], menu[1], mul, neg], &[(&declaration, value)]);
    }
}

#[test]
fn only_objects_of_one_type_are_compared() {
    check(OTHERS, &[("int item_cmp(item *i, item *other)", "object object -> value")]);
    for name in ["db_cmp", "db_compare", "db_equal"] {
        check(OTHERS, &[(&format!("int {name}(db *d, item *i)"), "object ? -> value")]);
    }
    for name in ["db_same", "db_equals"] {
        check(OTHERS, &[(&format!("int {name}(db *d, item *i)"), "object ? -> value")]);
    }
    // What is looked at has another name than what is set.
    check(
        &["void check_free(check *c)", OTHERS[0], OTHERS[1]],
        &[("int db_check(db *d, check *c)", "object ? -> value")],
    );
    check(OTHERS, &[("int db_check(db *d, item *i)", "object object -> value")]);
}

/// What compares may be what is set, and things that a name begins with may be what is done.
#[test]
fn comparing_words_and_things_may_be_what_is_kept() {
    for name in [
        "cmp_set_item",
        "cmp_register",
        "cmp_install_global",
        "sort_cmp_register",
        "compare_use",
        "compare_attach",
        "compare_set_key",
        "equal_install",
        "same_store",
        "eq_bind",
        "lib_cmp_append",
        "compare_later",
        "cmp_queue",
        "lib_equals_default",
        "compare_keep",
        "cmp_on",
        "chain_all",
        "chain_before",
        "big_chain_filter",
        "big_config_filter",
        "big_chain_to",
        "big_hooks_enable",
        "big_handler_on",
        "big_conf_load",
        "handler_apply",
        "hooks_all",
        "config_item",
        "chain",
    ] {
        for ty in ["item", "big_item"] {
            check(OTHERS, &[(&format!("int {name}(const {ty} *i)"), "? -> value")]);
        }
    }
    // In the name of the type it says what the type is.
    for name in ["cmp_set_default", "cmp_count_register", "key_cmp_register", "key_cmp_current"] {
        check(
            &["void key_cmp_free(key_cmp *c)"],
            &[(&format!("int {name}(const key_cmp *c)"), "? -> value")],
        );
    }
    for name in ["chain_count", "config_size", "handler_length", "cmp_now", "compare_to", "equal_parts"] {
        check(OTHERS, &[(&format!("int {name}(const item *i)"), "object -> value")]);
    }
}

#[test]
fn an_object_that_the_function_is_done_with_is_used() {
    let used = "object object -> value";
    check(
        OTHERS,
        &[
            ("int db_print(db *d, const item *i)", used),
            ("int db_compress_usingItem(db *d, const item *i)", used),
            ("int db_find_with(db *d, const item *i)", used),
            // What the function is called after says nothing of what it does.
            ("int map_find(map *m, const item *i)", used),
            ("int db_settings(const db *d, int n)", "object value -> value"),
            ("int item_get_default(const item *i)", "object -> value"),
            ("int item_field_set_get_size(const item *i)", "object -> value"),
            ("const char *item_get0_store(const item *i)", "object -> text"),
            ("const char *item_settable_names(const item *i)", "object -> text"),
            // What is asked, or compared, or what it is about behind what the library is called.
            ("int item_initialized(const item *i)", "object -> value"),
            ("int time_cmp_current_time(const item *i)", "object -> value"),
            ("int big_chain_length(const big_item *i)", "object -> value"),
            ("int db_equal(const db *d, const db *other)", used),
            // The value of another.
            ("int item_set(item *i, const item *other)", "object ? -> value"),
            ("int item_add_ui(item *i, const item *other, unsigned n)", "object ? value -> value"),
            ("item *item_dup(const item *i)", "object -> owned"),
        ],
    );
    // What is passed first to all functions about a thing is not noted by it.
    let behind: Vec<String> = (0..5).map(|n| format!("int item_show{n}(const db *d, item *i)")).collect();
    let all: Vec<&str> = OTHERS.iter().copied().chain(behind.iter().map(String::as_str)).collect();
    check(&all, &[("int item_set_size(const db *d, item *i, int n)", "object object value -> value")]);
    // But by what begins, joins it, or is put into it.
    check(
        &all,
        &[
            ("int item_init(const db *d, item *i)", "? object -> value"),
            ("int item_connect(const db *d, item *i, int port)", "? object value -> value"),
            ("int db_set_item(const db *d, item *i, int slot)", "? ? value -> value"),
        ],
    );
    check(&all[..8], &[("int item_set_size(const db *d, item *i, int n)", "? ? value -> value")]);
}

#[test]
fn an_object_that_what_comes_out_or_the_library_may_keep_is_asked_for() {
    check(
        OTHERS,
        &[
            ("db *db_new_with(const item *i)", "? -> ?"),
            ("db *db_create(const item *i, int n)", "? value -> ?"),
            ("int db_create_in(const item *i, db **made)", "? ? -> value"),
            ("item *item_find(const db *d)", "object -> ?"),
            ("int db_install(const item *i)", "? -> value"),
            ("void set_default_item(const item *i)", "? -> void"),
            ("int lib_set_cmp_time(const item *i)", "? -> value"),
            // What is done stands first, and no library's name.
            ("int attach_device(const attach_info *a)", "? -> value"),
            ("int register_driver(const register_desc *r)", "? -> value"),
            ("int hook_signal(const hook_spec *h, int signal)", "? value -> value"),
            ("int monitor_path(const monitor_spec *m)", "? -> value"),
            ("int db_addfeed(const item *i)", "? -> value"),
            ("int db_setseed(const item *i)", "? -> value"),
            ("int db_item_initialized(db *d, const item *i)", "object ? -> value"),
            ("int big_chain_install(const big_item *i)", "? -> value"),
            ("int big_chain(const big_item *i)", "? -> value"),
            ("int lib_init(const item *i)", "? -> value"),
            ("void item_use(const item *i, int n)", "? value -> void"),
            ("int db_use(const db *d, const item *i)", "? ? -> value"),
            ("int item_count(const item *i)", "object -> value"),
        ],
    );
}

#[test]
fn a_structure_that_stays_is_asked_for_where_another_of_its_kind_is_not() {
    let others = [
        "int full_flow_init(full_flow *f)",
        "void full_flow_end(full_flow *f)",
        "int full_base_init(full_base *b)",
        "void full_base_end(full_base *b)",
        "int full_flow_run(full_flow *f)",
        "int full_flow_cmp(const full_flow *f, const full_flow *other)",
        "void full_flow_mul(full_flow *f, const full_flow *other)",
        "void full_flow_neg(full_flow *f, const full_flow *other)",
    ];
    check(
        &others,
        &[
            ("int full_flow_set_base(full_flow *f, const full_base *b)", "resident ? -> value"),
            ("int full_flow_init_base(full_flow *f, const full_base *b)", "begun(full_flow_end) ? -> value"),
            ("int full_flow_set(full_flow *f, const full_flow *other)", "resident resident -> value"),
            (
                "int full_flow_init_set(full_flow *f, const full_flow *o)",
                "begun(full_flow_end) resident -> value",
            ),
            ("int full_flow_print(full_flow *f, const full_base *b)", "resident resident -> value"),
        ],
    );
}

/// What is asked about a declaration with this comment: the reason and the line.
fn asked(declaration: &str, doc: &str) -> (String, Vec<(String, Option<String>)>) {
    let api = header(&[OTHERS, &[declaration]].concat());
    let mut function = prototype::parse(declaration);
    function.doc = Some(doc.into());
    let mut draft = empty(&function);
    let verdict = infer_in(&function, &api, &known(&api), &mut draft);
    let gaps = match &verdict {
        crate::infer::Verdict::Open(gaps) => {
            gaps.iter().map(|gap| (gap.reason.clone(), gap.help.clone())).collect()
        }
        other => panic!("{other:?}"),
    };
    (describe(&draft, &verdict), gaps)
}

#[test]
fn the_lines_are_that_it_is_kept_and_that_it_is_not() {
    for (declaration, reason, until) in [
        (
            "int db_set_item(db *d, const item *i)",
            "`d` may keep `i` after the call, although it is `const`",
            "d",
        ),
        (
            "db *db_new_with(const item *i)",
            "the object that comes out may keep `i`, although it is `const`",
            "result",
        ),
        (
            "int db_create_in(const item *i, db **made)",
            "`made` may keep `i` after the call, although it is `const`",
            "made",
        ),
        (
            "int db_install(const item *i)",
            "the library may keep `i` after the call, although it is `const`",
            "none",
        ),
        (
            "db *db_new_in(map *m, const item *i)",
            "the library may keep `i` after the call, although it is `const`",
            "none",
        ),
        (
            "int db_set_item(db *d, const item *i, err **error)",
            "`d` may keep `i` after the call, although it is `const`",
            "d",
        ),
        (
            "db *db_open_with(const item *i, err **error)",
            "the object that comes out may keep `i`, although it is `const`",
            "result",
        ),
        (
            "int db_set_both(db *d, map *m, const item *i)",
            "the library may keep `i` after the call, although it is `const`",
            "none",
        ),
    ] {
        let line = format!(
            "params.i = {{ in = \"handle\", until = \"{until}\" }} # or {{ in = \"handle\" }} when nothing goes on using it"
        );
        let (_, gaps) = asked(declaration, "");
        assert!(gaps.contains(&(reason.to_owned(), Some(line))), "{declaration}: {gaps:?}");
    }
}

#[test]
fn comments_say_that_it_is_kept_or_copied() {
    let see = |declaration: &str, doc: &str| asked(declaration, doc).0;
    let shows = "int db_print(db *d, const item *i)";
    assert_eq!(see(shows, "Shows. The item must outlive the database."), "object ? -> value");
    let sets = "int db_set_item(db *d, const item *i)";
    for copied in [
        "The item is copied.",
        "Sets it. The item is copied internally, so it can be freed after the call.",
        "The item will be immediately copied.",
        "`i` is copied.",
        "i is copied before the function returns.",
    ] {
        assert_eq!(see(sets, copied), "object object -> value", "{copied}");
    }
    for noted in [
        "Sets the item, which is copied.",
        "The argument is copied internally.",
        "The database has a copy of it.",
        "To keep a copy of the item, use item_dup().",
        "The callback is copied internally.",
        "The item is copied to the archive.",
        "The item is copied on demand.",
        "The item is copied. Until then it is used.",
        "If the flag is set, the item is copied.",
        "The item is copied (unless it is constant).",
        "The item is copied into the page when it is written.",
        "The item is copied and stays with its parts.",
        "The pointer is copied.",
        "The reference is copied.",
        "The item is copied by reference.",
        "The name of the item is copied.",
        "Only the pointer to the item is copied.",
        "A shallow copy is made: the item is copied internally, without its parts.",
        "The text is copied.",
    ] {
        assert_eq!(see(sets, noted), "object ? -> value", "{noted}");
    }
    for kept in [
        "The item must be valid for the lifetime of the database.",
        "The item is kept alive by nobody.",
        "The database keeps a reference to it.",
        "The database stores a pointer to the item.",
        "The database retains the item.",
        "You must not free the item while the database is in use.",
        "The item must not be destroyed before the database.",
    ] {
        assert_eq!(see(shows, kept), "object ? -> value", "{kept}");
    }
    assert_eq!(see(shows, "The result must not be freed while it is in use."), "object object -> value");
    assert_eq!(see(sets, "Sets the item, which is not copied."), "object ? -> value");
}

#[test]
fn an_object_that_is_not_const_may_be_kept_or_taken_over() {
    let used = "{ in = \"handle\" } when nothing goes on using it";
    let kept = |until: &str| {
        format!(
            "params.i = {{ in = \"handle\", until = \"{until}\" }} # or {{ in = \"consumed\" }} when it is taken over; or {used}"
        )
    };
    let taken = |until: &str| {
        format!(
            "params.i = {{ in = \"consumed\" }} # or {{ in = \"handle\", until = \"{until}\" }} when it stays the caller's, and is used later; or {used}"
        )
    };
    for (declaration, reason, line) in [
        ("int db_attach(db *d, item *i)", "`d` may keep `i`, or take it over", kept("d")),
        ("int db_attach_item(db *d, item *i)", "`d` may keep `i`, or take it over", taken("d")),
        ("int db_set_item(db *d, item *i, int n)", "`d` may keep `i`, or take it over", taken("d")),
        ("int db_watch(db *d, item *i)", "`d` may keep `i`, or take it over", kept("d")),
        (
            "int db_add(db *d, const item *i)",
            "`d` may keep `i`, or take it over, although it is `const`",
            kept("d"),
        ),
        // Nothing would ever release what is kept until the worker ends.
        (
            "int item_register(item *i)",
            "the library may keep `i`, or take it over",
            "params.i = { in = \"handle\" } # or { in = \"handle\", until = \"none\" } when the library goes on using it; or { in = \"consumed\" } when it is taken over".to_owned(),
        ),
        ("db *db_new_on(item *i)", "the object that comes out may keep `i`, or take it over", kept("result")),
        ("int db_open_on(item *i, db **made)", "`made` may keep `i`, or take it over", kept("made")),
        // What comes out is asked for before the other one that goes in.
        (
            "db *db_open_in(map *m, item *i)",
            "the object that comes out may keep `i`, or take it over",
            kept("result"),
        ),
        (
            "int item_add_to_map(item *i, map *m)",
            "`m` may keep `i`, or take it over",
            format!("params.i = {{ in = \"handle\", until = \"m\" }} # or {used}; or {{ in = \"consumed\" }} when it is taken over"),
        ),
        (
            "int item_add_to_map(item *i, map *m)",
            "`i`, which is put into `m`, may go on using that",
            "params.m = { in = \"handle\" } # or { in = \"handle\", until = \"i\" } when `i` goes on using it".to_owned(),
        ),
        // Nothing says that anything keeps it.
        (
            "int db_visit(db *d, item *i)",
            "the function may take over `i`",
            "params.i = { in = \"handle\" } # or { in = \"consumed\" } when it is taken over".to_owned(),
        ),
        (
            "int item_release(item *i, int n)",
            "the function is called like one that releases `i`",
            "params.i = { in = \"consumed\" } # or { in = \"handle\" } when it lives on".to_owned(),
        ),
    ] {
        let (_, gaps) = asked(declaration, "");
        assert!(gaps.contains(&(reason.to_owned(), Some(line))), "{declaration}: {gaps:?}");
    }
    // The array is what something is added to.
    check(OTHERS, &[("int item_add_to_map(item *i, map *m)", "? ? -> value")]);
    check(OTHERS, &[("int item_add_item_to_array(item *array, item *i)", "object ? -> value")]);
}

#[test]
fn a_structure_that_is_not_const_may_be_kept() {
    let others = [
        "int full_flow_init(full_flow *f)",
        "void full_flow_end(full_flow *f)",
        "int full_base_init(full_base *b)",
        "void full_base_end(full_base *b)",
    ];
    check(
        &others,
        &[
            ("int full_flow_set_base(full_flow *f, full_base *b)", "resident ? -> value"),
            ("int full_flow_swap(full_flow *f, full_flow *other)", "resident resident -> value"),
            ("int full_flow_reset(full_flow *f)", "resident -> value"),
            ("int full_base_add_to_flow(full_base *b, full_flow *f)", "? ? -> value"),
        ],
    );
}
