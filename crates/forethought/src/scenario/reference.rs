//! The reference of the scenario format, made from the types themselves so that it cannot go stale.
//!
//! What fields mean, their types and their defaults come from the types' JSON schema; their order comes from serde,
//! because a schema has none. Read first: [`markdown`].

mod order;

use super::Scenario;
use order::Order;
use serde_json::{Map, Value};
use std::{fmt::Write, sync::OnceLock};

/// The JSON schema of a scenario.
#[must_use]
pub fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| schemars::schema_for!(Scenario).to_value())
}

/// The whole page, as committed in `docs/scenario-reference.md`.
#[must_use]
pub fn markdown() -> String {
    let page = Page { schema: schema(), order: Order::of::<Scenario>() };
    let mut text = INTRODUCTION.replace("{EXAMPLE}", EXAMPLE.trim());
    for name in page.types() {
        page.describe(&name, &mut text);
    }
    text
}

/// What a field means: of the struct `name`, or of the enum `name`'s variant.
pub(super) fn about_field(name: &str, variant: &str, field: &str) -> Option<String> {
    let schema = schema();
    let definition = if name == "Scenario" { schema } else { &schema["$defs"][name] };
    let owner = if variant.is_empty() {
        definition
    } else {
        definition["oneOf"].as_array()?.iter().find_map(|one| one["properties"].get(variant))?
    };
    let meaning = owner["properties"][field]["description"].as_str()?;
    let meaning = meaning.split_once(['.', ';']).map_or(meaning, |(first, _)| first);
    let mut letters = meaning.chars();
    let first = letters.next()?;
    Some(first.to_lowercase().chain(letters).collect())
}

const EXAMPLE: &str = include_str!("../../../../scenarios/two_rooms.ron");

const INTRODUCTION: &str = r#"# The scenario reference

<!-- Made from the types of a scenario; `UPDATE_REFERENCE=1 cargo test -p forethought --test check` writes it anew. -->

