//! RON as a tree that remembers where everything stands, for messages; [`ron`] itself reads scenarios.
//! Read first: [`Node`] and [`parse`].

use super::problem::Finding;

/// A piece of the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub begin: usize,
    pub end: usize,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Char(char),
    Bytes,
    /// A name without brackets, such as `Walls`.
    Name(String),
    /// Brackets, perhaps after a name: `(x: 1)`, `Disc(radius_m: 1)`, `(1, 2)`, `()`.
    Group(Group),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub name: Option<String>,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Empty,
    Fields(Vec<Field>),
    Values(Vec<Node>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub name: String,
    pub span: Span,
    pub value: Node,
}

impl Node {
    /// What stands there, in a few words.
    pub fn found(&self, text: &str) -> String {
        let short = |what: &str| {
            let slice = text.get(self.span.begin..self.span.end).unwrap_or_default();
            let line = slice.lines().next().unwrap_or_default();
            let shown: String = line.chars().filter(|c| !c.is_control()).take(40).collect();
            if shown.len() == slice.len() { format!("{what}{shown}") } else { format!("{what}{shown}...") }
        };
        match &self.kind {
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => short(""),
            Kind::Text(_) => short("the text "),
            Kind::Char(_) => short("the letter "),
            Kind::Bytes => "a byte string".to_owned(),
            Kind::Name(name) => format!("`{name}`"),
            Kind::List(items) if items.is_empty() => "an empty list `[]`".to_owned(),
            Kind::List(_) => "a list `[...]`".to_owned(),
            Kind::Map(_) => "a map `{...}`".to_owned(),
            Kind::Group(Group { name: Some(name), content: Content::Empty }) => format!("`{name}()`"),
            Kind::Group(Group { name: Some(name), .. }) => format!("`{name}(...)`"),
            Kind::Group(Group { content: Content::Empty, .. }) => "empty brackets `()`".to_owned(),
            Kind::Group(Group { content: Content::Values(values), .. }) if values.len() == 1 => {
                "brackets around one value".to_owned()
            }
            Kind::Group(Group { content: Content::Values(values), .. }) => {
                format!("{} values in brackets", values.len())
            }
            Kind::Group(_) => "fields in brackets `(...)`".to_owned(),
        }
    }
}

/// Brackets in brackets in brackets: as deep as [`ron`] goes.
const DEEPEST: usize = 128;

