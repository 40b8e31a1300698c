//! What keeps a model from collapsing, one file an objective: functions from matrices on dfdx's tape to a scalar on it (Dawid & LeCun
//! 2023, Secs. 4 and 6). The mind trains with these (`forethought_mind::training::objectives`). Where a function takes a second matrix,
//! that one's gradient gathers too: hand in a copy to stop it.
//!
//! For a joint embedding: [`vicreg`], [`barlow_twins`], [`byol`], [`sigreg`], [`info_nce`], [`pairwise_hinge`]. For any energy:
//! [`pairwise_hinge::of_energies`], [`info_nce::of_energies`], [`maximum_likelihood`], [`score_matching`]. Read first: [`vicreg`].

pub mod barlow_twins;
pub mod byol;
pub mod info_nce;
pub mod maximum_likelihood;
pub mod pairwise_hinge;
pub mod score_matching;
pub mod sigreg;
pub mod vicreg;

use crate::{Matrix, TapedMatrix, TapedScalar, numbers};
use dfdx::prelude::{Cpu, Gradients, HasShape, PutTape, Shape, SplitTape, Tape, Tensor, TensorFromVec};

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

/// A tensor, and a scalar's slopes by it.
type Side<'a, S> = (&'a Tensor<S, f32, Cpu>, Vec<f32>);

/// A scalar on the tape whose slope by each tensor is known already.
pub(crate) fn with_slopes<S: Shape, T: Tape<f32, Cpu>, const N: usize>(
    value: f32,
    sides: [Side<S>; N],
    mut tape: T,
) -> Tensor<(), f32, Cpu, T> {
    let out = Cpu::default().tensor_from_vec(vec![value], ());
    let (out_ghost, sides) = (out.ghost(), sides.map(|(side, slopes)| (side.ghost(), slopes)));
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let arriving = gradients.get_or_alloc_mut(&out_ghost)?[0];
        for (side, slopes) in &sides {
            let sums = gradients.get_or_alloc_mut(side)?;
            sums.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += arriving * slope);
        }
        Ok(())
    });
    out.put_tape(tape)
}

/// The mean over rows `i` of a loss of the energies `E[i, j]` between prediction `i` and target `j`, the mean squared difference
/// of their components. Rows meet the rows of their own group only: `group` rows one after the other.
///
/// `of_row` gets `i` and `E[i, ..]`, leaves the slopes there instead, and gives the row's loss.
pub(crate) fn contrast(
    predicted: TapedMatrix,
    target: &Matrix,
    group: usize,
    mut of_row: impl FnMut(usize, &mut [f32]) -> f32,
) -> TapedScalar {
    let (rows, columns) = *predicted.shape();
    let (predicted, tape) = predicted.split_tape();
    let (left, right) = (numbers(&predicted), numbers(target));
    let (mut by_left, mut by_right) = (vec![0.0; left.len()], vec![0.0; right.len()]);
    let (component, share) = (1.0 / columns as f32, 1.0 / rows as f32);
    let mut loss = 0.0;
    let block = group.max(1) * columns;
    let sides = left.chunks(block).zip(right.chunks(block));
    for ((left, right), (by_left, by_right)) in sides.zip(by_left.chunks_mut(block).zip(by_right.chunks_mut(block))) {
        for (index, (l, by_l)) in left.chunks_exact(columns).zip(by_left.chunks_exact_mut(columns)).enumerate() {
            let energy = |r: &[f32]| component * l.iter().zip(r).map(|(l, r)| (l - r) * (l - r)).sum::<f32>();
            let mut energies: Vec<f32> = right.chunks_exact(columns).map(energy).collect();
            loss += share * of_row(index, &mut energies);
            let others = right.chunks_exact(columns).zip(by_right.chunks_exact_mut(columns));
            for ((r, by_r), slope) in others.zip(energies) {
                let slope = 2.0 * share * component * slope;
                for (((l, r), by_l), by_r) in l.iter().zip(r).zip(&mut *by_l).zip(by_r) {
                    *by_l += slope * (l - r);
                    *by_r -= slope * (l - r);
                }
            }
        }
    }
    with_slopes(loss, [(&predicted, by_left), (target, by_right)], tape)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Column, TapedColumn};
    use dfdx::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// About normal, of mean 0 and variance 1.
    pub(crate) fn normal(rows: usize, columns: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut value = || (0..12).map(|_| rng.gen_range(-0.5..0.5_f32)).sum();
        (0..rows * columns).map(|_| value()).collect()
    }

    pub(crate) fn matrix(values: &[f32], columns: usize) -> Matrix {
        Cpu::default().tensor_from_vec(values.to_vec(), (values.len() / columns, columns))
    }

    /// The gradient by two columns of energies against central differences.
    pub(crate) fn check_energies(
        matched: &[f32],
        contrastive: &[f32],
        loss: impl Fn(TapedColumn, &Column) -> TapedScalar,
    ) {
        let column = |values: &[f32]| Cpu::default().tensor_from_vec(values.to_vec(), (values.len(),));
        let sides = [column(matched), column(contrastive)];
        let gradients = loss(sides[0].leaky_trace(), &sides[1]).backward();
        for (side, tensor) in sides.iter().enumerate() {
            for (index, got) in gradients.get(tensor).as_vec().into_iter().enumerate() {
                let at = |offset: f32| {
                    let mut moved = [matched.to_vec(), contrastive.to_vec()];
                    moved[side][index] += offset;
                    loss(column(&moved[0]).leaky_trace(), &column(&moved[1])).as_vec()[0]
                };
                let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!((got - slope).abs() < 1e-3, "side {side}, number {index}: {got} against {slope}");
            }
        }
    }

    /// The gradient by both matrices against central differences; gives the first one's.
    pub(crate) fn check_gradients(
        left: &[f32],
        right: &[f32],
        columns: usize,
        loss: impl Fn(TapedMatrix, &Matrix) -> TapedScalar,
    ) -> Vec<f32> {
        let of = |sides: &[Vec<f32>; 2]| {
            let sides = sides.each_ref().map(|side| matrix(side, columns));
            (loss(sides[0].leaky_trace(), &sides[1]), sides)
        };
        let values = [left.to_vec(), right.to_vec()];
        let (out, sides) = of(&values);
        let gradients = out.backward();
        for (side, tensor) in sides.iter().enumerate() {
            let gradient = gradients.get(tensor).as_vec();
            let largest = gradient.iter().fold(1e-3_f32, |largest, slope| largest.max(slope.abs()));
            for index in (0..gradient.len()).step_by(7) {
                let at = |offset: f32| {
                    let mut moved = values.clone();
                    moved[side][index] += offset;
                    of(&moved).0.as_vec()[0]
                };
                let slope = (at(5e-3) - at(-5e-3)) / 1e-2;
                let got = gradient[index];
                assert!((got - slope).abs() < 0.02 * largest, "side {side}, number {index}: {got} against {slope}");
            }
        }
        gradients.get(&sides[0]).as_vec()
    }
}
