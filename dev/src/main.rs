//! `cargo dev …`: the repository's own commands. `cargo dev --help` lists them.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

mod bench;
mod check;
mod conformance;
mod countdown;
mod coverage;
mod demo;
mod evidence;
mod examples;
mod fuzz;
mod generate;
mod go;
mod golden;
mod install;
mod models;
mod process;
mod python;
#[cfg(test)]
mod scratch;
mod scribble;
mod setup;
mod soak;
mod test;
mod tidy;

struct Subcommand {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    /// Gets the repository's root and what stands behind the name.
    run: fn(&Path, &[String]) -> Result<()>,
}

const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "setup",
        arguments: "",
        about: "install what the build needs of the system, or tell the command that does",
        run: |_, arguments| none(arguments).and_then(|()| setup::run()),
    },
    Subcommand {
        name: "gen",
        arguments: "[--check]",
        about: "write the files generated from wire.toml and errors.toml; --check only compares",
        run: |root, arguments| generate::run(root, generate::Mode::from_arguments(arguments)?),
    },
    Subcommand {
        name: "tidy",
        arguments: "",
        about: "check the rules no compiler knows: lengths, names, unsafe, arrows, links, promises",
        run: |root, arguments| none(arguments).and_then(|()| tidy::run(root)),
    },
    Subcommand {
        name: "check",
        arguments: "",
        about: "fmt, gen --check, clippy, tidy, rustdoc, cargo-deny, and Go's gofmt, vet and staticcheck; then the verdict",
        run: |root, arguments| none(arguments).and_then(|()| check::run(root)),
    },
    Subcommand {
        name: "test",
        arguments: "[FILTER]",
        about: "set up, check what is fast, build the binaries, run the tests whose name has FILTER",
        run: test::run,
    },
    Subcommand {
        name: "demo",
        arguments: "[ARGUMENT…]",
        about: "set up, build for release, and run the demo with these arguments",
        run: demo::run,
    },
    Subcommand {
        name: "bench",
        arguments: "[ARGUMENT…]",
        about: "set up, build for release, run `hotcell bench` with these arguments, and its peers behind it",
        run: bench::run,
    },
    Subcommand {
        name: "python",
        arguments: "[--wheel|ARGUMENT…]",
        about: "build the Python client and test it, by pytest with these arguments; --wheel makes its wheel",
        run: python::run,
    },
    Subcommand {
        name: "install",
        arguments: "[python|go]",
        about: "do what a client's README says as a new user would, in an empty folder, and compare what is printed",
        run: install::run,
    },
    Subcommand {
        name: "conformance",
        arguments: "[--update]",
        about: "run the conformance grid in every language, and compare docs/conformance.md, or write it",
        run: conformance::run,
    },
    Subcommand {
        name: "loom",
        arguments: "",
        about: "run the models of a channel, its hand-overs and deaths, through every interleaving",
        run: |root, arguments| none(arguments).and_then(|()| models::run(root)),
    },
    Subcommand {
        name: "fuzz",
        arguments: "[TARGET [FILE…]] [--minutes N] [--ledger]",
        about: "fuzz a target, or each, for N minutes (1), guided by what inputs reach; or run it with these inputs",
        run: fuzz::run,
    },
    Subcommand {
        name: "scribble",
        arguments: "[--minutes N] [--seed N] [--ledger]",
        about: "have a worker write into all memory it shares for N minutes (10), while calls run",
        run: scribble::run,
    },
    Subcommand {
        name: "countdown",
        arguments: "[--every N [--part K]]",
        about: "kill hosts, workers and keepers at each system call of some scenarios, or at one of N moments, the Kth of each N",
        run: countdown::run,
    },
    Subcommand {
        name: "soak",
        arguments: "[ARGUMENT…]",
        about: "set up, build for release, and have clients call under load while workers are killed, stopped and replaced: \
                `hotcell-soak` with these arguments",
        run: soak::run,
    },
    Subcommand {
        name: "evidence",
        arguments: "[SET…|--update]",
        about: "count what each inference rule concludes over the header sets of dev/corpus.toml, or these of them; --update \
                holds it against the contracts of examples/, and writes the table of docs/reference/support.md",
        run: evidence::run,
    },
    Subcommand {
        name: "examples",
        arguments: "[NAME…]",
        about: "build the examples' programs with packages that are generated now, and compare what they print",
        run: examples::run,
    },
    Subcommand {
        name: "coverage",
        arguments: "",
        about: "write docs/coverage.md, and what `hotcell check` says of each example beside its contract",
        run: |root, arguments| none(arguments).and_then(|()| coverage::run(root)),
    },
    Subcommand {
        name: "golden",
        arguments: "[--update]",
        about: "hold what the generators write against what is committed; --update writes it",
        run: golden::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        eprint!("{}", help());
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(subcommand) = SUBCOMMANDS.iter().find(|it| it.name == name) else {
        eprint!("error: there is no `cargo dev {name}`\n\n{}", help());
        return ExitCode::from(2);
    };
    if matches!(rest.first().map(String::as_str), Some("--help" | "-h")) {
        print!("{}", line(subcommand));
        return ExitCode::SUCCESS;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("dev/ lies in the repository's root");
    match (subcommand.run)(root, rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn none(arguments: &[String]) -> Result<()> {
    match arguments.first() {
        Some(argument) => bail!("unexpected argument `{argument}`"),
        None => Ok(()),
    }
}

fn help() -> String {
    let mut text = String::from("The repository's own commands.\n\n");
    SUBCOMMANDS.iter().for_each(|it| text.push_str(&line(it)));
    text
}

fn line(it: &Subcommand) -> String {
    let usage = format!("{} {}", it.name, it.arguments);
    format!("  cargo dev {usage:<17} {}\n", it.about)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command() {
        let text = help();
        for it in SUBCOMMANDS {
            assert!(text.contains(&format!("cargo dev {}", it.name)), "{}", it.name);
        }
    }

    #[test]
    fn a_surplus_argument_is_named() {
        assert!(none(&[]).is_ok());
        let error = none(&["--fast".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "unexpected argument `--fast`");
    }
}