A scenario is one [RON](https://github.com/ron-rs/ron) file. It says what world there is, who lives in it, what they
want and what counts as success. `forethought check SCENARIO` reads one and says everything that is wrong with it at
once; this page lists every field that it may have.

- [An example](#an-example)
- [Writing RON](#writing-ron)
- [Numbers, factors and expressions](#numbers-factors-and-expressions)
- [The fields](#scenario)

## An example

This is `scenarios/two_rooms.ron`, whole.

```ron
{EXAMPLE}
```

## Writing RON

- `(name: value, ...)` is a thing with fields, `[a, b]` a list, `(1.0, 2.0)` a pair such as a position. Commas after the
  last item do no harm, and `//` begins a comment.
- What comes in several kinds is written with the kind's name: `Disc(radius_m: 0.3)`, `Walls`. A kind with fields keeps
  its brackets even where every field has its default: `Proprioception()`.
- A field with a default may be left out. An unknown field is an error, so that a typing error never goes unnoticed.
- The end of a field's name is its unit: `_m` metres, `_s` seconds, `_rad` radians, `_kg` kilograms, `_n` newtons,
  `_px` pixels; `_m_s` is metres per second, `_per_s` once a second.
- Positions are in metres from the arena's lower left corner, x to the right and y up. Angles turn anticlockwise.

## Numbers, factors and expressions

**Factors of variation** make every episode another one. Each is a named number that is drawn anew for each episode, in
the order of the file; its bounds may use the factors above it. The same seed always draws the same numbers.

Where a field's type below is **Num**, write a number, or an expression over factors in quotes:

```ron
factors: [
    (name: "wall_x", draw: Uniform(low: 3.0, high: 7.0)),
    (name: "start_x", draw: Uniform(low: 0.6, high: "wall_x - 0.8")),
],
```

A factor of kind `Maze` is a whole maze, for the body that names it in its shape. It comes with more factors, which say
where a way through the maze begins and ends:

```ron
factors: [(name: "maze", draw: Maze(cells: (7, 7), path_cells: (14, 28)))],
bodies: [(name: "walls", shape: Maze(of: "maze", cell_m: 2.0, wall_m: 0.4), position_m: (7.0, 7.0))],
agents: [(name: "agent", position_m: ("2 * maze_start_column + 1", "2 * maze_start_row + 1"), ...)],
targets: [(name: "goal", position_m: ("2 * maze_goal_column + 1", "2 * maze_goal_row + 1"), radius_m: 0.5)],
```

- An expression knows `+ - * / ^`, brackets, the constants `PI`, `TAU` and `E`, and the functions `abs`, `signum`,
  `sqrt`, `cbrt`, `exp`, `ln`, `log2`, `log10`, `sin`, `cos`, `tan`, `asin`, `acos`, `atan`, `sinh`, `cosh`, `tanh`,
  `floor`, `ceil`, `round`, `trunc`, `fract`, `min(a, b)`, `max(a, b)` and `atan2(y, x)`.
- Powers are taken from left to right, and a sign belongs to the number after it: `2^3^2` is 64, and `-2^2` is 4. Use
  brackets where that matters.
- An exponent as in `1e-3` is for plain numbers, not for expressions.
- A field of type *number* or *whole number* takes no expression, because it may not differ between episodes.

Factors, agents and targets may have `copies`. Within them each `{i}` stands for the number of the one that is meant, from 0:
in names, in what names refer to and in expressions. A name needs one:

```ron
factors: [(name: "y_{i}", copies: 12, draw: Uniform(low: 1.0, high: 9.0))],
agents: [(name: "agent_{i}", copies: 12, position_m: ("{i} + 0.5", "y_{i}"), drives: [Reach(target: "goal_{i}")], ...)],
targets: [(name: "goal_{i}", copies: 12, position_m: ("{i} + 0.5", "10 - y_{i}"), radius_m: 0.5)],
```

`forethought check` draws many episodes, each factor at both its extremes among them, and reports what is impossible in
any of them together with the factors' values.
"#;

struct Page {
    schema: &'static Value,
    order: Order,
}

impl Page {
    fn definition(&self, name: &str) -> &Value {
        if name == "Scenario" { self.schema } else { &self.schema["$defs"][name] }
    }

    /// All types, each after the one that first mentions it.
    fn types(&self) -> Vec<String> {
        let mut types = Vec::new();
        self.visit("Scenario", &mut types);
        types
    }

    fn visit(&self, name: &str, types: &mut Vec<String>) {
        if types.iter().any(|known| known == name) {
            return;
        }
        types.push(name.to_owned());
        for (_, variant) in self.variants(name) {
            self.visit_all(&self.properties(name, variant), types);
        }
        self.visit_all(&self.properties(name, ""), types);
    }

    fn visit_all(&self, properties: &[(String, &Value)], types: &mut Vec<String>) {
        for (_, property) in properties {
            mentioned(property).iter().for_each(|name| self.visit(name, types));
        }
    }

    /// The fields of a struct, or of an enum's variant, in their own order. A variant's struct counts as one field.
    fn properties(&self, name: &str, variant: &str) -> Vec<(String, &Value)> {
        let definition = self.definition(name);
        let owner = if variant.is_empty() {
            definition
        } else {
            let one =
                definition["oneOf"].as_array().into_iter().flatten().find_map(|one| one["properties"].get(variant));
            match one {
                Some(inner) if inner.get("$ref").is_some() => return vec![(String::new(), inner)],
                Some(inner) => inner,
                None => return Vec::new(),
            }
        };
        let Some(properties) = owner["properties"].as_object() else { return Vec::new() };
        let mut listed: Vec<(String, &Value)> = properties.iter().map(|(name, value)| (name.clone(), value)).collect();
        listed.sort_by_key(|(field, _)| self.order.of_field(name, variant, field));
        listed
    }

    /// The variants of an enum: what each means, and its name.
    fn variants(&self, name: &str) -> Vec<(String, &str)> {
        let definition = self.definition(name);
        let mut variants = Vec::new();
        for one in definition["oneOf"].as_array().into_iter().flatten() {
            let meaning = text_of(one);
            let named =
                one["const"].as_str().or_else(|| one["properties"].as_object()?.keys().next().map(String::as_str));
            variants.extend(named.map(|named| (meaning.clone(), named)));
            let plain = one["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            variants.extend(plain.map(|named| (meaning.clone(), named)));
        }
        let plain = definition["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        variants.extend(plain.map(|named| (String::new(), named)));
        variants.sort_by_key(|(_, variant)| self.order.of_variant(name, variant));
        variants
    }

    fn describe(&self, name: &str, page: &mut String) {
        let definition = self.definition(name);
        let _ = write!(page, "\n## {}\n\n{}\n", heading(name), text_of(definition));
        let variants = self.variants(name);
        if variants.is_empty() {
            self.table(name, "", page);
            return;
        }
        if variants.iter().all(|(_, variant)| self.properties(name, variant).is_empty()) {
            page.push_str("\n| Kind | Meaning |\n|---|---|\n");
            for (meaning, variant) in &variants {
                let _ = writeln!(page, "| `{variant}` | {} |", cell(meaning));
            }
            return;
        }
        for (meaning, variant) in &variants {
            match &self.properties(name, variant)[..] {
                [] => {
                    let _ = write!(page, "\n**`{variant}`** {meaning}\n");
                }
                [(field, inner)] if field.is_empty() => {
                    let _ = write!(page, "\n**`{variant}(...)`** {meaning} Its fields are those of {}.\n", kind(inner));
                }
                _ => {
                    let _ = write!(page, "\n**`{variant}(...)`** {meaning}\n");
                    self.table(name, variant, page);
                }
            }
        }
    }

    /// The fields of a struct or of a variant.
    fn table(&self, name: &str, variant: &str, page: &mut String) {
        let properties = self.properties(name, variant);
        if properties.is_empty() {
            page.push_str("\nIt has no fields.\n");
            return;
        }
        page.push_str("\n| Field | Type | Default | Meaning |\n|---|---|---|---|\n");
        for (field, property) in properties {
            let default = match property.get("default") {
                Some(default) => self.default(property, default),
                None => "required".to_owned(),
            };
            let _ = writeln!(page, "| `{field}` | {} | {default} | {} |", kind(property), cell(&text_of(property)));
        }
    }

    /// A default as one would write it.
    fn default(&self, property: &Value, default: &Value) -> String {
        match default {
            Value::Null => "none".to_owned(),
            Value::Object(_) => "its defaults".to_owned(),
            Value::String(text) if !mentioned(property).is_empty() => format!("`{text}`"),
            _ => format!("`{}`", value(property, default)),
        }
    }
}

/// The types that a property mentions.
fn mentioned(property: &Value) -> Vec<String> {
    let own = property["$ref"].as_str().and_then(|path| path.rsplit('/').next()).map(str::to_owned);
    let inner = ["items", "anyOf"].into_iter().filter_map(|key| property.get(key));
    let several = inner.flat_map(|inner| inner.as_array().cloned().unwrap_or_else(|| vec![inner.clone()]));
    own.into_iter().chain(several.flat_map(|inner| mentioned(&inner))).collect()
}

/// A type's name on the page: `BodySpec` is a Body.
fn heading(name: &str) -> &str {
    name.strip_suffix("Spec").unwrap_or(name)
}

/// A property's type, for people.
fn kind(property: &Value) -> String {
    if let Some(name) = property["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let heading = heading(name);
        return format!("[{heading}](#{})", heading.to_lowercase());
    }
    if let Some(any) = property["anyOf"].as_array() {
        let kinds: Vec<String> = any.iter().filter(|one| one["type"] != "null").map(kind).collect();
        return kinds.join(" or ");
    }
    if property["format"] == "num" {
        return "Num".to_owned();
    }
    let named = property["type"].as_str().or_else(|| property["type"].get(0)?.as_str()).unwrap_or_default();
    match named {
        "array" => {
            let item = kind(&property["items"]);
            match property["maxItems"].as_u64() {
                Some(length) => format!("({})", vec![item; usize::try_from(length).unwrap_or(0)].join(", ")),
                None => format!("list of {item}"),
            }
        }
        "integer" => "whole number".to_owned(),
        "string" => "text".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        other => other.to_owned(),
    }
}

/// A default value in RON.
fn value(property: &Value, default: &Value) -> String {
    match default {
        Value::Array(items) => {
            let (open, close) = if property.get("maxItems").is_some() { ("(", ")") } else { ("[", "]") };
            let items: Vec<String> = items.iter().map(|item| value(&property["items"], item)).collect();
            format!("{open}{}{close}", items.join(", "))
        }
        // Single precision, as it was written.
        #[expect(clippy::cast_possible_truncation, reason = "it came from an f32")]
        Value::Number(number) if property["format"] == "float" => {
            number.as_f64().map_or_else(|| number.to_string(), |number| format!("{}", number as f32))
        }
        other => other.to_string(),
    }
}

/// A description without its line breaks and without links that lead nowhere here.
fn text_of(definition: &Value) -> String {
    let empty = Map::new();
    let text = definition.as_object().unwrap_or(&empty).get("description").and_then(Value::as_str).unwrap_or_default();
    let joined = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
    joined.replace("[`", "`").replace("`]", "`")
}

fn cell(text: &str) -> String {
    text.replace("\n\n", " ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_and_field_is_described() {
        let page = markdown();
        for (name, definition) in schema()["$defs"].as_object().unwrap() {
            assert!(page.contains(&format!("\n## {}\n", heading(name))), "{name}");
            assert!(definition["description"].is_string(), "{name} has no description");
            for field in definition["properties"].as_object().into_iter().flatten().map(|(field, _)| field) {
                assert!(page.contains(&format!("| `{field}` |")), "{name}.{field}");
            }
        }
        assert!(!page.contains("|  |"), "a field has no description");
    }

    #[test]
    fn fields_stand_in_the_order_of_the_types() {
        let page = markdown();
        let position = |field: &str| page.find(&format!("| `{field}` |")).unwrap();
        let fields = ["schema", "name", "description", "factors", "arena", "bodies", "agents", "targets", "episode"];
        assert!(fields.is_sorted_by_key(|field| position(field)));
        assert!(page.find("| `low` |") < page.find("| `high` |"));
        assert!(page.find("**`Uniform(...)`**") < page.find("**`Choice(...)`**"));
    }

    #[test]
    fn knows_what_a_field_means() {
        assert_eq!(about_field("ShapeSpec", "Disc", "radius_m").unwrap(), "the radius in metres");
        assert_eq!(about_field("Scenario", "", "arena").unwrap(), "where everything happens");
        assert_eq!(about_field("Scenario", "", "nothing"), None);
        assert_eq!(about_field("Nobody", "Is", "here"), None);
    }
}
