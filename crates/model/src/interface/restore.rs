//! How objects are made anew in the next worker: which calls are kept for that, and where on the wire what went into them lies.

use serde::{Deserialize, Serialize};

use crate::interface::{Function, Input, Interface, Ownership, Param, ResultRole, Role, Threads};
use crate::layout::{Carries, WireField};

/// How often an object is made anew where its contract does not say.
pub const TIMES: u32 = 100;

/// How objects of a type are made anew when their worker has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Functions that make one, whose call is made again.
    pub by: Vec<String>,
    /// Functions that configure one, whose last calls are made again behind that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configure: Vec<Setting>,
    /// How often an object is made anew at most.
    pub times: u32,
}

/// A function that configures an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its name.
    pub function: String,
    /// Parameters that say what it sets: a call takes the place of one with the same values there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
}

/// A call that is kept, as it lies on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated {
    /// The function's index.
    pub function: u16,
    /// Where the object is: of what makes one in the result block, else in the argument block.
    pub object: u32,
    /// Where in the argument block what the object belongs to goes in, and the number of its handle type.
    pub parent: Option<(u32, u16)>,
    /// Everything else that goes in: numbers and data.
    pub inputs: Vec<Input>,
    /// Those of it that say what is set.
    pub key: Vec<Input>,
}

impl Interface {
    /// Why objects of a type cannot be made anew at all.
    ///
    /// # Errors
    ///
    /// In the words of a diagnostic.
    pub fn restorable(&self, handle: &str) -> Result<(), String> {
        if self.structs.contains_key(handle) {
            return Err(format!(
                "`{handle}` is a structure that lives in the worker: its fields are the caller's too"
            ));
        }
        let affine = self.handles.get(handle).is_some_and(|it| it.thread_affine);
        match (affine, self.threads) {
            (true, _) => Err(format!("a `{handle}` belongs to the thread that made it")),
            (_, Threads::PerHandle) => {
                Err("with `threads = \"per-handle\"` calls wait for the objects that there are".into())
            }
            _ if self.has_thread_rules() => Err(
                "in a contract with objects that belong to threads a call that takes one over would make it anew first".into(),
            ),
            _ => Ok(()),
        }
    }

    /// A call that makes an object of this type.
    ///
    /// # Errors
    ///
    /// Why it cannot be made again, in the words of a diagnostic.
    pub fn repeated_maker(&self, handle: &str, name: &str) -> Result<Repeated, String> {
        let (index, function) = self.function(name).ok_or_else(|| format!("`{name}` is left out"))?;
        let (carries, parent) = function
            .makes(handle)
            .ok_or_else(|| format!("`{name}` makes no `{handle}` that its caller owns"))?;
        if function.owned_results() > 1 {
            return Err(format!(
                "`{name}` makes another object, too, which would not be that of the first call"
            ));
        }
        let fact = |what: &str| format!("`{name}` has no place for {what} on the wire");
        let object = function.layout.result.field(carries).ok_or_else(|| fact("the object"))?.offset;
        let parent = match parent.map(|index| (index, &function.params[index])) {
            None => None,
            Some((index, Param { name: param, role, .. })) => {
                let Role::Handle { handle: above, nullable: false, consumed: false, .. } = &role.value else {
                    return Err(format!(
                        "`{param}`, which the `{handle}` belongs to, may be NULL or is taken over"
                    ));
                };
                if self.handles.get(above).is_none_or(|it| it.restore.is_none()) {
                    return Err(format!("`{param}` is a `{above}`, which has no `restore` itself"));
                }
                let field = function.layout.args.field(Carries::Param { index });
                let number = self.handle_number(above);
                let place = field.map(|field| field.offset).zip(number).ok_or_else(|| fact(param))?;
                Some((index, place))
            }
        };
        let inputs = function.kept_inputs(parent.map(|(index, _)| index))?;
        let parent = parent.map(|(_, place)| place);
        Ok(Repeated { function: index, object, parent, inputs, key: Vec::new() })
    }

    /// A call that configures an object of this type.
    ///
    /// # Errors
    ///
    /// Why it cannot be made again, in the words of a diagnostic.
    pub fn repeated_setting(&self, handle: &str, setting: &Setting) -> Result<Repeated, String> {
        let name = &setting.function;
        let (index, function) = self.function(name).ok_or_else(|| format!("`{name}` is left out"))?;
        let own = function.params.iter().position(|param| {
            matches!(&param.role.value, Role::Handle { handle: it, consumed: false, nullable: false, .. } if it == handle)
        });
        let own = own.ok_or_else(|| format!("`{name}` takes no `{handle}` that stays its caller's"))?;
        if let Some(made) = self.handles.keys().find(|handle| function.makes(handle).is_some()) {
            return Err(format!("`{name}` makes a `{made}`: it configures nothing alone"));
        }
        let field = function.layout.args.field(Carries::Param { index: own });
        let object = field.ok_or_else(|| format!("`{name}` has no place for the object on the wire"))?.offset;
        let inputs = function.kept_inputs(Some(own))?;
        let key = setting.key.iter().map(|key| {
            let at = function.params.iter().position(|param| param.name == *key);
            let field = at.and_then(|index| function.layout.args.field(Carries::Param { index }));
            let input = field.and_then(|field| function.kept_input(field, Some(own)).ok()?);
            input.ok_or_else(|| {
                format!("`{name}` has no parameter `{key}` that goes in as a number or as data")
            })
        });
        let key = key.collect::<Result<_, _>>()?;
        Ok(Repeated { function: index, object, parent: None, inputs, key })
    }

