//! The cost: what the agent wants. Intrinsic cost is hard-wired (the drives) and differentiable back to the actions.
//! Read first: `IntrinsicCost`.

pub mod drives;

use dfdx::prelude::{Cpu, OwnedTape, PutTape, SplitTape, Tensor};
use drives::DriveSpec;
use forethought_energy::{Matrix, TapedMatrix, TapedScalar};

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

    /// The sum of all futures' energies on dfdx's tape, which leads from `latents` `[horizon * batch, latent]` back to
    /// `actions` `[horizon * batch, action]`.
    pub(crate) fn total(&self, latents: TapedMatrix, actions: &Matrix, goal: &[f32], horizon: usize) -> TapedScalar {
        let (latents, tape) = latents.split_tape();
        let zero: Tensor<(), f32, Cpu> = dfdx::prelude::TensorFromVec::tensor_from_vec(actions.device(), vec![0.0], ());
        let mut total = zero.put_tape(tape);
        for drive in &self.drives {
            match drive {
                DriveSpec::Reach(reach) => {
                    total = add(total, |tape| reach.total(latents.clone().put_tape(tape), goal, horizon));
                }
                DriveSpec::Effort(effort) => {
                    total = add(total, |tape| effort.total(actions.clone().put_tape(tape), horizon));
                }
            }
        }
        total
    }
}

/// One more term on the tape that `sum` carries.
fn add(sum: TapedScalar, term: impl FnOnce(OwnedTape<f32, Cpu>) -> TapedScalar) -> TapedScalar {
    let (sum, tape) = sum.split_tape();
    let (term, tape) = term(tape).split_tape();
    sum.put_tape(tape) + term
}