/// Read the whole text.
pub(super) fn parse(text: &str) -> Result<Node, Finding> {
    let mut parser = Parser { text, at: 0, open: Vec::new() };
    parser.skip_space()?;
    while parser.rest().starts_with("#!") {
        parser.attribute()?;
        parser.skip_space()?;
    }
    if parser.rest().is_empty() {
        let remedy = "write one, beginning with `(schema: 1, name: \"...\", ...`; see docs/scenario-reference.md";
        let found = if text.trim().is_empty() { "an empty file" } else { "a file of nothing but comments" };
        return Err(parser.fault(found, "a scenario in brackets", remedy));
    }
    let node = parser.value()?;
    parser.skip_space()?;
    if parser.rest().is_empty() {
        return Ok(node);
    }
    let remedy = "remove it, or find the bracket that closes the scenario too early";
    Err(parser.fault(parser.next_word(), "the end of the file, because the scenario ended before", remedy))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// The brackets that are open, and where they were opened.
    open: Vec<(char, usize)>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, expected: char) -> bool {
        let there = self.peek() == Some(expected);
        if there {
            self.at += expected.len_utf8();
        }
        there
    }

    fn take_while(&mut self, mut accept: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !accept(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn span_from(&self, begin: usize) -> Span {
        Span { begin, end: self.at }
    }

    fn fault(&self, found: impl Into<String>, expected: impl Into<String>, remedy: impl Into<String>) -> Finding {
        let word = self.rest().find(|c: char| !is_name(c)).unwrap_or(self.rest().len()).max(1);
        Finding::new("", found, expected, remedy).at(Span { begin: self.at, end: self.at + word })
    }

    /// The next word or sign, for messages.
    fn next_word(&self) -> String {
        let word: String = self.rest().chars().take_while(|c| is_name(*c)).take(40).collect();
        match self.peek() {
            None => "the end of the file".to_owned(),
            Some(sign) if word.is_empty() => format!("`{}`", sign.escape_debug()),
            Some(_) => format!("`{word}`"),
        }
    }

    fn line_of(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    fn skip_space(&mut self) -> Result<(), Finding> {
        loop {
            // As ron: spaces of Unicode's Pattern_White_Space.
            self.take_while(|c| c.is_ascii_whitespace() || "\u{b}\u{85}\u{200e}\u{200f}\u{2028}\u{2029}".contains(c));
            if self.rest().starts_with("//") {
                self.take_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                self.block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    fn block_comment(&mut self) -> Result<(), Finding> {
        let begin = self.at;
        let mut depth = 0;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(());
                }
            } else if let Some(c) = rest.chars().next() {
                self.at += c.len_utf8();
            } else {
                let span = Span { begin, end: begin + 2 };
                let finding =
                    Finding::new("", "a comment without end", "`*/` somewhere after `/*`", "close the comment");
                return Err(finding.at(span));
            }
        }
    }

    /// `#![enable(...)]`
    fn attribute(&mut self) -> Result<(), Finding> {
        self.take_while(|c| c != ']' && c != '\n');
        if self.take(']') {
            return Ok(());
        }
        Err(self.fault("an attribute without end", "`#![enable(...)]`", "remove it: scenarios need no attributes"))
    }

    fn value(&mut self) -> Result<Node, Finding> {
        let begin = self.at;
        let kind = match self.peek() {
            Some('(') => Kind::Group(Group { name: None, content: self.group()? }),
            Some('[') => Kind::List(self.list()?),
            Some('{') => Kind::Map(self.map()?),
            Some('"') => Kind::Text(self.text()?),
            Some('\'') => Kind::Char(self.letter()?),
            Some(c) if c.is_ascii_digit() || "+-.".contains(c) => self.number()?,
            Some(c) if c.is_alphabetic() || c == '_' => self.word()?,
            None => return Err(self.ended()),
            Some(_) => {
                let remedy = match self.open.last() {
                    Some(_) if self.peek() == Some(',') => "remove one comma, or write the value before it",
                    Some(_) if ")]}".contains(self.peek().unwrap_or_default()) => {
                        "write the value, or remove the name before it"
                    }
                    _ => "write a value; texts and expressions stand in double quotes",
                };
                return Err(self.fault(self.next_word(), "a value", remedy));
            }
        };
        Ok(Node { span: self.span_from(begin), kind })
    }

    /// The file has ended within brackets or before a value.
    fn ended(&self) -> Finding {
        match self.open.last() {
            Some((bracket, begin)) => {
                let expected = format!("`{}` to close `{bracket}`", closing(*bracket));
                let remedy = "close it where its content ends";
                let found = "a bracket that is never closed";
                Finding::new("", found, expected, remedy).at(Span { begin: *begin, end: begin + 1 })
            }
            None => self.fault("the end of the file", "a value", "write the value"),
        }
    }

    fn enter(&mut self) -> Result<(), Finding> {
        let bracket = self.peek().unwrap_or_default();
        if self.open.len() >= DEEPEST {
            let expected = format!("at most {DEEPEST}");
            return Err(self.fault("too many brackets inside each other", expected, "nest the values less deeply"));
        }
        self.open.push((bracket, self.at));
        self.at += 1;
        self.skip_space()
    }

    /// After an item: true where another may follow, false after the closing bracket.
    fn goes_on(&mut self) -> Result<bool, Finding> {
        self.skip_space()?;
        let Some((bracket, begin)) = self.open.last().copied() else { return Ok(false) };
        let comma = self.take(',');
        self.skip_space()?;
        if self.take(closing(bracket)) {
            self.open.pop();
            return Ok(false);
        }
        if comma {
            return Ok(true);
        }
        let Some(next) = self.peek() else { return Err(self.ended()) };
        let after_text = self.text[..self.at].trim_end().ends_with('"');
        let expected =
            format!("`,` or the `{}` that closes the `{bracket}` of line {}", closing(bracket), self.line_of(begin));
        let remedy = match next {
            '+' | '-' | '*' | '/' | '^' => "write expressions in quotes, such as \"wall_x + 0.2\"",
            ')' | ']' | '}' => "close the brackets in the order in which they were opened",
            ':' => "write fields as `name: value`, inside round brackets",
            _ if after_text => "put a comma before it, or close the text that was meant to end earlier",
            _ => "put a comma before it",
        };
        Err(self.fault(self.next_word(), expected, remedy))
    }

    /// The rest of an empty pair of brackets.
    fn closes(&mut self) -> bool {
        let closes = self.open.last().is_some_and(|(bracket, _)| self.peek() == Some(closing(*bracket)));
        if closes {
            self.at += 1;
            self.open.pop();
        }
        closes
    }

    fn group(&mut self) -> Result<Content, Finding> {
        self.enter()?;
        if self.closes() {
            return Ok(Content::Empty);
        }
        let (mut fields, mut values) = (Vec::new(), Vec::new());
        loop {
            match self.field_name()? {
                Some((name, span)) => fields.push(Field { name, span, value: self.value()? }),
                None => values.push(self.value()?),
            }
            if let (Some(value), false) = (values.first(), fields.is_empty()) {
                return Err(self.nameless(value));
            }
            if !self.goes_on()? {
                break;
            }
        }
        Ok(if fields.is_empty() { Content::Values(values) } else { Content::Fields(fields) })
    }

    /// A value without a name among fields that have theirs; mostly a colon is missing.
    fn nameless(&self, value: &Node) -> Finding {
        let word = match &value.kind {
            Kind::Name(name) | Kind::Group(Group { name: Some(name), .. }) => Some(name),
            _ => None,
        };
        let (found, remedy) = match word {
            Some(name) => (format!("`{name}` without a colon"), format!("write `{name}: ...`")),
            None => (value.found(self.text), "write the field's name and a colon before it".to_owned()),
        };
        let begin = value.span.begin;
        let end = word.map_or(value.span.end, |name| begin + name.len());
        Finding::new("", found, "a field as `name: value`, like those beside it", remedy).at(Span { begin, end })
    }

    /// `name:`, if that is what follows; the parser then stands before the value.
    fn field_name(&mut self) -> Result<Option<(String, Span)>, Finding> {
        let begin = self.at;
        let raw = self.rest().starts_with("r#") && self.rest()[2..].starts_with(is_name);
        if raw {
            self.at += 2;
        }
        let name = self.take_while(is_name);
        let span = self.span_from(begin);
        self.skip_space()?;
        let is_field = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && self.take(':');
        if is_field {
            self.skip_space()?;
            return Ok(Some((name.to_owned(), span)));
        }
        self.at = begin;
        Ok(None)
    }

    fn list(&mut self) -> Result<Vec<Node>, Finding> {
        self.enter()?;
        let mut items = Vec::new();
        if self.closes() {
            return Ok(items);
        }
        loop {
            items.push(self.value()?);
            if !self.goes_on()? {
                return Ok(items);
            }
        }
    }

    fn map(&mut self) -> Result<Vec<(Node, Node)>, Finding> {
        self.enter()?;
        let mut entries = Vec::new();
        if self.closes() {
            return Ok(entries);
        }
        loop {
            let key = self.value()?;
            self.skip_space()?;
            if !self.take(':') {
                return Err(self.fault(self.next_word(), "`:` after a map's key", "write `key: value`"));
            }
            self.skip_space()?;
            entries.push((key, self.value()?));
            if !self.goes_on()? {
                return Ok(entries);
            }
        }
    }

    /// A word: a name, a name before brackets, a truth value, a raw or byte text, or a number such as `inf`.
    fn word(&mut self) -> Result<Kind, Finding> {
        let begin = self.at;
        let rest = self.rest();
        let prefixed = |prefix: &str, next: &str| rest.strip_prefix(prefix).is_some_and(|r| r.starts_with(next));
        if prefixed("r", "\"") || prefixed("r", "#\"") || prefixed("r", "##") {
            self.at += 1;
            return Ok(Kind::Text(self.raw_text(begin)?));
        }
        if prefixed("b", "\"") || prefixed("b", "'") {
            self.at += 1;
            return if self.peek() == Some('"') {
                self.text().map(|_| Kind::Bytes)
            } else {
                self.letter().map(|_| Kind::Bytes)
            };
        }
        if prefixed("br", "\"") || prefixed("br", "#") {
            self.at += 2;
            return self.raw_text(begin).map(|_| Kind::Bytes);
        }
        if prefixed("r", "#") {
            self.at += 2;
        }
        let name = self.take_while(is_name).to_owned();
        match name.as_str() {
            "true" => return Ok(Kind::Bool(true)),
            "false" => return Ok(Kind::Bool(false)),
            "inf" | "inff32" | "inff64" => return Ok(Kind::Float(f64::INFINITY)),
            "NaN" | "NaNf32" | "NaNf64" => return Ok(Kind::Float(f64::NAN)),
            _ => {}
        }
        let end = self.at;
        self.skip_space()?;
        if self.peek() == Some('(') {
            return Ok(Kind::Group(Group { name: Some(name), content: self.group()? }));
        }
        self.at = end;
        Ok(Kind::Name(name))
    }

    fn number(&mut self) -> Result<Kind, Finding> {
        let begin = self.at;
        let mut before = ' ';
        self.take_while(|c| {
            let sign = "+-".contains(c) && (before == ' ' || "eE".contains(before));
            before = c;
            sign || c.is_ascii_alphanumeric() || c == '_' || c == '.'
        });
        let written = &self.text[begin..self.at];
        number(written).ok_or_else(|| {
            let finding = Finding::new("", format!("`{written}`"), "a number", "write it as 12, -0.5 or 1.5e3");
            finding.at(self.span_from(begin))
        })
    }

    fn unclosed(&self, begin: usize, what: &str) -> Finding {
        let finding = Finding::new("", format!("{what} that is never closed"), "a closing quote", "add it");
        finding.at(Span { begin, end: begin + 1 })
    }

    fn text(&mut self) -> Result<String, Finding> {
        let begin = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != '"' && c != '\\'));
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(_) => text.extend(self.escape()?),
                None => return Err(self.unclosed(begin, "a text")),
            }
        }
    }

    fn raw_text(&mut self, begin: usize) -> Result<String, Finding> {
        let end = format!("\"{}", self.take_while(|c| c == '#'));
        if !self.take('"') {
            return Err(self.fault(self.next_word(), "`\"` after `r#`", "write raw texts as r#\"...\"#"));
        }
        let Some(length) = self.rest().find(&end) else { return Err(self.unclosed(begin, "a raw text")) };
        let text = self.rest()[..length].to_owned();
        self.at += length + end.len();
        Ok(text)
    }

    fn letter(&mut self) -> Result<char, Finding> {
        let begin = self.at;
        self.at += 1;
        let letter = match self.peek() {
            Some('\\') => self.escape()?.unwrap_or_default(),
            Some(c) => {
                self.at += c.len_utf8();
                c
            }
            None => return Err(self.unclosed(begin, "a letter")),
        };
        if self.take('\'') {
            return Ok(letter);
        }
        let remedy = "write texts in double quotes";
        let finding = Finding::new("", "a single quote", "a text in double quotes", remedy);
        Err(finding.at(Span { begin, end: begin + 1 }))
    }

    /// The letter of an escape; none for an escaped end of line, which only joins two lines.
    fn escape(&mut self) -> Result<Option<char>, Finding> {
        let begin = self.at;
        self.at += 1;
        let sign = self.peek();
        self.at += sign.map_or(0, char::len_utf8);
        let letter = match sign {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('0') => Some('\0'),
            Some(c @ ('"' | '\'' | '\\')) => Some(c),
            Some('\n' | '\r') => {
                self.take_while(|c| c.is_ascii_whitespace());
                return Ok(None);
            }
            Some('x') => {
                let digits: String = self.rest().chars().take(2).collect();
                let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 2);
                self.at += if code.is_some() { 2 } else { 0 };
                code.and_then(char::from_u32)
            }
            Some('u') if self.take('{') => {
                let code = u32::from_str_radix(self.take_while(|c| c.is_ascii_hexdigit()), 16).ok();
                code.filter(|_| self.take('}')).and_then(char::from_u32)
            }
            _ => None,
        };
        letter.map(Some).ok_or_else(|| {
            let remedy = "write `\\\\` for a backslash, or use a raw text r\"...\"";
            let expected = "an escape such as `\\n`, `\\\"` or `\\u{e9}`";
            Finding::new("", "a backslash that escapes nothing", expected, remedy).at(self.span_from(begin))
        })
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn closing(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// A number as [`ron`] writes it: underscores, other bases, exponents and type suffixes included.
fn number(written: &str) -> Option<Kind> {
    const SUFFIXES: [&str; 12] = ["i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128", "f32", "f64"];
    let plain: String = written.chars().filter(|c| *c != '_').collect();
    let unsigned = plain.trim_start_matches(['+', '-']);
    if plain.len() - unsigned.len() > 1 || unsigned.is_empty() {
        return None;
    }
    let negative = plain.starts_with('-');
    match unsigned {
        "inf" | "inff32" | "inff64" => {
            return Some(Kind::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }));
        }
        "NaN" | "NaNf32" | "NaNf64" => return Some(Kind::Float(f64::NAN)),
        _ => {}
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let signed = |value: i128| Some(Kind::Integer(if negative { -value } else { value }));
    for (prefix, base) in [("0x", 16), ("0b", 2), ("0o", 8)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            let bare = SUFFIXES.iter().find_map(|suffix| digits.strip_suffix(suffix)).unwrap_or(digits);
            let value = i128::from_str_radix(bare, base).or_else(|_| i128::from_str_radix(digits, base));
            return value.ok().and_then(signed);
        }
    }
    let bare = SUFFIXES.iter().find_map(|suffix| unsigned.strip_suffix(suffix)).unwrap_or(unsigned);
    if bare.bytes().all(|byte| byte.is_ascii_digit())
        && !unsigned.ends_with("f32")
        && !unsigned.ends_with("f64")
        && let Ok(value) = bare.parse()
    {
        return signed(value);
    }
    let value: f64 = bare.parse().ok()?;
    Some(Kind::Float(if negative { -value } else { value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that ron reads into a value, the tree reads too, and the other way round.
    #[test]
    fn agrees_with_ron() {
        let good = [
            "1",
            "-1",
            "+1",
            "1_000",
            "0x1F",
            "-0b101",
            "0o17",
            "1.5",
            ".5",
            "5.",
            "1e3",
            "1.5E-3",
            "1u8",
            "2.0f32",
            "inf",
            "-inf",
            "NaN",
            "true",
            "\"a\\n\\\"b\\u{e9}\\x41\"",
            "r\"a\\b\"",
            "r#\"a\"b\"#",
            "'x'",
            "'\\n'",
            "[]",
            "[1, 2,]",
            "()",
            "(1, 2)",
            "(a: 1, b: (c: 2),)",
            "Name",
            "Name(a: 1)",
            "Name()",
            "{\"a\": 1, \"b\": 2}",
            "Some(1)",
            "None",
            "// one\n1 /* two /* three */ */",
            "#![enable(implicit_some)]\n1",
            "(r#type: 1)",
            "\"line\\\n   joined\"",
            "é",
            "( a : Disc ( radius : 1 ) )",
            "b\"bytes\"",
            "[[[1]]]",
        ];
        for text in good {
            assert!(ron::from_str::<ron::Value>(text).is_ok() || text == "é", "{text}");
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
        let bad = [
            "",
            "  // only",
            "(",
            ")",
            "(a: 1",
            "(a: 1]",
            "[1 2]",
            "(a 1)",
            "\"open",
            "'",
            "'ab'",
            "1.2.3",
            "--1",
            "0xZ",
            "\"\\q\"",
            "/* open",
            "1 2",
            "(a: )",
            "(,)",
            "[,]",
            "@",
            "(a: 1, 2)",
            "{1}",
            "r#\"open\"",
            "+",
            "0x",
            "1a",
            "(a: b + c)",
        ];
        for text in bad {
            assert!(ron::from_str::<ron::Value>(text).is_err() || text == "1a", "{text}");
            assert!(parse(text).is_err(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&deep(100)).is_ok());
        assert!(parse(&deep(1_000_000)).unwrap_err().found.contains("too many brackets"));
    }

    #[test]
    fn knows_where_everything_stands() {
        let text = "(ab: 1,\n c: Disc(r: [2.5, \"x\"]))";
        let Kind::Group(Group { content: Content::Fields(fields), .. }) = parse(text).unwrap().kind else { panic!() };
        let shown = |span: Span| &text[span.begin..span.end];
        assert_eq!((shown(fields[0].span), shown(fields[0].value.span)), ("ab", "1"));
        assert_eq!(shown(fields[1].value.span), "Disc(r: [2.5, \"x\"])");
    }
}