    /// The calls that are kept of objects of this type: those that make one, and those that configure one. None where there are
    /// none, or where they cannot be made again, which a contract's reader finds.
    pub fn repeated(&self, handle: &str) -> Option<(Vec<Repeated>, Vec<Repeated>)> {
        let restore = self.handles.get(handle)?.restore.as_ref()?;
        let made = restore.by.iter().map(|name| self.repeated_maker(handle, name)).collect::<Result<_, _>>();
        let settings = restore.configure.iter().map(|it| self.repeated_setting(handle, it));
        Some((made.ok()?, settings.collect::<Result<_, _>>().ok()?))
    }

    /// Whether a call of this function begins with objects that may have to be made anew.
    pub fn uses_restorable(&self, function: &Function) -> bool {
        function.params.iter().any(|param| self.is_restorable(param))
    }

    /// Whether a parameter is an object that is made anew where it has to be: not one that the call takes over.
    pub fn is_restorable(&self, param: &Param) -> bool {
        let handle = match &param.role.value {
            Role::Handle { handle, consumed: false, .. } | Role::Handles { handle, .. } => handle,
            _ => return false,
        };
        self.handles.get(handle).is_some_and(|it| it.restore.is_some())
    }
}

impl Function {
    /// Where an object of this type comes out that the caller owns, and the position of what it belongs to.
    fn makes(&self, handle: &str) -> Option<(Carries, Option<usize>)> {
        let params = self.params.iter().enumerate().filter_map(|(index, param)| match &param.role.value {
            Role::HandleOut { handle: it, ownership: Ownership::Owned { .. }, parent, .. }
                if it == handle =>
            {
                Some((Carries::Param { index }, *parent))
            }
            _ => None,
        });
        let returned = match &self.result.value {
            ResultRole::Handle { handle: it, ownership: Ownership::Owned { .. }, parent, .. }
                if it == handle =>
            {
                Some((Carries::Returned, *parent))
            }
            _ => None,
        };
        params.chain(returned).next()
    }

    /// How many objects come out that the caller owns.
    fn owned_results(&self) -> usize {
        let returned =
            matches!(&self.result.value, ResultRole::Handle { ownership: Ownership::Owned { .. }, .. });
        let params = self.params.iter().filter(|param| {
            matches!(
                &param.role.value,
                Role::HandleOut { ownership: Ownership::Owned { .. }, .. }
                    | Role::Resident { consumed: false, starts: Some(_), .. }
            )
        });
        params.count() + usize::from(returned)
    }

    /// Everything that goes in but an object, which must be numbers and data.
    fn kept_inputs(&self, object: Option<usize>) -> Result<Vec<Input>, String> {
        let fields = self.layout.args.fields.iter();
        fields.filter_map(|field| self.kept_input(field, object).transpose()).collect()
    }

    fn kept_input(&self, field: &WireField, object: Option<usize>) -> Result<Option<Input>, String> {
        let WireField { carries, kind, offset } = *field;
        let refused = |name: &str, what: &str| Err(format!("`{name}` of `{}` {what}", self.name));
        let index = match carries {
            Carries::Param { index } => index,
            Carries::Capacity { index } => return refused(&self.params[index].name, "is filled by the call"),
            _ => return Ok(Some(Input::Numbers { offset, bytes: kind.size() })),
        };
        let param = &self.params[index];
        match &param.role.value {
            _ if Some(index) == object => Ok(None),
            Role::Value | Role::ValueInOut { .. } => Ok(Some(Input::Numbers { offset, bytes: kind.size() })),
            Role::BufferIn { .. } if param.structures().is_some() => {
                refused(&param.name, "is a structure, which may point to others")
            }
            Role::Text { .. } | Role::BufferIn { .. } => Ok(Some(Input::Data { offset })),
            Role::Callback { .. } => refused(&param.name, "is a function of the application"),
            Role::Handle { .. } | Role::Handles { .. } | Role::Resident { .. } => {
                refused(&param.name, "is another object")
            }
            Role::BufferInOut { .. } => refused(&param.name, "is changed in place"),
            Role::Texts { .. } => refused(&param.name, "is a list of texts"),
            _ => refused(&param.name, "is a structure, which may point to others"),
        }
    }
}
