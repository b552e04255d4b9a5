//! Memory of which nobody says how much there is: `walled-memory`.

use hotcell_model::evidence::Evidence;

use super::support::{api, contract, record, run};
use crate::check::Selection;

/// The parameters of the first function that are memory before a wall; none when it is not bound.
fn walled(declaration: &str, lines: &str, records: &[(&str, &[&str])]) -> Option<Vec<String>> {
    let all: Vec<&str> = declaration.split("; ").collect();
    let mut api = api(&all);
    for (name, fields) in records {
        api.records.insert((*name).into(), record(&format!("struct {name}"), Some(fields)));
    }
    let name = &api.functions[0].name;
    let checked = run(&api, &contract(lines), Selection::Only(name)).unwrap();
    let function = checked.interface.functions.first()?;
    let rule =
        |evidence: &Evidence| matches!(evidence, Evidence::Inferred { rule } if rule == "walled-memory");
    let params = function.params.iter().enumerate();
    let walls = params.filter(|(index, param)| {
        assert_eq!(function.ends_at_wall(*index), rule(&param.role.evidence), "{declaration}");
        rule(&param.role.evidence)
    });
    Some(walls.map(|(_, param)| param.name.clone()).collect())
}

fn check(declaration: &str, expect: Option<&[&str]>) {
    let found = walled(declaration, "", &[]);
    assert_eq!(
        found,
        expect.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        "{declaration}"
    );
}

#[test]
fn it_is_concluded_where_it_is_all_that_is_open() {
    check("double dot(const double *a, const double *b, int n)", Some(&["a", "b"]));
    check("double f(const double *a, const double *b, int n)", None);
    check("void fill(int *cells, int rows, int columns)", Some(&["cells"]));
    check(
        "unsigned long f_mul(unsigned long *, const unsigned long *, const unsigned long *, long)",
        Some(&["arg1", "arg2", "arg3"]),
    );
    check("int get(double number, double *whole, double *rest)", Some(&["whole", "rest"]));
    check(
        "int f_mul(int *r, const int *a); int f_add(int *r, const int *a, const int *b, int n)",
        Some(&["r", "a"]),
    );
    // Something else is open, too.
    check("int f(double *numbers, void *more)", None);
    check("char *f(double *numbers)", None);
    check("int f(double *numbers, double **more)", None);
    // Another rule knows better.
    check("int f(const char *text)", Some(&[]));
    check("int f(const unsigned char *data, size_t size)", Some(&[]));
}

