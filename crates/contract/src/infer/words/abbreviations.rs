//! Words that C's names shorten, and comments write out: `env`, *the environment*. None is of what is sent, or held and ended then, such as a request,
//! a packet or a session: *Ends the request* says nothing of the memory that stands for it.

/// Short forms, each with what it stands for.
const SHORT: &[(&str, &str)] = &[
    ("addr", "address"),
    ("attr", "attribute"),
    ("buf", "buffer"),
    ("cfg", "config"),
    ("cfg", "configuration"),
    ("cert", "certificate"),
    ("conf", "configuration"),
    ("config", "configuration"),
    ("cond", "condition"),
    ("ctx", "context"),
    ("ctxt", "context"),
    ("db", "database"),
    ("dec", "decoder"),
    ("desc", "descriptor"),
    ("dev", "device"),
    ("dict", "dictionary"),
    ("elem", "element"),
    ("env", "environment"),
    ("expr", "expression"),
    ("fmt", "format"),
    ("func", "function"),
    ("img", "image"),
    ("iter", "iterator"),
    ("lib", "library"),
    ("mgr", "manager"),
    ("obj", "object"),
    ("param", "parameter"),
    ("params", "parameters"),
    ("prob", "problem"),
    ("tok", "token"),
    ("var", "variable"),
    ("vec", "vector"),
    ("win", "window"),
    ("wksp", "workspace"),
];

/// What a short form stands for.
pub(in crate::infer) fn whole(short: &str) -> impl Iterator<Item = &'static str> {
    SHORT.iter().filter(move |(known, _)| *known == short).map(|(_, whole)| *whole)
}
