//! Objects behind a context, objects that are looked at, and words of a name that do not end its object.

use super::library::check;

#[test]
fn what_is_only_seen_behind_another_object_is_used() {
    let others = [
        "png *png_new(void)",
        "void png_free(png *p)",
        "int png_read_info(png *p, info *i)",
        "int png_get_width(png *p, const info *i)",
        "int png_get_height(png *p, const info *i)",
        "int png_get_depth(png *p, const info *i)",
        "int png_update(png *p, info *i)",
    ];
    let cases = [
        ("void png_set_gamma(png *p, info *i, double gamma)", "object object value -> void"),
        ("int png_read_info(png *p, info *i)", "object object -> value"),
        // It may be put into the first, or goes.
        ("int png_add_info(png *p, info *i, int n)", "object ? value -> value"),
        ("int png_set_info(png *p, info *i)", "object ? -> value"),
        ("int png_close_info(png *p, info *i)", "? ? -> value"),
        ("int png_set_info(png *p, info *i, int slot)", "object ? value -> value"),
        ("int png_attach_info(png *p, info *i, int slot)", "object ? value -> value"),
        ("int png_copy(png *p, info *i, info *j)", "object object ? -> value"),
    ];
    check(&others, &cases);
    // Too few, or something is about the second object alone.
    check(
        &others[..5],
        &cases[..1].iter().map(|(text, _)| (*text, "object ? value -> void")).collect::<Vec<_>>(),
    );
    let alone: Vec<&str> = others.iter().copied().chain(["int info_check_all(info *i, int n)"]).collect();
    check(&alone, &cases[..1].iter().map(|(text, _)| (*text, "object ? value -> void")).collect::<Vec<_>>());
}

#[test]
fn a_function_called_after_its_second_object_is_about_that() {
    let others = ["pcm *pcm_new(void)", "void pcm_free(pcm *p)", "void pcm_params_free(pcm_params *p)"];
    check(
        &others,
        &[
            ("int pcm_params_test_rate(pcm *p, pcm_params *s, int rate)", "object object value -> value"),
            ("int pcm_params_add(pcm *p, pcm_params *s)", "object ? -> value"),
            ("int pcm_use_params(pcm *p, pcm_params *s)", "object ? -> value"),
            // `curl_mime_subparts(part, mime)` takes the second over.
            ("int pcm_params_under(pcm_part *p, pcm_params *s)", "object ? -> value"),
            ("int pcm_params_under(pcm_context *p, pcm_params *s)", "object object -> value"),
        ],
    );
}

#[test]
fn objects_that_are_looked_at_are_used() {
    let others = ["cert *cert_new(void)", "void cert_free(cert *c)", "void key_free(key *k)"];
    check(
        &others,
        &[
            ("int cert_verify(cert *c, key *k)", "object object -> value"),
            ("int cert_check_issued(cert *issuer, cert *subject)", "object object -> value"),
            ("void key_print(key *k, cert *c)", "object ? -> void"),
            ("void cert_print(key *k, cert *c)", "object object -> void"),
            ("int cert_set_verify(cert *c, key *k)", "object ? -> value"),
            ("int cert_verify_init(cert *c, key *k)", "object ? -> value"),
            ("int cert_verify(cert *c, key *k, cert **chain)", "? ? ? -> value"),
            ("cert *cert_check(cert *c, key *k)", "? ? -> ?"),
        ],
    );
}

#[test]
fn words_of_a_property_and_of_a_type_do_not_end_the_object() {
    let others = [
        "pcm *pcm_new(void)",
        "void pcm_free(pcm *p)",
        "git_commit *git_commit_new(void)",
        "void git_commit_free(git_commit *c)",
        "key_set *key_set_new(void)",
        "void key_set_free(key_set *s)",
    ];
    check(
        &others,
        &[
            ("int pcm_set_stop_threshold(pcm *p, long frames)", "object value -> value"),
            ("int pcm_add_close_watch(pcm *p, int id)", "object value -> value"),
            ("int git_commit_time(git_commit *c)", "object -> value"),
            // The object itself, or a set of things.
            ("int pcm_stop(pcm *p, int now)", "? value -> value"),
            ("int pcm_set_free(pcm *p, int now)", "? value -> value"),
            ("int pcm_close_set_mode(pcm *p, int now)", "? value -> value"),
            ("int key_set_remove_all(key_set *s, int now)", "? value -> value"),
            ("int git_commit(git_commit *c)", "? -> value"),
            ("int git_commit_abort(git_commit *c)", "? -> value"),
            ("int pcm_dec_ref(pcm *p)", "? -> value"),
        ],
    );
}

#[test]
fn a_part_that_is_named_is_removed_and_the_object_stays() {
    let others = ["list *list_new(void)", "void list_destroy(list *l)"];
    check(
        &others,
        &[
            ("int list_remove(list *l, const char *name)", "emptied text -> value"),
            ("void list_delete_item(list *l, int index)", "emptied value -> void"),
            // The object, another one, or why it ends.
            ("void list_remove(list *l)", "? -> void"),
            ("void list_delete(list *l, int force)", "? value -> void"),
            ("void list_delete(list *l, const char *reason)", "? text -> void"),
            ("void pool_remove(list *l, const char *name)", "? text -> void"),
            ("void list_remove(list *l, node *n, const char *name)", "? ? text -> void"),
        ],
    );
    // Nothing is known to release the object.
    check(&others[..1], &[("int list_remove(list *l, const char *name)", "? text -> value")]);
}

#[test]
fn what_sets_something_of_its_only_object_is_told_from_what_stores_it() {
    check(
        &["archive *archive_new(void)", "void archive_free(archive *a)", "void node_set_free(node_set *s)"],
        &[
            ("int archive_write_set_format_zip(archive *a)", "object -> value"),
            ("int cast_node_set_to_number(node_set *s)", "object -> value"),
            ("int archive_global_set_format(archive *a)", "? -> value"),
            ("int archive_write_set_handle(archive *a)", "? -> value"),
            ("int pool_set_writer(archive *a)", "? -> value"),
            ("int pool_set_node_set(node_set *s)", "? -> value"),
        ],
    );
}
