//! What comments say.

use hotcell_model::interface::{Ownership, ResultRole, Role};

use super::library::{header, known};
use super::{describe, described, empty, infer_in, prototype};
use crate::infer::comments::{kept, lent, owned, owner, unended};

#[test]
fn comments_say_what_allocates_where_nothing_is_passed() {
    let functions =
        "state *make(void *(*alloc_func)(void *, size_t), void (*free_func)(void *, void *), void *opaque)";
    let others = "void scan(void *(*alloc_func)(void *, size_t), void (*found)(void *, int), void *opaque)";
    let structure = "int add(int n, const full_functions *allocator)";
    let means = "Both must be zero or none. When they are zero, default memory allocators are used.";
    for (declaration, doc, expect) in [
        (functions, means, "fixed fixed fixed -> ?"),
        (functions, "Default memory allocators are used.", "? ? ? -> ?"),
        (functions, "Allocators must not be NULL; the default allocator is not used.", "? ? ? -> ?"),
        (others, means, "? ? ? -> void"),
        (structure, "allocator: an allocator, or NULL to use malloc().", "value fixed -> value"),
        (structure, "Never NULL.", "value ? -> value"),
    ] {
        let mut function = prototype::parse(declaration);
        function.doc = Some(doc.into());
        let mut draft = empty(&function);
        let api = header(&[declaration]);
        let verdict = infer_in(&function, &api, &known(&api), &mut draft);
        assert_eq!(describe(&draft, &verdict), expect, "{doc}");
    }
}

#[test]
fn comments_are_read_by_sentences() {
    let mut function = prototype::parse("int f(const char *s)");
    let mut says = |doc: &str| {
        function.doc = Some(doc.into());
        [owner(&function), lent(&function), owned(&function), kept(&function), unended(&function)]
    };
    for (doc, expect) in [
        ("Links the module.", [false; 5]),
        ("This takes\nownership of it.", [true, false, false, false, false]),
        ("The text is valid until the statement\nis destroyed.", [false; 5]),
        ("It is destroyed. Valid until then.", [true, false, false, false, false]),
        ("Parks it until needed; the pool takes ownership of it.", [true, false, false, false, false]),
        ("Waits until it is empty\nTakes ownership", [true, false, false, false, false]),
        (
            "NULL if it could not be found, else a text that must be freed.",
            [false, false, true, false, false],
        ),
        ("Like g(), but the text must be freed by the caller.", [false, false, true, false, false]),
        ("Do not free it.", [false, true, false, false, false]),
        ("The result must be freed with free().", [false, false, true, false, false]),
        ("It must not be freed by the caller.", [false, true, false, false, false]),
        ("Do not free the returned string.", [false, true, false, false, false]),
        ("The text of f() must be freed.", [false, false, true, false, false]),
        ("The text of g(), however, must be freed.", [false; 5]),
        ("The statement ends within a string literal.", [false; 5]),
        ("The name is not copied.", [false, false, false, true, false]),
        ("The hash, which is not NUL-terminated.", [false, false, false, false, true]),
        // Words that only begin or end as those that are looked for.
        ("Callers must freeze it. This owned by nobody.", [false, true, false, false, false]),
        ("You should freeze it.", [false; 5]),
        ("Returns a vector of floating-point numbers.", [false; 5]),
        ("A floating reference.", [false, true, false, false, false]),
        ("Floating point numbers.", [false; 5]),
        ("Its floating pointer is taken.", [false, true, false, false, false]),
        ("Its floating points to nothing.", [false, true, false, false, false]),
        ("The window is owned by the application.", [false, true, false, false, false]),
        ("The item is owned by the user of the list.", [false, true, false, false, false]),
        ("It is owned by the caller's window.", [false, true, false, false, false]),
        ("The result is not owned by the caller.", [false, true, false, false, false]),
        ("The context keeps a pointer to the data.", [false, false, false, true, false]),
        ("The buffer has to stay where it is.", [false, false, false, true, false]),
        ("The text is not duplicated.", [false, false, false, true, false]),
        ("The returned text keeps a pointer to nothing.", [false; 5]),
    ] {
        assert_eq!(says(doc), expect, "{doc}");
    }
}

