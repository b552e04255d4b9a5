//! Functions that a contract adds, as C and as errors.

use std::collections::BTreeSet;

use hotcell_model::api::{Constant, ConstantValue, Location, Variable};

use super::*;
use crate::check::tests::{api, ctype};
use crate::diagnostic::render;

mod fields;

/// What is added, or what is wrong.
fn added(contract: &str) -> Result<Vec<String>, String> {
    let text = format!("hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n{contract}\n");
    let mut api = api(&[
        "int set(void *k, int option, ...)",
        "int plain(int n)",
        "char *bare()",
        "int hidden(int n, ...)",
        "int print(FILE *to, int fd)",
        "void read(const unsigned char **next, size_t *left, const int *first, const int *last)",
        "void fill(unsigned char **next, int n, size_t *room)",
        "void shorten(char *text)",
        "int key(int of, unsigned char *out, size_t *size)",
        "int lists(int of, char ***list)",
        "char *text(int of)",
        "char *counted(int *n)",
        "void give_list(int of, char ***list, int n)",
        "void give_text(char *text, int of)",
        "void give_counted(char *text, const int n)",
    ]);
    let location = Location { file: "zlib.h".into(), line: 1, primary: true };
    for (name, value) in [("OPT_A", 1), ("OPT_BOTH", 2), ("OPT_C", 3)] {
        let value = ConstantValue::Int(value);
        api.constants.insert(name.into(), Constant { value, location: location.clone() });
    }
    for (name, ty, constant) in [("level", "int", false), ("name", "char *", true), ("secret", "int", false)]
    {
        let (name, ty) = (name.into(), ctype(ty));
        api.variables.push(Variable { name, ty, constant, doc: None, location: location.clone() });
    }
    api.function_macros.insert("twice".into(), vec!["k".into(), "n".into()]);
    let functions: BTreeSet<String> =
        ["set", "plain", "bare", "print", "read", "fill", "shorten", "key", "lists", "text", "counted"]
            .into_iter()
            .map(str::to_owned)
            .collect();
    let variables: BTreeSet<String> = ["level", "name"].into_iter().map(str::to_owned).collect();
    let exports = Exports { functions: Some(&functions), variables: Some(&variables) };
    let mut contract = Contract::parse(&text, "bind.toml").map_err(|found| render(&found, &text, false))?;
    match add_forms(&mut contract, &api, exports) {
        Ok(warnings) if warnings.is_empty() => Ok(contract.added().to_vec()),
        Ok(found) | Err(found) => Err(render(&found, &text, false)),
    }
}

#[test]
fn a_form_is_a_function_in_c() {
    let check = |contract: &str, expect: &[&str]| {
        let added = added(contract).unwrap();
        assert_eq!(added, expect, "{contract}");
    };
    check(
        "[function.set_text]\nof = \"set\"\nfurther = \"const char *text, int list[4], int (*call)(int, void *)\"",
        &[
            "/** Calls `set`. */ static inline int (set_text)(void *k, int option, const char *text, int list[4], int (*call)(int, void *)) { return (set)(k, option, text, list, call); }",
        ],
    );
    check(
        "[function.\"set_long_*\"]\nof = \"set\"\nfurther = \"long n\"\neach.option = [\"OPT_{A,BOTH}\"]",
        &[
            "/** Calls `set` with `OPT_A`. */ static inline int (set_long_a)(void *k, long n) { return (set)(k, OPT_A, n); }",
            "/** Calls `set` with `OPT_BOTH`. */ static inline int (set_long_both)(void *k, long n) { return (set)(k, OPT_BOTH, n); }",
        ],
    );
    check(
        "[function.twice]\ndeclare = \"const char *twice(void *k, int n);\"",
        &[
            "/** The macro `twice`. */ static inline const char *(twice)(void *k, int n) { return twice(k, n); }",
        ],
    );
    check(
        "globals = [\"{level,name}\"]",
        &[
            "/** The value of the variable `level`. */ static inline int (level_get)(void) { return level; }",
            "/** Changes the variable `level`. */ static inline void (level_set)(int value) { level = value; }",
            "/** The value of the variable `name`. */ static inline char *(name_get)(void) { return name; }",
        ],
    );
    check("[function.plain]\nparams.n = { in = \"value\" }", &[]);
}

