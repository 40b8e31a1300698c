use super::*;
use crate::{episode::Runner, setup::SetupOptions};
use forethought_interface::Detail;
use forethought_mind::actor::planners::PlannerName;
use std::path::PathBuf;

fn setup(name: &str, actor: Option<PlannerName>) -> Arc<Setup> {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios")).join(format!("{name}.ron"));
    Arc::new(Setup::load(&file, &SetupOptions { seed: 1000, actor, ..SetupOptions::default() }).unwrap())
}

fn environment(name: &str, told_goal: bool) -> Environment {
    Environment::new(setup(name, Some(PlannerName::Random)), told_goal).unwrap()
}

/// Play an episode under a runner and do in an environment what its minds did; the rewards of the first agent.
fn mimicked(name: &str, index: u64) -> Vec<f64> {
    let mut runner = Runner::new(setup(name, Some(PlannerName::Random)), Detail::Brief);
    let mut environment = environment(name, false);
    let mut current = runner.begin(index).unwrap();
    environment.begin(1000, Split::Episode, index).unwrap();
    let mut rewards = Vec::new();
    let outcome = loop {
        let mut seen = vec![0.0; environment.observation_len()];
        environment.observe_into(&mut seen);
        let outcome = runner.step(&mut current).unwrap();
        let record = runner.sandbox().record();
        let sensed: Vec<f32> = record.agents.iter().flat_map(|agent| agent.observation.values.clone()).collect();
        assert_eq!(seen, sensed, "before step {}", record.step);
        let thoughts = record.agents.iter().map(|agent| agent.thought.clone().unwrap());
        let actions: Vec<f32> = thoughts.flat_map(|thought| thought.action.values).collect();
        let step = environment.step(&actions).unwrap();
        rewards.push(environment.rewards()[0]);
        assert_eq!(environment.digest(), runner.sandbox().digest(), "after step {}", record.step);
        assert_eq!(step.outcome, outcome);
        if let Some(outcome) = outcome {
            break outcome;
        }
    };
    let result = runner.end(current, outcome);
    assert_eq!(result.digest, crate::episode::hex(environment.digest()));
    let factors: forethought_interface::FactorValues = environment.drawn().unwrap().factors.iter().cloned().collect();
    assert_eq!(result.factors, factors);
    let nothing = vec![0.0; environment.action_len()];
    assert!(matches!(environment.step(&nothing), Err(Error::NoEpisode)));
    rewards
}

#[test]
fn the_same_actions_come_to_the_same_digest() {
    for name in ["two_rooms", "crowd", "foraging", "fork"] {
        mimicked(name, 3);
    }
}

/// Walking at random it starves: what it had it has lost, and it has failed.
#[test]
fn a_life_is_worth_what_became_of_it() {
    let environment = environment("foraging", true);
    let seat = &environment.seats()[0];
    assert!(!seat.has_goal && seat.layout.range(GOAL).is_none());
    let rewards = mimicked("foraging", 0);
    let total: f64 = rewards.iter().sum();
    assert!(rewards.last().unwrap() < &-9.0, "{:?}", rewards.last());
    // It began with 60 of 100 J and unhurt, and ended with one of both gone.
    assert!((-26.1..-15.9).contains(&total), "{total}");
}

#[test]
fn progress_adds_up_to_the_way_and_arriving_is_worth_more() {
    let mut environment = environment("two_rooms", true);
    let seat = environment.seats()[0].clone();
    assert_eq!(seat.layout.range(GOAL), Some(36..38));
    let mut arrived = 0;
    for index in 0..40 {
        environment.begin(7, Split::Train, index).unwrap();
        let mut seen = vec![0.0; 38];
        let (mut total, mut ended) = (0.0, None);
        let away = |environment: &Environment| {
            let [x, y] = environment.record().agents[0].pose.position_m;
            let [to_x, to_y] = environment.goal_m(0).unwrap();
            f64::from(x - to_x).hypot(f64::from(y - to_y))
        };
        let before = away(&environment);
        while ended.is_none() {
            environment.observe_into(&mut seen);
            assert_eq!(seen[36..], environment.goal_m(0).unwrap());
            let step = environment.step(&[seen[36] - seen[0], seen[37] - seen[1]]).unwrap();
            total += environment.rewards()[0];
            ended = step.outcome;
            assert_eq!(
                (step.terminated, step.truncated),
                (ended == Some(Outcome::Success), ended == Some(Outcome::TimeLimit))
            );
        }
        let success = ended == Some(Outcome::Success);
        arrived += u32::from(success);
        let bonus = if success { ARRIVAL } else { 0.0 };
        assert!((total - (before - away(&environment) + bonus)).abs() < 1e-4, "{total} in episode {index}");
    }
    assert!(arrived > 0 && arrived < 40, "straight on it gets through the door now and then: {arrived} of 40");
}

#[test]
fn splits_do_not_meet_and_repeat() {
    let mut environment = environment("crowd", false);
    let mut factors = |split, seed, index| {
        environment.begin(seed, split, index).unwrap();
        format!("{:?}", environment.drawn().unwrap().factors)
    };
    let drawn = Split::ALL.map(|split| factors(split, 5, 2));
    assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2] && drawn[0] != drawn[2]);
    for split in Split::ALL {
        assert_eq!(factors(split, 5, 2), drawn[split as usize]);
        assert_ne!(factors(split, 5, 3), drawn[split as usize]);
        assert_eq!(Split::from_name(split.as_str()), Some(split));
    }
    assert_eq!(Split::from_name("test"), None);
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let mut environment = environment("two_rooms", true);
    assert!(matches!(environment.step(&[0.0; 2]), Err(Error::NoEpisode)));
    environment.begin(1, Split::Train, 0).unwrap();
    for bad in [&[0.0][..], &[0.0; 3], &[f32::NAN, 0.0], &[0.0, f32::INFINITY]] {
        let error = environment.step(bad).unwrap_err();
        assert!(error.is_bad_input() && error.to_string().contains("`agent`"), "{error}");
    }
    assert_eq!(environment.record().step, 0);
    environment.step(&[3.0, -1.0]).unwrap();
    assert_eq!(environment.record().step, 1);
}