#[test]
fn comments_stop_rules() {
    let see = |declaration: &str, doc: &str| described(&[declaration, "void ctx_free(ctx *c)"], doc);
    for (declaration, doc, expect) in [
        ("const char *ctx_name(const ctx *c)", "The name.", "object -> text"),
        ("const char *ctx_name(const ctx *c)", "The name, not NUL-terminated.", "object -> ?"),
        ("const char *ctx_name(const ctx *c)", "A name. It must be freed by g_free.", "object -> ?"),
        ("int ctx_find(ctx *c, const char *name)", "By name.", "object text -> value"),
        ("int ctx_find(ctx *c, const char *name)", "The name is not copied.", "object ? -> value"),
        ("int ctx_find(ctx *c, const char *name)", "Need not be null terminated.", "object ? -> value"),
        (
            "int ctx_write(ctx *c, const void *data, size_t len)",
            "The data must remain valid until the next call.",
            "object ? value -> value",
        ),
    ] {
        assert_eq!(see(declaration, doc), expect, "{declaration} {doc}");
    }
}

#[test]
fn what_several_comments_say_of_an_allocator_holds_for_silent_ones() {
    let means = "allocator: for custom allocator functions. Set to NULL to use malloc().";
    let all = [
        "int add(int n, const full_functions *allocator)",
        "int cut(int n, const full_functions *allocator)",
        "int mix(int n, const full_functions *allocator)",
    ];
    let see = |said: usize, declaration: &str, doc: Option<&str>| {
        let mut api = header(&[&all[..], &["thing *thing_new(int a, int b)", declaration]].concat());
        api.functions.iter_mut().take(said).for_each(|function| function.doc = Some(means.into()));
        let last = api.functions.last_mut().expect("there is one");
        last.doc = doc.map(str::to_owned);
        let function = last.clone();
        let mut draft = empty(&function);
        let verdict = infer_in(&function, &api, &known(&api), &mut draft);
        describe(&draft, &verdict)
    };
    let end = "void thing_end(thing *t, const full_functions *allocator)";
    assert_eq!(see(3, end, None), "ended fixed -> void");
    assert_eq!(see(3, end, Some("Ends it.")), "ended fixed -> void");
    // Two are too few, and this one says something else.
    assert_eq!(see(2, end, None), "? ? -> void");
    assert_eq!(see(3, end, Some("The allocator must not be NULL.")), "? ? -> void");
    assert_eq!(see(3, "void end(int n, const full_functions *table)", None), "value ? -> void");
    assert_eq!(see(3, "void end(int n, const full_others *allocator)", None), "value ? -> void");
}

#[test]
fn comments_say_what_frees_a_text() {
    let see = |others: &[&str], declaration: &str, doc: &str| {
        let api = header(&[&[declaration], others].concat());
        let mut function = api.functions[0].clone();
        function.doc = Some(doc.into());
        let mut draft = empty(&function);
        let verdict = infer_in(&function, &api, &known(&api), &mut draft);
        let text = describe(&draft, &verdict);
        match draft.result.map(|fact| fact.value) {
            Some(ResultRole::Text { ownership: Ownership::Owned { release }, .. }) => {
                format!("{text} {release}")
            }
            _ => text,
        }
    };
    let own = &["void lib_free(void *p)", "int lib_size(int n)"];
    let two = &["void lib_free(void *p)", "void lib_free_string(char *s)"];
    let escape = "char *escape(const char *s)";
    for (others, declaration, doc, expect) in [
        (&own[..], escape, "The text must be freed with lib_free().", "text -> text lib_free"),
        (own, escape, "Returns a newly allocated string.", "text -> text lib_free"),
        (own, escape, "The caller must free it with free().", "text -> text free"),
        (two, escape, "Use lib_free_string to free the string.", "text -> text lib_free_string"),
        // Which of two is not said, nor whether it is C's; it is somebody else's, data, or may lie in what is given.
        (two, escape, "Returns a newly allocated string.", "text -> ?"),
        (&[], escape, "Returns a newly allocated string.", "text -> ?"),
        (own, escape, "The caller must free it with free() or lib_free().", "text -> ?"),
        (own, escape, "The result must be freed.", "text -> ?"),
        (own, escape, "It must not be freed by lib_free().", "text -> ?"),
        (own, escape, "Escapes it.", "text -> ?"),
        (own, "char *read_buffer(int n)", "A newly allocated buffer.", "value -> ?"),
        (own, "char *escape(char *buf)", "Newly allocated, if buf is NULL.", "? -> ?"),
        (own, "char *read(int n, size_t *len)", "A newly allocated text.", "value ? -> ?"),
    ] {
        assert_eq!(see(others, declaration, doc), expect, "{declaration} {doc}");
    }
}

