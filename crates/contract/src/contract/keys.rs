//! The keys of a contract: what each is for and what is written behind it, now and in later versions.
//!
//! These tables are the one source: files are read by them, and the JSON Schema is made of them.

use crate::contract::item::Kind;

mod items;

pub(crate) use items::{CALLBACK_PARAM, FIELD, PARAM, RESULT};

/// A key of some place.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// One sentence, without the full stop.
    pub(crate) says: &'static str,
}

/// What is written behind a key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// The number of the vocabulary.
    Version,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// `true` or `false`.
    Flag,
    /// The name of a function, or `true`.
    Start,
    /// An integer or an expression.
    Size,
    /// An expression.
    Expression,
    /// Such as `"500ms"`.
    Duration,
    /// A number above 0.
    Count,
    /// A number of bytes above 0, or a text such as `"64MiB"`.
    Bytes,
    /// One of these words.
    Word { now: &'static [&'static str], later: &'static [&'static str] },
    /// One of these words, or an expression.
    Fails(&'static [&'static str]),
    /// A list of these words.
    Words(&'static [&'static str]),
    /// What an item says: its words are those of the kinds.
    Kind,
    /// A list of TCP ports.
    Ports,
    /// One of the words of the first, or a table with these keys.
    WordOr(&'static Shape, &'static Keys),
    /// A table with these keys.
    Table(&'static Keys),
    /// A table of names, each with a table of these keys.
    Lines(&'static Keys),
    /// A table of names, each with the name of a function, or `true`.
    Starts,
    /// A table of names, each with a list of texts.
    TextLists,
    /// A table of names, each with a text.
    NamedTexts,
}

/// The keys of a place: those in force, and those of the vocabulary that come later.
#[derive(Debug)]
pub(crate) struct Keys {
    /// What has these keys, as in "a function".
    pub(crate) of: &'static str,
    pub(crate) now: &'static [Key],
    pub(crate) later: &'static [&'static str],
    /// What an item of this place can be; none where there are no items.
    pub(crate) kinds: &'static [Kind],
    /// Words of later versions behind `in`, `out` and `inout`.
    pub(crate) later_kinds: &'static [&'static str],
    /// Keys that must be there.
    pub(crate) needs: &'static [&'static str],
}

impl Keys {
    /// A place without items.
    pub(super) const fn plain(
        of: &'static str,
        now: &'static [Key],
        later: &'static [&'static str],
        needs: &'static [&'static str],
    ) -> Keys {
        Keys { of, now, later, kinds: &[], later_kinds: &[], needs }
    }

    /// The names of the keys in force.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.now.iter().map(|key| key.name).collect()
    }

    /// What is written behind a key.
    pub(crate) fn shape(&self, name: &str) -> Shape {
        let key = self.now.iter().find(|key| key.name == name);
        key.map_or(Shape::Text, |key| key.shape)
    }

    /// What a key is for, in a few words.
    pub(crate) fn describe(&self, name: &str) -> &'static str {
        let key = self.now.iter().find(|key| key.name == name);
        key.map_or("", |key| key.says)
    }

    /// The words in force behind this key of an item.
    pub(crate) fn words(&self, key: &str) -> Vec<&'static str> {
        self.kinds.iter().filter(|kind| kind.key == key).filter_map(|kind| kind.word).collect()
    }
}

/// Shorthand for the tables.
pub(super) const fn key(name: &'static str, shape: Shape, says: &'static str) -> Key {
    Key { name, shape, says }
}

/// Encodings of a text.
pub(crate) const ENCODINGS: Shape =
    Shape::Word { now: &["utf-8", "bytes", "utf-16", "utf-32", "latin-1"], later: &["locale"] };

/// What an array is filled up with behind a text.
pub(crate) const PADS: Shape = Shape::Word { now: &["nul", "space"], later: &[] };

/// Where a library may call what it keeps.
pub(crate) const CALLBACK_THREADS: Shape = Shape::Word { now: &["calls", "any"], later: &[] };

/// Which way a library goes along a stream of the application's.
pub(crate) const CALLBACK_STREAM: Shape = Shape::Word { now: &["read", "write"], later: &[] };

/// What lengths count.
pub(crate) const UNITS: Shape = Shape::Word { now: &["bytes", "elements"], later: &[] };

/// The words of `fails`; everything else is an expression.
pub(crate) const FAILS: &[&str] = &["nonzero", "zero", "negative", "null", "never"];

