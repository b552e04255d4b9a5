//! A case as it grows: steps as they are written become calls with values and numbered objects.

use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::api::ConstantValue;
use hotcell_model::interface::{self, CallbackRole, Function, Ownership, ResultRole, Role};

use crate::keeping::Keeping;
use crate::plan::{Answer, Case, Input};
use crate::recipes::Recipes;
use crate::recipes::call::{Call, Callback, HERE, Word};

/// Of several objects that a callback is lent, how many get a name.
const NAMED: usize = 3;

/// A case and the names of its objects.
pub(crate) struct Building<'a> {
    interface: &'a Interface,
    recipes: &'a Recipes,
    case: Case,
    names: BTreeMap<String, usize>,
    /// Recipes that were followed already.
    followed: Vec<String>,
    /// What releases objects that the caller owns, in the order in which they were made.
    releases: Vec<(String, usize)>,
    keeping: Keeping,
    /// The call that belongs inside of a callback.
    inside: Option<(&'a Function, &'a [Arg])>,
}

/// An argument on its way into a case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Arg {
    /// A value that was made up.
    Input(Input),
    /// What a recipe's file says.
    Word(Word),
}

impl<'a> Building<'a> {
    pub(crate) fn new(interface: &'a Interface, recipes: &'a Recipes) -> Self {
        let (case, names) = (Case::default(), BTreeMap::new());
        let (followed, releases) = (Vec::new(), Vec::new());
        let keeping = Keeping::default();
        Building { interface, recipes, case, names, followed, releases, keeping, inside: None }
    }

    /// Follows a recipe whose object is there only while a callback runs, in which this call is made.
    pub(crate) fn call_inside(
        &mut self,
        recipe: &str,
        function: &'a Function,
        args: &'a [Arg],
    ) -> Result<(), String> {
        self.inside = Some((function, args));
        self.follow(recipe)
    }

    /// Makes the object of a recipe, and what that needs, unless it is there already.
    pub(crate) fn follow(&mut self, name: &str) -> Result<(), String> {
        if self.followed.iter().any(|it| it == name) {
            return Ok(());
        }
        self.followed.push(name.to_owned());
        let recipe = self.recipes.objects.iter().find(|it| it.name == name);
        let recipe = recipe.ok_or_else(|| format!("no recipe makes `{name}`"))?;
        recipe.needs.iter().try_for_each(|need| self.follow(need))?;
        recipe.steps.iter().try_for_each(|step| self.step(step))?;
        match self.names.contains_key(name) {
            true => Ok(()),
            false => Err(format!("the steps of `{name}` give no object this name")),
        }
    }

    /// Adds a step as it is written.
    pub(crate) fn step(&mut self, step: &Call) -> Result<(), String> {
        if step.function == HERE {
            let (function, args) = self.inside.take().ok_or("nothing is to be called in this callback")?;
            return self.call(&function.name, args, None);
        }
        let args: Vec<Arg> = step.args.iter().cloned().map(Arg::Word).collect();
        self.call(&step.function, &args, step.keep.as_deref())
            .map_err(|error| format!("{}: {error}", step.function))
    }

    /// Adds a call of a function; the object it hands out gets a name.
    pub(crate) fn call(&mut self, function: &str, args: &[Arg], keep: Option<&str>) -> Result<(), String> {
        let found = self.interface.function(function).ok_or("no such function is bound")?;
        let params: Vec<_> = found.1.params.iter().filter(|it| it.role.value.is_argument()).collect();
        if params.len() != args.len() {
            let names: Vec<&str> = params.iter().map(|it| it.name.as_str()).collect();
            return Err(format!(
                "{} arguments instead of {} ({})",
                args.len(),
                names.len(),
                names.join(", ")
            ));
        }
        let mut inputs = Vec::new();
        for (param, arg) in params.iter().zip(args) {
            let input = match &param.role.value {
                Role::Callback { callback, .. } => self.callback(callback, arg),
                _ => self.input(arg),
            };
            let input = input.map_err(|error| format!("{}: {error}", param.name))?;
            if let (Role::Resident { starts: Some(start), .. }, Input::Resident(object, _)) =
                (&param.role.value, &input)
                && let Some(release) = &start.release
            {
                self.releases.push((release.clone(), *object));
            }
            inputs.push(match (&param.role.value, input) {
                // Bytes are a text where a text is wanted.
                (Role::Text { .. }, Input::Data(bytes)) => Input::Text(bytes),
                (_, input) => input,
            });
        }
        let gives = self.case.call(self.interface, found.0, inputs).gives.clone();
        self.keeping.note(found.1, &self.case, &gives);
        for (place, object) in &gives {
            if let Ownership::Owned { release } = ownership(found.1, *place) {
                self.releases.push((release.clone(), *object));
            }
        }
        if let Some(keep) = keep {
            let (_, object) = gives.first().ok_or("it hands out no object that could get a name")?;
            self.names.insert(keep.to_owned(), *object);
        }
        Ok(())
    }

    /// The name of an object, for what observes it.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// Adds calls that show an object's state.
    pub(crate) fn observe(&mut self, ty: &str, object: &str) -> Result<(), String> {
        let Some(object) = self.named(object) else { return Ok(()) };
        self.names.insert(String::new(), object);
        self.recipes.observing(ty).iter().try_for_each(|step| self.step(step))
    }

