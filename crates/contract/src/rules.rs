//! The inference rules by name, each in a sentence; docs/reference/inference.md and objects.md say when they fire.

/// Name and meaning of every rule, in the order of the documentation.
pub const RULES: &[(&str, &str)] = &[
    (
        "bytes-then-length",
        "a `const` pointer to bytes, and right behind it an integer whose name means a length in bytes",
    ),
    (
        "named-length",
        "a `const` pointer to bytes, and an integer that is named as the length of this pointer",
    ),
    (
        "out-buffer-with-length-pointer",
        "a writable pointer to bytes that is called like an output, and right behind it a pointer to an integer \
         called exactly so with `Len`, `Length` or `Size`",
    ),
    (
        "like-stdio",
        "called like C's `fread`, `fwrite` or `fgets`, with parameters of the same kinds, beside an object",
    ),
    (
        "bytes-in-place",
        "a pointer to bytes that may be written, with an integer whose name means their length or the room there: they go in \
         and come out",
    ),
    ("array-parameter", "a `const` array with a length in brackets is that many elements"),
    ("array-in-place", "an array that may be written, with a length in brackets, goes in and comes out"),
    (
        "elements-then-count",
        "a `const` pointer to numbers that is called like a sequence, and right behind it a count",
    ),
    (
        "elements-in-place",
        "a pointer to numbers that may be written and a number right behind it, which are all that a function takes that is called after \
         an array: so many go in and come out",
    ),
    (
        "code-number",
        "a pointer to numbers behind which the library's machine code touches one, and which it does not keep",
    ),
    (
        "code-structure",
        "a pointer to a structure of numbers behind which the library's machine code touches one, and which it does not keep",
    ),
    (
        "code-object",
        "an object that the library's machine code only reads, in a function that writes nowhere",
    ),
    ("const-char-text", "a `const char *` that nothing counts is a text that a NUL ends"),
    (
        "user-data-destructor",
        "a function that would release the user data of a callback, which belongs to the caller's runtime: NULL",
    ),
    (
        "default-allocator",
        "functions or a structure that allocate, of which the function's comment says what is used where they are NULL: NULL",
    ),
    ("const-char-result", "a returned `const char *` is a text that the library owns, or NULL"),
    (
        "documented-text",
        "a returned `char *` of which the comment says that the caller frees it, and with what, or that it is newly allocated",
    ),
    (
        "code-text",
        "a returned `char *` of which the library's machine code shows that the function makes it by C's functions and that nobody else has it: \
         `free()` frees it",
    ),
    (
        "code-data",
        "the same of bytes, whose length comes out through the only pointer to a number, which is called so and only written",
    ),
    (
        "array-result",
        "a returned pointer to a `const` array of bytes is as many as stand in its brackets, which the library owns, or NULL",
    ),
    (
        "counted-result",
        "returned `const` bytes called `blob` or `text`, where functions that are called the same but for `type`, `blob`, \
         `text` and `bytes` take the same object and numbers",
    ),
    (
        "text-twin",
        "a `const void *` of a function called like one that has a `const char *` there but for `16` behind the name, where \
         there are several such pairs",
    ),
    (
        "kept-text",
        "a text that an object or the library may keep, where that is all that is open: the library gets a copy that goes with the object, \
         or stays",
    ),
    (
        "copied-text",
        "a returned `char *` that nothing says is the caller's, where that is all that is open: it is copied, and nobody releases it",
    ),
    (
        "documented-output",
        "a pointer to one number that the function's comment calls an output, or both input and output",
    ),
    (
        "documented-structure",
        "a pointer to a structure of numbers, of which the function's comment says which way it goes and speaks of one",
    ),
    (
        "number-in-place",
        "a pointer to a number that may be written, under the name of one, goes in and comes out",
    ),
    (
        "structure-in-place",
        "a pointer to a structure of numbers, of which the headers show neither arrays nor pointers of the library's own",
    ),
    (
        "walled-memory",
        "memory of numbers of which nothing says how much there is, where that is all that is open: callers say it, and behind it is a wall",
    ),
    (
        "kept-memory",
        "such memory that goes in, and that an object may go on reading: a copy before a wall that stays until the object goes, where that is \
         all that is open",
    ),
    ("opaque-handle", "a structure that the headers declare and never define is an object"),
    (
        "only-release",
        "exactly one function is called like the release of the type, is called after it, and takes nothing else",
    ),
    (
        "made-and-ended",
        "a structure with more than numbers in it, or that many functions take, or a `void` with a name, that some function \
         returns, one ends, and none has by value",
    ),
    (
        "handed-out-structure",
        "a structure of the library's own headers with more than numbers in it, that some function returns or hands out, and of which no \
         caller has the memory",
    ),
    (
        "mirrored-release",
        "two functions that are called the same but for a word that makes and one that ends: the second takes what the first \
         hands out, and nothing else",
    ),
    (
        "begun-and-ended",
        "a structure that callers make, which a function called `…init…` begins and the one that is called the same but for \
         the word for its end ends",
    ),
    (
        "release-variant",
        "the object of a function called as the release of its type but for a word like `_r` or `_v2` behind it, which takes nothing else",
    ),
    (
        "const-object",
        "an object behind a `const` pointer, where the function is called like no release, and like none after which anything goes on using it",
    ),
    ("compared-objects", "objects of a function that is called like a comparison"),
    (
        "looked-at-object",
        "an object of a function that is called like one which only looks (`verify`, `check`, `print`), and hands out none",
    ),
    (
        "companion-object",
        "the second parameter, behind an object that all functions of its type are given first, or after which type the function \
         is called",
    ),
    ("parent-object", "an object that a contract names as the parent of what comes out"),
    (
        "object-receiver",
        "the first parameter of a function that neither is called like one that ends or hands on objects, nor makes \
         another object",
    ),
    (
        "object-constructor",
        "an object with a release, from a function that is called like a constructor and is given no other object",
    ),
    ("object-copy", "an object from a function called `copy`, `dup` or `clone` of a `const` one of its type"),
    (
        "read-object",
        "an object with a release, from a function that is called like one which reads, opens, encodes or compiles a source, or connects to one, and takes texts or data and \
         numbers, and nothing else",
    ),
    (
        "code-made",
        "an object with a release, where the library's machine code shows that the function makes it and that nobody else has it",
    ),
    (
        "kept-parent",
        "an object with a release, from a function called like one that makes it and given one object first of which many things are made (a \
         context, a connection), or through which it goes (a cursor): that stays until it goes",
    ),
    (
        "library-constant",
        "a `const` object that a function without parameters returns, where at least five return one of the type: it is the library's own",
    ),
    (
        "internal-object",
        "an object from a function called `get0` of one object: it is inside of that, and stale when that changes",
    ),
    (
        "found-object",
        "an object of a function called like one that goes to a child, an item, a parent or the like of the object that goes in, where the \
         library counts no references: it was there before, and is stale when the other one changes",
    ),
    (
        "added-object",
        "an object of a function called like one that adds something to what its only object is called, of that object's type or pointed to by \
         it, where the library counts no references: it is inside of that, and stale when that changes",
    ),
    (
        "unowned-object",
        "an object of a type that nothing ends and nothing makes by its name, of a function called like one that finds, gets or adds it: it is \
         inside of the only object that goes in, and stale when that changes",
    ),
];

