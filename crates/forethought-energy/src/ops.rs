//! Operations on dfdx's tape that it lacks, or does wrong: its `slice` overwrites the gradient that has gathered. Read first: [`columns`].

use crate::{Matrix, PassTape, TapedMatrix, numbers};
use dfdx::prelude::{Cpu, Gradients, HasShape, PutTape, SplitTape, Tape, TensorFromVec};
use std::ops::Range;

/// Some of the columns of `[rows, columns]`, which must have them.
#[must_use]
pub fn columns(input: TapedMatrix, range: Range<usize>) -> TapedMatrix {
    let (rows, all) = *input.shape();
    let (input, mut tape) = input.split_tape();
    let values = numbers(&input).chunks_exact(all).flat_map(|row| row[range.clone()].to_vec()).collect();
    let out = Cpu::default().tensor_from_vec(values, (rows, range.len()));
    let (from, to) = (input.ghost(), out.ghost());
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let arriving = gradients.get_or_alloc_mut(&to)?.to_vec();
        let sums = gradients.get_or_alloc_mut(&from)?;
        for (sums, arriving) in sums.chunks_exact_mut(all).zip(arriving.chunks_exact(range.len().max(1))) {
            sums[range.clone()].iter_mut().zip(arriving).for_each(|(sum, slope)| *sum += slope);
        }
        Ok(())
    });
    out.put_tape(tape)
}

/// Two matrices beside each other, `[rows, a]` and `[rows, b]` to `[rows, a + b]`. What they came from is on `tape`.
#[must_use]
pub fn beside(left: &Matrix, right: &Matrix, mut tape: PassTape) -> TapedMatrix {
    let (rows, [a, b]) = (left.shape().0, [left.shape().1, right.shape().1]);
    let (lefts, rights) = (numbers(left), numbers(right));
    let row = |row: usize| [&lefts[row * a..(row + 1) * a], &rights[row * b..(row + 1) * b]].concat();
    let out = Cpu::default().tensor_from_vec((0..rows).flat_map(row).collect(), (rows, a + b));
    let (sides, to) = ([(left.ghost(), 0..a), (right.ghost(), a..a + b)], out.ghost());
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let arriving = gradients.get_or_alloc_mut(&to)?.to_vec();
        for (side, range) in &sides {
            let sums = gradients.get_or_alloc_mut(side)?;
            let rows = arriving.chunks_exact((a + b).max(1));
            for (sums, arriving) in sums.chunks_exact_mut(range.len().max(1)).zip(rows) {
                sums.iter_mut().zip(&arriving[range.clone()]).for_each(|(sum, slope)| *sum += slope);
            }
        }
        Ok(())
    });
    out.put_tape(tape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::{matrix, tests::check};
    use dfdx::prelude::*;

    #[test]
    fn slopes_agree_with_finite_differences() {
        let x = matrix(vec![0.3, -0.2, 1.0, 0.4], 2);
        let y = matrix(vec![0.5, 0.1, -1.2, 0.4, 2.0, -0.7], 3);
        let energy = |x: &Matrix, y: &Matrix, tape| {
            // Used once more, so that gradients meet.
            let (all, tape) = beside(x, y, tape).square().split_tape();
            let part = columns(y.clone().put_tape(tape), 1..3).sum::<_, Axis<1>>();
            let (part, tape) = part.square().split_tape();
            all.put_tape(tape).sum::<_, Axis<1>>() * part
        };
        check(&energy, &x, &y, 0.01);
        let (all, _) = beside(&x, &y, PassTape::default()).split_tape();
        assert_eq!(numbers(&all)[5..], [1.0, 0.4, 0.4, 2.0, -0.7]);
    }
}
