//! A case as it grows: steps as they are written become calls with values and numbered objects.

use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::api::ConstantValue;
use hotcell_model::interface::{Function, Ownership, ResultRole, Role};

use crate::plan::{Case, Input};
use crate::recipes::Recipes;
use crate::recipes::call::{Call, Word};

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
        Building { interface, recipes, case, names, followed: Vec::new(), releases: Vec::new() }
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
            let input = self.input(arg).map_err(|error| format!("{}: {error}", param.name))?;
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
        self.recipes.observe.get(ty).into_iter().flatten().try_for_each(|step| self.step(step))
    }

    /// The case, with the release of everything that is the caller's at its end, youngest first.
    pub(crate) fn finish(mut self) -> Case {
        for (release, object) in std::mem::take(&mut self.releases).into_iter().rev() {
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

    fn word(&mut self, word: &Word) -> Result<Input, String> {
        Ok(match word {
            Word::Null => Input::Null,
            Word::Int(number) => Input::Int(*number),
            Word::Float(number) => Input::Float(*number),
            Word::Bytes(bytes) => Input::Data(bytes.as_slice().into()),
            Word::Constant(c) => Input::Constant { c: c.clone(), value: constant(self.interface, c)? },
            Word::Texts(words) => {
                Input::Texts(words.iter().map(|it| self.word(it)).collect::<Result<_, _>>()?)
            }
            Word::Struct(fields) => Input::Struct(self.fields(fields)?),
            Word::Callback(answer) => Input::Callback(*answer),
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
