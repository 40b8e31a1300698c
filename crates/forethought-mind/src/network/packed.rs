//! A weight matrix packed once for many small products: planning multiplies a few rows by the same weights thousands of
//! times, where a general kernel would spend its time packing them again. Read first: [`Packed::multiply`].
#![allow(
    unsafe_code,
    reason = "a function compiled for AVX2 and FMA is called only after the processor was asked for them"
)]

/// Columns of a panel: two AVX2 registers.
const WIDTH: usize = 16;
/// Rows worked on at once: with two registers a row, eight independent sums hide the latency of the multiply-add.
const HEIGHT: usize = 4;

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
        assert_eq!(values.len() * self.outputs, out.len() * self.inputs, "matrices that do not fit");
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has just said that it has both.
            return unsafe { self.multiply_avx2(values, out, accumulate) };
        }
        self.multiply_by(values, out, accumulate, |x, w, sum| sum + x * w);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn multiply_avx2(&self, values: &[f32], out: &mut [f32], accumulate: bool) {
        self.multiply_by(values, out, accumulate, |x, w, sum| f32::mul_add(x, w, sum));
    }

    #[inline(always)]
    fn multiply_by(
        &self,
        values: &[f32],
        out: &mut [f32],
        accumulate: bool,
        step: impl Fn(f32, f32, f32) -> f32 + Copy,
    ) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        if inputs == 0 || outputs == 0 {
            return;
        }
        let blocks = values.chunks(HEIGHT * inputs).zip(out.chunks_mut(HEIGHT * outputs));
        for (values, out) in blocks {
            for (panel, first) in self.panels.chunks_exact(WIDTH * inputs).zip((0..outputs).step_by(WIDTH)) {
                let columns = first..outputs.min(first + WIDTH);
                match values.len() / inputs {
                    1 => block::<1>(values, panel, out, inputs, outputs, columns, accumulate, step),
                    2 => block::<2>(values, panel, out, inputs, outputs, columns, accumulate, step),
                    3 => block::<3>(values, panel, out, inputs, outputs, columns, accumulate, step),
                    _ => block::<HEIGHT>(values, panel, out, inputs, outputs, columns, accumulate, step),
                }
            }
        }
    }
}

/// `ROWS` rows by one panel, the sums in registers.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the innermost kernel: everything it needs, nothing it must look up")]
fn block<const ROWS: usize>(
    values: &[f32],
    panel: &[f32],
    out: &mut [f32],
    inputs: usize,
    outputs: usize,
    columns: std::ops::Range<usize>,
    accumulate: bool,
    step: impl Fn(f32, f32, f32) -> f32 + Copy,
) {
    let mut sums = [[0.0_f32; WIDTH]; ROWS];
    let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &values[row * inputs..(row + 1) * inputs]);
    for (k, weights) in panel.as_chunks::<WIDTH>().0.iter().enumerate().take(inputs) {
        for row in 0..ROWS {
            let x = rows[row][k];
            for column in 0..WIDTH {
                sums[row][column] = step(x, weights[column], sums[row][column]);
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        let out = &mut out[row * outputs + columns.start..row * outputs + columns.end];
        if accumulate {
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
        } else {
            out.copy_from_slice(&sums[..out.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition_on_every_path() {
        let value = |seed: usize, index: usize| ((index * 7 + seed * 13) % 11) as f32 - 5.0;
        for (rows, inputs, outputs) in [(1, 1, 1), (2, 34, 16), (3, 5, 17), (4, 16, 48), (7, 33, 31), (9, 2, 130)] {
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
                packed.multiply_by(&values, &mut out, false, |x, w, sum| sum + x * w);
                assert_eq!(out, expected);
            }
        }
    }
}
