//! Expressions over factors: which names they use, and what to say where they have no value. Read first: [`finding`].

use super::{
    nearest::{listed, nearest},
    problem::Finding,
};
use forethought_interface::{FactorValues, Num, NumError};

/// The names in an expression: factors, functions and constants.
pub(super) fn names(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// Whether expressions can use this name for a factor. Functions and constants have theirs already, and a name that
/// begins like some functions (`minimum`) is read as that function.
pub(super) fn is_free(name: &str) -> bool {
    let value = 0.123;
    let factors = FactorValues::from([(name.to_owned(), value)]);
    // Zero is added because a bare name is looked up without being read as an expression.
    Num::Expression(format!("0 + {name}")).evaluate(&factors) == Ok(value)
}

/// What to say of a number without a value. `usable` are the factors that it may use, `all` those that there are.
pub(super) fn finding(path: &str, error: &NumError, usable: &[String], all: &[String]) -> Finding {
    match error {
        NumError::Syntax { expression, reason } => {
            let remedy = if expression.trim().parse::<f64>().is_ok() {
                "write the number without quotes, or without an exponent".to_owned()
            } else {
                format!("correct it: {}", plain(reason))
            };
            Finding::new(
                path,
                format!("\"{expression}\""),
                "a number or an expression such as \"wall_x + 0.2\"",
                remedy,
            )
        }
        NumError::Unknown { name, .. } => {
            let later = all.iter().any(|factor| factor == name);
            let meant = nearest(name, usable.iter().map(String::as_str));
            let expected = match usable {
                [] if all.is_empty() => "a number, because the scenario has no factors".to_owned(),
                [] => "a number, because no factor stands above this one".to_owned(),
                _ => format!("factors: {}", listed(usable.iter().map(String::as_str))),
            };
            let remedy = match meant {
                _ if later => format!("move `{name}` above this factor"),
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "correct the name, or add a factor of that name".to_owned(),
            };
            let found = if later { format!("the later factor `{name}`") } else { format!("the unknown name `{name}`") };
            Finding::new(path, found, expected, remedy)
        }
        NumError::NotFinite { expression, value } if *expression == value.to_string() => {
            Finding::new(path, value.to_string(), "a finite number", "write an ordinary number")
        }
        NumError::NotFinite { expression, value } => {
            let remedy = "keep it from dividing by zero, or from roots and logarithms of negative numbers";
            Finding::new(path, format!("\"{expression}\", which is {value}"), "a finite number", remedy)
        }
    }
}

/// What the parser said, in plainer words where there are some.
fn plain(reason: &str) -> &str {
    let words = [
        ("one more node than op", "an operator or a value is missing"),
        ("last element cannot be an operator", "something is missing at its end"),
        ("next to", "something is missing between two operators or brackets"),
        ("on the right of", "something is missing between two of its parts"),
        ("parenthes", "its brackets do not match"),
        ("empty", "it is empty"),
    ];
    words.iter().find(|(said, _)| reason.contains(said)).map_or(reason, |(_, plain)| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_and_constants_are_not_free() {
        for name in ["wall_x", "x1", "_a", "exposure", "east", "sine", "Eve", "pie"] {
            assert!(is_free(name), "{name}");
        }
        for name in
            ["PI", "E", "e", "TAU", "sin", "min", "sqrt", "log2", "minimum", "1x", "a b", "a-b", "", "é", "{a}", "π"]
        {
            assert!(!is_free(name), "{name}");
        }
    }

    #[test]
    fn names_are_the_words() {
        let found: Vec<&str> = names("left_x + 2 * (right_2 - min(PI, 3.5))").collect();
        assert_eq!(found, ["left_x", "right_2", "min", "PI"]);
    }
}