/// The first rule about objects.
const OBJECTS: &str = "opaque-handle";

/// The page of the reference on which the rule of this name stands.
pub fn page(name: &str) -> &'static str {
    let at = |name: &str| RULES.iter().position(|(rule, _)| *rule == name);
    if at(name) < at(OBJECTS) { "inference.md" } else { "objects.md" }
}

/// What the rule of this name says.
pub fn meaning(name: &str) -> Option<&'static str> {
    RULES.iter().find(|(rule, _)| *rule == name).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Words of a source that are written like a rule's name: `"small-letters-and-dashes"`.
    fn names_in(source: &str) -> BTreeSet<String> {
        let word = |text: &&str| {
            text.contains('-')
                && text.split('-').all(|part| !part.is_empty())
                && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        };
        source.split('"').filter(word).map(str::to_owned).collect()
    }

    #[test]
    fn every_rule_is_in_the_table_in_the_code_and_in_the_documentation() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut used = BTreeSet::new();
        let folders = ["", "/begun", "/documented", "/handles", "/inplace", "/lent", "/objects", "/walls"]
            .map(|folder| format!("src/infer{folder}"));
        let files = folders.iter().flat_map(|folder| fs::read_dir(own.join(folder)).unwrap());
        for path in files.map(|file| file.unwrap().path()) {
            if path.extension().is_some_and(|ending| ending == "rs") {
                used.extend(names_in(&fs::read_to_string(&path).unwrap()));
            }
        }
        let table: BTreeSet<String> = RULES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(table, used, "rules.rs against the names in src/infer");
        let mut documented = Vec::new();
        for page in ["inference.md", "objects.md"] {
            let text = fs::read_to_string(own.join("../../docs/reference").join(page)).unwrap();
            let sections = text.lines().filter_map(|line| line.strip_prefix("### "));
            documented.extend(sections.map(|name| (name.to_owned(), page)));
        }
        let table: Vec<(String, &str)> =
            RULES.iter().map(|(name, _)| ((*name).to_owned(), page(name))).collect();
        assert_eq!(table, documented, "rules.rs against the sections of docs/reference");
    }

    #[test]
    fn a_rule_is_found_by_its_name() {
        assert!(meaning("named-length").is_some_and(|meaning| meaning.contains("named")));
        assert_eq!(meaning("no-such-rule"), None);
    }
}
