//! `$filter`: comparisons joined by `and`, `or` and parentheses (OData 4.01 URL conventions), as far as Outlook allows.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::extended::ExtendedId;
use super::problem::Problem;

/// A filter expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    /// A property, an operator and a constant.
    Compare(String, Comparison, Constant),
    /// An extended property, whose value may be compared.
    Extended(ExtendedId, Option<(Comparison, Constant)>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    StartsWith,
    Contains,
}

/// A constant of an expression, or the value of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Constant {
    Text(String),
    Boolean(bool),
    Number(i64),
    Time(Timestamp),
    Null,
}

/// What can be asked for its properties.
pub(super) trait Filterable {
    fn property(&self, name: &str) -> Constant;
    fn extended(&self, id: &ExtendedId) -> Constant;
}

impl Comparison {
    fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            "startswith" => Self::StartsWith,
            "contains" => Self::Contains,
            _ => return None,
        })
    }

    /// Compares; text without regard to case, as Exchange does.
    fn holds(self, value: &Constant, constant: &Constant) -> bool {
        let order = match (value, constant) {
            (Constant::Text(a), Constant::Text(b)) => {
                let (a, b) = (a.to_lowercase(), b.to_lowercase());
                match self {
                    Self::StartsWith => return a.starts_with(&b),
                    Self::Contains => return a.contains(&b),
                    _ => Some(a.cmp(&b)),
                }
            }
            (Constant::Boolean(a), Constant::Boolean(b)) => Some(a.cmp(b)),
            (Constant::Number(a), Constant::Number(b)) => Some(a.cmp(b)),
            (Constant::Time(a), Constant::Time(b)) => Some(a.cmp(b)),
            (Constant::Null, Constant::Null) => Some(Ordering::Equal),
            _ => None,
        };
        match (self, order) {
            (Self::Ne, order) => order != Some(Ordering::Equal),
            (_, None) => false,
            (Self::Eq, Some(order)) => order.is_eq(),
            (Self::Gt, Some(order)) => order.is_gt(),
            (Self::Ge, Some(order)) => order.is_ge(),
            (Self::Lt, Some(order)) => order.is_lt(),
            (Self::Le, Some(order)) => order.is_le(),
            (Self::StartsWith | Self::Contains, _) => false,
        }
    }
}

impl Filter {
    /// Reads an expression whose properties must be among those known.
    pub(super) fn parse(text: &str, known: &[&str]) -> Result<Self, Problem> {
        let tokens = tokens(text)?;
        let mut parser = Parser {
            tokens: &tokens,
            known,
            depth: 0,
        };
        let filter = parser.any_of()?;
        if parser.tokens.is_empty() {
            Ok(filter)
        } else {
            Err(syntax())
        }
    }

    pub(super) fn matches(&self, what: &dyn Filterable) -> bool {
        match self {
            Self::And(a, b) => a.matches(what) && b.matches(what),
            Self::Or(a, b) => a.matches(what) || b.matches(what),
            Self::Not(one) => !one.matches(what),
            Self::Compare(name, comparison, constant) => {
                comparison.holds(&what.property(name), constant)
            }
            Self::Extended(id, None) => what.extended(id) != Constant::Null,
            Self::Extended(id, Some((comparison, constant))) => {
                comparison.holds(&what.extended(id), constant)
            }
        }
    }

    /// The properties in the order in which they stand in the expression.
    pub(super) fn properties(&self) -> Vec<&str> {
        match self {
            Self::And(a, b) | Self::Or(a, b) => [a.properties(), b.properties()].concat(),
            Self::Not(one) => one.properties(),
            Self::Compare(name, ..) => vec![name],
            Self::Extended(..) => Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Open,
    Close,
    Comma,
}

fn syntax() -> Problem {
    Problem::uri("Invalid filter clause: there is a syntax error.")
}

fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let token;
        (token, rest) = match first {
            '(' => (Token::Open, rest.get(1..).unwrap_or_default()),
            ')' => (Token::Close, rest.get(1..).unwrap_or_default()),
            ',' => (Token::Comma, rest.get(1..).unwrap_or_default()),
            '\'' => quoted(rest.get(1..).unwrap_or_default())?,
            _ => {
                let end = rest.find([' ', '(', ')', ',', '\'']).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                (Token::Word(word.to_owned()), after)
            }
        };
        tokens.push(token);
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// Reads a text up to its closing quote; two quotes stand for one.
fn quoted(text: &str) -> Result<(Token, &str), Problem> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('\'').ok_or_else(syntax)?;
        value.push_str(before);
        let Some(more) = after.strip_prefix('\'') else {
            return Ok((Token::Quoted(value), after));
        };
        value.push('\'');
        rest = more;
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    known: &'t [&'t str],
    depth: usize,
}

/// Deeper expressions are refused: nobody writes them, and they would burn the stack.
const DEEPEST: usize = 20;

