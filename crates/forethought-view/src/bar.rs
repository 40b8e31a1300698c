//! The buttons below the world: what the keys do. Read first: [`show`].

use crate::{
    dock::{Docking, Panel},
    input::{Ask, Controls, Shown, Tool},
    palette,
    story::Story,
};
use bevy_egui::egui::{
    Align, Button, Context, Frame, Id, LayerId, Layout, Margin, Rect, RichText, Slider, Stroke, Ui, UiBuilder, vec2,
};

/// Below so much of the pace that was asked for, time is said to be slow.
const SLOW: f32 = 0.85;

/// Draw the bar into `place` and say what was asked for.
pub fn show(ctx: &Context, place: Rect, story: &Story, controls: &Controls, docking: &Docking) -> Vec<Ask> {
    let builder = UiBuilder::new().layer_id(LayerId::background()).max_rect(place);
    let mut ui = Ui::new(ctx.clone(), Id::new("bar"), builder);
    ui.painter().rect_filled(place, 0.0, palette::egui(palette::PAPER));
    ui.painter().hline(place.x_range(), place.top(), Stroke::new(1.0, palette::egui(palette::RULE)));
    // What there is no room for is left out, and its key stays.
    let (roomy, narrow, tiny) = (place.width() >= 1180.0, place.width() < 900.0, place.width() < 640.0);
    let mut asks = vec![];
    Frame::new().inner_margin(Margin::symmetric(10, 7)).show(&mut ui, |ui| {
        ui.set_min_size(ui.available_size());
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = if roomy { 6.0 } else { 4.0 };
            ui.spacing_mut().button_padding = vec2(if roomy { 9.0 } else { 6.0 }, 5.0);
            if story.shelf.is_none() {
                clock(ui, controls, tiny, &mut asks);
                space(ui, roomy);
                speed(ui, story, controls, if roomy { 130.0 } else { 80.0 }, &mut asks);
                if !narrow {
                    space(ui, roomy);
                    menus(ui, controls, docking, &mut asks);
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                button(ui, "?", "the keys (? or F1)", Ask::Help, &mut asks);
                if !narrow {
                    button(ui, "📷", "save a picture (F12)", Ask::Picture, &mut asks);
                }
                if !narrow && story.shelf.is_none() {
                    button(ui, "Worlds", "the scenarios to choose from (B)", Ask::Shelf, &mut asks);
                    button(ui, "Save", "save the world as it stands as a scenario (S)", Ask::Save, &mut asks);
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

fn speed(ui: &mut Ui, story: &Story, controls: &Controls, width: f32, asks: &mut Vec<Ask>) {
    ui.spacing_mut().slider_width = width;
    let fastest = controls.speed.is_infinite();
    let mut speed = if fastest { 16.0 } else { controls.speed };
    let slider = Slider::new(&mut speed, 0.1..=16.0).logarithmic(true).show_value(false);
    if ui.add(slider).on_hover_text("speed: simulated seconds a second (- and +)").changed() {
        asks.push(Ask::Speed(nearly_round(speed)));
    }
    let slow = slowness(story, controls);
    let words = match (fastest, slow) {
        (true, _) => story.pace().map_or("max".into(), |pace| format!("{}x", crate::plot::number(pace.round()))),
        (false, Some(pace)) => format!("{}x of {}x", crate::plot::number((pace * 10.0).round() / 10.0), controls.speed),
        (false, None) => format!("{}x", crate::plot::number(controls.speed)),
    };
    let size = vec2(if slow.is_some() { 84.0 } else { 42.0 }, ui.available_height().min(24.0));
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(size.x);
        let text = RichText::new(words).font(crate::style::strong(15.0));
        let warned = if slow.is_some() { text.color(palette::egui(palette::BAD)) } else { text };
        ui.label(warned).on_hover_text("thinking takes longer than there is time for, where this is red");
    });
    if ui.add(Button::new("max").selected(fastest)).on_hover_text("as fast as it can").clicked() {
        asks.push(Ask::Speed(if fastest { 1.0 } else { f32::INFINITY }));
    }
}

/// The real pace, where it is clearly below the one that was asked for.
pub fn slowness(story: &Story, controls: &Controls) -> Option<f32> {
    let goes_on = !controls.paused && controls.speed.is_finite() && !story.ended && !story.looks_back();
    let outcome = story.now.as_ref().is_some_and(|now| now.outcome.is_some());
    story.pace().filter(|pace| goes_on && !outcome && *pace < SLOW * controls.speed)
}

fn menus(ui: &mut Ui, controls: &Controls, docking: &Docking, asks: &mut Vec<Ask>) {
    ui.menu_button(format!("✋ {} ⏷", controls.tool.words().0), |ui| {
        for (number, (tool, name, hint)) in (1..).zip(Tool::ALL) {
            let text = format!("{number}  {name}");
            if ui.add(Button::new(text).selected(tool == controls.tool)).on_hover_text(hint).clicked() {
                asks.push(Ask::Tool(tool));
                ui.close();
            }
        }
        ui.separator();
        let lead = if controls.leads { "G  Let go of the agent" } else { "G  Lead the agent" };
        if ui.button(lead).on_hover_text("with the arrow keys").clicked() {
            asks.push(Ask::Lead);
            ui.close();
        }
    });
    ui.menu_button("Show ⏷", |ui| {
        for (shown, key, name) in Shown::ALL {
            let mut on = controls.shows(shown);
            if ui.checkbox(&mut on, format!("{name}   ({key})")).changed() {
                asks.push(Ask::Show(shown));
            }
        }
    });
    ui.menu_button("Panels ⏷", |ui| {
        for (panel, key) in Panel::ALL {
            let mut on = docking.shows(panel);
            if ui.checkbox(&mut on, format!("{}   ({key})", panel.name())).changed() {
                asks.push(Ask::Panel(panel));
            }
        }
        if ui.button("As at first").clicked() {
            asks.push(Ask::PanelsAnew);
            ui.close();
        }
    });
}

fn button(ui: &mut Ui, text: &str, hover: &str, ask: Ask, asks: &mut Vec<Ask>) {
    if ui.button(text).on_hover_text(hover).clicked() {
        asks.push(ask);
    }
}

fn space(ui: &mut Ui, roomy: bool) {
    ui.add_space(if roomy { 10.0 } else { 3.0 });
}

/// A slider snaps to speeds that can be said in a word.
fn nearly_round(speed: f32) -> f32 {
    let near = |round: &f32| (speed / round - 1.0).abs() < 0.08;
    [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0].into_iter().find(near).unwrap_or((speed * 20.0).round() / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::{Snapshot, ViewMessage};

    #[test]
    fn speeds_snap() {
        for (speed, round) in [(1.05, 1.0), (0.52, 0.5), (3.217, 3.2), (15.5, 16.0), (0.13, 0.15)] {
            assert!((nearly_round(speed) - round).abs() < 1e-4, "{speed}");
        }
    }

    #[test]
    fn slow_thinking_is_told() {
        let told = |wall_s: f64, paused: bool| {
            let mut story = Story::default();
            for step in 0..40_u8 {
                let snapshot = Snapshot { step: step.into(), time_s: 0.1 * f64::from(step), ..Snapshot::default() };
                story.hear(ViewMessage::Snapshot(Box::new(snapshot)), wall_s * f64::from(step), Some(0.1));
            }
            slowness(&story, &Controls { paused, ..Controls::default() })
        };
        assert!(told(0.4, false).is_some_and(|pace| (pace - 0.25).abs() < 1e-3));
        assert_eq!(told(0.1, false), None);
        assert_eq!(told(0.4, true), None);
    }
}
