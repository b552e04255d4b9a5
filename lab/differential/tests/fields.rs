//! Fields of objects, read and written by functions that the contract adds; what must hold before a call; fields that are set for a
//! call; structures that are part of an object.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use hotcell::dynamic::{self, Value};
use hotcell::{Error, ErrorKind, Options, Session};
use hotcell_bind::{Bound, Job, check};

#[path = "support/library.rs"]
mod library;

use library::{compared, compile, job};

const HEADER: &str = r"
typedef struct engine { int power; struct engine *next; } engine;
typedef struct wheel { int size; int turns; } wheel;
typedef struct picture { unsigned char *pixels; int width, height; } picture;
typedef struct car {
    int id;
    double speed;
    unsigned gears : 3;
    int lean : 4;
    const char *name;
    char plate[4];
    int rides[3];
    wheel spare;
    int kind;
    union { int seats; double load; } room;
    engine *motor;
    int (*report)(int n);
    int level;
    picture shot;
    int n;
    unsigned char trail[];
} car;
car *car_make(int id, int n);
void car_scrap(car *c);
/* Calls `report` with each number below n. */
int car_walk(car *c, int n);
int car_count(car *c, int n);
int car_is_set(const car *c);
void wheel_turn(wheel *w, int by);
/* Makes pixels of all that width and height say. */
int car_shoot(car *c);
int car_half(int n);
typedef struct listener { int (*number)(void *user, int n); void (*end)(void *user, const char *why); int step; int unused; } listener;
/* Tells of each number below n, until it is told to stop. */
int car_tell(const listener *l, int n, void *user);
/* A structure that stays in the worker. */
typedef struct cup { int size; int *drops; } cup;
int cup_init(cup *c, int size);
void cup_end(cup *c);
typedef struct straw { const cup *in; } straw;
straw *straw_put(cup *in);
int straw_sip(straw *s);
void straw_pull(straw *s);
";

