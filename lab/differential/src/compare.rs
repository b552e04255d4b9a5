//! Both sides of a group, step by step.

use hotcell_model::Interface;

use crate::plan::{Case, Group, Step};
use crate::recipes::Recipes;
use crate::report::{Compared, Difference};
use crate::seen::Outcome;

/// What was seen, of functions whose result says something by its sign alone no more than that.
pub(crate) fn signs(
    interface: &Interface,
    group: &Group,
    recipes: &Recipes,
    mut seen: Vec<Vec<Outcome>>,
) -> Vec<Vec<Outcome>> {
    for (case, outcomes) in group.cases.iter().zip(&mut seen) {
        for (step, outcome) in case.steps.iter().zip(outcomes) {
            if outcome.is_call() && recipes.is_sign(&interface.functions[usize::from(step.function)].name) {
                outcome.sign();
            }
        }
    }
    seen
}

/// Compares what came of a group's cases in direct runs and in a contained one. What differs between direct runs
/// already says nothing about the contained one.
pub(crate) fn group(
    interface: &Interface,
    group: &Group,
    direct: &[Vec<Vec<Outcome>>],
    contained: &[Vec<Outcome>],
) -> Compared {
    let mut compared = Compared { name: group.name.clone(), ..Compared::default() };
    compared.left_out = group.cases.len() - contained.len();
    for (number, (case, contained)) in group.cases.iter().zip(contained).enumerate() {
        let runs: Vec<&[Outcome]> =
            direct.iter().map(|run| run.get(number).map(Vec::as_slice).unwrap_or_default()).collect();
        let first = runs.first().copied().unwrap_or_default();
        for (step, outcome) in case.steps.iter().zip(agreed(first, contained)) {
            if outcome.is_call() {
                compared.called.insert(interface.functions[usize::from(step.function)].name.clone());
            }
            compared.called.extend(outcome.called_inside().into_iter().map(str::to_owned));
        }
        match first_difference(&runs, contained) {
            Verdict::Equal => {
                compared.equal += 1;
                compared.ended += usize::from(first.last().is_some_and(Outcome::ends_process));
            }
            Verdict::Unstable => compared.unstable += 1,
            Verdict::Different(step) => {
                compared.different.push(difference(interface, case, step, first, contained));
            }
        }
    }
    compared
}

/// What came of the steps up to the first that differs.
fn agreed<'a>(one: &'a [Outcome], two: &'a [Outcome]) -> impl Iterator<Item = &'a Outcome> {
    one.iter().zip(two).take_while(|(one, two)| one == two).map(|(one, _)| one)
}

enum Verdict {
    Equal,
    Unstable,
    Different(usize),
}

fn first_difference(direct: &[&[Outcome]], contained: &[Outcome]) -> Verdict {
    let first = direct.first().copied().unwrap_or_default();
    let stable = direct.iter().map(|run| agreed(first, run).count()).min().unwrap_or(0);
    let same_length = direct.iter().all(|run| run.len() == first.len());
    let equal = agreed(first, contained).count();
    match () {
        () if equal < stable || (stable == first.len() && contained.len() != first.len() && same_length) => {
            Verdict::Different(equal)
        }
        () if stable < first.len() || !same_length => Verdict::Unstable,
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

/// Every call of a group, and what came of it directly.
pub(crate) fn shown(interface: &Interface, group: &Group, direct: &[Vec<Outcome>]) -> Vec<String> {
    let mut lines = Vec::new();
    for (case, outcomes) in group.cases.iter().zip(direct) {
        for (step, outcome) in case.steps.iter().zip(outcomes) {
            lines.push(format!("{}: {outcome}", call(interface, step)));
        }
        lines.push(String::new());
    }
    lines
}

/// A call as a report shows it.
pub(crate) fn call(interface: &Interface, step: &Step) -> String {
    let args: Vec<String> = step.args.iter().map(ToString::to_string).collect();
    format!("{}({})", interface.functions[usize::from(step.function)].name, args.join(", "))
}
