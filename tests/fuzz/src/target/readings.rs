//! What a process that reads headers answers, with some bytes or texts changed: it is refused, or can be worked with as if a header said it, and
//! none of those texts is code.

use std::ops::Range;
use std::sync::OnceLock;

use hotcell_contract::{Contract, Link, Selection, check};
use hotcell_header::Job;
use hotcell_header::apart::{Reply, reply};

use super::generated;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "readings",
    about: "an answer of a process that reads headers, with other bytes or texts in places (three bytes of input for each: where, and what): refused, or checked and generated like what a header says",
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
struct tagged { long x; double y; };
double tagged_sum(struct tagged one, float more);
short plus(short a, long b);
pair *pair_new(enum level how);
void pair_free(pair *it);
int pair_each(pair *it, each call, void *user);
size_t pair_fill(unsigned char *out, size_t out_len, const char *const *names) __attribute__((nonnull(1)));
";

/// Texts, as JSON has them, that want to be code.
const HOSTILE: [&str; 8] = [
    "pair*/ int hotcell_owned(void); /*",
    "int (*)[hotcell_owned()]",
    "pair) > 0, \\\"\\\"); int hotcell_owned(void); _Static_assert(sizeof(pair",
    "a\\nint hotcell_owned(void);",
    "__typeof__(({ hotcell_owned(); }))",
    "struct pair; int hotcell_owned(void)",
    "int[sizeof(int[hotcell_owned()])]",
    "pair\\\\\\nint hotcell_owned(void);",
];

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
        let at = at % answer.len();
        match change[2] {
            byte @ ..0x80 => answer[at] = byte,
            // Of no text in ASCII: it stands for a whole one.
            byte => {
                if let Some(text) = text_from(&answer, at) {
                    let quoted = |text: &[u8]| [b"\"", text, b"\""].concat();
                    let hostile = quoted(HOSTILE[usize::from(byte) % HOSTILE.len()].as_bytes());
                    answer = replaced(&answer, &quoted(&answer[text]), &hostile);
                }
            }
        }
    }
    let line = [b"{\"number\":1,\"reply\":", &answer[..], b"}"].concat();
    let Ok(Reply::Api(api)) = reply(&line, 1) else { return };
    let sonames = ["libfuzzed.so".to_owned()];
    let link = Link { sonames: &sonames, exports: None, shadowed: None, code: &[] };
    let contract = Contract::bare(&["readings.h".to_owned()], "libfuzzed.so").taking_null();
    if let Ok(checked) = check(&contract, &api, link, Selection::Contract) {
        let shim = generated::check(&checked.interface);
        let code = shim.map(|shim| code(shim.c())).unwrap_or_default();
        assert!(!code.contains("hotcell_owned"), "a text became code:\n{code}");
    }
}

/// The text at this place of an answer, or the first behind it, without its quotes.
fn text_from(answer: &[u8], at: usize) -> Option<Range<usize>> {
    let (mut begin, mut place) = (None, 0);
    while place < answer.len() {
        match (answer[place], begin) {
            (b'\\', Some(_)) => place += 1,
            (b'"', None) => begin = Some(place + 1),
            (b'"', Some(first)) if place >= at => return Some(first..place),
            (b'"', Some(_)) => begin = None,
            _ => {}
        }
        place += 1;
    }
    None
}

/// With each of what is the same replaced.
fn replaced(answer: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let (mut replaced, mut rest) = (Vec::new(), answer);
    while let Some(at) = rest.windows(old.len()).position(|it| it == old) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// C without its comments and texts.
fn code(source: &str) -> String {
    let (mut code, mut rest) = (String::new(), source);
    while let Some(at) = rest.find(['/', '"', '\'']) {
        code.push_str(&rest[..at]);
        let (mark, behind) = (rest.as_bytes()[at], &rest[at + 1..]);
        let end = |end: &str| behind.find(end).map_or(behind.len(), |at| at + end.len());
        rest = match mark {
            b'/' if behind.starts_with('*') => &behind[end("*/")..],
            b'/' if behind.starts_with('/') => &behind[end("\n")..],
            b'/' => behind,
            quote => {
                let mut is_escaped = false;
                let end = behind.bytes().position(|byte| {
                    let is_end = byte == quote && !is_escaped;
                    is_escaped = byte == b'\\' && !is_escaped;
                    is_end
                });
                &behind[end.map_or(behind.len(), |end| end + 1)..]
            }
        };
    }
    code + rest
}
