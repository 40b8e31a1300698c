//! Reading a scenario that is not one: every wrong name and type at once, instead of the first.
//!
//! serde's own derived code is driven over the tree. Wherever it would stop, the problem is noted and reading goes on
//! with what was probably meant, or with a stand-in whose numbers are NaN, so that nothing is concluded from them.
//! Read first: [`read`].

use super::{
    nearest::{listed, nearest},
    problem::Finding,
    reference,
    tree::{Content, Field, Group, Kind, Node, Span},
};
use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
        value::StrDeserializer,
    },
};
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    fmt,
};

/// What could be read.
pub(super) struct Reading<T> {
    /// The value, with stand-ins where nothing could be read; none where even that failed.
    pub value: Option<T>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Where every path stands.
    pub spans: HashMap<String, Span>,
}

/// Missing fields found one by one, before the reading stops looking for more.
const MOST_RETRIES: usize = 100;

/// Read a `T` from a tree, whatever is wrong with it.
pub(super) fn read<T: Deserialize<'static>>(text: &str, root: &Node) -> Reading<T> {
    let notes = Notes { text, ..Notes::default() };
    let mut value = None;
    for _ in 0..MOST_RETRIES {
        notes.passing.borrow_mut().clear();
        let here = Place { notes: &notes, path: String::new() };
        match T::deserialize(Tolerant { place: here, what: What::Node(root) }) {
            Ok(read) => value = Some(read),
            Err(Halt::Retry) => continue,
            Err(_) => {}
        }
        break;
    }
    let mut findings = notes.lasting.into_inner();
    findings.extend(notes.passing.into_inner());
    Reading { value, findings, spans: notes.spans.into_inner() }
}

/// What has been noted while reading.
#[derive(Default)]
struct Notes<'t> {
    text: &'t str,
    /// Found again on every pass.
    passing: RefCell<Vec<Finding>>,
    /// Found by a pass that could not go on.
    lasting: RefCell<Vec<Finding>>,
    /// Required fields that are missing, by the path of their struct.
    missing: RefCell<HashMap<String, Vec<&'static str>>>,
    /// Values that their type refused.
    refused: RefCell<HashSet<String>>,
    spans: RefCell<HashMap<String, Span>>,
}

/// Why a pass ended.
#[derive(Debug)]
enum Halt {
    /// What was missing is noted: read again.
    Retry,
    /// serde's derived code misses this field.
    Missing(&'static str),
    /// A value does not suit.
    Refused { found: Option<String>, expected: String },
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Halt {}

impl serde::de::Error for Halt {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Refused { found: None, expected: message.to_string() }
    }
    fn invalid_type(_: Unexpected, expected: &dyn Expected) -> Self {
        Self::Refused { found: None, expected: expected.to_string() }
    }
    fn invalid_value(found: Unexpected, expected: &dyn Expected) -> Self {
        Self::Refused { found: Some(found.to_string()), expected: expected.to_string() }
    }
    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

/// Where the reading is.
#[derive(Clone)]
struct Place<'n> {
    notes: &'n Notes<'n>,
    path: String,
}

impl Place<'_> {
    fn field(&self, name: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self { path: format!("{}{dot}{name}", self.path), ..*self }
    }

    fn index(&self, index: usize) -> Self {
        Self { path: format!("{}[{index}]", self.path), ..*self }
    }

    fn note(&self, found: impl Into<String>, expected: impl Into<String>, remedy: impl Into<String>) {
        self.notes.passing.borrow_mut().push(Finding::new(&self.path, found, expected, remedy));
    }

    fn note_at(&self, span: Span, found: impl Into<String>, expected: impl Into<String>, remedy: impl Into<String>) {
        self.notes.passing.borrow_mut().push(Finding::new(&self.path, found, expected, remedy).at(span));
    }
}

/// A value to read.
struct Tolerant<'n> {
    place: Place<'n>,
    what: What<'n>,
}

#[derive(Clone, Copy)]
enum What<'n> {
    /// A node of the tree.
    Node(&'n Node),
    /// The brackets of an enum's variant, which may be the fields of the struct inside it.
    Inside(&'n Node, &'n Content),
    /// Nothing: a stand-in.
    StandIn,
}