#[test]
fn memory_is_given_back_with_other_arguments() {
    let contract = "[function.lists]\nparams.list = { out = \"texts\", length = \"result\", release = \"give_list(of, list, result)\" }\n\
                    [function.text]\nresult = { string = \"utf-8\", release = \"give_text(result, 7)\" }";
    let found = added(contract).unwrap();
    let [lists, text, form, of_text, ..] = &found[..] else { panic!("{found:?}") };
    let name = |text: &str| text.split("inline void ").nth(1).unwrap().split('(').next().unwrap().to_owned();
    let (list_name, text_name) = (name(lists), name(text));
    assert_eq!(
        *lists,
        format!(
            "static __thread int {list_name}_0; static __thread int {list_name}_2; static inline void {list_name}(void *given) \
             {{ char **memory = (char **)given; (give_list)({list_name}_0, &memory, {list_name}_2); }}"
        )
    );
    assert_eq!(
        *text,
        format!(
            "static inline void {text_name}(void *given) {{ char *memory = (char *)given; (give_text)(memory, 7); }}"
        )
    );
    assert_eq!(
        *form,
        format!(
            "static inline int (hotcell_form_of_lists)(int of, char ***list) {{ int hotcell_returned = (lists)(of, list); \
             {list_name}_0 = of; {list_name}_2 = hotcell_returned; return hotcell_returned; }}"
        )
    );
    assert_eq!(of_text, "static inline char *(hotcell_form_of_text)(int of) { return (text)(of); }");
}

#[test]
fn a_pointer_to_a_number_is_given_back_as_the_number() {
    let contract =
        "[function.counted]\nresult = { string = \"utf-8\", release = \"give_counted(result, n)\" }";
    let found = added(contract).unwrap();
    let [given, form, ..] = &found[..] else { panic!("{found:?}") };
    assert!(given.starts_with("static __thread int "), "{given}");
    assert!(form.contains("_1 = *n; "), "{form}");
}

/// The functions that are added, without what they need.
fn functions(contract: &str) -> Vec<String> {
    let added = added(contract).unwrap();
    added.into_iter().filter(|line| line.contains("hotcell_form_of_") || line.starts_with("#undef")).collect()
}

#[test]
fn a_function_is_called_in_another_form_under_its_own_name() {
    let check = |contract: &str, name: &str, function: &str| {
        let expect = [
            format!("static inline {function}"),
            format!("#undef {name}"),
            format!("#define {name} hotcell_form_of_{name}"),
        ];
        assert_eq!(functions(contract), expect, "{contract}");
    };
    check(
        "[function.\"s*t\"]\nfurther = \"int n\"\n[function.set]\nas = \"long *k\"",
        "set",
        "int (hotcell_form_of_set)(long *k, int option, int n) { return (set)(k, option, n); }",
    );
    check(
        "[function.\"*\"]\nparams.to = { in = \"file\" }\n[function.\"print\"]\nparams.to = { out = \"file\" }",
        "print",
        "int (hotcell_form_of_print)(unsigned char **to, size_t *to_size, int fd) { FILE *hotcell_to = hotcell_file_to(to, to_size); int hotcell_returned = (print)(hotcell_to, fd); hotcell_file_end(hotcell_to); return hotcell_returned; }",
    );
    check(
        "[function.\"*\"]\nparams.next = { in = \"cursor\", length = \"left\" }\n[function.fill]\nparams.next = { in = \"value\" }",
        "read",
        "void (hotcell_form_of_read)(const unsigned char *next, size_t next_size, size_t *next_read, const int *first, const int *last) { const unsigned char *hotcell_next = next; size_t hotcell_left = next_size; (read)(&hotcell_next, &hotcell_left, first, last); *next_read = hotcell_moved((const char *)hotcell_next - (const char *)next, (size_t)next_size); }",
    );
    check(
        "[function.fill]\nparams.next = { out = \"cursor\", length = \"room\" }",
        "fill",
        "void (hotcell_form_of_fill)(unsigned char *next, size_t *next_size, int n) { unsigned char *hotcell_next = next; size_t hotcell_room = *next_size; (fill)(&hotcell_next, n, &hotcell_room); *next_size = (size_t)hotcell_moved((const char *)hotcell_next - (const char *)next, (size_t)*next_size); }",
    );
    check(
        "[function.fill]\nparams.next = { in = \"cursor\", length = \"n\" }",
        "fill",
        "void (hotcell_form_of_fill)(unsigned char *next, int next_size, size_t *next_read, size_t *room) { unsigned char *hotcell_next = next; (fill)(&hotcell_next, next_size, room); *next_read = hotcell_moved((const char *)hotcell_next - (const char *)next, (size_t)next_size); }",
    );
    check(
        "[function.read]\nparams.first = { in = \"range\", end = \"last\" }",
        "read",
        "void (hotcell_form_of_read)(const unsigned char **next, size_t *left, const int *first, size_t first_size) { (read)(next, left, first, first + first_size); }",
    );
    check(
        "[function.lists]\nreturns = \"l*\"\nresult = { out = \"texts\", length = \"returned\" }",
        "lists",
        "char **(hotcell_form_of_lists)(int of, int *returned) { char **hotcell_list = 0; int hotcell_own = (lists)(of, &hotcell_list); if (returned != 0) *returned = hotcell_own; char **hotcell_returned = hotcell_list; return hotcell_returned; }",
    );
    check(
        "[function.shorten]\nparams.text = { inout = \"text\" }",
        "shorten",
        "void (hotcell_form_of_shorten)(const char *text, char **text_after) { char *hotcell_text = (char *)hotcell_text_of((const char *)text); (shorten)(hotcell_text); *text_after = hotcell_text_after((const char *)text, (char *)hotcell_text); }",
    );
}

