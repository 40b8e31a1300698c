//! The critic: what a state will cost later on, learnt from what similar states did cost (Dawid & LeCun 2023, Sec. 2.3).
//! It stands at the end of imagined futures for all that is not imagined any more. Read first: [`Critic`].

use super::{Extent, Imagined, drives::DriveSpec};
use crate::{
    network::Mlp,
    world_model::encoder::{Encoder, Slopes},
};
use dfdx::prelude::{Cpu, PutTape, SplitTape, Tape, Tensor, TensorFromVec};
use forethought_energy::{Matrix, TapedMatrix, TapedScalar, numbers};
use serde::{Deserialize, Serialize};

/// What a critic says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CriticCard {
    /// Hidden layers of its networks.
    pub hidden: Vec<usize>,
    /// What a cost counts one prediction later.
    pub discount: f32,
    /// Whether it judges how far a goal is, for the drive `Reach`.
    pub goals: bool,
    /// The other drives that it judges, by name.
    pub drives: Vec<String>,
    /// How well its estimates agree with what came, on lives that it did not learn from: goals first, then the drives.
    pub calibration: Vec<Calibration>,
}

/// Predicted against realised cost of one drive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The drive.
    pub drive: String,
    /// States that were looked at.
    pub states: usize,
    /// The share of the realised costs' variance that the estimates explain.
    pub r2: f32,
    /// The estimates' mean error: above 0 where they are too high.
    pub bias: f32,
    /// By tenths of the states, those of the lowest estimates first: the mean estimate and the mean of what came.
    pub tenths: Vec<[f32; 2]>,
}

/// For each drive `d` a network tells `U_d(s) = (1 - g) sum_i g^(i-1) c_d(s_i)`: the mean of the drive's cost, before its
/// weight, in the states `s_1, s_2, ...` one prediction apart that follow on `s` under the agent's own behaviour, where what
/// comes later counts less by the discount `g`. For `Reach` it also reads the goal. At the end of an imagined future of `H`
/// predictions, `U_d / (1 - g)` stands for the costs that would follow, beside the `H` that are there.
#[derive(Debug, Clone, PartialEq)]
pub struct Critic {
    pub(crate) card: CriticCard,
    /// `[latent + latent]` to one value.
    pub(crate) goals: Option<Encoder>,
    /// `[latent]` to a value for each drive.
    pub(crate) drives: Option<Encoder>,
}

impl Critic {
    pub(crate) fn new(card: CriticCard, goals: Option<Mlp>, drives: Option<Mlp>) -> Self {
        Self { card, goals: goals.map(Encoder::new), drives: drives.map(Encoder::new) }
    }

    /// What it says of itself.
    #[must_use]
    pub fn card(&self) -> &CriticCard {
        &self.card
    }

    /// `U` of being away from `goal` in each state of `latents` `[rows, latent]`: `[rows]`; nothing where it does not judge it.
    #[must_use]
    pub fn of_goal(&self, latents: &[f32], goal: &[f32]) -> Vec<f32> {
        self.goals.as_ref().map_or_else(Vec::new, |network| network.forward(&beside(latents, goal), false).0)
    }

    /// `U` of each drive of the card in each state of `latents` `[rows, latent]`: `[rows, drives]`.
    #[must_use]
    pub fn of_drives(&self, latents: &[f32]) -> Vec<f32> {
        self.drives.as_ref().map_or_else(Vec::new, |network| network.forward(latents, false).0)
    }

    /// How many imagined states' costs the estimate stands for.
    fn reach(&self) -> f32 {
        1.0 / (1.0 - self.card.discount).max(1e-6)
    }

    /// What each output counts: that of the goal, and those of the drives.
    fn shares(&self, drives: &[DriveSpec], extent: Extent) -> (f32, Vec<f32>) {
        let (mut goal, mut others) = (0.0, vec![0.0; self.card.drives.len()]);
        for drive in drives {
            let share = extent.share(drive.weight()) * self.reach();
            match (drive, self.card.drives.iter().position(|name| name == drive.name())) {
                (DriveSpec::Reach(_), _) => goal += share,
                (_, Some(index)) => others[index] += share,
                (_, None) => {}
            }
        }
        (goal, others)
    }

    /// `U` of one state `[latent]`, all drives together as they weigh.
    pub(crate) fn expected(&self, drives: &[DriveSpec], latent: &[f32], goal: &[f32]) -> f32 {
        let extent = Extent { steps: 1, stride: 1 };
        let imagined = Imagined { latents: latent, actions: &[], batch: 1, extent };
        let mut energy = [0.0];
        self.add_energies(drives, &imagined, goal, &mut energy);
        energy[0] / self.reach()
    }

    /// Add to each future's energy what its last state foretells.
    pub(crate) fn add_energies(&self, drives: &[DriveSpec], imagined: &Imagined, goal: &[f32], energies: &mut [f32]) {
        let last = imagined.last();
        let (goal_share, shares) = self.shares(drives, imagined.extent);
        if goal_share > 0.0 {
            let told = self.of_goal(last, goal);
            energies.iter_mut().zip(told).for_each(|(energy, told)| *energy += goal_share * told);
        }
        if !shares.is_empty() {
            for (energy, told) in energies.iter_mut().zip(self.of_drives(last).chunks_exact(shares.len())) {
                *energy += told.iter().zip(&shares).map(|(told, share)| told * share).sum::<f32>();
            }
        }
    }