impl<'n> Tolerant<'n> {
    /// The node, with the brackets around a variant's only value taken off; none for a stand-in.
    fn node(&self) -> Option<&'n Node> {
        match self.what {
            What::Node(node) => Some(node),
            What::Inside(_, Content::Values(values)) if values.len() == 1 => values.first(),
            What::Inside(node, _) => Some(node),
            What::StandIn => None,
        }
    }

    /// The node to read at this place, whose span is kept; none where a stand-in must do.
    fn begin(&self) -> Option<&'n Node> {
        let node = self.node()?;
        let notes = self.place.notes;
        notes.spans.borrow_mut().entry(self.place.path.clone()).or_insert(node.span);
        (!notes.refused.borrow().contains(&self.place.path)).then_some(node)
    }

    fn wrong(&self, node: &Node, expected: &str, remedy: &str) {
        self.place.note(node.found(self.place.notes.text), expected, remedy);
    }

    fn stand_in(&self) -> Tolerant<'n> {
        Tolerant { place: self.place.clone(), what: What::StandIn }
    }

    /// A number that has to be whole and within bounds.
    fn whole(&self, low: i128, high: i128) -> Option<i128> {
        let node = self.begin()?;
        let expected = match &node.kind {
            Kind::Integer(value) if *value > high => format!("a whole number up to {high}"),
            _ if low == 0 => "a whole number, 0 or more".to_owned(),
            _ => "a whole number".to_owned(),
        };
        match &node.kind {
            Kind::Integer(value) if (low..=high).contains(value) => return Some(*value),
            Kind::Integer(value) if *value > high => self.wrong(node, &expected, "write a smaller one"),
            Kind::Integer(_) => self.wrong(node, &expected, "write it without the minus sign"),
            Kind::Float(_) => self.wrong(node, &expected, "write it without a decimal point"),
            Kind::Text(_) => self.wrong(node, &expected, "write it without quotes; expressions are not for this field"),
            _ => self.wrong(node, &expected, "write a number"),
        }
        None
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody writes a length of 2^53 metres")]
    fn real(&self) -> Option<f64> {
        let node = self.begin()?;
        match &node.kind {
            Kind::Integer(value) => return Some(*value as f64),
            Kind::Float(value) => return Some(*value),
            Kind::Text(_) => {
                self.wrong(node, "a number", "write it without quotes; expressions are not for this field");
            }
            _ => self.wrong(node, "a number", "write a number"),
        }
        None
    }

    /// A text; a bare name is taken for one that lacks its quotes.
    fn words(&self) -> Option<&'n str> {
        let node = self.begin()?;
        match &node.kind {
            Kind::Text(text) => return Some(text),
            Kind::Name(name) => {
                self.wrong(node, "a text in double quotes", &format!("write \"{name}\""));
                return Some(name);
            }
            _ => self.wrong(node, "a text in double quotes", "write a text, such as \"goal\""),
        }
        None
    }

    /// The items of a list; a single value is taken for a list of one.
    fn items(&self) -> Option<&'n [Node]> {
        let node = self.begin()?;
        match &node.kind {
            Kind::List(items) => return Some(items),
            Kind::Group(Group { name: None, content: Content::Values(items) }) => {
                self.wrong(node, "a list in square brackets", "write it as `[...]`");
                return Some(items);
            }
            Kind::Group(Group { content: Content::Fields(_), .. } | Group { name: Some(_), .. }) => {
                self.wrong(node, "a list in square brackets", "put it in square brackets: `[...]`");
                return Some(std::slice::from_ref(node));
            }
            _ => self.wrong(node, "a list in square brackets", "write `[...]`, or `[]` for an empty one"),
        }
        None
    }

    /// The values of a tuple of this length.
    fn values(&self, length: usize) -> Option<&'n [Node]> {
        let node = self.begin()?;
        let example = match length {
            2 => "(1.0, 2.0)".to_owned(),
            _ => format!("({})", vec!["..."; length].join(", ")),
        };
        let expected = format!("{length} values in round brackets");
        let remedy = format!("write them as `{example}`");
        let content = match (&node.kind, self.what) {
            (_, What::Inside(_, content)) => content,
            (Kind::Group(Group { name: None, content }), _) => content,
            (Kind::List(items), _) => {
                self.wrong(node, &expected, &remedy);
                return (items.len() == length).then_some(items);
            }
            _ => {
                self.wrong(node, &expected, &remedy);
                return None;
            }
        };
        match content {
            Content::Values(values) if values.len() == length => return Some(values),
            _ => self.wrong(node, &expected, &remedy),
        }
        None
    }

    /// The fields of this struct.
    fn fields(&self, name: &str) -> Option<&'n [Field]> {
        let node = self.begin()?;
        let expected = "fields in round brackets";
        let content = match (&node.kind, self.what) {
            (_, What::Inside(_, content)) => content,
            (Kind::Group(group), _) => {
                if let Some(written) = group.name.as_ref().filter(|written| *written != name) {
                    self.place.note(format!("`{written}(...)`"), expected, "remove the name before the bracket");
                }
                &group.content
            }
            _ => {
                self.wrong(node, expected, "write `(field: value, ...)`");
                return None;
            }
        };
        match content {
            Content::Fields(fields) => return Some(fields),
            Content::Empty => return Some(&[]),
            Content::Values(_) => self.wrong(node, expected, "write each field as `name: value`"),
        }
        None
    }

    /// Read a struct, or a variant like one. `variant` is empty for a struct.
    fn read_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        variant: &str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Halt> {
        let Some(written) = self.fields(name) else {
            let stand_ins = fields.iter().map(|field| (*field, self.place.field(field), What::StandIn)).collect();
            return visitor.visit_map(Entries { entries: stand_ins, next: None });
        };
        let mut entries = self.match_fields(fields, written);
        let missing = self.place.notes.missing.borrow().get(&self.place.path).cloned().unwrap_or_default();
        entries.extend(missing.iter().map(|field| (*field, self.place.field(field), What::StandIn)));
        match visitor.visit_map(Entries { entries, next: None }) {
            Err(Halt::Missing(field)) => {
                let remedy = match reference::about_field(name, variant, field) {
                    Some(meaning) => format!("add `{field}: ...` ({meaning})"),
                    None => format!("add `{field}: ...`"),
                };
                let expected = format!("the field `{field}`, which has no default");
                let finding = Finding::new(self.place.field(field).path, "nothing", expected, remedy);
                let finding = match self.node() {
                    Some(node) => finding.at(opening(self.place.notes.text, node.span)),
                    None => finding,
                };
                let notes = self.place.notes;
                notes.lasting.borrow_mut().push(finding);
                notes.missing.borrow_mut().entry(self.place.path.clone()).or_default().push(field);
                Err(Halt::Retry)
            }
            result => result,
        }
    }

    /// The struct's fields as written, the misspelt ones under the name that was probably meant.
    fn match_fields(&self, fields: &'static [&'static str], written: &'n [Field]) -> Vec<Entry<'n>> {
        let mut entries: Vec<Entry<'n>> = Vec::new();
        let mut unknown = Vec::new();
        for field in written {
            match fields.iter().find(|name| **name == field.name) {
                Some(name) if entries.iter().any(|(other, ..)| other == name) => {
                    let place = self.place.field(name);
                    place.note_at(field.span, format!("a second `{name}`"), "each field once", "remove one of them");
                }
                Some(name) => entries.push((name, self.place.field(name), What::Node(&field.value))),
                None => unknown.push(field),
            }
        }
        for field in unknown {
            let free = fields.iter().copied().filter(|name| entries.iter().all(|(other, ..)| other != name));
            let place = self.place.field(&field.name);
            let found = format!("the unknown field `{}`", field.name);
            if let Some(meant) = nearest(&field.name, free) {
                place.note_at(field.span, found, "a known one", format!("did you mean `{meant}`?"));
                entries.push((meant, self.place.field(meant), What::Node(&field.value)));
            } else if fields.is_empty() {
                place.note_at(field.span, found, "no fields here", "remove it");
            } else {
                place.note_at(field.span, found, listed(fields.iter().copied()), "remove it or correct its name");
            }
        }
        entries
    }

    /// What a type said about a value that it refused: noted, and a stand-in put there for the next pass.
    fn refuse<T>(&self, node: &Node, result: Result<T, Halt>) -> Result<T, Halt> {
        let Err(Halt::Refused { found, expected }) = result else { return result };
        let notes = self.place.notes;
        let found = found.unwrap_or_else(|| node.found(notes.text));
        let remedy = "write one of that kind";
        notes.lasting.borrow_mut().push(Finding::new(&self.place.path, found, expected, remedy));
        // A type that refuses stand-ins too would be asked for ever.
        if notes.refused.borrow_mut().insert(self.place.path.clone()) {
            Err(Halt::Retry)
        } else {
            Err(Halt::Refused { found: None, expected: String::new() })
        }
    }
}

