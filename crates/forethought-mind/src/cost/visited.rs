//! Where the agent was lately, as the drive for novelty reads it from short-term memory. Read first: [`Visited`].

use super::{Extent, Imagined, drives::NoveltySpec};
use crate::world_model::readout::Readout;
use dfdx::prelude::{Cpu, PutTape, SplitTape, Tape, Tensor, TensorFromVec};
use forethought_energy::{Matrix, TapedMatrix, TapedScalar, numbers};
use std::sync::Arc;

/// Places remembered, and how a place is told from a latent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Visited {
    pub(crate) readout: Arc<Readout>,
    pub(crate) places_m: Arc<[[f32; 2]]>,
}

impl Visited {
    /// No place yet.
    pub(crate) fn new(readout: &Readout) -> Self {
        Self { readout: Arc::new(readout.clone()), places_m: Arc::new([]) }
    }

    /// How familiar the place of one state is.
    pub(crate) fn familiarity(&self, drive: &NoveltySpec, latent: &[f32]) -> f32 {
        drive.familiarity(self.readout.position_m(latent), self.places_m.iter().copied()).0
    }

    pub(crate) fn add_energies(&self, drive: &NoveltySpec, imagined: &Imagined, energies: &mut [f32]) {
        if self.places_m.is_empty() {
            return;
        }
        let (share, width) = (imagined.extent.share(&drive.weight), self.width());
        for (row, latent) in imagined.latents.chunks_exact(width).enumerate() {
            energies[row % imagined.batch] += share * self.familiarity(drive, latent);
        }
    }

    pub(crate) fn total(&self, drive: &NoveltySpec, latents: TapedMatrix, extent: Extent) -> TapedScalar {
        let (latents, mut tape): (Matrix, _) = latents.split_tape();
        let share = extent.share(&drive.weight);
        let values = numbers(&latents);
        let told = values.chunks_exact(self.width()).map(|latent| {
            let (familiarity, slope) =
                drive.familiarity(self.readout.position_m(latent), self.places_m.iter().copied());
            (share * familiarity, slope.map(|slope| share * slope))
        });
        let (costs, slopes): (Vec<f32>, Vec<[f32; 2]>) = told.unzip();
        let out: Tensor<(), f32, Cpu> = latents.device().tensor_from_vec(vec![costs.iter().sum()], ());
        let (to_latents, from_out) = (latents.ghost(), out.ghost());
        let (readout, width) = (self.readout.clone(), self.width());
        tape.add_backward_op(move |gradients| {
            let arriving = gradients.get_or_alloc_mut(&from_out)?[0];
            let sums = gradients.get_or_alloc_mut(&to_latents)?.chunks_exact_mut(width);
            for (sums, slope) in sums.zip(slopes) {
                for (sum, weights) in sums.iter_mut().zip(readout.weight.chunks_exact(2)) {
                    *sum += arriving * (slope[0] * weights[0] + slope[1] * weights[1]);
                }
            }
            Ok(())
        });
        out.put_tape(tape)
    }

    /// Of a latent.
    fn width(&self) -> usize {
        self.readout.weight.len() / 2 - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dfdx::prelude::{Backward, Trace};
    use forethought_interface::Num;

    #[test]
    fn where_it_was_oftener_is_more_familiar_and_the_gradient_agrees_with_finite_differences() {
        let drive = NoveltySpec { radius_m: Num::Literal(0.8), remembers: 4, weight: Num::Literal(3.0) };
        let readout = Readout { weight: vec![2.0, 0.0, 0.0, 0.5, 0.3, -0.4, 1.0, -1.0], r2: [1.0; 2] };
        let mut visited = Visited::new(&readout);
        let mut latents = vec![0.1, 0.4, -0.2, -0.3, 1.2, 0.6, 0.5, 0.9, 0.1, -0.6, 2.0, 0.2];
        let (extent, batch) = (Extent { steps: 2, stride: 1 }, 2);
        let energies = |visited: &Visited, latents: &[f32]| {
            let mut energies = vec![0.0; batch];
            let imagined = Imagined { latents, actions: &[], batch, extent };
            visited.add_energies(&drive, &imagined, &mut energies);
            energies
        };
        assert_eq!(energies(&visited, &latents), [0.0; 2]);
        visited.places_m = Arc::new([[1.0, -1.0], [1.2, -0.8], [1.1, -1.0], [2.5, 1.0]]);
        let crowded = visited.familiarity(&drive, &[0.0, 0.0, 0.0]);
        assert!(crowded > 0.7 && visited.familiarity(&drive, &[0.75, 4.0, 0.0]) < 0.3, "{crowded}");
        let leaf = Cpu::default().tensor_from_vec(latents.clone(), (4, 3));
        let total = visited.total(&drive, leaf.leaky_trace(), extent);
        let sum = |latents: &[f32]| energies(&visited, latents).iter().sum::<f32>();
        assert!((total.as_vec()[0] - sum(&latents)).abs() < 1e-5 && sum(&latents) > 0.5);
        let gradient = total.backward().get(&leaf).as_vec();
        for index in 0..latents.len() {
            let mut at = |offset: f32| {
                latents[index] += offset;
                let sum = sum(&latents);
                latents[index] -= offset;
                sum
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((slope - gradient[index]).abs() < 5e-3, "{index}: {} against {slope}", gradient[index]);
        }
    }
}
