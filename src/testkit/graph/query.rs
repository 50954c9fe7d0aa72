//! The query options of a request; what Graph does not know is refused.

use super::extended::{ExtendedId, parse_expand};
use super::filter::Filter;
use super::problem::Problem;
use super::request::GraphRequest;

/// The most entries of a page (Microsoft, "List messages").
const LARGEST_PAGE: usize = 1000;
const USUAL_PAGE: usize = 10;

/// What a collection or an entity is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) top: Option<usize>,
    pub(super) skip: usize,
    pub(super) skip_token: Option<String>,
    pub(super) delta_token: Option<String>,
    pub(super) select: Option<Vec<String>>,
    /// Properties, and whether they descend.
    pub(super) order_by: Vec<(String, bool)>,
    pub(super) filter: Option<Filter>,
    pub(super) expand: Vec<ExtendedId>,
    pub(super) count: bool,
    pub(super) include_hidden: bool,
}

/// What a kind of resource allows.
pub(super) struct Allowed {
    /// The name of its type.
    pub(super) kind: &'static str,
    /// The properties that `$select` may name.
    pub(super) properties: &'static [&'static str],
    pub(super) filterable: &'static [&'static str],
    pub(super) sortable: &'static [&'static str],
    /// The query options that are known.
    pub(super) options: &'static [&'static str],
}

impl Options {
    pub(super) fn of(request: &GraphRequest, allowed: &Allowed) -> Result<Self, Problem> {
        let mut options = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in &request.query {
            let known = allowed.options.iter().find(|known| *known == name);
            let Some(known) = known else {
                return Err(unknown_option(name));
            };
            if seen.contains(known) {
                let text = format!("Query option '{name}' was specified more than once.");
                return Err(Problem::bad_request(text));
            }
            seen.push(known);
            options.set(known, value, allowed)?;
        }
        options.check_order()?;
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str, allowed: &Allowed) -> Result<(), Problem> {
        match name {
            "$top" => self.top = Some(page_size(value)?),
            "$skip" => self.skip = number("$skip", value)?,
            "$skiptoken" => self.skip_token = Some(value.to_owned()),
            "$deltatoken" => self.delta_token = Some(value.to_owned()),
            "$select" => self.select = Some(selection(value, allowed)?),
            "$orderby" => self.order_by = order(value, allowed)?,
            "$filter" => self.filter = Some(Filter::parse(value, allowed.filterable)?),
            "$expand" => self.expand = parse_expand(value)?,
            "$count" => self.count = boolean("$count", value)?,
            "includeHiddenFolders" => self.include_hidden = boolean(name, value)?,
            _ => return Err(unknown_option(name)),
        }
        Ok(())
    }

    /// Properties of `$orderby` must stand first and in the same order in `$filter` (Microsoft, "List messages").
    fn check_order(&self) -> Result<(), Problem> {
        let (Some(filter), false) = (&self.filter, self.order_by.is_empty()) else {
            return Ok(());
        };
        let mut filtered = filter.properties().into_iter();
        let fits = self
            .order_by
            .iter()
            .all(|(name, _)| filtered.next() == Some(name.as_str()));
        if fits {
            return Ok(());
        }
        let text = "The restriction or sort order is too complex for this operation.";
        Err(Problem::new(400, "InefficientFilter", text))
    }

    /// The size of a page.
    pub(super) fn page(&self) -> usize {
        self.top.unwrap_or(USUAL_PAGE)
    }

    pub(super) fn selects(&self, name: &str) -> bool {
        let selected = self.select.as_ref();
        selected.is_some_and(|all| all.iter().any(|one| one == name))
    }
}

fn unknown_option(name: &str) -> Problem {
    Problem::bad_request(format!("The query option '{name}' is not supported."))
}

fn page_size(value: &str) -> Result<usize, Problem> {
    let top: usize = number("$top", value)?;
    match top {
        0 => Err(invalid("$top", value)),
        1..=LARGEST_PAGE => Ok(top),
        _ => Err(Problem::new(
            400,
            "ErrorInvalidUrlQuery",
            format!("The limit of '{LARGEST_PAGE}' for Top query has been exceeded."),
        )),
    }
}

fn number(name: &str, value: &str) -> Result<usize, Problem> {
    value.parse().map_err(|_| invalid(name, value))
}

fn boolean(name: &str, value: &str) -> Result<bool, Problem> {
    value.parse().map_err(|_| invalid(name, value))
}

fn invalid(name: &str, value: &str) -> Problem {
    Problem::bad_request(format!(
        "Invalid value '{value}' for {name} query option found."
    ))
}

fn selection(value: &str, allowed: &Allowed) -> Result<Vec<String>, Problem> {
    let names = value.split(',').map(str::trim);
    names
        .map(|name| {
            let known = allowed.properties.iter();
            let found = known.copied().find(|one| one.eq_ignore_ascii_case(name));
            found
                .map(str::to_owned)
                .ok_or_else(|| Problem::unknown_property(name, allowed.kind))
        })
        .collect()
}

fn order(value: &str, allowed: &Allowed) -> Result<Vec<(String, bool)>, Problem> {
    let keys = value.split(',').map(str::trim);
    keys.map(|key| {
        let (name, direction) = key.split_once(' ').unwrap_or((key, "asc"));
        let descending = match direction.trim() {
            "asc" => false,
            "desc" => true,
            _ => return Err(invalid("$orderby", value)),
        };
        if allowed.sortable.contains(&name) {
            Ok((name.to_owned(), descending))
        } else {
            Err(Problem::unknown_property(name, allowed.kind))
        }
    })
    .collect()
}
