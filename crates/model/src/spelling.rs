//! Names and types of C as texts: what can be written into C, and into lines of packages, without becoming anything else there.

/// Keywords of C, as compilers have them: no function is called like one, though a macro may be.
const KEYWORDS: &[&str] = &[
    "_Alignas",
    "_Alignof",
    "_Atomic",
    "_Bool",
    "_Complex",
    "_Generic",
    "_Imaginary",
    "_Noreturn",
    "_Pragma",
    "_Static_assert",
    "_Thread_local",
    "__alignof",
    "__alignof__",
    "__asm",
    "__asm__",
    "__attribute",
    "__attribute__",
    "__auto_type",
    "__const",
    "__const__",
    "__extension__",
    "__imag__",
    "__inline",
    "__inline__",
    "__int128",
    "__label__",
    "__real__",
    "__restrict",
    "__restrict__",
    "__signed",
    "__signed__",
    "__thread",
    "__typeof",
    "__typeof__",
    "__volatile",
    "__volatile__",
    "asm",
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "typeof",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
];

/// Words that begin something else than a type or an expression.
const NO_TYPE: &[&str] = &[
    "_Pragma",
    "__pragma",
    "_Static_assert",
    "_Thread_local",
    "__asm",
    "__asm__",
    "__auto_type",
    "__thread",
    "asm",
    "auto",
    "break",
    "case",
    "continue",
    "default",
    "do",
    "else",
    "extern",
    "for",
    "goto",
    "if",
    "inline",
    "register",
    "return",
    "switch",
    "typedef",
    "while",
];

/// Attributes that are parts of types, without the underscores around them.
const OF_TYPES: &[&str] = &[
    "address_space",
    "aligned",
    "cdecl",
    "const",
    "ext_vector_type",
    "fastcall",
    "ms_abi",
    "noreturn",
    "pcs",
    "preserve_all",
    "preserve_most",
    "regcall",
    "regparm",
    "stdcall",
    "swiftasynccall",
    "swiftcall",
    "sysv_abi",
    "vector_size",
    "vectorcall",
];

/// Whether a text is the name of a function, a parameter or a field: an identifier that is seen as it is, and no keyword.
pub fn is_name(text: &str) -> bool {
    is_word(text) && !KEYWORDS.contains(&text)
}

/// Whether a text is an identifier, or a keyword, as names of macros may be.
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_of_words)
}

/// Whether a text is the key of a record or an enumeration: a name, that of a typedef which is a tag, too, or what is within one, by names
/// and numbers with dots between.
pub fn is_key(text: &str) -> bool {
    let mut parts = text.strip_prefix("typedef ").unwrap_or(text).split('.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.next().is_some_and(is_word) && parts.all(|part| is_word(part) || is_number(part))
}

/// Letters, digits, `_` and `$`, and what is no letter of ASCII, where it can be seen and turns nothing around.
fn is_of_words(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_' || c == '$';
    }
    // Letters that are empty, and what chooses a form of the letter before.
    let is_empty =
        matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}')
            || matches!(c, '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}');
    // Of a text, it escapes what is not seen; a mark behind a letter is.
    let seen = format!("a{c}");
    !is_empty && seen.escape_debug().eq(seen.chars())
}

/// Where a type's declarator begins, if it is more than stars: `(*)(int)`, `(int)`, `[4]`.
pub fn declarator(spelling: &str) -> Option<usize> {
    let mut depth = 0_u32;
    let mut word = false;
    for (at, c) in spelling.char_indices() {
        match c {
            // `__typeof__(…)`, `_Atomic(…)` and the like are part of the name.
            '(' if depth > 0 || word => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '(' | '[' if depth == 0 => return Some(at),
            _ => {}
        }
        word = c.is_alphanumeric() || c == '_';
    }
    None
}

/// How C declares something of a type: `int n`, `char *text`, `void (*run)(int)`, `int (*rows)[4]`. What is declared may be a function, with
/// its parameters behind its name: `void (*handler(int number))(int)`.
pub fn declared(ty: &str, name: &str) -> String {
    let ty = ty.trim_end();
    let Some(mut at) = declarator(ty) else {
        return format!("{ty}{}{name}", if ty.ends_with('*') { "" } else { " " });
    };
    if !ty[at..].starts_with("(*") {
        let before = ty[..at].trim_end();
        return format!("{before}{}{name}{}", if before.ends_with('*') { "" } else { " " }, &ty[at..]);
    }
    // The name is inside of all parentheses that begin with a star, behind the stars and what is said of them.
    while ty[at..].starts_with("(*") {
        at += 1;
        at += ty[at..].find(|c: char| c != '*' && c != ' ' && !is_of_words(c)).unwrap_or(ty.len() - at);
    }
    let (before, after) = ty.split_at(at);
    format!("{before}{}{name}{after}", if before.ends_with(['*', ' ']) { "" } else { " " })
}

