//! `CacheMatrix`: a matrix of attention's keys or values, written vector by vector and multiplied by the same kernels
//! as weights.

use super::blocks::{CACHE_LANES, F32_LANES};
use super::lane::{F16_BIAS, GROUP_ROWS, Group, Lane};
use super::panel::{ROUNDER, panel_starts};
use super::{InputType, Inputs, Kernel, Output, Scratch, by_columns, with_kernel};

/// The storage type of cached vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheType {
    /// 32-bit floats.
    F32,
    /// 8-bit integers with one step per vector: a quarter of the memory, with the precision of Q8_0 weights.
    Q8,
}

/// Columns are padded to a multiple of this, the length of a quantization block of the inputs.
const COLS: usize = 32;

/// Several matrices (rows, cols) of the same shape, each in the order of [`PackedWeight`](super::PackedWeight): groups
/// of eight rows, interleaved.
///
/// Elements that are not written yet have any finite value: the caller passes zero inputs for unwritten columns and
/// ignores the results of unwritten rows.
pub struct CacheMatrix {
    dtype: CacheType,
    rows: usize,
    cols: usize,
    lanes: Vec<Lane>,
}

impl CacheMatrix {
    /// `n_matrices` matrices of zeros; `None` if the allocation fails.
    #[must_use]
    pub fn new(dtype: CacheType, n_matrices: usize, rows: usize, cols: usize) -> Option<Self> {
        let rows = rows.checked_next_multiple_of(GROUP_ROWS)?;
        let cols = cols.checked_next_multiple_of(COLS)?;
        let n_lanes = (rows / GROUP_ROWS)
            .checked_mul(group_lanes(dtype, cols))?
            .checked_mul(n_matrices)?;
        let mut lanes = Vec::new();
        lanes.try_reserve_exact(n_lanes).ok()?;
        lanes.resize(n_lanes, Lane::ZERO);
        Some(Self {
            dtype,
            rows,
            cols,
            lanes,
        })
    }

    /// The number of columns of a product over the first `cols` columns. The caller passes zero inputs for the columns
    /// from `cols` on.
    #[must_use]
    pub fn padded(cols: usize) -> usize {
        cols.next_multiple_of(COLS)
    }

