//! Numbers drawn at random. Read first: [`normal`].

use rand::Rng;

/// A standard normal number (Box & Muller, 1958).
pub fn normal(rng: &mut impl Rng) -> f32 {
    let (radius, angle) = (1.0 - rng.gen_range(0.0..1.0_f32), rng.gen_range(0.0..std::f32::consts::TAU));
    (-2.0 * radius.ln()).sqrt() * angle.cos()
}

/// So many of them.
pub fn normals(count: usize, rng: &mut impl Rng) -> Vec<f32> {
    (0..count).map(|_| normal(rng)).collect()
}

/// A position in `weights`, each as likely as it weighs; the last where they weigh nothing.
pub fn pick(weights: &[f64], rng: &mut impl Rng) -> usize {
    let mut left = rng.gen_range(0.0..1.0) * weights.iter().sum::<f64>();
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    weights.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn normal_numbers_have_the_moments_of_a_gaussian() {
        let values = normals(100_000, &mut ChaCha8Rng::seed_from_u64(1));
        let moment = |power: i32| values.iter().map(|value| f64::from(*value).powi(power)).sum::<f64>() / 1e5;
        assert!(moment(1).abs() < 0.01 && (moment(2) - 1.0).abs() < 0.02 && (moment(4) - 3.0).abs() < 0.1);
    }

    #[test]
    fn picks_as_often_as_weights_say() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut counts = [0_u32; 3];
        (0..10_000).for_each(|_| counts[pick(&[1.0, 0.0, 3.0], &mut rng)] += 1);
        assert!(counts[1] == 0 && counts[0].abs_diff(2500) < 150, "{counts:?}");
    }
}