#[test]
fn what_is_said_of_owners_is_asked_for() {
    let mut function = prototype::parse("window *window_make(int n)");
    for doc in [
        "The window is never owned by the caller.",
        "The window is no longer owned by the caller.",
        "The window cannot be owned by the caller.",
        "Rather than being owned by the caller it goes with the screen.",
        "Its contents are owned by the caller, the window itself is not.",
        "If flag is set the window is owned by the caller, otherwise by the manager.",
        "The title is owned by the caller. The window belongs to the manager.",
        "The window is not owned by the caller.",
        "The text is owned by the caller, but the window must never be freed.",
        "The memory passed in stays owned by the caller.",
        "Unless it is hidden, the window is owned by the caller.",
        "The window is owned by the caller's screen.",
        "The window is owned by the caller until it is shown.",
        "The window is owned by the caller and the manager.",
        "A window that was owned by the caller.",
        "When is the window owned by the caller?",
        "The window is owned by the caller only in mode 2.",
        "Its floating reference is taken by the container.",
        "A window with a floating pointer reference.",
        "A window with a floating point-of-view reference.",
        "The window belongs to the manager.",
        "Must be freed with care: the window remains the property of the application.",
        "The window is said to be owned by the caller.",
    ] {
        function.doc = Some(doc.into());
        assert!(lent(&function), "{doc}");
    }
}

#[test]
fn who_frees_a_text_is_said_in_a_whole_sentence_about_it() {
    let see = |doc: &str| {
        let api = header(&["char *lib_text(int n)", "void lib_free(void *p)", "void lib_free_all(void *p)"]);
        let mut function = api.functions[0].clone();
        function.doc = Some(doc.into());
        let mut draft = empty(&function);
        let verdict = infer_in(&function, &api, &known(&api), &mut draft);
        let release = draft.result.as_ref().and_then(|fact| match &fact.value {
            ResultRole::Text { ownership: Ownership::Owned { release }, .. } => Some(release.as_str()),
            _ => None,
        });
        [&describe(&draft, &verdict), release.unwrap_or_default()].join(" ")
    };
    for doc in [
        "The returned string must be freed with lib_free().",
        "It has to be freed by the caller using lib_free().",
        "The result should be freed by calling lib_free().",
        "Makes it. The caller must free it with lib_free().",
        "Use lib_free() to free the returned text.",
        "Free it with lib_free().",
        "Returns a newly allocated string, which must be freed with lib_free().",
    ] {
        assert_eq!(see(doc), "value -> text lib_free", "{doc}");
    }
    for doc in [
        "If n is 0, the string must be freed with lib_free().",
        "The string must be freed with lib_free() if n is 0.",
        "The string must be freed with lib_free(), unless it is empty.",
        "The string must not be freed with lib_free().",
        "Only the returned string must be freed with lib_free().",
        "The error message must be freed with lib_free().",
        "The argument must be freed with lib_free().",
        "On error the string must be freed with lib_free().",
        "The old string must be freed with lib_free().",
        "Lists of strings must be freed with lib_free().",
        "The string must be freed before lib_free().",
        "The string must be freed with lib_free() or lib_free_all().",
        "The string must be freed with lib_free(). Others must be freed with lib_free_all().",
        "Memory must be freed; see free() and lib_free().",
        "The caller must free the argument with lib_free().",
        "A cached string. Elsewhere it must be freed with lib_free(). The cache frees it.",
        "The string must be freed when done with lib_free().",
        "The string should be freed with lib_free() else it leaks.",
        "No string must be freed with lib_free().",
        "The string is to be freed with lib_gone().",
        "Free the buffer of before with lib_free().",
    ] {
        assert_eq!(see(doc), "value -> ? ", "{doc}");
    }
}

