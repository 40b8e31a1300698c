//! Scenarios: RON files that say what world, who lives in it and what counts as success.
//!
//! Read first: [`Scenario`], then [`load`], which reads a file or says everything that is wrong with it at once, and
//! [`LoadedScenario::draw`], which makes an episode of it.

mod check;
mod copies;
mod draw;
mod expression;
pub(crate) mod nearest;
mod problem;
pub mod reference;
mod rehearsal;
mod setting;
mod spec;
mod tolerant;
mod tree;
pub mod write;

pub use draw::{DrawError, Episode, LoadedScenario};
pub use problem::{Problem, ScenarioErrors};
pub use setting::{Axis, Setting};
pub use spec::{AgentSpec, Condition, Draw, EpisodeSpec, FactorSpec, Scenario};

use copies::Expanded;
use problem::Finding;
use ron::{error::SpannedError, extensions::Extensions};
use std::{collections::HashMap, fs, io::ErrorKind, path::Path};
use tree::Span;
use xxhash_rust::xxh3::xxh3_64;

/// The largest file: a scenario is written by hand.
const LARGEST_BYTES: u64 = 1 << 20;
/// More problems than these are not told at once.
const MOST_PROBLEMS: usize = 100;

/// Read a scenario and check it, the model files that it names included.
///
/// # Errors
/// Everything that is wrong with the file, at once.
pub fn load(path: &Path) -> Result<LoadedScenario, ScenarioErrors> {
    let text = read(path)?;
    examine(&text, path, true)
}

/// Read a scenario and check all but its model files, which training and `--actor random` do not need.
///
/// # Errors
/// As [`load`].
pub fn load_without_models(path: &Path) -> Result<LoadedScenario, ScenarioErrors> {
    let text = read(path)?;
    examine(&text, path, false)
}

/// Read a scenario with some of its fields set to other values, and check all of it or, without `models`, all but its model files.
///
/// # Errors
/// As [`load`], of the scenario with the values set.
pub fn load_set(path: &Path, settings: &[Setting], models: bool) -> Result<LoadedScenario, ScenarioErrors> {
    let text = read(path)?;
    if settings.is_empty() {
        return examine(&text, path, models);
    }
    let told: Vec<String> = settings.iter().map(|setting| format!("--set {setting}")).collect();
    let file = format!("{} with {}", path.display(), told.join(" "));
    let text = setting::apply(&text, settings).map_err(|findings| ScenarioErrors {
        problems: findings.into_iter().map(|finding| finding.of_file(&file)).collect(),
    })?;
    examine(&text, path, models).map_err(|mut errors| {
        errors.problems.iter_mut().for_each(|problem| problem.file.clone_from(&file));
        errors
    })
}

/// Check a scenario's text, all but its model files. `path` is what messages call the file.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, path: &Path) -> Result<LoadedScenario, ScenarioErrors> {
    examine(text, path, false)
}

/// The file's text.
fn read(path: &Path) -> Result<String, ScenarioErrors> {
    let file = path.display().to_string();
    let fail = |found: String, expected: &str, remedy: String| ScenarioErrors {
        problems: vec![Finding::new("", found, expected, remedy).of_file(&file)],
    };
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => fail("no such file".to_owned(), "a scenario", neighbours(path)),
        _ => fail(format!("a file that cannot be read ({error})"), "a scenario", "see to its permissions".to_owned()),
    })?;
    if metadata.is_dir() {
        return Err(fail("a folder".to_owned(), "a scenario file", neighbours(&path.join("any"))));
    }
    if metadata.len() > LARGEST_BYTES {
        let remedy = "a scenario is written by hand; is this another file?".to_owned();
        return Err(fail(format!("a file of {} bytes", metadata.len()), "at most 1 MiB", remedy));
    }
    let bytes = fs::read(path).map_err(|error| {
        fail(format!("a file that cannot be read ({error})"), "a scenario", "see to its permissions".to_owned())
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes());
        let found = format!("a byte that is no UTF-8, 0x{:02X}", error.as_bytes().get(valid).copied().unwrap_or(0));
        let remedy = "save the file as UTF-8; is it a text at all?";
        let finding = Finding::new("", found, "text in UTF-8", remedy);
        ScenarioErrors { problems: vec![finding.of_text(&file, &text, Span { begin: valid, end: valid + 3 })] }
    })
}

/// What to say where a file is not: which scenarios are.
fn neighbours(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = folder.read_dir() else { return format!("there is no folder {} either", folder.display()) };
    let files = entries.flatten().map(|entry| entry.path());
    let mut names: Vec<String> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "ron"))
        .filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match nearest::nearest(&wanted, names.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {}?", folder.join(meant).display()),
        None if names.is_empty() => format!("there is no scenario in {}", folder.display()),
        None => {
            names.truncate(20);
            format!("the scenarios in {} are {}", folder.display(), names.join(", "))
        }
    }
}

