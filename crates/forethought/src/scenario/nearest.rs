//! "Did you mean ...?" Read first: [`nearest`].

/// The candidate that `wanted` was probably meant to be.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wanted.to_lowercase();
    let near = |candidate: &str| {
        let other = candidate.to_lowercase();
        let distance = edit_distance(&lower, &other);
        let longest = lower.len().max(other.len());
        // A part of a name, such as one without its unit, counts as near.
        let part = lower.len().min(other.len()) >= 4 && (other.contains(&lower) || lower.contains(&other));
        (part || distance <= longest / 3).then_some(distance)
    };
    // Names too long to be names are not worth the time.
    if wanted.len() > 60 {
        return None;
    }
    let scored = candidates.into_iter().filter_map(|candidate| Some((near(candidate)?, candidate)));
    scored.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// More names than these are no help.
const MOST_LISTED: usize = 20;

/// Names as a sentence lists them: "`a`, `b` or `c`".
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match &names[..] {
        [..] if names.len() > MOST_LISTED => {
            format!("{} or one of {} more", names[..MOST_LISTED - 1].join(", "), names.len() + 1 - MOST_LISTED)
        }
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// How many letters must be added, removed, replaced or swapped with their neighbour (optimal string alignment).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let fields = ["radius_m", "max_speed_m_s", "time_constant_s"];
        for (wanted, expected) in [
            ("radius", Some("radius_m")),
            ("raduis_m", Some("radius_m")),
            ("Radius_m", Some("radius_m")),
            ("speed", Some("max_speed_m_s")),
            ("time_constant", Some("time_constant_s")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, fields), expected, "{wanted}");
        }
        assert_eq!(nearest("Dics", ["Disc", "Cuboid"]), Some("Disc"));
        assert_eq!(nearest("x", ["y"]), None);
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(listed([]), "nothing");
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` or `c`");
        assert!(listed(["a"; 100]).ends_with("`a`, `a` or one of 81 more"));
    }
}
