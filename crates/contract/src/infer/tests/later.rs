//! Declarations and comments that were made to have facts concluded which are false: none of them is bound.

use super::described;

/// Which of these is bound although it must not be: a declaration, others beside it, and a comment.
fn bound(cases: &[(&[&str], &str)]) -> Vec<String> {
    let cases = cases.iter().map(|(declarations, doc)| (declarations, doc, described(declarations, doc)));
    let wrong = cases.filter(|(_, _, found)| !found.contains('?') && *found != "unsupported");
    wrong.map(|(declarations, doc, found)| format!("{} {doc:?}: {found}", declarations[0])).collect()
}

fn none_of(declarations: &[&str], docs: &[&str]) {
    let cases: Vec<(&[&str], &str)> = docs.iter().map(|doc| (declarations, *doc)).collect();
    let wrong = bound(&cases);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn each_of(declarations: &[&str], beside: &[&str]) {
    let wrong: Vec<String> = declarations
        .iter()
        .flat_map(|declaration| {
            let all: Vec<&str> = [*declaration].into_iter().chain(beside.iter().copied()).collect();
            bound(&[(&all, "")])
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const DEVICE: &[&str] = &["void dev_free(dev *d)", "dev *dev_new(void)"];

/// What goes on, heard of memory with a length, of numbers, structures and texts alike.
#[test]
fn a_comment_that_speaks_of_another_time_is_heard_by_all_rules() {
    let docs = [
        "Reads asynchronously; poll dev_ready().",
        "Asynchronous. dev_poll() reports completion.",
        "Non-blocking.",
        "A nonblocking variant.",
        "It works in the background.",
        "It is filled when the transfer completes.",
        "It is complete upon completion only.",
        "It is used from now on.",
        "The memory is used from then on by every call.",
        "It registers the memory.",
        "It must not be touched until dev_wait().",
        "The result is there later.",
        "The memory is filled while the application goes on.",
        "It is incremented for each packet.",
        "As soon as the job ends it is set.",
        "It follows the level of the input.",
        "It is kept up to date.",
        "It is updated whenever an event comes.",
        "It runs in the audio thread.",
        "It returns at once.",
        "It returns immediately.",
        "It starts the transfer.",
        "Once started, it is written to.",
        "The device uses it as long as it is on.",
        "It is polled by the driver.",
        "It must remain valid.",
        "It is mapped to the device.",
        "Start sending data.",
        "Schedule data for sending.",
        "Register data with the device.",
        "Will queue the data.",
        "Do not modify it before dev_wait().",
    ];
    for declaration in [
        "int nb_read(unsigned char *buf, size_t len)",
        "int dev_write(dev *d, const unsigned char *buf, size_t len)",
        "int crc(const unsigned char *data, size_t len)",
        "double mean(const double *values, size_t count)",
        "int dev_get_level(dev *d, int *level)",
        "int lib_swab_sort(unsigned char *buf, size_t len)",
        "int dev_get_text(const dev *d, unsigned char key[16])",
    ] {
        none_of(&[&[declaration], DEVICE].concat(), &docs);
    }
}

#[test]
fn a_name_that_says_that_a_call_is_not_over_is_heard_by_all_rules() {
    let mut all = Vec::new();
    for word in "async nonblocking nonblock nb aio submit launch queue enqueue post schedule spawn arm hook observe subscribe register watch later defer begin start prefetch dma nowait overlapped isend irecv".split(' ') {
        all.push(format!("int read_{word}(unsigned char *buf, size_t len)"));
        all.push(format!("int dev_{word}_read(dev *d, unsigned char *buf, size_t len)"));
        all.push(format!("int dev_write_{word}(dev *d, const unsigned char *buf, size_t len)"));
        all.push(format!("int sum_{word}(const double *values, size_t count)"));
        all.push(format!("int job_{word}(int id, double *result)"));
        all.push(format!("int dev_get_{word}(dev *d, int *level)"));
    }
    for name in ["read_async", "readAsync", "AsyncRead", "readNonBlocking", "read_nonblock2"] {
        all.push(format!("int {name}(unsigned char *buf, size_t len)"));
    }
    for word in "async nonblocking submit launch queue post schedule spawn register".split(' ') {
        all.push(format!("int job_{word}(const char *command, int priority)"));
    }
    each_of(&all.iter().map(String::as_str).collect::<Vec<_>>(), DEVICE);
}

#[test]
fn what_is_over_is_bound_as_before() {
    let see = |declaration: &str, doc: &str| described(&[&[declaration], DEVICE].concat(), doc);
    for (declaration, doc, expect) in [
        ("int plain_read(unsigned char *buf, size_t len)", "Reads.", "changed len(0) -> value"),
        (
            "int dev_write(dev *d, const unsigned char *buf, size_t len)",
            "Writes it.",
            "object bytes len(1) -> value",
        ),
        ("unsigned crc32(const unsigned char *data, size_t len)", "The checksum.", "bytes len(0) -> value"),
        ("double mean(const double *values, size_t count)", "The mean.", "bytes count(0) -> value"),
        ("int dev_get_level(dev *d, int *level)", "Gets it.", "object changing -> value"),
    ] {
        assert_eq!(see(declaration, doc), expect, "{declaration}");
    }
}
