//! Numbers that an object is asked for.

use super::check;
use super::library::check as check_in;

const OTHERS: &[&str] = &["pcm *pcm_new(void)", "void pcm_free(pcm *p)"];

/// What may be several numbers is memory: callers say how much.
#[test]
fn what_may_be_several_numbers_is_not_one() {
    for name in [
        "rect",
        "pair",
        "point",
        "pos",
        "shape",
        "coef",
        "order",
        "path",
        "selection",
        "date",
        "uuid",
        "addr",
        "mapping",
        "window",
        "histo",
        "dim",
        "dims",
        "box",
        "bounds",
        "span",
        "address",
        "edge",
        "rgb",
        "xyz",
        "gradient",
        "contour",
    ] {
        for ty in ["int", "unsigned", "long"] {
            let declaration = format!("int pcm_get_{name}(pcm *p, {ty} *{name})");
            check_in(&["void pcm_free(pcm *p)"], &[(&declaration, "object ? -> value")]);
        }
    }
    for declaration in
        ["int pcm_get_counts(pcm *p, int *count)", "int pcm_get_edges(pcm *p, int *from, int *to)"]
    {
        let expect = if declaration.contains("from") { "object ? ? -> value" } else { "object ? -> value" };
        check_in(&["void pcm_free(pcm *p)"], &[(declaration, expect)]);
    }
}

#[test]
fn what_is_got_of_an_object_under_the_name_of_one_thing_is_one_number() {
    check_in(
        OTHERS,
        &[
            (
                "int pcm_get_params(pcm *p, unsigned *buffer_size, unsigned *period_size)",
                "object changing changing -> value",
            ),
            ("int pcm_get_rate(const pcm *p, unsigned *val, int *dir)", "object changing changing -> value"),
            ("int pcm_getformat(pcm *p, long *rate, int *channels)", "object changing changing -> value"),
            ("int pcm_lookup_bool(pcm *p, const char *name, int *value)", "object text changing -> value"),
            ("void pcm_get_point(pcm *p, double *x, double *y)", "object changing changing -> void"),
            ("void pcm_get_offset(pcm *p, int *offset_x, int *offset_y)", "object changing changing -> void"),
            ("void pcm_clip_extents(pcm *p, double *x1, double *y1)", "object changing changing -> void"),
            (
                "int pcm_status(pcm *p, int op, int *pCur, int *pHiwtr)",
                "object value changing changing -> value",
            ),
            ("int pcm_get_real(const pcm *p, double *value)", "object changing -> value"),
        ],
    );
}

#[test]
fn what_may_be_several_numbers_is_asked_for() {
    check_in(
        OTHERS,
        &[
            // A plural, memory, several numbers under one name, what may count them.
            ("int pcm_get_rates(pcm *p, unsigned *rates)", "object ? -> value"),
            ("int pcm_get_rates(pcm *p, unsigned *out)", "object ? -> value"),
            ("int pcm_get_rate(pcm *p, unsigned *out)", "object ? -> value"),
            ("int pcm_get_digest(pcm *p, unsigned *h)", "object ? -> value"),
            ("int pcm_get_digest(pcm *p, unsigned *digest)", "object ? -> value"),
            ("int pcm_get_key(pcm *p, unsigned *lo, unsigned *key)", "object ? ? -> value"),
            ("int pcm_get_rate(pcm *p, unsigned *rate, int n)", "object ? value -> value"),
            ("int pcm_get_rate(pcm *p, unsigned *)", "object ? -> value"),
            ("int pcm_get_rate(pcm *p, unsigned rate[])", "object ? -> value"),
            // A place in space, a curve, a descriptor of the worker's.
            ("void pcm_get_speed(pcm *p, float *speed)", "object ? -> void"),
            ("void pcm_get_speed(pcm *p, float *value)", "object ? -> void"),
            ("void pcm_get_points(pcm *p, double *x, double *y)", "object ? ? -> void"),
            ("int pcm_get_socket(pcm *p, int *fd)", "object ? -> value"),
            // It is done with, or it is told of no object.
            ("int pcm_set_status(pcm *p, int *status)", "object ? -> value"),
            ("int pcm_stats(pcm *p, unsigned *counters)", "object ? -> value"),
            ("int pcm_poll(pcm *p, unsigned *rate)", "object ? -> value"),
        ],
    );
    check(&[("int get_var_int(int file, int var, int *ip)", "value value ? -> value")]);
}