/// Whether a text names a type, or is the name that C has for a structure, so that it can stand in parentheses: names, numbers and signs of
/// types, with balanced brackets. Nothing that ends there or begins something else, no text, no statement.
pub fn is_type(text: &str) -> bool {
    let (mut open, mut rest, mut before) = (Vec::new(), text, ' ');
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c| !is_of_words(c)).unwrap_or(rest.len());
        if length > 0 {
            let word = &rest[..length];
            rest = &rest[length..];
            let is_number = c.is_ascii_digit() && word.chars().all(|c| c.is_ascii_alphanumeric());
            let is_attribute = matches!(word, "__attribute__" | "__attribute");
            if NO_TYPE.contains(&word) || !(is_number || is_word(word)) || is_attribute && !is_of_type(rest) {
                return false;
            }
            before = 'a';
            continue;
        }
        let fits = match c {
            '(' | '[' => {
                open.push(c);
                true
            }
            ')' => open.pop() == Some('('),
            ']' => open.pop() == Some('['),
            ',' => !open.is_empty(),
            '>' => before == '-',
            '+' | '-' => before != c,
            _ => matches!(c, ' ' | '*' | '^' | '&' | '.'),
        };
        if !fits {
            return false;
        }
        before = c;
        rest = &rest[c.len_utf8()..];
    }
    !text.trim().is_empty() && open.is_empty()
}

/// Whether a type's text runs nothing where it stands: what is in brackets is a number, or nothing, with words that an array of a parameter
/// may have before it. `__typeof__` computes the length of an array, and so it would call a function there.
pub fn is_inert(text: &str) -> bool {
    let inner = text.split('[').skip(1).map(|rest| rest.split(']').next().unwrap_or_default());
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let is_qualifier =
        |word: &str| matches!(word, "static" | "const" | "volatile" | "restrict" | "__restrict");
    { inner }.all(|inner| {
        let words: Vec<&str> = inner.split_whitespace().collect();
        let (last, before) = words.split_last().unwrap_or((&"0", &[]));
        (is_number(last) || is_qualifier(last)) && before.iter().all(|word| is_qualifier(word))
    })
}

/// Whether what follows `__attribute__` are those that types have.
fn is_of_type(rest: &str) -> bool {
    let Some(inner) = rest.trim_start().strip_prefix("((") else { return false };
    let name = inner.split(|c| !is_of_words(c)).next().unwrap_or_default();
    let after = inner[name.len()..].trim_start();
    // One of them, with or without what it is given.
    let one = if let Some(given) = after.strip_prefix('(') {
        let mut depth = 1_u32;
        let end = given.find(|c| {
            depth = depth + u32::from(c == '(') - u32::from(c == ')');
            depth == 0
        });
        end.is_some_and(|end| given[end + 1..].starts_with("))"))
    } else {
        after.starts_with("))")
    };
    one && OF_TYPES.contains(&name.trim_matches('_'))
}

/// Whether a text is one line in every language.
pub fn is_line(text: &str) -> bool {
    !text.contains(ends_line)
}

