//! The whole program of the direct side: the library's own header, what the steps stand on, the steps.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use hotcell_model::Interface;

use super::literal::Pool;
use super::{step, symbols};
use crate::plan::Plan;

/// C text for every step of the plan. Data that is too large for it is written into `folder`.
pub(super) fn text(interface: &Interface, plan: &Plan, folder: &Path) -> io::Result<String> {
    let mut pool = Pool::new(folder);
    let (mut steps, mut tables) = (String::new(), String::new());
    for (number, group) in plan.groups.iter().enumerate() {
        for (case, it) in group.cases.iter().enumerate() {
            let mut names = String::new();
            for (position, step) in it.steps.iter().enumerate() {
                let name = format!("dt_step_{number}_{case}_{position}");
                let step = step::write(interface, step, &name, &mut pool)?;
                let body = step.body.join("\n    ");
                steps.push_str(&step.before);
                add(&mut steps, format_args!("static void {name}(void)\n{{\n    {body}\n}}\n\n"));
                add(&mut names, format_args!("{name}, "));
            }
            add(
                &mut tables,
                format_args!("static dt_step *const dt_case_{number}_{case}[] = {{{names}NULL}};\n"),
            );
        }
        let cases: Vec<String> =
            (0..group.cases.len()).map(|case| format!("dt_case_{number}_{case}")).collect();
        add(
            &mut tables,
            format_args!(
                "static dt_step *const *const dt_group_{number}[] = {{{}, NULL}};\n",
                cases.join(", ")
            ),
        );
    }
    let rows = plan.groups.iter().enumerate();
    let rows = rows.map(|(number, group)| format!("    {{{}, dt_group_{number}}},\n", group.cases.len()));
    let rows: String = rows.collect();
    let mut text = includes(interface);
    text.push_str(include_str!("runtime.c"));
    let objects = plan.groups.iter().flat_map(|group| &group.cases).map(|case| case.objects).max();
    add(&mut text, format_args!("\n#define DT_OBJECTS {}\n\n", objects.unwrap_or(0).max(1)));
    text.push_str(include_str!("objects.c"));
    text.push_str(include_str!("guard.c"));
    text.push_str(&symbols::functions(interface));
    text.push_str("\ntypedef void dt_step(void);\n");
    text.push_str("struct dt_group { int cases; dt_step *const *const *steps; };\n\n");
    text.push_str(pool.source());
    text.push('\n');
    text.push_str(&steps);
    text.push_str(&tables);
    add(&mut text, format_args!("static const struct dt_group dt_groups[] = {{\n{rows}}};\n\n"));
    // What a worker calls before it serves, as the contract writes it.
    let calls: String = interface.init.iter().map(|call| format!("    (void)({});\n", call.text)).collect();
    add(&mut text, format_args!("static void dt_init(void)\n{{\n{calls}}}\n\n"));
    text.push_str(include_str!("main.c"));
    Ok(text)
}

fn includes(interface: &Interface) -> String {
    let source = &interface.source;
    let mut text = String::new();
    for define in &source.defines {
        let (name, value) = define.split_once('=').unwrap_or((define, "1"));
        add(&mut text, format_args!("#define {name} {value}\n"));
    }
    if let Some(prelude) = &source.prelude {
        add(&mut text, format_args!("{prelude}\n"));
    }
    for header in &source.headers {
        match header.starts_with(['<', '"']) {
            true => add(&mut text, format_args!("#include {header}\n")),
            false if header.starts_with('/') => add(&mut text, format_args!("#include \"{header}\"\n")),
            false => add(&mut text, format_args!("#include <{header}>\n")),
        }
    }
    source.added.iter().for_each(|line| add(&mut text, format_args!("{line}\n")));
    text
}

fn add(text: &mut String, more: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(more); // a String takes everything
}
