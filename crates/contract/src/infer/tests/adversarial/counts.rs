//! Numbers that count something else than they seem to, and memory of which there is more, or less, than it seems.

use crate::infer::tests::check;
use crate::infer::tests::library::check as check_in;

const FILE: &[&str] = &["file *file_open(const char *path)", "int file_close(file *f)"];

#[test]
fn a_number_beside_one_that_is_got_may_say_how_many() {
    check_in(
        FILE,
        &[
            ("sf_count_t sf_read_int(file *f, int *ptr, sf_count_t items)", "object ? value -> value"),
            ("sf_count_t sf_read_short(file *f, short *ptr, sf_count_t items)", "object ? value -> value"),
            ("int sf_get_int(file *f, int *ptr, int mode)", "object ? value -> value"),
            ("int sf_get_int(file *f, int *ptr)", "object changing -> value"),
            ("int sf_get(file *f, int *status, sf_count_t which)", "object ? value -> value"),
        ],
    );
}

#[test]
fn of_a_file_the_digest_is_not_one_of_its_name() {
    check(&[
        ("int file_md5(const char *filename, size_t length)", "? value -> value"),
        ("uint32_t file_crc32(const char *path, long len)", "? value -> value"),
        ("uint32_t crc32(const char *path, long len)", "? value -> value"),
        ("uint32_t crc32(const char *file_name, long len)", "? value -> value"),
        ("int file_md5(const char *name, size_t len)", "? value -> value"),
        ("int generate_md5(const char *text, size_t len)", "? value -> value"),
        ("int file_create(const char *file, long flen)", "? value -> value"),
        ("int file_create(const char *file, long file_len)", "? value -> value"),
        ("int digest_blocks(const void *data, size_t count)", "? value -> value"),
        ("int digest_blocks_update(const void *data, size_t count)", "? value -> value"),
    ]);
}

#[test]
fn one_length_may_be_of_an_element() {
    check(&[
        ("int write_blocks(const void *buf, size_t bsize, int nblocks)", "? value value -> value"),
        ("int read_blocks(void *buf, size_t bsize, int nblocks)", "? value value -> value"),
        ("int read_data(void *data, size_t dlen, int channel_set)", "? value value -> value"),
        ("int check_data(const void *data, size_t dsize)", "? value -> value"),
        ("int check_rows(const uint8_t *src, int input_size, int nrows)", "? value value -> value"),
        ("int check_rows(const uint8_t *src, int input_size, int n_rows)", "? value value -> value"),
        ("int check_items(const uint8_t *src, int input_size, int items)", "? value value -> value"),
        ("int check_file(const uint8_t *buf, size_t len, int nchunks)", "? value value -> value"),
        ("int check_mode(const uint8_t *src, int input_size, int mode)", "bytes len(0) value -> value"),
    ]);
}

#[test]
fn a_structure_that_ends_with_an_open_array_is_longer() {
    check_in(
        &[],
        &[
            ("uint32_t hist_check(const hack_hist *config)", "? -> value"),
            ("uint32_t hist_check(const plain_hist *config)", "structure(In) -> value"),
        ],
    );
}

#[test]
fn a_number_may_count_even_what_is_called_a_result() {
    check_in(
        &[],
        &[
            ("int get_cpu(plain_cpu *stats_buf, int ncpus)", "? value -> value"),
            ("int get_cpu(plain_cpu *stats, int ncpus)", "? value -> value"),
            ("int get_cpus(plain_cpu *info_buffer, int maxcpus)", "? value -> value"),
            ("int get_cpus(plain_cpu *info, int maxcpus)", "? value -> value"),
            ("int get_cpus(int cpucount, plain_cpu *info)", "value ? -> value"),
            ("int get_cpus(plain_cpu *info, int id, int cpus)", "? value value -> value"),
            ("int get_cpus(int n, plain_cpu *info)", "value ? -> value"),
            (
                "int bessel_get_jn(int n, double x, plain_result *result)",
                "value value structure(InOut) -> value",
            ),
            ("int bessel_zero(unsigned s, plain_result *result)", "value structure(InOut) -> value"),
            ("int get_info(plain_cpu *infoPtr)", "structure(InOut) -> value"),
        ],
    );
}

#[test]
fn the_most_that_fits_may_be_samples_or_leave_out_the_nul() {
    check(&[
        (
            "int decode_samples(const uint8_t *in, size_t in_len, void *samples, int max_samples_len)",
            "bytes len(0) ? value -> value",
        ),
        ("int read_frames(void *frames, int max_frames_len)", "? value -> value"),
        ("int read_frames(void *frames, int max_frames_size)", "? value -> value"),
        ("int read_pcm(void *pcm, int pcm_capacity)", "? value -> value"),
        ("int read_pcm(void *out, int outCapacity, int channels)", "? value value -> value"),
        ("int read_text(char *name, int maxNameLen)", "? value -> value"),
        ("int read_text(char *name, int maxNameSize)", "? value -> value"),
        ("int read_text(char *out, int out_max)", "? value -> value"),
        ("int read_data(void *out, int maxOutSize)", "changed len(0) -> value"),
    ]);
}

#[test]
fn there_may_be_an_error_of_each_element() {
    check(&[
        ("void dither_line(int *err, const uint8_t *src, int len)", "? ? value -> void"),
        ("int fit_check(int *error, const uint8_t *buf, size_t len)", "? ? value -> value"),
        ("int fit_check(int *error, const uint8_t *buf, size_t buf_len)", "? bytes len(1) -> value"),
        ("int fit_check(int *fiterror, const uint8_t *buf, size_t len)", "? ? value -> value"),
        ("int fit_check(double *error, const uint8_t *buf, size_t buf_len)", "? bytes len(1) -> value"),
        ("int fit_check(int *errnum, const uint8_t *buf, size_t len)", "changing bytes len(1) -> value"),
        ("int last_error(int *error)", "changing -> value"),
    ]);
    check_in(
        FILE,
        &[(
            "int BZ2_bzRead(int *bzerror, file *f, void *buf, int len)",
            "changing object changed len(2) -> value",
        )],
    );
}

#[test]
fn inputs_and_outputs_are_not_put() {
    check(&[
        ("int check_inputs(const char *data)", "? -> value"),
        ("int write_outputs(const char *data)", "? -> value"),
        ("int check_throughputs(const char *data)", "? -> value"),
        ("int gzputs(const char *data)", "text -> value"),
    ]);
}

#[test]
fn a_text_that_is_stored_is_kept_though_a_number_is_asked_for() {
    check_in(
        FILE,
        &[
            ("int file_use_index(file *f, const char *name)", "object ? -> value"),
            ("int file_define_index(file *f, const char *name)", "object ? -> value"),
            ("int file_intern_index(file *f, const char *name)", "object ? -> value"),
            ("int file_attach_count(file *f, const char *name)", "object ? -> value"),
            ("int file_bind_size(file *f, const char *label)", "object ? -> value"),
            ("int file_define_bind_parameter_index(file *f, const char *name)", "object ? -> value"),
            ("int file_bind_parameter_index(file *f, const char *name)", "object text -> value"),
            // An object alone is stored, too.
            ("int pool_attach_count(file *f)", "? -> value"),
        ],
    );
}
