//! Objects that look as if they were released, lent or made by what they are not.

use crate::infer::tests::library::{check, header, inferred, known};
use crate::infer::tests::{describe, empty, infer_in};

/// The release of a type.
fn release(declarations: &[&str], name: &str) -> Option<String> {
    inferred(&header(declarations)).0.into_iter().find(|found| found.name == name)?.release
}

/// What becomes of the last function, which has a comment.
fn documented(declarations: &[&str], doc: &str) -> String {
    let mut api = header(declarations);
    let last = api.functions.last_mut().expect("there is a function");
    last.doc = Some(doc.into());
    let function = last.clone();
    let mut draft = empty(&function);
    let verdict = infer_in(&function, &api, &known(&api), &mut draft);
    describe(&draft, &verdict)
}

#[test]
fn what_was_acquired_is_not_released_for_good() {
    let lock = ["lock *lock_create(void)", "int lock_acquire(lock *l)", "int lock_release(lock *l)"];
    let and = [&lock[..], &["int lock_close(lock *l)"]].concat();
    assert_ne!(release(&lock, "lock").as_deref(), Some("lock_release"));
    assert_ne!(release(&and, "lock").as_deref(), Some("lock_release"));
    check(&and, &[("int lock_release(lock *l)", "? -> value")]);
    // Of two ends `drop` and `delete` say less than `free`.
    let table = ["table *table_new(void)", "int table_delete(table *t)", "int table_finish(table *t)"];
    assert_eq!(release(&table, "table"), None);
    let retained = ["box *box_create(void)", "void box_retain(box *b)", "void box_release(box *b)"];
    assert_eq!(release(&retained, "box").as_deref(), Some("box_release"));
}

#[test]
fn what_is_deleted_beside_what_is_closed_is_not_the_object() {
    let mail = [
        "message *mailbox_find(const char *id)",
        "int message_delete(message *m)",
        "int mailbox_close_message(message *m)",
    ];
    assert_eq!(release(&mail, "message"), None);
    let table =
        ["table *table_find(const char *n)", "int table_drop(table *t)", "int finish_statement_on(table *t)"];
    assert_eq!(release(&table, "table"), None);
    let freed = ["message *mailbox_find(const char *id)", "void message_free(message *m)", mail[2]];
    assert_eq!(release(&freed, "message"), None);
    let path = ["cr *cr_find(int w)", "void cr_destroy(cr *c)", "void cr_close_path(cr *c)"];
    assert_eq!(release(&path, "cr").as_deref(), Some("cr_destroy"));
}

#[test]
fn what_is_freed_through_its_pointer_is_not_released_otherwise() {
    let frame = [
        "full_frame *frame_alloc(void)",
        "void frame_unref(full_frame *f)",
        "void frame_free(full_frame **f)",
    ];
    assert_eq!(release(&frame, "full_frame"), None);
    check(&frame, &[("void frame_unref(full_frame *f)", "? -> void")]);
}

#[test]
fn a_twin_has_comments_of_its_own() {
    let twins = [
        "int db_is_utf16(db *d)",
        "const char *db_name(db *d)",
        "const void *db_name16(db *d)",
        "const char *db_path(db *d)",
        "const void *db_path16(db *d)",
        "const char *db_kind(db *d)",
        "const void *db_kind16(db *d)",
        "void db_free(db *d)",
        "const char *db_msg(db *d)",
        "int db_exec(db *d, const char *sql)",
    ];
    let see = |more: &[&str], doc| documented(&[&twins[..], more].concat(), doc);
    let (message, exec) = ("const void *db_msg16(db *d)", "int db_exec16(db *d, const void *sql)");
    assert_eq!(see(&[message], "The message."), "object -> text16");
    assert_eq!(see(&[message], "Newly allocated; it must be freed with free()."), "object -> ?");
    assert_eq!(see(&[message], "It is not NUL-terminated."), "object -> ?");
    assert_eq!(see(&["const void *db_msg16(db *d) malloc"], "The message."), "object -> ?");
    assert_eq!(see(&["void db_free_text(const void *t)", message], "The message."), "object -> ?");
    assert_eq!(see(&["int db_msg16_bytes(db *d)", message], "The message."), "object -> ?");
    assert_eq!(see(&[exec], "Runs it."), "object utf16 -> value");
    assert_eq!(see(&[exec], "It is not copied and must remain valid."), "object ? -> value");
}