/// Up to a struct's opening bracket, or the first character of it.
fn opening(text: &str, span: Span) -> Span {
    let written = text.get(span.begin..span.end).unwrap_or_default();
    let length = written.find('(').map_or(1, |bracket| bracket + 1);
    Span { begin: span.begin, end: span.begin + length }
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $type:ty),* $(,)?) => {
        $(
            fn $method<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
                let value = self.whole(<$type>::MIN.into(), <$type>::MAX.into());
                visitor.$visit(value.and_then(|value| <$type>::try_from(value).ok()).unwrap_or_default())
            }
        )*
    };
}

impl Deserializer<'static> for Tolerant<'_> {
    type Error = Halt;

    whole_numbers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
    }

    /// Types that take several kinds of value, such as [`forethought_interface::Num`].
    fn deserialize_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        let Some(node) = self.begin() else { return visitor.visit_f64(f64::NAN) };
        let expected = (&visitor as &dyn Expected).to_string();
        let result = match &node.kind {
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Integer(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => visitor.visit_i64(value),
                (_, Ok(value)) => visitor.visit_u64(value),
                #[expect(clippy::cast_precision_loss, reason = "a number beyond every bound")]
                _ => visitor.visit_f64(*value as f64),
            },
            Kind::Float(value) => visitor.visit_f64(*value),
            Kind::Text(text) => visitor.visit_str(text),
            Kind::Name(name) => {
                self.place.note(node.found(self.place.notes.text), expected, format!("write it in quotes: \"{name}\""));
                return visitor.visit_str(name);
            }
            _ => Err(Halt::Refused { found: None, expected }),
        };
        self.refuse(node, result)
    }

    fn deserialize_bool<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        let value = match self.begin() {
            Some(Node { kind: Kind::Bool(value), .. }) => *value,
            Some(node) => {
                self.wrong(node, "`true` or `false`", "write one of them");
                false
            }
            None => false,
        };
        visitor.visit_bool(value)
    }

    #[expect(clippy::cast_possible_truncation, reason = "what is too large becomes infinite and is reported as that")]
    fn deserialize_f32<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        visitor.visit_f32(self.real().unwrap_or(f64::NAN) as f32)
    }

    fn deserialize_f64<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        visitor.visit_f64(self.real().unwrap_or(f64::NAN))
    }

    fn deserialize_char<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        let letter = match self.begin() {
            Some(Node { kind: Kind::Char(letter), .. }) => *letter,
            Some(node) => {
                self.wrong(node, "a letter in single quotes", "write it as 'a'");
                'x'
            }
            None => 'x',
        };
        visitor.visit_char(letter)
    }

    fn deserialize_str<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        visitor.visit_str(self.words().unwrap_or_default())
    }

    fn deserialize_string<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        visitor.visit_bytes(self.words().unwrap_or_default().as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        match self.begin().map(|node| &node.kind) {
            None => visitor.visit_none(),
            Some(Kind::Name(name)) if name == "None" => visitor.visit_none(),
            Some(Kind::Group(Group { name: Some(name), content: Content::Values(values) }))
                if name == "Some" && values.len() == 1 =>
            {
                visitor.visit_some(Tolerant { place: self.place, what: What::Node(&values[0]) })
            }
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        if let Some(node) = self.begin()
            && !matches!(&node.kind, Kind::Group(Group { content: Content::Empty, .. }))
        {
            self.wrong(node, "empty brackets `()`", "write `()`");
        }
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'static>>(self, name: &'static str, visitor: V) -> Result<V::Value, Halt> {
        if let Some(node) = self.begin()
            && !matches!(&node.kind, Kind::Name(written) if written == name)
        {
            self.wrong(node, &format!("`{name}`"), "write it as it stands here");
        }
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(self, _: &'static str, visitor: V) -> Result<V::Value, Halt> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        let items = self.items().unwrap_or_default();
        let whats = items.iter().map(What::Node).collect();
        visitor.visit_seq(Items::new(self.place, whats))
    }

    fn deserialize_tuple<V: Visitor<'static>>(self, length: usize, visitor: V) -> Result<V::Value, Halt> {
        let whats = match self.values(length) {
            Some(values) => values.iter().map(What::Node).collect(),
            None => vec![What::StandIn; length],
        };
        visitor.visit_seq(Items::new(self.place, whats))
    }

    fn deserialize_tuple_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Halt> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        let entries = match self.begin() {
            Some(Node { kind: Kind::Map(entries), .. }) => &entries[..],
            Some(node) => {
                self.wrong(node, "a map `{...}`", "write `{key: value}`");
                &[]
            }
            None => &[],
        };
        visitor.visit_map(Pairs { place: self.place, entries, index: 0 })
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Halt> {
        self.read_struct(name, "", fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'static>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Halt> {
        let first = variants.first().copied().unwrap_or_default();
        let stand_in = |this: &Self| Variant { name, variant: first, value: this.stand_in(), content: None };
        let Some(node) = self.begin() else { return visitor.visit_enum(stand_in(&self)) };
        let (written, content) = match &node.kind {
            Kind::Name(written) => (written, None),
            Kind::Group(Group { name: Some(written), content }) => (written, Some(content)),
            Kind::Text(written) if variants.contains(&written.as_str()) => {
                self.wrong(node, &format!("`{written}` without quotes"), "remove the quotes");
                (written, None)
            }
            _ => {
                self.wrong(node, &listed(variants.iter().copied()), "write one of these names first");
                return visitor.visit_enum(stand_in(&self));
            }
        };
        if let Some(variant) = variants.iter().find(|variant| *variant == written) {
            return visitor.visit_enum(Variant { name, variant, value: self, content });
        }
        let span = Span { begin: node.span.begin, end: node.span.begin + written.len() };
        let expected = listed(variants.iter().copied());
        let found = format!("`{written}`");
        let meant = nearest(written, variants.iter().copied());
        match meant.and_then(|meant| variants.iter().find(|variant| **variant == meant)) {
            Some(variant) => {
                self.place.note_at(span, found, expected, format!("did you mean `{variant}`?"));
                visitor.visit_enum(Variant { name, variant, value: self, content })
            }
            None => {
                self.place.note_at(span, found, expected, "write one of these");
                visitor.visit_enum(stand_in(&self))
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Halt> {
        visitor.visit_unit()
    }
}

/// A field's name, its place and its value.
type Entry<'n> = (&'static str, Place<'n>, What<'n>);

/// The fields of a struct.
struct Entries<'n> {
    entries: Vec<Entry<'n>>,
    next: Option<(Place<'n>, What<'n>)>,
}

impl<'n> MapAccess<'static> for Entries<'n> {
    type Error = Halt;

    fn next_key_seed<K: DeserializeSeed<'static>>(&mut self, seed: K) -> Result<Option<K::Value>, Halt> {
        if self.entries.is_empty() {
            return Ok(None);
        }
        let (name, place, what) = self.entries.remove(0);
        self.next = Some((place, what));
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'static>>(&mut self, seed: V) -> Result<V::Value, Halt> {
        match self.next.take() {
            Some((place, what)) => seed.deserialize(Tolerant { place, what }),
            None => Err(Halt::Retry),
        }
    }
}

