//! Objects inside of others, which `get0` hands out.

use super::library::check;

const OTHERS: &[&str] =
    &["cert *cert_new(void)", "void cert_free(cert *c)", "key *cert_get0_key(const cert *c)"];

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
