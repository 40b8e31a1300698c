//! Scattered obstacles: convex polygons at random places, with room to pass between them. Read first: [`Scatter`].

use forethought_interface::{Num, derive_seed, impl_numbers};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// A disc that scattered obstacles leave free.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearSpec {
    /// Its middle in metres, counted from the scatter's lower left corner.
    pub position_m: [Num; 2],
    /// Its radius in metres.
    pub radius_m: Num,
}

impl_numbers!(struct ClearSpec { position_m, radius_m });

/// Places to try for each obstacle that is wanted, and in all.
const TRIES: usize = 200;
const MOST_TRIES: usize = 10_000;
/// The shorter half axis of an obstacle, as a share of the longer one.
const SLENDEREST: f64 = 0.5;

/// What to scatter, and where.
pub(crate) struct Scatter {
    /// How many obstacles are wanted.
    pub count: usize,
    /// Width and height of the field in metres.
    pub size: [f64; 2],
    /// The smallest and the largest obstacle's radius in metres.
    pub radius: [f64; 2],
    /// The least distance between two obstacles' circles, and from them to the field's edge, in metres.
    pub gap: f64,
    /// Free discs: middle, from the field's lower left corner, and radius.
    pub clear: Vec<([f64; 2], f64)>,
    pub seed: f64,
}

/// An obstacle.
pub(crate) struct Obstacle {
    /// The middle of the circle that all of it lies in, from the field's lower left corner.
    pub center: [f64; 2],
    pub radius: f64,
    /// 5 to 8 corners around the middle, anticlockwise.
    pub corners: Vec<[f64; 2]>,
}

impl Scatter {
    /// As many obstacles as are wanted, or as a bounded number of tries finds room for.
    pub(crate) fn obstacles(&self) -> Vec<Obstacle> {
        // Zero has two signs, which are one number.
        let mut rng = ChaCha8Rng::seed_from_u64(derive_seed((self.seed + 0.0).to_bits(), "scatter", 0));
        let mut placed: Vec<Obstacle> = Vec::new();
        for _ in 0..(self.count * TRIES).min(MOST_TRIES) {
            if placed.len() >= self.count {
                break;
            }
            let [low, high] = self.radius;
            let radius = low + (high - low) * rng.r#gen::<f64>();
            let edge = self.gap + radius;
            let center = self.size.map(|length| edge + (length - 2.0 * edge) * rng.r#gen::<f64>());
            let inside = self.size.iter().all(|length| *length >= 2.0 * edge);
            let apart = |other: [f64; 2], least: f64| (center[0] - other[0]).hypot(center[1] - other[1]) >= least;
            if inside
                && self.clear.iter().all(|(middle, clear)| apart(*middle, clear + radius))
                && placed.iter().all(|other| apart(other.center, other.radius + edge))
            {
                placed.push(Obstacle { center, radius, corners: corners(radius, &mut rng) });
            }
        }
        placed
    }
}

/// Corners on an ellipse that is turned anyhow: in order around it they are always convex.
fn corners(radius: f64, rng: &mut ChaCha8Rng) -> Vec<[f64; 2]> {
    let count = rng.gen_range(5..=8_u32);
    let slender = rng.gen_range(SLENDEREST..1.0);
    let (sin, cos) = (rng.r#gen::<f64>() * TAU).sin_cos();
    (0..count)
        .map(|corner| {
            // Neighbours are kept apart.
            let angle = TAU / f64::from(count) * (f64::from(corner) + rng.gen_range(0.0..0.6));
            let (along, across) = (radius * angle.cos(), radius * slender * angle.sin());
            [along * cos - across * sin, along * sin + across * cos]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scatter(seed: f64) -> Scatter {
        Scatter {
            count: 16,
            size: [10.0, 8.0],
            radius: [0.3, 0.8],
            gap: 0.6,
            clear: vec![([1.0, 4.0], 0.7), ([9.0, 2.0], 0.5)],
            seed,
        }
    }

    #[test]
    fn obstacles_are_convex_and_inside_their_circle() {
        let mut counts = std::collections::HashSet::new();
        for seed in 0..100 {
            for Obstacle { radius, corners, .. } in scatter(f64::from(seed)).obstacles() {
                counts.insert(corners.len());
                assert!((0.3..=0.8).contains(&radius));
                assert!(corners.iter().all(|[x, y]| x.hypot(*y) <= radius + 1e-12));
                let next = |index: usize| corners[index % corners.len()];
                let mut turned = 0.0;
                for index in 0..corners.len() {
                    let [a, b, c] = [next(index), next(index + 1), next(index + 2)];
                    let (before, after) = ([b[0] - a[0], b[1] - a[1]], [c[0] - b[0], c[1] - b[1]]);
                    let turn = before[0] * after[1] - before[1] * after[0];
                    assert!(turn > 0.0, "a corner that turns inwards: {corners:?}");
                    assert!(before[0].hypot(before[1]) > 0.1 * radius, "a short side: {corners:?}");
                    turned += turn.atan2(before[0] * after[0] + before[1] * after[1]);
                }
                assert!((turned - TAU).abs() < 1e-9);
            }
        }
        assert_eq!(counts.len(), 4);
    }

    #[test]
    fn gaps_and_clear_discs_are_kept() {
        let mut most = 0;
        for seed in 0..100 {
            let scatter = scatter(f64::from(seed));
            let obstacles = scatter.obstacles();
            most = most.max(obstacles.len());
            assert!(obstacles.len() >= 8 && obstacles.len() <= 16, "{} obstacles", obstacles.len());
            for (index, one) in obstacles.iter().enumerate() {
                let distance = |[x, y]: [f64; 2]| (one.center[0] - x).hypot(one.center[1] - y) - one.radius;
                assert!(obstacles[..index].iter().all(|other| distance(other.center) - other.radius >= 0.6 - 1e-12));
                assert!(scatter.clear.iter().all(|(middle, radius)| distance(*middle) >= radius - 1e-12));
                for axis in 0..2 {
                    let edge = one.center[axis].min(scatter.size[axis] - one.center[axis]) - one.radius;
                    assert!(edge >= 0.6 - 1e-12);
                }
            }
        }
        assert!(most >= 14, "{most}");
    }

    #[test]
    fn a_seed_is_one_scatter() {
        let centers = |seed: f64| -> Vec<[f64; 2]> { scatter(seed).obstacles().iter().map(|o| o.center).collect() };
        assert_eq!(centers(0.25), centers(0.25));
        assert_eq!(centers(0.0), centers(-0.0));
        assert_ne!(centers(0.25), centers(0.26));
    }

    #[test]
    fn where_there_is_no_room_there_is_nothing() {
        let with = |change: fn(&mut Scatter)| {
            let mut scatter = scatter(1.0);
            change(&mut scatter);
            scatter.obstacles().len()
        };
        assert_eq!(with(|scatter| scatter.size = [1.0, 8.0]), 0);
        assert_eq!(with(|scatter| scatter.clear = vec![([5.0, 4.0], 20.0)]), 0);
        assert_eq!(with(|scatter| scatter.count = 0), 0);
        assert!(with(|scatter| (scatter.count, scatter.radius, scatter.gap) = (256, [0.1, 0.1], 0.0)) == 256);
    }
}
