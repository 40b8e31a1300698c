//! The buttons below the world: all that the keys do. Read first: [`show`].

use crate::{
    input::{Ask, Controls},
    palette,
};
use bevy_egui::egui::{
    Align, Button, Context, Frame, Id, LayerId, Layout, Margin, Rect, RichText, Slider, Stroke, Ui, UiBuilder, vec2,
};

/// Draw the bar into `place` and say what was asked for.
pub fn show(ctx: &Context, place: Rect, controls: &Controls) -> Vec<Ask> {
    let builder = UiBuilder::new().layer_id(LayerId::background()).max_rect(place);
    let mut ui = Ui::new(ctx.clone(), Id::new("bar"), builder);
    ui.painter().rect_filled(place, 0.0, palette::egui(palette::PAPER));
    ui.painter().hline(place.x_range(), place.top(), Stroke::new(1.0, palette::egui(palette::RULE)));
    // What there is no room for is left out, and its key stays.
    let (roomy, narrow, tiny) = (place.width() >= 1050.0, place.width() < 860.0, place.width() < 640.0);
    let mut asks = vec![];
    Frame::new().inner_margin(Margin::symmetric(10, 9)).show(&mut ui, |ui| {
        ui.set_min_size(ui.available_size());
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = if roomy { 6.0 } else { 4.0 };
            ui.spacing_mut().button_padding = vec2(if roomy { 10.0 } else { 7.0 }, 5.0);
            clock(ui, controls, tiny, &mut asks);
            space(ui, roomy);
            speed(ui, controls, if roomy { 170.0 } else { 90.0 }, &mut asks);
            if !narrow {
                space(ui, roomy);
                shown(ui, controls, &mut asks);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                button(ui, "?", "the keys (? or F1)", Ask::Help, &mut asks);
                if !narrow {
                    button(ui, "📷", "save a picture (F12)", Ask::Picture, &mut asks);
                }
            });
        });
    });
    asks
}

fn clock(ui: &mut Ui, controls: &Controls, tiny: bool, asks: &mut Vec<Ask>) {
    // A name is left out where there is no room for it.
    let name = |sign: &str, name: &str| if tiny { sign.to_owned() } else { format!("{sign} {name}") };
    let text = if controls.paused { name("▶", "Go on") } else { name("⏸", "Pause") };
    // Both words are as wide, so that nothing moves under the pointer.
    let width = if tiny { 0.0 } else { 82.0 };
    let pause = Button::new(text).min_size(vec2(width, 0.0)).selected(controls.paused);
    if ui.add(pause).on_hover_text("pause or go on (Space)").clicked() {
        asks.push(Ask::Pause);
    }
    button(ui, &name("⏭", "Step"), "one control step (. or Right)", Ask::Step, asks);
    button(ui, &name("⟲", "Reset"), "this episode from its start (R)", Ask::Reset, asks);
    button(ui, &name("⏩", "Next"), "next episode (N)", Ask::Next, asks);
}

fn speed(ui: &mut Ui, controls: &Controls, width: f32, asks: &mut Vec<Ask>) {
    ui.label("Speed");
    ui.spacing_mut().slider_width = width;
    let fastest = controls.speed.is_infinite();
    let mut speed = if fastest { 16.0 } else { controls.speed };
    let slider = Slider::new(&mut speed, 0.1..=16.0).logarithmic(true).show_value(false);
    if ui.add(slider).on_hover_text("simulated seconds a second (- and +)").changed() {
        asks.push(Ask::Speed(nearly_round(speed)));
    }
    let words = if fastest { "max".into() } else { format!("{}x", crate::plot::number(controls.speed)) };
    let size = vec2(38.0, ui.available_height().min(24.0));
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(size.x);
        ui.label(RichText::new(words).font(crate::style::strong(15.0)));
    });
    if ui.add(Button::new("max").selected(fastest)).on_hover_text("as fast as it can").clicked() {
        asks.push(Ask::Speed(if fastest { 1.0 } else { f32::INFINITY }));
    }
}

fn shown(ui: &mut Ui, controls: &Controls, asks: &mut Vec<Ask>) {
    for (on, name, hover, ask) in [
        (controls.rays, "Rays", "sensor rays (L)", Ask::Rays),
        (controls.futures, "Futures", "imagined futures (T)", Ask::Futures),
        (controls.trail, "Path", "where the agent has been (P)", Ask::Trail),
    ] {
        let mut checked = on;
        if ui.checkbox(&mut checked, name).on_hover_text(hover).changed() {
            asks.push(ask);
        }
    }
}

fn button(ui: &mut Ui, text: &str, hover: &str, ask: Ask, asks: &mut Vec<Ask>) {
    if ui.button(text).on_hover_text(hover).clicked() {
        asks.push(ask);
    }
}

fn space(ui: &mut Ui, roomy: bool) {
    ui.add_space(if roomy { 14.0 } else { 4.0 });
}

/// A slider snaps to speeds that can be said in a word.
fn nearly_round(speed: f32) -> f32 {
    let near = |round: &f32| (speed / round - 1.0).abs() < 0.08;
    [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0].into_iter().find(near).unwrap_or((speed * 20.0).round() / 20.0)
}

#[cfg(test)]
mod tests {
    use super::nearly_round;

    #[test]
    fn speeds_snap() {
        for (speed, round) in [(1.05, 1.0), (0.52, 0.5), (3.217, 3.2), (15.5, 16.0), (0.13, 0.15)] {
            assert!((nearly_round(speed) - round).abs() < 1e-4, "{speed}");
        }
    }
}
