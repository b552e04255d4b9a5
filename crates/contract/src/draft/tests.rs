//! Drafts as a user reads them.

use hotcell_model::api::{Function, Location, Param};
use hotcell_model::types::{CType, Target, Type};

use super::*;

fn head() -> Head {
    Head {
        library: "moon".into(),
        headers: vec!["moon.h".into()],
        link: vec!["libmoon.so.1".into()],
        ..Head::default()
    }
}

fn left_out(name: &str, status: Status, reason: &str, help: &str) -> LeftOut {
    let help = (!help.is_empty()).then(|| help.to_owned());
    let signature = format!("int {name}(unsigned int *p, double *q)");
    LeftOut { name: name.into(), signature, status, reason: reason.into(), help, open_types: Vec::new() }
}

fn number(written: &str, kind: Type) -> CType {
    CType { written: written.into(), canonical: written.into(), kind }
}

/// Functions with a pointer to a number `p`, and another one `q`.
fn api(names: &[&str]) -> Api {
    let pointer = |name: &str, to: CType| Param {
        name: Some(name.into()),
        ty: number(&format!("{} *", to.written), Type::Pointer { pointee: Box::new(to), constant: false }),
        array_length: None,
        open_array: false,
    };
    let function = |name: &&str| Function {
        name: (*name).into(),
        params: vec![
            pointer("p", number("unsigned int", Type::Int { bits: 32, signed: false })),
            pointer("q", number("double", Type::Float { bits: 64 })),
        ],
        result: number("int", Type::Int { bits: 32, signed: true }),
        variadic: false,
        prototyped: true,
        inline: false,
        attributes: Vec::new(),
        // So that nothing is concluded.
        doc: Some("What they point to must remain valid.".into()),
        location: Location { file: "moon.h".into(), line: 1, primary: true },
    };
    Api {
        target: Target { triple: "x86_64-pc-linux-gnu".into(), pointer_bits: 64, char_signed: true },
        functions: names.iter().map(function).collect(),
        records: BTreeMap::new(),
        enums: BTreeMap::new(),
        constants: BTreeMap::new(),
        function_macros: BTreeMap::new(),
        initializers: BTreeMap::new(),
        variables: Vec::new(),
        left_out: Vec::new(),
    }
}

/// A draft without open types.
fn written(head: &Head, bound: usize, left_out: &[LeftOut]) -> String {
    let functions = Functions { bound, now: left_out, then: None };
    write(head, functions, &Types::default(), &Tried::default(), &BTreeMap::new())
}

const WHOLE: &str = "[function.whole]\nparams.p = { out = \"value\" } # or { inout = \"value\" }\nparams.q = { out = \"value\" }";
const PART: &str = "[function.part]\nparams.p = { out = \"value\" }";
const UNFIT: &str = "[function.unfit]\nparams.p = { out = \"buffer\", size = \"r\" }";
const ADVICE: &str = "ask whoever wrote it";

