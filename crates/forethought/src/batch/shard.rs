//! A part of a batch, for a machine of its own. Read first: [`Shard`].

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The part `index` of `of` equal parts of a batch: every `of`-th episode. All parts together are the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which one, from 1.
    pub index: u64,
    /// How many there are.
    pub of: u64,
}

impl Default for Shard {
    /// All of it.
    fn default() -> Self {
        Self { index: 1, of: 1 }
    }
}

impl Shard {
    /// Whether it is all of the batch.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.of == 1
    }

    /// Whether an episode of cell number `cell` belongs to it. Cells begin with different parts, so that many short ones are
    /// spread too.
    #[must_use]
    pub fn has(&self, cell: usize, episode: u64) -> bool {
        (u128::from(episode) + cell as u128) % u128::from(self.of) == u128::from(self.index - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.is_whole() { f.write_str("all of it") } else { write!(f, "{}/{}", self.index, self.of) }
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            Some((index, of)) => Err(format!("{index} is not from 1 to {of}")),
            None => Err("write which part of how many, such as 3/8; the first is 1".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_episode_is_in_one_part() {
        for of in [1, 2, 7] {
            for (cell, episode) in (0..9).flat_map(|cell| (0..20).map(move |episode| (cell, episode))) {
                let parts = (1..=of).filter(|index| Shard { index: *index, of }.has(cell, episode));
                assert_eq!(parts.count(), 1);
            }
        }
        assert!(Shard { index: 3, of: u64::MAX }.has(2, u64::MAX), "no overflow");
    }

    #[test]
    fn reads_what_it_writes() {
        assert_eq!("3/8".parse::<Shard>().unwrap().to_string(), "3/8");
        for text in ["0/4", "5/4", "3", "a/b", "1/0"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
