//! What a process that reads headers answers, with some bytes changed: it is refused, or can be worked with as if a header said it.

use std::sync::OnceLock;

use hotcell_contract::{Contract, Link, Selection, check};
use hotcell_header::Job;
use hotcell_header::apart::{Reply, reply};

use super::generated;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "readings",
    about: "an answer of a process that reads headers, with other bytes in places (three bytes of input for each: where, and what): refused, or checked and generated like what a header says",
    longest: 9,
    short: 400,
    run,
};

const HEADER: &str = "
#include <stddef.h>
/* One of these. */
typedef struct pair { int a; double b[2]; struct { unsigned c : 3; } d; const char *text; } pair;
enum level { LOW, HIGH = 7 };
#define LIMIT 12
#define RATIO 0.5
#define CALLED(a, b) ((a) + (b))
typedef int (*each)(void *user, const pair *one, size_t n);
extern int counter;
pair *pair_new(enum level how);
void pair_free(pair *it);
int pair_each(pair *it, each call, void *user);
size_t pair_fill(unsigned char *out, size_t out_len, const char *const *names) __attribute__((nonnull(1)));
";

fn answer() -> &'static [u8] {
    static ANSWER: OnceLock<Vec<u8>> = OnceLock::new();
    ANSWER.get_or_init(|| {
        let path = generated::folder().join("readings.h");
        std::fs::write(&path, HEADER).expect("the folder is ours");
        let job = Job::new([path.display().to_string()]);
        let mut api = hotcell_header::parse(&job).expect("the header is C");
        // What the system's own headers say is not the same on other machines.
        api.functions.retain(|it| it.location.primary);
        api.constants.retain(|_, it| it.location.primary);
        api.function_macros.retain(|name, _| name == "CALLED");
        serde_json::to_vec(&Reply::Api(api)).expect("an API is data")
    })
}

fn run(input: &[u8]) {
    let mut answer = answer().to_vec();
    for change in input.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
        let length = answer.len();
        answer[at % length] = change[2];
    }
    let Ok(Reply::Api(api)) = reply(&answer) else { return };
    let sonames = ["libfuzzed.so".to_owned()];
    let link = Link { sonames: &sonames, exports: None, shadowed: None };
    let contract = Contract::bare(&["readings.h".to_owned()], "libfuzzed.so").taking_null();
    if let Ok(checked) = check(&contract, &api, link, Selection::Contract) {
        generated::check(&checked.interface);
    }
}
