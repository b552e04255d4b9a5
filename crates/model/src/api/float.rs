//! Floating-point constants in JSON, which has no word for those without end.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Other(Word),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Word {
    #[serde(rename = "infinity")]
    Infinity,
    #[serde(rename = "-infinity")]
    MinusInfinity,
    #[serde(rename = "nan")]
    Nan,
}

pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    let number = match *value {
        value if value.is_nan() => Number::Other(Word::Nan),
        f64::INFINITY => Number::Other(Word::Infinity),
        f64::NEG_INFINITY => Number::Other(Word::MinusInfinity),
        value => Number::Finite(value),
    };
    number.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(match Number::deserialize(deserializer)? {
        Number::Finite(value) => value,
        Number::Other(Word::Nan) => f64::NAN,
        Number::Other(Word::Infinity) => f64::INFINITY,
        Number::Other(Word::MinusInfinity) => f64::NEG_INFINITY,
    })
}

#[cfg(test)]
mod tests {
    use crate::api::ConstantValue;

    #[test]
    fn every_number_comes_back_as_it_was() {
        let numbers =
            [0.0, -0.0, 0.1, 1e300, 5e-324, f64::MAX, f64::EPSILON, 8.41e21, 9_007_199_254_740_993.0];
        let more = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
        // Every one with other digits.
        let others = (1..2000).map(|n| f64::from_bits(0x3ff0_1234_5678_9abc_u64.wrapping_mul(n)));
        for number in numbers.into_iter().chain(more).chain(others) {
            let text = serde_json::to_string(&ConstantValue::Float(number)).unwrap();
            let ConstantValue::Float(back) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
            let same = back.to_bits() == number.to_bits() || back.is_nan() && number.is_nan();
            assert!(same, "{number:e} is {back:e} behind {text}");
        }
        assert_eq!(
            serde_json::to_string(&ConstantValue::Float(0.5)).unwrap(),
            r#"{"type":"float","value":0.5}"#
        );
    }
}
