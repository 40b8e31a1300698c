//! The cost: what the agent wants. Intrinsic cost is hard-wired (the drives). Read first: [`drives::DriveSpec`].

pub mod drives;
