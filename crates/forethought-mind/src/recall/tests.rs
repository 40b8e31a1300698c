//! Recall over lives in a small world of points.

use super::{
    nose::tests::{nose, smelt},
    *,
};
use forethought_interface::Channel;
use std::f32::consts::FRAC_PI_2;

const BEAMS: usize = 12;
const RAYS: usize = 16;

fn spec() -> MemorySpec {
    MemorySpec { recall: vec!["scent.food".into()], keeps: 3, forgets_s: 5.05 }
}

fn layout() -> ObservationLayout {
    let channel = |name: &str, len: usize| Channel { name: name.into(), shape: vec![len] };
    let channels = vec![
        channel("scent.food", BEAMS),
        channel("proprioception.position_m", 2),
        channel("proprioception.velocity_m_s", 2),
        channel("proprioception.heading", 3),
        channel("lidar.range_m", RAYS),
    ];
    ObservationLayout { channels }
}

/// A mind's memory, 10 observations a second.
fn recall() -> Recall {
    let eyes = Some(Eyes { rays: layout().range("lidar.range_m").unwrap(), field_of_view_rad: TAU });
    let senses = Senses { noses: vec![nose(BEAMS)], eyes, angle_rad: 0.0 };
    Recall::new(&spec(), &layout(), senses, 0.1).unwrap()
}

/// What is sensed at a place, at this angle, of food at these places that nothing hides, and with this much room all around.
fn sensed(at: [f32; 2], angle: f32, food: &[[f32; 2]], room_m: f32) -> Observation {
    let (sin, cos) = angle.sin_cos();
    let frame = Frame { at, cos, sin };
    let places: Vec<[f32; 2]> = food.iter().map(|place| frame.inward(*place)).collect();
    let mut values = smelt(&nose(BEAMS), &places);
    values.extend([at[0], at[1], 0.0, 0.0, cos, sin, 0.0]);
    values.extend([room_m; RAYS]);
    Observation { values }
}

/// The beams of what is perceived.
fn perceived(recall: &mut Recall, observation: &Observation) -> Vec<f32> {
    recall.complete(observation).values[..BEAMS].to_vec()
}

#[test]
fn it_walks_away_from_food_behind_a_wall_and_still_knows_it() {
    let (mut recall, food) = (recall(), [3.0, 2.0]);
    perceived(&mut recall, &sensed([1.0, 2.0], 0.0, &[food], 0.4));
    let known = recall.remembered();
    assert_eq!((known.len(), known[0].name.as_str(), known[0].age_s), (1, "scent.food", 0.0));
    assert!(distance_m(known[0].position_m, food) < 5e-3, "{known:?}");
    // Behind the wall nothing smells, and it is farther than the nose reaches, and the body has turned.
    let behind = sensed([3.0, 8.0], FRAC_PI_2, &[], 0.4);
    let beams = perceived(&mut recall, &behind);
    let strongest = (0..BEAMS).max_by(|a, b| beams[*a].total_cmp(&beams[*b])).unwrap();
    assert_eq!(strongest, 6, "straight behind: {beams:?}");
    assert!((beams[6] - 1.0 / (1.0 + 6.0 / 2.0)).abs() < 1e-3, "{beams:?}");
    assert_eq!(recall.complete(&behind).values[BEAMS..], behind.values[BEAMS..], "nothing else is touched");
}

#[test]
fn it_forgets_what_it_sees_is_gone() {
    let food = [3.0, 2.0];
    for (what, at, room_m, gone) in [
        ("in plain view", [1.0, 2.0], 9.0, true),
        ("behind a wall", [1.0, 2.0], 0.6, false),
        ("beside it", [2.7, 2.2], 0.2, true),
        ("too far to tell", [3.0, 7.5], 9.0, false),
    ] {
        let mut recall = recall();
        perceived(&mut recall, &sensed([1.5, 2.0], 0.3, &[food], 9.0));
        let nothing = sensed(at, 0.3, &[], room_m);
        let beams = perceived(&mut recall, &nothing);
        assert_eq!(recall.remembered().is_empty(), gone, "{what}");
        assert_eq!(beams == nothing.values[..BEAMS], gone, "{what}");
    }
    // Where the rest of the world keeps smelling as it did, only what is gone is forgotten.
    let mut recall = recall();
    let other = [1.0, 4.0];
    perceived(&mut recall, &sensed([1.0, 2.0], 0.0, &[food, other], 9.0));
    assert_eq!(recall.remembered().len(), 2);
    perceived(&mut recall, &sensed([1.0, 2.1], 0.0, &[other], 9.0));
    let left = recall.remembered();
    assert!(left.len() == 1 && distance_m(left[0].position_m, other) < 5e-3, "{left:?}");
}