#[test]
fn what_may_be_kept_or_is_a_place_is_asked_for() {
    for declaration in [
        "int f(const int *first, const int *last)",
        "int f(const int *, const int *)",
        "int f(const int *text, const int *end)",
        "int f(const int *lo, const int *hi)",
        "int f(int *end)",
        // `void` says nothing of what is there.
        "int f(const void *memory)",
        "int f(counters c, HANDLE h)",
    ] {
        check(declaration, None);
    }
    let named = |declaration: &str| {
        let name = declaration.split_once('(').unwrap().0.rsplit(' ').next().unwrap();
        let api = api(&[declaration]);
        let checked = run(&api, &contract("[handle]\ndb = {}\n"), Selection::Only(name)).unwrap();
        checked.interface.functions.len()
    };
    for declaration in [
        "void watch_number(const int *number)",
        "int set_table(const int *table, int n)",
        "int memory_alignment(const double *numbers)",
        "int run_split(double *ri, double *ii)",
        "int numbers_create(double *numbers)",
        "void numbers_free(double *numbers)",
        "int db_start(db *d, double *numbers)",
        "int register_add(const short *numbers)",
        "int db_save_dict_far(db *d, char *room, int n)",
        "int putenv(char *text)",
        "void select_buffer(int size, unsigned *buffer)",
        "int define_property(const char *name, unsigned *ranges)",
        "int db_write_open_memory(db *d, void *buffer, size_t size, size_t *used)",
        "int save_context(db *d, int context, const char *data)",
        "void edge_flag_pointer_ext(int stride, const unsigned char *pointer)",
        "void instruments_buffer_sgix(int size, int *buffer)",
        "void feedbackBufferxOES(int n, int kind, const int *buffer)",
        "int numbers_iwrite(const void *buf, int count)",
        "int numbers_imrecv(void *buf, int count)",
        "int numbers_read(double *numbers, int count, int *request)",
        "int decode_leb(char *leb, unsigned long *number, char *dw_endptr)",
        "int sum_of(const int *data, const int *dataend)",
        "int dev_add_watch(double *out, const double *in)",
        "int dev_add_async(double *out, const double *in)",
        "void numbers_get(double *target, const double *source, int n, int pe)",
        "void spin_unlock(int *word)",
        "void numbers_adopt(double *numbers)",
    ] {
        assert_eq!(named(declaration), 0, "{declaration}");
    }
    // A text has another answer than a wall.
    let api = api(&["void setprogname(const char *name)"]);
    let checked = run(&api, &contract(""), Selection::Only("setprogname")).unwrap();
    assert!(!checked.interface.functions[0].ends_at_wall(0));
    assert_eq!(named("int numbers_add(int *r, const int *a, const int *b)"), 1);
    assert_eq!(named("int db_read(db *d, double *numbers)"), 1);
    assert_eq!(named("int sort_all(char *text, int n)"), 1);
    // Computed of the same numbers as one that is returned.
    let beside = |declaration: &str, one: &str| {
        let api = super::support::api(&[declaration, one]);
        let name = api.functions[0].name.clone();
        run(&api, &contract(""), Selection::Only(&name)).unwrap().interface.functions.len()
    };
    let bessel = "int bessel_array(int low, int high, double x, double *result_array)";
    assert_eq!(beside(bessel, "double bessel(int n, double x)"), 1);
    assert_eq!(
        beside("int bessel_array(int n, double x, double *values)", "double bessel(int n, double x)"),
        1
    );
    // What goes on is none that is over, whatever one of it is.
    let log = [
        "int daq_log_array(int low, int high, double rate, double *result_array)",
        "double daq_log(int n, double rate)",
    ];
    assert_eq!(beside(log[0], log[1]), 0);
    for verb in ["capture", "attach", "poll", "register", "set", "use", "stream", "trigger", "map", "watch"] {
        let [all, one] = log.map(|it| it.replace("log", verb));
        assert_eq!(beside(&all, &one), 0, "{verb}");
    }
    for one in [
        "int bessel(int n, double x)",
        "double bessel(int n)",
        "double bessel(double x, int n)",
        "double bessel(double x)",
        "double bessel_of(int n, double x)",
        "double bessel(int n, const double *x)",
        "double array(int n, double x)",
    ] {
        assert_eq!(beside(bessel, one), 0, "{one}");
    }
    for kept in [
        "int bessel_array(int low, int high, double x, double *result_array)",
        "int acquire_array(double rate, int n, double *result_array)",
        "int stream_capture_array(double rate, int n, double *result_array)",
        "int daq_scan_array(double rate, int n, double *result_array)",
        "int select_buffer(int size, unsigned *result_buffer)",
        "int feedback_buffer(double n, double *result_buffer)",
        "int record_array(int *result_array)",
        "int poll_array(int n, int *result_array)",
        "int sample_matrix(double rate, double *result_matrix)",
        "int trace_vector(double level, int n, double *result_vector)",
        "int db_flush(db *d, unsigned *room)",
        "int db_flush_pending(db *d, const double *numbers)",
    ] {
        assert_eq!(named(kept), 0, "{kept}");
    }
    assert_eq!(named("int hash_buf(int kind, unsigned char *out, const unsigned char *in, int len)"), 1);
    assert_eq!(named("int db_read_scanline(db *d, void *buf, int row)"), 1);
    assert_eq!(named("int db_read_scanline(db *d, void *user, int row)"), 0);
    assert_eq!(named("int db_read_ctl(db *d, void *buf, int what)"), 0);
    // Each tag has data of a type of its own.
    assert_eq!(named("int db_write_line(db *d, int tag, const void *buf)"), 1);
    assert_eq!(named("int db_write_line(db *d, enum level tag, const void *buf)"), 0);
}

