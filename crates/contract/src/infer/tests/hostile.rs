//! Declarations that were made to have facts concluded which are false, by what they say: memory that is kept, texts of objects, ends that are
//! none, lengths in other units, and objects that are noted.

use super::described;

/// What became of the first declaration, which is asked about in the first place of what comes out.
fn see(declaration: &str, beside: &[&str], doc: &str) -> String {
    let all: Vec<&str> = [declaration].into_iter().chain(beside.iter().copied()).collect();
    described(&all, doc)
}

fn open(declarations: &[&str], beside: &[&str]) {
    let bound = declarations.iter().filter(|declaration| !see(declaration, beside, "").contains('?'));
    let bound: Vec<String> = bound.map(|it| format!("{it}: {}", see(it, beside, ""))).collect();
    assert!(bound.is_empty(), "\n{}", bound.join("\n"));
}

fn open_docs(declaration: &str, beside: &[&str], docs: &[&str]) {
    let bound = docs.iter().filter(|doc| !see(declaration, beside, doc).contains('?'));
    let bound: Vec<String> = bound.map(|doc| format!("{doc}: {}", see(declaration, beside, doc))).collect();
    assert!(bound.is_empty(), "{declaration}\n{}", bound.join("\n"));
}

const DEVICE: &[&str] = &["void dev_free(dev *d)", "dev *dev_new(void)"];

/// What comes out by its name, or stands beside something that is read, may be filled later, wired or kept.
#[test]
fn memory_is_used_during_the_call_only_where_a_verb_says_so() {
    let all = [
        "int job_run(int id, double *result)",
        "int emu_boot(const unsigned char *rom, unsigned char *ram)",
        "int synth_wire(const float *in, float *out)",
        "float filter_coeffs(const float *coeffs, int n)",
        "float synth_wavetable(const float *table, int n)",
        "int player_shuffle(int *playlist)",
        "int core_dump(unsigned *regs)",
        "int pwm_invert(unsigned *mask)",
        "int cli_parse(int *verbose)",
        "int disp_format(unsigned *fb)",
        "int gpio_pull(int *pins)",
        "int tone_generate(short *pcm)",
        "int plot_tick_length(const float *lengths)",
        "int hist_bin_count(const int *bins)",
        "int scaler_mean(const float *mean)",
        "int net_crc(const unsigned *poly)",
        "double servo_goto(double pos, int *arrived)",
        "double motor_ramp(double speed, int *done)",
        "float fan_run(float rpm, unsigned *tacho)",
        "int cpu_memory(const unsigned char *rom, unsigned char *ram)",
        "int gpu_buffers(const unsigned *front, unsigned *back)",
        "int spi_link(const unsigned char *tx, unsigned char *rx, int n)",
        "int fx_delay(const float *taps, float *line, int n)",
        "int dev_tap(const dev *d, short *line)",
        "int dev_go(const dev *d, float *result)",
        "int lib_resume(int id, double *out)",
        "int imu_follow(int id, float *out)",
        "float env_curve(const float *points)",
        "int bus_final(unsigned *word)",
        "int msg_retrieve(unsigned *mailbox)",
    ];
    let bound: Vec<String> = all.iter().map(|it| see(it, DEVICE, "")).collect();
    for (declaration, found) in all.iter().zip(bound) {
        assert!(found.contains('?'), "{declaration}: {found}");
    }
    for (declaration, expect) in [
        ("unsigned crc(const unsigned char *data, size_t len)", "bytes len(0) -> value"),
        ("double frexp(double x, int *exponent)", "value changing -> value"),
    ] {
        assert_eq!(see(declaration, DEVICE, ""), expect, "{declaration}");
    }
}

