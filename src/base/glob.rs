//! Globs over bytes: `*` any run, `?` any one, `[a-z]` and `[^a-z]` one of a set, `\` takes the next as it is.
//!
//! As Redis matches keys. Linear in the product of both lengths, never exponential. Not here: host globs (`plan::guard`).

/// True when `glob` matches the whole of `text`.
pub fn matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut g, mut t) = (0, 0);
    // Where the last `*` stands, and how far the text had come when it was tried.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        let step = match glob.get(g) {
            Some(b'*') => {
                star = Some((g, t));
                g += 1;
                continue;
            }
            Some(_) => one(glob, g, text.get(t).copied().unwrap_or_default()),
            None => None,
        };
        match (step, star) {
            (Some(next), _) => (g, t) = (next, t + 1),
            (None, Some((at, tried))) => {
                star = Some((at, tried + 1));
                (g, t) = (at + 1, tried + 1);
            }
            (None, None) => return false,
        }
    }
    glob.get(g..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// The place behind the element at `at`, when it matches `byte`.
fn one(glob: &[u8], at: usize, byte: u8) -> Option<usize> {
    match *glob.get(at)? {
        b'?' => Some(at + 1),
        b'[' => set(glob, at, byte),
        b'\\' if at + 1 < glob.len() => (glob.get(at + 1) == Some(&byte)).then_some(at + 2),
        plain => (plain == byte).then_some(at + 1),
    }
}

fn set(glob: &[u8], at: usize, byte: u8) -> Option<usize> {
    let negated = glob.get(at + 1) == Some(&b'^');
    let first = at + 1 + usize::from(negated);
    let Some(length) = glob.get(first..)?.iter().position(|one| *one == b']') else {
        // A bracket that nothing closes is a bracket.
        return (byte == b'[').then_some(at + 1);
    };
    let members = glob.get(first..first + length)?;
    let (mut found, mut m) = (false, 0);
    while let Some(&low) = members.get(m) {
        if let (Some(b'-'), Some(&high)) = (members.get(m + 1), members.get(m + 2)) {
            found |= (low.min(high)..=low.max(high)).contains(&byte);
            m += 3;
        } else {
            found |= low == byte;
            m += 1;
        }
    }
    (found != negated).then_some(first + length + 1)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_glob_matches_the_whole_text_or_nothing() {
        let rows = [
            ("", "", true),
            ("*", "", true),
            ("cart:*", "cart:17", true),
            ("cart:*", "xcart:17", false),
            ("*:total", "a:b:total", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("h?llo", "hallo", true),
            ("h[ae]llo", "hello", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a[b", "a[b", true),
            ("**", "x", true),
        ];
        for (glob, text, expected) in rows {
            assert_eq!(matches(glob.as_bytes(), text.as_bytes()), expected, "{glob} {text}");
        }
        let long = "a".repeat(4_000);
        assert!(!matches(b"*a*a*a*a*a*b", long.as_bytes()));
    }
}
