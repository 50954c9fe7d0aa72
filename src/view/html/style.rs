//! The `style` attribute: only what a mail needs to look as it was meant, and nothing that loads.

/// Properties that stay. None of them can place something over what is outside the mail's frame,
/// and none takes an address once functions but colours are refused.
const PROPERTIES: &[&str] = &[
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-width",
    "clear",
    "color",
    "direction",
    "display",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "table-layout",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
    "word-wrap",
];
const FUNCTIONS: &[&str] = &["rgb", "rgba", "hsl", "hsla"];
const MAX_BYTES: usize = 8 << 10;

/// A style with what may stay, and how many addresses it wanted to load.
pub(super) fn filter(style: &str) -> (String, usize) {
    let mut kept = String::new();
    if style.len() > MAX_BYTES {
        return (kept, loads(style));
    }
    let mut refused = 0;
    for declaration in style.split(';') {
        match allowed(declaration) {
            Some((property, value)) => {
                if !kept.is_empty() {
                    kept.push(';');
                }
                kept.push_str(&property);
                kept.push(':');
                kept.push_str(value);
            }
            None => refused += loads(declaration),
        }
    }
    (kept, refused)
}

/// A declaration is taken whole or not at all. Escapes, comments and blocks are never taken, so that
/// what is compared is what a browser reads.
fn allowed(declaration: &str) -> Option<(String, &str)> {
    let (property, value) = declaration.split_once(':')?;
    let property = property.trim().to_ascii_lowercase();
    let value = value.trim();
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || " #.,%()-!'\"_+".contains(c)
            || (c > '\u{9f}' && c.is_alphanumeric())
    };
    let is_safe = !value.is_empty() && value.chars().all(plain) && functions_are_known(value);
    let closed = balanced(value);
    (is_safe && closed && PROPERTIES.contains(&&*property)).then_some((property, value))
}

fn functions_are_known(value: &str) -> bool {
    let mut pieces = value.split('(').collect::<Vec<_>>();
    pieces.pop();
    pieces.iter().all(|before| {
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        let name = name.map(str::to_ascii_lowercase).next().unwrap_or_default();
        FUNCTIONS.contains(&&*name)
    })
}

/// Quotes in pairs and parentheses closed, so that nothing reaches into the next declaration.
fn balanced(value: &str) -> bool {
    let count = |c| value.matches(c).count();
    count('"').is_multiple_of(2)
        && count('\'').is_multiple_of(2)
        && count('(') == count(')')
        && !(value.contains('"') && value.contains('\''))
}

/// How many addresses a piece of CSS would load, as far as it does not hide them.
pub(super) fn loads(css: &str) -> usize {
    let css = css.to_ascii_lowercase();
    css.matches("url(").count() + css.matches("@import").count() + css.matches("image-set(").count()
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn styles_keep_what_is_harmless() {
        let table = [
            ("color: red; FONT-SIZE:12px", "color:red;font-size:12px", 0),
            (
                "font-family:'Segoe UI',sans-serif;color:rgb(1, 2, 3)!important",
                "font-family:'Segoe UI',sans-serif;color:rgb(1, 2, 3)!important",
                0,
            ),
            ("background:url(http://x/a.png) red", "", 1),
            ("background-color:url(http://x)", "", 1),
            ("background-image:image-set('http://x' 1x)", "", 1),
            ("color:expression(alert(1))", "", 0),
            ("color:r\\65 d", "", 0),
            ("color:/**/red", "", 0),
            ("width:calc(1px)", "", 0),
            ("position:fixed;top:0", "", 0),
            ("behavior:url(#x);-moz-binding:url(http://x)", "", 2),
            ("font-family:\"a;color:red", "color:red", 0),
            ("color:red;}*{x:y", "color:red", 0),
            ("color:\u{a0}red", "color:red", 0),
        ];
        for (style, kept, loads) in table {
            assert_eq!(filter(style), (kept.to_owned(), loads), "{style}");
        }
    }
}