/// What a sentence behind it takes back was not said.
#[test]
fn copied_is_not_said_where_the_next_sentence_takes_it_back() {
    open_docs(
        "int dev_set_label(dev *d, const char *name)",
        DEVICE,
        &[
            "The name is copied. This may change in a later version.",
            "The name is copied. This may change.",
            "The name is copied. That holds for short ones.",
            "The name is copied (see dev_set_static).",
            "The name is copied. See dev_set_label_static().",
            "The name is copied. In direct mode the caller's memory goes to the screen.",
            "The name is copied. This happens at the next dev_run().",
            "The name is copied. The copying takes place in the worker thread.",
            "The name is copied. Direct devices: the device reads it from the memory of the application.",
            "The name is copied.\n\nSince 2.0, the library uses the caller's memory.",
            "\\deprecated The name is copied. Was so before 1.2.",
            "The name is copied. The pointer is put into the index first.",
            "The name is copied. The copy is made by the first dev_step().",
            "The name is copied. Call dev_direct_mode() to have it otherwise.",
            "In slow mode\n\nThe name is copied.\n\nIn fast mode\n\nThe name stays where it is.",
            "The name is copied during dev_show(). The name is copied.",
            "The name is copied. @return 0, or 1 where this was another mode.",
            "The name is copied. Fast devices do as they like.",
        ],
    );
}

/// A text that an object is given may be the object's: a copy goes with it, which nothing here has.
#[test]
fn texts_beside_an_object_are_used_only_where_a_verb_says_so() {
    let setters = "name tooltip text hint comment path message subject icon theme locale charset compile equip teach follow draw";
    for word in setters.split(' ') {
        for param in ["text", word] {
            let declaration = format!("int dev_{word}(dev *d, const char *{param})");
            let found = see(&declaration, DEVICE, "");
            assert_eq!(found, "object ? -> value", "{declaration}");
        }
    }
    for word in "find lookup has print write exists check verify get delete".split(' ') {
        let declaration = format!("int dev_{word}(dev *d, const char *text)");
        assert!(!see(&declaration, DEVICE, "").contains("object ? "), "{declaration}");
    }
}

/// `done` and `end` are nouns and adjectives as well.
#[test]
fn an_end_that_returns_a_number_and_says_nothing_may_ask() {
    for word in ["done", "end"] {
        let end = format!("int xfer_{word}(xfer *x)");
        let other = "int xfer_run(xfer *x, int n)";
        let found = see("xfer *xfer_create(int n)", &[&end, other], "");
        assert_eq!(found, "value -> ?", "{end}");
        let begun = see(
            "int full_flow_init(full_flow *f)",
            &[&end.replace("xfer", "full_flow"), "int full_flow_step(full_flow *f)"],
            "",
        );
        assert_eq!(begun, "? -> value", "{end}");
    }
    for (word, doc) in [
        ("done", "Whether it is over."),
        ("end", "Returns 1 at the end."),
        ("end", "The last place."),
        ("finish", "The position of the finish."),
        ("done", "How much has been done."),
        ("done", "Non-zero once all is there."),
        ("end", "One behind the last."),
        ("clear", "Clears the pending flag."),
        ("clear", "Removes all elements."),
        ("clear", "Sets all to zero."),
    ] {
        let declaration = format!("int xfer_{word}(xfer *x)");
        let found = see(&declaration, &["xfer *xfer_create(int n)"], doc);
        assert!(!found.contains("ended"), "{declaration} {doc}: {found}");
    }
    assert_eq!(see("void xfer_done(xfer *x)", &["xfer *xfer_create(int n)"], ""), "ended -> void");
    assert_eq!(see("int xfer_end(xfer *x)", &["xfer *xfer_create(int n)"], "Frees it."), "ended -> value");
}

#[test]
fn lengths_that_count_something_else_are_no_bytes() {
    open_docs(
        "int blk_write(const unsigned char *data, size_t len)",
        &[],
        &[
            "@param len  number of 16-bit samples",
            "@param len  in: number of records of 12 bytes",
            "@param len  size of data in words",
            "@param len  log2 of the number of bytes of data",
            "@param len  number of blocks of 512 bytes",
            "@param len  length of data in bits",
            "@param len  index of the last byte",
            "@param len  the length in 32-bit words",
            "The length is in words.",
            "The length is given in samples.",
            "The data has len letters of two bytes each.",
            "data has len bytes followed by a checksum of four bytes.",
            "data must have room for len+1 bytes.",
            "Reads len * 2 bytes.",
            "len is the number of pixels.",
            "len is the number of blocks.",
            "Writes len sectors.",
            "Takes len 16-bit units.",
        ],
    );
    open_docs(
        "double sum(const double *values, size_t count)",
        &[],
        &[
            "@param count  number of pairs",
            "@param count  number of rows, each of which has four values",
            "count is the number of points.",
            "Takes count triples.",
            "Of count complex pairs.",
        ],
    );
    for doc in ["@param len  number of bytes in data", "@param len  length of data", "Writes len bytes."] {
        let found = see("int blk_write(const unsigned char *data, size_t len)", &[], doc);
        assert_eq!(found, "bytes len(0) -> value", "{doc}");
    }
}

