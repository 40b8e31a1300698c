//! The cost: what the agent wants. Intrinsic cost is hard-wired (the drives) and differentiable back to the actions.
//! Read first: [`IntrinsicCost`].

pub mod drives;

use dfdx::prelude::{Cpu, OwnedTape, PutTape, SplitTape, Tensor};
use drives::DriveSpec;
use forethought_energy::{Matrix, TapedScalar};

/// The weighted drives of an agent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IntrinsicCost {
    drives: Vec<DriveSpec>,
}

/// Imagined futures to judge, time first.
pub(crate) struct Imagined<'a> {
    /// `[horizon * batch, latent]`.
    pub(crate) latents: &'a [f32],
    /// `[horizon * batch, action]`.
    pub(crate) actions: &'a [f32],
    pub(crate) batch: usize,
    pub(crate) horizon: usize,
}

impl IntrinsicCost {
    pub(crate) fn new(drives: &[DriveSpec]) -> Self {
        Self { drives: drives.to_vec() }
    }

    /// The drive that needs a goal, if there is one.
    pub(crate) fn needs_goal(&self) -> bool {
        self.drives.iter().any(|drive| matches!(drive, DriveSpec::Reach(_)))
    }

    /// The energy of each future: `[batch]`.
    pub(crate) fn energies(&self, imagined: &Imagined, goal: &[f32]) -> Vec<f32> {
        let mut energies = vec![0.0; imagined.batch];
        for drive in &self.drives {
            match drive {
                DriveSpec::Reach(reach) => reach.add_energies(imagined, goal, &mut energies),
                DriveSpec::Effort(effort) => effort.add_energies(imagined, &mut energies),
            }
        }
        energies
    }

    /// The sum of all futures' energies on dfdx's tape. `latents` `[horizon * batch, latent]` carries the tape that leads
    /// back to `actions` `[horizon * batch, action]`.
    pub(crate) fn total(
        &self,
        latents: &Matrix,
        actions: &Matrix,
        tape: OwnedTape<f32, Cpu>,
        goal: &[f32],
        horizon: usize,
    ) -> TapedScalar {
        let zero: Tensor<(), f32, Cpu> = dfdx::prelude::TensorFromVec::tensor_from_vec(latents.device(), vec![0.0], ());
        let mut total = zero.put_tape(tape);
        for drive in &self.drives {
            let (sum, tape) = total.split_tape();
            let (term, tape) = match drive {
                DriveSpec::Reach(reach) => reach.total(latents.clone().put_tape(tape), goal, horizon),
                DriveSpec::Effort(effort) => effort.total(actions.clone().put_tape(tape), horizon),
            }
            .split_tape();
            total = sum.put_tape(tape) + term;
        }
        total
    }
}
