//! Where contrastive points come from, whose energy is to rise (Dawid & LeCun 2023, Sec. 4.1).
