//! What stands below bars. Read first: [`BarWords::of`].

use super::{
    colors,
    lines::Frame,
    words::{Pen, TICK, words},
};
use forethought_interface::{Layer, Mark, Panel, Side};

/// Bars beyond this number leave words out; fewer have theirs on as many lines as it takes.
const FEW: usize = 12;
/// Words stand on so many lines in turn at most.
const LINES: usize = 6;

/// Words, each below its bar.
pub struct BarWords {
    /// Those of each bar, line by line.
    lines: Vec<Vec<String>>,
    /// Below one in so many bars.
    every: usize,
    /// Neighbours' words stand on so many lines in turn.
    turns: usize,
}

impl BarWords {
    /// Side by side where there is room for all, else on lines in turn, else below every second or third bar. `slot` is how far bars
    /// are apart, in pixels.
    pub fn of(panel: &Panel, slot: f32, pen: &Pen) -> Self {
        let labels = panel.layers.iter().find_map(|layer| match layer {
            Layer::Bars { labels, .. } if !labels.is_empty() => Some(labels),
            _ => None,
        });
        let Some(labels) = labels else { return Self { lines: vec![], every: 1, turns: 1 } };
        let widest = labels.iter().map(|label| pen.width(label, TICK)).fold(0.0, f32::max) + 8.0;
        let turns = (widest / slot).ceil().max(1.0) as usize;
        for every in [1, 2, 3, 5, 10, 20, 50] {
            let room = slot * every as f32 - 4.0;
            let lines: Vec<Vec<String>> = labels.iter().map(|label| pen.wrapped(label, TICK, room, 3)).collect();
            let whole =
                |(lines, label): (&Vec<String>, &String)| lines.join(" ").split(' ').eq(label.split_whitespace());
            if lines.iter().zip(labels).step_by(every).all(whole) {
                return Self { lines, every, turns: 1 };
            }
            if labels.len() <= FEW && turns <= LINES {
                return Self { lines: labels.iter().map(|label| vec![label.clone()]).collect(), every: 1, turns };
            }
        }
        Self { lines: vec![], every: 1, turns: 1 }
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many lines they take; one where there are none, for the numbers that stand there then.
    pub fn height(&self) -> usize {
        let longest = self.lines.iter().step_by(self.every).map(Vec::len).max().unwrap_or(0);
        longest.max(self.turns).max(1)
    }

    /// Below the bars, whose middles are `at`, from the top of `reach` on and between its sides.
    pub fn draw(&self, at: impl Fn(usize) -> f32, reach: Frame, pen: &Pen, marks: &mut Vec<Mark>) {
        for (index, lines) in self.lines.iter().enumerate().step_by(self.every) {
            let (x, turn) = (at(index), index % self.turns);
            let top = reach.min[1] + turn as f32 * TICK.line();
            if turn > 0 {
                let line = vec![[x, reach.min[1] - 3.0], [x, top + 2.0]];
                marks.push(Mark::Lines { lines: vec![line], width: 1.0, color: colors::FRAME, dashed: false });
            }
            for (line, text) in lines.iter().enumerate() {
                let half = pen.width(text, TICK) / 2.0;
                let inside = x.min(reach.max[0] - half).max(reach.min[0] + half);
                let y = top + (line as f32 + 0.5) * TICK.line();
                marks.push(words(text, [inside, y], Side::Middle, TICK));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(labels: Vec<String>) -> Panel {
        let heights = vec![1.0; labels.len()];
        Panel {
            layers: vec![Layer::Bars { name: String::new(), labels, heights, hue: Default::default() }],
            ..Panel::default()
        }
    }

    #[test]
    fn no_word_is_cut_and_none_lies_on_another() {
        let pen = Pen::new();
        let remedies = ["No remedy", "Pairwise hinge", "InfoNCE", "VICReg", "Barlow Twins", "BYOL", "SIGReg"];
        for (labels, slot) in [
            (remedies.map(str::to_owned).to_vec(), 21.0),
            (remedies.map(str::to_owned).to_vec(), 70.0),
            ((0..90).map(|number| number.to_string()).collect(), 8.0),
            (vec![], 10.0),
        ] {
            let below = BarWords::of(&bars(labels.clone()), slot, &pen);
            let mut marks = vec![];
            let reach = Frame { min: [0.0, 100.0], max: [slot * labels.len() as f32, 115.0] };
            below.draw(|index| (index as f32 + 0.5) * slot, reach, &pen, &mut marks);
            let mut taken: Vec<(f32, [f32; 2])> = vec![];
            for mark in &marks {
                let Mark::Words { text, at, .. } = mark else { continue };
                assert!(!text.ends_with("..."), "{text} is cut");
                let half = pen.width(text, TICK) / 2.0;
                let ends = [at[0] - half, at[0] + half];
                assert!(
                    !taken.iter().any(|(y, other)| *y == at[1] && ends[0] < other[1] && other[0] < ends[1]),
                    "{text}"
                );
                taken.push((at[1], ends));
            }
            assert_eq!(taken.is_empty(), labels.is_empty());
            assert!(below.height() as f32 * TICK.line() >= taken.iter().map(|(y, _)| y - 100.0).fold(0.0, f32::max));
        }
    }
}
