//! Seeds: every random number of a run comes from one seed through [`derive_seed`].

/// A seed for one purpose and one index, derived from a run's seed.
///
/// `purpose` keeps streams apart: the worlds of training (`"train"`) are never those of evaluation (`"episode"`),
/// whatever seeds a user picks. The mixing is SplitMix64's finaliser (Steele et al., 2014) over an FNV-1a hash of
/// the purpose, so that neighbouring indices give unrelated streams.
#[must_use]
pub fn derive_seed(seed: u64, purpose: &str, index: u64) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in purpose.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(mix(mix(hash) ^ seed) ^ index)
}

fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::derive_seed;
    use std::collections::HashSet;

    #[test]
    fn streams_do_not_meet() {
        let mut seen = HashSet::new();
        for seed in 0..8 {
            for index in 0..500 {
                for purpose in ["train", "episode"] {
                    assert!(seen.insert(derive_seed(seed, purpose, index)));
                }
            }
        }
    }
}
