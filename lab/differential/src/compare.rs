//! Both sides of a group, step by step.

use hotcell_model::Interface;

use crate::plan::{Case, Group, Step};
use crate::report::{Compared, Difference};
use crate::seen::Outcome;

/// Compares what came of a group's cases. `twice` is a second direct run: what differs there already says
/// nothing about the contained side.
pub(crate) fn group(
    interface: &Interface,
    group: &Group,
    direct: &[Vec<Outcome>],
    twice: &[Vec<Outcome>],
    contained: &[Vec<Outcome>],
) -> Compared {
    let mut compared = Compared { name: group.name.clone(), ..Compared::default() };
    compared.left_out = group.cases.len() - contained.len();
    for (number, case) in group.cases.iter().take(contained.len()).enumerate() {
        let again = twice.get(number).map(Vec::as_slice).unwrap_or_default();
        match first_difference(&direct[number], again, &contained[number]) {
            Verdict::Equal => {
                compared.equal += 1;
                compared.ended += usize::from(direct[number].last().is_some_and(Outcome::ends_process));
            }
            Verdict::Unstable => compared.unstable += 1,
            Verdict::Different(step) => {
                compared.different.push(difference(interface, case, step, &direct[number], &contained[number]));
            }
        }
    }
    compared
}

enum Verdict {
    Equal,
    Unstable,
    Different(usize),
}

fn first_difference(direct: &[Outcome], twice: &[Outcome], contained: &[Outcome]) -> Verdict {
    let stable = direct.iter().zip(twice).take_while(|(one, two)| one == two).count();
    let equal = direct.iter().zip(contained).take_while(|(one, two)| one == two).count();
    match () {
        () if equal < stable || (stable == direct.len() && contained.len() != direct.len()) => {
            Verdict::Different(equal)
        }
        () if stable < direct.len() || twice.len() != direct.len() => Verdict::Unstable,
        () => Verdict::Equal,
    }
}

fn difference(
    interface: &Interface,
    case: &Case,
    step: usize,
    direct: &[Outcome],
    contained: &[Outcome],
) -> Difference {
    let told = |outcomes: &[Outcome]| outcomes.get(step).map_or("nothing".into(), ToString::to_string);
    let call = case.steps.get(step).map_or_else(String::new, |step| call(interface, step));
    Difference { call, direct: told(direct), contained: told(contained) }
}

/// A call as a report shows it.
pub(crate) fn call(interface: &Interface, step: &Step) -> String {
    let args: Vec<String> = step.args.iter().map(ToString::to_string).collect();
    format!("{}({})", interface.functions[usize::from(step.function)].name, args.join(", "))
}
