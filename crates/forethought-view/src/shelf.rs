//! The scenarios to choose from, each with a picture of its world. Read first: [`show`].

use crate::{input::Ask, palette, panel::title, style::strong};
use bevy::math::Vec2 as Metres;
use bevy_egui::egui::{
    Align, Color32, Context, CornerRadius, Frame, Id, Label, LayerId, Layout, Margin, Painter, Pos2, Rect, RichText,
    ScrollArea, Sense, Shape, Stroke, StrokeKind, Ui, UiBuilder, pos2, vec2,
};
use forethought_interface::{Difficulty, Outline, Pose, ScenarioCard, Scene, Snapshot};

/// A card's width and its picture's height, in pixels.
const CARD: f32 = 228.0;
const PICTURE: f32 = 132.0;
/// A whole card's height.
const HEIGHT: f32 = 268.0;

/// Draw all cards into `place` and say what was chosen.
pub fn show(ctx: &Context, place: Rect, cards: &[ScenarioCard]) -> Vec<Ask> {
    let builder = UiBuilder::new().layer_id(LayerId::background()).max_rect(place);
    let mut ui = Ui::new(ctx.clone(), Id::new("shelf"), builder);
    ui.painter().rect_filled(place, 0.0, palette::egui(palette::PAPER));
    let mut asks = vec![];
    Frame::new().inner_margin(Margin::symmetric(22, 14)).show(&mut ui, |ui| {
        ui.set_min_size(ui.available_size());
        ui.horizontal(|ui| {
            ui.label(RichText::new("Choose a world").font(strong(24.0)));
            ui.add_space(10.0);
            let hint = "Watch an agent live, and lay hands on its world. Dots: things asked beyond getting somewhere (none, one, more).";
            ui.label(RichText::new(hint).color(palette::egui(palette::FAINT_INK)));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let hint = "the energy-based models of the theory, each to watch while it trains";
                if ui.button("The gallery").on_hover_text(hint).clicked() {
                    asks.push(Ask::Gallery);
                }
            });
        });
        ui.add_space(6.0);
        if cards.is_empty() {
            ui.label("There is no scenario here. Name one: forethought run my_world.ron");
        }
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            let columns = ((ui.available_width() / (CARD + 16.0)) as usize).max(1);
            for row in cards.chunks(columns) {
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing = vec2(14.0, 14.0);
                    for card in row {
                        if card_of(ui, card) {
                            asks.push(Ask::Open(card.path.clone()));
                        }
                    }
                });
                ui.add_space(10.0);
            }
        });
    });
    asks
}

/// One card; says whether it was chosen.
fn card_of(ui: &mut Ui, card: &ScenarioCard) -> bool {
    let (place, response) = ui.allocate_exact_size(vec2(CARD, HEIGHT), Sense::click());
    let (edge, width) = if response.hovered() { (palette::CHOSEN, 2.5) } else { (palette::RULE, 1.0) };
    let painter = ui.painter_at(place.expand(2.0));
    painter.rect_filled(place, 8.0, palette::egui(palette::FLOOR));
    painter.rect_stroke(place, 8.0, Stroke::new(width, palette::egui(edge)), StrokeKind::Inside);
    let picture = Rect::from_min_size(place.min + vec2(10.0, 10.0), vec2(CARD - 20.0, PICTURE));
    painter.rect_filled(picture, CornerRadius::same(4), palette::egui(palette::SURROUND));
    if let Some(world) = &card.picture {
        draw(&ui.painter_at(picture), picture, &world.0, &world.1);
    }
    let words = Rect::from_min_max(pos2(place.left() + 12.0, picture.bottom() + 6.0), place.max - vec2(10.0, 6.0));
    let downwards = Layout::top_down(Align::Min);
    let mut ui = ui.new_child(UiBuilder::new().max_rect(words).layout(downwards));
    ui.shrink_clip_rect(words);
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.horizontal(|ui| {
        ui.label(RichText::new(title(&card.name)).font(strong(16.0)));
        chip(ui, card.difficulty);
    });
    match &card.problem {
        Some(problem) => {
            let text = RichText::new(problem.lines().next().unwrap_or_default()).color(palette::egui(palette::BAD));
            ui.add(Label::new(text.size(13.0)).wrap());
        }
        None => {
            ui.add(Label::new(RichText::new(&card.description).size(13.5)).wrap());
            if !card.asks.is_empty() {
                let asks = RichText::new(format!("With {}", card.asks.join(", ")));
                ui.add(Label::new(asks.size(12.5).color(palette::egui(palette::FAINT_INK))).wrap());
            }
        }
    }
    let hint = format!("{}\n{}", card.description, card.path.display());
    response.on_hover_cursor(bevy_egui::egui::CursorIcon::PointingHand).on_hover_text(hint).clicked()
}

