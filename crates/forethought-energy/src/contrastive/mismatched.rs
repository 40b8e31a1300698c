//! Mismatched pairs: an `x` with the `y` of another, as in Siamese networks (Bromley et al., 1993). Read first: [`partners`] and [`rows`].

use crate::{Matrix, energy::matrix, numbers};
use dfdx::prelude::HasShape;
use rand::Rng;

/// For each of so many rows another one, no two the same: a cycle through all of them (Sattolo, 1986). One row is its own partner.
pub fn partners(rows: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut partners: Vec<usize> = (0..rows).collect();
    for last in (1..rows).rev() {
        partners.swap(last, rng.gen_range(0..last));
    }
    partners
}

/// Some rows of a matrix, in that order.
#[must_use]
pub fn rows(of: &Matrix, which: &[usize]) -> Matrix {
    let (values, columns) = (numbers(of), of.shape().1);
    matrix(which.iter().flat_map(|row| &values[row * columns..(row + 1) * columns]).copied().collect(), columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn everyone_gets_another_and_all_are_taken() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for count in [2, 3, 17] {
            let partners = partners(count, &mut rng);
            assert!(partners.iter().enumerate().all(|(row, partner)| row != *partner));
            let mut sorted = partners.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..count).collect::<Vec<_>>());
        }
        assert_eq!(partners(1, &mut rng), [0]);
        let taken = rows(&matrix(vec![1.0, 2.0, 3.0, 4.0], 2), &[1, 1, 0]);
        assert_eq!(numbers(&taken), [3.0, 4.0, 3.0, 4.0, 1.0, 2.0]);
    }
}