/// What `const` says nothing of: verbs that no rule knows may note where the object is.
#[test]
fn what_only_reads_an_object_says_so() {
    for verb in "adopt follow watch mirror link teach equip draw play present render paint shade use_as accompany haunt wire wear".split(' ') {
        open(
            &[
                &format!("int app_{verb}(const mesh *m)"),
                &format!("int app_{verb}(app *a, const mesh *m)"),
                &format!("void app_{verb}(const mesh *m)"),
            ],
            &["void mesh_free(mesh *m)", "mesh *mesh_new(void)", "void app_free(app *a)", "app *app_new(void)"],
        );
    }
    for name in ["print", "write", "check", "count", "compare", "has", "get", "find", "size", "hash"] {
        let declaration = format!("int app_{name}(const mesh *m)");
        let found = see(&declaration, &["void mesh_free(mesh *m)", "mesh *mesh_new(void)"], "");
        assert_eq!(found, "object -> value", "{declaration}");
    }
}

/// A comment may call an object otherwise than its type does.
#[test]
fn what_a_comment_says_of_an_end_is_about_the_object_whatever_it_calls_it() {
    open_docs(
        "int req_run(req *r, int code)",
        &["void req_free(req *r)", "req *req_new(void)", "int req_id(const req *r)"],
        &[
            "Completes the request with the given status and frees it.",
            "Runs it. The request is freed.",
            "The library releases the request when done.",
            "Acknowledges the request and destroys it.",
            "Executes the request. It deletes itself when it has run.",
            "The request is disposed of.",
            "Drops the caller's reference to the request.",
            "The connection is closed.",
            "The connection is kept by the pool.",
            "Keeps the connection.",
            "Closes the session.",
            "Takes possession of the dev.",
            "Takes charge of the dev.",
            "Takes away the dev.",
            "Takes that dev over.",
            "The library takes the passed dev.",
            "Consumes resources and the req.",
            "Deletes the string, value, and this req.",
            "The next releases this object.",
            "Close the connection.",
            "Destroy the connection after sending.",
            "Will free the connection.",
            "The handle gets closed.",
            "Frees the request when it is answered.",
        ],
    );
}

/// What resets, copies, prints or loads a structure neither begins nor ends one.
#[test]
fn a_structure_is_begun_and_ended_by_what_says_so_alone() {
    let begun = ["int full_tmr_init(full_tmr *t)", "void full_tmr_destroy(full_tmr *t)"];
    for declaration in [
        "int full_tmr_snapshot(full_tmr *into, const full_tmr *t)",
        "int full_tmr_fork(full_tmr *child, const full_tmr *t)",
        "int full_tmr_load(full_tmr *t, const char *path)",
        "int full_tmr_parse(full_tmr *t, const char *text)",
        "int full_tmr_from(full_tmr *t, int n)",
        "int full_tmr_restore(full_tmr *t, int n)",
        "int full_tmr_open(full_tmr *t, int n)",
        "int full_tmr_derive(full_tmr *t, const full_tmr *from)",
    ] {
        let found = see(declaration, &begun, "");
        assert!(found.starts_with('?'), "{declaration}: {found}");
    }
    let end = "void full_tmr_destroy(full_tmr *t)";
    for name in ["initialized", "init_print", "init_state", "is_init", "init_reset", "init_check"] {
        let declaration = format!("int full_tmr_{name}(full_tmr *t)");
        let found = see(&declaration, &[end], "");
        assert!(!found.starts_with("begun"), "{declaration}: {found}");
    }
}

