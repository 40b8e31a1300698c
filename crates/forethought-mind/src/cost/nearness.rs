//! How far an imagined latent is from the goal. Read first: [`Nearness`].

use crate::world_model::readout::Readout;
use dfdx::prelude::{Cpu, HasShape, OwnedTape, Tensor, TensorFromVec, TryMatMul};
use forethought_energy::{Matrix, TapedMatrix, distance::Distance};
use std::borrow::Cow;

/// How far an imagined latent is from the goal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Nearness {
    /// As latents.
    Latent(Distance),
    /// As the places, in metres, that are decoded from them.
    Place { readout: Readout, distance: Distance },
}

impl Nearness {
    /// What counts of a latent.
    pub(crate) fn read<'a>(&self, latent: &'a [f32]) -> Cow<'a, [f32]> {
        match self {
            Self::Latent(_) => Cow::Borrowed(latent),
            Self::Place { readout, .. } => Cow::Owned(readout.position_m(latent).to_vec()),
        }
    }

    /// Of one latent from what counts of the goal.
    pub(crate) fn of(&self, latent: &[f32], goal: &[f32]) -> f32 {
        match self {
            Self::Latent(distance) => distance.of(latent, goal),
            Self::Place { readout, distance } => distance.of(&readout.position_m(latent), goal),
        }
    }

    /// Of each row of `latents` `[rows, latent]` from the goal `[latent]`: `[rows]`.
    pub(crate) fn of_rows(
        &self,
        latents: TapedMatrix,
        goal: &[f32],
    ) -> Tensor<(usize,), f32, Cpu, OwnedTape<f32, Cpu>> {
        match self {
            Self::Latent(distance) => distance.of_rows(latents, goal),
            Self::Place { readout, distance } => {
                let (rows, latent) = *latents.shape();
                let (slopes, offset) = readout.weight.split_at(2 * latent);
                let device = latents.device().clone();
                let slopes: Matrix = device.tensor_from_vec(slopes.to_vec(), (latent, 2));
                let offsets: Matrix = device.tensor_from_vec(offset.repeat(rows), (rows, 2));
                distance.of_rows(latents.matmul(slopes) + offsets, &self.read(goal))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dfdx::prelude::{Backward, SumTo, Trace};

    #[test]
    fn places_are_compared_in_metres_and_lead_back_to_latents() {
        let readout = Readout { weight: vec![2.0, 0.0, 0.0, 0.5, 0.0, 0.0, 1.0, -1.0], r2: [1.0; 2] };
        let nearness = Nearness::Place { readout, distance: Distance::Squared };
        let (latents, goal) = ([[1.0, 2.0, 7.0], [0.0, 4.0, -3.0]], [0.0, 0.0, 5.0]);
        let device = Cpu::default();
        let rows: Matrix = device.tensor_from_vec(latents.as_flattened().to_vec(), (2, 3));
        let taped = nearness.of_rows(rows.leaky_trace(), &goal);
        let expected = [2.0 * 2.0 + 1.0, 2.0 * 2.0];
        for (row, expected) in expected.iter().enumerate() {
            assert!((nearness.of(&latents[row], &nearness.read(&goal)) - expected).abs() < 1e-6);
            assert!((taped.as_vec()[row] - expected).abs() < 1e-6);
        }
        let slopes = taped.sum::<(), _>().backward().get(&rows).as_vec();
        assert_eq!(slopes, [8.0, 1.0, 0.0, 0.0, 2.0, 0.0]);
    }
}
