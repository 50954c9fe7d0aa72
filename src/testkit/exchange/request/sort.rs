//! SortOrder.

use std::cmp::Ordering;

use super::property::PropertyPath;
use super::value::{Properties, Value};
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::xml::Element;

/// The fields by which to sort, the most important first.
pub(crate) struct SortOrder {
    fields: Vec<(PropertyPath, bool)>,
}

/// The values of one item by which it is sorted.
pub(crate) type SortKey = Vec<Option<Value>>;

impl SortOrder {
    pub(crate) fn parse(element: Option<&Element>) -> Result<Self, Failure> {
        let orders = element.iter().flat_map(|list| &list.children);
        let fields = orders.map(field).collect::<Result<_, _>>()?;
        Ok(Self { fields })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(crate) fn key(&self, subject: &impl Properties) -> SortKey {
        self.fields
            .iter()
            .map(|(path, _)| subject.value(path))
            .collect()
    }

    /// Whether the first field asks for the highest value first.
    pub(crate) fn descends(&self) -> bool {
        self.fields
            .first()
            .is_some_and(|(_, descending)| *descending)
    }

    /// Orders two keys; what has no value comes first when ascending.
    pub(crate) fn compare(&self, left: &SortKey, right: &SortKey) -> Ordering {
        let pairs = left.iter().zip(right).zip(&self.fields);
        let mut orders = pairs.map(|((left, right), (_, descending))| {
            let order = compare(left.as_ref(), right.as_ref());
            if *descending { order.reverse() } else { order }
        });
        orders
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn compare(left: Option<&Value>, right: Option<&Value>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.compare(right).unwrap_or(Ordering::Equal),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

fn field(order: &Element) -> Result<(PropertyPath, bool), Failure> {
    let descending = match order.attribute("Order") {
        Some("Ascending") => false,
        Some("Descending") => true,
        _ => return Err(Failure::schema("The 'Order' attribute is invalid.")),
    };
    Ok((PropertyPath::within(order)?, descending))
}