/// What speaks of freeing, of an owner or of another end may be about what is returned.
#[test]
fn texts_of_which_a_comment_speaks_of_freeing_are_asked_for() {
    for result in ["const char *", "char *"] {
        open_docs(
            &format!("{result}dev_name(const dev *d)"),
            DEVICE,
            &[
                "Returns the name. Before it is changed, the old name must be freed with free().",
                "Returns the name. When the device itself is gone the name must be freed.",
                "The string is malloc()ed; free() it after use.",
                "Returns the name. The caller is responsible for freeing it.",
                "Returns a heap-allocated string which the caller owns.",
                "Unless DEV_STATIC is set the result must be freed with free().",
                "Only in version 1 the result must be freed.",
                "Lists of names should be freed with free().",
                "The error text must be freed with free().",
                "It is allocated by the call.",
                "Release it with dev_release().",
                "Returns the name, or (const char *)-1 on error.",
                "Returns a FOURCC.",
                "Returns text in a list, separated by NUL and ended by two.",
                "Ownership goes to the caller.",
                "Dispose of it.",
                "The text is allocated automatically and has to be freed.",
            ],
        );
    }
    for doc in ["The name.", "The name. It must not be freed.", "Do not free it."] {
        assert!(see("const char *dev_name(const dev *d)", DEVICE, doc).ends_with("-> text"), "{doc}");
    }
}

/// A flag that says that an object ends is a parameter beside it, and what is about another thing is no end.
#[test]
fn what_a_comment_leaves_of_an_end() {
    let request = ["void req_free(req *r)", "req *req_new(void)"];
    let found = see("int req_do(req *r, int flags)", &request, "With flags set it is freed.");
    assert_eq!(found, "? value -> value");
    for (end, doc) in [
        ("int pool_free(pool *p)", "The number of free slots."),
        ("int pool_end(pool *p)", "Closes the current tag."),
        ("void pool_end(pool *p)", "Moves to the end of the list."),
        ("int pool_close(pool *p)", "The close code."),
        ("int pool_close(pool *p)", "Closes the current tag."),
        ("void pool_close(pool *p)", "Why it was closed last."),
        ("int pool_release(pool *p)", "The release that is running."),
        ("int pool_delete(pool *p)", "Deletes the first row."),
        ("int pool_destroy(pool *p)", "How many are destroyed in a round."),
        ("void pool_finish(pool *p)", "Draws the finish."),
        ("void pool_clear(pool *p)", "Clears the screen."),
        ("void pool_free(pool *p)", "Frees the least recently used entry."),
        ("void pool_free(pool *p)", "Frees the buffers of the pool, which may be used on."),
        ("void pool_free(pool *p)", "Frees the memory of the entries."),
        ("void pool_free(pool *p)", "Frees the pool's entries."),
        ("void pool_free(pool *p)", "Free a slot."),
        ("void pool_destroy(pool *p)", "Destroys all sprites of the pool."),
        (
            "void pool_destroy(pool *p)",
            "Frees the memory of the pool; the pool itself is freed with its arena.",
        ),
        ("void pool_end(pool *p)", "Closes the clamp of the arm and shuts it down."),
        ("void pool_terminate(pool *p)", "Terminates the line with CR LF."),
        ("void pool_stop(pool *p)", "Stops the motor."),
        ("void pool_stop(pool *p)", ""),
        ("void pool_discard(pool *p)", "Discards what is unread."),
        ("void pool_discard(pool *p)", ""),
        ("void pool_finish(pool *p)", "Completes the element that has been begun."),
        ("bool pool_finish(pool *p)", ""),
        ("void pool_cleanup(pool *p)", "Removes expired entries."),
        ("void pool_close(pool *p)", "Closes the innermost bracket."),
        ("void pool_release(pool *p)", "Lets the key go."),
        ("void pool_destroy(pool *p)", "Destroy the window belonging to the pool."),
        ("void pool_release(pool *p)", "Release the pool's lock."),
        ("void pool_close(pool *p)", "Close the pool to new requests."),
        ("void pool_end(pool *p)", "End this line."),
        ("void pool_cleanup(pool *p)", "Cleans up after a failed run; the object can be run again."),
        ("void pool_cleanup(pool *p)", "Clean the data."),
        ("void pool_delete(pool *p)", "Delete one."),
        ("void pool_delete(pool *p)", "Delete all."),
        ("void pool_drop(pool *p)", "Drops this from view."),
        ("void pool_free(pool *p)", "Frees up memory by dropping caches."),
        ("void pool_free(pool *p)", "Free memory in bytes."),
        ("void pool_close(pool *p)", "Close the pool, keeping the object."),
        ("void pool_close(pool *p)", "Closes the pool. The handle stays valid."),
    ] {
        let found = see(end, &["pool *pool_create(int n)"], doc);
        assert!(!found.contains("ended"), "{end} {doc}: {found}");
    }
    for doc in [
        "Closes it.",
        "Closes the pool.",
        "Frees memory.",
        "Destroys the pool and all in it.",
        "All is freed.",
    ] {
        let found = see("int pool_close(pool *p)", &["pool *pool_open(int n)"], doc);
        assert_eq!(found, "ended -> value", "{doc}");
    }
    for (end, doc) in [
        ("void pool_delete(pool *p)", "Delete a pool entity and all subentities."),
        ("void pool_free(pool *p)", "See pool_create()."),
        ("void pool_free(pool *p)", ""),
        ("void pool_close(pool *p)", ""),
        ("void pool_finish(pool *p)", "Ends the given pool object, as well as all of its slots."),
        ("int pool_free(pool *p)", "@function: pool_free @description: Discard a given pool object."),
        ("void pool_destroy(pool *p)", "Releases the memory used by the pool."),
        ("void pool_free(pool *p)", "Free a previously allocated pool."),
        ("void pool_free(pool *p)", "This function frees all memory associated with p."),
    ] {
        let found = see(end, &["pool *pool_create(int n)"], doc);
        assert!(found.starts_with("ended"), "{end} {doc}: {found}");
    }
}

