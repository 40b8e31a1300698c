//! One safe door to the matrix kernel. Read first: [`multiply`].
#![allow(
    unsafe_code,
    reason = "gemm takes raw pointers; every slice is checked against its shape before it is passed on"
)]

/// A row-major matrix.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
}

impl<'a> Operand<'a> {
    /// `[rows, columns]`, row by row.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "a matrix of another size");
        Self { data, rows, columns }
    }
}

/// `out = left · right`, or `out += left · right` where `accumulate`; `out` is row-major. On the calling thread alone, so
/// that the result does not depend on how many there are.
pub(crate) fn multiply(out: &mut [f32], left: Operand, right: Operand, accumulate: bool) {
    assert_eq!(left.columns, right.rows, "matrices that do not fit");
    assert_eq!(out.len(), left.rows * right.columns, "a result of another size");
    if out.is_empty() {
        return;
    }
    if left.columns == 0 {
        if !accumulate {
            out.fill(0.0);
        }
        return;
    }
    let stride = |stride: usize| isize::try_from(stride).unwrap_or(isize::MAX);
    // SAFETY: `Operand`'s constructors and the assertions above tie each slice's length to the extents and strides passed
    // here, `out` is borrowed mutably and so overlaps neither operand, and f32 is one of gemm's types.
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            out.as_mut_ptr(),
            1,
            stride(right.columns),
            accumulate,
            left.data.as_ptr(),
            1,
            stride(left.columns),
            right.data.as_ptr(),
            1,
            stride(right.columns),
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        let value = |seed: usize, index: usize| ((index * 7 + seed * 13) % 11) as f32 - 5.0;
        for (rows, inner, columns) in [(1, 1, 1), (3, 5, 7), (8, 34, 128), (65, 33, 17)] {
            let left: Vec<f32> = (0..rows * inner).map(|i| value(1, i)).collect();
            let right: Vec<f32> = (0..inner * columns).map(|i| value(2, i)).collect();
            let expected: Vec<f32> = (0..rows * columns)
                .map(|i| (0..inner).map(|k| left[i / columns * inner + k] * right[k * columns + i % columns]).sum())
                .collect();
            let (left, right) = (Operand::new(&left, rows, inner), Operand::new(&right, inner, columns));
            let mut out = vec![f32::NAN; rows * columns];
            multiply(&mut out, left, right, false);
            assert_eq!(out, expected);
            multiply(&mut out, left, right, true);
            assert!(out.iter().zip(&expected).all(|(got, once)| *got == 2.0 * once));
        }
    }
}
