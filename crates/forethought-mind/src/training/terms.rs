//! The loss's terms, by name. Read first: [`Terms`].

use serde::{Serialize, Serializer};

/// Named numbers in a fixed order; in JSON a map.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Terms(pub Vec<(&'static str, f32)>);

impl Terms {
    /// The term of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f32> {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    /// Add `share` times the terms of another pass of the same training; to none at all, begin with them.
    pub(crate) fn add(&mut self, other: &Self, share: f32) {
        if self.0.is_empty() {
            self.0 = other.0.iter().map(|(name, _)| (*name, 0.0)).collect();
        }
        self.0.iter_mut().zip(&other.0).for_each(|((_, sum), (_, value))| *sum += share * value);
    }
}

impl Serialize for Terms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_by_name_and_is_a_map_in_json() {
        let mut sum = Terms::default();
        for value in [1.0, 3.0] {
            sum.add(&Terms(vec![("prediction", value), ("variance", 0.25)]), 0.5);
        }
        assert_eq!(sum.get("prediction"), Some(2.0));
        assert_eq!(sum.get("covariance"), None);
        assert_eq!(serde_json::to_string(&sum).unwrap(), r#"{"prediction":2.0,"variance":0.25}"#);
    }
}
