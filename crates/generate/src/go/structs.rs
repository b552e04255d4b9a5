//! Structures: their fields, and the statements that move them into images and out of them.

use std::collections::BTreeMap;

use hotcell_model::interface::{FieldRole, Filled, Struct, StructField, Unit};
use serde::Serialize;

use crate::Error;
use crate::go::context::Context;
use crate::go::names::{self, Scope};
use crate::go::values::text;
use crate::go::{docs, texts, types, unions};
use crate::shape::deeds::Deeds;
use crate::shape::fields::about;
use crate::shape::missing;

/// What `record.go.j2` and `union.go.j2` print.
#[derive(Serialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    /// What one goes by in its methods.
    pub(crate) receiver: String,
    pub(crate) comment: Vec<String>,
    /// The members that can be there, where it is a union.
    pub(crate) members: Vec<unions::Member>,
    /// Documentation, name and type of each field.
    fields: Vec<(Vec<String>, String, String)>,
    /// Statements that write an image.
    writes: Vec<String>,
    /// Statements that read one.
    reads: Vec<String>,
    /// Whether statements that write need the call, and those that read the reply.
    fill_calls: bool,
    read_replies: bool,
    /// Words of the functions that make several, the runtime's for what they are made of, and what is said of NULL.
    lists: Vec<[&'static str; 3]>,
    /// Methods that write an object of its own, the runtime's for that, and what is said of the call.
    lives: Vec<(&'static str, &'static str, &'static str)>,
    pub(crate) size: u32,
    pub(crate) deeds: Done,
}

/// What is needed of a structure.
#[derive(Serialize)]
pub(crate) struct Done {
    put: bool,
    put_list: bool,
    take: bool,
    take_nullable: bool,
    fill: bool,
    update: bool,
    read: bool,
}

impl From<Deeds> for Done {
    fn from(deeds: Deeds) -> Done {
        let Deeds { put, put_list, take, take_nullable, fill, update, read, .. } = deeds;
        Done { put, put_list, take, take_nullable, fill, update, read }
    }
}

fn lists(deeds: Deeds) -> Vec<[&'static str; 3]> {
    let all = [
        (deeds.take_list, ["", "Opt", "; none where they are NULL there"]),
        (deeds.take_opt_list, ["Opt", "Opt", "; nil where they are NULL there"]),
        (deeds.take_promised_list, ["Promised", "", "; NULL is an error there"]),
    ];
    all.into_iter().filter(|(is_needed, _)| *is_needed).map(|(_, list)| list).collect()
}

fn lives(deeds: Deeds) -> Vec<(&'static str, &'static str, &'static str)> {
    let all = [
        (deeds.begin, ("begin", "PutNew", "that may begin its object")),
        (deeds.put, ("put", "PutResident", "")),
        (deeds.end, ("end", "PutConsumed", "that ends its object")),
    ];
    all.into_iter().filter(|(is_needed, _)| *is_needed).map(|(_, life)| life).collect()
}

/// A field with what is generated for it.
struct Field<'a> {
    context: &'a Context<'a>,
    record: &'a Struct,
    field: &'a StructField,
    /// The expression of its value.
    value: String,
    offset: u32,
    /// The fields' names, by those of C.
    names: &'a BTreeMap<String, String>,
    receiver: &'a str,
}

