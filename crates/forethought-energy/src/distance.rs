//! Distances of latents from a goal, used as energies: plain, and as one operation on dfdx's tape.
//! Read first: [`Distance`].

use crate::{Matrix, TapedMatrix, numbers};
use dfdx::prelude::{Cpu, HasShape, OwnedTape, PutTape, SplitTape, Tape, Tensor, TensorFromVec};

/// What keeps the root's slope finite where two latents coincide; also the smooth distance's floor, `sqrt(1e-3)`.
pub const SMOOTHING: f32 = 1e-3;

/// How far a latent `s` is from the goal `g`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distance {
    /// `sqrt(|s - g|² + 1e-3)`. Near the goal it is a bowl, far from it a cone: its slope does not vanish with the distance's
    /// size, so that every step of a long rollout pulls equally hard.
    Smooth,
    /// `|s - g|²`.
    Squared,
    /// `d / (d + c)` of the smooth distance `d`: summed over a rollout it counts the time until arrival, so that a detour costs
    /// no more than it takes.
    Saturating {
        /// The distance that counts half.
        half: f32,
    },
}

impl Distance {
    /// Of one latent from the goal, both `[latent]`.
    #[must_use]
    pub fn of(self, latent: &[f32], goal: &[f32]) -> f32 {
        let squared = squared(latent, goal);
        let smooth = (squared + SMOOTHING).sqrt();
        match self {
            Self::Smooth => smooth,
            Self::Squared => squared,
            Self::Saturating { half } => smooth / (smooth + half),
        }
    }

    /// Of each row of `latents` `[rows, latent]` from the goal `[latent]`: `[rows]`.
    #[must_use]
    pub fn of_rows(self, latents: TapedMatrix, goal: &[f32]) -> Tensor<(usize,), f32, Cpu, OwnedTape<f32, Cpu>> {
        let (latents, mut tape): (Matrix, _) = latents.split_tape();
        let values = numbers(&latents);
        let distances: Vec<f32> = values.chunks_exact(goal.len().max(1)).map(|latent| self.of(latent, goal)).collect();
        let out = latents.device().tensor_from_vec(distances.clone(), (latents.shape().0,));
        let (to_latents, from_out, goal) = (latents.ghost(), out.ghost(), goal.to_vec());
        tape.add_backward_op(move |gradients| {
            let arriving = std::mem::take(&mut **gradients.get_or_alloc_mut(&from_out)?);
            let sums = gradients.get_or_alloc_mut(&to_latents)?;
            let rows = sums.chunks_exact_mut(goal.len()).zip(values.chunks_exact(goal.len()));
            for ((sums, latent), (arriving, distance)) in rows.zip(arriving.iter().zip(&distances)) {
                let slope = match self {
                    Self::Smooth => arriving / distance,
                    Self::Squared => 2.0 * arriving,
                    Self::Saturating { half } => {
                        // From e = d / (d + c): d = c e / (1 - e), and de/dd = (1 - e)² / c.
                        let rest = 1.0 - distance;
                        arriving * rest * rest / half * rest / (half * distance)
                    }
                };
                for ((sum, s), g) in sums.iter_mut().zip(latent).zip(&goal) {
                    *sum += slope * (s - g);
                }
            }
            Ok(())
        });
        out.put_tape(tape)
    }
}

/// `|s - g|²` in 16 sums, so that the compiler vectorises it.
fn squared(latent: &[f32], goal: &[f32]) -> f32 {
    let ((lefts, left_rest), (rights, right_rest)) = (latent.as_chunks::<16>(), goal.as_chunks::<16>());
    let mut sums = [0.0_f32; 16];
    for (left, right) in lefts.iter().zip(rights) {
        for ((sum, s), g) in sums.iter_mut().zip(left).zip(right) {
            *sum += (s - g) * (s - g);
        }
    }
    sums.iter().sum::<f32>() + left_rest.iter().zip(right_rest).map(|(s, g)| (s - g) * (s - g)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dfdx::prelude::*;

    /// Against the same out of dfdx's own operations.
    #[test]
    fn value_and_gradient_agree_with_dfdx() {
        let dev = Cpu::default();
        for latent in [2_usize, 16, 37] {
            let numbers = |from: usize, count: usize| -> Vec<f32> {
                (from..from + count).map(|i| ((i * 37 + 11) % 23) as f32 / 7.0 - 1.5).collect()
            };
            let x = dev.tensor_from_vec(numbers(0, 5 * latent), (5, latent));
            let goal = numbers(3, latent);
            let goals = dev.tensor_from_vec(goal.repeat(5), (5, latent));
            for kind in [Distance::Smooth, Distance::Squared, Distance::Saturating { half: 0.7 }] {
                let squares = (x.leaky_trace() - goals.clone()).square().sum::<_, Axis<1>>();
                let expected = match kind {
                    Distance::Smooth => (squares + SMOOTHING).sqrt(),
                    Distance::Squared => squares,
                    Distance::Saturating { half } => {
                        ((squares + SMOOTHING).sqrt() + half).recip().negate() * half + 1.0
                    }
                };
                let got = kind.of_rows(x.leaky_trace(), &goal);
                for (got, expected) in got.as_vec().iter().zip(expected.as_vec()) {
                    assert!((got - expected).abs() < 1e-5 * expected.max(1.0));
                }
                let slopes = expected.square().sum().backward().get(&x).as_vec();
                for (got, expected) in got.square().sum().backward().get(&x).as_vec().iter().zip(slopes) {
                    assert!((got - expected).abs() < 1e-4 * expected.abs().max(1.0));
                }
            }
        }
    }

    #[test]
    fn the_smooth_distance_has_a_floor_and_no_kink() {
        let dev = Cpu::default();
        let x = dev.tensor_from_vec(vec![1.0, 1.0], (1, 2));
        let energy = Distance::Smooth.of_rows(x.leaky_trace(), &[1.0, 1.0]);
        assert!((energy.as_vec()[0] - SMOOTHING.sqrt()).abs() < 1e-6);
        assert_eq!(energy.sum().backward().get(&x).as_vec(), [0.0, 0.0]);
    }
}
