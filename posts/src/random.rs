//! `PythonRandom`: the numbers of Python's `random.Random(seed)`, of which huggingtweets shuffled its data.

use rand_mt::Mt;

/// CPython's generator: MT19937 with a seed spread by `init_by_array`.
#[derive(Debug, Clone)]
pub struct PythonRandom(Mt);

impl PythonRandom {
    /// `random.Random(seed)` for a whole number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let low = seed & u64::from(u32::MAX);
        let words = [low, seed >> 32].map(|word| u32::try_from(word).unwrap_or(u32::MAX));
        // CPython drops the high words that are zero, but keeps one.
        let n_words = if words[1] == 0 { 1 } else { 2 };
        Self(Mt::new_with_key(words[..n_words].iter().copied()))
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// `randrange(n)` for 1 ≤ `n` < 2³²: as many high bits as `n` has, drawn again while they are not below it.
    fn below(&mut self, n: u32) -> u32 {
        let shift = n.leading_zeros();
        loop {
            let drawn = self.0.next_u32() >> shift;
            if drawn < n {
                return drawn;
            }
        }
    }

    /// `shuffle(items)`, of fewer than 2³² items.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let n = u32::try_from(i + 1).unwrap_or(u32::MAX);
            items.swap(i, self.below(n) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_pythons() {
        let mut random = PythonRandom::new(0);
        let drawn = [(); 3].map(|()| random.next_u32());
        assert_eq!(drawn, [3_626_764_237, 1_654_615_998, 3_255_389_356]);
    }

    #[test]
    fn shuffles_are_pythons() {
        let shuffled = |seed: u64| {
            let mut items: Vec<u8> = (0..10).collect();
            PythonRandom::new(seed).shuffle(&mut items);
            items
        };
        assert_eq!(shuffled(42), [7, 3, 2, 8, 5, 6, 9, 4, 0, 1]);
        assert_eq!(shuffled(4_294_967_295), [0, 7, 1, 5, 2, 6, 4, 8, 3, 9]);
    }
}
