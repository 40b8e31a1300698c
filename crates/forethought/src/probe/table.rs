//! A report as text for people. Read first: [`table`].

use super::{
    Report,
    surprise::{Detection, Energy},
};

/// Horizons that a table shows, in predictions.
const SHOWN: [usize; 7] = [1, 2, 3, 4, 6, 8, 16];

/// The three reports, one after the other.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = format!(
        "{}, seed {}: {} episodes of {} control steps fitted, {} scored\n",
        report.scenario, report.seed, report.fitted, report.steps, report.scored
    );
    text += "\nReadouts: what a linear map tells of the world, on episodes that it was not fitted to\n";
    text += &aligned(&readouts(report), 2);
    text += "\nForesight: mean errors so many control steps ahead, open loop; latent errors of 1 know nothing\n";
    text += &aligned(&foresight(report), 1);
    text +=
        "\nSurprise: AUC of the largest energy in a window, broken laws against none (95% interval), for each energy\n";
    text += &aligned(&surprise(report), 1);
    text.trim_end().to_owned()
}

fn readouts(report: &Report) -> Vec<Vec<String>> {
    let mut rows = vec![cells(["level", "quantity", "values", "R2", "RMSE"])];
    for level in &report.levels {
        for readout in &level.readouts {
            rows.push(vec![
                level.level.to_string(),
                readout.quantity.to_owned(),
                readout.values.to_string(),
                format!("{:.3}", readout.score.r2),
                format!("{:.3} {}", readout.score.rmse, readout.unit),
            ]);
        }
    }
    rows
}

fn foresight(report: &Report) -> Vec<Vec<String>> {
    let header = ["level", "steps ahead", "latent", "if unchanged", "position m", "if unchanged", "readout alone"];
    let mut rows = vec![cells(header)];
    for level in &report.levels {
        let last = level.horizon.points.len();
        let shown = |index: &usize| SHOWN.contains(index) || *index == last;
        for index in (1..=last).filter(shown) {
            let point = &level.horizon.points[index - 1];
            rows.push(vec![
                level.level.to_string(),
                point.steps.to_string(),
                format!("{:.3}", point.latent_error),
                format!("{:.3}", point.latent_unchanged),
                format!("{:.3}", point.position_error_m),
                format!("{:.3}", point.position_unchanged_m),
                format!("{:.3}", point.position_readout_m),
            ]);
        }
    }
    rows
}

/// A row for each violation and level, a column for each energy.
fn surprise(report: &Report) -> Vec<Vec<String>> {
    let mut rows = vec![cells(["violation", "level", "episodes"])];
    rows[0].extend(Energy::ALL.map(|energy| energy.name().to_owned()));
    let detections = &report.surprise.detections;
    for detection in detections.iter().filter(|detection| detection.energy == Energy::ALL[0]) {
        // The sum over one level is that level.
        if detection.level.is_none() && report.levels.len() == 1 {
            continue;
        }
        let level = detection.level.map_or("all".into(), |level| level.to_string());
        let mut row = vec![detection.violation.clone(), level, detection.episodes.to_string()];
        let like = |other: &&Detection| other.violation == detection.violation && other.level == detection.level;
        row.extend(
            detections
                .iter()
                .filter(like)
                .map(|Detection { auc, ci95: [low, high], .. }| format!("{auc:.3} ({low:.3} - {high:.3})")),
        );
        rows.push(row);
    }
    rows
}

fn cells<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// Rows in columns, the first `names` of them to the left.
fn aligned(rows: &[Vec<String>], names: usize) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column < names { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        text += &format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}
