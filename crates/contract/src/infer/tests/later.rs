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
        "Decoding is done by a worker thread.",
        "The display driver refreshes from this memory at 60 Hz.",
        "The interrupt handler does the filling.",
        "Reads the sensor each second.",
        "Reads after the conversion has ended.",
        "Sends at the next tick.",
        "The hardware fills the buffer behind the scenes.",
        "The samples get played out of this buffer.",
        "Returns before it has been sent.",
        "It is added to the send queue.",
        "This function is async.",
        "Does not block.",
        "Concurrently with the caller, it is sent.",
        "dev_abort() cancels it.",
        "When finished, a signal is raised.",
        "Must not be modified before the transfer is over.",
        "Must not be touched until the packet is read by the other side.",
        "Keeps it until the message is read with dev_recv().",
        "Runs in a thread of its own.",
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

/// What is moved is said by what stands behind the verb; how, and when, is on no list.
#[test]
fn data_that_is_moved_in_a_way_of_its_own_may_be_moved_later() {
    let mut all = Vec::new();
    for how in "bg behind delayed pending lazy request kick issue initiate future promise continuous circular idle forever \
                fast_path to_idle ahead_of rom bitstream firmware once_ready"
        .split_whitespace()
    {
        all.push(format!("int spi_send_{how}(const unsigned char *buf, size_t len)"));
        all.push(format!("int spi_write_{how}(const unsigned char *data, size_t len)"));
        all.push(format!("int adc_read_{how}(unsigned char *buf, size_t len)"));
        all.push(format!("int uart_receive_{how}(unsigned char *buf, size_t len)"));
    }
    all.extend(
        [
            "int vm_exec(const unsigned char *code, size_t len)",
            "int vm_execute(const unsigned char *code, unsigned char *ram)",
            "int emu_update(const unsigned char *rom, unsigned char *ram)",
            "int rom_import(const unsigned char *data, size_t len)",
        ]
        .map(str::to_owned),
    );
    each_of(&all.iter().map(String::as_str).collect::<Vec<_>>(), DEVICE);
    for name in ["read", "read_all", "read_bytes", "read_line", "gzread", "read32", "recv_packet"] {
        let found = described(&[&format!("int {name}(unsigned char *buf, size_t len)")], "");
        assert_eq!(found, "changed len(0) -> value", "{name}");
    }
    for name in ["write", "write_data", "send_all", "digest_update", "crc_update"] {
        let found = described(&[&format!("int {name}(const unsigned char *data, size_t len)")], "");
        assert_eq!(found, "bytes len(0) -> value", "{name}");
    }
}

/// A text by which something is done from now on is not over with the call; a copy that goes with the object is right in each case.
#[test]
fn a_text_with_which_something_is_done_is_not_over() {
    for declaration in [
        "int dev_encode_as(dev *d, const char *charset)",
        "int dev_get_from(dev *d, const char *url)",
        "int dev_check_against(dev *d, const char *pattern)",
        "int dev_resolve_with(dev *d, const char *server)",
        "int dev_dump_via(dev *d, const char *proxy)",
        "int dev_print_on(dev *d, const char *printer)",
        "int dev_save_in(dev *d, const char *folder)",
        "int dev_translate_domain(dev *d, const char *domain)",
        "int dev_print_header(dev *d, const char *header)",
        "int dev_escape_chars(dev *d, const char *chars)",
    ] {
        let found = described(&[&[declaration], DEVICE].concat(), "");
        assert_eq!(found, "object ? -> value", "{declaration}");
    }
    for declaration in [
        "int dev_find_name(dev *d, const char *name)",
        "int dev_has_key(dev *d, const char *key)",
        "int dev_print(dev *d, const char *text)",
        "int dev_translate(dev *d, const char *text)",
    ] {
        let found = described(&[&[declaration], DEVICE].concat(), "");
        assert_eq!(found, "object text -> value", "{declaration}");
    }
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