#[test]
fn what_a_comment_says_ends_is_asked_for() {
    let see = |doc: &str| described(&["int ctx_over(ctx *c)", "void ctx_free(ctx *c)"], doc);
    for doc in [
        "Frees everything.",
        "Stops it. Destroys the context.",
        "Deallocates the context.",
        "Ends the context.",
        "Disposes of it.",
        "Releases all memory of c, which is invalid then.",
        "The context must not be used afterwards.",
        "After this call the context is gone.",
        "The context must not be touched.",
        "Do not touch it again.",
        "It must not be used after this.",
    ] {
        assert_eq!(see(doc), "? -> value", "{doc}");
    }
    for doc in ["End of what is free.", "Free slots are counted.", "Release number.", "Goes on."] {
        assert_eq!(see(doc), "object -> value", "{doc}");
    }
}

#[test]
fn an_object_ends_where_a_comment_says_so_of_it() {
    let see = |doc: &str| {
        described(
            &["int item_run(item *i, int code)", "item *item_new(void)", "void item_free(item *i)"],
            doc,
        )
    };
    for doc in [
        "Completes the item with the given status and frees it.",
        "Resolves the item. The item is freed.",
        "Delivers it. i must not be used after this call.",
        "Dispatches it. Do not use i afterwards.",
        "Transmits it. The library releases the item when done.",
        "Acknowledges the item and destroys it.",
        "Executes the item. It deletes itself when it has run.",
        "The item is disposed of.",
        "Drops the caller's reference to the item.",
        "Takes i: it is the list's from now on.",
        "The queue frees it.",
        "The item will be released by the queue.",
        "It gets deleted behind the call.",
        "Consumes the item.",
        "Not to be used afterwards.",
    ] {
        assert_eq!(see(doc), "? value -> value", "{doc}");
    }
    for doc in ["Runs it.", "Deletes the file.", "Free slots are counted.", "The item is not released."] {
        assert_eq!(see(doc), "object value -> value", "{doc}");
    }
}

#[test]
fn an_object_that_comes_out_is_nobody_elses_by_its_comment() {
    let see = |doc: &str| described(&["item *item_new(int n)", "void item_free(item *i)"], doc);
    for doc in [
        "Returns a new item. The library frees it at lib_quit().",
        "Returns a new item, which is freed when its window goes.",
        "Never free the result.",
        "Returns the item. Don't free it.",
        "Need not be freed.",
        "Returns the item, from the cache if it was loaded before.",
        "All callers share it.",
        "Returns the item. It is freed by the library.",
        "There is only one.",
        "Each call returns the same item.",
        "A managed item.",
        "It is released with the pool.",
        "A singleton.",
        "It destroys itself.",
        "A reused one. It must be freed with item_free().",
        "It is shared. It must be freed with item_free().",
        "It is freed by item_free_all().",
    ] {
        assert_eq!(see(doc), "value -> ?", "{doc}");
    }
    for doc in [
        "Makes one.",
        "It must be freed with item_free().",
        "Makes one. Released by the caller using item_free().",
    ] {
        assert_eq!(see(doc), "value -> owned", "{doc}");
    }
}

