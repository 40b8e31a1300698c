//! Bars and stripes: small pictures of which all rows are on or off, or all columns (MacKay, 2003, Sec. 31). Read first: [`pictures`].

use crate::models::Samples;
use forethought_interface::{Layer, Panel};

/// Pixels along the edge of the smaller pictures.
pub(super) const SIDE: usize = 3;

/// All there are of 3x3 pixels, `[9, 14]`.
pub(super) fn all() -> Samples {
    pictures(SIDE)
}

/// All there are of so many pixels along the edge, each once: `[side², 2 (2^side - 1)]`, 0 or 1.
pub(super) fn pictures(side: usize) -> Samples {
    let count = 1_usize << side;
    // All off and all on are bars and stripes alike.
    let kinds: Vec<(usize, bool)> =
        (0..count).map(|on| (on, true)).chain((1..count - 1).map(|on| (on, false))).collect();
    Samples::from_fn(side * side, kinds.len(), |pixel, picture| {
        let (on, rows) = kinds[picture];
        let index = if rows { pixel / side } else { pixel % side };
        f64::from(u8::from(on >> index & 1 == 1))
    })
}

/// Pictures as tiles, at most so many.
pub(super) fn tiles(title: &str, samples: &Samples, most: usize) -> Panel {
    let side = samples.nrows().isqrt();
    let images: Vec<Vec<f32>> = samples
        .column_iter()
        .take(most)
        .map(|picture| picture.iter().map(|value| 1.0 - *value as f32).collect())
        .collect();
    let across = images.len().isqrt().max(1) + 2;
    Panel {
        title: title.to_owned(),
        layers: vec![Layer::Tiles { images, width: side, across, captions: Vec::new() }],
        ..Panel::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_there_should_be_and_none_twice() {
        for (side, count) in [(3, 14), (4, 30)] {
            let all = pictures(side);
            assert_eq!(all.ncols(), count);
            let alike = |a: usize| (0..a).any(|b| all.column(a) == all.column(b));
            assert!(!(0..count).any(alike));
        }
    }
}
