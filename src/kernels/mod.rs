//! Quantized matrix × vectors over weights packed for it; the one place that chooses the kernel.