/// A text as one line: what would end it, or is a sign of control, is escaped.
pub fn as_line(text: &str) -> String {
    let escaped = |c: char| if ends_line(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

fn ends_line(c: char) -> bool {
    c.is_control() && c != '\t' || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_seen_as_they_are() {
        for name in ["a", "_1", "größe$1", "λ", "名前", "e\u{301}", "bool"] {
            assert!(is_name(name), "{name:?}");
        }
        for name in [
            "",
            "1a",
            "a b",
            "a)",
            "a\u{200b}",
            "a\u{200d}b",
            "a\u{202e}b",
            "a\u{2028}b",
            "a\u{3164}",
            "a\u{a0}",
        ] {
            assert!(!is_word(name), "{name:?}");
        }
        for name in ["int", "asm", "__asm__", "sizeof", "_Static_assert"] {
            assert!(is_word(name) && !is_name(name), "{name:?}");
        }
    }

    #[test]
    fn keys_are_names_within_each_other() {
        for key in ["a", "q.0.0", "q.d", "unnamed.2", "typedef größe", "typedef a.target"] {
            assert!(is_key(key), "{key:?}");
        }
        for key in ["", "a.", ".a", "0", "a b", "typedef ", "a.1b", "pair*/ void f(void); /*", "a\u{200b}"] {
            assert!(!is_key(key), "{key:?}");
        }
    }

    #[test]
    fn brackets_have_numbers_where_a_type_is_written() {
        for text in [
            "int *",
            "int (*)[4]",
            "int[]",
            "char[0x10][2]",
            "int[static 4]",
            "int[const]",
            "__typeof__((p)[0])",
        ] {
            assert!(is_inert(text), "{text}");
        }
        for text in [
            "int (*)[f()]",
            "int[n]",
            "int[4][n]",
            "int[sizeof(int[f()])]",
            "int[4 + f()]",
            "int[static f()]",
        ] {
            assert!(!is_inert(text), "{text}");
        }
    }

    #[test]
    fn types_are_what_stands_in_parentheses() {
        for text in [
            "int",
            "const unsigned char *",
            "struct größe **",
            "void (*)(int, const char *, ...)",
            "int (*(*)(void))[4]",
            "double[2][0x10]",
            "int[static 4]",
            "_Atomic(int) *",
            "void (^)(int)",
            "struct (unnamed) *",
            "__typeof__((*(struct pair *)0).d)",
            "__typeof__((((struct s *)0)->in)[0]) *",
            "void (*)(int) __attribute__((noreturn))",
            "__attribute__((__vector_size__(4 * sizeof(int)))) int",
            "void (*)(void) __attribute__((swiftcall))",
            "int (*)[n]",
        ] {
            assert!(is_type(text), "{text}");
        }
        for text in [
            "",
            " ",
            "pt) > 0, \"\"); __asm__(\".incbin \\\"/etc/passwd\\\"\"); _Static_assert(sizeof(pt",
            "a) + (b",
            "a, b",
            "int x; int",
            "struct { int a; }",
            "__typeof__(({ 1; }))",
            "__typeof__(\"text\")",
            "int[asm(0)]",
            "int[)",
            "(int",
            "int\n",
            "int /* x */",
            "int\\",
            "a = b",
            "a `b`",
            "%:include",
            "_Pragma(x) int",
            "__thread int",
            "int __attribute__((section))",
            "int __attribute__((noreturn, cleanup(f)))",
            "int __attribute__",
            "int\u{202e}",
        ] {
            assert!(!is_type(text), "{text}");
        }
    }

    #[test]
    fn names_stand_where_c_has_them() {
        for (ty, name, expect) in [
            ("int", "n", "int n"),
            ("const char *", "text", "const char *text"),
            ("struct kit **", "out", "struct kit **out"),
            ("int[4]", "row", "int row[4]"),
            ("char *[3]", "names", "char *names[3]"),
            ("int (*)[4]", "rows", "int (*rows)[4]"),
            ("void (*)(int)", "run", "void (*run)(int)"),
            ("void (**)(int)", "runs", "void (**runs)(int)"),
            ("int (*const)(void *, int)", "run", "int (*const run)(void *, int)"),
            (
                "void (*)(int)",
                "handler(int number, void (*next)(int))",
                "void (*handler(int number, void (*next)(int)))(int)",
            ),
            ("int (*(*)(void))[4]", "f", "int (*(*f)(void))[4]"),
            ("void (*(*)(int))(char)", "f", "void (*(*f)(int))(char)"),
            ("__typeof__((*(grid *)0)[0])", "x", "__typeof__((*(grid *)0)[0]) x"),
            ("__typeof__((*(grid *)0)[0]) (*)[2]", "x", "__typeof__((*(grid *)0)[0]) (*x)[2]"),
            ("_Atomic(int) *", "x", "_Atomic(int) *x"),
        ] {
            assert_eq!(declared(ty, name), expect);
        }
    }

    #[test]
    fn lines_are_lines_in_every_language() {
        assert_eq!(as_line("a\n\u{1b}[0m\u{2028}\tb"), "a\\n\\u{1b}[0m\\u{2028}\tb");
        assert!(!is_line("a\rb") && is_line(&as_line("a\rb")));
    }
}
