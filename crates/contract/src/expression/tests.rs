//! Expressions: precedence, errors with their columns, and print → parse.

use hotcell_model::expr::Op;
use proptest::prelude::*;

use super::*;

#[test]
fn precedence_is_that_of_c() {
    for (text, expect) in [
        ("1 + 2 * n", "1 + 2 * n"),
        ("(1 + 2) * n", "(1 + 2) * n"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a - b) - c", "a - b - c"),
        ("a == b || c < d && e != 0", "a == b || c < d && e != 0"),
        ("(a || b) && c", "(a || b) && c"),
        ("a==-1", "a == -1"),
        ("-n", "0 - n"),
        ("a - -(b)", "a - (0 - b)"),
        ("0x10", "16"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("0xffffffffffffffff", "18446744073709551615"),
        ("f ( )+g(1 , n*2)", "f() + g(1, n * 2)"),
        ("sizeof ( struct  stat ) * n", "sizeof(struct stat) * n"),
        ("result<0&&errno!=EAGAIN", "result < 0 && errno != EAGAIN"),
        ("image.size.x*2", "image.size.x * 2"),
        ("2*picture . u.RGBA.stride", "2 * picture.u.RGBA.stride"),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), expect, "{text}");
    }
}

#[test]
fn keywords_are_no_names() {
    assert_eq!(parse("result").unwrap().kind, Kind::Result);
    assert_eq!(parse("errno").unwrap().kind, Kind::Errno);
    assert_eq!(parse("errno_").unwrap().name(), Some("errno_"));
    assert_eq!(parse("a + f(b)").unwrap().span, 0..8);
}

#[test]
fn errors_have_columns() {
    for (text, span, message) in [
        ("", 0..0, "an expression is missing"),
        ("n +", 3..3, "the expression ends too early"),
        ("n m", 2..3, "an operator is missing before this"),
        ("n)", 1..2, "this `)` closes nothing"),
        ("(n", 0..1, "this `(` is not closed"),
        ("f(n", 1..2, "this `(` is not closed"),
        ("(n m)", 3..4, "a `)` is missing before this"),
        ("f(n m)", 4..5, "a `,` or `)` must stand here"),
        ("f(n,)", 4..5, "a number, a name or `(` must stand here"),
        ("* n", 0..1, "a number, a name or `(` must stand here"),
        ("a.", 2..2, "the name of a field must stand here"),
        ("a.1", 2..3, "the name of a field must stand here"),
        ("(a).b", 3..4, "an operator is missing before this"),
        ("n % 2", 2..3, "`%` means nothing in an expression"),
        ("n << 2", 2..4, "`<<` means nothing in an expression"),
        ("n = 2", 2..3, "`=` means nothing in an expression"),
        ("!n", 0..1, "`!` means nothing in an expression"),
        ("n é", 2..4, "`é` means nothing in an expression"),
        ("1u", 0..2, "`1u` is no integer"),
        ("1.5", 0..3, "`1.5` is no integer"),
        ("0x", 0..2, "`0x` is no integer"),
        ("010", 0..3, "`010` is octal in C"),
        ("18446744073709551616", 0..20, "`18446744073709551616` is too big"),
        ("n + -9223372036854775809", 4..24, "this integer is too small"),
        ("sizeof n", 0..6, "`sizeof` needs a type in parentheses"),
        ("sizeof(n", 0..8, "`sizeof(` is not closed"),
        ("sizeof(3)", 0..9, "this is no type"),
    ] {
        let wrong = parse(text).unwrap_err();
        assert_eq!((wrong.span, wrong.message.as_str()), (span, message), "{text}");
    }
    assert!(parse(&"(".repeat(100_000)).unwrap_err().message.contains("at most"));
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z_][a-zA-Z0-9_]{0,6}"
        .prop_filter("no keyword", |name| !["result", "errno", "sizeof"].contains(&name.as_str()))
}

fn node() -> impl Strategy<Value = Node> {
    let ops =
        [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::And, Op::Or];
    let at = |kind| Node { kind, span: 0..0 };
    let leaf = prop_oneof![
        (i128::from(i64::MIN)..=i128::from(u64::MAX)).prop_map(Kind::Int),
        name().prop_map(Kind::Name),
        Just(Kind::Result),
        Just(Kind::Errno),
        name().prop_map(|tag| Kind::SizeOf(format!("struct {tag} *"))),
    ];
    leaf.prop_map(at).prop_recursive(5, 48, 3, move |inner| {
        prop_oneof![
            (name(), prop::collection::vec(inner.clone(), 0..3)).prop_map(|(f, args)| Kind::Call(f, args)),
            (prop::sample::select(ops.to_vec()), inner.clone(), inner)
                .prop_map(|(op, left, right)| Kind::Binary(op, Box::new(left), Box::new(right))),
        ]
        .prop_map(at)
    })
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_itself(node in node()) {
        prop_assert_eq!(parse(&node.to_string()), Ok(node));
    }

    #[test]
    fn no_text_breaks_the_parser(text in "\\PC{0,40}") {
        if let Err(wrong) = parse(&text) {
            prop_assert!(text.get(wrong.span).is_some());
        }
    }
}
