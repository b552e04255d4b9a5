//! Declarations of well-known libraries.

use super::check;

#[test]
fn zlib() {
    check(&[
        ("const char *zlibVersion(void)", "-> text"),
        ("uLong crc32(uLong crc, const Bytef *buf, uInt len)", "value bytes len(1) -> value"),
        ("uLong adler32(uLong adler, const Bytef *buf, uInt len)", "value bytes len(1) -> value"),
        ("uLong adler32_z(uLong adler, const Bytef *buf, z_size_t len)", "value bytes len(1) -> value"),
        ("uLong crc32_combine(uLong, uLong, z_off_t)", "unsupported"),
        ("uLong crc32_combine(uLong crc1, uLong crc2, off_t len2)", "value value value -> value"),
        ("uLong compressBound(uLong sourceLen)", "value -> value"),
        (
            "int compress(Bytef *dest, uLongf *destLen, const Bytef *source, uLong sourceLen)",
            "out lenptr(0) bytes len(2) -> value",
        ),
        (
            "int compress2(Bytef *dest, uLongf *destLen, const Bytef *source, uLong sourceLen, int level)",
            "out lenptr(0) bytes len(2) value -> value",
        ),
        (
            "int uncompress(Bytef *dest, uLongf *destLen, const Bytef *source, uLong sourceLen)",
            "out lenptr(0) bytes len(2) -> value",
        ),
        (
            "int uncompress2(Bytef *dest, uLongf *destLen, const Bytef *source, uLong *sourceLen)",
            "out lenptr(0) ? ? -> value",
        ),
        ("gzFile gzopen(const char *, const char *)", "text text -> ?"),
        ("gzFile gzopen(const char *path, const char *mode)", "text text -> ?"),
        ("int gzwrite(gzFile file, const void *buf, unsigned len)", "? bytes len(1) -> value"),
        ("int gzwrite(gzFile file, voidpc buf, unsigned len)", "? bytes len(1) -> value"),
        ("int gzread(gzFile file, voidp buf, unsigned len)", "? changed len(1) -> value"),
        (
            "int deflateInit_(z_streamp strm, int level, const char *version, int stream_size)",
            "? value ? value -> value",
        ),
    ]);
}

#[test]
fn other_compressors() {
    check(&[
        (
            "int LZ4_compress_default(const char* src, char* dst, int srcSize, int dstCapacity)",
            "bytes changed len(0) len(1) -> value",
        ),
        ("int LZ4_compressBound(int inputSize)", "value -> value"),
        (
            "int LZ4_decompress_safe(const char* src, char* dst, int compressedSize, int dstCapacity)",
            "bytes changed len(0) len(1) -> value",
        ),
        (
            "size_t ZSTD_compress(void* dst, size_t dstCapacity, const void* src, size_t srcSize, int compressionLevel)",
            "changed len(0) bytes len(2) value -> value",
        ),
        ("const char* ZSTD_getErrorName(size_t code)", "value -> text"),
        ("unsigned ZSTD_versionNumber(void)", "-> value"),
        ("int lib_echo(const char *s, unsigned buffer_len)", "? value -> value"),
        ("int compile(const char *source, size_t memory_length)", "? value -> value"),
        ("unsigned ZSTD_isError(size_t result)", "value -> value"),
        ("size_t ZSTD_findFrameCompressedSize(const void *src, size_t srcSize)", "bytes len(0) -> value"),
        (
            "int BZ2_bzBuffToBuffCompress(char* dest, unsigned int* destLen, char* source, unsigned int sourceLen, \
             int blockSize100k, int verbosity, int workFactor)",
            "out lenptr(0) changed len(2) value value value -> value",
        ),
        (
            "int snappy_compress(const char* input, size_t input_length, char* compressed, size_t* compressed_length)",
            "bytes len(0) out lenptr(2) -> value",
        ),
        (
            "int BrotliEncoderCompress(int quality, int lgwin, size_t input_size, const uint8_t *input_buffer, \
             size_t *encoded_size, uint8_t *encoded_buffer)",
            "value value len(3) bytes lenptr(5) out -> value",
        ),
    ]);
}

#[test]
fn hashes_and_ciphers() {
    check(&[
        (
            "int EVP_Digest(const void *data, size_t count, unsigned char *md, unsigned int *size)",
            "? value ? ? -> value",
        ),
        ("unsigned char *MD5(const unsigned char *d, size_t n, unsigned char *md)", "? value ? -> ?"),
        (
            "unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char md[32])",
            "bytes len(0) changed[32] -> ?",
        ),
        (
            "XXH64_hash_t XXH64(const void* input, size_t length, XXH64_hash_t seed)",
            "bytes len(0) value -> value",
        ),
        ("uint32_t murmur3(const void *key, int len, uint32_t seed)", "bytes len(0) value -> value"),
        (
            "void hash(const uint8_t *data, size_t data_len, uint8_t out[32])",
            "bytes len(0) changed[32] -> void",
        ),
        ("void aes_key_setup(const BYTE key[], int keysize)", "? value -> void"),
        ("int siphash(const unsigned char key[16])", "data[16] -> value"),
        ("int des_setkey(const char *key)", "? -> value"),
    ]);
}

#[test]
fn databases_and_parsers() {
    check(&[
        ("const char *sqlite3_libversion(void)", "-> text"),
        ("int sqlite3_complete(const char *sql)", "text -> value"),
        ("int sqlite3_open(const char *filename, sqlite3 **ppDb)", "text ? -> value"),
        (
            "int sqlite3_exec(sqlite3 *db, const char *sql, int (*callback)(void*, int), void *arg, char **errmsg)",
            "? text ? ? ? -> value",
        ),
        ("int sqlite3_prepare_v2(sqlite3 *db, const char *zSql, int nByte)", "? ? value -> value"),
        ("cJSON *cJSON_Parse(const char *value)", "? -> ?"),
        ("cJSON *cJSON_ParseWithLength(const char *value, size_t buffer_length)", "? value -> ?"),
        ("const XML_Char *XML_ExpatVersion(void)", "-> text"),
        ("int snd_pcm_writei(snd_pcm_t *pcm, const void *buffer, uframes_t size)", "? ? value -> value"),
        ("void setUniform3fv(int location, const float *value, int count)", "value ? value -> void"),
        ("double gsl_stats_mean(const double data[], size_t stride, size_t n)", "? value value -> value"),
        ("int MeasureText(const char *text, int fontSize)", "? value -> value"),
        ("int TTF_Open(const char *file, int ptsize)", "? value -> value"),
    ]);
}
