//! `Matrix`: a view of numbers in rows and columns, and its packing for products.

use std::ops::Range;

/// A matrix (rows, cols) in a slice, with a stride for each dimension.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    pub(super) values: &'a [f32],
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A matrix whose rows follow each other.
    ///
    /// # Panics
    /// If `values` is shorter.
    #[must_use]
    pub fn new(values: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::with_stride(values, rows, cols, cols)
    }

    /// A matrix whose rows begin `stride` numbers apart.
    ///
    /// # Panics
    /// If `values` is shorter.
    #[must_use]
    pub fn with_stride(values: &'a [f32], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(
            cols <= stride && end(rows, cols, stride) <= values.len(),
            "the matrix lies in its slice"
        );
        Self {
            values,
            rows,
            cols,
            row_stride: stride,
            col_stride: 1,
        }
    }

    /// The transposed matrix.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    /// These columns.
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    pub(super) fn columns(self, columns: Range<usize>) -> Self {
        assert!(columns.end <= self.cols, "columns of the matrix");
        let start = (columns.start * self.col_stride).min(self.values.len());
        Self {
            values: &self.values[start..],
            cols: columns.len(),
            ..self
        }
    }

    /// These rows.
    #[must_use]
    pub(super) fn rows(self, rows: Range<usize>) -> Self {
        self.t().columns(rows).t()
    }
}

/// The number after the last of a matrix.
pub(super) fn end(rows: usize, cols: usize, stride: usize) -> usize {
    match (rows, cols) {
        (0, _) | (_, 0) => 0,
        _ => ((rows - 1).checked_mul(stride))
            .and_then(|n| n.checked_add(cols))
            .expect("a matrix lies in memory"),
    }
}

/// Rows and terms that are packed at once: a square of four vectors, which is turned in registers.
const TERMS: usize = 4;

/// Packs rows (at most W, k) as (k, W); missing rows are zeros.
///
/// # Panics
/// If there are more than W rows, or `out` has another length.
pub(super) fn pack<const W: usize>(rows: Matrix, out: &mut [f32]) {
    assert!(
        rows.rows <= W && out.len() == W * rows.cols,
        "out is (k, W)"
    );
    let out = out.as_chunks_mut::<W>().0;
    if rows.rows < W {
        out.as_flattened_mut().fill(0.0);
    }
    if rows.row_stride == 1 {
        for (k, place) in out.iter_mut().enumerate() {
            let values = &rows.values[k * rows.col_stride..];
            match values.first_chunk::<W>() {
                // Number by number: a copy of few bytes would become a call.
                Some(values) if rows.rows == W => *place = std::array::from_fn(|i| values[i]),
                _ => {
                    for (place, value) in place.iter_mut().zip(&values[..rows.rows]) {
                        *place = *value;
                    }
                }
            }
        }
    } else if rows.col_stride == 1 {
        let (fours, rest) = out.as_chunks_mut::<TERMS>();
        let whole = TERMS * fours.len();
        let four = |row: usize, part: usize| -> &[f32; TERMS] {
            let values = &rows.values[row * rows.row_stride + TERMS * part..];
            values.first_chunk().expect("a row has k terms")
        };
        let in_fours = rows.rows - rows.rows % TERMS;
        for (part, places) in fours.iter_mut().enumerate() {
            for row in (0..in_fours).step_by(TERMS) {
                let square: [&[f32; TERMS]; TERMS] = std::array::from_fn(|i| four(row + i, part));
                for (j, place) in places.iter_mut().enumerate() {
                    let column: [f32; TERMS] = std::array::from_fn(|i| square[i][j]);
                    place[row..row + TERMS].copy_from_slice(&column);
                }
            }
            for row in in_fours..rows.rows {
                for (place, value) in places.iter_mut().zip(four(row, part)) {
                    place[row] = *value;
                }
            }
        }
        for (k, place) in rest.iter_mut().enumerate() {
            for (row, place) in place.iter_mut().enumerate().take(rows.rows) {
                *place = rows.values[row * rows.row_stride + whole + k];
            }
        }
    } else {
        for (k, place) in out.iter_mut().enumerate() {
            for (row, place) in place.iter_mut().enumerate().take(rows.rows) {
                *place = rows.values[row * rows.row_stride + k * rows.col_stride];
            }
        }
    }
}
