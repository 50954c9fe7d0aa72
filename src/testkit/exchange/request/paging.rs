//! Indexed paging: which part of a result is asked for, and how the answer describes it.

use std::ops::Range;

use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::xml::Element;

/// An indexed page view (IndexedPageViewType).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndexedPage {
    offset: usize,
    from_end: bool,
    max_entries: Option<usize>,
}

/// The part of a result that is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Places in the sorted result.
    pub(crate) range: Range<usize>,
    /// Where the next page begins, counted from the base point.
    pub(crate) next_offset: usize,
    pub(crate) is_last: bool,
    pub(crate) total: usize,
}

impl IndexedPage {
    pub(crate) fn parse(element: &Element) -> Result<Self, Failure> {
        let from_end = match element.attribute("BasePoint") {
            Some("Beginning") => false,
            Some("End") => true,
            _ => return Err(Failure::schema("The 'BasePoint' attribute is invalid.")),
        };
        let offset = number(element, "Offset")?
            .ok_or_else(|| Failure::schema("The required attribute 'Offset' is missing."))?;
        let offset = usize::try_from(offset)
            .map_err(|_| Failure::new("ErrorInvalidIndexedPagingParameters"))?;
        let max_entries = number(element, "MaxEntriesReturned")?
            .map(max_rows)
            .transpose()?;
        Ok(Self {
            offset,
            from_end,
            max_entries,
        })
    }

    /// The page of a result with `total` entries when the server gives at most `limit`.
    pub(crate) fn of(view: Option<Self>, total: usize, limit: usize) -> Page {
        let view = view.unwrap_or(Self {
            offset: 0,
            from_end: false,
            max_entries: None,
        });
        let count = view.max_entries.unwrap_or(limit).min(limit);
        let start = view.offset.min(total);
        let end = start.saturating_add(count).min(total);
        let range = if view.from_end {
            total - end..total - start
        } else {
            start..end
        };
        Page {
            range,
            next_offset: end,
            is_last: end == total,
            total,
        }
    }
}

impl Page {
    /// Makes the page contradict itself: more is to come, and it begins where this one did.
    pub(crate) fn never_end(&mut self) {
        self.is_last = false;
        self.next_offset = self.range.start;
    }

    /// The attributes of RootFolder (FindResponsePagingAttributes).
    pub(crate) fn attributes(&self) -> [(&'static str, String); 3] {
        [
            ("IndexedPagingOffset", self.next_offset.to_string()),
            ("TotalItemsInView", self.total.to_string()),
            ("IncludesLastItemInRange", self.is_last.to_string()),
        ]
    }
}

fn number(element: &Element, name: &str) -> Result<Option<i64>, Failure> {
    let invalid = |_| Failure::schema(format!("The '{name}' attribute is invalid."));
    element
        .attribute(name)
        .map(str::parse)
        .transpose()
        .map_err(invalid)
}

fn max_rows(count: i64) -> Result<usize, Failure> {
    match usize::try_from(count) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(Failure::new("ErrorInvalidPagingMaxRows")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(offset: usize, from_end: bool, max: usize, total: usize, limit: usize) -> Page {
        let view = IndexedPage {
            offset,
            from_end,
            max_entries: Some(max),
        };
        IndexedPage::of(Some(view), total, limit)
    }

    #[test]
    fn pages_cover_a_result_from_either_end() {
        for (view, range, is_last) in [
            (page(0, false, 10, 25, 1000), 0..10, false),
            (page(20, false, 10, 25, 1000), 20..25, true),
            (page(30, false, 10, 25, 1000), 25..25, true),
            (page(0, true, 10, 25, 1000), 15..25, false),
            (page(20, true, 10, 25, 1000), 0..5, true),
            (page(0, false, 5000, 3000, 1000), 0..1000, false),
        ] {
            assert_eq!((view.range, view.is_last), (range, is_last));
        }
    }
}
