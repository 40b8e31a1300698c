//! What keeps a joint embedding from collapsing, one file an objective: functions from matrices on dfdx's tape to a scalar on
//! it (Dawid & LeCun 2023, Secs. 4 and 6). Read first: [`vicreg`].

pub mod vicreg;

use crate::{Matrix, numbers};
use dfdx::prelude::{Cpu, Gradients, HasShape, PutTape, Tape, Tensor, TensorFromVec};

/// A scalar on the tape: `backward` gets its derivative and adds to those by the latents.
pub(crate) fn scalar<T: Tape<f32, Cpu>>(
    value: f32,
    latents: &Matrix,
    mut tape: T,
    backward: impl FnOnce(f32, &mut [f32]) + 'static,
) -> Tensor<(), f32, Cpu, T> {
    let out = Cpu::default().tensor_from_vec(vec![value], ());
    let (out_ghost, latents) = (out.ghost(), latents.ghost());
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let arriving = gradients.get_or_alloc_mut(&out_ghost)?[0];
        backward(arriving, gradients.get_or_alloc_mut(&latents)?);
        Ok(())
    });
    out.put_tape(tape)
}

/// Each component less its mean over the batch.
pub(crate) fn centred(latents: &Matrix) -> Vec<f32> {
    let (rows, columns) = *latents.shape();
    let mut values = numbers(latents);
    let mut means = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value);
    }
    means.iter_mut().for_each(|mean| *mean /= rows as f32);
    for row in values.chunks_exact_mut(columns) {
        row.iter_mut().zip(&means).for_each(|(value, mean)| *value -= mean);
    }
    values
}
