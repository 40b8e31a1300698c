//! Exploration: random walks that keep their heading for a while. Read first: [`ExplorationSpec`] and `Walk`.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A correlated random walk over actions: the experience that a world model is trained on, and the shape of the
/// planners' random starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExplorationSpec {
    /// Standard deviation of the heading's change each control step, in radians.
    pub heading_noise_rad: f32,
    /// Probability, each control step, of a fresh heading and speed.
    pub fresh_probability: f32,
    /// No two walks are alike: each multiplies both numbers above by one factor of its own between 1 and this, drawn
    /// evenly on a logarithmic scale. Some go straight, some dither, and a model that has seen both can imagine both.
    /// Planners' random starts are of the first kind.
    pub timescale_ratio: f32,
}

impl Default for ExplorationSpec {
    fn default() -> Self {
        Self { heading_noise_rad: 0.25, fresh_probability: 0.06, timescale_ratio: 12.0 }
    }
}

/// A walk under way. Action values are taken two by two as a heading and a speed, so that they fill the square.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    spec: ExplorationSpec,
    action_len: usize,
    /// Heading in radians and speed in `[0, 1]`, for each pair of action values.
    headings: Vec<(f32, f32)>,
}

impl Walk {
    /// A walk with a timescale of its own.
    pub(crate) fn new(spec: &ExplorationSpec, action_len: usize, rng: &mut impl Rng) -> Self {
        let mut walk = Self::steady(spec, action_len, rng);
        let haste = spec.timescale_ratio.powf(rng.gen_range(0.0..1.0));
        walk.spec.heading_noise_rad *= haste;
        walk.spec.fresh_probability = (walk.spec.fresh_probability * haste).min(1.0);
        walk
    }

    /// A walk of the slowest timescale.
    pub(crate) fn steady(spec: &ExplorationSpec, action_len: usize, rng: &mut impl Rng) -> Self {
        let headings = (0..action_len.div_ceil(2)).map(|_| fresh(rng)).collect();
        Self { spec: spec.clone(), action_len, headings }
    }

    /// A walk of the slowest timescale at full speed.
    pub(crate) fn brisk(spec: &ExplorationSpec, action_len: usize, rng: &mut impl Rng) -> Self {
        let mut walk = Self::steady(spec, action_len, rng);
        walk.headings.iter_mut().for_each(|(_, speed)| *speed = 1.0);
        walk.spec.fresh_probability = 0.0;
        walk
    }

    /// The next action, each value in `[-1, 1]`, appended to `actions`.
    pub(crate) fn next_into(&mut self, rng: &mut impl Rng, actions: &mut Vec<f32>) {
        for pair in 0..self.headings.len() {
            if rng.gen_range(0.0..1.0) < self.spec.fresh_probability {
                self.headings[pair] = fresh(rng);
            }
            let (heading, speed) = &mut self.headings[pair];
            *heading += self.spec.heading_noise_rad * normal(rng);
            let (sin, cos) = heading.sin_cos();
            // Stretched from the circle to the square, so that full speed along a diagonal is explored too.
            let stretched = *speed / sin.abs().max(cos.abs());
            actions.push(cos * stretched);
            if 2 * pair + 1 < self.action_len {
                actions.push(sin * stretched);
            }
        }
    }
}

fn fresh(rng: &mut impl Rng) -> (f32, f32) {
    // The square root favours speed: a slow walk sees little of the world.
    (rng.gen_range(0.0..std::f32::consts::TAU), rng.gen_range(0.0..1.0_f32).sqrt())
}

/// A standard normal number (Box & Muller, 1958).
pub(crate) fn normal(rng: &mut impl Rng) -> f32 {
    let (radius, angle): (f32, f32) = (rng.gen_range(f32::MIN_POSITIVE..1.0), rng.gen_range(0.0..1.0));
    (-2.0 * radius.ln()).sqrt() * (std::f32::consts::TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn stays_in_the_square_and_keeps_its_heading() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut walk = Walk::steady(&ExplorationSpec::default(), 3, &mut rng);
        let keeps = correlation(&mut walk, &mut rng);
        assert!(keeps > 0.8 && keeps < 1.0, "{keeps}");
    }

    /// How alike successive actions are, from 0 to 1.
    fn correlation(walk: &mut Walk, rng: &mut ChaCha8Rng) -> f32 {
        let mut actions = Vec::new();
        (0..2000).for_each(|_| walk.next_into(rng, &mut actions));
        assert_eq!(actions.len(), 6000);
        assert!(actions.iter().all(|a| a.abs() <= 1.0 + 1e-6));
        let pairs = || actions.chunks(3).zip(actions.chunks(3).skip(1));
        let along: f32 = pairs().map(|(a, b)| a[0] * b[0] + a[1] * b[1]).sum::<f32>() / 1999.0;
        let size: f32 = actions.chunks(3).map(|a| a[0] * a[0] + a[1] * a[1]).sum::<f32>() / 2000.0;
        along / size
    }

    #[test]
    fn walks_have_timescales_of_their_own() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut kept: Vec<f32> =
            (0..40).map(|_| correlation(&mut Walk::new(&ExplorationSpec::default(), 3, &mut rng), &mut rng)).collect();
        kept.sort_by(f32::total_cmp);
        assert!(kept[4] < 0.3 && kept[35] > 0.8, "{kept:?}");
        let alike = ExplorationSpec { timescale_ratio: 1.0, ..ExplorationSpec::default() };
        assert!((0..40).all(|_| correlation(&mut Walk::new(&alike, 3, &mut rng), &mut rng) > 0.8));
    }
}
