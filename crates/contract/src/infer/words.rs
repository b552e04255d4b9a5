//! The names of pointers that rules know. The other lists are in `words/`.
//!
//! A word is added by evidence: a header that needs it, and none that it would fool.

pub(super) mod abbreviations;
pub(super) mod functions;
pub(super) mod numbers;
pub(super) mod objects;

/// Names of an address of raw data, whatever is in it.
pub(super) const RAW: &[&str] =
    &["blob", "buf", "buffer", "bytes", "data", "mem", "memory", "packet", "payload", "pkt", "raw"];

/// Names of data in bytes that functions digest, encode or write: [`RAW`] and these.
pub(super) const DATA: &[&str] = &[
    "aad",
    "ad",
    "block",
    "body",
    "chunk",
    "ciphertext",
    "compressed",
    "content",
    "contents",
    "d",
    "encoded",
    "in",
    "input",
    "inbuf",
    "m",
    "message",
    "msg",
    "p",
    "plaintext",
    "ptr",
    "s",
    "source",
    "src",
    "stream",
    "string",
];

/// Names of a text's contents, which a length may go with.
pub(super) const CONTENT: &[&str] = &[
    "body", "code", "content", "contents", "doc", "document", "expr", "html", "in", "input", "json", "line",
    "message", "msg", "p", "ptr", "query", "s", "script", "source", "sql", "src", "str", "string", "text",
    "txt", "utf8", "value", "xml", "yaml",
];

/// Names of memory that is filled with what is fetched.
pub(super) const FILLED: &[&str] =
    &["buf", "buffer", "dest", "dst", "out", "output", "result", "val", "value"];

/// Names of texts that name something. A length beside them is of something else: `truncate(path, length)`.
pub(super) const NAMES: &[&str] = &[
    "caption",
    "dir",
    "directory",
    "file",
    "filename",
    "fname",
    "folder",
    "host",
    "hostname",
    "ident",
    "label",
    "locale",
    "mode",
    "name",
    "pass",
    "password",
    "path",
    "pathname",
    "prefix",
    "title",
    "topic",
    "uri",
    "url",
    "user",
    "username",
];

/// Names of memory whose elements are wider than its type says: pixels of three bytes, bits, samples.
pub(super) const COMPOSITE: &[&str] = &[
    "array", "audio", "bitmap", "bits", "bitset", "board", "bools", "colors", "colours", "elements", "flags",
    "frames", "grid", "image", "img", "indices", "items", "list", "map", "mask", "matrix", "objects",
    "palette", "pcm", "pixels", "points", "records", "rgb", "rgba", "samples", "sound", "table", "tile",
    "tiles", "utf16", "utf32", "values", "vec", "vector", "vertices", "verts", "wave", "words", "x", "y",
];

/// Names of data without a NUL behind it.
pub(super) const BINARY: &[&str] = &[
    "bitmap", "bits", "blob", "block", "buf", "buffer", "bytes", "chunk", "data", "digest", "frame", "hash",
    "image", "img", "iv", "mac", "mem", "memory", "nonce", "packet", "payload", "pcm", "pixels", "pkt",
    "raw", "salt", "samples",
];

/// Names of arrays whose elements stand alone: not points, vertices, coefficients or matrices.
pub(super) const SEQUENCES: &[&str] = &[
    "arr", "array", "codes", "elements", "elems", "ids", "integers", "ints", "items", "list", "nums",
    "numbers", "scores", "sizes", "v", "values", "vals", "weights", "xs",
];

/// Names of the end of a range of memory.
pub(super) const ENDS: &[&str] =
    &["e", "end", "eof", "eos", "fin", "finish", "last", "lim", "limit", "past", "stop", "tail"];

/// Names of its beginning.
pub(super) const BEGINNINGS: &[&str] = &["beg", "begin", "first", "start"];

/// Names of a place in another text: `pointer_to_offset(str, pos)`.
pub(super) const PLACES: &[&str] =
    &["bound", "cur", "current", "cursor", "p", "pos", "position", "ptr", "until", "upto"];

/// Names of beginning and end that mean it only together.
pub(super) const PAIRS: &[[&str; 2]] =
    &[["p", "q"], ["from", "to"], ["here", "there"], ["lo", "hi"], ["low", "high"]];

/// Names of parameters that receive a result.
pub(super) const OUTPUTS: &[&str] = &[
    "compressed",
    "decoded",
    "decompressed",
    "dest",
    "dst",
    "encoded",
    "out",
    "outbuf",
    "output",
    "result",
    "uncompressed",
];

/// Names of one number behind a pointer: there is one error. Names of coordinates, of values, and of what there is one of for each
/// row, channel or state (`count`, `index`, `level`, `pos`, `size`, `state`) are of many as often.
pub(super) const ONES: &[&str] = &[
    "consumed", "err", "errcode", "errnum", "errno", "error", "exponent", "gid", "memlimit", "mode", "nread",
    "nwritten", "pid", "port", "rc", "ret", "sgn", "sign", "status", "type", "uid", "written",
];

/// The same of names that stand together: a `width` beside a `height` is one number, and by itself it may be one of each.
pub(super) const ONES_TOGETHER: &[&[&str]] = &[
    &["height", "width"],
    &["major", "micro", "minor", "patch", "rev", "revision"],
    &["day", "month", "year"],
    &["hour", "minute", "nsec", "sec", "second", "usec"],
];
