//! Looks whether a scenario's file was saved, and says so. Read first: [`Watch::on`].

use crossbeam::channel::Sender;
use forethought_interface::ViewCommand;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};
use xxhash_rust::xxh3::xxh3_64;

/// Between two looks: a file's time costs next to nothing, and works on every file system.
const EVERY: Duration = Duration::from_millis(250);

/// A thread that looks at a file until this is dropped.
pub struct Watch {
    over: Arc<AtomicBool>,
}

impl Watch {
    /// Ask for [`ViewCommand::Reload`] each time that the file's text has changed, at first from what was read of it, by its XXH3: it may
    /// have been saved since.
    pub fn on(file: &Path, read: u64, commands: Sender<ViewCommand>) -> Self {
        let (over, file) = (Arc::new(AtomicBool::new(false)), file.to_owned());
        let ended = over.clone();
        std::thread::spawn(move || {
            let mut seen = Seen { time: None, text: Some(read) };
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(EVERY);
                if seen.changed(&file) && commands.send(ViewCommand::Reload).is_err() {
                    return;
                }
            }
        });
        Self { over }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// A file as it was last seen.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    time: Option<SystemTime>,
    text: Option<u64>,
}

impl Seen {
    /// Whether its text is another one. An editor that writes the same again, or is just replacing the file, changes nothing.
    fn changed(&mut self, file: &PathBuf) -> bool {
        let time = time(file);
        if time.is_none() || time == self.time {
            return false;
        }
        let Some(text) = text(file) else { return false };
        let changed = self.text != Some(text);
        *self = Self { time, text: Some(text) };
        changed
    }
}

fn time(file: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(file).ok()?.modified().ok()
}

fn text(file: &PathBuf) -> Option<u64> {
    // An editor empties a file before it writes it.
    std::fs::read(file).ok().filter(|text| !text.is_empty()).map(|text| xxh3_64(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_text_is_a_change_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ron");
        let write = |text: &str, second: u64| {
            std::fs::write(&file, text).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
            std::fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
        };
        write("one", 1);
        let mut seen = Seen { time: None, text: Some(xxh3_64(b"one")) };
        assert!(!seen.changed(&file));
        write("one", 2);
        assert!(!seen.changed(&file), "the same text");
        write("two", 3);
        assert!(seen.changed(&file) && !seen.changed(&file));
        write("", 4);
        assert!(!seen.changed(&file), "it is being written");
        std::fs::remove_file(&file).unwrap();
        assert!(!seen.changed(&file), "it is being replaced");
        write("three", 5);
        assert!(seen.changed(&file));
    }

    #[test]
    fn asks_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ron");
        let (sender, commands) = crossbeam::channel::unbounded();
        // Saved before the thread first looks.
        std::fs::write(&file, "another text").unwrap();
        let watch = Watch::on(&file, xxh3_64(b"one"), sender);
        assert_eq!(commands.recv_timeout(Duration::from_secs(20)), Ok(ViewCommand::Reload));
        drop(watch);
        assert!(commands.recv_timeout(Duration::from_secs(20)).is_err(), "the thread has ended");
    }
}