/// The one way into a scenario: ron reads it, and where anything is wrong the tree tells what and where.
fn examine(text: &str, path: &Path, models: bool) -> Result<LoadedScenario, ScenarioErrors> {
    let hash = xxh3_64(text.as_bytes());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    let read = ron::Options::default().with_default_extension(extensions).from_str::<Scenario>(text);
    let (scenario, mut findings) = match read {
        Ok(scenario) => {
            let (scenario, findings) = semantic(&scenario, &[], models.then_some(path));
            if findings.is_empty() {
                return Ok(LoadedScenario { scenario, path: path.to_owned(), hash });
            }
            (Ok(()), findings)
        }
        Err(error) => (Err(error), Vec::new()),
    };
    let mut spans = HashMap::new();
    match tree::parse(text) {
        Err(finding) if scenario.is_err() => findings.push(finding),
        Err(_) => {}
        Ok(root) => {
            let reading = tolerant::read::<Scenario>(text, &root);
            spans = reading.spans;
            if let Err(error) = scenario {
                findings = reading.findings;
                let tainted: Vec<String> = findings.iter().map(|finding| finding.path.clone()).collect();
                if let Some(scenario) = reading.value.filter(|_| !tainted.is_empty()) {
                    findings.extend(semantic(&scenario, &tainted, models.then_some(path)).1);
                }
                if tainted.is_empty() {
                    findings.push(refusal(text, &error));
                }
            }
        }
    }
    Err(place(findings, &spans, text, &path.display().to_string()))
}

/// A scenario that could be read with all its copies, and what is wrong with it, except at the paths where it could not be read.
fn semantic(written: &Scenario, tainted: &[String], models: Option<&Path>) -> (Scenario, Vec<Finding>) {
    let (Expanded { scenario, origins }, miscounted) = copies::expand(written);
    let is_tainted = |path: &str| {
        let path = origins.written(path);
        tainted.iter().any(|other| rehearsal::related(&path, other))
    };
    // Whether something within this list, or all of it, could not be read.
    let partly = |list: &str| is_tainted(list);
    let mut findings = check::check(&scenario, &partly);
    if let Some(path) = models {
        findings.extend(check::check_models(&scenario, path));
    }
    findings.retain(|finding| !is_tainted(&finding.path));
    let known: Vec<String> = findings.iter().map(|finding| finding.path.clone()).collect();
    // An agent's target is reported where its drive names it.
    let target = |path: &str| path.starts_with("agents[") && path.ends_with("].target") && !path.contains(".drives[");
    let silent = |path: &str| is_tainted(path) || target(path) || known.iter().any(|other| other == path);
    let too_much = check::check_size(&scenario);
    if too_much.is_empty() && miscounted.is_empty() {
        findings.extend(rehearsal::rehearse(&scenario, &silent));
        findings.extend(rehearse_exploring(&scenario, &silent, &findings));
    }
    findings.extend(too_much);
    let mut findings = origins.told_once(findings);
    // What was not copied has no number yet; that is told already.
    findings.retain(|finding| miscounted.is_empty() || !finding.found.contains(copies::INDEX));
    findings.extend(miscounted);
    (scenario, findings)
}

/// What is wrong only where agents explore.
fn rehearse_exploring(scenario: &Scenario, silent: &dyn Fn(&str) -> bool, known: &[Finding]) -> Vec<Finding> {
    let explored: Vec<usize> = (0..scenario.factors.len()).filter(|i| scenario.factors[*i].explore.is_some()).collect();
    if explored.is_empty() {
        return vec![];
    }
    let mut findings = rehearsal::rehearse(&scenario.exploring(), silent);
    for finding in &mut findings {
        for index in &explored {
            let draw = format!("factors[{index}].draw");
            if let Some(rest) = finding.path.strip_prefix(&draw) {
                finding.path = format!("factors[{index}].explore{rest}");
            }
        }
    }
    findings.retain(|finding| known.iter().all(|other| other.path != finding.path));
    findings
}

/// What ron says, for what the tree does not see.
fn refusal(text: &str, error: &SpannedError) -> Finding {
    let offset = |line: usize, column: usize| {
        let line_begin: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = text.get(line_begin..).unwrap_or_default();
        line_begin + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(index, _)| index)
    };
    let span = Span {
        begin: offset(error.span.start.line, error.span.start.col),
        end: offset(error.span.end.line, error.span.end.col),
    };
    let finding = match &error.code {
        ron::Error::ExceededRecursionLimit => {
            let found = "values too deep inside each other";
            Finding::new("", found, "a scenario that is less nested", "use fewer compounds inside compounds")
        }
        code => Finding::new("", "something that cannot be read", "a scenario in RON", format!("ron says: {code}")),
    };
    finding.at(span)
}

/// Give every finding its place in the text, and put them in order.
fn place(findings: Vec<Finding>, spans: &HashMap<String, Span>, text: &str, file: &str) -> ScenarioErrors {
    let mut problems: Vec<Problem> = Vec::new();
    for mut finding in findings {
        let exact = spans.get(&finding.path).copied();
        if finding.at.is_none() && exact.is_none() && !finding.path.ends_with(']') && !spans.is_empty() {
            // What is not written has its default.
            finding.found.push_str(", the default");
        }
        let span = finding.at.or(exact).unwrap_or_else(|| around(&finding.path, spans));
        let problem = finding.of_text(file, text, span);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems.sort_by(|a, b| (a.line, a.column, &a.path).cmp(&(b.line, b.column, &b.path)));
    problems.truncate(MOST_PROBLEMS);
    ScenarioErrors { problems }
}

/// The place of the nearest thing around this path that is in the text.
fn around(path: &str, spans: &HashMap<String, Span>) -> Span {
    let mut path = path;
    while let Some(cut) = path.rfind(['.', '[']) {
        path = &path[..cut];
        if let Some(span) = spans.get(path) {
            return Span { begin: span.begin, end: span.begin + 1 };
        }
    }
    spans.get("").map_or(Span::default(), |span| Span { begin: span.begin, end: span.begin + 1 })
}
