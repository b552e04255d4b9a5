//! From lists of values to calls: every value at least once, then random combinations.

use hotcell_model::Interface;
use hotcell_model::interface::{Function, Param, Role};

use crate::building::{Arg, Building};
use crate::inputs::{self, LARGE};
use crate::plan::{Group, Input};
use crate::random::Random;
use crate::recipes::call::Word;
use crate::recipes::{Recipe, Recipes};

/// Cases of a function, at most, beyond those that show every value once.
const COMBINED: usize = 24;

/// The cases of a function. `Err` says why it cannot be called.
pub(crate) fn of_function(
    interface: &Interface,
    recipes: &Recipes,
    function: &Function,
    seed: u64,
) -> Result<Group, String> {
    let mut random = Random::new(seed, &function.name);
    let params: Vec<&Param> = function.params.iter().filter(|it| it.role.value.is_argument()).collect();
    let mut objects = 0;
    let mut lists = Vec::new();
    for param in &params {
        let mut list = of_param(interface, recipes, function, param, &mut random)?;
        if handle_type(param).is_some() {
            // Two objects of one type are two, at first.
            let turn = objects % list.len().max(1);
            list.rotate_left(turn);
            objects += 1;
        }
        lists.push(list);
    }
    let rows = combine(&lists, &mut random);
    let cases = rows.iter().map(|row| {
        let mut building = Building::new(interface, recipes);
        for arg in row {
            for name in named(arg) {
                if recipes.objects.iter().any(|it| it.name == *name && !it.is_lent()) {
                    building.follow(name)?;
                }
            }
        }
        let lent =
            passed(row).find(|name| recipes.objects.iter().any(|it| it.name == **name && it.is_lent()));
        if let Some(lent) = lent {
            building.call_inside(lent, function, row)?;
            return Ok(building.finish());
        }
        building.call(&function.name, row, None)?;
        for (param, arg) in params.iter().zip(row) {
            if let (Some(ty), Arg::Word(Word::Object(name, _))) = (handle_type(param), arg)
                && !is_consumed(&param.role.value)
            {
                building.observe(ty, name)?;
            }
        }
        if let Some(object) = passed(row).next() {
            building.observe_behind(&function.name, object)?;
        }
        Ok(building.finish())
    });
    Ok(Group { name: function.name.clone(), cases: cases.collect::<Result<_, String>>()? })
}

/// The names of the objects that are passed.
fn passed(row: &[Arg]) -> impl Iterator<Item = &String> {
    row.iter().flat_map(named)
}

/// The names of the objects in an argument.
fn named(arg: &Arg) -> Vec<&String> {
    fn of_word(word: &Word) -> Vec<&String> {
        match word {
            Word::Object(name, _) => vec![name],
            Word::Texts(words) => words.iter().flat_map(of_word).collect(),
            _ => Vec::new(),
        }
    }
    match arg {
        Arg::Word(word) => of_word(word),
        Arg::Input(_) => Vec::new(),
    }
}

/// A scenario of the recipes.
pub(crate) fn of_scenario(
    interface: &Interface,
    recipes: &Recipes,
    name: &str,
    steps: &[crate::recipes::call::Call],
) -> Result<Group, String> {
    let mut building = Building::new(interface, recipes);
    for step in steps {
        // `name()` alone follows the recipe of that name.
        match recipes.objects.iter().find(|it| it.name == step.function && step.args.is_empty()) {
            Some(recipe) => building.follow(&recipe.name)?,
            None => building.step(step)?,
        }
    }
    Ok(Group { name: name.to_owned(), cases: vec![building.finish()] })
}

fn of_param(
    interface: &Interface,
    recipes: &Recipes,
    function: &Function,
    param: &Param,
    random: &mut Random,
) -> Result<Vec<Arg>, String> {
    if let Some(words) = recipes.values(&function.name, &param.name) {
        return Ok(words.iter().cloned().map(Arg::Word).collect());
    }
    if let Role::Handles { handle, nullable } = &param.role.value {
        let names = recipes.objects.iter().filter(|it| it.ty == *handle).map(|it| it.name.clone());
        let all: Vec<Word> = names.map(|name| Word::Object(name, None)).collect();
        let Some(first) = all.first().cloned() else {
            return Err(format!("no recipe makes a `{handle}` for `{}`", param.name));
        };
        let twice = [all.clone(), all.clone()].concat();
        let lists = [all, Vec::new(), vec![first], twice];
        let null = nullable.then_some(Arg::Input(Input::Null));
        return Ok(lists.map(|list| Arg::Word(Word::Texts(list))).into_iter().chain(null).collect());
    }
    let Some(ty) = handle_type(param) else {
        let inputs = inputs::of_param(interface, param, random)?;
        return Ok(inputs.into_iter().map(Arg::Input).collect());
    };
    // A structure may be called as C calls it.
    let c_name = interface.structs.get(ty).map(|it| it.c_name.as_str());
    let makes = |it: &&Recipe| it.ty == ty || Some(it.ty.as_str()) == c_name;
    let names = recipes.objects.iter().filter(makes).map(|it| it.name.clone());
    let mut list = Vec::new();
    match &param.role.value {
        Role::Resident { starts, .. } => {
            let fields = inputs::of_fields(interface, ty, random)?;
            let with =
                |name: &str, given: &Vec<_>| Arg::Word(Word::Object(name.to_owned(), Some(given.clone())));
            if starts.is_some() {
                list.extend(fields.iter().map(|given| with("fresh", given)));
                // One that is there does not begin again.
                list.extend(names.take(1).map(|name| with(&name, &Vec::new())));
            } else {
                for name in names {
                    list.extend(fields.iter().map(|given| with(&name, given)));
                }
            }
        }
        _ => list.extend(names.map(|name| Arg::Word(Word::Object(name, None)))),
    }
    if let Role::Handle { nullable: true, .. } = param.role.value {
        list.push(Arg::Input(Input::Null));
    }
    match list.is_empty() {
        true => Err(format!("no recipe makes a `{ty}` for `{}`", param.name)),
        false => Ok(list),
    }
}

/// The type of object that a parameter wants.
fn handle_type(param: &Param) -> Option<&str> {
    match &param.role.value {
        Role::Handle { handle, .. } => Some(handle),
        Role::Resident { record, .. } => Some(record),
        _ => None,
    }
}

fn is_consumed(role: &Role) -> bool {
    matches!(role, Role::Handle { consumed: true, .. } | Role::Resident { consumed: true, .. })
}

/// Combinations in which every value of every list is seen.
fn combine(lists: &[Vec<Arg>], random: &mut Random) -> Vec<Vec<Arg>> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(1);
    let row = |at: usize| lists.iter().map(move |list| list[at % list.len()].clone()).collect();
    let mut rows: Vec<Vec<Arg>> = (0..longest).map(row).collect();
    let product = lists.iter().fold(1usize, |all, list| all.saturating_mul(list.len()));
    if lists.len() > 1 {
        for _ in 0..COMBINED.min(product) {
            let row: Vec<Arg> = lists.iter().map(|list| pick(list, random)).collect();
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows
}

/// Any value but a large one.
fn pick(list: &[Arg], random: &mut Random) -> Arg {
    let arg = &list[random.below(list.len())];
    let bytes = match arg {
        Arg::Input(input) => input.bytes(),
        Arg::Word(_) => None,
    };
    if bytes.is_some_and(|bytes| bytes.len() >= LARGE) { list[0].clone() } else { arg.clone() }
}
