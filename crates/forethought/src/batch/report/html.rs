//! The report as one page that needs nothing else. Read first: [`page`].

use super::{Chapter, plots};
use crate::{batch::Summary, episode::EpisodeResult};
use std::io;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;color:#1e1e1e;max-width:1100px;margin:2em auto;padding:0 1em}\
table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .7em;border-bottom:1px solid #dedede;text-align:right}\
td.t,th.t{text-align:left}th{font-weight:600}code{font-size:13px;background:#f4f4f4;padding:.1em .3em}\
.plots{display:flex;flex-wrap:wrap;gap:1em}.wide{overflow-x:auto}.faint{color:#5f5f5f}details{margin:1em 0}summary{cursor:pointer;font-weight:600}";

/// With more cells than these their chapters are closed at first.
const OPEN: usize = 3;

/// The page.
pub(super) fn page(chapters: &[Chapter]) -> Result<String, io::Error> {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Forethought: {title}</title><style>{STYLE}</style>\
         </head><body><h1>{title}</h1>",
        title = escaped(&title(chapters)),
    );
    page += &table(chapters);
    page += &format!("<div class=\"wide\">{}</div>", plots::success(chapters)?);
    page += "<p class=\"faint\">Success: the share of episodes that succeed, with its 95% Wilson interval. Every episode is drawn \
             from a seed of its own; the digest is a hash over all trajectories.</p>";
    for chapter in chapters {
        page += &chapter_html(chapter, chapters.len() <= OPEN)?;
    }
    Ok(page + "</body></html>\n")
}

fn title(chapters: &[Chapter]) -> String {
    match chapters {
        [one] => one.label(),
        several => format!("{} batches", several.len()),
    }
}

/// One row a cell.
fn table(chapters: &[Chapter]) -> String {
    let lives = chapters.iter().any(|chapter| chapter.summary.lives.is_some());
    let mut head = vec!["success", "95% interval", "episodes", "errors", "steps, succeeded", "steps, all"];
    if lives {
        head.extend(["mean energy", "meals a life"]);
    }
    head.extend(["decision, ms", "digest"]);
    let head: String = head.iter().map(|name| format!("<th>{name}</th>")).collect();
    let rows: String = chapters.iter().map(|chapter| row(chapter, lives)).collect();
    format!("<div class=\"wide\"><table><tr><th class=\"t\">batch</th>{head}</tr>{rows}</table></div>")
}

fn row(chapter: &Chapter, with_lives: bool) -> String {
    let Summary { episodes, requested, errors, success_rate, ci95, decisions, decision_ms_p50, digest, .. } =
        chapter.summary;
    let [low, high] = ci95.map(|end| end * 100.0);
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.1}"));
    let of = if episodes == requested { String::new() } else { format!(" of {requested}") };
    let mut cells = vec![
        format!("{:.1}%", success_rate * 100.0),
        format!("{low:.1} - {high:.1}"),
        format!("{episodes}{of}"),
        errors.to_string(),
        number(chapter.summary.mean_steps),
        number(chapter.summary.mean_steps_all),
    ];
    if with_lives {
        let lives = chapter.summary.lives.as_ref();
        cells.push(lives.map_or("-".into(), |lives| format!("{:.0}%", lives.mean_energy * 100.0)));
        cells.push(number(lives.map(|lives| lives.meals_per_life)));
    }
    cells.push(if *decisions > 0 { format!("{decision_ms_p50:.2}") } else { "-".into() });
    cells.push(format!("<code>{digest}</code>"));
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr><td class=\"t\">{}</td>{cells}</tr>", escaped(&chapter.label()))
}

fn chapter_html(chapter: &Chapter, open: bool) -> Result<String, io::Error> {
    let open = if open { " open" } else { "" };
    let mut text = format!("<details{open}><summary>{}</summary>", escaped(&chapter.label()));
    text += &plots::lengths(&chapter.lengths)?;
    if !chapter.factors.is_empty() {
        text += "<h3>Success by factor of variation</h3><p class=\"faint\">Below each value: how many episodes had it, or one \
                 near it.</p><div class=\"plots\">";
        for (name, bins) in &chapter.factors {
            text += &plots::factor(name, bins)?;
        }
        text += "</div>";
    }
    text += &worst(chapter);
    text += &provenance(chapter);
    Ok(text + "</details>")
}

fn worst(chapter: &Chapter) -> String {
    let line = |result: &EpisodeResult| {
        let distance = result.distance_m.map_or("-".into(), |metres| format!("{metres:.2}"));
        let error = result.error.as_ref().map_or(String::new(), |error| format!("<br>{}", escaped(error)));
        let command = match chapter.kept.replay.as_str() {
            "" => "-".to_owned(),
            replay => format!("<code>{} --headless --first {} --episodes 1</code>", escaped(replay), result.episode),
        };
        format!(
            "<tr><td>{}</td><td class=\"t\">{}{error}</td><td>{}</td><td>{distance}</td><td class=\"t\">{command}</td></tr>",
            result.episode,
            result.outcome.as_str().replace('_', " "),
            result.steps,
        )
    };
    let rows: String = chapter.worst.iter().map(line).collect();
    format!(
        "<h3>The worst episodes</h3><p class=\"faint\">Each command replays one; without <code>--headless --episodes 1</code> it is \
         seen in a window.</p><div class=\"wide\"><table><tr><th>episode</th><th class=\"t\">ending</th><th>steps</th>\
         <th>from target, m</th><th class=\"t\">replay</th></tr>{rows}</table></div>"
    )
}

fn provenance(chapter: &Chapter) -> String {
    let manifest = &chapter.kept.manifest;
    let mut text = format!(
        "<h3>Where it comes from</h3><p>forethought {}, scenario {} <code>{}</code>, models <code>{}</code></p><ul>",
        manifest.version,
        escaped(&manifest.scenario),
        manifest.scenario_hash,
        manifest.model_hash,
    );
    for call in &chapter.kept.calls {
        let machine = &call.machine;
        let unknown = || "unknown".to_owned();
        text += &format!(
            "<li><code>{}</code><br><span class=\"faint\">commit {}; {}, {}, {} cores, {}, {}</span></li>",
            escaped(&call.command.join(" ")),
            escaped(call.git_commit.as_deref().unwrap_or("unknown")),
            escaped(&machine.host.clone().unwrap_or_else(unknown)),
            escaped(&machine.processor.clone().unwrap_or_else(unknown)),
            machine.cores,
            escaped(&machine.vectors),
            escaped(&machine.system),
        );
    }
    text + "</ul>"
}

/// Text that a browser shows as it is.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
