//! Sets of passages.

use crate::shelf::PassageId;

/// A set of passages, one bit each.
#[derive(Debug, Clone, Default)]
pub struct PassageSet {
    bits: Vec<u64>,
    count: usize,
}

impl PassageSet {
    /// Adds a passage.
    pub fn insert(&mut self, id: PassageId) {
        let (word, bit) = (id as usize / 64, id % 64);
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.count += usize::from(self.bits[word] >> bit & 1 == 0);
        self.bits[word] |= 1 << bit;
    }

    /// Takes a passage out.
    pub fn remove(&mut self, id: PassageId) {
        let (word, bit) = (id as usize / 64, id % 64);
        if self.contains(id) {
            self.bits[word] &= !(1 << bit);
            self.count -= 1;
        }
    }

    /// Whether it holds `id`.
    pub fn contains(&self, id: PassageId) -> bool {
        self.bits.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// How many it holds.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The passages from `first` on and before `end`, in order.
    pub fn within(&self, first: PassageId, end: PassageId) -> impl Iterator<Item = PassageId> + '_ {
        let words = (first / 64..end.div_ceil(64)).filter_map(|word| Some((word, *self.bits.get(word as usize)?)));
        let ids = words.flat_map(|(word, mut bits)| {
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros())?;
                bits &= bits - 1;
                Some(word * 64 + bit)
            })
        });
        ids.filter(move |id| (first..end).contains(id))
    }

    /// How many of them there are.
    pub fn count_within(&self, first: PassageId, end: PassageId) -> usize {
        self.within(first, end).count()
    }
}

impl FromIterator<PassageId> for PassageSet {
    fn from_iter<I: IntoIterator<Item = PassageId>>(ids: I) -> Self {
        let mut set = Self::default();
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_counts_and_lists_what_it_holds() {
        let mut set: PassageSet = [1, 63, 64, 65, 200, 64].into_iter().collect();
        assert_eq!((set.len(), set.count_within(63, 65)), (5, 2));
        assert_eq!(set.within(2, 1000).collect::<Vec<_>>(), [63, 64, 65, 200]);
        set.remove(64);
        set.remove(7);
        assert_eq!(set.within(0, 200).collect::<Vec<_>>(), [1, 63, 65]);
        assert_eq!(set.within(500, 600).count() + set.count_within(9, 9), 0);
    }
}
