//! The colours of charts. Read first: [`of`] and [`Shades`].

use forethought_interface::{Hue, Rgb};

/// Behind everything.
pub const PAPER: Rgb = [255; 3];
pub use forethought_interface::palette::{FAINT_INK, INK};
/// Lines behind what is shown.
pub const GRID: Rgb = [0xe9, 0xec, 0xef];
/// Around what is shown.
pub const FRAME: Rgb = [0xa9, 0xb1, 0xba];

/// Viridis at equal steps (van der Walt & Smith, 2015): equally far apart to the eye, in grey and to the colour-blind too.
const VIRIDIS: [Rgb; 10] = [
    [0x44, 0x01, 0x54],
    [0x48, 0x28, 0x78],
    [0x3e, 0x49, 0x89],
    [0x31, 0x68, 0x8e],
    [0x26, 0x82, 0x8e],
    [0x1f, 0x9e, 0x89],
    [0x35, 0xb7, 0x79],
    [0x6e, 0xce, 0x58],
    [0xb5, 0xde, 0x2b],
    [0xfd, 0xe7, 0x25],
];

/// Blue for below zero, red for above (ColorBrewer's RdBu), white between them.
const SIGNED: [Rgb; 7] = [
    [0x21, 0x66, 0xac],
    [0x67, 0xa9, 0xcf],
    [0xd1, 0xe5, 0xf0],
    [0xff, 0xff, 0xff],
    [0xfd, 0xdb, 0xc7],
    [0xef, 0x8a, 0x62],
    [0xb2, 0x18, 0x2b],
];

/// The colour of what a word stands for: Okabe and Ito's.
pub fn of(hue: Hue) -> Rgb {
    match hue {
        Hue::Data => [0x46, 0x46, 0x46],
        Hue::Model => [0x00, 0x72, 0xb2],
        Hue::Second => [0xe6, 0x9f, 0x00],
        Hue::Third => [0x00, 0x9e, 0x73],
        Hue::Fourth => [0xcc, 0x79, 0xa7],
        Hue::Theory => [0x00, 0x00, 0x00],
        Hue::Wrong => [0xd5, 0x5e, 0x00],
        Hue::Faint => [0xc4, 0xc8, 0xcc],
    }
}

/// Numbers as colours.
#[derive(Debug, Clone, Copy)]
pub struct Shades {
    range: [f32; 2],
    signed: bool,
}

impl Shades {
    /// The ends of the colours; with `signed`, zero is white and both signs are as strong.
    pub fn new([low, high]: [f32; 2], signed: bool) -> Self {
        let [low, high] = [low, high].map(|end| if end.is_finite() { end } else { 0.0 });
        let range = if signed {
            let most = low.abs().max(high.abs());
            [-most, most]
        } else {
            [low, high]
        };
        Self { range: if range[1] > range[0] { range } else { [range[0], range[0] + 1.0] }, signed }
    }

    /// The numbers that have the ends of the colours.
    pub fn range(self) -> [f32; 2] {
        self.range
    }

    /// The colour of a number, as red, green, blue and alpha; what is no number has none.
    pub fn rgba(self, value: f32) -> [u8; 4] {
        if value.is_nan() {
            return [255, 255, 255, 0];
        }
        let [low, high] = self.range;
        let table: &[Rgb] = if self.signed { &SIGNED } else { &VIRIDIS };
        let place = ((value - low) / (high - low)).clamp(0.0, 1.0) * (table.len() - 1) as f32;
        let index = (place as usize).min(table.len() - 2);
        let [under, over] = [table[index], table[index + 1]];
        let [red, green, blue] = std::array::from_fn(|channel| {
            let [under, over] = [under, over].map(|color| f32::from(color[channel]));
            (under + (over - under) * (place - index as f32)).round() as u8
        });
        [red, green, blue, 255]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_is_dark_and_zero_is_white() {
        let shades = Shades::new([-1.0, 3.0], false);
        assert_eq!(shades.rgba(-5.0), [0x44, 0x01, 0x54, 255]);
        assert_eq!(shades.rgba(f32::INFINITY), [0xfd, 0xe7, 0x25, 255]);
        assert_eq!(shades.rgba(f32::NAN)[3], 0);
        let light = |value: f32| shades.rgba(value)[..3].iter().map(|part| u32::from(*part)).sum::<u32>();
        assert!((0..40).all(|step| light(step as f32 / 10.0 - 1.0) <= light(step as f32 / 10.0 - 0.9)));
        let signed = Shades::new([-1.0, 3.0], true);
        assert_eq!((signed.range(), signed.rgba(0.0)), ([-3.0, 3.0], [255; 4]));
        assert!(signed.rgba(2.0)[0] > signed.rgba(2.0)[2] && signed.rgba(-2.0)[0] < signed.rgba(-2.0)[2]);
        assert!(Shades::new([f32::NAN, f32::NAN], false).rgba(0.5)[3] == 255);
    }
}
