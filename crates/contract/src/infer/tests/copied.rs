//! What a comment has to say so that what goes in counts as copied, and what says something else.

use super::described;

fn see(declaration: &str, doc: &str) -> String {
    described(&[declaration, "void ctx_free(ctx *c)"], doc)
}

const TEXT: &str = "int ctx_set_name(ctx *c, const char *name)";

const DATA: &str = "int ctx_load(ctx *c, const void *data, size_t len)";

#[test]
fn what_is_named_and_copied_now_is_not_kept() {
    for doc in [
        "The name is copied.",
        "Sets it. The name is copied internally.",
        "The name is internally copied.",
        "The name string will be copied immediately.",
        "The name gets copied before the function returns.",
        "`name` is copied, so it can be freed after the call.",
        "The string is copied and may be freed.",
        "Sets it.\n\nNote that the name is copied so that it may be safely reused",
        "Loads it   Note 2 : `name` content will be copied internally.   Note 3 : It is fast.",
        "Note 2 :`name` content will be copied internally, so `name` can be released after the call.",
        "The name is copied.\nUse ctx_set_name_by_reference() to refer to the name instead.",
        "@param c the context\n\n@param name the name. The name is copied.",
    ] {
        assert_eq!(see(TEXT, doc), "object text -> value", "{doc}");
    }
    for doc in [
        "The data is copied.",
        "data are copied before the call returns.",
        "The data buffer is copied.",
        "Note 2 :`data` content will be copied internally, so `data` can be released after loading.",
    ] {
        assert_eq!(see(DATA, doc), "object bytes len(1) -> value", "{doc}");
    }
}

#[test]
fn what_is_copied_elsewhere_or_later_says_nothing() {
    for doc in [
        "The data is copied to the device by ctx_run().",
        "The data is copied on demand.",
        "The data is copied asynchronously.",
        "The data is copied at commit time.",
        "To avoid an internal copy, keep the memory around.",
        "Use strdup to keep it alive yourself.",
        "The callback is copied internally.",
        "To keep a copy of the data, use ctx_dup().",
        "An internal copy is made.",
        "Makes a copy of the data.",
        "The data is copied when ctx_run() is called.",
        "The data is not copied.",
        "The data is never copied.",
        "The data isn't copied internally.",
        "Only the data is copied.",
        "If len is small, the data is copied.",
        "The data is copied, if it is small.",
        "Unless CTX_STATIC is given. The data is copied.",
        "The data is copied; this happens at the first use.",
        "The data is copied and sent.",
        "The data is copied and then referred to.",
        "The data is copied before ctx_run() returns.",
        "The data is copied before the function returns unless it is large.",
        "The data is copied once.",
        "The data is copied in the background.",
        "The data is copied in pieces.",
        "The data is copied (lazily).",
        "The data is copied. It must remain valid all the same.",
        "The data is copied. With CTX_NOCOPY it is not.",
        "The data is copied. The context keeps it otherwise.",
        "The data can be copied.",
        "The data may be copied internally.",
        "The data should be copied.",
        "The data has to be copied.",
        "The data was copied.",
        "Whether the data is copied depends on the flags.",
        "The pointer to the data is copied.",
        "The data pointer is copied.",
        "The address of the data is copied.",
        "The memory is copied.",
        "The header is copied.",
        "Files with this data are copied to the archive.",
        "The data of the other context is copied.",
        "The context data is copied.",
        "Ensures that the data is copied.",
        "In this mode:\n\nThe data is copied.",
        "The data is copied, so keep it small.",
        "The data is copied or referenced.",
        "Is the data copied?",
        "The data is copied by reference.",
        "The data is being copied.",
        "The data is copied as soon as possible.",
        "The data is copied, so it can be freed after sending.",
        "The data is copied. Use ctx_keep() to keep it.",
        "The data is about to be copied.",
    ] {
        assert_eq!(see(DATA, doc), "object ? value -> value", "{doc}");
        let name = doc.replace("data", "name");
        assert_eq!(see(TEXT, &name), "object ? -> value", "{name}");
    }
}

#[test]
fn of_several_it_may_speak_of_another() {
    for (declaration, expect) in [
        ("int ctx_set(ctx *c, const char *name, const char *value)", "object ? ? -> value"),
        ("int ctx_set_text(ctx *c, const char *name, char *old)", "object ? ? -> value"),
    ] {
        assert_eq!(see(declaration, "The name is copied."), expect, "{declaration}");
    }
    assert_eq!(see(DATA, "The string is copied."), "object ? value -> value");
}
