//! The sandbox as its users see it.

mod common;

use common::*;
use forethought_world::{Sandbox, WorldError};

#[test]
fn walls_stop_an_agent() {
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(vec![constant([1.0, 0.0])]);
    sandbox.reset(&arena(vec![agent("a", 5.0, 5.0)]), 1).unwrap();
    for _ in 0..40 {
        sandbox.control_step().unwrap();
    }
    let record = sandbox.record();
    assert_eq!(record.step, 40);
    let [x, y] = record.agents[0].pose.position_m;
    assert!((x - 9.7).abs() < 0.02, "stopped at {x}");
    assert_eq!(y, 5.0);
    assert!(record.agents[0].bump_impulse_n_s > 0.0);
    let observation = sandbox.observe(0);
    assert!((observation.values[4] - 0.3).abs() < 0.02, "{:?}", observation.values);
}

#[test]
fn an_empty_sandbox_cannot_step() {
    assert_eq!(Sandbox::new().control_step(), Err(WorldError::Empty));
}
