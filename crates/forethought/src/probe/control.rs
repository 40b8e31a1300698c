//! What a way through a wall is compared with besides being stopped by the wall: bodies that move as far where nothing is in
//! their way. Else whoever expects that nothing ever moves would be surprised by walls too. Read first: [`as_far`].

use super::{Normal, violations::CROSSING};
use std::{collections::BTreeSet, ops::Range};

/// Windows begin at every so many control steps.
const EVERY: usize = 3;

/// For each of these distances, in metres, an episode and a control step within `range` from which on, in as many control steps
/// as a crossing may take, a body comes as nearly as far as any; no two are the same while there are others.
pub(crate) fn as_far(episodes: &[Normal], wanted_m: &[f32], range: &Range<usize>) -> Vec<(usize, usize)> {
    let windows = (0..episodes.len()).flat_map(|episode| range.clone().step_by(EVERY).map(move |step| (episode, step)));
    let far_m = |(episode, step): (usize, usize)| {
        let at_m = &episodes[episode].trajectory.positions_m;
        apart_m(at_m[step], at_m[(step + CROSSING).min(at_m.len() - 1)])
    };
    nearest(&windows.map(|window| (far_m(window), window)).collect::<Vec<_>>(), wanted_m)
}

/// The distance of two places in metres.
pub(crate) fn apart_m(from: [f32; 2], to: [f32; 2]) -> f32 {
    (from[0] - to[0]).hypot(from[1] - to[1])
}

fn nearest<T: Copy>(offered: &[(f32, T)], wanted: &[f32]) -> Vec<T> {
    let mut taken = BTreeSet::new();
    let mut found = Vec::new();
    for wanted in wanted {
        if taken.len() == offered.len() {
            taken.clear();
        }
        let off = |index: &usize| (offered[*index].0 - wanted).abs();
        let free = (0..offered.len()).filter(|index| !taken.contains(index));
        if let Some(best) = free.min_by(|a, b| off(a).total_cmp(&off(b))) {
            taken.insert(best);
            found.push(offered[best].1);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gets_the_nearest_that_is_left() {
        let offered = [(0.0, 'a'), (1.0, 'b'), (1.1, 'c'), (5.0, 'd')];
        assert_eq!(nearest(&offered, &[1.0, 1.0, 0.9, 4.0]), ['b', 'c', 'a', 'd']);
        assert_eq!(nearest(&offered[..1], &[3.0, 4.0]), ['a', 'a']);
        assert!(nearest::<char>(&[], &[1.0]).is_empty());
        assert_eq!(apart_m([0.0, 3.0], [4.0, 0.0]), 5.0);
    }
}