#[test]
fn memory_is_measured_by_a_call_without_any() {
    let line = "[function.key]\nparams.out = { out = \"measured\", length = \"size\" }";
    let expect = "static inline int (hotcell_form_of_key)(int of, unsigned char * *out, ptrdiff_t *out_size) { \
                  unsigned char *hotcell_out = NULL; size_t hotcell_size = 0; (void)(key)(of, hotcell_out, &hotcell_size); \
                  size_t hotcell_most_out = hotcell_size > 0 ? (size_t)hotcell_size : 0; \
                  hotcell_out = (unsigned char *)hotcell_measured(&hotcell_most_out, sizeof *hotcell_out); \
                  hotcell_size = (size_t)hotcell_most_out; errno = 0; \
                  int hotcell_returned = (key)(of, hotcell_out, &hotcell_size); *out = hotcell_out; \
                  *out_size = (size_t)hotcell_size <= hotcell_most_out ? (ptrdiff_t)hotcell_size : -1; \
                  return hotcell_returned; }";
    assert_eq!(functions(line)[0], expect);
}

#[test]
fn what_cannot_be_added_is_said() {
    for (contract, expect) in [
        ("[function.a]\nof = \"sett\"", "the headers declare no function `sett`"),
        ("[function.a]\nof = \"hidden\"", "the library does not export `hidden`"),
        ("[function.a]\nof = \"plain\"\nfurther = \"int n\"", "`plain` takes no further arguments"),
        ("[function.a]\nof = \"set\"\nfurther = \"int option\"", "`set` has a parameter `option` already"),
        ("[function.a]\nof = \"set\"\nfurther = \"int\"", "`int` has no name"),
        ("[function.a]\nof = \"set\"\nfurther = \"int n, ...\"", "`...` does not say which arguments"),
        ("[function.a]\nof = \"set\"\nfurther = \"int n) { exit(1); } int b(int m\"", "it has '{' in it"),
        ("[function.a]\nof = \"set\"\nfurther = \"int (n\"", "a bracket is not closed"),
        (
            "[function.plain]\nof = \"set\"\nfurther = \"int n\"",
            "the headers have a function `plain` already",
        ),
        ("[function.plain]\nfurther = \"int n\"", "`plain` takes no further arguments"),
        ("[function.a]\nof = \"bare\"", "`bare` is declared without a prototype"),
        ("[function.a]\nof = \"bare\"", "say what it takes: `further = "),
        ("[function.\"a_*\"]\neach.option = [\"OPT_*\"]", "`each` makes other functions, which need `of`"),
        (
            "[function.\"a*\"]\nof = \"set\"\nfurther = \"int n\"",
            "`a*` is a pattern, and this is one function",
        ),
        ("[function.a]\nof = \"set\"\neach.option = [\"OPT_*\"]", "does not say how the functions of `each`"),
        ("[function.\"a_*\"]\nof = \"set\"\neach.wrong = [\"OPT_*\"]", "`set` has no parameter `wrong`"),
        (
            "[function.\"a_*\"]\nof = \"set\"\neach.option = [\"OTP_*\"]",
            "`OTP_*` matches no integer constant",
        ),
        ("[function.twice]\ndeclare = \"int twice(void *k)\"", "the macro `twice` takes 2 arguments, not 1"),
        ("[function.twice]\ndeclare = \"twice(void *k, int n)\"", "it does not say what it returns"),
        ("[function.twice]\ndeclare = \"int other(void *k, int n)\"", "it does not declare `twice(…)`"),
        ("[function.plain]\ndeclare = \"int plain(int n)\"", "it is a function: leave `declare` out"),
        ("[function.a]\nof = \"set\"\ndeclare = \"int a(void)\"", "`of` and `declare` do not go together"),
        ("[function.a]\nof = \"print\"\nparams.fd = { in = \"file\" }", "a file is a `FILE *`"),
        ("[function.a]\nof = \"set\"\nparams.k = { in = \"address\" }", "is a pointer to a pointer"),
        ("[function.a]\nof = \"set\"\nparams.k = { out = \"descriptor\" }", "a descriptor is an `int`"),
        (
            "[function.a]\nof = \"print\"\nparams.fd = { in = \"descriptor\" }",
            "add `memfd_create` to `allow`",
        ),
        (
            "[function.lists]\nparams.list = { out = \"texts\", length = \"result\", release = \"give_list(of, list)\" }",
            "`give_list` does not take 2 arguments",
        ),
        (
            "[function.lists]\nparams.list = { out = \"texts\", length = \"result\", release = \"give_list(of, of, 1)\" }",
            "`give_list(of, of, 1)` does not take `list`",
        ),
        (
            "[function.lists]\nparams.list = { out = \"texts\", length = \"result\", release = \"give_list(of, list, off)\" }",
            "`off` is no argument of a `release`",
        ),
        (
            "[function.lists]\nparams.list = { out = \"texts\", length = \"result\", release = \"give(list)\" }",
            "the headers declare no function `give`",
        ),
        (
            "[function.\"*\"]\nparams.\"li*\" = { out = \"texts\", length = \"result\", release = \"give_list(1, list, 1)\" }",
            "a `release` that is a call is about one parameter",
        ),
        (
            "[function.lists]\nparams.list = { out = \"texts\", length = \"result\", release = \"(1 + 2)\" }",
            "`1 + 2` calls no function",
        ),
        ("[function.print]\nparams.ot = { in = \"file\" }", "`print` has no parameter `ot`"),
        ("[function.\"p*\"]\nparams.n = { in = \"file\" }", "`n` is `int`: a file is a `FILE *`"),
        ("[function.set]\nas = \"long option\"", "`option` is `int`, which says what it points to"),
        ("[function.set]\nas = \"int *n\"", "`set` has no parameter `n`"),
        ("[function.lists]\nreturns = \"lost\"", "`lists` has no parameter `lost`"),
        ("[function.lists]\nreturns = \"of\"", "`of` is `int`, by which nothing is handed out"),
        ("[function.lists]\nreturns = \"{of,list}\"", "`{of,list}` is several parameters of `lists`"),
        (
            "[function.a]\ndeclare = \"int a(int n)\"\nreturns = \"n\"",
            "this goes with `of`, not with `declare`",
        ),
        (
            "[function.a]\ndeclare = \"int a(int n)\"\nas = \"int *n\"",
            "this goes with `of`, not with `declare`",
        ),
        (
            "[function.read]\nparams.next = { in = \"cursor\", length = \"last\" }",
            "`next` is `const unsigned char **`: `last`, its length, is `const int *`",
        ),
        (
            "[function.key]\nparams.out = { out = \"measured\", length = \"of\" }",
            "`out` is `unsigned char *`: `of`, its length, is `int`",
        ),
        (
            "[function.key]\nparams.size = { out = \"measured\", length = \"of\" }",
            "`size` is `size_t *`: `of`, its length, is `int`",
        ),
        (
            "[function.read]\nparams.first = { out = \"measured\", length = \"left\" }",
            "memory that is filled is a pointer to numbers or bytes that are not `const`",
        ),
        (
            "[function.fill]\nparams.next = { out = \"cursor\", length = \"n\" }",
            "`next` is `unsigned char **`: `n`, its length, is `int`",
        ),
        (
            "[function.read]\nparams.first = { in = \"cursor\", length = \"left\" }",
            "`first` is `const int *`: what moves is a pointer to bytes",
        ),
        (
            "[function.read]\nparams.next = { in = \"cursor\", length = \"lost\" }",
            "`read` has no parameter `lost`",
        ),
        (
            "[function.read]\nparams.first = { in = \"range\", end = \"left\" }",
            "`first` is `const int *`: `left`, its end, is `size_t *`",
        ),
        ("[function.read]\nparams.left = { inout = \"text\" }", "is a pointer to characters"),
        (
            "sandbox = { profile = \"custom\", allow = [\"memfd_create\"] }\n[function.print]\nparams.fd = { in = \"descriptor\", until = \"result\" }",
            "`print` returns no object that could keep a descriptor",
        ),
        (
            "[function.print]\nparams.fd = { in = \"descriptor\", until = \"to\" }",
            "a descriptor is not kept until `to` goes",
        ),
        ("globals = [\"secret\"]", "`secret` is not read or written: the library does not export it"),
        ("globals = [\"levle\"]", "`levle` matches no variable of the headers"),
    ] {
        let found = added(contract).expect_err(contract);
        assert!(found.contains(expect), "{contract}\n{found}");
    }
}

