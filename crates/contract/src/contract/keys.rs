//! The keys of a contract: those in force, and those of the vocabulary that come later.

use crate::document::Keys;

/// Of the file.
pub(crate) const TOP: Keys = Keys {
    of: "a contract",
    now: &[
        "hotcell",
        "library",
        "headers",
        "link",
        "include",
        "exclude",
        "include_dirs",
        "defines",
        "prelude",
        "isolation",
        "threads",
        "deadline",
        "handle",
        "function",
    ],
    later: &[
        "init", "shutdown", "health", "restore", "callback", "struct", "global", "macro", "variadic",
        "version", "throws", "sandbox", "limits", "pool", "guard", "sources",
    ],
};

/// Of a line of `[handle]`.
pub(crate) const HANDLE: Keys =
    Keys { of: "a handle", now: &["release", "parent"], later: &["affine", "shared", "restore"] };

/// Of `[function.NAME]`.
pub(crate) const FUNCTION: Keys = Keys {
    of: "a function",
    now: &["params", "result", "error", "deadline", "idempotent"],
    later: &[
        "pure",
        "may_block",
        "cancel",
        "variadic",
        "callbacks",
        "throws",
        "threads",
        "isolation",
        "until",
        "handle",
    ],
};

/// Of a parameter.
pub(crate) const PARAM: Keys = Keys {
    of: "a parameter",
    now: &[
        "in",
        "out",
        "inout",
        "string",
        "fixed",
        "length",
        "capacity",
        "size",
        "result",
        "unit",
        "nullable",
        "valid_on_error",
    ],
    later: &[
        "handle",
        "callback",
        "user_data",
        "parent",
        "retained",
        "until",
        "alias",
        "array",
        "map",
        "field",
        "struct",
        "affine",
        "release",
    ],
};

/// Of `result`.
pub(crate) const RESULT: Keys = Keys {
    of: "a result",
    now: &["out", "string", "length", "nullable", "release"],
    later: &["handle", "parent", "alias", "until", "static", "struct", "array"],
};

/// Of `error`.
pub(crate) const ERROR: Keys =
    Keys { of: "an error rule", now: &["fails", "message"], later: &["code", "symbol", "retry", "clear"] };

/// Encodings of a text.
pub(crate) const ENCODINGS: (&[&str], &[&str]) =
    (&["utf-8", "bytes"], &["latin-1", "utf-16", "utf-32", "locale"]);

/// Kinds of `in`, `inout` and `out`.
pub(crate) const KINDS: &[&str] = &["value", "buffer"];

/// Kinds that come later.
pub(crate) const LATER_KINDS: &[&str] = &[
    "handle", "owned", "borrowed", "consumed", "shared", "struct", "resident", "callback", "array", "map",
    "strings",
];
