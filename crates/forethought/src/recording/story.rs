//! What each agent imagined and where it has been, as far as the episode has come. Read first: [`Story::hear`].

use forethought_interface::{ActedBy, Thought, Vitals};
use forethought_world::StepRecord;
use std::collections::VecDeque;

/// The trail shows so many of the latest control steps.
pub const TRAIL_LEN: usize = 400;

/// The agents' part of the episode.
#[derive(Debug, Default)]
pub struct Story {
    /// One for each agent, in scenario order.
    pub agents: Vec<AgentStory>,
}

/// One agent's part.
#[derive(Debug, Default)]
pub struct AgentStory {
    /// Where it was, oldest first, in metres.
    pub trail_m: VecDeque<[f32; 2]>,
    /// The latest thought; none before the first control step.
    pub thought: Option<Thought>,
    /// Control steps that it has gone since it imagined these futures.
    pub passed: u32,
    /// How it is; none without a metabolism.
    pub vitals: Option<Vitals>,
}

impl Story {
    /// Take in what a control step left behind.
    pub fn hear(&mut self, record: &StepRecord) {
        self.agents.resize_with(record.agents.len(), AgentStory::default);
        for (story, agent) in self.agents.iter_mut().zip(&record.agents) {
            story.trail_m.push_back(agent.pose.position_m);
            if story.trail_m.len() > TRAIL_LEN {
                story.trail_m.pop_front();
            }
            story.vitals = agent.vitals;
            if let Some(thought) = &agent.thought {
                // A thought that goes on with an earlier plan shows that plan's futures again.
                story.passed = if thought.planned { 1 } else { story.passed + 1 };
                story.thought = Some(thought.clone());
            }
        }
    }
}

impl AgentStory {
    /// How the latest action came about, in words.
    pub fn mode(&self) -> &'static str {
        let Some(thought) = &self.thought else { return "about to begin" };
        match (thought.acted_by, thought.deliberation) {
            (ActedBy::Exploring, _) => "exploring",
            (ActedBy::Mode1, _) => "Mode-1: policy",
            (ActedBy::Mode2, None) => "Mode-2: plans",
            (ActedBy::Mode2, Some(why)) => why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::Pose;
    use forethought_world::AgentRecord;

    fn record(step: u32, planned: bool) -> StepRecord {
        let thought = (step > 0).then(|| Thought { planned, ..Thought::default() });
        let pose = Pose { position_m: [step as f32, 0.0], angle_rad: 0.0 };
        StepRecord {
            step,
            agents: vec![AgentRecord { pose, thought, ..AgentRecord::default() }],
            ..StepRecord::default()
        }
    }

    #[test]
    fn counts_from_the_step_that_planned() {
        let mut story = Story::default();
        for (step, planned, passed) in [(0, false, 0), (1, true, 1), (2, false, 2), (3, false, 3), (4, true, 1)] {
            story.hear(&record(step, planned));
            assert_eq!(story.agents[0].passed, passed, "step {step}");
        }
        assert_eq!(story.agents[0].trail_m.len(), 5);
        (5..2000).for_each(|step| story.hear(&record(step, false)));
        assert_eq!(story.agents[0].trail_m.len(), TRAIL_LEN, "memory stays as it is");
        assert_eq!(story.agents[0].mode(), "exploring");
    }
}
