//! Fields of a scenario that are set from outside, such as by `--set`. Read first: [`Setting`] and [`Axis`].

use super::{
    problem::Finding,
    tree::{self, Content, Group, Kind, Node},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A field of a scenario and the value that it is to have instead of what is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Where the field is, as messages name it: `agents[0].actor.horizon`.
    pub path: String,
    /// The value, in RON.
    pub value: String,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}

/// A field of a scenario and the values that it is to have one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Where the field is.
    pub path: String,
    /// The values, in RON.
    pub values: Vec<String>,
}

impl Axis {
    /// Read `path=value1,value2`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, values) = text.split_once('=').ok_or("write PATH=VALUE, such as agents[0].actor.horizon=8")?;
        steps(path).ok_or_else(|| format!("`{path}` is no path: write one such as agents[0].actor.horizon"))?;
        Ok(Self { path: path.to_owned(), values: split(values)? })
    }

    /// The settings along it.
    pub fn settings(&self) -> impl Iterator<Item = Setting> + '_ {
        self.values.iter().map(|value| Setting { path: self.path.clone(), value: value.clone() })
    }
}

/// Values at the commas that are not within one of them.
fn split(values: &str) -> Result<Vec<String>, String> {
    let list = format!("[{values}]");
    let unreadable = |problem: String| format!("{problem}; values are written as in a scenario file, texts in quotes");
    let root = tree::parse(&list)
        .map_err(|finding| unreadable(format!("found {}, expected {}", finding.found, finding.expected)))?;
    match root.kind {
        Kind::List(items) if !items.is_empty() => {
            Ok(items.iter().map(|item| list[item.span.begin..item.span.end].to_owned()).collect())
        }
        _ => Err(unreadable("there is no value".to_owned())),
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

/// A path step by step; none where it is no path.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, mut items) = part.split_at(part.find('[').unwrap_or(part.len()));
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        steps.push(is_name.then_some(Step::Field(name))?);
        while let Some((number, rest)) = items.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            steps.push(Step::Item(number.parse().ok()?));
            items = rest;
        }
        if !items.is_empty() {
            return None;
        }
    }
    Some(steps)
}

/// The text with all settings in it, each on the line where the field was or would be. A text that cannot be read stays as it is,
/// for whoever reads it tells why.
pub(super) fn apply(text: &str, settings: &[Setting]) -> Result<String, Vec<Finding>> {
    let (mut text, mut findings) = (text.to_owned(), Vec::new());
    for setting in settings {
        let Ok(root) = tree::parse(&text) else { return Ok(text) };
        match edit(&root, setting) {
            Ok(Edit { begin, end, insert }) => text.replace_range(begin..end, &insert),
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() { Ok(text) } else { Err(findings) }
}

/// What to put in the place of what.
struct Edit {
    begin: usize,
    end: usize,
    insert: String,
}

fn edit(root: &Node, setting: &Setting) -> Result<Edit, Finding> {
    let Setting { path, value } = setting;
    let fault = |found: String, expected: &str, remedy: &str| Finding::new(path, found, expected, remedy);
    let all = steps(path).ok_or_else(|| {
        fault("no path".into(), "one such as agents[0].actor.horizon", "write names and, for lists, numbers from 0")
    })?;
    let (mut node, mut rest) = (root, &all[..]);
    while let Some((step, after)) = rest.split_first() {
        let (next, insert_at) = within(node, *step);
        match (next, insert_at) {
            (Some(next), _) => node = next,
            (None, Some((at, comma))) => {
                let nested = nest(rest, value).ok_or_else(|| {
                    fault("a list that is not written".into(), "one with such an item", "set the whole list")
                })?;
                return Ok(Edit { begin: at, end: at, insert: format!("{comma}{nested}") });
            }
            (None, None) => {
                let found = node.kind.described();
                let expected = match step {
                    Step::Field(name) => format!("fields, `{name}` among them"),
                    Step::Item(number) => format!("a list with item {number}, counted from 0"),
                };
                return Err(fault(found, &expected, "look at the path's beginning"));
            }
        }
        rest = after;
    }
    Ok(Edit { begin: node.span.begin, end: node.span.end, insert: value.clone() })
}

/// What this step leads to, or where it could be written.
fn within<'a>(node: &'a Node, step: Step) -> (Option<&'a Node>, Option<(usize, &'static str)>) {
    match (&node.kind, step) {
        // A variant around one value counts as this value.
        (Kind::Group(Group { content: Content::Values(values), .. }), Step::Field(_)) if values.len() == 1 => {
            within(&values[0], step)
        }
        (Kind::Group(Group { content: Content::Fields(fields), .. }), Step::Field(name)) => {
            let end = fields.last().map(|field| (field.value.span.end, ", "));
            (fields.iter().find(|field| field.name == name).map(|field| &field.value), end)
        }
        (Kind::Group(Group { content: Content::Empty, .. }), Step::Field(_)) => (None, Some((node.span.end - 1, ""))),
        (Kind::Map(entries), Step::Field(name)) => {
            let named = |key: &Node| matches!(&key.kind, Kind::Text(text) | Kind::Name(text) if text == name);
            (entries.iter().find(|(key, _)| named(key)).map(|(_, value)| value), None)
        }
        (Kind::List(items) | Kind::Group(Group { content: Content::Values(items), .. }), Step::Item(number)) => {
            (items.get(number), None)
        }
        _ => (None, None),
    }
}