/// The Go side of a structure, whose type has methods of these names.
pub(crate) fn record(
    context: &Context<'_>,
    key: &str,
    deeds: Deeds,
    methods: &[String],
) -> Result<Record, Error> {
    let record = context.interface.structs.get(key).ok_or_else(|| missing(key, "structure", key))?;
    let name = context.structure(key, key, |_| {})?;
    if record.union {
        return unions::record(context, key, record, name, deeds);
    }
    let receiver = names::receiver(&name);
    let mut scope = Scope::with(if record.resident { names::OBJECT_METHODS } else { &[] });
    let (mut fields, mut writes) = (Vec::new(), Vec::new());
    let (mut numbers, mut others) = (Vec::new(), Vec::new());
    let visible = record.fields.iter().filter_map(|field| Some((field, field.offset?)));
    let names = visible.clone().map(|(field, _)| {
        let name = names::camel(&field.name);
        // A type of Go has no field and method of one name.
        let name = if methods.contains(&name) { format!("{name}Field") } else { name };
        (field.name.clone(), scope.take_type(name))
    });
    let names: BTreeMap<String, String> = names.collect();
    for (field, offset) in visible {
        let value = format!("{receiver}.{}", names[&field.name]);
        let field = Field { context, record, field, value, offset, names: &names, receiver: &receiver };
        let about = docs::unmarked(&about(record, field.field));
        fields.push((vec![about], names[&field.field.name].clone(), field.ty()?));
        writes.extend(field.write()?);
        // What is read of a buffer depends on what the numbers were.
        match field.field.role.value {
            FieldRole::Value | FieldRole::Bits { .. } => numbers.extend(field.read()?),
            _ => others.extend(field.read()?),
        }
    }
    let mut lines = vec![format!("{name} is {} in C.", record.c_name)];
    docs::paragraph(&mut lines, record.doc.as_deref().map(docs::from_header).unwrap_or_default());
    let reads = [others, numbers].concat();
    Ok(Record {
        fill_calls: self::names(&writes, "call"),
        read_replies: self::names(&reads, "reply"),
        lists: lists(deeds),
        lives: lives(deeds),
        name,
        receiver: receiver.clone(),
        comment: docs::comment(&lines),
        members: Vec::new(),
        fields,
        writes,
        reads,
        size: record.size,
        deeds: deeds.into(),
    })
}

impl Record {
    /// A union of these members.
    pub(crate) fn of_union(
        (name, lines): (String, Vec<String>),
        members: Vec<unions::Member>,
        size: u32,
        deeds: Deeds,
    ) -> Record {
        Record {
            receiver: String::new(),
            comment: docs::comment(&lines),
            fill_calls: true,
            read_replies: members.iter().any(|member| names(&member.reads, "reply")),
            lists: Vec::new(),
            lives: Vec::new(),
            fields: Vec::new(),
            writes: Vec::new(),
            reads: Vec::new(),
            name,
            members,
            size,
            deeds: deeds.into(),
        }
    }
}

/// Whether statements pass something on under this name.
fn names(lines: &[String], name: &str) -> bool {
    let passed = [format!("({name}, "), format!("{name}.")];
    lines.iter().any(|line| {
        passed.iter().any(|passed| line.contains(passed.as_str())) || line.contains(&format!(", {name}, "))
    })
}

