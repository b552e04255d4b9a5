//! The items: what parameters, results, fields and parameters of callbacks can be, and the keys that go with it.

use hotcell_model::interface::Direction;

use crate::contract::item::{Kind, What};
use crate::contract::keys::{CALLBACK_THREADS, ENCODINGS, Key, Keys, Shape, UNITS, key};

const IN: Key = key("in", Shape::Kind, "What goes in");
const OUT: Key = key("out", Shape::Kind, "What comes out");
const INOUT: Key = key("inout", Shape::Kind, "What goes in and comes out changed");
const STRING: Key = key("string", ENCODINGS, "A text in this encoding");
const UNIT: Key = key("unit", UNITS, "What lengths count");
const NULLABLE: Key = key("nullable", Shape::Flag, "Whether it may be NULL");
const ENCODING: Key = key("encoding", ENCODINGS, "The encoding of texts");
const RELEASE: Key = key("release", Shape::Text, "The function that takes the memory back");
const HANDLE: Key = key("handle", Shape::Text, "The handle type behind a `void *`");
const PARENT: Key = key("parent", Shape::Text, "The parameter whose object must outlive it, or `none`");

const fn kind(
    what: What,
    key: &'static str,
    word: Option<&'static str>,
    with: &'static [&'static str],
    needs: &'static [&'static str],
    says: &'static str,
) -> Kind {
    Kind { what, key, word, with, needs, says }
}

