//! `Dropout`: which numbers are dropped, computed from a key and the number's index, so that no mask is stored.

/// The dropout at one place of a model in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    key: [u32; 2],
    /// A number is dropped if its hash is below this.
    threshold: u32,
    /// 1 / (1 − p), the factor of the numbers that stay.
    scale: f32,
}

impl Dropout {
    /// A dropout with probability `p`, from 0 to below 1; `None` for 0.
    ///
    /// `seed`, `step` and `place` tell one mask from another.
    #[must_use]
    pub fn new(p: f32, seed: u64, step: u64, place: u64) -> Option<Self> {
        if p <= 0.0 {
            return None;
        }
        let key = mixed(mixed(mixed(seed) ^ step) ^ place);
        let threshold = f64::from(p.min(0.999_999)) * 4_294_967_296.0;
        Some(Self {
            key: [key as u32, (key >> 32) as u32],
            threshold: threshold as u32,
            scale: 1.0 / (1.0 - p.min(0.999_999)),
        })
    }

    /// What the number with this index is multiplied by: 0 or 1 / (1 − p).
    #[inline(always)]
    #[must_use]
    pub fn factor(&self, index: u32) -> f32 {
        match self.hash(index) < self.threshold {
            true => 0.0,
            false => self.scale,
        }
    }

    /// Multiplies numbers by their factors; the first has index `first`.
    #[inline]
    pub fn apply(&self, first: u32, x: &mut [f32]) {
        for (i, x) in x.iter_mut().enumerate() {
            *x *= self.factor(first.wrapping_add(i as u32));
        }
    }

    /// The finalizer of MurmurHash3 with a key before and inside.
    #[inline(always)]
    fn hash(&self, index: u32) -> u32 {
        let mut h = index.wrapping_add(self.key[0]);
        h ^= h >> 16;
        h = h.wrapping_mul(0x85eb_ca6b) ^ self.key[1];
        h ^= h >> 13;
        h = h.wrapping_mul(0xc2b2_ae35);
        h ^ h >> 16
    }
}

/// The step of the generator SplitMix64.
#[must_use]
pub fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::Dropout;

    #[test]
    fn the_share_that_is_dropped_is_p_and_the_mean_stays() {
        for p in [0.1_f32, 0.5] {
            let dropout = Dropout::new(p, 1, 2, 3).expect("p is above 0");
            let mut x = vec![1.0; 1 << 20];
            dropout.apply(0, &mut x);
            let dropped = x.iter().filter(|x| **x == 0.0).count() as f32 / x.len() as f32;
            assert!((dropped - p).abs() < 2e-3, "{dropped} of {p}");
            let sum: f64 = x.iter().copied().map(f64::from).sum();
            let mean = sum / x.len() as f64;
            assert!((mean - 1.0).abs() < 5e-3, "{mean}");
        }
        assert_eq!(Dropout::new(0.0, 1, 2, 3), None);
    }

    #[test]
    fn steps_places_and_seeds_have_masks_of_their_own() {
        let mask = |seed, step, place| {
            let dropout = Dropout::new(0.5, seed, step, place).expect("p is above 0");
            (0..4096)
                .map(|i| dropout.factor(i) > 0.0)
                .collect::<Vec<_>>()
        };
        let first = mask(1, 2, 3);
        for other in [mask(2, 2, 3), mask(1, 3, 3), mask(1, 2, 4), mask(2, 1, 3)] {
            let same = first.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!((1800..2300).contains(&same), "{same} of 4096 agree");
        }
        assert_eq!(first, mask(1, 2, 3));
    }
}