#[test]
fn what_is_another_one_tomorrow_is_no_constant() {
    let units = [
        "const struct unit *lib_metre(void)",
        "const struct unit *lib_second(void)",
        "const struct unit *lib_gram(void)",
        "const struct unit *lib_mole(void)",
        "const struct unit *lib_kelvin(void)",
        "int lib_set_ampere(const char *name)",
    ];
    check(
        &units,
        &[
            ("const struct unit *lib_lux(void)", "-> constant"),
            ("const struct unit *lib_preferred(void)", "-> ?"),
            ("const struct unit *lib_latest(void)", "-> ?"),
            ("const struct unit *lib_scratch(void)", "-> ?"),
            ("const struct unit *lib_this(void)", "-> ?"),
            ("const struct unit *lib_ampere(void)", "-> ?"),
        ],
    );
    let lux = [&units[..], &["const struct unit *lib_lux(void)"]].concat();
    assert_eq!(documented(&lux, "The unit of light."), "-> constant");
    assert_eq!(documented(&lux, "The unit of light; replaced by lib_prefer()."), "-> ?");
    assert_eq!(documented(&lux, "The unit of light, valid until it is read again."), "-> ?");
}

#[test]
fn a_part_that_holds_the_object_is_not_cleared() {
    check(
        &["void message_free(message *m)", "message *message_new(void)"],
        &[
            ("int message_move_to_trash(message *m)", "? -> value"),
            ("int message_move_to_next(message *m)", "object -> value"),
            ("int message_swap_owner(message *m, int who)", "? value -> value"),
            ("int message_clear_ref(message *m, int which)", "? value -> value"),
            ("int message_clear_flag(message *m, int which)", "object value -> value"),
        ],
    );
}

#[test]
fn data_beside_an_allocator_is_not_left_out() {
    let doc = "If both functions are NULL, the default allocator is used.";
    let functions = "void *(*alloc_func)(void *, size_t), void (*free_func)(void *, void *), void *opaque";
    let face = format!("face *face_create(const void *data, size_t length, {functions})");
    assert_eq!(documented(&[&face], doc), "? value fixed fixed fixed -> ?");
    let run = format!("int run(void *ctx, {functions})");
    assert_eq!(documented(&[&run], doc), "? fixed fixed ? -> value");
    let counted = format!("int run({functions}, size_t opaque_size)");
    assert_eq!(documented(&[&counted], doc), "fixed fixed ? value -> value");
    // The result is NULL, and no function.
    let returned = "Returns memory that malloc is used for, or NULL on failure.";
    let run = format!("int run({functions})");
    assert_eq!(documented(&[&run], returned), "? ? ? -> value");
    assert_eq!(documented(&[&run], "malloc is used, or NULL on error."), "? ? ? -> value");
}

#[test]
fn a_handle_of_everything_is_of_no_type() {
    let names = |declarations: &[&str]| -> Vec<String> {
        inferred(&header(declarations)).0.into_iter().map(|found| found.name).collect()
    };
    let none: [String; 0] = [];
    let all = |name: &str| {
        names(&[
            &format!("{name} cx_db_open(const char *path)"),
            &format!("{name} cx_stmt_new({name} db, const char *sql)"),
            &format!("int cx_db_close({name} h)"),
            &format!("int cx_stmt_free({name} h)"),
            &format!("int cx_stmt_step({name} h)"),
        ])
    };
    assert_eq!(all("handle_t"), none);
    assert_eq!(all("cx_handle"), none);
}

#[test]
fn structures_that_callers_have_are_no_objects() {
    let found =
        |declarations: &[&str]| inferred(&header(declarations)).0.iter().any(|found| found.name == "full_pw");
    let add = "full_pw *pw_add(const char *name)";
    assert!(found(&[add]));
    // It is found, and may be filled as well.
    assert!(!found(&["full_pw *pw_lookup(const char *name)"]));
    for filled in [
        "int pw_lookup_into(full_pw *entry, const char *name)",
        "int getpw_r(const char *name, full_pw *entry)",
        "int pw_next(full_pw *entry)",
        "int pw_read(full_pw *entry, int fd)",
    ] {
        assert!(!found(&[add, filled]), "{filled}");
        // What frees an array of pointers says nothing of one.
        assert!(!found(&[add, filled, "void pw_free_all(full_pw **all)"]), "{filled}");
    }
}
