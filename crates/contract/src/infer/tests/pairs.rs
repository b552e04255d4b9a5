//! Functions that are each other's mirror: what the one makes the other releases.

use super::library::{check, header, inferred};

/// The release of the only type of a header.
fn release(declarations: &[&str]) -> Option<String> {
    inferred(&header(declarations)).0.into_iter().next().and_then(|found| found.release)
}

#[test]
fn what_makes_and_what_ends_are_called_the_same() {
    let face = &["int FT_New_Face(const char *path, full_face **aface)", "int FT_Done_Face(full_face *face)"];
    check(
        face,
        &[
            ("int FT_New_Face(const char *path, full_face **aface)", "text made(FT_Done_Face) -> value"),
            ("int FT_Done_Face(full_face *face)", "ended -> value"),
            ("unsigned FT_Get_Char_Index(full_face *face, unsigned long code)", "object value -> value"),
        ],
    );
    let instance = &["state *EncoderCreateInstance(void)", "void EncoderDestroyInstance(state *s)"];
    check(instance, &[("state *EncoderCreateInstance(void)", "-> owned")]);
    // A type has one release; what else is made and released is asked for.
    let both = [
        "ctx *createCtx(void)",
        "int freeCtx(ctx *c)",
        "ctx *createStream(int level, int mode)",
        "int freeStream(ctx *c)",
    ];
    check(&both, &[("ctx *createCtx(void)", "-> owned"), ("int freeStream(ctx *c)", "ended -> value")]);
    assert_eq!(release(&both).as_deref(), Some("freeCtx"));
}

#[test]
fn what_only_closes_is_another_thing() {
    for (declarations, expect) in [
        (
            &["reader *newReader(void)", "void freeReader(reader *r)", "int readerClose(reader *r)"][..],
            "freeReader",
        ),
        (
            &["cr *cr_create(int w, int h)", "void cr_destroy(cr *c)", "void cr_close_path(cr *c)"],
            "cr_destroy",
        ),
    ] {
        assert_eq!(release(declarations).as_deref(), Some(expect), "{declarations:?}");
    }
    for declarations in [
        // What closes may be the release where it is the mirror of what opens, and `put` gives up one of several.
        &["mixer *mixer_open(void)", "void mixer_free(mixer *m)", "int mixer_close(mixer *m)"][..],
        &["job *job_new(const char *n)", "void job_free(job *j)", "void job_put(job *j)"],
        &[
            "thing *thing_new(void)",
            "void thing_free(thing *t)",
            "void thing_close(thing *t)",
            "void thing_unload(thing *t)",
        ],
    ] {
        assert_ne!(
            release(declarations).as_deref(),
            declarations[1].split(['*', ' ', '(']).nth(1),
            "{declarations:?}"
        );
    }
}

#[test]
fn what_is_not_the_mirror_releases_nothing() {
    for declarations in [
        // It empties what the other one releases; it deletes what the object stands for.
        &["int reference_create(ref **out)", "int reference_delete(ref *r)", "void reference_free(ref *r)"][..],
        &["int get_new_item(item **out)", "void get_free_item(item *i)"],
        &["int thing_open(thing *t)", "void thing_stop(thing *t)", "int thing_start(thing *t)"],
        &["thing *thing_new(void)", "void thing_free(thing *t, int how)"],
        &[
            "record *record_create(const char *n)",
            "int record_delete(record *r)",
            "int record_decref(record *r)",
        ],
        &["job *job_new(const char *n)", "void job_done(job *j)", "void job_put(job *j)"],
        &["thing *thing_new(void)", "char *thing_close(thing *t)", "void thing_end_all(thing *t)"],
    ] {
        let found = release(declarations);
        assert!(found.is_none() || found.as_deref() == Some("reference_free"), "{declarations:?}: {found:?}");
    }
    // What goes in may own what comes out.
    let open = ["int db_open(const char *path, db **out)", "int db_close(db *d)"];
    check(&open, &[("int db_open_in(lock *l, db **out)", "? ? -> value")]);
}

#[test]
fn what_is_called_free_may_make_and_what_is_opened_is_closed() {
    let library = &["int FT_Init_FreeType(lib **l)", "int FT_Done_FreeType(lib *l)"];
    check(
        library,
        &[
            ("int FT_Init_FreeType(lib **l)", "made(FT_Done_FreeType) -> value"),
            ("int FT_Done_FreeType(lib *l)", "ended -> value"),
        ],
    );
    let file = &[
        "tif *TIFFOpen(const char *name, const char *mode)",
        "void TIFFClose(tif *t)",
        "void TIFFCleanup(tif *t)",
        "void TIFFFreeDirectory(tif *t)",
    ];
    check(
        file,
        &[
            ("tif *TIFFOpen(const char *name, const char *mode)", "text text -> owned"),
            ("void TIFFClose(tif *t)", "ended -> void"),
            ("void TIFFCleanup(tif *t)", "? -> void"),
            ("void TIFFFreeDirectory(tif *t)", "? -> void"),
        ],
    );
    // Two close what is opened.
    let db = [
        "int db_open(const char *n, db **d)",
        "int db_close(db *d)",
        "int db_close_v2(db *d)",
        "void db_release_memory(db *d)",
    ];
    assert_eq!(release(&db), None);
    // What is closed and was not opened may still be there; what frees by the pointer to the pointer makes nothing.
    assert_eq!(
        release(&["file *file_get(int n)", "int file_close(file *f)", "void file_cleanup(file *f)"]),
        None
    );
    assert_eq!(
        release(&["frame *frame_new(int n)", "void frame_free(frame **f)", "void frame_close(frame *f)"]),
        None
    );
}

