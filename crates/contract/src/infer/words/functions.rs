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
    "grid",
    "horner",
    "lu",
    "mat",
    "spline",
    "trace",
    "transform",
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
    "begin", "bits", "bitmap", "blob", "buf", "buffer", "bytes", "content", "contents", "data", "digest",
    "end", "frame", "hash", "hmac", "iv", "mac", "md5", "nonce", "packet", "payload", "pixels", "ptr", "raw",
    "salt", "sha1", "sha256", "view",
];

/// Words of functions that read a number out of memory: its size is in their name.
pub(in crate::infer) const LOADS: &[&str] =
    &["be", "big", "decode", "fixed", "get", "le", "little", "load", "peek", "read", "unpack"];

/// Words of functions that may keep a text they are given.
pub(in crate::infer) const KEEPERS: &[&str] = &[
    "add",
    "begin",
    "define",
    "enable",
    "init",
    "install",
    "perm",
    "permanent",
    "register",
    "set",
    "start",
    "static",
];

/// Words of functions whose lengths count bits: `der_encode_raw_bit_string(in, inlen, out, outlen)`.
pub(in crate::infer) const OF_BITS: &[&str] = &["bit", "bits", "bitstr", "bitstring"];

/// Parts of the names of functions that keep a text as it is, as a program's own texts are: `js_pushliteral(state, text)`.
pub(in crate::infer) const KEEPS_LITERAL: &[&str] = &["literal", "nocopy", "static", "zerocopy"];

/// Words of functions that take memory back: what they are given is no text of the caller's.
pub(in crate::infer) const FREES: &[&str] =
    &["dealloc", "deallocate", "decref", "dispose", "free", "unref", "unreference"];

/// Beginnings of the words of functions that fetch what is asked for, into memory that a header may call `const`.
pub(in crate::infer) const FETCHES: &[&str] = &["get", "receive", "recv"];
