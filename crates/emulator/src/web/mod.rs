//! The parts that the emulator's web pages share: the response around a page, cookies, forms and
//! their protection.
//!
//! Pages are askama templates, which escape everything that they show; they are in `templates/` and
//! extend `page.html`. A page and its parts belong to the module that answers with them.

pub(crate) mod cookie;
pub(crate) mod credentials;
pub(crate) mod csrf;
pub(crate) mod form;
pub(crate) mod page;
pub(crate) mod tries;