/// The items of a list or tuple.
struct Items<'n> {
    place: Place<'n>,
    whats: std::vec::IntoIter<What<'n>>,
    index: usize,
}

impl<'n> Items<'n> {
    fn new(place: Place<'n>, whats: Vec<What<'n>>) -> Self {
        Self { place, whats: whats.into_iter(), index: 0 }
    }
}

impl SeqAccess<'static> for Items<'_> {
    type Error = Halt;

    fn next_element_seed<T: DeserializeSeed<'static>>(&mut self, seed: T) -> Result<Option<T::Value>, Halt> {
        let Some(what) = self.whats.next() else { return Ok(None) };
        let place = self.place.index(self.index);
        self.index += 1;
        seed.deserialize(Tolerant { place, what }).map(Some)
    }
}

/// The entries of a map.
struct Pairs<'n> {
    place: Place<'n>,
    entries: &'n [(Node, Node)],
    index: usize,
}

impl Pairs<'_> {
    fn place(&self) -> Self {
        Pairs { place: self.place.index(self.index), entries: self.entries, index: self.index }
    }
}

impl MapAccess<'static> for Pairs<'_> {
    type Error = Halt;

    fn next_key_seed<K: DeserializeSeed<'static>>(&mut self, seed: K) -> Result<Option<K::Value>, Halt> {
        let Some((key, _)) = self.entries.get(self.index) else { return Ok(None) };
        seed.deserialize(Tolerant { place: self.place().place, what: What::Node(key) }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'static>>(&mut self, seed: V) -> Result<V::Value, Halt> {
        let Some((_, value)) = self.entries.get(self.index) else { return Err(Halt::Retry) };
        let place = self.place().place;
        self.index += 1;
        seed.deserialize(Tolerant { place, what: What::Node(value) })
    }
}