/// A comment that begins with what is asked for is about a number.
#[test]
fn a_comment_says_what_is_asked_for() {
    let beside = ["void theme_free(theme *t)", "theme *theme_new(void)"];
    for doc in ["How strong it is.", "Whether it is in use.", "Its strength.", "The strength."] {
        assert_eq!(see("int theme_vigour(const theme *t)", &beside, doc), "object -> value", "{doc}");
    }
    for doc in ["", "Wears it.", "Makes it that of all windows.", "Engage it."] {
        assert!(see("int theme_vigour(const theme *t)", &beside, doc).starts_with('?'), "{doc}");
    }
}

/// What main left open stays open: nouns that are verbs as well, a length of what is changed in place, memory that is used in place, another time.
#[test]
fn a_digest_a_change_and_a_twin_are_what_their_names_end_with() {
    for declaration in [
        "int hash_memory(unsigned char *mem, size_t len)",
        "int hash_buckets(unsigned *buckets, int n)",
        "int md5_state(unsigned *state)",
        "int sha256_table(const unsigned *table, int n)",
        "int sha1_pool(unsigned *pool, int n)",
    ] {
        assert!(see(declaration, &[], "").contains('?'), "{declaration}: {}", see(declaration, &[], ""));
    }
    for verb in ["swab", "sort", "convert", "negate", "shuffle", "invert"] {
        let declaration = format!("int {verb}(unsigned char *buf, size_t len)");
        assert!(!see(&declaration, &[], "").contains("len(0)"), "{declaration}");
        let raw = format!("int {verb}(void *buf, size_t len)");
        assert!(!see(&raw, &[], "").contains("len(0)"), "{raw}");
    }
    for (declaration, beside) in [
        ("int job_e_start(int n, double x, double *out)", "double job_start(int n, double x)"),
        ("int job_array_go(int n, double x, double *out)", "double job_go(int n, double x)"),
        ("int job_e_rate(int n, double x, full_rate *out)", "double job_rate(int n, double x)"),
        ("int job_gauge_e(int n, plain_gauge *out)", "double job_gauge(int n)"),
        ("int job_temp_array(int n, plain_gauge *out)", "double job_temp(int n)"),
    ] {
        assert!(see(declaration, &[beside], "").contains('?'), "{declaration}");
    }
    open_docs(
        "int dev_convert_samples(unsigned char *buf, size_t len)",
        &[],
        &[
            "Converts the audio in place. buf must be of size len*len_mult.",
            "Parses in place, and leaves pointers to it.",
            "It is written while DMA is active.",
            "Counting while threads execute.",
            "Runs a job on the pool.",
        ],
    );
    open_docs(
        "int dev_write(dev *d, const unsigned char *buf, size_t len)",
        DEVICE,
        &["Used in place.", "It is read while DMA is active.", "Runs a transfer on the bus."],
    );
    open_docs(
        "int job_poke(job *j, int n)",
        &["void job_free(job *j)", "job *job_new(void)"],
        &[
            "Takes a reference to the job, which the caller loses.",
            "Takes an owned job.",
            "Takes 1 reference of the job.",
        ],
    );
}

