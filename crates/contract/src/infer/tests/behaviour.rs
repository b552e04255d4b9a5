//! Gaps, help lines, evidence, and what a contract has decided.

use hotcell_model::Fact;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Capacity, Encoding, ResultLength, ResultRole, Role, Unit};

use super::{describe, empty, prototype, run};
use crate::infer::{Gap, Verdict};

fn gaps(declaration: &str) -> Vec<Gap> {
    let function = prototype::parse(declaration);
    match run(&function, &mut empty(&function)) {
        Verdict::Open(gaps) => gaps,
        Verdict::Unsupported(reason) => panic!("{declaration}: {reason}"),
    }
}

#[test]
fn help_lines_are_contract_text() {
    for (declaration, expect) in [
        (
            "int f(const uint8_t *p, uint32_t init, size_t len)",
            vec![r#"params.p = { in = "buffer", length = "len" }"#],
        ),
        (
            "int strncmp(const char *s1, const char *s2, size_t n)",
            vec![
                r#"params.s1 = "#,
                r#"params.s2 = { in = "buffer", length = "n" } # or { string = "utf-8" }"#,
            ],
        ),
        (
            "int f(unsigned char *pixels, int n)",
            vec![r#"params.pixels = { out = "buffer", size = "n", length = "result" } # or"#],
        ),
        (
            "int f(unsigned char *data, size_t *data_len)",
            vec![r#"params.data = { out = "buffer", length = "data_len" }"#],
        ),
        ("int f(size_t *len_out, char *out)", vec![r#"params.out = { out = "buffer", length = "len_out" }"#]),
        ("double frexp(double x, int *e)", vec![r#"params.e = { out = "value" } # or { inout = "value" }"#]),
        (
            "int f(const int *x)",
            vec![r#"params.x = { in = "buffer", length = "1" } # when it points to one number"#],
        ),
        ("int f(struct point *p)", vec![""]),
        ("int f(size_t size, void *a, void *b)", vec![r#"params.a = { out = "buffer", size = "size""#, ""]),
        ("char *getenv(const char *name)", vec![r#"result = { string = "utf-8" }"#]),
        (
            "int set_f(uint8_t out[32])",
            vec![
                r#"params.out = { out = "buffer", capacity = "32" } # or { inout = "buffer", length = "32" }"#,
            ],
        ),
        // A key, and its bytes may be zero; a name is a text whatever it is made of.
        ("int f(int x, const unsigned char *)", vec![""]),
        ("int auth(const unsigned char *m, const unsigned char *k)", vec!["", ""]),
        ("int f(const unsigned char *name, int x)", vec![r#"params.name = { string = "utf-8" }"#]),
        (
            "int scan(const char *pattern, const char *pattern_end)",
            vec![r#"params.pattern = { in = "range", end = "pattern_end" }"#],
        ),
        (
            "int search(const char *str, const char *end, const char *start, const char *range)",
            vec![r#"params.str = { in = "range", end = "end" }"#, "", ""],
        ),
        (
            "int load(const char *path, const char *begin, const char *end)",
            vec![r#"params.path = { string = "utf-8" }"#, r#"params.begin = { in = "range", end = "end" }"#],
        ),
        (
            "int f(int sockfd)",
            vec![r#"params.sockfd = { in = "value" } # descriptors are the worker's: data"#],
        ),
    ] {
        let gaps = gaps(declaration);
        let helps: Vec<String> = gaps.iter().map(|gap| gap.help.clone().unwrap_or_default()).collect();
        let fits = |(help, expect): (&String, &&str)| {
            help.starts_with(expect) && help.is_empty() == expect.is_empty()
        };
        let matches = helps.iter().zip(&expect).all(fits);
        assert!(helps.len() == expect.len() && matches, "{declaration}: {gaps:?}");
        for help in helps {
            assert!(toml::from_str::<toml::Table>(&help).is_ok(), "{declaration}: {help}");
        }
    }
}

#[test]
fn reasons_name_what_is_in_the_way() {
    for (declaration, expect) in [
        (
            "int memcmp(const void *s1, const void *s2, size_t n)",
            "`n` may be the length of `s1` as well as of `s2`",
        ),
        ("int sum(const int *v, int len)", "`len` may count the bytes of `v` or its elements"),
        ("int f(const char *begin, const char *end)", "`begin` and `end` may be the ends of a range"),
        (
            "int f(const struct point *p)",
            "`p` points to `struct point`, of which nothing says what it is to callers",
        ),
        ("int gzdopen(int fd)", "`fd` may be a descriptor of the process that has opened it"),
        (
            "struct point *f(void)",
            "the result points to `struct point`, of which nothing says what it is to callers",
        ),
    ] {
        let gaps = gaps(declaration);
        assert!(gaps.iter().any(|gap| gap.reason == expect), "{declaration}: {gaps:?}");
    }
}

#[test]
fn unsupported_says_why() {
    for (declaration, expect) in [
        ("int f(const char *format, ...)", "variable number"),
        ("int f()", "without a prototype"),
        ("int f(struct point p)", "structure by value"),
        ("int f(long double *x)", "parameter `x`"),
    ] {
        let function = prototype::parse(declaration);
        match run(&function, &mut empty(&function)) {
            Verdict::Unsupported(reason) => assert!(reason.contains(expect), "{declaration}: {reason}"),
            Verdict::Open(gaps) => panic!("{declaration}: {gaps:?}"),
        }
    }
}

#[test]
fn facts_name_their_rules() {
    let function = prototype::parse("int f(const char *src, int srcSize, int level)");
    let mut draft = empty(&function);
    run(&function, &mut draft);
    let evidence: Vec<_> = draft.params.iter().flatten().map(|fact| fact.evidence.name()).collect();
    assert_eq!(evidence, ["inferred", "inferred", "proven"]);
}

#[test]
fn decisions_are_kept_and_satisfy_guards() {
    let decided = |declaration: &str, facts: Vec<(usize, Role)>, expect: &str| {
        let function = prototype::parse(declaration);
        let mut draft = empty(&function);
        for (index, role) in facts.clone() {
            draft.params[index] = Some(Fact::decided(role, 7));
        }
        let verdict = run(&function, &mut draft);
        for (index, role) in facts {
            assert_eq!(draft.params[index], Some(Fact::decided(role, 7)), "{declaration}");
        }
        assert_eq!(verdict, Verdict::Open(Vec::new()), "{declaration}: {}", describe(&draft, &verdict));
        assert!(describe(&draft, &verdict).ends_with(expect), "{}", describe(&draft, &verdict));
    };
    let out = |size: Expr| Role::BufferOut {
        capacity: Capacity::Elements { size },
        result: ResultLength::Full,
        valid_on_error: false,
    };
    let digest = vec![(2, out(Expr::Int { value: 16 }))];
    decided("int MD5(const unsigned char *d, size_t n, unsigned char *md)", digest, "-> value");
    let fixed = Role::Fixed { c: "NULL".into() };
    decided("int f(const char *sql, int (*cb)(void))", vec![(1, fixed.clone())], "-> value");
    decided("int f(const char *s, char **end, int base)", vec![(1, fixed)], "value -> value");
    decided("int f(const char *text, int knob)", vec![(1, Role::Value)], "value -> value");
    let text = Role::Text { encoding: Encoding::Utf8, nullable: true };
    decided("int f(const char *s, int n)", vec![(0, text)], "value -> value");
    let room = vec![(0, out(Expr::Param { index: 1 }))];
    decided("int f(char *buf, size_t size, const char *name)", room, "value text -> value");
    let capacity = Role::CapacityOf { param: 1, unit: Unit::Bytes };
    let lz4 = vec![(1, out(Expr::Param { index: 3 })), (3, capacity)];
    decided("int LZ4(const char* src, char* dst, int srcSize, int dstCapacity)", lz4, "-> value");
}

#[test]
fn a_decided_result_is_kept() {
    let function = prototype::parse("char *f(void)");
    let mut draft = empty(&function);
    draft.result = Some(Fact::decided(ResultRole::Status, 3));
    assert_eq!(run(&function, &mut draft), Verdict::Open(Vec::new()));
    assert_eq!(draft.result, Some(Fact::decided(ResultRole::Status, 3)));
}

#[test]
fn a_number_without_a_name_is_a_descriptor_where_the_function_says_so() {
    let reasons = |declaration| gaps(declaration).into_iter().map(|gap| gap.reason).collect::<Vec<_>>();
    let asked = ["`arg1` may be a descriptor of the process that has opened it"];
    assert_eq!(reasons("int set_descriptor(int)"), asked);
    assert_eq!(
        reasons("int set_socket(int s)"),
        ["`s` may be a descriptor of the process that has opened it"]
    );
    assert_eq!(
        reasons("int json_dumpfd(int output, int flags)"),
        ["`output` may be a descriptor of the process that has opened it"]
    );
    for none in [
        "int json_dump(int output, int flags)",
        "int set_socket(int timeout)",
        "int set_level(int)",
        "int set_socket(int, int)",
    ] {
        assert!(reasons(none).is_empty(), "{none}");
    }
}

#[test]
fn what_a_request_is_about_says_no_type() {
    let found = gaps("int decoder_ctl(int request, void *buffer, size_t size)");
    assert!(found[0].reason.contains("may depend on what is asked for"), "{found:?}");
}
