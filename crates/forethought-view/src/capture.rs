//! Pictures of the window as PNG files. Read first: [`Capture`].

use crate::{ViewError, ViewOptions, input::Controls, overlay::Notes, story::Story};
use bevy::{
    image::Image,
    prelude::*,
    render::view::screenshot::{Screenshot, ScreenshotCaptured},
};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use std::{
    io::BufWriter,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// Pictures drawn before one is taken: the words' library needs a few to find its sizes.
const FRAMES_FIRST: u32 = 8;
/// So many are waited for an energy landscape.
const FRAMES_FOR_LANDSCAPE: u32 = 200;

/// The picture that was asked for when the window was opened.
#[derive(Resource, Debug)]
pub struct Capture {
    wanted: Option<(PathBuf, u32)>,
    close_after: bool,
    frames: u32,
    taken: bool,
    /// What went wrong, for the one who opened the window.
    pub error: Arc<Mutex<Option<ViewError>>>,
}

impl Capture {
    /// As the options say.
    pub fn new(options: &ViewOptions) -> Self {
        Self {
            wanted: options.screenshot.clone(),
            close_after: options.close_after_screenshot,
            frames: 0,
            taken: false,
            error: Arc::default(),
        }
    }

    /// True while the story must stay where it is, because its picture is about to be taken.
    pub fn holds(&self, story: &Story) -> bool {
        self.wanted.as_ref().is_some_and(|(_, step)| story.reached(*step))
    }
}

/// Take the picture that was asked for once its step is shown.
pub fn take_wanted(
    mut capture: ResMut<Capture>,
    story: Res<Story>,
    controls: Res<Controls>,
    time: Res<Time<Real>>,
    mut commands: Commands,
) {
    // A landscape takes a while; a mind without a cost has none.
    let landscaped = !controls.landscape || story.landscape.is_some() || capture.frames > FRAMES_FOR_LANDSCAPE;
    let ready = capture.holds(&story) && story.settled(time.elapsed_secs_f64()) && !capture.taken;
    if !ready {
        return;
    }
    capture.frames += 1;
    if capture.frames < FRAMES_FIRST || !landscaped {
        return;
    }
    capture.taken = true;
    commands.spawn(Screenshot::primary_window()).observe(
        |captured: On<ScreenshotCaptured>, mut capture: ResMut<Capture>, mut exit: MessageWriter<AppExit>| {
            let Some((path, _)) = capture.wanted.take() else { return };
            if let Err(reason) = save(&captured.image, &path)
                && let Ok(mut error) = capture.error.lock()
            {
                *error = Some(ViewError::Screenshot { path, reason });
            }
            if capture.close_after {
                exit.write(AppExit::Success);
            }
        },
    );
}

/// Take a picture now, into the working directory, and say where it went.
pub fn take_now(commands: &mut Commands, story: &Story) {
    let path = free_path(&file_stem(story));
    commands.spawn(Screenshot::primary_window()).observe(
        move |captured: On<ScreenshotCaptured>, mut notes: ResMut<Notes>, time: Res<Time<Real>>| {
            let shown = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            let text = match save(&captured.image, &path) {
                Ok(()) => format!("Picture saved as {}", shown.display()),
                Err(reason) => format!("The picture could not be saved as {}: {reason}", shown.display()),
            };
            notes.say(text, time.elapsed_secs_f64());
        },
    );
}

/// Write a picture as PNG; an error says what the system said.
pub fn save(image: &Image, path: &Path) -> Result<(), String> {
    let pixels = image.clone().try_into_dynamic().map_err(|error| error.to_string())?;
    let file = std::fs::File::create(path).map_err(|error| error.to_string())?;
    // As small as may be: pictures are taken seldom, and put into documents.
    let encoder = PngEncoder::new_with_quality(BufWriter::new(file), CompressionType::Best, FilterType::Adaptive);
    pixels.to_rgb8().write_with_encoder(encoder).map_err(|error| error.to_string())
}

/// For example `forethought-two_rooms-episode-3-step-43`.
fn file_stem(story: &Story) -> String {
    let Some(scene) = &story.scene else { return "forethought".into() };
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '_' { letter } else { '-' };
    let title: String = scene.title.chars().map(plain).collect();
    format!("forethought-{title}-episode-{}-step-{}", scene.episode, story.step())
}

/// A name that no file has yet.
fn free_path(stem: &str) -> PathBuf {
    let name =
        |count: u32| PathBuf::from(if count == 1 { format!("{stem}.png") } else { format!("{stem}-{count}.png") });
    (1..1000).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::{Scene, ViewMessage};

    #[test]
    fn names_say_what_is_in_the_picture() {
        let mut story = Story::default();
        assert_eq!(file_stem(&story), "forethought");
        let scene = Scene { title: "two rooms/x".into(), episode: 3, ..Scene::default() };
        story.hear(ViewMessage::Scene(Box::new(scene)), 0.0, None);
        assert_eq!(file_stem(&story), "forethought-two-rooms-x-episode-3-step-0");
    }
}
