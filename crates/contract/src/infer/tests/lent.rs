//! Objects inside of others, which `get0` hands out.

use super::library::check;

const OTHERS: &[&str] = &[
    "cert *cert_new(void)",
    "void cert_free(cert *c)",
    "key *cert_get0_key(const cert *c)",
    "void key_free(key *k)",
];

#[test]
fn what_get0_returns_is_lent_and_stale_when_its_owner_changes() {
    check(
        OTHERS,
        &[
            ("key *cert_get0_key(const cert *c)", "object -> lent"),
            ("const name *cert_get0_name(cert *c, int which)", "object value -> lent"),
            // Whatever may change the owner may end what is in it; what looks, or may not change it, does not.
            ("int cert_sign(cert *c, int level)", "emptied value -> value"),
            ("int cert_get_version(cert *c)", "object -> value"),
            ("int cert_check(cert *c, int level)", "object value -> value"),
            ("int cert_size(const cert *c)", "object -> value"),
            // Of another type nothing is lent.
            ("int key_size(key *k, int n)", "object value -> value"),
        ],
    );
}

#[test]
fn what_may_be_the_callers_or_anothers_is_no_part() {
    check(
        OTHERS,
        &[
            // The list that `PKCS7_get0_signers` returns is the caller's.
            ("signers *cert_get0_signers(cert *c)", "object -> ?"),
            // `get1` hands out one of its own; a plain `get` says nothing.
            ("key *cert_get1_key(cert *c)", "? -> ?"),
            ("key *cert_get_key(const cert *c)", "object -> ?"),
            // Which of two it is in is not said; nor what a number in memory does.
            ("key *cert_get0_shared(const cert *a, const cert *b)", "object object -> ?"),
            ("key *cert_get0_next(const cert *c, unsigned *state)", "object ? -> ?"),
            ("key *lib_get0_key(void)", "-> ?"),
        ],
    );
}

const TREE: &[&str] = &["full_node *node_new(void)", "void node_free(full_node *n)"];

#[test]
fn what_is_found_around_an_object_is_lent_by_it() {
    check(
        TREE,
        &[
            ("full_node *node_get_item(const full_node *array, int index)", "object value -> lent"),
            ("full_node *node_first_child(full_node *n)", "object -> lent"),
            ("full_node *node_next_sibling(full_node *n)", "object -> lent"),
            // It was made for the caller, taken out, or put there with the call.
            ("full_node *node_new_child(full_node *parent)", "object -> ?"),
            ("full_node *node_pop_first_item(full_node *n)", "emptied -> ?"),
            ("full_node *node_detach_first_child(full_node *n)", "? -> ?"),
            ("full_node *node_set_first_child(full_node *n)", "object -> ?"),
            // Several, of two objects, and of another type that shows nothing of it.
            ("full_node *node_get_children(const full_node *n)", "object -> ?"),
            ("full_node *node_get_parent(const full_node *a, const full_node *b)", "object object -> ?"),
            ("full_node *model_get_item(const model *m, int index)", "object value -> ?"),
        ],
    );
}

#[test]
fn what_changes_an_object_makes_stale_what_was_found_in_it() {
    let all: Vec<&str> = TREE.iter().copied().chain(["full_node *node_first_child(full_node *n)"]).collect();
    check(
        &all,
        &[
            ("void node_rename(full_node *n, int name)", "emptied value -> void"),
            ("full_node *node_next_sibling(full_node *n)", "object -> lent"),
            ("int node_size(const full_node *n)", "object -> value"),
        ],
    );
}

#[test]
fn where_references_are_counted_nothing_found_is_concluded() {
    // `g_file_get_parent` returns one that the caller has to let go of.
    for counts in
        ["void thing_unref(void *thing)", "int node_up_ref(full_node *n)", "void thing_retain(thing *t)"]
    {
        let all: Vec<&str> = TREE.iter().copied().chain([counts]).collect();
        check(&all, &[("full_node *node_get_item(const full_node *array, int index)", "object value -> ?")]);
    }
}

#[test]
fn what_takes_parts_out_makes_stale_what_others_hand_out() {
    let sections = &[
        "section *config_new(void)",
        "void config_free(section *c)",
        "section *config_at(section *c, int n)",
    ];
    check(
        sections,
        &[
            ("int config_rmsec(section *c, const char *name)", "emptied text -> value"),
            ("void config_trim_nodes(section *c)", "emptied -> void"),
            ("int config_size(section *c)", "object -> value"),
            // Nothing of another type is handed out.
            ("void writer_trim(writer *w)", "object -> void"),
        ],
    );
}
