//! What is wrong with a scenario file, for people and for programs. Read first: [`ScenarioErrors`].

use super::tree::Span;
use serde::Serialize;
use std::fmt;

/// Everything that is wrong with a scenario file, in the file's order. As JSON it is the list of its problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ScenarioErrors {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a scenario file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from 1; 0 where the problem is the file itself.
    pub line: usize,
    /// The column in characters, counted from 1; 0 where the problem is the file itself.
    pub column: usize,
    /// The place in the scenario, for example `bodies[0].shape.radius_m`; empty for the whole of it.
    pub path: String,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// What to do about it.
    pub remedy: String,
    /// The line itself, and where in it to look.
    #[serde(skip)]
    pub(super) excerpt: Option<Excerpt>,
}

/// A piece of one line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    text: String,
    /// Characters before the marked ones.
    indent: usize,
    /// How many characters are marked.
    width: usize,
}

/// A problem on its way to a [`Problem`]: it knows its path, and its place only where no path leads there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub path: String,
    pub at: Option<Span>,
    pub found: String,
    pub expected: String,
    pub remedy: String,
}

impl Finding {
    pub fn new(
        path: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), at: None, found: found.into(), expected: expected.into(), remedy: remedy.into() }
    }

    pub fn at(mut self, span: Span) -> Self {
        self.at = Some(span);
        self
    }

    /// A problem of the file itself, not of a place in it.
    pub fn of_file(self, file: &str) -> Problem {
        let [path, found, expected, remedy] = [self.path, self.found, self.expected, self.remedy].map(shortened);
        Problem { file: file.to_owned(), line: 0, column: 0, path, found, expected, remedy, excerpt: None }
    }

    /// The problem at this place of the file's text.
    pub fn of_text(self, file: &str, text: &str, span: Span) -> Problem {
        let begin = floor_char(text, span.begin);
        let line_begin = text[..begin].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[begin..].find('\n').map_or(text.len(), |newline| begin + newline);
        let end = floor_char(text, span.end.clamp(begin, line_end));
        let column = text[line_begin..begin].chars().count();
        Problem {
            line: text[..begin].matches('\n').count() + 1,
            column: column + 1,
            excerpt: Some(Excerpt::new(&text[line_begin..line_end], column, text[begin..end].chars().count())),
            ..self.of_file(file)
        }
    }
}

/// What fits into a message: scenarios may hold texts of any length.
fn shortened(mut words: String) -> String {
    const LONGEST: usize = 400;
    if words.len() > LONGEST {
        words.truncate(floor_char(&words, LONGEST));
        words.push_str("...");
    }
    words.retain(|c| !c.is_control());
    words
}

fn floor_char(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl Excerpt {
    /// No more of a line than fits beside its number.
    const WIDEST: usize = 110;

    fn new(line: &str, column: usize, width: usize) -> Self {
        let all: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // A long line is shown from a little before the marked place.
        let from = if all.len() > Self::WIDEST { column.saturating_sub(Self::WIDEST / 2) } else { 0 };
        let to = all.len().min(from + Self::WIDEST);
        let text: String = all[from..to].iter().collect();
        let indent = column - from;
        Self { text: text.trim_end().to_owned(), indent, width: width.clamp(1, (to + 1 - from - indent).max(1)) }
    }
}

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let gap = if index > 0 { "\n\n" } else { "" };
            write!(f, "{gap}{problem}")?;
        }
        match &self.problems[..] {
            [first, _, ..] => write!(f, "\n\n{} problems in {}", self.problems.len(), first.file),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.path.is_empty() {
            write!(f, " {}", self.path)?;
        }
        write!(f, ": found {}, expected {}; {}", self.found, self.expected, self.remedy)?;
        if let Some(Excerpt { text, indent, width }) = &self.excerpt
            && !text.is_empty()
        {
            write!(f, "\n{:>5} | {text}\n      | {:indent$}{}", self.line, "", "^".repeat(*width))?;
        }
        Ok(())
    }
}

impl std::error::Error for ScenarioErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, begin: usize, end: usize) -> String {
        Finding::new("a.b", "x", "y", "do z").of_text("f.ron", text, Span { begin, end }).to_string()
    }

    #[test]
    fn points_at_the_place() {
        let expected = "f.ron:2:4 a.b: found x, expected y; do z\n    2 |  é é = 5,\n      |    ^^^^^";
        assert_eq!(shown("one\n é é = 5,\nthree", 4 + 4, 4 + 10), expected);
    }

    #[test]
    fn survives_every_span() {
        for text in ["", "é", "a\tb\nc", &"x".repeat(500)] {
            for begin in 0..text.len() + 2 {
                for end in [0, begin, begin + 1, text.len(), text.len() + 9] {
                    assert!(shown(text, begin, end).starts_with("f.ron:"));
                }
            }
        }
    }
}