/// Of a parameter.
pub(crate) static PARAM: Keys = Keys {
    of: "a parameter",
    now: &[
        IN,
        OUT,
        INOUT,
        STRING,
        key("fixed", Shape::Text, "A C expression that the parameter always is"),
        key("callback", Shape::Kind, "A function of the application"),
        key("length", Shape::Size, "How much of it there is"),
        key("capacity", Shape::Size, "How big the memory is"),
        key("size", Shape::Text, "The parameter that is told the capacity"),
        key("result", Shape::Size, "How much is valid after the call"),
        UNIT,
        NULLABLE,
        key("valid_on_error", Shape::Flag, "Whether it means something when the call failed"),
        ENCODING,
        HANDLE,
        PARENT,
        key("invalidates", Shape::Flag, "Whether what was borrowed from it is gone afterwards"),
        key("on_success", Shape::Flag, "Whether it is taken over only when the call did not fail"),
        key("starts", Shape::Start, "The function that ends an object which may begin here, or `true`"),
        RELEASE,
        key("of", Shape::Text, "The text or buffer that the offset counts from"),
        key("user_data", Shape::Text, "The parameter that the library hands back to the callback"),
        key(
            "user_data_from",
            Shape::Expression,
            "A call over the callback's parameters that gives the user data",
        ),
        key("until", Shape::Text, "The object that ends the callback, or the copy of the data, when it goes"),
        key(
            "threads",
            CALLBACK_THREADS,
            "Where the library may call it: inside of calls, or on threads of its own, too",
        ),
        key(
            "on_failure",
            Shape::Size,
            "What the library gets when the application's function fails: an integer, or a call over the callback's \
             parameters where it returns nothing",
        ),
        key("params", Shape::Lines(&CALLBACK_PARAM), "What the callback's own parameters are for"),
    ],
    later: &["alias", "array", "map", "field", "struct", "affine"],
    kinds: &[
        kind(What::Value(Direction::In), "in", Some("value"), &[], &[], "A number"),
        kind(
            What::Buffer(Direction::In),
            "in",
            Some("buffer"),
            &["length", "unit", "nullable", "until"],
            &[],
            "Data the function reads",
        ),
        kind(
            What::Handle,
            "in",
            Some("handle"),
            &["nullable", "invalidates", "handle"],
            &[],
            "An object of the library",
        ),
        kind(
            What::Consumed,
            "in",
            Some("consumed"),
            &["on_success", "nullable", "handle"],
            &[],
            "An object the call takes over",
        ),
        kind(
            What::Struct(Direction::In),
            "in",
            Some("struct"),
            &["nullable"],
            &[],
            "A structure the function reads",
        ),
        kind(
            What::Texts,
            "in",
            Some("texts"),
            &["length", "encoding", "nullable"],
            &[],
            "An array of NUL-terminated texts",
        ),
        kind(
            What::Value(Direction::Out),
            "out",
            Some("value"),
            &["valid_on_error"],
            &[],
            "A number the function writes",
        ),
        kind(
            What::Buffer(Direction::Out),
            "out",
            Some("buffer"),
            &["capacity", "size", "length", "unit", "valid_on_error"],
            &[],
            "Memory the function fills",
        ),
        kind(
            What::Owned,
            "out",
            Some("owned"),
            &["parent", "nullable", "valid_on_error", "handle"],
            &[],
            "An object that the caller owns",
        ),
        kind(
            What::Borrowed,
            "out",
            Some("borrowed"),
            &["parent", "nullable", "valid_on_error", "handle"],
            &[],
            "An object that stays the library's",
        ),
        kind(What::Struct(Direction::Out), "out", Some("struct"), &[], &[], "A structure the function fills"),
        kind(
            What::TextOut,
            "out",
            Some("text"),
            &["encoding", "release", "valid_on_error"],
            &[],
            "A text the function hands out",
        ),
        kind(
            What::TextsOut,
            "out",
            Some("texts"),
            &["length", "encoding", "release", "valid_on_error"],
            &["length"],
            "An array of texts the function hands out",
        ),
        kind(
            What::Data,
            "out",
            Some("data"),
            &["length", "unit", "release", "valid_on_error"],
            &["length"],
            "Data the function hands out",
        ),
        kind(
            What::Offset,
            "out",
            Some("offset"),
            &["of", "valid_on_error"],
            &["of"],
            "A place in a text or buffer that goes in",
        ),
        kind(
            What::Value(Direction::InOut),
            "inout",
            Some("value"),
            &["valid_on_error"],
            &[],
            "A number the function reads and changes",
        ),
        kind(
            What::Buffer(Direction::InOut),
            "inout",
            Some("buffer"),
            &["length", "unit", "result", "nullable", "valid_on_error"],
            &[],
            "Data the function changes in place",
        ),
        kind(
            What::Struct(Direction::InOut),
            "inout",
            Some("struct"),
            &["nullable", "valid_on_error", "starts"],
            &[],
            "A structure the function reads and changes",
        ),
        kind(
            What::Text,
            "string",
            None,
            &["nullable", "length", "unit", "until"],
            &[],
            "A NUL-terminated text",
        ),
        kind(What::Fixed, "fixed", None, &[], &[], "Always this C expression; callers do not see it"),
        kind(
            What::Callback,
            "callback",
            Some("call"),
            &["user_data", "user_data_from", "on_failure", "nullable", "params"],
            &[],
            "A function of the application, called until the call returns",
        ),
        kind(
            What::Kept,
            "callback",
            Some("kept"),
            &["user_data", "user_data_from", "until", "threads", "on_failure", "nullable", "params"],
            &[],
            "A function of the application, called until an object goes",
        ),
    ],
    later_kinds: &["shared", "array", "map", "static"],
    needs: &[],
};

