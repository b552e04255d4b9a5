//! Functions that are known to fool a rule, and that nothing in their declaration tells apart.
//!
//! This is a list of counter-examples, not of libraries: each stands for a kind that a rule gets wrong.

/// Why no line of a contract makes this function callable.
pub(super) fn unsupported(function: &str) -> Option<&'static str> {
    match function {
        "fork" | "vfork" | "_Fork" => Some("it returns twice"),
        _ => None,
    }
}

/// Why a `const char *` of this function is not a text that is only read during the call.
pub(super) fn text(function: &str) -> Option<&'static str> {
    match function {
        "addseverity" | "openlog" | "PR_SetEnv" | "XrmPermStringToQuark" => {
            Some("the library keeps the pointer after the call")
        }
        "setkey" | "encrypt" => Some("it is an array of 64 characters"),
        _ => None,
    }
}