    /// Adds calls that show what a function did to an object.
    pub(crate) fn observe_behind(&mut self, function: &'a str, object: &str) -> Result<(), String> {
        let Some(object) = self.named(object) else { return Ok(()) };
        self.names.insert(String::new(), object);
        self.recipes.behind(function).try_for_each(|step| self.step(step))
    }

    /// The case, with the release of everything that is the caller's at its end: youngest first, but what others keep behind them.
    pub(crate) fn finish(mut self) -> Case {
        let releases = std::mem::take(&mut self.releases);
        for (release, object) in self.keeping.in_order(releases.into_iter().rev().collect()) {
            let Some((index, function)) = self.interface.function(&release) else { continue };
            let param = function.params.iter().find(|it| it.role.value.is_argument());
            let input = match param.map(|it| &it.role.value) {
                Some(Role::Resident { .. }) => Input::Resident(object, Vec::new()),
                _ => Input::Object(object),
            };
            self.case.call(self.interface, index, vec![input]);
        }
        self.case
    }

    fn input(&mut self, arg: &Arg) -> Result<Input, String> {
        match arg {
            Arg::Input(input) => Ok(input.clone()),
            Arg::Word(word) => self.word(word),
        }
    }

    /// What a callback does: its objects get numbers, and names for its steps.
    fn callback(&mut self, callback: &interface::Callback, arg: &Arg) -> Result<Input, String> {
        let none = Callback { returns: 0, names: Vec::new(), steps: Vec::new() };
        let written = match arg {
            Arg::Input(Input::Callback(answer)) => &Callback { returns: answer.returns, ..none },
            Arg::Word(Word::Callback(written)) => written,
            other => return self.input(other),
        };
        let mut names = written.names.iter();
        let mut lent = Vec::new();
        for (at, param) in callback.params.iter().enumerate() {
            let count = match param.role {
                CallbackRole::LengthOf { .. } | CallbackRole::UserData => continue,
                CallbackRole::Handle { .. } => 1,
                CallbackRole::Handles { .. } => NAMED,
                _ => 0,
            };
            let numbers: Vec<usize> = (0..count).map(|_| self.case.object()).collect();
            let name = names.next().filter(|name| *name != "_");
            for (position, number) in numbers.iter().enumerate() {
                let several = matches!(param.role, CallbackRole::Handles { .. });
                let name = name.map(|name| if several { format!("{name}{position}") } else { name.clone() });
                self.names.extend(name.map(|name| (name, *number)));
            }
            lent.push((at, numbers));
        }
        if let Some(name) = names.next() {
            return Err(format!("`{name}` names nothing that the callback gets"));
        }
        let outer = std::mem::take(&mut self.case.steps);
        let made = written.steps.iter().try_for_each(|step| self.step(step));
        let steps = std::mem::replace(&mut self.case.steps, outer);
        made?;
        Ok(Input::Callback(Answer { returns: written.returns, lent, steps }))
    }

    fn word(&mut self, word: &Word) -> Result<Input, String> {
        Ok(match word {
            Word::Null => Input::Null,
            Word::Int(number) => Input::Int(*number),
            Word::Float(number) => Input::Float(*number),
            Word::Bytes(bytes) => Input::Data(bytes.as_slice().into()),
            Word::Constant(c) => Input::Constant { c: c.clone(), value: constant(self.interface, c)? },
            Word::Texts(words) => {
                Input::List(words.iter().map(|it| self.word(it)).collect::<Result<_, _>>()?)
            }
            Word::Struct(fields) => Input::Struct(self.fields(fields)?),
            Word::Callback(_) => return Err("no function is called here".into()),
            Word::Object(name, fields) => {
                let object = match (self.named(name), fields) {
                    (Some(object), _) => object,
                    // A resident structure begins where it is named first.
                    (None, Some(_)) => {
                        let object = self.case.object();
                        self.names.insert(name.clone(), object);
                        object
                    }
                    (None, None) => return Err(format!("there is no object `${name}` yet")),
                };
                match fields {
                    Some(fields) => Input::Resident(object, self.fields(fields)?),
                    None => Input::Object(object),
                }
            }
        })
    }

    fn fields(&mut self, fields: &[(String, Word)]) -> Result<Vec<(String, Input)>, String> {
        fields.iter().map(|(name, word)| Ok((name.clone(), self.word(word)?))).collect()
    }
}

/// Who owns the object that is handed out at a place.
fn ownership(function: &Function, place: Option<usize>) -> &Ownership {
    let role = place.map(|index| &function.params[index].role.value);
    match (role, &function.result.value) {
        (Some(Role::HandleOut { ownership, .. }), _) | (None, ResultRole::Handle { ownership, .. }) => {
            ownership
        }
        _ => &Ownership::Library,
    }
}

/// The value of constants joined by `|`.
fn constant(interface: &Interface, names: &str) -> Result<i128, String> {
    names.split(" | ").try_fold(0, |all, name| {
        let enumerators = interface.enums.values().flat_map(|it| &it.enumerators);
        let value = match interface.constants.get(name).map(|it| &it.value) {
            Some(ConstantValue::Int(value)) => Some(i128::from(*value)),
            Some(ConstantValue::Uint(value)) => Some(i128::from(*value)),
            _ => enumerators.into_iter().find(|it| it.0 == name).map(|it| i128::from(it.1)),
        };
        Ok(all | value.ok_or_else(|| format!("`{name}` is no integer constant of the headers"))?)
    })
}
