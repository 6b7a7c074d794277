//! Names: the nearest of several, for "did you mean …?", and those that a glob means.

/// The candidate nearest to `wrong`, when it is near enough to be meant: at most a third of its letters differ.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|name| (distance(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .min()
        .filter(|(distance, name)| *distance <= name.chars().count().max(wrong.chars().count()).div_ceil(3))
        .map(|(_, name)| name)
}

/// Edits (insert, remove, replace, swap of neighbours) from `a` to `b` (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// True when `name` is meant by `glob`: `*` is any run of characters, `?` any one.
pub fn is_meant(name: &str, glob: &str) -> bool {
    let mut glob_chars = glob.chars();
    match glob_chars.next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = glob_chars.as_str();
            let mut starts = name.char_indices().map(|(n, _)| n).chain([name.len()]);
            starts.any(|n| is_meant(name.get(n..).unwrap_or_default(), rest))
        }
        Some(wanted) => {
            let mut name_chars = name.chars();
            name_chars.next().is_some_and(|c| wanted == '?' || wanted == c)
                && is_meant(name_chars.as_str(), glob_chars.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_when_it_is_near() {
        assert_eq!(nearest("tokn", ["token", "user"]), Some("token"));
        assert_eq!(nearest("Rampp", ["Ramp", "Hold"]), Some("Ramp"));
        assert_eq!(nearest("shp", ["ship", "hint"]), Some("ship"));
        assert_eq!(nearest("brefing", ["briefing", "title"]), Some("briefing"));
        assert_eq!(nearest("banana", ["token", "user"]), None);
    }
}
