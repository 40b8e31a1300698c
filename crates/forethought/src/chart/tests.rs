//! Charts of every kind, laid out and written. Read first: [`showcase`].

use super::{Format, Room, WIDTH_PX, draw, write};
use forethought_interface::{Chart, Drawing, Hue, Layer, Mark, Panel, Px, Span};

/// Every layer, on every kind of axis, with what is no number among it.
fn showcase() -> Chart {
    let wave =
        |shift: f32| (0..=200).map(move |step| step as f32 / 20.0 - 5.0).map(move |x| [x, (x + shift).sin() * 6.0]);
    let grid = |count: usize, f: fn(f32, f32) -> f32| -> Vec<f32> {
        let at = move |index: usize| 2.0 * (index as f32 + 0.5) / count as f32 - 1.0;
        (0..count)
            .flat_map(|row| (0..count).map(move |column| (row, column)))
            .map(|(row, column)| f(at(column), at(row)))
            .collect()
    };
    let line = |name: &str, places: Vec<[f32; 2]>, hue, dashed| Layer::Line { name: name.into(), places, hue, dashed };
    let heat = |count, values, signed| Layer::Heat {
        name: "energy".into(),
        values,
        columns: count,
        x: [-1.0, 1.0],
        y: [-1.0, 1.0],
        range: [-1.0, 1.0],
        signed,
    };
    let ring = (0..60)
        .map(|step| (step as f32 / 60.0 * std::f32::consts::TAU).sin_cos())
        .map(|(sin, cos)| [0.7 * cos, 0.5 * sin]);
    let axes = |title: &str, layers| Panel {
        title: title.into(),
        x: Span::new("y1", [-1.0, 1.0]),
        y: Span::new("y2", [-1.0, 1.0]),
        equal: true,
        layers,
    };
    let arrows =
        (0..40).map(|step| (step as f32).sin_cos()).map(|(sin, cos)| [[0.9 * cos, 0.9 * sin], [0.7 * cos, 1.2 * sin]]);
    let labels: Vec<String> = ["nothing", "pairwise hinge", "InfoNCE", "VICReg"].map(str::to_owned).into();
    let bars = |name: &str, heights: [f32; 4], hue| Layer::Bars {
        name: name.into(),
        labels: labels.clone(),
        heights: heights.into(),
        hue,
    };
    let loss = (1..=400).map(|step| [step as f32, 3.0 / step as f32]).collect();
    Chart {
        title: "Every layer there is, to see that it is drawn".into(),
        columns: 3,
        panels: vec![
            axes(
                "Energy, data and where inference goes",
                vec![
                    heat(48, grid(48, |x, y| ((x * x + y * y).sqrt() - 0.6).abs() * 2.0 - 1.0), false),
                    Layer::Points { name: "data".into(), places: ring.collect(), hue: Hue::Data, radius: 2.5 },
                    line(
                        "the manifold, which leaves the frame",
                        (0..99).map(|step| [step as f32 / 49.0 - 1.0, (step as f32 / 20.0).tan()]).collect(),
                        Hue::Wrong,
                        false,
                    ),
                ],
            ),
            axes(
                "Weights, with a sign and a hole",
                vec![heat(6, grid(6, |x, y| if x > 0.9 { f32::NAN } else { x * y }), true)],
            ),
            axes(
                "Arrows",
                vec![
                    Layer::Segments { name: "score".into(), places: arrows.collect(), hue: Hue::Third, arrows: true },
                    Layer::Points {
                        name: String::new(),
                        places: vec![[0.0, 0.0], [5.0, 5.0], [f32::NAN, 0.0]],
                        hue: Hue::Second,
                        radius: 4.0,
                    },
                ],
            ),
            Panel {
                title: "Lines".into(),
                x: Span::new("x, metres", [-5.0, 5.0]),
                y: Span::new("height, metres", [-5.0, 5.0]),
                equal: false,
                layers: vec![
                    line("model", wave(0.0).collect(), Hue::Model, false),
                    line("theory", wave(0.3).collect(), Hue::Theory, true),
                    line("background", wave(2.0).collect(), Hue::Faint, false),
                ],
            },
            Panel {
                title: "Loss".into(),
                x: Span { log: true, ..Span::new("update", [1.0, 400.0]) },
                y: Span { log: true, ..Span::new("loss", [1e-3, 10.0]) },
                equal: false,
                layers: vec![line("loss", loss, Hue::Fourth, false)],
            },
            Panel {
                title: "Rank of the representation".into(),
                x: Span::new("", [-0.6, 3.6]),
                y: Span::new("effective rank", [0.0, 10.0]),
                equal: false,
                layers: vec![
                    bars("trained", [1.2, 7.0, 8.1, f32::NAN], Hue::Model),
                    bars("at first", [6.0, 6.0, 6.0, 12.0], Hue::Second),
                ],
            },
            Panel {
                title: "Tiles".into(),
                layers: vec![Layer::Tiles {
                    images: (0..7)
                        .map(|image| (0..48).map(|pixel| ((pixel * (image + 1)) % 48) as f32 / 47.0).collect())
                        .collect(),
                    width: 6,
                    across: 5,
                    captions: ["seen", "masked", "completed and more than fits"].map(str::to_owned).into(),
                }],
                ..Panel::default()
            },
            Panel::default(),
        ],
    }
}

