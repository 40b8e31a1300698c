//! What a picture shows besides the world. Read first: [`Showing::parse`].

use crate::dock::Panel;

/// Panels by name, `world` for none of them, `landscape` and `keys`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Showing(Vec<String>);

impl Showing {
    /// From names in small letters.
    ///
    /// # Errors
    /// A sentence that names what is unknown, and what there is.
    pub fn parse(names: &[String]) -> Result<Self, String> {
        let known =
            |name: &String| Panel::from_name(name).is_some() || ["world", "landscape", "keys"].contains(&name.as_str());
        match names.iter().find(|name| !known(name)) {
            Some(unknown) => {
                let panels: Vec<String> = Panel::ALL.iter().map(|(panel, _)| panel.name().to_lowercase()).collect();
                Err(format!("there is no `{unknown}` to show: there are {}, world, landscape, keys", panels.join(", ")))
            }
            None => Ok(Self(names.to_vec())),
        }
    }

    /// The panels that were named; none where nothing says which.
    pub(crate) fn panels(&self) -> Option<Vec<Panel>> {
        let panels: Vec<Panel> = self.0.iter().filter_map(|name| Panel::from_name(name)).collect();
        (!panels.is_empty() || self.has("world")).then_some(panels)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|shown| shown == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_or_told() {
        let parse = |names: &[&str]| Showing::parse(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(parse(&["mind", "landscape"]).unwrap().panels(), Some(vec![Panel::Mind]));
        assert_eq!(parse(&["landscape"]).unwrap().panels(), None);
        assert_eq!(parse(&["world"]).unwrap().panels(), Some(vec![]));
        assert!(parse(&["mnd"]).unwrap_err().contains("mind"));
    }
}
