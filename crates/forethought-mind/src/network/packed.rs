//! A weight matrix packed once for many small products: planning multiplies a few rows by the same weights thousands of
//! times, where a general kernel would spend its time packing them again. Read first: [`Packed::multiply`].
#![allow(
    unsafe_code,
    reason = "a function compiled for AVX2 and FMA is called only after the processor was asked for them"
)]

/// Columns of a panel: two AVX2 registers.
const WIDTH: usize = 16;
/// Rows worked on at once: with two registers a row, twelve sums hide the latency of the multiply-add and leave registers
/// for the weights.
const HEIGHT: usize = 6;

/// `[inputs, outputs]`, in panels of 16 columns, each stored row by row and the last filled up with zeros.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Packed {
    panels: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

impl Packed {
    /// Pack `[inputs, outputs]` given row by row.
    pub(crate) fn new(weight: &[f32], inputs: usize, outputs: usize) -> Self {
        Self::pack(inputs, outputs, |row, column| weight[row * outputs + column])
    }

    /// Pack the transpose of `[rows, columns]` given row by row.
    pub(crate) fn transposed(weight: &[f32], rows: usize, columns: usize) -> Self {
        Self::pack(columns, rows, |row, column| weight[column * columns + row])
    }

    fn pack(inputs: usize, outputs: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let mut panels = Vec::with_capacity(outputs.div_ceil(WIDTH) * WIDTH * inputs);
        for first in (0..outputs).step_by(WIDTH) {
            for row in 0..inputs {
                panels.extend((first..first + WIDTH).map(|c| if c < outputs { at(row, c) } else { 0.0 }));
            }
        }
        Self { panels, inputs, outputs }
    }

    /// `out = values · weight`, or `out += values · weight` where `accumulate`, for `[rows, inputs]` row by row.
    pub(crate) fn multiply(&self, values: &[f32], out: &mut [f32], accumulate: bool) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has just said that it has both.
            return self.by_blocks(values, out, accumulate, |block| unsafe { block.sums_avx2() });
        }
        self.by_blocks(values, out, accumulate, |block| block.sums());
    }

    fn by_blocks(&self, values: &[f32], out: &mut [f32], accumulate: bool, sums: impl Fn(&Block) -> Sums) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        assert_eq!(values.len() * outputs, out.len() * inputs, "matrices that do not fit");
        if inputs == 0 || outputs == 0 {
            return;
        }
        // A panel stays in the nearest cache while all rows pass by.
        for (panel, first) in self.panels.chunks_exact(WIDTH * inputs).zip((0..outputs).step_by(WIDTH)) {
            for (values, out) in values.chunks(HEIGHT * inputs).zip(out.chunks_mut(HEIGHT * outputs)) {
                let sums = sums(&Block { values, panel, inputs });
                for (row, sums) in out.chunks_exact_mut(outputs).zip(&sums) {
                    let row = &mut row[first..outputs.min(first + WIDTH)];
                    if accumulate {
                        row.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
                    } else {
                        row.copy_from_slice(&sums[..row.len()]);
                    }
                }
            }
        }
    }
}

/// A few rows' products with one panel.
type Sums = [[f32; WIDTH]; HEIGHT];

/// Up to [`HEIGHT`] rows `[rows, inputs]` and one panel `[inputs, WIDTH]`.
struct Block<'a> {
    values: &'a [f32],
    panel: &'a [f32],
    inputs: usize,
}

impl Block<'_> {
    fn sums(&self) -> Sums {
        let mut sums = [[0.0; WIDTH]; HEIGHT];
        for (sums, row) in sums.iter_mut().zip(self.values.chunks_exact(self.inputs)) {
            for (x, weights) in row.iter().zip(self.panel.as_chunks::<WIDTH>().0) {
                sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += x * weight);
            }
        }
        sums
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn sums_avx2(&self) -> Sums {
        match self.values.len() / self.inputs {
            1 => self.rows_avx2::<1>(),
            2 => self.rows_avx2::<2>(),
            3 => self.rows_avx2::<3>(),
            4 => self.rows_avx2::<4>(),
            5 => self.rows_avx2::<5>(),
            _ => self.rows_avx2::<HEIGHT>(),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn rows_avx2<const ROWS: usize>(&self) -> Sums {
        use std::arch::x86_64::{
            _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
        };
        assert!(self.values.len() >= ROWS * self.inputs && self.panel.len() == WIDTH * self.inputs);
        let mut left = [_mm256_setzero_ps(); ROWS];
        let mut right = [_mm256_setzero_ps(); ROWS];
        for k in 0..self.inputs {
            // SAFETY: `k < inputs`, and the panel has `inputs` rows of two registers each.
            let weights = unsafe {
                let at = self.panel.as_ptr().add(k * WIDTH);
                (_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(WIDTH / 2)))
            };
            for row in 0..ROWS {
                // SAFETY: `row < ROWS` and `k < inputs`, and there are `ROWS * inputs` values.
                let x = _mm256_set1_ps(unsafe { *self.values.get_unchecked(row * self.inputs + k) });
                left[row] = _mm256_fmadd_ps(x, weights.0, left[row]);
                right[row] = _mm256_fmadd_ps(x, weights.1, right[row]);
            }
        }
        let mut sums = [[0.0; WIDTH]; HEIGHT];
        for row in 0..ROWS {
            // SAFETY: each row of `sums` is two registers wide.
            unsafe {
                _mm256_storeu_ps(sums[row].as_mut_ptr(), left[row]);
                _mm256_storeu_ps(sums[row].as_mut_ptr().add(WIDTH / 2), right[row]);
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition_on_every_path() {
        let value = |seed: usize, index: usize| ((index * 7 + seed * 13) % 11) as f32 - 5.0;
        for (rows, inputs, outputs) in [(1, 1, 1), (2, 34, 16), (3, 5, 17), (4, 16, 48), (5, 33, 31), (17, 2, 130)] {
            let values: Vec<f32> = (0..rows * inputs).map(|i| value(1, i)).collect();
            let weight: Vec<f32> = (0..inputs * outputs).map(|i| value(2, i)).collect();
            let expected: Vec<f32> = (0..rows * outputs)
                .map(|i| {
                    (0..inputs).map(|k| values[i / outputs * inputs + k] * weight[k * outputs + i % outputs]).sum()
                })
                .collect();
            let turned: Vec<f32> = (0..inputs * outputs).map(|i| weight[(i % inputs) * outputs + i / inputs]).collect();
            for packed in [Packed::new(&weight, inputs, outputs), Packed::transposed(&turned, outputs, inputs)] {
                let mut out = vec![f32::NAN; rows * outputs];
                packed.multiply(&values, &mut out, false);
                assert_eq!(out, expected);
                packed.multiply(&values, &mut out, true);
                assert!(out.iter().zip(&expected).all(|(got, once)| *got == 2.0 * once));
                packed.by_blocks(&values, &mut out, false, |block| block.sums());
                assert_eq!(out, expected);
            }
        }
    }
}