#[test]
fn it_is_bounded_in_number_and_in_time() {
    let mut recall = recall();
    for index in 0..6_u8 {
        // Each is out of the others' reach.
        let place = [10.0 * f32::from(index), 0.0];
        perceived(&mut recall, &sensed(place, 0.0, &[[place[0] + 1.0, 1.0]], 9.0));
        assert_eq!(recall.remembered().len(), 3.min(usize::from(index) + 1));
    }
    let oldest = recall.remembered()[0].position_m;
    assert!(distance_m(oldest, [31.0, 1.0]) < 5e-3, "{oldest:?}");
    let far = sensed([900.0, 0.0], 0.0, &[], 9.0);
    for _ in 0..47 {
        perceived(&mut recall, &far);
    }
    assert_eq!(recall.remembered().len(), 3);
    for _ in 0..3 {
        perceived(&mut recall, &far);
    }
    assert_eq!(recall.remembered().len(), 1, "one was smelt 5.0 s ago, the others longer");
    recall.clear();
    assert!(recall.remembered().is_empty());
}

#[test]
fn where_everything_is_in_sight_nothing_is_completed() {
    let mut recall = recall();
    let food = [[3.0, 2.0], [0.5, 4.0], [-2.0, 1.0]];
    for step in 0..60_u8 {
        let at = [0.02 * f32::from(step), 2.0 + 0.01 * f32::from(step)];
        let observation = sensed(at, 0.1 * f32::from(step), &food, 9.0);
        let completed = recall.complete(&observation);
        assert!(matches!(completed, Cow::Borrowed(_)), "step {step}: {completed:?} is not {observation:?}");
    }
    assert_eq!(recall.remembered().len(), 3, "one sighting for each, not one for each step");
}

#[test]
fn the_same_again_gives_the_same_bits() {
    let life = || {
        let mut recall = recall();
        let mut lived: Vec<u32> = Vec::new();
        for step in 0..200_u8 {
            let t = 0.1 * f32::from(step);
            let food: &[[f32; 2]] = if step < 120 { &[[3.0, 2.0], [7.0, 1.0]] } else { &[[7.0, 1.0]] };
            let observation = sensed([4.0 + 4.0 * t.sin(), 2.0 + t.cos()], t, food, 2.0 + t);
            lived.extend(recall.complete(&observation).values.iter().map(|value| value.to_bits()));
        }
        lived
    };
    assert_eq!(life(), life());
}

#[test]
fn what_is_no_observation_is_left_alone() {
    let mut recall = recall();
    perceived(&mut recall, &sensed([1.0, 2.0], 0.0, &[[3.0, 2.0]], 9.0));
    let known = recall.remembered()[0].position_m;
    let mut broken = sensed([8.0, 8.0], 0.0, &[], 0.2);
    broken.values[BEAMS] = f32::NAN;
    assert!(matches!(recall.complete(&broken), Cow::Borrowed(_)));
    assert!(matches!(recall.complete(&Observation { values: vec![0.0] }), Cow::Borrowed(_)));
    assert_eq!(recall.remembered()[0].position_m, known);
}

#[test]
fn what_is_not_sensed_cannot_be_remembered() {
    let senses = || Senses { noses: vec![nose(BEAMS)], eyes: None, angle_rad: 0.0 };
    let harm = MemorySpec { recall: vec!["scent.harm".into()], ..spec() };
    assert!(Recall::new(&harm, &layout(), senses(), 0.1).unwrap_err().contains("`scent.harm`"));
    let mut lost = layout();
    lost.channels.retain(|channel| !channel.name.starts_with("proprioception"));
    assert!(Recall::new(&spec(), &lost, senses(), 0.1).unwrap_err().contains("where it is"));
}