impl Parser<'_> {
    fn next(&mut self) -> Result<Token, Problem> {
        let (first, rest) = self.tokens.split_first().ok_or_else(syntax)?;
        self.tokens = rest;
        Ok(first.clone())
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.tokens.first() == Some(wanted);
        if found {
            self.tokens = self.tokens.get(1..).unwrap_or_default();
        }
        found
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), Problem> {
        if self.take(wanted) {
            Ok(())
        } else {
            Err(syntax())
        }
    }

    fn word(&mut self, wanted: &str) -> bool {
        self.take(&Token::Word(wanted.to_owned()))
    }

    fn any_of(&mut self) -> Result<Filter, Problem> {
        let mut filter = self.all_of()?;
        while self.word("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all_of()?));
        }
        Ok(filter)
    }

    fn all_of(&mut self) -> Result<Filter, Problem> {
        let mut filter = self.one()?;
        while self.word("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, Problem> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Problem::new(
                400,
                "ErrorInvalidRestriction",
                "The restriction is too complex.",
            ));
        }
        let filter = self.one_within();
        self.depth -= 1;
        filter
    }

    fn one_within(&mut self) -> Result<Filter, Problem> {
        if self.take(&Token::Open) {
            let filter = self.any_of()?;
            self.expect(&Token::Close)?;
            return Ok(filter);
        }
        if self.word("not") {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        let Token::Word(word) = self.next()? else {
            return Err(syntax());
        };
        if word.eq_ignore_ascii_case("singleValueExtendedProperties/any") {
            return self.extended();
        }
        if let Some(function @ (Comparison::StartsWith | Comparison::Contains)) =
            Comparison::by_name(&word)
        {
            return self.function(function);
        }
        self.is_known(&word)?;
        let comparison = self.comparison()?;
        let constant = self.constant()?;
        Ok(Filter::Compare(word, comparison, constant))
    }

    fn function(&mut self, comparison: Comparison) -> Result<Filter, Problem> {
        self.expect(&Token::Open)?;
        let Token::Word(name) = self.next()? else {
            return Err(syntax());
        };
        self.is_known(&name)?;
        self.expect(&Token::Comma)?;
        let constant = self.constant()?;
        self.expect(&Token::Close)?;
        Ok(Filter::Compare(name, comparison, constant))
    }

    fn is_known(&self, name: &str) -> Result<(), Problem> {
        if self.known.contains(&name) {
            Ok(())
        } else {
            Err(Problem::unknown_property(name, "Message"))
        }
    }

    fn comparison(&mut self) -> Result<Comparison, Problem> {
        match self.next()? {
            Token::Word(name) => Comparison::by_name(&name).ok_or_else(syntax),
            _ => Err(syntax()),
        }
    }

    fn constant(&mut self) -> Result<Constant, Problem> {
        Ok(match self.next()? {
            Token::Quoted(text) => Constant::Text(text),
            Token::Word(word) => match word.as_str() {
                "true" => Constant::Boolean(true),
                "false" => Constant::Boolean(false),
                "null" => Constant::Null,
                other => match other.parse::<i64>() {
                    Ok(number) => Constant::Number(number),
                    Err(_) => other.parse().map(Constant::Time).map_err(|_| syntax())?,
                },
            },
            _ => return Err(syntax()),
        })
    }

    /// `(ep: ep/id eq '…' and ep/value eq '…')`, where numbers need `cast(ep/value, Edm.Int32)`; binary values cannot be
    /// compared (Microsoft, "Get singleValueLegacyExtendedProperty").
    fn extended(&mut self) -> Result<Filter, Problem> {
        self.expect(&Token::Open)?;
        let Token::Word(variable) = self.next()? else {
            return Err(syntax());
        };
        let variable = variable.strip_suffix(':').ok_or_else(syntax)?.to_owned();
        if !self.word(&format!("{variable}/id")) || !self.word("eq") {
            return Err(syntax());
        }
        let Token::Quoted(id) = self.next()? else {
            return Err(syntax());
        };
        let id = ExtendedId::parse(&id)?;
        if !self.word("and") {
            self.expect(&Token::Close)?;
            return Ok(Filter::Extended(id, None));
        }
        let is_cast = self.cast(&variable)?;
        let comparison = self.comparison()?;
        let constant = self.constant()?;
        self.expect(&Token::Close)?;
        let fits = match (&constant, id.path.kind.as_str()) {
            (Constant::Text(_), "String") => !is_cast,
            (Constant::Number(_), "Integer" | "Long" | "Short") => is_cast,
            (Constant::Null, kind) => kind != "Binary",
            _ => false,
        };
        if fits {
            return Ok(Filter::Extended(id, Some((comparison, constant))));
        }
        let text = "The value of this extended property cannot be compared so.";
        Err(Problem::new(400, "ErrorInvalidUrlQueryFilter", text))
    }

    /// Reads the value's name, cast or not.
    fn cast(&mut self, variable: &str) -> Result<bool, Problem> {
        let value = format!("{variable}/value");
        if self.word(&value) {
            return Ok(false);
        }
        if self.word("cast") && self.take(&Token::Open) && self.word(&value) {
            self.expect(&Token::Comma)?;
            self.next()?;
            self.expect(&Token::Close)?;
            return Ok(true);
        }
        Err(syntax())
    }
}
