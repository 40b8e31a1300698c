//! The energy landscape as a heat map. Read first: [`draw`].

use crate::{brush::Brush, camera::Mapping, palette};
use bevy::{color::Srgba, math::Vec2};
use forethought_interface::Landscape;

/// Lines of equal energy between the lowest and the highest.
const LINES: usize = 9;

/// Low is light, high is dark: one colour, so that any colour vision can tell.
pub fn draw(brush: &mut Brush, landscape: &Landscape, mapping: Mapping) {
    let Some(scale) = Scale::of(landscape) else { return };
    let grid = Grid::of(landscape, mapping);
    for row in 0..grid.rows.saturating_sub(1) {
        for column in 0..grid.columns - 1 {
            let corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)];
            let energies = corners.map(|(column, row)| grid.energy(column, row));
            let known: Vec<f32> = energies.iter().copied().filter(|energy| energy.is_finite()).collect();
            if known.is_empty() {
                continue;
            }
            // Beside a wall what is known goes on up to it.
            let mean = known.iter().sum::<f32>() / known.len() as f32;
            let energies = energies.map(|energy| if energy.is_finite() { energy } else { mean });
            let places = corners.map(|(column, row)| grid.place(column, row));
            brush.shaded(places, energies.map(|energy| color(scale.at(energy))));
            lines(brush, places, energies.map(|energy| scale.at(energy)));
        }
    }
}

/// What the shades of a landscape mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The lowest energy.
    pub low: f32,
    /// What the darkest shade stands for; a few points may be higher.
    pub high: f32,
}

impl Scale {
    /// From the lowest to nearly the highest energy; none where there are none.
    pub fn of(landscape: &Landscape) -> Option<Self> {
        let mut energies: Vec<f32> = landscape.energies.iter().copied().filter(|energy| energy.is_finite()).collect();
        energies.sort_by(f32::total_cmp);
        let (low, high) = (*energies.first()?, energies[(energies.len() - 1) * 98 / 100]);
        Some(Self { low, high: if high > low { high } else { low + 1.0 } })
    }

    fn at(self, energy: f32) -> f32 {
        ((energy - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The colour of a height between 0 and 1.
pub fn color(height: f32) -> Srgba {
    let (low, high) = (palette::LOW_ENERGY, palette::HIGH_ENERGY);
    let mix = |a: f32, b: f32| a + (b - a) * height;
    Srgba::new(mix(low.red, high.red), mix(low.green, high.green), mix(low.blue, high.blue), 0.9)
}

/// A landscape's points on the canvas, those at the arena's edge drawn out to it.
struct Grid<'a> {
    landscape: &'a Landscape,
    mapping: Mapping,
    columns: usize,
    rows: usize,
}

impl<'a> Grid<'a> {
    fn of(landscape: &'a Landscape, mapping: Mapping) -> Self {
        let columns = landscape.columns.max(1);
        Self { landscape, mapping, columns, rows: landscape.energies.len() / columns }
    }

    fn energy(&self, column: usize, row: usize) -> f32 {
        self.landscape.energies[row * self.columns + column]
    }

    fn place(&self, column: usize, row: usize) -> Vec2 {
        let part = |index: usize, count: usize| match index {
            0 => 0.0,
            index if index + 1 == count => 1.0,
            index => (index as f32 + 0.5) / count as f32,
        };
        self.mapping.to_canvas(self.mapping.size_m * Vec2::new(part(column, self.columns), part(row, self.rows)))
    }
}

/// The pieces of lines of equal energy within one cell.
fn lines(brush: &mut Brush, places: [Vec2; 4], heights: [f32; 4]) {
    for line in 1..LINES {
        let level = line as f32 / LINES as f32;
        let edge = |index: usize| {
            let (a, b) = (heights[index], heights[(index + 1) % 4]);
            let crosses = (a < level) != (b < level);
            crosses.then(|| places[index].lerp(places[(index + 1) % 4], (level - a) / (b - a)))
        };
        let ends: Vec<Vec2> = (0..4).filter_map(edge).collect();
        for pair in ends.chunks_exact(2) {
            brush.line(pair, 1.0, Srgba { alpha: 0.5, ..palette::HIGH_ENERGY });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Layout;

    fn landscape(energies: Vec<f32>, columns: usize) -> Landscape {
        Landscape { columns, energies, ..Landscape::default() }
    }

    #[test]
    fn a_scale_has_two_ends() {
        let energies = (0..100_u8).map(f32::from).chain([1e9, f32::NAN]).collect();
        let scale = Scale::of(&landscape(energies, 6)).unwrap();
        assert!(scale.low == 0.0 && scale.high < 100.0, "{scale:?}");
        assert_eq!(Scale::of(&landscape(vec![f32::NAN], 1)), None);
        assert!(Scale::of(&landscape(vec![2.0; 4], 2)).is_some_and(|scale| scale.high > scale.low));
    }

    #[test]
    fn whatever_comes_can_be_drawn() {
        let mapping = Mapping::new([10.0, 5.0], &Layout::default());
        for (energies, columns) in
            [(vec![], 0), (vec![1.0], 1), (vec![f32::NAN; 6], 3), (vec![1.0, 2.0, f32::NAN, 4.0], 2)]
        {
            draw(&mut Brush::default(), &landscape(energies, columns), mapping);
        }
    }
}
