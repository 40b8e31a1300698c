//! What models of units that are on or off share. Read first: [`state`].

use nalgebra::DVectorViewMut;

/// The state of that number: its lowest bit is the first unit, 0 or 1.
pub fn state(number: usize, mut into: DVectorViewMut<f64>) {
    into.iter_mut().enumerate().for_each(|(unit, value)| *value = f64::from(u8::from(number >> unit & 1 == 1)));
}

/// The correlation of two lists of numbers (Pearson's), from -1 to 1; 0 where one of them does not vary.
#[must_use]
pub fn correlation<'a>(a: impl IntoIterator<Item = &'a f64>, b: impl IntoIterator<Item = &'a f64>) -> f64 {
    let pairs: Vec<(f64, f64)> = a.into_iter().copied().zip(b.into_iter().copied()).collect();
    let count = pairs.len().max(1) as f64;
    let (sum_a, sum_b) = pairs.iter().fold((0.0, 0.0), |(a, b), pair| (a + pair.0, b + pair.1));
    let mut moments = [0.0; 3];
    for (a, b) in pairs {
        let (a, b) = (a - sum_a / count, b - sum_b / count);
        moments = [moments[0] + a * a, moments[1] + b * b, moments[2] + a * b];
    }
    let scale = (moments[0] * moments[1]).sqrt();
    if scale > 0.0 { moments[2] / scale } else { 0.0 }
}

/// How probable it is that a unit is on, given the energy that it saves: `1 / (1 + exp(-x))`.
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `log(1 + exp(x))`, without overflow.
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DVector;

    #[test]
    fn numbers_are_states() {
        let mut units = DVector::zeros(4);
        state(0b0110, units.as_view_mut());
        assert_eq!(units.as_slice(), &[0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn correlates() {
        assert!((correlation(&[1.0, 2.0, 4.0], &[-1.0, 1.0, 5.0]) - 1.0).abs() < 1e-12);
        assert!((correlation(&[1.0, 2.0, 3.0], &[1.0, 0.0, 1.0])).abs() < 1e-12);
        assert_eq!(correlation(&[1.0, 1.0], &[1.0, 0.0]), 0.0);
    }

    #[test]
    fn does_not_overflow() {
        assert!((softplus(1000.0) - 1000.0).abs() < 1e-9 && softplus(-1000.0) == 0.0 && sigmoid(-1000.0) == 0.0);
        assert!((softplus(0.3) - (1.0 + 0.3_f64.exp()).ln()).abs() < 1e-12);
    }
}
