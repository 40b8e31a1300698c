//! How well a score tells two kinds of episodes apart. Read first: [`auc`] and [`interval95`].

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Resamplings of the bootstrap.
const RESAMPLINGS: usize = 1000;

/// The area under the receiver operating characteristic: the probability that a violated window scores higher than a normal
/// one, a tie counting half (Mann & Whitney, 1947). 0.5 where there is nothing to compare.
#[must_use]
pub fn auc(normal: &[f32], violated: &[f32]) -> f64 {
    if normal.is_empty() || violated.is_empty() {
        return 0.5;
    }
    let mut sorted = normal.to_vec();
    sorted.sort_by(f32::total_cmp);
    let below = |score: &f32| {
        let lower = sorted.partition_point(|normal| normal < score);
        let not_above = sorted.partition_point(|normal| normal <= score);
        (lower + not_above) as f64 / 2.0
    };
    violated.iter().map(below).sum::<f64>() / (normal.len() * violated.len()) as f64
}

/// The 95% interval of [`auc`] by bootstrap over episodes, of each of which both have one score (Efron, 1979: percentiles).
#[must_use]
pub fn interval95(normal: &[f32], violated: &[f32], seed: u64) -> [f64; 2] {
    let episodes = normal.len().min(violated.len());
    if episodes == 0 {
        return [0.0, 1.0];
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut areas: Vec<f64> = (0..RESAMPLINGS)
        .map(|_| {
            let picks: Vec<usize> = (0..episodes).map(|_| rng.gen_range(0..episodes)).collect();
            let of = |scores: &[f32]| picks.iter().map(|pick| scores[*pick]).collect::<Vec<f32>>();
            auc(&of(normal), &of(violated))
        })
        .collect();
    areas.sort_by(f64::total_cmp);
    [areas[RESAMPLINGS / 40], areas[RESAMPLINGS - 1 - RESAMPLINGS / 40]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_separable_and_equal() {
        assert_eq!(auc(&[1.0, 2.0], &[3.0, 4.0, 5.0]), 1.0);
        assert_eq!(auc(&[3.0, 4.0], &[1.0, 2.0]), 0.0);
        assert_eq!(auc(&[1.0, 2.0, 3.0], &[3.0, 1.0, 2.0]), 0.5);
        assert_eq!(auc(&[7.0; 4], &[7.0; 9]), 0.5);
        // Of four pairs two are higher and one is a tie.
        assert_eq!(auc(&[1.0, 2.0], &[2.0, 1.5]), 0.625);
        assert_eq!(auc(&[], &[1.0]), 0.5);
    }

    #[test]
    fn the_interval_holds_the_area_and_narrows_with_more_episodes() {
        let scores = |count: usize, shift: f32| -> Vec<f32> {
            (0..count).map(|i| ((i * 7919) % 1009) as f32 / 1009.0 + shift).collect()
        };
        let width = |count: usize| {
            let (normal, violated) = (scores(count, 0.0), scores(count, 0.2));
            let [low, high] = interval95(&normal, &violated, 3);
            let area = auc(&normal, &violated);
            assert!(low <= area && area <= high, "{low} {area} {high}");
            high - low
        };
        assert!(width(400) < 0.6 * width(60));
        assert_eq!(interval95(&[1.0, 2.0], &[3.0, 4.0], 1), [1.0, 1.0]);
        assert_eq!(interval95(&[], &[], 1), [0.0, 1.0]);
    }
}
