//! A number of a scenario file: a literal, or an expression over factors of variation. Read first: [`Num`].

use exmex::{Express, FlatEx};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Visitor};
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// The factors of variation as drawn for one episode, by name.
pub type FactorValues = BTreeMap<String, f64>;

/// A number that may vary between episodes: `0.4`, or a text such as `"wall_x + 0.2"` over factors of variation.
///
/// An expression knows `+ - * / ^`, parentheses and exmex's functions (`sin`, `sqrt`, `min`, `max`, ...).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Num {
    /// A number.
    Literal(f64),
    /// An expression, not yet resolved.
    Expression(String),
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NumError {
    /// The text is no expression.
    #[error("`{expression}` is no expression: {reason}")]
    Syntax {
        /// The text as written.
        expression: String,
        /// What the parser said.
        reason: String,
    },
    /// The expression names something that is no factor.
    #[error("`{expression}` uses `{name}`, which is no factor of variation")]
    Unknown {
        /// The text as written.
        expression: String,
        /// The unknown name.
        name: String,
    },
    /// The expression's value is infinite or no number.
    #[error("`{expression}` gives {value}")]
    NotFinite {
        /// The text as written.
        expression: String,
        /// What came out.
        value: f64,
    },
}

impl Num {
    /// The value of a literal; NaN for an expression that was not resolved.
    #[must_use]
    pub fn value(&self) -> f64 {
        match self {
            Self::Literal(value) => *value,
            Self::Expression(_) => f64::NAN,
        }
    }

    /// As [`Num::value`], in single precision.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "scenario numbers are metres and seconds")]
    pub fn value_f32(&self) -> f32 {
        self.value() as f32
    }

    /// The value for these factors.
    ///
    /// # Errors
    /// [`NumError`] where the expression cannot be read, names no factor or is not finite.
    pub fn evaluate(&self, factors: &FactorValues) -> Result<f64, NumError> {
        let value = match self {
            Self::Literal(value) => *value,
            Self::Expression(expression) => evaluate(expression, factors)?,
        };
        if value.is_finite() {
            return Ok(value);
        }
        let expression = match self {
            Self::Literal(value) => value.to_string(),
            Self::Expression(expression) => expression.clone(),
        };
        Err(NumError::NotFinite { expression, value })
    }

    /// Replace an expression by its value for these factors.
    ///
    /// # Errors
    /// As [`Num::evaluate`].
    pub fn resolve(&mut self, factors: &FactorValues) -> Result<(), NumError> {
        *self = Self::Literal(self.evaluate(factors)?);
        Ok(())
    }
}

fn evaluate(expression: &str, factors: &FactorValues) -> Result<f64, NumError> {
    let syntax = |error: exmex::ExError| NumError::Syntax { expression: expression.into(), reason: error.msg().into() };
    // A bare name is the common case and needs no parser.
    if let Some(value) = factors.get(expression) {
        return Ok(*value);
    }
    let parsed = FlatEx::<f64>::parse(expression).map_err(syntax)?;
    let mut values = Vec::with_capacity(parsed.var_names().len());
    for name in parsed.var_names() {
        let value =
            factors.get(name).ok_or_else(|| NumError::Unknown { expression: expression.into(), name: name.clone() })?;
        values.push(*value);
    }
    parsed.eval(&values).map_err(syntax)
}

impl From<f64> for Num {
    fn from(value: f64) -> Self {
        Self::Literal(value)
    }
}

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumVisitor;
        impl Visitor<'_> for NumVisitor {
            type Value = Num;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number, or an expression over factors in quotes such as \"wall_x + 0.2\"")
            }
            fn visit_f64<E>(self, value: f64) -> Result<Num, E> {
                Ok(Num::Literal(value))
            }
            #[expect(clippy::cast_precision_loss, reason = "nobody writes a length of 2^53 metres")]
            fn visit_i64<E>(self, value: i64) -> Result<Num, E> {
                Ok(Num::Literal(value as f64))
            }
            #[expect(clippy::cast_precision_loss, reason = "nobody writes a length of 2^53 metres")]
            fn visit_u64<E>(self, value: u64) -> Result<Num, E> {
                Ok(Num::Literal(value as f64))
            }
            fn visit_str<E>(self, value: &str) -> Result<Num, E> {
                Ok(Num::Expression(value.into()))
            }
        }
        deserializer.deserialize_any(NumVisitor)
    }
}

impl JsonSchema for Num {
    fn schema_name() -> Cow<'static, str> {
        "Num".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"], "format": "num" })
    }
}

/// Everything that holds [`Num`]s, so that they can be resolved and checked wherever they stand.
pub trait Numbers {
    /// Visit each number with its path, for example `bodies[1].shape.size_m[0]`.
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Num));
}

impl Numbers for Num {
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Num)) {
        visit(path, self);
    }
}

impl<T: Numbers> Numbers for [T] {
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Num)) {
        for (index, item) in self.iter_mut().enumerate() {
            item.numbers(&format!("{path}[{index}]"), visit);
        }
    }
}

impl<T: Numbers> Numbers for Vec<T> {
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Num)) {
        self.as_mut_slice().numbers(path, visit);
    }
}

impl<T: Numbers, const N: usize> Numbers for [T; N] {
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Num)) {
        self.as_mut_slice().numbers(path, visit);
    }
}

impl<T: Numbers> Numbers for Option<T> {
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Num)) {
        if let Some(item) = self {
            item.numbers(path, visit);
        }
    }
}

/// Implement [`Numbers`] by naming the fields (of a struct) or the variants and their fields (of an enum) that hold some.
#[macro_export]
macro_rules! impl_numbers {
    (struct $type:ty { $($field:ident),* $(,)? }) => {
        impl $crate::Numbers for $type {
            fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut $crate::Num)) {
                let dot = if path.is_empty() { "" } else { "." };
                $( $crate::Numbers::numbers(&mut self.$field, &format!("{path}{dot}{}", stringify!($field)), visit); )*
            }
        }
    };
    (enum $type:ident { $($variant:ident { $($field:ident),* $(,)? }),* $(,)? }) => {
        impl $crate::Numbers for $type {
            fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut $crate::Num)) {
                let _ = (path, &visit);
                match self {
                    $( Self::$variant { $($field,)* .. } => {
                        $( $crate::Numbers::numbers($field, &format!("{path}.{}", stringify!($field)), visit); )*
                    } )*
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors() -> FactorValues {
        FactorValues::from([("wall_x".to_owned(), 4.0), ("door_y".to_owned(), 2.5)])
    }

    #[test]
    fn reads_numbers_and_expressions() {
        let nums: Vec<Num> = ron::from_str(r#"[1, -2.5, "wall_x", "(door_y - 0.5) / 2 + wall_x * 3"]"#).unwrap();
        let values: Vec<f64> = nums.iter().map(|num| num.evaluate(&factors()).unwrap()).collect();
        assert_eq!(values, [1.0, -2.5, 4.0, 13.0]);
    }

    #[test]
    fn says_what_is_wrong() {
        let evaluate = |text: &str| Num::Expression(text.into()).evaluate(&factors());
        assert!(matches!(evaluate("door_y +"), Err(NumError::Syntax { .. })));
        assert!(matches!(evaluate("wall_z - 1"), Err(NumError::Unknown { name, .. }) if name == "wall_z"));
        assert!(matches!(evaluate("wall_x / (door_y - 2.5)"), Err(NumError::NotFinite { .. })));
        assert!(matches!(evaluate(""), Err(NumError::Syntax { .. })));
    }
}
