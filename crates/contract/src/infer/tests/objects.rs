//! Objects: which types are, what releases them, who uses them, and who makes them.

use hotcell_model::Fact;
use hotcell_model::interface::{Ownership, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use super::library::{check, header, inferred, known};
use super::{describe, empty, infer_in};
use crate::infer::functions::Functions;
use crate::infer::handles::{InferredHandle, Library, Pairs, types};

/// The release of a type, `-` when there is none, `no handle`.
fn release(declarations: &[&str], name: &str) -> String {
    let found: Vec<InferredHandle> = inferred(&header(declarations)).0;
    match found.into_iter().find(|found| found.name == name) {
        Some(found) => found.release.unwrap_or_else(|| "-".into()),
        None => "no handle".into(),
    }
}

#[test]
fn declared_structures_are_handles() {
    let found =
        inferred(&header(&["int stmt_step(stmt *s)", "void use(struct open_point *p)", "int n(void)"])).0;
    let names: Vec<_> =
        found.iter().map(|found| (found.name.as_str(), found.c_type.as_str(), found.rule)).collect();
    assert_eq!(names, [("stmt", "stmt *", "opaque-handle")]);
    let pointers = inferred(&header(&["int gzeof(gzFile file)", "int gzdirect(gzFile file)"])).0;
    assert_eq!((pointers[0].name.as_str(), pointers[0].c_type.as_str()), ("gzFile", "gzFile"));
}

#[test]
fn numbers_that_are_made_and_released_are_the_beginning_of_an_object() {
    let made = [
        "plain_value *value_new(int n)",
        "void value_free(plain_value *v)",
        "int value_size(const plain_value *v)",
        "int value_type(const plain_value *v)",
        "int value_extend(plain_value *v, const plain_value *other)",
        "int value_set(plain_value *v, int n)",
    ];
    let and = |more: &[&'static str]| -> Vec<&str> { made.iter().chain(more).copied().collect() };
    assert_eq!(release(&made, "plain_value"), "value_free");
    // Of what few functions take the numbers are wanted.
    assert_eq!(release(&made[..5], "plain_value"), "no handle");
    // Callers have some of their own, or nothing makes or releases one.
    for others in ["void value_init(plain_value *v)", "int sum(plain_value v)", "int sum(plain_value v[3])"] {
        assert_eq!(release(&and(&[others]), "plain_value"), "no handle", "{others}");
    }
    let unmade: Vec<&str> = made[1..].iter().copied().chain(["plain_value *value_at(int n)"]).collect();
    assert_eq!(release(&unmade, "plain_value"), "no handle");
}

#[test]
fn a_defined_structure_that_is_made_and_ended_is_an_object() {
    let made = ["full_point *point_new(void)", "void point_free(full_point *p)"];
    let and = |more: &[&'static str]| -> Vec<&str> { made.iter().chain(more).copied().collect() };
    assert_eq!(release(&and(&["int point_x(const full_point *p)"]), "full_point"), "point_free");
    // It goes by value, nothing makes it, nothing ends it.
    assert_eq!(release(&and(&["int sum(full_point p)"]), "full_point"), "no handle");
    assert_eq!(release(&made[1..], "full_point"), "no handle");
    // What nothing ends is an object all the same, unless callers have the memory.
    assert_eq!(release(&made[..1], "full_point"), "-");
    assert_eq!(release(&["int point_at(full_point **out)"], "full_point"), "-");
    assert_eq!(release(&["const full_point *point_at(int n)"], "full_point"), "no handle");
    assert_eq!(
        release(&["full_point *point_at(int n)", "void point_init(full_point *p)"], "full_point"),
        "no handle"
    );
    assert_eq!(
        release(&["full_point *point_at(int n)", "int sum(full_point p[3])"], "full_point"),
        "no handle"
    );
    assert_eq!(
        release(&["full_point *point_at(int n)", "int read(full_point *out)"], "full_point"),
        "no handle"
    );
    assert_eq!(release(&["open_point *point_at(int n)"], "open_point"), "no handle");
    // It is ended by the pointer to its pointer.
    // What is closed is still to be freed, unless it was opened: `snd_mixer_close` beside `snd_mixer_free`.
    let opened = [
        "int point_open(full_point **p)",
        "int point_close(full_point *p)",
        "void point_free(full_point *p)",
    ];
    assert_eq!(release(&opened, "full_point"), "-");
    let connected = [
        "full_point *point_new_at(int n)",
        "int point_close(full_point *p)",
        "void point_free(full_point *p)",
    ];
    assert_eq!(release(&connected, "full_point"), "point_free");
    let done = [
        "full_point *point_new_at(int n)",
        "int point_cleanup(full_point *p)",
        "void point_free(full_point *p)",
    ];
    assert_eq!(release(&done, "full_point"), "-");
    let through = ["full_point *point_init(int n)", "void point_destroy(full_point **p)"];
    assert_eq!(release(&through, "full_point"), "-");
    // Two may release it; one that is freed may be closed before.
    assert_eq!(release(&and(&["int point_unref(full_point *p)"]), "full_point"), "-");
    assert_eq!(release(&and(&["int point_close(full_point *p)"]), "full_point"), "point_free");
    // What has numbers only can travel as well.
    let numbers = ["open_point *point_new(void)", "void point_free(open_point *p)"];
    assert_eq!(release(&numbers, "open_point"), "no handle");
    // Of what is defined there may be several behind a pointer.
    check(
        &made,
        &[
            ("int point_x(const full_point *p, int axis)", "object value -> value"),
            ("int point_sum(const full_point *points, size_t count)", "? value -> value"),
            ("int point_sum(const full_point *, int)", "? value -> value"),
            ("int point_sum(const full_point *targets, unsigned ntargets)", "? value -> value"),
            ("int point_sum(const full_point *entry, int mode, int num_entries)", "? value value -> value"),
            ("int point_at(const full_point *p, size_t n_of_axis)", "object value -> value"),
        ],
    );
}

#[test]
fn a_pointer_to_void_with_a_name_is_an_object_where_both_are_called_after_it() {
    let found = |declarations: &[&str]| -> Vec<String> {
        inferred(&header(declarations)).0.into_iter().map(|found| found.name).collect()
    };
    assert_eq!(found(&["address lo_address_new(int port)", "void lo_address_free(address a)"]), ["address"]);
    let profile = ["cxHPROFILE cxCreateProfile(int n)", "int cxCloseProfile(cxHPROFILE p)"];
    assert_eq!(found(&profile), ["cxHPROFILE"]);
    // What begins with that letter as other words do is no handle of the rest.
    assert!(found(&["cxHeader cxCreateEader(int n)", "int cxCloseEader(cxHeader h)"]).is_empty());
    // A pointer to anything, and one that is made or ended under another name.
    let none: [String; 0] = [];
    assert_eq!(found(&["anyptr lo_anyptr_new(int n)", "void lo_anyptr_free(anyptr a)"]), none);
    assert_eq!(found(&["address lo_thing_new(int n)", "void lo_address_free(address a)"]), none);
    assert_eq!(found(&["address lo_address_new(int port)", "void lo_thing_free(address a)"]), none);
    assert_eq!(found(&["address lo_address_find(int port)", "void lo_address_free(address a)"]), none);
}

#[test]
fn a_void_with_a_name_that_is_made_and_ended_is_an_object() {
    let header = |name: &str, others: &[&str]| {
        let declarations: Vec<&str> =
            ["void *make(void)", "void make_end(void *p)"].iter().chain(others).copied().collect();
        let mut api = header(&declarations);
        let named = |ty: &mut CType| {
            if let Type::Pointer { pointee, .. } = &mut ty.kind {
                pointee.written = name.to_owned();
                ty.written = format!("{name} *");
            }
        };
        for function in &mut api.functions {
            named(&mut function.result);
            function.params.iter_mut().for_each(|param| named(&mut param.ty));
        }
        api
    };
    let found = inferred(&header("CURL", &[])).0;
    assert_eq!(
        (found[0].name.as_str(), found[0].c_type.as_str(), found[0].rule),
        ("CURL", "CURL *", "made-and-ended")
    );
    assert_eq!(found[0].release, None);
    assert_eq!(inferred(&header("GLvoid", &[])).0, []);
    let mut unmade = header("CURL", &[]);
    unmade.functions.remove(0);
    assert_eq!(inferred(&unmade).0, []);
}

#[test]
fn const_within_a_typedef_counts_beside_one_without() {
    let others = ["void mp_free(mp_ptr x)"];
    check(
        &others,
        &[
            ("int mp_cmp_to(mp_srcptr a, mp_srcptr b)", "object object -> value"),
            ("void mp_move_to(mp_ptr a, mp_ptr b)", "? ? -> void"),
        ],
    );
    // Where there is but one, it stands for both.
    check(&[], &[("void mp_see(int n, mp_srcptr a)", "value ? -> void")]);
}

#[test]
fn an_object_alone_is_set_up_by_a_function_that_is_called_after_it() {
    let others = [
        "void png_free(png *p)",
        "void log_handler_free(log_handler *h)",
        "void allocator_free(allocator *a)",
    ];
    check(
        &others,
        &[
            ("void png_set_packing(png *p)", "object -> void"),
            ("void allocator_set_default(allocator *a)", "? -> void"),
            ("void log_set_handler(log_handler *h)", "? -> void"),
            ("void app_set_mode(allocator *a)", "? -> void"),
            ("void png_set(png *p)", "? -> void"),
            ("void png_add_packing(png *p)", "? -> void"),
            ("int png_bind_count(png *p)", "object -> value"),
            ("int png_is_default(png *p)", "object -> value"),
        ],
    );
}

#[test]
fn one_release_is_found() {
    for (declarations, name, expect) in [
        (
            &["int zdb_stmt_step(zdb_stmt *s)", "int zdb_finalize(zdb_stmt *s)"][..],
            "zdb_stmt",
            "zdb_finalize",
        ),
        (&["void ZSTD_freeCDict(ZSTD_CDict *d)", "int ZSTD_n(void)"], "ZSTD_CDict", "ZSTD_freeCDict"),
        (&["void blob_close(blob *b)", "void blob_reset(blob *b)"], "blob", "blob_close"),
        // Not the only one, or not a release of the object.
        (&["int db_close(db *d)", "int db_close_v2(db *d)"], "db", "-"),
        (&["int snd_mixer_free(snd_mixer *m)", "int snd_mixer_close(snd_mixer *m)"], "snd_mixer", "-"),
        (&["int ref_delete(ref *r)", "void ref_free(ref *r)"], "ref", "-"),
        (&["void zf_close(zf *z)", "void zf_destroy(zf **z)"], "zf", "-"),
        (&["void pcm_hw_free(pcm *p)"], "pcm", "-"),
        (&["void note_iterator_free(iterator *i)", "void x(void)"], "iterator", "-"),
        (&["void set_free(fset *s)", "void XFreeSet(struct dpy *d, fset *s)"], "fset", "-"),
        (&["void preview_end_preview(preview *p)"], "preview", "-"),
        (&["void iterate_end(iterate *i)"], "iterate", "iterate_end"),
        (&["void sequence_remove(sequence *s)"], "sequence", "-"),
        // It is begun again.
        (&["void tev_queue_stop(tev_queue *q)", "void tev_queue_start(tev_queue *q)"], "tev_queue", "-"),
        (
            &["void MHD_stop_daemon(daemon *d)", "daemon *MHD_start_daemon(int port)"],
            "daemon",
            "MHD_stop_daemon",
        ),
        (&["void request_cancel(request *r)"], "request", "-"),
        (&["char *str_finish(str *s)"], "str", "-"),
        (&["void box_free(box *b, int deep)"], "box", "-"),
        (&["void open_thing_free(open_thing *t)"], "open_thing", "no handle"),
        (&["void env_close(env *e)", "int env_open(env *e, const char *path)"], "env", "env_close"),
        (&["void lua_close(lua *l)", "int lua_resume(lua *l, int n)"], "lua", "lua_close"),
        // What takes an element of it is none.
        (
            &["int config_delete_entry(config *c, const char *name)", "void config_free(config *c)"],
            "config",
            "config_free",
        ),
    ] {
        assert_eq!(release(declarations, name), expect, "{declarations:?}");
    }
    let api = header(&["void box_free(box *b)"]);
    assert_eq!(
        types(
            &api,
            &Functions::of(&api),
            Library { exports: Some(&Default::default()), code: &[] },
            &Pairs::default()
        )[0]
        .release,
        None,
        "the library does not export it"
    );
}

#[test]
fn objects_that_are_plainly_used() {
    let others = ["db *db_open(const char *path)", "void db_free(db *d)", "void item_free(item *i)"];
    check(
        &others,
        &[
            ("int db_step(db *d)", "object -> value"),
            ("int db_reset(db *d)", "object -> value"),
            ("const char *db_name(db *d, int index)", "object value -> text"),
            ("int db_count(const db *d)", "object -> value"),
            ("int db_attach(db *d, const item *i)", "object ? -> value"),
            ("int db_add(db *d, const db *other)", "object ? -> value"),
            ("int db_print(db *d, const item *i)", "object object -> value"),
            ("int db_show(db *d, const item *i)", "object ? -> value"),
            ("int db_refer_to(const db *d, const item *i)", "object ? -> value"),
            ("int db_compress_usingItem(db *d, const item *i)", "object object -> value"),
            ("int item_equal(item *a, item *b)", "object object -> value"),
            ("int db_get_shutdown(db *d)", "object -> value"),
            ("void db_freeze(db *d)", "object -> void"),
            // What is set is how it does something.
            ("void db_set_swap(db *d)", "object -> void"),
            ("void db_set_swap_left(db *d)", "object -> void"),
            ("item *db_first_item(db *d)", "object -> ?"),
            ("const item *db_item(db *d)", "object -> ?"),
        ],
    );
}

#[test]
fn objects_that_may_be_gone() {
    let others = [
        "db *db_open(const char *path)",
        "void db_free(db *d)",
        "item *item_new(void)",
        "void item_free(item *i)",
    ];
    check(
        &others,
        &[
            // Called like an end.
            ("void db_close(db *d)", "? -> void"),
            ("int txn_commit(txn *t)", "? -> value"),
            ("void PQclear(res *r)", "? -> void"),
            ("void delscreen(screen *s)", "? -> void"),
            ("void db_unplug(db *d)", "? -> void"),
            ("int param_add0_table(param *p)", "? -> value"),
            ("void swap_set(db *d)", "? -> void"),
            ("void page_set_swap(page_set *p)", "? -> void"),
            ("void change_set_submit(change_set *c)", "? -> void"),
            ("void db_set_return(db *d)", "? -> void"),
            ("void db_set_swap_submit(db *d)", "? -> void"),
            ("int db_set_swap(db *d)", "? -> value"),
            ("void evhttp_send_reply(req *r, int code)", "? value -> void"),
            ("void method_invocation_return_value(inv *i, int v)", "? value -> void"),
            ("void *byte_writer_free_and_get_data(item *i)", "? -> ?"),
            ("void geom_destroy(const item *i)", "? -> void"),
            // Not the first one: it may be taken over.
            ("int db_add_item(db *d, item *i)", "object ? -> value"),
            ("int attr_list_change(db *d, item *i)", "object ? -> value"),
            // The first that can be changed.
            ("int db_print(int level, db *d)", "value object -> value"),
            ("int db_sum(double a, const item *x, double b, db *y)", "value object value object -> value"),
            ("int db_queue(int priority, db *d)", "value ? -> value"),
            ("int db_show(int free_it, db *d)", "value ? -> value"),
            ("int db_copy_to(item *from, db *d)", "object ? -> value"),
            // Swallowed by what comes out.
            ("watch *expression_bind(db *d, int n)", "? value -> ?"),
            ("db *caps_simplify(db *d)", "? -> ?"),
            ("int get_module(db *d, item **out)", "? ? -> value"),
            ("char *LLVMGetErrorMessage(item *e)", "? -> ?"),
            // A number says whether.
            ("int list_push(item *i, int free_list)", "? value -> value"),
            ("void image_ref(item *i, int refs)", "? value -> void"),
            ("int source_set_fd_own(item *i, int own)", "object value -> value"),
            // Kept.
            ("void cache_provide(item *i)", "? -> void"),
            ("void allocator_set_default(item *i)", "? -> void"),
            // Kept although it is `const`.
            ("size_t db_refItem(db *d, const item *i)", "object ? -> value"),
            ("int db_use_item(db *d, const item *i)", "object ? -> value"),
            ("int db_share(const item *i, db *d)", "? object -> value"),
            ("void db_set_prefix(db *d, const db *other)", "object ? -> void"),
        ],
    );
    // Somebody makes them, and nothing is called like their release.
    let made = ["plug *sax_plug(int n)"];
    check(
        &made,
        &[("void sax_out(plug *p)", "? -> void"), ("int sax_depth(plug *p, int n)", "object value -> value")],
    );
    check(&[], &[("void result_null(ctx *c)", "object -> void")]);
}

#[test]
fn documentation_may_speak_of_owners() {
    let api = header(&["int link_modules(module *dest, int n)"]);
    let mut function = api.functions[0].clone();
    let mut see = |doc: &str| {
        function.doc = Some(doc.into());
        let mut draft = empty(&function);
        let verdict = infer_in(&function, &api, &known(&api), &mut draft);
        describe(&draft, &verdict)
    };
    assert_eq!(see("Links the module."), "object value -> value");
    assert_eq!(see("Links. This takes\nownership of the module."), "? value -> value");
    assert_eq!(see("Afterwards the module is no longer valid."), "? value -> value");
}

#[test]
fn a_decided_parent_is_used() {
    let api =
        header(&["int prepare(db *d, stmt **out)", "cursor *open_cursor(db *d)", "void stmt_free(stmt *s)"]);
    let handles = known(&api);
    let owned = || Ownership::Owned { release: "stmt_free".into() };
    let mut draft = empty(&api.functions[0]);
    let out = Role::HandleOut {
        handle: "stmt".into(),
        ownership: owned(),
        parent: Some(0),
        nullable: false,
        valid_on_error: false,
    };
    draft.params[1] = Some(Fact::decided(out, 3));
    let verdict = infer_in(&api.functions[0], &api, &handles, &mut draft);
    assert!(describe(&draft, &verdict).starts_with("object "), "{draft:?}");
    let mut draft = empty(&api.functions[1]);
    let lent = |parent| ResultRole::Handle {
        handle: "cursor".into(),
        ownership: Ownership::Library,
        parent,
        nullable: false,
    };
    draft.result = Some(Fact::decided(lent(None), 3));
    infer_in(&api.functions[1], &api, &handles, &mut draft);
    assert_eq!(draft.params[0], None);
    draft.result = Some(Fact::decided(lent(Some(0)), 3));
    infer_in(&api.functions[1], &api, &handles, &mut draft);
    assert!(draft.params[0].is_some());
}

#[test]
fn objects_that_callers_own() {
    let others = ["void box_free(box *b)", "int state_n(state *s)", "void lid_free(lid *l)"];
    check(
        &others,
        &[
            ("box *box_new(void)", "-> owned"),
            ("box *box_create(const char *path, int width)", "text value -> owned"),
            ("box *box_dup(const box *b)", "object -> owned"),
            ("box *box_copy(box *b)", "object -> owned"),
            ("box *box_copy(box *b, int deep)", "object value -> owned"),
            ("box *box_parse_text(const char *path)", "text -> owned"),
            ("box *box_from_file(const char *path, int mode)", "text value -> owned"),
            ("box *box_reader_for_file(const char *path)", "text -> owned"),
            // No release, another object that may own it, everybody's, one of several, or nothing says so.
            ("state *state_new(void)", "-> ?"),
            ("box *box_new_in(lid *l)", "? -> ?"),
            ("box *box_new_for(const lid *l)", "? -> ?"),
            ("box *box_new_at(struct open_point *p)", "? -> ?"),
            ("box *box_dup(box *b)", "? -> ?"),
            ("box *box_copy(box *b, lid *l)", "? ? -> ?"),
            ("box *box_parse(lid *l, const char *path)", "? text -> ?"),
            ("box *box_for_name(const char *name)", "text -> ?"),
            ("box *box_parse_get(const char *name)", "text -> ?"),
            ("box *box_from_string(const char *name)", "text -> ?"),
            ("box *box_load(const char *id)", "? -> ?"),
            ("box *box_open(int number)", "value -> ?"),
            ("const box *box_parse_file(const char *path)", "text -> ?"),
            ("box *box_new_default(void)", "-> ?"),
            ("box *box_alloc(int)", "value -> ?"),
            ("box *box_alloc(int type)", "value -> ?"),
            ("box *box_get(void)", "-> ?"),
            ("const box *box_new(void)", "-> ?"),
            ("box *box_new_pair(lid **other)", "? -> ?"),
        ],
    );
}

#[test]
fn objects_stay_where_a_text_of_them_is_asked_for() {
    let used = ["void box_free(box *b)", "int box_n(box *b)", "int box_level(box *b)", "box *box_new(void)"];
    check(
        &used,
        &[
            ("char *box_name(box *b)", "object -> ?"),
            ("char *box_take_name(box *b)", "? -> ?"),
            ("char *box_error(box *b)", "? -> ?"),
            ("char *box_to_string(box *b)", "? -> ?"),
            ("char *box_await(box *b)", "? -> ?"),
            ("double *box_name(box *b)", "? -> ?"),
        ],
    );
    // A message is all that there is of an object.
    check(&["void box_free(box *b)"], &[("char *box_message(box *b)", "? -> ?")]);
}

#[test]
fn what_is_added_to_an_object_is_lent_by_it() {
    check(
        &["void box_free(box *b)"],
        &[
            ("box *box_add_null_to_whole(box *whole, const char *path)", "emptied ? -> lent"),
            // It may be the holder itself, which has moved.
            ("box *box_add_null_to_whole(box *whole, int level)", "? value -> ?"),
            ("box *box_add_text_to_box(box *b, const char *path)", "? ? -> ?"),
            ("int box_change(box *b, int level)", "object value -> value"),
            ("box *box_add_null(box *whole, int level)", "? value -> ?"),
            ("box *box_add_null_to_list(box *whole, int level)", "? value -> ?"),
            ("lid *box_add_lid_to_whole(box *whole)", "? -> ?"),
            ("box *box_add_to_whole(box *whole)", "? -> ?"),
        ],
    );
    let adds = ["void box_free(box *b)", "box *box_add_null_to_whole(box *whole, const char *path)"];
    check(&adds, &[("int box_change(box *b, int level)", "emptied value -> value")]);
    let counted = ["void box_free(box *b)", "void lid_unref(lid *l)"];
    check(&counted, &[("box *box_add_null_to_whole(box *whole, const char *path)", "? ? -> ?")]);
}

#[test]
fn texts_that_are_taken_back() {
    let texts = |others: &[&str], expect: &str| check(others, &[("const char *module_ctls(mod *m)", expect)]);
    texts(&["void mod_free(mod *m)"], "object -> text");
    texts(&["void mod_free_string(const char *s)"], "object -> ?");
    texts(&["void mod_free(mod *m, const char *s)"], "object -> text");
}