/// How hard it is: in a word, and in dots.
fn chip(ui: &mut Ui, difficulty: Difficulty) {
    let dots = match difficulty {
        Difficulty::Easy => 1,
        Difficulty::Medium => 2,
        Difficulty::Hard => 3,
    };
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let (place, _) = ui.allocate_exact_size(vec2(34.0, 16.0), Sense::hover());
        for dot in 0..3 {
            let at = pos2(place.left() + 6.0 + 11.0 * dot as f32, place.center().y);
            let color = palette::egui(if dot < dots { palette::CHOSEN } else { palette::RULE });
            ui.painter().circle_filled(at, 4.0, color);
        }
        ui.label(RichText::new(difficulty.as_str()).size(13.0).color(palette::egui(palette::FAINT_INK)));
    });
}

/// A world as small as a thumb.
fn draw(painter: &Painter, place: Rect, scene: &Scene, now: &Snapshot) {
    let [width, height] = scene.size_m.map(|side| if side.is_finite() && side > 0.0 { side } else { 1.0 });
    let scale = ((place.width() - 8.0) / width).min((place.height() - 8.0) / height);
    let corner = place.center() + vec2(-width, height) * scale / 2.0;
    let at = |point: Metres| corner + vec2(point.x, -point.y) * scale;
    let floor = Rect::from_two_pos(at(Metres::ZERO), at(Metres::new(width, height)));
    painter.rect_filled(floor, 0.0, Color32::WHITE);
    let shapes = |outlines: &[Outline], pose: Pose, color: Color32| {
        for outline in outlines {
            painter.add(shape(outline, pose, color, scale, &at));
        }
    };
    for zone in &scene.zones {
        shapes(&zone.outlines, zone.pose, palette::egui(palette::scenario(zone.color)).gamma_multiply(0.45));
    }
    for target in &scene.targets {
        let (center, radius) = (at(target.position_m.into()), target.radius_m * scale);
        painter.circle_filled(center, radius.max(2.0), palette::egui(palette::TARGET).gamma_multiply(0.35));
        painter.circle_stroke(center, radius.max(2.0), Stroke::new(1.5, palette::egui(palette::TARGET)));
    }
    for (food, item) in scene.foods.iter().zip(&now.foods).filter(|(_, item)| item.present) {
        let color = palette::egui(palette::scenario(food.color));
        painter.circle_filled(at(item.position_m.into()), (0.5 * food.radius_m * scale).max(2.0), color);
    }
    for (body, pose) in scene.bodies.iter().zip(&now.bodies) {
        shapes(&body.outlines, *pose, palette::egui(palette::scenario(body.color)));
    }
    for (agent, pose) in scene.agents.iter().zip(&now.agents) {
        shapes(&agent.outlines, *pose, palette::egui(palette::scenario(agent.color)));
    }
    painter.rect_stroke(floor, 0.0, Stroke::new(1.5, palette::egui(palette::INK)), StrokeKind::Middle);
}

fn shape(outline: &Outline, pose: Pose, color: Color32, scale: f32, at: &impl Fn(Metres) -> Pos2) -> Shape {
    let world =
        |local: [f32; 2]| at(Metres::from(pose.position_m) + Metres::from_angle(pose.angle_rad).rotate(local.into()));
    match outline {
        Outline::Disc { center_m, radius_m } => {
            Shape::circle_filled(world(*center_m), (radius_m * scale).max(1.5), color)
        }
        Outline::Polygon { vertices_m } => {
            let corners: Vec<Pos2> = vertices_m.iter().map(|vertex| world(*vertex)).collect();
            if corners.iter().all(|corner| corner.x.is_finite() && corner.y.is_finite()) {
                Shape::convex_polygon(corners, color, Stroke::new(0.7, color))
            } else {
                Shape::Noop
            }
        }
    }
}
