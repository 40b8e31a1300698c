//! Forethought: run, train and measure agents that plan by imagining.

pub mod scenario;