#[test]
fn a_draft_reads_from_top_to_bottom() {
    let functions = [
        left_out("print", Status::Unsupported, "it takes `...`", ""),
        left_out("whole", Status::Undecided, "nothing says what `p` is", WHOLE),
        left_out("gone", Status::NotExported, "libmoon.so.1 does not export it", ""),
        left_out("open", Status::Undecided, "it returns an object", ""),
    ];
    let expect = "\
# Contract of moon, drafted from moon.h.
#
# 12 functions need no line: what their header says is enough.
# The others follow: why they are undecided, how they are declared, and behind `#` lines that decide them.
# Take the `#` away where the lines are right; change them where they are not.

hotcell = 1
library = \"moon\"
headers = [\"moon.h\"]
link = [\"libmoon.so.1\"]

# whole: nothing says what `p` is
# int whole(unsigned int *p, double *q)
#[function.whole]
#params.p = { out = \"value\" } # or { inout = \"value\" }
#params.q = { out = \"value\" }

# open: it returns an object
# int open(unsigned int *p, double *q)

# No line would make these callable:
#   print: it takes `...`

# The headers declare these, and the library does not export them:
#   gone
";
    assert_eq!(written(&head(), 12, &functions), expect);
}

#[test]
fn only_lines_that_were_tried_can_be_uncommented() {
    let names = ["whole", "part", "unfit", "advice"];
    let helps = [WHOLE, PART, UNFIT, ADVICE];
    let functions: Vec<LeftOut> =
        names.iter().zip(helps).map(|(name, help)| left_out(name, Status::Undecided, "why", help)).collect();
    let sonames = ["libmoon.so.1".to_owned()];
    let link = Link { sonames: &sonames, exports: None, shadowed: None, code: &[] };
    let api = api(&names);
    let tried = Tried::out(&head().text(), &|text| checked(text, &api, link), &functions);
    let lines = |at: usize| decision(&functions[at], &tried);
    assert!(lines(0).starts_with("#[function.whole]\n#params.p") && lines(0).lines().count() == 3);
    assert!(lines(1).starts_with("#[function.part]\n#params.p"), "{}", lines(1));
    assert!(lines(1).contains("\n# What these lines leave open: ") && lines(1).contains("`q`"));
    for at in [2, 3] {
        assert!(lines(at).starts_with("# A start, to be completed ("), "{}", lines(at));
        assert!(lines(at).lines().skip(1).all(|line| line.starts_with("#   ")), "{}", lines(at));
    }
}

#[test]
fn a_draft_is_a_contract_whatever_is_in_it() {
    let head = Head {
        include_dirs: vec!["a \"quoted\" folder".into(), "back\\slash".into()],
        defines: vec!["NAME=\"x\"".into()],
        prelude: Some("#include <stddef.h>\ntypedef char *text; /* \"\"\" \\ */\n".into()),
        include: vec!["moon_*".into()],
        ..head()
    };
    let contract = Contract::parse(&head.text(), "bind.toml").unwrap();
    assert_eq!(contract.include_dirs(), head.include_dirs);
    assert_eq!(contract.defines(), head.defines);
    assert_eq!(contract.prelude(), head.prelude.as_deref());
    assert_eq!((contract.library(), contract.headers()), ("moon", &head.headers[..]));
    // What headers name stays behind the `#`.
    let odd = left_out("odd", Status::Undecided, "a\nb\r[function.x]", "[function.odd]\nresult = 1");
    let text = written(&head, 1, &[odd]);
    assert_eq!(Contract::parse(&text, "bind.toml").unwrap().defines(), head.defines);
}

#[test]
fn one_line_about_a_type_stands_for_what_waits_for_it() {
    let waiting = |name: &str, reason: &str| LeftOut {
        open_types: vec!["moon".into()],
        ..left_out(name, Status::Undecided, reason, "")
    };
    let now = [waiting("rise", "`m` points to `moon`"), waiting("end", "`m` points to `moon`")];
    let help = "[function.end]\nparams.m = { in = \"handle\" }";
    let then = [left_out("end", Status::Undecided, "the function may end `m`", help)];
    let open = OpenType {
        name: "moon".into(),
        functions: vec!["rise".into(), "end".into()],
        handle: Some("handle.moon = {}".into()),
        given: true,
        resident: None,
        structure: Some("[struct.moon]\nfields.next = { zero = true }".into()),
    };
    let lines = [("moon".to_owned(), open.handle.clone().unwrap())].into();
    let types = Types { open: vec![open], lines, ..Types::default() };
    let functions = Functions { bound: 1, now: &now, then: Some(&then) };
    let text = write(&head(), functions, &types, &Tried::default(), &BTreeMap::new());
    let expect = "\
link = [\"libmoon.so.1\"]

# moon: nothing says what it is to callers. 2 functions wait for it: rise, end.
# An object, which callers hold and never look into:
#handle.moon = {}
# Or a structure, whose fields go with every call:
#   [struct.moon]
#   fields.next = { zero = true }

# end, its types being objects: the function may end `m`
# int end(unsigned int *p, double *q)
#[function.end]
#params.m = { in = \"handle\" }
";
    assert!(text.ends_with(expect), "{text}");
}

#[test]
fn long_comments_are_broken_between_words() {
    let text = comment(&"fourteen chars ".repeat(20));
    assert!(text.lines().count() > 2 && text.lines().all(|line| line.len() <= COLUMNS), "{text}");
    assert!(text.lines().all(|line| line.starts_with("# ")), "{text}");
}

#[test]
fn of_a_variadic_function_a_form_is_begun() {
    let mut api = api(&["say", "put"]);
    for function in &mut api.functions {
        function.variadic = true;
        function.params.truncate(1);
    }
    let letter = CType { written: "const char".into(), canonical: "const char".into(), kind: Type::Char };
    let text = Type::Pointer { pointee: Box::new(letter), constant: true };
    api.functions[0].params[0].ty = CType { kind: text, ..number("const char *", Type::Void) };
    api.functions[0].params[0].name = Some("format".into());
    api.functions[1].params[0].ty = number("int", Type::Int { bits: 32, signed: true });
    api.functions[1].params[0].name = Some("option".into());
    let link = Link { sonames: &["libmoon.so.1".to_owned()], exports: None, shadowed: None, code: &[] };
    let text = draft(&head(), &api, link).unwrap();
    let expect = "
#   [function.say_text]
#   of = \"say\"
#   further = \"const char *text\" # what stands for `...`, as C declares it
#   params.format = { fixed = \"\\\"%s\\\"\" }
#   params.text = { string = \"utf-8\" }
";
    assert!(text.contains(expect), "{text}");
    assert!(text.contains("#   params.option = { fixed = \"0\" }"), "{text}");
    // What is begun is a contract.
    let contract: String =
        text.lines().map(|line| format!("{}\n", line.strip_prefix("#   ").unwrap_or(line))).collect();
    Contract::parse(&contract, "the draft").unwrap();
}