#[test]
fn what_a_comment_says_is_copied_is_not_kept() {
    let see = |declaration: &str, doc: &str| described(&[declaration, "void ctx_free(ctx *c)"], doc);
    let set = "int ctx_set_name(ctx *c, const char *name)";
    for (declaration, doc, expect) in [
        (set, "Sets it. The name is copied.", "object text -> value"),
        (set, "Makes a copy of the name.", "object ? -> value"),
        (set, "The name is not copied.", "object ? -> value"),
        (set, "The name is copied only if it is short.", "object ? -> value"),
        (set, "The name is copied. It must remain valid all the same.", "object ? -> value"),
        (set, "Load once\nNote 2 : the name is copied internally, and may go.", "object text -> value"),
        (set, "Once it is started, the name is copied internally.", "object ? -> value"),
        (set, "Sets the name for which nothing is copied.", "object ? -> value"),
        // Later, or something else.
        (set, "The name will be copied at the next flush.", "object ? -> value"),
        (set, "The name is copied by a background thread.", "object ? -> value"),
        (set, "A copy of the name is made at the first change.", "object ? -> value"),
        (set, "Callers have to see to it that the name is copied.", "object ? -> value"),
        (set, "The caller should pass a name that was copied.", "object ? -> value"),
        (set, "Hits are copied for each column.", "object ? -> value"),
        (set, "Hits are copied.", "object ? -> value"),
        (set, "Sets the directory. Files in it will be copied by ctx_run().", "object ? -> value"),
        (set, "Sets the name, from which all that follows is copied.", "object ? -> value"),
        (set, "The pointer to the name is copied.", "object ? -> value"),
        (set, "The name is copied, when it is short.", "object ? -> value"),
        (set, "What is in this copied name counts.", "object ? -> value"),
        // What is in the memory is copied there.
        (
            "int ctx_set_text(ctx *c, const char *name, char *old)",
            "The text of before is copied.",
            "object ? ? -> value",
        ),
        (set, "Sets it.", "object ? -> value"),
        (
            "int ctx_set(ctx *c, const char *name, const char *value)",
            "The name is copied.",
            "object ? ? -> value",
        ),
        (
            "int ctx_load(ctx *c, const void *data, size_t len)",
            "The data is copied.",
            "object bytes len(1) -> value",
        ),
    ] {
        assert_eq!(see(declaration, doc), expect, "{declaration} {doc}");
    }
}

#[test]
fn comments_say_what_may_be_null() {
    let of = |declaration: &str, doc: &str| {
        let mut function = prototype::parse(declaration);
        function.doc = Some(doc.into());
        let api = header(&["state *state_new(void)", "void state_free(state *s)", declaration]);
        let mut draft = empty(&function);
        let verdict = infer_in(&function, &api, &known(&api), &mut draft);
        (draft, verdict)
    };
    let nullable = |doc: &str| {
        let (draft, _) = of("int state_find(state *s, const char *anchor)", doc);
        let may = |fact: &Option<hotcell_model::Fact<Role>>| {
            matches!(fact.as_ref().map(|fact| &fact.value), Some(Role::Text { nullable: true, .. }))
        };
        draft.params.iter().map(may).collect::<Vec<_>>()
    };
    assert_eq!(nullable("@param[in] anchor The anchor or @c NULL.\n@param[in] s It."), [false, true]);
    assert_eq!(nullable("@param s may be NULL\n@param anchor never NULL"), [false, false]);
    assert_eq!(nullable("@anchor: (nullable): The anchor"), [false, true]);
    assert_eq!(nullable("The anchor may be NULL."), [false, false]);
    // What is asked for says it too.
    let (_, verdict) =
        of("int f(const char *key, const char *data)", "@param data bytes or NULL\n@param key the key");
    let crate::infer::Verdict::Open(gaps) = verdict else { panic!("{verdict:?}") };
    let helps: Vec<_> = gaps.iter().filter_map(|gap| gap.help.as_deref()).collect();
    assert_eq!(helps, [r#"params.data = { string = "utf-8", nullable = true } # when a NUL ends it"#]);
}