#[test]
fn what_frees_something_else_is_no_rival() {
    let object = [
        "object *object_find(int n)",
        "void object_free(object *o)",
        "void object_free_node_list(object *o)",
    ];
    assert_eq!(release(&object).as_deref(), Some("object_free"));
    // What is counted is let go of, and not freed: `Tcl_DbIncrRefCount(object, file, line)`.
    let counted = [&object[..], &["void object_incr_ref_count(object *o, int line)"]].concat();
    assert_eq!(release(&counted), None);
    // `delete` and `release` may be of what it stands for, and two of a kind are one too many.
    assert_eq!(release(&[object[0], "void object_delete(object *o)", object[2]]), None);
    assert_eq!(release(&[object[0], object[1], "void object_unref(object *o)"]), None);
}

#[test]
fn a_constructor_may_be_called_as_its_release_is() {
    let url = &["url *curl_url(void)", "void curl_url_cleanup(url *u)"];
    check(
        url,
        &[("url *curl_url(void)", "-> owned"), ("url *curl_urls(void)", "-> ?"), ("url *curl(void)", "-> ?")],
    );
    check(url, &[("url *curl_url_get(void)", "-> ?")]);
}

#[test]
fn what_is_allocated_or_begun_has_a_mirror_under_other_words() {
    for (maker, end) in [
        ("int info_malloc(info **out)", "void info_free(info *i)"),
        ("int info_allocate_list(info **out)", "void info_free_list(info *i)"),
        ("int info_init(info **out)", "void info_deinit(info *i)"),
        ("int info_new(info **out)", "void info_del(info *i)"),
    ] {
        let name = end.split(['(', ' ']).nth(1).unwrap_or_default();
        let made = format!("made({name}) -> value");
        check(
            &[maker, end, "int info_size(const info *i)"],
            &[(maker, made.as_str()), (end, "ended -> void")],
        );
    }
}

/// What asks, goes on, or is about something else is no end, whatever it is called.
#[test]
fn a_question_is_no_end_and_nor_is_what_goes_on() {
    let see = |declarations: &[&str], doc: &str| {
        let mut api = super::library::header(declarations);
        api.functions[0].doc = (!doc.is_empty()).then(|| doc.to_owned());
        let function = api.functions[0].clone();
        let mut draft = super::empty(&function);
        let verdict = super::infer_in(&function, &api, &super::library::known(&api), &mut draft);
        super::describe(&draft, &verdict)
    };
    let make = "item *item_create(int n)";
    for (end, doc) in [
        ("int item_done(item *i)", "Whether the job is done."),
        ("int item_end(item *i)", "Returns 1 when there is nothing left."),
        ("int item_finish(item *i)", "Checks that it is over."),
        ("int item_done(item *i)", "Is it over?"),
        ("int item_done(item *i)", "Tests whether it is over."),
        ("int item_delete(item *i)", "Deletes the file from the disk."),
        ("void item_release(item *i)", "Simulates that the key is released."),
        ("void item_close(item *i)", "Closes the window on screen. It can be shown again."),
        ("void item_drop(item *i)", "Lets the ball fall."),
        ("int item_finish(item *i)", "Ends the document. A new one can be begun with item_feed()."),
        ("void item_end(item *i)", "Ends the frame. The item can be used for the next one."),
        ("void item_close(item *i)", "Closes it. It is reused by item_open()."),
    ] {
        assert!(see(&[end, make], doc).starts_with("? -> "), "{end} {doc}");
    }
    for (end, doc) in [
        ("int item_done(item *i)", "Frees the item."),
        ("int item_close(item *i)", "Closes the item."),
        ("int item_end(item *i)", "Returns 0. The item is freed."),
    ] {
        assert!(!see(&[end, make], doc).starts_with("? -> "), "{end} {doc}");
    }
    // What undoes something else.
    assert!(see(&["void item_release(item *i)", make, "void item_press(item *i)"], "").starts_with("? -> "));
    assert!(see(&["void item_close(item *i)", make, "void item_show(item *i)"], "").starts_with("? -> "));
}

#[test]
fn what_empties_a_structure_is_no_end_beside_what_ends_it() {
    let begun = ["int full_flow_init(full_flow *f)", "void full_flow_clear(full_flow *f)"];
    let run = "int full_flow_run(full_flow *f)";
    super::library::check(&begun, &[(run, "resident -> value")]);
    for end in ["dispose", "dealloc", "kill", "end"] {
        let end = format!("void full_flow_{end}(full_flow *f)");
        let clear = "void full_flow_clear(full_flow *f)";
        let expect = if end.contains("_end") { "resident -> void" } else { "? -> void" };
        super::library::check(&[begun[0], &end, run], &[(clear, expect)]);
    }
}

