//! The interaction template: what every logged mail is entered as.

/// The template for e-mail (Interaction Template Setup, field "E-Mails", and the template it names).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(default, rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct InteractionTemplate {
    /// The code, at most 10 characters; default `EMAIL`.
    pub code: String,
    /// The interaction group, at most 10 characters; default `SYSTEM`.
    pub group_code: String,
    /// Cost of one interaction in the company's currency; default 8.
    pub unit_cost: f64,
    /// Duration of one interaction in minutes; default 1.
    pub unit_duration_min: f64,
    /// The campaign that entries belong to.
    pub campaign_no: Option<String>,
    /// The language codes that the template has texts in.
    pub languages: Vec<String>,
}

impl Default for InteractionTemplate {
    fn default() -> Self {
        Self {
            code: "EMAIL".into(),
            group_code: "SYSTEM".into(),
            unit_cost: 8.0,
            unit_duration_min: 1.0,
            campaign_no: None,
            languages: Vec::new(),
        }
    }
}