const SOURCE: &str = r#"
#include <stdlib.h>
#include <string.h>
#include "cars.h"
car *car_make(int id, int n)
{
    if (n < 0) return NULL;
    car *c = calloc(1, sizeof *c + n);
    c->id = id;
    c->speed = id * 1.5;
    c->gears = 5;
    c->lean = -3;
    c->name = id == 0 ? NULL : "beetle";
    memcpy(c->plate, "HC-1", 4);
    for (int i = 0; i < 3; i++) c->rides[i] = id + i;
    c->spare.size = 15;
    c->kind = id % 2;
    if (c->kind) c->room.load = 2.5; else c->room.seats = 4;
    c->motor = calloc(1, sizeof *c->motor);
    c->motor->power = 50 + id;
    c->n = n;
    for (int i = 0; i < n; i++) c->trail[i] = 10 + i;
    return c;
}
void car_scrap(car *c) { free(c->motor); free(c->shot.pixels); free(c); }
int car_walk(car *c, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++) sum += c->report(i) * c->level;
    return sum;
}
int car_count(car *c, int n) { return car_walk(c, n); }
int car_is_set(const car *c) { return (c->report != NULL) + (c->level != 0); }
void wheel_turn(wheel *w, int by) { w->turns += by; }
int car_shoot(car *c)
{
    free(c->shot.pixels);
    if (c->shot.width <= 0 || c->shot.height <= 0) return -1;
    c->shot.pixels = malloc((size_t)c->shot.width * c->shot.height);
    memset(c->shot.pixels, 'p', (size_t)c->shot.width * c->shot.height);
    return 0;
}
int car_half(int n) { return n / 2; }
int car_tell(const listener *l, int n, void *user)
{
    int told = 0;
    for (int i = 0; i < n && l->step > 0; i += l->step, told++)
        if (l->number != NULL && l->number(user, i) != 0) break;
    if (l->end != NULL) l->end(user, told == 0 ? "nothing" : "done");
    return told * 100 + l->unused;
}
int cup_init(cup *c, int size) { c->size = size; c->drops = malloc(sizeof(int)); *c->drops = size; return 0; }
void cup_end(cup *c) { free(c->drops); }
struct straw_s { const cup *in; };
straw *straw_put(cup *in) { straw *s = malloc(sizeof *s); s->in = in; return s; }
int straw_sip(straw *s) { return (*s->in->drops)--; }
void straw_pull(straw *s) { free(s); }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "cars"
headers = ["cars.h"]
[handle]
car = { release = "car_scrap", made_by = ["car_make"], get = ["id", "speed", "gears", "lean", "name", "plate", "rides", "spare", "spare.size", "kind", "room.*", "motor", "shot.*", "n", "trail"], set = ["speed", "gears", "lean", "name", "rides", "spare.turns", "room.seats", "shot.{width,height}"], has = ["name", "report", "shot.pixels"] }
engine = { get = ["power", "next"] }
straw = { release = "straw_pull", made_by = ["straw_put"] }
[struct.cup]
resident = true
started_by = { cup_init = "cup_end" }
fields."*" = { own = true }
get = ["size"]
[function.car_get_name]
result = { string = "utf-8", nullable = true }
[function.car_set_name]
params.value = { string = "utf-8", until = "object" }
[function.car_get_plate]
params.values = { out = "buffer" }
[function.car_get_trail]
result = { out = "buffer", length = "car_get_n(object)" }
[function."car_{get,set}_room_seats"]
requires = "car_get_kind(object) == 0"
[function.car_get_room_load]
requires = "car_get_kind(object) == 1"
[function.car_get_shot_pixels]
result = { out = "buffer", length = "car_get_shot_width(object) * car_get_shot_height(object)", nullable = true }
[function."car_set_shot_*"]
requires = "car_has_shot_pixels(object) == 0"
[function.car_make]
error = { fails = "null" }
[function.car_walk]
with.c = "int (*report)(int n), int level"
params.report = { callback = "call", user_data = "none", on_failure = 0 }
[function.car_count]
with.c = "int (*report)(int n), int level"
params.report = { fixed = "car_half" }
requires = "level >= 0 && n * level <= 1000"
[function.car_tell]
with.l = "int (*number)(void *user, int n), void (*end)(void *user, const char *why), int step"
params.l = { in = "fields" }
params.number = { callback = "call", user_data = "user", on_failure = 1, nullable = true }
params.end = { callback = "call", user_data = "user", nullable = true, params = { why = { string = "utf-8" } } }
[function.wheel_turn]
params.w = { in = "part", of = "car.spare" }
[function.car_is_set]
params.c = { in = "handle" }
[function.straw_put]
result = { out = "owned", parent = "in" }
[function."{wheel_turn,straw_sip}"]
params."{w,s}" = { in = "handle" }
"#;

const RECIPES: &str = r#"
[object.beetle]
type = "car"
steps = ["beetle = car_make(1, 3)"]
[object.plain]
type = "car"
steps = ["plain = car_make(0, 0)"]
[object.cup]
type = "cup"
steps = ["cup_init($cup{}, 3)"]
[object.straw]
type = "straw"
steps = ["cup_init($mug{}, 3)", "straw = straw_put($mug{})"]
[object.engine]
type = "engine"
steps = ["owner = car_make(1, 3)", "engine = car_get_motor($owner)"]

[values]
"car_set_gears.value" = ["7", "0", "8", "4294967295"]
"car_set_lean.value" = ["7", "-8", "8", "-9"]
"car_set_name.value" = ["'a name'", "''"]
level = ["0", "2", "-1", "1000"]
n = ["0", "1", "5"]
step = ["1", "2", "0"]
by = ["3"]

[observe]
car = ["car_get_gears($)", "car_get_lean($)", "car_get_name($)", "car_get_rides($)", "car_get_spare($)"]

[scenario]
"a picture is as large as it was when it was made" = [
    "c = car_make(1, 0)",
    "car_set_shot_width($c, 4)",
    "car_set_shot_height($c, 3)",
    "car_shoot($c)",
    "car_set_shot_width($c, 400)",
    "car_get_shot_pixels($c)",
]
"a structure of functions is told of numbers" = [
    "car_tell(call(0), call(0), 2, 5)",
    "car_tell(call(1), call(0), 1, 5)",
    "car_tell(null, null, 1, 5)",
]
"what lives in a structure that stays keeps it" = [
    "cup_init($c{}, 3)",
    "s = straw_put($c{})",
    "cup_end($c{})",
    "straw_sip($s)",
    "straw_pull($s)",
    "cup_end($c{})",
]
"#;