    /// Bytes of all matrices in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.lanes.len() * size_of::<Lane>()
    }

    /// Writes `vector` as a row of one matrix and returns its step: the stored numbers times the step are the vector.
    ///
    /// # Panics
    /// If the row does not exist or the vector is too long.
    pub fn write_row(&mut self, matrix: usize, row: usize, vector: &[f32]) -> f32 {
        self.write(matrix, vector, |i| (row, i))
    }

    /// Writes `vector` as a column of one matrix and returns its step.
    ///
    /// # Panics
    /// If the column does not exist or the vector is too long.
    pub fn write_column(&mut self, matrix: usize, col: usize, vector: &[f32]) -> f32 {
        self.write(matrix, vector, |i| (i, col))
    }

    /// Copies one matrix over another.
    ///
    /// # Panics
    /// If one of them does not exist.
    pub fn copy_matrix(&mut self, from: usize, to: usize) {
        let lanes = self.rows / GROUP_ROWS * group_lanes(self.dtype, self.cols);
        let from = from * lanes;
        self.lanes.copy_within(from..from + lanes, to * lanes);
    }

    fn write(
        &mut self,
        matrix: usize,
        vector: &[f32],
        place: impl Fn(usize) -> (usize, usize),
    ) -> f32 {
        let (rows, cols) = (self.rows, self.cols);
        let group_lanes = group_lanes(self.dtype, cols);
        let matrix_lanes = rows / GROUP_ROWS * group_lanes;
        let lanes = &mut self.lanes[matrix * matrix_lanes..][..matrix_lanes];
        let (last_row, last_col) = place(vector.len().saturating_sub(1));
        assert!(
            last_row < rows && last_col < cols,
            "the vector has its place"
        );
        let lane_at = |row: usize, in_group: usize| {
            row / GROUP_ROWS * group_lanes + in_group + row % GROUP_ROWS / 4
        };
        match self.dtype {
            CacheType::F32 => {
                for (i, value) in vector.iter().enumerate() {
                    let (row, col) = place(i);
                    lanes[lane_at(row, col * F32_LANES)].set_u32(row % 4, value.to_bits());
                }
                1.0
            }
            CacheType::Q8 => {
                let (step, per_step) = step(vector);
                for (i, value) in vector.iter().enumerate() {
                    let (row, col) = place(i);
                    // The integer is within ±127, so it is the low byte of the sum. Where the step is NaN, any integer
                    // is right.
                    let [integer, ..] = (value * per_step + ROUNDER).to_bits().to_le_bytes();
                    // Low bytes are stored plus 128, see `blocks::Q8_0_LANES`.
                    let is_high = col % 4 / 2;
                    let byte = integer ^ if is_high == 0 { 0x80 } else { 0 };
                    let lane = &mut lanes[lane_at(row, col / 4 * 2)];
                    lane.0[row % 4 * 4 + col % 2 * 2 + is_high] = byte;
                }
                step
            }
        }
    }

    /// `out` (n, rows) = `x` (n, cols) · the first `rows` × `cols` of one matrix, transposed, not multiplied by the steps.
    ///
    /// The result of one column is the same for every `n`.
    ///
    /// # Panics
    /// If `cols` is not [`CacheMatrix::padded`], the matrix is smaller, or a length is wrong.
    pub fn product(
        &self,
        matrix: usize,
        shape: (usize, usize),
        x: &[f32],
        out: &mut [f32],
        scratch: &mut Scratch,
    ) {
        with_kernel!(K => self.product_with::<K>(matrix, shape, x, out, scratch));
    }

    /// [`CacheMatrix::product`] with the kernel `K`, for tests that compare kernels.
    ///
    /// # Panics
    /// As [`CacheMatrix::product`].
    pub fn product_with<K: Kernel>(
        &self,
        matrix: usize,
        (rows, cols): (usize, usize),
        x: &[f32],
        out: &mut [f32],
        scratch: &mut Scratch,
    ) {
        assert!(cols.is_multiple_of(COLS) && cols <= self.cols && rows <= self.rows);
        if rows == 0 || cols == 0 {
            return out.fill(0.0);
        }
        let n = x.len() / cols;
        assert_eq!(
            (x.len(), out.len()),
            (n * cols, n * rows),
            "x (n, cols), out (n, rows)"
        );
        let view = View {
            lanes: &self.lanes
                [matrix * (self.rows / GROUP_ROWS) * group_lanes(self.dtype, self.cols)..],
            stride: group_lanes(self.dtype, self.cols),
            used: group_lanes(self.dtype, cols),
        };
        let out = Output::new(out, rows);
        let groups = 0..rows.div_ceil(GROUP_ROWS);
        match self.dtype {
            CacheType::F32 => {
                let inputs = Inputs::<K>::new(None, x, cols, scratch);
                by_columns!(K::f32, inputs.floats, view, groups, n, out);
            }
            CacheType::Q8 => {
                let inputs = Inputs::<K>::new(Some(InputType::Cache), x, cols, scratch);
                by_columns!(K::cache, inputs.panel, view, groups, n, out);
            }
        }
    }
}

/// The first columns of a matrix.
struct View<'a> {
    lanes: &'a [Lane],
    /// Lanes from one group of rows to the next.
    stride: usize,
    /// Lanes of these columns in a group.
    used: usize,
}

impl View<'_> {
    fn group(&self, group: usize) -> Group<'_> {
        Group {
            lanes: &self.lanes[group * self.stride..][..self.used],
            scale_unit: F16_BIAS,
        }
    }
}

/// Lanes of a group of eight rows with `cols` columns.
fn group_lanes(dtype: CacheType, cols: usize) -> usize {
    match dtype {
        CacheType::F32 => cols * F32_LANES,
        CacheType::Q8 => cols / 32 * CACHE_LANES,
    }
}

/// The step of a vector's integers, and its inverse; a NaN or an infinity makes the step NaN.
fn step(vector: &[f32]) -> (f32, f32) {
    const MAX: f32 = 127.0;
    // The bits of magnitudes have the order of the magnitudes.
    let magnitude = vector
        .iter()
        .fold(0, |max, x| max.max(x.to_bits() & 0x7fff_ffff));
    let largest = f32::from_bits(magnitude);
    if !largest.is_finite() {
        (f32::NAN, 0.0)
    } else if largest < f32::MIN_POSITIVE * MAX {
        (0.0, 0.0)
    } else {
        (largest / MAX, MAX / largest)
    }
}
