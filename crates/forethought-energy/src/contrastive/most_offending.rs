//! The most offending answer: the one of least energy among those that are wrong (LeCun et al., 2006; Dawid & LeCun 2023,
//! Sec. 4). What is at least some distance off counts as wrong. Read first: [`among`] and [`by_descent`].

use crate::{
    Matrix,
    energy::{Energy, matrix},
    inference::{descent::Descent, exhaustive},
    numbers, random,
};
use dfdx::prelude::HasShape;
use rand::Rng;

/// For each pair of `x` and `y`, the candidate of least energy at least `distance` from `y`: `[rows, y]`. Where none is that far off, `y`
/// itself.
#[must_use]
pub fn among(energy: &(impl Energy + ?Sized), x: &Matrix, y: &Matrix, candidates: &Matrix, distance: f32) -> Matrix {
    let [conditions, columns] = [x.shape().1, y.shape().1];
    let (x, y, choices) = (numbers(x), numbers(y), numbers(candidates));
    let worst = y.chunks_exact(columns.max(1)).enumerate().flat_map(|(row, y)| {
        let energies = exhaustive::energies(energy, &x[row * conditions..(row + 1) * conditions], candidates);
        let wrong =
            choices.chunks_exact(columns.max(1)).zip(energies).filter(|(choice, _)| apart(choice, y) >= distance);
        wrong.min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(y, |(choice, _)| choice).to_vec()
    });
    matrix(worst.collect(), columns)
}

/// The same by gradient descent, for answers without number: from a place at random at that distance, so many steps, each pushed out again
/// to that distance where it came nearer.
pub fn by_descent(
    energy: &(impl Energy + ?Sized),
    x: &Matrix,
    y: &Matrix,
    distance: f32,
    (mut descent, steps): (Descent, usize),
    rng: &mut impl Rng,
) -> Matrix {
    let columns = y.shape().1;
    let data = numbers(y);
    let push_out = |places: &mut [f32]| {
        for (place, y) in places.chunks_exact_mut(columns.max(1)).zip(data.chunks_exact(columns.max(1))) {
            let gap = apart(place, y);
            if gap < distance && gap > 0.0 {
                place.iter_mut().zip(y).for_each(|(place, y)| *place = y + (*place - y) * distance / gap);
            }
        }
    };
    let mut places: Vec<f32> = data.iter().map(|value| value + 1e-3 * distance * random::normal(rng)).collect();
    push_out(&mut places);
    let mut at = matrix(places, columns);
    for _ in 0..steps {
        descent.step(energy, x, &mut at);
        let mut places = numbers(&at);
        push_out(&mut places);
        at = matrix(places, columns);
    }
    at
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PassTape, TapedColumn, energy::nothing};
    use dfdx::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Lowest at 2.
    fn bowl(_: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        (y.clone().put_tape(tape) - 2.0).square().sum::<_, Axis<1>>()
    }

    #[test]
    fn it_is_low_and_wrong() {
        let (x, y) = (nothing(3), matrix(vec![0.0, 2.0, 1.9], 1));
        let candidates = matrix((0..=50).map(|index| 0.1 * index as f32).collect(), 1);
        let worst = numbers(&among(&bowl, &x, &y, &candidates, 0.45));
        let expected = [2.0, 1.5, 2.4];
        assert!(worst.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-5), "{worst:?}");
        assert_eq!(numbers(&among(&bowl, &x, &y, &candidates, 9.0)), numbers(&y));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let found = numbers(&by_descent(&bowl, &x, &y, 0.45, (Descent::new(0.1, 0.0), 60), &mut rng));
        assert!((found[0] - 2.0).abs() < 1e-3, "{found:?}");
        assert!((found[1] - 2.0).abs() - 0.45 < 1e-3 && (found[1] - 2.0).abs() > 0.449, "{found:?}");
    }
}
