//! Scenarios: RON files that say what world, who lives in it and what counts as success. Read first: [`Scenario`].

mod spec;

pub use spec::{AgentSpec, Condition, Draw, EpisodeSpec, FactorSpec, Scenario};
