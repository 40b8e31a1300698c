//! Keep clear: stay out of the way of what moves. Read first: [`KeepClearSpec`].

use crate::{
    cost::{Extent, Imagined},
    world_model::clearance::Clearance,
};
use dfdx::prelude::{Cpu, PutTape, SplitTape, Tape, Tensor, TensorFromVec};
use forethought_energy::{Matrix, TapedMatrix, TapedScalar, numbers};
use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Energy of a rollout: `weight` times the mean over its imagined latents `s` of `max(0, 1 - d(s) / distance_m)²`, where `d`
/// is how near the agent's outline comes to anything else that can move, as the world model reads it out of a latent
/// (`ModelCard::clearance`; an intrinsic cost as a readout of an imagined state, LeCun 2022, Sec. 4.8.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepClearSpec {
    /// How near is too near, in metres; up to 2, the farthest that a clearance is read out.
    #[serde(default = "half")]
    pub distance_m: Num,
    /// How much it counts.
    #[serde(default = "one")]
    pub weight: Num,
}

fn half() -> Num {
    Num::Literal(0.5)
}

fn one() -> Num {
    Num::Literal(1.0)
}

impl_numbers!(struct KeepClearSpec { distance_m, weight });

impl KeepClearSpec {
    /// How far too near, from 0 to 1 and beyond where outlines overlap.
    fn want(&self, distance_m: f32) -> f32 {
        (1.0 - distance_m / self.distance_m.value_f32()).max(0.0)
    }

    pub(crate) fn add_energies(&self, imagined: &Imagined, clearance: &Clearance, energies: &mut [f32]) {
        let share = imagined.extent.share(&self.weight);
        for (row, distance_m) in clearance.distances_m(imagined.latents).into_iter().enumerate() {
            energies[row % imagined.batch] += share * self.want(distance_m).powi(2);
        }
    }

    pub(crate) fn total(&self, latents: TapedMatrix, clearance: &Arc<Clearance>, extent: Extent) -> TapedScalar {
        let (latents, mut tape): (Matrix, _) = latents.split_tape();
        let (distances_m, slopes) = clearance.forward(&numbers(&latents));
        let share = extent.share(&self.weight);
        let sum = share * distances_m.iter().map(|distance_m| self.want(*distance_m).powi(2)).sum::<f32>();
        let out: Tensor<(), f32, Cpu> = latents.device().tensor_from_vec(vec![sum], ());
        let (to_latents, from_out) = (latents.ghost(), out.ghost());
        let (this, clearance) = (self.clone(), clearance.clone());
        tape.add_backward_op(move |gradients| {
            let arriving = gradients.get_or_alloc_mut(&from_out)?[0];
            let scale = -2.0 * share * arriving / this.distance_m.value_f32();
            let at_out: Vec<f32> = distances_m.iter().map(|distance_m| scale * this.want(*distance_m)).collect();
            let back = clearance.network.back(&slopes, &at_out);
            gradients.get_or_alloc_mut(&to_latents)?.iter_mut().zip(back).for_each(|(sum, value)| *sum += value);
            Ok(())
        });
        out.put_tape(tape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{network::Mlp, world_model::clearance::ClearanceCard};
    use dfdx::prelude::{Backward, Trace};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mlp = Mlp::random(3, &[8], 1, 1.0, &mut rng);
        let clearance = Arc::new(Clearance::new(ClearanceCard { hidden: vec![8], r2: 1.0 }, mlp));
        let drive = KeepClearSpec { distance_m: Num::Literal(0.8), weight: Num::Literal(3.0) };
        let (extent, batch) = (Extent { steps: 2, stride: 1 }, 5);
        let mut latents: Vec<f32> = (0..2 * batch * 3).map(|_| rng.gen_range(-1.0..1.0)).collect();
        let energies = |latents: &[f32]| {
            let mut energies = vec![0.0; batch];
            drive.add_energies(&Imagined { latents, actions: &[], batch, extent }, &clearance, &mut energies);
            energies
        };
        let leaf = Cpu::default().tensor_from_vec(latents.clone(), (2 * batch, 3));
        let total = drive.total(leaf.leaky_trace(), &clearance, extent);
        let sum: f32 = energies(&latents).iter().sum();
        assert!((numbers_of(&total) - sum).abs() < 1e-4 && sum > 0.0);
        let gradient = total.backward().get(&leaf).as_vec();
        for index in 0..latents.len() {
            let mut at = |offset: f32| {
                latents[index] += offset;
                let sum: f32 = energies(&latents).iter().sum();
                latents[index] -= offset;
                sum
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((slope - gradient[index]).abs() < 0.03, "{index}: {} against {slope}", gradient[index]);
        }
    }

    fn numbers_of(total: &TapedScalar) -> f32 {
        total.as_vec()[0]
    }
}