/// A call that begins something leaves an object to what goes on, `const` or not.
#[test]
fn a_const_object_of_what_goes_on_is_asked_for() {
    open_docs(
        "long theme_compile(const theme *t)",
        &["void theme_free(theme *t)", "theme *theme_new(void)"],
        &[
            "Starts a worker thread that compiles t; theme_join() waits for it.",
            "Compiles it in the background.",
            "Compiles it asynchronously.",
            "Launches the compiler.",
            "Queues it for compilation.",
        ],
    );
    let found = see("long theme_compile(const theme *t)", &["void theme_free(theme *t)"], "Compiles it.");
    assert_eq!(found, "object -> value");
}

/// What is said of a length is that it counts bytes, or it counts something else.
#[test]
fn a_length_counts_bytes_where_nothing_else_is_said_of_it() {
    let crc = "unsigned crc(const unsigned char *data, size_t len)";
    let other = [
        "@param len number of u32s in data",
        "Computes the checksum over len doublewords.",
        "The length is given in multiples of 16.",
        "@param len data length / 4",
        "@param len length in nibbles",
        "@param len length in kB",
        "@param len length in uint16_t",
        "@param len number of paragraphs (16 bytes each)",
        "@param len length, a word at a time",
        "@param len one less than the size of data",
        "@param len offset of the first byte that is not used",
        "@param len word count",
        "@param len the sample count",
        "@param len cells",
        "Data is len cachelines long.",
        "data must hold 4*len bytes",
        "data must hold twice len bytes",
        "@param len width of the picture; there are three bytes per pixel",
        "@param len size of data in 32-bit words",
    ];
    for doc in other {
        assert!(!see(crc, &[], doc).contains("len(0)"), "{doc}: {}", see(crc, &[], doc));
    }
    for doc in [
        "@param len number of bytes",
        "@param len The length of the data",
        "@param len size of data in bytes",
        "@param len number of valid bytes in data",
        "@param len Length of data.",
        "Computes the checksum of len bytes.",
        "@param len byte count",
        "@param len how much there is",
        "@param len number of octets of the input",
    ] {
        assert_eq!(see(crc, &[], doc), "bytes len(0) -> value", "{doc}");
    }
    let mean = "double mean(const double *values, size_t count)";
    for doc in [
        "@param count number of pairs of values",
        "@param count number of complex values",
        "@param count number of 3D vectors",
        "@param count per channel",
        "@param count frames",
        "@param count number of rows of four",
    ] {
        assert!(!see(mean, &[], doc).contains("count(0)"), "{doc}: {}", see(mean, &[], doc));
    }
    for doc in [
        "@param count number of values",
        "@param count how many there are",
        "@param count the number of elements",
    ] {
        assert_eq!(see(mean, &[], doc), "bytes count(0) -> value", "{doc}");
    }
    for declaration in [
        "unsigned crc32_words(const void *data, size_t len)",
        "unsigned hash_blocks(const void *data, size_t len)",
    ] {
        assert!(!see(declaration, &[], "").contains("len(0)"), "{declaration}");
    }
}

