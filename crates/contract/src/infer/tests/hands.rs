//! Comments that say of an object that it ends, is handed on or is gone on with, in words that are on no list; of what makes one that it is there already; and of memory
//! that it is taken over, or has to be of a kind.

use super::described;

/// Comments with which the first of these declarations is bound, as none may be.
fn bound(declarations: &[&str], docs: &[&str]) -> Vec<String> {
    let found = docs.iter().map(|doc| (doc, described(declarations, doc)));
    let wrong = found.filter(|(_, found)| !found.contains('?') && found != "unsupported");
    wrong.map(|(doc, found)| format!("{} {doc:?}: {found}", declarations[0])).collect()
}

fn none_of(declarations: &[&str], docs: &[&str]) {
    let wrong = bound(declarations, docs);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const JOB: &[&str] = &["int job_go(job *j)", "void job_free(job *j)", "job *job_new(void)"];

/// What is done to an object is a verb that leaves it, or it is asked for.
#[test]
fn a_verb_that_does_something_to_the_object_has_to_leave_it() {
    none_of(
        JOB,
        &[
            "Starts the job in the background. The job must not be freed before it is over.",
            "Submits the job to the pool, that works on it later.",
            "Finishes this job.",
            "Wraps up the job; the handle is dead.",
            "Gives up the job.",
            "Retires the job.",
            "Passes the job to the pool.",
            "The pool now has the job.",
            "The pool is responsible for the job.",
            "Responsibility for the job goes to the pool.",
            "The job goes to the pool.",
            "The job dies.",
            "The job no longer exists then.",
            "j is invalidated.",
            "Don't touch j after this.",
            "Must be the last call.",
            "No other call may follow.",
            "Decrements the refcount.",
            "Lowers the refcount by one.",
            "Drops the caller's reference after queuing.",
            "The reference count of the job is decremented.",
            "Gives back the reference.",
            "Returns the job to where it came from.",
            "Checks the job in.",
            "Exits, freeing j.",
            "Completes the job. All resources are reclaimed.",
            "Evicts the job.",
            "Runs the job; calling job_free() on it is then an error.",
            "Runs the job. There is no need to free it.",
            "Sinks the floating reference of the job.",
            "Self-destructs.",
        ],
    );
    for (doc, expect) in [
        ("Runs the job.", "object -> value"),
        ("Resets the job and all of its counters.", "object -> value"),
        ("Gets the state of the job.", "object -> value"),
        ("Returns the job's exit code. The job must be over.", "object -> value"),
        ("The job is not changed.", "object -> value"),
    ] {
        assert_eq!(described(JOB, doc), expect, "{doc}");
    }
}

/// The same in the words of others.
#[test]
fn objects_that_are_handed_on_are_heard_in_any_words() {
    none_of(
        &["int xfer_go(xfer *x)", "void xfer_free(xfer *x)", "xfer *xfer_new(void)"],
        &[
            "Hands the transfer to the event loop.",
            "Enqueues the transfer; its callback runs when it is done.",
            "The transfer becomes part of the batch.",
            "Drops one reference; the transfer may be finalized.",
            "Detaches the transfer, which then lives on its own.",
            "Commits the transfer, which must not be used any more.",
            "Marks the transfer for deletion.",
            "Delegates the transfer to a worker thread.",
            "Adds the transfer to the multi handle.",
            "Dispatches this transfer.",
            "The transfer is adopted by the loop.",
            "The transfer vanishes.",
            "Puts the transfer on the send queue.",
            "Launches the transfer and forgets about it.",
        ],
    );
}

/// What stands beside it is put into it, or goes on with it, in words of comments.
#[test]
fn a_companion_is_asked_for_where_a_comment_says_what_becomes_of_it() {
    let list = [
        "int list_item(list *l, item *i)",
        "int list_first(list *l, item *i)",
        "int list_last(list *l, item *i)",
        "int list_width(list *l, item *i)",
        "int list_height(list *l, item *i)",
        "int list_index(list *l, item *i)",
        "void list_free(list *l)",
        "list *list_new(void)",
        "void item_free(item *i)",
        "item *item_new(void)",
    ];
    none_of(
        &list,
        &[
            "The item goes into the list.",
            "The list is made the parent of the item.",
            "The item becomes part of the list.",
            "Makes the item a member of the list.",
            "Writes the item; the list keeps a pointer to it.",
            "Reads into the item whenever data arrives.",
            "Makes the item the list's first; the list looks after it.",
        ],
    );
}

/// Of many that only ask some may put the one into the other, and have no comment.
#[test]
fn two_objects_alone_may_be_put_together_by_a_name_that_asks_nothing() {
    let all = [
        "int split_pane_left(split *s, pane *p)",
        "int split_pane_width(split *s, pane *p)",
        "int split_pane_height(split *s, pane *p)",
        "int split_pane_index(split *s, pane *p)",
        "int split_pane_depth(split *s, pane *p)",
        "int split_pane_size(split *s, pane *p)",
        "void split_free(split *s)",
        "split *split_new(void)",
        "void pane_free(pane *p)",
        "pane *pane_new(void)",
    ];
    none_of(&all, &["", "Left."]);
    let mut asks = all;
    asks.swap(0, 1);
    assert_eq!(described(&asks, ""), "object object -> value");
}

/// What makes an object by its name may hand out one that is there.
#[test]
fn a_constructor_whose_object_is_not_the_callers_is_asked_for() {
    none_of(
        &["ctx *ctx_create(void)", "void ctx_destroy(ctx *c)"],
        &[
            "Returns: (transfer none): the default ctx.",
            "Gets the process-wide instance.",
            "Returns the context of the calling thread, creating it at the first call.",
            "A second call returns what the first made.",
            "Increments the use count of the context if it is there already.",
            "Opens the log; when it is open, its handle is returned.",
            "Returns the context under this id, or a new one.",
            "The context lives as long as the process.",
            "Lives in static memory.",
            "Caches contexts: equal arguments give equal results.",
            "Interned.",
            "There is one per process.",
            "Do not destroy it.",
            "Never destroy the context.",
            "Do not call ctx_destroy() on it.",
            "Attaches to the running one.",
            "Gives the global context.",
            "Hands out the current context.",
            "Looks for the context and creates it if missing.",
            "The context is closed automatically at exit.",
            "A singleton.",
            "Returns a shared instance.",
            "Owned by the library.",
            "Gets the thread's context, created if needed.",
            "Returns the same context with every call.",
            "Creates a context, or increases the reference count of the one that is there.",
        ],
    );
    for doc in ["Creates a context.", "Returns a new context.", "Allocates a context, or returns NULL.", ""] {
        assert_eq!(
            described(&["ctx *ctx_create(void)", "void ctx_destroy(ctx *c)"], doc),
            "-> owned",
            "{doc}"
        );
    }
}

/// Memory that is taken over, or has to be of the library's own, of the compiler's or of a place, is no copy.
#[test]
fn memory_that_is_taken_over_or_has_to_be_of_a_kind_is_asked_for() {
    let docs = [
        "Sets data, allocated with malloc(); the node frees it.",
        "The data must have been allocated by node_alloc().",
        "data: (transfer full)",
        "Steals data.",
        "Takes ownership of data.",
        "data is disposed of by the node.",
        "The data will be freed by the node.",
        "data must be a string literal.",
        "data should be a string constant.",
        "data has to be in static storage.",
        "data must be in flash.",
        "data must be aligned to 64 bytes.",
        "data must come from node_reserve(); it is given back.",
        "data: one of the strings that node_keys() returns",
        "data: a pointer got from node_intern()",
        "data points into the memory that was set before.",
        "The node compares data by address.",
        "data is freed when replaced.",
        "The string is interned.",
        "Unlocks data, got by node_lock().",
    ];
    let beside = ["void node_free(node *n)", "node *node_new(void)"];
    for declaration in [
        "int node_write(node *n, const unsigned char *data, size_t len)",
        "int node_send(const unsigned char *data, size_t len)",
        "int node_find(node *n, const char *data)",
        "int lib_print(const char *data)",
    ] {
        none_of(&[declaration, beside[0], beside[1]], &docs);
    }
    // What comes out is freed.
    let split = ["int node_split(const char *text, char ***words)"];
    assert!(described(&split, "The words of a text, freed with node_free().").starts_with("text"));
    let writes = ["int node_send(const unsigned char *data, size_t len)"];
    for doc in ["Sends data.", "Sends data, allocated by the caller.", "Sends len bytes of data."] {
        assert_eq!(described(&writes, doc), "bytes len(0) -> value", "{doc}");
    }
}

/// A copy that shares is none of what may go.
#[test]
fn a_shallow_copy_needs_what_it_was_made_of() {
    let docs = [
        "Shallow copy: colours are shared.",
        "Copies the style; to refers to the fonts of from.",
        "Copy-on-write copy.",
        "A clone which shares all pages with it.",
        "A shallow copy.",
        "The copy is made lazily.",
    ];
    let beside = ["void style_free(style *s)", "style *style_new(void)"];
    none_of(&["style *style_clone(const style *s)", beside[0], beside[1]], &docs);
    none_of(&["int style_copy(style *to, const style *from)", beside[0], beside[1]], &docs);
    assert_eq!(
        described(&["style *style_clone(const style *s)", beside[0], beside[1]], "A copy."),
        "object -> owned"
    );
}

/// A bus is no conversion, and a number that is returned no sign of reading.
#[test]
fn a_two_in_the_name_of_a_bus_turns_nothing() {
    let beside =
        ["void dev_free(dev *d)", "dev *dev_new(void)", "void cfg_free(cfg *c)", "cfg *cfg_new(void)"];
    for declaration in [
        "int dev_i2c(dev *d, const cfg *c)",
        "int dev_i2s(dev *d, const cfg *c)",
        "int dev_p2p_peer(dev *d, const cfg *c)",
        "int dev_d2h(dev *d, const cfg *c)",
        "int lib_i2c(const cfg *c)",
        "unsigned cfg_go(const cfg *c)",
        "long cfg_engage(const cfg *c)",
        "unsigned long cfg_show(const cfg *c)",
        "unsigned cfg_stack(const cfg *c)",
        "int lib_size_to(const cfg *c)",
        "int cfg_shadow_copy(cfg *to, const cfg *from)",
        "int cfg_copy_on_write(cfg *to, const cfg *from)",
        "int cfg_lazy_dup(cfg *to, const cfg *from)",
    ] {
        let all: Vec<&str> = [declaration].into_iter().chain(beside).collect();
        none_of(&all, &[""]);
    }
    let all = ["int i2d_cert(const cert *c, io *out)", "cert *d2i_cert(io *in)", "void cert_free(cert *c)"];
    assert!(described(&all, "").starts_with("object"), "{}", described(&all, ""));
    assert_eq!(described(&["unsigned cfg_count(const cfg *c)", beside[2], beside[3]], ""), "object -> value");
}

/// What goes on, who does it, and when, in the words of drivers and loops.
#[test]
fn comments_that_speak_of_later_are_heard_of_data() {
    let docs = [
        "Reads the sensor. The DMA engine writes straight into buf.",
        "Fills buf from the FIFO as samples come in; dev_overrun() tells when it is full.",
        "Remains owned by the stack till the tx callback fires.",
        "The port goes on filling buf until len bytes are read.",
        "Reads until len bytes are read, in the ISR.",
        "The receiver fills buf until a newline is encountered; rx_done() tells.",
        "Leave buf alone until len bytes are read.",
        "Hands buf to the codec; dev_wait() tells when it has been filled.",
        "The caller owns buf again after dev_finish().",
        "Scanlines are decoded by dev_next() out of the same memory.",
        "The table is consulted by dev_lookup_next().",
        "Do not free buf before dev_close().",
        "Kicks off a transfer.",
        "Fire and forget.",
        "sent_cb() is invoked at the end.",
        "Does not wait for the end of transmission.",
        "Maps buf into the peer's address space.",
        "The peer may read buf at any time.",
        "Received frames are put in buf, one at a time.",
        "Traces are saved in buf.",
        "Writes go to this memory.",
        "Subsequent reads go to the same buffer.",
        "The request is performed by the daemon, which maps data.",
        "Flash is programmed page by page, driven by dev_poll().",
        "Has to be repeated with the same arguments.",
    ];
    let beside = ["void dev_free(dev *d)", "dev *dev_new(void)"];
    for declaration in [
        "int dev_read(unsigned char *buf, size_t len)",
        "int dev_write(dev *d, const unsigned char *buf, size_t len)",
    ] {
        none_of(&[declaration, beside[0], beside[1]], &docs);
    }
    let reads = ["int dev_read(unsigned char *buf, size_t len)"];
    for doc in [
        "Reads len bytes.",
        "Reads bytes until len bytes are read, or end-of-file is encountered.",
        "Fills buf.",
    ] {
        assert_eq!(described(&reads, doc), "changed len(0) -> value", "{doc}");
    }
}

/// What is set by a text stays set.
#[test]
fn a_text_that_something_is_set_to_is_asked_for() {
    let docs = [
        "Sets the program name used in messages.",
        "The text becomes the prompt.",
        "Makes text the prompt.",
        "The domain for messages.",
        "Changes the search path.",
        "text: name=value, part of the environment.",
    ];
    none_of(&["int lib_print(const char *text)"], &docs);
    assert_eq!(described(&["int lib_print(const char *text)"], "Prints text."), "text -> value");
}

/// A length of something else is none in bytes: memory ends at a wall then.
#[test]
fn lengths_in_words_of_other_units_are_no_lengths_in_bytes() {
    for doc in [
        "@param len length of data minus one",
        "@param len counted from zero: the size of data",
        "@param len MTUs",
        "@param len end of data",
        "data is an array of len uint32_t.",
        "data consists of len packets of 188 bytes.",
        "data has len cards of two bytes.",
        "data: len * sizeof(uint32_t) bytes.",
        "data: len x 4 bytes.",
        "data: 4 x len bytes.",
        "data must be of size 1 << len.",
        "data is of 2^len bytes.",
        "Transposes a len by len matrix.",
        "@param len sector count",
        "data: stereo frames; len is per channel.",
        "data must be padded with 64 readable bytes.",
        "data must be a power of two in size; len is its logarithm.",
        "Reads len registers, each of which is wide.",
        "data, and a trailer of 4 bytes behind it are read.",
    ] {
        let found = described(&["unsigned dev_crc(const unsigned char *data, size_t len)"], doc);
        assert!(!found.contains("len(0)"), "{doc}: {found}");
    }
    for doc in [
        "Of len bytes.",
        "@param len the length of data",
        "Computes it of data, which has len bytes of input.",
        "At most len bytes are read.",
    ] {
        let found = described(&["unsigned dev_crc(const unsigned char *data, size_t len)"], doc);
        assert_eq!(found, "bytes len(0) -> value", "{doc}");
    }
}

/// What ends outside of the process, ends in part or begins afresh is not the memory that stands for it.
#[test]
fn what_ends_outside_or_in_part_releases_nothing() {
    for (end, doc) in [
        (
            "void item_free(item *pool)",
            "Frees all memory used by the pool's blocks; the pool may be filled afresh.",
        ),
        ("void item_free(item *i)", "Free the memory allocated for cached results of this item."),
        ("void item_free(item *i)", "Frees the resources allocated by item_load()."),
        ("void item_free(item *i)", "Frees unused memory of the item."),
        ("void item_free(item *i)", "Frees the item if its reference count is zero."),
        ("void item_destroy(item *i)", "Destroys the objects of the item."),
        ("void item_dispose(item *i)", "Disposes of the item's parts."),
        ("void item_end(item *i)", "Ends the item by writing its trailer."),
        ("void item_close(item *path)", "Closes the path by drawing a line to its beginning."),
        ("void item_close(item *i)", "Close the item. May be called any number of times."),
        ("void item_close(item *i)", "Requests that the item be closed."),
        ("void item_finish(item *i)", "Finish the item. Call before item_swap()."),
        ("int item_delete(item *file)", "Deletes the file."),
        ("int item_delete(item *row)", "Delete the row in the database."),
        ("int item_delete(item *i)", "Deletes everything."),
        ("int item_drop(item *table)", "Drops the table."),
        ("void item_release(item *semaphore)", "Releases the semaphore."),
        ("void item_release(item *button)", "Release the mouse button."),
        ("int item_close(item *valve)", "Close the valve."),
    ] {
        none_of(&[end, "item *item_new(void)"], &[doc]);
    }
    for (end, doc) in [
        ("void item_free(item *i)", "Frees the item."),
        ("void item_free(item *i)", "Frees all memory used by the item."),
        ("void item_free(item *i)", "Frees the memory allocated by item_new()."),
        ("void item_close(item *file)", "Closes the file and frees its memory."),
        ("int item_close(item *i)", "Closes the item."),
        ("void item_delete(item *i)", "Deletes the item and all of its parts."),
    ] {
        let found = described(&[end, "item *item_new(void)"], doc);
        assert!(found.starts_with("ended"), "{end} {doc}: {found}");
    }
}

/// A text is none where a comment says what stands there instead.
#[test]
fn letters_without_a_nul_are_heard_in_other_words() {
    let docs = [
        "16 raw bytes.",
        "Returns 16 bytes.",
        "Padded with blanks.",
        "Need not end with a NUL.",
        "A list of names, terminated by an empty one.",
        "A Pascal string.",
        "The four-character code.",
        "A pointer to pixel data.",
        "An array of names.",
        "The bytes received; their number is item_received_len().",
        "Length-prefixed.",
        "Double-NUL at the end.",
    ];
    let beside = ["void item_free(item *i)", "item *item_new(void)"];
    none_of(&["const char *item_title(const item *i)", beside[0], beside[1]], &docs);
    none_of(&["int item_name(item *i, const char *name)", beside[0], beside[1]], &docs);
    none_of(
        &["const char *item_title(const item *i)", beside[0], beside[1]],
        &[
            "The title, to be passed to item_str_free().",
            "Returns a fresh string.",
            "Returns a newly created string.",
        ],
    );
    let title =
        described(&["const char *item_title(const item *i)", beside[0], beside[1]], "The title of the item.");
    assert_eq!(title, "object -> text");
}
