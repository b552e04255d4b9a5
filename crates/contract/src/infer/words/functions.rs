//! Words in the names of functions that rules know.

/// Functions to which a number says how much to make, not how much there is: `pad(s, length)`.
pub(in crate::infer) const MAKERS: &[&str] = &[
    "abbreviate",
    "alloc",
    "center",
    "centre",
    "clip",
    "cut",
    "elide",
    "ellipsize",
    "expand",
    "extend",
    "fill",
    "gen",
    "generate",
    "indent",
    "justify",
    "ljust",
    "make",
    "pad",
    "rand",
    "random",
    "repeat",
    "resize",
    "rjust",
    "shorten",
    "trim",
    "trunc",
    "truncate",
    "wrap",
];

/// Last words of functions that do what a number says, with memory that means something else each time.
pub(in crate::infer) const CONTROLS: &[&str] = &["cntl", "control", "ctl", "ctrl", "ioctl"];

/// Parts of the names of functions whose keys are sized in bits, or not sized at all.
pub(in crate::infer) const CIPHERS: &[&str] = &[
    "aes", "blowfish", "camellia", "chacha", "cipher", "crypt", "des", "hmac", "keysetup", "rc4", "rijndael",
    "salsa", "schedule", "setkey", "siphash",
];

/// Words of functions whose arrays have several numbers per element, or more than the count says.
pub(in crate::infer) const STRUCTURED: &[&str] = &[
    "bezier",
    "cheb",
    "conv",
    "det",
    "draw",
    "eigen",
    "frames",
    "grid",
    "horner",
    "intervals",
    "lu",
    "mat",
    "pair",
    "pairs",
    "quads",
    "ranges",
    "segments",
    "spline",
    "trace",
    "transform",
    "triple",
    "triples",
    "vectors",
];

/// Parts of their names.
pub(in crate::infer) const STRUCTURED_PARTS: &[&str] = &[
    "1fv",
    "2fv",
    "2iv",
    "3fv",
    "3iv",
    "4fv",
    "4iv",
    "complex",
    "dft",
    "fft",
    "matrix",
    "poly",
    "quat",
    "transpose",
    "uniform",
    "vec2",
    "vec3",
    "vec4",
    "vertex",
];

/// Last words of functions that return data, not text.
pub(in crate::infer) const DATA_RESULTS: &[&str] = &[
    "begin",
    "bitmap",
    "bits",
    "blob",
    "block",
    "body",
    "buf",
    "buffer",
    "bytes",
    "chunk",
    "ciphertext",
    "content",
    "contents",
    "data",
    "digest",
    "end",
    "fourcc",
    "frame",
    "hash",
    "hmac",
    "iv",
    "mac",
    "md5",
    "nonce",
    "packet",
    "payload",
    "pixels",
    "plaintext",
    "ptr",
    "raw",
    "records",
    "salt",
    "samples",
    "secret",
    "sha1",
    "sha256",
    "signature",
    "stream",
    "ucs2",
    "utf16",
    "utf32",
    "view",
];

/// Words of functions that read a number out of memory: its size is in their name.
pub(in crate::infer) const LOADS: &[&str] =
    &["be", "big", "decode", "fixed", "get", "le", "little", "load", "peek", "read", "unpack"];

/// Words of functions that may keep all texts they are given.
pub(in crate::infer) const ADDS: &[&str] =
    &["add", "define", "init", "install", "perm", "permanent", "static"];

/// Words of functions that may keep the one text they are given.
pub(in crate::infer) const KEEPERS: &[&str] = &[
    "add",
    "alias",
    "banner",
    "begin",
    "caption",
    "define",
    "enable",
    "init",
    "install",
    "label",
    "locale",
    "perm",
    "permanent",
    "prompt",
    "register",
    "set",
    "start",
    "static",
    "title",
];

/// Words of functions that find something by a text: they need not keep it, and what they return is no text they had before.
pub(in crate::infer) const LOOKS_UP: &[&str] = &[
    "base",
    "basename",
    "canonical",
    "convert",
    "decode",
    "desc",
    "describe",
    "description",
    "dirname",
    "encode",
    "env",
    "environment",
    "error",
    "escape",
    "ext",
    "extension",
    "find",
    "for",
    "from",
    "get",
    "getenv",
    "gettext",
    "lookup",
    "name",
    "next",
    "of",
    "parse",
    "path",
    "query",
    "resolve",
    "search",
    "skip",
    "strerror",
    "suffix",
    "to",
    "translate",
    "type",
    "unescape",
    "version",
];

/// Words of functions that are done with a text when they return.
pub(in crate::infer) const TELLS: &[&str] = &[
    "chdir", "check", "debug", "delete", "display", "dump", "echo", "emit", "err", "error", "exec", "load",
    "log", "message", "mkdir", "msg", "open", "output", "parse", "perror", "play", "print", "put", "puts",
    "read", "remove", "report", "rmdir", "run", "say", "send", "show", "speak", "system", "test", "trace",
    "unlink", "unload", "warn", "warning", "write",
];

/// Words of functions whose lengths count bits: `der_encode_raw_bit_string(in, inlen, out, outlen)`.
pub(in crate::infer) const OF_BITS: &[&str] = &["bit", "bits", "bitstr", "bitstring"];

/// Parts of the names of functions that keep a text as it is, as a program's own texts are: `js_pushliteral(state, text)`.
pub(in crate::infer) const KEEPS_LITERAL: &[&str] = &["literal", "nocopy", "static", "zerocopy"];

/// Words of functions that take memory back: what they are given is no text of the caller's.
pub(in crate::infer) const FREES: &[&str] =
    &["dealloc", "deallocate", "decref", "dispose", "free", "unref", "unreference"];

/// Beginnings of the words of functions that fetch what is asked for, into memory that a header may call `const`.
pub(in crate::infer) const FETCHES: &[&str] = &["fetch", "get", "load", "query", "read", "receive", "recv"];

/// Last words of functions that make a digest of so many bytes.
pub(in crate::infer) const DIGESTS: &[&str] =
    &["checksum", "crc", "crc32", "digest", "md5", "sha1", "sha256", "sha512"];

/// Words of functions that turn back what was made smaller, or hidden.
pub(in crate::infer) const DECODES: &[&str] =
    &["decode", "decompress", "decrypt", "inflate", "uncompress", "unpack"];
