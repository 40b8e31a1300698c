//! How words look. Read first: [`set`].

use crate::palette;
use bevy_egui::egui::{
    Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontFamily::Proportional, FontId, TextStyle, Theme,
};

const REGULAR: &[u8] = include_bytes!("../../../assets/fonts/OpenSans-Regular.ttf");
const STRONG: &[u8] = include_bytes!("../../../assets/fonts/OpenSans-Semibold.ttf");

/// Dark words on light paper, large enough for the last row.
pub fn set(ctx: &Context) {
    ctx.set_theme(Theme::Light);
    let mut fonts = FontDefinitions::default();
    let families = [("regular", REGULAR, Proportional), ("strong", STRONG, FontFamily::Name("strong".into()))];
    let fallbacks = fonts.families.get(&Proportional).cloned().unwrap_or_default();
    for (name, data, family) in families {
        fonts.font_data.insert(name.into(), FontData::from_static(data).into());
        let names = std::iter::once(name.to_owned()).chain(fallbacks.iter().cloned());
        fonts.families.insert(family, names.collect());
    }
    ctx.set_fonts(fonts);
    ctx.all_styles_mut(|style| {
        style.text_styles.extend([
            (TextStyle::Small, FontId::new(12.5, Proportional)),
            (TextStyle::Body, FontId::new(15.0, Proportional)),
            (TextStyle::Button, FontId::new(15.0, Proportional)),
            (TextStyle::Heading, strong(20.0)),
        ]);
        style.interaction.selectable_labels = false;
        // A window that fades in is unreadable for as long, and a paused picture is drawn too seldom to fade well.
        style.animation_time = 0.0;
        // A round corner makes slivers as long as what it belongs to: for a processor that draws, half of all words' work.
        let widgets = &mut style.visuals.widgets;
        for state in [
            &mut widgets.noninteractive,
            &mut widgets.inactive,
            &mut widgets.hovered,
            &mut widgets.active,
            &mut widgets.open,
        ] {
            state.corner_radius = CornerRadius::ZERO;
        }
        style.visuals.window_fill = palette::egui(palette::PAPER);
        style.visuals.override_text_color = Some(palette::egui(palette::INK));
    });
}

/// Heavier letters, for titles and what matters most.
pub fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("strong".into()))
}
