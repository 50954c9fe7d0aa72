//! SOAP 1.1 with Exchange's schemas: writing requests, reading answers as they arrive.

mod input;
mod mime;
mod namespace;
mod reader;
mod tree;
mod utf8;
mod writer;

pub(super) use input::SoapInput;
pub(super) use mime::{ItemSink, MimeEnd};
pub(super) use namespace::Ns;
pub(super) use reader::{Step, XmlReader};
pub(super) use tree::{Node, Tree};
pub(super) use writer::XmlWriter;