/// A variant of an enum, and what stands in its brackets if it has any.
struct Variant<'n> {
    name: &'static str,
    variant: &'static str,
    value: Tolerant<'n>,
    content: Option<&'n Content>,
}

impl<'n> Variant<'n> {
    /// The variant's brackets. A variant written without them is taken for one with nothing in them.
    fn inside(self, fields: &str) -> Tolerant<'n> {
        let Self { variant, value, content, .. } = self;
        let what = match (value.node(), content) {
            (Some(node), Some(content)) => What::Inside(node, content),
            (Some(node), None) => {
                let expected = format!("`{variant}(...)`");
                value.wrong(node, &expected, &format!("write `{variant}({fields})`"));
                What::Inside(node, &Content::Empty)
            }
            (None, _) => What::StandIn,
        };
        Tolerant { place: value.place, what }
    }
}

impl<'n> EnumAccess<'static> for Variant<'n> {
    type Error = Halt;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'static>>(self, seed: V) -> Result<(V::Value, Self), Halt> {
        let variant = seed.deserialize(StrDeserializer::new(self.variant))?;
        Ok((variant, self))
    }
}

impl VariantAccess<'static> for Variant<'_> {
    type Error = Halt;

    fn unit_variant(self) -> Result<(), Halt> {
        if let (Some(node), Some(_)) = (self.value.node(), self.content) {
            self.value.wrong(node, &format!("`{}` alone", self.variant), "remove the brackets after it");
        }
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'static>>(self, seed: T) -> Result<T::Value, Halt> {
        seed.deserialize(self.inside(""))
    }

