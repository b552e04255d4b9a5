//! What is called, on both sides: functions, their cases, and the steps of a case.

use std::fmt;
use std::sync::Arc;

use hotcell_model::Interface;
use hotcell_model::interface::{ResultRole, Role};

/// All calls of a run.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// One for each function that is called, or for each scenario.
    pub groups: Vec<Group>,
    /// Functions that are not called, and why.
    pub skipped: Vec<(String, String)>,
}

/// Cases that run one after the other in one process on each side.
#[derive(Debug, Clone)]
pub struct Group {
    /// The function, or the scenario's own name.
    pub name: String,
    /// Each stands by itself: when one ends the process, the next one starts a new one.
    pub cases: Vec<Case>,
}

/// Steps that build upon each other.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// In order.
    pub steps: Vec<Step>,
    /// Objects the steps speak of; each has a number below this.
    pub objects: usize,
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Index of the function in the interface.
    pub function: u16,
    /// A value for each parameter that callers see, in C order; of an out buffer its capacity in elements.
    pub args: Vec<Input>,
    /// Numbers for the objects the call hands out: the position of the parameter, or none for the returned one.
    pub gives: Vec<(Option<usize>, usize)>,
}

/// What is passed.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// NULL.
    Null,
    /// An integer.
    Int(i128),
    /// An integer by the names of constants.
    Constant {
        /// As C writes it.
        c: String,
        /// What it is.
        value: i128,
    },
    /// A floating-point number.
    Float(f64),
    /// A text, without its NUL.
    Text(Arc<[u8]>),
    /// The bytes of a buffer.
    Data(Arc<[u8]>),
    /// Texts, or structures.
    List(Vec<Input>),
    /// The fields of a structure; those that are not named are 0 or NULL.
    Struct(Vec<(String, Input)>),
    /// An object by its number.
    Object(usize),
    /// A resident structure by its number, and the fields that change; it begins where it is named first.
    Resident(usize, Vec<(String, Input)>),
    /// A function that writes down its arguments.
    Callback(Answer),
}

/// What functions of the application fill memory with.
pub(crate) const FILLED: u8 = b'a';

/// What a function of the application does when it is called.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// What it returns.
    pub returns: i64,
    /// Numbers for the objects it is lent, by the position of its parameter: of several, for the first of them.
    pub lent: Vec<(usize, Vec<usize>)>,
    /// Calls that it makes before it returns.
    pub steps: Vec<Step>,
}

impl Answer {
    /// The numbers of the objects that this parameter lends.
    pub(crate) fn lent(&self, param: usize) -> &[usize] {
        self.lent.iter().find(|it| it.0 == param).map_or(&[], |it| it.1.as_slice())
    }
}

impl Case {
    /// Adds a call and numbers what it hands out.
    pub(crate) fn call(&mut self, interface: &Interface, function: u16, args: Vec<Input>) -> &Step {
        let definition = &interface.functions[usize::from(function)];
        let returned = matches!(definition.result.value, ResultRole::Handle { .. }).then_some(None);
        let params = definition.params.iter().enumerate();
        let handed = params.filter(|(_, param)| matches!(param.role.value, Role::HandleOut { .. }));
        let gives = returned.into_iter().chain(handed.map(|(index, _)| Some(index)));
        let gives = gives.map(|place| (place, self.object())).collect();
        self.steps.push(Step { function, args, gives });
        &self.steps[self.steps.len() - 1]
    }

    /// A number for one more object.
    pub(crate) fn object(&mut self) -> usize {
        self.objects += 1;
        self.objects - 1
    }
}

impl Input {
    /// A text.
    pub fn text(text: &str) -> Input {
        Input::Text(text.as_bytes().into())
    }

    /// Bytes of a text or buffer.
    pub fn bytes(&self) -> Option<&Arc<[u8]>> {
        match self {
            Input::Text(bytes) | Input::Data(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl fmt::Display for Input {
    /// As a report shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Bytes that are shown.
        const SHOWN: usize = 40;
        let fields = |f: &mut fmt::Formatter<'_>, fields: &[(String, Input)]| {
            let fields: Vec<String> = fields.iter().map(|(name, it)| format!("{name}: {it}")).collect();
            write!(f, "{{{}}}", fields.join(", "))
        };
        match self {
            Input::Null => f.write_str("null"),
            Input::Int(number) => write!(f, "{number}"),
            Input::Constant { c, .. } => f.write_str(c),
            Input::Float(number) => write!(f, "{number:?}"),
            Input::Text(bytes) | Input::Data(bytes) => {
                write!(f, "'{}'", bytes[..bytes.len().min(SHOWN)].escape_ascii())?;
                if bytes.len() > SHOWN { write!(f, "… ({} bytes)", bytes.len()) } else { Ok(()) }
            }
            Input::List(texts) => {
                let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", texts.join(", "))
            }
            Input::Struct(given) => fields(f, given),
            Input::Object(number) => write!(f, "$object {number}"),
            Input::Resident(number, given) => {
                write!(f, "$object {number}")?;
                fields(f, given)
            }
            Input::Callback(answer) if answer.steps.is_empty() => write!(f, "call({})", answer.returns),
            Input::Callback(answer) => {
                write!(f, "call({}) {{ {} steps }}", answer.returns, answer.steps.len())
            }
        }
    }
}