/// Of the file.
pub(crate) static TOP: Keys = Keys::plain(
    "a contract",
    &[
        key("hotcell", Shape::Version, "The version of this vocabulary"),
        key("library", Shape::Text, "The library's name; packages are named after it"),
        key("headers", Shape::Texts, "The headers in order, as #include names them"),
        key("link", Shape::Texts, "Names or paths of the libraries to link, first the library itself"),
        key("include", Shape::Texts, "Functions to bind: names, or patterns with `*` and `{a,b}`"),
        key("exclude", Shape::Texts, "Functions not to bind, in the same words"),
        key("include_dirs", Shape::Texts, "Directories to look for headers in"),
        key("defines", Shape::Texts, "Macros to define, `NAME` or `NAME=VALUE`"),
        key("prelude", Shape::Text, "C text before the first #include"),
        key("globals", Shape::Texts, "Variables to read and write: names, or patterns with `*` and `{a,b}`"),
        key(
            "isolation",
            Shape::Word { now: &["process"], later: &["inline", "thread", "wasm", "remote"] },
            "Where the library runs",
        ),
        key(
            "threads",
            Shape::Word { now: &["serialized", "per-handle", "reentrant"], later: &[] },
            "How many threads may be inside the library",
        ),
        key("deadline", Shape::Duration, "How long a call may take"),
        key("init", Shape::Texts, "Calls that every new worker makes before it serves, in order"),
        key("shutdown", Shape::Texts, "Calls that a worker makes before it ends in peace, in order"),
        key(
            "health",
            Shape::Texts,
            "Calls by which a new file of the library shows that it is well, in order",
        ),
        key(
            "abi",
            Shape::Texts,
            "Comparisons by which a worker finds out whether the library is the one that the headers are of",
        ),
        key(
            "layouts",
            Shape::Flag,
            "Whether structures have to be in the library's debug information as in the headers; true unless it is false",
        ),
        key(
            "nullable",
            Shape::Texts,
            "What may be NULL: FUNCTION.PARAM and FUNCTION.result, names or patterns",
        ),
        key(
            "guard",
            Shape::Word { now: &["none", "sampled", "all"], later: &[] },
            "Which blocks of the library's memory are guarded",
        ),
        key("sandbox", Shape::WordOr(&PROFILES, &SANDBOX), "What the library may do once it serves"),
        key("recycle", Shape::Table(&RECYCLE), "When a worker is replaced though it has not failed"),
        key("tries", Shape::Count, "How often a call is made at most that may be made again"),
        key(
            "leaves",
            Shape::Words(&STATE),
            "Parts of its process's state that the library may leave changed between calls",
        ),
        key("handle", Shape::Lines(&HANDLE), "The types of objects that callers hold by a handle"),
        key("struct", Shape::Lines(&STRUCT), "What the fields of structures are for"),
        key("error", Shape::Lines(&ERROR), "What means failure, by the type that functions return"),
        key("function", Shape::Lines(&FUNCTION), "What functions take and give, by name or pattern"),
    ],
    &["restore", "callback", "version", "throws", "limits", "pool", "sources"],
    &["hotcell", "library", "headers"],
);

/// The profiles of `sandbox`.
pub(crate) const PROFILES: Shape =
    Shape::Word { now: &["compute", "files", "network", "custom", "basic"], later: &[] };

/// The words of `leaves`, as [`StatePart`](hotcell_model::interface::StatePart) has them.
pub(crate) const STATE: [&str; 8] =
    ["locale", "handlers", "mask", "timers", "directory", "umask", "environment", "arithmetic"];

/// Of `sandbox`.
pub(crate) static SANDBOX: Keys = Keys::plain(
    "a sandbox",
    &[
        key("profile", PROFILES, "The profile"),
        key("read", Shape::Texts, "Files and directories that may be read"),
        key("write", Shape::Texts, "Files and directories that may be read and changed"),
        key("connect", Shape::Ports, "TCP ports that may be connected to"),
        key("bind", Shape::Ports, "TCP ports that may be listened at"),
        key(
            "allow",
            Shape::Texts,
            "System calls that may be made besides, with comparisons of their arguments",
        ),
        key("refuse", Shape::Texts, "Paths whose use is refused instead of ending the call"),
        key("load", Shape::Texts, "Files and directories that may be read while the library loads"),
        key("write_xor_execute", Shape::Flag, "Memory that can be written is never executed"),
        key(
            "require",
            Shape::Word { now: &["strict", "namespaces"], later: &[] },
            "What must be in force, or else loading fails",
        ),
    ],
    &[],
    &["profile"],
);

/// Of `[recycle]`.
pub(crate) static RECYCLE: Keys = Keys::plain(
    "a rule for worn workers",
    &[
        key("calls", Shape::Count, "Calls that it may serve"),
        key("age", Shape::Duration, "How old it may get"),
        key("memory", Shape::Bytes, "Bytes that it may have in memory"),
        key("memory_for", Shape::Duration, "How long it may have more"),
        key("descriptors", Shape::Count, "Descriptors that it may have more than the fewest that were seen"),
        key("threads", Shape::Count, "Threads that it may have more than the fewest that were seen"),
        key("leaked", Shape::Bytes, "Bytes that may be allocated and only grow"),
        key("patience", Shape::Duration, "How long it stays for the sake of objects that somebody holds"),
        key("probe", Shape::Duration, "How long it may fail to say that it is alive"),
    ],
    &[],
    &[],
);