    fn tuple_variant<V: Visitor<'static>>(self, length: usize, visitor: V) -> Result<V::Value, Halt> {
        self.inside("...").deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Halt> {
        let (name, variant) = (self.name, self.variant);
        let written = fields.iter().map(|field| format!("{field}: ...")).collect::<Vec<_>>().join(", ");
        self.inside(&written).read_struct(name, variant, fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Scenario, tree};

    const TWO_ROOMS: &str = include_str!("../../../../scenarios/two_rooms.ron");

    fn read_scenario(text: &str) -> Reading<Scenario> {
        read(text, &tree::parse(text).unwrap())
    }

    #[test]
    fn a_sound_scenario_is_read_as_ron_reads_it() {
        let reading = read_scenario(TWO_ROOMS);
        let loaded = crate::scenario::parse(TWO_ROOMS, std::path::Path::new("two_rooms.ron")).unwrap();
        assert_eq!(reading.findings, []);
        assert_eq!(reading.value.unwrap(), loaded.scenario);
        for (path, text) in [
            ("factors[2].draw.high", "\"wall_x - 0.8\""),
            ("bodies[0].shape.doors[0].at_m", "\"door_y\""),
            ("bodies[0].position_m[1]", "5.0"),
            ("agents[0].sensors[1].rays", "32"),
            ("agents[0].drives[0].target", "\"goal\""),
            ("episode.success[0]", "Reached(agent: \"agent\", target: \"goal\")"),
        ] {
            let span = reading.spans[path];
            assert_eq!(&TWO_ROOMS[span.begin..span.end], text, "{path}");
        }
    }

    /// What could not be read is NaN or empty, and what was misspelt is read all the same.
    #[test]
    fn reads_on_after_every_mistake() {
        let text = TWO_ROOMS
            .replace("position_m: (\"wall_x\", 5.0)", "positon_m: (\"wall_x\", [5.0])")
            .replace("Disc(radius_m: 0.3)", "Disk(radius: 0.3)")
            .replace("max_steps: 200", "max_steps: -200")
            .replace("radius_m: 0.5)", ")");
        let reading = read_scenario(&text);
        let mut paths: Vec<&str> = reading.findings.iter().map(|finding| finding.path.as_str()).collect();
        paths.sort_unstable();
        let expected = [
            "agents[0].shape",
            "agents[0].shape.radius",
            "bodies[0].position_m[1]",
            "bodies[0].positon_m",
            "episode.max_steps",
            "targets[0].radius_m",
        ];
        assert_eq!(paths, expected);
        let scenario = reading.value.unwrap();
        assert_eq!(scenario.agents[0].shape, forethought_world::ShapeSpec::Disc { radius_m: 0.3.into() });
        assert!(scenario.targets[0].radius_m.value().is_nan());
        assert_eq!(scenario.episode.max_steps, 0);
    }
}
