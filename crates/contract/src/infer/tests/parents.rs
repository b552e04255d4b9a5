//! Objects that others are made with, and objects that nothing ends: by names.

use super::library::{check, check_settled};

const MAKERS: &[&str] = &[
    "ctx *ctx_new(void)",
    "void ctx_free(ctx *c)",
    "void conn_close(conn *c)",
    "void task_free(task *t)",
    "void strip_free(strip *s)",
    "surface *surface_new(int w)",
    "void surface_free(surface *s)",
    "void window_surface_close(surface *s)",
    "int cert_delete(cert *c)",
    "void mesh_free(mesh *m)",
];

#[test]
fn what_is_made_with_a_context_keeps_it_and_is_the_callers() {
    check_settled(
        MAKERS,
        &[
            ("mesh *mesh_new(ctx *c, int n)", "object value -> owned"),
            ("mesh *mesh_build(ctx *c, double size)", "object value -> owned"),
            ("int mesh_create(ctx *c, mesh **out)", "object made(mesh_free) -> value"),
            // Tasks go when they are over, what is loaded may be there already, and what is deleted is more than an object.
            ("task *task_new(ctx *c, int n)", "? value -> ?"),
            ("mesh *ctx_load_mesh(ctx *c, const char *path)", "? text -> ?"),
            ("mesh *mesh_get_new(ctx *c, int n)", "object value -> ?"),
            ("cert *cert_create(ctx *c, int n)", "? value -> ?"),
            // Something takes over what it is made with.
            ("mesh *mesh_new_from(ctx *c, int n)", "? value -> ?"),
            ("mesh *mesh_create(strip *s)", "? -> ?"),
            // Without the library's code nobody sees whether a connection goes with what is made of it.
            ("mesh *mesh_create(conn *c)", "? -> ?"),
            // Another function is the mirror of this one.
            ("surface *window_surface_open(ctx *c)", "? -> ?"),
            // Behind other things it may be NULL as well.
            ("mesh *mesh_new(int n, ctx *c)", "value ? -> ?"),
        ],
        true,
    );
    // Where another function makes one without it, the release may be of that one.
    let both = [MAKERS, &["mesh *mesh_new(int n)"]].concat();
    check_settled(&both, &[("mesh *devices_mesh_alloc(ctx *c, int n)", "? value -> ?")], true);
}

#[test]
fn what_nothing_ends_is_lent_by_what_it_comes_from() {
    let others = &["plan *plan_new(void)", "void plan_free(plan *p)", "int room_size(const room *r)"];
    check(
        others,
        &[
            ("room *plan_find_room(plan *p, const char *name)", "emptied text -> lent"),
            ("const room *plan_get_room(const plan *p, int n)", "object value -> lent"),
            // What comes next may take its place; what is opened, borrowed or run may be the caller's.
            ("room *plan_next_room(plan *p)", "object -> ?"),
            ("room *plan_dial(plan *p, int n)", "? value -> ?"),
            ("room *plan_get_rooms(plan *p)", "object -> ?"),
            ("room *plan_get1_room(plan *p)", "? -> ?"),
            ("const room *plan_room(const plan *p)", "object -> ?"),
        ],
    );
    for end in ["void room_clear(room *r)", "void plan_give(plan *p, room *r)", "void lib_free(void *p)"] {
        let others = [&others[..], &[end]].concat();
        check(&others, &[("room *plan_find_room(plan *p, const char *name)", "object text -> ?")]);
    }
    // Nobody sees whether a change of one lets go of what another was lent by the plan.
    let changed = [&others[..], &["int room_paint(room *r, int color)"]].concat();
    check(&changed, &[("room *plan_find_room(plan *p, const char *name)", "object text -> ?")]);
    // What is inside of such an object may go by a change of it.
    let others = [&others[..], &["room *room_get_alcove(room *r)"]].concat();
    check(&others, &[("room *plan_find_room(plan *p, const char *name)", "object text -> ?")]);
}

#[test]
fn what_is_sent_or_put_besides_is_no_end() {
    let others = &["port *port_open(int n)", "void port_close(port *p)", "void req_free(req *r)"];
    check(
        others,
        &[
            ("int port_send(port *p, const void *data, size_t size)", "object bytes len(1) -> value"),
            ("int port_put(port *p, const char *name, int value)", "object ? value -> value"),
            ("int req_send(req *r, const void *data, size_t size)", "? bytes len(1) -> value"),
            ("int port_put(port *p)", "? -> value"),
            ("int port_put(port *p, const char *who)", "? ? -> value"),
        ],
    );
}
