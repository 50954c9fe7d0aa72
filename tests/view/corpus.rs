//! Every mail of the shared corpus, shown.

use std::path::{Path, PathBuf};

use email_logging::view::{OriginalView, ViewLimits, own_text, split_quoted};

use crate::dom;
use crate::skipped::skipped;

#[test]
fn mails_of_the_corpus_are_shown_without_harm() {
    let root = Path::new("../shared/vectors/mail");
    let mut files = Vec::new();
    collect(root, &mut files);
    if files.is_empty() {
        skipped("no mails in ../shared/vectors/mail");
        return;
    }
    let mut html = 0;
    for file in &files {
        let mail = std::fs::read(file).unwrap();
        let view = OriginalView::of(&mail, &ViewLimits::default());
        let text = view.text().text;
        let pieces = split_quoted(&text);
        let joined: String = pieces
            .iter()
            .flat_map(|piece| [piece.header, piece.text])
            .collect();
        assert!(joined == text, "{}", file.display());
        own_text(&text);
        view.invitation();
        for (index, attachment) in view.attachments().enumerate() {
            let bytes = view.attachment(index).unwrap();
            assert_eq!(bytes.len() as u64, attachment.size, "{}", file.display());
        }
        if let Some(shown) = view.html() {
            html += 1;
            dom::assert_harmless(&shown.body, &file.display().to_string());
            dom::assert_harmless(&shown.folded(), &file.display().to_string());
        }
    }
    assert!(
        files.len() > 400 && html > 50,
        "{} mails, {html} with HTML",
        files.len()
    );
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
