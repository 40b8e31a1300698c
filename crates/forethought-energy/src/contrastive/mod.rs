//! Where contrastive points come from, whose energy is to rise (Dawid & LeCun 2023, Sec. 4): answers of other conditions
//! ([`mismatched`]), spoiled data ([`corruption`]), samples of the model ([`chains`]), its worst mistake ([`most_offending`]), another
//! network ([`generator`]). What is done with them is one of [`objectives`](crate::objectives).

pub mod chains;
pub mod corruption;
pub mod generator;
pub mod mismatched;
pub mod most_offending;
