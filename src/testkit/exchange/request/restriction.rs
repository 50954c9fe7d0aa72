//! Restrictions: the search expressions of FindItem and FindFolder.

use std::cmp::Ordering;

use super::property::PropertyPath;
use super::value::{Properties, Value};
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::xml::{Element, Ns};

/// A search expression.
#[derive(Clone, Debug)]
pub(crate) enum Restriction {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Exists(PropertyPath),
    Compare {
        path: PropertyPath,
        relation: Relation,
        operand: Operand,
    },
    Contains {
        path: PropertyPath,
        mode: Mode,
        ignore_case: bool,
        constant: String,
    },
}

/// How two operands relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// The right side of a comparison.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Constant(String),
    Path(PropertyPath),
}

/// Where a Contains expression must find its constant (ContainmentModeType).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    FullString,
    Prefixed,
    Substring,
}

impl Restriction {
    /// Reads the content of a Restriction element.
    pub(crate) fn parse(element: Option<&Element>) -> Result<Option<Self>, Failure> {
        let Some(element) = element else {
            return Ok(None);
        };
        match element.children.as_slice() {
            [only] => expression(only).map(Some),
            _ => Err(super::incomplete("Restriction", "SearchExpression")),
        }
    }

    pub(crate) fn matches(&self, subject: &impl Properties) -> Result<bool, Failure> {
        match self {
            Self::And(all) => all_of(all, subject),
            Self::Or(any) => any_of(any, subject),
            Self::Not(inner) => inner.matches(subject).map(|found| !found),
            Self::Exists(path) => Ok(subject.value(path).is_some()),
            Self::Compare {
                path,
                relation,
                operand,
            } => compare(subject, path, *relation, operand),
            Self::Contains {
                path,
                mode,
                ignore_case,
                constant,
            } => {
                let value = subject.value(path);
                Ok(value.is_some_and(|value| contains(&value, *mode, *ignore_case, constant)))
            }
        }
    }
}