const GET: Key = key("get", Shape::Texts, "Fields of an object that are read: a function is added for each");
const SET: Key =
    key("set", Shape::Texts, "Fields of an object that are written: a function is added for each");
const HAS: Key =
    key("has", Shape::Texts, "Pointers in an object: a function is added that says whether each is there");

/// Of a line of `[handle]`.
pub(crate) static HANDLE: Keys = Keys::plain(
    "a handle",
    &[
        key("release", Shape::Text, "The function that releases an object somebody owns"),
        key("parent", Shape::Text, "The handle type whose object must outlive it"),
        key(
            "taken_by",
            Shape::Texts,
            "The functions that take an object over, FUNCTION or FUNCTION.PARAM; every other one only uses it",
        ),
        key("on_success", Shape::Flag, "Whether they take it over only when the call did not fail"),
        key(
            "made_by",
            Shape::Texts,
            "The functions that make an object for their caller; every other one lends it",
        ),
        key(
            "lends_until",
            Shape::Texts,
            "The functions after which what was borrowed from the object is stale",
        ),
        key("message", Shape::Expression, "A text of the library about what failed last with an object"),
        key(
            "affine",
            Shape::Flag,
            "Whether an object, and what belongs to it, is used by the thread that made it only",
        ),
        GET,
        SET,
        HAS,
        key(
            "jumps",
            Shape::Text,
            "The macro or function that gives, of an object, the `jmp_buf` to which errors jump",
        ),
        key(
            "restore",
            Shape::Table(&RESTORE),
            "How an object is made anew in the next worker, when its own has ended",
        ),
    ],
    &["shared"],
    &[],
);

/// Of `restore` in a line of `[handle]`.
pub(crate) static RESTORE: Keys = Keys::plain(
    "a recipe",
    &[
        key("by", Shape::Texts, "The functions that make one, whose call is made again"),
        key(
            "configure",
            Shape::Texts,
            "The functions that configure one, whose last calls are made again, each FUNCTION or FUNCTION(PARAM, …): a call takes the place of one with the same values there",
        ),
        key("times", Shape::Count, "How often an object is made anew at most"),
    ],
    &[],
    &["by"],
);

/// Of `[struct.NAME]`.
pub(crate) static STRUCT: Keys = Keys::plain(
    "a structure",
    &[
        key("resident", Shape::Flag, "Whether the library keeps it between calls"),
        key(
            "started_by",
            Shape::Starts,
            "The functions in which an object begins, each with the function that ends it, or `true`",
        ),
        key("fields", Shape::Lines(&FIELD), "What each field is for"),
        GET,
        SET,
        HAS,
    ],
    &["tag", "union"],
    &[],
);

/// Of `[function.NAME]`.
pub(crate) static FUNCTION: Keys = Keys::plain(
    "a function",
    &[
        key("params", Shape::Lines(&PARAM), "What each parameter is for"),
        key("result", Shape::Table(&RESULT), "What the returned value is"),
        key(
            "results",
            Shape::Lines(&RESULT),
            "What returned values are, by their type, in the table of a pattern",
        ),
        key("error", Shape::Table(&ERROR), "What means failure"),
        key("requires", Shape::Expression, "What must hold before a call, or else it is refused"),
        key("cancel", Shape::Expression, "The call that stops one of this function which is under way"),
        key("deadline", Shape::Duration, "How long a call of this function may take"),
        key("idempotent", Shape::Flag, "Whether calling it twice is as good as once"),
        key("of", Shape::Text, "The function of the headers that this one, which is added, calls"),
        key("further", Shape::Text, "C declarations of the arguments that stand for `...`"),
        key("as", Shape::Text, "C declarations of parameters that are `void *` in the headers"),
        key(
            "with",
            Shape::NamedTexts,
            "C declarations of fields of what a parameter points to, which callers pass and which are set for the call",
        ),
        key(
            "each",
            Shape::TextLists,
            "A parameter and the constants that it is: a function is added for each of them",
        ),
        key("declare", Shape::Text, "The prototype of a macro with arguments, in C"),
        key(
            "returns",
            Shape::Text,
            "The parameter that the function hands something out by, which is what it returns instead",
        ),
        key(
            "stands_for",
            Shape::Texts,
            "The functions of the headers that this one, of the prelude, calls for its callers",
        ),
    ],
    &["pure", "may_block", "callbacks", "throws", "threads", "isolation", "until", "handle"],
    &[],
);

/// Of `error`.
pub(crate) static ERROR: Keys = Keys::plain(
    "an error rule",
    &[
        key("fails", Shape::Fails(FAILS), "When a call failed: a word, or an expression that is then true"),
        key("message", Shape::Expression, "A text of the library about the failure"),
        key("code", Shape::Expression, "The code of the failure, when it is not the result"),
        key("symbols", Shape::Text, "The constants that name the codes, a pattern with `*` and `{a,b}`"),
    ],
    &["symbol", "retry", "clear"],
    &["fails"],
);
