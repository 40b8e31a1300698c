//! How wide words are, and where a line of them ends. Read first: [`Pen`].

use super::colors;
use crate::recording::letters::{Letters, Weight};
use forethought_interface::{Mark, Px, Rgb, Side};

/// Knows the letters' widths.
pub struct Pen(Letters);

/// How words look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    em: f32,
    strong: bool,
    color: Rgb,
}

/// Over all panels.
pub const HEADING: Look = Look { em: 17.0, strong: true, color: colors::INK };
/// Over a panel.
pub const TITLE: Look = Look { em: 13.5, strong: true, color: colors::INK };
/// Beside an axis, and in a legend.
pub const LABEL: Look = Look { em: 11.5, strong: false, color: colors::INK };
/// At a tick.
pub const TICK: Look = Look { em: 11.0, strong: false, color: colors::FAINT_INK };

impl Look {
    /// From line to line, in pixels.
    pub fn line(self) -> f32 {
        (1.35 * self.em).round()
    }
}

impl Pen {
    /// With the fonts that come along.
    pub fn new() -> Self {
        Self(Letters::new())
    }

    /// How much room words take, in pixels: a picture of shapes is also read where there are only wider letters.
    pub fn width(&self, text: &str, look: Look) -> f32 {
        wider(look) * self.0.width(text, weight(look), look.em)
    }

    /// As many lines as it takes, up to `most`; what is too long for the last ends in dots.
    pub fn wrapped(&self, text: &str, look: Look, room: f32, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = vec![];
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if line.is_empty() || lines.len() + 1 >= most || self.width(&longer, look) <= room {
                line = longer;
            } else {
                lines.push(std::mem::replace(&mut line, word.to_owned()));
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines.iter().map(|line| self.0.fitted(line, weight(look), look.em, room / wider(look))).collect()
    }
}

/// How much wider the letters of DejaVu are.
fn wider(look: Look) -> f32 {
    if look.strong { 1.17 } else { 1.08 }
}

fn weight(look: Look) -> Weight {
    if look.strong { Weight::Strong } else { Weight::Regular }
}

/// Words to draw.
pub fn words(text: impl Into<String>, at: Px, side: Side, look: Look) -> Mark {
    Mark::Words { text: text.into(), at, side, em: look.em, strong: look.strong, color: look.color }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_lose_no_word() {
        let pen = Pen::new();
        let text = "the energy of a point is its distance from the ellipse";
        let lines = pen.wrapped(text, TITLE, 150.0, 9);
        assert!(lines.len() > 2 && lines.join(" ") == text, "{lines:?}");
        assert!(lines.iter().all(|line| pen.width(line, TITLE) <= 150.0));
        let cut = pen.wrapped(text, TITLE, 150.0, 2);
        assert!(cut.len() == 2 && cut[1].ends_with("..."), "{cut:?}");
        assert!(pen.wrapped("", TITLE, 150.0, 2).is_empty());
    }
}
