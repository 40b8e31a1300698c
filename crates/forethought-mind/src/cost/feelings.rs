//! The drives that judge what the body feels, all of them alike: decode it from the imagined states, and sum what each makes of
//! its own sense. Read first: `Felt`.

use super::{Extent, Imagined, drives::DriveSpec};
use crate::world_model::interoception::Interoception;
use dfdx::prelude::{Cpu, PutTape, SplitTape, Tape, Tensor, TensorFromVec};
use forethought_energy::{Matrix, TapedMatrix, TapedScalar, numbers};
use std::{ops::Range, sync::Arc};

/// What is felt in imagined states, and who minds.
pub(crate) struct Felt<'a> {
    body: &'a Arc<Interoception>,
    /// Each such drive with the sense that it judges, or its beams.
    minding: Vec<(&'a DriveSpec, Range<usize>)>,
}

impl<'a> Felt<'a> {
    /// None where no drive minds what the body feels.
    pub(crate) fn new(body: Option<&'a Arc<Interoception>>, drives: &'a [DriveSpec]) -> Option<Self> {
        let body = body?;
        let judged = |drive: &'a DriveSpec| Some((drive, body.range_of(drive.channel()?)?));
        let minding: Vec<(&DriveSpec, Range<usize>)> = drives.iter().filter_map(judged).collect();
        (!minding.is_empty()).then_some(Self { body, minding })
    }

    /// The weighed cost of each state, and where asked for the slopes by what is felt, `[rows, channels]`, over what was felt.
    fn judge(&self, felt: &mut [f32], extent: Extent, slopes: bool) -> Vec<f32> {
        let count = self.body.card.channels.len();
        let mut judged = vec![0.0; count];
        let mut costs = Vec::with_capacity(felt.len() / count.max(1));
        for row in felt.chunks_exact_mut(count) {
            judged.fill(0.0);
            let mut sum = 0.0;
            for (drive, beams) in &self.minding {
                let strongest = beams.clone().max_by(|a, b| row[*a].total_cmp(&row[*b]));
                let Some(channel) = strongest else { continue };
                let (cost, slope) = drive.cost_and_slope(row[channel]);
                let share = extent.share(drive.weight());
                sum += share * cost;
                judged[channel] += share * slope;
            }
            costs.push(sum);
            if slopes {
                row.copy_from_slice(&judged);
            }
        }
        costs
    }

    pub(crate) fn add_energies(&self, imagined: &Imagined, energies: &mut [f32]) {
        let mut felt = self.body.felt(imagined.latents);
        let costs = self.judge(&mut felt, imagined.extent, false);
        for (row, cost) in costs.into_iter().enumerate() {
            energies[row % imagined.batch] += cost;
        }
    }

    pub(crate) fn total(&self, latents: TapedMatrix, extent: Extent) -> TapedScalar {
        let (latents, mut tape): (Matrix, _) = latents.split_tape();
        let mut felt = self.body.felt(&numbers(&latents));
        let sum = self.judge(&mut felt, extent, true).into_iter().sum();
        let out: Tensor<(), f32, Cpu> = latents.device().tensor_from_vec(vec![sum], ());
        let (to_latents, from_out, body) = (latents.ghost(), out.ghost(), self.body.clone());
        tape.add_backward_op(move |gradients| {
            let arriving = gradients.get_or_alloc_mut(&from_out)?[0];
            felt.iter_mut().for_each(|slope| *slope *= arriving);
            body.add_back(&felt, gradients.get_or_alloc_mut(&to_latents)?);
            Ok(())
        });
        out.put_tape(tape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cost::drives::{ComfortSpec, HungerSpec, PainSpec, SeekSpec},
        network::Mlp,
        world_model::interoception::InteroceptionCard,
    };
    use dfdx::prelude::{Backward, Trace};
    use forethought_interface::Num;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let channels = ["energy", "harm_per_s", "warmth", "scent.food[0]", "scent.food[1]"].map(str::to_owned).to_vec();
        let mut linear = Mlp::random(4, &[], 5, 0.6, &mut rng);
        linear.layers[0].bias = vec![0.5, 0.2, 0.5, 0.3, 0.0];
        let body = Arc::new(Interoception { card: InteroceptionCard { channels, r2: vec![1.0; 5] }, linear });
        let number = Num::Literal;
        let drives = [
            DriveSpec::Hunger(HungerSpec { full: number(0.9), weight: number(2.0) }),
            DriveSpec::Pain(PainSpec { weight: number(3.0) }),
            DriveSpec::Comfort(ComfortSpec { weight: number(0.7) }),
            DriveSpec::Seek(SeekSpec { scent: "scent.food".into(), weight: number(0.9) }),
        ];
        let felt = Felt::new(Some(&body), &drives).unwrap();
        let (extent, batch) = (Extent { steps: 2, stride: 1 }, 5);
        let mut latents: Vec<f32> = (0..2 * batch * 4).map(|_| rng.gen_range(-1.0..1.0)).collect();
        let sum = |latents: &[f32]| {
            let mut energies = vec![0.0; batch];
            felt.add_energies(&Imagined { latents, actions: &[], batch, extent }, &mut energies);
            energies.iter().sum::<f32>()
        };
        let leaf = Cpu::default().tensor_from_vec(latents.clone(), (2 * batch, 4));
        let total = felt.total(leaf.leaky_trace(), extent);
        assert!((total.as_vec()[0] - sum(&latents)).abs() < 1e-4 && sum(&latents) > 0.0);
        let gradient = total.backward().get(&leaf).as_vec();
        for index in 0..latents.len() {
            let mut at = |offset: f32| {
                latents[index] += offset;
                let sum = sum(&latents);
                latents[index] -= offset;
                sum
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((slope - gradient[index]).abs() < 0.03, "{index}: {} against {slope}", gradient[index]);
        }
        assert!(Felt::new(Some(&body), &[]).is_none() && Felt::new(None, &drives).is_none());
    }
}
