//! Subgoals: a level's imagined states are what the level below is to bring about (Dawid & LeCun 2023, Sec. 6; LeCun 2022,
//! Sec. 4.6). Read first: [`Subgoals`].

use crate::world_model::{encoder::Slopes, hjepa::Level};
use dfdx::prelude::{Cpu, HasShape, PutTape, SplitTape, Tape, Tensor, TensorFromVec};
use forethought_energy::{Matrix, TapedMatrix, TapedScalar, distance::Distance, numbers};
use std::sync::Arc;

/// Energy of a rollout: the mean over its imagined latents `s_i` of `sqrt(|Enc(pool(s_i)) - g_i|² + 1e-3)`, where `Enc` is the
/// encoder of the level above, pooling takes in the latents before, and `g_i` is the state which that level has planned for
/// then.
#[derive(Debug, Clone)]
pub(crate) struct Subgoals {
    /// The level above.
    pub(crate) level: Arc<Level>,
    /// The present latent and those before that pooling takes in, one prediction apart, oldest first: `[stride - 1, latent]`.
    pub(crate) past: Vec<f32>,
    /// The state planned for each prediction, `[steps, latent above]`.
    pub(crate) planned: Vec<f32>,
}

/// What the way back needs.
struct Judged {
    /// `[steps * batch]`.
    distances: Vec<f32>,
    /// `[steps * batch, latent above]`.
    encoded: Vec<f32>,
    slopes: Slopes,
}

impl Subgoals {
    fn steps(&self) -> usize {
        self.planned.len() / self.level.predictor.latent()
    }

    #[expect(clippy::cast_precision_loss, reason = "a horizon has far fewer than 2^24 steps")]
    fn share(&self) -> f32 {
        1.0 / self.steps().max(1) as f32
    }

    /// Add each future's energy to `energies`, `[batch]`, from latents `[steps * batch, latent]`.
    pub(crate) fn add_energies(&self, latents: &[f32], energies: &mut [f32]) {
        let (batch, share) = (energies.len(), self.share());
        for (row, distance) in self.judge(latents, batch, false).distances.iter().enumerate() {
            energies[row % batch] += share * distance;
        }
    }

    fn judge(&self, latents: &[f32], batch: usize, save: bool) -> Judged {
        let above = self.level.predictor.latent();
        let (encoded, slopes) = self.level.encoder.forward(&self.pool(latents, batch), save);
        let rows = encoded.chunks_exact(above).enumerate();
        let distances = rows.map(|(row, latent)| Distance::Smooth.of(latent, self.planned_for(row / batch))).collect();
        Judged { distances, encoded, slopes }
    }

    fn planned_for(&self, step: usize) -> &[f32] {
        let above = self.level.predictor.latent();
        &self.planned[step * above..(step + 1) * above]
    }

    /// Each latent with those before it.
    fn pool(&self, latents: &[f32], batch: usize) -> Vec<f32> {
        let width = latents.len() / (self.steps() * batch);
        let mut pooled = vec![0.0; latents.len()];
        for (step, out) in pooled.chunks_exact_mut(batch * width).enumerate() {
            self.each_pooled(step, |from| match from {
                Ok(earlier) => {
                    let latents = &latents[earlier * batch * width..(earlier + 1) * batch * width];
                    out.iter_mut().zip(latents).for_each(|(sum, value)| *sum += value);
                }
                Err(past) => {
                    let latent = &self.past[past * width..(past + 1) * width];
                    for out in out.chunks_exact_mut(width) {
                        out.iter_mut().zip(latent).for_each(|(sum, value)| *sum += value);
                    }
                }
            });
            let share = self.pooled_share();
            out.iter_mut().for_each(|sum| *sum *= share);
        }
        pooled
    }

    #[expect(clippy::cast_precision_loss, reason = "a stride has far fewer than 2^24 steps")]
    fn pooled_share(&self) -> f32 {
        1.0 / self.level.spec.stride as f32
    }

    /// What is pooled for prediction `step`: predictions, or else what is past.
    fn each_pooled(&self, step: usize, mut visit: impl FnMut(Result<usize, usize>)) {
        let stride = self.level.spec.stride;
        for back in 0..stride {
            // Of the past, the present is the last of `stride - 1`.
            visit(step.checked_sub(back).ok_or_else(|| stride - 1 + step - back));
        }
    }

    /// The sum of all futures' energies on dfdx's tape.
    pub(crate) fn total(&self, latents: TapedMatrix) -> TapedScalar {
        let (latents, mut tape): (Matrix, _) = latents.split_tape();
        let values = numbers(&latents);
        let batch = latents.shape().0 / self.steps();
        let (share, judged) = (self.share(), self.judge(&values, batch, true));
        let sum = share * judged.distances.iter().sum::<f32>();
        let out: Tensor<(), f32, Cpu> = latents.device().tensor_from_vec(vec![sum], ());
        let (to_latents, from_out, this) = (latents.ghost(), out.ghost(), self.clone());
        tape.add_backward_op(move |gradients| {
            let arriving = share * gradients.get_or_alloc_mut(&from_out)?[0];
            let above = this.level.predictor.latent();
            let mut at_out = judged.encoded;
            for (row, (latent, distance)) in at_out.chunks_exact_mut(above).zip(&judged.distances).enumerate() {
                let planned = this.planned_for(row / batch);
                latent.iter_mut().zip(planned).for_each(|(s, g)| *s = arriving / distance * (*s - g));
            }
            let to_pooled = this.level.encoder.back(&judged.slopes, &at_out);
            let sums = gradients.get_or_alloc_mut(&to_latents)?;
            let (rows, share) = (to_pooled.len() / this.steps(), this.pooled_share());
            for (step, to_pooled) in to_pooled.chunks_exact(rows).enumerate() {
                this.each_pooled(step, |from| {
                    if let Ok(earlier) = from {
                        let sums = &mut sums[earlier * rows..(earlier + 1) * rows];
                        sums.iter_mut().zip(to_pooled).for_each(|(sum, value)| *sum += share * value);
                    }
                });
            }
            Ok(())
        });
        out.put_tape(tape)
    }
}