#[test]
fn what_the_compiler_says_is_said_of_the_line() {
    let text = "hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n[function.a]\nof = \"set\"\nfurther = \"txet *t\"\n";
    let mut contract = Contract::parse(text, "bind.toml").unwrap();
    let exports = Exports { functions: None, variables: None };
    add_forms(&mut contract, &api(&["int set(int option, ...)"]), exports).unwrap();
    let found = not_c(&contract, 1, "unknown type name 'txet'");
    let text = render(&[found], text, false);
    assert!(text.contains("`a` is not what C understands: unknown type name 'txet'"), "{text}");
    assert!(text.contains("bind.toml:5"), "{text}");
}

#[test]
fn what_has_no_prototype_is_called_as_the_contract_says() {
    for (further, expect) in [
        ("", "char *(hotcell_form_of_bare)(void) { return ((char *(*)(void))bare)(); }"),
        (
            "float x, const char *text",
            "char *(hotcell_form_of_bare)(float x, const char *text) { return ((char *(*)(float x, const char *text))bare)(x, text); }",
        ),
    ] {
        let own = added(&format!("[function.bare]\nfurther = \"{further}\"")).unwrap();
        assert!(own[0].ends_with(expect), "{own:?}");
        let of = added(&format!("[function.a]\nof = \"bare\"\nfurther = \"{further}\"")).unwrap();
        assert!(of[0].ends_with(&expect.replace("hotcell_form_of_bare", "a")), "{of:?}");
    }
    // A line about all functions is about those, too, where it says what they take.
    assert!(added("[function.\"bar*\"]\nparams.n = { in = \"value\" }").unwrap().is_empty());
}

