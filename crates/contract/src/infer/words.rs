//! The words rules know. A word is added here by evidence: a header that needs it, and none it would fool.

/// Names of an address of raw data, whatever is in it.
pub(super) const RAW: &[&str] =
    &["blob", "buf", "buffer", "bytes", "data", "mem", "memory", "packet", "payload", "pkt", "raw"];

/// Names of data in bytes that functions digest, encode or write: [`RAW`] and these.
pub(super) const DATA: &[&str] = &[
    "aad", "ad", "block", "body", "chunk", "ciphertext", "compressed", "content", "contents", "d", "encoded", "in", "input", "inbuf", "m",
    "message", "msg", "p", "plaintext", "ptr", "s", "source", "src", "stream", "string",
];

/// Names of a text's contents, which a length may go with.
pub(super) const CONTENT: &[&str] = &[
    "body", "code", "content", "contents", "doc", "document", "expr", "html", "in", "input", "json", "line", "message",
    "msg", "p", "ptr", "query", "s", "script", "source", "sql", "src", "str", "string", "text", "txt", "utf8", "value",
    "xml", "yaml",
];

/// Names of texts that name something. A length beside them is of something else: `truncate(path, length)`.
pub(super) const NAMES: &[&str] = &[
    "caption", "dir", "directory", "file", "filename", "fname", "folder", "host", "hostname", "ident", "label",
    "locale", "mode", "name", "pass", "password", "path", "pathname", "prefix", "title", "topic", "uri", "url", "user",
    "username",
];

/// Names of memory whose elements are wider than its type says: pixels of three bytes, bits, samples.
pub(super) const COMPOSITE: &[&str] = &[
    "array", "audio", "bitmap", "bits", "bitset", "board", "bools", "colors", "colours", "elements", "flags", "frames",
    "grid", "image", "img", "indices", "items", "list", "map", "mask", "matrix", "objects", "palette", "pcm", "pixels",
    "points", "records", "rgb", "rgba", "samples", "sound", "table", "tile", "tiles", "utf16", "utf32", "values",
    "vec", "vector", "vertices", "verts", "wave", "words", "x", "y",
];

/// Names of data without a NUL behind it.
pub(super) const BINARY: &[&str] = &[
    "bitmap", "bits", "blob", "block", "buf", "buffer", "bytes", "chunk", "data", "digest", "frame", "hash", "image",
    "img", "iv", "mac", "mem", "memory", "nonce", "packet", "payload", "pcm", "pixels", "pkt", "raw", "salt",
    "samples",
];

/// Names of arrays whose elements stand alone: not points, vertices, coefficients or matrices.
pub(super) const SEQUENCES: &[&str] = &[
    "arr", "array", "codes", "elements", "elems", "ids", "integers", "ints", "items", "list", "nums", "numbers",
    "scores", "sizes", "v", "values", "vals", "weights", "xs",
];

/// What multiplies a count: the memory is larger than the count says.
pub(super) const MULTIPLIERS: &[&str] = &[
    "bpp", "channels", "cols", "columns", "comp", "components", "depth", "dim", "dims", "elem", "height", "inc",
    "incx", "ld", "lda", "pitch", "planes", "rows", "step", "stride", "width",
];

/// Words of numbers that may be lengths although they do not say so.
pub(super) const VAGUE: &[&str] = &[
    "amount", "avail", "available", "cap", "capacity", "chars", "end", "extent", "left", "letters", "lim", "limit",
    "max", "maximum", "nchars", "remaining", "rest", "span", "stop", "to", "total", "units",
];

/// Last words of integers that are no lengths, even right behind a text.
pub(super) const HARMLESS: &[&str] = &[
    "access", "action", "af", "algorithm", "angle", "amode", "base", "c", "category", "ch", "channel", "character",
    "chr", "cmd", "code", "color", "colour", "command", "create", "day", "debug", "default", "delim", "delimiter",
    "dev", "domain", "enable", "enabled", "err", "errnum", "error", "exclusive", "facility", "family", "fd", "flag",
    "flags", "force", "format", "gid", "group", "hour", "i", "id", "ignore", "index", "level", "mask", "method",
    "minute", "mode", "month", "op", "opt", "option", "options", "overwrite", "owner", "perm", "permissions", "pid",
    "port", "pos", "posx", "posy", "prio", "priority", "protocol", "radix", "recursive", "replace", "second", "seed",
    "sep", "separator", "sig", "signal", "start", "status", "strategy", "strict", "timeout", "type", "uid", "user",
    "v", "val", "value", "verbose", "version", "whence", "width", "x", "y", "year",
];

/// Types of integers that are no lengths.
pub(super) const HARMLESS_TYPES: &[&str] = &["dev_t", "gid_t", "id_t", "mode_t", "pid_t", "time_t", "uid_t"];

/// Single letters that are no lengths; every other may be one.
pub(super) const HARMLESS_LETTERS: &[&str] = &["c", "d", "f", "i", "t", "v", "x", "y"];

/// Functions to which a number says how much to make, not how much there is: `pad(s, length)`.
pub(super) const MAKERS: &[&str] = &[
    "abbreviate", "alloc", "center", "centre", "clip", "cut", "elide", "ellipsize", "expand", "extend", "fill", "gen",
    "generate", "indent", "justify", "ljust", "make", "pad", "rand", "random", "repeat", "resize", "rjust", "shorten",
    "trim", "trunc", "truncate", "wrap",
];

/// Parts of the names of functions whose keys are sized in bits, or not sized at all.
pub(super) const CIPHERS: &[&str] = &[
    "aes", "blowfish", "camellia", "chacha", "cipher", "crypt", "des", "hmac", "keysetup", "rc4", "rijndael", "salsa",
    "schedule", "setkey", "siphash",
];

/// Words of functions whose arrays have several numbers per element, or more than the count says.
pub(super) const STRUCTURED: &[&str] = &[
    "bezier", "cheb", "conv", "det", "draw", "eigen", "grid", "horner", "lu", "mat", "spline", "trace", "transform",
];

/// Parts of their names.
pub(super) const STRUCTURED_PARTS: &[&str] = &[
    "1fv", "2fv", "2iv", "3fv", "3iv", "4fv", "4iv", "complex", "dft", "fft", "matrix", "poly", "quat", "transpose",
    "uniform", "vec2", "vec3", "vec4", "vertex",
];

/// Names of the end of a range of memory.
pub(super) const ENDS: &[&str] = &["e", "end", "eof", "eos", "fin", "finish", "last", "lim", "limit", "past", "stop", "tail"];

/// Names of its beginning.
pub(super) const BEGINNINGS: &[&str] = &["beg", "begin", "first", "start"];

/// Last words of functions that return data, not text.
pub(super) const DATA_RESULTS: &[&str] =
    &["begin", "blob", "buf", "buffer", "bytes", "content", "contents", "data", "end", "ptr", "raw", "view"];

/// Names of parameters that receive a result.
pub(super) const OUTPUTS: &[&str] = &[
    "compressed", "decoded", "decompressed", "dest", "dst", "encoded", "out", "outbuf", "output", "result",
    "uncompressed",
];

/// Words of functions that read a number out of memory: its size is in their name.
pub(super) const LOADS: &[&str] = &["be", "big", "decode", "fixed", "get", "le", "little", "load", "peek", "read", "unpack"];
