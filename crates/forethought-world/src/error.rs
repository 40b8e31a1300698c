//! What can go wrong in the sandbox. Read first: [`WorldError`].

use forethought_interface::ThinkError;

/// Why a world could not be built or could not go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WorldError {
    /// The specification holds impossible values.
    #[error("the world cannot be built: {}", listed(.0))]
    Invalid(Vec<WorldProblem>),
    /// The physics has left the numbers behind.
    #[error(
        "the physics diverged at step {step}: {what} is not finite; give it a smaller physics step or gentler forces"
    )]
    Diverged {
        /// The body or agent.
        what: String,
        /// The control step.
        step: u32,
    },
    /// A mind could not think.
    #[error("the mind of `{1}` could not think: {0}")]
    Think(#[source] ThinkError, String),
    /// A mind's action does not fit the actuator.
    #[error("the mind of `{agent}` gave an impossible action: {reason}")]
    Action {
        /// The agent's name.
        agent: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is not one mind for each agent.
    #[error("{agents} agents need as many minds, but there are {minds}")]
    MindCount {
        /// How many agents the world has.
        agents: usize,
        /// How many minds were given.
        minds: usize,
    },
    /// Nothing was built yet.
    #[error("the sandbox is empty: build a world with `reset` first")]
    Empty,
}

/// A value of a world's specification with which it cannot be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldProblem {
    /// Where it stands, for example `bodies[0].shape.doors[1].width_m`.
    pub path: String,
    /// What was expected there.
    pub expected: String,
    /// What was found there.
    pub found: String,
    /// What to do about it.
    pub remedy: String,
}

impl std::fmt::Display for WorldProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}: expected {}, found {}; {}", self.path, self.expected, self.found, self.remedy)
    }
}

fn listed(problems: &[WorldProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