#[test]
fn what_takes_more_than_the_object_is_no_rival_of_what_says_that_it_frees_it() {
    let session = ["session *session_find(int flags)", "int session_free(session *s)"];
    for (other, expect) in [
        // It frees what it is given besides.
        ("void session_free_memory(session *s, void *memory)", Some("session_free")),
        ("void session_free(session *s, void *memory)", None),
        // Several of them, and all of a list.
        ("void session_free_list(session **all, int deep)", Some("session_free")),
        ("void session_free_three(session *all[3])", Some("session_free")),
        ("void session_destroy(session **s)", None),
        ("void session_freep(session **s)", None),
        ("void session_destroy(session *s, int wipe)", None),
        ("void session_destroy(session *s)", None),
    ] {
        let all = [&session[..], &[other]].concat();
        let all = if other.starts_with("void session_free(") { vec![session[0], other] } else { all };
        assert_eq!(release(&all).as_deref(), expect, "{other}");
    }
}

#[test]
fn who_has_a_reference_gives_it_up() {
    let object = ["object *object_new(void)", "void object_free(object *o)", "void object_unref(object *o)"];
    let and = |more: &str| release(&[&object[..], &[more]].concat());
    assert_eq!(release(&object), None, "nothing counts them");
    assert_eq!(and("void object_ref(object *o)").as_deref(), Some("object_unref"));
    assert_eq!(and("int object_get(const object *o)"), None);
    assert_eq!(and("void object_set_ref(object *o, int number)"), None);
    let deleted = [object[0], "void object_delete(object *o)", object[2], "void object_ref(object *o)"];
    assert_eq!(release(&deleted), None, "`delete` may be of what it stands for");
}

#[test]
fn what_is_finished_is_still_to_be_freed() {
    let reader = [
        "reader *reader_file_new(void)",
        "void reader_file_free(reader *r)",
        "int reader_file_finish(reader *r)",
    ];
    check(&reader, &[(reader[0], "-> owned"), (reader[2], "? -> value")]);
    // What frees any of them does not speak against the one that is called so.
    let any = [&reader[..2], &["void reader_free(reader *r)"]].concat();
    assert_eq!(release(&any).as_deref(), Some("reader_free"));
    check(&any, &[(reader[0], "-> ?"), (reader[1], "ended -> void")]);
    let kinds = [&reader[..2], &["void reader_text_free(reader *r)"]].concat();
    assert_eq!(release(&kinds), None, "neither is said of all");
}

#[test]
fn what_has_no_reference_yet_is_not_the_callers() {
    let made = |doc: &str| {
        let all = [
            "object *object_new(void)",
            "void object_free(object *o)",
            "void object_unref(object *o)",
            "void object_ref(object *o)",
        ];
        let mut function = super::prototype::parse(all[0]);
        function.doc = Some(doc.into());
        let api = header(&all);
        let mut draft = super::empty(&function);
        let verdict = super::infer_in(&function, &api, &super::library::known(&api), &mut draft);
        super::describe(&draft, &verdict)
    };
    assert_eq!(made("Makes an object."), "-> owned");
    assert_eq!(made("Makes an object with a count of zero."), "-> ?");
}

#[test]
fn what_has_a_release_of_its_own_name_is_not_released_by_another() {
    let all = [
        "archive *archive_read_new(void)",
        "int archive_read_free(archive *a)",
        "archive *archive_match_new(void)",
        "int archive_match_free(archive *a)",
        "int archive_free(archive *a)",
    ];
    let made = |function: &str, doc: &str| {
        let mut api = header(&all);
        for declared in &mut api.functions {
            declared.doc = (declared.name == "archive_free").then(|| doc.to_owned());
        }
        let function = super::prototype::parse(function);
        let mut draft = super::empty(&function);
        let verdict = super::infer_in(&function, &api, &super::library::known(&api), &mut draft);
        super::describe(&draft, &verdict)
    };
    let calls = "This calls archive_read_free() as needed.";
    assert_eq!(made(all[0], calls), "-> owned");
    assert_eq!(made(all[2], calls), "-> ?");
    for other in ["Frees an archive.", "This never calls archive_read_free()."] {
        assert_eq!(made(all[0], other), "-> ?", "{other}");
    }
}

#[test]
fn what_gives_up_a_reference_by_its_comment_is_the_release() {
    for (doc, expect) in [
        ("Decrements the reference count of the buffer.", Some("buffer_decref")),
        ("Decrements the reference count. It does not free the buffer.", None),
        ("Decrements the refresh counter.", None),
    ] {
        let mut api = header(&["buffer *buffer_find(int n)", "int buffer_decref(buffer *b)"]);
        api.functions[1].doc = Some(doc.into());
        let found = inferred(&api).0.into_iter().next().and_then(|found| found.release);
        assert_eq!(found.as_deref(), expect, "{doc}");
    }
}