/// Data that a function is called after, or with which something is done from now on, may be needed later: a copy that goes with the object, or a line.
#[test]
fn data_with_which_something_is_done_is_not_over() {
    for declaration in [
        "int dev_encode_dict(dev *d, const unsigned char *dict, size_t dict_len)",
        "int dev_compress_dictionary(dev *d, const unsigned char *dict, size_t dict_len)",
        "int dev_verify_key(dev *d, const unsigned char *key, size_t key_len)",
        "int dev_decrypt_key(dev *d, const unsigned char *key, size_t key_len)",
        "int dev_check_against(dev *d, const unsigned char *data, size_t len)",
        "int dev_verify_with(dev *d, const unsigned char *data, size_t len)",
        "int dev_send_via(dev *d, const unsigned char *data, size_t len)",
        "int dev_print_using(dev *d, const unsigned char *data, size_t len)",
        "int dev_update_from(dev *d, const unsigned char *data, size_t len)",
        "int dev_update_firmware(dev *d, const unsigned char *data, size_t len)",
        "int dev_import_settings(dev *d, const unsigned char *data, size_t len)",
        "int dev_execute_program(dev *d, const unsigned char *code, size_t len)",
        "int dev_search_index(dev *d, const unsigned char *index, size_t len)",
        "int dev_query_cache(dev *d, const unsigned char *cache, size_t len)",
        "int dev_sign_cert(dev *d, const unsigned char *cert, size_t len)",
    ] {
        let found = see(declaration, DEVICE, "");
        assert!(found.contains('?'), "{declaration}: {found}");
    }
    for declaration in [
        "int dev_write_data(dev *d, const unsigned char *data, size_t len)",
        "int dev_write(dev *d, const unsigned char *buf, size_t len)",
        "int dev_digest_update(dev *d, const unsigned char *data, size_t len)",
        "int dev_verify(dev *d, const unsigned char *sig, size_t sig_len)",
        "int dev_encode_block(dev *d, const unsigned char *block, size_t len)",
    ] {
        assert_eq!(see(declaration, DEVICE, ""), "object bytes len(1) -> value", "{declaration}");
    }
}

/// Who has an object behind the call may release it, or need it.
#[test]
fn an_object_that_a_comment_says_somebody_has_is_asked_for() {
    open_docs(
        "int conn_ping(conn *c)",
        &["void conn_free(conn *c)", "conn *conn_new(void)"],
        &[
            "Pings. The pool owns the connection from then on.",
            "Put the connection into the pool.",
            "Pings. The connection is stored in the pool.",
            "Pings and puts the connection back.",
            "The connection belongs to the server then.",
            "Pings, then hands the connection to the pool.",
            "This also ends the connection.",
            "Terminates the connection when nothing comes back.",
            "The connection is owned by the loop.",
            "The connection is handed over to the loop.",
        ],
    );
    for doc in
        ["Pings the other side.", "Puts a byte on the wire.", "Sends all that the connection has queued."]
    {
        let found = see("int conn_ping(conn *c)", &["void conn_free(conn *c)", "conn *conn_new(void)"], doc);
        assert_eq!(found, "object -> value", "{doc}");
    }
}

/// A real number that is returned says nothing beside an object that is changed, and a noun nothing where a function is not called after the object.
#[test]
fn what_is_read_of_an_object_is_said_by_a_verb_or_is_its_own() {
    let beside = [
        "void theme_free(theme *t)",
        "theme *theme_new(void)",
        "void view_free(view *v)",
        "view *view_new(void)",
    ];
    for declaration in [
        "int theme_engage(const theme *t)",
        "void theme_wear(const theme *t)",
        "void theme_live(const theme *t)",
        "double lib_engage(const theme *t)",
        "double lib_themed(const theme *t)",
        "int lib_state(const theme *t)",
        "int lib_error_theme(const theme *t)",
        "int lib_prototype(const theme *t)",
        "theme *theme_clone_lazy(const theme *t)",
        "theme *theme_copy_cow(const theme *t)",
    ] {
        let found = see(declaration, &beside, "");
        assert!(found.starts_with("?"), "{declaration}: {found}");
    }
    for declaration in [
        "float view_wear(view *v, const theme *t)",
        "double view_engage(view *v, const theme *t)",
        "int view_read_mode(view *v, const theme *t)",
        "int view_find_policy(view *v, const theme *t)",
        "int view_convert_by(view *v, const theme *t)",
        "int view_print_layout(view *v, const theme *t)",
        "int view_encode_default(view *v, const theme *t)",
    ] {
        let found = see(declaration, &beside, "");
        assert!(found.starts_with("object ?"), "{declaration}: {found}");
    }
    for (declaration, expect) in [
        ("float theme_height(const theme *t)", "object -> value"),
        ("unsigned theme_flags(const theme *t)", "object -> value"),
        ("int theme_weight(const theme *t)", "object -> value"),
        ("int theme_parts(const theme *t)", "object -> value"),
        ("int theme_last(const theme *t)", "object -> value"),
        ("double lib_random(const theme *t, double sigma)", "object value -> value"),
        ("size_t lib_sizeof_theme(const theme *t)", "object -> value"),
        ("int view_print(view *v, const theme *t)", "object object -> value"),
    ] {
        assert_eq!(see(declaration, &beside, ""), expect, "{declaration}");
    }
}
