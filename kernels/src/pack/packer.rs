//! `Packer`: builds a `PackedWeight` from GGUF bytes, some rows at a time.

use std::io::{self, Read};

use super::{GROUP_ROWS, Lane, PackedWeight, WeightType, shifted_f16};
use crate::parallel::Threads;

/// A [`PackedWeight`] that is being read. It packs rows as they are read, so the tensor is never in memory twice.
pub struct Packer {
    packed: PackedWeight,
    next_row: usize,
    /// Some rows in GGUF's layout.
    bytes: Vec<u8>,
    largest_scale: u16,
    threads: Threads,
}

/// Groups of rows that are read before the threads pack them: 400 kB of GPT-2's Q8_0.
const GROUPS_AT_ONCE: usize = 64;

impl Packer {
    /// The packer of a tensor of `rows * cols` weights, before the first row.
    ///
    /// # Errors
    /// `InvalidInput` if the number of columns is not a multiple of [`WeightType::block_len`] or the size overflows;
    /// `OutOfMemory` if the allocation fails.
    pub fn new(dtype: WeightType, rows: usize, cols: usize) -> io::Result<Self> {
        if !cols.is_multiple_of(dtype.block_len()) {
            let message = format!(
                "{cols} columns are no multiple of {}, the block length of {dtype:?}; store this tensor as F16 or F32",
                dtype.block_len()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let n_blocks = cols / dtype.block_len();
        let sizes = || {
            let group_lanes = n_blocks.checked_mul(dtype.block_lanes())?;
            n_blocks.checked_mul(dtype.block_bytes())?;
            let n_lanes = rows.div_ceil(GROUP_ROWS).checked_mul(group_lanes)?;
            let n_bytes = n_lanes.checked_mul(size_of::<Lane>())?;
            isize::try_from(n_bytes).ok()?;
            Some((group_lanes, n_lanes))
        };
        let too_large = |kind| {
            io::Error::new(
                kind,
                format!(
                    "no memory for {rows} × {cols} weights of {dtype:?}; choose a smaller model or type"
                ),
            )
        };
        let (group_lanes, n_lanes) =
            sizes().ok_or_else(|| too_large(io::ErrorKind::InvalidInput))?;
        let mut lanes = Vec::new();
        lanes
            .try_reserve_exact(n_lanes)
            .map_err(|_| too_large(io::ErrorKind::OutOfMemory))?;
        Ok(Self {
            packed: PackedWeight {
                dtype,
                rows,
                cols,
                group_lanes,
                lanes,
                scale_shift: 0,
            },
            next_row: 0,
            bytes: Vec::new(),
            largest_scale: 0,
            threads: Threads::default(),
        })
    }

    /// The packer, whose rows several threads pack.
    #[must_use]
    pub fn with_threads(mut self, threads: Threads) -> Self {
        self.threads = threads;
        self
    }

    /// Reads the next `n_rows` rows. They end at a multiple of eight or at the tensor's end.
    ///
    /// # Errors
    /// `InvalidData` if a weight or a scale is infinite or NaN; those of `source`, among them `UnexpectedEof`.
    ///
    /// # Panics
    /// If fewer rows are left, or the rows end within a group.
    pub fn read(&mut self, n_rows: usize, source: &mut dyn Read) -> io::Result<()> {
        let end = self.next_row + n_rows;
        let PackedWeight {
            dtype,
            rows,
            cols,
            group_lanes,
            lanes,
            ..
        } = &mut self.packed;
        assert!(
            end == *rows || end < *rows && end.is_multiple_of(GROUP_ROWS),
            "{end} rows of {rows}"
        );
        // One thread packs a group while its bytes are in the processor's cache.
        let most_rows = match self.threads.count() {
            1 => GROUP_ROWS,
            _ => GROUPS_AT_ONCE * GROUP_ROWS,
        };
        let row_bytes = *cols / dtype.block_len() * dtype.block_bytes();
        while self.next_row < end {
            let (start, n_rows) = (lanes.len(), most_rows.min(end - self.next_row));
            self.bytes.resize(n_rows * row_bytes, 0);
            source.read_exact(&mut self.bytes)?;
            lanes.resize(
                start + n_rows.div_ceil(GROUP_ROWS) * *group_lanes,
                Lane::ZERO,
            );
            let mut groups: Vec<_> = lanes[start..]
                .chunks_exact_mut((*group_lanes).max(1))
                .map(|lanes| (lanes, Ok(0)))
                .collect();
            let bytes = &self.bytes;
            self.threads
                .for_each(&mut groups, |group, (lanes, largest)| {
                    let rows = group * GROUP_ROWS..n_rows.min((group + 1) * GROUP_ROWS);
                    *largest = pack_group(
                        *dtype,
                        &bytes[rows.start * row_bytes..rows.end * row_bytes],
                        rows.len(),
                        lanes,
                    );
                });
            for (group, (_, largest)) in groups.into_iter().enumerate() {
                let largest = largest.map_err(|(row, b)| {
                    let row = self.next_row + group * GROUP_ROWS + row;
                    let message = format!(
                        "row {row}, block {b} of {dtype:?} holds an infinity or a NaN; the file is damaged or its training diverged"
                    );
                    io::Error::new(io::ErrorKind::InvalidData, message)
                })?;
                self.largest_scale = self.largest_scale.max(largest);
            }
            self.next_row += n_rows;
        }
        Ok(())
    }

    /// Whether all rows are read.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.next_row == self.packed.rows
    }

    /// The complete matrix.
    ///
    /// # Panics
    /// If rows are still to be read.
    #[must_use]
    pub fn finish(self) -> PackedWeight {
        let mut packed = self.packed;
        assert_eq!(self.next_row, packed.rows, "rows read");
        packed.scale_shift = raise_scales(packed.dtype, &mut packed.lanes, self.largest_scale);
        packed
    }
}

impl PackedWeight {
    /// Reads `rows * cols` weights in GGUF's layout.
    ///
    /// # Errors
    /// As [`Packer::new`] and [`Packer::read`].
    pub fn read(
        dtype: WeightType,
        rows: usize,
        cols: usize,
        source: &mut dyn Read,
    ) -> io::Result<Self> {
        let mut packer = Packer::new(dtype, rows, cols)?;
        packer.read(rows, source)?;
        Ok(packer.finish())
    }
}

/// Distributes the rows of one group over its zeroed lanes. The result is the largest scale as `f16`, the error the row and
/// the block that is not finite.
fn pack_group(
    dtype: WeightType,
    bytes: &[u8],
    n_rows: usize,
    lanes: &mut [Lane],
) -> Result<u16, (usize, usize)> {
    let row_bytes = (bytes.len() / n_rows.max(1)).max(1);
    for (row, bytes) in bytes.chunks_exact(row_bytes).enumerate() {
        dtype.scatter_row(bytes, row, lanes).map_err(|b| (row, b))?;
    }
    // Here, because the group is still in the processor's cache.
    Ok(largest_scale(dtype, lanes))
}

/// The largest absolute value of the scales, as `f16`.
#[inline(never)]
fn largest_scale(dtype: WeightType, lanes: &[Lane]) -> u16 {
    let scales = lanes
        .chunks_exact(dtype.block_lanes())
        .flat_map(|block| &block[..dtype.scale_lanes()]);
    let mut largest = [0; GROUP_ROWS];
    for lane in scales {
        for (row, largest) in largest.iter_mut().enumerate() {
            *largest = (*largest).max(lane.u16(row) & 0x7fff);
        }
    }
    largest.into_iter().max().unwrap_or(0)
}

/// Multiplies all scales by the largest power of two that keeps them finite, and returns its exponent. `largest` is the
/// largest scale.
fn raise_scales(dtype: WeightType, lanes: &mut [Lane], largest: u16) -> i32 {
    let n_scales = dtype.scale_lanes();
    if n_scales == 0 {
        return 0;
    }
    // The largest exponent of a finite `f16` is 30.
    let shift = 30 - (largest >> 10).max(1);
    for block in lanes.chunks_exact_mut(dtype.block_lanes()) {
        for lane in &mut block[..n_scales] {
            let scales: [u16; GROUP_ROWS] = std::array::from_fn(|row| lane.u16(row));
            let is_subnormal = scales.iter().fold(false, |any, s| any | (s & 0x7c00 == 0));
            for (row, scale) in scales.into_iter().enumerate() {
                let raised = match is_subnormal {
                    false => scale + (shift << 10),
                    true => shifted_f16(scale, i32::from(shift)),
                };
                lane.set_u16(row, raised);
            }
        }
    }
    i32::from(shift)
}