fn all_of(all: &[Restriction], subject: &impl Properties) -> Result<bool, Failure> {
    for one in all {
        if !one.matches(subject)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any_of(any: &[Restriction], subject: &impl Properties) -> Result<bool, Failure> {
    for one in any {
        if one.matches(subject)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A property without a value equals nothing; only IsNotEqualTo holds for it.
fn compare(
    subject: &impl Properties,
    path: &PropertyPath,
    relation: Relation,
    operand: &Operand,
) -> Result<bool, Failure> {
    let Some(left) = subject.value(path) else {
        return Ok(relation == Relation::NotEqual);
    };
    let right = match operand {
        Operand::Path(path) => subject.value(path),
        Operand::Constant(constant) => {
            let read = left.read_like(constant);
            Some(read.ok_or_else(|| Failure::new("ErrorInvalidValueForProperty"))?)
        }
    };
    let order = right.and_then(|right| left.compare(&right));
    Ok(order.map_or(relation == Relation::NotEqual, |order| {
        relation.holds(order)
    }))
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        match name {
            "IsEqualTo" => Some(Self::Equal),
            "IsNotEqualTo" => Some(Self::NotEqual),
            "IsGreaterThan" => Some(Self::Greater),
            "IsGreaterThanOrEqualTo" => Some(Self::GreaterOrEqual),
            "IsLessThan" => Some(Self::Less),
            "IsLessThanOrEqualTo" => Some(Self::LessOrEqual),
            _ => None,
        }
    }
}

fn contains(value: &Value, mode: Mode, ignore_case: bool, constant: &str) -> bool {
    let (mut text, mut wanted) = (value.text(), constant.to_owned());
    if ignore_case {
        (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    }
    match mode {
        Mode::FullString => text == wanted,
        Mode::Prefixed => text.starts_with(&wanted),
        Mode::Substring => text.contains(&wanted),
    }
}

fn expression(element: &Element) -> Result<Restriction, Failure> {
    if element.ns != Ns::Types {
        return Err(unknown(element));
    }
    if let Some(relation) = Relation::by_name(&element.name) {
        return comparison(element, relation);
    }
    match element.name.as_str() {
        "And" => expressions(element).map(Restriction::And),
        "Or" => expressions(element).map(Restriction::Or),
        "Not" => match element.children.as_slice() {
            [only] => Ok(Restriction::Not(Box::new(expression(only)?))),
            _ => Err(super::incomplete("Not", "SearchExpression")),
        },
        "Exists" => PropertyPath::within(element).map(Restriction::Exists),
        "Contains" => containment(element),
        "Excludes" => Err(Failure::new("ErrorUnsupportedQueryFilter")),
        _ => Err(unknown(element)),
    }
}

fn unknown(element: &Element) -> Failure {
    Failure::schema(format!(
        "The element '{}' is no search expression.",
        element.name
    ))
}

fn expressions(element: &Element) -> Result<Vec<Restriction>, Failure> {
    element.children.iter().map(expression).collect()
}

fn comparison(element: &Element, relation: Relation) -> Result<Restriction, Failure> {
    let path = PropertyPath::within(element)?;
    let side = element.types("FieldURIOrConstant");
    let side = side.ok_or_else(|| super::incomplete(&element.name, "FieldURIOrConstant"))?;
    let operand = match side.types("Constant") {
        Some(constant) => Operand::Constant(constant_value(constant)?),
        None => Operand::Path(PropertyPath::within(side)?),
    };
    Ok(Restriction::Compare {
        path,
        relation,
        operand,
    })
}

fn containment(element: &Element) -> Result<Restriction, Failure> {
    let constant = element.types("Constant");
    let constant = constant.ok_or_else(|| super::incomplete("Contains", "Constant"))?;
    let mode = match element.attribute("ContainmentMode") {
        None | Some("FullString") => Mode::FullString,
        Some("Prefixed" | "PrefixOnWords" | "ExactPhrase") => Mode::Prefixed,
        Some("Substring") => Mode::Substring,
        Some(_) => {
            return Err(Failure::schema(
                "The 'ContainmentMode' attribute is invalid.",
            ));
        }
    };
    let comparison = element
        .attribute("ContainmentComparison")
        .unwrap_or("Exact");
    Ok(Restriction::Contains {
        path: PropertyPath::within(element)?,
        mode,
        ignore_case: comparison.contains("IgnoreCase") || comparison == "Loose",
        constant: constant_value(constant)?,
    })
}

fn constant_value(constant: &Element) -> Result<String, Failure> {
    let value = constant.attribute("Value");
    let value = value.ok_or_else(|| Failure::schema("The attribute 'Value' is missing."))?;
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testkit::exchange::xml::{TYPES, parse};

    struct Mail;

    impl Properties for Mail {
        fn value(&self, path: &PropertyPath) -> Option<Value> {
            let PropertyPath::Field(uri) = path else {
                return None;
            };
            match uri.as_str() {
                "item:Subject" => Some(Value::Text("Offer 17".into())),
                "item:Size" => Some(Value::Number(10)),
                "item:DateTimeReceived" => {
                    Some(Value::Time("2026-01-05T08:00:00Z".parse().unwrap()))
                }
                _ => None,
            }
        }
    }

    fn matches(expression: &str) -> Result<bool, Failure> {
        let document = format!("<Restriction xmlns='{TYPES}'>{expression}</Restriction>");
        let restriction = Restriction::parse(Some(&parse(&document).unwrap()))?;
        restriction.unwrap().matches(&Mail)
    }

    fn compare(name: &str, uri: &str, value: &str) -> String {
        format!(
            "<{name}><FieldURI FieldURI='{uri}'/><FieldURIOrConstant><Constant Value='{value}'/>\
             </FieldURIOrConstant></{name}>"
        )
    }

    #[test]
    fn expressions_are_evaluated() {
        let subject = compare("IsEqualTo", "item:Subject", "OFFER 17");
        let small = compare("IsLessThan", "item:Size", "10");
        let part = |mode: &str, how: &str, value: &str| {
            format!(
                "<Contains ContainmentMode='{mode}' ContainmentComparison='{how}'>\
                 <FieldURI FieldURI='item:Subject'/><Constant Value='{value}'/></Contains>"
            )
        };
        for (expression, expected) in [
            (subject.clone(), true),
            (small.clone(), false),
            (format!("<Not>{small}</Not>"), true),
            (format!("<And>{subject}{small}</And>"), false),
            (format!("<Or>{small}{subject}</Or>"), true),
            (
                "<Exists><FieldURI FieldURI='item:InReplyTo'/></Exists>".into(),
                false,
            ),
            (compare("IsNotEqualTo", "item:InReplyTo", "x"), true),
            (
                compare(
                    "IsGreaterThan",
                    "item:DateTimeReceived",
                    "2026-01-05T08:59:59+01:00",
                ),
                true,
            ),
            (part("Substring", "IgnoreCase", "FER"), true),
            (part("Substring", "Exact", "FER"), false),
            (part("Prefixed", "Exact", "Offer"), true),
            (part("FullString", "Exact", "Offer"), false),
        ] {
            assert_eq!(matches(&expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn a_constant_of_the_wrong_type_is_an_error() {
        let wrong = matches(&compare("IsEqualTo", "item:Size", "big")).unwrap_err();
        assert_eq!(wrong.code, "ErrorInvalidValueForProperty");
        assert_eq!(
            matches("<Bogus/>").unwrap_err().code,
            "ErrorSchemaValidation"
        );
    }
}