/// The library and its contract in a folder.
fn cars(folder: &Path, contract: &str) -> Job {
    compile(folder, "cars", HEADER, SOURCE);
    job(folder, contract, RECIPES)
}

/// A library that is loaded, and calls of it by name.
struct Cars {
    bound: Bound,
    session: Session,
}

impl Cars {
    fn open(folder: &Path) -> Cars {
        // What is more than 64 bits hold is computed in more by direct calls, which do not overflow.
        let contract = CONTRACT.to_owned() + "[function.car_half]\nrequires = \"n * n * n < 0 || 1\"\n";
        let bound = hotcell_bind::bind(&cars(folder, &contract)).unwrap();
        let session = bound.open(Options::default()).unwrap();
        Cars { bound, session }
    }

    /// The returned value and what comes out.
    fn call(&self, name: &str, args: &[Value]) -> Result<Vec<Value>, Error> {
        let interface = &self.bound.interface;
        let outcome = dynamic::call(&self.session, interface, interface.function(name).unwrap(), args)?;
        Ok(outcome.returned.into_iter().chain(outcome.outs.into_iter().map(|(_, value)| value)).collect())
    }

    fn of(&self, object: &Value, name: &str, more: &[Value]) -> Result<Vec<Value>, Error> {
        self.call(name, &[std::slice::from_ref(object), more].concat())
    }

    fn get(&self, object: &Value, name: &str) -> Value {
        self.of(object, name, &[]).unwrap_or_else(|error| panic!("{name}: {error}")).pop().unwrap()
    }