impl Field<'_> {
    /// The field's type.
    fn ty(&self) -> Result<String, Error> {
        Ok(match &self.field.role.value {
            FieldRole::Value | FieldRole::Bits { .. } => self.number()?.name,
            FieldRole::Array { length } => format!("[{length}]{}", self.element()),
            FieldRole::Struct { record } | FieldRole::Union { record, .. } => self.inner(record)?,
            FieldRole::Structs { record, length } => format!("[{length}]{}", self.inner(record)?),
            FieldRole::TextArray { encoding, .. } | FieldRole::Text { encoding, nullable: false } => {
                texts::ty(*encoding).into()
            }
            FieldRole::Text { encoding, .. } => texts::optional(*encoding).into(),
            FieldRole::Data { record: Some(record), .. } => format!("[]{}", self.inner(record)?),
            FieldRole::Texts { encoding, length } => texts::list(*encoding, length.is_none()).into(),
            FieldRole::Pointer { record, .. } => format!("*{}", self.inner(record)?),
            FieldRole::Data { .. } | FieldRole::BufferIn { .. } | FieldRole::BufferOut { .. } => {
                format!("[]{}", self.element())
            }
            FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => return Err(self.unsupported()),
        })
    }

    fn write(&self) -> Result<Vec<String>, Error> {
        let (at, value) = (self.at(), &self.value);
        let place = format!("call, {at}, {}", text(&self.field.name));
        let null = format!("image.PutNull({})", self.alone());
        let one = |line: String| vec![format!("\t{line}")];
        Ok(match &self.field.role.value {
            FieldRole::Value => one(self.number()?.put("image", &at, value)),
            FieldRole::Bits { width } => {
                let number = self.number()?;
                let name = text(&self.field.name);
                let check =
                    format!("\tcall.CheckBits({name}, int64({value}), {width}, {})", number.is_signed());
                let put = format!("\t{}", number.put("image", &at, value));
                if number.is_bool() || number.bits() <= *width { vec![put] } else { vec![check, put] }
            }
            FieldRole::Array { .. } => one(format!("rt.PutArray(image, {at}, {value}[:])")),
            FieldRole::Structs { record, .. } => {
                let size = self.size_of(record)?;
                let fill = format!("\t\t{value}[index].fill(call, image, {at}+index*{size})");
                vec![format!("\tfor index := range {value} {{"), fill, "\t}".into()]
            }
            FieldRole::Struct { .. } => one(format!("{value}.fill(call, image, {at})")),
            FieldRole::Union { record, .. } => {
                one(format!("fill_{}(call, image, {at}, {value})", self.inner(record)?))
            }
            FieldRole::TextArray { encoding, length, pad } => {
                one(texts::put_array(*encoding, *pad, &place, value, *length))
            }
            FieldRole::Data { .. } | FieldRole::Texts { .. } | FieldRole::BufferOut { .. } => one(null),
            FieldRole::Pointer { direction, .. } if !direction.goes_in() => one(null),
            FieldRole::Pointer { record, .. } => {
                let part = [
                    format!("part := rt.NewImage({})", self.size_of(record)?),
                    format!("{value}.fill(call, part, 0)"),
                    format!("image.PutImage({place}, part)"),
                ];
                or_null(value, &part, &null)
            }
            FieldRole::Text { encoding, nullable: false } => {
                one(texts::put("image", *encoding, false, &place, &texts::present(*encoding, value)))
            }
            FieldRole::Text { encoding, .. } => {
                let star = if texts::optional(*encoding).starts_with('*') { "*" } else { "" };
                let put = texts::put("image", *encoding, false, &place, &format!("{star}{value}"));
                or_null(value, &[put], &null)
            }
            FieldRole::BufferIn { nullable } => {
                let data = if *nullable { value.clone() } else { format!("rt.Present({value})") };
                let put = match self.element() {
                    "byte" => format!("image.PutBytes({place}, {data})"),
                    _ => format!("rt.PutImageElements(image, {place}, {data})"),
                };
                if *nullable { or_null(value, &[put], &null) } else { one(put) }
            }
            FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => return Err(self.unsupported()),
        })
    }

    fn read(&self) -> Result<Vec<String>, Error> {
        let (at, value) = (self.at(), &self.value);
        let place = format!("reply, {at}");
        let assign = |read: String| vec![format!("\t{value} = {read}")];
        Ok(match &self.field.role.value {
            FieldRole::Value | FieldRole::Bits { .. } => assign(self.number()?.get("image", &self.alone())),
            FieldRole::Array { length } => {
                vec![format!("\tcopy({value}[:], rt.Array[{}](image, {at}, {length}))", self.element())]
            }
            FieldRole::Structs { record, .. } => {
                let size = self.size_of(record)?;
                let read = format!("\t\t{value}[index].read(reply, image, {at}+index*{size})");
                vec![format!("\tfor index := range {value} {{"), read, "\t}".into()]
            }
            FieldRole::Struct { .. } => vec![format!("\t{value}.read(reply, image, {at})")],
            FieldRole::Union { record, .. } => {
                assign(format!("read_{}(reply, image, {at})", self.inner(record)?))
            }
            FieldRole::TextArray { encoding, length, pad } => {
                assign(texts::read_array(*encoding, *pad, &place, *length))
            }
            FieldRole::Data { record: Some(record), .. } => {
                let (size, ty) = (self.size_of(record)?, self.inner(record)?);
                vec![
                    format!("\t{value} = nil"),
                    format!("\tfor _, part := range image.Images({place}, {size}) {{"),
                    format!("\t\tvar item {ty}"),
                    "\t\titem.read(reply, part, 0)".into(),
                    format!("\t\t{value} = append({value}, item)"),
                    "\t}".into(),
                ]
            }
            FieldRole::Data { .. } | FieldRole::BufferOut { filled: Filled::Left { .. }, .. } => {
                assign(self.elements(&place))
            }
            FieldRole::Texts { encoding, length } => {
                assign(texts::read_list("image", *encoding, (length.is_none(), false), &place))
            }
            FieldRole::Pointer { direction, .. } if !direction.goes_out() => Vec::new(),
            FieldRole::Pointer { record, .. } => {
                let (size, ty) = (self.size_of(record)?, self.inner(record)?);
                vec![
                    format!("\t{value} = nil"),
                    format!("\tif part := image.Image({place}, {size}); part != nil {{"),
                    format!("\t\t{value} = new({ty})"),
                    format!("\t\t{value}.read(reply, part, 0)"),
                    "\t}".into(),
                ]
            }
            FieldRole::Text { encoding, nullable } => assign(texts::read_field(*encoding, *nullable, &place)),
            FieldRole::BufferIn { nullable } => {
                let taken = match types::size(self.element()) {
                    1 => format!("{value} = {value}[image.Advanced({place}, len({value})):]"),
                    size => {
                        format!("{value} = {value}[image.Advanced({place}, len({value})*{size})/{size}:]")
                    }
                };
                match nullable {
                    false => vec![format!("\t{taken}")],
                    true => vec![format!("\tif {value} != nil {{"), format!("\t\t{taken}"), "\t}".into()],
                }
            }
            FieldRole::BufferOut { filled: Filled::Field { field }, unit, capacity } => {
                let divide = match (unit, types::size(self.element())) {
                    (Unit::Bytes, size) if size > 1 => format!("/{size}"),
                    _ => String::new(),
                };
                let filled = self.elements(&place);
                let (start, room) = (self.other(*field)?, self.other(*capacity)?);
                assign(format!(
                    "rt.Append(reply, {value}, {filled}, int({start}){divide}, int({room}){divide})"
                ))
            }
            FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => return Err(self.unsupported()),
        })
    }

    /// The expression that reads data.
    fn elements(&self, place: &str) -> String {
        match self.element() {
            "byte" => format!("image.Bytes({place})"),
            element => format!("rt.ImageElements[{element}](image, {place})"),
        }
    }

    /// The value of another field.
    fn other(&self, position: usize) -> Result<String, Error> {
        let field = self.record.fields.get(position).ok_or_else(|| self.unsupported())?;
        let name = self.names.get(&field.name).ok_or_else(|| self.unsupported())?;
        Ok(format!("{}.{name}", self.receiver))
    }

    fn number(&self) -> Result<types::Number, Error> {
        self.context.number(&self.field.ty).ok_or_else(|| self.unsupported())
    }

    /// Where the field lies, from the start of its structure at `at`, as one argument of several.
    fn at(&self) -> String {
        if self.offset == 0 { "at".into() } else { format!("at+{}", self.offset) }
    }

    /// The same, as the only argument.
    fn alone(&self) -> String {
        if self.offset == 0 { "at".into() } else { format!("at + {}", self.offset) }
    }

    fn element(&self) -> &'static str {
        let ty = &self.field.ty;
        let inner =
            ty.array().map(|(element, _)| element).or_else(|| ty.pointee().map(|(pointee, _)| pointee));
        types::element(inner, &self.context.interface.target)
    }

    /// The type of a structure that a field is or points to.
    fn inner(&self, record: &str) -> Result<String, Error> {
        self.context.structure(&self.record.c_name, record, |_| {})
    }

    /// Bytes of an image of this structure.
    fn size_of(&self, record: &str) -> Result<u32, Error> {
        self.context.size(&self.record.c_name, record)
    }

    fn unsupported(&self) -> Error {
        let what = format!("field `{}` ({})", self.field.name, self.field.ty.written);
        Error::Unsupported { function: self.record.c_name.clone(), what }
    }
}

/// Statements for what is there, and one where it is nil.
pub(crate) fn or_null(value: &str, there: &[String], null: &str) -> Vec<String> {
    let mut lines = vec![format!("\tif {value} == nil {{"), format!("\t\t{null}"), "\t} else {".into()];
    lines.extend(there.iter().map(|line| format!("\t\t{line}")));
    lines.push("\t}".into());
    lines
}