/// All places of a drawing's marks.
fn places(drawing: &Drawing) -> Vec<Px> {
    drawing
        .marks
        .iter()
        .flat_map(|mark| match mark {
            Mark::Rect { corner, size, .. } | Mark::Pixels { corner, size, .. } => {
                vec![*corner, [corner[0] + size[0], corner[1] + size[1]]]
            }
            Mark::Polygon { corners, .. } => corners.clone(),
            Mark::Discs { centers, .. } => centers.clone(),
            Mark::Lines { lines, .. } => lines.concat(),
            Mark::Words { at, .. } => vec![*at],
        })
        .collect()
}

#[test]
fn everything_is_within_the_picture_whatever_its_size() {
    for (width, height) in [(960.0, None), (500.0, None), (1600.0, Some(700.0)), (300.0, Some(200.0))] {
        let drawing = draw(&showcase(), Room { width, height });
        assert!(places(&drawing).len() > 500);
        for [x, y] in places(&drawing) {
            assert!((0.0..=width + 0.1).contains(&x), "{x} is beyond {width}");
            // Where there is no room at all, panels go on below.
            assert!(y >= 0.0 && (width == 300.0 || y <= drawing.size[1] + 0.1), "{y} is beyond {:?}", drawing.size);
        }
    }
}

#[test]
fn names_and_numbers_are_written() {
    let text = super::svg(&draw(&showcase(), Room { width: WIDTH_PX.into(), height: None }));
    for expected in
        ["Every layer there is", "height, metres", "InfoNCE", "pairwise", "masked", "0.001", "score", "-0.5", "theory"]
    {
        assert!(text.contains(expected), "{expected} is missing");
    }
    assert!(
        !text.contains("NaN") && !text.contains("inf ") && !text.contains("inf\""),
        "what is no number is not drawn"
    );
    assert!(text.len() < 60_000, "{} bytes are too many", text.len());
}

#[test]
fn files_are_what_they_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let [svg, png] = ["new/a.svg", "new/a.png"].map(|name| folder.path().join(name));
    write(&svg, Format::Svg, &showcase(), WIDTH_PX).unwrap();
    write(&png, Format::Png, &showcase(), WIDTH_PX).unwrap();
    assert!(std::fs::read_to_string(&svg).unwrap().starts_with("<svg"));
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
    if let Some(keep) = std::env::var_os("G3_KEEP") {
        for (from, name) in [(&svg, "a.svg"), (&png, "a.png")] {
            std::fs::copy(from, std::path::Path::new(&keep).join(name)).unwrap();
        }
    }
    assert!(write(folder.path(), Format::Svg, &Chart::default(), WIDTH_PX).is_err());
    assert!(draw(&Chart::default(), Room { width: 300.0, height: None }).size[1] > 10.0, "no panels, no harm");
}