    /// The sum of [`Critic::add_energies`] on dfdx's tape, which leads back from `latents` `[steps * batch, latent]`.
    pub(crate) fn total(
        &self,
        latents: TapedMatrix,
        drives: &[DriveSpec],
        goal: &[f32],
        batch: usize,
        extent: Extent,
    ) -> TapedScalar {
        let (latents, mut tape): (Matrix, _) = latents.split_tape();
        let values = numbers(&latents);
        let first = values.len() - values.len() / extent.steps.max(1);
        let (goal_share, shares) = self.shares(drives, extent);
        let (mut sum, mut ways) = (0.0, Vec::new());
        let mut follow = |network: &Encoder, input: &[f32], shares: &[f32]| {
            let (told, slopes) = network.forward(input, true);
            sum += told.iter().zip(shares.iter().cycle()).map(|(told, share)| told * share).sum::<f32>();
            ways.push(Way { network: network.clone(), slopes, shares: shares.repeat(batch) });
        };
        if let (Some(network), true) = (&self.goals, goal_share > 0.0) {
            follow(network, &beside(&values[first..], goal), &[goal_share]);
        }
        if let (Some(network), false) = (&self.drives, shares.iter().all(|share| *share == 0.0)) {
            follow(network, &values[first..], &shares);
        }
        let out: Tensor<(), f32, Cpu> = latents.device().tensor_from_vec(vec![sum], ());
        let (to_latents, from_out) = (latents.ghost(), out.ghost());
        let width = (values.len() - first) / batch.max(1);
        tape.add_backward_op(move |gradients| {
            let arriving = gradients.get_or_alloc_mut(&from_out)?[0];
            for Way { network, slopes, shares } in ways {
                let at_out: Vec<f32> = shares.iter().map(|share| arriving * share).collect();
                let back = network.back(&slopes, &at_out);
                let columns = back.len() / batch.max(1);
                let sums = gradients.get_or_alloc_mut(&to_latents)?[first..].chunks_exact_mut(width);
                for (sums, back) in sums.zip(back.chunks_exact(columns)) {
                    sums.iter_mut().zip(back).for_each(|(sum, value)| *sum += value);
                }
            }
            Ok(())
        });
        out.put_tape(tape)
    }
}

/// The way back through one of the networks.
struct Way {
    network: Encoder,
    slopes: Slopes,
    /// By what came out, `[batch, outputs]`.
    shares: Vec<f32>,
}

/// Each row of `latents` with the goal after it.
pub(crate) fn beside(latents: &[f32], goal: &[f32]) -> Vec<f32> {
    let mut joined = Vec::with_capacity(2 * latents.len());
    for latent in latents.chunks_exact(goal.len().max(1)) {
        joined.extend_from_slice(latent);
        joined.extend_from_slice(goal);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::drives::{EffortSpec, KeepClearSpec, Likeness, ReachSpec};
    use dfdx::prelude::{Backward, Trace};
    use forethought_interface::Num;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn only_the_last_state_counts_and_the_gradient_agrees_with_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let card = CriticCard {
            hidden: vec![8],
            discount: 0.9,
            goals: true,
            drives: vec!["effort".into(), "keep_clear".into()],
            calibration: vec![],
        };
        let mut network = |inputs, outputs| Mlp::random(inputs, &[8], outputs, 1.0, &mut rng);
        let critic = Critic::new(card, Some(network(6, 1)), Some(network(3, 2)));
        let drives = [
            DriveSpec::Reach(ReachSpec { target: "goal".into(), weight: Num::Literal(1.5), by: Likeness::Latent }),
            DriveSpec::KeepClear(KeepClearSpec { distance_m: Num::Literal(1.0), weight: Num::Literal(4.0) }),
            DriveSpec::Effort(EffortSpec { weight: Num::Literal(0.5) }),
        ];
        let (extent, batch, goal) = (Extent { steps: 2, stride: 1 }, 5, [0.3, -0.2, 0.8]);
        let mut latents: Vec<f32> = (0..2 * batch * 3).map(|_| rng.gen_range(-1.0..1.0)).collect();
        let sum = |latents: &[f32]| {
            let mut energies = vec![0.0; batch];
            critic.add_energies(&drives, &Imagined { latents, actions: &[], batch, extent }, &goal, &mut energies);
            energies.iter().sum::<f32>()
        };
        let leaf = Cpu::default().tensor_from_vec(latents.clone(), (2 * batch, 3));
        let total = critic.total(leaf.leaky_trace(), &drives, &goal, batch, extent);
        assert!((total.as_vec()[0] - sum(&latents)).abs() < 1e-3);
        // By hand: half of the weights, ten states' worth.
        let last = &latents[batch * 3..];
        let goals: f32 = critic.of_goal(last, &goal).iter().sum();
        let [effort, clear] = critic.of_drives(last).chunks(2).fold([0.0; 2], |s, d| [s[0] + d[0], s[1] + d[1]]);
        assert!((7.5 * goals + 20.0 * clear + 2.5 * effort - sum(&latents)).abs() < 1e-3);
        let gradient = total.backward().get(&leaf).as_vec();
        assert!(gradient[..batch * 3].iter().all(|slope| *slope == 0.0));
        for index in 0..latents.len() {
            let mut at = |offset: f32| {
                latents[index] += offset;
                let sum = sum(&latents);
                latents[index] -= offset;
                sum
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((slope - gradient[index]).abs() < 0.05, "{index}: {} against {slope}", gradient[index]);
        }
    }
}