/// Of `result`.
pub(crate) static RESULT: Keys = Keys {
    of: "a result",
    now: &[
        OUT,
        STRING,
        key("length", Shape::Size, "How much of it there is"),
        UNIT,
        NULLABLE,
        ENCODING,
        RELEASE,
        PARENT,
        HANDLE,
    ],
    later: &["alias", "until", "static", "struct", "array"],
    kinds: &[
        kind(What::Value(Direction::Out), "out", Some("value"), &[], &[], "A number"),
        kind(
            What::Status,
            "out",
            Some("status"),
            &[],
            &[],
            "A number that only says whether the call failed",
        ),
        kind(What::Ignored, "out", Some("ignored"), &[], &[], "A value that callers do not see"),
        kind(
            What::Buffer(Direction::Out),
            "out",
            Some("buffer"),
            &["length", "unit", "nullable", "release"],
            &["length"],
            "Data, copied",
        ),
        kind(
            What::Owned,
            "out",
            Some("owned"),
            &["parent", "nullable", "handle"],
            &[],
            "An object that the caller owns",
        ),
        kind(
            What::Borrowed,
            "out",
            Some("borrowed"),
            &["parent", "nullable", "handle"],
            &[],
            "An object that stays the library's",
        ),
        kind(
            What::Struct(Direction::Out),
            "out",
            Some("struct"),
            &["nullable", "release"],
            &[],
            "A structure, copied",
        ),
        kind(
            What::TextsOut,
            "out",
            Some("texts"),
            &["length", "encoding", "nullable", "release"],
            &[],
            "An array of texts, copied",
        ),
        kind(What::Text, "string", None, &["length", "unit", "nullable", "release"], &[], "A text, copied"),
    ],
    later_kinds: &["shared", "array", "map"],
    needs: &[],
};

/// Of a field of a structure.
pub(crate) static FIELD: Keys = Keys {
    of: "a field",
    now: &[
        IN,
        OUT,
        STRING,
        key("own", Shape::Flag, "Whether it is the library's alone, in a resident structure"),
        key("zero", Shape::Flag, "Whether it always is zero on the way in, and not read on the way out"),
        key("length", Shape::Text, "The field with the length of the data"),
        key("capacity", Shape::Text, "The field with the size of the memory"),
        key("left", Shape::Text, "The field with what is left of the memory after the call"),
        UNIT,
        NULLABLE,
    ],
    later: &["union", "bits", "array", "callback", "handle", "texts"],
    kinds: &[
        kind(
            What::Buffer(Direction::In),
            "in",
            Some("buffer"),
            &["length", "unit", "nullable"],
            &["length"],
            "Data the function reads",
        ),
        kind(
            What::Buffer(Direction::Out),
            "out",
            Some("buffer"),
            &["capacity", "length", "left", "unit"],
            &["capacity"],
            "Memory the function fills",
        ),
        kind(What::Text, "string", None, &["nullable"], &[], "A NUL-terminated text"),
        kind(What::Own, "own", None, &[], &[], "The library's alone"),
        kind(What::Zero, "zero", None, &[], &[], "Always zero on the way in, not read on the way out"),
    ],
    later_kinds: &["handle", "struct", "texts", "value"],
    needs: &[],
};

/// Of a parameter of a callback.
pub(crate) static CALLBACK_PARAM: Keys = Keys {
    of: "a parameter of a callback",
    now: &[
        IN,
        STRING,
        key("user_data", Shape::Flag, "Whether it is what the registering call passed"),
        key("length", Shape::Text, "The parameter with the length"),
        UNIT,
        NULLABLE,
        ENCODING,
        HANDLE,
    ],
    later: &["out", "inout"],
    kinds: &[
        kind(
            What::Buffer(Direction::In),
            "in",
            Some("buffer"),
            &["length", "unit"],
            &["length"],
            "Data the library hands over",
        ),
        kind(
            What::Texts,
            "in",
            Some("texts"),
            &["length", "encoding", "nullable"],
            &["length"],
            "An array of texts; nullable: one of them may be NULL",
        ),
        kind(
            What::Handle,
            "in",
            Some("handle"),
            &["nullable", "handle"],
            &[],
            "An object, lent until the callback returns",
        ),
        kind(
            What::Handles,
            "in",
            Some("handles"),
            &["length", "handle"],
            &["length"],
            "An array of objects, lent until the callback returns",
        ),
        kind(What::Text, "string", None, &["nullable"], &[], "A NUL-terminated text"),
        kind(What::UserData, "user_data", None, &[], &[], "What the registering call passed"),
    ],
    later_kinds: &["value", "struct"],
    needs: &[],
};