    fn refused(&self, object: &Value, name: &str, more: &[Value], needs: &str) {
        let error = self.of(object, name, more).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{name}: {error}");
        let expect = format!("`{needs}` must hold before the call, and does not");
        assert!(error.to_string().contains(&expect), "{name}: {error}");
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn every_function_of_a_field_does_what_a_direct_call_does() {
    let folder = tempfile::tempdir().unwrap();
    let job = cars(folder.path(), CONTRACT);
    let checked = check(&job).unwrap();
    assert_eq!(checked.warnings, [""; 0]);
    assert_eq!(checked.interface.left_out, []);
    let report = compared(folder.path(), &job);
    assert!(report.passed(), "{report}");
    for function in &checked.interface.functions {
        let group = report.groups.iter().find(|group| group.name == function.name);
        assert!(group.is_some_and(|group| group.equal > 0), "{}: {report}", function.name);
    }
}

#[test]
fn fields_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let cars = Cars::open(folder.path());
    let int = Value::Int;
    let make = |id: i128, n: i128| cars.call("car_make", &[int(id), int(n)]).unwrap().remove(0);
    let (beetle, plain) = (make(1, 3), make(0, 0));
    assert_eq!(cars.get(&beetle, "car_get_id"), int(1));
    assert_eq!(cars.get(&beetle, "car_get_speed"), Value::Float(1.5));
    assert_eq!(cars.get(&beetle, "car_get_name"), text("beetle"));
    assert_eq!(cars.get(&plain, "car_get_name"), Value::Null);
    assert_eq!(cars.get(&plain, "car_has_name"), Value::Bool(false));
    assert_eq!(cars.get(&beetle, "car_has_name"), Value::Bool(true));
    assert_eq!(cars.get(&beetle, "car_get_plate"), Value::Bytes(b"HC-1".to_vec()));
    assert_eq!(cars.get(&beetle, "car_get_rides"), Value::List([1, 2, 3].map(int).to_vec()));
    assert_eq!(cars.get(&beetle, "car_get_spare_size"), int(15));
    // What lies at the end, as long as a field says.
    assert_eq!(cars.get(&beetle, "car_get_trail"), Value::Bytes(vec![10, 11, 12]));
    assert_eq!(cars.get(&plain, "car_get_trail"), Value::Bytes(vec![]));
    // Another object is lent by the one that it is in, and goes with it.
    let motor = cars.get(&beetle, "car_get_motor");
    assert_eq!(cars.get(&motor, "engine_get_power"), int(51));
    assert_eq!(cars.get(&motor, "engine_get_next"), Value::Null);

    cars.of(&beetle, "car_set_speed", &[Value::Float(9.5)]).unwrap();
    assert_eq!(cars.get(&beetle, "car_get_speed"), Value::Float(9.5));
    cars.of(&beetle, "car_set_rides", &[Value::List([7, 8, 9].map(int).to_vec())]).unwrap();
    assert_eq!(cars.get(&beetle, "car_get_rides"), Value::List([7, 8, 9].map(int).to_vec()));
    cars.of(&beetle, "car_set_name", &[text("a text that is kept")]).unwrap();
    cars.of(&plain, "car_set_name", &[text("another one, in the same place of a request")]).unwrap();
    assert_eq!(cars.get(&beetle, "car_get_name"), text("a text that is kept"));

    cars.of(&beetle, "car_scrap", &[]).unwrap();
    for (object, name) in [(&beetle, "car_get_id"), (&motor, "engine_get_power")] {
        let error = cars.of(object, name, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StaleHandle, "{name}: {error}");
    }
}

#[test]
fn what_must_hold_before_a_call_refuses_it() {
    let folder = tempfile::tempdir().unwrap();
    let cars = Cars::open(folder.path());
    let int = Value::Int;
    let car = cars.call("car_make", &[int(2), int(0)]).unwrap().remove(0);
    // A bit-field holds it, or it is refused and stays as it was.
    cars.of(&car, "car_set_gears", &[int(7)]).unwrap();
    cars.refused(&car, "car_set_gears", &[int(8)], "value <= 7");
    assert_eq!(cars.get(&car, "car_get_gears"), int(7));
    cars.of(&car, "car_set_lean", &[int(-8)]).unwrap();
    for outside in [-9, 8] {
        cars.refused(&car, "car_set_lean", &[int(outside)], "value >= -8 && value <= 7");
    }
    assert_eq!(cars.get(&car, "car_get_lean"), int(-8));
    // The member of a union that is there.
    assert_eq!(cars.get(&car, "car_get_room_seats"), int(4));
    cars.refused(&car, "car_get_room_load", &[], "car_get_kind(object) == 1");
    cars.of(&car, "car_set_room_seats", &[int(6)]).unwrap();
    assert_eq!(cars.get(&car, "car_get_room_seats"), int(6));
    // What says how much there is cannot be changed under it.
    cars.of(&car, "car_set_shot_width", &[int(3)]).unwrap();
    cars.of(&car, "car_set_shot_height", &[int(2)]).unwrap();
    assert_eq!(cars.get(&car, "car_get_shot_pixels"), Value::Null);
    assert_eq!(cars.get(&car, "car_shoot"), int(0));
    cars.refused(&car, "car_set_shot_width", &[int(3000)], "car_has_shot_pixels(object) == 0");
    assert_eq!(cars.get(&car, "car_get_shot_pixels"), Value::Bytes(b"pppppp".to_vec()));
    // What is passed beside the object, and what overflows.
    cars.refused(&car, "car_count", &[int(-1), int(3)], "level >= 0 && n * level <= 1000");
    cars.refused(&car, "car_count", &[int(1000), int(2)], "level >= 0 && n * level <= 1000");
    let most = int(i32::MAX.into());
    cars.refused(&most, "car_half", &[], "n * n * n < 0 || 1");
}

#[test]
fn fields_are_set_for_the_call_alone() {
    let folder = tempfile::tempdir().unwrap();
    let cars = Cars::open(folder.path());
    let int = Value::Int;
    let car = cars.call("car_make", &[int(2), int(0)]).unwrap().remove(0);
    // 0, 0, 1 and 1, each times 5.
    assert_eq!(cars.of(&car, "car_count", &[int(5), int(4)]).unwrap(), [int(10)]);
    assert_eq!(cars.get(&car, "car_is_set"), int(0));
    assert_eq!(cars.get(&car, "car_has_report"), Value::Bool(false));
    // A structure that is made of what is passed: three are told of, and nothing else is in it.
    assert_eq!(cars.call("car_tell", &[Value::Null, Value::Null, int(2), int(5)]).unwrap(), [int(300)]);
    // A part of it, and what lives in a structure that stays.
    cars.of(&car, "wheel_turn", &[int(3)]).unwrap();
    cars.of(&car, "wheel_turn", &[int(4)]).unwrap();
    let spare = cars.get(&car, "car_get_spare");
    assert!(format!("{spare:?}").contains("Int(7)"), "{spare:?}");
}