/// What is called like nothing that is over when it returns may go on with the memory, whether an object is there or not.
#[test]
fn memory_is_asked_for_where_nothing_shows_that_the_call_alone_uses_it() {
    for declaration in [
        "void select_into(int size, unsigned *result_buffer)",
        "int lib_poll(int *fds, int n)",
        "void trigger(int *flag)",
        "void feedback(int size, int kind, float *buffer)",
        "void lib_flush(unsigned *ring)",
        "int lib_echo(const char *text, unsigned buffer_len)",
        "void f(int *cells, int rows, int columns)",
        "int f(double number, double *whole, double *rest)",
        "int acquire(double rate, int n, double *out)",
        "int stream_capture(double rate, int n, double *result)",
        "int daq_scan(double rate, int n, double *output)",
        "double sampler_start(double rate, double *ring)",
        "double capture(double rate, double *samples)",
        "int lib_option(const char *name, int *value)",
        "int cvar(const char *name, unsigned *target)",
        "void lib_window(int *width, int *height)",
        "int job_run(int job, int *status)",
        "void palette(const unsigned *colors, int n)",
        "void vertex_source(const double *v)",
        "void shared_state(unsigned state[64])",
        "int lib_attach(int *out, const int *in)",
        "void lib_configure(int *out, const int *in)",
        "int spi_dma(unsigned char *rx, const unsigned char *tx, int n)",
        "void lib_hook(double *out, const double *in)",
        "int lib_listen(int *result)",
        "void ring_size(const int *ring)",
        "int lib_notify(int *error)",
        "int telemetry(int *cells, int n)",
        // What is done is what memory is used as, or for.
        "int print_queue(const unsigned *slots)",
        "int read_target(int *slot)",
        "int query_handler(const int *table, int n)",
        "int recv_ring(int *ring)",
        "int update_source(const double *v, int n)",
        "int lookup_table(const int *table, int n)",
        "int peek_hook(int *cells)",
        "int log_to(int *output)",
        "void status_to(int *result)",
        "void sort_order(int *keys)",
        "int zero_page(int *page)",
        "void clear_color(float *rgba)",
        "int mirror(int *shadow, const int *original, int n)",
        "int sync_cells(int *shadow, const int *original, int n)",
        "int lib_alias(int *a, const int *b)",
        "int meter(float *level, const short *probe)",
        "double tune(double x, double *memory)",
        "int lib_hook(int id, double *out)",
        "int lib_observe(int id, double *result)",
        "int lib_configure_all(int id, double *out)",
        "int lib_share(double *out, int n)",
        "int lib_pin(double *out, int n)",
        "int lib_on(int topic, double *out)",
        "int lib_resume(int id, double *out)",
        "double filter(double x, double *state, int n)",
        "float synth(float gain, float *bus)",
    ] {
        check(declaration, None);
    }
    for (declaration, walls) in [
        ("double mean(const double *numbers, int n)", &["numbers"][..]),
        ("double frexp_of(double number, int *exp)", &["exp"]),
        (
            "void xor(unsigned char *c, const unsigned char *m, int n, const unsigned char *k)",
            &["c", "m", "k"],
        ),
        ("int is_zero(const unsigned *n, int size)", &["n"]),
        ("int lib_strnicmp(const char *a, const char *b, int n)", &["a", "b"]),
        ("void lib_negate(int *numbers, int n)", &["numbers"]),
        ("int lib_mblen(const char *s, int max)", &["s"]),
    ] {
        check(declaration, Some(walls));
    }
}