#[test]
fn a_form_takes_the_place_of_its_function_wherever_it_stands() {
    let text = "hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n[function.text]\n\
                result = { string = \"utf-8\", release = \"give_text(result, 7)\" }\n";
    let declared = ["char *text(int of)", "int plain(int n)", "void give_text(char *text, int of)"];
    let mut contract = Contract::parse(text, "bind.toml").unwrap();
    let functions: BTreeSet<String> = ["text", "plain", "give_text"].map(str::to_owned).into();
    let exports = Exports { functions: Some(&functions), variables: None };
    add_forms(&mut contract, &api(&declared), exports).unwrap();
    let form = "char *hotcell_form_of_text(int of)";
    // First and last are the places of each, the other way round than a header would have it too.
    for order in
        [[form, declared[1], declared[0]], [declared[0], declared[1], form], [declared[1], form, declared[0]]]
    {
        let mut api = api(&order);
        api.functions.iter_mut().find(|it| it.name == "text").unwrap().doc = Some("It.".into());
        contract.adopt(&mut api);
        let mut names: Vec<_> =
            api.functions.iter().map(|it| (it.name.as_str(), it.doc.as_deref())).collect();
        names.sort_unstable();
        assert_eq!(names, [("plain", None), ("text", Some("It."))], "{order:?}");
    }
}