/// Fields within fields, written out.
fn nest(steps: &[Step], value: &str) -> Option<String> {
    match steps {
        [Step::Field(name)] => Some(format!("{name}: {value}")),
        [Step::Field(name), rest @ ..] => Some(format!("{name}: ({})", nest(rest, value)?)),
        _ => None,
    }
}

impl Kind {
    /// What it is, without its content.
    fn described(&self) -> String {
        match self {
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Group(Group { content: Content::Values(values), .. }) => {
                format!("{} values in brackets", values.len())
            }
            Self::Group(Group { content: Content::Fields(_), .. }) => "fields in brackets".to_owned(),
            Self::Group(_) => "empty brackets".to_owned(),
            Self::Map(_) => "a map".to_owned(),
            Self::Name(name) => format!("`{name}`"),
            _ => "a single value".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, settings: &[(&str, &str)]) -> Result<String, String> {
        let settings: Vec<Setting> =
            settings.iter().map(|(path, value)| Setting { path: (*path).into(), value: (*value).into() }).collect();
        apply(text, &settings).map_err(|findings| format!("{} {}", findings[0].found, findings[0].expected))
    }

    #[test]
    fn values_are_split_where_no_bracket_is_open() {
        let axis = Axis::parse("agents[0].at=(1, 2),\"a,b\",Mode1, [3,4]").unwrap();
        assert_eq!(axis.path, "agents[0].at");
        assert_eq!(axis.values, ["(1, 2)", "\"a,b\"", "Mode1", "[3,4]"]);
        for (text, expected) in
            [("a", "PATH=VALUE"), ("=3", "no path"), ("a[x]=3", "no path"), ("a=", "no value"), ("a=(1", "closes")]
        {
            let problem = Axis::parse(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }

    #[test]
    fn what_is_written_is_replaced_and_what_is_not_is_added() {
        let text = "(a: 1, // one\n b: [(c: D(e: 2.0),), F], g: (1, 2), h: (), i: Some((j: 4)))";
        assert_eq!(set("(a: 1)", &[("a", "2")]).unwrap(), "(a: 2)");
        let all = [
            ("a", "9"),
            ("b[0].c.e", "8"),
            ("b[0].k.l", "7"),
            ("g[1]", "6"),
            ("h.m", "5"),
            ("i.j", "3"),
            ("n", "\"o\""),
            ("h.p", "1"),
        ];
        let expected =
            "(a: 9, // one\n b: [(c: D(e: 8), k: (l: 7),), F], g: (1, 6), h: (m: 5, p: 1), i: Some((j: 3)), n: \"o\")";
        assert_eq!(set(text, &all).unwrap(), expected);
        for (path, expected) in [
            ("b[2].c", "a list of 2 a list with item 2"),
            ("b[1].c", "`F` fields"),
            ("a.b", "a single value"),
            ("x[0]", "a list that is not written"),
        ] {
            let problem = set(text, &[(path, "1")]).unwrap_err();
            assert!(problem.starts_with(expected), "{path}: {problem}");
        }
        assert_eq!(set("(a: ", &[("a", "2")]).unwrap(), "(a: ", "what cannot be read is told by others");
    }
}