#[test]
fn structures_that_the_library_has_are_none() {
    // `struct point` is in arrays of other structures, and they point to it, which is no reason: it is copied.
    let of = |declaration: &str, more: &[(&str, &[&str])]| walled(declaration, "", more);
    assert_eq!(of("double length(const struct point *way, int n)", &[]).unwrap(), ["way"]);
    assert_eq!(of("int sort(struct point *points, int n)", &[]).unwrap(), ["points"]);
    assert_eq!(of("int sort(struct point *points, int n); struct point *points_of(int n)", &[]), None);
    assert_eq!(of("int sort(struct point *points, int n); int points_of(struct point **points)", &[]), None);
    let lock: (&str, &[&str]) = ("spin_lock", &["int owner", "long since"]);
    assert_eq!(of("int sort(struct spin_lock *locks, int n)", &[lock]), None);
}

#[test]
fn a_line_takes_the_wall_away() {
    let found = walled("int f(int *size)", "[function.f]\nparams.size = { out = \"value\" }\n", &[]);
    assert_eq!(found.unwrap(), [""; 0]);
    let found = walled(
        "int f(int *cells, int n)",
        "[function.f]\nparams.cells = { inout = \"buffer\", length = \"n\" }\n",
        &[],
    );
    assert_eq!(found.unwrap(), [""; 0]);
    // A line that lacks the length asks for it.
    let found =
        walled("int f(int *cells, int n)", "[function.f]\nparams.cells = { inout = \"buffer\" }\n", &[]);
    assert_eq!(found, None);
}

#[test]
fn memory_is_what_functions_say_the_size_of() {
    let size = "unsigned long sizeof_state(void)";
    check(
        &format!("int fill(double *a, int n); int f_compress(void *state, const short *numbers); {size}"),
        Some(&["a"]),
    );
    let of = |declaration: &str, more: &str| {
        let name = declaration.split('(').next().unwrap().rsplit(' ').next().unwrap();
        let all: Vec<&str> =
            [declaration].into_iter().chain(more.split("; ").filter(|it| !it.is_empty())).collect();
        let checked = run(&api(&all), &contract(""), Selection::Only(name)).unwrap();
        checked.interface.functions.first().is_some_and(|function| function.ends_at_wall(0))
    };
    assert!(of("int compress(void *state, const short *numbers)", size));
    assert!(of("int compress(void *state, const short *numbers)", "int state_size(void)"));
    // Nothing says that it is memory; it says the size of something else; the function goes on with it.
    assert!(!of("int compress(void *state, const short *numbers)", ""));
    assert!(!of("int compress(void *other, const short *numbers)", size));
    assert!(!of("int compress(void *state, const short *numbers)", "int sizeof_state(int kind)"));
    assert!(!of("int reset(void *state, const short *numbers)", size));
}

#[test]
fn what_the_library_makes_under_a_name_is_an_object() {
    let vec = |more: &[&str]| {
        let mut api = api(more);
        let ty = |written: &str| hotcell_model::types::CType {
            written: written.to_owned(),
            ..api.functions[0].params[0].ty.clone()
        };
        let named = ty("vec_t");
        for function in &mut api.functions {
            for param in function.params.iter_mut().filter(|param| param.ty.pointee().is_some()) {
                param.ty = named.clone();
            }
            if function.result.pointee().is_some() {
                function.result = named.clone();
            }
        }
        let checked = run(&api, &contract(""), Selection::Only("sort")).unwrap();
        checked.interface.functions.len()
    };
    assert_eq!(vec(&["void sort(double *v, int n)"]), 1);
    assert_eq!(vec(&["void sort(double *v, int n)", "double *vec_new(int n)"]), 0);
    assert_eq!(vec(&["void sort(double *v, int n)", "void vec_free(double *v)"]), 0);
    // A place in an object's numbers.
    assert_eq!(vec(&["void sort(double *v, int n)", "double *limbs_write(int n)"]), 1);
}
