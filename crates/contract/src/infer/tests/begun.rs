//! Structures that callers make, which one function begins and another one ends.

use super::library::check;

const OTHERS: &[&str] = &["int full_flow_init(full_flow *f, int level)", "void full_flow_end(full_flow *f)"];

#[test]
fn what_is_begun_is_used_and_ended() {
    check(
        OTHERS,
        &[
            ("int full_flow_init(full_flow *f, int level)", "begun(full_flow_end) value -> value"),
            ("void full_flow_end(full_flow *f)", "over -> void"),
            (
                "int full_flow_init2(full_flow *f, int level, int flow_size)",
                "begun(full_flow_end) value fixed -> value",
            ),
            ("int full_flow_run(full_flow *f, int mode)", "resident value -> value"),
            ("int full_flow_compare(const full_flow *a, const full_flow *b)", "resident resident -> value"),
            ("void full_flow_swap(full_flow *a, full_flow *b)", "resident resident -> void"),
        ],
    );
}

#[test]
fn what_may_begin_end_or_keep_one_is_asked_for() {
    check(
        OTHERS,
        &[
            // `inflateCopy(dest, source)`, `mpz_roinit_n(x, …)`, `mpz_array_init(x, n, bits)`.
            ("int full_flow_copy(full_flow *dest, full_flow *source)", "? ? -> value"),
            ("int full_flow_reinit(full_flow *f)", "? -> value"),
            ("int full_buffer_run(full_flow *f)", "? -> value"),
            ("int full_flow_array_init(full_flow *f, int n, int level)", "? value value -> value"),
            ("int full_flow_close(full_flow *f, int now)", "? value -> value"),
            ("int full_flow_run_all(full_flow *f, size_t count)", "? value -> value"),
            ("int list_add(list *l, full_flow *f)", "object ? -> value"),
        ],
    );
}

#[test]
fn nothing_is_begun_without_its_mirror() {
    // Of these some are ended twice, made by the library, or not begun at all.
    for others in [
        vec!["void full_flow_end(full_flow *f)"],
        vec![
            "int full_flow_init(full_flow *f)",
            "void full_flow_end(full_flow *f)",
            "void full_flow_free(full_flow *f)",
        ],
        vec!["int full_flow_init(full_flow *f)", "void full_flow_end(full_flow *f, int now)"],
        vec!["int full_flow_init(full_flow *f)", "void full_pipe_end(full_flow *f)"],
        vec!["int full_flow_init(full_flow *f)", "void full_flow_end(full_flow *f)", "int sum(full_flow f)"],
    ] {
        check(&others, &[("int full_flow_run(full_flow *f, int mode)", "? value -> value")]);
    }
}
