//! Reading a [`Type`]: all of its fields at once, whichever comes first, so that nothing is kept until it is known what it is.

use serde::Deserialize;

use super::{CType, Signature, Type};

/// The fields that types of any kind have. Others are passed over.
#[derive(Deserialize)]
#[serde(rename = "Type")]
pub(super) struct Fields {
    kind: Kind,
    bits: Option<u16>,
    signed: Option<bool>,
    name: Option<String>,
    pointee: Option<Box<CType>>,
    constant: Option<bool>,
    element: Option<Box<CType>>,
    length: Option<u64>,
    signature: Option<Box<Signature>>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Void,
    Bool,
    Char,
    Int,
    Float,
    Enum,
    Pointer,
    Array,
    Record,
    FunctionPointer,
    Unsupported,
}

impl TryFrom<Fields> for Type {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Type, String> {
        let Fields { kind, bits, signed, name, pointee, constant, element, length, signature, reason } =
            fields;
        Ok(match kind {
            Kind::Void => Type::Void,
            Kind::Bool => Type::Bool,
            Kind::Char => Type::Char,
            Kind::Int => Type::Int { bits: there(bits, "bits")?, signed: there(signed, "signed")? },
            Kind::Float => Type::Float { bits: there(bits, "bits")? },
            Kind::Enum => Type::Enum {
                name: there(name, "name")?,
                bits: there(bits, "bits")?,
                signed: there(signed, "signed")?,
            },
            Kind::Pointer => {
                Type::Pointer { pointee: there(pointee, "pointee")?, constant: there(constant, "constant")? }
            }
            Kind::Array => Type::Array { element: there(element, "element")?, length },
            Kind::Record => Type::Record { name: there(name, "name")? },
            Kind::FunctionPointer => Type::FunctionPointer { signature: there(signature, "signature")? },
            Kind::Unsupported => Type::Unsupported { reason: there(reason, "reason")? },
        })
    }
}

fn there<T>(field: Option<T>, name: &str) -> Result<T, String> {
    field.ok_or_else(|| format!("missing field `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(kind: Type) -> Box<CType> {
        Box::new(CType { written: "int".into(), canonical: "int".into(), kind })
    }

    #[test]
    fn every_kind_comes_back_as_it_was() {
        let int = Type::Int { bits: 32, signed: true };
        let signature =
            Signature { params: vec![(None, *ty(Type::Bool))], result: *ty(Type::Void), variadic: true };
        for kind in [
            Type::Void,
            Type::Bool,
            Type::Char,
            int.clone(),
            Type::Float { bits: 64 },
            Type::Enum { name: "e".into(), bits: 16, signed: false },
            Type::Pointer { pointee: ty(int.clone()), constant: true },
            Type::Array { element: ty(int.clone()), length: Some(3) },
            Type::Array { element: ty(int), length: None },
            Type::Record { name: "r".into() },
            Type::FunctionPointer { signature: Box::new(signature) },
            Type::Unsupported { reason: "why".into() },
        ] {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(serde_json::from_str::<Type>(&json).unwrap(), kind, "{json}");
        }
    }

    #[test]
    fn fields_have_any_order_and_what_is_missing_is_named() {
        let read = |json: &str| serde_json::from_str::<Type>(json).map_err(|error| error.to_string());
        assert_eq!(
            read(r#"{"signed":true,"other":[1,{}],"bits":8,"kind":"int"}"#),
            Ok(Type::Int { bits: 8, signed: true })
        );
        for (json, says) in [
            (r#"{"kind":"int","bits":8}"#, "missing field `signed`"),
            (r#"{"kind":"pointer","constant":true}"#, "missing field `pointee`"),
            (r#"{"bits":8}"#, "missing field `kind`"),
            (r#"{"kind":"other"}"#, "unknown variant `other`"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
