//! Entries as lines of CSV (RFC 4180).

use std::io::{self, Write};

use crate::ids::ContactNo;
use crate::interaction::InteractionLogEntry;

const HEADER: &str = "entry-no,id,message,date,direction,salesperson-code,salesperson-name,contact-no,contact-name,\
    contact-company-no,description,flags,canceled,evaluation,opportunity-no,campaign-no,host-reference,comments\r\n";

pub(super) fn header(out: &mut (dyn Write + Send)) -> io::Result<()> {
    out.write_all(HEADER.as_bytes())
}

pub(super) fn row(entry: &InteractionLogEntry, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let new = &entry.entry;
    let company = new.contact_company_no.as_ref().map(ContactNo::as_str);
    let comments = entry.comments.iter();
    let comments = comments.map(|comment| format!("{}: {}", comment.author, comment.text));
    let cells = [
        new.message.to_string(),
        new.date.to_string(),
        new.information_flow.code().to_owned(),
        new.salesperson_code.as_str().to_owned(),
        new.salesperson_name.clone(),
        new.contact_no.as_str().to_owned(),
        new.contact_name.clone(),
        company.unwrap_or_default().to_owned(),
        new.description.clone(),
        new.flags.join(" "),
        entry.canceled.to_string(),
        entry
            .evaluation
            .map(|grade| grade.to_string())
            .unwrap_or_default(),
        entry.opportunity_no.clone().unwrap_or_default(),
        new.campaign_no.clone().unwrap_or_default(),
        entry.host_reference.clone().unwrap_or_default(),
        comments.collect::<Vec<_>>().join("\n"),
    ];
    write!(out, "{},{}", entry.entry_no, quoted(&new.id.to_string()))?;
    for cell in cells {
        write!(out, ",{}", quoted(&cell))?;
    }
    out.write_all(b"\r\n")
}

/// A cell that no spreadsheet takes for a formula, whatever separator it assumes.
fn quoted(text: &str) -> String {
    let guard = if is_formula(text) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn is_formula(text: &str) -> bool {
    let first = text.trim_start_matches([' ', '\u{a0}', '\u{3000}', '\u{feff}', '\u{200b}', '\0']);
    first.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ])
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn texts_are_quoted_and_formulas_are_disarmed() {
        for (text, cell) in [
            ("", r#""""#),
            ("Offer", r#""Offer""#),
            ("a \"b\"; c,\r\nd", "\"a \"\"b\"\"; c,\r\nd\""),
            ("=1+1", r#""'=1+1""#),
            ("+49 30", r#""'+49 30""#),
            ("-1", r#""'-1""#),
            ("@SUM(A1)", r#""'@SUM(A1)""#),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("\n=1", "\"'\n=1\""),
            ("  =1", r#""'  =1""#),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("\u{ff0b}1", "\"'\u{ff0b}1\""),
            ("\u{ff0d}1", "\"'\u{ff0d}1\""),
            ("\u{ff20}a", "\"'\u{ff20}a\""),
            ("a=1", r#""a=1""#),
        ] {
            assert_eq!(quoted(text), cell, "{text:?}");
        }
    }
}
